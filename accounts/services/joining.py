"""Accepting an invitation: the role is given in the transaction that closes the link."""

from django.db import IntegrityError, transaction
from django.utils.translation import gettext as _

from accounts.access import derive, lock_centers, lock_libraries
from accounts.models import (
    AccountMembership,
    BusinessCenterMember,
    BusinessCenterRole,
    Invitation,
    LeadLibrary,
    User,
)
from accounts.refusals import Conflict, Invalid
from accounts.services.business_centers import libraries_of, refuse_staff
from accounts.services.inviting import accepted, waiting_invitation
from accounts.services.people import create_person


@transaction.atomic
def accept_invitation(*, actor: User, raw: str) -> Invitation:
    """Take the offered role. Raises `Invalid` for another address than the invited one, `Conflict` for a dead link.

    A higher role that the person holds there already stays.
    """
    invitation = waiting_invitation(raw)
    if invitation is None:
        raise gone()
    if invitation.email != actor.email:
        raise Invalid({"email": _("This invitation is for another address. Sign in with the invited one.")})
    refuse_staff(actor)
    center = invitation.business_center
    if center:
        lock_centers(center.pk)
    which = libraries_of(center) if center else LeadLibrary.objects.filter(ad_account=invitation.ad_account)
    libraries = lock_libraries(which)
    Invitation.objects.select_for_update(no_key=True).get(pk=invitation.pk)
    if waiting_invitation(raw) is None:  # the one who came second
        raise gone()
    accepted(invitation, by=actor)
    if center:
        members = BusinessCenterMember.objects.filter(business_center=center, user=actor)
        if not members.exists():
            BusinessCenterMember.objects.create(business_center=center, user=actor, role=invitation.role)
        elif invitation.role == BusinessCenterRole.ADMIN:
            members.update(role=invitation.role)
    elif not AccountMembership.objects.filter(ad_account=invitation.ad_account, user=actor).exists():
        assert invitation.ad_account is not None
        AccountMembership.objects.create(ad_account=invitation.ad_account, user=actor, role=invitation.role)
    derive(libraries)
    return invitation


@transaction.atomic
def join(*, raw: str, name: str, password: str) -> User:
    """Make the invited person, whose address the link proves, and take the role. Raises as `accept_invitation`.

    Raises `Conflict` when the address has an account here: its person signs in first.
    """
    invitation = waiting_invitation(raw)
    if invitation is None:
        raise gone()
    if User.objects.filter(email=invitation.email).exists():
        raise Conflict("sign_in_first", _("This address has an account here. Sign in to accept."))
    try:
        user = create_person(email=invitation.email, name=name, password=password)
    except IntegrityError as error:  # sent twice at once: the first one has made the person
        raise gone() from error
    accept_invitation(actor=user, raw=raw)
    return user


def gone() -> Conflict:
    """Return what is said of a link that does not work: used, taken back, too old, or never one of ours."""
    return Conflict("invitation_gone", _("This invitation does not work any more. Ask for a new one."))
