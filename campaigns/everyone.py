"""A text with conditions -> what of it everyone may see, whoever they are."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

from campaigns.models import Block, Blocks, Columns, Event, FeedItems, ListBlock, Locked, Person, Quote, Slot, When


def for_everyone(blocks: Blocks) -> Blocks:
    """In place of each condition stands what it shows to those for whom it does not hold."""
    return tuple(made for block in blocks for made in _shown(block))


def _shown(block: Block) -> Iterator[Block]:
    match block:
        case When(otherwise=inner):
            yield from for_everyone(inner)
        case ListBlock(items=items):
            yield replace(block, items=tuple(map(for_everyone, items)))
        case Columns(columns=columns):
            yield replace(block, columns=tuple(map(for_everyone, columns)))
        case FeedItems(opening=opening):
            yield replace(block, opening=for_everyone(opening))
        case Quote() | Person() | Event() | Slot() | Locked():
            yield replace(block, blocks=for_everyone(block.blocks))
        case _:
            yield block
