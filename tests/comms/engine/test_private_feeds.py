"""Feeds for one member alone, as staff handles them, and through what happens to a list."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from audiences.models import ANY_TOPIC, Basis, Consent, ConsentState, Member
from comms.channels.feed_model import FeedUrls
from comms.engine import private_feeds, rights, succession
from comms.engine.workspace import Workspace
from comms.errors import StateError, UsageError
from tests.conftest import Comms

ADA, BEN = "ada@example.org", "ben@example.org"


@pytest.fixture
def workspace(comms: Comms) -> Iterator[Workspace]:
    with Workspace(comms.folder, environment={}) as workspace:
        people, now = workspace.people("coalition"), workspace.now()
        with people.db.atomic():
            people.insert([Member(ADA, id=1), Member(BEN, id=2)], now)
            people.record([(1, Consent(ANY_TOPIC, ConsentState.GRANTED, now, "form", Basis.EXPRESS))], now)
        yield workspace


def make(workspace: Workspace) -> str:
    return token_of(private_feeds.make_for(workspace, "coalition", ADA, who="dana"))


def token_of(urls: FeedUrls) -> str:
    return urls.atom.rpartition("/")[2].removesuffix(".atom")


def works(workspace: Workspace, token: str) -> bool:
    return private_feeds.read(workspace, token, "atom") is not None


def test_a_feed_that_was_replaced_after_a_backup_does_not_come_back_with_it(
    comms: Comms, workspace: Workspace, tmp_path: Path
) -> None:
    old, archive = make(workspace), str(tmp_path / "backup.tar.gz")
    assert comms("backup", archive).code == 0
    new = make(workspace)
    workspace.close()
    done = comms("restore", archive)
    assert done.code == 0, done.err
    with Workspace(comms.folder, environment={}) as restored:
        assert works(restored, new)
        assert not works(restored, old)


def test_a_successor_inherits_no_feed_and_the_predecessor_s_ends(workspace: Workspace) -> None:
    token = make(workspace)
    done = succession.succeed(workspace, ADA, "coalition", new_address=None, values={}, apply=True, who="dana")
    assert done is not None
    assert not works(workspace, token)
    assert private_feeds.made_at(workspace, "coalition", ADA) is None


def test_who_asks_what_is_held_of_them_is_told_of_the_feed_but_not_its_address(workspace: Workspace) -> None:
    token = make(workspace)
    held = rights.export_member(workspace, ADA, "coalition")
    assert held is not None
    assert held["private_feed"]["made_at"]
    assert token.partition(".")[2] not in str(held)


def test_staff_can_make_no_feed_for_who_gets_no_newsletters(workspace: Workspace) -> None:
    with pytest.raises(StateError):
        private_feeds.make_for(workspace, "coalition", BEN, who="dana")
    assert private_feeds.made_at(workspace, "coalition", BEN) is None


def test_the_audit_log_says_who_made_a_feed_and_not_for_whom(workspace: Workspace) -> None:
    make(workspace)
    (row,) = workspace.host.db.execute("SELECT who, what, detail FROM audit").fetchall()
    assert row == ("dana", "made a private feed", "coalition")


def test_an_address_that_no_member_has_is_named(workspace: Workspace) -> None:
    with pytest.raises(UsageError, match=r"eva@example\.org"):
        private_feeds.end_for(workspace, "coalition", "eva@example.org", who="dana")


def test_staff_looks_makes_and_ends_on_the_command_line(comms: Comms, workspace: Workspace) -> None:
    none = comms("members", "feed", ADA, "--json")
    assert (none.code, none.json()["feed"]) == (1, False)
    made = comms("members", "feed", ADA, "--new", "--json")
    assert made.code == 0, made.err
    url = made.json()["urls"]["atom"]
    token = url.rpartition("/")[2].removesuffix(".atom")
    assert works(workspace, token)
    looked = comms("members", "feed", ADA, "--json")
    assert (looked.code, looked.json()["feed"], looked.json()["urls"]) == (0, True, None)
    for option in ("--new", "--end"):
        assert comms("members", "feed", ADA, option).code == 2, "it asks, and nobody is there to answer"
    assert works(workspace, token)
    assert comms("members", "feed", ADA, "--end", "--yes").code == 0
    assert not works(workspace, token)
    assert comms("members", "feed", ADA, "--new", "--end").code == 2
