"""A workbook that others read: text stays text, nothing runs, large ones go on in another sheet."""

import io
import zipfile
from collections.abc import Iterator, Sequence

import openpyxl
import pytest

from leadscenter.lib.xlsx import LONGEST_CELL, row_of_line, write_xlsx


def written(heading: list[str], rows: Sequence[list[str] | str], **options: int) -> bytes:
    out = io.BytesIO()
    write_xlsx(out, heading, rows, **options)
    return out.getvalue()


def read(content: bytes) -> list[list[list[object]]]:
    """The cells of each sheet as another program reads them."""
    book = openpyxl.load_workbook(io.BytesIO(content), read_only=True)
    return [[list(row) for row in sheet.iter_rows(values_only=True)] for sheet in book.worksheets]


@pytest.mark.parametrize(
    "text",
    [
        "250844926389709482",
        "+4915112345678",
        "0049 151",
        "=1+1",
        "@SUM(A1)",
        "-2+3",
        "a & b <c> \"d\" 'e'",
        " leading and trailing ",
        "two\nlines",
        "日本語 émoji 🦘",
        "TRUE",
        "2026-11-24",
        "1e10",
    ],
)
def test_text_is_read_back_as_the_same_text(text: str) -> None:
    assert read(written(["heading"], [[text]])) == [[["heading"], [text]]]


def test_nothing_is_a_formula() -> None:
    book = openpyxl.load_workbook(io.BytesIO(written(["h"], [["=1+1"], ["=HYPERLINK(1)"]])))
    assert {cell.data_type for row in book.worksheets[0].iter_rows() for cell in row} == {"s"}


def test_what_xml_does_not_know_is_left_out_and_lines_end_alike() -> None:
    assert read(written(["h"], [["a\x00b\x0bc\ufffe"], ["one\r\ntwo\rthree"]])) == [
        [["h"], ["abc"], ["one\ntwo\nthree"]]
    ]


def test_letters_that_look_like_an_escape_are_escaped() -> None:
    with zipfile.ZipFile(io.BytesIO(written(["h"], [["_x0041_"]]))) as archive:
        assert b"_x005F_x0041_" in archive.read("xl/worksheets/sheet1.xml")


def test_a_cell_that_is_too_long_is_cut() -> None:
    [[_heading, [cell]]] = read(written(["h"], [["x" * (LONGEST_CELL + 5)]]))
    assert cell == "x" * LONGEST_CELL


@pytest.mark.parametrize(
    "line",
    [
        '"\r\n',
        '"a\r\n',
        '"a","\r\n',
        '"a""\r\n',
        '"a",""",","b"\r\n',
        '"a"\n',
        "a,b\r\n",
        '"a","b"',
        "\r\n",
        '"a\rb"\r\n',
    ],
)
def test_line_that_is_no_whole_one_of_plain_cells_makes_no_row(line: str) -> None:
    assert row_of_line(line) is None


def test_line_makes_the_row_of_its_cells() -> None:
    assert written(["h", "i", "j"], [row_of_line('"a","","b, c"\r\n') or ""]) == written(
        ["h", "i", "j"], [["a", "", "b, c"]]
    )


def test_empty_cells_keep_their_place() -> None:
    assert read(written(["a", "b", "c"], [["", "x", ""]])) == [[["a", "b", "c"], [None, "x", None]]]


def test_rows_beyond_a_sheet_go_on_in_the_next() -> None:
    rows = [[str(number)] for number in range(7)]
    sheets = read(written(["h"], rows, most_rows=4))
    assert sheets == [[["h"], ["0"], ["1"], ["2"]], [["h"], ["3"], ["4"], ["5"]], [["h"], ["6"]]]


def test_no_rows_are_a_sheet_with_its_heading() -> None:
    assert read(written(["h"], [])) == [[["h"]]]


def test_the_stream_is_written_on_the_way() -> None:
    pieces: list[int] = []

    class Target:
        def write(self, content: bytes) -> None:
            pieces.append(len(content))

    def rows() -> Iterator[list[str]]:
        for number in range(30_000):
            yield [f"Answer {number} to a question", str(number * 7919)]
        assert sum(pieces) > 100_000  # long before the last row

    assert write_xlsx(Target(), ["a", "b"], rows()) == 1
