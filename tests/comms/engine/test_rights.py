"""A person sees everything held of them, takes it along, and is forgotten: for good, whatever list comes next."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from tests.conftest import Comms, MailServer

CAMPAIGN = """\
---
campaign: {id}
title: A campaign
language: en
newsletter:
  subject: "Hello {{{{ member.name or 'you' }}}}"
  preview: A preview
---

Hello.
"""


def write(folder: Path, name: str, text: str) -> str:
    path = folder / name
    path.write_text(text)
    return str(path)


def test_an_erased_person_is_gone_from_every_table_and_no_import_brings_them_back(
    comms: Comms, tmp_path: Path, mail_server: Callable[..., MailServer]
) -> None:
    server = mail_server(reject="ana")
    comms.environment["COMMS_SMTP__PORT"] = str(server.port)
    people = write(tmp_path, "people.csv", "email,name\nana@example.org,Anaconda\nlee@example.net,Lee\n")
    assert comms("members", "import", people).code == 0
    first = write(tmp_path, "first.md", CAMPAIGN.format(id="first"))
    assert comms("campaign", "send", first, "--yes", "--wait").code == 0

    held = comms("members", "export", "ana@example.org").json()
    assert held["attributes"] == {"name": "Anaconda"}
    assert [newsletter["campaign"] for newsletter in held["newsletters"]] == ["first"]
    assert held["consent"][0]["source"] == "import of people.csv, line 2"

    receipt = comms("members", "erase", "ANA@example.org", "--yes", "--json")
    assert receipt.code == 0, receipt.err
    assert (receipt.json()["members"], receipt.json()["deliveries_anonymised"]) == (1, 1)
    assert comms("members", "export", "ana@example.org").code == 1
    for file in (comms.folder / "associations").iterdir():
        content = file.read_bytes().lower()
        assert b"ana@example.org" not in content
        assert b"anaconda" not in content
    report = comms("report", "first", "--json").json()
    assert (report["audience"], report["deliveries"]["failed"], report["deliveries"]["sent"]) == (2, 1, 1)

    assert comms("members", "import", people).code == 0
    shown = comms("members", "show", "ana@example.org", "--json").json()
    assert (shown["mailable"], shown["reason"]) == (False, "suppressed")
    second = write(tmp_path, "second.md", CAMPAIGN.format(id="second"))
    assert comms("campaign", "send", second, "--yes", "--wait").code == 0
    assert server.recipients() == ["lee@example.net", "lee@example.net"]


def test_erasing_somebody_unknown_keeps_the_address_out_all_the_same(comms: Comms, tmp_path: Path) -> None:
    assert comms("members", "erase", "ana@example.org", "--yes").code == 1
    comms("members", "import", write(tmp_path, "people.csv", "email\nana@example.org\n"))
    assert comms("members", "show", "ana@example.org", "--json").json()["mailable"] is False
