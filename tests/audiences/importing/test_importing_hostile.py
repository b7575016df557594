"""Files that mean harm or are damaged: an import error at worst, in little memory, whatever they are called."""

from __future__ import annotations

import subprocess
import sys
import zipfile
from contextlib import suppress
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from importing_helpers import NOW

from audiences.errors import AudienceError, ImportFileError
from audiences.importing import detect, mapping
from audiences.importing.base import ImportRow, Refusal

NAMES = (
    "members.csv", "cleaned.csv", "unsubscribed_members.csv", "list.xlsx", "export.zip", "nomail.txt", "c.vcf", "x",
    "email_list.x.csv", "\u202egnp.csv",
)  # fmt: skip
STARTS = (
    b"", b"PK\x03\x04", b"BEGIN:VCARD\r\n", b"\xef\xbb\xbfemail,", b"\xff\xfe", b"Ana <ana@x.org>\n",
    b"Email Address,CLEAN_TIME,LEID,EUID,TAGS\n", b"uuid,email,name,attributes,status\n", b"e-mail\x00\n",
    b"BEGIN:VCARD\nN;ENCODING=QUOTED-PRINTABLE:=\n", b"[Profile ID],[Email | Primary],[Member Status],[Name | First]\n",
    b"User ID,Email,Subscribed to emails,Membership level,Membership status,Archived\n",
)  # fmt: skip


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("hostile")


def sound(rows: list[ImportRow | Refusal]) -> None:
    """What comes of a file is fit to be stored and shown."""
    for row in rows:
        if isinstance(row, ImportRow):
            assert row.line >= 1
            assert all(text.isprintable() for text in (*row.tags, *row.attributes, row.external_id))
        else:
            assert len(row.reason) < 1_000


@given(st.sampled_from(STARTS), st.binary(max_size=300), st.sampled_from(NAMES))
def test_any_bytes_under_any_name_are_people_or_an_import_error(
    folder: Path, start: bytes, rest: bytes, name: str
) -> None:
    path = folder / name
    path.write_bytes(start + rest)
    for source in (detect.AUTO, *detect.SOURCES):
        try:
            sound(list(detect.read(path, NOW, source)))
        except ImportFileError as error:
            assert str(path) in str(error)  # noqa: PT017
    with suppress(ImportFileError):
        mapping.guess(path)


row_text = st.text(st.sampled_from("abx@.,;\"\n\r\t =:<>\\[]{}'\x1b\x00é\u2028🙂"), max_size=120)


@given(st.sampled_from([start for start in STARTS if not start.startswith((b"PK", b"\xff"))]), row_text)
def test_any_cells_in_the_table_of_a_product_are_people_or_an_import_error(
    folder: Path, start: bytes, rest: str
) -> None:
    path = folder / "table.csv"
    path.write_bytes(start + rest.encode())
    with suppress(ImportFileError):
        sound(list(detect.read(path, NOW)))


@given(st.binary(max_size=300), st.sampled_from(["xl/workbook.xml", "xl/worksheets/s.xml", "xl/styles.xml"]))
def test_any_bytes_in_a_workbook_are_rows_or_an_import_error(folder: Path, data: bytes, name: str) -> None:
    path = folder / "any.xlsx"
    parts = {
        "[Content_Types].xml": b"",
        "xl/workbook.xml": b'<w xmlns:r="r"><sheet r:id="1"/></w>',
        "xl/_rels/workbook.xml.rels": b'<R><Relationship Id="1" Target="worksheets/s.xml"/></R>',
        "xl/worksheets/s.xml": b"<w><row><c><v>1</v></c></row></w>",
        name: data,
    }
    with zipfile.ZipFile(path, "w") as archive:
        for part, content in parts.items():
            archive.writestr(part, content)
    with suppress(ImportFileError):
        list(detect.read(path, NOW, "plain"))


def test_an_unknown_source_is_named_with_those_there_are(tmp_path: Path) -> None:
    with pytest.raises(AudienceError, match="no source 'mailchump'; there are auto, buttondown,"):
        detect.read(tmp_path / "x", NOW, "mailchump")


def test_a_missing_file_and_a_folder_are_import_errors(tmp_path: Path) -> None:
    for path in (tmp_path, tmp_path / "none.csv"):
        with pytest.raises(ImportFileError, match="can not be read"):
            detect.detect(path)


READ = """
import resource, sys
from datetime import UTC, datetime
from pathlib import Path
from audiences.errors import ImportFileError
from audiences.importing import detect

def peak():
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024  # MiB

before = peak()
rows, reason = 0, ""
try:
    for _ in detect.read(Path(sys.argv[1]), datetime(2027, 2, 1, tzinfo=UTC), sys.argv[2]):
        rows += 1
except ImportFileError as error:
    reason = str(error)
print(rows, peak() - before, reason)
"""


def read_apart(path: Path, source: str = "auto") -> tuple[int, int, str]:
    """(rows, growth of memory in MiB, error) of an import in a process of its own."""
    done = subprocess.run(
        [sys.executable, "-c", READ, str(path), source],
        env={"PYTHONPATH": str(Path(__file__).parents[3])},
        capture_output=True,
        text=True,
        check=True,
    )
    rows, growth, reason = done.stdout.rstrip("\n").split(" ", 2)
    return int(rows), int(growth), reason


def test_a_line_of_fifty_million_columns_is_refused_in_little_memory(tmp_path: Path) -> None:
    path = tmp_path / "wide.csv"
    for data in (b"email" + b"," * 50_000_000, b"email,name\n" + b"," * 50_000_000):
        path.write_bytes(data)
        rows, growth, reason = read_apart(path)
        assert (rows, "longer than 10,000,000 characters" in reason) == (0, True)
        assert growth < 100


def test_a_workbook_of_a_gigabyte_is_refused_in_little_memory(tmp_path: Path) -> None:
    path = tmp_path / "bomb.xlsx"
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("[Content_Types].xml", "")
        with archive.open("xl/workbook.xml", "w") as part:
            for _ in range(100):
                part.write(b" " * 10_000_000)
    rows, growth, reason = read_apart(path)
    assert (rows, "hundreds of times" in reason) == (0, True)
    assert growth < 50


@pytest.mark.slow
def test_memory_stays_flat_while_a_product_of_many_rows_is_read_from_a_zip(tmp_path: Path) -> None:
    path = tmp_path / "audience.zip"
    header = "Email Address,First Name,OPTIN_TIME,CONFIRM_TIME,LAST_CHANGED,LEID,EUID,TAGS\n"
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive, archive.open("subscribed.csv", "w") as part:
        part.write(header.encode())
        for start in range(0, 80_000, 1_000):
            lines = (f"m{n}@example.org,Ana{n},,2024-01-01,,,e{n},a\n" for n in range(start, start + 1_000))
            part.write("".join(lines).encode())
    rows, growth, reason = read_apart(path)
    assert (rows, reason) == (80_000, "")
    assert growth < 40
