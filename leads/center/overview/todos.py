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
from leads.privacy.retention import is_retention_decided


@dataclass(frozen=True, slots=True)
class Todo:
    key: str
    label: str
    done: bool
    note: str = ""
    url: str = ""
    action: str = ""


@dataclass(frozen=True, slots=True)
class _Reader:
    """Who reads the list: what they may do says which steps lead somewhere."""

    held: frozenset[Can]
    account: str
    library: str


def todos_of(account: AdAccount, library: LeadLibrary, held: frozenset[Can], *, wants_mail: bool) -> tuple[Todo, ...]:
    """Return what is still to be done before the account works well; with an action only for those who may do it."""
    reader = _Reader(held, f"/a/{account.pk}", f"/l/{library.pk}")
    return (*_forms(account, library, reader), *_desk(account, library, reader, wants_mail=wants_mail))


def _forms(account: AdAccount, library: LeadLibrary, reader: _Reader) -> tuple[Todo, ...]:
    forms, address = Form.objects.filter(ad_account=account), f"{reader.account}/forms/"
    published = forms.filter(published__isnull=False).exists()
    leads = Lead.objects.filter(library=library)
    return (
        _todo(
            "form", _("Create your first form"), published or forms.exists(), "", address, _("Create"), _edits(reader)
        ),
        _todo(
            "publish",
            _("Link your privacy policy and publish the form"),
            published,
            _("No form goes live without the link."),
            address,
            _("Open forms"),
            _edits(reader),
        ),
        _todo(
            "test_lead",
            _("Send a test lead"),
            leads.filter(is_test=True).exists(),
            _("From the page of the form: it is marked as a test and in no count."),
            address,
            _("Open forms"),
            Can.WORK_LEADS in reader.held,
        ),
        _todo(
            "lead",
            _("Receive the first lead"),
            leads.filter(is_test=False).exists(),
            _("Open the form's link on your phone and fill it."),
            address,
            _("Open forms"),
            Can.VIEW_FORMS in reader.held,
        ),
    )


def _edits(reader: _Reader) -> bool:
    return Can.EDIT_FORMS in reader.held


def _desk(account: AdAccount, library: LeadLibrary, reader: _Reader, *, wants_mail: bool) -> tuple[Todo, ...]:
    connected = Connection.objects.filter(library=library, removed_at=None, last_success_at__isnull=False).exists()
    administrators = AccountMembership.objects.filter(
        ad_account=account, share=None, role=AccountRole.ADMINISTRATOR, user__is_active=True
    ).count()
    return (
        _todo(
            "crm",
            _("Connect a CRM and see a lead arrive there"),
            connected,
            _("Leads then arrive there within seconds."),
            f"{reader.library}/integrations/",
            _("Connect"),
            Can.CONNECT_CRM in reader.held,
        ),
        _todo(
            "team",
            _("Have a second Administrator"),
            administrators > 1,
            _("While one person is away, the other works on the leads."),
            f"{reader.account}/members/",
            _("Add"),
            Can.MANAGE_MEMBERS in reader.held,
        ),
        _todo(
            "mails",
            _("Turn on mails about new leads"),
            wants_mail,
            _("Each new lead then comes to you as a link."),
            "/settings/notifications/",
            _("Turn on"),
            Can.VIEW_LEADS in reader.held,
        ),
        _todo(
            "retention",
            _("Decide how long leads are kept"),
            is_retention_decided(library),
            _("Now %(days)s days. %(leaving)s") % {"days": library.retention_days, "leaving": _leaving(library)},
            f"{reader.library}/privacy/",
            _("Decide"),
            Can.MANAGE_PRIVACY in reader.held,
        ),
    )


def _todo(key: str, label: str, done: bool, note: str, url: str, action: str, allowed: bool) -> Todo:
    if done:
        return Todo(key, label, done)
    return Todo(key, label, done, note, url if allowed else "", action if allowed else "")


def _leaving(library: LeadLibrary) -> str:
    limit = timezone.now() - timedelta(days=library.retention_days - 7)
    rows = Lead.objects.filter(library=library, state=Lead.State.LIVE, is_test=False, received_at__lt=limit)
    count = rows.order_by().values("pk")[:1001].count()
    if count > 1000:
        return _("More than 1,000 leads go within a week.")
    return ngettext("%(n)s lead goes within a week.", "%(n)s leads go within a week.", count) % {"n": count}
