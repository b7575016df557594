"""A backup comes back without forgetting what people said and got since it was made."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Callable
from pathlib import Path

import pytest

from comms.engine import stops
from comms.engine.maintenance import back_up
from comms.engine.workspace import Workspace
from comms.links import MemberToken
from tests.conftest import Comms, MailServer
from tests.support.processes import kill, of_workspace, wait_until

CAMPAIGN = """\
---
campaign: {id}
title: A campaign
language: en
newsletter:
  subject: "Hello"
  preview: A preview
---

Hello.
"""


@pytest.fixture
def server(comms: Comms, tmp_path: Path, mail_server: Callable[..., MailServer]) -> MailServer:
    (tmp_path / "people.csv").write_text("email\n" + "".join(f"p{n}@example.org\n" for n in range(200)))
    assert comms("members", "import", str(tmp_path / "people.csv")).code == 0
    server = mail_server(delay=0.05)
    comms.environment |= {
        "COMMS_SMTP__PORT": str(server.port),
        "COMMS_DELIVERY__SENDERS": "2",
        "COMMS_DELIVERY__BATCH_SIZE": "20",
    }
    return server


def campaign(folder: Path, name: str) -> str:
    path = folder / f"{name}.md"
    path.write_text(CAMPAIGN.format(id=name))
    return str(path)


def test_who_was_erased_or_left_after_the_backup_is_not_mailed_after_the_restore(
    comms: Comms, server: MailServer, tmp_path: Path
) -> None:
    archive = str(tmp_path / "backup.tar.gz")
    assert comms("backup", archive).code == 0
    assert comms("members", "erase", "p1@example.org", "--yes").code == 0
    out = tmp_path / "out.csv"
    out.write_text("email,status\np2@example.org,unsubscribed\n")
    assert comms("members", "import", str(out)).code == 0
    done = comms("restore", archive, "--json")
    assert done.code == 0, done.err
    assert done.json()["carried"] >= 2
    assert Path(done.json()["before"]).is_dir()
    for address in ("p1@example.org", "p2@example.org"):
        assert comms("members", "show", address, "--json").json()["mailable"] is False
    assert comms("campaign", "send", campaign(tmp_path, "after"), "--yes", "--wait").code == 0
    assert Counter(server.recipients()) == Counter(f"p{n}@example.org" for n in range(200) if n not in (1, 2))


def test_nothing_of_an_erased_person_comes_back_whatever_their_address_was_suppressed_for(
    comms: Comms, server: MailServer, tmp_path: Path
) -> None:
    """A member whose address had bounced, and somebody who had only asked for newsletters."""
    bounced = tmp_path / "cleaned.csv"
    bounced.write_text("Email Address,First Name,CLEAN_TIME,LEID,EUID\np1@example.org,Anaconda,2026-01-01,1,a\n")
    assert comms("members", "import", str(bounced), "--source", "mailchimp").code == 0
    assert comms("members", "invite", "visitor@example.org").code == 0
    archive = str(tmp_path / "backup.tar.gz")
    assert comms("backup", archive).code == 0
    assert comms("members", "erase", "p1@example.org", "--yes").code == 0
    assert comms("members", "erase", "visitor@example.org", "--yes").code == 1
    for address in (b"visitor@example.org", b"p1@example.org", b"Anaconda"):
        assert all(address not in file.read_bytes() for file in (comms.folder / "associations").iterdir()), address

    assert comms("restore", archive).code == 0
    assert comms("members", "show", "p1@example.org").code == 1
    run = comms.start("run")
    wait_until(lambda: (comms.folder / "queue.db").exists())
    assert comms("campaign", "send", campaign(tmp_path, "after"), "--yes", "--wait").code == 0
    run.terminate()
    assert run.wait(30) == 0
    assert not {"visitor@example.org", "p1@example.org"} & set(server.recipients())


def test_who_opted_out_and_is_not_in_the_backup_is_not_brought_in_by_an_old_list(
    comms: Comms, server: MailServer, tmp_path: Path
) -> None:
    archive = str(tmp_path / "backup.tar.gz")
    assert comms("backup", archive).code == 0
    late = tmp_path / "late.csv"
    late.write_text("email\nlate@example.org\n")
    out = tmp_path / "out.csv"
    out.write_text("email,status\nlate@example.org,unsubscribed\n")
    assert comms("members", "import", str(late)).code == 0
    assert comms("members", "import", str(out)).code == 0
    assert comms("restore", archive).code == 0
    assert comms("members", "import", str(late)).code == 0
    shown = comms("members", "show", "late@example.org", "--json").json()
    assert (shown["mailable"], shown["reason"]) == (False, "withdrawn")


def test_a_link_in_a_mail_sent_after_the_backup_is_nobody_elses_afterwards(
    comms: Comms, server: MailServer, tmp_path: Path
) -> None:
    archive = str(tmp_path / "backup.tar.gz")
    assert comms("backup", archive).code == 0
    assert comms("campaign", "send", campaign(tmp_path, "lost"), "--yes", "--wait").code == 0

    def numbers() -> set[int]:
        with Workspace(comms.folder) as workspace:
            return {row[0] for row in workspace.association_db("coalition").execute("SELECT id FROM delivery")}

    mailed = numbers()
    assert comms("restore", archive).code == 0
    assert numbers() == mailed, "and it goes on leading to whom it was mailed"
    assert comms("campaign", "send", campaign(tmp_path, "after"), "--yes", "--wait").code == 0
    assert len(mailed) == len(numbers() - mailed) == 200


def test_what_was_sent_wholly_after_the_backup_is_known_and_not_sent_again(
    comms: Comms, server: MailServer, tmp_path: Path
) -> None:
    archive, path = str(tmp_path / "backup.tar.gz"), campaign(tmp_path, "late")
    assert comms("backup", archive).code == 0
    late = tmp_path / "late.csv"
    late.write_text("email\nlate@example.org\n")
    assert comms("members", "import", str(late)).code == 0
    assert comms("campaign", "send", path, "--yes", "--wait").code == 0
    done = comms("restore", archive, "--json")
    assert done.json()["carried"] >= 201
    again = comms("campaign", "send", path, "--yes", "--wait")
    assert again.code == 1
    assert "nobody gets it twice" in again.err
    assert comms("campaign", "status", "late", "--json").json()["deliveries"]["sent"] == 201
    assert len(server.recipients()) == 201
    assert comms("members", "show", "late@example.org", "--json").json()["mailable"] is False


def test_a_wish_to_stop_that_was_only_kept_so_far_holds_after_a_restore(
    comms: Comms, server: MailServer, tmp_path: Path
) -> None:
    assert comms("campaign", "send", campaign(tmp_path, "first"), "--yes", "--wait").code == 0
    archive = str(tmp_path / "backup.tar.gz")
    assert comms("backup", archive).code == 0
    with Workspace(comms.folder) as workspace:
        number = workspace.association_db("coalition").execute("SELECT min(id) FROM delivery").fetchone()[0]
        token = workspace.links.signer.sign(MemberToken("coalition", number))
        address = next(iter(workspace.people("coalition").select(limit=1))).address
    wish = {"token": token, "source": "one-click unsubscribe", "at": "2027-02-01T09:00:00+00:00"}
    (comms.folder / stops.FOLDER).mkdir(exist_ok=True)
    (comms.folder / stops.FOLDER / "one.json").write_text(json.dumps(wish))
    assert comms("restore", archive).code == 0
    assert address is not None
    assert comms("members", "show", address, "--json").json()["mailable"] is False


def test_what_was_sent_after_the_backup_is_not_sent_again(comms: Comms, server: MailServer, tmp_path: Path) -> None:
    # Slow enough to be killed before it is through.
    comms.environment |= {"COMMS_SMTP__CONNECTIONS": "1", "COMMS_DELIVERY__SENDERS": "1"}
    path = campaign(tmp_path, "life")
    assert comms("campaign", "send", path, "--yes").code == 0
    run = comms.start("run")
    wait_until(lambda: len(server.taken()) > 20)
    archive = str(tmp_path / "backup.tar.gz")
    with Workspace(comms.folder, environment={}) as workspace:  # no command: it would take longer to begin
        back_up(workspace, Path(archive))
    wait_until(lambda: len(server.taken()) > 100)
    kill(of_workspace(comms.folder))
    run.wait()
    assert comms("campaign", "pause", "life").code == 0
    run = comms.start("run")  # takes over what the killed senders left, so that the old ledger is complete
    wait_until(lambda: comms.status("life")["deliveries"]["claimed"] == 0)
    run.terminate()
    assert run.wait(30) == 0

    done = comms("restore", archive, "--json")
    assert done.code == 0, done.err
    assert done.json()["paused"] == ["life"]
    assert comms("campaign", "resume", "life").code == 0
    assert comms("campaign", "send", path, "--yes", "--wait").code == 0
    copies = Counter(server.recipients())
    report = comms("report", "life", "--json").json()
    held = {case["address"] for case in report["in_doubt"]}
    assert set(copies) | held == {f"p{n}@example.org" for n in range(200)}
    twice = {address for address, number in copies.items() if number > 1}
    assert len(twice) <= 8, "only those on the wire of the killed senders may have two"
    deliveries = report["deliveries"]
    assert deliveries["sent"] + deliveries["uncertain"] == 200


def test_a_restore_over_something_else_is_refused(comms: Comms, server: MailServer, tmp_path: Path) -> None:
    archive = str(tmp_path / "backup.tar.gz")
    assert comms("backup", archive).code == 0
    other = tmp_path / "other"
    other.mkdir()
    (other / "letter.txt").write_text("keep me")
    assert comms("restore", archive, "--into", str(other)).code == 2
    assert (other / "letter.txt").read_text() == "keep me"
    run = comms.start("run")
    wait_until(lambda: (comms.folder / "queue.db").exists())
    refused = comms("restore", archive)
    assert refused.code == 1
    assert "runs" in refused.err
    run.terminate()
    assert run.wait(30) == 0
