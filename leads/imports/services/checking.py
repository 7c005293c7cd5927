"""The dry run: the whole file is read and judged as the import would, and nothing is written into the library.

A check that was killed begins anew: it has made nothing that could be made twice.
"""

from collections.abc import Callable, Iterator
from itertools import islice

from django.db import transaction
from django.db.models.functions import Now
from django.utils.translation import gettext as _

from leads import sealed_file
from leads.imports import faults, file
from leads.imports.identity import Fate, plan
from leads.imports.judging import Judge, Judged
from leads.imports.services.asking import KEPT, NOTHING_YET, table_of, version_content
from leads.imports.services.claims import BATCH
from leads.imports.services.leasing import Stopped, ask, commit, hold
from leads.imports.table import Row
from leads.models import Import

MOST_ROWS = 100_000


def check(row: Import, *, size: int = BATCH, after_batch: Callable[[], None] | None = None) -> None:
    """Judge every row, count what would become of it and keep the faulty ones; then wait for a yes, or go on.

    Raises `Stopped`, `Refused`, `Overtaken`, `BadFile`.
    """
    library, table = ask(row), table_of(row)
    assert row.version is not None
    judge = Judge(library, row.version.pk, version_content(row), row.mapping, table.headings)
    seen: dict[bytes, int] = {}
    for name, nothing in NOTHING_YET.items():
        setattr(row, name, nothing)
    with open_faults(row) as writer:
        for batch in batches(table.rows, size):
            ask(row)
            judged = [judge(one) for one in batch]
            fates = [one.fate for one in plan(row.library_id, row.duplicates, sound(judged), seen)]
            row.made += fates.count(Fate.NEW)
            row.updated += fates.count(Fate.CHANGE)
            row.skipped += fates.count(Fate.SKIP)
            keep_faulty(row, writer, judged, table.headings)
            row.cursor += len(batch)
            if row.cursor > MOST_ROWS:
                raise Stopped(_("This file has more than %(limit)s rows. Divide it.") % {"limit": f"{MOST_ROWS:,}"})
            commit(row, tries=row.tries)  # a check that is killed begins anew: nothing of it is a step forward
            if after_batch is not None:
                after_batch()
        writer.finish()
        writer.sync()
        row.fault_bytes, row.fault_records = writer.size, writer.records
    _finish(row)


def _finish(row: Import) -> None:
    with transaction.atomic():
        hold(row)
        total = row.cursor
        state = Import.State.RUNNING if row.straight_on else Import.State.CHECKED
        again = NOTHING_YET if row.straight_on else {}
        commit(row, state=state, total=total, expires_at=Now() + KEPT, due_at=Now(), **again)
        file.draft_faults(row.pk).replace(file.faults(row.pk))


def open_faults(row: Import, *, size: int = 0, records: int = 0) -> sealed_file.Writer:
    """Return the writer of the faulty rows, behind what is committed."""
    assert row.wrapped_key is not None
    key = sealed_file.unwrap_key(row.wrapped_key)
    path, whole = file.draft_faults(row.pk), file.faults(row.pk)
    if size and not path.exists() and whole.exists():  # a run was killed when it had ended the file, but not the import
        whole.replace(path)
    return sealed_file.Writer(path, key, name=file.FAULTS, owner=row.pk, size=size, records=records)


def keep_faulty(row: Import, writer: sealed_file.Writer, judged: list[Judged], headings: tuple[str, ...]) -> None:
    """Write the faulty rows of a batch, durably, and count them in `row`; the heading stands before the first."""
    faulty = [one for one in judged if one.faults]
    if not faulty:
        return
    if not row.faulty:
        writer.write(faults.heading_line(headings))
    writer.write(faults.lines(faulty, headings))
    writer.sync()
    row.faulty += len(faulty)
    row.fault_bytes, row.fault_records = writer.size, writer.records


def sound(judged: list[Judged]) -> list[Judged]:
    """Return the rows without faults."""
    return [one for one in judged if not one.faults]


def batches(rows: Iterator[Row], size: int) -> Iterator[list[Row]]:
    """Yield the rows in lists of `size`."""
    while batch := list(islice(rows, size)):
        yield batch
