"""A brand with an Administrator and a library, leads in it as intake writes them, and connections to a sink."""

import itertools
import uuid
from collections.abc import Sequence
from dataclasses import dataclass

from django.utils import timezone

from accounts.models import AdAccount, BusinessCenter, LeadLibrary, User
from accounts.services.ad_accounts import create_ad_account
from accounts.services.business_centers import create_business_center
from forms_builder.models import Form, FormVersion
from leads.crm.services.connections import Shown, create_connection
from leads.intake.store import NewLead, store
from leads.models import Delivery
from leads.vault.keys import make_keys

_numbers = itertools.count(1)


@dataclass(frozen=True)
class World:
    """What most tests of deliveries stand on."""

    admin: User
    account: AdAccount
    library: LeadLibrary
    version: FormVersion

    def lead(self, *, region: str = "eu", is_test: bool = False, **answers: str) -> int:
        """A lead that answered a form just now; without `answers`, with a name and an address of its own."""
        number = next(_numbers)
        given = answers or {"name": f"Ann {number}", "email": f"ann{number}@example.com"}
        content = {
            "answers": [[kind, kind.replace("_", " ").title(), value, kind] for kind, value in given.items()],
            "form": {"id": "7", "name": "Spring", "version": 2},
            "campaign": {"id": "8", "name": "May"},
            "ad_group": None,
            "ad": None,
            "attribution": {"utm_source": "feed"},
            "country": "DE",
            "language": "en",
            "consents": {"news": True},
        }
        new = NewLead(
            library_id=self.library.pk,
            form_id=self.version.form_id,
            version_id=self.version.pk,
            version_number=2,
            key=uuid.uuid4(),
            region=region,
            language="en",
            content=content,
            consents={"news": True},
            is_test=is_test,
        )
        return store(new).lead_id

    def leads(self, count: int) -> list[int]:
        return [self.lead() for _ in range(count)]

    def webhook(self, url: str, **settings: object) -> Shown:
        return create_connection(
            actor=self.admin,
            library=self.library,
            kind="webhook",
            name="Receiver",
            url=url,
            **settings,  # type: ignore[arg-type]
        )

    def hubspot(self, base_url: str, mapping: Sequence[dict[str, str]] = ()) -> Shown:
        return create_connection(
            actor=self.admin,
            library=self.library,
            kind="hubspot",
            name="HubSpot",
            credentials={"token": "pat-secret"},
            base_url=base_url,
            mapping=mapping,
        )


def make_world(name: str = "brand") -> World:
    """A new brand, keys made."""
    admin = User.objects.create_user(f"{name}{next(_numbers)}@example.com", "pass word of tests", name="Bea")
    center = create_business_center(name=name, admin=admin, two_factor=BusinessCenter.TwoFactor.NOBODY)
    account = create_ad_account(actor=admin, business_center=center, name=name, administrator=admin)
    library = LeadLibrary.objects.select_related("ad_account", "custodian").get(ad_account=account)
    make_keys([library.pk])
    form = Form.objects.create(ad_account=account, name="Spring")
    version = FormVersion.objects.create(
        form=form, number=2, status=FormVersion.Status.PUBLISHED, published_at=timezone.now()
    )
    Form.objects.filter(pk=form.pk).update(status=Form.Status.LIVE, published=version)
    return World(admin, account, library, version)


def delivery_of(lead: int) -> Delivery:
    return Delivery.objects.get(lead_id=lead)
