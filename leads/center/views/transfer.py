"""The wizard that hands the leads of an ad account over to another Business Center."""

from dataclasses import dataclass

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_GET

from accounts.access import Can, holders, may, require
from accounts.declarations import allows, signed_in
from accounts.freshness import fresh
from accounts.models import BusinessCenter, LeadLibrary, Transfer, User
from accounts.refusals import Conflict
from accounts.rosters import AskRow, asks_for, transfer_row
from accounts.services.transfers import request_transfer
from accounts.shell import shell
from accounts.views import person
from leads.center.selectors.library import COUNTED_AT_MOST, library_of, live_leads
from leads.center.transfers import transfer_json, transfers_seen_by
from leads.crm.selectors import unconfirmed_of
from leads.models import Connection, Delivery, Export
from leadscenter.lib.display import initials
from leadscenter.lib.ids import id_in


@dataclass(frozen=True, slots=True)
class Stage:
    label: str
    url: str = ""
    done: bool = False
    current: bool = False
    fault: bool = False


@signed_in
@never_cache
@require_GET
def one(request: HttpRequest, transfer_id: int) -> HttpResponse:
    """Show one transfer to its parties: what it changes, in numbers, and the answer that this person may give."""
    actor = person(request)
    found = get_object_or_404(transfers_seen_by(actor), pk=transfer_id)
    row = transfer_row(actor, found)
    numbers = transfer_json(found)["consequences"]
    unconfirmed: tuple[int, int] | None = None
    if row.state == Transfer.State.ACCEPTED and may(actor, Can.CONNECT_CRM, found.library):
        unconfirmed = unconfirmed_of(found.library)
    context = {
        "row": row,
        "stays": found.library.ad_account.business_center.name,
        "touched": (
            (_("Leads, old and new"), numbers["leads"]),
            (_("People who lose them"), numbers["people_losing_access"]),
            (_("People who get them"), numbers["people_gaining_access"]),
            (_("Downloads that stop"), numbers["exports_ended"]),
            (_("Connections that wait"), numbers["connections_suspended"]),
            (_("Deliveries that wait"), numbers["deliveries_waiting"]),
        ),
        "unconfirmed": unconfirmed,
        **shell(request, active="transfers"),
    }
    return render(request, "leads/transfer_one.html", context)


@allows(Can.HAND_OVER, of="library")
@fresh
def transfer(request: HttpRequest, library_id: int) -> HttpResponse:
    """Lead through the transfer: choose who gets the leads, check what changes, confirm. Nothing changes before."""
    found, actor = library_of(library_id), person(request)
    require(actor, Can.HAND_OVER, found)
    given = request.POST if request.method == "POST" else request.GET
    to, fault = _receiver(str(given.get("to", "")).strip(), found)
    step = 1 if to is None else 3 if given.get("step") == "3" else 2
    if request.method == "POST" and to is not None:
        if request.POST.get("typed", "").strip() != found.ad_account.name:
            fault = _("Type the name of the ad account as it stands there.")
            step = 3
        else:
            try:
                made = request_transfer(actor=actor, library=found, business_center=to)
            except Conflict as conflict:
                messages.error(request, conflict.detail)
                return redirect("transfers")
            messages.success(request, _("Request sent. Nothing changes until an Admin there accepts."))
            return redirect("transfer_page", made.pk)
    context = {
        "library": found,
        "to": to,
        "typed": str(given.get("to", "")),
        "fault": fault,
        "step": step,
        "parties": _parties(found, to) if to else None,
        "stages": _stages(step, to),
        "touched": _touched(found) if step > 1 else (),
        "ask": _asked(actor, found, to),
        **shell(request, library=found, active="access"),
    }
    return render(request, "leads/transfer.html", context, status=400 if fault else 200)


def _receiver(typed: str, library: LeadLibrary) -> tuple[BusinessCenter | None, str]:
    if not typed:
        return None, ""
    try:
        to = BusinessCenter.objects.filter(pk=id_in(typed), is_active=True).first()
    except ValueError:
        to = None
    if to is None:
        return None, _("There is no Business Center with this id. Its Admins find it at Transfers.")
    if to.pk == library.custodian_id:
        return None, _("This Business Center holds the leads already.")
    return to, ""


def _asked(actor: User, library: LeadLibrary, to: BusinessCenter | None) -> AskRow | None:
    """Return the ask of the receiving Business Center that this transfer answers, if it asked."""
    if to is None:
        return None
    return next((ask for ask in asks_for(actor) if (ask.library_id, ask.center_id) == (library.pk, to.pk)), None)


def _parties(library: LeadLibrary, to: BusinessCenter) -> dict[str, str]:
    return {
        "from_name": library.custodian.name,
        "from_initials": initials(library.custodian.name),
        "to_name": to.name,
        "to_initials": initials(to.name),
    }


def _stages(step: int, to: BusinessCenter | None) -> tuple[Stage, ...]:
    return (
        Stage(_("Choose who gets it"), "?", done=step > 1, current=step == 1),
        Stage(_("Check what changes"), f"?to={to.pk}" if to else "", done=step > 2, current=step == 2),
        Stage(_("Confirm"), current=step == 3),
    )


def _touched(library: LeadLibrary) -> tuple[tuple[str, str], ...]:
    connections = Connection.objects.filter(library=library, removed_at=None)
    files = Export.objects.filter(library=library, state=Export.State.DONE, custody=library.custody)
    waiting = Delivery.objects.filter(connection__in=connections, state=Delivery.State.PENDING)
    return (
        (_("Leads, old and new"), live_leads(library)),
        (_("People who lose them"), f"{holders(library, Can.VIEW_LEADS).count():,}"),
        (_("Downloads that stop"), f"{files.count():,}"),
        (_("Connections that wait"), f"{connections.count():,}"),
        (_("Deliveries that wait"), f"{waiting.order_by().values('pk')[:COUNTED_AT_MOST].count():,}"),
    )
