"""Databases: writers wait for each other, migrations are whole or nothing, and errors say what to do."""

from __future__ import annotations

import multiprocessing
import sqlite3
import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from sqlite_utils import Database as PlainDatabase
from sqlite_utils import Migrations

from comms.db import (
    DATABASE_ERRORS,
    SAFE_VERSION,
    Database,
    Moment,
    copy_database,
    damage,
    open_database,
    sqlite_version,
    storage_errors,
)
from comms.errors import StorageError, WorkspaceError

COUNTER = Migrations("counter")


@COUNTER()
def counter(db: PlainDatabase) -> None:
    db.execute("CREATE TABLE counter (n INTEGER NOT NULL)")
    db.execute("INSERT INTO counter VALUES (0)")


NEWER = Migrations("counter")


@NEWER()
def counter(db: PlainDatabase) -> None:  # noqa: F811 - the same first step
    db.execute("CREATE TABLE counter (n INTEGER NOT NULL)")


@NEWER()
def colour(db: PlainDatabase) -> None:
    db.execute("ALTER TABLE counter ADD COLUMN colour TEXT")


BROKEN = Migrations("counter")


@BROKEN()
def first_step(db: PlainDatabase) -> None:
    db.execute("CREATE TABLE made_before_the_fault (n INTEGER)")


@BROKEN()
def second_step(db: PlainDatabase) -> None:
    db.execute("CREATE TABLE half (n INTEGER)")
    db.execute("INSERT INTO no_such_table VALUES (1)")


@pytest.fixture
def path(tmp_path: Path) -> Path:
    path = tmp_path / "some.db"
    open_database(path, (COUNTER,), create=True).close()
    return path


def value(path: Path) -> int:
    db = open_database(path, (COUNTER,))
    try:
        return int(db.execute("SELECT n FROM counter").fetchone()[0])
    finally:
        db.close()


def in_threads(work: Callable[[], None], number: int) -> list[BaseException]:
    """Run `work` in many threads at once; returns what went wrong."""
    errors: list[BaseException] = []

    def run() -> None:
        try:
            work()
        except BaseException as error:  # noqa: BLE001 - shown by the test
            errors.append(error)

    threads = [threading.Thread(target=run) for _ in range(number)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return errors


# --- transactions ---------------------------------------------------------------------------


def test_a_second_writer_waits_for_the_first(path: Path) -> None:
    holding, order = threading.Event(), list[str]()

    def hold() -> None:
        db = open_database(path, (COUNTER,))
        with db.atomic():
            holding.set()
            time.sleep(0.4)
            db.execute("UPDATE counter SET n = n + 1")
            order.append("first")
        db.close()

    thread = threading.Thread(target=hold)
    thread.start()
    holding.wait(10)
    db = open_database(path, (COUNTER,))
    with db.atomic():
        order.append("second")
        db.execute("UPDATE counter SET n = n + 1")
    db.close()
    thread.join()
    assert order == ["first", "second"]
    assert value(path) == 2


def test_reading_before_writing_in_one_transaction_loses_nothing_and_is_never_locked_out(path: Path) -> None:
    def count() -> None:
        db = open_database(path, (COUNTER,))
        for _ in range(25):
            with db.atomic():
                before = db.execute("SELECT n FROM counter").fetchone()[0]
                time.sleep(0.0005)
                db.execute("UPDATE counter SET n = ?", [before + 1])
        db.close()

    assert in_threads(count, 6) == []
    assert value(path) == 150


def test_readers_go_on_while_a_writer_writes(path: Path) -> None:
    writer, reader = open_database(path, (COUNTER,)), open_database(path, (COUNTER,))
    with writer.atomic():
        writer.execute("UPDATE counter SET n = 5")
        assert reader.execute("SELECT n FROM counter").fetchone()[0] == 0
    assert reader.execute("SELECT n FROM counter").fetchone()[0] == 5
    writer.close()
    reader.close()


def add(db: Database, number: int, *, then: type[BaseException] | None = None) -> None:
    with db.atomic():
        db.execute("UPDATE counter SET n = n + ?", [number])
        if then is not None:
            raise then


@pytest.mark.parametrize("error", [ValueError, KeyboardInterrupt])
def test_a_transaction_that_fails_leaves_nothing_and_frees_the_lock(path: Path, error: type[BaseException]) -> None:
    db = open_database(path, (COUNTER,))
    with pytest.raises(error):
        add(db, 5, then=error)
    assert not db.conn.in_transaction
    with db.atomic():
        db.execute("UPDATE counter SET n = n + 1")
    db.close()
    assert value(path) == 1


def test_a_nested_transaction_that_fails_takes_back_only_itself(path: Path) -> None:
    db = open_database(path, (COUNTER,))
    with db.atomic():
        add(db, 1)
        with pytest.raises(ValueError):
            add(db, 10, then=ValueError)
        add(db, 100)
    db.close()
    assert value(path) == 101


def test_a_fault_outside_takes_back_what_was_nested_inside(path: Path) -> None:
    def fail_after_nesting() -> None:
        with db.atomic():
            add(db, 1)
            raise ValueError

    db = open_database(path, (COUNTER,))
    with pytest.raises(ValueError):
        fail_after_nesting()
    db.close()
    assert value(path) == 0


def test_connections_keep_foreign_keys_and_survive_a_power_cut(path: Path) -> None:
    db = open_database(path, (COUNTER,))
    pragmas = {name: db.execute(f"PRAGMA {name}").fetchone()[0] for name in ("foreign_keys", "journal_mode")}
    assert pragmas == {"foreign_keys": 1, "journal_mode": "wal"}
    assert db.execute("PRAGMA synchronous").fetchone()[0] == 2  # FULL
    db.close()


# --- migrations -----------------------------------------------------------------------------


def test_opening_again_changes_nothing(path: Path) -> None:
    before = path.read_bytes()
    open_database(path, (COUNTER,)).close()
    assert path.read_bytes() == before


def test_an_older_file_is_brought_up_to_date_and_keeps_its_rows(path: Path) -> None:
    db = open_database(path, (NEWER,))
    assert [tuple(row) for row in db.execute("SELECT * FROM counter")] == [(0, None)]
    db.close()


def test_a_newer_file_is_refused_and_left_alone(path: Path) -> None:
    open_database(path, (NEWER,)).close()
    before = path.read_bytes()
    with pytest.raises(WorkspaceError, match=r"newer version of comms \(it has the step counter/colour\)") as refused:
        open_database(path, (COUNTER,))
    assert "Upgrade comms" in refused.value.hint
    assert path.read_bytes() == before


def test_a_file_with_a_set_of_steps_that_is_not_ours_is_refused(path: Path) -> None:
    with pytest.raises(WorkspaceError, match="newer version"):
        open_database(path, (Migrations("other"),))


def test_a_migration_that_fails_leaves_no_trace(tmp_path: Path) -> None:
    path = tmp_path / "new.db"
    with pytest.raises(WorkspaceError, match="no_such_table"):
        open_database(path, (BROKEN,), create=True)
    connection = sqlite3.connect(path)
    tables = {row[0] for row in connection.execute("SELECT name FROM sqlite_master")}
    connection.close()
    assert not tables & {"made_before_the_fault", "half", "counter"}
    db = open_database(path, (COUNTER,))
    assert db.execute("SELECT n FROM counter").fetchone()[0] == 0
    db.close()


def _open_together(barrier: Any, paths: list[Path], failures: Any) -> None:
    for path in paths:
        barrier.wait()
        try:
            open_database(path, (COUNTER,), create=True).close()
        except Exception as error:  # noqa: BLE001 - shown by the test
            failures.put(f"{type(error).__name__}: {error}")


def test_processes_that_open_a_new_database_at_once_all_succeed(tmp_path: Path) -> None:
    context = multiprocessing.get_context("spawn")
    number, paths = 4, [tmp_path / f"{round_}.db" for round_ in range(25)]
    barrier, failures = context.Barrier(number), context.Queue()
    processes = [context.Process(target=_open_together, args=(barrier, paths, failures)) for _ in range(number)]
    for process in processes:
        process.start()
    for process in processes:
        process.join(120)
    assert [process.exitcode for process in processes] == [0] * number
    assert failures.empty(), failures.get()
    failures.close()
    assert [value(path) for path in paths] == [0] * len(paths)


# --- what a person can mend -----------------------------------------------------------------


def test_a_missing_file_is_not_made_unless_asked(tmp_path: Path) -> None:
    with pytest.raises(WorkspaceError, match="is missing"):
        open_database(tmp_path / "none.db", (COUNTER,))
    assert list(tmp_path.iterdir()) == []


def test_a_folder_that_is_not_there_is_a_storage_error(tmp_path: Path) -> None:
    with pytest.raises(StorageError, match="unable to open") as refused:
        open_database(tmp_path / "none" / "some.db", (COUNTER,), create=True)
    assert "Does the folder exist" in refused.value.hint


@pytest.mark.parametrize("content", [b"no database" * 100, bytes(range(256)) * 64])
def test_something_else_under_the_name_is_a_storage_error_and_left_alone(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "some.db"
    path.write_bytes(content)
    with pytest.raises(StorageError, match="not a database") as refused:
        open_database(path, (COUNTER,))
    assert "comms restore" in refused.value.hint
    assert path.read_bytes() == content


def test_only_what_a_person_can_mend_is_translated(path: Path) -> None:
    with pytest.raises(DATABASE_ERRORS, match="no such table"), storage_errors(path):
        raise sqlite3.OperationalError("no such table: x")
    with pytest.raises(StorageError, match="disk is full") as refused, storage_errors(path):
        raise sqlite3.OperationalError("database or disk is full")
    assert "Nothing was half done" in refused.value.hint


def test_a_full_database_is_a_storage_error_and_nothing_is_half_done(path: Path) -> None:
    def fill() -> None:
        with storage_errors(path), db.atomic():
            db.execute("UPDATE counter SET n = 9")
            for _ in range(100):
                db.execute("INSERT INTO counter VALUES (zeroblob(4000))")

    db = open_database(path, (COUNTER,))
    db.execute(f"PRAGMA max_page_count = {db.execute('PRAGMA page_count').fetchone()[0]}")
    with pytest.raises(StorageError, match="disk is full") as refused:
        fill()
    assert refused.value.passing
    db.close()
    assert value(path) == 0


def test_damage_is_named_and_a_missing_file_is_not_called_intact_or_made(path: Path) -> None:
    assert damage(path) == ""
    content = path.read_bytes()
    path.write_bytes(content[:4096] + b"\xff" * (len(content) - 4096))
    assert damage(path)
    path.write_bytes(b"no database" * 100)
    assert "not a database" in damage(path)
    path.unlink()
    assert damage(path) == "is missing"
    assert not path.exists()


def test_a_copy_of_a_database_in_use_holds_what_was_committed(path: Path, tmp_path: Path) -> None:
    db = open_database(path, (COUNTER,))
    with db.atomic():
        db.execute("UPDATE counter SET n = 7")
    with db.atomic():
        db.execute("UPDATE counter SET n = 8")
        copy_database(path, tmp_path / "copy.db")
    db.close()
    assert value(tmp_path / "copy.db") == 7


def test_the_sqlite_that_runs_is_one_without_the_known_corruption() -> None:
    assert sqlite_version() >= SAFE_VERSION


def test_a_moment_lasts_until_somebody_else_writes_to_one_of_its_databases(tmp_path: Path) -> None:
    one, two = (open_database(tmp_path / name, [COUNTER], create=True) for name in ("one.db", "two.db"))
    moment = Moment.of(one, two)
    one.execute("SELECT n FROM counter").fetchone()
    assert moment.lasts()
    other = open_database(tmp_path / "two.db", [COUNTER])
    assert moment.lasts()
    with other.atomic():
        other.execute("UPDATE counter SET n = 1")
        assert moment.lasts(), "not committed"
    assert not moment.lasts()
    later = Moment.of(one, two)
    assert later.lasts()
    two.close()
    assert not later.lasts()
    one.close()
    other.close()
