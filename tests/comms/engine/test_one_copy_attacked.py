"""One copy for each person, in the cases in which it is easy to send two, or none."""

from __future__ import annotations

import shutil
from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path

import pytest
from one_copy_scene import OFFER, MoodySenders, accept, move, rounds
from relay_scene import Scene, scene_of

from campaigns import definition
from comms.delivery.batches import Outcome
from comms.delivery.copies import Holders, Standing, Verdict, judge
from comms.engine import deciding, sending
from comms.engine import workspace as workspaces
from comms.engine.relaying import correcting
from comms.engine.rights import erase_member
from comms.events import CampaignState, DeliveryState

BOTH = [f"both{n}@example.org" for n in range(12)]
Make = Callable[[Mapping[str, list[str]]], Scene]


@pytest.fixture
def make(tmp_path: Path) -> Iterator[Make]:
    made: list[Scene] = []

    def scene(members: Mapping[str, list[str]]) -> Scene:
        found = scene_of(tmp_path / "workspace", members)
        made.append(Scene(found.workspace, MoodySenders(), found.now))
        made[-1].offer(OFFER)
        return made[-1]

    yield scene
    for each in made:
        each.workspace.close()


@pytest.fixture
def scene(make: Make) -> Scene:
    """Two associations with the same twelve people."""
    return make({"maine": BOTH, "ohio": BOTH})


def _moods(scene: Scene) -> dict[str, Outcome]:
    assert isinstance(scene.senders, MoodySenders)
    return scene.senders.moods


def _hand_out(scene: Scene) -> None:
    """Control works until it has nothing more to give out; no sender does anything."""
    for _ in range(5):
        scene.control._recovered_at = float("-inf")
        scene.control.step()


def test_who_was_put_off_by_one_and_waits_for_another_is_not_forgotten_by_both(scene: Scene) -> None:
    _moods(scene)["maine"] = Outcome.DEFERRED
    accept(scene, "maine")
    scene.work()
    accept(scene, "ohio")
    _moods(scene)["maine"] = Outcome.ACCEPTED
    rounds(scene, 24)
    assert scene.senders.copies() == dict.fromkeys(BOTH, 1)
    assert {slug for slug, _ in scene.senders.got} == {"maine"}, "who has begun with somebody goes on"


def test_a_paused_association_that_was_put_off_does_not_keep_its_people_from_the_others(scene: Scene) -> None:
    _moods(scene)["maine"] = Outcome.DEFERRED
    accept(scene, "maine")
    scene.work()
    sending.pause(scene.workspace, "partner.maine", who="dana")
    accept(scene, "ohio")
    rounds(scene, 3)
    assert Counter(scene.senders.got) == {("ohio", address): 1 for address in BOTH}
    _moods(scene)["maine"] = Outcome.ACCEPTED
    sending.resume(scene.workspace, "partner.maine", who="dana")
    rounds(scene)
    assert scene.senders.copies() == dict.fromkeys(BOTH, 1)


def test_who_may_have_it_already_is_tried_again_by_the_same_association_alone(scene: Scene) -> None:
    """So the second copy has the Message-ID of the first, and mail servers may drop it."""
    _moods(scene)["maine"] = Outcome.UNKNOWN
    accept(scene, "maine")
    scene.work()
    _moods(scene)["maine"] = Outcome.ACCEPTED
    accept(scene, "ohio")
    rounds(scene, 24)
    assert {slug for slug, _ in scene.senders.got} == {"maine"}


def test_a_new_address_that_another_association_knows_as_well_gets_one_copy(make: Make) -> None:
    for order in (("maine", "ohio"), ("ohio", "maine")):
        old, new = [f"old{n}@{order[0]}.example" for n in range(6)], [f"new{n}@{order[0]}.example" for n in range(6)]
        scene = make({"maine": old, "ohio": new})
        for slug in order:
            accept(scene, slug)
            scene.control.step()  # frozen, and handed out where it was due
        scene.senders.work.clear()
        for before, after in zip(old, new, strict=True):
            assert move(scene.workspace, "maine", before, after)
        rounds(scene)
        assert scene.senders.copies() == dict.fromkeys(new, 1)
        scene.workspace.close()
        shutil.rmtree(scene.workspace.folder)


def test_who_was_erased_by_one_after_they_got_it_does_not_get_it_from_another(scene: Scene) -> None:
    accept(scene, "maine")
    scene.work()
    for address in BOTH[:4]:
        assert erase_member(scene.workspace, address, "maine") is not None
    accept(scene, "ohio")
    rounds(scene)
    assert scene.senders.copies() == dict.fromkeys(BOTH, 1)


def test_what_the_coalition_sends_its_own_members_counts_as_their_copy(make: Make) -> None:
    scene = make({"coalition": BOTH[:3], "maine": BOTH, "ohio": BOTH})
    ready = sending.prepare(scene.workspace, definition.read(OFFER))
    sending.start(scene.workspace, sending.approve(scene.workspace, ready, who="dana"))
    accept(scene, "maine")
    accept(scene, "ohio")
    rounds(scene)
    assert scene.senders.copies() == dict.fromkeys(BOTH, 1)


def test_what_control_had_claimed_when_it_was_killed_is_sent_once(scene: Scene) -> None:
    accept(scene, "maine")
    accept(scene, "ohio")
    _hand_out(scene)
    assert scene.senders.work
    scene.senders.work.clear()  # the queue is wiped, too
    scene.restart()
    rounds(scene)
    assert scene.senders.copies() == dict.fromkeys(BOTH, 1)


def test_a_damaged_list_of_who_has_whom_is_made_anew(scene: Scene) -> None:
    accept(scene, "maine")
    accept(scene, "ohio")
    _hand_out(scene)
    scene.senders.answer()
    scene.control._copies._families["partner"].close()
    path = scene.workspace.relays_folder / "partner.db"
    path.write_bytes(b"not a database" * 4_000)
    scene.restart()
    rounds(scene)
    assert scene.senders.copies() == dict.fromkeys(BOTH, 1)


def test_a_kill_while_the_list_is_written_leaves_all_of_it_or_nothing(tmp_path: Path) -> None:
    """A copy of the files in the middle of the transaction is what a process that was killed leaves behind."""
    path, many = tmp_path / "a.db", [(n.to_bytes(32, "big"), n) for n in range(60_000)]
    holders = Holders(path, b"k" * 32)
    holders.replace("partner.maine maine", "planned", many[:100])

    def until_killed() -> Iterator[tuple[bytes, int | None]]:
        yield from many
        shutil.copytree(tmp_path, tmp_path.with_name("left"), dirs_exist_ok=True)

    holders.replace("partner.maine maine", "frozen [1]", until_killed())
    holders.close()
    left = Holders(tmp_path.with_name("left") / "a.db", b"k" * 32)
    assert dict(left.marks()) == {"partner.maine maine": "planned"}
    assert [left.who(digest)[1] != {} for digest, _ in (many[0], many[99], many[100])] == [True, True, False]
    left.close()


def test_people_of_a_list_that_can_not_be_opened_wait_and_all_others_get_theirs(make: Make) -> None:
    alone = [f"ohio{n}@example.org" for n in range(5)]
    scene = make({"maine": BOTH, "ohio": [*BOTH, *alone]})
    accept(scene, "maine")
    _hand_out(scene)
    scene.senders.work.clear()
    workspace = scene.workspace
    workspace._databases.pop(workspace.association_path("maine")).close()
    path = workspace.association_path("maine")
    kept = path.with_suffix(".kept")
    for beside in path.parent.glob("maine.db-*"):
        beside.unlink()
    path.rename(kept)
    path.write_bytes(b"damaged" * 1_000)
    accept(scene, "ohio")
    rounds(scene, 2)
    assert scene.senders.copies() == dict.fromkeys(alone, 1)
    path.unlink()
    kept.rename(path)
    rounds(scene)
    assert scene.senders.copies() == dict.fromkeys([*BOTH, *alone], 1)


def test_more_associations_than_databases_are_kept_open_share_their_people(
    make: Make, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(workspaces, "MOST_OPEN", 4)
    slugs = ("maine", "ohio", "utah", "iowa", "texas", "idaho")
    scene = make(dict.fromkeys(slugs, BOTH))
    for slug in slugs:
        accept(scene, slug)
    rounds(scene, 3)
    assert scene.senders.copies() == dict.fromkeys(BOTH, 1)


def test_an_uncertain_copy_that_a_person_sends_again_is_the_only_second_one(scene: Scene) -> None:
    held = OFFER.replace("  preview:", "  doubt: hold\n  preview:")
    _hold(scene, held)
    _moods(scene)["maine"] = Outcome.UNKNOWN
    accept(scene, "maine")
    scene.work()
    _moods(scene)["maine"] = Outcome.ACCEPTED
    accept(scene, "ohio")
    rounds(scene)
    assert scene.senders.copies() == dict.fromkeys(BOTH, 1), "who may have it is left alone by the others"
    deciding.decide_mails(scene.workspace, "partner.maine", BOTH[:2], arrived=False, who="dana")
    rounds(scene)
    assert scene.senders.copies() == {**dict.fromkeys(BOTH, 1), **dict.fromkeys(BOTH[:2], 2)}


def _hold(scene: Scene, text: str) -> None:
    file = scene.workspace.folder / "held.md"
    file.write_text(text)
    plan = correcting.plan(scene.workspace, file, note="in doubt it is held")
    correcting.correct(scene.workspace, plan, who="dana")


def test_a_cancelled_association_leaves_its_people_to_the_others(scene: Scene) -> None:
    accept(scene, "maine")
    accept(scene, "ohio")
    scene.workspace.host.set_state("partner.maine", CampaignState.PAUSED, scene.now, was=[CampaignState.SENDING])
    scene.control.step()
    sending.cancel(scene.workspace, "partner.maine", who="dana")
    rounds(scene, 2)
    assert Counter(scene.senders.got) == {("ohio", address): 1 for address in BOTH}


@pytest.mark.parametrize("mine", [DeliveryState.READY, DeliveryState.DEFERRED])
@pytest.mark.parametrize("other", [DeliveryState.READY, DeliveryState.DEFERRED])
@pytest.mark.parametrize("choice", [None, "maine", "ohio", "utah"])
def test_of_two_that_could_send_one_does_and_the_other_waits_for_it(
    mine: DeliveryState, other: DeliveryState, choice: str | None
) -> None:
    a = Standing("partner.maine maine", "maine", mine, is_open=True)
    b = Standing("partner.ohio ohio", "ohio", other, is_open=True)
    for n in range(20):
        token = n.to_bytes(32, "big")
        found = {judge(a, [b], token, choice), judge(b, [a], token, choice)}
        assert {verdict for verdict, _ in found} == {Verdict.SEND, Verdict.WAIT}
        assert len({first.edition for _, first in found}) == 1
