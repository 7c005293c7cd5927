"""A row of the list that is worked on in its place: one value changes, the row comes back as it stands."""

from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_POST

from accounts.access import Can
from accounts.declarations import allows
from leads.center.selectors.library import library_of
from leads.center.selectors.listing import list_leads
from leads.center.services.working import change_leads
from leads.center.views.leads import person, wanted_change
from leads.center.views.listing import row_of
from leads.selection import Selection


@allows(Can.WORK_LEADS, of="library")
@never_cache
@require_POST
def row(request: HttpRequest, library_id: int, lead_id: int) -> HttpResponse:
    """Set the status or assignee of a lead, or put a label on or off, and return its row."""
    library, actor = library_of(library_id), person(request)
    change_leads(actor=actor, library=library, lead_ids=[lead_id], change=wanted_change(request.POST))
    if not getattr(request, "htmx", False):
        return redirect(f"/l/{library_id}/leads/{lead_id}/")
    page = list_leads(actor=actor, library=library, selection=Selection(leads=(lead_id,)))
    params = {"cols": request.GET["cols"]} if request.GET.get("cols") else {}
    shown = row_of(library, page.rows[0], params, None)
    return render(request, "leads/_row.html", {"row": shown})
