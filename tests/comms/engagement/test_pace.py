"""How often a topic's newsletters reach one person: counted when a server takes one, asked again before the next."""

from __future__ import annotations

from datetime import datetime, timedelta

import pytest
from sent_newsletter import NOW, add_member, add_topics

from audiences.choices import Choices
from audiences.models import Frequency, Topic
from audiences.store import EVERYONE
from comms.delivery.batches import Outcome, Receipt
from comms.delivery.runs import Run
from comms.engine.workspace import Workspace
from tests.conftest import Comms

ADA, BEN = "ada@example.org", "ben@example.org"
DAY = timedelta(days=1)


@pytest.fixture
def members(workspace: Workspace) -> dict[str, int]:
    add_topics(workspace, "coalition", news="News", jobs="Jobs")
    return {address: add_member(workspace, "coalition", address) for address in (ADA, BEN)}


def choose(workspace: Workspace, member: int, frequency: Frequency | None, topic: str = "news") -> None:
    choices = Choices(workspace.association_db("coalition"))
    with choices.db.atomic():
        choices.choose_frequency(member, topic, frequency)


def freeze(workspace: Workspace, campaign: str, now: datetime, topic: str | None = "news") -> Run:
    ledger = workspace.ledger("coalition")
    with ledger.db.atomic():
        return ledger.freeze(
            campaign, "newsletter", topic=topic, digest="d", doubt="resend", segment=EVERYONE, excluded={},
            due={None: now}, now=now,
        )  # fmt: skip


def send(workspace: Workspace, run: Run, now: datetime, outcome: Outcome = Outcome.ACCEPTED) -> set[str]:
    """Who was in the batch that was claimed, and settled with this outcome."""
    ledger = workspace.ledger("coalition")
    with ledger.db.atomic():
        claim = ledger.claim(run, f"{run.campaign}-{now}", 10, now)
    receipts = [Receipt(recipient.delivery, outcome, 250, "") for recipient in claim.recipients]
    with ledger.db.atomic():
        ledger.settle(f"{run.campaign}-{now}", receipts, in_doubt={}, now=now, give_up_s=3600)
    return {recipient.address for recipient in claim.recipients}


def test_who_asked_for_one_a_week_gets_the_first_and_then_none_for_a_week(
    workspace: Workspace, members: dict[str, int]
) -> None:
    choose(workspace, members[BEN], Frequency.WEEKLY)
    reached = [send(workspace, freeze(workspace, f"c{day}", NOW + day * DAY), NOW + day * DAY) for day in range(9)]
    assert [day for day, who in enumerate(reached) if BEN in who] == [0, 7]
    assert all(ADA in who for who in reached)


def test_a_topics_own_frequency_holds_for_everyone_who_chose_no_other(
    workspace: Workspace, members: dict[str, int]
) -> None:
    workspace.add_topic("coalition", Topic("news", "News", Frequency.DAILY))
    choose(workspace, members[BEN], Frequency.EACH)
    hours = (0, 12, 20, 24, 40)
    reached = []
    for hour in hours:
        now = NOW + timedelta(hours=hour)
        reached.append(send(workspace, freeze(workspace, f"c{hour}", now), now))
    assert [hour for hour, who in zip(hours, reached, strict=True) if ADA in who] == [0, 20, 40]
    assert all(BEN in who for who in reached)


def test_a_run_that_was_frozen_with_another_leaves_out_whom_that_reached_first(
    workspace: Workspace, members: dict[str, int]
) -> None:
    choose(workspace, members[BEN], Frequency.DAILY)
    first, second = freeze(workspace, "first", NOW), freeze(workspace, "second", NOW)
    assert send(workspace, first, NOW) == {ADA, BEN}
    assert send(workspace, second, NOW + timedelta(minutes=1)) == {ADA}
    assert workspace.ledger("coalition").reasons(second.id, "skipped") == {"too_often": 1}


@pytest.mark.parametrize("outcome", [Outcome.DEFERRED, Outcome.REJECTED, Outcome.UNKNOWN])
def test_only_what_a_server_took_counts(workspace: Workspace, members: dict[str, int], outcome: Outcome) -> None:
    choose(workspace, members[BEN], Frequency.WEEKLY)
    send(workspace, freeze(workspace, "first", NOW), NOW, outcome)
    assert send(workspace, freeze(workspace, "second", NOW + DAY), NOW + DAY) == {ADA, BEN}


def test_a_topic_counts_for_itself_and_a_campaign_without_one_for_none(
    workspace: Workspace, members: dict[str, int]
) -> None:
    choose(workspace, members[BEN], Frequency.WEEKLY)
    assert send(workspace, freeze(workspace, "news", NOW), NOW) == {ADA, BEN}
    assert send(workspace, freeze(workspace, "jobs", NOW, "jobs"), NOW) == {ADA, BEN}
    assert send(workspace, freeze(workspace, "general", NOW, None), NOW) == {ADA, BEN}


def test_a_settle_that_comes_too_late_counts_for_nothing(workspace: Workspace, members: dict[str, int]) -> None:
    choose(workspace, members[BEN], Frequency.WEEKLY)
    run, ledger = freeze(workspace, "first", NOW), workspace.ledger("coalition")
    with ledger.db.atomic():
        old = ledger.claim(run, "old", 10, NOW)
    with ledger.db.atomic():
        ledger.settle("old", [], in_doubt={}, now=NOW, give_up_s=3600)
    receipts = [Receipt(recipient.delivery, Outcome.ACCEPTED, 250, "") for recipient in old.recipients]
    with ledger.db.atomic():
        assert not ledger.settle("old", receipts, in_doubt={}, now=NOW, give_up_s=3600)
    assert Choices(ledger.db).wishes(members[BEN]).paces["news"].sent_at is None


def test_a_topic_that_is_retitled_keeps_its_frequency_and_no_other_word_is_taken_for_one(comms: Comms) -> None:
    def frequency() -> str:
        with Workspace(comms.folder) as opened:
            return {topic.slug: topic.frequency.value for topic in opened.people("coalition").topics()}["news"]

    words = ("association", "topic", "coalition", "news", "--title", "News")
    assert comms(*words, "--frequency", "weekly").code == 0
    assert comms(*words).code == 0
    assert frequency() == "weekly"
    assert comms(*words, "--frequency", "hourly").code == 2
    assert frequency() == "weekly"
