"""What was done, as a page with filters and as a file: in a library, an ad account, a Business Center, by oneself."""

from collections.abc import Iterator
from typing import Any

from django.http import HttpRequest, HttpResponse, StreamingHttpResponse
from django.http.response import HttpResponseBase
from django.shortcuts import get_object_or_404, render
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_GET

from accounts.access import Can
from accounts.audit import scope_of
from accounts.declarations import allows, signed_in
from accounts.models import BusinessCenter, Scope, TrailSeal
from accounts.shell import shell
from accounts.views import account_of, person
from leads.center.selectors.activity import (
    GROUPS,
    TrailFilter,
    TrailOf,
    parts_of_trail,
    people_in,
    read_trail_filter,
    record_download,
    require_trail,
    trail,
)
from leads.center.selectors.alarms import unseen_alarms
from leads.center.selectors.library import library_of
from leads.center.views.entries import HEADING, entries_of, lines_of
from leadscenter.lib.cells import csv_line
from leadscenter.lib.paging import BadCursor


@allows(Can.VIEW_TRAIL, of="library")
@require_GET
def activity(request: HttpRequest, library_id: int) -> HttpResponseBase:
    """Show the trail of the library, newest first; reading it stands in it."""
    found, actor = library_of(library_id), person(request)
    around = {
        "library": found,
        "sub": _("Every look at a lead, every change and every refusal. It can be added to, never altered."),
    }
    answer = _answer(request, found, around)
    if isinstance(answer, HttpResponseBase):
        return answer
    context = {
        **answer,
        "unseen": unseen_alarms(actor, found, [Can.VIEW_TRAIL]),
        **shell(request, library=found, active="activity"),
    }
    return render(request, "leads/activity.html", context)


@allows(Can.MANAGE_MEMBERS, of="ad_account")
@require_GET
def account_activity(request: HttpRequest, ad_account_id: int) -> HttpResponseBase:
    """Show the trail of the ad account: campaigns, forms, members, shares and transfers, never a look at a lead."""
    found = account_of(ad_account_id)
    around = {"sub": _("What was done with campaigns, forms, members and shares. It can be added to, never altered.")}
    answer = _answer(request, found, around)
    if isinstance(answer, HttpResponseBase):
        return answer
    context = {**answer, **shell(request, ad_account=found, active="members")}
    return render(request, "leads/activity.html", context)


@signed_in
@require_GET
def center_activity(request: HttpRequest, business_center_id: int) -> HttpResponseBase:
    """Show the trail of the Business Center to its Admins."""
    found = get_object_or_404(BusinessCenter, pk=business_center_id)
    around = {
        "of": found.name,
        "sub": _("What was done with members, accounts, shares and transfers. It can be added to, never altered."),
    }
    answer = _answer(request, found, around)
    if isinstance(answer, HttpResponseBase):
        return answer
    return render(request, "leads/activity.html", {**answer, **shell(request, active="centers")})


@signed_in
@require_GET
def own_activity(request: HttpRequest) -> HttpResponseBase:
    """Show somebody what stands in the platform's trail of themselves: sign-ins, tokens, second factors."""
    around = {
        "own": True,
        "sub": _("Your sign-ins, tokens and second factors. If one was not you, change the password."),
    }
    answer = _answer(request, None, around)
    if isinstance(answer, HttpResponseBase):
        return answer
    return render(request, "leads/activity.html", {**answer, **shell(request, active="security")})


def _answer(request: HttpRequest, scope: TrailOf, around: dict[str, Any]) -> dict[str, Any] | HttpResponseBase:
    """Return what the page shows, or the file where that is asked for; raise `Refused`, `Invalid`."""
    actor = person(request)
    require_trail(actor, scope)
    wanted = read_trail_filter(request.GET)
    if request.GET.get("download") == "csv":
        return _file(request, scope, wanted)
    try:
        page = trail(actor, scope, wanted, cursor=request.GET.get("cursor") or None)
    except BadCursor:
        page = trail(actor, scope, wanted)
    kind, scope_id = scope_of(scope)
    seals = TrailSeal.objects.filter(scope=kind, scope_id=scope_id).order_by("-seq")
    query = request.GET.copy()
    query.pop("cursor", None)

    def at(**more: str | None) -> str:
        changed = query.copy()
        changed.update({name: value for name, value in more.items() if value})
        return f"?{changed.urlencode()}" if all(more.values()) else ""

    return {
        "entries": entries_of(page.rows),
        "groups": [(name, label) for name, (label, _acts) in GROUPS.items()],
        "people": [] if scope is None else people_in(scope),
        "wanted": wanted,
        "filtered": wanted != TrailFilter(),
        "given": request.GET,
        "before": at(cursor=page.previous),
        "after": at(cursor=page.next),
        "file_url": at(download="csv"),
        "seal": seals.first() if kind != Scope.PLATFORM else None,
        **around,
    }


def _file(request: HttpRequest, scope: TrailOf, wanted: TrailFilter) -> HttpResponse | StreamingHttpResponse:
    """Stream the events that match as CSV, newest first. The right is asked again before each part."""
    actor = person(request)
    record_download(actor, scope, wanted)

    def lines() -> Iterator[str]:
        yield csv_line(HEADING)
        for events in parts_of_trail(actor, scope, wanted):
            yield lines_of(events)

    answer = StreamingHttpResponse(lines(), content_type="text/csv; charset=utf-8")
    kind, scope_id = scope_of(scope)
    name = f"activity-{kind}-{scope_id}-{timezone.now():%Y-%m-%d}.csv" if scope else "activity.csv"
    answer["Content-Disposition"] = f'attachment; filename="{name}"'
    return answer
