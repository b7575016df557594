"""Marks links with the association that sends them, and with nobody who follows them."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from html import escape, unescape

from comms.channels.social_text import with_parameters
from comms.rendering.markup import edited, scan


def tagged(url: str, association: str, campaign: str) -> str:
    """An `http(s)` address with `utm_source` and `utm_campaign`, as web statistics read them; those it has stay.

    Any other address, and one that is none, comes back as it is.
    """
    if not url.lower().startswith(("http://", "https://")):
        return url
    return with_parameters(url, {"utm_source": association, "utm_campaign": campaign})


def with_addresses(source: str, follow: Callable[[str], str]) -> str:
    """HTML or MJML with what `follow` makes of every address in an `href`; images stay as they are."""
    return edited(source, _edits(source, follow))


def _edits(source: str, follow: Callable[[str], str]) -> Iterator[tuple[int, int, str]]:
    for piece in scan(source):
        for attribute in piece.attributes:
            if attribute.name == "href" and piece.name != "link":
                address = unescape(attribute.value)
                followed = follow(address)
                if followed != address:
                    yield attribute.start, attribute.end, f'"{escape(followed)}"'
