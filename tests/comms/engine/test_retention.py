"""What was kept long enough goes, in small slices, once a day; figures and opt-outs stay."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from audiences.models import ANY_TOPIC, TRACKING, Association, Basis, Consent, ConsentState, Member
from audiences.store import EVERYONE
from comms.config import Retention
from comms.db import DATABASE_ERRORS
from comms.delivery.batches import Outcome, Receipt
from comms.delivery.runs import Run
from comms.engine import retention
from comms.engine.audience import import_members, past_imports, undo_import
from comms.engine.control import Control
from comms.engine.retention import due, forget, survey
from comms.engine.setup import create_workspace
from comms.engine.workspace import Workspace
from comms.errors import StateError
from comms.events import EventKind
from comms.queues import queue_of

START = datetime(2027, 2, 1, 9, 0, tzinfo=UTC)
HOST = Association("coalition", "The Coalition", "news@coalition.example", "1 Main Street, Springfield")
OTHER = Association("archives", "Archives", "news@archives.example", "2 Main Street, Springfield")
SETTINGS = """
[retention]
events_days = 100
deliveries_days = 50
imports_days = 30
unconfirmed_days = 7
request_address_days = 60
members_without_consent_days = 200
"""
GRANTED, WITHDRAWN = ConsentState.GRANTED, ConsentState.WITHDRAWN


class Clock:
    """A time that tests set."""

    def __init__(self) -> None:
        self.now = START

    def __call__(self) -> datetime:
        return self.now

    def after(self, days: float) -> None:
        self.now = START + timedelta(days=days)


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def workspace(tmp_path: Path, clock: Clock) -> Iterator[Workspace]:
    with create_workspace(tmp_path / "w", HOST) as made:
        made.add_association(OTHER)
    (tmp_path / "w" / "comms.toml").write_text(SETTINGS, encoding="utf-8")
    with Workspace(tmp_path / "w", environment={}, clock=clock) as workspace:
        yield workspace


def add(workspace: Workspace, address: str, *changes: tuple[str, ConsentState], asked_from: str | None = None) -> int:
    people, now = workspace.people("coalition"), workspace.now()
    with people.db.atomic():
        number = people.next_id()
        people.insert([Member(address, id=number)], now)
        people.record(
            [
                (
                    number,
                    Consent(
                        topic,
                        state,
                        now - timedelta(days=1_000),
                        "form",
                        Basis.EXPRESS if state is GRANTED else None,
                        request_address=asked_from,
                    ),
                )
                for topic, state in changes
            ],
            now,
        )
    return number


def send(workspace: Workspace, outcome: Outcome = Outcome.ACCEPTED, text: str = "ok") -> tuple[Run, list[int]]:
    """A newsletter to everyone who may be written to; returns its deliveries."""
    ledger, now = workspace.ledger("coalition"), workspace.now()
    with ledger.db.atomic():
        run = ledger.freeze(
            "spring",
            "newsletter",
            topic=None,
            digest="d",
            doubt="resend",
            segment=EVERYONE,
            excluded={},
            due={None: now},
            now=now,
        )
        claim = ledger.claim(run, "batch", 100_000, now)
        receipts = [Receipt(each.delivery, outcome, 550, text) for each in claim.recipients]
        ledger.settle("batch", receipts, in_doubt={}, now=now, give_up_s=3600)
        ledger.finish(run.id, now)
    return run, [each.delivery for each in claim.recipients]


def note(workspace: Workspace, run: Run, kind: EventKind, *deliveries: int | None, link: int | None = None) -> None:
    events = workspace.events("coalition")
    with events.db.atomic():
        for delivery in deliveries:
            events.add(run.id, kind, workspace.now(), delivery=delivery, link=link)


def one(workspace: Workspace, sql: str) -> Any:
    return workspace.association_db("coalition").execute(sql).fetchone()[0]


def test_what_is_due_is_older_than_its_days_and_nought_keeps_for_good() -> None:
    cut_offs = due(Retention(events_days=10, imports_days=0, unconfirmed_days=0), START)
    assert cut_offs.events == cut_offs.activity == START - timedelta(days=10)
    assert cut_offs.imports is None
    assert cut_offs.sign_ups == START, "an expired sign-up is of no use to anybody"
    assert "imports" not in cut_offs.kinds()
    assert due(Retention(), START).members is None, "nobody is erased unless somebody asks for it"


# --- each kind of data ------------------------------------------------------------------------


def test_events_lose_their_names_and_no_figure_changes(workspace: Workspace, clock: Clock) -> None:
    for name in ("ana", "ben", "cleo"):
        add(workspace, f"{name}@example.org", (ANY_TOPIC, GRANTED), (TRACKING, GRANTED))
    run, (ana, ben, _) = send(workspace)
    note(workspace, run, EventKind.OPENED, ana, ana, ben)
    note(workspace, run, EventKind.CLICKED, ana, None, link=0)
    note(workspace, run, EventKind.CLICKED, ben, ana, link=1)
    note(workspace, run, EventKind.UNSUBSCRIBED, ben)
    events = workspace.events("coalition")

    def figures() -> object:
        return (
            events.tallies(run.id),
            events.clicks(run.id),
            events.tracked(run.id),
            events.by_hour(run.id, EventKind.CLICKED),
        )

    before = figures()
    clock.after(99)
    assert "events" not in forget(workspace).rows["coalition"]
    clock.after(101)
    assert survey(workspace).rows["coalition"]["events"] == 7
    assert forget(workspace).rows["coalition"]["events"] == 7
    assert one(workspace, "SELECT count(*) FROM event WHERE delivery_id IS NOT NULL") == 0
    assert figures() == before

    note(workspace, run, EventKind.CLICKED, ana, link=0)
    after = events.clicks(run.id)
    assert (after[0].total, after[0].people) == (3, 1), "a late click may be of somebody who was counted"
    forget(workspace)
    assert events.clicks(run.id) == after


def test_a_newsletter_that_is_still_under_way_keeps_its_names(workspace: Workspace, clock: Clock) -> None:
    add(workspace, "ana@example.org", (TRACKING, GRANTED), (ANY_TOPIC, GRANTED))
    run, (delivery,) = send(workspace)
    note(workspace, run, EventKind.CLICKED, delivery, link=0)
    with workspace.ledger("coalition").db.atomic():
        workspace.association_db("coalition").execute("UPDATE run SET state = 'sending', done_at = NULL")
    clock.now += timedelta(days=10_000)
    assert "events" not in survey(workspace).rows["coalition"]
    forget(workspace)
    assert one(workspace, "SELECT delivery_id FROM event") == delivery


def test_what_members_did_is_forgotten_with_the_events(workspace: Workspace, clock: Clock) -> None:
    add(workspace, "ana@example.org", (ANY_TOPIC, GRANTED), (TRACKING, GRANTED))
    run, (ana,) = send(workspace)
    note(workspace, run, EventKind.OPENED, ana)
    clock.after(50)
    note(workspace, run, EventKind.CLICKED, ana, link=0)
    clock.after(101)
    assert forget(workspace).rows["coalition"]["activity"] == 2
    assert one(workspace, "SELECT opened_at FROM member") is None
    assert one(workspace, "SELECT clicked_at FROM member") is not None
    assert one(workspace, "SELECT group_concat(kind) FROM activity") == "clicked"


def test_what_servers_said_of_addresses_goes_and_why_it_failed_still_counts(workspace: Workspace, clock: Clock) -> None:
    for name in ("ana", "ben"):
        add(workspace, f"{name}@example.org", (ANY_TOPIC, GRANTED))
    run, _ = send(workspace, Outcome.REJECTED, "<ana@example.org>: no such user")
    ledger = workspace.ledger("coalition")
    assert ledger.reasons(run.id, "failed") == {"550 <ana@example.org>: no such user": 2}
    clock.after(51)
    assert survey(workspace).rows["coalition"] == {"deliveries": 2}
    assert forget(workspace).rows["coalition"]["deliveries"] == 2
    assert ledger.reasons(run.id, "failed") == {"550 <an address>: no such user": 2}
    assert one(workspace, "SELECT count(reply) FROM delivery") == 0
    assert ledger.counts(run.id) == {"failed": 2}
    assert one(workspace, "SELECT count(member_id) FROM delivery") == 2, "the link to stop must go on working"
    assert forget(workspace).rows["coalition"] == {}


def test_an_old_import_can_not_be_undone_and_says_so(workspace: Workspace, clock: Clock, tmp_path: Path) -> None:
    (tmp_path / "a.csv").write_text("email,city\nana@example.org,Bend\n")
    (tmp_path / "b.csv").write_text("email,city\nana@example.org,Salem\n")
    import_members(workspace, tmp_path / "a.csv", "coalition")
    clock.after(20)
    import_members(workspace, tmp_path / "b.csv", "coalition")
    clock.after(31)
    assert forget(workspace).rows["coalition"]["imports"] > 0
    old, recent = past_imports(workspace, "coalition")
    assert old.forgotten_at is not None
    assert recent.forgotten_at is None
    with pytest.raises(StateError, match="no import 1 that could be undone"):
        undo_import(workspace, 1, "coalition")
    undo_import(workspace, 2, "coalition")
    ana = workspace.people("coalition").find("ana@example.org")
    assert ana is not None
    assert ana.attributes == {"city": "Bend"}


def test_expired_sign_ups_go_and_those_that_wait_stay(workspace: Workspace, clock: Clock) -> None:
    db = workspace.association_db("coalition")
    with db.atomic():
        for number, days in enumerate((1, 30)):
            db.execute(
                "INSERT INTO signup (token_hash, address, topics, source, requested_at, expires_at)"
                " VALUES (?, 'ana@example.org', '[]', 'form', ?, ?)",
                [bytes([number]), START.isoformat(), (START + timedelta(days=days)).isoformat(timespec="seconds")],
            )
    clock.after(7)
    assert forget(workspace).rows["coalition"] == {}
    clock.after(9)
    assert forget(workspace).rows["coalition"] == {"sign_ups": 1}


def test_the_address_a_consent_came_from_goes_and_nothing_else_of_the_log_can(
    workspace: Workspace, clock: Clock
) -> None:
    number = add(workspace, "ana@example.org", (ANY_TOPIC, GRANTED), asked_from="192.0.2.7")
    clock.after(61)
    assert forget(workspace).rows["coalition"] == {"request_addresses": 1}
    (record,) = workspace.people("coalition").consent_log(number)
    assert (record.request_address, record.source) == (None, "form")
    db = workspace.association_db("coalition")
    for change in ("request_address = '192.0.2.8'", "source = 'x'", "state = 'withdrawn'", "id = 9", "at = ''"):
        with pytest.raises(DATABASE_ERRORS, match="append-only"), db.atomic():
            db.execute(f"UPDATE consent SET {change}")


def test_who_opted_out_of_everything_long_ago_is_erased_and_stays_out(
    workspace: Workspace, clock: Clock, tmp_path: Path
) -> None:
    add(workspace, "gone@example.org", (ANY_TOPIC, WITHDRAWN), (TRACKING, GRANTED))
    add(workspace, "one-left@example.org", (ANY_TOPIC, WITHDRAWN), ("news", GRANTED))
    add(workspace, "never@example.org")
    clock.after(150)
    add(workspace, "imported-since@example.org", (ANY_TOPIC, WITHDRAWN))
    clock.after(201)
    assert forget(workspace).rows["coalition"] == {"members": 1}
    people = workspace.people("coalition")
    assert {m.address for m in people.select()} == {
        "one-left@example.org",
        "never@example.org",
        "imported-since@example.org",
    }
    (tmp_path / "old.csv").write_text("email\ngone@example.org\n")
    import_members(workspace, tmp_path / "old.csv", "coalition")
    assert people.suppressed(["gone@example.org"]) == {"gone@example.org"}


# --- the work ---------------------------------------------------------------------------------


@pytest.fixture
def many_events(workspace: Workspace, clock: Clock, monkeypatch: pytest.MonkeyPatch) -> Workspace:
    """Twenty-five named events that are due, and slices of ten."""
    monkeypatch.setattr(retention, "SLICE", 10)
    for number in range(25):
        add(workspace, f"m{number}@example.org", (ANY_TOPIC, GRANTED), (TRACKING, GRANTED))
    run, deliveries = send(workspace)
    note(workspace, run, EventKind.OPENED, *deliveries)
    clock.after(101)
    return workspace


def named(workspace: Workspace) -> int:
    return int(one(workspace, "SELECT count(delivery_id) FROM event"))


def test_a_dry_run_changes_nothing_and_counts_what_the_real_one_does(many_events: Workspace) -> None:
    would = survey(many_events).rows
    assert named(many_events) == 25
    assert forget(many_events).rows == would
    assert survey(many_events).rows == {"coalition": {}, "archives": {}}


def test_each_step_is_one_small_transaction(many_events: Workspace) -> None:
    left = []
    while retention.daily(many_events):
        assert not many_events.association_db("coalition").conn.in_transaction
        left.append(named(many_events))
    assert [number for at, number in enumerate(left) if number not in left[:at]] == [25, 15, 5, 0]


def test_a_job_that_was_cut_off_goes_on_in_another_process_and_is_done_once_a_day(
    many_events: Workspace, clock: Clock, tmp_path: Path
) -> None:
    retention.daily(many_events)
    retention.daily(many_events)
    assert named(many_events) == 15
    many_events.close()
    with Workspace(tmp_path / "w", environment={}, clock=clock) as again:
        while retention.daily(again):
            pass
        assert named(again) == 0
        clock.after(101.9)
        assert not retention.daily(again)
        clock.after(102.1)
        assert retention.daily(again)


def test_a_clock_that_was_years_ahead_once_does_not_end_the_daily_work(workspace: Workspace, clock: Clock) -> None:
    clock.now += timedelta(days=20_000)
    while retention.daily(workspace):
        pass
    clock.now -= timedelta(days=20_000)
    assert retention.daily(workspace)


def test_a_damaged_association_does_not_keep_the_others_from_forgetting(
    many_events: Workspace, clock: Clock, tmp_path: Path
) -> None:
    many_events.close()
    (tmp_path / "w" / "associations" / "archives.db").write_bytes(b"no database" * 500)
    with Workspace(tmp_path / "w", environment={}, clock=clock) as again:
        for _ in range(200):
            if not retention.daily(again):
                break
        assert named(again) == 0


def test_control_does_it(many_events: Workspace, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("comms.engine.control.RECOVER_EVERY_S", 0.0)
    many_events.journal_folder.mkdir(exist_ok=True)
    control = Control(many_events, queue_of(many_events), senders=1)
    for _ in range(60):
        control.step()
    assert named(many_events) == 0
    assert not retention.daily(many_events)


def test_by_hand_it_says_how_far_it_is(many_events: Workspace) -> None:
    heard: list[int] = []
    rows: Callable[[int], None] = heard.append
    assert forget(many_events, rows).rows["coalition"]["events"] == 25
    assert heard[:3] == [10, 20, 25]
