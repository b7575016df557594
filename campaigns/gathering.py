"""Puts the items of feeds into a campaign, and keeps them with it: what was prepared goes out. Reads no feed."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import asdict, replace
from types import MappingProxyType

from campaigns.models import Block, Blocks, Campaign, Columns, FeedItem, FeedItems, Locked, When, walk

Find = Callable[[FeedItems], tuple[FeedItem, ...]]
"""The items to show in a block."""


def feeds(campaign: Campaign) -> tuple[FeedItems, ...]:
    """The blocks of a campaign that show feeds, in reading order; then those of its variants."""
    parts = (campaign, *campaign.variants.values())
    return tuple(block for part in parts for block in walk(part.blocks) if isinstance(block, FeedItems))


def gathered(campaign: Campaign, find: Find) -> Campaign:
    """The campaign with items in its feeds, in the place of those that they hold. `find` is asked in that order."""
    if not feeds(campaign):
        return campaign
    blocks = _with(campaign.blocks, find)
    variants = {tag: replace(each, blocks=_with(each.blocks, find)) for tag, each in campaign.variants.items()}
    return replace(campaign, blocks=blocks, variants=MappingProxyType(variants))


def kept(campaign: Campaign) -> str:
    """The items in its feeds as text, for `restored`; empty when it shows no feed."""
    found = [[asdict(item) for item in block.items] for block in feeds(campaign)]
    return json.dumps(found, ensure_ascii=False) if found else ""


def identities(text: str) -> frozenset[str]:
    """Of the items that `kept` wrote down."""
    return frozenset(item["identity"] for block in json.loads(text or "[]") for item in block)


def restored(campaign: Campaign, text: str) -> Campaign:
    """The campaign with the items that `kept` wrote down; where it was corrected since, a further feed stays empty."""
    if not text:
        return campaign
    items = iter(json.loads(text))
    return gathered(campaign, lambda block: tuple(FeedItem(**item) for item in next(items, ())))


def _with(blocks: Blocks, find: Find) -> Blocks:
    return tuple(_changed(block, find) for block in blocks)


def _changed(block: Block, find: Find) -> Block:
    match block:
        case FeedItems():
            return replace(block, items=find(block))
        case Columns(columns=columns):
            return replace(block, columns=tuple(_with(column, find) for column in columns))
        case When(blocks=blocks, otherwise=otherwise):
            shown = _with(blocks, find)
            return replace(block, blocks=shown, otherwise=_with(otherwise, find))
        case Locked(blocks=blocks):
            return replace(block, blocks=_with(blocks, find))
        case _:
            return block
