"""Pages' acts on shares and invitations: lending an ad account, its leads, and the people who work there."""

from django.contrib import messages
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST

from accounts.access import Can, is_member, require
from accounts.authentication import actor_of
from accounts.declarations import allows, signed_in
from accounts.freshness import fresh
from accounts.models import AccountRole, AccountShare, BusinessCenter, Invitation, User
from accounts.refusals import Conflict, Invalid
from accounts.selectors import shares_seen_by
from accounts.services.inviting import revoke_invitation
from accounts.services.shares import end_share, give_role, require_party, set_leads_too, set_share_role, share_account
from accounts.views import account_of
from leadscenter.lib.ids import id_in


def read_id(text: str | None) -> int | None:
    """Return an id as it stands in a form field, or None for anything else."""
    try:
        return id_in(text or "")
    except ValueError:
        return None


def read_role(text: str | None) -> AccountRole:
    """Return the role that a form names; raises `Invalid`."""
    if text not in AccountRole.values:
        raise Invalid({"role": _("Choose one of the roles.")})
    return AccountRole(text)


@allows(Can.MANAGE_MEMBERS, of="ad_account")
@require_POST
@fresh
def share_new(request: HttpRequest, ad_account_id: int) -> HttpResponse:
    """Lend the ad account to the Business Center whose id is typed."""
    account, actor = account_of(ad_account_id), actor_of(request)
    require(actor, Can.MANAGE_MEMBERS, account)
    typed = read_id(request.POST.get("business_center", "").strip())
    partner = BusinessCenter.objects.filter(pk=typed or 0).first()
    try:
        role = read_role(request.POST.get("role"))
        share = share_account(actor=actor, ad_account=account, partner=partner, role=role)
    except Invalid as invalid:
        messages.error(request, str(next(iter(invalid.errors.values()))))
    except Conflict as conflict:
        messages.error(request, conflict.detail)
    else:
        messages.success(request, _("Shared with %(name)s, without leads.") % {"name": share.partner.name})
    return redirect("members", ad_account_id)


def share_of(actor: User, share_id: int) -> AccountShare:
    """Return a share of which the person is a party, or 404."""
    rows: QuerySet[AccountShare] = shares_seen_by(actor).select_related("ad_account__business_center", "partner")
    return get_object_or_404(rows, pk=share_id)


@signed_in
@require_POST
@fresh
def share(request: HttpRequest, share_id: int) -> HttpResponse:
    """Change a share: `act` is a role, "leads_on", "leads_off" or "end"."""
    actor = actor_of(request)
    found = share_of(actor, share_id)
    require_party(actor, found)
    act = request.POST.get("act", "")
    try:
        if act == "end":
            end_share(actor=actor, share=found)
        elif act in ("leads_on", "leads_off"):
            set_leads_too(actor=actor, share=found, leads_too=act == "leads_on")
        else:
            set_share_role(actor=actor, share=found, role=read_role(act))
    except Conflict as conflict:
        messages.error(request, conflict.detail)
    else:
        messages.success(request, _("Changed. It works from now on."))
    if is_member(actor, found.partner):
        return redirect("center", found.partner_id)
    return redirect("members", found.ad_account_id)


@signed_in
@require_POST
@fresh
def share_person(request: HttpRequest, share_id: int) -> HttpResponse:
    """Give one of the partner's people a role in the lent account, or take it away with `role=none`."""
    actor = actor_of(request)
    found = share_of(actor, share_id)
    require_party(actor, found, partner_only=True)
    wanted = request.POST.get("role")
    try:
        member = (
            found.partner.members.filter(user=read_id(request.POST.get("user")) or 0).select_related("user").first()
        )
        if member is None:
            raise Invalid({"user": _("Choose one of your people.")})
        give_role(actor=actor, share=found, user=member.user, role=None if wanted == "none" else read_role(wanted))
    except Invalid as invalid:
        messages.error(request, str(next(iter(invalid.errors.values()))))
    except Conflict as conflict:
        messages.error(request, conflict.detail)
    else:
        messages.success(request, _("Changed. It works from now on."))
    return redirect("center", found.partner_id)


@signed_in
@require_POST
def invitation_revoke(request: HttpRequest, invitation_id: int) -> HttpResponse:
    """Take an invitation back."""
    invitation = get_object_or_404(
        Invitation.objects.select_related("ad_account__business_center", "business_center"), pk=invitation_id
    )
    try:
        revoke_invitation(actor=actor_of(request), invitation=invitation)
    except Conflict as conflict:
        messages.error(request, conflict.detail)
    else:
        messages.success(request, _("Invitation taken back. Its link is dead."))
    if invitation.ad_account_id:
        return redirect("members", invitation.ad_account_id)
    return redirect("center", invitation.business_center_id)
