"""The faces of a collective report show what it holds, nothing else, and no text in it does anything."""

from __future__ import annotations

import csv
import io
import re
from datetime import timedelta
from html import unescape
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

import pytest
from collective_samples import CLOSED, NASTY, QUESTION, carried, large, report
from hypothesis import given
from hypothesis import strategies as st
from rich.console import Console

from comms.engagement.collective import CollectiveReport, combine, render, to_csv, to_html, write_csv, write_html
from comms.engagement.tilemap import compact, off_the_map, shade, tilemap
from comms.errors import StorageError


def quarter() -> CollectiveReport:
    small = report(carried("one", 50, state="NY"), carried("two", 5_000, state="NY"), campaign="small", title="Small")
    return combine([large(closed=CLOSED - timedelta(days=30)), small], title="First quarter", coalition="The Coalition")


def terminal(told: CollectiveReport) -> str:
    console = Console(width=200, file=io.StringIO(), force_terminal=True)
    console.print(render(told))
    return console.file.getvalue()  # type: ignore[attr-defined,no-any-return]


def table(told: CollectiveReport) -> list[dict[str, str]]:
    return list(csv.DictReader(io.StringIO(to_csv(told))))


def words(page: str) -> str:
    return unescape(re.sub(r"\s+", " ", re.sub(r"<[^>]*>", " ", page)))


def test_the_table_has_every_figure_and_cell_with_what_is_known_of_it() -> None:
    rows = table(large(people=4_000))
    figures = {row["figure"]: row for row in rows if row["state"] == row["sector"] == "all" and not row["question"]}
    assert figures["Copies"]["least"] == figures["Copies"]["most"] == "4140"
    assert figures["People reached"] | {"definition": ""} == {
        "campaign": "reading-week", "figure": "People reached", "state": "all", "sector": "all", "question": "",
        "answer": "", "known": "exactly", "least": "4000", "most": "4000", "counted": "measured", "definition": "",
    }  # fmt: skip
    copies = {(row["state"], row["sector"]): row["least"] for row in rows if row["figure"] == "Copies"}
    assert len(copies) == 16
    assert copies["WA", "archives"] == "460"
    assert [row["least"] for row in rows if row["question"] == QUESTION] == ["1080", "720", "1800"]
    assert all(row["definition"] for row in rows)


def test_the_table_of_several_campaigns_has_their_sum_and_each_of_them() -> None:
    copies = {
        row["campaign"]: (row["known"], row["least"], row["most"])
        for row in table(quarter())
        if row["figure"] == "Copies" and row["state"] == row["sector"] == "all"
    }
    assert copies == {
        "First quarter": ("at least", "4140", ""),
        "reading-week": ("exactly", "4140", "4140"),
        "small": ("hidden", "", ""),
    }


def test_the_page_has_each_figure_its_definition_and_who_counted() -> None:
    told = large(people=4_000)
    page = words(to_html(told))
    for figure in told.figures:
        name, meaning = told.words(figure.key)
        assert f"{name} {figure.told} {figure.source} {meaning}" in page
    assert "36 of 36 associations, in 3 states" in page
    assert "closed on 15 March 2027, 17:00 UTC" in page
    assert "Monday 1,080 60.0 %" in page


def test_the_page_of_several_campaigns_says_why_people_are_not_added_up() -> None:
    page = words(to_html(quarter()))
    assert "People are not added up" in page
    assert "4,140 or more" in page
    assert "Small" in page
    assert "Asked in “Reading week”. The last answer" in page


def test_hidden_numbers_are_on_no_face() -> None:
    """Canaries: numbers that occur nowhere else."""
    rows = [carried(f"a{at}", 100) for at in range(3)]
    told = report(
        *rows, carried("hidden", 7_654_321, state="HI", clicks=7_654_322, answers={(QUESTION, "Yes"): 765_432})
    )
    for face in (to_html(told), to_csv(told), terminal(told), str(told.to_json())):
        digits = face.replace(",", "")
        assert not any(number in digits for number in ("7654321", "7654322", "765432"))


@given(title=NASTY, sector=NASTY, state=NASTY, question=NASTY, answer=NASTY)
def test_text_from_outside_does_nothing_on_any_face(
    title: str, sector: str, state: str, question: str, answer: str
) -> None:
    rows = [
        carried(f"a{at}", 100 + at, sector=sector, state=state, answers={(question, answer): 50}) for at in range(4)
    ]
    told = combine([report(*rows, title=title, coalition=title)], title=title, coalition=title)
    page = to_html(told)
    assert "<script" not in page.casefold()
    page.encode()
    for svg in re.findall(r"<svg.*?</svg>", page, re.DOTALL):
        ElementTree.fromstring(svg)
    assert "\x1b[2J" not in terminal(told)
    for row in csv.reader(io.StringIO(to_csv(told))):
        assert not any(cell.startswith(("=", "+", "-", "@", "\t", "\r", "\n")) for cell in row)


def test_files_are_written_whole_for_spreadsheets_and_browsers(tmp_path: Path) -> None:
    told = report(*(carried(f"a{at}", 100, sector="musées \ud800") for at in range(3)))
    write_csv(told, tmp_path / "report.csv")
    write_html(told, tmp_path / "new" / "report.html")
    assert (tmp_path / "report.csv").read_bytes().startswith(b"\xef\xbb\xbfcampaign,figure,")
    assert "musées" in (tmp_path / "report.csv").read_text("utf-8-sig")
    assert (tmp_path / "new" / "report.html").read_text("utf-8") == to_html(told)
    (tmp_path / "folder").mkdir()
    with pytest.raises(StorageError, match="can not be written"):
        write_html(told, tmp_path / "folder")
    assert sorted(path.name for path in tmp_path.iterdir()) == ["folder", "new", "report.csv"]


def test_a_report_of_nothing_can_be_shown() -> None:
    told = report()
    assert "0 of 0 associations" in words(to_html(told))
    assert "hidden" in terminal(told)
    assert {row["known"] for row in table(told)} == {"exactly", "hidden"}


# --- the map ----------------------------------------------------------------------------------


def test_every_state_stands_on_the_map_once() -> None:
    svg = ElementTree.fromstring(tilemap("map", "Copies", {}))
    codes = [text.text for text in svg.iter("text")]
    assert len(codes) == len(set(codes)) == 52  # fifty states, the District of Columbia and Puerto Rico
    places = {(tile.get("x"), tile.get("y")) for tile in svg.iter("rect")}
    assert len(places) == 52
    assert off_the_map(["WA", "Yukon", "DC"]) == ["Yukon"]


@given(st.dictionaries(st.sampled_from(["WA", "OR", "NY", "Yukon"]), st.none() | st.integers(0, 10**7)))
def test_the_look_of_a_state_says_whether_it_was_asked_and_whether_its_number_is_told(
    states: dict[str, int | None],
) -> None:
    svg = ElementTree.fromstring(tilemap("map", "Copies", states))
    looks: dict[Any, Any] = dict(
        zip(
            (text.text for text in svg.iter("text") if "code" in str(text.get("class"))),
            (str(tile.get("class")).split()[1] for tile in svg.iter("rect")),
            strict=True,
        )
    )
    for state in ("WA", "OR", "NY"):
        kind = looks[state]
        assert kind == "absent" if state not in states else (kind == "hidden") == (states[state] is None)


@pytest.mark.parametrize(
    ("count", "told"), [(0, "0"), (999, "999"), (1_000, "1k"), (1_249, "1.2k"), (19_999, "19k"), (1_500_000, "1.5m")]
)
def test_numbers_on_the_map_are_short(count: int, told: str) -> None:
    assert compact(count) == told


def test_shades_go_by_the_greatest_number() -> None:
    assert [shade(count, 1000) for count in (1000, 500, 499, 250, 100, 99, 0)] == [4, 4, 3, 3, 2, 1, 1]
