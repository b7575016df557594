"""Single cases of the ledger: what ends where, and what no report can change any more."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import pytest
from ledger_samples import GIVE_UP_S, NOW, Book

from audiences.models import ConsentState
from comms.delivery.batches import Outcome, Receipt, Report
from comms.delivery.claiming import Claim
from comms.delivery.retry import LEAST_TRIES, MOST_DOUBTS
from comms.delivery.runs import Run

DAY = timedelta(days=1)
LATER = Receipt(1, Outcome.DEFERRED, 451, "4.7.1 greylisted")


@pytest.fixture
def book(tmp_path: Path) -> Iterator[Book]:
    made = Book(tmp_path / "coalition.db")
    yield made
    made.db.close()


def claim(book: Book, run: Run, batch: str, *, size: int = 100, after: timedelta = timedelta()) -> Claim:
    with book.db.atomic():
        return book.ledger.claim(run, batch, size, NOW + after)


def settle(
    book: Book,
    batch: str,
    *receipts: Receipt,
    doubts: dict[int, str] | None = None,
    after: timedelta = timedelta(),
    give_up_s: float = GIVE_UP_S,
) -> bool:
    with book.db.atomic():
        return book.ledger.settle(batch, receipts, in_doubt=doubts or {}, now=NOW + after, give_up_s=give_up_s)


def test_a_first_try_long_after_the_claim_is_not_the_last(book: Book) -> None:
    """The machine was off for three days, or its clock was wrong; greylisting refuses every first try."""
    book.join("ana@example.org")
    run = book.freeze()
    claim(book, run, "lost")
    settle(book, "lost")
    claim(book, run, "tried", after=3 * DAY)
    settle(book, "tried", LATER, after=3 * DAY)
    assert book.rows()[1][0] == "deferred"


def test_what_is_deferred_for_too_long_and_often_enough_is_given_up_with_the_last_answer(book: Book) -> None:
    book.join("ana@example.org")
    run = book.freeze()
    for number in range(LEAST_TRIES):
        assert claim(book, run, f"b{number}", after=number * DAY).recipients, number
        settle(book, f"b{number}", LATER, after=number * DAY, give_up_s=DAY.total_seconds())
    assert book.rows()[1] == ("failed", None, LEAST_TRIES)
    assert book.ledger.reasons(run.id, "failed") == {"given up: 451 4.7.1 greylisted": 1}


def test_a_server_that_cuts_every_line_after_the_message_gets_three_copies_and_no_more(book: Book) -> None:
    book.join("ana@example.org")
    run = book.freeze(doubt="resend")
    cut = Receipt(1, Outcome.UNKNOWN, 0, "the connection was lost")
    copies = 0
    for number in range(20):
        taken = claim(book, run, f"b{number}", after=number * DAY)
        copies += len(taken.recipients)
        settle(book, f"b{number}", cut, after=number * DAY)
    assert copies == MOST_DOUBTS == 3
    assert book.rows()[1][0] == "uncertain"
    assert [case.resolution for case in book.ledger.doubts(run.id)] == ["resent", "resent", "held"]
    with book.db.atomic():
        assert book.ledger.finish(run.id, NOW + 20 * DAY)


def test_what_is_in_doubt_is_not_sent_again_within_the_same_second(book: Book) -> None:
    book.join("ana@example.org")
    run = book.freeze(doubt="resend")
    claim(book, run, "b1")
    settle(book, "b1", doubts={1: "the sender died"})
    assert not claim(book, run, "b2").recipients
    assert claim(book, run, "b3", after=timedelta(minutes=1)).recipients


def test_hold_means_never_twice(book: Book) -> None:
    book.join("ana@example.org")
    run = book.freeze(doubt="hold")
    claim(book, run, "b1")
    settle(book, "b1", doubts={1: "the sender died"})
    assert book.rows()[1][0] == "uncertain"
    assert not claim(book, run, "b2", after=30 * DAY).recipients


@pytest.mark.parametrize("text", ["Empf\udce4nger", "\x00", "x" * 100_000, "\ud800"])
def test_no_answer_of_a_server_stops_the_ledger(book: Book, text: str) -> None:
    book.join("ana@example.org")
    run = book.freeze()
    claim(book, run, "b1")
    report = Report("b1", "coalition", (Receipt(1, Outcome.REJECTED, 550, text),))
    again = Report.from_json(report.to_json())
    assert settle(book, "b1", *again.receipts)
    assert book.rows()[1][0] == "failed"
    (reason,) = book.ledger.reasons(run.id, "failed")
    assert reason.startswith("550 ")
    assert len(reason) <= 500


def test_a_member_erased_while_the_message_was_on_its_way_still_ends_in_one_state(book: Book) -> None:
    ana, ben, eve = (book.join(f"{name}@example.org") for name in ("ana", "ben", "eve"))
    run = book.freeze()
    assert len(claim(book, run, "b1").recipients) == 3
    for member in (ana, ben, eve):
        book.erase(member)
    settle(book, "b1", Receipt(1, Outcome.ACCEPTED, 250, "ok"), doubts={2: "the sender died"})
    assert not claim(book, run, "b2", after=DAY).recipients
    assert [state for state, _, _ in book.rows().values()] == ["sent", "skipped", "skipped"]
    assert [(case.delivery, case.address) for case in book.ledger.doubts(run.id)] == [(2, None)]
    with book.db.atomic():
        assert book.ledger.finish(run.id, NOW)


def test_who_withdrew_or_complained_after_the_freeze_is_in_no_claim(book: Book) -> None:
    ana = book.join("ana@example.org")
    book.join("ben@example.org")
    book.join("eve@example.org")
    run = book.freeze()
    book.consent(ana, ConsentState.WITHDRAWN)
    book.suppress("BEN@example.org")
    assert [each.address for each in claim(book, run, "b1").recipients] == ["eve@example.org"]
    assert book.ledger.reasons(run.id, "skipped") == {"suppressed": 1, "withdrawn": 1}


def test_a_report_that_comes_twice_late_or_for_others_changes_nothing(book: Book) -> None:
    book.join("ana@example.org")
    book.join("ben@example.org")
    run = book.freeze()
    claim(book, run, "b1", size=1)
    claim(book, run, "b2", size=1)
    everybody = [Receipt(number, Outcome.ACCEPTED, 250, "ok") for number in (1, 2, 3, -1, 2**62)]
    assert settle(book, "b1", *everybody)
    assert [state for state, _, _ in book.rows().values()] == ["sent", "claimed"]
    before = book.dump()
    refused = [Receipt(number, Outcome.REJECTED, 550, "no") for number in (1, 2)]
    assert not settle(book, "b1", *refused, doubts={1: "x", 2: "x"})
    assert not settle(book, "never-claimed", *refused, doubts={2: "x"})
    assert book.dump() == before


def test_cancelling_lets_what_is_claimed_end_and_go_no_further(book: Book) -> None:
    for number in range(5):
        book.join(f"p{number}@example.org")
    run = book.freeze()
    claim(book, run, "b1", size=4)
    with book.db.atomic():
        assert book.ledger.cancel(run.id, NOW) == 1
    settle(
        book,
        "b1",
        Receipt(1, Outcome.ACCEPTED, 250, "ok"),
        Receipt(2, Outcome.DEFERRED, 451, "later"),
        doubts={3: "the sender died"},
    )
    assert [state for state, _, _ in book.rows().values()] == [
        "sent",
        "cancelled",
        "uncertain",
        "cancelled",
        "cancelled",
    ]
