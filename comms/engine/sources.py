"""The feeds of others: which are read, reading those that are due, and what was found.

The right to ask for a feed is taken in `host.db` before it is asked for, so that control, a person at the command line
and a process that was killed together ask no more than once in a period.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from functools import partial
from pathlib import Path
from typing import Any

from campaigns.models import OWN
from campaigns.sources import ItemRow, SourceRow, Sources
from comms.channels.markup import absolute_url, clean_line
from comms.db import storage_errors
from comms.engine.workspace import SLUG, Workspace
from comms.errors import UsageError
from comms.outside.exchange import web_parts
from comms.reading import manners, opml
from comms.reading.fetch import Answer, Fetcher, Validators
from comms.reading.manners import Standing
from comms.reading.parse import MAX_URL, NoFeedError, ParsedFeed, parse

AT_A_TIME = 4
_MAX_NAME = 40
"""Characters of a name that is made of a title."""


@dataclass(frozen=True, slots=True)
class Reading:
    """What became of one source: not due (`asked` is False), a fault, or so many items."""

    source: SourceRow
    asked: bool
    new: int = 0
    edited: int = 0

    def to_json(self) -> dict[str, Any]:
        return {**shown(self.source), "asked": self.asked, "new": self.new, "edited": self.edited}


@dataclass(frozen=True, slots=True)
class Imported:
    """What an OPML file led to: names of new sources, addresses that were there, lines that can not be used."""

    added: tuple[str, ...]
    known: tuple[str, ...]
    refused: tuple[tuple[int, str], ...]

    def to_json(self) -> dict[str, Any]:
        refused = [{"line": line, "reason": reason} for line, reason in self.refused]
        return {"added": list(self.added), "known": list(self.known), "refused": refused}


def store(workspace: Workspace) -> Sources:
    return Sources(workspace.host.db)


def fetcher(workspace: Workspace) -> Fetcher:
    """Asks in the name of this installation."""
    return Fetcher(workspace.settings.site.url)


def shown(source: SourceRow) -> dict[str, Any]:
    """A source as data for people and programs."""
    return {
        "name": source.name,
        "url": source.url,
        "title": source.title,
        "state": "gone" if source.gone else "failing" if source.fault else "read" if source.read_at else "waiting",
        "fault": source.fault,
        "read_at": source.read_at.isoformat() if source.read_at else None,
        "next_at": source.next_at.isoformat() if source.next_at else None,
    }


def find(workspace: Workspace, name: str) -> SourceRow:
    """One by its name or address. Raises UsageError when there is none."""
    source = store(workspace).find(name)
    if source is None:
        raise UsageError(f"there is no source {name!r}.", hint="See: comms feed sources")
    return source


def add(workspace: Workspace, url: str, *, name: str = "", title: str = "", who: str) -> SourceRow:
    """Read this feed from now on. Raises UsageError when its address or name can not be used, or is there already."""
    sources, now, address = store(workspace), workspace.now(), _address(url)
    with storage_errors(workspace.host_path), workspace.host.db.atomic():
        known = sources.find(address)
        if known is not None:
            raise UsageError(f"that feed is read already: {known.name}.")
        if name and (not SLUG.fullmatch(name) or name == OWN or sources.find(name) is not None):
            raise UsageError(
                f"{name!r} can not be the name of a source, or is one.", hint="Use small letters, digits and hyphens."
            )
        name = name or _free_name(sources, title or str(web_parts(address).hostname))  # type: ignore[union-attr]
        sources.add(name, address, clean_line(title)[:200], now)
        workspace.host.note(who, "source added", None, name, now)
    return find(workspace, name)


def remove(workspace: Workspace, name: str, *, who: str) -> None:
    """Read it no more, and forget its items. Raises UsageError when there is no such source."""
    with storage_errors(workspace.host_path), workspace.host.db.atomic():
        source = find(workspace, name)
        store(workspace).remove(source.id)
        workspace.host.note(who, "source removed", None, source.name, workspace.now())


def import_opml(workspace: Workspace, path: Path, *, who: str, dry_run: bool = False) -> Imported:
    """Add every feed that an OPML file names, in one transaction. Raises UsageError for what is no OPML."""
    with path.open("rb") as file:
        named = opml.read(file.read(opml.MAX_BYTES + 1))
    sources, added, known, refused = store(workspace), list[str](), list[str](), list[tuple[int, str]]()
    urls = {source.url for source in sources.all()}
    with storage_errors(workspace.host_path), workspace.host.db.atomic():
        for each in named:
            try:
                address = _address(each.url)
            except UsageError as error:
                refused.append((each.line, error.message))
                continue
            if address in urls:
                known.append(address)
                continue
            urls.add(address)
            if dry_run:
                added.append(each.title or address)
            else:
                added.append(add(workspace, address, title=each.title, who=who).name)
    return Imported(tuple(added), tuple(known), tuple(refused))


def read(
    workspace: Workspace,
    names: Sequence[str] = (),
    *,
    by: Fetcher | None = None,
    progress: Callable[[int], None] = lambda done: None,
    stopped: Callable[[], bool] = lambda: False,
) -> list[Reading]:
    """Ask for every source that is due, or those of `names` that are, and keep what is new.

    Feeds of one site are asked for one after the other. Raises UsageError for a name that there is not.
    """
    chosen = [find(workspace, name) for name in names] or store(workspace).all()
    readings, by = list[Reading](), by or fetcher(workspace)
    due, waiting = _due(chosen, workspace.now())
    readings.extend(Reading(source, asked=False) for source in waiting)
    with ThreadPoolExecutor(AT_A_TIME, thread_name_prefix="feeds") as pool:
        for turn in _turns(due):
            if stopped():
                break
            claimed, now = [source for source in turn if _claim(workspace, source)], workspace.now()
            for source, found in zip(claimed, pool.map(partial(_asked, by, now), claimed), strict=True):
                readings.append(_keep(workspace, source, *found))
                progress(len(readings))
    return readings


def _turns(sources: Iterable[SourceRow]) -> Iterator[list[SourceRow]]:
    """Some at a time, in each turn no two of one site."""
    waiting = list(sources)
    while waiting:
        turn: dict[str, SourceRow] = {}
        for source in waiting:
            parts = web_parts(source.url)
            if len(turn) < AT_A_TIME:
                turn.setdefault(str(parts.hostname) if parts else "", source)
        waiting = [source for source in waiting if source not in turn.values()]
        yield list(turn.values())


def due(workspace: Workspace, names: Sequence[str] = ()) -> tuple[list[SourceRow], list[SourceRow]]:
    """(those that `read` would ask for now, those that it would not). Asks nobody."""
    return _due([find(workspace, name) for name in names] or store(workspace).all(), workspace.now())


def _due(sources: Iterable[SourceRow], now: datetime) -> tuple[list[SourceRow], list[SourceRow]]:
    pairs = [(source, _standing(source).is_due(now)) for source in sources]
    return [source for source, is_due in pairs if is_due], [source for source, is_due in pairs if not is_due]


def _claim(workspace: Workspace, source: SourceRow) -> bool:
    now = workspace.now()
    with storage_errors(workspace.host_path), workspace.host.db.atomic():
        return store(workspace).claim(source.id, now, now + manners.PERIOD)


def _asked(by: Fetcher, now: datetime, source: SourceRow) -> tuple[Answer, ParsedFeed | NoFeedError | None]:
    """The answer, and what is in it; runs in a thread, and touches no database."""
    answer = by.fetch(source.url, Validators(source.etag, source.last_modified))
    if answer.status != 200:
        return answer, None
    try:
        return answer, parse(answer.body, url=answer.url, content_type=answer.content_type, now=now)
    except NoFeedError as error:
        return answer, error


def _keep(workspace: Workspace, source: SourceRow, answer: Answer, found: ParsedFeed | NoFeedError | None) -> Reading:
    now, sources = workspace.now(), store(workspace)
    if isinstance(found, NoFeedError):
        standing = manners.unread(_standing(source), str(found.message), answer, now)
    else:
        standing = manners.after(_standing(source), answer, now)
    after = replace(
        source,
        url=standing.url,
        etag=standing.validators.etag,
        last_modified=standing.validators.last_modified,
        next_at=standing.next_at,
        failures=standing.failures,
        fault=standing.fault,
        gone=standing.gone,
        asked_at=now,
        read_at=source.read_at if standing.fault else now,
    )
    new = edited = 0
    with storage_errors(workspace.host_path), workspace.host.db.atomic():
        if isinstance(found, ParsedFeed):
            after = replace(after, came_at=now, title=source.title or found.title)
            new, edited = sources.take(source.id, _rows(source.name, found, now), now)
        sources.save(after)
        if days := workspace.settings.retention.items_days:
            sources.forget(source.id, now - timedelta(days=days))
    return Reading(after, asked=True, new=new, edited=edited)


def _rows(name: str, feed: ParsedFeed, now: datetime) -> Iterable[ItemRow]:
    for item in feed.items:
        appeared = min(item.published or now, now)
        yield ItemRow(name, item.identity, item.title, item.url, item.summary, item.image, appeared, now, None)


def _standing(source: SourceRow) -> Standing:
    validators = Validators(source.etag, source.last_modified)
    return Standing(source.url, validators, source.next_at, source.failures, source.fault, source.gone)


def _address(url: str) -> str:
    """The address as it is kept. Raises UsageError for what can not be asked for."""
    address = absolute_url(url, "")
    parts = web_parts(address) if address else None
    if address is None or parts is None or len(address) > MAX_URL:
        raise UsageError(
            f"{clean_line(url)[:200]!r} is no web address.", hint="Write it in full, like https://example.org/feed.xml"
        )
    if parts.username is not None or parts.password is not None:
        raise UsageError("a feed with a name and a password in its address can not be read.")
    return address.partition("#")[0]


def _free_name(sources: Sources, title: str) -> str:
    """A short name made of a title, which no other source has."""
    plain = unicodedata.normalize("NFKD", title).encode("ascii", "ignore").decode().lower()
    words = re.sub(r"[^a-z0-9]+", "-", plain).strip("-")
    stem = (words[:_MAX_NAME].rpartition("-")[0] or words[:_MAX_NAME]) if len(words) > _MAX_NAME else words
    stem, number = stem.strip("-") or "feed", 1
    while (name := stem if number == 1 else f"{stem}-{number}") == OWN or sources.find(name) is not None:
        number += 1
    return name
