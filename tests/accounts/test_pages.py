import re

import pytest
from django.test import Client

from accounts.models import (
    AccountMembership,
    AccountRole,
    AdAccount,
    ApiToken,
    BusinessCenter,
    Invitation,
    LeadLibrary,
    Transfer,
    User,
)
from accounts.services.ad_accounts import create_ad_account, set_member
from accounts.services.business_centers import create_business_center
from accounts.services.people import set_active
from accounts.services.transfers import request_transfer

pytestmark = pytest.mark.django_db


@pytest.fixture
def administrator() -> User:
    return User.objects.create_user("maren@example.com", name="Maren Holt")


@pytest.fixture
def operator() -> User:
    return User.objects.create_user("tomas@example.com", name="Tomás Reyes")


@pytest.fixture
def account(administrator: User, operator: User) -> AdAccount:
    center = create_business_center(
        name="Fieldnote Media", admin=administrator, two_factor=BusinessCenter.TwoFactor.NOBODY
    )
    account = create_ad_account(
        actor=administrator, business_center=center, name="Larkspur Solar", administrator=administrator
    )
    set_member(actor=administrator, ad_account=account, user=operator, role=AccountRole.OPERATOR)
    return account


@pytest.fixture
def brand() -> BusinessCenter:
    return create_business_center(
        name="Larkspur Energy",
        admin=User.objects.create_user("lena@example.com", name="Lena"),
        two_factor=BusinessCenter.TwoFactor.NOBODY,
    )


def signed_in(user: User) -> Client:
    client = Client()
    client.force_login(user)
    return client


def test_short_address_leads_to_the_last_account(account: AdAccount, administrator: User) -> None:
    answer = signed_in(administrator).get("/leads/")
    assert (answer.status_code, answer["Location"]) == (302, f"/l/{account.library.pk}/leads/")


def test_home_of_a_person_without_accounts_says_what_to_do() -> None:
    answer = signed_in(User.objects.create_user("new@example.com")).get("/")
    assert "You belong to no ad account yet" in answer.content.decode()


def test_members_page_names_everybody_with_a_role(account: AdAccount, administrator: User) -> None:
    page = signed_in(administrator).get(f"/a/{account.pk}/members/").content.decode()
    assert "Maren Holt" in page
    assert "Tomás Reyes" in page


def test_adding_a_member_gives_the_role(account: AdAccount, administrator: User) -> None:
    User.objects.create_user("ana@example.com")
    answer = signed_in(administrator).post(
        f"/a/{account.pk}/members/", {"email": "Ana@example.com", "role": AccountRole.ANALYST}
    )
    assert answer.status_code == 302
    assert AccountMembership.objects.get(user__email="ana@example.com").role == AccountRole.ANALYST


def test_adding_somebody_unknown_invites_them(account: AdAccount, administrator: User) -> None:
    client = signed_in(administrator)
    answer = client.post(f"/a/{account.pk}/members/", {"email": "Nobody@example.com", "role": AccountRole.ANALYST})
    assert answer.status_code == 302
    invitation = Invitation.objects.get()
    assert (invitation.email, invitation.role, invitation.ad_account) == ("nobody@example.com", "analyst", account)
    assert AccountMembership.objects.count() == 2
    assert "nobody@example.com" in client.get(f"/a/{account.pk}/members/").content.decode()


def test_operator_sees_why_members_cannot_be_changed(account: AdAccount, operator: User) -> None:
    page = signed_in(operator).get(f"/a/{account.pk}/members/").content.decode()
    assert "Only Administrators of this ad account" in page
    assert 'aria-disabled="true"' in page


def test_operator_posting_a_member_is_refused_with_who_can_help(account: AdAccount, operator: User) -> None:
    answer = signed_in(operator).post(f"/a/{account.pk}/members/{operator.pk}/", {"role": AccountRole.ADMINISTRATOR})
    assert answer.status_code == 403
    assert "Maren Holt" in answer.content.decode()
    assert AccountMembership.objects.get(user=operator).role == AccountRole.OPERATOR


def test_stranger_learns_nothing_of_an_account(account: AdAccount) -> None:
    answer = signed_in(User.objects.create_user("stranger@example.com")).get(f"/a/{account.pk}/members/")
    assert answer.status_code == 404
    assert "Larkspur" not in answer.content.decode()


def test_last_administrator_keeps_the_role(account: AdAccount, administrator: User) -> None:
    client = signed_in(administrator)
    client.post(f"/a/{account.pk}/members/{administrator.pk}/", {"role": "none"})
    assert AccountMembership.objects.filter(user=administrator, role=AccountRole.ADMINISTRATOR).exists()
    assert "at least one Administrator" in client.get(f"/a/{account.pk}/members/").content.decode()


def test_token_is_shown_once(administrator: User) -> None:
    client = signed_in(administrator)
    page = client.post("/settings/tokens/", {"name": "report", "scopes": ["leads:read"], "life": "90"}).content.decode()
    shown = re.search(r"hf_[\w-]{32}", page)
    assert shown
    assert shown.group() not in client.get("/settings/tokens/").content.decode()
    token = ApiToken.objects.get()
    assert (token.name, token.scopes) == ("report", ["leads:read"])
    client.post(f"/settings/tokens/{token.pk}/revoke/")
    token.refresh_from_db()
    assert token.revoked_at is not None


def test_token_of_somebody_else_cannot_be_ended(administrator: User, operator: User) -> None:
    signed_in(administrator).post("/settings/tokens/", {"name": "report", "scopes": ["leads:read"], "life": "90"})
    token = ApiToken.objects.get()
    assert signed_in(operator).post(f"/settings/tokens/{token.pk}/revoke/").status_code == 404
    token.refresh_from_db()
    assert token.revoked_at is None


def test_accepting_asks_for_the_name(account: AdAccount, administrator: User, brand: BusinessCenter) -> None:
    transfer = request_transfer(actor=administrator, library=account.library, business_center=brand)
    client = signed_in(User.objects.get(email="lena@example.com"))
    assert "Type “Larkspur Solar” to accept" in client.get("/settings/transfers/").content.decode()
    client.post(f"/settings/transfers/{transfer.pk}/accept/", {"typed": "larkspur"})
    assert LeadLibrary.objects.get().custodian != brand
    client.post(f"/settings/transfers/{transfer.pk}/accept/", {"typed": "Larkspur Solar"})
    assert LeadLibrary.objects.get().custodian == brand


def test_transfers_page_tells_the_id_of_ones_business_center(brand: BusinessCenter) -> None:
    page = signed_in(User.objects.get(email="lena@example.com")).get("/settings/transfers/").content.decode()
    assert str(brand.pk) in page


def test_requester_cannot_accept(account: AdAccount, administrator: User, brand: BusinessCenter) -> None:
    transfer = request_transfer(actor=administrator, library=account.library, business_center=brand)
    answer = signed_in(administrator).post(f"/settings/transfers/{transfer.pk}/accept/", {"typed": "Larkspur Solar"})
    assert answer.status_code == 403
    assert Transfer.objects.get().state == Transfer.State.REQUESTED


@pytest.mark.parametrize(("theme", "kept"), [("dark", "dark"), ("purple", "system")])
def test_theme_is_kept_in_the_profile(administrator: User, theme: str, kept: str) -> None:
    client = signed_in(administrator)
    answer = client.post("/settings/appearance/", {"theme": theme, "next": "https://elsewhere.example/"})
    administrator.refresh_from_db()
    assert administrator.theme == kept
    assert answer["Location"] == "/"


def test_theme_before_sign_in_is_a_cookie() -> None:
    client = Client()
    client.post("/settings/appearance/", {"theme": "dark"})
    assert 'data-theme="dark"' in client.get("/login/").content.decode()


def test_members_page_is_closed_to_who_holds_the_leads_alone(
    account: AdAccount, administrator: User, brand: BusinessCenter
) -> None:
    transfer = request_transfer(actor=administrator, library=account.library, business_center=brand)
    lena = User.objects.get(email="lena@example.com")
    signed_in(lena).post(f"/settings/transfers/{transfer.pk}/accept/", {"typed": "Larkspur Solar"})
    answer = signed_in(lena).get(f"/a/{account.pk}/members/")
    assert answer.status_code == 403
    assert "Fieldnote Media" in answer.content.decode()
    assert "Maren Holt" not in answer.content.decode()


def test_person_who_was_switched_off_is_not_said_to_see_leads(account: AdAccount, administrator: User) -> None:
    gone = User.objects.create_user("gone@example.com", name="Gone Colleague")
    set_member(actor=administrator, ad_account=account, user=gone, role=AccountRole.ADMINISTRATOR)
    page = signed_in(administrator).get(f"/a/{account.pk}/members/").content.decode()
    assert "Switched off" not in page
    set_active(actor=None, user=gone, active=False)
    page = signed_in(administrator).get(f"/a/{account.pk}/members/").content.decode()
    row = page.split("Gone Colleague")[1].split("</tr>")[0]
    assert "Switched off" in row
    assert "Yes" not in row
