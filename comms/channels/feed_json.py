"""Feeds as JSON Feed 1.1 (jsonfeed.org/version/1.1), from our own model; reads and serves nothing."""

from __future__ import annotations

import json
from collections.abc import Iterable
from datetime import datetime
from typing import Any

from comms.channels.feed_model import FeedEntry, FeedInfo, Withdrawal, checked, excerpt, gone

VERSION = "https://jsonfeed.org/version/1.1"


def to_json(info: FeedInfo, entries: Iterable[FeedEntry], withdrawals: Iterable[Withdrawal] = ()) -> bytes:
    """The feed as JSON Feed 1.1 in UTF-8, newest entry first; equal input gives equal bytes.

    The format has no words for what was withdrawn. Raises FeedError for ids that are no tag URIs or occur twice,
    unusable addresses and times without zone.
    """
    info, newest_first = checked(info, entries)
    gone(withdrawals)
    document = {
        "version": VERSION,
        "title": info.title,
        "home_page_url": info.homepage,
        "feed_url": info.self_urls.json,
        "description": info.description,
        "next_url": info.place.previous.json if info.place.previous else "",
        "authors": [{"name": info.author}],
        "language": info.language,
        "hubs": [{"type": "WebSub", "url": hub} for hub in info.hubs],
    }
    whole = {**_without_blanks(document), "items": [_item(entry, info) for entry in newest_first]}
    return json.dumps(whole, ensure_ascii=False, indent=1).encode()


def _item(entry: FeedEntry, info: FeedInfo) -> dict[str, Any]:
    file = entry.enclosure
    is_picture = file is not None and file.type.startswith("image/")
    item = {
        "id": entry.id,
        "url": entry.url,
        "title": entry.title,
        "content_html": entry.content_html,
        "content_text": "" if entry.content_html else entry.summary or entry.title,
        "summary": entry.summary or excerpt(entry.content_html),
        "image": file.url if file and is_picture else "",
        "date_published": _moment(entry.published),
        "date_modified": _moment(entry.updated),
        "authors": [{"name": entry.author}] if entry.author else [],
        "tags": list(entry.tags),
        "language": entry.language if entry.language != info.language else "",
        "attachments": [{"url": file.url, "mime_type": file.type, "size_in_bytes": file.length}] if file else [],
    }
    return _without_blanks(item)


def _without_blanks(values: dict[str, Any]) -> dict[str, Any]:
    """What is not known is left out, as the format wants it."""
    return {name: value for name, value in values.items() if value not in ("", [])}


def _moment(time: datetime) -> str:
    """RFC 3339."""
    return time.isoformat().replace("+00:00", "Z")
