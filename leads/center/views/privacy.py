"""The library's settings: how long leads are kept, how soon they should be contacted."""

from typing import Any

from django import forms
from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext

from accounts.access import Can, require
from accounts.authentication import actor_of
from accounts.declarations import allows
from accounts.freshness import fresh_post
from accounts.models import LeadLibrary
from accounts.shell import shell
from leads.center.selectors.library import library_of
from leads.privacy.retention import is_retention_decided
from leads.privacy.services.library import LIMITS, change_library
from leads.privacy.services.purging import TRASH_DAYS, over_retention

COUNTED_AT_MOST = 10_000


class KeepingForm(forms.Form):
    """What the holder of a library decides about all its leads."""

    retention_days = forms.IntegerField(
        label=gettext_lazy("Days to keep a lead"),
        min_value=LIMITS["retention_days"][0],
        max_value=LIMITS["retention_days"][1],
        help_text=gettext_lazy("Counted from the day it arrived. After that it is deleted for good; counts stay."),
    )
    contact_goal_minutes = forms.IntegerField(
        label=gettext_lazy("Minutes until first contact"),
        min_value=LIMITS["contact_goal_minutes"][0],
        max_value=LIMITS["contact_goal_minutes"][1],
        help_text=gettext_lazy(
            "The clock in the list runs against it at once; the order by urgency follows, for all leads."
        ),
    )
    mail_names = forms.BooleanField(
        label=gettext_lazy("Names may stand in mails about new leads"),
        required=False,
        help_text=gettext_lazy(
            "Else a mail says that a lead arrived and holds a link. Mails pass other people's servers unsealed."
        ),
    )


@allows(Can.MANAGE_PRIVACY, of="library")
@fresh_post
def privacy(request: HttpRequest, library_id: int) -> HttpResponse:
    """Show and set retention and contact goal; a time that deletes leads at the next purge is confirmed first."""
    actor, library = actor_of(request), library_of(library_id)
    require(actor, Can.MANAGE_PRIVACY, library)
    now = {name: getattr(library, name) for name in (*LIMITS, "mail_names")}
    form = KeepingForm(request.POST if request.method == "POST" else None, initial=now)
    warning = ""
    if request.method == "POST" and form.is_valid():
        wanted: dict[str, int] = form.cleaned_data
        going = leads_going(library, wanted["retention_days"])
        if going and wanted["retention_days"] < library.retention_days and "confirm" not in request.POST:
            warning = told(going, wanted["retention_days"])
        else:
            changed = {name: value for name, value in wanted.items() if value != now[name]}
            if not is_retention_decided(library):  # to leave it as it is counts, once somebody says so
                changed["retention_days"] = wanted["retention_days"]
            if changed:
                change_library(actor=actor, library=library, values=changed)
            messages.success(request, _("Saved.") if changed else _("Nothing was changed."))
            return redirect("library_privacy", library_id)
    context: dict[str, Any] = {
        "library": library,
        "form": form,
        "warning": warning,
        "trash_days": TRASH_DAYS,
        "going": leads_going(library, library.retention_days),
        **shell(request, library=library, active="privacy"),
    }
    return render(request, "leads/privacy.html", context, status=400 if form.errors else 200)


def leads_going(library: LeadLibrary, days: int) -> int:
    """Return how many leads are older than `days`, without tests, counted up to a bound."""
    asked = LeadLibrary(pk=library.pk, retention_days=days)
    return over_retention(asked).filter(is_test=False).order_by().values("pk")[: COUNTED_AT_MOST + 1].count()


def told(going: int, days: int) -> str:
    """Say how many leads a retention of `days` deletes."""
    number = f"{COUNTED_AT_MOST:,}+" if going > COUNTED_AT_MOST else f"{going:,}"
    text = ngettext(
        "%(number)s lead is older than %(days)s days. It is deleted for good at the next purge, within a day.",
        "%(number)s leads are older than %(days)s days. They are deleted for good at the next purge, within a day.",
        going,
    )
    return text % {"number": number, "days": days}
