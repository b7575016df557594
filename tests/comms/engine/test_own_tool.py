"""An association that sends with a tool of its own: its yes sends nothing from here, and its figures come back."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from relay_scene import OFFER, Scene, scene_of

from campaigns import definition
from campaigns.figures import ToldFigures
from campaigns.relay import RelayState
from campaigns.relays import RelayRow
from comms.engagement.collective import Source
from comms.engine.relaying import (
    answering,
    closing,
    correcting,
    counting,
    figures,
    looking,
    offering,
    posted,
    seating,
    showing,
    telling,
)
from comms.engine.relaying.posted import MOST_IN_HOUR, Reply
from comms.errors import StateError, UsageError
from comms.kits import signed_figures

SENT = datetime(2027, 2, 1, 12, tzinfo=UTC)
THIRTY = ToldFigures(30, 28, 9, 2)


@pytest.fixture
def scene(tmp_path: Path) -> Iterator[Scene]:
    """Maine has its members elsewhere, Ohio here."""
    found = scene_of(tmp_path / "workspace", {"maine": [], "ohio": [f"o{n}@example.org" for n in range(30)]})
    rule = seating.rule(found.workspace, "maine")
    seating.decide(found.workspace, replace(rule, own_tool=True))
    yield found
    found.workspace.close()


def row(scene: Scene, slug: str = "maine") -> RelayRow:
    return answering.find(scene.workspace, "partner", slug)


def accept(scene: Scene, slug: str = "maine") -> RelayRow:
    return answering.accept(scene.workspace, row(scene, slug), who="Luis")


def correct(scene: Scene, folder: Path, *, minor: bool) -> None:
    file = folder / "corrected.md"
    file.write_text(OFFER.replace("1 March", "2 March"))
    plan = correcting.plan(scene.workspace, file, note="The day was wrong", minor=minor)
    correcting.correct(scene.workspace, plan, who="dana")


# --- yes --------------------------------------------------------------------------------------


def test_a_yes_of_who_sends_elsewhere_is_kept_and_nothing_goes_out_from_here(scene: Scene) -> None:
    scene.offer()
    assert accept(scene).state is RelayState.ACCEPTED
    assert accept(scene, "ohio").state is RelayState.SCHEDULED
    scene.work(until=SENT)
    assert row(scene).state is RelayState.ACCEPTED
    assert scene.workspace.host.campaign("partner.maine") is None
    assert {slug for slug, _ in scene.senders.got} == {"ohio"}


def test_a_rule_about_members_that_nobody_here_knows_stands_in_nobody_s_way(scene: Scene) -> None:
    scene.offer(OFFER.replace("newsletter:", 'audience:\n  segment: shoesize = "44"\nnewsletter:', 1))
    assert looking.desk(scene.workspace, row(scene)).obstacle == ""
    assert accept(scene).state is RelayState.ACCEPTED
    with pytest.raises(StateError, match="can not be sent by ohio"):
        accept(scene, "ohio")


def test_text_for_readers_that_nobody_here_knows_is_what_everyone_may_see(scene: Scene) -> None:
    words = '::: when shoesize = "44"\nBig feet.\n:::\n\n::: otherwise\nAny feet.\n:::'
    inside = f"::: columns\n::: column\n{words}\n:::\n::: column\nMore.\n:::\n:::\n"
    scene.offer(OFFER.replace("The deadline is 1 March.", f"The deadline is 1 March.\n\n{inside}", 1))
    desk = looking.desk(scene.workspace, row(scene))
    assert desk.obstacle == ""
    assert desk.preview is not None
    page = showing.newsletter(scene.workspace, desk.preview)
    assert "Any feet." in page
    assert "Big feet." not in page
    assert accept(scene).state is RelayState.ACCEPTED


def test_the_plan_of_an_offer_counts_no_members_of_who_sends_elsewhere(scene: Scene) -> None:
    invited = {each.association: each for each in offering.plan(scene.workspace, definition.read(OFFER)).invited}
    assert (invited["maine"].own_tool, invited["maine"].audience, invited["maine"].faults) == (True, None, ())
    assert (invited["ohio"].own_tool, invited["ohio"].audience) == (False, 30)


@pytest.mark.parametrize(("minor", "state"), [(True, RelayState.ACCEPTED), (False, RelayState.ADAPTING)])
def test_a_correction_never_sends_what_is_sent_elsewhere(
    scene: Scene, tmp_path: Path, minor: bool, state: RelayState
) -> None:
    scene.offer()
    accept(scene)
    seating.decide(scene.workspace, replace(seating.rule(scene.workspace, "maine"), own_tool=False))
    correct(scene, tmp_path, minor=minor)
    assert row(scene).state is state
    scene.work(until=SENT)
    assert scene.workspace.host.campaign("partner.maine") is None


def test_what_was_accepted_to_go_out_from_here_still_does_when_the_tool_changes(scene: Scene, tmp_path: Path) -> None:
    scene.offer()
    accept(scene, "ohio")
    seating.decide(scene.workspace, replace(seating.rule(scene.workspace, "ohio"), own_tool=True))
    correct(scene, tmp_path, minor=True)
    assert row(scene, "ohio").state is RelayState.SCHEDULED
    scene.work(until=SENT)
    assert len(scene.senders.got) == 30


# --- figures ----------------------------------------------------------------------------------


def test_figures_are_asked_of_who_agreed_to_send_elsewhere_and_of_nobody_else(scene: Scene) -> None:
    scene.offer()
    assert not figures.is_asked(scene.workspace, row(scene))
    accept(scene)
    accept(scene, "ohio")
    assert figures.is_asked(scene.workspace, row(scene))
    assert not figures.is_asked(scene.workspace, row(scene, "ohio"))
    correcting.recall(scene.workspace, "partner", "a mistake", who="dana")
    assert figures.is_asked(scene.workspace, row(scene)), "it may have been sent before"
    assert not figures.is_asked(scene.workspace, row(scene, "ohio"))


def test_the_close_names_who_told_nothing_and_counts_what_was_told_as_self_reported(scene: Scene) -> None:
    scene.offer()
    accept(scene)
    assert closing.plan(scene.workspace, "partner").silent == ("maine",)
    telling.tell(scene.workspace, "partner", "maine", THIRTY, who="Luis", how="by form")
    plan = closing.plan(scene.workspace, "partner")
    assert (plan.silent, plan.told) == ((), ("maine",))
    assert closing.close(scene.workspace, "partner", who="dana").figure("copies").source is Source.SELF_REPORTED


def test_who_told_what_when_and_how_is_written_down_once(scene: Scene) -> None:
    scene.offer()
    accept(scene)
    for told in (THIRTY, THIRTY, replace(THIRTY, clicks=10)):
        telling.tell(scene.workspace, "partner", "maine", told, who="Luis", how="by form")
    noted = [(who, detail) for _, who, what, detail in scene.workspace.host.audit("partner") if what == "figures told"]
    assert noted == [("Luis", "maine, by form")] * 2
    steps = [step for step in scene.workspace.relays.steps(row(scene).id) if step.state == "figures"]
    assert [(step.who, step.detail) for step in steps] == [("Luis", "by form")] * 2
    (standing, _) = offering.standings(scene.workspace, "partner")
    assert standing.figures_at == scene.now
    assert "30" not in json.dumps({**standing.to_json(), "since": "", "figures_at": ""})


def test_figures_of_several_are_taken_down_all_or_none(scene: Scene) -> None:
    scene.offer()
    accept(scene)
    accept(scene, "ohio")
    with pytest.raises(StateError, match="counts by itself"):
        telling.tell_all(scene.workspace, "partner", {"maine": THIRTY, "ohio": THIRTY}, who="dana", how="from a file")
    assert figures.known(scene.workspace, row(scene)) is None


# --- posts of a tool --------------------------------------------------------------------------


def post(
    scene: Scene, secret: str, copies: int = 30, *, slug: str = "maine", ago: float = 0, campaign: str = "partner"
) -> Reply:
    body = json.dumps({"campaign": campaign, "copies": copies}).encode()
    seconds = int(scene.now.timestamp() - ago)
    return posted.take(scene.workspace, slug, (seconds, signed_figures.signature(secret, seconds, body)), body)


def copies(scene: Scene) -> int:
    kept = figures.known(scene.workspace, row(scene))
    return kept.figures.copies if kept else 0


@pytest.fixture
def secret(scene: Scene) -> str:
    scene.offer()
    accept(scene)
    return posted.give(scene.workspace, "maine", who="dana").secret


def test_a_signed_post_is_taken_down_in_the_name_of_the_tool(scene: Scene, secret: str) -> None:
    assert post(scene, secret) == Reply(200, campaign="partner")
    kept = figures.known(scene.workspace, row(scene))
    assert kept is not None
    assert (kept.figures, kept.who) == (ToldFigures(30, 30), "the tool of Maine Libraries")
    (counted,) = (each for each in counting.counted(scene.workspace, "partner").rows if each.slug == "maine")
    assert (counted.copies, counted.measured) == (30, False)


def test_a_post_that_comes_twice_or_late_changes_nothing(scene: Scene, secret: str) -> None:
    post(scene, secret, 30, ago=100)
    assert post(scene, secret, 40).status == 200
    assert post(scene, secret, 30, ago=100).status == 409
    assert post(scene, secret, 40).status == 200, "the same post again"
    assert post(scene, secret, 50).status == 409, "two of one moment say two things"
    assert copies(scene) == 40
    scene.now += timedelta(seconds=30)
    telling.tell(scene.workspace, "partner", "maine", ToldFigures(60, 60), who="Luis")
    assert post(scene, secret, 70, ago=20).status == 409, "signed before somebody said otherwise"
    assert post(scene, secret, 40, ago=30).status == 200
    assert copies(scene) == 60, "a copy of an earlier post"
    scene.now += timedelta(seconds=5)
    assert post(scene, secret, 70).status == 200
    assert copies(scene) == 70


def test_two_posts_that_arrive_late_but_in_order_are_both_taken(scene: Scene, secret: str) -> None:
    assert post(scene, secret, 30, ago=9).status == 200
    assert post(scene, secret, 31, ago=8).status == 200
    assert copies(scene) == 31


@pytest.mark.parametrize("ago", [301, 10**6, -301, -(10**9)])
def test_what_was_not_signed_now_is_refused(scene: Scene, secret: str, ago: float) -> None:
    assert post(scene, secret, ago=ago).status == 403
    assert copies(scene) == 0


def test_without_the_secret_everyone_gets_the_same_answer_whatever_there_is(scene: Scene, secret: str) -> None:
    posted.give(scene.workspace, "ohio", who="dana")
    said = {
        post(scene, "wrong", slug=slug, campaign=campaign, ago=ago)
        for slug in ("maine", "ohio", "coalition", "nobody", "'; --")
        for campaign in ("partner", "nothing")
        for ago in (0, 10**6)
    }
    assert len(said) == 1
    assert said.pop().status == 403
    assert post(scene, secret, slug="ohio").status == 403, "the secret of another association"


def test_a_campaign_that_is_not_offered_closed_or_counted_here_is_said_to_who_has_the_secret(
    scene: Scene, secret: str
) -> None:
    assert post(scene, secret, campaign="nothing") == Reply(404, "nothing was not offered to maine.")
    accept(scene, "ohio")
    theirs = posted.give(scene.workspace, "ohio", who="dana").secret
    assert post(scene, theirs, slug="ohio").status == 409
    answering.decline(scene.workspace, row(scene, "ohio"), "", who="Luis")
    closing.close(scene.workspace, "partner", who="dana")
    reply = post(scene, secret)
    assert (reply.status, "is closed" in reply.error) == (409, True)


def test_a_new_secret_ends_the_old_one_and_none_is_kept_in_clear(scene: Scene, secret: str) -> None:
    renewed = posted.give(scene.workspace, "maine", who="dana").secret
    assert (post(scene, secret).status, post(scene, renewed).status) == (403, 200)
    for path in scene.workspace.folder.rglob("*"):
        assert not path.is_file() or renewed.encode() not in path.read_bytes(), path
    posted.revoke(scene.workspace, "maine", who="dana")
    assert post(scene, renewed).status == 403
    with pytest.raises(UsageError, match="has no secret"):
        posted.revoke(scene.workspace, "maine", who="dana")
    log = scene.workspace.host.db.execute("SELECT what FROM audit WHERE what LIKE 'figures secret %' ORDER BY id")
    assert [what.split()[-1] for (what,) in log] == ["made", "renewed", "revoked"]


def test_a_tool_that_posts_without_end_is_told_to_wait(scene: Scene, secret: str) -> None:
    for _ in range(MOST_IN_HOUR):
        scene.now += timedelta(seconds=1)
        assert post(scene, secret).status == 200
    reply = post(scene, secret, 99)
    assert (reply.status, copies(scene)) == (429, 30)
    assert reply.retry_after_s is not None
    assert 0 < reply.retry_after_s <= 3600
    for _ in range(3):
        post(scene, "wrong")
    scene.now += timedelta(seconds=reply.retry_after_s)
    assert post(scene, secret, 99).status == 200
