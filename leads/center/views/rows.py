"""A row of the list or a card of the board is worked on in its place: one value changes, it comes back as it stands."""

from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_POST

from accounts.access import Can
from accounts.declarations import allows
from leads.center.selectors.library import library_of
from leads.center.selectors.listing import list_leads
from leads.center.services.working import change_leads
from leads.center.views.addresses import BOARD, address, carried
from leads.center.views.leads import wanted_change
from leads.center.views.whole import person
from leads.center.views.wording import Wording, status_badges
from leads.selection import Selection


@allows(Can.WORK_LEADS, of="library")
@never_cache
@require_POST
def row(request: HttpRequest, library_id: int, lead_id: int) -> HttpResponse:
    """Set the status or assignee of a lead, or put a label on or off, and return its row or card.

    `was`: the status that its card stood under; a lead that has a third one by now is a conflict.
    """
    library, actor, params = library_of(library_id), person(request), carried(request.GET)
    change_leads(actor=actor, library=library, lead_ids=[lead_id], change=wanted_change(request.POST))
    if not getattr(request, "htmx", False):
        return redirect(address(library, params, None if BOARD in params else lead_id))
    page = list_leads(actor=actor, library=library, selection=Selection(leads=(lead_id,)))
    shown = Wording(library, params).row(page.rows[0])
    template = "leads/cards.jinja" if BOARD in params else "leads/rows.jinja"
    return render(request, template, {"rows": [shown], "statuses": status_badges()}, using="compiled")
