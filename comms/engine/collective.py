"""Freezes what a campaign reached through all associations at its close, and writes it on paper. Counts nothing."""

from __future__ import annotations

import json
from collections.abc import Iterable
from datetime import datetime
from pathlib import Path

from campaigns.collective import FrozenReports
from comms.db import storage_errors
from comms.engagement.collective import Carried, CollectiveReport, build, combine, to_html
from comms.engine.workspace import Workspace
from comms.errors import StateError, UsageError
from comms.files import save
from comms.preview import chromium
from comms.preview.printing import to_pdf

FROZEN = "figures frozen"
"""In the audit log."""


def freeze(
    workspace: Workspace, rows: Iterable[Carried], *, campaign: str, title: str, people: int | None = None, who: str
) -> CollectiveReport:
    """Close the books of a campaign: from `rows` as they are now comes its only report, for good.

    Where it has one already, that is the answer, and `rows` are not looked at: two reports that differ could be
    subtracted. `people` and what is raised: as of `collective.build`.
    """
    with storage_errors(workspace.host_path):
        kept = find(workspace, campaign)
        if kept is not None:
            return kept
        host, now, coalition = workspace.host, workspace.now(), workspace.association(None).name
        # Outside the transaction, since with hundreds of associations it takes seconds.
        report = build(rows, campaign=campaign, title=title, coalition=coalition, closed=now, people=people)
        with host.db.atomic():
            kept = find(workspace, campaign)
            if kept is not None:
                return kept
            FrozenReports(host.db).keep(campaign, now, json.dumps(report.to_json()))
            host.note(who, FROZEN, campaign, f"associations that sent: {report.figure('sent').told}", now)
    return report


def find(workspace: Workspace, campaign: str) -> CollectiveReport | None:
    """The frozen report of a campaign; None while it is open."""
    kept = FrozenReports(workspace.host.db).get(campaign)
    return None if kept is None else CollectiveReport.from_json(json.loads(kept))


def several(workspace: Workspace, since: datetime, until: datetime, title: str) -> CollectiveReport:
    """One report of all campaigns that were closed from `since` on and before `until`, such as those of a quarter.

    Raises UsageError when there are none.
    """
    kept = FrozenReports(workspace.host.db).closed(since, until)
    if not kept:
        raise UsageError(
            f"no campaign was closed from {since:%Y-%m-%d} on and before {until:%Y-%m-%d}.",
            hint="Figures are told of closed campaigns only; they can still change before.",
        )
    reports = [CollectiveReport.from_json(json.loads(each)) for each in kept]
    return combine(reports, title=title, coalition=workspace.association(None).name)


def write_pdf(report: CollectiveReport, path: Path) -> None:
    """The report on paper, as its page shows it. Raises StateError where there is no Chromium, StorageError."""
    program = chromium.find()
    if program is None:
        raise StateError(
            f"a PDF needs Chromium, and none was found ({', '.join(chromium.PROGRAMS)}).",
            hint="Install one; or write the page as HTML, open it in any browser, and print it to a file.",
        )
    try:
        data = to_pdf(program, to_html(report), f"{report.coalition}: {report.title}")
    except chromium.BrowserError as error:
        raise StateError(
            f"the PDF could not be made: {error}.",
            hint="Write the page as HTML, open it in any browser, and print it to a file.",
        ) from error
    save(path, data)
