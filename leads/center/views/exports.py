"""Exports as pages: what was asked for, how far it is, and the file."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime

from django.contrib import messages
from django.http import HttpRequest, HttpResponse, StreamingHttpResponse
from django.http.response import HttpResponseBase
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_GET

from accounts.access import Can
from accounts.declarations import allows
from accounts.freshness import fresh_download
from accounts.models import LeadLibrary
from accounts.refusals import Conflict
from accounts.shell import shell
from accounts.views import person
from leads.center.saying import in_words, names_of, people_of
from leads.center.selectors.library import library_of
from leads.center.views.exporting import Wanted, new_export_url
from leads.exports.selectors import History, Taken, exports_of, get_export, histories_of
from leads.exports.services.handing_out import download
from leads.models import Export
from leads.selection import Selection
from leadscenter.lib.display import initials
from leadscenter.lib.paging import BadCursor

UNDER_WAY = (Export.State.PENDING, Export.State.RUNNING)
OVER = (Export.State.FAILED, Export.State.EXPIRED)
MOST_IN_ADDRESS = 50


@dataclass(frozen=True, slots=True)
class ExportRow:
    id: int
    who: str
    initials: str
    format: str
    layout: str
    columns: int
    which: str
    state: str
    state_label: str
    failure: str
    rows: int
    total: int
    requested_at: datetime
    expires_at: datetime | None
    stale: bool
    is_task: bool
    taken: Taken | None
    untaken: str
    again: str


@allows(Can.DOWNLOAD_LEADS, of="library")
@never_cache
@require_GET
def exports(request: HttpRequest, library_id: int) -> HttpResponse:
    """List the exports of the library, newest first; the part with the rows asks again while one is under way."""
    library, actor = library_of(library_id), person(request)
    try:
        page = exports_of(actor, library, cursor=request.GET.get("cursor") or None)
    except BadCursor:
        page = exports_of(actor, library)
    histories = histories_of(actor, library, page.rows)
    filters = [Selection.from_json(row.filter) for row in page.rows]
    names = names_of(filters) | people_of(filters, but=actor.pk)
    rows = [
        _row(row, library, histories[row.pk], selection, in_words(library, selection, names, actor.pk))
        for row, selection in zip(page.rows, filters, strict=True)
    ]
    context = {
        "library": library,
        "rows": rows,
        "running": any(row.state in UNDER_WAY for row in rows),
        "before": f"?cursor={page.previous}" if page.previous else "",
        "after": f"?cursor={page.next}" if page.next else "",
    }
    if getattr(request, "htmx", False):
        return render(request, "leads/_exports.html", context)
    return render(request, "leads/exports.html", {**context, **shell(request, library=library, active="exports")})


def _row(export: Export, library: LeadLibrary, history: History, selection: Selection, which: str) -> ExportRow:
    who = str(history.by or library.custodian.name)
    return ExportRow(
        id=export.pk,
        who=who,
        initials=history.by.initials if history.by else initials(who),
        format=export.format.upper(),
        layout=str(export.get_layout_display()),
        columns=len(export.columns),
        which=which,
        state=export.state,
        state_label=export.get_state_display(),
        failure=export.failure,
        rows=export.rows,
        total=export.total,
        requested_at=export.requested_at,
        expires_at=export.expires_at,
        stale=export.custody != library.custody,
        is_task=export.is_task,
        taken=history.taken,
        untaken=_("not yet") if history.whole else _("not by your side"),
        again=_again(export, library, selection) if export.state in OVER else "",
    )


def _again(export: Export, library: LeadLibrary, selection: Selection) -> str:
    """Return where the same file can be asked for anew: not for many chosen leads, which fit no address."""
    if export.custody != library.custody or len(selection.leads) > MOST_IN_ADDRESS:
        return ""
    wanted = Wanted(export.format, export.layout, tuple(export.columns), export.time_zone)
    return new_export_url(library, selection, wanted)


@allows(Can.DOWNLOAD_LEADS, of="library")
@never_cache
@require_GET
@fresh_download
def export_file(request: HttpRequest, library_id: int, export_id: int) -> HttpResponseBase:
    """Stream the file; the right is asked again before every MiB."""
    actor = person(request)
    export = get_export(actor, export_id)
    if export.library_id != library_id:
        return redirect("export_file", export.library_id, export_id)
    try:
        found = download(actor=actor, export=export)
    except Conflict as conflict:
        messages.error(request, conflict.detail)
        return redirect("exports", library_id)
    parts: Iterator[bytes] = found.parts
    answer = StreamingHttpResponse(parts, content_type=found.content_type)
    answer["Content-Length"] = str(found.length)
    answer["Content-Disposition"] = f'attachment; filename="{found.name}"'
    return answer
