"""Roles offered by mail. The link works once, for its address, for a week, and only while whoever sent it still may."""

import hashlib
import secrets
from collections.abc import Mapping
from datetime import timedelta

from django.conf import settings
from django.core.exceptions import ValidationError
from django.core.mail import send_mail
from django.core.validators import validate_email
from django.db import transaction
from django.db.models.functions import Now
from django.template.loader import render_to_string
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _

from accounts import audit
from accounts.access import Can, grants, is_member, require, require_admin_of
from accounts.models import (
    AccountMembership,
    AccountRole,
    Act,
    AdAccount,
    BusinessCenter,
    BusinessCenterMember,
    BusinessCenterRole,
    Invitation,
    User,
)
from accounts.refusals import Conflict, Invalid

LASTS = timedelta(days=7)
WAITING_AT_MOST = 100
Place = AdAccount | BusinessCenter


@transaction.atomic
def invite_to_account(*, actor: User, ad_account: AdAccount, email: str, role: AccountRole) -> Invitation:
    """Offer a role in the ad account by mail; one that waits for this address is replaced.

    Raises `Refused`, `Invalid` for a bad address or somebody who has a role here, `Conflict` when too many wait.
    """
    require(actor, Can.MANAGE_MEMBERS, ad_account)
    members = AccountMembership.objects.filter(ad_account=ad_account)
    return _invite(actor, ad_account, email, role, members.filter(user__email=_address(email)).exists())


@transaction.atomic
def invite_to_center(
    *, actor: User, business_center: BusinessCenter, email: str, role: BusinessCenterRole
) -> Invitation:
    """Offer membership in the Business Center by mail; one that waits for this address is replaced.

    Raises `Refused`, `Invalid` for a bad address or somebody who belongs to it, `Conflict` when too many wait.
    """
    require_admin_of(actor, business_center)
    members = BusinessCenterMember.objects.filter(business_center=business_center)
    return _invite(actor, business_center, email, role, members.filter(user__email=_address(email)).exists())


@transaction.atomic
def revoke_invitation(*, actor: User, invitation: Invitation) -> None:
    """Take the invitation back; its link is dead. Raises `Refused`, `Conflict` when it does not wait any more."""
    place = place_of(invitation)
    _require_to_manage(actor, place)
    invitation = Invitation.objects.select_for_update(no_key=True).get(pk=invitation.pk)
    if invitation.state != Invitation.State.WAITING:
        raise Conflict("invitation_closed", _("This invitation does not wait any more."))
    audit.record(Act.INVITATION_REVOKED, place, actor=actor, targets=[invitation.pk])
    _close(invitation, Invitation.State.REVOKED)


def waiting_invitation(raw: str) -> Invitation | None:
    """Return the invitation that this link opens, if it still does: waiting, in time, from somebody who still may."""
    found = Invitation.objects.filter(
        digest=_digest(raw), state=Invitation.State.WAITING, expires_at__gt=Now(), invited_by__is_active=True
    ).select_related("ad_account__business_center", "business_center", "invited_by")
    invitation = found.first()
    return invitation if invitation and _still_stands(invitation) else None


def place_of(invitation: Invitation) -> Place:
    """Return the ad account or Business Center that the invitation leads into."""
    place = invitation.ad_account or invitation.business_center
    assert place is not None
    return place


def role_label(invitation: Invitation) -> str:
    """Return the offered role in words."""
    kind = AccountRole if invitation.ad_account_id else BusinessCenterRole
    return str(kind(invitation.role).label)


def accepted(invitation: Invitation, *, by: User) -> None:
    """Record and close the invitation, in the transaction that gives the role."""
    assert transaction.get_connection().in_atomic_block
    audit.record(Act.INVITATION_ACCEPTED, place_of(invitation), actor=by, targets=[invitation.pk], role=invitation.role)
    _close(invitation, Invitation.State.ACCEPTED)


def mail_of_role(*, user: User, place: Place, role: str, actor: User) -> None:
    """Tell somebody who is here already that they were given a role."""
    kind = AccountRole if isinstance(place, AdAccount) else BusinessCenterRole
    context = {"name": place.name, "role": kind(role).label, "who": str(actor), "address": settings.PUBLIC_URL}
    subject = _("You have a role in %(name)s") % {"name": place.name}
    _send(subject, "accounts/mail/role_given.txt", context, user.email)


def _invite(actor: User, place: Place, email: str, role: str, belongs: bool) -> Invitation:
    address = _address(email)
    if belongs:
        raise Invalid({"email": _("This person has a role here already. Change it in the list.")})
    which = {"ad_account": place} if isinstance(place, AdAccount) else {"business_center": place}
    waiting = Invitation.objects.filter(**which, state=Invitation.State.WAITING)
    if waiting.exclude(email=address).count() >= WAITING_AT_MOST:
        raise Conflict("too_many_invitations", _("100 invitations wait already. Take some back first."))
    for before in waiting.filter(email=address).select_for_update(no_key=True):
        _close(before, Invitation.State.REVOKED)
    raw = secrets.token_urlsafe(24)
    invitation = Invitation(
        **which, email=address, role=role, digest=_digest(raw), invited_by=actor, expires_at=timezone.now() + LASTS
    )
    audit.record(Act.INVITED, place, actor=actor, targets=[invitation.pk], role=role)
    invitation.save(force_insert=True)
    transaction.on_commit(lambda: _mail(invitation, place, raw))
    return Invitation.objects.get(pk=invitation.pk)


def _mail(invitation: Invitation, place: Place, raw: str) -> None:
    context = {
        "name": place.name,
        "role": role_label(invitation),
        "who": str(invitation.invited_by),
        "days": LASTS.days,
        "link": settings.PUBLIC_URL.rstrip("/") + reverse("invitation", kwargs={"token": raw}),
    }
    subject = _("%(who)s invites you to %(name)s") % {"who": invitation.invited_by, "name": place.name}
    _send(subject, "accounts/mail/invited.txt", context, invitation.email)


def _send(subject: str, template: str, context: Mapping[str, object], address: str) -> None:
    send_mail(" ".join(subject.split()), render_to_string(template, context), None, [address])


def _still_stands(invitation: Invitation) -> bool:
    """Whether the person who sent it could still give this role today."""
    if invitation.business_center is not None:
        return is_member(invitation.invited_by, invitation.business_center, admin=True)
    assert invitation.ad_account is not None
    return Can.MANAGE_MEMBERS in grants(invitation.invited_by, invitation.ad_account)


def _require_to_manage(actor: User, place: Place) -> None:
    if isinstance(place, AdAccount):
        require(actor, Can.MANAGE_MEMBERS, place)
    else:
        require_admin_of(actor, place)


def _close(invitation: Invitation, state: Invitation.State) -> None:
    Invitation.objects.filter(pk=invitation.pk).update(state=state, closed_at=Now())
    invitation.state = state


def _address(email: str) -> str:
    address = email.strip().lower()
    try:
        validate_email(address)
    except ValidationError as error:
        raise Invalid({"email": _("This is not an e-mail address.")}) from error
    if len(address) > 254:
        raise Invalid({"email": _("An e-mail address has at most 254 characters.")})
    return address


def _digest(raw: str) -> bytes:
    """SHA-256 is enough for 192 random bits."""
    return hashlib.sha256(raw.encode("utf-8", "surrogatepass")).digest()
