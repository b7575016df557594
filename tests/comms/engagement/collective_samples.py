"""Associations and what they did with a campaign, as the tests of collective reports need them."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

from hypothesis import strategies as st

from comms.engagement.collective import Carried, CollectiveReport, build

CLOSED = datetime(2027, 3, 15, 17, tzinfo=UTC)
QUESTION = "Which day suits you?"
NASTY = st.text(max_size=20) | st.sampled_from(
    ["=cmd|' /C calc'!A0", "<script>alert(1)</script>", "\x1b[2Jgone", "\ud800", "a\u2028b", "x" * 100_000, "'-1"]
)


def carried(slug: str, copies: int | None, **more: Any) -> Carried:
    """One that sent so many copies to as many people; None for one that declined."""
    if copies is None:
        return Carried(slug, slug.title(), more.get("sector", "libraries"), more.get("state", "WA"))
    defaults = {"sector": "libraries", "state": "WA", "accepted": True, "sent": True}
    counts = {"copies": copies, "people_low": copies, "people_high": copies}
    return Carried(slug, slug.title(), **{**defaults, **counts, **more})


def report(*rows: Carried, campaign: str = "reading-week", people: int | None = None, **more: Any) -> CollectiveReport:
    given = {"title": "Reading week", "coalition": "The Coalition", "closed": CLOSED}
    return build(rows, campaign=campaign, people=people, **{**given, **more})


def large(**more: Any) -> CollectiveReport:
    """Three sectors in three states, each cell large enough to be told."""
    return report(
        *(
            carried(f"{sector}-{state}-{at}", 100 + 10 * at, sector=sector, state=state, clicks=40, replies=15,
                    already_reached=20, answers={(QUESTION, "Monday"): 30, (QUESTION, "Friday"): 20})
            for sector in ("libraries", "archives", "museums")
            for state in ("WA", "OR", "NY")
            for at in range(4)
        ),
        **more,
    )  # fmt: skip


@st.composite
def associations(draw: st.DrawFn) -> list[Carried]:
    """Up to 25, with numbers small and large."""
    rows = []
    for at in range(draw(st.integers(0, 25))):
        sent = draw(st.booleans())
        count = st.integers(0, 15) | st.integers(0, 500) if sent else st.just(0)
        people = sorted((draw(count), draw(count)))
        rows.append(
            Carried(
                f"a{at}", f"A {at}", draw(st.sampled_from(["libraries", "archives", "museums"])),
                draw(st.sampled_from(["WA", "OR", "NY", "Yukon"])), True, sent or draw(st.booleans()), sent,
                draw(count), *people, draw(count), draw(count), draw(count),
                {(QUESTION, answer): draw(count) for answer in ("Monday", "Friday", "never")} if sent else {},
                draw(st.booleans()),
            )
        )  # fmt: skip
    return rows
