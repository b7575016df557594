"""What an association can see must not tell whether another one knows a person, too: the same story in two worlds."""

from __future__ import annotations

import shutil
from collections.abc import Callable, Iterator
from dataclasses import asdict
from datetime import UTC, datetime, timedelta
from io import StringIO
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from one_copy_scene import OFFER, MoodySenders, accept, rounds
from relay_scene import Scene, add_members, scene_of
from rich.console import Console

from audiences.models import TRACKING, Basis, Consent, ConsentState, SuppressionScope
from comms.cli import following
from comms.delivery.batches import Outcome, Receipt
from comms.engagement import html, terminal
from comms.engine import metrics, progress, pulse, reporting, rights, sending
from comms.engine.relaying import answering, looking, sharing, showing
from comms.engine.workspace import Workspace
from comms.web.exposition import exposition

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
    desk = looking.desk(scene.workspace, answering.find(scene.workspace, "partner", "maine"))
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


# --- how many they are --------------------------------------------------------------------------

SLOW = MAINE[-1]
"""Whose mail server puts everything off, so that the run is not over."""


class _OneIsSlow(MoodySenders):
    def _receipt(self, slug: str, delivery: int, address: str) -> Receipt:
        if (slug, address) == ("maine", SLOW):
            return Receipt(delivery, Outcome.DEFERRED, 450, "later")
        return super()._receipt(slug, delivery, address)


def _agreed_to_tracking(workspace: Workspace) -> None:
    people, now = workspace.people("maine"), workspace.now()
    yes = Consent(TRACKING, ConsentState.GRANTED, now, "test", Basis.EXPRESS)
    with people.db.atomic():
        found = [people.find(address) for address in MAINE]
        people.record([(member.id, yes) for member in found if member and member.id], now)


def _outputs(scene: Scene) -> dict[str, Any]:
    """Whatever tells numbers of a campaign of Maine's."""
    workspace, campaign = scene.workspace, "partner.maine"
    data = reporting.report(workspace, campaign)
    console = Console(width=200, record=True, file=StringIO())
    console.print(terminal.render(data))
    return {
        "report": data.to_json(),
        "skips": [part.skips for part in data.associations],
        "page": html.to_html(data),
        "terminal": console.export_text(),
        "status": reporting.status(workspace, campaign).to_json(),
        "progress": progress.gather(workspace, campaign).to_json(),
        "metrics": [line for line in _metrics(workspace) if "maine" in line],
        "offer": looking.desk(workspace, answering.find(workspace, "partner", "maine")).to_json(),
    }


def _metrics(workspace: Workspace) -> list[str]:
    return exposition(metrics.Gatherer().gather(workspace)).splitlines()


@pytest.fixture
def always_told(monkeypatch: pytest.MonkeyPatch) -> None:
    """Control tells of itself all the time, and not once a second."""
    monkeypatch.setattr(pulse, "EVERY_S", 0.001)


def _waiting(world: World, number: int) -> Scene:
    """So many of Maine's members have to wait, for Ohio goes on trying."""
    scene = world(f"waiting-{number}", [*OHIO, *MAINE[:number]])
    scene.senders = senders = _OneIsSlow()
    senders.moods["ohio"] = Outcome.DEFERRED
    scene.restart()
    accept(scene, "ohio")
    scene.work()
    accept(scene, "maine")
    rounds(scene, 2, timedelta(minutes=1))
    states = scene.workspace.ledger("maine").counts(1)
    assert states == {"ready": number, "deferred": 1, "sent": len(MAINE) - number - 1}
    return scene


def _shared(world: World, number: int) -> Scene:
    """Maine passes on what Ohio has sent to so many of its members already."""
    scene = world(f"shared-{number}", [*OHIO, *MAINE[:number]])
    scene.senders = _OneIsSlow()
    scene.restart()
    _agreed_to_tracking(scene.workspace)
    accept(scene, "ohio")
    scene.work()
    accept(scene, "maine")
    rounds(scene, 2, timedelta(minutes=5))
    assert sum(slug == "maine" for slug, _ in scene.senders.got) == len(MAINE) - number - 1
    return scene


@pytest.mark.usefixtures("always_told")
def test_no_number_tells_how_many_wait_for_others_to_within_ten(world: World) -> None:
    few, many = _waiting(world, 11), _waiting(world, 18)
    told = _outputs(few)
    assert told == _outputs(many)
    assert told["status"]["deliveries"] == {
        "sent": 0, "deferred": 1, "failed": 0, "skipped": 0, "uncertain": 0, "cancelled": 0, "ready": 20, "claimed": 0,
    }  # fmt: skip
    console = Console(width=120, record=True, file=StringIO())
    console.print(following.picture(progress.gather(few.workspace, "partner.maine"), few.now))
    assert "may have to wait until another association had its turn" in console.export_text()
    for scene in (few, many):
        sending.cancel(scene.workspace, "partner.maine", who="dana")
        scene.work()
    told = _outputs(few)
    assert told == _outputs(many)
    assert told["status"]["deliveries"]["cancelled"] == 21


@pytest.mark.usefixtures("always_told")
def test_no_number_tells_how_many_others_had_reached_to_within_ten(world: World) -> None:
    """What is the same for eleven and for eighteen can not tell which of them it was, whatever is subtracted from what;
    and the same holds after some of them were erased."""
    few, many = _shared(world, 11), _shared(world, 18)
    told = _outputs(few)
    assert told == _outputs(many)
    assert told["status"]["deliveries"] == {
        "sent": 10, "deferred": 1, "failed": 0, "skipped": 10, "uncertain": 0, "cancelled": 0, "ready": 0, "claimed": 0,
    }  # fmt: skip
    assert told["report"]["engagement"]["trackable"] == len(MAINE) - 1
    assert told["progress"]["domains"] == []
    assert any('state="skipped"} 10' in line for line in told["metrics"])
    everything = _metrics(few.workspace)
    assert 'comms_answers_total{association="(relayed)",outcome="accepted"} 30' in everything, "of both, in tens"
    assert not any("answers" in line or "per_second" in line for line in told["metrics"])
    for scene in (few, many):
        for address in MAINE[5:14]:
            rights.erase_member(scene.workspace, address, "maine")
    assert _outputs(few) == _outputs(many)


@given(*[st.integers(0, 60)] * 3, st.integers(0, 20), st.sampled_from(["ready", "cancelled"]))
def test_who_knows_the_whole_list_knows_no_more_than_the_tens(
    sent: int, left_out: int, waiting: int, others: int, state: str
) -> None:
    def shown(left: int, ready: int) -> dict[str, int]:
        everybody = sent + left_out + waiting
        counts = {"sent": everybody - left - ready, "skipped": others + left, state: ready, "failed": 3}
        return sharing.in_tens(counts, left)

    told = shown(left_out, waiting)
    assert sum(told.values()) == sent + left_out + waiting + others + 3, "nobody is missing"
    assert min(told.values()) >= 0
    assert told["skipped"] - others == left_out // 10 * 10
    assert (told[state] == 0) == (waiting == 0)
    left = [number for number in range(sent + left_out + 1) if shown(number, waiting) == told]
    assert left == [n for n in range(sent + left_out + 1) if n // 10 == left_out // 10], "any of the ten"
    both = sent + left_out % 10 + waiting
    ready = [number for number in range(both + 1) if shown(left_out, number) == told]
    assert ready == [0] if waiting == 0 else len(ready) >= min(10, both), "any of ten at least"
