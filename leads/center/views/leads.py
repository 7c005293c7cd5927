"""The list of leads, the lead in its drawer, and the work on them. Every page is whole without htmx."""

from collections.abc import Mapping
from typing import Any
from urllib.parse import urlencode

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils.http import url_has_allowed_host_and_scheme
from django.utils.translation import gettext as _
from django.utils.translation import ngettext
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_GET, require_POST

from accounts.access import Can, require
from accounts.declarations import allows
from accounts.freshness import ask_again, fresh, is_fresh
from accounts.models import LeadLibrary, User
from accounts.refusals import Conflict, Invalid
from accounts.shell import shell
from leads.center.selectors.library import lead_of, library_of
from leads.center.selectors.listing import list_leads, tabs
from leads.center.services.bulk import ids_of
from leads.center.services.deleting import delete_leads, restore_leads
from leads.center.services.working import KEEP, Change, add_note, change_leads
from leads.center.views.detail import drawer_of
from leads.center.views.listing import list_page, views_of
from leads.exports.services.asking import request_export
from leads.models import Lead
from leads.selection import Selection, read_id, read_selection
from leads.vault.walking import words_of
from leadscenter.lib.paging import BadCursor

Params = Mapping[str, Any]


def person(request: HttpRequest) -> User:
    """Return who is signed in; the middleware has sent everybody else to sign in."""
    assert isinstance(request.user, User)
    return request.user


def order_of(params: Params) -> str:
    """Return the order that a URL asks for; anything unknown is newest first."""
    return "attention" if params.get("sort") == "attention" else "received"


def whole_list(request: HttpRequest, library: LeadLibrary, *, selected: int | None = None) -> dict[str, Any]:
    """Return the context of the list page for the filters in the URL; writes the trace of the look."""
    actor = person(request)
    selection = read_selection(library, request.GET, actor=actor)
    order = order_of(request.GET)
    try:
        page = list_leads(
            actor=actor, library=library, selection=selection, order=order, cursor=request.GET.get("cursor") or None
        )
    except BadCursor:
        page = list_leads(actor=actor, library=library, selection=selection, order=order)
    listed = list_page(actor, library, selection, order, page, request.GET, selected=selected)
    return {"page": listed, **shell(request, library=library, active="leads")}


@allows(Can.VIEW_LEADS, of="library")
@never_cache
@require_GET
def leads(request: HttpRequest, library_id: int) -> HttpResponse:
    """Show the list of leads, contact details masked."""
    return render(request, "leads/list.html", whole_list(request, library_of(library_id)))


@allows(Can.VIEW_LEADS, of="library")
@require_GET
def counts(request: HttpRequest, library_id: int) -> HttpResponse:
    """Return the views of the list with their counts: a request of its own, after the page."""
    library, actor = library_of(library_id), person(request)
    selection = read_selection(library, request.GET, actor=actor)
    views = views_of(library, selection, order_of(request.GET), actor, counted=tabs(actor, library, selection))
    return render(request, "leads/_views.html", {"page": {"views": views}, "counts": True})


@allows(Can.VIEW_LEADS, of="library")
@require_POST
def search(request: HttpRequest, library_id: int) -> HttpResponse:
    """Turn what was typed into digests and lead to the list: the address never holds the value."""
    library, actor = library_of(library_id), person(request)
    require(actor, Can.VIEW_LEADS, library)
    selection = read_selection(library, request.POST, actor=actor)
    words = words_of(library.pk, request.POST.get("q", ""))
    kept = selection.without("words").as_params()
    if words:
        kept["s"] = ".".join(word.encode() for word in words)
    return redirect(f"/l/{library.pk}/leads/?{urlencode(kept)}" if kept else f"/l/{library.pk}/leads/")


@allows(Can.VIEW_LEADS, of="library")
@never_cache
@require_GET
def lead(request: HttpRequest, library_id: int, lead_id: int) -> HttpResponse:
    """Show one lead: as the drawer for htmx, beside its list as a whole page."""
    return _drawer(request, library_id, lead_id)


@allows(Can.VIEW_LEADS, of="library")
@never_cache
@require_POST
def reveal(request: HttpRequest, library_id: int, lead_id: int) -> HttpResponse:
    """Show one lead with its contact details; the trail says who and when."""
    return _drawer(request, library_id, lead_id, revealed=True)


def _drawer(
    request: HttpRequest, library_id: int, lead_id: int, *, revealed: bool = False, changed: bool = False
) -> HttpResponse:
    actor = person(request)
    found = lead_of(actor, lead_id, trashed=_in_trash(lead_id))
    if found.library_id != library_id:
        return redirect(f"/l/{found.library_id}/leads/{found.pk}/")
    address = request.build_absolute_uri()
    drawer = drawer_of(actor, found, request.GET, revealed=revealed, address=address.removesuffix("reveal/"))
    if getattr(request, "htmx", False) and not request.htmx.history_restore_request:  # type: ignore[attr-defined]
        parts = {"drawer": drawer, "row": drawer.row if changed else None}
        response = render(request, "leads/_drawer_and_row.html", parts)
        response["Vary"] = "HX-Request"
        return response
    context = whole_list(request, found.library, selected=found.pk)
    return render(request, "leads/list.html", {**context, "drawer": drawer})


def _in_trash(lead_id: int) -> bool:
    return Lead.objects.filter(pk=lead_id, state=Lead.State.TRASHED).exists()


def _after(request: HttpRequest, library_id: int, lead_id: int) -> HttpResponse:
    """Answer a change of one lead: the drawer and the row of the list anew for htmx, else its page."""
    if getattr(request, "htmx", False):
        return _drawer(request, library_id, lead_id, changed=True)
    query = request.GET.urlencode()
    return redirect(f"/l/{library_id}/leads/{lead_id}/" + (f"?{query}" if query else ""))


@allows(Can.WORK_LEADS, of="library")
@require_POST
def change(request: HttpRequest, library_id: int, lead_id: int) -> HttpResponse:
    """Set the status or the assignee of a lead, or put a label on or off."""
    library, actor = library_of(library_id), person(request)
    wanted = _wanted(request.POST)
    if taken := request.POST.get("label_off"):
        found = lead_of(actor, lead_id, can=Can.WORK_LEADS)
        names = [row.label.name for row in found.labelled.select_related("label") if row.label.name != taken]
        wanted = Change(labels=names)
    try:
        change_leads(actor=actor, library=library, lead_ids=[lead_id], change=wanted)
    except Invalid as invalid:
        messages.error(request, str(next(iter(invalid.errors.values()))))
    return _after(request, library_id, lead_id)


def _wanted(posted: Params) -> Change:
    assignee = posted.get("assignee")
    added = posted.get("label_on") or (posted.get("label_text") if posted.get("act") == "label" else "")
    return Change(
        status=posted["status"] if posted.get("status") else KEEP,
        assignee=KEEP if not assignee else None if assignee == "none" else read_id(assignee),
        add_labels=[added] if added else (),
    )


@allows(Can.WORK_LEADS, of="library")
@require_POST
def note(request: HttpRequest, library_id: int, lead_id: int) -> HttpResponse:
    """Add a note to a lead; it is sealed like the answers."""
    found = lead_of(person(request), lead_id, can=Can.WORK_LEADS)
    try:
        add_note(actor=person(request), lead=found, text=request.POST.get("text", ""))
    except Invalid as invalid:
        messages.error(request, str(next(iter(invalid.errors.values()))))
    return _after(request, library_id, lead_id)


@allows(Can.DELETE_LEADS, of="library")
@require_POST
@fresh
def delete(request: HttpRequest, library_id: int, lead_id: int) -> HttpResponse:
    """Put one lead into the trash."""
    delete_leads(actor=person(request), library=library_of(library_id), lead_ids=[lead_id])
    messages.success(
        request,
        _("Lead deleted. It stays in the trash for 30 days."),
        extra_tags=f"/l/{library_id}/leads/{lead_id}/restore/",
    )
    return redirect(back_of(request, library_id))


@allows(Can.DELETE_LEADS, of="library")
@require_POST
def restore(request: HttpRequest, library_id: int, lead_id: int) -> HttpResponse:
    """Take one lead out of the trash."""
    restore_leads(actor=person(request), library=library_of(library_id), lead_ids=[lead_id])
    messages.success(request, _("Lead put back, with everything that was on it."))
    return redirect(f"/l/{library_id}/leads/{lead_id}/")


@allows(Can.WORK_LEADS, of="library")
@require_POST
def bulk(request: HttpRequest, library_id: int) -> HttpResponse:
    """Do one thing to the chosen leads, or to all that match the list's filter: status, assignee, label, trash."""
    library, actor = library_of(library_id), person(request)
    require(actor, Can.WORK_LEADS, library)
    if request.POST.get("act") == "delete" and not is_fresh(request):
        return ask_again(request)
    try:
        ids = [read_id(text) for text in request.POST.getlist("ids")]
        if request.POST.get("scope") == "all":
            ids = ids_of(actor=actor, library=library, selection=read_selection(library, request.GET, actor=actor))
        told = _bulk(actor, library, ids, request.POST) if ids else _("Choose leads first: a tick in front of each.")
    except ValueError:
        told = _("Choose leads first: a tick in front of each.")
    except Invalid as invalid:
        messages.error(request, str(next(iter(invalid.errors.values()))))
    except Conflict as conflict:
        messages.error(request, conflict.detail)
    else:
        messages.success(request, told)
    return redirect(back_of(request, library_id))


def _bulk(actor: User, library: LeadLibrary, ids: list[int], posted: Params) -> str:
    count = len(ids)
    match posted.get("act"):
        case "delete":
            delete_leads(actor=actor, library=library, lead_ids=ids)
            done = ngettext("%(n)s lead deleted.", "%(n)s leads deleted.", count)
            return (done + " " + _("The trash keeps them for 30 days.")) % {"n": count}
        case "restore":
            restore_leads(actor=actor, library=library, lead_ids=ids)
            return ngettext("%(n)s lead put back.", "%(n)s leads put back.", count) % {"n": count}
    differing = change_leads(actor=actor, library=library, lead_ids=ids, change=_wanted(posted))
    return ngettext("%(n)s lead changed.", "%(n)s leads changed.", len(differing)) % {"n": len(differing)}


@allows(Can.DOWNLOAD_LEADS, of="library")
@require_POST
@fresh
def download(request: HttpRequest, library_id: int) -> HttpResponse:
    """Ask for an export of what the list shows now; a worker makes the file."""
    library, actor = library_of(library_id), person(request)
    selection: Selection = read_selection(library, request.POST, actor=actor)
    try:
        request_export(actor=actor, library=library, selection=selection)
    except Conflict as conflict:
        messages.error(request, conflict.detail)
    else:
        messages.success(request, _("Export started. You may leave this page; the file waits here."))
    return redirect(f"/l/{library_id}/exports/")


def back_of(request: HttpRequest, library_id: int) -> str:
    """Return the list address that a form names in `next`, if it is one of ours."""
    where = request.POST.get("next", "")
    allowed = where.startswith(f"/l/{library_id}/leads/") and url_has_allowed_host_and_scheme(where, None)
    return where if allowed else f"/l/{library_id}/leads/"
