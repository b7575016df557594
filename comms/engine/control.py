"""The control process: starts what is due, keeps senders busy, takes their reports, finds what was lost.

One at a time per workspace, by a lock that the kernel gives up with the process. It owns the databases;
senders own the sockets. Every step can be cut off anywhere and done again.
"""

from __future__ import annotations

import fcntl
import os
import time
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path

import structlog

from campaigns.store import CampaignRow
from comms.db import storage_errors
from comms.delivery import dispatch
from comms.delivery.batches import Report
from comms.delivery.dispatch import BATCH_VALID_S, Outfit, Queue
from comms.delivery.hours import Hours
from comms.delivery.letterbox import Letterbox
from comms.delivery.pace import Pace
from comms.delivery.runs import Run
from comms.delivery.sizes import BatchSizes
from comms.delivery.store import Ledger
from comms.engine import editions, intake, letters, posts, retention, sending, series, starting, stops, timing, variants
from comms.engine.journals import WorkspaceJournals
from comms.engine.pulse import SHARED, Pulse
from comms.engine.relaying import keeping
from comms.engine.relaying.copying import Copies
from comms.engine.relaying.sharing import is_shared
from comms.engine.workspace import Workspace
from comms.errors import CommsError, StateError, StorageError
from comms.events import CampaignState

log = structlog.get_logger(__name__)

IDLE_S = 0.2
"""Pause between two steps when there was nothing to do."""
BUSY_S = 0.1
"""The same while senders are at work: what they report makes room for the batch after the next."""
BLOCKED_S = 2.0
"""Pause before the next try when the disk is full or a database is held by others."""
RECOVER_EVERY_S = 1.0
SWEEP_EVERY_S = 6 * 3600.0
BATCHES_PER_SENDER = 2
"""One that it works on, and one that waits for it."""
_LOOKS, _LOOK_S = 5, 0.02


class ControlLock:
    """Held by the one control process of a workspace. Freed by the kernel when the process ends, however it does."""

    def __init__(self, folder: Path, name: str = "control.lock") -> None:
        self._path = folder / name
        self._descriptor: int | None = None

    @classmethod
    def of_run(cls, folder: Path) -> ControlLock:
        """Held by the one `comms run` of a workspace, from before it is in control until it ends.

        A command that is in control for the time of one campaign lets go when it sees this one held.
        """
        return cls(folder, "run.lock")

    def take(self) -> bool:
        """True when this process now holds it: of control's lock, when it now is the control process."""
        for _ in range(_LOOKS):
            if self._try(fcntl.LOCK_EX):
                return True
            time.sleep(_LOOK_S)  # `is_held` of another process holds it for a moment
        return False

    def is_held(self) -> bool:
        """Has some process taken it. Those who ask at the same time do not see each other."""
        if self._try(fcntl.LOCK_SH):
            self.release()
            return False
        return True

    def _try(self, kind: int) -> bool:
        descriptor = os.open(self._path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        try:
            fcntl.flock(descriptor, kind | fcntl.LOCK_NB)
        except BlockingIOError:
            os.close(descriptor)
            return False
        self._descriptor = descriptor
        return True

    def release(self) -> None:
        if self._descriptor is not None:
            os.close(self._descriptor)
            self._descriptor = None


@dataclass(slots=True)
class Control:
    """Drives everything that is under way in a workspace, one `step` after the other."""

    workspace: Workspace
    queue: Queue
    senders: int
    """How many senders there are here; those on other machines are counted as they come and go."""
    _recovered_at: float = field(default=float("-inf"), init=False)
    _seen_at: datetime | None = field(default=None, init=False)
    """The time of day at the last recovery; None at the start, when the clock may have been put right meanwhile."""
    _swept_at: float = field(default=float("-inf"), init=False)
    _room: int = field(default=0, init=False)
    """Batches that may still be handed out in this step, over all campaigns."""
    _is_busy: bool = field(default=False, init=False)
    """Do senders hold batches."""
    _ended: set[str] = field(default_factory=set, init=False)
    """Cancelled campaigns that are through with it."""
    _troubled: set[str] = field(default_factory=set, init=False)
    """Associations whose database can not be used, so that it is said once."""
    _held_back: set[str] = field(default_factory=set, init=False)
    """Associations whose newsletters can not go out for now, so that it is said once."""
    _outfits: dict[tuple[str, str, str], Outfit] = field(default_factory=dict, init=False)
    _turns: dispatch.Turns = field(default_factory=dispatch.Turns, init=False)
    _starting: bool = field(default=True, init=False)
    _pace: Pace = field(init=False)
    _sizes: BatchSizes = field(init=False)
    _pulse: Pulse = field(init=False)
    _series: series.Maker = field(init=False)
    _journals: WorkspaceJournals = field(init=False)
    _copies: Copies = field(init=False)
    _elsewhere: int = field(default=0, init=False)
    """How many senders there are on other machines."""

    def __post_init__(self) -> None:
        self._pace = Pace(self.workspace.settings.pacing, self.workspace.now)
        self._sizes = BatchSizes(self.workspace.settings.delivery.batch_size)
        self._pulse = Pulse(self.workspace.folder)
        self._series = series.Maker(self.workspace)
        self._journals = WorkspaceJournals(self.workspace)
        self._copies = Copies(self.workspace)

    def run(self, stopped: Callable[[], bool], after_step: Callable[[], None] = lambda: None) -> None:
        """Work until `stopped()`; `after_step` is called after each step, for progress."""
        self.workspace.journal_folder.mkdir(mode=0o700, exist_ok=True)
        while not stopped():
            try:
                with storage_errors(self.workspace.folder):
                    if self.step():
                        pause = 0.0
                    else:
                        pause = BUSY_S if self._is_busy else IDLE_S
                    after_step()
            except StorageError as error:
                if not error.passing:
                    raise
                log.error("waiting", reason=error.message, hint=error.hint)
                pause = BLOCKED_S
            if not stopped():
                time.sleep(pause)
        intake.drain_refusals(self.workspace)  # the last of a campaign, where this process ends with it

    def step(self) -> bool:
        """Do what there is to do now. True when something moved."""
        moved = self._take_reports()
        now = self.workspace.now()
        self._pulse.beat(self._pace.domains.waiting(now), now, elsewhere=self._elsewhere)
        if time.monotonic() - self._recovered_at >= RECOVER_EVERY_S:
            moved |= self._recover()
            starting.start_due(self.workspace)
            self._series.make_due()
            retention.daily(self.workspace)
            keeping.keep(self.workspace)
            self._copies.drop_closed()
            intake.follow(self.workspace)
            intake.follow_refusals(self.workspace)
            self._recovered_at = time.monotonic()
        if not stops.follow(self.workspace):
            return moved  # nobody who asked to stop is written to because that could not be written down yet
        rows = self.workspace.host.campaigns([CampaignState.SENDING])
        in_flight = self._in_flight(rows)
        self._is_busy = in_flight > 0
        self._room = BATCHES_PER_SENDER * self._all_senders - in_flight
        for row in rows:
            moved |= self._advance(row)
        under_way = {row.id for row in rows}
        self._outfits = {key: outfit for key, outfit in self._outfits.items() if key[0] in under_way}
        moved |= posts.hand_out(self.workspace, self._journals, self.queue) > 0
        return moved

    # --- parts of a step ----------------------------------------------------------------------

    def _take_reports(self) -> bool:
        reports = []
        for data in self.queue.take_reports():
            try:
                reports.append(Report.from_json(data))
            except (KeyError, TypeError, ValueError) as error:
                log.warning("dropped a report of another version", reason=str(error))
        known = {association.slug for association in self.workspace.associations()} if reports else set()
        for report in reports:
            if report.association and report.association not in known:
                log.warning("dropped a report of an association that is not here")
            elif letters.is_letter(report):
                letters.take_report(self.workspace, self._journals, report)
            elif report.association:
                ledger, now = self.workspace.ledger(report.association), self.workspace.now()
                run = dispatch.take_report(
                    ledger,
                    self._journals,
                    report,
                    turns=self._turns,
                    now=now,
                    give_up_s=self._give_up_s,
                )
                if run is not None:
                    self._sizes.learn(report.association, len(report.receipts), report.seconds)
                    self._pace.learn(ledger, report.receipts, now)
                    self._pulse.note(self._counted_as(report.association, run), report.receipts)
            else:
                posts.take_report(self.workspace, self._journals, report)
        return bool(reports)

    def _counted_as(self, slug: str, run: int) -> str:
        """Under what the answers of a run are told to those who watch."""
        found = self.workspace.ledger(slug).run_by_id(run)
        row = self.workspace.host.campaign(found.campaign) if found else None
        return SHARED if row is not None and is_shared(self.workspace, row) else slug

    def _recover(self) -> bool:
        self._elsewhere = self._journals.look()
        settled = posts.recover(self.workspace, self._journals, self.queue, starting=self._starting)
        letters_out = 0
        self._follow_clock()
        for slug in self._usable([association.slug for association in self.workspace.associations()]):
            settled += dispatch.recover(
                self.workspace.ledger(slug),
                self._journals,
                self.queue,
                turns=self._turns,
                now=self.workspace.now(),
                give_up_s=self._give_up_s,
                starting=self._starting,
            )
            settled += letters.recover(self.workspace, self._journals, slug, self.queue, starting=self._starting)
            letters_out += letters.hand_out(self.workspace, slug, self.queue)
        for row in self.workspace.host.campaigns([CampaignState.CANCELLED]):
            if row.id not in self._ended and set(self._usable(row.senders)) == set(row.senders):
                sending.finish_cancel(self.workspace, row)
                if not sending.is_busy(self.workspace, row):
                    self._ended.add(row.id)
        if time.monotonic() - self._swept_at >= SWEEP_EVERY_S:
            self._journals.sweep(older_than_s=2 * BATCH_VALID_S)
            self._swept_at = time.monotonic()
        if settled:
            log.info("took over what lost senders left", batches=settled)
        self._starting = False
        return settled + letters_out > 0

    def _follow_clock(self) -> None:
        """When the clock was put right, let nothing wait for the wrong time."""
        now, before = self.workspace.now(), self._seen_at
        self._seen_at = now
        if before is not None and now >= before:
            return
        for slug in self._usable([association.slug for association in self.workspace.associations()]):
            db = self.workspace.association_db(slug)
            with db.atomic():
                Ledger(db).bring_forward(now)
                Letterbox(db).bring_forward(now)

    def _advance(self, row: CampaignRow) -> bool:
        """Hand out what is due of a campaign, and close it when all of it is done."""
        campaign = sending.read_back(row)
        if set(self._usable(row.senders)) != set(row.senders):
            return False
        if not sending.is_started(self.workspace, row, campaign):
            sending.start(self.workspace, row)
        moved, done = False, True
        if campaign.newsletter is not None:
            for slug in row.senders:
                runs = variants.runs(self.workspace, row.id, slug)
                done &= bool(runs)  # none: paused or cancelled before they could be frozen
                for run in runs:
                    run_moved, run_done = self._advance_run(row, slug, run)
                    moved |= run_moved
                    done &= run_done
        done &= not posts.are_open(self.workspace, row.id)
        # Where members' zones differ, or days are shut out, some newsletters go before entry and posts.
        done = done and all(sending.is_published(self.workspace, row, campaign, slug) for slug in row.senders)
        if done:
            host, now = self.workspace.host, self.workspace.now()
            with host.db.atomic():
                if host.set_state(row.id, CampaignState.SENT, now, was=[CampaignState.SENDING]):
                    host.note("comms", CampaignState.SENT, row.id, "", now)
                    log.info("campaign is sent", campaign=row.id)
        return moved or done

    def _advance_run(self, row: CampaignRow, slug: str, run: Run) -> tuple[bool, bool]:
        """(did anything move, is the run done)."""
        ledger = self.workspace.ledger(slug)
        if run.state != "sending":
            return False, True
        moved, hours = False, timing.hours(self.workspace, self.workspace.association(slug))
        while self._room > 0 and (size := self._batch_size(ledger, slug, run, hours)) and self._still_sending(row):
            try:
                outfit, copies = self._outfit(row, slug, run.channel), self._copies.of(row, slug)
            except StateError as error:  # nothing goes out unsigned, or to who may have it; all else does
                if slug not in self._held_back:
                    log.error("held back", association=slug, reason=error.message, hint=error.hint)
                self._held_back.add(slug)
                break
            now, cap = self.workspace.now(), timing.cap(self.workspace, sending.read_back(row))
            ledger = self.workspace.ledger(slug)  # looking at many others' may have closed it
            if not dispatch.dispatch(
                ledger, run, outfit, self.queue, size=size, now=now, pace=self._pace, cap=cap, copies=copies
            ):
                break
            moved = True
            self._room -= 1
        ledger = self.workspace.ledger(slug)
        if ledger.is_open(run.id):  # asked first, so that what waits for hours writes nothing meanwhile
            return moved, False
        with ledger.db.atomic():
            return moved, ledger.finish(run.id, self.workspace.now())

    def _still_sending(self, row: CampaignRow) -> bool:
        """A pause or a cancel holds from the next batch on, not from the next step."""
        current = self.workspace.host.campaign(row.id)
        return current is not None and current.state == CampaignState.SENDING

    def _in_flight(self, rows: list[CampaignRow]) -> int:
        slugs = {slug for row in rows for slug in row.senders}
        return sum(len(self.workspace.ledger(slug).open_batches()) for slug in self._usable(sorted(slugs)))

    def _usable(self, slugs: Iterable[str]) -> Iterator[str]:
        """Those whose database can be opened: one that is damaged must not stop the others."""
        for slug in slugs:
            try:
                self.workspace.association_db(slug)
            except CommsError as error:
                if isinstance(error, StorageError) and error.passing:
                    raise
                if slug not in self._troubled:
                    log.error("left out", association=slug, reason=error.message, hint=error.hint)
                self._troubled.add(slug)
            else:
                self._troubled.discard(slug)
                yield slug

    def _batch_size(self, ledger: Ledger, slug: str, run: Run, hours: Hours) -> int:
        """Small enough that every sender has something to do, large enough that the queue costs nothing.

        0 when nothing of the run is due, or nothing may go now. No more is counted than a full round takes.
        """
        shares = BATCHES_PER_SENDER * self._all_senders
        due = ledger.due(run.id, self.workspace.now(), self._sizes.wanted(slug) * shares)
        if not due:
            return 0
        return self._pace.room(ledger, hours, self.workspace.now(), self._sizes.share(slug, due, shares))

    def _outfit(self, row: CampaignRow, slug: str, channel: str) -> Outfit:
        key = (row.id, slug, channel)
        if key not in self._outfits:
            body = self.workspace.host.edition(row.id, slug, channel)
            assert body is not None, "approve() wrote it"
            association, part = self.workspace.association(slug), variants.of_channel(sending.read_back(row), channel)
            self._outfits[key] = editions.outfit(self.workspace, part, association, body.decode())
        return self._outfits[key]

    @property
    def _all_senders(self) -> int:
        return self.senders + self._elsewhere

    @property
    def _give_up_s(self) -> float:
        return self.workspace.settings.delivery.give_up_hours * 3600
