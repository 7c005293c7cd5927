from allauth.account.models import EmailAddress
from django.contrib.sessions.models import Session
from django.db import transaction
from django.db.models import Q, QuerySet
from django.db.models.functions import Now
from django.utils.translation import gettext as _

from accounts import audit
from accounts.access import derive, lock_libraries
from accounts.models import Act, ApiToken, LeadLibrary, User
from accounts.refusals import Invalid


@transaction.atomic
def create_person(*, email: str, name: str = "", password: str | None = None) -> User:
    """Make a person whose address counts as verified: whoever calls has invited it by mail, or stands at the machine.

    `email` is lower-cased. Without a password only a reset by mail opens the account. Raises `Invalid` ("email") for an
    address that somebody has.
    """
    email = email.strip().lower()
    if User.objects.filter(email=email).exists():
        raise Invalid({"email": _("Somebody has an account with this address.")})
    user = User.objects.create_user(email, password, name=name)
    verify_address(user=user)
    return user


@transaction.atomic
def verify_address(*, user: User) -> None:
    """Make the sign-in package's row say what `User.email` says: this one address, verified and primary.

    `User.email` is only ever written for an address that was proved (by an invitation, by the link of a change, or at
    the machine), so the rows follow it and never lead.
    """
    rows = EmailAddress.objects.filter(user=user)
    EmailAddress.objects.filter(email=user.email, verified=True).exclude(user=user).delete()
    rows.filter(primary=True).exclude(email=user.email).delete()
    rows.update_or_create(user=user, email=user.email, defaults={"verified": True, "primary": True})


def libraries_of(user: User) -> QuerySet[LeadLibrary]:
    """Return the libraries that this person may reach by any membership."""
    return LeadLibrary.objects.filter(
        Q(ad_account__memberships__user=user)
        | Q(ad_account__business_center__members__user=user)
        | Q(custodian__members__user=user)
        | Q(ad_account__shares__partner__members__user=user)
    ).distinct()


@transaction.atomic
def set_active(*, actor: User | None, user: User, active: bool) -> None:
    """Switch a person's account on or off; off ends every right and every token in the next request."""
    libraries = lock_libraries(LeadLibrary.objects.filter(pk__in=libraries_of(user).values("pk")))
    audit.record(Act.PERSON_ACTIVATED if active else Act.PERSON_DEACTIVATED, None, actor=actor, targets=[user.pk])
    User.objects.filter(pk=user.pk).update(is_active=active)
    user.is_active = active
    if not active:
        ApiToken.objects.filter(user=user, revoked_at=None).update(revoked_at=Now())
    derive(libraries)


def end_sessions(user: User) -> int:
    """Sign the person out everywhere; return how many sessions ended."""
    mine = [
        session.pk
        for session in Session.objects.filter(expire_date__gt=Now()).iterator()
        if session.get_decoded().get("_auth_user_id") == str(user.pk)
    ]
    return Session.objects.filter(pk__in=mine).delete()[0]
