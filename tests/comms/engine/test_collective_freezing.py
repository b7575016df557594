"""A campaign has one collective report, made at its close, whatever comes in later."""

from __future__ import annotations

import sqlite3
import sys
from collections.abc import Iterable, Iterator
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

sys.path.insert(0, str(Path(__file__).parents[1] / "engagement"))  # where the samples of these tests are

from collective_samples import associations, carried
from hypothesis import HealthCheck, given, settings
from sent_newsletter import NOW, make_workspace

from campaigns.collective import FrozenReports
from comms.engagement.collective import Carried, CollectiveReport
from comms.engine import collective
from comms.engine.workspace import Workspace
from comms.errors import StateError, StorageError, UsageError
from comms.preview import chromium


@pytest.fixture
def workspace(tmp_path: Path) -> Iterator[Workspace]:
    with make_workspace(tmp_path / "w") as workspace:
        yield workspace


ROWS = [carried(f"a{at}", 100 + at) for at in range(4)]


def freeze(workspace: Workspace, rows: Iterable[Carried], campaign: str = "week", **more: Any) -> CollectiveReport:
    return collective.freeze(workspace, rows, campaign=campaign, title="Reading week", who="dana", **more)


def test_a_later_report_is_the_same_to_the_byte_whatever_came_in_since(workspace: Workspace) -> None:
    first = freeze(workspace, ROWS)
    late = [replace(row, clicks=row.clicks + 3, copies=row.copies + 1) for row in ROWS]
    assert freeze(workspace, [*late, carried("new", 9)], people=5) == first
    assert collective.find(workspace, "week") == first
    assert collective.find(workspace, "another") is None


@given(one=associations(), other=associations())
@settings(max_examples=15, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_nothing_can_be_subtracted_from_a_second_report(
    workspace: Workspace, one: list[Carried], other: list[Carried]
) -> None:
    name = f"c{len(FrozenReports(workspace.host.db).closed(NOW, NOW + timedelta(days=1)))}"
    assert freeze(workspace, one, name) == freeze(workspace, other, name)


def test_of_two_that_freeze_at_once_both_get_the_report_of_the_first(workspace: Workspace) -> None:
    def rows() -> Iterator[Carried]:
        """While one gathers, the other is done."""
        with Workspace(workspace.folder, clock=workspace.now) as other:
            others.append(freeze(other, ROWS))
        yield from ROWS[:3]

    others: list[CollectiveReport] = []
    assert freeze(workspace, rows()) == others[0] == collective.find(workspace, "week")


def test_it_is_of_the_host_at_that_moment_and_in_the_audit_log(workspace: Workspace) -> None:
    report = freeze(workspace, ROWS)
    assert report.coalition == workspace.association(None).name
    assert report.closed == workspace.now()
    assert [(who, what) for _, who, what, _ in workspace.host.audit("week")] == [("dana", collective.FROZEN)]
    freeze(workspace, ROWS)
    assert len(workspace.host.audit("week")) == 1


def test_rows_that_can_not_be_leave_no_report_behind(workspace: Workspace) -> None:
    with pytest.raises(ValueError, match="is there twice"):
        freeze(workspace, [*ROWS, *ROWS])
    assert collective.find(workspace, "week") is None
    assert workspace.host.audit("week") == []


@pytest.mark.parametrize("statement", ["UPDATE collective SET report = '{}'", "DELETE FROM collective"])
def test_the_database_itself_refuses_to_change_or_forget_it(workspace: Workspace, statement: str) -> None:
    freeze(workspace, ROWS)
    with pytest.raises(Exception, match="collective reports are frozen") as caught:
        workspace.host.db.execute(statement)
    assert type(caught.value).__name__ == sqlite3.IntegrityError.__name__
    assert collective.find(workspace, "week") is not None


def test_a_quarter_has_the_campaigns_that_were_closed_in_it(workspace: Workspace) -> None:
    begin = workspace.now()
    for campaign in ("january", "february", "may"):
        freeze(workspace, ROWS, campaign)
        later = workspace.now() + timedelta(days=60)
        workspace.now = lambda at=later: at  # type: ignore[method-assign,misc]
    quarter = collective.several(workspace, begin, begin + timedelta(days=90), "First quarter")
    assert [part.campaign for part in quarter.parts] == ["january", "february"]
    assert quarter.figure("copies").low == 2 * sum(row.copies for row in ROWS)
    with pytest.raises(UsageError, match="no campaign was closed from"):
        collective.several(workspace, begin - timedelta(days=90), begin, "The quarter before")


# --- on paper ---------------------------------------------------------------------------------


@pytest.mark.browser
@pytest.mark.skipif(chromium.find() is None, reason="Chromium is not installed")
def test_the_report_is_a_tagged_pdf_that_runs_and_fetches_nothing(workspace: Workspace, tmp_path: Path) -> None:
    report = freeze(workspace, ROWS)
    collective.write_pdf(replace(report, title="Reading <script>alert(1)</script>"), tmp_path / "report.pdf")
    data = (tmp_path / "report.pdf").read_bytes()
    assert data.startswith(b"%PDF-")
    assert data.rstrip().endswith(b"%%EOF")
    for part in (b"/StructTreeRoot", b"/Outlines", b"/MediaBox [0 0 612 792]"):
        assert part in data
    assert b"/JavaScript" not in data


def test_without_a_browser_it_says_what_to_do(
    workspace: Workspace, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    report = freeze(workspace, ROWS)
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(StateError, match="a PDF needs Chromium") as caught:
        collective.write_pdf(report, tmp_path / "report.pdf")
    assert "print it to a file" in caught.value.hint
    (tmp_path / "chromium").write_text("#!/bin/sh\nexit 1\n")
    (tmp_path / "chromium").chmod(0o700)
    with pytest.raises(StateError, match="the PDF could not be made"):
        collective.write_pdf(report, tmp_path / "report.pdf")
    assert not (tmp_path / "report.pdf").exists()


@pytest.mark.browser
@pytest.mark.skipif(chromium.find() is None, reason="Chromium is not installed")
def test_a_pdf_that_can_not_be_written_leaves_nothing(workspace: Workspace, tmp_path: Path) -> None:
    (tmp_path / "report.pdf").mkdir()
    with pytest.raises(StorageError, match="can not be written"):
        collective.write_pdf(freeze(workspace, ROWS), tmp_path / "report.pdf")
