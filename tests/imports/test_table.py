"""Files as people have them: of several codings and separators, and some that are no table."""

import io
from typing import Any

import pytest
from openpyxl import Workbook
from openpyxl.worksheet.worksheet import Worksheet

from leads.imports.table import BadFile, format_of, read_table

PLAIN = 'Name,E-mail\r\nÄnn,ann@example.com\r\n"Two\nlines",x\r\n'


def rows_of(content: bytes) -> list[list[str]]:
    return [row.cells for row in read_table(content, format_of(content)).rows]


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "cp1252"])
@pytest.mark.parametrize("separator", [",", ";", "\t"])
def test_codings_and_separators_are_found(encoding: str, separator: str) -> None:
    content = PLAIN.replace(",", separator).encode(encoding)
    table = read_table(content, "csv")
    assert table.headings == ("Name", "E-mail")
    assert [row.cells for row in table.rows] == [["Änn", "ann@example.com"], ["Two\nlines", "x"]]
    assert table.notices == (("windows-1252",) if encoding == "cp1252" else ())


def test_hint_of_excel_decides_the_separator() -> None:
    assert rows_of(b"sep=;\r\nName;A,B,C,D\r\nAnn;1,2") == [["Ann", "1,2"]]


def test_empty_rows_count_as_a_spreadsheet_counts_and_are_left_out() -> None:
    rows = list(read_table(b"Name,Mail\n\nAnn,a\n,\nBob,b,\nEve,e,too much\n", "csv").rows)
    assert [(row.number, row.position, row.cells[0], row.more) for row in rows] == [
        (3, 1, "Ann", False),
        (5, 2, "Bob", False),
        (6, 3, "Eve", True),
    ]


def test_cell_that_was_kept_from_running_is_itself_again() -> None:
    assert rows_of(b"Name,Wish\n'=1+1,'tis\n") == [["=1+1", "'tis"]]


def test_workbook_is_read_as_text() -> None:
    workbook = Workbook()
    sheet: Any = workbook.active
    assert isinstance(sheet, Worksheet)
    for row in (["Name", "Phone"], ["Ann", 4915112345678]):
        sheet.append(row)
    file = io.BytesIO()
    workbook.save(file)
    assert rows_of(file.getvalue()) == [["Ann", "4915112345678"]]


REFUSED = {
    "nothing": b"",
    "space": b" \n ",
    "no heading": b",,\n,,\n",
    "a lead instead of a heading": b"Ann,ann@example.com,+4915112345678\n",
    "a number instead of a heading": b"Ann,0151 12345678\n",
    "a picture": b"\x89PNG\r\n\x1a\n" + bytes(100),
    "a PDF": b"%PDF-1.7 \n",
    "an old or locked workbook": b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + bytes(600),
    "bytes": bytes(range(256)),
    "too many columns": ",".join(f"c{number}" for number in range(201)).encode(),
    "a quotation that does not end": b'Name\n"' + b"a" * 200_000,
    "a broken workbook": b"PK\x03\x04" + bytes(100),
}


@pytest.mark.parametrize("content", REFUSED.values(), ids=REFUSED.keys())
def test_what_is_no_table_is_refused_without_repeating_it(content: bytes) -> None:
    with pytest.raises(BadFile) as refused:
        rows_of(content)
    assert "ann@example" not in str(refused.value)
