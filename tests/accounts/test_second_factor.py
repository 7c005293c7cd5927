"""Who must have a second factor, and that nobody gets past the question with a password alone."""

from typing import Any

import pytest
from allauth.mfa.models import Authenticator
from django.test import Client

from accounts.access import Refused
from accounts.models import AccountRole, Act, AuditEvent, BusinessCenter, BusinessCenterRole, Scope, User
from accounts.refusals import Invalid
from accounts.second_factor import must_have
from accounts.services import ad_accounts, business_centers
from accounts.services.people import create_person
from tests.accounts.signing import PASSWORD, REALLY, acts, set_up_app, sign_in
from tests.callers import Caller
from tests.counting import statements
from tests.world import World, says

pytestmark = REALLY
Rule = BusinessCenter.TwoFactor
SECURITY = "/settings/security/"


def rule_of(center: BusinessCenter, rule: str) -> None:
    BusinessCenter.objects.filter(pk=center.pk).update(two_factor=rule)


def owner(world: World) -> BusinessCenter:
    return world.account.business_center


def session_of(user: User) -> Client:
    """Somebody who signed in with a password alone."""
    client = Client()
    client.force_login(user)
    return client


@pytest.fixture
def ada(world: World) -> User:
    """The world's Administrator, with a password that the sign-in page takes."""
    world.administrator.set_password(PASSWORD)
    world.administrator.save(update_fields=["password"])
    return world.administrator


def test_who_can_download_must_have_one_by_default(db: None) -> None:
    boss, olaf = create_person(email="boss@house.test"), create_person(email="olaf@house.test")
    center = business_centers.create_business_center(name="Brand", admin=boss)
    account = ad_accounts.create_ad_account(actor=boss, business_center=center, name="Ads", administrator=boss)
    ad_accounts.set_member(actor=boss, ad_account=account, user=olaf, role=AccountRole.OPERATOR)
    assert center.two_factor == Rule.DOWNLOADERS
    assert (must_have(boss), must_have(olaf)) == (True, False)


@pytest.mark.parametrize(
    ("rule", "expected"),
    [(Rule.NOBODY, set()), (Rule.DOWNLOADERS, {"Ada"}), (Rule.EVERYONE, {"Ada", "Olaf", "Nora", "Boss"})],
)
def test_rule_of_the_owner(world: World, rule: str, expected: set[str]) -> None:
    rule_of(owner(world), rule)
    assert {user.name for user in User.objects.all() if must_have(user)} == expected


@pytest.mark.parametrize(
    ("rule", "expected"), [(Rule.NOBODY, set()), (Rule.DOWNLOADERS, {"Clio"}), (Rule.EVERYONE, {"Clio", "Stan"})]
)
def test_rule_of_the_custodian_after_a_transfer(world: World, rule: str, expected: set[str]) -> None:
    stan = create_person(email="stan@house.test", name="Stan")
    business_centers.set_member(
        actor=world.client_admin, business_center=world.client, user=stan, role=BusinessCenterRole.STANDARD
    )
    world.hand_over()
    rule_of(world.client, rule)
    assert {user.name for user in User.objects.all() if must_have(user)} == expected


def test_pages_lead_to_the_set_up_and_nothing_else_opens(world: World) -> None:
    rule_of(owner(world), Rule.DOWNLOADERS)
    client = session_of(world.administrator)
    leads = f"/l/{world.library.pk}/leads/"
    for path in (leads, "/", "/settings/tokens/", f"/a/{world.account.pk}/members/", "/email/", "/password/change/"):
        answer = client.get(path)
        assert (answer.status_code, answer["Location"].partition("?")[0]) == (302, SECURITY), path
    answer = client.post("/settings/tokens/", {"name": "x", "scopes": ["everything"], "life": "30"})
    assert answer.status_code == 302
    assert not world.administrator.api_tokens.exists()
    page = client.get(SECURITY)
    assert page.status_code == 200
    assert "A second factor is needed" in page.content.decode()
    for path in (SECURITY + "totp/activate/", SECURITY + "webauthn/add/", "/reauthenticate/", "/logout/"):
        assert client.get(path).status_code == 200, path
    assert client.post("/settings/appearance/", {"theme": "dark"}).status_code == 302
    fragment = client.get(leads, headers={"HX-Request": "true"})
    assert fragment["HX-Redirect"].startswith(SECURITY)
    assert session_of(world.operator).get(f"/a/{world.account.pk}/forms/").status_code == 200


def test_session_calls_to_the_api_are_refused_and_tokens_are_not(world: World) -> None:
    rule_of(owner(world), Rule.DOWNLOADERS)
    world.add_lead()
    client = session_of(world.administrator)
    answer = client.get(f"/api/v1/libraries/{world.library.pk}/leads/")
    assert (answer.status_code, answer.json()["type"]) == (403, "second_factor_needed")
    assert not says(answer.content.decode(), "Ann")
    assert Caller(world.administrator).get(f"libraries/{world.library.pk}/leads/").status_code == 200
    rule_of(owner(world), Rule.NOBODY)
    assert client.get(f"/api/v1/libraries/{world.library.pk}/leads/").status_code == 200


def test_setting_one_up_opens_everything_in_the_next_request(world: World, ada: User) -> None:
    rule_of(owner(world), Rule.DOWNLOADERS)
    client = sign_in(ada)
    leads = f"/l/{world.library.pk}/leads/"
    assert client.get(leads).status_code == 302
    set_up_app(client)
    assert client.get(leads).status_code == 200
    assert {"second_factor_added", "recovery_codes_made"} <= set(acts(ada))


def test_older_session_shows_the_factor_before_it_may_touch_it(world: World, ada: User) -> None:
    """A password alone, in a session from before, must not open leads nor replace the factor."""
    rule_of(owner(world), Rule.DOWNLOADERS)
    older = session_of(ada)
    set_up_app(sign_in(ada))
    for path in (f"/l/{world.library.pk}/leads/", SECURITY, SECURITY + "totp/deactivate/", SECURITY + "webauthn/add/"):
        answer = older.get(path)
        assert answer["Location"].partition("?")[0] == SECURITY + "reauthenticate/", path
    older.post(SECURITY + "totp/deactivate/")
    assert Authenticator.objects.filter(user=ada, type="totp").exists()
    assert older.get(SECURITY + "reauthenticate/").status_code == 200


def test_rule_and_role_count_in_the_next_request(world: World) -> None:
    client = session_of(world.operator)
    forms = f"/a/{world.account.pk}/forms/"
    assert client.get(forms).status_code == 200
    rule_of(owner(world), Rule.DOWNLOADERS)
    assert client.get(forms).status_code == 200
    role = AccountRole.ADMINISTRATOR
    ad_accounts.set_member(actor=world.administrator, ad_account=world.account, user=world.operator, role=role)
    assert client.get(forms)["Location"].startswith(SECURITY)
    rule_of(owner(world), Rule.NOBODY)
    assert client.get(forms).status_code == 200


def test_removing_the_factor_counts_at_once_and_ends_the_other_sessions(world: World, ada: User) -> None:
    client, elsewhere, leads = sign_in(ada), sign_in(ada), f"/l/{world.library.pk}/leads/"
    set_up_app(client)
    rule_of(owner(world), Rule.DOWNLOADERS)
    assert client.get(leads).status_code == 200
    assert client.post(SECURITY + "totp/deactivate/").status_code == 302
    assert not Authenticator.objects.filter(user=ada).exists()
    assert client.get(leads)["Location"].startswith(SECURITY)
    assert elsewhere.get(SECURITY)["Location"].startswith("/login/")
    assert "second_factor_removed" in acts(ada)


def test_asking_costs_no_query(world: World) -> None:
    client = session_of(world.administrator)
    client.get(SECURITY)
    counted = []
    for rule in (Rule.NOBODY, Rule.EVERYONE):
        rule_of(owner(world), rule)
        with statements() as found:
            assert client.get(SECURITY).status_code == 200
        counted.append(len(found))
    assert counted[0] == counted[1]
    assert sum("mfa_authenticator" in sql and "accounts_user" in sql for sql in found) == 1


# ---- the rule --------------------------------------------------------------------------------------------------------


def test_admin_changes_the_rule_and_the_trail_says_so(world: World) -> None:
    center = world.client
    business_centers.set_two_factor_rule(actor=world.client_admin, business_center=center, rule="everyone")
    business_centers.set_two_factor_rule(actor=world.client_admin, business_center=center, rule="everyone")
    center.refresh_from_db()
    assert center.two_factor == Rule.EVERYONE
    event = AuditEvent.objects.get(act=Act.TWO_FACTOR_RULE_CHANGED)
    assert (event.scope, event.scope_id, event.actor) == (Scope.BUSINESS_CENTER, center.pk, world.client_admin)
    assert event.detail == {"rule": "everyone", "was": "nobody"}


@pytest.mark.parametrize("who", ["administrator", "operator", "stranger"])
def test_nobody_else_changes_it(world: World, who: str) -> None:
    with pytest.raises(Refused):
        business_centers.set_two_factor_rule(actor=getattr(world, who), business_center=world.client, rule=Rule.NOBODY)
    assert not AuditEvent.objects.filter(act=Act.TWO_FACTOR_RULE_CHANGED).exists()


def test_unknown_rule_is_refused(world: World) -> None:
    with pytest.raises(Invalid):
        business_centers.set_two_factor_rule(actor=world.client_admin, business_center=world.client, rule="some")


def test_rule_over_the_api(world: World) -> None:
    path = f"business-centers/{world.client.pk}/"
    answer: Any = Caller(world.client_admin).patch(path, {"two_factor": "everyone"})
    assert (answer.status_code, answer.json()["two_factor"], answer.json()["role"]) == (200, "everyone", "admin")
    assert Caller(world.client_admin).patch(path, {"two_factor": "no one"}).status_code == 400
    assert Caller(world.client_admin).patch(path, {"two_factor": "nobody", "name": "x"}).status_code == 400
    assert Caller(world.administrator).patch(path, {"two_factor": "nobody"}).status_code == 404
    world.client.refresh_from_db()
    assert (world.client.two_factor, world.client.name) == (Rule.EVERYONE, "Client")
