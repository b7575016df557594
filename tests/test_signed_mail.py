"""Mail of an association that has a key goes out signed, and whoever gets it can tell."""

from __future__ import annotations

import email
from collections.abc import Callable
from email.policy import default
from pathlib import Path

import dkim

from tests.conftest import Comms, MailServer

CAMPAIGN = """\
---
campaign: {id}
title: A campaign
language: en
newsletter:
  subject: "Hello {{{{ member.name or 'you' }}}}"
---

Hello {{{{ member.name or "you" }}}}, here is [a link](https://example.org/a?b=1).
"""


def test_a_campaign_is_signed_once_a_key_is_in_use(
    comms: Comms, tmp_path: Path, mail_server: Callable[..., MailServer]
) -> None:
    server = mail_server(content=True)
    comms.environment["COMMS_SMTP__PORT"] = str(server.port)
    people = tmp_path / "people.csv"
    people.write_text("email,name\nana@example.org,Ana Ünal\nlee@example.net,\n")
    assert comms("members", "import", str(people)).code == 0
    records = [
        comms("dkim", "create", "--selector", selector, "--kind", kind, "--json").json()
        for selector, kind in (("one", "rsa"), ("two", "ed25519"))
    ]

    def txt(name: bytes, timeout: int = 0) -> bytes | None:
        return next((r["record"].encode() for r in records if r["name"] == name.decode().rstrip(".")), None)

    for number, keys in enumerate([(), ("one",), ("one", "two")]):
        before = len(server.taken())
        assert comms("dkim", "use", *keys).code == 0
        file = tmp_path / f"{number}.md"
        file.write_text(CAMPAIGN.format(id=f"signed-{number}"))
        assert comms("campaign", "send", str(file), "--yes", "--wait").code == 0
        taken = [record["content"].encode("ascii") for record in server.taken()[before:]]
        assert len(taken) == 2
        for message in taken:
            assert message.count(b"DKIM-Signature:") == len(keys)
            assert all(dkim.DKIM(message).verify(idx=index, dnsfunc=txt) for index in range(len(keys)))
            parsed = email.message_from_bytes(message, policy=default)
            assert not parsed.defects
            for signature in parsed.get_all("DKIM-Signature", []):
                assert "list-unsubscribe:list-unsubscribe-post:feedback-id:from" in signature.replace(" ", "")


def test_keys_that_can_not_be_read_hold_back_their_association_and_nobody_else(
    comms: Comms, tmp_path: Path, mail_server: Callable[..., MailServer]
) -> None:
    server = mail_server(content=True)
    comms.environment["COMMS_SMTP__PORT"] = str(server.port)
    added = comms(
        "association",
        "add",
        "league",
        "--name",
        "League",
        "--from",
        "news@l.example.org",
        "--postal-address",
        "1 High St",
    )
    assert added.code == 0, added.err
    for slug in ("coalition", "league"):
        people = tmp_path / f"{slug}.csv"
        people.write_text(f"email\nana@{slug}.example.org\n")
        assert comms("members", "import", str(people), "--association", slug).code == 0
        (tmp_path / f"{slug}.md").write_text(CAMPAIGN.format(id=slug))
    assert comms("dkim", "create", "--association", "league").code == 0
    keys = comms.folder / "dkim" / "league.keys"
    whole = keys.read_bytes()
    sent = ("campaign", "send", str(tmp_path / "league.md"), "--association", "league", "--yes")
    assert comms(*sent).code == 0
    keys.write_bytes(b"damaged")
    assert comms("campaign", "send", str(tmp_path / "coalition.md"), "--yes", "--wait").code == 0
    assert server.recipients() == ["ana@coalition.example.org"]
    keys.write_bytes(whole)
    assert comms(*sent, "--wait").code == 0
    assert server.recipients() == ["ana@coalition.example.org", "ana@league.example.org"]
