"""What in a returned message, or in a provider's account of one, may name the mail that it is about. Pure.

It only finds; whether a token is ours, and whether the rest is to be believed, is decided by who holds the key.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass
from itertools import islice

from comms.engagement.bounces.mime import LONGEST_MESSAGE

_MOST_LINKS = 20
# A slash may be written `\/` in JSON.
_LINK = re.compile(r"/u\\?/(m\.[a-z0-9-]{1,64}\.[1-9][0-9]{0,17}\.[A-Za-z0-9_-]{43})(?![A-Za-z0-9_-])", re.ASCII)
_MESSAGE_ID = re.compile(
    r"(?P<campaign>[^\s<>@]{1,200})\.(?P<association>[a-z0-9-]{1,64})\.(?P<delivery>[1-9][0-9]{0,17})@[^\s<>@]{1,255}",
    re.ASCII,
)


@dataclass(frozen=True, slots=True)
class Traces:
    """What was found, each in the order in which to believe it."""

    texts: tuple[str, ...]
    """Where the token of a return path may stand: the envelope's recipient, the addresses, the whole message."""
    links: tuple[str, ...]
    """Tokens of unsubscribe links, as `List-Unsubscribe` of a returned header holds ours."""
    message_id: str = ""
    """Of the mail that was returned, without angle brackets."""


@dataclass(frozen=True, slots=True)
class NamedDelivery:
    """A delivery as a Message-ID of ours names it. Anyone can write one."""

    campaign: str
    association: str
    delivery: int


def traces_in(data: bytes, *, first: Iterable[str] = (), message_id: str = "") -> Traces:
    """The traces in these bytes; `first` are addresses to look at before them. Looks at 10 MB at the most."""
    text = data[:LONGEST_MESSAGE].decode("latin-1")
    links = islice(dict.fromkeys(match[1] for match in _LINK.finditer(text)), _MOST_LINKS)
    return Traces((*first, text), tuple(links), message_id)


def named_delivery(message_id: str) -> NamedDelivery | None:
    """Which delivery a Message-ID names, in the form that `delivery.messages.message_id` writes; None for others."""
    match = _MESSAGE_ID.fullmatch(message_id.strip().strip("<>"))
    if match is None:
        return None
    return NamedDelivery(match["campaign"], match["association"], int(match["delivery"]))
