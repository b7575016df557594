"""Takes a feed apart, in a process of its own: bytes on standard input, JSON on standard output.

feedparser copes with nearly everything that calls itself a feed, and for some input it takes hours or all memory. So
it works here, under limits of the kernel's, where nothing but this one feed is lost. What it finds is trimmed, not yet
clean.
"""

from __future__ import annotations

import io
import json
import resource
import sys
from calendar import timegm
from collections.abc import Iterable, Mapping
from typing import Any

from feedparser.api import parse

from comms.reading.limits import MAX_ITEMS, MAX_LINE, MAX_MARKUP

CPU_S = 20
MEMORY_BYTES = 1_000_000_000
MAX_PICTURES = 10


def main() -> None:
    """`python -m comms.reading.child URL CONTENT-TYPE`."""
    resource.setrlimit(resource.RLIMIT_CPU, (CPU_S, CPU_S))
    resource.setrlimit(resource.RLIMIT_AS, (MEMORY_BYTES, MEMORY_BYTES))
    url, content_type = sys.argv[1:]
    json.dump(taken_apart(sys.stdin.buffer.read(), url, content_type), sys.stdout)


def taken_apart(body: bytes, url: str, content_type: str) -> dict[str, Any]:
    """`{"version", "title", "items"}`; the version is empty for what is no feed."""
    headers = {"content-location": url, **({"content-type": content_type} if content_type else {})}
    # As a stream: text it would take for an address, and fetch.
    found = parse(io.BytesIO(body), response_headers=headers, sanitize_html=False)  # type: ignore[no-untyped-call]
    items = [_item(entry) for entry in found.entries[:MAX_ITEMS]]
    return {"version": found.get("version", ""), "title": _text(found.feed, "title"), "items": items}


def _item(entry: Mapping[str, Any]) -> dict[str, Any]:
    contents = entry.get("content") or []
    return {
        "id": _cut(entry.get("id")),
        "url": _cut(entry.get("link")),
        "title": _text(entry, "title"),
        "summary": _text(entry, "summary", MAX_MARKUP),
        "content": _as_text(contents[0], MAX_MARKUP) if contents else None,
        "published": _moment(entry.get("published_parsed")) or _moment(entry.get("updated_parsed")),
        "pictures": list(_pictures(entry))[:MAX_PICTURES],
    }


def _text(data: Mapping[str, Any], name: str, most: int = MAX_LINE) -> dict[str, str] | None:
    detail = data.get(f"{name}_detail")
    return _as_text(detail, most) if isinstance(detail, Mapping) else None


def _as_text(detail: Mapping[str, Any], most: int) -> dict[str, str]:
    return {"type": str(detail.get("type") or ""), "value": _cut(detail.get("value"), most)}


def _pictures(entry: Mapping[str, Any]) -> Iterable[str]:
    """Addresses of pictures that the feed names beside the text."""
    for each in entry.get("media_thumbnail") or []:
        yield _cut(each.get("url"))
    for each in entry.get("media_content") or []:
        if each.get("medium") == "image" or str(each.get("type") or "").startswith("image/"):
            yield _cut(each.get("url"))
    for each in entry.get("enclosures") or []:
        if str(each.get("type") or "").startswith("image/"):
            yield _cut(each.get("href"))


def _moment(parsed: Any) -> int | None:
    """Unix time of what feedparser read as a date."""
    try:
        return timegm(parsed) if parsed else None
    except (TypeError, ValueError, OverflowError):
        return None


def _cut(value: Any, most: int = MAX_LINE) -> str:
    return value[:most] if isinstance(value, str) else ""


if __name__ == "__main__":
    main()
