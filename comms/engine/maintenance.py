"""Looks after a workspace: what is wrong with it, and a backup of it. The way back is `restore.py`."""

from __future__ import annotations

import shutil
import tarfile
import tempfile
from collections.abc import Iterable, Iterator
from pathlib import Path

from comms import config, keys
from comms.db import SAFE_VERSION, copy_database, damage, sqlite_version
from comms.delivery.letterbox import Letterbox
from comms.engine import series, services, welcome
from comms.engine.control import ControlLock
from comms.engine.journals import WorkspaceJournals
from comms.engine.services import CLOCK_SLACK_S, Finding
from comms.engine.setup import FOLDERS
from comms.engine.workspace import Workspace
from comms.errors import StateError, UsageError
from comms.events import CampaignState, SeriesState

LEAST_FREE_BYTES = 200 * 1024 * 1024
LONGEST_WAIT_S = 120.0
"""A batch that nobody began for so long has no sender: they take one within a second."""
_COPIED_AS_THEY_ARE = [name for name in FOLDERS if name not in ("associations", "journal")]


def examine(workspace: Workspace, *, online: bool = False) -> Iterator[Finding]:
    """Look at everything that commonly goes wrong with an installation; `online` also asks the public address."""
    yield _sqlite()
    yield _disk(workspace)
    host = _database(workspace.host_path)
    yield host
    if not host.ok:
        return  # everything else is written down in there
    databases = {each.slug: _database(workspace.association_path(each.slug)) for each in workspace.associations()}
    yield from databases.values()
    yield from services.mail_servers(workspace)
    yield from services.redis(workspace)
    yield from services.linkedin(workspace)
    yield _site(workspace)
    usable = [slug for slug, finding in databases.items() if finding.ok]
    yield _control(workspace, usable)
    yield from services.senders(workspace)
    yield _senders(workspace, usable)
    yield _clock(workspace)
    yield _words(workspace)
    if online:
        yield from services.clock_elsewhere(workspace)
    yield from _held(workspace)


def _sqlite() -> Finding:
    version = sqlite_version()
    shown, safe = ".".join(map(str, version)), ".".join(map(str, SAFE_VERSION))
    return Finding(
        version >= SAFE_VERSION,
        f"SQLite {shown}",
        f"Versions before {safe} can corrupt a database that several processes write (WAL-reset bug). "
        "Install pysqlite3, or a Python with a newer SQLite.",
    )


def _database(path: Path) -> Finding:
    fault = damage(path)
    return Finding(not fault, f"{path.name}: {fault or 'intact'}", "Restore the last backup: comms restore FILE.")


def _disk(workspace: Workspace) -> Finding:
    free = shutil.disk_usage(workspace.folder).free
    return Finding(
        free >= LEAST_FREE_BYTES,
        f"{free / 2**30:.1f} GiB free under {workspace.folder}",
        "Free some space: a send that meets a full disk stops, and goes on when there is room again.",
    )


def _site(workspace: Workspace) -> Finding:
    url = workspace.settings.site.url
    public = url.startswith("https://")
    return Finding(
        public,
        f"links in mails start with {url}",
        "Set [site] url to the https address under which readers reach `comms web`: mailbox providers "
        "show the unsubscribe button for https alone (RFC 8058).",
    )


def _control(workspace: Workspace, associations: Iterable[str]) -> Finding:
    if ControlLock(workspace.folder).is_held():
        return Finding(True, "comms runs")
    campaigns = len(workspace.host.campaigns(["sending", "scheduled"]))
    campaigns += sum(row.state == SeriesState.REPEATING for row in series.every(workspace))
    now = workspace.now()
    letters = sum(Letterbox(workspace.association_db(slug)).count_open(now) for slug in associations)
    counts = ((campaigns, "campaign"), (letters, "letter"))
    waiting = " and ".join(f"{number:,} {what}{'s' * (number != 1)}" for number, what in counts if number)
    return Finding(
        not waiting,
        f"nothing runs here, but these wait: {waiting}" if waiting else "nothing runs here, nothing waits",
        "Start `comms run`.",
    )


def _senders(workspace: Workspace, associations: Iterable[str]) -> Finding:
    now, journals = workspace.now().timestamp(), WorkspaceJournals(workspace)
    ages = [
        now - claimed_at
        for slug in associations
        for batch, claimed_at in workspace.ledger(slug).open_batches()
        if not journals.was_begun(batch)
    ]
    oldest = max(ages, default=0.0)
    return Finding(
        oldest < LONGEST_WAIT_S,
        f"{len(ages)} batches wait for a sender, the oldest for {oldest / 60:.0f} minutes"
        if ages
        else "no batch waits for a sender",
        "Start `comms run`, or `comms worker` on the machine that sends. If one runs, see what it prints: a sender "
        "that can not reach the queue takes nothing.",
    )


def _clock(workspace: Workspace) -> Finding:
    last, now = workspace.host.last_noted(), workspace.now()
    ahead = (last - now).total_seconds() if last else 0.0
    return Finding(
        ahead < CLOCK_SLACK_S,
        f"the clock says {now:%Y-%m-%d %H:%M} UTC"
        + (f", {ahead / 60:.0f} minutes before the last thing written down" if ahead >= CLOCK_SLACK_S else ""),
        "Set the clock right (NTP): schedules, waits and expiring links go by it.",
    )


def _words(workspace: Workspace) -> Finding:
    faults = [*workspace.catalogues.faults(), *welcome.faults(workspace)]
    if not faults:
        return Finding(True, "the workspace's own words and translations can be used, if it has any")
    more = f", and {len(faults) - 1:,} more" if len(faults) > 1 else ""
    return Finding(False, f"{faults[0]}{more}", "Correct the file; until then the words that ship with comms are used.")


def _held(workspace: Workspace) -> Iterator[Finding]:
    """Campaigns that wait for a person to decide, and series whose occurrence can not be made."""
    for row in workspace.host.campaigns([CampaignState.PAUSED]):
        if row.reason:
            mend = f"Send it now: comms campaign resume {row.id}; or drop it: comms campaign cancel {row.id}."
            yield Finding(False, f"campaign {row.id} is held: {row.reason}", mend)
    for each in series.every(workspace):
        if each.reason:
            mend = "It is tried again each minute, until it is late by more than [delivery] late_hours."
            yield Finding(False, f"the next {each.id} can not be made: {each.reason}", mend)


def back_up(workspace: Workspace, file: Path) -> int:
    """Write everything that makes up the workspace into one archive, in a state that fits together.

    The archive holds members' data and the workspace key: keep it as you keep those. Returns its bytes.
    Databases are copied while others write (SQLite's backup API). Raises StateError when the file exists,
    UsageError when its folder does not.
    """
    if file.exists():
        raise StateError(f"{file} exists already.", hint="Name a new file; a backup never overwrites another.")
    if not file.parent.is_dir():
        raise UsageError(f"{file.parent} is no folder.", hint="Make it first, or name a file in another folder.")
    part = file.with_name(f".{file.name}.part")
    with tempfile.TemporaryDirectory(dir=file.parent) as scratch:
        try:
            with tarfile.open(part, "w:gz", compresslevel=3) as archive:
                part.chmod(0o600)
                # The associations first: a ledger that is older than the host's view of it is caught up by
                # control, the other way round a campaign could be unknown to the host.
                for path in sorted(workspace.folder.glob("associations/*.db")):
                    copy = Path(scratch) / path.name
                    copy_database(path, copy)
                    archive.add(copy, f"associations/{path.name}")
                copy = Path(scratch) / "host.db"
                copy_database(workspace.host_path, copy)
                archive.add(copy, "host.db")
                for name in (config.FILE_NAME, keys.FILE_NAME, *_COPIED_AS_THEY_ARE):
                    if (workspace.folder / name).exists():
                        archive.add(workspace.folder / name, name)
            part.replace(file)
        finally:
            part.unlink(missing_ok=True)
    return file.stat().st_size
