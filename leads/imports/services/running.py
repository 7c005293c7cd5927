"""Working on imports: leased, batch by batch, with right and custody asked before each, resumable at any of them.

A batch is committed with the place behind it. What each row became follows from its place, so a run that was killed
makes no lead twice and leaves out none.
"""

import time
from collections.abc import Callable

from django.db import transaction
from django.db.models.functions import Now
from django.http import Http404
from django.utils.translation import gettext as _

from accounts import audit
from accounts.access import Refused
from accounts.models import Act
from accounts.refusals import Conflict
from leads import sealed_file
from leads.imports import file
from leads.imports.judging import Judge
from leads.imports.services.asking import KEPT, table_of, version_content
from leads.imports.services.checking import batches, check, keep_faulty, open_faults, sound
from leads.imports.services.claims import BATCH, leads_of
from leads.imports.services.leasing import Overtaken, Stopped, ask, commit, hold, judge_tries, lease, let_go, stop
from leads.imports.services.writing import Stale, write_batch
from leads.imports.table import BadFile
from leads.models import Import
from leadscenter.lib.envelope import Tampered

BUDGET_SECONDS = 120.0
SKIPPED_AT_ONCE = 10_000


def run_due(*, budget: float = BUDGET_SECONDS, size: int = BATCH, after_batch: Callable[[], None] | None = None) -> int:
    """Work on due imports until none is left or the time is up; return how many were worked on."""
    ends = time.monotonic() + budget
    worked = 0
    while time.monotonic() < ends and (row := lease()) is not None:
        worked += 1
        work_on(row, ends=ends, size=size, after_batch=after_batch)
    return worked


def work_on(
    row: Import, *, ends: float | None = None, size: int = BATCH, after_batch: Callable[[], None] | None = None
) -> None:
    """Go on with a leased import: check it, or import it from its last committed batch."""
    try:
        judge_tries(row)
        if row.state == Import.State.CHECKING:
            check(row, size=size, after_batch=after_batch)
        else:
            _run(row, ends, size, after_batch)
    except Refused as refused:
        gone = _("Whoever uploaded this file may not work on these leads any more.")
        stop(row, gone if refused.stranger else refused.reason)
    except (Stopped, BadFile) as stopped:
        stop(row, str(stopped))
    except Conflict as conflict:  # the file, or its key, is gone
        stop(row, conflict.detail)
    except Tampered:
        stop(row, _("The sealed file does not open. Upload it again."))
    except (Stale, Http404):  # somebody changed a lead, a label or a right while this batch was judged
        let_go(row)
    except (sealed_file.Busy, Overtaken):
        return


def _run(row: Import, ends: float | None, size: int, after_batch: Callable[[], None] | None) -> None:
    library, table = ask(row), table_of(row)
    assert row.version is not None
    judge = Judge(library, row.version.pk, version_content(row), row.mapping, table.headings)
    for done, _row in zip(range(1, row.cursor + 1), table.rows, strict=False):
        if done % SKIPPED_AT_ONCE == 0:
            commit(row, tries=row.tries)  # nothing new, but for a lease that lasts
    size_before, records = (row.fault_bytes, row.fault_records) if row.faulty else (0, 0)  # else they are the check's
    with open_faults(row, size=size_before, records=records) as writer:
        for batch in batches(table.rows, size):
            judged = [judge(one) for one in batch]
            keep_faulty(row, writer, judged, table.headings)
            write_batch(row, sound(judged), behind=batch[-1].position)
            if after_batch is not None:
                after_batch()
            if ends is not None and time.monotonic() >= ends:
                return let_go(row)
        writer.finish()
        writer.sync()
        row.fault_bytes, row.fault_records = writer.size, writer.records
    _finish(row)
    return None


def _finish(row: Import) -> None:
    """Trail, state and files change together; the key stays for a week while there are faulty rows to fetch."""
    made = leads_of(row)
    kept = {} if row.faulty else {"wrapped_key": None}
    with transaction.atomic():
        library = hold(row)
        audit.record(
            Act.LEADS_IMPORTED,
            library,
            actor=row.requested_by,
            targets=[row.pk],
            manifest=made,
            count=len(made),
            changed=row.updated or None,
            faulty=row.faulty or None,
        )
        commit(row, state=Import.State.DONE, finished_at=Now(), expires_at=Now() + KEPT, **kept)
        if row.faulty:
            file.draft_faults(row.pk).replace(file.faults(row.pk))
    file.remove(row.pk, but_faults=bool(row.faulty))
