"""Batches are as large as a sender is through with in a moment, whatever the server's pace."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from comms.delivery.sizes import FIRST, SMALLEST, BatchSizes


def test_before_anything_is_known_batches_are_of_a_middling_size() -> None:
    assert BatchSizes(2000).wanted("coalition") == FIRST
    assert BatchSizes(30).wanted("coalition") == 30


@pytest.mark.parametrize(
    ("per_second", "size"), [(3000, 1500), (400, 200), (20, SMALLEST), (100_000, 2000)], ids="{}".format
)
def test_a_batch_is_half_a_second_of_work_within_bounds(per_second: int, size: int) -> None:
    sizes = BatchSizes(2000)
    sizes.learn("coalition", 10 * per_second, 10.0)
    assert sizes.wanted("coalition") == size
    assert sizes.wanted("museums") == FIRST, "another association, another pace"


def test_a_server_that_slows_down_is_noticed_within_three_batches() -> None:
    sizes = BatchSizes(2000)
    sizes.learn("coalition", 1500, 0.5)
    for _ in range(3):
        sizes.learn("coalition", sizes.wanted("coalition"), sizes.wanted("coalition") / 200)
    assert sizes.wanted("coalition") < 300


def test_small_batches_say_nothing_for_most_of_their_time_is_the_opening_of_sessions() -> None:
    sizes = BatchSizes(2000)
    sizes.learn("coalition", SMALLEST - 1, 5.0)
    sizes.learn("coalition", 1000, 0.0)
    assert sizes.wanted("coalition") == FIRST


@given(
    most=st.integers(1, 5000),
    learnt=st.lists(st.tuples(st.integers(0, 5000), st.floats(0, 1e6))),
    due=st.integers(1, 10**6),
    batches=st.integers(1, 512),
)
def test_whatever_was_learnt_a_batch_has_somebody_in_it_and_no_more_than_allowed(
    most: int, learnt: list[tuple[int, float]], due: int, batches: int
) -> None:
    sizes = BatchSizes(most)
    for messages, seconds in learnt:
        sizes.learn("coalition", messages, seconds)
    assert 1 <= sizes.share("coalition", due, batches) <= most
