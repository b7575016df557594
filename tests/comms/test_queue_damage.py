"""A queue whose file is damaged, as by a power cut, is made anew: the ledger knows what it held."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from pathlib import Path

import pytest

from comms.engine.workspace import Workspace
from comms.errors import StorageError
from comms.queues import queue_of, renew_damaged_queue
from tests.conftest import Comms, MailServer
from tests.support.processes import kill, of_workspace, wait_until

CAMPAIGN = """\
---
campaign: queued
title: Queued
language: en
newsletter:
  subject: "Hello"
  preview: A preview
---

Hello.
"""


def spoil(path: Path, offset: int) -> None:
    """Turn over every octet of a file from here on."""
    data = path.read_bytes()
    path.write_bytes(data[:offset] + bytes(octet ^ 0xFF for octet in data[offset:]))


@pytest.mark.parametrize("offset", [0, 100, 4096])
def test_a_send_goes_on_after_its_queue_was_damaged(
    offset: int, comms: Comms, tmp_path: Path, mail_server: Callable[..., MailServer]
) -> None:
    (tmp_path / "people.csv").write_text("email\n" + "".join(f"p{n}@example.org\n" for n in range(200)))
    (tmp_path / "campaign.md").write_text(CAMPAIGN)
    assert comms("members", "import", str(tmp_path / "people.csv")).code == 0
    server = mail_server(delay=0.05)
    comms.environment |= {"COMMS_SMTP__PORT": str(server.port), "COMMS_DELIVERY__BATCH_SIZE": "20"}
    assert comms("campaign", "send", str(tmp_path / "campaign.md"), "--yes").code == 0
    run = comms.start("run")
    wait_until(lambda: len(server.taken()) > 20)
    kill(of_workspace(comms.folder))
    run.wait()
    for name in ("queue.db-wal", "queue.db-shm"):
        (comms.folder / name).unlink(missing_ok=True)
    spoil(comms.folder / "queue.db", offset)
    done = comms("campaign", "send", str(tmp_path / "campaign.md"), "--yes", "--wait")
    assert done.code == 0, done.err
    assert "Traceback" not in done.err
    assert set(Counter(server.recipients())) == {f"p{n}@example.org" for n in range(200)}


def test_a_queue_that_is_intact_keeps_what_it_holds(comms: Comms) -> None:
    with Workspace(comms.folder) as workspace:
        queue_of(workspace).put({"kind": "nothing"})
        renew_damaged_queue(workspace)
        assert queue_of(workspace).waiting() == 1


def test_damage_that_is_met_at_work_is_nothing_to_wait_for(comms: Comms) -> None:
    """So that `comms run` ends, and begins anew with a new queue."""
    with Workspace(comms.folder) as workspace:
        queue = queue_of(workspace)
        for number in range(50):
            queue.put({"kind": "nothing", "filler": "x" * 1000 * number})
        queue.work.storage.close()
        queue.reports.storage.close()
        for name in ("queue.db-wal", "queue.db-shm"):
            (comms.folder / name).unlink(missing_ok=True)
        spoil(workspace.queue_path, 4096)
        with pytest.raises(StorageError) as caught:
            queue.waiting()
    assert "damaged" in caught.value.message
    assert not caught.value.passing
