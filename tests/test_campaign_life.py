"""A campaign from its schedule to its end: due at each member's time, paused, resumed, cancelled, left by readers."""

from __future__ import annotations

import json
import subprocess
import time
import urllib.request
from collections import Counter
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from tests.conftest import Comms, MailServer
from tests.support.processes import wait_until

CAMPAIGN = """\
---
campaign: {id}
title: A campaign
language: en
newsletter:
  subject: "Hello {{{{ member.name }}}}"
  preview: A preview
{schedule}
---

Dear {{{{ member.name }}}}, [read](https://example.org/).
"""


def campaign(folder: Path, *, name: str = "life", at: str = "", timezone: str = "UTC") -> str:
    schedule = f"schedule:\n  at: {at}\n  timezone: {timezone}" if at else ""
    path = folder / f"{name}.md"
    path.write_text(CAMPAIGN.format(id=name, schedule=schedule))
    return str(path)


@pytest.fixture
def server(comms: Comms, tmp_path: Path, mail_server: Callable[..., MailServer]) -> MailServer:
    people = tmp_path / "people.csv"
    people.write_text("email,name\n" + "".join(f"p{n}@example.org,Person {n}\n" for n in range(300)))
    assert comms("members", "import", str(people)).code == 0
    server = mail_server(delay=0.15, content=True)  # slow enough for a command to come in between
    comms.environment |= {
        "COMMS_SMTP__PORT": str(server.port),
        "COMMS_DELIVERY__SENDERS": "2",
        "COMMS_DELIVERY__BATCH_SIZE": "20",
    }
    return server


@pytest.fixture
def slow_server(comms: Comms, server: MailServer) -> MailServer:
    """Takes twenty seconds for all of them, so that a command comes in between on a busy machine, too."""
    comms.environment["COMMS_SMTP__CONNECTIONS"] = "1"
    return server


def state(comms: Comms, name: str = "life") -> dict[str, object]:
    document = comms.status(name)
    return {"state": document["state"], **document["deliveries"]}


def test_pause_bites_within_the_batches_on_the_way_and_resume_reaches_the_rest(
    comms: Comms, slow_server: MailServer, tmp_path: Path
) -> None:
    assert comms("campaign", "send", campaign(tmp_path), "--yes").code == 0
    run = comms.start("run")
    wait_until(lambda: len(slow_server.taken()) > 20)
    assert comms("campaign", "pause", "life").code == 0
    wait_until(lambda: state(comms)["claimed"] == 0)
    paused_at = len(slow_server.taken())
    time.sleep(1.5)
    assert len(slow_server.taken()) == paused_at
    assert paused_at < 300, "the pause came too late to prove anything"
    assert state(comms)["state"] == "paused"
    assert comms("campaign", "resume", "life").code == 0
    wait_until(lambda: state(comms)["state"] == "sent")
    run.terminate()
    assert run.wait(30) == 0
    assert Counter(slow_server.recipients()) == Counter(f"p{n}@example.org" for n in range(300))


def test_cancel_ends_a_send_for_good_and_everyone_has_a_final_state(
    comms: Comms, slow_server: MailServer, tmp_path: Path
) -> None:
    path = campaign(tmp_path)
    assert comms("campaign", "send", path, "--yes").code == 0
    run = comms.start("run")
    wait_until(lambda: len(slow_server.taken()) > 20)
    assert comms("campaign", "cancel", "life", "--yes").code == 0
    wait_until(lambda: state(comms)["claimed"] == 0)
    counts = state(comms)
    run.terminate()
    assert run.wait(30) == 0
    assert counts["state"] == "cancelled"
    assert counts["ready"] == counts["deferred"] == 0
    assert int(str(counts["sent"])) + int(str(counts["cancelled"])) == 300
    assert len(slow_server.taken()) == counts["sent"]
    assert comms("campaign", "resume", "life").code == 1
    assert comms("campaign", "send", path, "--yes").code == 1


def test_who_unsubscribes_while_a_campaign_is_paused_is_skipped(
    comms: Comms, server: MailServer, tmp_path: Path
) -> None:
    first = campaign(tmp_path, name="first")
    assert comms("campaign", "send", first, "--yes", "--wait").code == 0
    record = next(record for record in server.taken() if record["to"] == "p7@example.org")
    assert comms("campaign", "send", campaign(tmp_path, name="second"), "--yes").code == 0
    assert comms("campaign", "pause", "second").code == 0
    path = record["content"].split("List-Unsubscribe: <")[1].split(">")[0].split("/u/")[1].replace("\r\n ", "")
    site = f"http://127.0.0.1:{comms.environment['COMMS_SITE__PORT']}"
    web = comms.start("web")
    wait_until(lambda: _answers(f"{site}/healthz"))
    request = urllib.request.Request(f"{site}/u/{path}", data=b"List-Unsubscribe=One-Click", method="POST")
    assert urllib.request.urlopen(request).status == 200
    web.terminate()
    web.wait()
    assert comms("campaign", "resume", "second").code == 0
    assert comms("campaign", "send", campaign(tmp_path, name="second"), "--yes", "--wait").code == 0
    counts = state(comms, "second")
    assert (counts["sent"], counts["skipped"]) == (299, 1)
    assert server.recipients().count("p7@example.org") == 1
    shown = comms("members", "show", "p7@example.org", "--json").json()
    assert shown["mailable"] is False
    assert shown["reason"] == "withdrawn"


def _answers(url: str) -> bool:
    try:
        with urllib.request.urlopen(url, timeout=2) as response:
            return bool(response.status == 200)
    except OSError:
        return False


def test_a_scheduled_campaign_goes_out_at_its_time_and_not_before(
    comms: Comms, server: MailServer, tmp_path: Path
) -> None:
    soon = datetime.now(UTC) + timedelta(seconds=70)
    path = campaign(tmp_path, at=f"{soon + timedelta(days=1):%Y-%m-%d %H:%M}")
    done = comms("campaign", "schedule", path, "--yes", "--json")
    assert done.code == 0, done.err
    assert done.json() | {"deliveries": {}} == {"id": "life", "state": "scheduled", "audience": 300, "deliveries": {}}
    run = comms.start("run")
    time.sleep(3)
    assert server.taken() == []
    # Approved once more with another time: the new one counts, and nobody gets it twice.
    again = campaign(tmp_path, at=f"{datetime.now(UTC) - timedelta(minutes=1):%Y-%m-%d %H:%M}")
    assert comms("campaign", "schedule", again, "--yes").code == 0
    wait_until(lambda: state(comms)["state"] == "sent")
    run.terminate()
    assert run.wait(30) == 0
    assert Counter(server.recipients()) == Counter(f"p{n}@example.org" for n in range(300))


def test_each_member_gets_it_at_the_wall_clock_time_of_their_own_zone(
    comms: Comms, mail_server: Callable[..., MailServer], tmp_path: Path
) -> None:
    """Nine o'clock has come in the east and not in the west: only the east has it."""
    now = datetime.now(UTC)
    people = tmp_path / "people.csv"
    # 26 hours lie between these zones: a time that has just passed in one is far off in the other.
    people.write_text("email,name,timezone\neast@example.org,E,Pacific/Kiritimati\nwest@example.org,W,Etc/GMT+12\n")
    assert comms("members", "import", str(people)).code == 0
    server = mail_server()
    comms.environment |= {"COMMS_SMTP__PORT": str(server.port)}
    local_in_the_east = now + timedelta(hours=14) - timedelta(minutes=2)
    path = campaign(tmp_path, at=f"{local_in_the_east:%Y-%m-%d %H:%M}", timezone="member")
    assert comms("campaign", "schedule", path, "--yes").code == 0
    run = comms.start("run")
    wait_until(lambda: server.taken())
    time.sleep(1)
    assert server.recipients() == ["east@example.org"]
    counts = state(comms)
    assert (counts["state"], counts["sent"], counts["ready"]) == ("sending", 1, 1)
    run.terminate()
    assert run.wait(30) == 0


def test_two_control_processes_do_not_run_in_one_workspace(comms: Comms, server: MailServer) -> None:
    run = comms.start("run")
    wait_until(lambda: (comms.folder / "queue.db").exists())
    second = comms("run")
    assert second.code == 1
    assert "already" in second.err
    run.terminate()
    assert run.wait(30) == 0


def test_comms_run_takes_over_from_a_command_that_waits_for_its_campaign(
    comms: Comms, slow_server: MailServer, tmp_path: Path
) -> None:
    words = ("campaign", "send", campaign(tmp_path), "--yes", "--wait", "--json")
    sending = comms.start(*words, stdout=subprocess.PIPE, text=True)
    wait_until(lambda: len(slow_server.taken()) > 20)
    run = comms.start("run")
    site = f"http://127.0.0.1:{comms.environment['COMMS_SITE__PORT']}"
    wait_until(lambda: _answers(f"{site}/healthz"))
    assert len(slow_server.taken()) < 300, "it was over before somebody could take over"
    out, _ = sending.communicate(timeout=60)
    assert sending.returncode == 0
    assert json.loads(out)["deliveries"]["sent"] == 300
    assert run.poll() is None
    run.terminate()
    assert run.wait(30) == 0
    assert Counter(slow_server.recipients()) == Counter(f"p{n}@example.org" for n in range(300))


def test_an_association_whose_database_is_damaged_does_not_stop_the_others(
    comms: Comms, server: MailServer, tmp_path: Path
) -> None:
    words = ("--name", "Other", "--from", "o@other.example", "--postal-address", "2 Main Street")
    assert comms("association", "add", "other", *words).code == 0
    for file in (comms.folder / "associations").glob("other.db*"):
        file.write_bytes(b"this was a database" * 300)
    done = comms("campaign", "send", campaign(tmp_path), "--yes", "--wait", "--json")
    assert done.code == 0, done.err
    assert done.json()["deliveries"]["sent"] == 300
    assert "other" in done.err


def test_json_is_one_document_also_where_a_yes_is_missing(comms: Comms, server: MailServer, tmp_path: Path) -> None:
    done = comms("campaign", "send", campaign(tmp_path), "--json")
    assert done.code == 2
    assert "--yes" in done.json()["hint"]
    assert server.taken() == []


def test_who_watches_sees_how_fast_it_goes_and_where_to_until_it_is_over(
    comms: Comms, server: MailServer, tmp_path: Path
) -> None:
    assert comms("campaign", "send", campaign(tmp_path), "--yes").code == 0
    run = comms.start("run")
    watched = comms("campaign", "status", "life", "--follow", "--json")
    looks = [json.loads(line) for line in watched.out.splitlines()]
    assert watched.code == 0
    assert looks[-1]["state"] == "sent"
    assert looks[-1]["deliveries"]["sent"] == 300
    assert any(look["per_second"] > 0 and look["remaining_s"] for look in looks[:-1])
    assert looks[0]["domains"][0]["domain"] == "example.org"
    assert looks[0]["domains"][0]["audience"] == 300
    run.terminate()
    run.wait()


def test_domains_of_few_are_not_shown(comms: Comms, server: MailServer, tmp_path: Path) -> None:
    few = tmp_path / "few.csv"
    few.write_text("email,name\n" + "".join(f"p{n}@few.example,Person {n}\n" for n in range(9)))
    assert comms("members", "import", str(few)).code == 0
    assert comms("campaign", "send", campaign(tmp_path), "--wait", "--yes").code == 0
    look = comms("campaign", "status", "life", "--follow", "--json").json()
    assert [(each["domain"], each["sent"]) for each in look["domains"]] == [("example.org", 300)]
