"""A new workspace: it works at once, is nobody else's business, and overwrites nothing."""

from __future__ import annotations

import os
import stat
from collections.abc import Iterator
from pathlib import Path

import pytest

from audiences.models import Association
from comms import config
from comms.config import Settings
from comms.engine.checking import check
from comms.engine.setup import create_workspace, slug_of
from comms.engine.workspace import Workspace
from comms.errors import UsageError

HOST = Association("coalition", "The Coalition", "news@coalition.example", "1 Main Street, Springfield")


@pytest.fixture
def careless_umask() -> Iterator[None]:
    before = os.umask(0)
    yield
    os.umask(before)


def mode(path: Path) -> int:
    return stat.S_IMODE(path.stat().st_mode)


def test_a_new_workspace_has_its_host_and_an_example_that_can_be_sent(tmp_path: Path) -> None:
    with create_workspace(tmp_path / "new" / "coalition", HOST) as workspace:
        assert workspace.associations() == [HOST]
        result = check(workspace, workspace.folder / "campaigns" / "welcome.md")
        assert [finding for finding in result.findings if finding.level == "must fix"] == []
        assert workspace.people("coalition").count() == 0
    with Workspace(tmp_path / "new" / "coalition", environment={}) as again:
        assert again.association(None) == HOST
        assert again.settings == Settings()


@pytest.mark.usefixtures("careless_umask")
def test_nobody_else_can_reach_members_data_or_the_key(tmp_path: Path) -> None:
    with create_workspace(tmp_path / "coalition", HOST) as workspace:
        workspace.add_association(Association("museums", "Museums", "news@museums.example", "2 Main Street"))
        folder = workspace.folder
        assert mode(folder) == 0o700
        assert {mode(path) for path in folder.iterdir() if path.is_dir()} == {0o700}
        private = [folder / "workspace.key", folder / "host.db", *folder.glob("associations/*.db")]
        assert len(private) == 4
        assert {path.name: mode(path) for path in private} == {path.name: 0o600 for path in private}


def test_a_folder_that_holds_something_is_left_alone(tmp_path: Path) -> None:
    (tmp_path / "letter.txt").write_text("mine")
    with pytest.raises(UsageError, match="is not empty"):
        create_workspace(tmp_path, HOST)
    assert [path.name for path in tmp_path.iterdir()] == ["letter.txt"]


def test_an_empty_folder_is_taken(tmp_path: Path) -> None:
    create_workspace(tmp_path, HOST).close()
    assert (tmp_path / config.FILE_NAME).exists()


def test_a_file_in_place_of_the_folder_or_above_it_is_named(tmp_path: Path) -> None:
    file = tmp_path / "letter.txt"
    file.write_text("mine")
    for folder in (file, file / "coalition"):
        with pytest.raises(UsageError, match="can not be made: Not a directory"):
            create_workspace(folder, HOST)
    assert file.read_text() == "mine"


@pytest.mark.parametrize("slug", ["", "../evil", "UPPER", "with space", "-x", "x-", "a" * 65, "a/b", "a.b", "é", "a\n"])
def test_what_was_begun_is_taken_away_when_it_fails(tmp_path: Path, slug: str) -> None:
    bad = Association(slug, "Name", "news@coalition.example", "1 Main Street")
    with pytest.raises(UsageError, match="can not be a slug"):
        create_workspace(tmp_path / "new", bad)
    assert list(tmp_path.iterdir()) == []
    (tmp_path / "empty").mkdir()
    with pytest.raises(UsageError):
        create_workspace(tmp_path / "empty", bad)
    assert list(tmp_path.iterdir()) == [tmp_path / "empty"]
    assert list((tmp_path / "empty").iterdir()) == []


def test_an_association_is_added_once_and_an_unknown_one_is_named_with_those_known(tmp_path: Path) -> None:
    museums = Association("museums", "Museums", "news@museums.example", "2 Main Street")
    with create_workspace(tmp_path / "coalition", HOST) as workspace:
        workspace.add_association(museums)
        with pytest.raises(UsageError, match="there is an association 'museums' already"):
            workspace.add_association(museums)
        assert workspace.associations() == [HOST, museums]
        with pytest.raises(UsageError, match="there is no association 'archives'") as refused:
            workspace.people("archives")
        assert "coalition, museums" in refused.value.hint


@pytest.mark.parametrize(
    ("name", "slug"),
    [
        ("The Coalition", "the-coalition"),
        ("Société des Archives (Québec)", "societe-des-archives-quebec"),
        ("  A & B / C  ", "a-b-c"),
        ("图书馆", ""),
        ("---", ""),
        ("x" * 39 + " yz", "x" * 39),
    ],
)
def test_a_slug_is_made_from_a_name(name: str, slug: str) -> None:
    assert slug_of(name) == slug
