"""What `doctor` asks of the programs that an installation relies on: mail servers, senders, Redis, another's clock."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, timedelta
from email.utils import parsedate_to_datetime

import requests

from comms.channels import newsletter
from comms.channels.newsletter import ServerUnreachableError
from comms.delivery import presence
from comms.engine import progress, pulse, social
from comms.engine.control import ControlLock
from comms.engine.workspace import Workspace
from comms.errors import ConfigError

LEAST_LEFT = timedelta(days=14)
"""Of a token that nobody but a person can renew."""
LONGEST_SILENCE_S = 60.0
"""Control tells of itself every second, unless it waits for a disk or a database."""
CLOCK_SLACK_S = 60.0
_TIMEOUT_S = 10.0


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing `doctor` looked at; `mend` says what to do when it is not `ok`."""

    ok: bool
    what: str
    mend: str = ""


def mail_servers(workspace: Workspace) -> Iterator[Finding]:
    """Each of them, tried now: and those that senders leave alone, for that may have other reasons."""
    settings = workspace.settings
    for name, smtp in {"smtp": settings.smtp, **settings.smtp_relays}.items():
        section = "[smtp]" if name == "smtp" else f"[smtp_relays.{name}]"
        try:
            asyncio.run(newsletter.check(smtp))
        except ServerUnreachableError as error:
            yield Finding(False, error.message, f"See {section} in comms.toml.")
        else:
            yield Finding(True, f"mail server {smtp.host}:{smtp.port} answers ({smtp.security})")
    for server in progress.servers(presence.living(workspace.folder)):
        if server.aside:
            yield Finding(
                False,
                f"the mail server {server.name} is set aside by {server.aside} of {server.senders} senders: "
                f"{server.reason}",
                "It is tried again by and by. If it only wants less mail, see [pacing], or give it a smaller weight.",
            )


def senders(workspace: Workspace) -> Iterator[Finding]:
    """Does control still tell of itself, and is there anyone to do what it hands out."""
    if not ControlLock(workspace.folder).is_held():
        return
    beat = pulse.read(workspace.folder)
    age = (workspace.now() - beat.at).total_seconds() if beat else 0.0
    yield Finding(
        age < LONGEST_SILENCE_S,
        f"control told of itself {max(age, 0.0):.0f} seconds ago",
        "It waits for something: see what it prints. A full disk, a locked database or a queue that does not answer.",
    )
    here, elsewhere = len(presence.living(workspace.folder)), beat.elsewhere if beat else 0
    yield Finding(
        here + elsewhere > 0,
        f"{here} senders live on this machine" + (f", {elsewhere} on others" if elsewhere else ""),
        "Start `comms run`, or `comms worker` beside it.",
    )


def redis(workspace: Workspace) -> Iterator[Finding]:
    """Would the Redis of the queue drop what waits in it, or forget it when it starts anew."""
    url = workspace.settings.queue.url
    if not url:
        return
    from redis import Redis, RedisError  # slow to load, and seldom needed

    place = url.rpartition("@")[2]
    try:
        with Redis.from_url(url, socket_timeout=_TIMEOUT_S, socket_connect_timeout=_TIMEOUT_S) as server:
            server.ping()
            try:
                policy = str(server.config_get("maxmemory-policy").get("maxmemory-policy", ""))
                saved = str(server.config_get("save").get("save", ""))
                appended = str(server.config_get("appendonly").get("appendonly", ""))
            except RedisError:
                yield Finding(True, f"Redis at {place} answers; it does not say how it is set up")
                return
    except (RedisError, OSError, ValueError) as error:
        yield Finding(
            False, f"Redis at {place} does not answer: {error}", "See [queue] in comms.toml, and whether it runs."
        )
        return
    yield Finding(
        policy == "noeviction",
        f"Redis at {place}: maxmemory-policy {policy}",
        "Set `maxmemory-policy noeviction` in redis.conf: with any other, a full Redis drops batches that wait. They "
        "are found again, only later.",
    )
    yield Finding(
        bool(saved) or appended == "yes",
        f"Redis at {place}: {'keeps' if saved or appended == 'yes' else 'does not keep'} its data on the disk",
        "Set `appendonly yes` in redis.conf: without it, a restart forgets the batches that wait. They are found "
        "again, only later.",
    )


def linkedin(workspace: Workspace) -> Iterator[Finding]:
    """How long the token for LinkedIn lasts; asked of LinkedIn, which tells an app with id and secret."""
    settings = social.account(workspace, "linkedin")
    if not settings:
        return
    from comms.channels.linkedin_wire import LinkedInAccount, LinkedInWire, TokenState  # only where there is an account
    from comms.channels.remote import within

    try:
        account = LinkedInAccount(**settings)
    except ConfigError as error:
        yield Finding(False, error.message, error.hint)
        return
    if not account.can_ask_for_end:
        what = "LinkedIn does not tell when its access token ends, which is 60 days after it was made"
        yield Finding(True, f"{what}: with client_id and client_secret below [linkedin] it would")
        return

    def ask() -> TokenState | None:
        with LinkedInWire(account, workspace.sessions, (_TIMEOUT_S, _TIMEOUT_S), workspace.now) as wire:
            state = wire.token_state()
            if state and not state.active and account.can_renew and not wire.renew(wire.token):
                state = wire.token_state()
            return state

    state = within(3 * _TIMEOUT_S, ask, otherwise=None)
    if state is None:
        yield Finding(False, "LinkedIn does not tell of its access token", "Check client_id and client_secret.")
        return
    last = state.refresh_ends if account.can_renew else state.ends
    soon = last is not None and last - workspace.now() < LEAST_LEFT
    until = f" until {state.ends:%Y-%m-%d}" if state.ends else ""
    renewed = ", and is renewed by itself" if account.can_renew else ""
    if account.can_renew and state.refresh_ends:
        renewed += f" until {state.refresh_ends:%Y-%m-%d}"
    yield Finding(
        state.active and not soon,
        f"LinkedIn's access token is good{until}{renewed}" if state.active else "LinkedIn's access token is over",
        "Make a new one on linkedin.com/developers, and set `[linkedin] access_token`, and `refresh_token` if there is "
        "one: until then posts to LinkedIn fail once it is over.",
    )


def clock_elsewhere(workspace: Workspace) -> Iterator[Finding]:
    """How the clock differs from that of whoever answers under the public address (RFC 9110 section 6.6.1)."""
    url = workspace.settings.site.url
    try:
        answer = requests.head(url, timeout=_TIMEOUT_S, allow_redirects=False)
        there = parsedate_to_datetime(answer.headers["Date"]).astimezone(UTC)
    except (OSError, KeyError, ValueError, OverflowError) as error:  # requests' own errors are OSErrors
        reason = "it tells no time" if isinstance(error, KeyError) else str(error) or type(error).__name__
        yield Finding(False, f"{url} can not be asked for the time: {reason}", "Is `comms web` reachable from here?")
        return
    off = (workspace.now() - there).total_seconds()
    yield Finding(
        abs(off) < CLOCK_SLACK_S,
        f"the clock is {abs(off):.0f} seconds {'ahead of' if off >= 0 else 'behind'} that of {url}",
        "Set the clock right (NTP): schedules, waits, signatures and expiring links go by it.",
    )
