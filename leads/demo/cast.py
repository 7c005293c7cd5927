"""The demo's people, companies and accounts. Names, addresses and numbers are made up."""

import base64
import hashlib
import hmac
from dataclasses import dataclass

from django.conf import settings

from accounts.models import (
    AccountMembership,
    AccountRole,
    AdAccount,
    ApiToken,
    BusinessCenter,
    BusinessCenterMember,
    BusinessCenterRole,
    User,
)
from accounts.services.ad_accounts import create_ad_account, set_member
from accounts.services.business_centers import accept_terms, create_business_center
from accounts.services.business_centers import set_member as set_center_member
from accounts.services.people import create_person, set_active, verify_address
from accounts.services.tokens import create_token, digest_of


@dataclass(frozen=True, slots=True)
class Actor:
    """Someone who can sign in to the demo. Password and token follow from SECRET_KEY, so they stay the same."""

    key: str
    name: str
    email: str

    @property
    def password(self) -> str:
        """A pronounceable-enough password of 16 letters and digits."""
        return _derived(f"password:{self.key}")[:16]

    @property
    def token(self) -> str:
        """An API token in the product's own form."""
        return f"hf_{_derived(f'token:{self.key}')[:32]}"


def _derived(use: str) -> str:
    digest = hmac.digest(settings.SECRET_KEY.encode(), f"demo:{use}".encode(), hashlib.sha256)
    return base64.b32encode(digest).decode().rstrip("=").lower()


ACTORS = {
    actor.key: actor
    for actor in (
        Actor("brand_admin", "Maren Holt", "maren@larkspur.example"),
        Actor("brand_operator", "Idris Kane", "idris@larkspur.example"),
        Actor("brand_analyst", "Sofia Lund", "sofia@larkspur.example"),
        Actor("agency_admin", "Theo Brandt", "theo@fieldnote.example"),
        Actor("agency_operator", "Noor Haddad", "noor@fieldnote.example"),
        Actor("agency_analyst", "Ines Prado", "ines@fieldnote.example"),
        Actor("client_bc_admin", "Greta Halden", "greta@halden.example"),
        Actor("client_bc_standard", "Pavel Novak", "pavel@halden.example"),
        Actor("other_admin", "Lotte Quarry", "lotte@quarry.example"),
        Actor("inactive", "Former Colleague", "former@larkspur.example"),
        Actor("staff", "Platform Staff", "staff@holdfast.example"),
    )
}
BUSINESS_CENTERS = {
    "brand": ("Larkspur Solar", "brand_admin"),
    "agency": ("Fieldnote Media", "agency_admin"),
    "client": ("Halden Bikes", "client_bc_admin"),
    "other": ("Quarry Tiles", "other_admin"),
}
AD_ACCOUNTS = {
    "brand": ("Larkspur Solar US", "brand", "brand_admin"),
    "agency_run": ("Halden Bikes Europe", "agency", "agency_admin"),
    "other": ("Quarry Tiles", "other", "other_admin"),
}
ROLES = {
    "brand_operator": ("brand", AccountRole.OPERATOR),
    "brand_analyst": ("brand", AccountRole.ANALYST),
    "agency_operator": ("agency_run", AccountRole.OPERATOR),
    "agency_analyst": ("agency_run", AccountRole.ANALYST),
}


def make_people() -> dict[str, User]:
    """Return the demo's people, made where they are missing, with passwords and tokens that stay the same."""
    people = {}
    for actor in ACTORS.values():
        user = User.objects.filter(email=actor.email).first()
        if user is None:
            staff = actor.key == "staff"
            user = User.objects.create_superuser(actor.email) if staff else create_person(email=actor.email)
        if user.name != actor.name or not user.check_password(actor.password):
            user.name = actor.name
            user.set_password(actor.password)
            user.save(update_fields=["name", "password"])
        verify_address(user=user)
        if not ApiToken.objects.filter(digest=digest_of(actor.token)).exists():
            create_token(user=user, name="demo", raw=actor.token)
        people[actor.key] = user
    return people


def make_companies(people: dict[str, User]) -> tuple[dict[str, BusinessCenter], dict[str, AdAccount]]:
    """Return the demo's Business Centers and ad accounts, with everybody in their place."""
    centers = {}
    for key, (name, admin) in BUSINESS_CENTERS.items():
        mine = BusinessCenterMember.objects.filter(user=people[admin], business_center__name=name)
        member = mine.select_related("business_center").first()
        centers[key] = member.business_center if member else create_business_center(name=name, admin=people[admin])
        BusinessCenter.objects.filter(pk=centers[key].pk).update(two_factor=BusinessCenter.TwoFactor.NOBODY)
        accept_terms(actor=people[admin], business_center=centers[key])
    if not centers["client"].members.filter(user=people["client_bc_standard"]).exists():
        set_center_member(
            actor=people["client_bc_admin"],
            business_center=centers["client"],
            user=people["client_bc_standard"],
            role=BusinessCenterRole.STANDARD,
        )
    accounts = {}
    for key, (name, center, admin) in AD_ACCOUNTS.items():
        found = AdAccount.objects.filter(business_center=centers[center], name=name).first()
        accounts[key] = found or create_ad_account(
            actor=people[BUSINESS_CENTERS[center][1]],
            business_center=centers[center],
            name=name,
            administrator=people[admin],
        )
    _give_roles(people, accounts)
    return centers, accounts


def _give_roles(people: dict[str, User], accounts: dict[str, AdAccount]) -> None:
    for actor, (account, role) in ROLES.items():
        if not AccountMembership.objects.filter(user=people[actor], ad_account=accounts[account]).exists():
            admin = people[AD_ACCOUNTS[account][2]]
            set_member(actor=admin, ad_account=accounts[account], user=people[actor], role=role)
    former = people["inactive"]
    if not AccountMembership.objects.filter(user=former, ad_account=accounts["brand"]).exists():
        admin = people["brand_admin"]
        set_member(actor=admin, ad_account=accounts["brand"], user=former, role=AccountRole.ADMINISTRATOR)
        set_active(actor=None, user=former, active=False)
