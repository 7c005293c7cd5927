"""Reads that depend on who asks."""

from datetime import timedelta

from django.db.models import Q, QuerySet
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from accounts.access import Can, Refused, counts, is_of, require, visible
from accounts.models import (
    AccessAsk,
    AccountMembership,
    AccountShare,
    AdAccount,
    BusinessCenter,
    BusinessCenterRole,
    LeadLibrary,
    Transfer,
    User,
)

LIVES = timedelta(days=30)
"""How long an ask for leads access waits."""
ASKER_STATES = {
    "waiting": gettext_lazy("Waiting"),
    "answered": gettext_lazy("Transfer requested"),
    "expired": gettext_lazy("Expired"),
}


def ad_accounts_of(actor: User) -> QuerySet[AdAccount]:
    """Return the ad accounts that `actor` may know of, with owner, library and custodian."""
    rows = AdAccount.objects.select_related("business_center", "library__custodian")
    return visible(actor, Can.BELONG_ADACCOUNT, rows, path="pk")


def business_centers_of(actor: User) -> QuerySet[BusinessCenter]:
    """Return the Business Centers that `actor` is a member of."""
    if not counts(actor):
        return BusinessCenter.objects.none()
    return BusinessCenter.objects.filter(is_active=True, members__user=actor)


def memberships_of(actor: User, ad_account: AdAccount) -> QuerySet[AccountMembership]:
    """Return who has which role, for the account's own side: people with a role in it and Admins of its owner.

    Who holds its leads alone knows of the account, not of the agency's staff; a partner's people see their own
    colleagues. Raises `Refused`.
    """
    held = require(actor, Can.BELONG_ADACCOUNT, ad_account)
    if not held & {Can.VIEW_CAMPAIGNS, Can.MANAGE_MEMBERS}:
        reason = _("Only people with a role in %(account)s see who else has one.") % {"account": ad_account.name}
        raise Refused(actor, Can.MANAGE_MEMBERS, ad_account, reason, (ad_account.business_center.name,))
    rows = AccountMembership.objects.filter(ad_account=ad_account).select_related("user")
    if is_of(actor, ad_account):
        return rows
    return rows.filter(share__partner__in=business_centers_of(actor).values("pk"))


def shares_seen_by(actor: User) -> QuerySet[AccountShare]:
    """Return the shares that `actor` may know of: of accounts of their own side, and those lent to their companies."""
    if not counts(actor):
        return AccountShare.objects.none()
    mine = business_centers_of(actor).values("pk")
    own = AccountMembership.objects.filter(user=actor, share=None).values("ad_account")
    return AccountShare.objects.filter(
        Q(partner__in=mine) | Q(ad_account__in=own) | Q(ad_account__business_center__in=mine)
    )


def transfers_of_party(actor: User) -> QuerySet[Transfer]:
    """Return the transfers that `actor` may know of: of the account or of either side."""
    if not counts(actor):
        return Transfer.objects.none()
    mine = business_centers_of(actor).values("pk")
    libraries = visible(actor, Can.BELONG_LIBRARY, LeadLibrary.objects.all(), path="pk").values("pk")
    rows = Transfer.objects.filter(
        Q(from_business_center__in=mine) | Q(to_business_center__in=mine) | Q(library__in=libraries)
    )
    return rows.select_related("library__ad_account", "from_business_center", "to_business_center", "requested_by")


def asks_of_centers(actor: User) -> QuerySet[AccessAsk]:
    """Return what the Business Centers asked for of which `actor` is an Admin."""
    if not counts(actor):
        return AccessAsk.objects.none()
    mine = business_centers_of(actor).filter(members__user=actor, members__role=BusinessCenterRole.ADMIN)
    return AccessAsk.objects.filter(business_center__in=mine.values("pk")).select_related("business_center")


def asks_to_answer(actor: User) -> QuerySet[AccessAsk]:
    """Return the asks that wait for somebody who may hand over the leads, as `actor` may."""
    rows = AccessAsk.objects.filter(state=AccessAsk.State.WAITING, asked_at__gt=timezone.now() - LIVES)
    return visible(actor, Can.HAND_OVER, rows, path="library")


def state_for_asker(ask: AccessAsk) -> str:
    """Return waiting, answered or expired. A dismissed ask waits like one whose number leads nowhere."""
    if ask.state == AccessAsk.State.ANSWERED:
        return "answered"
    return "waiting" if ask.asked_at > timezone.now() - LIVES else "expired"
