"""What people said since a backup was made holds in the database that was restored from it."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import pytest

from audiences.carrying import Carrier
from audiences.choices import Choices
from audiences.migrations import AUDIENCES
from audiences.models import Frequency, Member, SuppressionScope
from audiences.signups import SignUp, SignUps
from audiences.store import People
from comms.db import Database, open_database

NOW = datetime(2027, 2, 1, 9, 0, tzinfo=UTC)
KEY = b"k" * 32
ANA, TOKEN = "ana@example.org", b"the hash of a token"


@pytest.fixture
def both(tmp_path: Path) -> Iterator[tuple[People, People]]:
    """The database as it stood, and the older one that was restored; the same two members under other numbers."""
    databases: list[Database] = [
        open_database(tmp_path / f"{name}.db", [AUDIENCES], create=True) for name in ("before", "restored")
    ]
    before, restored = (People(db, KEY) for db in databases)
    for people, first in ((before, 1), (restored, 11)):
        with people.db.atomic():
            people.insert([Member(ANA, id=first), Member("lee@example.net", id=first + 1)], NOW)
            SignUps(people.db).add(SignUp(ANA, {"news": "yes"}, "form", NOW, NOW + timedelta(days=3)), TOKEN)
    yield before, restored
    for db in databases:
        db.close()


def test_the_reason_that_stood_last_is_taken_over_and_no_undone_import_lifts_it(both: tuple[People, People]) -> None:
    before, restored = both
    with restored.db.atomic():
        restored.suppress(ANA, SuppressionScope.ASSOCIATION, "hard bounce", NOW, 1)
    with before.db.atomic():
        before.suppress(ANA, SuppressionScope.ASSOCIATION, "blocklisted", NOW)
        before.suppress("lee@example.net", SuppressionScope.RELAYS, "asked", NOW)
    carrier = Carrier(restored.db, KEY)
    with restored.db.atomic():
        assert carrier.take_suppressions(before.db) == 2
        assert carrier.take_suppressions(before.db) == 0
        restored.db.execute("DELETE FROM suppression WHERE import_id = 1")
    assert restored.suppressions_of(ANA) == [(SuppressionScope.ASSOCIATION, "blocklisted")]
    assert restored.suppressed_for_relays(["lee@example.net"])


def test_what_two_imports_suppressed_before_one_can_not_lift_after(both: tuple[People, People]) -> None:
    before, restored = both
    for people in both:
        with people.db.atomic():
            people.suppress(ANA, SuppressionScope.ASSOCIATION, "hard bounce", NOW, 1)
    with before.db.atomic():
        before.suppress(ANA, SuppressionScope.ASSOCIATION, "hard bounce", NOW, 2)
    with restored.db.atomic():
        Carrier(restored.db, KEY).take_suppressions(before.db)
        restored.db.execute("DELETE FROM suppression WHERE import_id = 1")
    assert restored.suppressed([ANA])


def test_who_was_erased_is_known_though_the_backup_knows_another_reason(both: tuple[People, People]) -> None:
    before, restored = both
    for people in both:
        with people.db.atomic():
            people.suppress(ANA, SuppressionScope.ASSOCIATION, "hard bounce", NOW)
    with before.db.atomic():
        before.note_erased("ANA@example.org", "erased", NOW)
    carrier = Carrier(restored.db, KEY)
    assert carrier.erased_members() == []
    with restored.db.atomic():
        carrier.take_suppressions(before.db)
    assert carrier.erased_members() == [11]
    assert carrier.erased([ANA, "lee@example.net"]) == [ANA]
    with restored.db.atomic():
        restored.lift(ANA, SuppressionScope.ASSOCIATION)
    assert carrier.erased_members() == [], "they came back"


def test_a_pause_and_a_frequency_hold(both: tuple[People, People]) -> None:
    before, restored = both
    with before.db.atomic():
        Choices(before.db).pause(1, date(2027, 5, 1))
        Choices(before.db).choose_frequency(2, "news", Frequency.WEEKLY)
    with restored.db.atomic():
        Choices(restored.db).choose_frequency(12, "news", Frequency.DAILY)
        Carrier(restored.db, KEY).take_choices(before.db)
    assert Choices(restored.db).wishes(11).paused_until == date(2027, 5, 1)
    assert Choices(restored.db).wishes(12).paces["news"].frequency is Frequency.WEEKLY
    assert Choices(restored.db).wishes(12).paused_until is None


def test_a_link_that_was_used_is_used(both: tuple[People, People]) -> None:
    before, restored = both
    with before.db.atomic():
        SignUps(before.db).use(1, NOW)
    with restored.db.atomic():
        Carrier(restored.db, KEY).take_used_sign_ups(before.db)
    found = SignUps(restored.db).find(TOKEN)
    assert found is not None
    assert found.confirmed_at == NOW
