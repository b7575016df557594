"""A large file is read in a process of its own: what comes out is the same, also when something is wrong."""

from __future__ import annotations

import os
import signal
import threading
import time
from functools import partial
from pathlib import Path

import pytest
from audience_samples import NOW

from audiences.errors import ImportFileError
from audiences.importing import ahead, plain
from audiences.importing.ahead import LARGE_BYTES
from audiences.importing.base import Refusal
from tests.support.processes import wait_until

ROW = "member{0}@example.org,Member {0},{1},yes,2026-05-04,news;grants\n"
HEADER = "email,name,note,consent,consent_date,topics\n"
needs_cores = pytest.mark.skipif(len(os.sched_getaffinity(0)) < 2, reason="one core: everything is read here")


@pytest.fixture(scope="module")
def large(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A list of more than `LARGE_BYTES`, with a few rows that are refused."""
    path = tmp_path_factory.mktemp("large") / "members.csv"
    rows = LARGE_BYTES // 500
    with path.open("w", encoding="utf-8") as file:
        file.write(HEADER)
        file.writelines(ROW.format(n, "ü" * 250) if n % 1_000 else "no address at all\n" for n in range(rows))
    assert path.stat().st_size > LARGE_BYTES
    return path


def is_asleep(process: int) -> bool:
    """Does the process wait for something, three times in a row."""
    states = []
    for _ in range(3):
        states.append(Path(f"/proc/{process}/stat").read_text().rpartition(")")[2].split()[0])
        time.sleep(0.1)
    return states == ["S"] * 3


def children() -> set[int]:
    return {int(pid) for pid in Path(f"/proc/self/task/{threading.get_native_id()}/children").read_text().split()}


@needs_cores
def test_another_process_reads_what_would_be_read_here(large: Path) -> None:
    before = children()
    rows = ahead.rows_of(large, partial(plain.read, large, NOW))
    first = next(rows)
    assert children() - before, "no process was started"
    read = [first, *rows]
    assert read == list(plain.read(large, NOW))
    assert any(isinstance(row, Refusal) for row in read)
    assert children() == before


def test_a_small_file_is_read_here(tmp_path: Path) -> None:
    path = tmp_path / "small.csv"
    path.write_text(HEADER + ROW.format(1, "x"))
    before = children()
    rows = ahead.rows_of(path, partial(plain.read, path, NOW))
    next(rows)
    assert children() == before


@needs_cores
def test_what_is_wrong_with_the_file_is_said_as_if_it_were_read_here(large: Path, tmp_path: Path) -> None:
    broken = tmp_path / "broken.csv"
    broken.write_bytes(large.read_bytes() + b'late@example.org,"never closed')
    with pytest.raises(ImportFileError) as here:
        list(plain.read(broken, NOW))
    with pytest.raises(ImportFileError) as there:
        list(ahead.rows_of(broken, partial(plain.read, broken, NOW)))
    assert str(there.value) == str(here.value)
    assert (there.value.path, there.value.line) == (str(broken), here.value.line)


@needs_cores
def test_a_reader_that_is_killed_is_no_end_of_the_file(large: Path) -> None:
    before = children()
    rows = ahead.rows_of(large, partial(plain.read, large, NOW))
    next(rows)
    (reader,) = children() - before
    os.kill(reader, signal.SIGKILL)
    with pytest.raises(ImportFileError, match="was ended"):
        list(rows)


@needs_cores
def test_a_reader_that_is_killed_while_it_answers_is_no_end_of_the_file(large: Path) -> None:
    before = children()
    rows = ahead.rows_of(large, partial(plain.read, large, NOW))
    next(rows)
    (reader,) = children() - before
    # An answer is larger than what a pipe holds, so that nobody who waits gets to its end.
    wait_until(lambda: is_asleep(reader))
    os.kill(reader, signal.SIGKILL)
    with pytest.raises(ImportFileError, match="was ended"):
        list(rows)


@needs_cores
def test_modules_that_lie_where_the_command_is_called_are_not_run(
    large: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("pickle.py", "csv.py", "audiences.py"):
        (tmp_path / name).write_text("raise SystemExit('a module of a stranger')")
    monkeypatch.chdir(tmp_path)
    assert len(list(ahead.rows_of(large, partial(plain.read, large, NOW)))) > 1_000


@needs_cores
def test_a_reader_that_nobody_listens_to_ends(large: Path) -> None:
    before = children()
    rows = ahead.rows_of(large, partial(plain.read, large, NOW))
    next(rows)
    rows.close()  # type: ignore[attr-defined]  # the generator's own way of being given up
    assert children() == before
