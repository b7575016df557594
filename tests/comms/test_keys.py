"""The workspace key: private, never replaced, and what it seals can not be changed."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from comms import keys
from comms.errors import WorkspaceError
from comms.keys import TamperedError, WorkspaceKey

KEY = WorkspaceKey(bytes(range(32)))


@pytest.fixture
def careless_umask() -> Iterator[None]:
    before = os.umask(0)
    yield
    os.umask(before)


@pytest.mark.usefixtures("careless_umask")
def test_a_new_key_is_readable_by_its_owner_alone(tmp_path: Path) -> None:
    keys.create(tmp_path)
    assert (tmp_path / keys.FILE_NAME).stat().st_mode & 0o777 == 0o600


def test_a_key_is_read_back_and_two_are_never_alike(tmp_path: Path) -> None:
    (tmp_path / "other").mkdir()
    made, other = keys.create(tmp_path), keys.create(tmp_path / "other")
    assert keys.load(tmp_path).unseal(made.seal(b"batch")) == b"batch"
    assert keys.load(tmp_path).derive("links") == made.derive("links") != other.derive("links")


def test_a_key_is_never_replaced(tmp_path: Path) -> None:
    keys.create(tmp_path)
    before = (tmp_path / keys.FILE_NAME).read_bytes()
    with pytest.raises(FileExistsError):
        keys.create(tmp_path)
    assert (tmp_path / keys.FILE_NAME).read_bytes() == before


@pytest.mark.parametrize("mode", [0o640, 0o620, 0o604, 0o610, 0o601, 0o777])
def test_a_key_that_others_can_reach_is_refused_with_the_command_that_mends_it(tmp_path: Path, mode: int) -> None:
    keys.create(tmp_path)
    path = tmp_path / keys.FILE_NAME
    path.chmod(mode)
    with pytest.raises(WorkspaceError, match="can be read by other users") as refused:
        keys.load(tmp_path)
    assert refused.value.hint == f"chmod 600 {path}"


@pytest.mark.parametrize("mode", [0o600, 0o400])
def test_a_key_that_only_its_owner_reaches_is_taken(tmp_path: Path, mode: int) -> None:
    made = keys.create(tmp_path)
    (tmp_path / keys.FILE_NAME).chmod(mode)
    assert keys.load(tmp_path).derive("links") == made.derive("links")


@pytest.mark.parametrize("content", [b"", b"\n", b"abcd", b"zz" * 32, b"00" * 31, b"00" * 33, b"\xff" * 64])
def test_a_damaged_key_is_refused_without_showing_it(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / keys.FILE_NAME
    path.write_bytes(content)
    path.chmod(0o600)
    with pytest.raises(WorkspaceError, match=r"is damaged|can not be read") as refused:
        keys.load(tmp_path)
    assert "zz" not in refused.value.message


def test_a_missing_key_says_what_is_lost_without_it(tmp_path: Path) -> None:
    with pytest.raises(WorkspaceError, match="is missing") as refused:
        keys.load(tmp_path)
    assert "restore it from a backup" in refused.value.hint


def test_the_key_shows_in_no_traceback_or_log() -> None:
    assert repr(KEY) == "WorkspaceKey(...)"


@given(st.binary(max_size=2_000))
def test_what_was_sealed_is_unsealed(data: bytes) -> None:
    sealed = KEY.seal(data)
    assert KEY.unseal(sealed) == data
    assert KEY.seal(data) != sealed  # a fresh nonce: equal batches can not be told to be equal
    if len(data) >= 8:
        assert data not in sealed


@given(st.binary(max_size=200), st.data())
def test_a_changed_byte_a_cut_or_an_addition_is_refused(data: bytes, choice: st.DataObject) -> None:
    sealed = bytearray(KEY.seal(data))
    position = choice.draw(st.integers(0, len(sealed) - 1))
    cut = bytes(sealed[:position])
    longer = bytes(sealed) + choice.draw(st.binary(min_size=1, max_size=20))
    sealed[position] ^= choice.draw(st.integers(1, 255))
    for forged in (bytes(sealed), cut, longer):
        with pytest.raises(TamperedError):
            KEY.unseal(forged)


@given(st.binary(max_size=100))
def test_what_was_never_sealed_is_refused(data: bytes) -> None:
    with pytest.raises(TamperedError):
        KEY.unseal(data)


def test_another_workspace_can_not_unseal() -> None:
    with pytest.raises(TamperedError):
        WorkspaceKey(b"x" * 32).unseal(KEY.seal(b"batch"))


def test_every_purpose_has_a_key_of_its_own() -> None:
    derived = [KEY.derive(purpose) for purpose in ("seal", "links", "suppression")]
    assert len(set(derived)) == 3
    assert {len(key) for key in derived} == {32}
    assert bytes(range(32)) not in derived


@pytest.mark.parametrize("length", [0, 31, 33, 64])
def test_a_secret_of_another_length_is_refused(length: int) -> None:
    with pytest.raises(ValueError, match="has 32 bytes"):
        WorkspaceKey(b"x" * length)
