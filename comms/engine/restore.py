"""Lays a backup out as a workspace, without forgetting what people said and got since it was made.

Where the backup replaces a workspace that can still be read, four things are carried over from it: who must not be
written to, who opted out, who was sent what, and what was approved, offered and answered. Nothing is sent by a restore:
campaigns that were under way wait.
"""

from __future__ import annotations

import contextlib
import gzip
import itertools
import shutil
import tarfile
import zlib
from collections.abc import Sequence, Set
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from audiences.carrying import Carrier
from audiences.consent import is_news
from audiences.models import Consent, ConsentState, Member
from audiences.signups import SignUps
from audiences.store import People
from campaigns.carrying import HostCarrier
from comms import config, keys
from comms.db import DATABASE_ERRORS, Database, open_database
from comms.delivery.carrying import Carried, RunCarrier, RunTaker
from comms.delivery.dispatch import settle_from_journal
from comms.delivery.letterbox import Letterbox
from comms.delivery.numbers import go_on_after
from comms.delivery.store import Ledger
from comms.engine import sending, series, stops, variants
from comms.engine.control import ControlLock
from comms.engine.journals import WorkspaceJournals
from comms.engine.rights import forget_visitor
from comms.engine.setup import FOLDERS
from comms.engine.workspace import ASSOCIATION_SETS, Workspace, in_use
from comms.errors import CommsError, StateError, StorageError, UsageError
from comms.events import CampaignState, SeriesState
from comms.files import write_whole
from comms.kits import offer_files

IN_DOUBT = "restored from a backup made while it was being sent"
UNREADABLE = "restored from a backup, and what went out since can not be read any more"
UNKNOWN = "it may have gone out since the backup, and who got it can not be read any more"
NOT_ALL_SENT = "it counted as sent in the workspace that was replaced, and some of its mails were not"
CARRIED = "carried over from the workspace that the backup replaced"


_GOING = (CampaignState.SCHEDULED, CampaignState.SENDING)
_UNDER_WAY = (*_GOING, CampaignState.PAUSED)


@dataclass(frozen=True, slots=True)
class Restored:
    """What a restore did."""

    folder: Path
    before: Path | None
    """Where the workspace that stood there is now; None when none did."""
    paused: tuple[str, ...]
    """Campaigns and series that were under way, and wait now."""
    in_doubt: int
    """Newsletters of which nobody can know any more whether they went out, held as uncertain: those that senders held
    at that moment, unless the old workspace knew better, and those of which it can not be read."""
    carried: int
    """Suppressions, opt-outs and deliveries known to the old workspace and not to the backup."""


def restore(file: Path, folder: Path) -> Restored:
    """Restore `file` as the workspace `folder`. A workspace that stands there is set aside, not deleted.

    Raises UsageError when the file is no backup or the folder holds something else, StateError while comms runs there.
    """
    _verify(file, folder)
    replaces = (folder / config.FILE_NAME).exists()
    if replaces and (ControlLock(folder).is_held() or in_use(folder)):
        raise StateError(
            f"something of comms runs in {folder}: comms run, comms web, a worker, or another command.",
            hint="Stop it first; nothing was changed.",
        )
    if not replaces and folder.exists() and any(folder.iterdir()):
        raise UsageError(
            f"{folder} is not empty, and no workspace.", hint="Name a new folder, or the workspace itself."
        )
    fresh = folder.with_name(f".{folder.name}.restoring")
    shutil.rmtree(fresh, ignore_errors=True)
    try:
        _lay_out(file, fresh)
        with Workspace(fresh) as workspace:
            were_going = {row.id for row in workspace.host.campaigns(_GOING)}
            carried = _carry_over(folder, workspace) if replaces else Carried(0, 0)
            in_doubt = carried.held + sum(_hold_open(workspace, slug) for slug in _slugs(workspace))
            _open_again(workspace)
            paused = _pause_all(workspace, were_going)
            before = _aside(folder, workspace.now()) if replaces else None
    except (tarfile.TarError, CommsError, OSError, *DATABASE_ERRORS) as error:
        shutil.rmtree(fresh, ignore_errors=True)
        if isinstance(error, StateError):
            raise
        raise UsageError(f"{file} is no backup that can be restored: {error}") from error
    if before is not None:
        folder.rename(before)
    elif folder.exists():
        folder.rmdir()
    fresh.rename(folder)
    return Restored(folder, before, tuple(paused), in_doubt, carried.sent)


def _aside(folder: Path, now: datetime) -> Path:
    """Where the workspace that is replaced goes: a place that nothing has."""
    first = folder.with_name(f"{folder.name}.before-{now:%Y%m%d-%H%M%S}")
    others = (first.with_name(f"{first.name}-{number}") for number in itertools.count(2))
    return next(path for path in itertools.chain([first], others) if not path.exists())


def _verify(file: Path, folder: Path) -> None:
    """Read the archive to its end, where its checksum stands, before anything of it is laid out."""
    try:
        with gzip.open(file) as stream:
            while stream.read(1 << 20):
                pass
        folder.parent.mkdir(parents=True, exist_ok=True)
    except (EOFError, OSError, zlib.error) as error:
        raise UsageError(f"{file} can not be restored into {folder}: {error}.") from error


def _lay_out(file: Path, folder: Path) -> None:
    folder.mkdir(mode=0o700)
    with tarfile.open(file, "r:gz") as archive:
        archive.extractall(folder, filter="data")
    folder.chmod(0o700)
    for private in (folder / keys.FILE_NAME, *folder.rglob("*.db")):
        private.chmod(0o600)
    for name in FOLDERS:
        (folder / name).mkdir(mode=0o700, exist_ok=True)


def _carry_over(folder: Path, workspace: Workspace) -> Carried:
    """Bring over what the workspace in `folder` knew, as far as it can still be read: each part for itself."""
    try:
        old: Workspace | None = Workspace(folder)
    except CommsError:
        old = None
    try:
        if old is not None and old.key.derive("suppression") != workspace.key.derive("suppression"):
            raise StateError(
                f"{folder} is another workspace than the one in the backup.", hint="Restore into a new folder."
            )
        if old is not None:
            with contextlib.suppress(CommsError, *DATABASE_ERRORS):
                stops.follow(old)
            with contextlib.suppress(CommsError, *DATABASE_ERRORS):
                _carry_host(old, workspace)
            with contextlib.suppress(OSError):  # who looks at the offer is told which is missing
                _carry_files(old.media_folder / offer_files.FOLDER, workspace.media_folder / offer_files.FOLDER)
        parts = [_carry_association(old, workspace, slug) for slug in _slugs(workspace)]
    finally:
        if old is not None:
            old.close()
    return Carried(sum(part.sent for part in parts), sum(part.held for part in parts))


def _carry_host(old: Workspace, new: Workspace) -> None:
    """What was approved, and what associations answered to offers: all of it, or nothing where it can not be read."""
    with new.host.db.atomic():
        carrier = HostCarrier(new.host.db, old.host.db)
        carrier.take_offers()
        carrier.take_campaigns()


def _carry_files(before: Path, here: Path) -> None:
    """The files of offers from other engines, which are not fetched again; what is here stays, for a name says what is
    in a file."""
    for path in before.rglob("*"):
        target = here / path.relative_to(before)
        if path.is_file() and not path.is_symlink() and not target.exists():
            write_whole(target, path.read_bytes())
            target.chmod(0o644)


def _carry_association(old: Workspace | None, new: Workspace, slug: str) -> Carried:
    before = _database_before(old, slug)
    if old is None or before is None:
        _hold_back(new, slug)
        return _carry_runs(new, slug, None)
    try:
        return _carry_from(before, old, new, slug)
    finally:
        before.close()


def _carry_from(before: Database, old: Workspace, new: Workspace, slug: str) -> Carried:
    news, ledger, journals = 0, Ledger(before), WorkspaceJournals(old)
    with contextlib.suppress(*DATABASE_ERRORS, StorageError):  # what is not learned is held, below
        journals.look()
        for batch, claimed_at in ledger.open_batches():  # what senders wrote down, and control has not read yet
            give_up_s = old.settings.delivery.give_up_hours * 3600
            settle_from_journal(ledger, journals, batch, claimed_at, now=old.now(), give_up_s=give_up_s)
    with contextlib.suppress(*DATABASE_ERRORS):
        news = _carry_people(before, new, slug)
    with contextlib.suppress(*DATABASE_ERRORS), new.association_db(slug).atomic():
        go_on_after(new.association_db(slug), before)
    parts = [_carry_runs(new, slug, before), _take_runs(new, slug, before)]
    return Carried(news + sum(part.sent for part in parts), sum(part.held for part in parts))


def _database_before(old: Workspace | None, slug: str) -> Database | None:
    """Found by its file, for the host's database may be the one that is damaged. None: it can not be opened."""
    if old is None:
        return None
    try:
        return open_database(old.association_path(slug), ASSOCIATION_SETS)
    except (CommsError, *DATABASE_ERRORS, UnicodeDecodeError):
        return None


def _carry_people(before: Database, new: Workspace, slug: str) -> int:
    """What people said; returns how much of it is news."""
    people, ledger, now = new.people(slug), new.ledger(slug), new.now()
    carrier = Carrier(people.db, new.key.derive("suppression"))
    with people.db.atomic():
        carried = carrier.take_suppressions(before)
        carrier.take_used_sign_ups(before)
        carrier.take_choices(before)
        carrier.take_private_feeds(before)
        _forget_erased(carrier, people, ledger, now)
        for address, topics in carrier.withdrawals(before).items():
            carried += _withdraw(people, address, topics, now)
    return carried


def _carry_runs(new: Workspace, slug: str, before: Database | None) -> Carried:
    """What went out, and what may have."""
    ledger, sent, held = new.ledger(slug), 0, 0
    with ledger.db.atomic():
        for campaign in _campaigns(new, slug):
            for run in variants.runs(new, campaign, slug):
                carried = RunCarrier(ledger.db, run, new.now(), UNREADABLE).carry(before)
                sent, held = sent + carried.sent, held + carried.held
    return Carried(sent, held)


def _take_runs(new: Workspace, slug: str, before: Database) -> Carried:
    """Runs of which the backup knows nothing, as of an offer that was accepted after it was made."""
    people, ledger, now = new.people(slug), new.ledger(slug), new.now()
    try:
        with ledger.db.atomic():
            return RunTaker(ledger.db, before, lambda each: _known(people, each, now).id or 0, now, UNREADABLE).take()
    except (StorageError, *DATABASE_ERRORS):
        _hold_back(new, slug)
        return Carried(0, 0)


def _hold_back(new: Workspace, slug: str) -> None:
    """Let a person decide on what may have begun since, for of that nobody can tell who got it."""
    host, now = new.host, new.now()
    with host.db.atomic():
        for row in host.campaigns(_UNDER_WAY):
            may_have_begun = row.state == CampaignState.SENDING or row.due_at is None or row.due_at <= now
            if slug in row.senders and may_have_begun and not variants.runs(new, row.id, slug):
                host.set_state(row.id, CampaignState.PAUSED, now, was=_UNDER_WAY, reason=UNKNOWN)


def _known(people: People, address: str, now: datetime) -> Member:
    """The member with an address. Somebody whom the backup does not know is made known, without anything else of
    theirs: a list that holds them may come again."""
    member = people.find(address)
    if member is None:
        member = Member(address, id=people.next_id())
        people.insert([member], now)
    return member


def _forget_erased(carrier: Carrier, people: People, ledger: Ledger, now: datetime) -> None:
    """Erase once more whom the backup brought back: members, and who was about to become one."""
    for member_id in carrier.erased_members():
        ledger.forget(member_id, now)
        people.remove(member_id)
    visitors = SignUps(ledger.db).addresses() | Letterbox(ledger.db).addresses()
    for address in carrier.erased(visitors):
        forget_visitor(ledger.db, address)


def _withdraw(people: People, address: str, topics: Sequence[str], now: datetime) -> int:
    """Record what a member opted out of; returns how much of it is news."""
    member = _known(people, address, now)
    assert member.id is not None, "it comes from the database, or was numbered"
    standing = people.standings({member.id: member.address})[member.id]
    changes = [Consent(topic, ConsentState.WITHDRAWN, now, CARRIED) for topic in topics]
    news = [change for change in changes if is_news(standing, change)]
    people.record([(member.id, change) for change in news], now)
    return len(news)


def _hold_open(workspace: Workspace, slug: str) -> int:
    ledger = workspace.ledger(slug)
    with ledger.db.atomic():
        return ledger.hold_claimed(IN_DOUBT, workspace.now())


def _open_again(workspace: Workspace) -> None:
    """Let a campaign wait that counts as sent while its ledger says otherwise, as where damage hid what was open."""
    for row in workspace.host.campaigns([CampaignState.SENT]):
        ledgers = {slug: workspace.ledger(slug) for slug in row.senders}
        if any(ledger.is_open(run.id) for ledger in ledgers.values() for run in ledger.runs(row.id)):
            now = workspace.now()
            workspace.host.set_state(row.id, CampaignState.PAUSED, now, was=[CampaignState.SENT], reason=NOT_ALL_SENT)


def _pause_all(workspace: Workspace, before: Set[str]) -> list[str]:
    """What waits now: what would go on, and of what went on in the backup (`before`) what was paused since."""
    going = {row.id for row in workspace.host.campaigns(_GOING)}
    for campaign in going:
        sending.pause(workspace, campaign, who="restore")
    paused = workspace.host.campaigns([CampaignState.PAUSED])
    rows = [row for row in paused if row.id in going | before or row.reason == UNKNOWN]
    repeating = [row for row in series.every(workspace) if row.state == SeriesState.REPEATING]
    for each in repeating:
        series.pause(workspace, each.id, who="restore")
    return [*(row.id for row in rows), *(each.id for each in repeating)]


def _slugs(workspace: Workspace) -> Sequence[str]:
    return [association.slug for association in workspace.associations()]


def _campaigns(workspace: Workspace, slug: str) -> Sequence[str]:
    return [row.id for row in workspace.host.campaigns() if slug in row.senders]
