"""Who sends the one copy of a person whom several associations have, whatever they and the person do meanwhile."""

from __future__ import annotations

import tempfile
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from relay_scene import Scene, scene_of

from audiences.models import ANY_TOPIC, Consent, ConsentState, SuppressionScope
from bench.relay import oracle
from bench.relay.world import Person, Stop
from comms.engine import sending
from comms.engine.relaying import answering

DUE = datetime(2027, 2, 1, 9, tzinfo=UTC)
LATER = DUE + timedelta(hours=1)
SLUGS = ("maine", "ohio", "utah")
BOTH = [f"both{n}@example.org" for n in range(20)]


def offered(folder: Path, members: Mapping[str, list[str]]) -> Scene:
    scene = scene_of(folder / "workspace", members)
    scene.offer()
    return scene


def accept(scene: Scene, slug: str) -> None:
    answering.accept(scene.workspace, answering.find(scene.workspace, "partner", slug), who="Luis")


def choose(scene: Scene, address: str, slug: str) -> None:
    store = scene.workspace.relays
    with store.db.atomic():
        store.choose(scene.workspace.people("coalition").hash_of(address), slug)


def test_who_is_paused_keeps_nobody_waiting_and_sends_the_rest_when_it_goes_on(tmp_path: Path) -> None:
    scene = offered(tmp_path, {"maine": [*BOTH, "maine@example.org"], "ohio": [*BOTH, "ohio@example.org"]})
    for slug in ("maine", "ohio"):
        accept(scene, slug)
    sending.pause(scene.workspace, "partner.maine", who="dana")
    scene.work(until=LATER)
    assert sorted(scene.senders.got) == sorted(("ohio", address) for address in [*BOTH, "ohio@example.org"])
    sending.resume(scene.workspace, "partner.maine", who="dana")
    scene.work(until=LATER + timedelta(hours=1))
    assert scene.senders.got[len(BOTH) + 1 :] == [("maine", "maine@example.org")]
    scene.workspace.close()


people = st.lists(
    st.builds(
        Person,
        address=st.just(""),
        lists=st.dictionaries(st.sampled_from(SLUGS), st.booleans(), min_size=1),
        pilot=st.just(value=False),
        stop=st.sampled_from([Stop.NEVER, Stop.NEVER, Stop.NEVER, Stop.NOTED]),
        choice=st.sampled_from([None, *SLUGS]),
    ),
    min_size=4,
    max_size=16,
)


@pytest.mark.slow
@settings(max_examples=12)
@given(people, st.sets(st.sampled_from(SLUGS)), st.sets(st.sampled_from(SLUGS)))
def test_everyone_entitled_gets_one_copy_from_whom_they_chose_if_that_one_is_in_time(
    drawn: list[Person], in_time: set[str], late: set[str]
) -> None:
    found = [
        Person(f"p{number}@example.org", each.lists, pilot=False, stop=each.stop, choice=each.choice)
        for number, each in enumerate(drawn)
    ]
    with tempfile.TemporaryDirectory() as folder:
        scene = offered(Path(folder), {slug: [p.address for p in found if slug in p.lists] for slug in SLUGS})
        _say(scene, found)
        for slug in sorted(in_time):
            accept(scene, slug)
        scene.work(until=LATER)
        for slug in sorted(late - in_time):
            accept(scene, slug)
        scene.work(until=LATER + timedelta(hours=1))
        copies: dict[str, list[str]] = {}
        for slug, address in scene.senders.got:
            copies.setdefault(address, []).append(slug)
        scene.workspace.close()
    verdict = oracle.judge(found, copies, senders=in_time | late, on_time=in_time)
    assert verdict.good, verdict


def _say(scene: Scene, people: list[Person]) -> None:
    """What people said before: whom they want nothing from, that they want nothing relayed, through whom they do."""
    workspace = scene.workspace
    host = workspace.people("coalition")
    for person in people:
        if person.stop is Stop.NOTED:
            with host.db.atomic():
                host.suppress(person.address, SuppressionScope.RELAYS, "asked", scene.now)
        if person.choice is not None:
            choose(scene, person.address, person.choice)
        for slug, agrees in person.lists.items():
            members = workspace.people(slug)
            member = members.find(person.address)
            assert member is not None
            if not agrees:
                no = Consent(ANY_TOPIC, ConsentState.WITHDRAWN, scene.now, "test")
                with members.db.atomic():
                    members.record([(member.id or 0, no)], scene.now)
