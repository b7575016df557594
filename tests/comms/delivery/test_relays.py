"""Which mail server gets which share, and how long one that failed is left alone."""

from __future__ import annotations

from collections import Counter

import pytest
from hypothesis import given
from hypothesis import strategies as st

from comms.delivery.answers import Fault
from comms.delivery.breaker import Breaker, State
from comms.delivery.relays import FAULTS, PAUSES_S, PROBES, SPREAD, Relay, Relays

TWO = (Relay("a", 3), Relay("b", 1))


def fail(relays: Relays, name: str, fault: Fault, now: float = 0.0, times: int = 1, spread: float = 0.0) -> bool:
    return [relays.failed(name, fault, now, spread=spread, reason="why") for _ in range(times)][-1]


# --- the breaker ------------------------------------------------------------------------------


def test_a_breaker_opens_is_tried_and_closes_or_waits_twice_as_long() -> None:
    breaker = Breaker()
    assert breaker.state(0) is State.CLOSED
    assert breaker.trip(0, first_s=10, most_s=35)
    assert breaker.state(9.9) is State.OPEN
    assert not breaker.trip(5, first_s=10, most_s=35), "said of what was on its way"
    breaker.close(5)
    assert breaker.state(9.9) is State.OPEN, "an answer to what was on its way"
    assert breaker.state(10) is State.HALF_OPEN
    assert breaker.trip(10, first_s=10, most_s=35)
    assert breaker.until == 30
    assert breaker.trip(30, first_s=10, most_s=35)
    assert breaker.until == 65, "not longer than the longest"
    breaker.close(65)
    assert breaker.state(65) is State.CLOSED
    breaker.trip(70, first_s=10, most_s=35)
    assert breaker.until == 80, "it begins anew"


@given(st.lists(st.tuples(st.booleans(), st.floats(0, 1000)), max_size=50), st.floats(0, 1))
def test_a_breaker_never_waits_longer_than_the_longest_and_its_spread(
    steps: list[tuple[bool, float]], spread: float
) -> None:
    breaker, now = Breaker(), 0.0
    for trips, elapsed in steps:
        now += elapsed
        if trips:
            breaker.trip(now, first_s=1, most_s=60, spread=spread)
        else:
            breaker.close(now)
        assert breaker.until - now <= 60 * (1 + spread) + 1e-6


# --- shares -----------------------------------------------------------------------------------


@given(st.lists(st.integers(0, 60), max_size=60), st.lists(st.integers(1, 9), min_size=1, max_size=5))
def test_shares_hold_the_weights_over_any_batches_and_nobody_is_left_out(
    batches: list[int], weights: list[int]
) -> None:
    relays = Relays([Relay(str(number), weight) for number, weight in enumerate(weights)])
    got: Counter[str] = Counter()
    for batch in batches:
        shares = relays.share_out(batch, 0.0)
        assert sum(shares.values()) == batch
        assert all(share > 0 for share in shares.values())
        got.update(shares)
    for number, weight in enumerate(weights):
        assert abs(got[str(number)] - sum(batches) * weight / sum(weights)) <= len(weights)


def test_letters_that_come_one_by_one_hold_the_weights_too() -> None:
    relays = Relays(TWO)
    assert Counter(name for _ in range(40) for name in relays.share_out(1, 0.0)) == {"a": 30, "b": 10}


def test_a_server_that_is_set_aside_gets_nothing_and_its_share_goes_to_the_others() -> None:
    relays = Relays(TWO)
    fail(relays, "a", Fault.UNREACHABLE)
    assert relays.share_out(8, 1.0) == {"b": 8}
    assert not relays.takes_part("a", 1.0)
    assert not relays.has_other("b", 1.0)
    shares = relays.share_out(100, 2.0)
    assert shares["a"] == PROBES, "a few first"
    relays.worked("a", 2.0)
    assert relays.share_out(100, 2.0)["a"] > 70


def test_a_backup_only_takes_part_while_no_other_can_be_used() -> None:
    relays = Relays([Relay("a"), Relay("spare", 5, backup=True)])
    assert relays.share_out(10, 0.0) == {"a": 10}
    fail(relays, "a", Fault.UNREACHABLE)
    assert relays.share_out(10, 0.0) == {"spare": 10}
    assert relays.share_out(10, 5.0) == {"a": PROBES}, "the rest waits for what comes of them"


def test_when_none_can_be_used_nobody_gets_anything_and_the_reasons_are_there() -> None:
    relays = Relays(TWO)
    fail(relays, "a", Fault.UNREACHABLE)
    fail(relays, "b", Fault.USED_UP)
    assert relays.share_out(10, 0.0) == {}
    assert relays.reason() == "why; why"
    assert relays.throttled_until(0.0) is None
    assert [(each.name, each.state, each.reason) for each in relays.standings(0.0)] == [
        ("a", "open", "why"), ("b", "open", "why"),
    ]  # fmt: skip


# --- faults -----------------------------------------------------------------------------------


def test_some_sessions_that_end_mean_nothing_and_many_in_a_row_do() -> None:
    relays = Relays(TWO)
    for _ in range(10):
        assert not fail(relays, "a", Fault.BUSY, times=FAULTS - 1)
        relays.worked("a", 0.0)
    assert fail(relays, "a", Fault.BUSY, times=FAULTS)
    assert relays.standings(0.0)[0].until == PAUSES_S[Fault.BUSY][0]


def test_one_fault_is_enough_when_it_was_just_taken_back() -> None:
    relays = Relays(TWO)
    fail(relays, "a", Fault.BUSY, times=FAULTS)
    assert fail(relays, "a", Fault.BUSY, now=10.0)
    assert relays.standings(10.0)[0].until == 20.0


def test_a_server_that_wants_less_is_waited_for_and_no_other() -> None:
    relays = Relays([Relay("a")])
    fail(relays, "a", Fault.THROTTLED, now=5.0)
    assert relays.throttled_until(5.0) == 6.0
    assert relays.throttled_until(6.0) is None
    fail(relays, "a", Fault.UNREACHABLE, now=7.0)
    assert relays.throttled_until(7.0) is None


@pytest.mark.parametrize("fault", list(Fault))
def test_waits_are_spread_so_that_senders_do_not_come_back_together(fault: Fault) -> None:
    first, _ = PAUSES_S[fault]
    for spread in (0.0, 0.5, 1.0):
        relays = Relays([Relay("a")])
        fail(relays, "a", fault, times=FAULTS, spread=spread)
        assert relays.standings(0.0)[0].until == pytest.approx(first * (1 + SPREAD * spread))


@given(st.lists(st.tuples(st.sampled_from("ab"), st.sampled_from([*Fault, None]), st.floats(0, 5000)), max_size=60))
def test_whatever_happens_a_server_is_tried_again_within_the_longest_wait(
    steps: list[tuple[str, Fault | None, float]],
) -> None:
    relays, now = Relays(TWO), 0.0
    longest = max(most for _, most in PAUSES_S.values()) * (1 + SPREAD)
    for name, fault, elapsed in steps:
        now += elapsed
        if fault is None:
            relays.worked(name, now)
        else:
            fail(relays, name, fault, now, spread=1.0)
        shares = relays.share_out(20, now)
        assert sum(shares.values()) <= 20
        assert all(relays.takes_part(each, now) for each in shares)
    later = now + longest
    assert all(relays.takes_part(name, later) for name in "ab")
