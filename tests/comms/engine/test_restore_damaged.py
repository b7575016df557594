"""A restore over a workspace that can be read in part only: nobody is written to twice by guess, and all are named."""

from __future__ import annotations

import sqlite3
from collections import Counter
from collections.abc import Callable
from contextlib import closing
from pathlib import Path

import pytest

from tests.conftest import Comms, MailServer
from tests.support.processes import kill, of_workspace, wait_until

CAMPAIGN = """\
---
campaign: damaged
title: A campaign
language: en
newsletter:
  subject: "Hello"
  preview: A preview
---

Hello.
"""
PEOPLE = 400
PAGE = 4096


def spoil(path: Path, table: str) -> None:
    """Make the first page of a table one that SQLite refuses."""
    with closing(sqlite3.connect(path)) as db:
        db.execute("PRAGMA wal_checkpoint(TRUNCATE)")
        (root,) = db.execute("SELECT rootpage FROM sqlite_master WHERE name = ?", [table]).fetchone()
    data = bytearray(path.read_bytes())
    data[(root - 1) * PAGE] = 0xA5
    path.write_bytes(data)


@pytest.mark.slow
@pytest.mark.parametrize(
    ("file", "table", "all_held"),
    [("associations/coalition.db", "delivery", True), ("associations/coalition.db", "consent", False),
     ("host.db", "association", False)],
)  # fmt: skip
def test_a_damaged_workspace_tells_what_went_out_as_far_as_it_can_be_read(
    comms: Comms, tmp_path: Path, mail_server: Callable[..., MailServer], file: str, table: str, all_held: bool
) -> None:
    (tmp_path / "people.csv").write_text("email\n" + "".join(f"p{n}@example.org\n" for n in range(PEOPLE)))
    (tmp_path / "campaign.md").write_text(CAMPAIGN)
    assert comms("members", "import", str(tmp_path / "people.csv")).code == 0
    server = mail_server(delay=0.3)
    comms.environment |= {"COMMS_SMTP__PORT": str(server.port), "COMMS_DELIVERY__SENDERS": "1"}
    assert comms("campaign", "send", str(tmp_path / "campaign.md"), "--yes").code == 0
    backup = str(tmp_path / "backup.tar.gz")
    assert comms("backup", backup).code == 0
    run = comms.start("run")
    wait_until(lambda: len(server.taken()) > 20)
    kill(of_workspace(comms.folder))
    run.wait()
    before = set(server.recipients())
    spoil(comms.folder / file, table)
    done = comms("restore", backup, "--json")
    assert done.code == 0, done.err
    assert comms("campaign", "resume", "damaged").code == 0
    if not all_held:
        run = comms.start("run")
        wait_until(lambda: len(server.taken()) > len(before) + 20)
        kill(of_workspace(comms.folder))
        run.wait()
    report = comms("report", "damaged", "--json").json()
    doubted = Counter(case["address"] for case in report["in_doubt"])
    twice = Counter(server.recipients()) - Counter(set(server.recipients()))
    assert twice <= doubted, "a second copy that nobody was told of"
    if all_held:
        assert done.json()["in_doubt"] == report["deliveries"]["uncertain"] == PEOPLE
