"""A feed's bytes to items that can be shown: plain words, whole addresses, sensible dates. Asks nobody for anything."""

from __future__ import annotations

import hashlib
import json
import re
import subprocess
import sys
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

from lxml import etree

from campaigns.characters import faults
from comms.channels.markup import absolute_url, clean_line, clean_text, plain_text, sanitise
from comms.errors import CommsError
from comms.reading.limits import MAX_MARKUP

WALL_S = 60.0
"""For one feed in its process; the limit on the processor's time is `child.CPU_S`."""
MAX_TITLE = 200
MAX_SUMMARY = 400
MAX_URL = 2_000
SLACK = timedelta(hours=26)
"""A date further ahead than any zone's clock is wrong."""
OLDEST = datetime(1990, 1, 1, tzinfo=UTC)
SMALLEST_PICTURE = 50
"""Pixels: what is smaller is a counter or an ornament."""
_MARKS = re.compile("[\u202a-\u202e\u2066-\u2069]")
_COUNTER = re.compile(
    r"(?:pixel|track|beacon|count|stat|spacer|blank|feeds\.wordpress\.com|doubleclick)", re.IGNORECASE
)


@dataclass(frozen=True, slots=True)
class Item:
    """One item of a feed. All text is one line of plain words."""

    identity: str
    """The same for the same item, whenever the feed is read: a hash of its id, else its address, else its words."""
    title: str
    url: str
    """Empty when it leads nowhere."""
    summary: str = ""
    image: str = ""
    published: datetime | None = None
    """None when the feed gives no date that can be right."""


@dataclass(frozen=True, slots=True)
class ParsedFeed:
    title: str
    items: tuple[Item, ...]
    """In the order of the feed, each once."""


class NoFeedError(CommsError, ValueError):
    """Bytes that can not be read as a feed."""


def parse(body: bytes, *, url: str, content_type: str, now: datetime) -> ParsedFeed:
    """Read a feed in RSS (0.9 to 2.0), RDF or Atom. Raises NoFeedError, and nothing else whatever the bytes are."""
    found = _taken_apart(body, url, content_type)
    if not found["version"] and not found["items"]:
        hint = "it may be a web page: look there for the address of its feed"
        raise NoFeedError("what is there is no feed", hint=hint)
    items = {item.identity: item for raw in reversed(found["items"]) if (item := _item(raw, url, now))}
    return ParsedFeed(_words(found["title"], url, MAX_TITLE), tuple(reversed(items.values())))


def _taken_apart(body: bytes, url: str, content_type: str) -> dict[str, Any]:
    words = [sys.executable, "-m", "comms.reading.child", url, content_type]
    try:
        done = subprocess.run(words, input=body, capture_output=True, timeout=WALL_S, check=True)
        found: dict[str, Any] = json.loads(done.stdout)
    except (subprocess.SubprocessError, ValueError) as error:
        raise NoFeedError("the feed can not be taken apart", hint="its text is damaged, or far too tangled") from error
    return found


def _item(raw: Mapping[str, Any], base: str, now: datetime) -> Item | None:
    """None for an item that says nothing."""
    url = _address(raw["url"], base)
    markup = [_markup(raw[name], base) for name in ("summary", "content") if raw[name]]
    summary = next((words for each in markup if (words := shortened(_plain(each), MAX_SUMMARY))), "")
    title = _words(raw["title"], base, MAX_TITLE) or shortened(summary, MAX_TITLE // 2) or url
    if not title:
        return None
    pictures = (
        *(_address(each, base) for each in raw["pictures"]),
        *(each for text in markup for each in _shown(text)),
    )
    return Item(
        identity=_identity(raw, url, title, summary),
        title=title,
        url=url,
        summary=summary,
        image=next((each for each in pictures if each and not _COUNTER.search(each)), ""),
        published=_moment(raw["published"], now),
    )


def _identity(raw: Mapping[str, Any], url: str, title: str, summary: str) -> str:
    kind, value = ("id", raw["id"]) if raw["id"].strip() else ("url", url) if url else ("text", f"{title}\n{summary}")
    return hashlib.sha256(f"{kind}\n{value.strip()}".encode("utf-8", "surrogatepass")).hexdigest()[:40]


def _words(text: Mapping[str, str] | None, base: str, most: int) -> str:
    if text is None:
        return ""
    if text["type"] in ("text/html", "application/xhtml+xml"):
        return shortened(_plain(_markup(text, base)), most)
    return shortened(_line(text["value"]), most)


def _markup(text: Mapping[str, str], base: str) -> str:
    """Harmless HTML."""
    value = text["value"][:MAX_MARKUP]
    if text["type"] == "text/plain":
        value = value.replace("&", "&amp;").replace("<", "&lt;")
    try:
        return sanitise(value, base)
    except (etree.LxmlError, ValueError):  # nothing of it can be read as HTML
        return ""


def _plain(markup: str) -> str:
    return _line(plain_text(markup))


def _line(text: str) -> str:
    """As a definition file could hold it: an open direction mark would turn the words after it around."""
    line = clean_line(clean_text(text).replace("\u2028", " ").replace("\u2029", " "))
    return _MARKS.sub("", line) if any(faults(line)) else line


def shortened(text: str, most: int) -> str:
    """At most `most` characters, cut between words where there are some."""
    if len(text) <= most:
        return text
    cut = text[: most - 1]
    at = cut.rfind(" ")
    return f"{(cut[:at] if at > most // 2 else cut).rstrip(' ,;:.-')}…"


def _shown(markup: str) -> Iterator[str]:
    """The addresses of pictures in sanitised HTML that are no counters, as far as it says."""
    for tag in re.findall(r"<img [^>]*>", markup):
        attributes = dict(re.findall(r'(src|width|height)="([^"]*)"', tag))
        sizes = (attributes.get(name, "") for name in ("width", "height"))
        if not any(size.isdigit() and len(size) < 6 and int(size) < SMALLEST_PICTURE for size in sizes):
            yield _address(attributes.get("src", "").replace("&amp;", "&"), "")


def _address(text: str, base: str) -> str:
    # Braces are encoded on the way: in a campaign an address may hold expressions, and this is somebody else's text.
    address = absolute_url(text, base) if text.strip() else None
    return address if address is not None and len(address) <= MAX_URL and "{" not in address else ""


def _moment(seconds: int | None, now: datetime) -> datetime | None:
    try:
        moment = datetime.fromtimestamp(seconds, UTC) if seconds is not None else None
    except (ValueError, OverflowError, OSError):
        return None
    return moment if moment is not None and OLDEST <= moment <= now + SLACK else None
