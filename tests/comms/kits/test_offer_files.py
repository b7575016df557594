"""Files that go with offers: no name of theirs leads out of the folder for them, and nothing else is read as one."""

from __future__ import annotations

import unicodedata
from datetime import UTC, datetime, timedelta
from pathlib import Path
from urllib.parse import unquote

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from comms.kits import asking
from comms.kits.offer_files import (
    FOLDER,
    MOST_BYTES,
    MOST_FILES,
    MOST_TOGETHER,
    OfferedFile,
    fit,
    from_plain,
    from_text,
    path_of,
    plain,
    reference,
    to_text,
)
from comms.kits.signing import SigningKey

NOW = datetime(2027, 2, 1, 9, 0, tzinfo=UTC)
KEY = SigningKey(bytes(32))
HASH = "0123456789abcdef" * 4
HASHES = st.binary(min_size=32, max_size=32).map(bytes.hex)
FILES = st.lists(
    st.builds(OfferedFile, st.text(max_size=40), HASHES, st.integers(0, MOST_BYTES * 2)),
    max_size=60,
    unique_by=lambda file: file.name,
)
NAMES = st.sampled_from(["name", "sha256", "size", "x"])
JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(NAMES, inner),
    max_leaves=12,
)


@given(FILES)
def test_what_fits_is_within_the_limits_and_read_back_as_it_was(files: list[OfferedFile]) -> None:
    found = fit(files)
    assert len(found) <= MOST_FILES
    assert sum(file.size for file in found) <= MOST_TOGETHER
    assert all(file.size <= MOST_BYTES for file in found)
    assert from_plain(plain(found)) == found
    assert from_text(to_text(found)) == found


@given(JSON)
@example([{"name": "a", "sha256": HASH, "size": 10**30}])
@example([{"name": "a", "sha256": HASH.upper(), "size": 1}])
@example([{"name": "a", "sha256": HASH, "size": 1}, {"name": "a", "sha256": "f" * 64, "size": 1}])
def test_anything_else_is_refused(data: object) -> None:
    try:
        found = from_plain(data)
    except (ValueError, TypeError):
        return
    assert plain(found) == data


@given(st.text(max_size=200) | st.text(alphabet="./\\%2eaf\x00 ", max_size=20), st.booleans())
@example("..", True)
@example("%2e%2e%2fa.pdf", True)
@example("a%00.pdf", True)
@example("\ud800.pdf", True)
@example("CON.pdf\n", True)
def test_no_name_leads_out_of_the_folder(name: str, shown: bool) -> None:
    path = path_of(OfferedFile(name, HASH, 1), shown=shown)
    if path:
        place = Path("/media") / path
        assert place.resolve().is_relative_to(Path("/media") / FOLDER)
        assert ".." not in place.parts
        assert not any(unicodedata.category(char) in ("Cc", "Cs") for char in path)
        assert Path("/media") / unquote(reference(path)) == place, "as a definition names it, it is found"


@pytest.mark.parametrize("name", ["", ".", "..", "/a.pdf", "a/../../b.pdf", ".a.pdf", "a\\b.pdf", "a\tb", "x" * 151])
def test_names_that_no_file_should_have_give_no_path(name: str) -> None:
    assert path_of(OfferedFile(name, HASH, 1), shown=True) == ""


def test_two_files_of_one_name_are_kept_apart() -> None:
    one, other = (path_of(OfferedFile("a/b.pdf", sha, 1), shown=True) for sha in (HASH, "f" * 64))
    assert one != other
    assert one.endswith("/b.pdf")


# --- who asks ---------------------------------------------------------------------------------


def test_who_asks_is_known_by_the_key_the_association_and_the_hour() -> None:
    value = asking.write("north", NOW, KEY)
    assert asking.is_good(value, "north", KEY.public, NOW + timedelta(minutes=59))
    assert not asking.is_good(value, "south", KEY.public, NOW)
    assert not asking.is_good(value, "north", SigningKey(b"\1" * 32).public, NOW)
    for late in (timedelta(minutes=61), timedelta(minutes=-61)):
        assert not asking.is_good(value, "north", KEY.public, NOW + late)


@given(st.text(max_size=300))
@example("Comms-Relay 2027-02-01T09:00:00 " + "0" * 128)
@example("Comms-Relay 2027-02-01T09:00:00+00:00 " + "0" * 128)
def test_no_other_text_passes_for_it(text: str) -> None:
    assert not asking.is_good(text, "north", KEY.public, NOW)
    good = asking.write("north", NOW, KEY)
    assert text in ("", good) or not asking.is_good(good + text, "north", KEY.public, NOW)
