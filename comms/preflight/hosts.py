"""Which hosts are not what a reader should be sent to, told by the name alone. It asks nobody."""

from __future__ import annotations

import ipaddress
import re
import unicodedata
from urllib.parse import SplitResult, urlsplit

import idna

SHORTENERS = frozenset(
    "bit.ly bitly.com buff.ly cutt.ly dlvr.it goo.gl is.gd lnkd.in ow.ly rb.gy rebrand.ly s.id shorturl.at soo.gd"
    " t.co t.ly tiny.cc tinyurl.com trib.al v.gd x.co".split()
)
"""Services whose addresses say nothing of where they lead; spammers use them for just that."""
_RESERVED = frozenset({"example", "test", "invalid", "example.com", "example.org", "example.net"})
"""Names that never belong to anyone (RFC 2606, RFC 6761)."""
_INSIDE = frozenset("localhost local internal intranet lan home corp localdomain home.arpa".split())
_STAGING = frozenset("staging stage stg dev devel test testing preview uat qa sandbox preprod demo-staging".split())
_STAGING_PREFIX = re.compile(r"(?:staging|stage|preprod|uat|qa|dev|test)[-0-9]+|[a-z0-9-]+-(?:staging|preprod|uat)")
_TUNNELS = (".ngrok.io", ".ngrok.app", ".ngrok-free.app", ".trycloudflare.com", ".loca.lt", ".lhr.life")

FREEMAIL = frozenset(
    "gmail.com googlemail.com yahoo.com yahoo.co.uk yahoo.fr yahoo.de ymail.com rocketmail.com aol.com outlook.com"
    " hotmail.com hotmail.co.uk live.com msn.com icloud.com me.com mac.com gmx.net gmx.de gmx.com web.de mail.ru"
    " yandex.ru proton.me protonmail.com zoho.com comcast.net verizon.net att.net sbcglobal.net".split()
)
"""Mailbox providers; mail from their names is signed by their own servers only."""


def parsed(url: str) -> SplitResult | None:
    """The address in parts; None for one that can not be taken apart."""
    try:
        parts = urlsplit(url)
        _ = parts.port  # found wrong only when asked for
    except ValueError:
        return None
    return parts


def host_of(url: str) -> str:
    """The host in small letters, without a trailing dot; empty when there is none."""
    parts = parsed(url)
    return (parts.hostname or "").rstrip(".").lower() if parts else ""


def is_address(host: str) -> bool:
    """Is it a number instead of a name."""
    try:
        ipaddress.ip_address(host)
    except ValueError:
        return bool(re.fullmatch(r"0x[0-9a-f]+|[0-9]{8,10}", host))
    return True


def is_reserved(host: str) -> bool:
    labels = host.split(".")
    return labels[-1] in _RESERVED or ".".join(labels[-2:]) in _RESERVED


def is_unfinished(host: str) -> bool:
    """Does only its maker see it: a machine inside, a site under construction, a tunnel."""
    labels = host.split(".")
    if labels[-1] in _INSIDE or ".".join(labels[-2:]) in _INSIDE or host.endswith(_TUNNELS) or is_private(host):
        return True
    first = labels[:-2]  # of `dev.to` and `test.org` the whole name is somebody's
    return any(label in _STAGING or _STAGING_PREFIX.fullmatch(label) for label in first)


def is_private(host: str) -> bool:
    try:
        return not ipaddress.ip_address(host).is_global
    except ValueError:
        return False


def mixed_scripts(host: str) -> str:
    """The first label that mixes letters of Latin, Greek and Cyrillic, as people read it; empty when none does.

    Nobody names a site so but to pass for another (Unicode UTS 39, section 5.2).
    """
    for label in host.split("."):
        try:
            shown = idna.decode(label) if label.startswith("xn--") else label
        except (idna.IDNAError, UnicodeError):
            continue
        scripts = {unicodedata.name(char, "").split(" ")[0] for char in shown if char.isalpha()}
        if len(scripts & {"LATIN", "GREEK", "CYRILLIC"}) > 1:
            return shown
    return ""


def same_site(one: str, other: str) -> bool:
    """Is one of the hosts the other, or a part of it."""
    one, other = one.removeprefix("www."), other.removeprefix("www.")
    return one == other or one.endswith(f".{other}") or other.endswith(f".{one}")
