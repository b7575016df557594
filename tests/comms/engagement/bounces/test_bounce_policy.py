"""When an address is suppressed: at once for what is sure, else when it goes on, and never for what is not its own."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from comms.engagement.bounces.models import BounceClass, Kind
from comms.engagement.bounces.policy import (
    COMPLAINT,
    HARD_BOUNCE,
    REPEATED_BOUNCES,
    Rules,
    Weight,
    decide,
    weigh,
    weigh_refusal,
)

NOW = datetime(2027, 2, 1, 12, tzinfo=UTC)
RULES = Rules(count=5, days=30, spread_days=3)
HARD = [kind for kind in Kind if kind.of_class is BounceClass.HARD]
HARMLESS = [Kind.AUTO_REPLY, Kind.CHALLENGE, Kind.NONE, Kind.DELIVERED, Kind.AUTH_REPORT, Kind.DELAYED]
ABOUT_US = [Kind.BLOCK, Kind.SPAM, Kind.SIZE]

moments = st.datetimes(datetime(2026, 12, 1), datetime(2027, 2, 1, 12), timezones=st.just(UTC))  # noqa: DTZ001


def ago(days: float) -> datetime:
    return NOW - timedelta(days=days)


def after(*days: float, arrived: float | None = None) -> str | None:
    at = None if arrived is None else ago(arrived)
    return decide(Weight.STRIKE, map(ago, days), arrived_at=at, rules=RULES, now=NOW)


@pytest.mark.parametrize("kind", HARD)
def test_a_dead_mailbox_is_suppressed_at_once_when_it_is_sure(kind: Kind) -> None:
    assert weigh(kind, sure=True) is Weight.FINAL
    assert weigh(kind, sure=False) is Weight.STRIKE
    assert decide(Weight.FINAL, [NOW], arrived_at=None, rules=RULES, now=NOW) == HARD_BOUNCE


def test_a_complaint_counts_at_once_and_one_that_anybody_could_write_never() -> None:
    assert weigh(Kind.COMPLAINT, sure=True) is Weight.COMPLAINT
    assert weigh(Kind.COMPLAINT, sure=False) is Weight.NOTHING
    assert decide(Weight.COMPLAINT, [], arrived_at=NOW, rules=RULES, now=NOW) == COMPLAINT


@pytest.mark.parametrize("kind", [*HARMLESS, *ABOUT_US])
@pytest.mark.parametrize("sure", [True, False])
def test_answers_delays_and_what_is_said_of_the_sender_never_count(kind: Kind, sure: bool) -> None:
    assert weigh(kind, sure=sure) is Weight.NOTHING


@pytest.mark.parametrize("kind", [Kind.FULL, Kind.DISABLED, Kind.NO_USER_SAID, Kind.FILTERED, Kind.OTHER])
def test_a_full_mailbox_and_its_like_are_strikes(kind: Kind) -> None:
    assert weigh(kind, sure=True) is Weight.STRIKE


@pytest.mark.parametrize("kind", list(Kind))
def test_what_was_only_ever_put_off_is_no_proof_of_a_dead_mailbox(kind: Kind) -> None:
    expected = Weight.STRIKE if kind in (Kind.FULL, Kind.DISABLED) else Weight.NOTHING
    assert weigh_refusal(kind, given_up=True, unusual=False) is expected
    assert weigh_refusal(kind, given_up=False, unusual=False) is weigh(kind, sure=True)


def test_five_mails_over_three_days_are_enough_and_four_are_not() -> None:
    assert after(9, 7, 5, 3, 0) == REPEATED_BOUNCES
    assert after(9, 7, 5, 3) is None


def test_five_mails_in_two_days_are_one_bad_weekend() -> None:
    assert after(2, 1.5, 1, 0.5, 0) is None


def test_what_is_older_than_the_window_is_over() -> None:
    assert after(31, 7, 5, 3, 0) is None


def test_a_mail_that_arrived_wipes_the_slate() -> None:
    assert after(20, 15, 10, 5, 0, arrived=12) is None
    assert after(20, 15, 10, 5, 0, arrived=25) == REPEATED_BOUNCES


@given(st.permutations(range(8)), st.lists(moments, min_size=8, max_size=8), st.none() | moments)
def test_the_order_in_which_they_come_in_does_not_matter(
    order: list[int], times: list[datetime], arrived: datetime | None
) -> None:
    def at_the_end(sequence: list[datetime]) -> bool:
        """Was the address suppressed by one of them, each taken in together with those before."""
        return any(
            decide(Weight.STRIKE, sequence[: n + 1], arrived_at=arrived, rules=RULES, now=NOW) is not None
            for n in range(len(sequence))
        )

    assert at_the_end(times) == at_the_end([times[position] for position in order])


@given(st.lists(moments, max_size=12), st.sampled_from([*HARMLESS, *ABOUT_US]), st.booleans(), st.none() | moments)
def test_an_automatic_answer_decides_nothing_whatever_came_before(
    times: list[datetime], kind: Kind, sure: bool, arrived: datetime | None
) -> None:
    assert decide(weigh(kind, sure=sure), times, arrived_at=arrived, rules=RULES, now=NOW) is None
