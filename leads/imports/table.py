"""From the bytes of a file to rows of text: separated by commas, semicolons, tabs or bars, or a workbook's first sheet.

Whatever the file is, a row is a list of texts as long as the heading, numbered as a spreadsheet numbers it.
"""

import codecs
import csv
import io
import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from itertools import chain, islice

from django.utils.translation import gettext as _

from leadscenter.lib.cells import QUOTE, safe_cell
from leadscenter.lib.xlsx_reading import BadWorkbook, read_workbook

MOST_COLUMNS = 200
LONGEST_CELL = 1 << 17
LONGEST_HEADING = 300
PIECE = 1 << 20
GUESSED = "windows-1252"
MORE_SHEETS = "more-sheets"
ZIP = b"PK\x03\x04"
OLE = b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1"
BINARY = (b"%PDF", b"\x89PNG", b"GIF8", b"\xff\xd8\xff", b"\x1f\x8b", b"Rar!", b"7z\xbc\xaf", b"PK\x05\x06")
BOMS = ((codecs.BOM_UTF8, "utf-8-sig"), (codecs.BOM_UTF16_LE, "utf-16"), (codecs.BOM_UTF16_BE, "utf-16"))
SEPARATORS = ",;\t|"
PEEKED = 5
"""Rows that say whether the first one can be the headings."""
_ADDRESS = re.compile(r"[^@\s]++@[^@\s][^@\s.]*+\.[^@\s]++")
_DIGITS = re.compile(r"\+?[\d\s()./-]{6,}")
_LINE_END = re.compile(r"\r\n?|\n")
MANY = 4
"""Separators in a line that nobody writes by chance, twice in one cell and just as many as the heading has."""


class BadFile(ValueError):
    """The file cannot be read; the text says why and what to do, and holds nothing of it."""


@dataclass(frozen=True, slots=True, repr=False)
class Row:
    """A row that is not empty: its `number` as a spreadsheet counts, its `position` among the rows that are not empty.

    `cells` are as many as there are headings; `more` says that it had cells beyond.
    """

    number: int
    position: int
    cells: list[str]
    more: bool = False

    def __repr__(self) -> str:
        return f"<Row {self.number}>"


@dataclass(frozen=True, slots=True, repr=False)
class Table:
    """The headings, and the rows while they are taken: once, in order. `notices` are words of ours."""

    headings: tuple[str, ...]
    rows: Iterator[Row]
    notices: tuple[str, ...] = ()

    def __repr__(self) -> str:
        return f"<Table of {len(self.headings)} columns>"


def format_of(content: bytes) -> str:
    """Return "xlsx" or "csv"; raise `BadFile` for what is neither."""
    if not content.strip():
        raise BadFile(_("This file is empty."))
    if content.startswith(ZIP):
        return "xlsx"
    if content.startswith(OLE):
        raise BadFile(_("This workbook is protected with a password, or of an old kind. Save it as .xlsx without one."))
    if content.startswith(BINARY):
        raise BadFile(_("This is neither a CSV nor an XLSX file."))
    return "csv"


def read_table(content: bytes, file_format: str) -> Table:
    """Open the file. This and its rows raise `BadFile`."""
    return _workbook(content) if file_format == "xlsx" else _lines(content)


def _workbook(content: bytes) -> Table:
    try:
        workbook = read_workbook(content, columns=MOST_COLUMNS)
        first = next(workbook.rows, None)
    except BadWorkbook as error:
        raise BadFile(str(error)) from error
    notices = (MORE_SHEETS,) if workbook.more_sheets else ()
    return _under(first[1] if first else [], _told(workbook.rows), notices)


def _told(rows: Iterator[tuple[int, list[str]]]) -> Iterator[tuple[int, list[str]]]:
    try:
        yield from rows
    except BadWorkbook as error:
        raise BadFile(str(error)) from error


def _lines(content: bytes) -> Table:
    encoding = _encoding(content)
    stream = io.TextIOWrapper(io.BytesIO(content), encoding=encoding, newline="")
    first = stream.readline()
    said = re.fullmatch(r"sep=(.)\s*", first)  # a hint that Excel writes and reads
    peeked = [] if said else [first, *islice(stream, PEEKED)]
    separator = said[1] if said else _separator("".join(peeked))
    records = _records(chain(peeked, stream), separator, behind=1 if said else 0)
    _number, heading = next(records, (0, []))
    return _under(heading, records, (GUESSED,) if encoding == "cp1252" else ())


def _under(heading: list[str], records: Iterator[tuple[int, list[str]]], notices: tuple[str, ...]) -> Table:
    """Return the table under that heading; refuse one that is narrower than all of the first rows."""
    headings = _headings(heading)
    rows = _rows(records, len(headings))
    first = list(islice(rows, PEEKED))
    if first and all(row.more for row in first):
        told = _(
            "The first row is taken for the names of the columns, and has fewer cells than the rows under it. "
            "Delete what stands above the names, such as a title."
        )
        raise BadFile(told)
    return Table(headings, chain(first, rows), notices)


def _encoding(content: bytes) -> str:
    for mark, encoding in BOMS:
        if content.startswith(mark):
            return encoding if _decodes(content, encoding) else _no_text()
    if b"\x00" in content:
        return _no_text()
    for encoding in ("utf-8", "cp1252"):
        if _decodes(content, encoding):
            return encoding
    return _no_text()


def _no_text() -> str:
    raise BadFile(_("This is neither a CSV nor an XLSX file. Save it as CSV in UTF-8."))


def _decodes(content: bytes, encoding: str) -> bool:
    decoder = codecs.getincrementaldecoder(encoding)()
    try:
        for start in range(0, len(content), PIECE):
            decoder.decode(content[start : start + PIECE])
        decoder.decode(b"", final=True)
    except UnicodeDecodeError:
        return False
    return True


def _separator(text: str) -> str:
    """Return what stands outside of quotation marks in the most of the first lines; of several, most in their first."""
    lines = [line for line in re.sub(r'"[^"]*(?:"|$)', "", text).splitlines() if line.strip()]
    return max(SEPARATORS, key=lambda mark: (sum(mark in line for line in lines), "".join(lines[:1]).count(mark)))


def _records(lines: Iterable[str], separator: str, *, behind: int = 0) -> Iterator[tuple[int, list[str]]]:
    """Yield the records that are not empty, numbered; `behind` lines of the file stand before the first.

    Raises `BadFile` where quotation marks make one cell of what are rows.
    """
    csv.field_size_limit(LONGEST_CELL)
    taken: list[str] = []
    reader = csv.reader(_kept(lines, taken), delimiter=separator, strict=True)
    width = 0
    try:
        for number, record in enumerate(reader, start=1):
            if len(taken) > 1 and (cell := _swallowing(record, separator, width - 1)) is not None:
                raise _bad_marks(behind + reader.line_num - len(taken) + 1 + cell)
            taken.clear()
            if any(cell.strip() for cell in record):
                width = width or len(record)
                yield number, record
    except csv.Error as error:
        text = "".join(taken)
        start = _open_cell(text, separator)
        line = behind + reader.line_num - len(taken) + 1 + len(_LINE_END.findall(text, 0, start))
        if text[start : start + 1] == '"':
            raise _bad_marks(line) from error
        raise BadFile(_("The cell that begins in line %(line)d is too long.") % {"line": line}) from error


def _kept(lines: Iterable[str], taken: list[str]) -> Iterator[str]:
    for line in lines:
        taken.append(line)
        yield line


def _open_cell(text: str, separator: str) -> int:
    """Return where the cell begins that the reader could not end."""
    mark = re.escape(separator)
    start, cell = 0, re.compile(rf'(?:"[^"]*+(?:""[^"]*+)*+"|(?!")[^{mark}\r\n]*+){mark}')
    while found := cell.match(text, start):
        start = found.end()
    return start


def _swallowing(record: list[str], separator: str, separators: int) -> int | None:
    """Return how many lines below the record's first the cell begins that holds whole rows: two lines or more with as
    many separators as the heading. A line of few cells counts only where one is an e-mail address or a number, since
    notes and addresses have commas, too.
    """
    above = 0
    for cell in record:
        lines = _LINE_END.split(cell)
        alike = [line.split(separator) for line in lines if line.count(separator) == separators > 0]
        rows = [cells for cells in alike if separators >= MANY or any(_is_contact(one.strip()) for one in cells)]
        if len(rows) > 1:
            return above
        above += len(lines) - 1
    return None


def _is_contact(cell: str) -> bool:
    return bool(_ADDRESS.fullmatch(cell) or _DIGITS.fullmatch(cell))


def _bad_marks(line: int) -> BadFile:
    told = _(
        "In line %(line)d a cell begins with a quotation mark and does not end with one, so it would take in what "
        "follows. Remove the mark, or write those inside a cell twice."
    )
    return BadFile(told % {"line": line})


def _headings(cells: list[str]) -> tuple[str, ...]:
    headings = [_bare(cell.strip()) for cell in cells]
    while headings and not headings[-1]:
        headings.pop()
    if not headings:
        raise BadFile(_("The first row has to hold the names of the columns."))
    if len(headings) > MOST_COLUMNS:
        raise BadFile(_("At most %(limit)d columns can be imported.") % {"limit": MOST_COLUMNS})
    if any(_is_contact(heading) for heading in headings):
        raise BadFile(_("The first row has to hold the names of the columns. This one looks like a lead."))
    return tuple(heading[:LONGEST_HEADING] for heading in headings)


def _rows(records: Iterator[tuple[int, list[str]]], width: int) -> Iterator[Row]:
    for position, (number, record) in enumerate(records, start=1):
        cells = [_bare(cell.strip()) for cell in record[:width]]
        cells += [""] * (width - len(cells))
        yield Row(number, position, cells, any(cell.strip() for cell in record[width:]))


def _bare(cell: str) -> str:
    """Return the cell without the apostrophe that kept it from running in a spreadsheet."""
    return cell[1:] if cell[:1] == QUOTE and safe_cell(cell[1:]) == cell else cell
