"""A process that ends while it tells associations of an offer, a correction or a recall leaves nobody untold."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import timedelta
from pathlib import Path

import pytest
from relay_scene import OFFER, Scene, scene_of
from sqlite_utils.utils import sqlite3  # type: ignore[attr-defined] # the driver it chose

from campaigns.relay import RelayState
from comms.engine.relaying import answering, correcting, keeping, seating
from comms.errors import CommsError

SLUGS = ("iowa", "maine", "ohio")
"""In the order in which they are told."""


@pytest.fixture
def scene(tmp_path: Path) -> Iterator[Scene]:
    found = scene_of(tmp_path / "workspace", {slug: [f"reader@{slug}.example"] for slug in SLUGS})
    yield found
    found.workspace.close()


@contextmanager
def ends_after(scene: Scene, letters: int) -> Iterator[None]:
    """Whoever writes more letters than these ends there, as by a kill: what it had committed stays."""
    db = scene.workspace.association_db("coalition")
    most = db.execute("SELECT coalesce(max(id), 0) FROM letter").fetchone()[0] + letters
    db.execute(
        f"CREATE TRIGGER it_ends BEFORE INSERT ON letter WHEN (SELECT max(id) FROM letter) >= {most}"
        f" OR {letters} = 0 BEGIN SELECT RAISE(ABORT, 'it ends here'); END"
    )
    try:
        with pytest.raises((sqlite3.Error, CommsError), match="it ends here"):
            yield
    finally:
        db.execute("DROP TRIGGER it_ends")


def letters(scene: Scene) -> dict[str, int]:
    """Association -> letters to those who speak for it, ever."""
    db = scene.workspace.association_db("coalition")
    rows = dict(db.execute("SELECT address, count(*) FROM letter GROUP BY 1").fetchall())
    return {slug: rows.get(f"luis@{slug}.example", 0) for slug in SLUGS}


def versions(scene: Scene) -> dict[str, int]:
    return {slug: answering.find(scene.workspace, "partner", slug).version for slug in SLUGS}


def later(scene: Scene) -> None:
    """Control works on, once whoever began must be through with it."""
    scene.work()
    told = letters(scene)
    scene.now += keeping.PATIENCE - timedelta(minutes=2)
    scene.work()
    assert letters(scene) == told, "it is given time to tell them itself"
    scene.now += timedelta(minutes=2)
    scene.work()
    scene.work()


def accept(scene: Scene, slug: str) -> None:
    row = answering.find(scene.workspace, "partner", slug)
    answering.accept(scene.workspace, row, who="Luis", seat=seating.seats(scene.workspace, slug)[0])


def correct(scene: Scene, before: str, after: str, *, minor: bool = False) -> Callable[[], None]:
    file = scene.workspace.folder / "corrected.md"
    file.write_text(OFFER.replace(before, after))
    plan = correcting.plan(scene.workspace, file, note="another day", minor=minor)
    return lambda: correcting.correct(scene.workspace, plan, who="dana")


@pytest.mark.parametrize("before_the_end", [0, 1, 2])
def test_an_offer_is_told_to_all(scene: Scene, before_the_end: int) -> None:
    with ends_after(scene, before_the_end):
        scene.offer()
    assert sum(letters(scene).values()) == before_the_end
    later(scene)
    assert letters(scene) == dict.fromkeys(SLUGS, 1)


def test_who_told_everybody_is_not_helped(scene: Scene) -> None:
    scene.offer()
    correct(scene, "1 March", "1 April")()
    correcting.recall(scene.workspace, "partner", "the grant was withdrawn", who="dana")
    told = letters(scene)
    later(scene)
    assert letters(scene) == told


@pytest.mark.parametrize("before_the_end", [0, 1, 2])
def test_a_correction_reaches_all(scene: Scene, before_the_end: int) -> None:
    scene.offer()
    for slug in SLUGS:
        accept(scene, slug)
    told = letters(scene)
    with ends_after(scene, before_the_end):
        correct(scene, "1 March", "1 April")()
    later(scene)
    for slug in SLUGS:
        row = answering.find(scene.workspace, "partner", slug)
        assert (row.state, row.approved) == (RelayState.ADAPTING, ""), "what it had agreed to was another text"
        assert letters(scene)[slug] > told[slug]
        accept(scene, slug)
        assert b"1 April" in (scene.workspace.host.edition(f"partner.{slug}", slug, "newsletter") or b"")


def test_of_two_corrections_the_minor_one_does_not_hide_the_other(scene: Scene) -> None:
    scene.offer()
    for slug in SLUGS:
        accept(scene, slug)
    with ends_after(scene, 1):
        correct(scene, "1 March", "1 April")()
    with ends_after(scene, 0):
        correct(scene, "1 March", "1 April 2027", minor=True)()
    later(scene)
    assert {answering.find(scene.workspace, "partner", slug).state for slug in SLUGS} == {RelayState.ADAPTING}
    assert {step.who for step in scene.workspace.relays.steps(1)} >= {"Luis", "dana"}


def test_a_minor_correction_reaches_all_and_asks_nobody(scene: Scene) -> None:
    scene.offer()
    for slug in SLUGS:
        accept(scene, slug)
    with ends_after(scene, 1):
        correct(scene, "1 March", "1 April", minor=True)()
    later(scene)
    assert versions(scene) == dict.fromkeys(SLUGS, 2)
    for slug in SLUGS:
        assert answering.find(scene.workspace, "partner", slug).state is RelayState.SCHEDULED
        assert b"1 April" in (scene.workspace.host.edition(f"partner.{slug}", slug, "newsletter") or b"")


@pytest.mark.parametrize("before_the_end", [0, 2])
def test_a_recall_is_told_to_all_and_what_is_published_is_withdrawn_with_it(scene: Scene, before_the_end: int) -> None:
    scene.offer()
    accept(scene, "maine")
    scene.now += timedelta(days=22)
    scene.work()
    entry = scene.workspace.host.entry("maine", "partner.maine")
    assert entry is not None, "it stands in the feed"
    told = letters(scene)
    with ends_after(scene, before_the_end):
        correcting.recall(scene.workspace, "partner", "the grant was withdrawn", who="dana")
    entry = scene.workspace.host.entry("maine", "partner.maine")
    assert entry is not None
    assert entry.withdrawn is not None
    later(scene)
    assert letters(scene) == {slug: number + 1 for slug, number in told.items()}
