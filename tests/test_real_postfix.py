"""A Postfix as Debian has it takes a campaign over TLS with a login, and what it returns ends as suppressions."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).parent / "comms" / "delivery"))  # where certificates are made

from tls_samples import certificate

from comms.engine.workspace import Workspace
from tests.conftest import Comms, free_port
from tests.support.postfix import DOMAIN, PASSWORD, USER, Postfix, postfix, unusable
from tests.support.processes import wait_until

pytestmark = [pytest.mark.slow, pytest.mark.skipif(bool(unusable()), reason=unusable() or "it can be used")]

LISTS = "lists.example.org"
CAMPAIGN = """\
---
campaign: {id}
title: News
language: en
newsletter:
  subject: News
---

Hello, here is [a link](https://example.org/).
"""
GOOD, GONE = ["ana", "eva"], ["ben", "lee", "max"]


@pytest.fixture
def people(comms: Comms, tmp_path: Path) -> Comms:
    """Two members with a mailbox, and three without."""
    file = tmp_path / "people.csv"
    file.write_text("email,consent\n" + "".join(f"{name}@{DOMAIN},yes\n" for name in GOOD + GONE))
    assert comms("members", "import", str(file)).code == 0
    return comms


def use(comms: Comms, server: Postfix, trusted: Path, door: int) -> None:
    comms.environment |= {
        "SSL_CERT_FILE": str(trusted),
        "COMMS_SMTP__PORT": str(server.port),
        "COMMS_SMTP__SECURITY": "starttls",
        "COMMS_SMTP__USERNAME": USER,
        "COMMS_SMTP__PASSWORD": PASSWORD,
        "COMMS_BOUNCES__ADDRESS": f"bounces@{LISTS}",
        "COMMS_BOUNCES__LISTEN": f"127.0.0.1:{door}",
    }


def send(comms: Comms, tmp_path: Path, campaign: str) -> dict[str, int]:
    """Send a campaign through the `comms run` that is there; returns its deliveries."""
    file = tmp_path / f"{campaign}.md"
    file.write_text(CAMPAIGN.format(id=campaign))
    sent = comms("campaign", "send", str(file), "--yes", "--wait", "--json")
    assert sent.code == 0, sent.err
    deliveries: dict[str, int] = comms("report", campaign, "--json").json()["deliveries"]
    return deliveries


def stopped(comms: Comms) -> list[str]:
    """Who is not written to any more."""
    with Workspace(comms.folder, environment={}) as workspace:
        addresses = workspace.people("coalition").suppressed(f"{name}@{DOMAIN}" for name in GOOD + GONE)
    return sorted(address.partition("@")[0] for address in addresses)


@pytest.mark.timeout(180)
def test_unknown_users_that_postfix_returns_are_not_written_to_again(people: Comms, tmp_path: Path) -> None:
    trusted, door = certificate(tmp_path / "certificate.pem"), free_port()
    with postfix(trusted, mailboxes=GOOD, lists=LISTS, returns_to=door) as server:
        use(people, server, trusted, door)
        running = people.start("run")
        try:
            deliveries = send(people, tmp_path, "first")
            assert deliveries["sent"] == 5, "Postfix took responsibility for all of them"
            wait_until(lambda: stopped(people) == GONE, seconds=60)
            returned = people("bounces", "list", "--json").json()
            assert returned["counts"] == {"no-user": 3}
            assert {past["suppressed"] for past in returned["newest"]} == {"hard bounce"}
            assert people("report", "first", "--json").json()["engagement"]["bounced"] == 3
            assert send(people, tmp_path, "second")["sent"] == 2
            wait_until(lambda: server.delivered() == ["ana", "ana", "eva", "eva"])
        finally:
            running.terminate()
            running.wait(60)
        assert "sasl_username=newsletter" in server.log()


@pytest.mark.timeout(180)
def test_unknown_users_that_postfix_refuses_at_once_are_not_written_to_again(people: Comms, tmp_path: Path) -> None:
    trusted, door = certificate(tmp_path / "certificate.pem"), free_port()
    with postfix(trusted, mailboxes=GOOD, lists=LISTS, returns_to=door, reject_at_once=True) as server:
        use(people, server, trusted, door)
        deliveries = send(people, tmp_path, "first")
        assert (deliveries["sent"], deliveries["failed"]) == (2, 3)
        assert stopped(people) == GONE
        assert people("report", "first", "--json").json()["engagement"]["bounced"] == 0, "they are `failed`"
