"""Lays a backup out as a workspace, without forgetting what people said and got since it was made.

Where the backup replaces a workspace that can still be read, three things are carried over from it: who must not be
written to, who opted out, and who was sent what. Nothing is sent by a restore: campaigns that were under way wait.
"""

from __future__ import annotations

import gzip
import shutil
import tarfile
import zlib
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from audiences.carrying import Carrier
from audiences.consent import is_news
from audiences.models import Consent, ConsentState, Member
from audiences.signups import SignUps
from audiences.store import People
from comms import config, keys
from comms.db import DATABASE_ERRORS
from comms.delivery.letterbox import Letterbox
from comms.delivery.numbers import go_on_after
from comms.delivery.store import Ledger
from comms.engine import sending, stops
from comms.engine.control import ControlLock
from comms.engine.editions import NEWSLETTER
from comms.engine.rights import forget_visitor
from comms.engine.setup import FOLDERS
from comms.engine.workspace import Workspace, in_use
from comms.errors import CommsError, StateError, UsageError

IN_DOUBT = "restored from a backup made while it was being sent"
CARRIED = "carried over from the workspace that the backup replaced"


@dataclass(frozen=True, slots=True)
class Restored:
    """What a restore did."""

    folder: Path
    before: Path | None
    """Where the workspace that stood there is now; None when none did."""
    paused: tuple[str, ...]
    """Campaigns that were under way when the backup was made."""
    in_doubt: int
    """Newsletters that senders held at that moment: held as uncertain, unless the old workspace knew better."""
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
            carried = _carry_over(folder, workspace) if replaces else 0
            in_doubt = sum(_hold_open(workspace, slug) for slug in _slugs(workspace))
            paused = _pause_all(workspace)
            before = folder.with_name(f"{folder.name}.before-{workspace.now():%Y%m%d-%H%M%S}") if replaces else None
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
    return Restored(folder, before, tuple(paused), in_doubt, carried)


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


def _carry_over(folder: Path, workspace: Workspace) -> int:
    try:
        with Workspace(folder) as old:
            if old.key.derive("suppression") != workspace.key.derive("suppression"):
                raise StateError(
                    f"{folder} is another workspace than the one in the backup.", hint="Restore into a new folder."
                )
            stops.follow(old)
            known = set(_slugs(old))
            return sum(_carry_association(old, workspace, slug) for slug in _slugs(workspace) if slug in known)
    except (StateError, OSError):
        raise
    except (CommsError, *DATABASE_ERRORS):
        return 0  # a damaged workspace is why people restore: what it knew can not be had


def _carry_association(old: Workspace, new: Workspace, slug: str) -> int:
    people, ledger, now = new.people(slug), new.ledger(slug), new.now()
    before = old.association_db(slug)
    carrier = Carrier(people.db, new.key.derive("suppression"))
    with people.db.atomic():
        carried = carrier.take_suppressions(before)
        carrier.take_used_sign_ups(before)
        carrier.take_choices(before)
        _forget_erased(carrier, people, ledger, now)
        for address, topics in carrier.withdrawals(before).items():
            carried += _withdraw(people, address, topics, now)
        go_on_after(ledger.db, before)
        for campaign in _campaigns(new, slug):
            run = ledger.run(campaign, NEWSLETTER)
            if run is not None:
                carried += ledger.settle_as_sent(run.id, old.ledger(slug).reached(campaign, NEWSLETTER), now)
    return carried


def _forget_erased(carrier: Carrier, people: People, ledger: Ledger, now: datetime) -> None:
    """Erase once more whom the backup brought back: members, and who was about to become one."""
    for member_id in carrier.erased_members():
        ledger.forget(member_id, now)
        people.remove(member_id)
    visitors = SignUps(ledger.db).addresses() | Letterbox(ledger.db).addresses()
    for address in carrier.erased(visitors):
        forget_visitor(ledger.db, address)


def _withdraw(people: People, address: str, topics: Sequence[str], now: datetime) -> int:
    """Record what a member opted out of; returns how much of it is news.

    Somebody whom the backup does not know is made known, without anything else of theirs: a list that holds them
    may come again.
    """
    member = people.find(address)
    if member is None:
        member = Member(address, id=people.next_id())
        people.insert([member], now)
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


def _pause_all(workspace: Workspace) -> list[str]:
    rows = workspace.host.campaigns(["sending", "scheduled"])
    for row in rows:
        sending.pause(workspace, row.id, who="restore")
    return [row.id for row in rows]


def _slugs(workspace: Workspace) -> Sequence[str]:
    return [association.slug for association in workspace.associations()]


def _campaigns(workspace: Workspace, slug: str) -> Sequence[str]:
    return [row.id for row in workspace.host.campaigns() if slug in row.senders]
