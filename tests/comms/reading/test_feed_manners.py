"""When a feed is asked for again: never sooner than manners allow, whatever the server says."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from comms.reading.fetch import Answer, Validators
from comms.reading.manners import LONGEST, LONGEST_RETRY_AFTER, PERIOD, UNCONDITIONAL, Standing, after, unread

NOW = datetime(2027, 2, 1, 9, tzinfo=UTC)
KNOWN = Validators('"a"', "Mon, 01 Feb 2027 08:00:00 GMT")
FRESH = Standing("https://museum.org/feed", KNOWN, NOW)


def wait(standing: Standing) -> timedelta:
    assert standing.next_at is not None
    return standing.next_at - NOW


def test_a_feed_with_validators_is_asked_for_after_an_hour_one_without_after_a_day() -> None:
    assert wait(after(FRESH, Answer(200, validators=KNOWN), NOW)) == PERIOD
    assert wait(after(FRESH, Answer(304), NOW)) == PERIOD
    assert wait(after(FRESH, Answer(200), NOW)) == UNCONDITIONAL


def test_a_304_keeps_the_validators_and_a_new_copy_replaces_them() -> None:
    assert after(FRESH, Answer(304), NOW).validators == KNOWN
    assert after(FRESH, Answer(200, validators=Validators('"b"')), NOW).validators == Validators('"b"')


@pytest.mark.parametrize(
    ("control", "hours"),
    [("max-age=7200", 2), ("public, max-age=10800", 3), ("max-age=60", 1), ("no-cache", 1), ("max-age=999999999", 24)],
)
def test_max_age_makes_the_wait_longer_never_shorter(control: str, hours: int) -> None:
    answer = Answer(200, validators=KNOWN, cache_control=control)
    assert wait(after(FRESH, answer, NOW)) == timedelta(hours=hours)


@pytest.mark.parametrize(
    ("retry_after", "expected"),
    [
        ("7200", timedelta(hours=2)),
        ("Mon, 01 Feb 2027 15:00:00 GMT", timedelta(hours=6)),
        ("5", PERIOD),
        ("Mon, 01 Feb 2016 15:00:00 GMT", PERIOD),
        ("soon", PERIOD),
        ("9" * 400, LONGEST_RETRY_AFTER),
    ],
)
def test_a_server_that_names_a_time_is_left_alone_until_then(retry_after: str, expected: timedelta) -> None:
    standing = after(FRESH, Answer(429, retry_after=retry_after), NOW)
    assert wait(standing) == expected
    assert "429" in standing.fault


def test_failures_are_tried_less_and_less_often_and_forgotten_after_a_success() -> None:
    standing, waits = FRESH, []
    for _ in range(8):
        standing = after(standing, Answer(fault="the site takes no connection"), NOW)
        waits.append(wait(standing))
    assert waits[:3] == [PERIOD, 2 * PERIOD, 4 * PERIOD]
    assert waits[-1] == LONGEST
    assert standing.validators == KNOWN
    well = after(standing, Answer(304), NOW)
    assert (well.failures, well.fault) == (0, "")


def test_a_permanent_move_is_remembered_only_when_a_feed_came_of_it() -> None:
    moved = "https://library.org/feed"
    assert after(FRESH, Answer(200, moved_to=moved), NOW).url == moved
    assert after(FRESH, Answer(404, moved_to=moved), NOW).url == FRESH.url


def test_what_is_gone_for_good_is_never_asked_for_again() -> None:
    assert not after(FRESH, Answer(410), NOW).is_due(NOW + timedelta(days=10_000))


def test_a_copy_that_could_not_be_read_is_asked_for_whole_again() -> None:
    standing = unread(FRESH, "what is there is no feed", Answer(200, validators=KNOWN), NOW)
    assert not standing.validators
    assert (standing.failures, standing.fault) == (1, "what is there is no feed")


@settings(deadline=None)
@given(
    st.lists(
        st.builds(
            Answer,
            status=st.sampled_from([0, 200, 204, 301, 304, 400, 404, 429, 500, 503]),
            validators=st.builds(Validators, st.text(max_size=5), st.text(max_size=5)),
            retry_after=st.text(max_size=30) | st.integers().map(str),
            cache_control=st.text(max_size=30) | st.integers().map("max-age={}".format),
        ),
        max_size=10,
    )
)
def test_no_answer_makes_a_feed_due_within_the_hour_or_lost_for_ever(answers: list[Answer]) -> None:
    standing = FRESH
    for answer in answers:
        standing = after(standing, answer, NOW)
        assert PERIOD <= wait(standing) <= LONGEST_RETRY_AFTER
