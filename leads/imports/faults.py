"""The file of faulty rows: the cells as they came, the number of the row and why it was left out."""

import csv
import io
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


@dataclass(frozen=True, slots=True, repr=False)
class Shown:
    """A faulty row as its page names it: without its cells."""

    number: str
    reasons: str


def heading_line(headings: Sequence[str]) -> bytes:
    """Return the first line of the file."""
    return (BOM + csv_line([*headings, ROW, WHY])).encode("utf-8", "replace")


def lines(judged: Iterable[Judged], headings: Sequence[str]) -> bytes:
    """Return the lines of rows that have faults."""
    return "".join(
        csv_line([*one.row.cells, one.row.number, " ".join(_told(fault, headings) for fault in one.faults)])
        for one in judged
    ).encode("utf-8", "replace")


def _told(fault: Fault, headings: Sequence[str]) -> str:
    if fault.column is None:
        return fault.reason
    return _("%(column)s: %(reason)s") % {"column": headings[fault.column], "reason": fault.reason}


def first_of(row: Import, *, most: int = SHOWN) -> list[Shown]:
    """Return the first faulty rows of a checked import. Raises `FileNotFoundError`, `Tampered`."""
    if not row.faulty or row.wrapped_key is None:
        return []
    text = b""
    for part in parts_of(row):
        text += part
        if text.count(b"\n") > most * 4 or len(text) > 4 * sealed_file.RECORD_BYTES:
            break
    found = csv.reader(io.StringIO(text.decode("utf-8-sig", "ignore"), newline=""))
    next(found, None)
    return [Shown(cells[-2], cells[-1]) for cells, _place in zip(found, range(most), strict=False) if len(cells) > 1]


def parts_of(row: Import) -> Iterator[bytes]:
    """Yield the whole file of faulty rows, at most 1 MiB at a time. Raises `FileNotFoundError`, `Tampered`."""
    assert row.wrapped_key is not None
    key = sealed_file.unwrap_key(row.wrapped_key)
    return sealed_file.read(file.faults(row.pk), key, row.fault_records, name=file.FAULTS, owner=row.pk)
