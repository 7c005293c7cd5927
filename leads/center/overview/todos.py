"""The onboarding checklist: each step computed from data, so that it cannot lie."""

from dataclasses import dataclass
from datetime import timedelta

from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from accounts.access import Can
from accounts.models import AccountMembership, AccountRole, AdAccount, LeadLibrary
from forms_builder.models import Form
from leads.models import Connection, Lead


@dataclass(frozen=True, slots=True)
class Todo:
    label: str
    done: bool
    note: str = ""
    url: str = ""
    action: str = ""


def todos_of(account: AdAccount, library: LeadLibrary, held: frozenset[Can], *, wants_mail: bool) -> tuple[Todo, ...]:
    """Return what is still to be done before the account works well; with an action only for those who may do it."""
    a, held_by = f"/a/{account.pk}", f"/l/{library.pk}"
    published = Form.objects.filter(ad_account=account, published__isnull=False).exists()
    received = Lead.objects.filter(library=library).exists()
    connected = Connection.objects.filter(library=library, removed_at=None).exists()
    administrators = AccountMembership.objects.filter(
        ad_account=account, share=None, role=AccountRole.ADMINISTRATOR, user__is_active=True
    ).count()
    leaving = _leaving(library)
    return (
        _todo(_("Publish a form"), published, "", f"{a}/forms/", _("Open forms"), Can.EDIT_FORMS in held),
        _todo(
            _("Receive the first lead"),
            received,
            _("A test lead counts here."),
            f"{a}/forms/",
            _("Open forms"),
            Can.VIEW_FORMS in held,
        ),
        _todo(
            _("Connect a CRM"),
            connected,
            _("Leads then arrive there within seconds."),
            f"{held_by}/integrations/",
            _("Connect"),
            Can.CONNECT_CRM in held,
        ),
        _todo(
            _("Have a second Administrator"),
            administrators > 1,
            _("One person alone is one holiday away from nobody."),
            f"{a}/members/",
            _("Add"),
            Can.MANAGE_MEMBERS in held,
        ),
        _todo(
            _("Turn on mails about new leads"),
            wants_mail,
            _("Each new lead then comes to you as a link."),
            "/settings/notifications/",
            _("Turn on"),
            Can.VIEW_LEADS in held,
        ),
        _todo(
            _("Decide how long leads are kept"),
            library.retention_days != LeadLibrary._meta.get_field("retention_days").default,
            _("Now %(days)s days. %(leaving)s") % {"days": library.retention_days, "leaving": leaving},
            f"{held_by}/privacy/",
            _("Decide"),
            Can.MANAGE_PRIVACY in held,
        ),
    )


def _todo(label: str, done: bool, note: str, url: str, action: str, allowed: bool) -> Todo:
    return Todo(label, done) if done else Todo(label, done, note, url if allowed else "", action if allowed else "")


def _leaving(library: LeadLibrary) -> str:
    limit = timezone.now() - timedelta(days=library.retention_days - 7)
    rows = Lead.objects.filter(library=library, state=Lead.State.LIVE, received_at__lt=limit)
    count = rows.order_by().values("pk")[:1001].count()
    if count > 1000:
        return _("More than 1,000 leads go within a week.")
    return ngettext("%(n)s lead goes within a week.", "%(n)s leads go within a week.", count) % {"n": count}
