"""A row of the list or a card of the board is worked on in its place: one value changes, it comes back as it stands."""

from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_POST

from accounts.access import Can
from accounts.declarations import allows
from accounts.refusals import Conflict, Invalid
from leads.center.selectors.library import library_of
from leads.center.selectors.listing import list_leads
from leads.center.services.working import change_leads
from leads.center.views.addresses import BOARD, address, carried
from leads.center.views.leads import GONE, wanted_change
from leads.center.views.whole import by_htmx, person
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
    try:
        change_leads(actor=actor, library=library, lead_ids=[lead_id], change=wanted_change(request.POST))
    except (Invalid, Conflict, Http404) as wrong:
        return _refused(request, wrong, back=address(library, params))
    if not by_htmx(request):
        return redirect(address(library, params, None if BOARD in params else lead_id))
    page = list_leads(actor=actor, library=library, selection=Selection(leads=(lead_id,)))
    if not page.rows:  # deleted in between
        return _refused(request, Http404(), back=address(library, params))
    shown = Wording(library, params).row(page.rows[0])
    template = "leads/cards.jinja" if BOARD in params else "leads/rows.jinja"
    return render(request, template, {"rows": [shown], "statuses": status_badges()}, using="compiled")


def _refused(request: HttpRequest, why: Invalid | Conflict | Http404, *, back: str) -> HttpResponse:
    """Answer a script with the reason alone, which it says beside the value that goes back; others with a page."""
    if by_htmx(request):
        status, text = 404, str(GONE)
        if isinstance(why, Invalid):
            status, text = 400, str(next(iter(why.errors.values())))
        elif isinstance(why, Conflict):
            status, text = 409, why.detail
        return HttpResponse(text, status=status, content_type="text/plain; charset=utf-8")
    if not isinstance(why, Http404):
        raise why
    messages.error(request, str(GONE))
    return redirect(back)
