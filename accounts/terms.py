"""The lead-generation terms: to read for everybody signed in, to accept for Admins of a Business Center."""

from dataclasses import dataclass
from datetime import datetime

from django.conf import settings
from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _

from accounts.authentication import actor_of
from accounts.declarations import signed_in
from accounts.models import BusinessCenterMember, BusinessCenterRole, TermsAcceptance
from accounts.selectors import business_centers_of
from accounts.services.business_centers import accept_terms
from accounts.shell import shell


@dataclass(frozen=True, slots=True)
class TermsRow:
    """A Business Center of the person: who accepted the terms in force, or whether this person may."""

    id: int
    name: str
    accepted_by: str
    accepted_at: datetime | None
    may_accept: bool


@signed_in
def terms(request: HttpRequest) -> HttpResponse:
    """Show the terms in force and where they are accepted; POST accepts them for one Business Center."""
    actor = actor_of(request)
    if request.method == "POST":
        center = business_centers_of(actor).filter(pk=_number(request.POST.get("business_center"))).first()
        if center is None:
            raise Http404
        if request.POST.get("version") != settings.TERMS_VERSION or request.POST.get("read") != "on":
            messages.error(request, _("Read the terms in force and tick the box. Nothing was changed."))
        else:
            accept_terms(actor=actor, business_center=center)
            messages.success(request, _("Terms accepted. Forms can be published now."))
        return redirect("terms")
    members = BusinessCenterMember.objects.filter(user=actor, business_center__in=business_centers_of(actor))
    accepted = {
        row.business_center_id: row
        for row in TermsAcceptance.objects.filter(
            business_center__in=members.values("business_center"), version=settings.TERMS_VERSION
        ).select_related("accepted_by")
    }
    rows = [
        _row(member, accepted.get(member.business_center_id)) for member in members.select_related("business_center")
    ]
    context = {
        "version": settings.TERMS_VERSION,
        "rows": sorted(rows, key=lambda row: row.name.lower()),
        **shell(request, active="terms"),
    }
    return render(request, "accounts/terms.html", context)


def _row(member: BusinessCenterMember, accepted: TermsAcceptance | None) -> TermsRow:
    return TermsRow(
        id=member.business_center_id,
        name=member.business_center.name,
        accepted_by=str(accepted.accepted_by) if accepted else "",
        accepted_at=accepted.accepted_at if accepted else None,
        may_accept=accepted is None and member.role == BusinessCenterRole.ADMIN,
    )


def _number(text: str | None) -> int:
    return int(text) if text and text.isascii() and text.isdigit() and len(text) < 20 else 0
