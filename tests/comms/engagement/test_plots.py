"""Figures say what the data say, whatever the data are."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from itertools import pairwise
from xml.etree import ElementTree

import pytest
from hypothesis import given
from hypothesis import strategies as st

from comms.engagement import plots
from comms.engagement.report import SMALLEST_BASE, share
from comms.engagement.terminal import bar

counts = st.integers(min_value=0, max_value=10**9)
START = datetime(2027, 1, 1, tzinfo=UTC)


def rectangles(svg: str) -> list[dict[str, str]]:
    return [dict(element.attrib) for element in ElementTree.fromstring(svg).iter("rect")]


def percent(rectangle: dict[str, str], name: str) -> float:
    return float(rectangle[name].removesuffix("%"))


@given(st.dictionaries(st.sampled_from(["sent", "failed", "ready", "skipped"]), counts))
def test_a_stacked_bar_fills_its_width_with_one_visible_part_per_count(parts: dict[str, int]) -> None:
    found = rectangles(plots.stacked_bar("name", "Title", parts))
    shown = [kind for kind, count in parts.items() if count]
    assert [each["class"] for each in found] == ([f"part {kind}" for kind in shown] or ["part none"])
    assert sum(percent(each, "width") for each in found) == pytest.approx(100, abs=0.01)
    assert all(percent(each, "width") > 0.4 for each in found)


@given(st.lists(st.tuples(st.text(), counts), max_size=20))
def test_the_longest_bar_is_the_greatest_count_and_every_label_is_well_formed(rows: list[tuple[str, int]]) -> None:
    found = rectangles(plots.bars("name", "Title", rows))
    widths = [percent(each, "width") for each in found]
    assert len(widths) == len(rows)
    assert all(0 <= width <= 86 for width in widths)
    for (_, one), (_, other), a, b in zip(rows, rows[1:], widths, widths[1:], strict=False):
        assert (one <= other) <= (a <= b + 0.001)


@given(st.dictionaries(st.integers(min_value=0, max_value=24 * 1000), st.integers(1, 10**6), max_size=50))
def test_a_timeline_loses_no_click_and_has_no_gap(hours: dict[int, int]) -> None:
    given_hours = [((START + timedelta(hours=hour)).isoformat()[:13], count) for hour, count in sorted(hours.items())]
    timeline = plots.timeline(given_hours)
    assert sum(count for _, count in timeline.points) == sum(hours.values())
    moments = [moment for moment, _ in timeline.points]
    step = {"hour": timedelta(hours=1), "day": timedelta(days=1), "week": timedelta(weeks=1)}[timeline.unit]
    assert all(later - earlier == step for earlier, later in pairwise(moments))
    assert len(moments) <= 150
    ElementTree.fromstring(plots.columns("name", "Title", timeline))


@pytest.mark.parametrize(
    ("last", "unit", "points"),
    [(0, "hour", 1), (71, "hour", 72), (72, "day", 4), (24 * 91, "day", 92), (24 * 92, "week", 14)],
)
def test_a_timeline_chooses_a_unit_that_can_be_read(last: int, unit: str, points: int) -> None:
    timeline = plots.timeline([("2027-01-01T00", 1), ((START + timedelta(hours=last)).isoformat()[:13], 2)][: last + 1])
    assert (timeline.unit, len(timeline.points)) == (unit, points)


@given(st.text())
def test_a_label_is_one_short_line_and_harmless(text: str) -> None:
    label = plots.shortened(text)
    assert len(label) <= 40
    assert "\n" not in label
    svg = plots.bars("name", text, [(text, 1)])
    ElementTree.fromstring(svg)


@given(value=counts, most=counts)
def test_a_bar_of_the_terminal_shows_whatever_is_not_nothing_and_never_overflows(value: int, most: int) -> None:
    drawn = bar(min(value, most), most)
    assert bool(drawn) == bool(min(value, most))
    assert len(drawn) <= 20


def test_a_share_needs_ten_to_be_of() -> None:
    assert share(3, SMALLEST_BASE - 1) is None
    assert share(3, SMALLEST_BASE) == 30
