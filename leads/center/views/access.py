"""Everyone and everything that can read the leads of a library now."""

from dataclasses import dataclass
from datetime import datetime

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.urls import reverse
from django.utils.translation import gettext as _
from django.views.decorators.http import require_GET

from accounts.access import Can
from accounts.declarations import allows
from accounts.models import (
    AccountMembership,
    AccountRole,
    ApiToken,
    LeadLibrary,
    Scope,
    TrailHead,
    TrailSeal,
    Transfer,
)
from accounts.shell import shell
from accounts.views import person
from leads.center.selectors import people
from leads.center.selectors.alarms import unseen_alarms
from leads.center.selectors.library import library_of, live_leads
from leads.center.selectors.reaching import Holder, Reach, Receiver, who_can_see
from leads.center.views.entries import entries_of
from leadscenter.lib.display import initials
from leadscenter.lib.paging import BadCursor


@dataclass(frozen=True, slots=True)
class Seer:
    """A person, connection or token that can read the leads."""

    name: str
    second: str
    initials: str
    icon: str
    why: tuple[str, ...]
    since: datetime | None
    last: datetime | None
    looks: int | None
    downloads: int | None
    state: str
    state_label: str
    url: str = ""


def _seers(reach: Reach, library: LeadLibrary) -> list[Seer]:
    people = [_person(holder, library) for holder in reach.holders]
    return [*people, *(_receiver(row) for row in reach.connections), *(_token(token) for token in reach.tokens)]


def _person(holder: Holder, library: LeadLibrary) -> Seer:
    return Seer(
        name=str(holder.user),
        second=holder.user.email,
        initials=holder.user.initials,
        icon="",
        why=tuple(way.words for way in holder.ways) or (holder.path,),
        since=holder.since,
        last=holder.last_look,
        looks=holder.looks,
        downloads=holder.downloads,
        state="ok" if holder.ways else "warn",
        state_label=_("Active"),
        url=reverse("access_person", args=[library.pk, holder.user.pk]),
    )


def _receiver(row: Receiver) -> Seer:
    confirmed = _("confirmed by %(who)s") % {"who": row.confirmed_by} if row.confirmed_by else _("not confirmed")
    return Seer(
        name=row.name,
        second=_("connection, %(confirmed)s") % {"confirmed": confirmed},
        initials=initials(row.name),
        icon="",
        why=(_("Gets every new lead: whoever reads there reads the leads") if row.live else _("Gets nothing now"),),
        since=row.confirmed_at,
        last=row.connection.last_success_at,
        looks=row.delivered,
        downloads=None,
        state="ok" if row.live else "",
        state_label=row.state_label,
    )


def _token(token: ApiToken) -> Seer:
    return Seer(
        name=token.name,
        second=_("API token of %(who)s") % {"who": token.user},
        initials="",
        icon="api",
        why=(_("Scope %(scopes)s") % {"scopes": ", ".join(token.scopes)},),
        since=token.created_at,
        last=token.last_used_at,
        looks=None,
        downloads=None,
        state="warn" if token.expires_at else "ok",
        state_label=_("Ends %(day)s") % {"day": f"{token.expires_at:%-d %b}"} if token.expires_at else _("Active"),
    )


@allows(Can.VIEW_TRAIL, of="library")
@require_GET
def access(request: HttpRequest, library_id: int) -> HttpResponse:
    """Show everyone and everything that can read the leads now, and who cannot."""
    found, actor = library_of(library_id), person(request)
    reach = who_can_see(actor, found)
    roles = AccountMembership.objects.filter(ad_account=found.ad_account_id, user__is_active=True)
    seal = TrailSeal.objects.filter(scope=Scope.LIBRARY, scope_id=found.pk).order_by("-seq").first()
    pending = Transfer.objects.filter(library=found, state=Transfer.State.REQUESTED).select_related(
        "to_business_center"
    )
    context = {
        "library": found,
        "reach": reach,
        "seers": _seers(reach, found),
        "operators": roles.filter(role=AccountRole.OPERATOR).count(),
        "analysts": roles.filter(role=AccountRole.ANALYST).count(),
        "leads": live_leads(found),
        "seal": seal,
        "sealed": TrailHead.objects.filter(scope=Scope.LIBRARY, scope_id=found.pk).first(),
        "pending": pending.first(),
        "unseen": unseen_alarms(actor, found, [Can.VIEW_TRAIL]),
        **shell(request, library=found, active="access"),
    }
    return render(request, "leads/access.html", context)


@allows(Can.VIEW_TRAIL, of="library")
@require_GET
def seen_by(request: HttpRequest, library_id: int, user_id: int) -> HttpResponse:
    """Show what a person has seen of the library; reading it stands in the trail."""
    found, actor = library_of(library_id), person(request)
    try:
        seen = people.seen_by(actor, found, user_id, cursor=request.GET.get("cursor") or None)
    except BadCursor:
        seen = people.seen_by(actor, found, user_id)
    context = {
        "library": found,
        "seen": seen,
        "entries": entries_of(seen.page.rows),
        "before": f"?cursor={seen.page.previous}" if seen.page.previous else "",
        "after": f"?cursor={seen.page.next}" if seen.page.next else "",
        **shell(request, library=found, active="access"),
    }
    return render(request, "leads/person.html", context)
