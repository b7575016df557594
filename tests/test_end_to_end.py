"""The main job on real rows: the right people get exactly one mail each, and the report agrees with the server."""

from __future__ import annotations

import csv
import email
import email.policy
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from tests.conftest import Comms, MailServer

CAMPAIGN = """\
---
campaign: northwest-plan
title: A plan for the Northwest
language: en
audience:
  segment: state in (WA, OR, ID) and population_served > 10000
newsletter:
  subject: "News for {{ member.library }}"
  preview: For {{ member.city }}
feed:
  summary: A plan for the Northwest.
social:
  x: "A plan for the Northwest. {{ url }}"
---

# Dear colleagues of {{ member.library }}

You serve {{ member.population_served }} people in {{ member.city }}.

::: button https://example.org/plan
Read the plan
:::
"""


def libraries(data: Path) -> list[dict[str, str]]:
    with (data / "libraries_pls_fy2015_systems.csv").open(encoding="utf-8", newline="") as file:
        return [{**row, "email": f"director@{row['fscskey']}.example"} for row in csv.DictReader(file)]


def write_list(path: Path, rows: list[dict[str, str]]) -> Path:
    with path.open("w", encoding="utf-8", newline="") as file:
        writer = csv.DictWriter(file, rows[0])
        writer.writeheader()
        writer.writerows(rows)
    return path


@pytest.mark.data
def test_a_segment_of_real_libraries_gets_one_mail_each_and_the_report_agrees(
    data: Path, tmp_path: Path, comms: Comms, mail_server: Callable[..., MailServer]
) -> None:
    rows = libraries(data)
    assert len(rows) == 9251
    imported = comms("members", "import", str(write_list(tmp_path / "list.csv", rows)), "-a", "coalition", "--json")
    assert imported.code == 0, imported.err
    done = imported.json()
    assert (done["added"], done["updated"], done["unchanged"], done["refused"]) == (9251, 0, 0, [])

    meant = {
        row["email"].lower(): row
        for row in rows
        if row["state"] in ("WA", "OR", "ID") and int(row["population_served"]) > 10000
    }
    counted = comms(
        "members", "count", "state in (WA, OR, ID) and population_served > 10000", "-a", "coalition", "--json"
    )
    assert counted.json() == {"count": len(meant)}

    server = mail_server(content=True)
    comms.environment["COMMS_SMTP__PORT"] = str(server.port)
    campaign = tmp_path / "campaign.md"
    campaign.write_text(CAMPAIGN)
    sent = comms("campaign", "send", str(campaign), "--wait", "--yes", "--json")
    assert sent.code == 0, sent.err + sent.out

    taken = server.taken()
    assert Counter(record["to"] for record in taken) == Counter(list(meant))
    for record in taken:
        check_mail(record, meant[record["to"]])
    assert len({record["message_id"] for record in taken}) == len(meant)

    for document in (comms("report", "northwest-plan", "--json").json(), sent.json()):
        assert document["id"] == "northwest-plan"
        assert document["state"] == "sent"
        assert document["audience"] == len(taken)
        assert document["deliveries"] == {
            "sent": len(taken), "deferred": 0, "failed": 0, "skipped": 0, "uncertain": 0, "cancelled": 0, "ready": 0,
            "claimed": 0,
        }  # fmt: skip

    again = comms("campaign", "send", str(campaign), "--wait", "--yes")
    assert again.code == 1
    assert "nobody gets it twice" in again.err
    assert len(server.taken()) == len(taken)


def check_mail(record: dict[str, Any], library: dict[str, str]) -> None:
    """The mail names its own reader's library and city, in every part, and carries the headers that let them stop."""
    message = email.message_from_string(record["content"], policy=email.policy.default)
    name, city = " ".join(library["library"].split()), " ".join(library["city"].split())
    assert message["Subject"] == f"News for {name}"
    text = message.get_body(("plain",))
    html = message.get_body(("html",))
    assert text is not None
    assert html is not None
    words = " ".join(text.get_content().split())
    assert f"You serve {library['population_served']} people in {city}." in words
    assert city in html.get_content()
    assert "{{" not in text.get_content() + html.get_content()
    assert message["List-Unsubscribe-Post"] == "List-Unsubscribe=One-Click"
    assert "/u/" in message["List-Unsubscribe"]
    assert message["List-ID"] == "<newsletter.coalition.coalition.example>"
    assert max(len(line) for line in record["content"].split("\r\n")) <= 998
