"""A journal proves what was written into it, nothing else, and closes a batch for good."""

from __future__ import annotations

import json
import multiprocessing
import os
import resource
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from multiprocessing.synchronize import Barrier
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from comms.delivery import journal
from comms.delivery.batches import Outcome, Receipt
from comms.delivery.journal import Journal, boot_id, read, reclaim, settle, sweep, was_begun

ACCEPTED = Receipt(7, Outcome.ACCEPTED, 250, "2.0.0 taken as 4Z")
texts = st.text() | st.just("\udce4\x00\n[") | st.just('["dot", 1]\n')
receipts = st.builds(Receipt, st.integers(0, 9), st.sampled_from(Outcome), st.integers(0, 599), texts, st.just({}))


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return tmp_path


def path_of(folder: Path, batch: str = "b") -> Path:
    return folder / f"{batch}.journal"


def lines(*parts: list[object]) -> bytes:
    return b"".join(json.dumps(part).encode() + b"\n" for part in parts)


# --- what it proves ---------------------------------------------------------------------------


def test_answers_and_what_was_handed_over_are_read_back(folder: Path) -> None:
    with Journal.begin(folder, "b") or pytest.fail("nobody has it") as log:
        log.about_to(7)
        log.done(ACCEPTED)
        log.about_to(8)
        log.done(Receipt(9, Outcome.REJECTED, 0, "can not be written"))
    reading = reclaim(folder, "b")
    assert reading is not None
    assert {receipt.item: receipt.outcome for receipt in reading.receipts} == {
        7: Outcome.ACCEPTED,
        9: Outcome.REJECTED,
    }
    assert reading.handed_over == {8}
    assert reading.trustworthy


@given(st.lists(st.integers(0, 9) | receipts), st.data())
def test_a_cut_journal_never_invents_an_answer_nor_forgets_a_whole_line(
    steps: list[int | Receipt], data: st.DataObject
) -> None:
    whole: list[list[object]] = [["begin", boot_id()]]
    whole += [["dot", step] if isinstance(step, int) else ["done", *step.to_json()] for step in steps]
    text = lines(*whole)
    cut = text[: data.draw(st.integers(0, len(text)))]
    kept = steps[: max(cut.count(b"\n") - 1, 0)]
    # An item may be tried anew after an answer, such as by another server: what was said last holds.
    last_step = {step if isinstance(step, int) else step.item: step for step in kept}
    last = {item: (step.outcome, step.code) for item, step in last_step.items() if isinstance(step, Receipt)}
    handed_over = {item for item, step in last_step.items() if isinstance(step, int)}
    reading = read(cut)
    assert {receipt.item: (receipt.outcome, receipt.code) for receipt in reading.receipts} == last
    assert reading.handed_over == handed_over
    assert reading.trustworthy


@given(st.binary(max_size=300), st.booleans())
def test_no_bytes_make_reading_fail(data: bytes, begun: bool) -> None:
    begin = lines(["begin", boot_id()]) if begun else b""
    reading = read(begin + data)
    assert not reading.receipts or begun


@pytest.mark.parametrize(
    "damage",
    [
        b"\0" * 4096 + b"\n",
        b'["dot"]\n',
        b'["dot", "7"]\n',
        b'["done", 7]\n',
        b'["done", "7", "accepted", 250, "", {}]\n',
        b'["done", 7, "accepted", 250, null, {}]\n',
        b'["done", 7, "hugged", 250, "", {}]\n',
        b"7\n",
        b"[" * 100_000 + b"\n",
    ],
)
def test_a_damaged_line_proves_nothing_and_the_rest_is_trusted_no_more(damage: bytes) -> None:
    reading = read(lines(["begin", boot_id()]) + damage + lines(["done", *ACCEPTED.to_json()]))
    assert [receipt.item for receipt in reading.receipts] == [7]
    assert not reading.trustworthy


def test_after_a_restart_of_the_machine_silence_proves_nothing() -> None:
    reading = read(lines(["begin", "another-boot"], ["dot", 1]))
    assert not reading.trustworthy
    assert reading.handed_over == {1}


def test_a_journal_that_lost_its_first_line_is_not_trusted() -> None:
    assert not read(b"\0" * 40 + b"\n" + lines(["dot", 1])).trustworthy


def test_answers_that_no_database_takes_are_made_fit() -> None:
    (receipt,) = read(
        lines(
            ["begin", boot_id()],
            ["done", 7, "rejected", 550, "Empf\udce4nger \ud83d\ude00", {"url": "x\ud800"}],
        )
    ).receipts
    assert receipt.text == "Empf\ufffdnger \N{GRINNING FACE}"
    assert receipt.details == {"url": "x\ufffd"}


# --- who may hold it --------------------------------------------------------------------------

HOLDER = """
import sys, time
from pathlib import Path
from comms.delivery.journal import Journal
log = Journal.begin(Path(sys.argv[1]), "b")
log.about_to(7)
print("begun", flush=True)
time.sleep(600)
"""


@contextmanager
def holder(folder: Path) -> Iterator[subprocess.Popen[str]]:
    """Another process that has begun batch `b` and handed item 7 over."""
    with subprocess.Popen([sys.executable, "-c", HOLDER, str(folder)], stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == "begun\n"
        try:
            yield process
        finally:
            process.kill()


def test_a_living_sender_is_never_robbed_however_long_it_sleeps(folder: Path) -> None:
    with holder(folder) as process:
        process.send_signal(signal.SIGSTOP)
        assert reclaim(folder, "b") is None
        assert Journal.begin(folder, "b") is None
        before = path_of(folder).read_bytes()
        settle(folder, "b")
        assert path_of(folder).read_bytes() == before
        process.kill()
        process.wait()
        reading = reclaim(folder, "b")
    assert reading is not None
    assert reading.handed_over == {7}
    assert reading.trustworthy


def test_a_program_that_a_sender_starts_does_not_hold_its_batch(folder: Path) -> None:
    log = Journal.begin(folder, "b")
    assert log is not None
    with subprocess.Popen(["sleep", "600"], close_fds=False) as child:
        log.close()
        assert reclaim(folder, "b") is not None
        child.kill()


def test_what_control_took_back_nobody_can_begin(folder: Path) -> None:
    reading = reclaim(folder, "b")
    assert reading is not None
    assert (reading.receipts, reading.handed_over, reading.trustworthy) == ((), frozenset(), True)
    assert Journal.begin(folder, "b") is None
    settle(folder, "b")
    assert Journal.begin(folder, "b") is None


def test_what_was_begun_once_nobody_begins_again(folder: Path) -> None:
    with Journal.begin(folder, "b") or pytest.fail("nobody has it"):
        pass
    assert Journal.begin(folder, "b") is None


def _race(folder: Path, start: Barrier, number: int) -> None:
    start.wait()
    if number % 4 == 0:
        code = 2 if reclaim(folder, "b") is not None else 3
    else:
        code = 0 if Journal.begin(folder, "b") is not None else 1
    start.wait()  # whoever has it holds it until all have tried
    os._exit(code)


@pytest.mark.parametrize("turn", range(5))
def test_of_many_that_begin_and_reclaim_at_once_one_gets_it(folder: Path, turn: int) -> None:
    context = multiprocessing.get_context("spawn")
    start = context.Barrier(8)
    racers = [context.Process(target=_race, args=(folder, start, number)) for number in range(8)]
    for racer in racers:
        racer.start()
    for racer in racers:
        racer.join(30)
    codes = [racer.exitcode for racer in racers]
    begun, reclaimed = codes.count(0), codes.count(2)
    assert begun + min(reclaimed, 1) == 1, codes
    assert None not in codes


# --- disks and power --------------------------------------------------------------------------


@contextmanager
def room_for(size: int) -> Iterator[None]:
    """No file may grow beyond `size`: what a full disk looks like to the one who writes."""
    limits = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (size, limits[1]))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, limits)


def test_a_line_that_a_full_disk_tore_does_not_swallow_the_next(folder: Path) -> None:
    log = Journal.begin(folder, "b")
    assert log is not None
    with log:
        log.about_to(7)
        size = path_of(folder).stat().st_size
        with room_for(size + 5), pytest.raises(OSError, match="5 of"):
            log.done(ACCEPTED)
        # There is room again, but what is missing stays missing.
        with pytest.raises(OSError, match="5 of"):
            log.about_to(8)
    reading = reclaim(folder, "b")
    assert reading is not None
    assert reading.handed_over == {7}
    assert reading.trustworthy
    assert path_of(folder).stat().st_size == size + len(b'["settled"]\n')


def test_a_batch_that_could_not_be_begun_for_lack_of_room_is_begun_later(folder: Path) -> None:
    with room_for(5), pytest.raises(OSError, match="5 of"):
        Journal.begin(folder, "b")
    with Journal.begin(folder, "b") or pytest.fail("it was not begun") as log:
        log.about_to(7)
    reading = reclaim(folder, "b")
    assert reading is not None
    assert reading.handed_over == {7}


def test_reading_twice_gives_the_same_when_control_died_in_between(folder: Path) -> None:
    path_of(folder).write_bytes(lines(["begin", boot_id()], ["dot", 7], ["done", *ACCEPTED.to_json()]) + b'["dot", 8')
    first, second = reclaim(folder, "b"), reclaim(folder, "b")
    assert first == second
    assert first is not None
    assert first.trustworthy


@pytest.fixture
def synced(monkeypatch: pytest.MonkeyPatch) -> list[tuple[str, int]]:
    """(path, size) of everything that was forced to the disk, in order."""
    seen: list[tuple[str, int]] = []
    real = os.fsync

    def fsync(descriptor: int) -> None:
        seen.append((str(Path(f"/proc/self/fd/{descriptor}").readlink()), os.fstat(descriptor).st_size))
        real(descriptor)

    monkeypatch.setattr(os, "fsync", fsync)
    return seen


def test_a_power_cut_can_not_take_the_first_line_back(folder: Path, synced: list[tuple[str, int]]) -> None:
    log = Journal.begin(folder, "b")
    assert log is not None
    log.close()
    assert synced[0] == (str(path_of(folder)), len(lines(["begin", boot_id()])))
    assert [path for path, _ in synced] == [str(path_of(folder)), str(folder)]


def test_a_power_cut_can_not_open_a_batch_that_was_taken_back(folder: Path, synced: list[tuple[str, int]]) -> None:
    reclaim(folder, "b")
    assert [path for path, _ in synced] == [str(path_of(folder)), str(folder)]
    assert synced[0][1] > 0


def test_settling_never_leaves_a_journal_empty(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    log = Journal.begin(folder, "b")
    assert log is not None
    with log:
        log.about_to(7)
        log.done(ACCEPTED)
    begin = lines(["begin", boot_id()])
    sizes = []
    real = os.ftruncate

    def ftruncate(descriptor: int, size: int) -> None:
        sizes.append(size)
        real(descriptor, size)

    monkeypatch.setattr(os, "ftruncate", ftruncate)
    settle(folder, "b")
    assert sizes == [len(begin)]
    assert path_of(folder).read_bytes() == begin + b'["settled"]\n'


# --- tidying ----------------------------------------------------------------------------------


def test_only_closed_and_old_journals_are_swept(folder: Path) -> None:
    for batch in ("old-closed", "old-open", "new-closed"):
        log = Journal.begin(folder, batch)
        assert log is not None
        log.close()
    settle(folder, "old-closed")
    settle(folder, "new-closed")
    for batch in ("old-closed", "old-open"):
        os.utime(path_of(folder, batch), (0, 0))
    sweep(folder, older_than_s=3600)
    assert {path.stem for path in folder.iterdir()} == {"old-open", "new-closed"}


def test_a_batch_is_begun_as_soon_as_somebody_has_its_file(folder: Path) -> None:
    assert not was_begun(folder, "b")
    log = Journal.begin(folder, "b")
    assert log is not None
    assert was_begun(folder, "b")
    log.close()


def test_the_boot_id_is_that_of_this_machine() -> None:
    assert boot_id() == Path("/proc/sys/kernel/random/boot_id").read_text().strip()
    assert journal.boot_id() == boot_id()
