"""What is relayed keeps to what an association sends to one member at most, and to the language of each reader."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from contextlib import closing
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from one_copy_scene import OFFER, rounds
from relay_scene import Scene, Senders, add_members, association, scene_of

from audiences.models import ANY_TOPIC, Basis, Consent, ConsentState, Member
from campaigns import definition
from campaigns.models import VARIANT_MARK
from comms.engine import reporting, sending
from comms.engine.relaying import answering, letters, seating
from comms.rendering.letter import LetterContent

MAINE = [f"maine{n}@example.org" for n in range(12)]
OHIO = [f"ohio{n}@example.org" for n in range(12)]
BOTH = [f"both{n}@example.org" for n in range(14)]
OWN = """\
---
campaign: local
title: What is on in Maine
language: en
association: maine
newsletter:
  subject: What is on
---

Dear member, come and see.
"""


def _relay(scene: Scene, campaign: str) -> set[tuple[str, str]]:
    """Offer a campaign and let both accept; (association, address) of every copy."""
    scene.senders.got.clear()
    scene.offer(OFFER.replace("campaign: partner", f"campaign: {campaign}"))
    for slug in ("maine", "ohio"):
        answering.accept(scene.workspace, answering.find(scene.workspace, campaign, slug), who="Luis")
    rounds(scene, 4, timedelta(minutes=5))
    assert max(scene.senders.copies().values()) == 1
    return set(scene.senders.got)


def _only_one_in_a_week(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("COMMS_PACING__MOST_PER_MEMBER", "1")
    monkeypatch.setenv("COMMS_PACING__PER_DAYS", "7")


def _scene(folder: Path) -> Scene:
    return scene_of(folder, {"maine": [*MAINE, *BOTH], "ohio": [*OHIO, *BOTH]})


def test_who_heard_enough_from_one_association_gets_it_from_the_other(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    _only_one_in_a_week(monkeypatch)
    with closing(_scene(tmp_path / "w").workspace) as workspace:
        scene = Scene(workspace)
        prepared = sending.prepare(workspace, definition.read(OWN), ("maine",))
        sending.start(workspace, sending.approve(workspace, prepared, who="mae"))
        scene.work()
        assert set(scene.senders.copies()) == {*MAINE, *BOTH}
        assert _relay(scene, "partner") == {("ohio", address) for address in (*OHIO, *BOTH)}
        assert reporting.report(workspace, "partner.maine").associations[0].excluded == {
            "heard_enough": len(MAINE) + len(BOTH)
        }


def test_a_relayed_newsletter_counts_with_whom_sent_it_and_with_nobody_else(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    _only_one_in_a_week(monkeypatch)
    with closing(_scene(tmp_path / "w").workspace) as workspace:
        scene = Scene(workspace)
        first = _relay(scene, "partner")
        assert {address for _, address in first} == {*MAINE, *OHIO, *BOTH}
        second = _relay(scene, "second")
        other = {"maine": "ohio", "ohio": "maine"}
        assert second == {(other[slug], address) for slug, address in first if address in BOTH}, "once from each"
        scene.now += timedelta(days=8)
        third = _relay(scene, "third")
        assert {address for _, address in third} == {*MAINE, *OHIO, *BOTH}, "a week later they hear again"


# --- languages ----------------------------------------------------------------------------------

SPANISH = f"""\
{VARIANT_MARK}es
---
title: Buscamos un socio
newsletter:
  subject: ¿Podrían alojarnos?
  preview: Se aceptan propuestas
---

Estimados colegas: la Coalición busca un socio.
"""


class _Listening(Senders):
    def __init__(self) -> None:
        super().__init__()
        self.heard: dict[str, list[tuple[str, str]]] = {}
        """Address -> (association, language) of its copies."""

    def put(self, work: Mapping[str, Any]) -> None:
        super().put(work)
        for recipient in work["recipients"] if work["kind"] == "mail" else ():
            copy = (work["association"]["slug"], work["campaign"]["language"])
            self.heard.setdefault(recipient[1], []).append(copy)


def _speak(scene: Scene, slug: str, languages: Mapping[str, str | None]) -> None:
    people, now = scene.workspace.people(slug), scene.workspace.now()
    yes = Consent(ANY_TOPIC, ConsentState.GRANTED, now, "test", Basis.EXPRESS)
    with people.db.atomic():
        first = people.next_id()
        found = [Member(address, {}, languages[address], id=first + n) for n, address in enumerate(languages)]
        people.insert(found, now)
        people.record([(member.id or 0, yes) for member in found], now)


def _subjects(scene: Scene, address: str) -> Iterable[str]:
    """Of the letters to somebody, and the language that each is in."""
    rows = scene.workspace.association_db("coalition").execute(
        "SELECT content FROM letter WHERE address = ? AND template = ?", [address, letters.OFFER]
    )
    for (content,) in rows.fetchall():
        letter = LetterContent.from_json(json.loads(scene.workspace.key.unseal(content)))
        yield letter.language


def test_everyone_gets_one_copy_in_their_own_language_whoever_sends_it(tmp_path: Path) -> None:
    with closing(scene_of(tmp_path / "w", {"ohio": []}).workspace) as workspace:
        scene = Scene(workspace, _Listening())
        workspace.add_association(association("maine", language="fr"))
        seating.add(workspace, "maine", "Luc", "luc@maine.example")
        maine: dict[str, str | None] = {"es@x.example": "es", "mx@x.example": "es-MX", "none@x.example": None}
        _speak(scene, "maine", {**maine, "fr@x.example": "fr", "both@x.example": "es"})
        _speak(scene, "ohio", {"both@x.example": "en", "en@x.example": "en"})
        add_members(workspace, "ohio", ["any@x.example"])
        scene.offer(OFFER + SPANISH)
        assert list(_subjects(scene, "luc@maine.example")) == ["fr"], "who answers is asked in theirs"
        for slug in ("maine", "ohio"):
            answering.accept(workspace, answering.find(workspace, "partner", slug), who="Luis")
        rounds(scene, 4, timedelta(minutes=5))
        assert isinstance(scene.senders, _Listening)
        heard = scene.senders.heard
        ((slug, language),) = heard.pop("both@x.example")
        assert language == {"maine": "es", "ohio": "en"}[slug], "as the association knows them that sends it"
        assert heard == {
            "es@x.example": [("maine", "es")],
            "mx@x.example": [("maine", "es")],
            "none@x.example": [("maine", "en")],
            "fr@x.example": [("maine", "en")],
            "en@x.example": [("ohio", "en")],
            "any@x.example": [("ohio", "en")],
        }
        report = reporting.report(workspace, "partner.maine")
        assert report.languages == (), "who was left out in one language could be reckoned"
        assert sum(report.status.deliveries.values()) == report.status.audience == 5
