"""Exports as pages: what was asked for, how far it is, and the file."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime

from django.contrib import messages
from django.http import HttpRequest, HttpResponse, StreamingHttpResponse
from django.http.response import HttpResponseBase
from django.shortcuts import redirect, render
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_GET

from accounts.access import Can
from accounts.declarations import allows
from accounts.freshness import fresh_download
from accounts.refusals import Conflict
from accounts.shell import shell
from accounts.views import person
from leads.center.selectors.library import library_of
from leads.exports.selectors import exports_of, get_export
from leads.exports.services.handing_out import download
from leads.models import Export
from leadscenter.lib.paging import BadCursor

UNDER_WAY = (Export.State.PENDING, Export.State.RUNNING)


@dataclass(frozen=True, slots=True)
class ExportRow:
    id: int
    who: str
    initials: str
    format: str
    state: str
    state_label: str
    failure: str
    rows: int
    total: int
    requested_at: datetime
    expires_at: datetime | None
    stale: bool


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
    rows = [
        ExportRow(
            id=row.pk,
            who=str(row.requested_by),
            initials=row.requested_by.initials,
            format=row.format.upper(),
            state=row.state,
            state_label=row.get_state_display(),
            failure=row.failure,
            rows=row.rows,
            total=row.total,
            requested_at=row.requested_at,
            expires_at=row.expires_at,
            stale=row.custody != library.custody,
        )
        for row in page.rows
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
