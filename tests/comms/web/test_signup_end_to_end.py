"""A person signs up: page, mail, link and newsletter, through the processes that really run."""

from __future__ import annotations

import email
import email.policy
import re
import urllib.error
import urllib.parse
import urllib.request
from collections.abc import Callable, Iterator
from email.message import EmailMessage
from pathlib import Path

import pytest

from tests.conftest import Comms, MailServer
from tests.support.processes import kill, of_workspace, wait_until

EVA = "eva@example.org"
IP = "203.0.113.4"
CAMPAIGN = """\
---
campaign: {name}
title: News
language: en
audience:
  topic: news
newsletter:
  subject: News
  preview: A preview
---

Dear reader.
"""


@pytest.fixture
def server(comms: Comms, mail_server: Callable[..., MailServer]) -> MailServer:
    server = mail_server(content=True)
    port = comms.environment["COMMS_SITE__PORT"]
    comms.environment |= {
        "COMMS_SMTP__PORT": str(server.port),
        "COMMS_DELIVERY__SENDERS": "1",
        "COMMS_SITE__URL": f"http://127.0.0.1:{port}",
    }
    return server


@pytest.fixture
def running(comms: Comms, server: MailServer) -> Iterator[None]:
    process = comms.start("run")
    wait_until(lambda: reachable(comms))
    yield
    process.terminate()
    process.wait(30)


def reachable(comms: Comms) -> bool:
    try:
        return fetch(comms, "/healthz")[0] == 200
    except OSError:
        return False


def fetch(comms: Comms, path: str, **fields: str) -> tuple[int, str]:
    """GET without fields, else POST."""
    url = path if path.startswith("http") else f"{comms.environment['COMMS_SITE__URL']}{path}"
    body = urllib.parse.urlencode(fields).encode() if fields else None
    request = urllib.request.Request(url, data=body, headers={"X-Forwarded-For": IP})
    try:
        with urllib.request.urlopen(request, timeout=10) as response:
            return response.status, response.read().decode()
    except urllib.error.HTTPError as error:
        return error.code, error.read().decode()


def mails(server: MailServer, subject: str) -> list[EmailMessage]:
    found = [email.message_from_string(r["content"], policy=email.policy.default) for r in server.taken()]
    return [mail for mail in found if subject in mail["Subject"]]


def link(mail: EmailMessage) -> str:
    part = mail.get_body(("plain",))
    assert part is not None
    found = re.search(r"http\S+/s/\S+", part.get_content())
    assert found is not None
    return found[0]


def send(comms: Comms, folder: Path, name: str) -> None:
    path = folder / f"{name}.md"
    path.write_text(CAMPAIGN.format(name=name))
    assert comms("campaign", "send", str(path), "--yes", "--wait").code in (0, 1)


@pytest.mark.slow
@pytest.mark.usefixtures("running")
def test_signing_up_leads_to_newsletters_and_only_by_the_link(comms: Comms, server: MailServer, tmp_path: Path) -> None:
    send(comms, tmp_path, "too-early")
    assert fetch(comms, "/subscribe/coalition", address=EVA, topic="news", language="fr")[0] == 200
    wait_until(lambda: mails(server, "Confirmez votre inscription"))
    url = link(mails(server, "Confirmez votre inscription")[0])

    assert fetch(comms, url)[0] == 200
    assert comms("members", "show", EVA, "--json").json()["mailable"] is False
    assert fetch(comms, url, confirm="yes")[0] == 200
    assert fetch(comms, url, confirm="yes")[0] == 410
    wait_until(lambda: mails(server, "Bienvenue"))

    shown = comms("members", "show", EVA, "--json").json()
    assert (shown["mailable"], shown["language"]) == (True, "fr")
    (record,) = shown["consent"]
    assert (record["basis"], record["request_address"]) == ("express", IP)
    assert "par courriel, jusqu’à ce que j’y mette fin" in record["wording"]
    assert record["confirmed"].startswith("link in the mail of ")

    send(comms, tmp_path, "in-time")
    assert [mail["To"] for mail in mails(server, "News")] == [EVA]


@pytest.mark.slow
@pytest.mark.usefixtures("running")
def test_an_invitation_survives_every_process_being_killed(comms: Comms, server: MailServer) -> None:
    kill(of_workspace(comms.folder))
    wait_until(lambda: not of_workspace(comms.folder))
    assert comms("members", "invite", EVA, "--topic", "news", "--json").json()["invited"] is True
    for _ in range(3):
        process = comms.start("run")
        wait_until(lambda: reachable(comms))
        kill(of_workspace(comms.folder))
        process.wait(30)
    process = comms.start("run")
    wait_until(lambda: mails(server, "Please confirm"))
    assert {link(mail) for mail in mails(server, "Please confirm")} == {link(mails(server, "Please confirm")[0])}
    assert comms("members", "invite", EVA, "--topic", "board").code == 2
    process.terminate()
    process.wait(30)
