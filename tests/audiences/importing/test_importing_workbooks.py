"""Excel workbooks, built by hand from the least XML that Excel accepts."""

from __future__ import annotations

from pathlib import Path
from xml.sax.saxutils import escape

import pytest
from importing_helpers import best, people_of, rows_of, said, write_zip

from audiences.errors import ImportFileError
from audiences.importing import workbooks
from audiences.importing.files import source_file
from audiences.importing.rows import read_rows

MAIN = 'xmlns="http://schemas.openxmlformats.org/spreadsheetml/2006/main"'
RELATIONS = "http://schemas.openxmlformats.org/officeDocument/2006/relationships"
PACKAGE = 'xmlns="http://schemas.openxmlformats.org/package/2006/relationships"'
STYLES = (
    f'<styleSheet {MAIN}><numFmts><numFmt numFmtId="164" formatCode="[Red]yyyy\\-mm\\-dd;@"/>'
    '<numFmt numFmtId="165" formatCode="0.00&quot; days&quot;"/></numFmts>'
    '<cellStyleXfs><xf numFmtId="14"/></cellStyleXfs>'
    '<cellXfs><xf numFmtId="0"/><xf numFmtId="14"/><xf numFmtId="164"/><xf numFmtId="165"/></cellXfs></styleSheet>'
)


def relations(*targets: tuple[str, str, str]) -> str:
    entries = "".join(f'<Relationship Id="{i}" Type="{RELATIONS}/{kind}" Target="{to}"/>' for i, kind, to in targets)
    return f"<Relationships {PACKAGE}>{entries}</Relationships>"


def text(value: str) -> str:
    return f'<c t="inlineStr"><is><t>{escape(value)}</t></is></c>'


def row(*cells: str, number: int | None = None) -> str:
    start = "<row>" if number is None else f'<row r="{number}">'
    return f"{start}{''.join(cells)}</row>"


def workbook(path: Path, *sheets: str, shared: str = "", more: str = "", hidden: int = -1) -> Path:
    numbers = range(1, len(sheets) + 1)
    states = {n: "hidden" if n == hidden else "visible" for n in numbers}
    names = "".join(f'<sheet name="S{n}" sheetId="{n}" r:id="rId{n}" state="{states[n]}"/>' for n in numbers)
    files: dict[str, str | bytes] = {
        "[Content_Types].xml": "<Types/>",
        "_rels/.rels": relations(("rId1", "officeDocument", "xl/workbook.xml")),
        "xl/workbook.xml": f'<workbook {MAIN} xmlns:r="{RELATIONS}">{more}<sheets>{names}</sheets></workbook>',
        "xl/_rels/workbook.xml.rels": relations(
            *((f"rId{n}", "worksheet", f"worksheets/sheet{n}.xml") for n in numbers),
            ("s", "sharedStrings", "/xl/sharedStrings.xml"),
            ("t", "styles", "styles.xml"),
        ),
        "xl/styles.xml": STYLES,
        "xl/sharedStrings.xml": f"<sst {MAIN}>{shared}</sst>",
    }
    for n, sheet in zip(numbers, sheets, strict=True):
        files[f"xl/worksheets/sheet{n}.xml"] = f"<worksheet {MAIN}><sheetData>{sheet}</sheetData></worksheet>"
    return write_zip(path, files)


def cells_of(path: Path) -> list[tuple[int, list[str]]]:
    return list(read_rows(source_file(path)))


HEADER = row(text("Email"), text("Name"), text("Since"))


def test_a_workbook_is_a_plain_table(tmp_path: Path) -> None:
    path = workbook(
        tmp_path / "people.xlsx",
        row(text("Email"), text("Name"), text("Since"), text("Fee"), text("Opted out"))
        + row(text("a@x.org"), text("Ána <&>"), '<c s="1"><v>45000</v></c>', "<c><v>75.5</v></c>", number=3)
        + row(text("b@x.org"), text("=1+1"), "<c/>", "<c/>", '<c t="b"><v>1</v></c>'),
    )
    assert best(path) == "plain"
    people = people_of(path)
    assert people["a@x.org"].attributes | {"fee": 0} == {"name": "Ána <&>", "since": "2023-03-15", "fee": 0}
    assert str(people["a@x.org"].attributes["fee"]) == "75.5"
    assert people["b@x.org"].attributes == {"name": "=1+1"}
    assert said(people["b@x.org"].consents) == ["* withdrawn"]
    assert people["a@x.org"].consents[0].source == "import of people.xlsx, line 3"


def test_the_export_of_a_product_is_known_when_it_was_saved_by_excel(tmp_path: Path) -> None:
    header = ["uuid", "email", "name", "attributes", "status"]
    cells = ["u1", "lee@x.org", "Lee", '{"a": {"b": true}}', "blocklisted"]
    path = workbook(tmp_path / "l.xlsx", row(*map(text, header)) + row(*map(text, cells)))
    assert best(path) == "listmonk"
    person = people_of(path)["lee@x.org"]
    assert (person.suppression, person.attributes) == ("blocklisted", {"name": "Lee", "a_b": "true"})


def test_shared_texts_keep_their_runs_and_leave_out_how_they_are_read_aloud(tmp_path: Path) -> None:
    shared = (
        "<si><t>Email</t></si><si><r><t>Two</t></r><r><t xml:space='preserve'> runs</t></r></si>"
        "<si><t>東京</t><rPh sb='0' eb='1'><t>トウキョウ</t></rPh></si><si><t>a_x000A_b</t></si>"
    )
    cells = "".join(f'<c t="s"><v>{number}</v></c>' for number in (0, 1, 2, 3, 99))
    path = workbook(tmp_path / "s.xlsx", row(cells), shared=shared)
    assert cells_of(path) == [(1, ["Email", "Two runs", "東京", "a\nb", ""])]


@pytest.mark.parametrize(
    ("cell", "shown"),
    [
        ("<c><v>2054</v></c>", "2054"),
        ("<c><v>1.1000000000000001</v></c>", "1.1"),
        ("<c><v>2.5E+6</v></c>", "2500000"),
        ("<c><v>1e999</v></c>", "inf"),
        ("<c><v>nonsense</v></c>", "nonsense"),
        ('<c s="1"><v>1</v></c>', "1900-01-01"),
        ('<c s="1"><v>60.5</v></c>', "1900-02-28 12:00:00"),
        ('<c s="2"><v>46054.375</v></c>', "2026-02-01 09:00:00"),
        ('<c s="2"><v>0.5</v></c>', "12:00:00"),
        ('<c s="2"><v>99999999</v></c>', "99999999"),
        ('<c s="3"><v>12.5</v></c>', "12.5"),
        ('<c s="77"><v>12</v></c>', "12"),
        ('<c t="str"><f>A1</f><v>saved</v></c>', "saved"),
        ('<c t="e"><v>#N/A</v></c>', ""),
        ('<c t="b"><v>0</v></c>', "false"),
    ],
)
def test_a_cell_shows_what_excel_shows(tmp_path: Path, cell: str, shown: str) -> None:
    assert cells_of(workbook(tmp_path / "c.xlsx", row(text("x"), cell, text("z"))))[0][1] == ["x", shown, "z"]


def test_dates_of_old_macs_count_from_1904(tmp_path: Path) -> None:
    path = workbook(tmp_path / "m.xlsx", row(text("x"), '<c s="1"><v>0</v></c>' * 0 + '<c s="1"><v>366</v></c>'),
                    more='<workbookPr date1904="1"/>')  # fmt: skip
    assert cells_of(path)[0][1] == ["x", "1905-01-01"]


def test_the_first_visible_sheet_with_a_header_is_read(tmp_path: Path) -> None:
    cover, table = row(text("Members 2027")), HEADER + row(text("a@x.org"), text("Ana"))
    assert list(people_of(workbook(tmp_path / "a.xlsx", cover, "", table))) == ["a@x.org"]
    assert list(people_of(workbook(tmp_path / "b.xlsx", HEADER, table, hidden=1))) == ["a@x.org"]
    assert list(people_of(workbook(tmp_path / "c.xlsx", row(text("email")) + row(text("b@x.org"))))) == ["b@x.org"]


def test_cells_a_billion_apart_cost_no_more_than_two(tmp_path: Path) -> None:
    far = '<row r="1048576"><c r="A1048576" t="inlineStr"><is><t>z@x.org</t></is></c></row>'
    path = workbook(tmp_path / "far.xlsx", HEADER + far)
    assert cells_of(path)[1] == (1_048_576, ["z@x.org"])
    wide = '<row r="2"><c r="XFD2"><v>1</v></c></row>'
    with pytest.raises(ImportFileError, match="row 2 has more than 2,000 columns"):
        cells_of(workbook(tmp_path / "wide.xlsx", HEADER + wide))


def test_what_is_too_large_or_no_workbook_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    entity = '<!DOCTYPE x [<!ENTITY a "aaaaaaaaaa"><!ENTITY b "&a;&a;&a;&a;">]>'
    path = workbook(tmp_path / "d.xlsx", HEADER)
    bomb = {"[Content_Types].xml": "<Types/>", "xl/workbook.xml": f"{entity}<workbook>&b;</workbook>"}
    with pytest.raises(ImportFileError, match="declares a document type"):
        cells_of(write_zip(path, bomb))
    with pytest.raises(ImportFileError, match="a cell of row 1 is longer"):
        cells_of(workbook(tmp_path / "long.xlsx", row(text("x" * 1_000_001))))
    with pytest.raises(ImportFileError, match="is damaged"):
        cells_of(workbook(tmp_path / "broken.xlsx", "<row><c>"))
    with pytest.raises(ImportFileError, match="no complete workbook"):
        cells_of(write_zip(tmp_path / "part.xlsx", {"[Content_Types].xml": "<Types/>", "xl/a.xml": ""}))
    monkeypatch.setattr(workbooks, "MAX_SHARED_CHARACTERS", 1_000)
    with pytest.raises(ImportFileError, match="too much text"):
        cells_of(workbook(tmp_path / "shared.xlsx", HEADER, shared=f"<si><t>{'x' * 2_000}</t></si>"))


def test_a_tag_without_end_is_refused_before_it_is_all_in_memory(tmp_path: Path) -> None:
    with pytest.raises(ImportFileError, match=r"tag without end"):
        cells_of(workbook(tmp_path / "t.xlsx", f'<row x="{"y" * 3_000_000}"/>'))


def test_an_empty_workbook_is_empty(tmp_path: Path) -> None:
    with pytest.raises(ImportFileError, match=r"is empty|no source"):
        rows_of(workbook(tmp_path / "e.xlsx", ""))
    with pytest.raises(ImportFileError, match="is empty"):
        rows_of(workbook(tmp_path / "e.xlsx", ""), "plain")
