"""A campaign is offered, accepted and relayed by the real command, senders, mail server and web face."""

from __future__ import annotations

import email
import json
import smtplib
import urllib.request
from collections import Counter
from collections.abc import Callable
from email.message import EmailMessage
from email.policy import SMTP
from pathlib import Path
from typing import Any

import pytest

from tests.conftest import Comms, MailServer, free_port
from tests.support.processes import wait_until

OFFER = """\
---
campaign: {id}
title: We seek a partner
language: en
newsletter:
  subject: Could you host us?
  preview: Proposals are welcome
relay:
  associations: all
---

Dear {{{{ member.name or "colleague" }}}}, the Coalition seeks a partner.

::: slot near-you "What does this mean where you are?"
Ask us about it.
:::
"""
BOTH = [f"both{n}@example.org" for n in range(20)]
LISTS = {slug: [*(f"{slug}{n}@example.org" for n in range(15)), *BOTH] for slug in ("maine", "ohio")}


@pytest.fixture
def server(comms: Comms, tmp_path: Path, mail_server: Callable[..., MailServer]) -> MailServer:
    """Two associations that share twenty people, each with one seat."""
    for slug, addresses in LISTS.items():
        added = comms(
            "association", "add", slug, "--name", f"{slug.title()} Libraries", "--from", f"news@{slug}.example",
            "--postal-address", f"1 High Street, {slug.title()}", "--kind", "library",
        )  # fmt: skip
        assert added.code == 0, added.err
        people = tmp_path / f"{slug}.csv"
        people.write_text("email,name\n" + "".join(f"{address},Person\n" for address in addresses))
        assert comms("members", "import", str(people), "--association", slug).code == 0
        assert comms("relay", "seat", slug, f"luis@{slug}.example", "--name", f"Luis of {slug}").code == 0
    server = mail_server(content=True)
    comms.environment |= {"COMMS_SMTP__PORT": str(server.port), "COMMS_DELIVERY__SENDERS": "2"}
    comms.environment["COMMS_SITE__URL"] = f"http://127.0.0.1:{comms.environment['COMMS_SITE__PORT']}"
    return server


def _offer(comms: Comms, folder: Path, name: str) -> Any:
    file = folder / f"{name}.md"
    file.write_text(OFFER.format(id=name))
    return comms("relay", "offer", str(file), "--yes", "--json")


def _states(comms: Comms, name: str) -> set[str]:
    return {each["state"] for each in comms("relay", "status", name, "--json").json()["associations"]}


def _mails(server: MailServer) -> dict[str, list[EmailMessage]]:
    """Address -> the newsletters it got, without the mails to seats."""
    found: dict[str, list[EmailMessage]] = {}
    for record in server.taken():
        if not record["to"].startswith("luis@"):
            message = email.message_from_string(record["content"], policy=SMTP)
            assert isinstance(message, EmailMessage)
            found.setdefault(record["to"], []).append(message)
    return found


def test_an_offer_becomes_one_copy_for_each_person_and_one_click_ends_all_that_is_relayed(
    comms: Comms, server: MailServer, tmp_path: Path
) -> None:
    planned = comms("relay", "offer", str(_file(tmp_path)), "--dry-run", "--json").json()
    assert {each["association"]: each["audience"] for each in planned["associations"]} == {"maine": 35, "ohio": 35}
    assert json.loads(comms("relay", "list", "--json").out) == [], "a dry run offers nothing"

    assert _offer(comms, tmp_path, "partner").code == 0
    run = comms.start("run")
    try:
        wait_until(lambda: {record["to"] for record in server.taken()} >= {f"luis@{slug}.example" for slug in LISTS})
        adapted = comms("relay", "adapt", "partner", "-a", "maine", "--as", "luis@maine.example",
                        "--text", "near-you=We meet in **Bangor**.", "--json")  # fmt: skip
        assert adapted.json()["state"] == "adapting"
        for slug in LISTS:
            accepted = comms("relay", "accept", "partner", "-a", slug, "--as", f"luis@{slug}.example", "--json")
            assert accepted.code == 0, accepted.err
        wait_until(lambda: _states(comms, "partner") == {"sent"}, seconds=120)
        mails = _mails(server)
        assert Counter({to: len(each) for to, each in mails.items()}) == Counter({*LISTS["maine"], *LISTS["ohio"]})
        (mail,) = mails["maine3@example.org"]
        assert mail["From"] == "Maine Libraries <news@maine.example>"
        assert "maine" in mail["List-Id"]
        text = mail.get_body(("plain",))
        assert text is not None
        assert "We meet in Bangor." in " ".join(text.get_content().replace("*", "").split())
        assert "Relayed from The Coalition" in text.get_content()
        assert "1 High Street, Maine" in text.get_content()

        stopped = BOTH[0]
        url = mails[stopped][0]["List-Unsubscribe"].strip("<>").split(">")[0]
        request = urllib.request.Request(url, data=b"List-Unsubscribe=One-Click", method="POST")
        with urllib.request.urlopen(request, timeout=20) as answer:
            assert answer.status == 200
        assert _offer(comms, tmp_path, "second").code == 0
        for slug in LISTS:
            assert comms("relay", "accept", "second", "-a", slug).code == 0
        wait_until(lambda: _states(comms, "second") == {"sent"}, seconds=120)
    finally:
        run.terminate()
        assert run.wait(30) == 0
    counts = Counter(to for to, each in _mails(server).items() for _ in each)
    assert counts[stopped] == 1, "it stopped whatever is relayed, whoever would send it"
    assert {number for to, number in counts.items() if to != stopped} == {2}
    shown = comms("members", "show", stopped, "-a", "maine", "--json").json()
    assert shown["mailable"], "the association's own newsletters still come"


def test_an_answer_reaches_the_association_and_an_absence_does_not(
    comms: Comms, server: MailServer, tmp_path: Path
) -> None:
    door = free_port()
    comms.environment["COMMS_BOUNCES__ADDRESS"] = "bounces@lists.example.org"
    comms.environment["COMMS_BOUNCES__LISTEN"] = f"127.0.0.1:{door}"
    assert _offer(comms, tmp_path, "partner").code == 0
    for slug in LISTS:
        assert comms("relay", "accept", "partner", "-a", slug).code == 0
    run = comms.start("run")
    try:
        wait_until(lambda: _states(comms, "partner") == {"sent"}, seconds=120)
        (mail,) = _mails(server)["maine3@example.org"]
        alias = mail["Reply-To"]
        assert alias.startswith("bounces+")
        away = f"From: maine3@example.org\nTo: {alias}\nSubject: Away\nAuto-Submitted: auto-replied\n\nI am away.\n"
        answer = (
            f"From: Ana <maine3@example.org>\nTo: {alias}\nSubject: Re: Could you host us?\n\n"
            "Yes, we could.\n\n> Dear colleague\n"
        )
        with smtplib.SMTP("127.0.0.1", door, timeout=20) as client:
            for text in (away, answer, answer):
                client.sendmail("maine3@example.org", [alias], text.encode())
        wait_until(lambda: len(_mails(server).get("news@maine.example", [])) == 2, seconds=60)
    finally:
        run.terminate()
        assert run.wait(30) == 0
    got = _mails(server)["news@maine.example"]
    passed = got[0]
    assert (passed["Reply-To"], passed["Auto-Submitted"]) == ("maine3@example.org", "auto-generated")
    assert passed["From"] == "Maine Libraries <news@maine.example>"
    body = passed.get_body(("plain",))
    assert body is not None
    assert "Yes, we could." in body.get_content()
    assert "Dear colleague" not in body.get_content(), "what they quote stands in the mail that is attached"
    (original,) = passed.iter_attachments()
    assert b"> Dear colleague" in original.get_payload(decode=True)
    assert "away" not in "".join(str(each) for each in got)
    assert "news@coalition.example.org" not in {to for to in _mails(server) if "news@" in to}, (
        "the host sees none of it"
    )
    report = comms("report", "partner.maine", "--json").json()
    assert report["engagement"]["replied"] == 1, "once for each mail, and no absence"


def _file(folder: Path) -> Path:
    file = folder / "partner.md"
    file.write_text(OFFER.format(id="partner"))
    return file
