"""Lets what was kept long enough go: which data are due is decided here, purely; each kind's own SQL forgets it.

Control calls `daily` and does one slice of one association at a time, so that nothing that is being sent waits for
it. Whatever was cut off goes on where it was: what is due is asked of the data, not remembered.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Any

import structlog

from audiences.retention import OldPeople
from campaigns.jobs import Job, Jobs
from comms import config
from comms.db import fold_log, storage_errors
from comms.delivery.retention import OldDeliveries
from comms.engagement.polls import Ballots
from comms.engagement.retention import OldEvents
from comms.engine import segments
from comms.engine.workspace import Workspace
from comms.errors import CommsError, StorageError

log = structlog.get_logger(__name__)

SLICE = 5_000
"""Rows in one transaction; members that are erased whole are a tenth of that."""
EVERY = timedelta(days=1)
NAME = "retention"
OPTED_OUT_LONG_AGO = "erased long after opting out"


@dataclass(frozen=True, slots=True)
class CutOffs:
    """Of each kind of data: what is older than this moment is due. None: it is kept."""

    events: datetime | None
    activity: datetime | None
    polls: datetime | None
    deliveries: datetime | None
    imports: datetime | None
    sign_ups: datetime | None
    request_addresses: datetime | None
    members: datetime | None

    def kinds(self) -> dict[str, datetime]:
        """The kinds of which something may be due, in the order in which they are looked at."""
        named = {name: getattr(self, name) for name in self.__dataclass_fields__}
        return {name: moment for name, moment in named.items() if moment is not None}


def due(settings: config.Retention, now: datetime) -> CutOffs:
    """What the settings let go at this moment. Pure."""

    def ago(days: int) -> datetime | None:
        return now - timedelta(days=days) if days else None

    return CutOffs(
        events=ago(settings.events_days),
        activity=ago(settings.events_days),
        polls=ago(settings.events_days),
        deliveries=ago(settings.deliveries_days),
        imports=ago(settings.imports_days),
        sign_ups=now - timedelta(days=settings.unconfirmed_days),
        request_addresses=ago(settings.request_address_days),
        members=ago(settings.members_without_consent_days),
    )


@dataclass(frozen=True, slots=True)
class Forgotten:
    """What went, or with a dry run would go: association -> kind -> rows; kinds without any are left out."""

    rows: Mapping[str, Mapping[str, int]]

    def to_json(self) -> dict[str, Any]:
        return {"associations": {slug: dict(kinds) for slug, kinds in self.rows.items()}}


def survey(workspace: Workspace) -> Forgotten:
    """What is due now, of every association. Changes nothing."""
    cut_offs = due(workspace.settings.retention, workspace.now()).kinds()
    found = {}
    for association in workspace.associations():
        keeper = _Keeper(workspace, association.slug)
        with storage_errors(workspace.association_path(association.slug)):
            counts = {kind: keeper.count(kind, moment) for kind, moment in cut_offs.items()}
        found[association.slug] = {kind: number for kind, number in counts.items() if number}
    return Forgotten(found)


def forget(workspace: Workspace, progress: Callable[[int], None] = lambda rows: None) -> Forgotten:
    """Let everything go that is due now. `progress` gets the rows so far."""
    now = workspace.now()
    cut_offs = due(workspace.settings.retention, now)
    done: dict[str, dict[str, int]] = {}
    for association in workspace.associations():
        counts = done[association.slug] = {}
        while gone := forget_slice(workspace, association.slug, cut_offs):
            kind, rows = gone
            counts[kind] = counts.get(kind, 0) + rows
            progress(sum(sum(kinds.values()) for kinds in done.values()))
    with workspace.host.db.atomic():
        Jobs(workspace.host.db).save(NAME, Job(done_at=now))
    return Forgotten(done)


def daily(workspace: Workspace) -> bool:
    """Do one slice of the day's work, if it is not done yet; False when it is. Only the control process calls this.

    An association whose database can not be used is left out today: the others do not wait for it.
    """
    jobs, now = Jobs(workspace.host.db), workspace.now()
    job = jobs.job(NAME)
    if job.begun_at is None:
        # Done in the future, it was by a clock that went wrong: that day may be years away.
        if job.done_at is not None and timedelta() <= now - job.done_at < EVERY:
            return False
        job = replace(job, begun_at=now, reached="")
    slugs = sorted(association.slug for association in workspace.associations())
    slug = next((slug for slug in slugs if slug > job.reached), None)
    if slug is None:
        job = Job(done_at=job.begun_at)
        log.info("what was old is gone")
    elif not _one_slice(workspace, slug):
        job = replace(job, reached=slug)
    with workspace.host.db.atomic():
        jobs.save(NAME, job)
    return True


def _one_slice(workspace: Workspace, slug: str) -> bool:
    try:
        if forget_slice(workspace, slug, due(workspace.settings.retention, workspace.now())) is not None:
            return True
        segments.drop_unused_indexes(workspace, slug)
        return False
    except CommsError as error:
        if isinstance(error, StorageError) and error.passing:
            raise
        log.error("nothing forgotten", association=slug, reason=error.message)
        return False


def forget_slice(workspace: Workspace, slug: str, cut_offs: CutOffs) -> tuple[str, int] | None:
    """Let one slice of one association's data go: (its kind, rows); None once nothing is due there.

    Before it says None, what is gone leaves the write-ahead log too.
    """
    keeper = _Keeper(workspace, slug)
    with storage_errors(workspace.association_path(slug)):
        for kind, moment in cut_offs.kinds().items():
            with keeper.people.db.atomic():
                rows = keeper.forget(kind, moment)
            if rows:
                return kind, rows
        fold_log(keeper.people.db)
    return None


class _Keeper:
    """Counts and forgets each kind of one association's data."""

    def __init__(self, workspace: Workspace, slug: str) -> None:
        self.people = workspace.people(slug)
        self._ledger, self._now = workspace.ledger(slug), workspace.now()
        db = self.people.db
        self._old, self._events = OldPeople(db), OldEvents(workspace.events(slug).db)
        self._deliveries = OldDeliveries(self._ledger.db)
        self._ballots = Ballots(self._ledger.db)

    def count(self, kind: str, before: datetime) -> int:
        counts: dict[str, Callable[[datetime], int]] = {
            "events": self._events.count,
            "activity": self._old.count_activity,
            "polls": self._ballots.count_old,
            "deliveries": self._deliveries.count,
            "imports": self._old.count_imports,
            "sign_ups": self._old.count_sign_ups,
            "request_addresses": self._old.count_request_addresses,
            "members": self._old.count_gone,
        }
        return counts[kind](before)

    def forget(self, kind: str, before: datetime) -> int:
        """Rows of one slice that went."""
        forget: dict[str, Callable[[datetime, int], int]] = {
            "events": self._events.forget,
            "activity": self._old.forget_activity,
            "polls": self._ballots.close,
            "deliveries": self._deliveries.forget,
            "imports": self._old.forget_imports,
            "sign_ups": self._old.forget_sign_ups,
            "request_addresses": self._old.forget_request_addresses,
            "members": self._erase,
        }
        return forget[kind](before, SLICE)

    def _erase(self, before: datetime, limit: int) -> int:
        """Erase members as at their own wish: an old list must not bring those back who said no."""
        gone = self._old.gone(before, limit // 10)
        for member_id, address in gone:
            if address is not None:
                self.people.note_erased(address, OPTED_OUT_LONG_AGO, self._now)
            self._ledger.forget(member_id, self._now)
            self.people.remove(member_id)
        return len(gone)
