"""Mails and posts that may have arrived: a person says what became of them, and the campaign goes on from there."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from control_scene import CAMPAIGN, HOST, Scene, add_members, begin

from audiences.models import SuppressionScope
from comms.delivery.batches import Outcome, Receipt, Report
from comms.engine import deciding, reporting, sending
from comms.engine.setup import create_workspace
from comms.engine.workspace import Workspace
from comms.errors import StateError, UsageError
from comms.events import PostState
from tests.conftest import Comms


@pytest.fixture
def held(tmp_path: Path) -> Iterator[Scene]:
    """A campaign to four people that is through, two of whom may have got it."""
    create_workspace(tmp_path / "workspace", HOST).close()
    workspace = Workspace(tmp_path / "workspace", environment={"COMMS_DELIVERY__DOUBT": "hold"})
    add_members(workspace, 4)
    _, control, queue = begin(workspace)
    control.step()
    (batch,) = queue.work
    outcomes = [Outcome.ACCEPTED, Outcome.UNKNOWN, Outcome.UNKNOWN, Outcome.REJECTED]
    receipts = tuple(
        Receipt(each[0], outcome, 0, "cut") for each, outcome in zip(batch["recipients"], outcomes, strict=True)
    )
    queue.work.clear()
    queue.reports.append(Report(batch["id"], HOST.slug, receipts).to_json())
    while control.step():
        pass
    assert sending.find(workspace, "sized").state == "sent"
    yield workspace, control, queue
    workspace.close()


def addresses(workspace: Workspace) -> list[str | None]:
    return [mail.address for mail in deciding.undecided(workspace, "sized").mails]


def test_what_arrived_is_counted_as_sent_and_nothing_goes_out(held: Scene) -> None:
    workspace, control, queue = held
    first, second = addresses(workspace)
    assert first
    assert deciding.decide_mails(workspace, "sized", [first], arrived=True, who="ana") == 1
    assert addresses(workspace) == [second]
    assert workspace.ledger(HOST.slug).counts(1) == {"sent": 2, "uncertain": 1, "failed": 1}
    control.step()
    assert queue.work == []
    cases = {case.address: case.resolution for case in reporting.report(workspace, "sized").in_doubt}
    assert cases == {first: "arrived", second: "held"}
    assert workspace.host.audit("sized")[-1][1:2] == ("ana",)


def test_what_did_not_arrive_goes_out_again_once_and_the_campaign_ends_anew(held: Scene) -> None:
    workspace, control, queue = held
    waiting = addresses(workspace)
    assert deciding.decide_mails(workspace, "sized", [], arrived=False, who="ana") == 2
    assert sending.find(workspace, "sized").state == "sending"
    control.step()
    assert queue.addresses() == waiting
    queue.answer(Outcome.ACCEPTED)
    while control.step():
        pass
    assert sending.find(workspace, "sized").state == "sent"
    assert workspace.ledger(HOST.slug).counts(1) == {"sent": 3, "failed": 1}
    assert addresses(workspace) == []


def test_who_left_meanwhile_is_not_written_to_again(held: Scene) -> None:
    workspace, control, queue = held
    people, now = workspace.people(HOST.slug), workspace.now()
    first, second = addresses(workspace)
    assert first
    with people.db.atomic():
        people.suppress(first, SuppressionScope.ALL, "complaint", now)
    deciding.decide_mails(workspace, "sized", [], arrived=False, who="ana")
    control.step()
    assert queue.addresses() == [second]


def test_an_address_that_nothing_waits_for_changes_nothing(held: Scene) -> None:
    workspace, _, _ = held
    first, _ = addresses(workspace)
    assert first
    with pytest.raises(UsageError, match="nothing to nobody"):
        deciding.decide_mails(workspace, "sized", [first, "nobody@example.org"], arrived=True, who="ana")
    assert len(addresses(workspace)) == 2


def test_nothing_of_a_cancelled_campaign_goes_out_again(held: Scene) -> None:
    workspace, _, _ = held
    with workspace.host.db.atomic():
        workspace.host.set_state("sized", "cancelled", workspace.now(), was=["sent"])
    with pytest.raises(StateError, match="cancelled"):
        deciding.decide_mails(workspace, "sized", [], arrived=False, who="ana")
    assert len(addresses(workspace)) == 2


@pytest.mark.parametrize(("own", "left"), [("  doubt: resend\n", {"ready": 4}), ("", {"uncertain": 4})])
def test_a_campaign_may_say_otherwise_than_the_settings(tmp_path: Path, own: str, left: dict[str, int]) -> None:
    create_workspace(tmp_path / "workspace", HOST).close()
    with Workspace(tmp_path / "workspace", environment={"COMMS_DELIVERY__DOUBT": "hold"}) as workspace:
        add_members(workspace, 4)
        _, control, queue = begin(workspace, CAMPAIGN.replace("newsletter:\n", f"newsletter:\n{own}"))
        control.step()
        queue.answer(Outcome.UNKNOWN, 0, "cut")
        control.step()
        assert workspace.ledger(HOST.slug).counts(1) == left


def test_a_post_is_found_there_or_published_again(held: Scene) -> None:
    workspace, _, _ = held
    host, now = workspace.host, workspace.now()
    with host.db.atomic():
        for network in ("x", "mastodon"):
            host.add_post("sized", HOST.slug, network, "Hello", PostState.UNCONFIRMED, now)
    there, lost = deciding.undecided(workspace, "sized").posts
    deciding.decide_post(workspace, "sized", there.id, arrived=True, url="https://x.com/1", who="ana")
    deciding.decide_post(workspace, "sized", lost.id, arrived=False, url="", who="ana")
    posts = {post.network: post for post in host.posts("sized")}
    assert (posts["x"].state, posts["x"].url) == ("sent", "https://x.com/1")
    assert posts["mastodon"].state == "queued"
    assert sending.find(workspace, "sized").state == "sending"
    with pytest.raises(UsageError, match="waits for a decision"):
        deciding.decide_post(workspace, "sized", there.id, arrived=False, url="", who="ana")


def test_the_command_lists_asks_and_settles(held: Scene) -> None:
    workspace, _, _ = held
    comms = Comms(workspace.folder)
    listed = comms("campaign", "settle", "sized", "--json").json()
    assert [mail["address"] for mail in listed["mails"]] == addresses(workspace)
    refused = comms("campaign", "settle", "sized", "--again")
    assert refused.code != 0, "nobody said yes"
    assert len(addresses(workspace)) == 2
    assert comms("campaign", "settle", "sized", "--arrived", "--again").code == 2
    done = comms("campaign", "settle", "sized", "--arrived", "--yes", "--json")
    assert done.json() == {"id": "sized", "settled": 2, "as": "arrived"}
    assert comms("campaign", "settle", "sized").out.strip() == "Nothing waits for a decision."
