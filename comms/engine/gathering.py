"""The items that a campaign shows of the feeds of others, from what was read of them. Asks no server for anything."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta

from campaigns import gathering
from campaigns.errors import shown
from campaigns.models import Campaign, FeedItem, FeedItems
from campaigns.series import SeriesStore
from campaigns.sources import SourceRow, Sources
from comms.channels.markup import absolute_url
from comms.engine.workspace import Workspace
from comms.errors import UsageError
from comms.preflight import audience as rules
from comms.preflight.report import Finding
from comms.reading.limits import MAX_ITEMS

OVERLAP = timedelta(hours=1)
"""What came while an occurrence was being made belongs to the next: it is known by not having been shown."""


def gather(workspace: Workspace, campaign: Campaign, *, series: str | None = None) -> Campaign:
    """The campaign with the latest items in its feeds; `series`: it is an occurrence of that.

    Raises UsageError for a source that is not read here.
    """
    for block in gathering.feeds(campaign):
        if _source(workspace, block) is None:
            raise UsageError(f"line {block.line}: {_unknown(block)}.", hint=_hint(block))
    return with_what_is_known(workspace, campaign, series=series)


def with_what_is_known(workspace: Workspace, campaign: Campaign, *, series: str | None = None) -> Campaign:
    """The same; of a source that is not read here nothing is shown."""
    name = series or campaign.id
    return gathering.gathered(campaign, lambda block: _items(workspace, block, name))


def is_stale(campaign: Campaign) -> bool:
    """Is it one that shows what is new in feeds, when nothing is."""
    waiting = [block for block in gathering.feeds(campaign) if block.unseen]
    return bool(waiting) and not any(block.items for block in waiting)


def findings(workspace: Workspace, campaign: Campaign) -> Iterator[Finding]:
    """What is wrong with the feeds that a campaign shows."""
    for block in gathering.feeds(campaign):
        source = _source(workspace, block)
        if source is None:
            yield rules.NO_SOURCE.at(block.line, "body", _unknown(block), _hint(block))
            continue
        if source.fault:
            when = f"{source.read_at:%Y-%m-%d %H:%M} UTC" if source.read_at else "never"
            message = f"the feed {source.name!r} can not be read: {source.fault} (last read: {when})"
            yield rules.SOURCE_FAILS.at(block.line, "body", message, f"see: comms feed read {source.name}")
        if not block.items and not block.unseen:
            within = f" of the last {block.days} days" if block.days else ""
            message = f"the feed {source.name!r} has no items{within}: nothing is shown there"
            hint = (
                "give it a longer `since:`" if block.days and source.read_at else f"try: comms feed read {source.name}"
            )
            yield rules.SOURCE_EMPTY.at(block.line, "body", message, hint)


def _source(workspace: Workspace, block: FeedItems) -> SourceRow | None:
    sources = Sources(workspace.host.db)
    return sources.find(block.source) or sources.find(absolute_url(block.source, "") or "")


def _items(workspace: Workspace, block: FeedItems, series: str) -> tuple[FeedItem, ...]:
    source = _source(workspace, block)
    if source is None:
        return ()
    since = workspace.now() - timedelta(days=block.days) if block.days else None
    sources, earlier = Sources(workspace.host.db), SeriesStore(workspace.host.db).shown(series) if block.unseen else []
    if earlier:
        seen = frozenset[str]().union(*(gathering.identities(text) for _, text in earlier))
        recent = sources.items(source, seen_since=earlier[-1][0] - OVERLAP, limit=MAX_ITEMS)
        found = [item for item in recent if item.identity not in seen][: block.count]
    else:
        found = sources.items(source, since=since, limit=block.count)
    return tuple(FeedItem(item.title, item.url, item.summary, item.image, item.identity) for item in found)


def _unknown(block: FeedItems) -> str:
    return f"the feed `{shown(block.source)}` is not read here"


def _hint(block: FeedItems) -> str:
    if absolute_url(block.source, ""):
        return f"add it with: comms feed add {shown(block.source)}"
    return "see `comms feed sources` for the names there are; add one with `comms feed add URL`"
