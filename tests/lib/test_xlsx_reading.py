"""Workbooks as spreadsheets write them, and as somebody who means harm does."""

import io
import tracemalloc
import zipfile
from datetime import date, datetime, time
from typing import Any

import pytest
from openpyxl import Workbook
from openpyxl.worksheet.worksheet import Worksheet

from leadscenter.lib import xlsx_reading
from leadscenter.lib.xlsx import write_xlsx
from leadscenter.lib.xlsx_reading import BadWorkbook, number_text, read_workbook

MAIN = "http://schemas.openxmlformats.org/spreadsheetml/2006/main"
OFFICE = "http://schemas.openxmlformats.org/officeDocument/2006/relationships"
RELATIONS = "http://schemas.openxmlformats.org/package/2006/relationships"


def written(*rows: list[Any], more: int = 0) -> bytes:
    """A workbook by openpyxl."""
    workbook = Workbook()
    sheet = workbook.active
    assert isinstance(sheet, Worksheet)
    for row in rows:
        sheet.append(row)
    for number in range(more):
        workbook.create_sheet(f"More {number}")
    file = io.BytesIO()
    workbook.save(file)
    return file.getvalue()


def made(sheet: str, **parts: str) -> bytes:
    """A workbook by hand: its one sheet, and any other part by its path."""
    told = {
        "_rels/.rels": f'<Relationships xmlns="{RELATIONS}"><Relationship Id="r1" Type="{OFFICE}/officeDocument" '
        'Target="xl/workbook.xml"/></Relationships>',
        "xl/workbook.xml": f'<workbook xmlns="{MAIN}" xmlns:r="{OFFICE}"><sheets><sheet name="a" sheetId="1" '
        'r:id="r1"/></sheets></workbook>',
        "xl/_rels/workbook.xml.rels": f'<Relationships xmlns="{RELATIONS}"><Relationship Id="r1" '
        f'Type="{OFFICE}/worksheet" Target="worksheets/sheet1.xml"/></Relationships>',
        "xl/worksheets/sheet1.xml": sheet,
        **parts,
    }
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED) as package:
        for name, text in told.items():
            package.writestr(name, text)
    return file.getvalue()


def sheet(*rows: str) -> str:
    return f'<worksheet xmlns="{MAIN}"><sheetData>{"".join(rows)}</sheetData></worksheet>'


def rows_of(content: bytes, **more: Any) -> list[tuple[int, list[str]]]:
    return list(read_workbook(content, **more).rows)


def test_cells_read_as_a_person_would_read_them() -> None:
    content = written(
        ["Name", "Phone", "When", "Day", "Hour", "Number", "True"],
        ["Ann", 4915112345678, datetime.fromisoformat("2026-03-01 12:30:05"), date(2026, 3, 1), time(8, 30), 1.5, True],
        [None, "+49 151", None, None, None, 1798765432109876],
    )
    assert rows_of(content) == [
        (1, ["Name", "Phone", "When", "Day", "Hour", "Number", "True"]),
        (2, ["Ann", "4915112345678", "2026-03-01 12:30:05", "2026-03-01", "08:30:00", "1.5", "yes"]),
        (3, ["", "+49 151", "", "", "", "1798765432109876"]),
    ]


def test_what_we_write_we_read() -> None:
    file = io.BytesIO()
    write_xlsx(file, ["a", "b"], [["=1+1", "1798765432109876543"], ["_x0041_", " x\n y "]])
    assert rows_of(file.getvalue())[1:] == [(2, ["=1+1", "1798765432109876543"]), (3, ["_x0041_", " x\n y "])]


def test_first_visible_sheet_is_read_and_others_are_told() -> None:
    assert read_workbook(written(["a"])).more_sheets is False
    assert read_workbook(written(["a"], more=1)).more_sheets is True


def test_rows_keep_the_numbers_of_the_sheet() -> None:
    content = made(
        sheet('<row r="1"><c r="A1"><v>1</v></c></row>', '<row r="900000"><c r="C900000"><v>2</v></c></row>')
    )
    assert rows_of(content) == [(1, ["1"]), (900000, ["", "", "2"])]


@pytest.mark.parametrize(
    ("raw", "text"),
    [
        ("4915112345678.0", "4915112345678"),
        ("4.915112345678E12", "4915112345678"),
        ("0.1", "0.1"),
        ("1798765432109876543", "1798765432109876543"),
        ("1e400", "1e400"),
        ("nan", "nan"),
        ("x", "x"),
    ],
)
def test_number_as_digits(raw: str, text: str) -> None:
    assert number_text(raw) == text


ENTITIES = '<!DOCTYPE worksheet [<!ENTITY a "aaaaaaaaaa"><!ENTITY b "&a;&a;&a;&a;&a;&a;&a;&a;">]>' + sheet(
    '<row r="1"><c t="inlineStr"><is><t>&b;</t></is></c></row>'
)
FILE_ENTITY = '<!DOCTYPE w [<!ENTITY f SYSTEM "file:///etc/passwd">]>' + sheet('<row><c t="str"><v>&f;</v></c></row>')
SHARED = {
    "xl/_rels/workbook.xml.rels": f'<Relationships xmlns="{RELATIONS}"><Relationship Id="r1" '
    f'Type="{OFFICE}/worksheet" Target="worksheets/sheet1.xml"/><Relationship Id="r2" '
    f'Type="{OFFICE}/sharedStrings" Target="shared.xml"/><Relationship Id="r3" '
    f'Type="{OFFICE}/styles" Target="styles.xml"/></Relationships>',
    "xl/shared.xml": "<sst/>",
    "xl/styles.xml": "<styleSheet/>",
}


def shared(text: str) -> bytes:
    """A workbook whose one cell is that shared text."""
    cell = sheet('<row r="1"><c r="A1" t="s"><v>0</v></c></row>')
    return made(cell, **SHARED | {"xl/shared.xml": f"<sst><si><t>{text}</t></si></sst>"})


def styled(code: str) -> bytes:
    """A workbook whose one cell is a number in that format."""
    styles = f'<styleSheet><numFmts><numFmt numFmtId="164" formatCode="{code}"/></numFmts><cellXfs><xf numFmtId="164"/>'
    cell = sheet('<row r="1"><c r="A1" s="0"><v>46354</v></c></row>')
    return made(cell, **SHARED | {"xl/styles.xml": f"{styles}</cellXfs></styleSheet>"})


@pytest.mark.parametrize(
    ("code", "text"),
    [("[$-409]yyyy", "2026-11-28"), ("[h]", "2026-11-28"), ("[Red]0", "46354"), ("&quot;day&quot; 0", "46354")],
)
def test_format_says_whether_a_number_is_a_day(code: str, text: str) -> None:
    assert rows_of(styled(code)) == [(1, [text])]


@pytest.mark.parametrize("mark", ["[", "&quot;", "\\", "[["])
def test_format_of_marks_alone_is_no_date(mark: str) -> None:
    """Tried at each of its characters, it would take minutes."""
    assert rows_of(styled(mark * 150_000 + "x")) == [(1, ["46354"])]


@pytest.mark.parametrize(
    ("written_as", "text"),
    [("_xD83D__xDE00_", "\U0001f600"), ("a_xD83D_b", "a\ufffdb"), ("_xDE00_", "\ufffd"), ("_xFEFF_a", "\ufeffa")],
)
def test_half_of_a_character_is_whole_with_its_other_half_alone(written_as: str, text: str) -> None:
    assert rows_of(shared(written_as)) == [(1, [text])]


def test_attributes_as_many_as_a_workbook_has_are_read() -> None:
    assert rows_of(styled('0"/>' + f'<a b="{"c" * 500_000}"/>' * 30 + '<a b="')) == [(1, ["46354"])]


HOSTILE = {
    "a shared text without end": shared("a" * 40_000),
    "attributes without end": styled('0"/>' + f'<a b="{"c" * 500_000}"/>' * 40 + '<a b="'),
    "entities": made(ENTITIES),
    "a file of ours": made(FILE_ENTITY),
    "markup without end": made(f"<worksheet {'a' * 3_000_000}"),
    "columns without end": made(sheet('<row r="1"><c r="XFD1"><v>1</v></c></row>')),
    "a cell without end": made(sheet(f'<row r="1"><c r="A1" t="str"><v>{"a" * 40_000}</v></c></row>')),
    "a shared text that is not there": made(sheet('<row r="1"><c r="A1" t="s"><v>7</v></c></row>')),
    "broken markup": made(sheet("<row><c></row>")),
    "no sheet": made("", **{"xl/workbook.xml": f'<workbook xmlns="{MAIN}"/>'}),
    "a cut file": written(["a", "b"])[:-40],
    "a zip of something else": made("").replace(b"xl/workbook.xml", b"xl/workbook.xm_"),
    "nothing": b"PK\x03\x04",
}


@pytest.mark.parametrize("content", HOSTILE.values(), ids=HOSTILE.keys())
def test_hostile_workbook_is_refused(content: bytes) -> None:
    with pytest.raises(BadWorkbook):
        rows_of(content, columns=200)


def test_zip_bomb_is_refused_in_flat_memory(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(xlsx_reading, "MOST_UNPACKED", 20_000_000)
    bomb = made(sheet("<row/>" * 5_000_000))
    assert len(bomb) < 200_000
    tracemalloc.start()
    with pytest.raises(BadWorkbook):
        rows_of(bomb)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak < 5_000_000


def test_size_that_a_zip_claims_is_not_believed() -> None:
    content = bytearray(made(sheet("<row/>" * 100_000)))
    directory = content.rfind(b"xl/worksheets/sheet1.xml")
    content[directory - 46 + 24 : directory - 46 + 28] = (10).to_bytes(4, "little")
    with pytest.raises(BadWorkbook):
        rows_of(bytes(content))


def test_directory_without_end_is_not_listed() -> None:
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w") as package:
        for number in range(20_000):
            package.writestr(f"{number:050}", "")
    with pytest.raises(BadWorkbook):
        read_workbook(file.getvalue())
