"""The items that a campaign shows: of the feeds of others, from what was read of them, and of what its own association
published. Asks no server for anything."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import replace
from datetime import datetime, timedelta

from audiences.consent import GAPS
from audiences.models import Frequency
from campaigns import gathering
from campaigns.entries import Choice, Entries
from campaigns.errors import shown
from campaigns.models import OWN, Campaign, FeedItem, FeedItems
from campaigns.series import SeriesStore
from campaigns.sources import SourceRow, Sources
from comms.channels.markup import absolute_url
from comms.engine.editions import page_url
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
        if block.source != OWN and _source(workspace, block) is None:
            raise UsageError(f"line {block.line}: {_unknown(block)}.", hint=_hint(block))
    return with_what_is_known(workspace, campaign, series=series)


def with_what_is_known(workspace: Workspace, campaign: Campaign, *, series: str | None = None) -> Campaign:
    """The same; of a source that is not read here nothing is shown."""
    if not gathering.feeds(campaign):
        return campaign
    return gathering.gathered(campaign, _History(workspace, campaign, series or campaign.id).filled)


def is_stale(campaign: Campaign) -> bool:
    """Is it one that shows what is new in feeds, when nothing is, and nobody missed anything either.

    What readers missed who want a topic weekly is worth a mail to them, and no entry and no post.
    """
    missed = any(block.missed for block in gathering.feeds(campaign))
    return not (has_news(campaign) or (missed and campaign.feed is None and not campaign.social))


def has_news(campaign: Campaign) -> bool:
    """Has it news in one of the feeds that show nothing else, or none of these."""
    waiting = [block for block in gathering.feeds(campaign) if block.unseen]
    return not waiting or any(block.items for block in waiting)


def findings(workspace: Workspace, campaign: Campaign) -> Iterator[Finding]:
    """What is wrong with the feeds that a campaign shows."""
    for block in gathering.feeds(campaign):
        if block.source == OWN:
            continue  # that it published nothing lately is no fault
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


class _History:
    """What the earlier occurrences of a series have shown, and so what is to be shown now."""

    def __init__(self, workspace: Workspace, campaign: Campaign, series: str) -> None:
        self._workspace = workspace
        self._author = campaign.association or workspace.association(None).slug
        self._series = series
        shown = SeriesStore(workspace.host.db).shown(series)
        self._latest = shown[-1][0] if shown else None
        self._seen = _identities(text for _, text in shown)
        a_week_ago = workspace.now() - GAPS[Frequency.WEEKLY]
        self._lately = _identities(text for made_at, text in shown if made_at > a_week_ago)
        """What those missed who want a topic weekly, and may get something of it now."""

    def filled(self, block: FeedItems) -> FeedItems:
        """The block with its items."""
        if not (block.unseen and self._latest):
            since = self._workspace.now() - timedelta(days=block.days) if block.days else None
            return replace(block, items=tuple(self._items(block, block.count, since=since)), missed=())
        recent = self._items(block, MAX_ITEMS, seen_since=self._latest - OVERLAP)
        items = tuple(item for item in recent if item.identity not in self._seen)[: block.count]
        missed = (
            [item for item in self._items(block, MAX_ITEMS) if item.identity in self._lately] if block.topic else []
        )
        return replace(block, items=items, missed=tuple(missed[: block.count - len(items)]))

    def _items(
        self, block: FeedItems, limit: int, *, since: datetime | None = None, seen_since: datetime | None = None
    ) -> list[FeedItem]:
        """What came out after `since`, first seen here at `seen_since` or later; the latest first."""
        workspace = self._workspace
        if block.source == OWN:
            choice, since = Choice("topic", (block.topic,)) if block.topic else Choice(), since or seen_since
            rows = Entries(workspace.host.db).lately(
                self._author, choice, since=since, besides=self._series, limit=limit
            )
            return [
                FeedItem(
                    row.title, page_url(workspace, self._author, row.campaign), row.summary, row.picture, row.tag_uri
                )
                for row in rows
            ]
        source = _source(workspace, block)
        if source is None:
            return []
        found = Sources(workspace.host.db).items(source, since=since, seen_since=seen_since, limit=limit)
        return [FeedItem(item.title, item.url, item.summary, item.image, item.identity) for item in found]


def _identities(texts: Iterable[str]) -> frozenset[str]:
    return frozenset[str]().union(*map(gathering.identities, texts))


def _source(workspace: Workspace, block: FeedItems) -> SourceRow | None:
    sources = Sources(workspace.host.db)
    return sources.find(block.source) or sources.find(absolute_url(block.source, "") or "")


def _unknown(block: FeedItems) -> str:
    return f"the feed `{shown(block.source)}` is not read here"


def _hint(block: FeedItems) -> str:
    if absolute_url(block.source, ""):
        return f"add it with: comms feed add {shown(block.source)}"
    return "see `comms feed sources` for the names there are; add one with `comms feed add URL`"
