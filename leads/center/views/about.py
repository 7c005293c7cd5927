"""The first page of an ad account and of a lead library: its numbers, and each of its charts as a file."""

from collections.abc import Iterable
from typing import Any
from urllib.parse import urlencode

from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.decorators.http import require_GET

from accounts.access import Can
from accounts.appearance import put_away
from accounts.declarations import allows
from accounts.shell import Shell, shell
from accounts.views import account_of, person
from leads.center.overview import GROUPS, PERIODS, Overview, account_overview, faults_of, library_overview, read_asked
from leads.center.selectors.alarms import unseen_alarms
from leads.center.selectors.library import library_of
from leadscenter.lib.cells import csv_line

GROUP_LABELS = {
    "campaign": gettext_lazy("Campaign"),
    "ad_group": gettext_lazy("Ad group"),
    "ad": gettext_lazy("Ad"),
    "form": gettext_lazy("Form"),
    "country": gettext_lazy("Country"),
    "device": gettext_lazy("Device"),
}
Cells = Iterable[str | int | None]


def _context(request: HttpRequest, page: Overview) -> dict[str, Any]:
    asked = page.asked
    narrowed = (
        ("form", _("Form is"), page.forms.get(asked.form)),
        ("campaign", _("Campaign is"), page.campaigns.get(asked.campaign)),
    )
    faults = faults_of(request.GET, asked)
    away = str(page.library_id) in put_away(request)
    return {
        "page": page,
        "steps_left": page.todos_done < len(page.todos),
        "steps_away": away,
        "asked": asked,
        "faults": list(dict.fromkeys(faults[name] for name in ("days", "since", "until") if name in faults)),
        "today": timezone.now().date(),
        "periods": [(days, f"?{urlencode(asked.params(days=days))}", days == asked.days) for days in PERIODS],
        "groups": [(GROUP_LABELS[by], f"?{urlencode(asked.params(by=by))}#break", by == asked.by) for by in GROUPS],
        "group_label": GROUP_LABELS[asked.by],
        "with_costs": _with_costs(page),
        "query": urlencode(asked.params()),
        "chips": [
            (label, name or _("unknown"), f"?{urlencode(asked.params(**{key: 0}))}")
            for key, label, name in narrowed
            if getattr(asked, key)
        ],
    }


def _alarms(around: Shell) -> dict[str, Any]:
    """What the page warns of: for whoever may read the trail of the library."""
    library = around.library
    return {"library": library, "unseen": unseen_alarms(around.user, library, around.can) if library else None}


@allows(Can.VIEW_CAMPAIGNS, of="ad_account")
@require_GET
def account(request: HttpRequest, ad_account_id: int) -> HttpResponse:
    """Show the numbers of an ad account, with spend: for every role."""
    found = account_of(ad_account_id)
    page = account_overview(person(request), found, read_asked(request.GET))
    around = shell(request, ad_account=found, active="overview")
    return render(request, "leads/overview.html", {**_context(request, page), **_alarms(around["shell"]), **around})


@allows(Can.BELONG_LIBRARY, of="library")
@require_GET
def library(request: HttpRequest, library_id: int) -> HttpResponse:
    """Show the counts of a lead library: for everyone who may know of it."""
    found = library_of(library_id)
    page = library_overview(person(request), found, read_asked(request.GET))
    around = shell(request, library=found, active="overview")
    return render(request, "leads/overview.html", {**_context(request, page), **_alarms(around["shell"]), **around})


@allows(Can.VIEW_CAMPAIGNS, of="ad_account")
@require_GET
def account_file(request: HttpRequest, ad_account_id: int, chart: str) -> HttpResponse:
    """Return a chart of the account's overview as CSV, under the same filter."""
    return _file(account_overview(person(request), account_of(ad_account_id), read_asked(request.GET)), chart)


@allows(Can.BELONG_LIBRARY, of="library")
@require_GET
def library_file(request: HttpRequest, library_id: int, chart: str) -> HttpResponse:
    """Return a chart of the library's overview as CSV, under the same filter."""
    return _file(library_overview(person(request), library_of(library_id), read_asked(request.GET)), chart)


def _file(page: Overview, chart: str) -> HttpResponse:
    rows = {"days": _days, "funnel": _funnel, "questions": _questions, "breakdown": _breakdown}.get(chart)
    if rows is None:
        raise Http404
    name = f"{chart}-{page.asked.since}-{page.asked.until}.csv"
    text = "\ufeff" + "".join(csv_line(row) for row in rows(page))
    headers = {"Content-Disposition": f'attachment; filename="{name}"', "X-Content-Type-Options": "nosniff"}
    return HttpResponse(text, content_type="text/csv; charset=utf-8", headers=headers)


def _days(page: Overview) -> list[Cells]:
    rows: list[Cells] = [(_("Day (UTC)"), _("Leads"), page.compared)]
    return rows + [(str(at), day.count, day.before) for at, day in page.dated]


def _funnel(page: Overview) -> list[Cells]:
    rows: list[Cells] = [(_("Step"), _("Count"), _("Kept from the step before"))]
    return rows + [(bar.label, bar.value, _share(bar.share)) for bar in page.bars]


def _questions(page: Overview) -> list[Cells]:
    rows: list[Cells] = [(_("Form"), _("Question"), _("Saw it"), _("Left there"))]
    if page.rail is None:
        return rows
    return rows + [(page.rail.form, stop.label, stop.saw, _share(stop.left)) for stop in page.rail.stops]


def _breakdown(page: Overview) -> list[Cells]:
    head = [str(GROUP_LABELS[page.asked.by]), _("Leads"), _("Share"), _("Form opens"), _("Completion rate")]
    spend = _with_costs(page)
    rows: list[Cells] = [[*head, *([_("Spend"), _("Cost per lead")] if spend else [])]]
    for line in (*page.lines, page.total):
        cells: list[str | int | None] = [line.name, line.leads, _share(line.share), line.opens, _share(line.completion)]
        rows.append([*cells, *([line.spend, line.cost] if spend else [])])
    return rows


def _with_costs(page: Overview) -> bool:
    return page.with_spend and page.asked.by in ("campaign", "ad_group", "ad")


def _share(share: float | None) -> str | None:
    return None if share is None else f"{share:.4f}"
