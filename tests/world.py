"""A small world to test in: an agency with an ad account, its people, a client who may take over, a stranger."""

import re
import uuid
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.utils import timezone

from accounts.models import AccountRole, AdAccount, BusinessCenter, LeadLibrary, User
from accounts.services.ad_accounts import create_ad_account
from accounts.services.ad_accounts import set_member as set_account_member
from accounts.services.business_centers import create_business_center
from accounts.services.transfers import accept_transfer, request_transfer
from campaigns.models import Ad, AdGroup, Campaign
from forms_builder.models import Form, FormVersion
from leads.intake.store import NewLead, store
from leads.models import Connection, Delivery, Lead, LeadLabel
from leads.vault.keys import make_keys
from leads.vault.search import terms_of

CONTENT = {
    "headline": "Try it",
    "questions": [
        {"key": "name", "kind": "name", "label": "Your name"},
        {"key": "email", "kind": "email", "label": "E-mail"},
        {"key": "phone_number", "kind": "phone_number", "label": "Phone", "required": False},
        {"key": "wish", "kind": "short_answer", "label": "What do you wish?", "required": False},
    ],
    "privacy_policy_url": "https://example.com/privacy",
    "disclaimer": {"title": "News", "text": "", "consents": [{"key": "news", "label": "Send me news"}]},
}


def says(text: str, word: str) -> bool:
    """Whether `word` stands in a text as a word, in any case: inside a random token three letters are chance."""
    return re.search(rf"(?<![\w-]){re.escape(word)}(?![\w-])", text, re.IGNORECASE) is not None


@dataclass
class World:
    """Everybody by role; `library` is the agency's until `hand_over`."""

    account: AdAccount
    library: LeadLibrary
    administrator: User
    operator: User
    analyst: User
    client: BusinessCenter
    client_admin: User
    stranger: User
    stranger_library: LeadLibrary
    form: Form
    version: FormVersion
    ad: Ad

    def add_lead(
        self,
        *,
        name: str = "Ann Example",
        email: str = "ann@example.com",
        phone: str = "+4915112345678",
        wish: str = "A quiet room",
        region: str = "eu",
        form: Form | None = None,
        version: FormVersion | None = None,
        with_ad: bool = False,
        is_test: bool = False,
        library: LeadLibrary | None = None,
        extra: tuple[list[str], ...] = (),
        attribution: dict[str, str] | None = None,
    ) -> Lead:
        """Store a lead as intake does."""
        form, version, library = form or self.form, version or self.version, library or self.library
        ad = self.ad if with_ad else None
        group = ad.ad_group if ad else None
        campaign = group.campaign if group else None
        rows = [
            ["name", "Your name", name, "name"],
            ["email", "E-mail", email, "email"],
            ["phone_number", "Phone", phone, "phone_number"],
            ["wish", "What do you wish?", wish, "short_answer"],
        ]
        new = NewLead(
            library_id=library.pk,
            form_id=form.pk,
            version_id=version.pk,
            version_number=version.number,
            key=uuid.uuid4(),
            region=region,
            language="en",
            content={
                "answers": [row for row in rows if row[2]] + list(extra),
                "form": {"id": form.pk, "name": form.name, "version": version.number},
                "campaign": {"id": campaign.pk, "name": campaign.name} if campaign else None,
                "ad_group": {"id": group.pk, "name": group.name} if group else None,
                "ad": {"id": ad.pk, "name": ad.name} if ad else None,
                "attribution": attribution or {"utm_source": "test"},
                "country": "DE",
                "language": "en",
                "consents": {"news": True},
            },
            consents={"news": True},
            terms=terms_of(email=email, phone=phone, name=name),
            campaign_id=campaign.pk if campaign else None,
            ad_group_id=group.pk if group else None,
            ad_id=ad.pk if ad else None,
            is_test=is_test,
        )
        return Lead.objects.get(pk=store(new).lead_id)

    def connect(self, name: str = "Hook", **fields: Any) -> Connection:
        """Return a new connection of the library, made by its Administrator."""
        return make_connection(self.library, fields.pop("created_by", self.administrator), name, **fields)

    def hand_over(self) -> None:
        """The client takes over the leads."""
        transfer = request_transfer(actor=self.administrator, library=self.library, business_center=self.client)
        accept_transfer(actor=self.client_admin, transfer=transfer)
        self.library = LeadLibrary.objects.get(pk=self.library.pk)


def make_connection(library: LeadLibrary, created_by: User, name: str = "Hook", **fields: Any) -> Connection:
    """Return a new webhook connection of the library's custody of now: it gets every lead from here on."""
    known = {"library": library, "created_by": created_by, "custody": library.custody}
    url = "https://192.0.2.1/hook"
    return Connection.objects.create(**{**known, "kind": "webhook", "name": name, "url": url, **fields})


def add_delivery(lead: Lead, connection: Connection, **fields: Any) -> Delivery:
    """Return a new delivery of a lead to a connection."""
    known = {"library_id": lead.library_id, "lead_id": lead.pk, "received_at": lead.received_at}
    event_key = f"lead.created:{lead.pk}"
    return Delivery.objects.create(**{**known, "connection": connection, "event_key": event_key, **fields})


def receive(lead: Lead, at: datetime) -> None:
    """Let the lead have come then, for its labels and deliveries, too."""
    Lead.objects.filter(pk=lead.pk).update(received_at=at)
    LeadLabel.objects.filter(lead=lead).update(received_at=at)
    Delivery.objects.filter(lead_id=lead.pk).update(received_at=at)


def person(name: str) -> User:
    """Return a new person whose password is `pass`."""
    return User.objects.create_user(f"{name}-{uuid.uuid4().hex[:8]}@house.test", "pass", name=name)


def make_form(account: AdAccount, name: str = "Trial") -> tuple[Form, FormVersion]:
    """Return a live form with its published version."""
    form = Form.objects.create(ad_account=account, name=name)
    version = FormVersion.objects.create(
        form=form, number=1, content=CONTENT, status="published", published_at=timezone.now()
    )
    form.published, form.status = version, "live"
    form.save(update_fields=["published", "status"])
    return form, version


def make_world() -> World:
    """Return a fresh world with a form, a campaign and no lead."""
    boss, administrator, operator, analyst = (person(name) for name in ("Boss", "Ada", "Olaf", "Nora"))
    agency = create_business_center(name="Agency", admin=boss, two_factor=BusinessCenter.TwoFactor.NOBODY)
    account = create_ad_account(actor=boss, business_center=agency, name="Brand ads", administrator=administrator)
    for user, role in ((operator, AccountRole.OPERATOR), (analyst, AccountRole.ANALYST)):
        set_account_member(actor=administrator, ad_account=account, user=user, role=role)
    client_admin, stranger = person("Clio"), person("Sam")
    client = create_business_center(name="Client", admin=client_admin, two_factor=BusinessCenter.TwoFactor.NOBODY)
    elsewhere = create_business_center(name="Elsewhere", admin=stranger, two_factor=BusinessCenter.TwoFactor.NOBODY)
    strange = create_ad_account(actor=stranger, business_center=elsewhere, name="Other", administrator=stranger)
    library = LeadLibrary.objects.get(ad_account=account)
    stranger_library = LeadLibrary.objects.get(ad_account=strange)
    make_keys([library.pk, stranger_library.pk])
    form, version = make_form(account)
    campaign = Campaign.objects.create(
        ad_account=account, name="Spring", budget_cents=1000, starts_on=timezone.now().date()
    )
    group = AdGroup.objects.create(campaign=campaign, name="Parents")
    ad = Ad.objects.create(ad_group=group, form=form, name="Blue", headline="Try")
    return World(
        account,
        library,
        administrator,
        operator,
        analyst,
        client,
        client_admin,
        stranger,
        stranger_library,
        form,
        version,
        ad,
    )
