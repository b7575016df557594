"""ZIPs nobody should trust: each is refused by what it declares, before it fills memory."""

from __future__ import annotations

import struct
import zipfile
from pathlib import Path

import pytest
from importing_helpers import rows_of, write_zip

from audiences.errors import ImportFileError
from audiences.importing import detect, zips
from audiences.importing.files import source_file

LIST = "email_list.news.csv"
ROWS = "email,active_subscription,expiry,email_disabled\na@x.org,true,,false\n"


def refusal(path: Path, source: str = "substack") -> str:
    with pytest.raises(ImportFileError) as refused:
        rows_of(path, source)
    with pytest.raises(ImportFileError):
        zips.entries(source_file(path))
    return str(refused.value)


def test_a_bomb_is_refused_by_its_ratio(tmp_path: Path) -> None:
    path = write_zip(tmp_path / "bomb.zip", {LIST: b"a" * 30_000_000})
    assert path.stat().st_size < 50_000
    assert "bomb.zip/email_list.news.csv: would unpack to hundreds of times its size" in refusal(path)
    with pytest.raises(ImportFileError):
        detect.detect(path)


def test_ten_gigabytes_are_refused_by_their_declared_size(tmp_path: Path) -> None:
    path = write_zip(tmp_path / "large.zip", {LIST: ROWS, "b.csv": ROWS}, zipfile.ZIP_STORED)
    data = bytearray(path.read_bytes())
    start = 0
    while (start := data.find(b"PK\x01\x02", start)) >= 0:  # sizes in the central directory
        struct.pack_into("<LL", data, start + 20, 1_500_000_000, 1_500_000_000)
        start += 4
    path.write_bytes(data)
    assert "would unpack to more than 2,000 MB" in refusal(path)


def test_a_file_that_unpacks_to_more_than_it_declares_gives_no_more_than_that(tmp_path: Path) -> None:
    path = write_zip(tmp_path / "liar.zip", {LIST: ROWS + "b@x.org,true,,false\n" * 1_000_000})
    data = bytearray(path.read_bytes())
    struct.pack_into("<L", data, data.find(b"PK\x01\x02") + 24, 100)
    path.write_bytes(data)
    with pytest.raises(ImportFileError, match="the ZIP is damaged"):
        rows_of(path, "substack")


def test_too_many_files_are_refused_before_their_names_are_read(tmp_path: Path) -> None:
    path = write_zip(tmp_path / "many.zip", {f"{number}.csv": "" for number in range(zips.MAX_FILES + 1)})
    assert "holds 20,001 files; 20,000 are allowed" in refusal(path)
    data = bytearray(path.read_bytes())
    struct.pack_into("<HH", data, data.rfind(b"PK\x05\x06") + 8, 1, 1)
    path.write_bytes(data)
    assert "files; 20,000 are allowed" in refusal(path)


def test_a_zip_inside_a_zip_is_not_opened(tmp_path: Path) -> None:
    inner = write_zip(tmp_path / "inner.zip", {LIST: ROWS}).read_bytes()
    with pytest.raises(ImportFileError, match="of no source that is known"):
        rows_of(write_zip(tmp_path / "outer.zip", {"inner.zip": inner}))
    with pytest.raises(ImportFileError, match="a ZIP inside a ZIP"):
        rows_of(write_zip(tmp_path / "disguised.zip", {LIST: inner}))


def test_what_is_locked_damaged_or_packed_in_an_unusual_way_says_so(tmp_path: Path) -> None:
    good = write_zip(tmp_path / "good.zip", {LIST: ROWS * 50}).read_bytes()
    locked = bytearray(good)
    locked[good.find(b"PK\x01\x02") + 8] |= 1
    (tmp_path / "locked.zip").write_bytes(locked)
    assert "is locked with a password" in refusal(tmp_path / "locked.zip")
    (tmp_path / "cut.zip").write_bytes(good[:-30])
    assert "is a damaged ZIP" in refusal(tmp_path / "cut.zip")
    assert "is packed in an unusual way" in refusal(write_zip(tmp_path / "x.zip", {LIST: ROWS}, zipfile.ZIP_LZMA))
    broken = bytearray(good)
    broken[good.find(LIST.encode()) + len(LIST) + 5] ^= 0xFF
    (tmp_path / "broken.zip").write_bytes(broken)
    with pytest.raises(ImportFileError, match="damaged"):
        rows_of(tmp_path / "broken.zip", "substack")


def test_a_zip_of_the_64_bit_kind_is_refused(tmp_path: Path) -> None:
    path = write_zip(tmp_path / "z.zip", {LIST: ROWS})
    data = path.read_bytes()
    end = data.rfind(b"PK\x05\x06")
    path.write_bytes(data[:end] + b"PK\x06\x07" + bytes(16) + data[end:])
    assert "far more than a list of people" in refusal(path)


@pytest.mark.parametrize("source", ["mailchimp", "substack", "plain", "ghost", "vcard"])
def test_a_zip_without_the_file_looked_for_says_what_to_do(tmp_path: Path, source: str) -> None:
    path = write_zip(tmp_path / "other.zip", {"readme.txt": "hello"})
    with pytest.raises(ImportFileError, match=r"export|unpack|save"):
        rows_of(path, source)
    empty = write_zip(tmp_path / "empty.zip", {})
    with pytest.raises(ImportFileError):
        rows_of(empty, source)


def test_a_name_inside_can_neither_leave_the_zip_nor_steer_a_terminal(tmp_path: Path) -> None:
    path = write_zip(tmp_path / "names.zip", {"../../x\x1b[31m/email_list.\x07.csv": ROWS + "bad\n"})
    rows = rows_of(path, "substack")
    assert len(rows) == 2
    assert "\x1b" not in repr(rows).replace("\\x1b", "\x1b")
    assert list(tmp_path.iterdir()) == [path]
