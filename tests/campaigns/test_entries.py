"""Entries as feeds, archive documents and searches read them."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from test_host_store import ENTRY, LATER, NOW, association, save

from campaigns.entries import Choice, Entries
from campaigns.migrations import CAMPAIGNS
from campaigns.searching import MARK_END, MARK_START, query_of, searchable
from campaigns.store import EntryRow, HostStore
from comms.db import open_database

ALL = Choice()


@pytest.fixture(scope="module")
def store(tmp_path_factory: pytest.TempPathFactory) -> Iterator[HostStore]:
    """Twelve entries, one a day: of two topics, in two languages, with tags."""
    db = open_database(tmp_path_factory.mktemp("host") / "host.db", [CAMPAIGNS], create=True)
    host = HostStore(db)
    with db.atomic():
        host.add_association(association("coalition"), NOW, is_host=True)
        for number in range(1, 13):
            save(host, f"c{number}")
            host.save_entry(entry(number))
    yield host
    db.close()


def entry(number: int) -> EntryRow:
    at = NOW + timedelta(days=number)
    return dataclasses.replace(
        ENTRY,
        campaign=f"c{number}",
        tag_uri=f"tag:{number}",
        title=f"Entry {number}",
        content=f"<p>Números &amp; été <b>bold</b>{number}</p>",
        topic="jobs" if number % 2 else "news",
        language="fr" if number == 7 else "en",
        tags=("Grants",) if number == 3 else ("grants", "50%") if number == 4 else (),
        published=at,
        updated=at,
    )


def names(rows: list[EntryRow]) -> list[str]:
    return [row.campaign for row in rows]


@pytest.mark.parametrize(
    ("choice", "number"),
    [
        (ALL, 12),
        (Choice("topic", ("jobs",)), 6),
        (Choice("language", ("fr",)), 1),
        (Choice("tag", ("grants",)), 1),
        (Choice("tag", ("Grants", "grants")), 2),
        (Choice("tag", ("50",)), 0),
    ],
)
def test_each_choice_has_its_entries(store: HostStore, choice: Choice, number: int) -> None:
    entries = Entries(store.db)
    assert entries.count("coalition", choice) == number
    assert len(entries.newest("coalition", choice, limit=50, edited=5)) == number
    assert entries.count("museums", choice) == 0


def test_the_newest_come_with_the_older_ones_that_were_changed_last(store: HostStore) -> None:
    entries = Entries(store.db)
    with store.db.atomic():
        before = names(entries.newest("coalition", ALL, limit=3, edited=2))
        for number in (1, 2, 5, 11):
            changed = dataclasses.replace(entry(number), note="Corrected", updated=LATER + timedelta(days=number))
            store.save_entry(changed)
        after = names(entries.newest("coalition", ALL, limit=3, edited=2))
        for number in (1, 2, 5, 11):
            store.save_entry(entry(number))
    assert before == ["c12", "c11", "c10"]
    assert after == ["c12", "c11", "c10", "c5", "c2"]


def test_a_stretch_has_the_same_entries_whatever_comes_later(store: HostStore) -> None:
    entries = Entries(store.db)
    assert names(entries.stretch("coalition", ALL, 2, 4)) == ["c5", "c6", "c7", "c8"]
    assert names(entries.stretch("coalition", Choice("topic", ("news",)), 1, 4)) == ["c2", "c4", "c6", "c8"]


def test_every_change_moves_the_revision_and_reading_does_not(store: HostStore) -> None:
    entries = Entries(store.db)
    first = entries.revision()
    assert entries.revision() == first
    with store.db.atomic():
        store.save_entry(dataclasses.replace(entry(1), title="Other"))  # `updated` stays: the same second
    second = entries.revision()
    with store.db.atomic():
        store.save_entry(entry(1))
        store.update_association({**association("coalition"), "name": "Renamed"})
    assert first < second < entries.revision()


# --- searching ------------------------------------------------------------------------------


def found(store: HostStore, words: str, year: str = "") -> list[str]:
    entries = Entries(store.db)
    rows = entries.search("coalition", query_of(words), year, limit=50, offset=0)
    assert entries.hits("coalition", query_of(words), year) == len(rows)
    return [each.row.campaign for each in rows]


def test_words_are_found_without_accents_by_their_beginning_and_in_no_tag(store: HostStore) -> None:
    assert len(found(store, "numeros ete")) == 12
    assert len(found(store, "NÚM")) == 12
    assert found(store, "num nothing") == []
    assert found(store, "p") == []  # the name of an element


def test_the_title_counts_more_than_the_text(store: HostStore) -> None:
    with store.db.atomic():
        store.save_entry(dataclasses.replace(entry(2), content="<p>harbour</p>"))
        store.save_entry(dataclasses.replace(entry(1), title="The harbour"))
        order = found(store, "harbour")
        store.save_entry(entry(2))
        store.save_entry(entry(1))
    assert order == ["c1", "c2"]
    assert found(store, "harbour") == []


def test_a_withdrawn_entry_is_neither_listed_nor_found(store: HostStore) -> None:
    entries = Entries(store.db)
    year = str(NOW.year)
    with store.db.atomic():
        store.save_entry(dataclasses.replace(entry(9), withdrawn=LATER))
        there = (
            names(entries.of_year("coalition", year, limit=50, offset=0)),
            found(store, "entry 9"),
            entries.years("coalition"),
        )
        store.save_entry(entry(9))
    assert "c9" not in there[0]
    assert there[1] == []
    assert sum(there[2].values()) == 11
    assert found(store, "entry 9") == ["c9"]


def test_marks_stand_around_what_was_found(store: HostStore) -> None:
    with store.db.atomic():
        store.save_entry(dataclasses.replace(entry(2), title="A harbour", content="<p>In the Harbour of 1900</p>"))
        (hit,) = Entries(store.db).search("coalition", query_of("harb"), "", limit=5, offset=0)
        store.save_entry(entry(2))
    assert hit.title == f"A {MARK_START}harbour{MARK_END}"
    assert MARK_START in hit.snippet


@settings(max_examples=300, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    st.text(max_size=80)
    | st.lists(st.sampled_from("\" * AND OR NOT NEAR( ) ^ : - title + { ' x".split()), max_size=12).map(" ".join)
)
def test_any_text_can_be_searched_for(store: HostStore, text: str) -> None:
    query = query_of(text)
    if query:
        Entries(store.db).search("coalition", query, "", limit=5, offset=0)
        assert Entries(store.db).hits("coalition", query, "1999") == 0


@settings(deadline=None)
@given(st.text(max_size=200))
def test_what_is_searchable_holds_no_mark_and_no_control(text: str) -> None:
    assert not any(ord(letter) < 32 for letter in searchable(f"&#2;{text}&#x3;"))


def test_entries_from_before_can_be_searched(tmp_path: Path) -> None:
    db = open_database(tmp_path / "host.db", [CAMPAIGNS], create=True)
    host = HostStore(db)
    with db.atomic():
        host.add_association(association("coalition"), NOW, is_host=True)
        save(host, "c1")
        host.save_entry(entry(1))
        for trigger in db.triggers:
            if trigger.name.endswith("_moves_revision") or trigger.name == "entry_text_goes":
                db.execute(f"DROP TRIGGER {trigger.name}")
        for statement in (
            "DROP TABLE revision",
            "DROP TABLE entry_text",
            "DELETE FROM _sqlite_migrations WHERE name = 'entries_for_good'",
            *(f"ALTER TABLE entry DROP COLUMN {name}" for name in ("enclosure", "note", "correction", "withdrawn")),
        ):
            db.execute(statement)
    db.close()
    with_history = open_database(tmp_path / "host.db", [CAMPAIGNS])
    assert found(HostStore(with_history), "bold1") == ["c1"]
    with_history.close()
