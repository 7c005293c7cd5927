"""Making exports: leased, chunk by chunk, with permission and custody asked before each, resumable at any of them.

The row says what is committed: size and records of the file, where to go on. A run that was killed leaves bytes behind
the committed size, which the next one cuts off. Nobody can read a file before its last record, its rename and the
trail's event, which are one step.
"""

import os
import time
from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import UTC, timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

from django.db import transaction
from django.db.models import F
from django.db.models.functions import Now
from django.utils.translation import gettext as _

from accounts import audit
from accounts.access import Can, Refused, require
from accounts.models import Act, LeadLibrary, User
from accounts.services.alarms import raise_unopenable
from accounts.services.transfers import other_trails
from leads.exports import file
from leads.exports.columns import NOTES, TEST, Columns, Unplaced, columns_for
from leads.exports.postback import MOST_BYTES
from leads.exports.reading import CHUNK, Bound, Chunk, count, heading, read_chunk
from leads.exports.services.asking import UNDER_WAY, lifetime
from leads.exports.workbook import build
from leads.models import Export
from leads.selection import Selection
from leads.vault.keys import KeyGone
from leads.vault.opening import Purpose
from leadscenter.lib.envelope import Tampered

LEASE = timedelta(seconds=60)
BUDGET_SECONDS = 120.0
FRUITLESS_LEASES = 20
BUILD_SECONDS = 1500.0
"""A workbook that takes longer is not made: each time, it would begin from nothing."""


@dataclass(eq=False)
class Stopped(Exception):
    """The export ends here; `reason` is what its page says."""

    reason: str


class Overtaken(RuntimeError):
    """Another worker leased the export meanwhile; what this one did is not committed."""


def run_due(*, budget: float = BUDGET_SECONDS, size: int = CHUNK, after_chunk: Callable[[], None] | None = None) -> int:
    """Work on due exports until none is left or the time is up; return how many were worked on."""
    ends = time.monotonic() + budget
    worked = 0
    while time.monotonic() < ends and (export := lease()) is not None:
        worked += 1
        run(export, ends=ends, size=size, after_chunk=after_chunk)
    return worked


def lease() -> Export | None:
    """Take the export that has been due longest, for a minute."""
    with transaction.atomic():
        due = Export.objects.select_for_update(no_key=True, skip_locked=True, of=("self",))
        export = due.filter(state__in=UNDER_WAY, due_at__lte=Now()).order_by("due_at").first()
        if export is None:
            return None
        export.lease += 1
        export.tries += 1
        export.state = Export.State.RUNNING
        Export.objects.filter(pk=export.pk).update(
            lease=export.lease, tries=export.tries, state=Export.State.RUNNING, due_at=Now() + LEASE
        )
    return export


def run(
    export: Export, *, ends: float | None = None, size: int = CHUNK, after_chunk: Callable[[], None] | None = None
) -> None:
    """Go on with a leased export from its last committed chunk, until it is whole, stopped or the time is up."""
    try:
        # The second: machines that share no folder, each of which begins from nothing.
        if export.tries > FRUITLESS_LEASES or export.lease > export.chunk + FRUITLESS_LEASES:
            raise Stopped(_("It could not be made. The people who run this installation can see why."))
        _run(export, ends, size, after_chunk)
    except Refused as refused:
        gone = _("Whoever asked for this file may not download these leads any more.")
        stop(export, gone if refused.stranger else refused.reason)
    except (Tampered, KeyGone):
        stop(export, _("A lead could not be opened. Nothing was handed out; whoever reads the trail was alarmed."))
        raise_unopenable(export.library_id, Purpose.EXPORT, [export.pk])
    except Stopped as stopped:
        stop(export, stopped.reason)
    except FileNotFoundError:
        _start_again(export)
    except Unplaced:
        _start_again(export, more=True)
    except (file.Busy, Overtaken):
        return


def _run(export: Export, ends: float | None, size: int, after_chunk: Callable[[], None] | None) -> None:
    library = ask(export)
    bound, columns = _what(export, library)
    if export.wrapped_key is None:
        raise Stopped(_("Its key is gone."))
    key = file.unwrap_key(export.wrapped_key)
    with file.Writer(export.pk, key, size=export.bytes_written, records=export.records) as writer:
        while True:
            if not export.is_read:
                _chunk(export, bound, columns, writer, size)
            if after_chunk is not None:
                after_chunk()
            if export.is_read:
                return _finish(export, key, writer, after_chunk)
            if ends is not None and time.monotonic() >= ends:
                return _let_go(export)
            ask(export)


def _what(export: Export, library: LeadLibrary) -> tuple[Bound, Columns]:
    """Return which leads and columns: the same on every run, whatever was published since.

    Test leads are in a file that says which they are, and where the filter asks for them: elsewhere they would be taken
    for people.
    """
    zone = ZoneInfo(export.time_zone) if export.time_zone else UTC
    selection, columns = Selection.from_json(export.filter), Columns((), ())
    if export.layout != Export.Layout.POSTBACK:
        columns = columns_for(
            library,
            bound_at=export.bound_at,
            form_id=selection.form,
            layout=export.layout,
            chosen=export.columns,
            time_zone=export.time_zone,
            more=bool(export.filter.get("more")),
        )
    if selection.test is None and TEST not in columns.keys:
        selection = replace(selection, test=False)
    return Bound(library, selection, export.bound_at, export.layout, zone), columns


def ask(export: Export) -> LeadLibrary:
    """Return the library as it is now; raise `Refused` when the person or the custody no longer allows this export."""
    library = LeadLibrary.objects.select_related("ad_account", "custodian").get(pk=export.library_id)
    require(User.objects.get(pk=export.requested_by_id), Can.DOWNLOAD_LEADS, library, custody=export.custody)
    return library


def _chunk(export: Export, bound: Bound, columns: Columns, writer: file.Writer, size: int) -> None:
    """Write the next chunk and commit it, and whether it was the last."""
    first = export.chunk == 0
    if first:
        export.total = count(bound)
        writer.write(heading(bound, columns))
    after = (export.cursor_at, export.cursor_id) if export.cursor_at and export.cursor_id else None
    chunk = read_chunk(bound, columns, after=after, size=size)
    writer.write(chunk.lines)
    _must_fit(export, writer)
    writer.sync()
    _keep_ids(export, chunk)
    export.chunk += 1
    export.rows += len(chunk.ids)
    export.bytes_written, export.records = writer.size, writer.records
    if chunk.last is not None:
        export.cursor_at, export.cursor_id = chunk.last
    export.is_read = chunk.last is None
    _commit(export, tries=0)


def _must_fit(export: Export, writer: file.Writer) -> None:
    """A file that its receiver would not take is not made."""
    if export.layout == Export.Layout.POSTBACK and file.content_length(writer.size, writer.records) > MOST_BYTES:
        raise Stopped(_("TikTok takes files of at most 50 MB, and this one is larger. Choose a shorter time."))


def _keep_ids(export: Export, chunk: Chunk) -> None:
    mode = os.O_RDWR | os.O_CREAT
    with os.fdopen(os.open(file.draft_ids(export.pk), mode, 0o600), "r+b") as kept:
        kept.truncate(export.rows * 8)
        kept.seek(export.rows * 8)
        kept.write(audit.pack(chunk.ids))
        kept.flush()
        os.fsync(kept.fileno())


def _commit(export: Export, **more: int) -> None:
    mine = Export.objects.filter(pk=export.pk, lease=export.lease, state=Export.State.RUNNING)
    committed = mine.update(
        chunk=export.chunk,
        total=export.total,
        rows=export.rows,
        bytes_written=export.bytes_written,
        records=export.records,
        cursor_at=export.cursor_at,
        cursor_id=export.cursor_id,
        is_read=export.is_read,
        due_at=Now() + LEASE,
        **more,
    )
    if not committed:
        raise Overtaken


def _finish(export: Export, key: bytes, lines: file.Writer, after_chunk: Callable[[], None] | None) -> None:
    """Make the file whole: of lines as they are, or the workbook that is built from them."""
    if export.format != "xlsx":
        lines.finish()
        lines.sync()
        _hand_over(export, lines, file.draft(export.pk))
        return

    ends = time.monotonic() + BUILD_SECONDS

    def go_on() -> None:
        if time.monotonic() >= ends:
            raise Stopped(_("As a workbook it takes too long. Ask for it as CSV, or for fewer leads."))
        ask(export)
        _commit(export)  # the lease, too
        if after_chunk is not None:
            after_chunk()

    with build(export.pk, key, export.records, after_step=go_on) as workbook:
        _hand_over(export, workbook, file.draft_workbook(export.pk))
    file.draft(export.pk).unlink(missing_ok=True)


def _hand_over(export: Export, writer: file.Writer, path: Path) -> None:
    """Trail, state and name of the file change together, after a last question."""
    with transaction.atomic():
        mine = Export.objects.select_for_update(no_key=True).filter(pk=export.pk, lease=export.lease)
        if not mine.filter(state=Export.State.RUNNING).exists():
            raise Overtaken
        library = ask(export)
        audit.record(
            Act.EXPORT_MADE,
            library,
            actor=export.requested_by,
            targets=[export.pk],
            manifest=file.read_ids(export.pk),
            layout=export.layout,
            notes=NOTES in export.columns or None,
            task=export.is_task or None,
        )
        Export.objects.filter(pk=export.pk).update(
            state=Export.State.DONE,
            total=export.rows,
            bytes_written=writer.size,
            records=writer.records,
            finished_at=Now(),
            expires_at=Now() + lifetime(export),
        )
        path.replace(file.finished(export.pk))
    file.draft_ids(export.pk).unlink(missing_ok=True)


def _let_go(export: Export) -> None:
    Export.objects.filter(pk=export.pk, lease=export.lease).update(due_at=Now())


def _start_again(export: Export, *, more: bool = False) -> None:
    """Begin from nothing: the file is not here (another machine had it), or needs one more column."""
    file.remove(export.pk)
    Export.objects.filter(pk=export.pk, lease=export.lease).update(
        chunk=0,
        rows=0,
        bytes_written=0,
        records=0,
        cursor_at=None,
        cursor_id=None,
        is_read=False,
        due_at=Now(),
        filter={**export.filter, **({"more": True} if more else {})},
    )


def stop(export: Export, reason: str) -> None:
    """End an export for good: its key goes with its files, so that nothing of it can be read."""
    with transaction.atomic():
        mine = Export.objects.filter(pk=export.pk, lease=export.lease, state__in=UNDER_WAY)
        if not mine.update(state=Export.State.FAILED, failure=reason[:200], wrapped_key=None, lease=F("lease") + 1):
            return  # another worker has it now, and asks the same questions
        library = LeadLibrary.objects.select_related("ad_account").get(pk=export.library_id)
        record_stopped(export, library, actor=export.requested_by)
    file.remove(export.pk)


def record_stopped(export: Export, library: LeadLibrary, *, actor: User, download: bool = False) -> None:
    """Record that an export, or a download of it, was stopped; in the trails of both sides when a transfer did it."""
    overtaken = export.custody != library.custody
    for scope in (library, *(other_trails(library) if overtaken else ())):
        audit.record(
            Act.EXPORT_STOPPED,
            scope,
            actor=actor,
            targets=[export.pk],
            count=export.rows,
            in_flight=(overtaken and (download or export.chunk > 0)) or None,
            transferred=overtaken or None,
            download=download or None,
            task=export.is_task or None,
        )
