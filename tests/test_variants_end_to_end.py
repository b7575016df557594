"""One campaign in two languages, from its files to what a mail server took."""

from __future__ import annotations

import email
import email.policy
from collections.abc import Callable
from pathlib import Path

from tests.conftest import Comms, MailServer

OWN = """\
---
campaign: welcome
title: Welcome
language: en
newsletter:
  subject: Welcome
---

Dear reader, this is for you.
"""
SPANISH = """\
---
title: Bienvenidos
newsletter:
  subject: "¡Hola!"
---

Estimados lectores, esto es para ustedes.
"""
MEMBERS = """\
email,language,consent
ana@example.org,es-MX,yes
bob@example.org,en,yes
cas@example.org,,yes
"""


def test_each_member_gets_one_mail_in_their_language(
    tmp_path: Path, comms: Comms, mail_server: Callable[..., MailServer]
) -> None:
    (tmp_path / "list.csv").write_text(MEMBERS)
    assert comms("members", "import", str(tmp_path / "list.csv"), "-a", "coalition").code == 0
    (tmp_path / "welcome.md").write_text(OWN, encoding="utf-8")
    (tmp_path / "welcome.es.md").write_text(SPANISH, encoding="utf-8")
    server = mail_server(content=True)
    comms.environment["COMMS_SMTP__PORT"] = str(server.port)
    sent = comms("campaign", "send", str(tmp_path / "welcome.md"), "--wait", "--yes", "--json")
    assert sent.code == 0, sent.err + sent.out
    got = {}
    for record in server.taken():
        mail = email.message_from_string(record["content"], policy=email.policy.default)
        assert record["to"] not in got
        got[record["to"]] = (str(mail["Subject"]), mail["Content-Language"])
    assert got == {
        "ana@example.org": ("¡Hola!", "es"),
        "bob@example.org": ("Welcome", "en"),
        "cas@example.org": ("Welcome", "en"),
    }
    assert comms("report", "welcome", "--json").json()["languages"][1]["deliveries"]["sent"] == 1
