"""The fault runs in their short form, and the oracle that they are judged by."""

from __future__ import annotations

import json
import random
import subprocess
import sys
from pathlib import Path

import pytest

from bench.chaos import table
from bench.chaos.disk_log import Disk, Kept, read
from bench.chaos.oracle import Ledger, Row, judge

ROOT = Path(__file__).resolve().parents[3]
ONE = ("spring", "ana@example.org")


def verdict(*rows: Row, copies: dict[tuple[str, str], int], damage: str = "") -> tuple[int, int, int, bool]:
    """(lost, doubled, outside doubt, all as promised) of a campaign to so many people."""
    found = judge(Ledger(rows, {"spring": len(rows)}, damage), copies, campaigns=["spring"], people=len(rows))
    return found.lost, found.doubled, found.unnamed, found.good


def row(state: str, *, reason: str = "", doubts: int = 0) -> Row:
    return Row(*ONE, state, reason, doubts)


@pytest.mark.slow
def test_the_short_form_of_the_fault_runs_loses_nobody() -> None:
    words = [sys.executable, "-m", "bench.chaos", "--short", "--seed", "1"]
    done = subprocess.run(words, cwd=ROOT, capture_output=True, text=True, timeout=280)
    assert done.returncode == 0, done.stdout + done.stderr
    figures = json.loads(done.stdout.splitlines()[-1])
    assert (figures["lost"], figures["doubled_outside_doubt"]) == (0, 0)
    assert figures["kills"] > 0
    assert figures["faults_survived"] == figures["faults"] > 3


def test_one_copy_of_what_counts_as_sent_is_as_promised() -> None:
    assert verdict(row("sent"), copies={ONE: 1}) == (0, 0, 0, True)


def test_whoever_counts_as_sent_and_was_not_taken_is_lost() -> None:
    assert verdict(row("sent"), copies={}) == (1, 0, 0, False)


@pytest.mark.parametrize("state", ["ready", "claimed", "deferred", "failed", "skipped", "cancelled", "uncertain"])
def test_whoever_ends_in_a_state_that_is_open_or_not_true_is_lost(state: str) -> None:
    assert verdict(row(state), copies={ONE: 1}) == (1, 0, 0, False)


def test_a_held_case_in_doubt_is_nobody_lost() -> None:
    assert verdict(row("uncertain", doubts=1), copies={}) == (0, 0, 0, True)


def test_a_second_copy_needs_a_case_in_doubt() -> None:
    assert verdict(row("sent", doubts=1), copies={ONE: 2}) == (0, 1, 0, True)
    assert verdict(row("sent", doubts=1), copies={ONE: 3}) == (0, 2, 1, False)
    assert verdict(row("sent"), copies={ONE: 2}) == (0, 1, 1, False)


def test_a_message_to_somebody_whom_the_ledger_does_not_know_is_outside_doubt() -> None:
    assert verdict(row("sent"), copies={ONE: 1, ("spring", "ben@example.org"): 1}) == (0, 0, 1, False)


def test_a_run_that_planned_less_than_all_people_is_not_as_promised() -> None:
    found = judge(Ledger([row("sent")], {"spring": 1}, ""), {ONE: 1}, campaigns=["spring"], people=2)
    assert not found.good


def test_a_campaign_that_the_ledger_does_not_know_has_lost_everybody() -> None:
    assert judge(Ledger([], {}, ""), {}, campaigns=["spring"], people=7).lost == 7


def test_a_damaged_ledger_is_not_as_promised() -> None:
    assert verdict(row("sent"), copies={ONE: 1}, damage="row 7 missing from index") == (0, 0, 0, False)


def test_the_table_says_no_for_whatever_was_not_as_promised(tmp_path: Path) -> None:
    page = tmp_path / "page.md"
    page.write_text(f"before\n{table.BEGIN}\nold\n{table.END}\nafter\n")
    rows = [table.Row("kill -9", 3, 10), table.Row("a fault", 1, 10, hitches=("it never ended",)),
            table.Row("another", skipped="no root")]  # fmt: skip
    table.write(page, rows, 7)
    text = page.read_text()
    assert text.startswith("before\n")
    assert text.endswith("after\n")
    assert "old" not in text
    assert "| a fault | 1 | 10 | 0 | 0 | 0 | 0 | no |" in text
    assert "it never ended" in text
    assert "not tried: no root" in text
    figures = table.figures(rows)
    assert (figures["kills"], figures["faults_survived"], figures["faults"]) == (3, 1, 3)


def after(log: str, kept: Kept) -> dict[str, bytes]:
    disk = Disk("/w", {"a.db": b"old!"})
    for change in read(log.splitlines()):
        disk.apply(change)
    return disk.after_power_cut(kept, random.Random(1))


SYNCED = """\
1 10.0 pwrite64(3</w/a.db>, "\\x6e\\x65\\x77", 3, 0) = 3
1 11.0 fdatasync(3</w/a.db>) = 0
"""
NOT_SYNCED = """\
1 12.0 pwrite64(3</w/a.db>, "\\x78\\x78", 2, 4) = 2
2 12.5 openat(AT_FDCWD, "\\x2f\\x77\\x2f\\x62", O_WRONLY|O_CREAT, 0600) = 4</w/b>
2 12.6 write(4</w/b>, "\\x68" <unfinished ...>
1 12.7 ftruncate(3</w/a.db>, 5) = 0
2 12.8 <... write resumed>, 1) = 1
"""


def test_what_was_synced_survives_a_power_cut() -> None:
    assert after(SYNCED, Kept.NONE) == {"a.db": b"new!"}


def test_what_was_not_synced_may_be_gone_or_there_and_a_new_file_with_it() -> None:
    assert after(SYNCED + NOT_SYNCED, Kept.NONE) == {"a.db": b"new!"}
    assert after(SYNCED + NOT_SYNCED, Kept.ALL) == {"a.db": b"new!x", "b": b"h"}


def test_a_file_whose_folder_was_synced_keeps_its_name_and_not_its_content() -> None:
    assert after(NOT_SYNCED + "2 13.0 fsync(5</w>) = 0\n", Kept.NONE) == {"a.db": b"old!", "b": b""}
