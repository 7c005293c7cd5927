"""The work on one lead that has words of its own: when to come back to it, that it was contacted."""

from datetime import datetime, time, timedelta

from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, render
from django.utils import timezone
from django.utils.dateparse import parse_datetime
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_POST

from accounts.access import Can
from accounts.declarations import allows
from accounts.refusals import Conflict, Invalid
from leads.center.selectors.library import lead_of, library_of
from leads.center.selectors.lives import copy_answer
from leads.center.services.contacting import record_contact
from leads.center.services.following_up import finish_follow_up, set_follow_up
from leads.center.views.leads import after_change, not_taken
from leads.center.views.whole import person
from leads.crm.services.deliveries import resend_delivery, resend_failed
from leads.models import Delivery, Lead
from leads.selection import read_id

MORNING = time(9)
DAYS = ("1", "3", "7")


@allows(Can.WORK_LEADS, of="library")
@never_cache
@require_POST
def follow_up(request: HttpRequest, library_id: int, lead_id: int) -> HttpResponse:
    """Set when to come back to a lead (`days` from now at nine, or `due`, in the person's time zone), or close it."""
    actor = person(request)
    found = lead_of(actor, lead_id, can=Can.WORK_LEADS)
    try:
        if request.POST.get("done"):
            finish_follow_up(actor=actor, lead=found)
        else:
            user = request.POST.get("user")
            set_follow_up(actor=actor, lead=found, due_at=_due(request), user_id=read_id(user) if user else None)
    except (Invalid, ValueError) as error:
        return not_taken(request, library_id, lead_id, error)
    return after_change(request, library_id, lead_id)


def _due(request: HttpRequest) -> datetime:
    """Return the moment that the form asks for; raise `Invalid`."""
    days = request.POST.get("days", "")
    if days in DAYS:
        day = timezone.localdate() + timedelta(days=int(days))
        return timezone.make_aware(datetime.combine(day, MORNING))
    try:
        due = parse_datetime(request.POST.get("due", ""))
    except ValueError:
        due = None
    if due is None or not 2000 < due.year < 9000:
        raise Invalid({"due_at": _("Choose a day and a time.")})
    return due if timezone.is_aware(due) else timezone.make_aware(due)


@allows(Can.WORK_LEADS, of="library")
@never_cache
@require_POST
def contacted(request: HttpRequest, library_id: int, lead_id: int) -> HttpResponse:
    """Record that a lead was called or written to; `part` asks for the offer to set the status alone, so that the
    contact details stay in sight.
    """
    actor = person(request)
    found = lead_of(actor, lead_id, can=Can.WORK_LEADS)
    try:
        record_contact(actor=actor, lead=found, how=request.POST.get("how", ""))
    except Invalid as invalid:
        return not_taken(request, library_id, lead_id, invalid)
    if request.POST.get("part") and getattr(request, "htmx", False):
        query = request.GET.urlencode()
        change_url = f"/l/{found.library_id}/leads/{found.pk}/change/" + (f"?{query}" if query else "")
        offer = {"change_url": change_url, "offered": found.status == Lead.Status.RAW, "said": True}
        return render(request, "leads/_contacted.html", {"offer": offer})
    return after_change(request, library_id, lead_id)


@allows(Can.VIEW_LEADS, of="library")
@never_cache
@require_POST
def copied(request: HttpRequest, library_id: int, lead_id: int) -> HttpResponse:
    """Return the answer `key` of a live lead as text, to be put on the clipboard, once the trail has it."""
    actor = person(request)
    found = lead_of(actor, lead_id)
    if found.library_id != library_id:
        raise Http404
    value = copy_answer(actor=actor, lead=found, key=request.POST.get("key", ""))
    return HttpResponse(value, content_type="text/plain; charset=utf-8")


@allows(Can.CONNECT_CRM, of="library")
@never_cache
@require_POST
def resend(request: HttpRequest, library_id: int, lead_id: int) -> HttpResponse:
    """Send one delivery of a lead again, now, under its old id; without `delivery`, each of its that failed."""
    library, actor, posted = library_of(library_id), person(request), request.POST.get("delivery", "")
    try:
        if posted:
            row = get_object_or_404(Delivery, pk=read_id(posted), library_id=library_id, lead_id=lead_id)
            resend_delivery(actor=actor, delivery_id=row.pk)
        else:
            resend_failed(actor=actor, library=library, lead_ids=[lead_id])
    except (Conflict, ValueError) as error:
        messages.error(request, error.detail if isinstance(error, Conflict) else str(error))
    return after_change(request, library_id, lead_id)
