"""Our own WebSub hub: which requests it takes, and who subscribed. It asks no callback: `announcing.py` does.

Subscriptions are to our own public feeds alone, and limited by the callback's site and by network, so that nobody can
have this machine knock at somebody else's door again and again.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import timedelta
from ipaddress import ip_address
from typing import Any, cast
from urllib.parse import unquote, urlsplit

from campaigns.websub import Intent, Mode, Ping, Subscriber, WebSub
from comms.db import storage_errors
from comms.engine import feeds, hubs
from comms.engine.feeds import Name
from comms.engine.signup import network_of
from comms.engine.workspace import Workspace
from comms.outside import guard
from comms.outside.exchange import PORTS, web_parts

LEASE_S, SHORTEST_LEASE_S, LONGEST_LEASE_S = 10 * 86_400, 300, 15 * 86_400
"""Ten days are what section 8.2 of the Recommendation advises."""
LONGEST_URL, LONGEST_SECRET = 2_000, 199
SPAN = timedelta(hours=1)
MOST_FOR_SITE, MOST_FROM_NETWORK = 100, 100
"""Requests in an hour that name callbacks of one site, and that come from one network."""
MOST_WAITING, MOST_OF_SITE, MOST = 1_000, 1_000, 10_000
"""Requests that wait, subscriptions of one site, and subscriptions at all."""
_FIRST_FREE_PORT = 1_024
_SHARED = frozenset("ac co com edu gob gouv gov ne net nom or org sch".split())
"""Below two letters of a country, these belong to a registry, and the label before to somebody."""
_DIGITS = 9
"""Of a number of seconds that is worth reading."""
_PLAIN = re.compile(r"[!-~]+", re.ASCII)


@dataclass(frozen=True, slots=True)
class Answer:
    """What the hub says to a request: a status of HTTP, and a sentence for the developer who reads it."""

    status: int
    text: str

    @property
    def retry_after_s(self) -> int | None:
        """Seconds after which to ask again, where that may help."""
        return int(SPAN.total_seconds()) if self.status in (429, 503) else None


ACCEPTED = Answer(202, "The callback will be asked whether it wants this.")


@dataclass(frozen=True, slots=True)
class Overview:
    """What the hub, and the telling of other hubs, have to do."""

    hub: str | None
    """Address of our own; None where there is none."""
    subscribers: tuple[Subscriber, ...]
    waiting: int
    """Requests whose callback was not asked yet."""
    pings: tuple[Ping, ...]

    def to_json(self) -> dict[str, Any]:
        """Without secrets; of a callback only its host, for the rest of it is one, too."""
        return {
            "hub": self.hub,
            "waiting": self.waiting,
            "subscribers": [
                {
                    "topic": each.topic,
                    "host": each.host,
                    "verified_at": each.verified_at.isoformat(),
                    "lease_until": each.lease_until.isoformat(),
                    "sent_at": each.sent_at.isoformat() if each.sent_at else None,
                    "owed_at": each.owed_at.isoformat() if each.owed_at else None,
                    "fault": each.fault,
                }
                for each in self.subscribers
            ],
            "pings": [
                {"hub": each.hub, "topic": each.topic, "attempts": each.attempts, "fault": each.fault}
                for each in self.pings
            ],
        }


def overview(workspace: Workspace) -> Overview:
    store = WebSub(workspace.host.db)
    return Overview(hubs.own(workspace.settings), tuple(store.subscribers()), store.waiting(), tuple(store.all_pings()))


def topic_of(workspace: Workspace, url: str) -> Name | None:
    """The public feed that has exactly this address; None where none has."""
    stem = f"{workspace.settings.site.url}/feeds/"
    name = feeds.named(unquote(url.removeprefix(stem))) if url.startswith(stem) else None
    if name is None or name.page is not None or feeds.address(workspace.settings, name) != url:
        return None
    owner = feeds.find(workspace, name.association)
    return name if owner is not None and name.path in feeds.channels(workspace, owner) else None


def request(workspace: Workspace, fields: Mapping[str, str], ip: str | None) -> Answer:
    """Take a request to subscribe or unsubscribe (section 5.1). `fields` are those of its form, `ip` its sender's.

    What is accepted is kept; the callback is asked later, whatever comes of it.
    """
    mode, topic, callback = (fields.get(f"hub.{name}", "") for name in ("mode", "topic", "callback"))
    if mode not in ("subscribe", "unsubscribe"):
        return Answer(400, "hub.mode must be subscribe or unsubscribe; what is published here is known already.")
    if topic_of(workspace, topic) is None:
        return Answer(404, 'hub.topic must be the rel="self" address of a public feed of this site.')
    if fault := callback_fault(workspace, callback):
        return Answer(400, fault)
    secret = fields.get("hub.secret", "").encode("utf-8", "replace")
    if len(secret) > LONGEST_SECRET:
        return Answer(400, f"hub.secret must have at most {LONGEST_SECRET} bytes.")
    lease_s = _lease(fields.get("hub.lease_seconds", "")) if mode == "subscribe" else LEASE_S
    if lease_s is None:
        return Answer(400, "hub.lease_seconds must be a positive whole number.")
    host = str(urlsplit(callback).hostname).rstrip(".")
    intent = Intent(
        mode=cast(Mode, mode),
        topic=topic,
        callback=callback,
        host=host,
        site=site_of(host),
        network=network_of(ip),
        secret=workspace.key.seal(secret) if secret else None,
        lease_s=lease_s,
        asked_at=workspace.now(),
    )
    store = WebSub(workspace.host.db)
    with storage_errors(workspace.host_path), workspace.host.db.atomic():
        if refused := _above_limit(store, intent):
            return refused
        store.ask(intent)
    return ACCEPTED


def callback_fault(workspace: Workspace, callback: str) -> str:
    """Why nothing will ever be sent to this address; empty when something may be. Looks up no name.

    Where a name leads is looked at when it is connected to.
    """
    parts = web_parts(callback)
    if parts is None or len(callback) > LONGEST_URL or not _PLAIN.fullmatch(callback):
        return f"hub.callback must be a web address of at most {LONGEST_URL:,} characters, encoded as addresses are."
    if parts.username is not None or parts.password is not None or parts.fragment:
        return "hub.callback must have no name, password or fragment in it."
    if parts.port is not None and parts.port not in PORTS.values() and parts.port < _FIRST_FREE_PORT:
        return f"hub.callback must be on port 80, 443, or {_FIRST_FREE_PORT:,} and above."
    if str(parts.hostname).rstrip(".") == urlsplit(workspace.settings.site.url).hostname:
        return "hub.callback must not be on this site itself."
    try:
        public = guard.is_public(ip_address(str(parts.hostname)))
    except ValueError:
        return ""  # a name
    return "" if public else "hub.callback must be on the public internet."


def site_of(host: str) -> str:
    """To whom a host seems to belong, so that who has many names under one is counted once: its last two labels, three
    where those are like `co.uk`; an address as it is. Pure, and no more than a guess."""
    try:
        return str(ip_address(host))
    except ValueError:
        labels = host.split(".")
    shared = len(labels[-1]) == 2 and len(labels) > 1 and labels[-2] in _SHARED
    return ".".join(labels[-3:] if shared else labels[-2:])


def _lease(text: str) -> int | None:
    """Seconds within bounds; None for what is no positive whole number."""
    if not text:
        return LEASE_S
    if not (text.isascii() and text.isdigit()) or not text.strip("0"):
        return None
    return max(SHORTEST_LEASE_S, min(int(text), LONGEST_LEASE_S)) if len(text) <= _DIGITS else LONGEST_LEASE_S


def _above_limit(store: WebSub, intent: Intent) -> Answer | None:
    since = intent.asked_at - SPAN
    if store.asked_for(intent.site, since) >= MOST_FOR_SITE:
        return Answer(429, f"{MOST_FOR_SITE} requests named callbacks of that site within an hour.")
    if intent.network is not None and store.asked_from(intent.network, since) >= MOST_FROM_NETWORK:
        return Answer(429, f"{MOST_FROM_NETWORK} requests came from your network within an hour.")
    if store.waiting() >= MOST_WAITING:
        return Answer(503, "Too many requests wait to be confirmed.")
    if intent.mode == "unsubscribe" or store.is_subscribed(intent.topic, intent.callback):
        return None
    if store.count(intent.site) >= MOST_OF_SITE or store.count() >= MOST:
        return Answer(503, "There is no room for more subscriptions, of that site or at all.")
    return None
