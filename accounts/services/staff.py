"""What platform staff may do to accounts: begin a Business Center, switch people and Business Centers off."""

from allauth.account.forms import default_token_generator
from allauth.account.utils import user_pk_to_url_str
from django.conf import settings
from django.core.exceptions import PermissionDenied
from django.core.mail import send_mail
from django.db import transaction
from django.template.loader import render_to_string
from django.urls import reverse
from django.utils.translation import gettext as _

from accounts import audit
from accounts.access import derive, lock_centers, lock_libraries
from accounts.models import Act, BusinessCenter, BusinessCenterRole, User
from accounts.refusals import Conflict
from accounts.services.business_centers import create_business_center, libraries_of
from accounts.services.people import create_person


def require_staff(actor: User) -> None:
    """Raise `PermissionDenied` unless `actor` is active platform staff."""
    if not (actor.is_active and actor.is_staff):
        raise PermissionDenied


@transaction.atomic
def invite_business_center(*, actor: User, name: str, email: str, admin_name: str = "") -> BusinessCenter:
    """Make a Business Center and invite its first Admin by mail: a new person sets the password by the mail's link.

    Raises `Invalid` for an address of platform staff, who belong to no tenant.
    """
    require_staff(actor)
    admin = User.objects.filter(email=email.strip().lower()).first() or create_person(email=email, name=admin_name)
    business_center = create_business_center(name=name, admin=admin, actor=actor)
    transaction.on_commit(lambda: _send_invitation(business_center, admin))
    return business_center


def invite_again(*, actor: User, business_center: BusinessCenter) -> int:
    """Send the invitation again to the Admins who never set a password; return how many. Raises `Conflict` if none."""
    require_staff(actor)
    members = business_center.members.filter(role=BusinessCenterRole.ADMIN, user__is_active=True)
    waiting = [row.user for row in members.select_related("user") if not row.user.has_usable_password()]
    if not waiting:
        raise Conflict("nobody_waits", _("Every Admin of this Business Center has set a password."))
    for admin in waiting:
        _send_invitation(business_center, admin)
    return len(waiting)


@transaction.atomic
def set_center_active(*, actor: User | None, business_center: BusinessCenter, active: bool) -> None:
    """Switch a Business Center on or off; off ends every right that its members hold through it."""
    if actor is not None:
        require_staff(actor)
    lock_centers(business_center.pk)
    libraries = lock_libraries(libraries_of(business_center))
    act = Act.BUSINESS_CENTER_ACTIVATED if active else Act.BUSINESS_CENTER_DEACTIVATED
    audit.record(act, business_center, actor=actor)
    BusinessCenter.objects.filter(pk=business_center.pk).update(is_active=active)
    business_center.is_active = active
    derive(libraries)


def _send_invitation(business_center: BusinessCenter, admin: User) -> None:
    """Mail the invitation; the link sets a password and works once, for PASSWORD_RESET_TIMEOUT seconds."""
    link = ""
    if not admin.has_usable_password():
        key = {"uidb36": user_pk_to_url_str(admin), "key": default_token_generator.make_token(admin)}
        link = settings.PUBLIC_URL.rstrip("/") + reverse("account_reset_password_from_key", kwargs=key)
    context = {
        "business_center": business_center,
        "link": link,
        "sign_in": settings.PUBLIC_URL.rstrip("/") + reverse("account_login"),
        "days": settings.PASSWORD_RESET_TIMEOUT // 86400,
    }
    text = render_to_string("accounts/mail/invitation.txt", context)
    subject = _("You are the first Admin of %(name)s") % {"name": business_center.name}
    send_mail(" ".join(subject.split()), text, None, [admin.email])
