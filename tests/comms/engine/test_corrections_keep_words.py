"""Whatever three corrections do to a campaign, nothing is lost of the words that an association put in."""

from __future__ import annotations

import shutil
import tempfile
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from relay_scene import HOST, Scene, scene_of

from campaigns.relay import AGREED, RelayState
from comms.engine.relaying import answering, correcting, looking, making, seating
from comms.engine.workspace import Workspace
from comms.rendering.edition import Edition

SLOTS = ("near-you", "event", "contact")
WORDS = {slug: {name: f"Words of {slug} for *{name}*,\nin two lines." for name in SLOTS} for slug in ("maine", "ohio")}


@dataclass(frozen=True)
class Draft:
    """A definition that is corrected."""

    slots: tuple[str, ...] = ("near-you", "event")
    """In reading order."""
    locked: str = "The deadline is 1 March."
    own: str = "Ask us about it."
    """What the campaign has in its slots."""
    subject: str = "Could you host us?"
    topic: str = ""

    def text(self) -> str:
        places = "\n\n".join(f'::: slot {name} "What about {name}?"\n{self.own}\n:::' for name in self.slots)
        audience = f"audience:\n  topic: {self.topic}\n" if self.topic else ""
        return (
            "---\ncampaign: partner\ntitle: We seek a partner\nlanguage: en\n"
            f"{audience}newsletter:\n  subject: {self.subject}\n  preview: Proposals are welcome\n"
            "schedule:\n  at: 2027-02-01 09:00\n  timezone: UTC\nrelay:\n  associations: all\n---\n\n"
            f"Dear colleague.\n\n{self.locked}\n\n{places}\n\nThe end.\n"
        )


drafts = st.builds(
    Draft,
    slots=st.permutations(SLOTS).flatmap(lambda order: st.integers(0, 3).map(lambda n: tuple(order[:n]))),
    locked=st.sampled_from(("The deadline is 1 March.", "The deadline is 1 April.", "There is no deadline.")),
    own=st.sampled_from(("Ask us about it.", "Write to us.")),
    subject=st.sampled_from(("Could you host us?", "Will you host us?")),
    topic=st.sampled_from(("", "news", "jobs")),
)


@cache
def _template() -> Path:
    folder = Path(tempfile.mkdtemp()) / "template"
    scene = scene_of(folder, {slug: [f"{slug}{n}@example.org" for n in range(3)] for slug in WORDS})
    scene.offer(Draft().text())
    scene.workspace.close()
    return folder


def _accept(scene: Scene, slug: str) -> None:
    row = answering.find(scene.workspace, "partner", slug)
    answering.accept(scene.workspace, row, who="Luis", seat=seating.seats(scene.workspace, slug)[0])


@settings(max_examples=12, suppress_health_check=list(HealthCheck))
@given(
    corrections=st.lists(st.tuples(drafts, st.booleans()), min_size=3, max_size=3),
    filled=st.sets(st.sampled_from(("near-you", "event")), min_size=1),
    accepted=st.booleans(),
    again=st.lists(st.booleans(), min_size=3, max_size=3),
)
def test_an_adapted_edition_survives_three_corrections(
    corrections: list[tuple[Draft, bool]], filled: set[str], accepted: bool, again: list[bool]
) -> None:
    folder = Path(tempfile.mkdtemp())
    try:
        shutil.copytree(_template(), folder / "workspace")
        with Workspace(folder / "workspace") as workspace:
            scene = Scene(workspace)
            words = {name: WORDS["maine"][name] for name in filled}
            row = answering.find(workspace, "partner", "maine")
            answering.adapt(workspace, row, words, who="Luis")
            if accepted:
                _accept(scene, "maine")
            version = 1
            for (draft, minor), yes in zip(corrections, again, strict=True):
                version += _correct(scene, draft, minor=minor, version=version)
                _check(workspace, draft, words)
                if yes:
                    _accept(scene, "maine")
                    _check_edition(workspace, draft, words)
            # The places come back, as the last correction, and the words stand in them as they did.
            back = Draft(locked="All of it is back.")
            _correct(scene, back, minor=False, version=version)
            _accept(scene, "maine")
            _check_edition(workspace, back, words)
    finally:
        shutil.rmtree(folder)


def _correct(scene: Scene, draft: Draft, *, minor: bool, version: int) -> int:
    """1 when it was a correction; 0 for a text that says what was offered."""
    file = scene.workspace.folder / "corrected.md"
    file.write_text(draft.text())
    if making.offered(scene.workspace, "partner", version).definition == draft.text():
        return 0
    plan = correcting.plan(scene.workspace, file, note="a note", minor=minor)
    before = answering.find(scene.workspace, "partner", "maine")
    correcting.correct(scene.workspace, plan, who="dana")
    after = answering.find(scene.workspace, "partner", "maine")
    assert after.state not in AGREED, "who put words in is asked, however small the correction is"
    if before.state in AGREED:
        edition = scene.workspace.host.campaign("partner.maine")
        assert edition is not None
        assert edition.state == "cancelled", "nothing goes out meanwhile"
    change = looking.desk(scene.workspace, after).change
    assert change is not None
    assert set(change.slots_gone) <= set(after.adaptation.texts) - set(draft.slots)
    return 1


def _check(workspace: Workspace, draft: Draft, words: dict[str, str]) -> None:
    """The words are kept to the letter, shown where they have a place, and nobody else has them."""
    desk = looking.desk(workspace, answering.find(workspace, "partner", "maine"))
    assert dict(desk.relay.adaptation.texts) == words
    assert {place.name: place.text for place in desk.places} == {name: words.get(name, "") for name in draft.slots}
    assert not desk.obstacle
    assert answering.find(workspace, "partner", "ohio").adaptation.texts == {}


def _check_edition(workspace: Workspace, draft: Draft, words: dict[str, str]) -> None:
    """What would be sent has the words where they have a place, and the corrected text around them."""
    assert answering.find(workspace, "partner", "maine").state is RelayState.SCHEDULED
    body = workspace.host.edition("partner.maine", "maine", "newsletter")
    assert body is not None
    html = Edition.from_json(body.decode()).to_json()
    for name in SLOTS:
        assert (f"Words of maine for <em>{name}</em>" in html) == (name in draft.slots and name in words)
    assert draft.locked in html
    assert (draft.own in html) == any(name not in words for name in draft.slots)
    assert HOST.name in html
