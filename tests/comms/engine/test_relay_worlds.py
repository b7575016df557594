"""What an association can see must not tell whether another one knows a person, too: the same story in two worlds."""

from __future__ import annotations

import shutil
from collections.abc import Callable, Iterator
from dataclasses import asdict
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from one_copy_scene import OFFER, MoodySenders, accept, rounds
from relay_scene import Scene, add_members, scene_of

from audiences.models import SuppressionScope
from comms.engine import reporting
from comms.engine.relaying import answering, showing
from comms.engine.workspace import Workspace

PERSON = "pat@example.org"
MAINE = [*(f"maine{n}@example.org" for n in range(14)), PERSON, *(f"maine{n}@example.org" for n in range(14, 20))]
OHIO = [f"ohio{n}@example.org" for n in range(15)]
World = Callable[[str, list[str]], Scene]


@pytest.fixture
def world(tmp_path: Path) -> Iterator[World]:
    """Worlds in which only the list of Ohio differs: even their keys are the same."""
    scene_of(tmp_path / "template", {"maine": MAINE, "ohio": []}).workspace.close()
    made: list[Scene] = []

    def scene(name: str, ohio: list[str]) -> Scene:
        shutil.copytree(tmp_path / "template", tmp_path / name)
        made.append(Scene(Workspace(tmp_path / name), MoodySenders()))
        add_members(made[-1].workspace, "ohio", ohio)
        made[-1].offer(OFFER)
        return made[-1]

    yield scene
    for each in made:
        each.workspace.close()


def _send(scene: Scene, *, through: str | None = None, first: str = "maine") -> None:
    workspace = scene.workspace
    if through:
        with workspace.host.db.atomic():
            workspace.relays.choose(workspace.people("coalition").hash_of(PERSON), through)
    scene.before = _seen(scene)  # type: ignore[attr-defined]
    accept(scene, first)
    if first == "ohio":
        scene.work()  # it is through before Maine begins
    accept(scene, "ohio" if first == "maine" else "maine")
    rounds(scene, 4, timedelta(minutes=5))


def _seen(scene: Scene) -> dict[str, Any]:
    """All that somebody who speaks for Maine is shown of the offer."""
    desk = answering.desk(scene.workspace, answering.find(scene.workspace, "partner", "maine"))
    assert desk.preview is not None
    return {**desk.to_json(), "page": showing.newsletter(scene.workspace, desk.preview)}


def _database(scene: Scene) -> dict[str, list[dict[str, Any]]]:
    """Everything that stands in Maine's database, table by table."""
    db = scene.workspace.association_db("maine")
    found = {}
    for (name,) in db.execute("SELECT name FROM sqlite_master WHERE type = 'table'").fetchall():
        cursor = db.execute(f"SELECT * FROM [{name}]")
        columns = [each[0] for each in cursor.description]
        found[name] = [dict(zip(columns, row, strict=True)) for row in cursor]
    assert found["delivery"]
    return found


def _without_the_end(tables: dict[str, list[dict[str, Any]]]) -> dict[str, list[dict[str, Any]]]:
    """Without the moment at which the run ended, which everybody has who was left out of it."""
    (run,) = tables["run"]
    left_out = [row for row in tables["delivery"] if row["reason"] == "not_relayed"]
    assert {f"{datetime.fromtimestamp(row['final_at'], UTC):%FT%T+00:00}" for row in left_out} == {run["done_at"]}
    for row in (run, *left_out):
        row["done_at"] = row["final_at"] = None
    return tables


def _report(scene: Scene) -> dict[str, Any]:
    return asdict(reporting.report(scene.workspace, "partner.maine"))


def test_what_maine_has_of_those_it_reached_does_not_tell_who_is_a_member_of_ohio(world: World) -> None:
    both, alone = world("both", [*OHIO, PERSON]), world("alone", OHIO)
    for scene in (both, alone):
        _send(scene, through="maine")
        assert scene.senders.copies()[PERSON] == 1
    assert _database(both) == _database(alone)
    assert _report(both) == _report(alone)
    assert both.before == alone.before  # type: ignore[attr-defined]
    assert _seen(both) == _seen(alone)


def test_who_is_left_out_because_ohio_reached_them_looks_as_who_wants_nothing_relayed(world: World) -> None:
    """Neither the row, nor its times, nor the count of readers tells which of the two it was."""
    for first in ("ohio", "maine"):
        reached, stopped = world(f"reached-{first}", [*OHIO, PERSON]), world(f"stopped-{first}", OHIO)
        host = stopped.workspace.people("coalition")
        with host.db.atomic():
            host.suppress(PERSON, SuppressionScope.RELAYS, "asked", stopped.now)
        for scene in (reached, stopped):
            _send(scene, through="ohio", first=first)
            assert ("maine", PERSON) not in scene.senders.got
        found = [_database(scene) for scene in (reached, stopped)]
        if first == "maine":  # then it ends later, for somebody was waited for: but which of the two they are
            found = [_without_the_end(tables) for tables in found]
        assert found[0] == found[1]
        assert _report(reached) == _report(stopped)
        assert reached.before == stopped.before  # type: ignore[attr-defined]
        after = [_seen(scene) for scene in (reached, stopped)]
        if first == "maine":
            assert [seen["steps"].pop()["state"] for seen in after] == ["sent", "sent"]
        assert after[0] == after[1]
