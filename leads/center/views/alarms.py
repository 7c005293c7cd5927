"""The alarms of a library: what happened, what was kept, what to do, and taking note of it."""

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_GET, require_POST

from accounts.access import Can
from accounts.alarm_texts import told
from accounts.declarations import allows
from accounts.models import Alarm
from accounts.services.alarms import note_alarm
from accounts.shell import shell
from accounts.views import person
from leads.center.selectors.alarms import alarm_of, alarms_of
from leads.center.selectors.library import library_of
from leadscenter.lib.paging import BadCursor

ICONS = {
    Alarm.Kind.LARGE_DOWNLOAD: "exports",
    Alarm.Kind.MANY_REVEALS: "eye",
    Alarm.Kind.NEW_COUNTRY: "globe",
    Alarm.Kind.NEW_TOKEN: "api",
    Alarm.Kind.UNOPENABLE: "lock",
    Alarm.Kind.TRAIL_BROKEN: "history",
}


@allows(Can.VIEW_TRAIL, of="library")
@require_GET
def alarms(request: HttpRequest, library_id: int) -> HttpResponse:
    """List the alarms of the library, newest first."""
    library, actor = library_of(library_id), person(request)
    try:
        page = alarms_of(actor, library, cursor=request.GET.get("cursor") or None)
    except BadCursor:
        page = alarms_of(actor, library)
    context = {
        "library": library,
        "rows": [(alarm, told(alarm), ICONS[Alarm.Kind(alarm.kind)]) for alarm in page.rows],
        "before": f"?cursor={page.previous}" if page.previous else "",
        "after": f"?cursor={page.next}" if page.next else "",
        **shell(request, library=library, active="activity"),
    }
    return render(request, "leads/alarms.html", context)


@allows(Can.VIEW_TRAIL, of="library")
@require_POST
def alarm_noted(request: HttpRequest, library_id: int, alarm_id: int) -> HttpResponse:
    """Take note of an alarm."""
    library, actor = library_of(library_id), person(request)
    note_alarm(actor=actor, alarm=alarm_of(actor, library, alarm_id))
    messages.success(request, _("Noted. It stays in this list and in the trail."))
    return redirect("alarms", library_id)
