"""One import as a page: its columns, how far it is, what came of it; and what its person does with it."""

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import islice

from django.contrib import messages
from django.http import HttpRequest, HttpResponse, StreamingHttpResponse
from django.http.response import HttpResponseBase
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_GET, require_POST

from accounts.access import Can, may
from accounts.declarations import allows
from accounts.freshness import fresh_download
from accounts.models import LeadLibrary, User
from accounts.refusals import Conflict, Invalid
from accounts.shell import shell
from accounts.views import person
from leads.center.selectors.library import library_of
from leads.imports.faults import Overview, overview_of
from leads.imports.mapping import LEAVE_OUT, suggest, targets_of, targets_of_lead
from leads.imports.selectors import LOOKED_THROUGH, Column, columns_of, get_import
from leads.imports.services.asking import check, discard, start, table_of, version_content
from leads.imports.services.handing_out import download_faults
from leads.imports.views.listing import row_of, steps_of
from leads.models import Connection, Import
from leadscenter.lib.envelope import Tampered

State = Import.State
CURRENT = {State.UPLOADED: "columns", State.CHECKING: "check", State.CHECKED: "check"}


@dataclass(frozen=True, slots=True, repr=False)
class ColumnRow:
    """A column and what it fills; `suggested` while the choice is ours."""

    column: Column
    chosen: str
    suggested: bool
    error: str


@allows(Can.WORK_LEADS, of="library")
@never_cache
def import_one(request: HttpRequest, library_id: int, import_id: int) -> HttpResponse:
    """Show where the import is; POST maps its columns and has it checked."""
    actor, library = person(request), library_of(library_id)
    row = get_import(actor, import_id)
    if row.library_id != library_id:
        return redirect("import_one", row.library_id, import_id)
    if request.method == "POST":
        return _mapped(request, actor, library, row)
    if row.requested_by_id == actor.pk and _maps(row, library, request.GET.get("step") == "columns"):
        return _columns(request, actor, library, row)
    return _progress(request, actor, library, row)


def _maps(row: Import, library: LeadLibrary, wished: bool) -> bool:
    open_ = row.custody == library.custody and row.wrapped_key is not None
    return open_ and (row.state == State.UPLOADED or (wished and row.state == State.CHECKED))


def _mapped(request: HttpRequest, actor: User, library: LeadLibrary, row: Import) -> HttpResponse:
    keys = [value for name, value in sorted(_posted(request).items())]
    try:
        check(
            actor=actor,
            row=row,
            mapping=keys,
            duplicates=request.POST.get("duplicates", row.duplicates),
            deliver=request.POST.get("deliver") == "on",
        )
    except Invalid as invalid:
        return _columns(request, actor, library, row, keys, dict(invalid.errors))
    return redirect("import_one", library.pk, row.pk)


def _posted(request: HttpRequest) -> dict[int, str]:
    names = [name for name in request.POST if name.startswith("column-") and name[7:].isdecimal()]
    return {int(name[7:]): request.POST[name] for name in names}


def _columns(
    request: HttpRequest,
    actor: User,
    library: LeadLibrary,
    row: Import,
    keys: list[str] | None = None,
    errors: dict[str, str] | None = None,
) -> HttpResponse:
    """Show which column fills what, with values of the first rows."""
    table, content = table_of(row), version_content(row)
    first = list(islice(table.rows, LOOKED_THROUGH))
    suggested = suggest(table.headings, content, first)
    chosen = keys or row.mapping or suggested
    told = errors or {}
    rows = [
        ColumnRow(
            column,
            chosen[column.place] if column.place < len(chosen) else LEAVE_OUT,
            not keys and not row.mapping and suggested[column.place] != LEAVE_OUT,
            told.get(f"mapping.{column.place}", ""),
        )
        for column in columns_of(table.headings, first, suggested)
    ]
    context = {
        "library": library,
        "row": row_of(row, library, actor.pk),
        "columns": rows,
        "questions": targets_of(content),
        "of_lead": targets_of_lead(),
        "errors": [text for name, text in told.items() if "." not in name],
        "faults": told,
        "notices": row.notices.split(),
        "policies": Import.Duplicates.choices,
        "duplicates": request.POST.get("duplicates", row.duplicates),
        "deliver": request.POST.get("deliver") == "on" if keys else row.deliver,
        "may_deliver": may(actor, Can.CONNECT_CRM, library)
        and Connection.objects.filter(library=library, removed_at=None).exists(),
        "steps": steps_of(row.state, "columns"),
        **shell(request, library=library, active="leads"),
    }
    return render(request, "leads/import_columns.html", context, status=400 if told else 200)


def _progress(request: HttpRequest, actor: User, library: LeadLibrary, row: Import) -> HttpResponse:
    shown = row_of(row, library, actor.pk)
    page = f"/l/{library.pk}/imports/{row.pk}/"
    current = CURRENT.get(State(row.state), "import")
    faults = _faults(row) if shown.has_faults and not shown.stale else Overview([], [])
    context = {
        "library": library,
        "row": shown,
        "faults": faults.first,
        "reasons": faults.reasons,
        "notices": row.notices.split(),
        "policy": row.get_duplicates_display(),
        "deliver": row.deliver,
        "to_import": row.made + row.updated,
        "may_download": may(actor, Can.DOWNLOAD_LEADS, library),
        "steps": steps_of(row.state, current, map_url=f"{page}?step=columns" if shown.waits else ""),
    }
    if getattr(request, "htmx", False):
        return render(request, "leads/_import.html", context)
    return render(request, "leads/import_one.html", {**context, **shell(request, library=library, active="leads")})


def _faults(row: Import) -> Overview:
    try:
        return overview_of(row)
    except (FileNotFoundError, Tampered):
        return Overview([], [])


@allows(Can.WORK_LEADS, of="library")
@require_POST
def import_run(request: HttpRequest, library_id: int, import_id: int) -> HttpResponse:
    """Import what was checked."""
    row = start(actor=person(request), row=get_import(person(request), import_id))
    return redirect("import_one", row.library_id, row.pk)


@allows(Can.WORK_LEADS, of="library")
@require_POST
def import_discard(request: HttpRequest, library_id: int, import_id: int) -> HttpResponse:
    """Throw the file away, or the faulty rows of an import that has ended."""
    row = get_import(person(request), import_id)
    discard(actor=person(request), row=row)
    messages.success(request, _("The file is deleted. Leads that were imported stay."))
    return redirect("imports", row.library_id)


@allows(Can.DOWNLOAD_LEADS, of="library")
@never_cache
@require_GET
@fresh_download
def import_faults(request: HttpRequest, library_id: int, import_id: int) -> HttpResponseBase:
    """Stream the faulty rows; the right is asked again before every MiB."""
    actor = person(request)
    row = get_import(actor, import_id, can=Can.DOWNLOAD_LEADS)
    try:
        found = download_faults(actor=actor, row=row)
    except Conflict as conflict:
        messages.error(request, conflict.detail)
        return redirect("import_one", row.library_id, import_id)
    parts: Iterator[bytes] = found.parts
    answer = StreamingHttpResponse(parts, content_type=found.content_type)
    answer["Content-Length"] = str(found.length)
    answer["Content-Disposition"] = f'attachment; filename="{found.name}"'
    return answer
