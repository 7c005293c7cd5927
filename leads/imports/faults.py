"""The file of faulty rows: the cells as they came, the number of the row and why it was left out."""

import codecs
import re
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

from django.utils.translation import gettext as _

from leads import sealed_file
from leads.imports import file
from leads.imports.judging import Fault, Judged
from leads.models import Import
from leadscenter.lib.cells import csv_line

ROW, WHY = "import_row", "import_error"
BOM = "\ufeff"
SHOWN = 20
_CELL = re.compile(r'"([^"]*+(?:""[^"]*+)*+)"')


@dataclass(frozen=True, slots=True, repr=False)
class Shown:
    """A faulty row as its page names it: without its cells."""

    number: str
    reasons: str


@dataclass(frozen=True, slots=True, repr=False)
class Overview:
    """The first faulty rows; `reasons` with the number of rows that have each."""

    first: list[Shown]
    reasons: list[tuple[str, int]]


def heading_line(headings: Sequence[str]) -> bytes:
    """Return the first line of the file."""
    return (BOM + csv_line([*headings, ROW, WHY])).encode("utf-8", "replace")


def lines(judged: Iterable[Judged], headings: Sequence[str]) -> bytes:
    """Return the lines of rows that have faults; each fault is a line of the last cell."""
    return "".join(
        csv_line([*one.row.cells, one.row.number, "\n".join(_told(fault, headings) for fault in one.faults)])
        for one in judged
    ).encode("utf-8", "replace")


def _told(fault: Fault, headings: Sequence[str]) -> str:
    if fault.column is None:
        return fault.reason
    return _("%(column)s: %(reason)s") % {"column": headings[fault.column], "reason": fault.reason}


def overview_of(row: Import, *, most: int = SHOWN) -> Overview:
    """Return the first faulty rows of an import, and of how many rows each reason is told, the most frequent first.

    Raises `FileNotFoundError`, `Tampered`.
    """
    if not row.faulty or row.wrapped_key is None:
        return Overview([], [])
    found = _records(_text_lines(parts_of(row)))
    next(found, None)
    first: list[Shown] = []
    reasons: Counter[str] = Counter()
    for cells in found:
        if len(cells) > 1:
            told = dict.fromkeys(cells[-1].split("\n"))
            reasons.update(told.keys())
            if len(first) < most:
                first.append(Shown(cells[-2], " ".join(told)))
    return Overview(first, reasons.most_common(most))


def _records(lines: Iterable[str]) -> Iterator[list[str]]:
    """Yield the cells of each record of a file of ours: all of them are quoted, and as long as they came."""
    taken: list[str] = []
    marks = 0
    for line in lines:
        taken.append(line)
        marks += line.count('"')
        if marks % 2 == 0:
            yield [cell.replace('""', '"') for cell in _CELL.findall("".join(taken))]
            taken.clear()


def _text_lines(parts: Iterable[bytes]) -> Iterator[str]:
    """Yield the lines of a file of ours, their ends with them."""
    decoder, rest = codecs.getincrementaldecoder("utf-8-sig")("ignore"), ""
    for part in parts:
        *lines, rest = (rest + decoder.decode(part)).split("\n")
        yield from (f"{line}\n" for line in lines)
    if rest:
        yield rest


def parts_of(row: Import) -> Iterator[bytes]:
    """Yield the whole file of faulty rows, at most 1 MiB at a time. Raises `FileNotFoundError`, `Tampered`."""
    assert row.wrapped_key is not None
    key = sealed_file.unwrap_key(row.wrapped_key)
    return sealed_file.read(file.faults(row.pk), key, row.fault_records, name=file.FAULTS, owner=row.pk)
