"""An offer is closed: what it came to is frozen, who has whom is forgotten, and nobody learns more than they may."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from relay_scene import OFFER, Scene, scene_of

from campaigns.figures import ToldFigures
from campaigns.relay import RelayState
from comms.engagement.collective import CollectiveReport, Source
from comms.engagement.polls import Ballots
from comms.engine import collective, reporting, rights, sending
from comms.engine.relaying import answering, closing, correcting, counting, sharing, telling
from comms.errors import StateError, UsageError
from comms.events import EventKind

SENT = datetime(2027, 2, 1, 12, tzinfo=UTC)
SHARED = [f"both{n}@example.org" for n in range(40)]
SLUGS = ("maine", "ohio", "utah", "iowa")
LISTS = {slug: [*(f"{slug}{n}@example.org" for n in range(30)), *SHARED] for slug in SLUGS}
PEOPLE = 4 * 30 + 40
POLL = OFFER.replace("The deadline is 1 March.", "::: poll Will you come?\n- Yes\n- No\n:::\n")


@pytest.fixture
def scene(tmp_path: Path) -> Iterator[Scene]:
    """Four associations that share forty people."""
    found = scene_of(tmp_path / "workspace", LISTS)
    for slug in SLUGS:
        association = found.workspace.association(slug)
        found.workspace.change_association(replace(association, kind="library", region=slug[:2].upper()))
    yield found
    found.workspace.close()


def _accept(scene: Scene, *slugs: str) -> None:
    for slug in slugs:
        answering.accept(scene.workspace, answering.find(scene.workspace, "partner", slug), who="Luis")


def _sent(scene: Scene, *slugs: str, text: str = OFFER) -> None:
    scene.offer(text)
    _accept(scene, *slugs)
    scene.work(until=SENT)


def _figures(report: CollectiveReport) -> dict[str, int | None]:
    return {figure.key: figure.low for figure in report.figures}


def _events(scene: Scene, slug: str, kind: EventKind, number: int) -> None:
    ledger = scene.workspace.ledger(slug)
    run = ledger.run(f"partner.{slug}", "newsletter")
    assert run is not None
    events = scene.workspace.events(slug)
    with events.db.atomic():
        for _ in range(number):
            events.add(run.id, kind, scene.now, link=0)


def test_what_associations_reached_together_is_counted_from_their_ledgers(scene: Scene) -> None:
    _sent(scene, *SLUGS)
    for slug in SLUGS:
        _events(scene, slug, EventKind.CLICKED, 20)
    report = closing.close(scene.workspace, "partner", who="dana")
    assert _figures(report) | {"replies": None} == {
        "offered": 4, "accepted": 4, "sent": 4, "sectors": 1, "states": 4, "copies": PEOPLE, "people": PEOPLE,
        "spared": 3 * 40, "clicks": 80, "replies": None,
    }  # fmt: skip
    assert report.figure("copies").source is Source.MEASURED
    assert len(scene.senders.got) == PEOPLE


def test_answers_to_a_poll_are_counted_by_association(scene: Scene) -> None:
    _sent(scene, *SLUGS, text=POLL)
    for slug in SLUGS:
        run = scene.workspace.ledger(slug).run(f"partner.{slug}", "newsletter")
        assert run is not None
        ballots = Ballots(scene.workspace.association_db(slug))
        with scene.workspace.association_db(slug).atomic():
            for delivery in range(1, 36):
                ballots.answer(run.id, 0, delivery, int(delivery > 20))
    rows = counting.counted(scene.workspace, "partner").rows
    assert [dict(row.answers) for row in rows] == [{("Will you come?", "Yes"): 20, ("Will you come?", "No"): 15}] * 4
    (poll,) = closing.close(scene.workspace, "partner", who="dana").polls
    assert poll.answers[0][1].count == 80


def test_a_close_is_for_good_and_later_events_change_nothing(scene: Scene) -> None:
    _sent(scene, *SLUGS)
    report = closing.close(scene.workspace, "partner", who="dana")
    for slug in SLUGS:
        _events(scene, slug, EventKind.CLICKED, 50)
    assert collective.find(scene.workspace, "partner") == report
    with pytest.raises(StateError, match="partner is closed"):
        closing.close(scene.workspace, "partner", who="dana")


def test_who_has_whom_is_forgotten_at_the_close_though_control_has_the_file_open(scene: Scene) -> None:
    _sent(scene, *SLUGS)
    file = scene.workspace.relays_folder / "partner.db"
    assert file.exists()
    closing.close(scene.workspace, "partner", who="dana")
    assert not file.exists()
    scene.work()
    assert not file.exists(), "control lets go of it, and makes no new one"


def test_nobody_can_take_part_after_the_close(scene: Scene) -> None:
    scene.offer(OFFER.replace("  respond_by: 2027-01-25\n", ""))
    _accept(scene, "maine", "ohio", "utah")
    scene.work(until=SENT)
    plan = closing.plan(scene.workspace, "partner")
    assert (plan.sent, plan.unanswered) == (("maine", "ohio", "utah"), ("iowa",))
    closing.close(scene.workspace, "partner", who="dana")
    assert answering.find(scene.workspace, "partner", "iowa").state is RelayState.EXPIRED
    with pytest.raises(StateError, match="not offered any more"):
        _accept(scene, "iowa")


def test_what_is_still_on_its_way_can_not_be_closed(scene: Scene) -> None:
    scene.offer()
    _accept(scene, "maine")
    with pytest.raises(StateError, match=r"partner\.maine is still to be sent"):
        closing.close(scene.workspace, "partner", who="dana")
    assert correcting.find(scene.workspace, "partner").state == "open"
    sending.cancel(scene.workspace, "partner.maine", who="dana")
    assert _figures(closing.close(scene.workspace, "partner", who="dana"))["sent"] == 0


def test_an_offer_closes_by_itself_two_weeks_after_its_last_day(scene: Scene) -> None:
    _sent(scene, *SLUGS)
    scene.work(until=datetime(2027, 2, 24, 23, tzinfo=UTC))
    assert collective.find(scene.workspace, "partner") is None
    scene.work(until=datetime(2027, 2, 25, 1, tzinfo=UTC))
    report = collective.find(scene.workspace, "partner")
    assert report is not None
    assert _figures(report)["copies"] == PEOPLE


def test_a_close_that_a_crash_interrupted_is_ended_by_control(scene: Scene, monkeypatch: pytest.MonkeyPatch) -> None:
    _sent(scene, *SLUGS)
    with monkeypatch.context() as broken:
        broken.setattr(counting, "counted", lambda *_: 1 / 0)
        with pytest.raises(ZeroDivisionError):
            closing.close(scene.workspace, "partner", who="dana")
    assert correcting.find(scene.workspace, "partner").state == "closed"
    scene.work()
    assert collective.find(scene.workspace, "partner") is not None
    assert correcting.find(scene.workspace, "partner").figures


def test_a_recalled_offer_is_closed_with_what_had_been_sent(scene: Scene) -> None:
    _sent(scene, *SLUGS)
    correcting.recall(scene.workspace, "partner", "withdrawn", who="dana")
    assert _figures(closing.close(scene.workspace, "partner", who="dana"))["copies"] == PEOPLE
    offer = correcting.find(scene.workspace, "partner")
    assert (offer.state, offer.reason) == ("recalled", "withdrawn"), "that it was recalled is not forgotten"


def test_who_was_erased_still_counts_as_a_person_reached(scene: Scene) -> None:
    _sent(scene, *SLUGS)
    rights.erase_member(scene.workspace, "maine0@example.org", "maine")
    found = counting.counted(scene.workspace, "partner")
    assert found.people == PEOPLE
    assert sum(row.copies for row in found.rows) == PEOPLE


# --- what an association may know -------------------------------------------------------------


def test_an_association_sees_the_coalition_s_figures_after_the_close_and_its_own_in_tens(scene: Scene) -> None:
    _sent(scene, *SLUGS)
    before = reporting.report(scene.workspace, "partner.maine").relayed
    assert before is not None
    assert (before.closed, before.already_reached, before.figures) == (None, None, ())
    spared = {row.slug: row.already_reached for row in counting.counted(scene.workspace, "partner").rows}
    report = closing.close(scene.workspace, "partner", who="dana")
    after = reporting.report(scene.workspace, "partner.maine").to_json()["relayed"]
    assert after["together"]["Copies"] == report.figure("copies").told
    tens = sharing.tens(spared["maine"], spared["maine"])
    assert after["already_reached"] == f"about {tens}"
    assert tens % 10 == 0
    assert 0 < spared["maine"] - tens <= 10
    assert reporting.report(scene.workspace, "partner.maine").to_json()["relayed"] == after, "for good"


@given(reached=st.integers(0, 500), stopped=st.integers(0, 500))
def test_the_number_in_tens_never_says_that_all_who_were_left_out_are_members_of_others(
    reached: int, stopped: int
) -> None:
    left_out = reached + stopped
    shown = sharing.tens(reached, left_out)
    assert shown % 10 == 0
    assert shown <= reached
    could_be = [n for n in range(left_out + 1) if sharing.tens(n, left_out) == shown]
    assert left_out == 0 or len(could_be) > 1


def test_fewer_than_ten_is_said_in_words(tmp_path: Path) -> None:
    few = {"maine": ["a@example.org", "b@example.org"], "ohio": ["a@example.org", "b@example.org", "c@example.org"]}
    scene = scene_of(tmp_path / "few", few)
    _sent(scene, "maine", "ohio")
    closing.close(scene.workspace, "partner", who="dana")
    told = [reporting.report(scene.workspace, f"partner.{slug}").to_json()["relayed"] for slug in few]
    assert {each["already_reached"] for each in told} <= {"fewer than 10", None}
    assert {each["together"]["Copies"] for each in told} == {"hidden"}, "of two associations nothing is told"
    scene.workspace.close()


# --- what associations tell -------------------------------------------------------------------


def test_figures_that_associations_tell_are_marked_and_counted(scene: Scene) -> None:
    _sent(scene, "maine", "ohio", "utah")
    telling.tell(scene.workspace, "partner", "iowa", ToldFigures(1, 1), who="dana")
    telling.tell(scene.workspace, "partner", "iowa", ToldFigures(500, 480, 90, 12), who="dana")
    (row,) = (each for each in counting.counted(scene.workspace, "partner").rows if each.slug == "iowa")
    assert (row.copies, row.people_low, row.people_high, row.clicks, row.replies) == (500, 480, 480, 90, 12)
    assert not row.measured
    report = closing.close(scene.workspace, "partner", who="dana")
    assert report.figure("copies").source is Source.MIXED
    assert report.figure("copies").low == 3 * 30 + 40 + 500
    assert report.figure("people").low != report.figure("people").high, "nobody knows who is on both lists"
    with pytest.raises(StateError, match="is closed"):
        telling.tell(scene.workspace, "partner", "iowa", ToldFigures(600, 600), who="dana")


@pytest.mark.parametrize(
    ("figures", "fault"),
    [
        (ToldFigures(0, 0), "copies must be a whole number from 1"),
        (ToldFigures(-5, 1), "copies must .* not -5"),
        (ToldFigures(10, 11), "people must be a whole number from 1 to 10, not 11"),
        (ToldFigures(10, 0), "people must .* not 0"),
        (ToldFigures(10, 10, clicks=-1), "clicks must .* not -1"),
        (ToldFigures(10, 10, clicks=1001), "clicks must .* to 1,000, not 1,001"),
        (ToldFigures(10, 8, replies=9), "replies must .* to 8, not 9"),
        (ToldFigures(10**30, 5), "copies must .* to 20,000,000"),
    ],
)
def test_figures_that_can_not_be_are_refused(scene: Scene, figures: ToldFigures, fault: str) -> None:
    scene.offer()
    with pytest.raises(UsageError, match=fault):
        telling.tell(scene.workspace, "partner", "iowa", figures, who="dana")


def test_who_sends_from_here_tells_no_figures(scene: Scene) -> None:
    scene.offer()
    _accept(scene, "maine")
    with pytest.raises(StateError, match="counts by itself"):
        telling.tell(scene.workspace, "partner", "maine", ToldFigures(50, 50), who="dana")
    sending.cancel(scene.workspace, "partner.maine", who="dana")
    telling.tell(scene.workspace, "partner", "maine", ToldFigures(50, 50), who="dana")


# --- a quarter --------------------------------------------------------------------------------


def test_a_quarter_has_the_campaigns_that_were_closed_in_it(scene: Scene) -> None:
    _sent(scene, *SLUGS)
    closing.close(scene.workspace, "partner", who="dana")
    day = scene.now.replace(hour=0, minute=0, second=0, microsecond=0)
    report = collective.several(scene.workspace, day, day + timedelta(days=1), "First quarter")
    assert [part.campaign for part in report.parts] == ["partner"]
    with pytest.raises(UsageError, match="no campaign was closed"):
        collective.several(scene.workspace, day + timedelta(days=1), day + timedelta(days=2), "After")


def test_no_association_is_named_in_what_is_published(scene: Scene) -> None:
    _sent(scene, *SLUGS)
    published = json.dumps(closing.close(scene.workspace, "partner", who="dana").to_json())
    names: Mapping[str, str] = {slug: scene.workspace.association(slug).name for slug in SLUGS}
    assert not [slug for slug, name in names.items() if slug in published or name in published]
