"""When mail has to wait, by the clock and by what servers answer."""

from __future__ import annotations

from datetime import UTC, datetime, time, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from comms.delivery.answers import provider_of
from comms.delivery.hours import QuietHours
from comms.delivery.pacing import (
    MOST_PAUSE_S,
    PROBE,
    WARM_UP_DAYS,
    Domains,
    Rate,
    warm_up_cap,
)

NOON = datetime(2027, 2, 1, 12, 0, tzinfo=UTC)


def test_waits_double_and_no_longer_than_an_hour_and_a_half() -> None:
    domains, now = Domains(), NOON
    waits = []
    for _ in range(10):
        assert domains.deferred("d.example", now)
        until = domains.waits_until("d.example", now)
        assert until is not None
        waits.append((until - now).total_seconds())
        now = until
    assert waits[:4] == [60, 120, 240, 480]
    assert waits[-1] == MOST_PAUSE_S


def test_answers_to_what_was_on_its_way_make_no_wait_longer() -> None:
    domains = Domains()
    assert domains.deferred("d.example", NOON)
    for second in range(59):
        assert not domains.deferred("d.example", NOON + timedelta(seconds=second))
    assert domains.waits_until("d.example", NOON) == NOON + timedelta(seconds=60)


def test_probes_whose_answers_never_come_are_followed_by_others() -> None:
    domains = Domains()
    domains.deferred("d.example", NOON)
    now, sent = NOON, 0
    for _ in range(600):
        sent += domains.waits_until("d.example", now) is None
        now += timedelta(seconds=1)
    assert sent == PROBE * 9


def test_a_message_taken_ends_the_wait_only_once_it_is_over() -> None:
    domains = Domains()
    domains.deferred("d.example", NOON)
    domains.accepted("d.example", NOON + timedelta(seconds=30))
    (waiting,) = domains.waiting(NOON + timedelta(seconds=30))
    assert (waiting.name, waiting.until) == ("d.example", NOON + timedelta(seconds=60))
    domains.accepted("d.example", NOON + timedelta(seconds=61))
    assert not domains.is_open


def test_when_a_provider_defers_our_address_all_its_domains_wait_and_one_message_tries_again() -> None:
    domains, google = Domains(), provider_of("gmail.com")
    assert domains.deferred("museum.example", NOON, google, "421 4.7.28 unusual rate")
    mine = ("gmail.com", "googlemail.com", "museum.example")
    assert all(domains.waits_until(name, NOON) == NOON + timedelta(seconds=60) for name in mine)
    assert domains.waits_until("yahoo.com", NOON) is None
    assert [(each.name, each.reason) for each in domains.waiting(NOON)] == [("Google", "421 4.7.28 unusual rate")]
    later = NOON + timedelta(seconds=61)
    assert domains.waits_until("gmail.com", later) is None
    assert all(domains.waits_until(name, later) is not None for name in mine), "the first one's answer is awaited"
    domains.accepted("gmail.com", later)
    assert all(domains.waits_until(name, later) is None for name in mine)
    assert not domains.is_open


def test_a_domain_of_a_provider_may_have_enough_by_itself() -> None:
    domains = Domains()
    domains.deferred("gmail.com", NOON)
    assert domains.waits_until("gmail.com", NOON) is not None
    assert domains.waits_until("googlemail.com", NOON) is None


@given(st.lists(st.tuples(st.sampled_from(["d", "a", "w"]), st.sampled_from(["gmail.com", "x.example"]), st.booleans(),
                          st.integers(0, 7000)), max_size=60))  # fmt: skip
def test_whatever_servers_say_nothing_waits_for_longer_than_an_hour_and_a_half(
    steps: list[tuple[str, str, bool, int]],
) -> None:
    domains, now = Domains(), NOON
    for step, domain, is_providers, seconds in steps:
        now += timedelta(seconds=seconds)
        if step == "d":
            domains.deferred(domain, now, provider_of("gmail.com") if is_providers else None)
        elif step == "a":
            domains.accepted(domain, now)
        until = domains.waits_until(domain, now)
        assert until is None or now < until <= now + timedelta(seconds=MOST_PAUSE_S)


@given(st.floats(0.1, 1000), st.lists(st.tuples(st.floats(-5, 60), st.integers(0, 200)), max_size=50))
def test_no_stretch_of_time_has_more_than_the_rate_and_a_moment(rate: float, steps: list[tuple[float, int]]) -> None:
    bucket, now, spent, forward = Rate(rate), 1_800_000_000.0, 0, 0.0
    for elapsed, wanted in steps:
        now += elapsed
        forward += max(0.0, elapsed)
        taken = min(wanted, bucket.room(now))
        bucket.spend(taken)
        spent += taken
        assert spent <= forward * rate + max(1.0, rate) + 1e-6


@pytest.mark.parametrize(
    ("start", "end", "inside", "outside"),
    [
        (time(22), time(7), (time(22), time(23, 59), time(0), time(6, 59)), (time(7), time(12), time(21, 59))),
        (time(1), time(5), (time(1), time(4, 59)), (time(0, 59), time(5), time(23))),
        (time(5), time(5), (), (time(5), time(0))),
    ],
)
def test_quiet_hours_may_span_midnight(
    start: time, end: time, inside: tuple[time, ...], outside: tuple[time, ...]
) -> None:
    quiet = QuietHours(start, end, UTC)
    assert all(quiet.holds(datetime.combine(NOON, each, UTC)) for each in inside)
    assert not any(quiet.holds(datetime.combine(NOON, each, UTC)) for each in outside)


def test_a_sender_is_warm_after_two_weeks() -> None:
    assert [warm_up_cap(50, days) for days in (0, 1, 2, WARM_UP_DAYS - 1, WARM_UP_DAYS)] == [
        50,
        100,
        200,
        409_600,
        None,
    ]
    assert warm_up_cap(0, 0) is None
