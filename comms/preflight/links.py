"""Links that lead nowhere, or look as if they led elsewhere; told from the addresses alone."""

from __future__ import annotations

import re
from collections.abc import Iterator
from urllib.parse import parse_qsl, unquote

from campaigns.errors import shown
from comms.preflight import hosts
from comms.preflight.facts import Facts
from comms.preflight.passages import Place, links
from comms.preflight.report import Finding, must, should

BROKEN = must(
    "link-broken",
    "an address that can not work: a host without a dot, or with two in a row, a port that is none",
    "Every reader who follows it gets an error.",
)
NO_MAILBOX = must(
    "link-mailto", "`mailto:` without an address, `tel:` without a number", "It opens an empty letter, or nothing."
)
LOOKALIKE = must(
    "link-lookalike",
    "a host that mixes Latin letters with Greek or Cyrillic ones that look the same",
    "Only sites that pretend to be others are named so, and mail filters refuse mails that link to them.",
)
PLAIN_HTTP = should(
    "link-http",
    "`http:` instead of `https:`",
    "Browsers warn of it, and anyone between the reader and the site can see and change the page.",
)
NUMBER = should("link-number", "a number (IP address) for a host", "Mail filters take it for a sign of fraud.")
DIFFERS = should(
    "link-differs",
    "words that show one site over a link to another",
    "Mail programs warn of it as fraud, for that is how fraud is done.",
)
SHORTENED = should(
    "link-shortened",
    "an address of a shortening service",
    "Mail filters distrust them, and clicks are counted here anyway.",
)
RESERVED = should(
    "link-reserved", "an example name: `example.org`, `.test`, `.invalid`", "Nothing of yours is there to be read."
)
STAGING = should(
    "link-staging",
    "a test site, a tunnel, or a machine inside: `staging.`, `localhost`, `192.168.0.1`",
    "Readers can not open it, or see what is not for them yet.",
)
TRACKED_TWICE = should(
    "link-tracked-twice",
    "a tracking parameter that stands twice in one address",
    "The figures of the site will be wrong.",
)
RULES = (
    BROKEN, NO_MAILBOX, LOOKALIKE, PLAIN_HTTP, NUMBER, DIFFERS, SHORTENED, RESERVED, STAGING, TRACKED_TWICE
)  # fmt: skip

_SHOWN_HOST = re.compile(
    r"\s*(?:https?://)?(?P<host>(?:[a-z0-9](?:[a-z0-9-]{0,62})\.){1,8}[a-z]{2,24})(?:[/?#:]\S*)?\s*", re.IGNORECASE
)
_FILE = re.compile(r"\.(?:pdf|docx?|xlsx?|pptx?|zip|html?|jpe?g|png|gif|csv|txt|md|ics|mp[34])\s*$", re.IGNORECASE)
_MAILBOX = re.compile(r"[^\s@,]+@[^\s@,]+\.[^\s@,.]+")
_TRACKING = re.compile(r"utm_\w+|mc_[ce]id|fbclid|gclid|_hs\w+|mkt_tok|vero_id|pk_\w+|mtm_\w+", re.IGNORECASE)
_EXPRESSION = re.compile(r"\{\{.*?\}\}", re.DOTALL)


def find(facts: Facts) -> Iterator[Finding]:
    """Findings on every link of the body, of posts and of the feed's summary."""
    site = hosts.host_of(facts.site_url)
    for place in links(facts.campaign):
        yield from _of_link(place, site)


def _of_link(place: Place, site: str) -> Iterator[Finding]:
    # What stands for a member is a word like any other here.
    url = _EXPRESSION.sub("x", place.url)
    scheme = url.partition(":")[0].lower()
    if scheme in ("mailto", "tel"):
        if not _reaches_someone(scheme, url):
            yield NO_MAILBOX.at(
                place.line,
                place.field,
                f"`{shown(place.url)}` reaches nobody",
                "write it like mailto:office@your-domain.org or tel:+15551234",
            )
        return
    if scheme not in ("http", "https"):
        return
    fault = _fault(url)
    if fault:
        yield BROKEN.at(
            place.line, place.field, f"`{shown(place.url)}` {fault}", "write the address as a browser has it"
        )
        return
    host = hosts.host_of(url)
    if host != site:
        yield from _of_host(place, host, scheme)
    yield from _of_query(place, url)


def _reaches_someone(scheme: str, url: str) -> bool:
    rest = unquote(url.partition(":")[2])
    if scheme == "tel":
        return any(char.isdigit() for char in rest)
    addresses, _, query = rest.partition("?")
    # Without an address but with a subject it is a letter to forward to a friend.
    return bool(_MAILBOX.search(addresses) or (query and not addresses))


def _fault(url: str) -> str:
    """What makes the address one that can not work; empty when nothing does."""
    parts = hosts.parsed(url)
    host = hosts.host_of(url)
    if parts is None or not host:
        return "is no address that a browser could open"
    if ".." in host or host.startswith(".") or not re.fullmatch(r"[^\s%/\\]+", host):
        return f"has no possible site in it: `{shown(host)}`"
    if "." not in host and ":" not in host and host != "localhost" and not hosts.is_address(host):
        return f"leads to `{shown(host)}`, which is no whole name of a site"
    return ""


def _of_host(place: Place, host: str, scheme: str) -> Iterator[Finding]:
    line, field, named = place.line, place.field, f"`{shown(host)}`"
    if mixed := hosts.mixed_scripts(host):
        yield LOOKALIKE.at(
            line, field, f"`{shown(mixed)}` mixes letters of two alphabets", "type the name of the site by hand"
        )
    if hosts.is_unfinished(host):
        yield STAGING.at(
            line, field, f"the link leads to {named}, which readers can not open", "link to the public page"
        )
    elif hosts.is_address(host):
        yield NUMBER.at(line, field, f"the link leads to the number {named}", "use the name of the site")
    elif hosts.is_reserved(host):
        yield RESERVED.at(line, field, f"{named} is a name for examples only", "put the real address there")
    elif host.removeprefix("www.") in hosts.SHORTENERS:
        yield SHORTENED.at(line, field, f"{named} hides where the link leads", "use the address that it leads to")
    elif scheme == "http":
        yield PLAIN_HTTP.at(line, field, f"the link to {named} is not encrypted", "write https:// if the site has it")
    claimed = _claimed(place.text)
    if claimed and not hosts.same_site(claimed, host):
        yield DIFFERS.at(
            line,
            field,
            f"the words show `{shown(claimed)}`, the link leads to {named}",
            "say what is there instead of an address, or show the one it leads to",
        )


def _claimed(text: str) -> str:
    """The host that the words of a link show; empty when they are words."""
    found = _SHOWN_HOST.fullmatch(text[:300])
    return "" if found is None or _FILE.search(text[:300]) else found["host"].lower()


def _of_query(place: Place, url: str) -> Iterator[Finding]:
    parts = hosts.parsed(url)
    pairs = parse_qsl(parts.query, keep_blank_values=True) if parts else []
    names = [name.lower() for name, _ in pairs if _TRACKING.fullmatch(name)]
    doubled = sorted({name for name in names if names.count(name) > 1})
    if doubled:
        yield TRACKED_TWICE.at(
            place.line,
            place.field,
            f"`{shown(', '.join(doubled))}` stands twice in the address",
            "keep one of the two",
        )
