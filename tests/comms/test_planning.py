"""A plan: what a person approves, and that any change of it is another plan."""

from __future__ import annotations

import dataclasses
import json
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from comms.planning import NewsletterPlan, Plan, PostPlan

NOW = datetime(2027, 2, 1, 9, 0, tzinfo=UTC)
NEWSLETTER = NewsletterPlan("coalition", "The Coalition", 100, 60, 50, {"withdrawn": 10}, "edition-1", NOW, NOW)
POST = PostPlan("coalition", "x", "Our newsletter starts today.", 28, 280, simulated=True)
PLAN = Plan("partner", "A partner", (NEWSLETTER,), ("coalition",), (POST,), "definition-1")


def test_the_audience_is_the_sum_over_the_associations() -> None:
    other = dataclasses.replace(NEWSLETTER, association="museums", audience=7)
    assert dataclasses.replace(PLAN, newsletters=(NEWSLETTER, other)).audience == 57
    assert Plan("partner", "A partner").audience == 0


@pytest.mark.parametrize(
    ("plan", "empty"),
    [
        (Plan("partner", "A partner"), True),
        (Plan("partner", "A partner", (dataclasses.replace(NEWSLETTER, audience=0),)), True),
        (Plan("partner", "A partner", (NEWSLETTER,)), False),
        (Plan("partner", "A partner", feeds=("coalition",)), False),
        (Plan("partner", "A partner", posts=(POST,)), False),
    ],
)
def test_a_plan_is_empty_when_nobody_gets_anything_on_any_channel(plan: Plan, empty: bool) -> None:
    assert plan.empty is empty


@pytest.mark.parametrize(
    "changes",
    [
        {"definition": "definition-2"},
        {"newsletters": (dataclasses.replace(NEWSLETTER, edition="edition-2"),)},
        {"newsletters": (dataclasses.replace(NEWSLETTER, audience=51),)},
        {"newsletters": (dataclasses.replace(NEWSLETTER, association="museums"),)},
        {"newsletters": ()},
        {"feeds": ()},
        {"feeds": ("museums",)},
        {"posts": (dataclasses.replace(POST, text="Other words"),)},
        {"posts": (dataclasses.replace(POST, network="mastodon"),)},
        {"posts": ()},
    ],
)
def test_an_approval_does_not_hold_for_a_plan_that_sends_anything_else(changes: dict[str, Any]) -> None:
    assert dataclasses.replace(PLAN, **changes).digest != PLAN.digest


def test_an_approval_holds_for_the_same_plan_made_again_later() -> None:
    later = dataclasses.replace(NEWSLETTER, first_at=NOW + timedelta(minutes=5), last_at=NOW + timedelta(minutes=5))
    assert dataclasses.replace(PLAN, newsletters=(later,)).digest == PLAN.digest


def test_the_json_holds_the_plan_and_its_hash() -> None:
    document = json.loads(json.dumps(PLAN.to_json()))
    assert document["id"] == "partner"
    assert document["audience"] == 50
    assert document["hash"] == PLAN.digest
    assert document["feeds"] == ["coalition"]
    assert document["posts"][0]["text"] == POST.text
    newsletter = document["newsletters"][0]
    assert newsletter["excluded"] == {"withdrawn": 10}
    assert datetime.fromisoformat(newsletter["first_at"]) == NOW
