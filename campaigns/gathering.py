"""Puts the items of feeds into a campaign, keeps them with it, and says whose they are. Reads no feed."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterator
from dataclasses import asdict, replace
from types import MappingProxyType
from typing import Any
from urllib.parse import urlsplit

from campaigns.characters import faults
from campaigns.models import Block, Blocks, Campaign, Columns, FeedItem, FeedItems, Locked, When, walk

Fill = Callable[[FeedItems], FeedItems]
"""The block with the items to show in it."""
_LONGEST = 20_000
"""Characters of what one item says."""
_UNSAFE = re.compile(r"[\s<>\"{}|\\^`\x00-\x1f\x7f]")
"""No address holds these (RFC 3986 section 2); those that we write down are encoded."""


def feeds(campaign: Campaign) -> tuple[FeedItems, ...]:
    """The blocks of a campaign that show feeds, in reading order; then those of its variants."""
    parts = (campaign, *campaign.variants.values())
    return tuple(block for part in parts for block in walk(part.blocks) if isinstance(block, FeedItems))


def gathered(campaign: Campaign, fill: Fill) -> Campaign:
    """The campaign with items in its feeds, in the place of those that they hold. `fill` is asked in that order."""
    if not feeds(campaign):
        return campaign
    blocks = _with(campaign.blocks, fill)
    variants = {tag: replace(each, blocks=_with(each.blocks, fill)) for tag, each in campaign.variants.items()}
    return replace(campaign, blocks=blocks, variants=MappingProxyType(variants))


def section_topics(blocks: Blocks) -> tuple[str, ...]:
    """The topics of the feeds that show something to their subscribers alone, in reading order."""
    return tuple(dict.fromkeys(block.topic for block in _sections(blocks) if block.items or block.missed))


def new_topics(blocks: Blocks) -> tuple[str, ...]:
    """Those of `section_topics` that have something for every subscriber."""
    return tuple(dict.fromkeys(block.topic for block in _sections(blocks) if block.items))


def missed_topics(blocks: Blocks) -> tuple[str, ...]:
    """Those of `section_topics` that have something more for those who want the topic weekly."""
    return tuple(dict.fromkeys(block.topic for block in _sections(blocks) if block.missed))


def is_for_all(blocks: Blocks) -> bool:
    """Is there something for everyone; else it is a digest by topics, and nothing for who sees no section.

    Such a digest has a feed with both `topic:` and `since: last`, and no news in one with `since: last` alone.
    """
    waiting = [block for block in walk(blocks) if isinstance(block, FeedItems) and block.unseen]
    return not any(block.topic for block in waiting) or any(block.items and not block.topic for block in waiting)


def kept(campaign: Campaign) -> str:
    """The items in its feeds as text, for `restored`; empty when it shows no feed."""
    found = [_kept(block) for block in feeds(campaign)]
    return json.dumps(found, ensure_ascii=False) if found else ""


def identities(text: str) -> frozenset[str]:
    """Of the items that `kept` wrote down as new."""
    return frozenset(item["identity"] for each in json.loads(text or "[]") for item in _parts(each)[0])


def restored(campaign: Campaign, text: str) -> Campaign:
    """The campaign with the items that `kept` wrote down; where it was corrected since, a further feed stays empty."""
    if not text:
        return campaign
    written = iter(json.loads(text))

    def fill(block: FeedItems) -> FeedItems:
        items, missed = (tuple(FeedItem(**item) for item in part) for part in _parts(next(written, [])))
        return replace(block, items=items, missed=missed)

    return gathered(campaign, fill)


def checked(campaign: Campaign, text: str) -> Campaign:
    """`restored`, of a text that somebody else wrote. Raises ValueError for one that `kept` would not write for this
    campaign: other feeds, more items than they ask for, or what is neither words nor a web address."""
    try:
        written = json.loads(text) if text else []
        if not isinstance(written, list) or len(written) != len(feeds(campaign)):
            raise ValueError("its items are those of other feeds")
        found = restored(campaign, text)
        for block in feeds(found):
            items = (*block.items, *block.missed)
            if len(block.items) > block.count or len(block.missed) > block.count or not all(map(_is_sound, items)):
                raise ValueError("its items can not be shown")
        if kept(found) != text:
            raise ValueError("its items are not as they were written")
    except (TypeError, KeyError, AttributeError, RecursionError) as error:
        raise ValueError("its items can not be read") from error
    return found


def _is_sound(item: FeedItem) -> bool:
    texts = (item.title, item.summary, item.identity)
    return (
        all(isinstance(text, str) and len(text) <= _LONGEST for text in asdict(item).values())
        and not any(True for text in texts for _ in faults(text))
        and all(not address or _is_web(address) for address in (item.url, item.image))
    )


def _is_web(address: str) -> bool:
    """Is it a whole web address without anything that could end one."""
    parts = urlsplit(address)
    return parts.scheme in ("http", "https") and bool(parts.netloc) and not _UNSAFE.search(address)


def _sections(blocks: Blocks) -> Iterator[FeedItems]:
    return (block for block in walk(blocks) if isinstance(block, FeedItems) and block.topic)


def _kept(block: FeedItems) -> Any:
    items, missed = ([asdict(item) for item in part] for part in (block.items, block.missed))
    return {"items": items, "missed": missed} if missed else items


def _parts(written: Any) -> tuple[list[Any], list[Any]]:
    """(items, missed) of a feed as `_kept` writes it."""
    return (written["items"], written["missed"]) if isinstance(written, dict) else (written, [])


def _with(blocks: Blocks, fill: Fill) -> Blocks:
    return tuple(_changed(block, fill) for block in blocks)


def _changed(block: Block, fill: Fill) -> Block:
    match block:
        case FeedItems():
            return fill(block)
        case Columns(columns=columns):
            return replace(block, columns=tuple(_with(column, fill) for column in columns))
        case When(blocks=blocks, otherwise=otherwise):
            shown = _with(blocks, fill)
            return replace(block, blocks=shown, otherwise=_with(otherwise, fill))
        case Locked(blocks=blocks):
            return replace(block, blocks=_with(blocks, fill))
        case _:
            return block
