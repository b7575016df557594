"""What was published, as pages: each entry for good, and lists by year and by search. Makes no HTML but of marks."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from html import escape
from typing import Any

from campaigns import searching
from campaigns.entries import Entries
from campaigns.models import Event
from campaigns.store import EntryRow
from comms import calendar
from comms.channels.markup import absolute_url, clean_line, sanitise
from comms.engine import feeds, listings, occasions
from comms.engine.listings import AssociationListing
from comms.engine.workspace import Workspace

A_PAGE = 20
"""Entries on one page of a list."""
LAST_PAGE = 5_000


@dataclass(frozen=True, slots=True)
class EntryPage:
    """An entry as a page of its own. `content` is harmless HTML with absolute addresses."""

    association: AssociationListing
    title: str
    summary: str
    content: str
    """Empty for an entry that was withdrawn."""
    url: str
    """The page's one public address."""
    language: str
    tags: tuple[str, ...]
    published: datetime
    updated: datetime
    picture: str
    """Address of a picture for those who link to the page; empty when there is none."""
    note: str
    """What was corrected, or why it was withdrawn."""
    withdrawn: datetime | None
    data: tuple[dict[str, Any], ...]
    """What the page says, for machines: NewsArticle and Event of schema.org."""


@dataclass(frozen=True, slots=True)
class Line:
    """One entry in a list. `title` and `snippet` are HTML that holds nothing but text and `<mark>`."""

    url: str
    title: str
    snippet: str
    language: str
    published: datetime


@dataclass(frozen=True, slots=True)
class ArchivePage:
    """A page of the list of what an association published."""

    association: AssociationListing
    years: dict[str, int]
    """Year -> how many."""
    year: str
    """The one that is shown; empty for all."""
    words: str
    """What was searched for; empty for a list."""
    lines: tuple[Line, ...]
    total: int
    page: int
    pages: int


def entry_page(workspace: Workspace, association: str, campaign: str) -> EntryPage | None:
    """The page of one entry; None when there is none. It holds nothing about any reader."""
    owner = feeds.find(workspace, association)
    row = workspace.host.entry(association, campaign) if owner else None
    if owner is None or row is None:
        return None
    url = feeds.entry_url(workspace, row)
    is_there = row.withdrawn is None
    return EntryPage(
        association=listings.listing(workspace, owner),
        title=row.title,
        summary=row.summary if is_there else "",
        content=sanitise(row.content, url) if is_there else "",
        url=url,
        language=row.language,
        tags=row.tags if is_there else (),
        published=row.published,
        updated=row.updated,
        picture=row.picture if is_there else "",
        note=row.note,
        withdrawn=row.withdrawn,
        data=(_article(row, owner.name, url), *_events(workspace, row, url)) if is_there else (),
    )


def archive_page(
    workspace: Workspace, association: str, *, year: str = "", words: str = "", page: int = 1
) -> ArchivePage | None:
    """A page of what an association published, newest first, or of what `words` find in it, best first.

    None when there is no such association, year or page. Any text can be searched for.
    """
    owner = feeds.find(workspace, association)
    if owner is None or not 1 <= page <= LAST_PAGE:
        return None
    entries = Entries(workspace.host.db)
    years = entries.years(owner.slug)
    if year and year not in years:
        return None
    words = clean_line(words)
    query = searching.query_of(words)
    offset = (page - 1) * A_PAGE
    if query:
        total = entries.hits(owner.slug, query, year)
        found = entries.search(owner.slug, query, year, limit=A_PAGE, offset=offset)
        lines = [_line(workspace, each.row, each.title, each.snippet) for each in found]
    else:
        total = 0 if words else years[year] if year else sum(years.values())
        rows = [] if words else entries.of_year(owner.slug, year, limit=A_PAGE, offset=offset)
        lines = [_line(workspace, row, clean_line(row.title), clean_line(row.summary)) for row in rows]
    if not lines and page > 1:
        return None
    return ArchivePage(
        association=listings.listing(workspace, owner),
        years=years,
        year=year,
        words=words,
        lines=tuple(lines),
        total=total,
        page=page,
        pages=max(-(-total // A_PAGE), 1),
    )


def _line(workspace: Workspace, row: EntryRow, title: str, snippet: str) -> Line:
    return Line(feeds.entry_url(workspace, row), _marked(title), _marked(snippet), row.language, row.published)


def _marked(text: str) -> str:
    """Text as HTML, with what was found in `<mark>`. Everything is escaped before the first tag is put in."""
    escaped = escape(text)
    return escaped.replace(searching.MARK_START, "<mark>").replace(searching.MARK_END, "</mark>")


# --- for machines -----------------------------------------------------------------------------


def _article(row: EntryRow, publisher: str, url: str) -> dict[str, Any]:
    """https://schema.org/NewsArticle"""
    organisation = {"@type": "Organization", "name": publisher}
    return {
        "@context": "https://schema.org",
        "@type": "NewsArticle",
        "headline": row.title,
        "url": url,
        "mainEntityOfPage": url,
        "inLanguage": row.language,
        "datePublished": row.published.isoformat(),
        "dateModified": row.updated.isoformat(),
        "author": organisation,
        "publisher": organisation,
        **({"description": row.summary} if row.summary else {}),
        **({"image": [row.picture]} if row.picture else {}),
        **({"keywords": list(row.tags)} if row.tags else {}),
        **({"correction": row.note} if row.note else {}),
    }


def _events(workspace: Workspace, row: EntryRow, url: str) -> Sequence[dict[str, Any]]:
    """https://schema.org/Event"""
    return [_event(event, url) for event in occasions.events(workspace, row)]


def _event(event: Event, url: str) -> dict[str, Any]:
    start, end = calendar.instants(event)
    own = absolute_url(event.url, "") if "{{" not in event.url else None
    return {
        "@context": "https://schema.org",
        "@type": "Event",
        "name": event.title,
        "startDate": start.isoformat(),
        "url": own or url,
        **({"endDate": end.isoformat()} if end else {}),
        **({"location": {"@type": "Place", "name": event.place}} if event.place else {}),
    }
