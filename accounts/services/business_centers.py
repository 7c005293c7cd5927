from django.conf import settings
from django.db import transaction
from django.db.models import Q, QuerySet
from django.utils.translation import gettext as _

from accounts import audit
from accounts.access import derive, lock_centers, lock_libraries, require_admin_of
from accounts.models import (
    AccountMembership,
    AccountShare,
    Act,
    BusinessCenter,
    BusinessCenterMember,
    BusinessCenterRole,
    LeadLibrary,
    TermsAcceptance,
    User,
)
from accounts.refusals import Conflict, Invalid


def libraries_of(business_center: BusinessCenter) -> QuerySet[LeadLibrary]:
    """Return the libraries whose permissions follow from this Business Center's members."""
    mine = (
        Q(ad_account__business_center=business_center)
        | Q(custodian=business_center)
        | Q(ad_account__in=AccountShare.objects.filter(partner=business_center).values("ad_account"))
    )
    return LeadLibrary.objects.filter(mine)


@transaction.atomic
def create_business_center(
    *,
    name: str,
    admin: User,
    actor: User | None = None,
    two_factor: BusinessCenter.TwoFactor = BusinessCenter.TwoFactor.DOWNLOADERS,
) -> BusinessCenter:
    """Make a Business Center with its first Admin. Called by platform staff's invitation and by the demo only."""
    refuse_staff(admin)
    business_center = BusinessCenter.objects.create(name=name, two_factor=two_factor)
    audit.record(Act.BUSINESS_CENTER_CREATED, business_center, actor=actor or admin, targets=[admin.pk])
    BusinessCenterMember.objects.create(business_center=business_center, user=admin, role=BusinessCenterRole.ADMIN)
    return business_center


@transaction.atomic
def set_two_factor_rule(*, actor: User, business_center: BusinessCenter, rule: str) -> BusinessCenter:
    """Say, as an Admin, of whom the Business Center demands a second factor. It works in everybody's next request.

    `rule` is a value of `BusinessCenter.TwoFactor`; raises `Invalid` ("two_factor") for any other. The same rule again
    changes nothing.
    """
    require_admin_of(actor, business_center)
    if rule not in BusinessCenter.TwoFactor.values:
        raise Invalid({"two_factor": _("One of %(known)s.") % {"known": ", ".join(BusinessCenter.TwoFactor.values)}})
    locked = BusinessCenter.objects.select_for_update(no_key=True).get(pk=business_center.pk)
    if locked.two_factor != rule:
        audit.record(Act.TWO_FACTOR_RULE_CHANGED, business_center, actor=actor, rule=rule, was=locked.two_factor)
        BusinessCenter.objects.filter(pk=business_center.pk).update(two_factor=rule)
    business_center.two_factor = rule
    return business_center


def refuse_staff(user: User) -> None:
    """Raise `Invalid` for platform staff: they operate the system and belong to no tenant."""
    if user.is_staff or user.is_superuser:
        raise Invalid({"user": _("Platform staff cannot be members of a Business Center or an ad account.")})


@transaction.atomic
def set_member(
    *, actor: User, business_center: BusinessCenter, user: User, role: BusinessCenterRole | None
) -> BusinessCenterMember | None:
    """Give `user` a role in the Business Center, change it, or take it away (None)."""
    lock_centers(business_center.pk)
    libraries = lock_libraries(libraries_of(business_center))
    require_admin_of(actor, business_center)
    if role is not None:
        refuse_staff(user)
        if not user.is_active:
            raise Invalid({"user": _("This person's account is switched off.")})
    members = BusinessCenterMember.objects.filter(business_center=business_center)
    before = members.filter(user=user).first()
    if role is None and before is None:
        return None
    _keep_an_admin(members, before, role)
    act = Act.MEMBER_REMOVED if role is None else Act.MEMBER_CHANGED if before else Act.MEMBER_ADDED
    audit.record(act, business_center, actor=actor, targets=[user.pk], role=role, was=before.role if before else None)
    member = None
    if role is None:
        members.filter(user=user).delete()
        AccountMembership.objects.filter(share__partner=business_center, user=user).delete()
    else:
        member, _made = members.update_or_create(user=user, business_center=business_center, defaults={"role": role})
    derive(libraries)
    return member


def _keep_an_admin(
    members: QuerySet[BusinessCenterMember], before: BusinessCenterMember | None, role: BusinessCenterRole | None
) -> None:
    losing = before is not None and before.role == BusinessCenterRole.ADMIN and role != BusinessCenterRole.ADMIN
    others = members.filter(role=BusinessCenterRole.ADMIN, user__is_active=True)
    if losing and before is not None and not others.exclude(pk=before.pk).exists():
        raise Conflict("last_admin", _("A Business Center keeps at least one Admin. Make somebody else Admin first."))


@transaction.atomic
def accept_terms(*, actor: User, business_center: BusinessCenter) -> TermsAcceptance:
    """Accept the current lead-generation terms for the Business Center; accepting twice changes nothing."""
    require_admin_of(actor, business_center)
    version = settings.TERMS_VERSION
    found = TermsAcceptance.objects.filter(business_center=business_center, version=version).first()
    if found is None:
        audit.record(Act.TERMS_ACCEPTED, business_center, actor=actor, version=version)
        found = TermsAcceptance.objects.create(business_center=business_center, version=version, accepted_by=actor)
    return found
