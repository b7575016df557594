"""An import taken back: whom it added is gone, what it changed is as before, its consent counts no more."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from audiences.importing import base
from audiences.importing.base import ImportResult, ImportRow
from audiences.importing.log import ImportLog
from audiences.migrations import AUDIENCES
from audiences.models import ANY_TOPIC, Basis, Consent, ConsentState, SuppressionScope
from audiences.store import People
from comms.db import Database, open_database

NOW = datetime(2027, 2, 1, 9, 0, tzinfo=UTC)


@pytest.fixture
def people(tmp_path: Path) -> Iterator[People]:
    db: Database = open_database(tmp_path / "a.db", [AUDIENCES], create=True)
    yield People(db, b"k" * 32)
    db.close()


def grant(topic: str = ANY_TOPIC) -> Consent:
    return Consent(topic, ConsentState.GRANTED, NOW, "a test", Basis.MEMBERSHIP)


def withdrawal(topic: str = ANY_TOPIC) -> Consent:
    return Consent(topic, ConsentState.WITHDRAWN, NOW, "a test")


topics = st.sampled_from([ANY_TOPIC, "news", "jobs"])


@pytest.fixture(scope="module")
def bases(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[People, People]]:
    folder = tmp_path_factory.mktemp("bases")
    databases = [open_database(folder / f"{name}.db", [AUDIENCES], create=True) for name in "ab"]
    yield People(databases[0], b"k" * 32), People(databases[1], b"k" * 32)
    for db in databases:
        db.close()


@contextmanager
def taken_back(people: People) -> Iterator[None]:
    """Nothing of what is done inside stays."""
    people.db.execute("BEGIN IMMEDIATE")
    try:
        yield
    finally:
        people.db.execute("ROLLBACK")


def bring(people: People, *rows: ImportRow) -> ImportResult:
    result = ImportResult()
    with people.db.atomic():
        list(base.apply(people, rows, NOW, result, file="test.csv"))
    return result


def undo(people: People, number: int | None) -> tuple[int, int, int]:
    assert number is not None
    with people.db.atomic():
        undone = ImportLog(people.db).undo(number, NOW)
    assert undone is not None
    return undone.removed, undone.restored, undone.kept


def agrees(people: People, address: str, topic: str | None = None) -> bool:
    member = people.find(address)
    assert member is not None
    assert member.id is not None
    return people.standings({member.id: member.address})[member.id].agrees_to(topic)


def test_whom_an_import_added_is_gone_and_what_it_changed_is_as_before(people: People) -> None:
    bring(people, ImportRow(2, "ana@example.org", {"city": "Salem"}, consents=(grant("news"),)))
    second = bring(
        people,
        ImportRow(
            2, "ana@example.org", {"city": "Bend", "state": "OR"}, "es", consents=(grant("training"),), tags=("x",)
        ),
        ImportRow(3, "lee@example.net", consents=(grant(),)),
    )
    assert agrees(people, "ana@example.org", "training")
    assert undo(people, second.number) == (1, 1, 0)
    ana = people.find("ana@example.org")
    assert ana is not None
    assert (ana.attributes, ana.language) == ({"city": "Salem"}, None)
    assert agrees(people, "ana@example.org", "news")
    assert not agrees(people, "ana@example.org", "training")
    assert people.find("lee@example.net") is None
    assert ana.id is not None
    assert people.tags([ana.id]) == {ana.id: set()}
    assert [record.topic for record in people.consent_log(ana.id)] == ["news", "training"], "evidence was lost"


def test_a_withdrawal_that_an_import_brought_is_void_with_it(people: People) -> None:
    bring(people, ImportRow(2, "ana@example.org", consents=(grant("news"), grant("training"))))
    wrong = bring(people, ImportRow(2, "ana@example.org", consents=(withdrawal(),)))
    assert not agrees(people, "ana@example.org")
    undo(people, wrong.number)
    assert agrees(people, "ana@example.org", "news")
    assert agrees(people, "ana@example.org", "training")


@pytest.mark.parametrize(
    ("first", "second"),
    [(ANY_TOPIC, ANY_TOPIC), (ANY_TOPIC, "news"), ("news", "news"), ("news", ANY_TOPIC)],
)
@pytest.mark.parametrize("later_ones", [1, 3])
def test_a_no_that_two_imports_said_outlives_either(people: People, first: str, second: str, later_ones: int) -> None:
    bring(people, ImportRow(2, "ana@example.org", consents=(grant("news"),)))
    wrong = bring(people, ImportRow(2, "ana@example.org", consents=(withdrawal(first),)))
    others = [bring(people, ImportRow(2, "ana@example.org", consents=(withdrawal(second),))) for _ in range(later_ones)]
    assert all(other.unchanged == 1 for other in others[1:])
    for number in (wrong.number, *(other.number for other in others[:-1])):
        undo(people, number)
        assert not agrees(people, "ana@example.org", "news")
    undo(people, others[-1].number)
    assert agrees(people, "ana@example.org", "news"), "nobody says no any more"


rows_of_ana = st.builds(
    lambda changes, suppression: ImportRow(2, "ana@example.org", consents=tuple(changes), suppression=suppression),
    st.lists(st.builds(lambda make, topic: make(topic), st.sampled_from([grant, withdrawal]), topics), max_size=2),
    st.sampled_from([None, None, "hard bounce"]),
)


@settings(deadline=None, max_examples=150)
@given(st.lists(rows_of_ana, max_size=6), st.data())
def test_nobody_agrees_to_more_than_if_the_undone_imports_had_never_been(
    bases: tuple[People, People], rows: list[ImportRow], data: st.DataObject
) -> None:
    people, other = bases
    with taken_back(people), taken_back(other):
        numbers = [bring(people, row).number for row in rows]
        undone = data.draw(st.permutations(range(len(rows))).flatmap(lambda order: st.sampled_from(heads(order))))
        for which in undone:
            undo(people, numbers[which])
        for which, row in enumerate(rows):
            if which not in undone:
                bring(other, row)
        bring(people, ImportRow(2, "ana@example.org", consents=(grant(),)))
        bring(other, ImportRow(2, "ana@example.org", consents=(grant(),)))
        for topic in ("news", "jobs"):
            assert not agrees(people, "ana@example.org", topic) or agrees(other, "ana@example.org", topic)


def heads(order: list[int]) -> list[list[int]]:
    return [order[:length] for length in range(len(order) + 1)]


def test_whom_an_import_added_stays_out_as_another_said_when_it_is_undone(people: People) -> None:
    row = ImportRow(2, "ana@example.org", consents=(withdrawal(),))
    wrong = bring(people, row)
    assert bring(people, row).unchanged == 1
    undo(people, wrong.number)
    assert bring(people, ImportRow(2, "ana@example.org", consents=(grant(),))).consent_kept
    assert not agrees(people, "ana@example.org")


def test_a_no_of_the_persons_own_is_not_written_down_again_with_every_import(people: People) -> None:
    bring(people, ImportRow(2, "ana@example.org", consents=(grant(),)))
    member = people.find("ana@example.org")
    assert member is not None
    assert member.id is not None
    with people.db.atomic():
        people.record([(member.id, withdrawal())], NOW)
    bring(people, ImportRow(2, "ana@example.org", consents=(withdrawal(),)))
    assert len(people.consent_log(member.id)) == 2


@pytest.mark.parametrize("number", [0, 1])
def test_a_suppression_that_two_imports_said_outlives_either(people: People, number: int) -> None:
    row = ImportRow(2, "ana@example.org", suppression="hard bounce")
    imports = [bring(people, row), bring(people, row)]
    assert (imports[1].suppressed, imports[1].unchanged) == (0, 1)
    undo(people, imports[number].number)
    assert people.suppressed(["ana@example.org"])


def test_a_blocklisted_address_stays_so_whatever_it_was_suppressed_for_before(people: People) -> None:
    for reason in ("hard bounce", "blocklisted", "complaint"):
        bring(people, ImportRow(2, "ana@example.org", suppression=reason))
    assert people.suppressions_of("ana@example.org") == [(SuppressionScope.ASSOCIATION, "blocklisted")]


def test_an_address_that_is_found_later_brings_along_that_it_is_suppressed(people: People) -> None:
    with people.db.atomic():
        people.suppress("ana@example.org", SuppressionScope.ASSOCIATION, "complaint", NOW)
    bring(people, ImportRow(2, None, external_id="wildapricot:7"))
    row = ImportRow(2, "ana@example.org", consents=(grant(),), external_id="wildapricot:7")
    assert bring(people, row).consent_kept
    with people.db.atomic():
        people.lift("ana@example.org", SuppressionScope.ASSOCIATION)
    assert not agrees(people, "ana@example.org")


def test_what_the_person_said_since_stands(people: People) -> None:
    first = bring(people, ImportRow(2, "ana@example.org", consents=(grant(),)))
    ana = people.find("ana@example.org")
    assert ana is not None
    assert ana.id is not None
    with people.db.atomic():
        people.record([(ana.id, withdrawal())], NOW)
    assert undo(people, first.number) == (0, 0, 1)
    assert not agrees(people, "ana@example.org")
    again = bring(people, ImportRow(2, "ana@example.org", consents=(grant(),)))
    assert len(again.consent_kept) == 1
    assert not agrees(people, "ana@example.org")


def test_suppressions_of_the_import_go_and_others_stay(people: People) -> None:
    kept = bring(people, ImportRow(2, "a@example.org", consents=(grant(),), suppression="hard bounce"))
    wrong = bring(
        people,
        ImportRow(2, "a@example.org", suppression="complaint"),
        ImportRow(3, "b@example.org", consents=(grant(),), suppression="hard bounce"),
    )
    assert (kept.suppressed, wrong.suppressed) == (1, 1)
    undo(people, wrong.number)
    assert people.suppressed(["a@example.org", "b@example.org"]) == {"a@example.org"}


def test_changes_of_a_later_import_stay(people: People) -> None:
    bring(people, ImportRow(2, "ana@example.org", {"city": "Salem"}))
    middle = bring(people, ImportRow(2, "ana@example.org", {"city": "Bend"}))
    bring(people, ImportRow(2, "ana@example.org", {"city": "Bend", "state": "OR"}))
    assert undo(people, middle.number) == (0, 0, 1)
    ana = people.find("ana@example.org")
    assert ana is not None
    assert ana.attributes == {"city": "Bend", "state": "OR"}


def test_an_import_is_undone_once(people: People) -> None:
    first = bring(people, ImportRow(2, "ana@example.org"))
    undo(people, first.number)
    assert first.number is not None
    with people.db.atomic():
        assert ImportLog(people.db).undo(first.number, NOW) is None
        assert ImportLog(people.db).undo(99, NOW) is None


def test_a_person_without_an_address_is_found_again_by_the_sources_id(people: People) -> None:
    row = ImportRow(2, None, {"name": "Mo"}, external_id="wildapricot:1004")
    assert bring(people, row).added == 1
    assert bring(people, row).unchanged == 1
    assert people.count() == 1
    moved = ImportRow(2, "mo@example.org", {"name": "Mo"}, external_id="wildapricot:1004", consents=(grant(),))
    assert bring(people, moved).updated == 1
    assert people.count() == 1
    assert agrees(people, "mo@example.org")


def test_another_address_under_the_same_id_does_not_inherit_the_consent(people: People) -> None:
    bring(people, ImportRow(2, "old@example.org", external_id="x:1", consents=(grant(),)))
    bring(people, ImportRow(2, "new@example.org", external_id="x:1"))
    assert agrees(people, "old@example.org")
    assert not agrees(people, "new@example.org")


def test_a_no_follows_the_person_to_another_address_under_the_same_id(people: People) -> None:
    bring(people, ImportRow(2, "old@example.org", external_id="x:1", consents=(grant(), withdrawal("jobs"))))
    bring(people, ImportRow(3, "new@example.org", external_id="x:1", consents=(grant(),)))
    bring(people, ImportRow(4, "newer@example.org", external_id="x:1", consents=(grant(),)))
    for address in ("new@example.org", "newer@example.org"):
        assert not agrees(people, address)
        assert not agrees(people, address, "jobs")
    log = people.db.execute("SELECT source FROM consent WHERE topic = 'jobs' ORDER BY id").fetchall()
    assert [source for (source,) in log[1:]] == [
        f"line {line}: the no of the member with the same id, x:1, at another address" for line in (3, 4)
    ]


def test_a_no_follows_the_person_within_one_file(people: People) -> None:
    no, yes = withdrawal(), grant()
    rows = [ImportRow(n, f"{n}@example.org", external_id="x:1", consents=(c,)) for n, c in ((2, no), (3, yes))]
    bring(people, *rows)
    assert not agrees(people, "3@example.org")


def test_a_suppression_of_a_persons_own_outlives_the_import_that_had_one_too(people: People) -> None:
    wrong = bring(people, ImportRow(2, "a@example.org", suppression="hard bounce"))
    with people.db.atomic():
        people.suppress("a@example.org", SuppressionScope.ASSOCIATION, "erased at the person's wish", NOW)
    undo(people, wrong.number)
    assert people.suppressed(["a@example.org"]) == {"a@example.org"}


def test_tags_that_differ_in_case_are_one(people: People) -> None:
    bring(people, ImportRow(2, "a@example.org", tags=("Board",)))
    assert bring(people, ImportRow(2, "a@example.org", tags=("board",))).unchanged == 1


def test_topics_that_only_a_list_mentions_stay_private(people: People) -> None:
    bring(people, ImportRow(2, "a@example.org", consents=(grant("board-grievances"),)))
    assert [(topic.slug, topic.public) for topic in people.topics()] == [("board-grievances", False)]
