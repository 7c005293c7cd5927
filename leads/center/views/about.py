"""The first page of an ad account and of a lead library: its numbers."""

from collections.abc import Mapping
from typing import Any

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils.translation import gettext_lazy
from django.views.decorators.http import require_GET

from accounts.access import Can
from accounts.declarations import allows
from accounts.shell import Shell, shell
from accounts.views import account_of, person
from leads.center.overview import GROUPS, PERIODS, Overview, account_overview, library_overview
from leads.center.selectors.alarms import unseen_alarms
from leads.center.selectors.library import library_of

GROUP_LABELS = {
    "campaign": gettext_lazy("Campaign"),
    "ad_group": gettext_lazy("Ad group"),
    "ad": gettext_lazy("Ad"),
    "form": gettext_lazy("Form"),
}


def _asked(given: Mapping[str, Any]) -> tuple[int, str]:
    days = str(given.get("days", ""))
    by = str(given.get("by", ""))
    return (int(days) if days in [str(period) for period in PERIODS] else 28), (by if by in GROUPS else GROUPS[0])


def _overview_context(page: Overview) -> dict[str, Any]:
    return {"page": page, "periods": PERIODS, "groups": GROUP_LABELS.items(), "group_label": GROUP_LABELS[page.by]}


def _alarms(around: Shell) -> dict[str, Any]:
    """What the page warns of: for whoever may read the trail of the library."""
    library = around.library
    return {"library": library, "unseen": unseen_alarms(around.user, library, around.can) if library else None}


@allows(Can.VIEW_CAMPAIGNS, of="ad_account")
@require_GET
def account(request: HttpRequest, ad_account_id: int) -> HttpResponse:
    """Show the numbers of an ad account, with spend: for every role."""
    found = account_of(ad_account_id)
    days, by = _asked(request.GET)
    page = account_overview(person(request), found, days=days, by=by)
    around = shell(request, ad_account=found, active="overview")
    context = {**_overview_context(page), **_alarms(around["shell"]), **around}
    return render(request, "leads/overview.html", context)


@allows(Can.BELONG_LIBRARY, of="library")
@require_GET
def library(request: HttpRequest, library_id: int) -> HttpResponse:
    """Show the counts of a lead library: for everyone who may know of it."""
    found = library_of(library_id)
    days, by = _asked(request.GET)
    page = library_overview(person(request), found, days=days, by=by)
    around = shell(request, library=found, active="overview")
    context = {**_overview_context(page), **_alarms(around["shell"]), **around}
    return render(request, "leads/overview.html", context)
