"""Waits grow up to a cap and are spread; nobody is given up for time alone."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from comms.delivery.retry import (
    FIRST_S,
    LEAST_TRIES,
    MOST_S,
    SPREAD,
    UNREACHABLE_FIRST_S,
    UNREACHABLE_MOST_S,
    is_given_up,
    wait_s,
)

items = st.integers(1, 2**62)
attempts = st.integers(1, 10_000)


@given(items, attempts, st.booleans())
def test_each_wait_is_as_long_as_the_last_or_longer_up_to_the_cap(item: int, tried: int, reached: bool) -> None:
    first, most = (FIRST_S, MOST_S) if reached else (UNREACHABLE_FIRST_S, UNREACHABLE_MOST_S)
    wait = wait_s(tried, item=item, reached=reached)
    assert first <= wait <= round(most * (1 + SPREAD))
    assert wait <= wait_s(tried + 1, item=item, reached=reached)
    if tried < 5:
        assert wait < wait_s(tried + 1, item=item, reached=reached)


@given(items, attempts)
def test_the_same_delivery_waits_the_same_time_again(item: int, tried: int) -> None:
    assert wait_s(tried, item=item, reached=True) == wait_s(tried, item=item, reached=True)


def test_what_was_deferred_together_does_not_come_back_together() -> None:
    waits = [wait_s(12, item=item, reached=True) for item in range(1, 10_001)]
    width = MOST_S * SPREAD / 10
    crowd = [sum(MOST_S + n * width <= wait < MOST_S + (n + 1) * width for wait in waits) for n in range(10)]
    assert min(crowd) > 800
    assert max(crowd) < 1200


def test_a_server_that_was_not_there_is_asked_again_sooner_than_one_that_said_later() -> None:
    assert wait_s(1, item=1, reached=False) < wait_s(1, item=1, reached=True)


def test_time_alone_gives_nobody_up() -> None:
    for tried in range(LEAST_TRIES):
        assert not is_given_up(tried, since_first_s=1e9, give_up_s=3600)
    assert is_given_up(LEAST_TRIES, since_first_s=3600, give_up_s=3600)
    assert not is_given_up(50, since_first_s=3599, give_up_s=3600)
