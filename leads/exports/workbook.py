"""The workbook of an export: built from the finished lines, since a workbook cannot go on where it was cut off.

No clear byte touches the disk: the lines are opened record by record, and what the workbook's writer gives is sealed in
records of its own (docs/adr/0004).
"""

import codecs
import csv
from collections.abc import Callable, Iterator
from itertools import chain

from leads.exports import file
from leadscenter.lib.cells import QUOTE, safe_cell
from leadscenter.lib.xlsx import row_of_line, write_xlsx

LONGEST_LINE_CELL = 1 << 20
STEP = 5_000
"""Rows after which somebody may ask whether to go on."""


class _Sealing:
    """Gathers what the workbook's writer gives into records of 1 MiB."""

    def __init__(self, writer: file.Writer) -> None:
        self._writer, self._waiting = writer, bytearray()

    def write(self, content: bytes) -> None:
        self._waiting += content
        while len(self._waiting) >= file.RECORD_BYTES:
            self._writer.write(bytes(self._waiting[: file.RECORD_BYTES]))
            del self._waiting[: file.RECORD_BYTES]

    def close(self) -> None:
        self._writer.write(bytes(self._waiting))
        self._waiting.clear()


def build(export_id: int, key: bytes, records: int, *, after_step: Callable[[], None]) -> file.Writer:
    """Write the workbook of a draft whose lines are whole, and return its writer, finished and open.

    Begins from nothing each time. `after_step` is called every five thousand rows and may raise to stop.
    """
    writer = file.Writer(export_id, key, size=0, records=0, name=file.WORKBOOK)
    try:
        lines = _lines(file.read_draft(export_id, key, records))
        sealing = _Sealing(writer)
        write_xlsx(sealing, _cells(next(lines), lines), _rows(lines, after_step))
        sealing.close()
        writer.finish()
        writer.sync()
    except BaseException:
        writer.__exit__(None, None, None)
        raise
    return writer


def _rows(lines: Iterator[str], after_step: Callable[[], None]) -> Iterator[list[str] | str]:
    for number, line in enumerate(lines, start=1):
        yield row_of_line(line) or _cells(line, lines)
        if number % STEP == 0:
            after_step()


def _cells(line: str, following: Iterator[str]) -> list[str]:
    """The cells of the row that begins with this line, and goes on in the following ones where a text has more."""
    return [_bare(cell) for cell in next(csv.reader(chain((line,), following), strict=True))]


def _bare(cell: str) -> str:
    """The cell without the apostrophe that kept it from running in a CSV: text of a workbook runs nowhere."""
    return cell[1:] if cell[:1] == QUOTE and safe_cell(cell[1:]) == cell else cell


def _lines(parts: Iterator[bytes]) -> Iterator[str]:
    """The lines of the draft with their ends, whichever record they stand in."""
    csv.field_size_limit(LONGEST_LINE_CELL)
    decoder = codecs.getincrementaldecoder("utf-8-sig")()
    rest = ""
    for part in parts:
        *whole, rest = (rest + decoder.decode(part)).split("\n")
        yield from (f"{line}\n" for line in whole)
    if rest:
        yield rest
