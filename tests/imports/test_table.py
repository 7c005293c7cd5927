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
@pytest.mark.parametrize("separator", [",", ";", "\t", "|"])
def test_codings_and_separators_are_found(encoding: str, separator: str) -> None:
    content = PLAIN.replace(",", separator).encode(encoding)
    table = read_table(content, "csv")
    assert table.headings == ("Name", "E-mail")
    assert [row.cells for row in table.rows] == [["Änn", "ann@example.com"], ["Two\nlines", "x"]]
    assert table.notices == (("windows-1252",) if encoding == "cp1252" else ())


def test_hint_of_excel_decides_the_separator() -> None:
    assert rows_of(b"sep=;\r\nName;A,B,C,D\r\nAnn;1,2") == [["Ann", "1,2"]]


@pytest.mark.parametrize("above", ["\n", "\r\n\r\n", ";;\n", " \n"])
def test_empty_lines_above_the_headings_are_no_rows(above: str) -> None:
    table = read_table(f"{above}Name;Price\nAnn;1,2\n".encode(), "csv")
    assert (table.headings, [row.cells for row in table.rows]) == (("Name", "Price"), [["Ann", "1,2"]])


@pytest.mark.parametrize("title", ["Leads of March\n", "Leads of March;;\n", "\n\nLeads\n\n", "Leads of March, 2026\n"])
def test_title_above_the_headings_is_refused_with_what_is_wrong(title: str) -> None:
    with pytest.raises(BadFile, match="The first row is taken for the names of the columns, and has fewer cells"):
        rows_of(f"{title}Name;E-mail;Wish\nAnn;a@example.com;x\n".encode())


def test_title_above_the_headings_of_a_workbook_is_refused() -> None:
    with pytest.raises(BadFile, match="The first row is taken for the names of the columns, and has fewer cells"):
        rows_of(workbook_of(["Leads of March"], ["Name", "E-mail"], ["Ann", "ann@example.com"]))


def test_separator_is_that_of_the_lines_and_not_of_what_is_in_cells() -> None:
    assert rows_of(b'Name,Note\nAnn,"a;\nb;\nc;"\n') == [["Ann", "a;\nb;\nc;"]]
    assert rows_of(b"Name;Note\nAnn;a, b, c, d\nBob;e, f, g\n") == [["Ann", "a, b, c, d"], ["Bob", "e, f, g"]]


def test_column_without_a_name_is_one() -> None:
    assert rows_of(b",Name,Mail\n0,Ann,a\n1,Bob,b\n") == [["0", "Ann", "a"], ["1", "Bob", "b"]]


def test_empty_rows_count_as_a_spreadsheet_counts_and_are_left_out() -> None:
    rows = list(read_table(b"Name,Mail\n\nAnn,a\n,\nBob,b,\nEve,e,too much\n", "csv").rows)
    assert [(row.number, row.position, row.cells[0], row.more) for row in rows] == [
        (3, 1, "Ann", False),
        (5, 2, "Bob", False),
        (6, 3, "Eve", True),
    ]


def test_cell_that_was_kept_from_running_is_itself_again() -> None:
    assert rows_of(b"Name,Wish\n'=1+1,'tis\n") == [["=1+1", "'tis"]]


def workbook_of(*rows: list[str | int]) -> bytes:
    workbook = Workbook()
    sheet: Any = workbook.active
    assert isinstance(sheet, Worksheet)
    for row in rows:
        sheet.append(row)
    file = io.BytesIO()
    workbook.save(file)
    return file.getvalue()


def test_workbook_is_read_as_text() -> None:
    assert rows_of(workbook_of(["Name", "Phone"], ["Ann", 4915112345678])) == [["Ann", "4915112345678"]]


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


HEAD = "Name,E-mail,Wish\n"
BOB, CID = "Bob,bob@example.com,x\n", "Cid,cid@example.com,y\n"
MARKS = {
    "never ends": (HEAD + BOB + 'Ann,ann@example.com,"I wish\n' + CID, 3),
    "ends at the next quoted cell": (HEAD + 'Ann,ann@example.com,"I wish\n' + BOB + 'Eve,"eve@example.com",z\n', 2),
    "text behind it": (HEAD + BOB + CID + '"Ann" Smith,ann@example.com,\n', 4),
    "behind a cell of two lines": (HEAD + '"Ann\nB.",ann@example.com,"I" wish\n', 3),
    "ends behind whole rows": (HEAD + 'Ann,ann@example.com,"I wish\n' + BOB + CID + 'to be free"\n' + BOB, 2),
    "from the first cell on": (HEAD + '"Ann,ann@example.com,x\n' + BOB + 'Cid,c",cid@example.com,y\n', 2),
    "rows behind a cell of two lines": (HEAD + '"Ann\nB.",a@b.example,"I\n' + BOB + CID + 'you"\n', 3),
    "rows of many columns": ('a,b,c,d,e\nAnn,1,2,3,"4\nBob,1,2,3,4\nCid,1,2,3,4\n"\n', 2),
    "in the heading": ('Name,"E-mail,Wish\n' + BOB, 1),
    "for ever": (HEAD + BOB + '"' + "a" * 200_000, 3),
    "under a hint of Excel": ("sep=,\n" + HEAD + '"Ann,ann@example.com,x\n', 3),
}


@pytest.mark.parametrize(("text", "line"), MARKS.values(), ids=MARKS.keys())
@pytest.mark.parametrize("end", ["\n", "\r\n", "\r"])
def test_quotation_mark_that_takes_in_what_follows_is_refused_with_its_line(text: str, line: int, end: str) -> None:
    with pytest.raises(BadFile) as refused:
        rows_of(text.replace("\n", end).encode())
    assert str(refused.value) == (
        f"In line {line} a cell begins with a quotation mark and does not end with one, so it would take in what "
        "follows. Remove the mark, or write those inside a cell twice."
    )


CELLS = [
    "12 High Street\nFlat 3, left\nLondon, N1 9GU\n",
    "Dear all,\nI like it, really, I do\nCall me, please, at six\nThanks",
    'She said ""yes"", twice,\nthen ""no"", once, loudly\n',
    "Bob,bob@example.com,x\none row alone",
]


@pytest.mark.parametrize("cell", CELLS)
def test_cell_of_several_lines_is_one_cell(cell: str) -> None:
    rows = rows_of(f'{HEAD}Ann,ann@example.com,"{cell}"\n{BOB}'.encode())
    assert rows == [
        ["Ann", "ann@example.com", cell.replace('""', '"').strip()],
        ["Bob", "bob@example.com", "x"],
    ]


def test_quotation_mark_within_a_cell_is_a_letter() -> None:
    assert rows_of((HEAD + 'Ann,ann@example.com,5" pipe\n').encode()) == [["Ann", "ann@example.com", '5" pipe']]


@pytest.mark.parametrize("heading", ["a@" + "." * 100_000 + "@", "a" * 100_000 + "@", "@" * 100_000])
def test_heading_that_is_nearly_an_address_is_one(heading: str) -> None:
    """Tried at each of its characters, it would take minutes."""
    assert read_table(f"Name,{heading}\nAnn,x\n".encode(), "csv").headings == ("Name", heading[:300])


@pytest.mark.parametrize("cell", ["a@b.c", "ann.b@mail.example.com", "a@..b", "a@.b.c", "a@b..", "a@b.c."])
def test_address_is_no_heading(cell: str) -> None:
    with pytest.raises(BadFile, match="looks like a lead"):
        rows_of(f"Ann,{cell}\nBob,x\n".encode())


@pytest.mark.parametrize("cell", ["a@b", "a@.b", "a@b.", "@b.c", "a@", "a@b@c.d", "a b@c.d", "a@b .c"])
def test_what_is_no_address_can_be_a_heading(cell: str) -> None:
    assert read_table(f"Name,{cell}\nAnn,x\n".encode(), "csv").headings == ("Name", cell)


def test_cell_that_is_too_long_is_named_by_its_line() -> None:
    with pytest.raises(BadFile, match="begins in line 3 is too long"):
        rows_of((HEAD + BOB + "Ann," + "a" * 200_000).encode())
