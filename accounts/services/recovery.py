"""A Business Center without Admins gets one back: asked for at the machine, told to everybody, after 72 hours."""

from datetime import timedelta

from django.core.mail import send_mail
from django.db import transaction
from django.db.models import Q
from django.db.models.functions import Now
from django.template.loader import render_to_string
from django.utils import timezone
from django.utils.translation import gettext as _

from accounts import audit
from accounts.access import derive, lock_centers, lock_libraries
from accounts.models import (
    AccountRole,
    Act,
    BusinessCenter,
    BusinessCenterMember,
    BusinessCenterRole,
    Recovery,
    User,
)
from accounts.refusals import Conflict, Invalid
from accounts.services.business_centers import libraries_of, refuse_staff

WAITS = timedelta(hours=72)


@transaction.atomic
def ask_recovery(*, business_center: BusinessCenter, user: User) -> Recovery:
    """Ask that `user` becomes Admin of a Business Center without one; every member is told by mail at once.

    Raises `Conflict` when it has an active Admin, is switched off, or waits already; `Invalid` for a person who cannot
    be a member.
    """
    center = BusinessCenter.objects.select_for_update(no_key=True).get(pk=business_center.pk)
    refuse_staff(user)
    if not user.is_active:
        raise Invalid({"user": _("This person's account is switched off.")})
    if not center.is_active:
        raise Conflict("switched_off", _("This Business Center is switched off. Switch it on first."))
    if has_admin(center):
        raise Conflict("has_admins", _("This Business Center has an Admin, who can make others Admin."))
    if Recovery.objects.filter(business_center=center, state=Recovery.State.WAITING).exists():
        raise Conflict("recovery_waiting", _("A recovery of this Business Center is waiting already."))
    recovery = Recovery(business_center=center, user=user, effective_at=timezone.now() + WAITS)
    _tell(Act.RECOVERY_ASKED, recovery)
    recovery.save(force_insert=True)
    transaction.on_commit(lambda: _mail(recovery, "asked"))
    return recovery


@transaction.atomic
def cancel_recovery(*, business_center: BusinessCenter) -> Recovery:
    """Cancel the recovery that waits, because a member objected; raises `Conflict` when none does."""
    rows = Recovery.objects.select_for_update(no_key=True, of=("self",)).select_related("business_center", "user")
    recovery = rows.filter(business_center=business_center, state=Recovery.State.WAITING).first()
    if recovery is None:
        raise Conflict("no_recovery", _("No recovery of this Business Center is waiting."))
    _close(recovery, Recovery.State.CANCELLED, Act.RECOVERY_CANCELLED)
    return recovery


def recover_due() -> int:
    """Make the Admins whose waiting time is over, cancel what is needless by now; return how many became."""
    due = Recovery.objects.filter(state=Recovery.State.WAITING, effective_at__lte=Now())
    return sum(_recover(pk) for pk in list(due.values_list("pk", flat=True)))


@transaction.atomic
def _recover(recovery_id: int) -> bool:
    center = BusinessCenter.objects.get(recoveries=recovery_id)
    lock_centers(center.pk)
    libraries = lock_libraries(libraries_of(center))
    rows = Recovery.objects.select_for_update(no_key=True, of=("self",)).select_related("business_center", "user")
    recovery = rows.get(pk=recovery_id)
    if recovery.state != Recovery.State.WAITING:
        return False
    center, user = recovery.business_center, recovery.user
    if has_admin(center) or not center.is_active or not user.is_active or user.is_staff:
        _close(recovery, Recovery.State.CANCELLED, Act.RECOVERY_CANCELLED)
        return False
    _close(recovery, Recovery.State.DONE, Act.RECOVERY_DONE)
    BusinessCenterMember.objects.update_or_create(
        business_center=center, user=user, defaults={"role": BusinessCenterRole.ADMIN}
    )
    derive(libraries)
    return True


def has_admin(business_center: BusinessCenter) -> bool:
    """Return whether an active person is Admin of the Business Center."""
    return business_center.members.filter(role=BusinessCenterRole.ADMIN, user__is_active=True).exists()


def concerned(business_center: BusinessCenter) -> list[str]:
    """Return the addresses of all members and of the Administrators of its ad accounts, switched off or not."""
    people = User.objects.filter(
        Q(business_center_memberships__business_center=business_center)
        | Q(
            account_memberships__ad_account__business_center=business_center,
            account_memberships__role=AccountRole.ADMINISTRATOR,
        )
    )
    return list(people.order_by("email").values_list("email", flat=True).distinct())


def _close(recovery: Recovery, state: Recovery.State, act: Act) -> None:
    _tell(act, recovery)
    Recovery.objects.filter(pk=recovery.pk).update(state=state, closed_at=Now())
    recovery.state = state
    transaction.on_commit(lambda: _mail(recovery, str(state)))


def _tell(act: Act, recovery: Recovery) -> None:
    for scope in (recovery.business_center, None):
        audit.record(act, scope, targets=[recovery.pk, recovery.user_id])


def _mail(recovery: Recovery, what: str) -> None:
    """Tell everybody concerned, each in a mail of their own."""
    context = {"recovery": recovery, "center": recovery.business_center, "person": recovery.user, "what": what}
    text = render_to_string("accounts/mail/recovery.txt", context)
    subject = _("Recovery of the Business Center %(name)s") % {"name": recovery.business_center.name}
    for address in sorted({*concerned(recovery.business_center), recovery.user.email}):
        send_mail(" ".join(subject.split()), text, None, [address])
