from django.db import transaction
from django.db.models import QuerySet
from django.utils.translation import gettext as _

from accounts import audit
from accounts.access import Can, derive, lock_centers, lock_libraries, require, require_admin_of
from accounts.models import (
    AccountMembership,
    AccountRole,
    Act,
    AdAccount,
    BusinessCenter,
    Invitation,
    LeadLibrary,
    User,
)
from accounts.refusals import Conflict, Invalid
from accounts.services.business_centers import refuse_staff
from accounts.services.inviting import invite_to_account, mail_of_role


@transaction.atomic
def create_ad_account(
    *,
    actor: User,
    business_center: BusinessCenter,
    name: str,
    administrator: User,
    currency: str = "USD",
    time_zone: str = "UTC",
) -> AdAccount:
    """Make an ad account with its lead library and its first Administrator; an Admin of the owner does this."""
    lock_centers(business_center.pk)
    require_admin_of(actor, business_center)
    refuse_staff(administrator)
    account = AdAccount.objects.create(
        name=name, business_center=business_center, currency=currency, time_zone=time_zone
    )
    library = LeadLibrary.objects.create(ad_account=account, custodian=business_center)
    audit.record(Act.AD_ACCOUNT_CREATED, account, actor=actor, targets=[library.pk])
    AccountMembership.objects.create(ad_account=account, user=administrator, role=AccountRole.ADMINISTRATOR)
    derive(lock_libraries(LeadLibrary.objects.filter(pk=library.pk)))
    return account


@transaction.atomic
def set_member(*, actor: User, ad_account: AdAccount, user: User, role: AccountRole | None) -> AccountMembership | None:
    """Give `user` a role in the ad account, change it, or take it away (None). Works from the next request on."""
    libraries = lock_libraries(LeadLibrary.objects.filter(ad_account=ad_account))
    require(actor, Can.MANAGE_MEMBERS, ad_account)
    if role is not None:
        refuse_staff(user)
        if not user.is_active:
            raise Invalid({"user": _("This person's account is switched off.")})
    memberships = AccountMembership.objects.filter(ad_account=ad_account)
    before = memberships.filter(user=user).first()
    if role is None and before is None:
        return None
    if before is not None and before.share_id is not None and role is not None:
        raise Conflict("given_by_partner", _("The partner gave this role. Change the share, or take the role away."))
    _keep_an_administrator(memberships, before, role)
    act = Act.MEMBER_REMOVED if role is None else Act.MEMBER_CHANGED if before else Act.MEMBER_ADDED
    audit.record(act, ad_account, actor=actor, targets=[user.pk], role=role, was=before.role if before else None)
    membership = None
    if role is None:
        memberships.filter(user=user).delete()
    else:
        membership, _made = memberships.update_or_create(user=user, ad_account=ad_account, defaults={"role": role})
    derive(libraries)
    return membership


def _keep_an_administrator(
    memberships: QuerySet[AccountMembership], before: AccountMembership | None, role: AccountRole | None
) -> None:
    administrator = AccountRole.ADMINISTRATOR
    losing = before is not None and before.role == administrator and role != administrator
    others = memberships.filter(role=administrator, share=None, user__is_active=True)
    if losing and before is not None and not others.exclude(pk=before.pk).exists():
        detail = _("An ad account keeps at least one Administrator. Give somebody else the role first.")
        raise Conflict("last_administrator", detail)


@transaction.atomic
def add_member_by_email(
    *, actor: User, ad_account: AdAccount, email: str, role: AccountRole
) -> AccountMembership | Invitation:
    """Give the person with this e-mail a role; somebody who is not here yet is invited by mail instead.

    Raises `Refused`, and `Invalid` when they have a role already.
    """
    require(actor, Can.MANAGE_MEMBERS, ad_account)
    user = User.objects.filter(email=email.strip().lower(), is_active=True, is_staff=False).first()
    if user is None:
        return invite_to_account(actor=actor, ad_account=ad_account, email=email, role=role)
    if AccountMembership.objects.filter(ad_account=ad_account, user=user).exists():
        raise Invalid({"email": _("This person has a role here already. Change it in the list.")})
    membership = set_member(actor=actor, ad_account=ad_account, user=user, role=role)
    assert membership is not None
    transaction.on_commit(lambda: mail_of_role(user=user, place=ad_account, role=role, actor=actor))
    return membership
