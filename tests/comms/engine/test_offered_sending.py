"""A campaign that is offered goes out for an association by its acceptance alone, whatever command is tried."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from relay_scene import OFFER, Scene, association, scene_of

from audiences.models import SuppressionScope
from campaigns import definition
from comms.engine import sending
from comms.engine.relaying import answering, closing, correcting, offering, seating
from comms.engine.sending import Prepared
from comms.engine.workspace import Workspace
from comms.errors import StateError
from tests.conftest import Comms

WITHOUT = OFFER.partition("relay:\n")[0] + "---\n\nDear colleague.\n"
"""The same campaign, from a file in which it is not offered."""


@pytest.fixture
def scene(tmp_path: Path) -> Iterator[Scene]:
    people = {slug: [f"{slug}{n}@example.org" for n in range(12)] for slug in ("coalition", "maine", "ohio")}
    made = scene_of(tmp_path / "workspace", people)
    yield made
    made.workspace.close()


def _prepare(scene: Scene, *slugs: str, text: str = OFFER, scheduled: bool = False) -> Prepared:
    return sending.prepare(scene.workspace, definition.read(text), slugs, scheduled=scheduled)


def _refused(scene: Scene, *slugs: str, text: str = OFFER, scheduled: bool = False) -> str:
    with pytest.raises(StateError) as caught:
        _prepare(scene, *slugs, text=text, scheduled=scheduled)
    return str(caught.value)


@pytest.mark.parametrize("scheduled", [False, True])
@pytest.mark.parametrize("senders", [("maine",), ("coalition", "maine")])
def test_an_association_sends_it_by_accepting_it(scene: Scene, senders: tuple[str, ...], *, scheduled: bool) -> None:
    scene.offer()
    said = _refused(scene, *senders, scheduled=scheduled)
    assert "maine sends partner as an offer only" in said
    assert "comms relay accept partner --association maine" in said
    assert "as an offer only" in _refused(scene, *senders, text=WITHOUT, scheduled=scheduled)


def test_the_coalition_s_own_members_get_it_as_ever(scene: Scene) -> None:
    scene.offer()
    ready = _prepare(scene, "coalition")
    sending.start(scene.workspace, sending.approve(scene.workspace, ready, who="dana"))
    scene.work()
    assert {slug for slug, _ in scene.senders.got} == {"coalition"}
    assert len(scene.senders.got) == 12


def test_neither_a_no_nor_a_wish_for_nothing_relayed_can_be_gone_past(scene: Scene) -> None:
    maine = scene.workspace.people("maine")
    with maine.db.atomic():
        maine.suppress("maine3@example.org", SuppressionScope.RELAYS, "asked", scene.now)
    scene.offer()
    row = answering.find(scene.workspace, "partner", "maine")
    answering.decline(scene.workspace, row, "not for us", who="Luis")
    for text in (OFFER, WITHOUT):
        with pytest.raises(StateError):
            sending.approve(scene.workspace, _prepare(scene, "maine", text=text), who="dana")
    scene.work()
    assert scene.senders.got == []


def test_before_it_is_offered_it_is_not_sent_past_the_offer_either(scene: Scene) -> None:
    assert "comms relay offer FILE" in _refused(scene, "maine")


def test_who_was_not_asked_is_told_so(scene: Scene) -> None:
    scene.offer(OFFER.replace("associations: all", "associations: [ohio]"))
    assert "not offered to maine" in _refused(scene, "maine")


def test_what_was_prepared_before_it_was_offered_is_not_approved_after_it(scene: Scene) -> None:
    ready = _prepare(scene, "maine", text=WITHOUT)
    scene.offer()
    with pytest.raises(StateError, match="as an offer only"):
        sending.approve(scene.workspace, ready, who="dana")


def test_what_an_association_sent_unasked_is_not_offered_under_the_same_id(scene: Scene) -> None:
    ready = _prepare(scene, "maine", text=WITHOUT)
    sending.approve(scene.workspace, ready, who="dana")
    planned = offering.plan(scene.workspace, definition.read(OFFER))
    with pytest.raises(StateError, match="maine sends partner already"):
        offering.offer(scene.workspace, planned, who="dana")
    assert scene.workspace.relays.offer("partner") is None


def test_what_was_recalled_is_sent_by_nobody_any_more(scene: Scene) -> None:
    scene.offer()
    ready = _prepare(scene)
    correcting.recall(scene.workspace, "partner", "the grant was withdrawn", who="dana")
    assert "was recalled" in _refused(scene)
    assert "was recalled" in _refused(scene, "maine")
    with pytest.raises(StateError, match="was recalled"):
        sending.approve(scene.workspace, ready, who="dana")


def test_what_is_closed_is_sent_by_nobody_any_more(scene: Scene) -> None:
    scene.offer()
    closing.close(scene.workspace, "partner", who="dana")
    assert "is closed" in _refused(scene)


def test_a_second_call_does_not_go_on_with_it_for_another_association(scene: Scene) -> None:
    scene.offer()
    sending.approve(scene.workspace, _prepare(scene), who="dana")
    assert sending.under_way(scene.workspace, definition.read(OFFER)) is not None
    with pytest.raises(StateError, match="as an offer only"):
        sending.under_way(scene.workspace, definition.read(OFFER), ["maine"])


def test_acceptances_go_out_and_leave_out_who_wants_nothing_relayed(scene: Scene) -> None:
    maine = scene.workspace.people("maine")
    with maine.db.atomic():
        maine.suppress("maine3@example.org", SuppressionScope.RELAYS, "asked", scene.now)
    scene.offer()
    row = answering.find(scene.workspace, "partner", "maine")
    answering.accept(scene.workspace, row, who="Luis", seat=seating.seats(scene.workspace, "maine")[0])
    scene.work(until=scene.now.replace(month=2, day=1))
    assert len(scene.senders.got) == 11


def test_every_command_that_sends_says_how_it_is_accepted(tmp_path: Path, comms: Comms) -> None:
    with Workspace(comms.folder) as workspace:
        workspace.add_association(association("maine"))
    file = tmp_path / "partner.md"
    file.write_text(OFFER.replace("2027", "2097"))
    assert comms("relay", "offer", str(file), "--yes").code == 0
    for words in (["plan"], ["send", "--yes"], ["schedule", "--yes"]):
        refused = comms("campaign", words[0], str(file), "-a", "maine", *words[1:])
        assert refused.code == 1, words
        assert "comms relay accept partner --association maine" in " ".join(refused.err.split()), words
