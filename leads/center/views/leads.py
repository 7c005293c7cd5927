"""The list of leads, the lead in its drawer, and the work on them. Every page is whole without htmx."""

from collections.abc import Mapping, Sequence
from typing import Any
from urllib.parse import parse_qsl, urlsplit

from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils.html import format_html, format_html_join
from django.utils.http import url_has_allowed_host_and_scheme
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_GET, require_POST

from accounts.access import Can, require
from accounts.declarations import allows
from accounts.freshness import fresh
from accounts.models import LeadLibrary
from accounts.refusals import Conflict, Invalid
from leads.center.layout import Layout, layout_of, moved
from leads.center.selectors.board import count_columns
from leads.center.selectors.counting import tabs
from leads.center.selectors.library import lead_of, library_of
from leads.center.selectors.lives import KEPT, may_keep
from leads.center.selectors.saved import saved_views
from leads.center.services.deleting import delete_leads, restore_leads
from leads.center.services.noting import remove_note
from leads.center.services.working import KEEP, Change, add_note, change_leads
from leads.center.views.addresses import BOARD, REVEALED, STOOD, address, place_of
from leads.center.views.columns import numbers_of
from leads.center.views.detail import drawer_of
from leads.center.views.listing import count_said
from leads.center.views.tabs import views_of
from leads.center.views.whole import by_htmx, person, whole_board, whole_list
from leads.center.views.wording import status_badges
from leads.models import Lead, SavedView
from leads.naming import Several, offers
from leads.selection import read_id, read_selection, with_search

Params = Mapping[str, Any]
GONE = gettext_lazy("This lead is no longer here. It may be in the trash.")


@allows(Can.VIEW_LEADS, of="library")
@never_cache
@require_GET
def leads(request: HttpRequest, library_id: int) -> HttpResponse:
    """Show the list of leads, contact details masked."""
    library = library_of(library_id)
    saved = saved_views(person(request), library)
    if elsewhere := first_view(request, library, saved) or _columns_chosen(request, library):
        return redirect(elsewhere)
    return render(request, "leads/list.html", whole_list(request, library, saved=saved))


def first_view(
    request: HttpRequest, library: LeadLibrary, saved: Sequence[SavedView], place: Mapping[str, str] | None = None
) -> str:
    """Return where a bare address leads to: a person's first view, on the board if `place` says so."""
    mine = next((view for view in saved if view.is_default and view.owner_id == request.user.pk), None)
    if request.GET or mine is None:
        return ""
    return address(library, {**mine.query, "view": str(mine.pk), **(place or {})})


def _columns_chosen(request: HttpRequest, library: LeadLibrary) -> str:
    """Return the address that the column chooser's form means."""
    if "col" not in request.GET and "move" not in request.GET:
        return ""
    kept = {name: str(value) for name, value in request.GET.items() if name not in ("col", "cols", "move")}
    columns = moved(request.GET.getlist("col"), request.GET.get("move", ""))
    return address(library, kept | Layout(columns=columns).as_params())


@allows(Can.VIEW_LEADS, of="library")
@require_GET
def counts(request: HttpRequest, library_id: int) -> HttpResponse:
    """Return the views of the list with their counts: a request of its own, after the page."""
    library, actor = library_of(library_id), person(request)
    require(actor, Can.VIEW_LEADS, library)
    selection, layout = read_selection(library, request.GET, actor=actor), layout_of(request.GET)
    saved = saved_views(actor, library)
    queries = {str(view.pk): view.query for view in saved}
    numbers = tabs(actor, library, selection.without("leads"), saved=queries | {"here": request.GET, "everything": {}})
    opened = str(request.GET.get("view", ""))
    place = place_of(request.GET)
    views = views_of(
        library, selection, layout, actor, saved=saved, open_view=opened, counted=numbers, base=address(library, place)
    )
    asked: dict[str, Any] = {"actor": actor, "library": library, "selection": selection, "order": layout.order}
    columns = numbers_of(count_columns(**asked)) if place else ()
    by_key = {tab.key: tab for tab in numbers}
    here = by_key.get("here")
    page = {
        "views": views,
        "count_text": count_said(here, by_key.get("everything")),
        "matching": f"{here.count:,}{'+' if here.more else ''}" if here else "",
        "counts_url": request.get_full_path(),
    }
    return render(request, "leads/_views.html", {"page": page, "counts": True, "numbers": columns})


@allows(Can.VIEW_LEADS, of="library")
@never_cache
@require_GET
def names(request: HttpRequest, library_id: int) -> HttpResponse:
    """Return what the search offers while somebody types: all of it at once, so that what is typed stays there."""
    library = library_of(library_id)
    require(person(request), Can.VIEW_LEADS, library)
    return render(request, "leads/_names.html", {"offers": offers(library)})


@allows(Can.VIEW_LEADS, of="library")
@require_POST
def search(request: HttpRequest, library_id: int) -> HttpResponse:
    """Turn what was typed into digests and lead to the list: the address never holds the value."""
    library, actor = library_of(library_id), person(request)
    require(actor, Can.VIEW_LEADS, library)
    selection = read_selection(library, request.POST, actor=actor).without("words").without("leads")
    columns = {"cols": request.POST["cols"]} if request.POST.get("cols") else {}
    kept = columns | place_of(request.POST)
    try:
        selection = with_search(selection, library, request.POST.get("q", ""))
    except Several as several:
        said = selection.as_params()
        links = ((address(library, said | {one.kind: str(one.id)} | kept), one.text) for one in several.offers)
        found = format_html_join(" ", '<a class="link" href="{}">{}</a>', links)
        messages.error(request, format_html("{} {}", _("More than one is called so. Choose one:"), found))
    except Invalid as invalid:
        messages.error(request, str(next(iter(invalid.errors.values()))))
    return redirect(address(library, ((selection.as_params() | columns) or {"view": "all"}) | kept))


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
    kept = changed and REVEALED in request.GET and may_keep(actor, found)
    here = request.build_absolute_uri(_page_of(request, library_id, lead_id, without=(REVEALED, STOOD)))
    drawer = drawer_of(actor, found, request.GET, revealed=revealed or kept, address=here, purpose=KEPT if kept else "")
    if by_htmx(request):
        parts = {"drawer": drawer, "rows": [drawer.row] if changed else [], "statuses": status_badges()}
        response = render(request, "leads/_drawer_and_row.html", parts)
        response["Vary"] = "HX-Request"
        return response
    if drawer.board:
        context = whole_board(request, found.library, selected=found.pk)
        return render(request, "leads/board.html", {**context, "drawer": drawer})
    context = whole_list(request, found.library, selected=found.pk)
    return render(request, "leads/list.html", {**context, "drawer": drawer})


def _in_trash(lead_id: int) -> bool:
    return Lead.objects.filter(pk=lead_id, state=Lead.State.TRASHED).exists()


def after_change(request: HttpRequest, library_id: int, lead_id: int) -> HttpResponse:
    """Answer a change of one lead: the drawer and the row of the list anew for htmx, else its page.

    Contact details that were in sight stay there, with a trace of their own.
    """
    if getattr(request, "htmx", False):
        response = _drawer(request, library_id, lead_id, changed=True)
        response["HX-Trigger"] = "leads-changed"  # the views count anew
        return response
    return redirect(_page_of(request, library_id, lead_id))


def _page_of(request: HttpRequest, library_id: int, lead_id: int, *, without: Sequence[str] = (REVEALED,)) -> str:
    """Return the address of the lead's page, beside the list that the request was made from."""
    query = request.GET.copy()
    for name in without:
        query.pop(name, None)
    return f"/l/{library_id}/leads/{lead_id}/" + (f"?{query.urlencode()}" if query else "")


def not_taken(request: HttpRequest, library_id: int, lead_id: int, why: Invalid | ValueError) -> HttpResponse:
    """Say why a change was refused: for htmx by a message alone, so that the drawer keeps what was typed."""
    messages.error(request, str(next(iter(why.errors.values())) if isinstance(why, Invalid) else why))
    if not getattr(request, "htmx", False):
        return after_change(request, library_id, lead_id)
    response = render(request, "toasts.html")
    response["HX-Retarget"], response["HX-Reswap"] = "#toasts", "beforeend"
    return response


@allows(Can.WORK_LEADS, of="library")
@require_POST
def change(request: HttpRequest, library_id: int, lead_id: int) -> HttpResponse:
    """Set the status or the assignee of a lead, or put a label on or off."""
    library, actor = library_of(library_id), person(request)
    try:
        change_leads(actor=actor, library=library, lead_ids=[lead_id], change=wanted_change(request.POST))
    except Invalid as invalid:
        return not_taken(request, library_id, lead_id, invalid)
    return after_change(request, library_id, lead_id)


def wanted_change(posted: Params) -> Change:
    """Return the change that a form asks for; raise `Invalid` for an assignee that is no id."""
    assignee: str | int | None = posted.get("assignee")
    if assignee and assignee != "none":
        try:
            assignee = read_id(str(assignee))
        except ValueError as error:
            raise Invalid({"assignee": str(error)}) from error
    added = posted.get("label_on") or (posted.get("label_text") if posted.get("act") == "label" else "")
    removed = posted.get("label_off") or (posted.get("label_text") if posted.get("act") == "unlabel" else "")
    return Change(
        status=posted["status"] if posted.get("status") else KEEP,
        was=posted.get("was", ""),
        assignee=assignee if isinstance(assignee, int) else None if assignee else KEEP,
        add_labels=[added] if added else (),
        remove_labels=[removed] if removed else (),
    )


@allows(Can.WORK_LEADS, of="library")
@require_POST
def note(request: HttpRequest, library_id: int, lead_id: int) -> HttpResponse:
    """Add a note to a lead, sealed like the answers, or take an own one back (`remove`)."""
    found = lead_of(person(request), lead_id, can=Can.WORK_LEADS)
    if removed := request.POST.get("remove"):
        remove_note(actor=person(request), lead=found, note_id=_id(removed))
        return after_change(request, library_id, lead_id)
    try:
        add_note(actor=person(request), lead=found, text=request.POST.get("text", ""))
    except Invalid as invalid:
        return not_taken(request, library_id, lead_id, invalid)
    return after_change(request, library_id, lead_id)


def _id(text: str) -> int:
    try:
        return read_id(text)
    except ValueError as error:
        raise Http404 from error


@allows(Can.DELETE_LEADS, of="library")
@require_POST
@fresh
def delete(request: HttpRequest, library_id: int, lead_id: int) -> HttpResponse:
    """Put one lead into the trash."""
    library, back = library_of(library_id), back_of(request, library_id)
    try:
        delete_leads(actor=person(request), library=library, lead_ids=[lead_id])
    except Http404:  # a second press, or a colleague
        messages.error(request, str(GONE))
        return redirect(back)
    place = urlsplit(back)
    beside = dict(parse_qsl(place.query)) | ({BOARD: "1"} if place.path.endswith("/board/") else {})
    undo = address(library, beside, lead_id, "restore/")
    messages.success(request, _("Lead deleted. It stays in the trash for 30 days."), extra_tags=undo)
    return redirect(back)


@allows(Can.DELETE_LEADS, of="library")
@require_POST
def restore(request: HttpRequest, library_id: int, lead_id: int) -> HttpResponse:
    """Take one lead out of the trash, and show it beside the list that it was deleted from."""
    try:
        restore_leads(actor=person(request), library=library_of(library_id), lead_ids=[lead_id])
    except Http404:
        messages.error(request, _("This lead is not in the trash any more."))
        return redirect(back_of(request, library_id))
    except Conflict as conflict:
        messages.error(request, conflict.detail)
    else:
        messages.success(request, _("Lead put back, with everything that was on it."))
    return redirect(_page_of(request, library_id, lead_id))


def back_of(request: HttpRequest, library_id: int) -> str:
    """Return the list address that a form names in `next`, if it is one of ours."""
    where = request.POST.get("next", "")
    allowed = where.startswith(f"/l/{library_id}/leads/") and url_has_allowed_host_and_scheme(where, None)
    return where if allowed else f"/l/{library_id}/leads/"
