"""A small house for tests: one brand with its people in every role, and somebody from elsewhere."""

from dataclasses import dataclass

from accounts.models import AccountRole, AdAccount, BusinessCenter, LeadLibrary, User
from accounts.services import ad_accounts, business_centers
from forms_builder import services
from forms_builder.models import Form

CONTENT = {
    "headline": "Home solar quote",
    "text": "Three questions, one call.",
    "questions": [
        {"kind": "first_name"},
        {"kind": "email"},
        {"kind": "phone_number", "required": False},
        {"kind": "multiple_choice", "key": "when", "label": "When?", "options": ["Now", "Later"]},
    ],
    "privacy_policy_url": "https://larkspur.example/privacy",
    "disclaimer": {"consents": [{"key": "contact", "label": "You may call me.", "required": True}]},
}


@dataclass
class House:
    """`admin` is the Admin of the Business Center and the ad account's Administrator; `stranger` runs another brand."""

    business_center: BusinessCenter
    account: AdAccount
    library: LeadLibrary
    admin: User
    operator: User
    analyst: User
    stranger: User
    elsewhere: AdAccount


def person(name: str) -> User:
    """Make a person who may sign in."""
    return User.objects.create_user(f"{name.lower()}@example.com", name=name)


def build(*, terms: bool = True) -> House:
    """Build the house; without `terms` nobody has accepted the lead-generation terms yet."""
    admin, operator, analyst, stranger = (person(name) for name in ("Adele", "Oscar", "Ana", "Stig"))
    center = business_centers.create_business_center(
        name="Larkspur", admin=admin, two_factor=BusinessCenter.TwoFactor.NOBODY
    )
    account = ad_accounts.create_ad_account(
        actor=admin, business_center=center, name="Larkspur Solar", administrator=admin
    )
    for user, role in ((operator, AccountRole.OPERATOR), (analyst, AccountRole.ANALYST)):
        ad_accounts.set_member(actor=admin, ad_account=account, user=user, role=role)
    other = business_centers.create_business_center(
        name="Quarry", admin=stranger, two_factor=BusinessCenter.TwoFactor.NOBODY
    )
    elsewhere = ad_accounts.create_ad_account(
        actor=stranger, business_center=other, name="Quarry Tiles", administrator=stranger
    )
    if terms:
        business_centers.accept_terms(actor=admin, business_center=center)
    return House(center, account, account.library, admin, operator, analyst, stranger, elsewhere)


def live_form(house: House, name: str = "Solar") -> Form:
    """Make and publish a form as the Operator."""
    form = services.create_form(actor=house.operator, ad_account=house.account, name=name, content=CONTENT)
    services.publish(actor=house.operator, form=form)
    return Form.objects.select_related("ad_account", "published").get(pk=form.pk)
