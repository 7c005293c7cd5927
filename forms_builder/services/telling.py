"""Mail about versions that wait for the custodian of the leads: to its Admins, and back to who runs the account."""

from django.conf import settings
from django.template.loader import render_to_string
from django.utils.translation import gettext as _

from accounts.access import Can, holders
from accounts.letters import write_to
from accounts.models import AccountRole, Act, AuditEvent, Scope, User
from forms_builder.models import Form


def tell_waiting(form_id: int, number: int) -> int:
    """Write to those who may approve that a version waits; return how many mails went out."""
    form = _form(form_id)
    subject = _("“%(form)s” of %(account)s: version %(number)d waits for your approval")
    return _write(list(holders(form.ad_account.library, Can.MANAGE_PRIVACY)), subject, "waits", form, number)


def tell_answered(form_id: int, number: int, approved: bool) -> int:
    """Write to the account's Administrators and to who published that the version was answered."""
    form = _form(form_id)
    people = User.objects.filter(
        account_memberships__ad_account=form.ad_account_id, account_memberships__role=AccountRole.ADMINISTRATOR
    )
    asked = AuditEvent.objects.filter(
        scope=Scope.AD_ACCOUNT, scope_id=form.ad_account_id, act=Act.FORM_SAVED, targets__object_id=form.pk
    ).filter(detail__waits_for_approval=True, detail__version=number)
    by = User.objects.filter(pk__in=asked.values("actor"), account_memberships__ad_account=form.ad_account_id)
    told = {person.pk: person for person in (*people, *by) if person.is_active and not person.is_staff}
    subject = (
        _("“%(form)s” of %(account)s: version %(number)d was approved")
        if approved
        else _("“%(form)s” of %(account)s: version %(number)d was rejected")
    )
    return _write(list(told.values()), subject, "approved" if approved else "rejected", form, number)


def _form(form_id: int) -> Form:
    return Form.objects.select_related("ad_account__library__custodian").get(pk=form_id)


def _write(people: list[User], subject: str, what: str, form: Form, number: int) -> int:
    account = form.ad_account
    names = {"form": form.name, "account": account.name, "number": number}
    link = f"{settings.PUBLIC_URL}/a/{account.pk}/forms/{form.pk}/review/"
    context = {**names, "what": what, "holder": account.library.custodian.name, "link": link}
    return write_to(people, subject % names, render_to_string("forms_builder/mail/approval.txt", context))
