"""Opens the databases of a workspace, with settings and migrations that all share. Holds no query.

Every write is `with db.atomic():` and starts as BEGIN IMMEDIATE: a deferred transaction that reads
before it writes fails at once with "database is locked", whatever the busy timeout says
(https://www.sqlite.org/lang_transaction.html).
"""

from __future__ import annotations

import contextlib
import errno
import sqlite3 as stdlib_sqlite3
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import sqlite_utils
from sqlite_utils import Migrations
from sqlite_utils.utils import sqlite3  # type: ignore[attr-defined] # the driver it chose

from comms.errors import StorageError, WorkspaceError

BUSY_TIMEOUT_MS = 30_000
SAFE_VERSION = (3, 51, 3)
"""First SQLite without the WAL-reset corruption race (https://www.sqlite.org/wal.html#walresetbug)."""

DATABASE_ERRORS = (sqlite3.DatabaseError, stdlib_sqlite3.DatabaseError)
"""What SQLite raises, from whichever of the two drivers runs; Huey may use the other one."""


class Database(sqlite_utils.Database):
    """A sqlite-utils database whose outermost `atomic()` takes the write lock at once."""

    @contextlib.contextmanager
    def atomic(self) -> Iterator[Database]:
        """One transaction: all of it or nothing. Nested calls are savepoints."""
        if self.conn.in_transaction:
            with super().atomic():
                yield self
            return
        self.conn.execute("BEGIN IMMEDIATE")
        try:
            yield self
            self.conn.execute("COMMIT")
        except BaseException:
            self.rollback()
            raise


def open_database(path: Path, migrations: Sequence[Migrations], *, create: bool = False) -> Database:
    """Open `path` and bring it up to date, each set of migrations in one transaction.

    `create` allows the file to be made. Raises WorkspaceError when the file is missing or was written by a
    newer program, StorageError when SQLite can not use it. A connection belongs to the thread that opened it.
    """
    if not create and not path.exists():
        raise WorkspaceError(f"{path} is missing.", hint="Restore it from a backup: comms restore FILE.")
    with storage_errors(path):
        connection = sqlite3.connect(path, isolation_level=None, timeout=BUSY_TIMEOUT_MS / 1000)
        try:
            db = Database(connection)
            _configure(connection)
            _refuse_newer(db, path, migrations)
            for migration_set in migrations:
                if migration_set.pending(db):
                    # Under the write lock, so that of two processes that start at once one does it.
                    with db.atomic():
                        _apply(migration_set, db, path)
        except BaseException:
            connection.close()
            raise
    return db


def _apply(migration_set: Migrations, db: Database, path: Path) -> None:
    """Raises WorkspaceError when a step does not fit what the file holds; it is as it was then."""
    try:
        migration_set.apply(db)
    except sqlite3.OperationalError as error:
        if any(part in str(error) for part in _KNOWN):
            raise
        raise WorkspaceError(
            f"{path} can not be brought up to date: {error}.",
            hint="It was changed by hand, or by a version between releases. Restore a backup: comms restore FILE.",
        ) from error


@contextlib.contextmanager
def storage_errors(path: Path) -> Iterator[None]:
    """Turn what a person can mend (disk full, read-only, damaged, locked) into a StorageError."""
    try:
        yield
    except DATABASE_ERRORS as error:
        message = str(error)
        known = next((known for part, known in _KNOWN.items() if part in message), None)
        if known is None:
            raise
        hint, passing = known
        raise StorageError(f"{path}: {message}.", hint=hint, passing=passing) from error
    except OSError as error:
        if error.errno not in (errno.ENOSPC, errno.EDQUOT, errno.EFBIG):
            raise
        raise StorageError(f"{path}: {error.strerror}.", hint=_FULL, passing=True) from error


_FULL = "Nothing was half done. Free some space; what was under way then goes on."
_RESTORE = "The file is damaged. Restore the last backup: comms restore FILE."
_KNOWN = {
    "disk is full": (_FULL, True),
    "disk I/O error": ("Nothing was half done. Is the disk full or failing?", True),
    "readonly": ("Give the user who runs comms the right to write there.", False),
    "unable to open": ("Does the folder exist, is the disk full, are too many files open, may we write there?", True),
    "locked": ("Another process has held it for half a minute; see `comms doctor`.", True),
    "malformed": (_RESTORE, False),
    "not a database": (_RESTORE, False),
}
"""Part of SQLite's message -> (what to do, does it pass by itself)."""


def _configure(connection: Any) -> None:
    connection.execute(f"PRAGMA busy_timeout = {BUSY_TIMEOUT_MS}")
    _use_wal(connection)
    # FULL: a commit that was answered survives a power cut. NORMAL may lose the last ones.
    connection.execute("PRAGMA synchronous = FULL")
    connection.execute("PRAGMA foreign_keys = ON")
    # What is deleted is overwritten: an erased person must not linger in free pages.
    connection.execute("PRAGMA secure_delete = ON")
    connection.execute("PRAGMA temp_store = MEMORY")


def _use_wal(connection: Any) -> None:
    """Switch a new file to WAL. SQLite does not wait for others in this one case, so we do."""
    deadline = time.monotonic() + BUSY_TIMEOUT_MS / 1000
    while True:
        try:
            connection.execute("PRAGMA journal_mode = WAL")
        except DATABASE_ERRORS as error:
            if "locked" not in str(error) or time.monotonic() > deadline:
                raise
            time.sleep(0.01)
        else:
            return


def _refuse_newer(db: Database, path: Path, migrations: Sequence[Migrations]) -> None:
    """A migration that the file has and this program does not know means a newer program wrote it."""
    table = Migrations.migrations_table
    if table not in db.table_names():
        return
    known = {(group.name, step.name) for group in migrations for step in group._migrations}
    groups = {group.name for group in migrations}
    for row in db.query(f"SELECT migration_set, name FROM {table}"):  # noqa: S608 - a constant
        group, name = row["migration_set"], row["name"]
        if group not in groups or (group, name) not in known:
            raise WorkspaceError(
                f"{path} was written by a newer version of comms (it has the step {group}/{name}).",
                hint="Upgrade comms, or restore a backup made with this version.",
            )


def sqlite_version() -> tuple[int, ...]:
    """Version of the SQLite library that is in use."""
    return tuple(int(part) for part in sqlite3.sqlite_version.split("."))


@contextlib.contextmanager
def patience(db: Database, milliseconds: int) -> Iterator[None]:
    """For a while, wait only so long for others who write; then SQLite says "database is locked"."""
    db.execute(f"PRAGMA busy_timeout = {milliseconds}")
    try:
        yield
    finally:
        db.execute(f"PRAGMA busy_timeout = {BUSY_TIMEOUT_MS}")


@dataclass(frozen=True, slots=True)
class Moment:
    """The time until another connection writes to one of some databases: told in microseconds, without reading any.

    Only for the thread that the connections belong to (sqlite.org/pragma.html#pragma_data_version).
    """

    versions: tuple[tuple[sqlite_utils.Database, int], ...]

    @classmethod
    def of(cls, *databases: sqlite_utils.Database) -> Moment:
        """What is read from now on is at least as new."""
        return cls(tuple((db, _version(db)) for db in databases))

    def lasts(self) -> bool:
        """Was nothing written since. False also when one was closed."""
        try:
            return all(_version(db) == number for db, number in self.versions)
        except DATABASE_ERRORS:
            return False


def _version(db: sqlite_utils.Database) -> int:
    return int(db.conn.execute("PRAGMA data_version").fetchone()[0])


def fold_log(db: sqlite_utils.Database) -> None:
    """Bring the write-ahead log into the file and empty it, so that it keeps nothing of what was deleted."""
    db.execute("PRAGMA wal_checkpoint(TRUNCATE)")


def copy_database(source: Path, target: Path) -> None:
    """Copy a database in use, as of one moment (https://www.sqlite.org/backup.html)."""
    with storage_errors(source):
        reader, writer = sqlite3.connect(source), sqlite3.connect(target)
        try:
            reader.backup(writer)
        finally:
            writer.close()
            reader.close()


def damage(path: Path) -> str:
    """What SQLite's own check finds wrong with a database, a missing one included; empty when it is intact."""
    if not path.exists():
        return "is missing"
    connection = sqlite3.connect(path)
    try:
        found = connection.execute("PRAGMA quick_check(1)").fetchone()[0]
    except (*DATABASE_ERRORS, UnicodeDecodeError) as error:  # of a message that quotes what is damaged
        return str(error)
    finally:
        connection.close()
    return "" if found == "ok" else str(found)
