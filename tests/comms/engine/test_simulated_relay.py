"""The simulated relay in its short form, and the oracle that it is judged by."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from bench.relay import oracle
from bench.relay.oracle import Verdict
from bench.relay.world import ASSOCIATIONS, SHARED, TINY, TINY_MEMBERS, Person, Stop, people

ROOT = Path(__file__).resolve().parents[3]
ANA = Person("ana@example.org", {"maine": True, "ohio": True, "utah": False}, pilot=False)
SENDERS = ("maine", "ohio", "utah")


def judged(*got: str, person: Person = ANA, senders: tuple[str, ...] = SENDERS) -> Verdict:
    copies = {person.address: list(got)} if got else {}
    return oracle.judge([person], copies, senders=senders, on_time=senders)


@pytest.mark.slow
@pytest.mark.timeout(900)
@pytest.mark.skipif("COMMS_TEST_SIMULATION" not in os.environ, reason="takes ten minutes: set COMMS_TEST_SIMULATION=1")
def test_everyone_entitled_gets_exactly_one_copy_in_the_short_form_of_the_simulated_relay() -> None:
    words = [sys.executable, "-m", "bench.simulate_relay", "--people", "1000"]
    done = subprocess.run(words, cwd=ROOT, capture_output=True, text=True, timeout=900)
    assert done.returncode == 0, done.stdout + done.stderr
    figures = json.loads(done.stdout.splitlines()[-1])
    assert (figures["twice"], figures["missed"], figures["stopped_but_sent"]) == (0, 0, 0)
    assert (figures["associations"], figures["people"]) == (22, 1000)
    assert figures["copies"] == figures["entitled"] > 700
    assert figures["smallest_cell"] >= 10


def test_one_copy_from_an_association_that_may_write_is_as_promised() -> None:
    assert judged("maine") == Verdict(1, 1, 0, 0, 0, 0, 0)
    assert judged("ohio").good


def test_no_copy_is_missed_by_who_agreed_to_one_that_sends_and_by_nobody_else() -> None:
    assert (judged().missed, judged().good) == (1, False)
    assert judged(senders=("utah",)) == Verdict(0, 0, 0, 0, 0, 0, 0)


def test_a_second_copy_is_one_too_many_whoever_sends_it() -> None:
    assert (judged("maine", "ohio").twice, judged("maine", "ohio").good) == (1, False)
    assert judged("maine", "maine").twice == 1


@pytest.mark.parametrize("stop", [Stop.NOTED, Stop.ONE_CLICK])
def test_who_stopped_what_is_relayed_misses_nothing_and_may_get_nothing(stop: Stop) -> None:
    person = Person(ANA.address, ANA.lists, pilot=False, stop=stop)
    assert judged(person=person).good
    found = judged("maine", person=person)
    assert (found.entitled, found.stopped_but_sent, found.good) == (0, 1, False)


@pytest.mark.parametrize("sender", ["utah", "iowa"])
def test_a_copy_from_who_has_no_consent_or_takes_no_part_is_wrong(sender: str) -> None:
    assert (judged(sender).wrong_sender, judged(sender).good) == (1, False)


def test_a_copy_to_somebody_whom_nobody_knows_is_wrong() -> None:
    assert oracle.judge([], {"x@example.org": ["maine"]}, senders=SENDERS, on_time=SENDERS).wrong_sender == 1


def test_a_choice_counts_where_the_association_could_have_sent_it() -> None:
    person = Person(ANA.address, ANA.lists, pilot=False, choice="ohio")
    assert judged("ohio", person=person).good
    assert (judged("maine", person=person).choice_missed, judged("maine", person=person).good) == (1, False)
    assert judged("maine", person=person, senders=("maine",)).good, "it takes no part"
    unheard = Person(ANA.address, ANA.lists, pilot=False, choice="utah")
    assert judged("maine", person=unheard).good, "no consent there"


def test_every_number_that_is_not_known_to_count_something_else_counts_as_people() -> None:
    status = {"version": 2, "sent": 3, "associations": [{"name": "Maine", "by_rule": True, "audience": 12, "new": 4}]}
    assert sorted(oracle.cells(status)) == [4, 12]
    assert oracle.smallest_cell([status, {"total": 0}]) == 4
    assert oracle.smallest_cell([{"version": 1}]) is None


def test_a_report_that_does_not_say_what_was_taken_is_named() -> None:
    counts = {"audience": 3, "sent": 2, "skipped": 1, "ready": 0, "claimed": 0, "deferred": 0, "uncertain": 0,
              "failed": 0}  # fmt: skip
    copies = {"ana@example.org": ["maine"], "ben@example.org": ["maine"]}
    assert oracle.unequal(copies, {"maine": counts}) == []
    assert oracle.unequal(copies, {"maine": {**counts, "sent": 1, "skipped": 2}}) == ["maine"], "one copy too few"
    counted = {**counts, "sent": 11, "audience": 12}
    assert oracle.unequal(copies, {"maine": counted}) == [], "up to nine of those left out are counted as sent"
    assert oracle.unequal(copies, {"maine": {**counted, "sent": 12, "audience": 13}}) == ["maine"], "ten are not"
    assert oracle.unequal(copies, {"maine": {**counts, "audience": 4}}) == ["maine"], "its parts are not the whole"
    assert oracle.unequal(copies, {"maine": {**counts, "skipped": 0, "ready": 1}}) == ["maine"], "somebody is open"
    assert oracle.unequal(copies, {}) == ["maine"], "nothing is reported"
    recalled = {**counts, "sent": 0, "cancelled": 12, "skipped": 0, "audience": 12}
    assert oracle.unequal(copies, {"maine": recalled}) == [], "who waited for another one is hidden among those sent to"
    assert oracle.unequal({n: ["maine"] for n in "abcdefghijklmnopqrst"}, {"maine": recalled}) == ["maine"], (
        "twenty are not"
    )


def test_the_invented_people_are_the_same_for_the_same_seed_and_shared_as_it_is_said() -> None:
    found = people(5_000, seed=3)
    assert found == people(5_000, seed=3) != people(5_000, seed=4)
    assert abs(sum(len(each.lists) > 1 for each in found) / 5_000 - SHARED) < 0.03
    assert {len(each.lists) for each in found} == {1, 2, 3, 4}
    assert {slug for each in found for slug in each.lists} == set(ASSOCIATIONS)
    assert sum(TINY in each.lists for each in found) == TINY_MEMBERS
    assert {each.stop for each in found} == set(Stop)
