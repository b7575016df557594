"""What a newsletter is made of decides whether it is compiled anew: of the same comes the very same object."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path

import pytest
from PIL import Image
from relay_scene import OFFER, Scene, scene_of

from campaigns import definition
from comms.engine import editions, segments
from comms.engine.relaying import answering, looking, seating
from comms.engine.workspace import Workspace
from comms.rendering import once
from comms.rendering.compile import compile_edition
from comms.rendering.edition import Edition

RICH = (
    OFFER.replace("newsletter:\n", "newsletter:\n  template: ours\n").replace("en\n", "es\n", 1)
    + """
![A map](map.png)

::: when segment near
Come over.
:::
"""
)


@pytest.fixture
def scene(tmp_path: Path) -> Iterator[Scene]:
    made = scene_of(tmp_path / "workspace", {"maine": [f"m{n}@example.org" for n in range(20)]})
    yield made
    made.workspace.close()


def _compiled(desk: looking.Desk) -> Edition:
    assert desk.preview is not None
    return desk.preview.newsletters["maine", "newsletter"]


def test_the_next_look_at_the_same_text_compiles_nothing(scene: Scene) -> None:
    scene.offer()
    workspace, row = scene.workspace, answering.find(scene.workspace, "partner", "maine")
    shown = looking.desk(workspace, row)
    assert _compiled(looking.desk(workspace, row)) is _compiled(shown)
    seat = seating.seats(workspace, "maine")[0]
    row = answering.accept(workspace, row, who=seat.name, seat=seat, fingerprint=shown.fingerprint)
    assert _compiled(looking.desk(workspace, row)) is _compiled(shown)
    row = answering.adapt(workspace, row, {"near-you": "We meet in Bangor."}, who=seat.name)
    assert "Bangor" in _compiled(looking.desk(workspace, row)).html


def _rename(workspace: Workspace) -> None:
    workspace.change_association(replace(workspace.association("maine"), name="Libraries of Maine"))


def _rename_author(workspace: Workspace) -> None:
    workspace.change_association(replace(workspace.association(None), name="Another Coalition"))


def _other_template(workspace: Workspace) -> None:
    path = workspace.folder / "templates" / "ours.mjml"
    path.write_text(path.read_text().replace("</mj-body>", "<mj-raw><!-- ours --></mj-raw></mj-body>"))


def _other_words(workspace: Workspace) -> None:
    folder = workspace.folder / "locale" / "es"
    folder.mkdir(parents=True)
    head = 'msgid ""\nmsgstr "Content-Type: text/plain; charset=UTF-8\\n"\n\n'
    (folder / "comms.po").write_text(f'{head}msgid "Unsubscribe"\nmsgstr "No quiero"\n')


def _other_picture(workspace: Workspace) -> None:
    _save_picture(workspace, "blue")


def _other_segment(workspace: Workspace) -> None:
    segments.save(workspace, "near", 'address = "m2@example.org"', "maine")


def _save_picture(workspace: Workspace, colour: str) -> None:
    workspace.media_folder.mkdir(exist_ok=True)
    Image.new("RGB", (900, 300), colour).save(workspace.media_folder / "map.png")


@pytest.mark.parametrize(
    "change", [_rename, _rename_author, _other_template, _other_words, _other_picture, _other_segment]
)
def test_whatever_changes_in_what_it_is_made_of_shows(scene: Scene, change: Callable[[Workspace], None]) -> None:
    workspace = scene.workspace
    _save_picture(workspace, "red")
    segments.save(workspace, "near", 'address = "m1@example.org"', "maine")
    built_in = workspace.templates.find("announcement")
    (workspace.folder / "templates").mkdir(exist_ok=True)
    (workspace.folder / "templates" / "ours.mjml").write_text(built_in.text)
    campaign = definition.read(RICH)

    def made() -> Edition:
        return editions.newsletter(workspace, campaign, workspace.association("maine"))

    first = made()
    assert made() is first
    change(workspace)
    assert made() is not first
    assert made() != first, "it is what it says that changed"
    association = workspace.association("maine")
    around = replace(
        editions.surroundings(workspace, campaign, association),
        conditions={"segment near": segments.condition(workspace, "segment near", "maine")},
    )
    fresh = compile_edition(
        campaign,
        association,
        workspace.templates.find("ours"),
        media_url=editions.media_url(workspace),
        around=around,
    )
    assert made() == fresh


def test_only_some_are_remembered(scene: Scene) -> None:
    workspace, association = scene.workspace, scene.workspace.association("maine")
    first = editions.newsletter(workspace, definition.read(OFFER), association)
    for number in range(once.MOST):
        editions.newsletter(workspace, definition.read(OFFER.replace("Dear", f"Dear {number}")), association)
    again = editions.newsletter(workspace, definition.read(OFFER), association)
    assert again == first
    assert again is not first
