"""Random histories of a ledger, with senders that do all that senders can do: the promises hold after each step."""

from __future__ import annotations

import shutil
import tempfile
from collections import Counter
from datetime import timedelta
from pathlib import Path

from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule
from ledger_samples import GIVE_UP_S, NOW, Book

from audiences.models import ConsentState
from comms.delivery.batches import Outcome, Receipt
from comms.delivery.runs import Run
from comms.events import FINAL

FINAL_STATES = {state.value for state in FINAL}
OPEN_STATES = {"ready", "claimed", "deferred"}


FATES = (
    "taken, answered",
    "taken, not answered",
    "lost, not answered",
    "taken, sender died",
    "lost, sender died",
    "deferred",
    "rejected",
    "never begun",
)
fates = st.lists(st.sampled_from(FATES), min_size=4, max_size=4)


class LedgerMachine(RuleBasedStateMachine):
    """People come, go and complain; runs are claimed, sent, lost, settled, cancelled; reports come late and twice."""

    def __init__(self) -> None:
        super().__init__()
        self.folder = Path(tempfile.mkdtemp())
        self.book = Book(self.folder / "a.db")
        self.now = NOW
        self.addresses: list[str] = []
        self.barred: set[str] = set()
        self.runs: list[Run] = []
        self.held: dict[str, list[int]] = {}
        """Open batches, and what they hold."""
        self.reports: list[tuple[str, list[Receipt]]] = []
        """All that was ever reported, to be reported again."""
        self.copies: Counter[int] = Counter()
        self.final: dict[int, str] = {}
        self.batches = 0

    def teardown(self) -> None:
        self.book.db.close()
        shutil.rmtree(self.folder)

    # --- people -------------------------------------------------------------------------------

    @initialize(count=st.integers(1, 8))
    def found(self, count: int) -> None:
        for _ in range(count):
            self.join()
        self.freeze("resend")

    @rule()
    def join(self) -> None:
        address = f"p{len(self.addresses)}@example.org"
        self.addresses.append(address)
        self.book.join(address)

    @rule(data=st.data())
    def withdraw(self, data: st.DataObject) -> None:
        if member := self._somebody(data):
            self.book.consent(member, ConsentState.WITHDRAWN)

    @rule(data=st.data())
    def complain(self, data: st.DataObject) -> None:
        address = data.draw(st.sampled_from(self.addresses))
        self.book.suppress(address)
        self.barred.add(address)

    @rule(data=st.data())
    def erase(self, data: st.DataObject) -> None:
        if member := self._somebody(data):
            self.book.erase(member)

    def _somebody(self, data: st.DataObject) -> int | None:
        """A member who may not be written to from now on; None for one who was erased."""
        address = data.draw(st.sampled_from(self.addresses))
        self.barred.add(address)
        found = self.book.people.find(address)
        return found.id if found else None

    # --- runs ---------------------------------------------------------------------------------

    @precondition(lambda self: len(self.runs) < 3)
    @rule(doubt=st.sampled_from(["resend", "hold"]))
    def freeze(self, doubt: str) -> None:
        self.runs.append(self.book.freeze(f"campaign-{len(self.runs)}", doubt=doubt))

    @rule(data=st.data())
    def cancel(self, data: st.DataObject) -> None:
        run = data.draw(st.sampled_from(self.runs))
        if data.draw(st.integers(0, 3)) == 0:
            with self.book.db.atomic():
                self.book.ledger.cancel(run.id, self.now)

    @rule(data=st.data())
    def finish(self, data: st.DataObject) -> None:
        run = data.draw(st.sampled_from(self.runs))
        with self.book.db.atomic():
            done = self.book.ledger.finish(run.id, self.now)
        if done:
            assert not OPEN_STATES & self.book.ledger.counts(run.id).keys()

    @rule(seconds=st.sampled_from([1, 10, 3600, 4 * 3600, 72 * 3600, -3600]))
    def wait(self, seconds: int) -> None:
        self.now += timedelta(seconds=seconds)

    @rule(data=st.data(), size=st.integers(1, 4))
    def claim(self, data: st.DataObject, size: int) -> None:
        run = data.draw(st.sampled_from(self.runs))
        before = self.book.rows()
        self.batches += 1
        batch = f"b{self.batches}"
        with self.book.db.atomic():
            claim = self.book.ledger.claim(run, batch, size, self.now)
        assert len(claim.recipients) <= size
        for each in claim.recipients:
            assert each.address not in self.barred
            assert before[each.delivery][0] in ("ready", "deferred")
        if claim.recipients:
            self.held[batch] = [each.delivery for each in claim.recipients]

    # --- senders ------------------------------------------------------------------------------

    @precondition(lambda self: self.held)
    @rule(data=st.data(), happens=fates)
    def send_and_settle(self, data: st.DataObject, happens: list[str]) -> None:
        batch = data.draw(st.sampled_from(sorted(self.held)))
        held = self.held.pop(batch)
        receipts, doubts = [], {}
        for delivery, fate in zip(held, happens, strict=False):
            self.copies[delivery] += fate.startswith("taken")
            match fate:
                case "taken, answered":
                    receipts.append(Receipt(delivery, Outcome.ACCEPTED, 250, "ok"))
                case "taken, not answered" | "lost, not answered":
                    receipts.append(Receipt(delivery, Outcome.UNKNOWN, 0, "the line was cut"))
                case "taken, sender died" | "lost, sender died":
                    doubts[delivery] = "the sender died"
                case "deferred":
                    receipts.append(Receipt(delivery, Outcome.DEFERRED, 451, "later"))
                case "rejected":
                    receipts.append(Receipt(delivery, Outcome.REJECTED, 550, "no"))
        foreign = data.draw(st.lists(st.sampled_from([-1, *self.book.rows(), 2**40]), max_size=4))
        others = [Receipt(n, Outcome.ACCEPTED, 250, "not mine") for n in foreign if n not in held]
        twice = receipts if data.draw(st.booleans()) else []
        assert self._settle(batch, [*others, *receipts, *twice], doubts)
        self.reports.append((batch, receipts))

    @precondition(lambda self: self.reports)
    @rule(data=st.data())
    def report_again(self, data: st.DataObject) -> None:
        batch, receipts = data.draw(st.sampled_from(self.reports))
        before = self.book.dump()
        assert not self._settle(batch, receipts, {receipt.item: "again" for receipt in receipts})
        assert self.book.dump() == before

    def _settle(self, batch: str, receipts: list[Receipt], doubts: dict[int, str]) -> bool:
        with self.book.db.atomic():
            return self.book.ledger.settle(batch, receipts, in_doubt=doubts, now=self.now, give_up_s=GIVE_UP_S)

    # --- promises -----------------------------------------------------------------------------

    @invariant()
    def everybody_planned_is_in_one_state(self) -> None:
        for run in self.runs:
            counts = self.book.ledger.counts(run.id)
            assert sum(counts.values()) == run.planned
            assert counts.keys() <= FINAL_STATES | OPEN_STATES

    @invariant()
    def what_is_final_stays_so(self) -> None:
        now_final = {d: state for d, (state, _, _) in self.book.rows().items() if state in FINAL_STATES}
        assert now_final.items() >= self.final.items()
        self.final = now_final

    @invariant()
    def what_is_claimed_is_in_one_open_batch_and_nothing_else_is(self) -> None:
        claimed = {d: batch for d, (state, batch, _) in self.book.rows().items() if state == "claimed"}
        expected = {delivery: batch for batch, held in self.held.items() for delivery in held}
        assert claimed == expected
        assert {batch for batch, _ in self.book.ledger.open_batches()} == self.held.keys()
        assert not [d for d, (state, batch, _) in self.book.rows().items() if batch and state != "claimed"]

    @invariant()
    def a_second_copy_is_named(self) -> None:
        named = Counter(case.delivery for run in self.runs for case in self.book.ledger.doubts(run.id))
        for delivery, copies in self.copies.items():
            assert copies <= 1 + named[delivery]
            assert copies <= 3

    @invariant()
    def whoever_counts_as_sent_got_it(self) -> None:
        for delivery, (state, _, _) in self.book.rows().items():
            if state == "sent":
                assert self.copies[delivery] >= 1


LedgerMachine.TestCase.settings = settings(
    max_examples=100,
    stateful_step_count=40,
    deadline=None,
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large],
)
TestLedger = LedgerMachine.TestCase
