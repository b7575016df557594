"""An offer whose associations send with tools of their own is closed and reported on by the real command."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from pathlib import Path

from tests.conftest import Comms

OFFER = """\
---
campaign: partner
title: We seek a partner
language: en
newsletter:
  subject: Could you host us?
  preview: Proposals are welcome
relay:
  associations: all
---

The Coalition seeks a partner.
"""
SLUGS = ("iowa", "maine", "ohio", "utah")


def test_told_figures_become_a_frozen_report_and_one_of_a_quarter(comms: Comms, tmp_path: Path) -> None:
    for slug in SLUGS:
        added = comms(
            "association", "add", slug, "--name", f"{slug.title()} Libraries", "--from", f"news@{slug}.example",
            "--postal-address", "1 High Street", "--kind", "library", "--region", slug[:2].upper(),
        )  # fmt: skip
        assert added.code == 0, added.err
    file = tmp_path / "partner.md"
    file.write_text(OFFER)
    assert comms("relay", "offer", str(file), "--yes").code == 0
    early = comms("report", "partner", "--collective")
    assert early.code != 0
    assert "comms relay close partner" in early.err
    told = comms("relay", "figures", "partner", "-a", "iowa", "--copies", "5000", "--clicks", "100", "--json")
    assert told.json()["self_reported"] is True, told.err
    sheet = tmp_path / "figures.csv"
    sheet.write_text("association,copies,clicks\n" + "".join(f'{slug},"1,000",100\n' for slug in SLUGS) + "texas,5,\n")
    wrong = comms("relay", "figures", "partner", "--file", str(sheet))
    assert wrong.code == 1
    assert f"{sheet}:6: association: there is no association 'texas'" in wrong.out
    assert comms("relay", "close", "partner", "--dry-run", "--json").json()["told"] == ["iowa"], "all, or none"
    sheet.write_text(sheet.read_text().removesuffix("texas,5,\n"))
    dry = comms("relay", "figures", "partner", "--file", str(sheet), "--dry-run", "--json").json()
    assert (dry["done"], [row["replaces"] for row in dry["rows"]]) == (False, [True, False, False, False])
    assert comms("relay", "figures", "partner", "--file", str(sheet)).code == 0
    nonsense = comms("relay", "figures", "partner", "-a", "iowa", "--copies", "10", "--replies", "11")
    assert nonsense.code != 0
    assert "replies must be a whole number from 0 to 10, not 11" in nonsense.err

    plan = comms("relay", "close", "partner", "--dry-run", "--json").json()
    assert plan["told"] == list(SLUGS)
    assert comms("relay", "close", "partner").code == 2, "it asks, and nobody is there to say yes"
    assert comms("relay", "close", "partner", "--yes").code == 0
    table, page = tmp_path / "partner.csv", tmp_path / "partner.html"
    report = comms("report", "partner", "--collective", "--csv", str(table), "--html", str(page), "--json").json()
    figures = {each["key"]: (each["low"], each["source"]) for each in report["figures"]}
    assert figures["copies"] == (4000, "self-reported")
    assert "Copies" in table.read_text(encoding="utf-8-sig")
    assert "We seek a partner" in page.read_text()
    shown = comms("report", "partner", "--collective")
    assert "4,000" in shown.out
    assert comms("report", "partner", "--csv", str(table)).code == 2, "of one sending there is no table"

    today = datetime.now(UTC).date()
    days = ("--from", str(today - timedelta(days=1)), "--to", str(today + timedelta(days=1)))
    quarter = comms("relay", "impact", *days, "--json").json()
    assert [part["campaign"] for part in quarter["parts"]] == ["partner"]
    assert comms("relay", "impact", "--from", "2020-01-01", "--to", "2020-03-31").code != 0
