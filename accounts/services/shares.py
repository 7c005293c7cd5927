"""An ad account lent to a partner Business Center: campaigns and forms at a role, leads only where switched on."""

from django.conf import settings
from django.core.mail import send_mail
from django.db import transaction
from django.template.loader import render_to_string
from django.utils.translation import gettext as _

from accounts import audit
from accounts.access import (
    Can,
    derive,
    is_member,
    is_of,
    lock_centers,
    lock_libraries,
    lower_role,
    refusal,
    require,
    require_admin_of,
)
from accounts.models import (
    AccountMembership,
    AccountRole,
    AccountShare,
    Act,
    AdAccount,
    BusinessCenter,
    BusinessCenterRole,
    LeadLibrary,
    User,
)
from accounts.refusals import Conflict, Invalid


def _locked(ad_account_id: int) -> LeadLibrary:
    return lock_libraries(LeadLibrary.objects.filter(ad_account=ad_account_id))[0]


@transaction.atomic
def share_account(
    *, actor: User, ad_account: AdAccount, partner: BusinessCenter | None, role: AccountRole
) -> AccountShare:
    """Lend the ad account to `partner` at `role`, without leads; its Admins hold the role in their next request.

    Raises `Refused`, `Invalid` for an unknown partner or the owner itself, `Conflict` when it is shared already.
    """
    lock_centers(partner.pk if partner else 0)
    library = _locked(ad_account.pk)
    require(actor, Can.MANAGE_MEMBERS, ad_account)
    if partner is None or not partner.is_active:
        raise Invalid({"business_center_id": _("There is no Business Center with this id.")})
    if partner.pk == ad_account.business_center_id:
        raise Invalid({"business_center_id": _("This Business Center owns the ad account.")})
    if AccountShare.objects.filter(ad_account=ad_account, partner=partner).exists():
        raise Conflict("shared_already", _("The account is shared with this Business Center. Change that share."))
    share = AccountShare(ad_account=ad_account, partner=partner, role=role, created_by=actor)
    _tell(Act.ACCOUNT_SHARED, share, actor, role=role)
    share.save(force_insert=True)
    derive([library])
    transaction.on_commit(lambda: _mail(share))
    return _whole(share.pk)


@transaction.atomic
def set_share_role(*, actor: User, share: AccountShare, role: AccountRole) -> AccountShare:
    """Change the role of the share; what the partner gave its people shrinks with it, leads go below Administrator."""
    library = _locked(share.ad_account_id)
    require(actor, Can.MANAGE_MEMBERS, share.ad_account)
    share = _whole(share.pk)
    _tell(Act.SHARE_CHANGED, share, actor, role=role, was=share.role)
    for given in AccountMembership.objects.filter(share=share):
        AccountMembership.objects.filter(pk=given.pk).update(role=lower_role(given.role, role))
    share.role = role
    if role != AccountRole.ADMINISTRATOR:
        share.leads_too, share.leads_custody = False, None
    share.save(update_fields=["role", "leads_too", "leads_custody"])
    derive([library])
    return share


@transaction.atomic
def set_leads_too(*, actor: User, share: AccountShare, leads_too: bool) -> AccountShare:
    """Switch leads on or off for the share; on needs a holder of the leads and a share at Administrator.

    Raises `Refused`, `Conflict`. A transfer of leads access ends it, since it belongs to the custody of now.
    """
    library = _locked(share.ad_account_id)
    if leads_too or not is_member(actor, share.partner, admin=True):
        require(actor, Can.HAND_OVER, library)
    share = _whole(share.pk)
    if leads_too and share.role != AccountRole.ADMINISTRATOR:
        raise Conflict("share_below_administrator", _("Only a share at Administrator can carry leads."))
    for scope in (share.ad_account, share.partner, library):
        audit.record(
            Act.SHARE_CHANGED, scope, actor=actor, targets=[share.pk], partner=share.partner.name, leads_too=leads_too
        )
    share.leads_too = leads_too
    share.leads_custody = library.custody if leads_too else None
    share.save(update_fields=["leads_too", "leads_custody"])
    derive([library])
    return share


@transaction.atomic
def end_share(*, actor: User, share: AccountShare) -> None:
    """Take the account back, or give it back as the partner; every right through it ends in the next request."""
    library = _locked(share.ad_account_id)
    share = _whole(share.pk)
    if not is_member(actor, share.partner, admin=True):
        require(actor, Can.MANAGE_MEMBERS, share.ad_account)
    _tell(Act.SHARE_ENDED, share, actor)
    AccountMembership.objects.filter(share=share).delete()
    AccountShare.objects.filter(pk=share.pk).delete()
    derive([library])


@transaction.atomic
def give_role(*, actor: User, share: AccountShare, user: User, role: AccountRole | None) -> AccountMembership | None:
    """Give one of the partner's own people a role, at most the share's, or take it away (None); its Admins do this.

    Raises `Refused`, `Invalid` for somebody else's person or a higher role, `Conflict` for one with another role.
    """
    library = _locked(share.ad_account_id)
    share = _whole(share.pk)
    require_party(actor, share, partner_only=True)
    given = AccountMembership.objects.filter(share=share, user=user)
    before = given.first()
    if role is None and before is None:
        return None
    if role is not None:
        _check(share, user, role)
    act = Act.MEMBER_REMOVED if role is None else Act.MEMBER_CHANGED if before else Act.MEMBER_ADDED
    _tell(act, share, actor, user.pk, role=role, was=before.role if before else None)
    membership = None
    if role is None:
        given.delete()
    else:
        membership, _made = given.update_or_create(
            share=share, user=user, ad_account=share.ad_account, defaults={"role": role}
        )
    derive([library])
    return membership


def require_party(actor: User, share: AccountShare, *, partner_only: bool = False) -> None:
    """Raise `Refused` unless `actor` is an Admin of the partner, or manages the account's members.

    With `partner_only` the account's own people are told whom to ask.
    """
    if is_member(actor, share.partner):
        require_admin_of(actor, share.partner)
        return
    if not partner_only:
        require(actor, Can.MANAGE_MEMBERS, share.ad_account)
        return
    refused = refusal(actor, Can.MANAGE_MEMBERS, share.ad_account, stranger=not is_of(actor, share.ad_account))
    refused.reason = _("Only Admins of %(name)s give its people roles.") % {"name": share.partner.name}
    refused.who_can_help = (share.partner.name,)
    raise refused


def _check(share: AccountShare, user: User, role: AccountRole) -> None:
    member = share.partner.members.filter(user=user, user__is_active=True).first()
    if member is None:
        raise Invalid({"user": _("Only members of %(name)s can be given a role.") % {"name": share.partner.name}})
    if member.role == BusinessCenterRole.ADMIN:
        raise Invalid({"user": _("Admins of %(name)s hold the role of the share.") % {"name": share.partner.name}})
    if lower_role(role, share.role) != role:
        raise Invalid({"role": _("The share gives at most %(role)s.") % {"role": AccountRole(share.role).label}})
    if AccountMembership.objects.filter(ad_account=share.ad_account, user=user).exclude(share=share).exists():
        raise Conflict("has_a_role", _("This person has a role in the account already."))


def _whole(pk: int) -> AccountShare:
    found = AccountShare.objects.filter(pk=pk).select_related("ad_account__business_center", "partner").first()
    if found is None:
        raise Conflict("share_ended", _("This share has ended."))
    return found


def _tell(
    act: Act, share: AccountShare, actor: User, *targets: int, role: str | None = None, was: str | None = None
) -> None:
    """Record in the trails of the ad account and of the partner."""
    for scope in (share.ad_account, share.partner):
        audit.record(
            act, scope, actor=actor, targets=[share.pk, *targets], partner=share.partner.name, role=role, was=was
        )


def _mail(share: AccountShare) -> None:
    admins = share.partner.members.filter(role=BusinessCenterRole.ADMIN, user__is_active=True).select_related("user")
    context = {"share": share, "role": AccountRole(share.role).label, "address": settings.PUBLIC_URL}
    text = render_to_string("accounts/mail/shared.txt", context)
    subject = _("%(name)s is shared with you") % {"name": share.ad_account.name}
    for member in admins:
        send_mail(" ".join(subject.split()), text, None, [member.user.email])
