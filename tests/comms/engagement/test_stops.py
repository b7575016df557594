"""Who asks to stop while the database is busy has stopped all the same."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta

import pytest
from sent_newsletter import NOW, Sent, agrees, log_of

from comms.engine import preferences, stops
from comms.engine.workspace import Workspace
from comms.errors import StorageError

BEN = "ben@example.org"


@pytest.fixture(autouse=True)
def impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(stops, "PATIENCE_MS", 50)


@contextmanager
def busy(sent: Sent) -> Iterator[None]:
    """Somebody else writes to the association's database, as an import does to its end."""
    with Workspace(sent.workspace.folder, environment={}) as other, other.association_db(sent.association).atomic():
        yield


def test_a_wish_is_kept_while_the_database_is_busy_and_followed_then(sent: Sent) -> None:
    with busy(sent):
        view = stops.unsubscribe(sent.workspace, sent.token(BEN), source=preferences.ONE_CLICK)
        assert view is not None
        assert view.stopped
        assert not any(topic.agreed for topic in view.topics)
        assert agrees(sent, BEN, None)
    later = Workspace(sent.workspace.folder, environment={}, clock=lambda: NOW + timedelta(minutes=5))
    with later:
        assert stops.follow(later)
    assert not agrees(sent, BEN, None)
    last = log_of(sent, BEN)[-1]
    assert last.source == "one-click unsubscribe, campaign hosting-partner"
    assert last.at == NOW, "the moment of the wish, not of its writing down"
    assert sent.events()[-1][0] == "unsubscribed"
    assert not list((sent.workspace.folder / stops.FOLDER).glob("*.json"))


def test_nothing_may_be_handed_out_until_it_is_followed(sent: Sent) -> None:
    with busy(sent):
        stops.unsubscribe(sent.workspace, sent.token(BEN), source=preferences.ONE_CLICK)
        sent.workspace.association_db(sent.association).execute("PRAGMA busy_timeout = 50")
        assert not stops.follow(sent.workspace)
    assert stops.follow(sent.workspace)


def test_a_person_who_came_back_meanwhile_stays(sent: Sent) -> None:
    with busy(sent):
        stops.unsubscribe(sent.workspace, sent.token(BEN), source=preferences.ONE_CLICK)
    later = Workspace(sent.workspace.folder, environment={}, clock=lambda: NOW + timedelta(seconds=5))
    with later:
        preferences.choose_topics(later, sent.token(BEN), {"jobs"})
        assert stops.follow(later)
    assert agrees(sent, BEN, "jobs")


def test_what_a_person_said_meanwhile_of_being_recorded_takes_nothing_of_the_wish_back(sent: Sent) -> None:
    with busy(sent):
        stops.unsubscribe(sent.workspace, sent.token(BEN), source=preferences.ONE_CLICK)
    later = Workspace(sent.workspace.folder, environment={}, clock=lambda: NOW + timedelta(seconds=5))
    with later:
        preferences.set_tracking(later, sent.token(BEN), agree=True)
        assert stops.follow(later)
    assert not agrees(sent, BEN, None)


def test_a_free_database_is_written_at_once(sent: Sent) -> None:
    assert stops.unsubscribe(sent.workspace, sent.token(BEN), source=preferences.PAGE) is not None
    assert not agrees(sent, BEN, None)
    assert not (sent.workspace.folder / stops.FOLDER).exists()


def test_a_token_that_is_no_members_keeps_nothing(sent: Sent) -> None:
    with busy(sent):
        assert stops.unsubscribe(sent.workspace, "nonsense", source=preferences.PAGE) is None
        assert stops.unsubscribe(sent.workspace, sent.edition_token, source=preferences.PAGE) is None
    assert not (sent.workspace.folder / stops.FOLDER).exists()


def test_a_file_that_is_no_wish_is_left_and_stops_nothing(sent: Sent) -> None:
    folder = sent.workspace.folder / stops.FOLDER
    folder.mkdir()
    (folder / "broken.json").write_text("[]")
    (folder / "half.part").write_text("{")
    assert stops.follow(sent.workspace)
    assert (folder / "broken.json").exists()


def test_a_wish_that_can_not_even_be_kept_is_an_error(sent: Sent) -> None:
    (sent.workspace.folder / stops.FOLDER).write_text("a file where the folder should be")
    with busy(sent), pytest.raises((StorageError, OSError)):
        stops.unsubscribe(sent.workspace, sent.token(BEN), source=preferences.PAGE)
