"""Tables of text, whatever wrote them: encodings, separators, line breaks in cells, and files that are none."""

from __future__ import annotations

import codecs
import csv
import io
import os
import resource
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from audiences.errors import ImportFileError
from audiences.importing.tables import MAX_CELL_CHARACTERS, MAX_COLUMNS, MAX_LINE_CHARACTERS, read_table


def rows_of(path: Path, data: bytes | str) -> list[tuple[int, list[str]]]:
    path.write_bytes(data.encode() if isinstance(data, str) else data)
    return list(read_table(path))


@pytest.fixture
def file(tmp_path: Path) -> Path:
    return tmp_path / "members.csv"


@pytest.fixture(scope="module")
def shared_file(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("tables") / "members.csv"


@pytest.mark.parametrize(
    "encoding", ["utf-8", "utf-8-sig", "utf-16", "utf-16-le with mark", "utf-16-be with mark", "cp1252"]
)
def test_every_usual_encoding_gives_the_same_letters(file: Path, encoding: str) -> None:
    text = "email,name\r\nada@example.org,Zoë Müller – “née” €\r\n"
    codec, _, marked = encoding.partition(" ")
    mark = {"utf-16-le": codecs.BOM_UTF16_LE, "utf-16-be": codecs.BOM_UTF16_BE}[codec] if marked else b""
    rows = rows_of(file, mark + text.encode(codec))
    assert rows == [(1, ["email", "name"]), (2, ["ada@example.org", "Zoë Müller – “née” €"])]


def test_a_letter_far_down_the_file_still_decides_the_encoding(file: Path) -> None:
    filler = "ada@example.org,plain\n" * 20_000
    assert rows_of(file, f"email,name\n{filler}eva@example.org,Eva Müller\n".encode())[-1][1][1] == "Eva Müller"
    assert rows_of(file, f"email,name\n{filler}eva@example.org,Eva Müller\n".encode("cp1252"))[-1][1][1] == "Eva Müller"


@pytest.mark.parametrize("separator", [",", ";", "\t", "|"])
def test_the_separator_is_found_in_the_header(file: Path, separator: str) -> None:
    text = f'email{separator}name{separator}"notes, and; more\t|"\na@b.org{separator}Ada{separator}x,y;z\n'
    rows = rows_of(file, text.replace("x,y;z", '"x,y;z"'))
    assert [len(cells) for _, cells in rows] == [3, 3]
    assert rows[1][1] == ["a@b.org", "Ada", "x,y;z"]


@pytest.mark.parametrize(
    ("opening", "cells"), [("\n\n", ""), ("\r\n", ""), ('"Full\nname";"a, b, c";', "x;y;"), ("", "")]
)
def test_blank_lines_and_line_breaks_in_the_header_do_not_hide_the_separator(
    file: Path, opening: str, cells: str
) -> None:
    rows = rows_of(file, f"{opening}email;name\n{cells}a@b.org;Ada\n")
    assert rows[-1][1][-2:] == ["a@b.org", "Ada"]


@pytest.mark.parametrize("ending", ["\n", "\r\n", "\r"])
def test_a_row_is_known_by_the_line_on_which_it_starts(file: Path, ending: str) -> None:
    lines = ["email,address", 'a@b.org,"1 Main Street', "Springfield", 'IL"', "", "c@d.org,x", " , ", "e@f.org,y"]
    rows = rows_of(file, ending.join(lines))
    assert [line for line, _ in rows] == [1, 2, 6, 8]
    assert rows[1][1][1] == ending.join(["1 Main Street", "Springfield", "IL"])


def test_cells_come_as_they_are(file: Path) -> None:
    cells = ["=1+1", "+49 30", "-5", "@x", "'quoted'", "  spaced  ", 'said ""yes""']
    rows = rows_of(file, "a,b,c,d,e,f,g\n" + ",".join([*cells[:-1], f'"{cells[-1]}"']) + "\n")
    assert rows[1][1] == [*cells[:-1], 'said "yes"']


cell_text = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0\ufeff"), max_size=12)


@given(st.lists(st.lists(cell_text, min_size=2, max_size=4), min_size=1, max_size=5), st.sampled_from(",;\t|"))
def test_what_the_csv_module_writes_is_read_back(shared_file: Path, rows: list[list[str]], separator: str) -> None:
    sink = io.StringIO(newline="")
    writer = csv.writer(sink, delimiter=separator, quoting=csv.QUOTE_ALL)
    writer.writerow(["email", "name", "c", "d"])
    writer.writerows(rows)
    back = rows_of(shared_file, sink.getvalue().encode("utf-8"))
    assert [cells for _, cells in back[1:]] == [row for row in rows if any(cell.strip() for cell in row)]


@given(st.binary(max_size=400))
def test_any_bytes_are_rows_or_an_import_error(shared_file: Path, data: bytes) -> None:
    try:
        rows = rows_of(shared_file, data)
    except ImportFileError:
        return
    assert [line for line, _ in rows] == sorted({line for line, _ in rows})


@pytest.mark.parametrize(
    ("data", "reason"),
    [
        (b"email,name\0\nada@example.org,Ada\n", "is no text"),
        (b"PK\x03\x04\x14\0\0\0" + bytes(range(256)), "is no text"),
        ("email,name\nada@example.org,Ada\n".encode("utf-16-le"), "is no text"),
        (b"email,name\nada@example.org,\x81\x8d\x8f\n", "bytes that are no text in cp1252"),
        ("email,näme\n".encode("utf-16") + b"\x00", "bytes that are no text in utf-16"),
        (codecs.BOM_UTF8 + b"email,name\nada@example.org,\xff\n", "bytes that are no text in utf-8-sig"),
    ],
)
def test_what_is_no_text_is_refused_with_a_way_on(file: Path, data: bytes, reason: str) -> None:
    with pytest.raises(ImportFileError, match=reason) as refused:
        rows_of(file, data)
    assert "save it as CSV (UTF-8)" in str(refused.value)


def test_a_folder_a_missing_file_and_one_without_permission_are_named(tmp_path: Path) -> None:
    with pytest.raises(ImportFileError, match=r"can not be read: Is a directory"):
        list(read_table(tmp_path))
    with pytest.raises(ImportFileError, match=r"none\.csv: can not be read: No such file"):
        list(read_table(tmp_path / "none.csv"))
    if os.geteuid() != 0:  # root may read everything
        locked = tmp_path / "locked.csv"
        locked.write_text("email\n")
        locked.chmod(0)
        with pytest.raises(ImportFileError, match="Permission denied"):
            list(read_table(locked))


@pytest.mark.parametrize("rest", ["", "\n", "\nlast@example.org,x", ',"closed"\nlast@example.org,x\n'])
def test_a_quote_that_is_never_closed_is_an_error_at_the_row_where_it_opens(file: Path, rest: str) -> None:
    text = 'email,name\n"a@b.org","two\nlines"\n\n' + 'c@d.org,"never closed' + rest.replace('"closed"', "closed")
    with pytest.raises(ImportFileError, match="never closed") as refused:
        rows_of(file, text)
    assert refused.value.line == 5


def test_a_quote_left_open_early_in_a_large_file_is_an_error_too(file: Path) -> None:
    text = 'email,name\na@b.org,"open\n' + "x@example.org,x\n" * (MAX_CELL_CHARACTERS // 10)
    with pytest.raises(ImportFileError, match="is a closing quote missing") as refused:
        rows_of(file, text)
    assert refused.value.line == 2


def test_a_closed_quote_at_the_end_is_none(file: Path) -> None:
    assert len(rows_of(file, 'email,name\na@b.org,"closed"')) == 2
    assert len(rows_of(file, 'email,name\na@b.org,"closed ""twice"""')) == 2
    assert len(rows_of(file, 'email,name\na@b.org,inch 5"')) == 2


@pytest.mark.parametrize(
    ("data", "reason", "line"),
    [
        ("email,x\n" + "a@b.org," + "x" * 2_000_000 + "\n", "longer than 1,000,000 characters", 2),
        ("email,x\n" + 'a@b.org,"' + "x\n" * 1_000_000 + '"\n', "longer than 1,000,000 characters", 2),
        ("email" + ",x" * 3_000 + "\n", "has 3,001 cells; 2,000 are allowed", 1),
        ("email,x\n\na@b.org" + "," * 3_000 + "\n", "has 3,001 cells; 2,000 are allowed", 3),
        (",".join(["x" * 900_000] * 12), "a line is longer than 10,000,000 characters", 1),
    ],
)
def test_what_is_far_too_large_is_refused_where_it_stands(file: Path, data: str, reason: str, line: int) -> None:
    with pytest.raises(ImportFileError, match=reason) as refused:
        rows_of(file, data)
    assert refused.value.line == line


def test_the_largest_table_allowed_is_read(file: Path) -> None:
    header = ",".join(["email"] * MAX_COLUMNS)
    assert len(rows_of(file, f"{header}\n")[0][1]) == MAX_COLUMNS
    assert len(rows_of(file, f"email\n{'x' * MAX_CELL_CHARACTERS}\n")[1][1][0]) == MAX_CELL_CHARACTERS


def test_a_line_without_end_is_given_up_long_before_it_is_all_in_memory(file: Path) -> None:
    with file.open("wb") as sink:
        for _ in range(300):
            sink.write(b"a" * 1_000_000)
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    with pytest.raises(ImportFileError, match=f"longer than {MAX_LINE_CHARACTERS:,}"):
        list(read_table(file))
    assert resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before < 150_000  # KiB
