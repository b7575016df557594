"""Ways of following readers that they did not agree to. What comms does itself asks each reader first."""

from __future__ import annotations

import re
from collections.abc import Iterator

from campaigns.errors import shown
from campaigns.expressions import merge_fields
from campaigns.models import Image, walk
from comms.preflight import hosts, markup
from comms.preflight.facts import Facts
from comms.preflight.passages import links
from comms.preflight.report import Finding, must, should

PIXEL = must(
    "tracking-pixel",
    "an invisible image of another site",
    "It tells that site who opens the mail, of readers who did not agree to it, too.",
)
COUNTER = should(
    "tracking-image",
    "an image whose address looks like a counter of openings",
    "It tells that site who opens the mail, of readers who did not agree to it, too.",
)
NAMED = should(
    "tracking-link",
    "a link that carries the reader's address or name to another site",
    "That site learns who clicked, of readers who did not agree to it, too; and links get forwarded.",
)
RULES = (PIXEL, COUNTER, NAMED)

_COUNTER = re.compile(
    r"/(?:open|pixel|track(?:ing)?|beacon)(?:[/._?-]|$)|google-analytics\.com/|/collect\?|list-manage\.com/track",
    re.IGNORECASE,
)
_PERSONAL = frozenset({"address", "email", "e_mail", "mail", "first_name", "last_name", "name", "full_name", "phone"})


def find(facts: Facts) -> Iterator[Finding]:
    """Findings on images and links, of the body and of the template."""
    site = hosts.host_of(facts.site_url)
    for block in walk(facts.campaign.blocks):
        if isinstance(block, Image) and _COUNTER.search(block.src) and _is_elsewhere(block.src, site):
            message = f"the image `{shown(block.src)}` looks like a counter"
            yield COUNTER.at(block.line, "body", message, "take it out: clicks are counted here, without names")
    for place in links(facts.campaign):
        told = [name for name in merge_fields(place.url) if name in _PERSONAL]
        if told and _is_elsewhere(place.url, site):
            message = f"the link carries {shown(told[0])!r} to `{shown(hosts.host_of(place.url.partition('{{')[0]))}`"
            yield NAMED.at(place.line, place.field, message, "let people type it there, or ask before you pass it on")
    if facts.mail is not None:
        yield from _pixels(facts, markup.read(facts.mail.shown.html), site)


def _pixels(facts: Facts, document: markup.Document, site: str) -> Iterator[Finding]:
    for image in document.images:
        if {image.width, image.height} <= {"0", "1"} and _is_elsewhere(image.src, site):
            yield PIXEL.at(
                facts.template_line,
                "newsletter.template",
                f"the template holds an invisible image of `{shown(hosts.host_of(image.src))}`",
                "take it out: with their consent, openings are counted here",
            )


def _is_elsewhere(url: str, site: str) -> bool:
    host = hosts.host_of(url.partition("{{")[0])
    return bool(host) and host != site
