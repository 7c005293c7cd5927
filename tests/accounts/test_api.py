from typing import Any

import pytest
from django.test import Client
from pytest_django import DjangoAssertNumQueries

from accounts.models import (
    AccountMembership,
    AccountRole,
    Act,
    AuditEvent,
    BusinessCenterRole,
    TermsAcceptance,
    User,
)
from accounts.services import ad_accounts, business_centers, people
from accounts.services.transfers import accept_transfer, request_transfer
from tests.callers import Caller
from tests.house import House, build, person

pytestmark = pytest.mark.django_db


@pytest.fixture
def house() -> House:
    return build()


def roles(house: House) -> dict[str, str]:
    rows = AccountMembership.objects.filter(ad_account=house.account)
    return dict(rows.values_list("user__name", "role"))


def test_ad_accounts_lists_what_the_caller_may_know(house: House) -> None:
    answer = Caller(house.operator).get("ad-accounts/")
    assert answer.status_code == 200
    (row,) = answer.data["results"]
    created_at = row.pop("created_at")
    assert created_at is not None
    assert row == {
        "id": str(house.account.pk),
        "name": "Larkspur Solar",
        "business_center": {"id": str(house.business_center.pk), "name": "Larkspur"},
        "library_id": str(house.library.pk),
        "custodian": {"id": str(house.business_center.pk), "name": "Larkspur"},
        "transferred": False,
        "currency": "USD",
        "time_zone": "UTC",
        "role": "operator",
        "permissions": [
            "belong_adaccount",
            "belong_library",
            "edit_campaigns",
            "edit_forms",
            "view_campaigns",
            "view_forms",
        ],
    }
    assert (answer.data["next"], answer.data["previous"]) == (None, None)


def test_ad_accounts_costs_the_same_for_one_and_three(
    house: House, django_assert_num_queries: DjangoAssertNumQueries
) -> None:
    caller = Caller(house.admin)
    caller.get("ad-accounts/")  # the token's use is noted once a minute
    with django_assert_num_queries(6):
        caller.get("ad-accounts/")
    for name in ("Second", "Third"):
        ad_accounts.create_ad_account(
            actor=house.admin, business_center=house.business_center, name=name, administrator=house.admin
        )
    with django_assert_num_queries(6):
        assert len(caller.get("ad-accounts/").data["results"]) == 3


def test_pages_of_ad_accounts_hold_each_once(house: House) -> None:
    for number in range(51):
        ad_accounts.create_ad_account(
            actor=house.admin, business_center=house.business_center, name=f"A{number}", administrator=house.admin
        )
    caller = Caller(house.admin)
    first = caller.get("ad-accounts/").data
    second = caller.client.get(first["next"]).data
    names = [row["name"] for row in first["results"] + second["results"]]
    assert (len(first["results"]), len(names), len(set(names))) == (50, 52, 52)
    assert second["next"] is None
    assert caller.client.get(second["previous"]).data["results"] == first["results"]


def test_a_foreign_cursor_is_bad_input(house: House) -> None:
    answer = Caller(house.admin).get("ad-accounts/", cursor="nonsense")
    assert (answer.status_code, list(answer.data["errors"])) == (400, ["cursor"])


def test_one_ad_account_is_404_to_a_stranger_and_to_staff(house: House) -> None:
    staff = User.objects.create_superuser("staff@example.com")
    for somebody in (house.stranger, staff):
        answer = Caller(somebody).get(f"ad-accounts/{house.account.pk}/")
        assert answer.status_code == 404
        assert "Larkspur" not in answer.content.decode()
    assert Caller(staff).get("ad-accounts/").data["results"] == []
    assert Caller(house.analyst).get(f"ad-accounts/{house.account.pk}/").data["role"] == "analyst"


@pytest.mark.parametrize("path", ["ad-accounts/", "ad-accounts/1/", "business-centers/", "transfers/", "members/1/"])
def test_the_anonymous_and_a_bad_token_get_401(path: str) -> None:
    assert Client().get(f"/api/v1/{path}").status_code == 401
    answer = Client().get(f"/api/v1/{path}", headers={"Authorization": "Bearer hf_no"})
    assert (answer.status_code, answer["WWW-Authenticate"]) == (401, 'Bearer realm="api"')
    assert answer["Content-Type"] == "application/problem+json"


def test_the_inactive_get_401(house: House) -> None:
    caller = Caller(house.operator)
    assert caller.get("ad-accounts/").status_code == 200
    people.set_active(actor=None, user=house.operator, active=False)
    assert caller.get("ad-accounts/").status_code == 401


def test_members_are_listed_for_every_role(house: House) -> None:
    for somebody in (house.admin, house.operator, house.analyst):
        answer = Caller(somebody).get(f"ad-accounts/{house.account.pk}/members/")
        assert {row["user"]["name"]: row["role"] for row in answer.data["results"]} == roles(house)


def test_members_are_not_listed_to_who_holds_the_leads_alone(house: House) -> None:
    brand = house.elsewhere.business_center
    transfer = request_transfer(actor=house.admin, library=house.library, business_center=brand)
    accept_transfer(actor=house.stranger, transfer=transfer)
    answer = Caller(house.stranger).get(f"ad-accounts/{house.account.pk}/members/")
    assert answer.status_code == 403
    assert answer.data["who_can_help"] == ["Larkspur"]
    assert "Oscar" not in answer.content.decode()


def test_adding_a_member_gives_the_role_at_once(house: House) -> None:
    caller = Caller(person("New"))
    assert caller.get(f"ad-accounts/{house.account.pk}/").status_code == 404
    body = {"email": "New@Example.com", "role": "analyst"}
    answer = Caller(house.admin).post(f"ad-accounts/{house.account.pk}/members/", body)
    assert answer.status_code == 201
    assert answer.data["user"]["email"] == "new@example.com"
    assert roles(house)["New"] == AccountRole.ANALYST
    assert caller.get(f"ad-accounts/{house.account.pk}/").data["role"] == "analyst"
    assert AuditEvent.objects.filter(act=Act.MEMBER_ADDED, scope_id=house.account.pk, actor=house.admin).exists()


@pytest.mark.parametrize(
    ("body", "field"),
    [
        ({"email": "new@example.com", "role": "owner"}, "role"),
        ({"email": "new@example.com"}, "role"),
        ({"email": 5, "role": "analyst"}, "email"),
        ({"email": "nobody", "role": "analyst"}, "email"),
        ({"email": "oscar@example.com", "role": "administrator"}, "email"),
        ({"email": "new@example.com", "role": "analyst", "is_staff": True}, "is_staff"),
        (["analyst"], "body"),
    ],
)
def test_a_bad_member_is_400_and_nothing_changes(house: House, body: Any, field: str) -> None:
    person("New")
    before = roles(house)
    answer = Caller(house.admin).post(f"ad-accounts/{house.account.pk}/members/", body)
    assert (answer.status_code, list(answer.data["errors"])) == (400, [field])
    assert roles(house) == before


def test_platform_staff_cannot_be_made_a_member(house: House) -> None:
    User.objects.create_superuser("staff@example.com")
    body = {"email": "staff@example.com", "role": "administrator"}
    answer = Caller(house.admin).post(f"ad-accounts/{house.account.pk}/members/", body)
    assert answer.status_code == 202  # as for any address without a person of ours; accepting it is refused
    assert not AccountMembership.objects.filter(user__email="staff@example.com").exists()


@pytest.mark.parametrize("who", ["operator", "analyst", "stranger"])
def test_nobody_else_changes_members(house: House, who: str) -> None:
    before = roles(house)
    status = 404 if who == "stranger" else 403
    caller = Caller(getattr(house, who))
    membership = AccountMembership.objects.get(ad_account=house.account, user=house.analyst)
    body = {"email": "stig@example.com", "role": "administrator"}
    answers = [
        caller.post(f"ad-accounts/{house.account.pk}/members/", body),
        caller.post(f"ad-accounts/{house.account.pk}/members/", {"nonsense": 1}),
        caller.patch(f"members/{membership.pk}/", {"role": "administrator"}),
        caller.delete(f"members/{membership.pk}/"),
    ]
    assert [answer.status_code for answer in answers] == [status] * 4
    assert roles(house) == before
    if status == 403:
        assert answers[0].data["missing_permission"] == "manage_members"
        assert answers[0].data["who_can_help"] == ["Adele"]
        assert AuditEvent.objects.filter(act=Act.REFUSED, scope_id=house.account.pk).count() == 1


def test_changing_and_removing_a_role_works_in_the_next_request(house: House) -> None:
    caller, admin = Caller(house.operator), Caller(house.admin)
    membership = AccountMembership.objects.get(ad_account=house.account, user=house.operator)
    answer = admin.patch(f"members/{membership.pk}/", {"role": "administrator"})
    assert (answer.status_code, answer.data["role"]) == (200, "administrator")
    assert "view_leads" in caller.get(f"ad-accounts/{house.account.pk}/").data["permissions"]
    assert admin.delete(f"members/{membership.pk}/").status_code == 204
    assert admin.delete(f"members/{membership.pk}/").status_code == 404
    assert caller.get(f"ad-accounts/{house.account.pk}/").status_code == 404


def test_the_last_active_administrator_keeps_the_role(house: House) -> None:
    second = person("Second")
    ad_accounts.set_member(actor=house.admin, ad_account=house.account, user=second, role=AccountRole.ADMINISTRATOR)
    people.set_active(actor=None, user=second, active=False)
    before = roles(house)
    membership = AccountMembership.objects.get(ad_account=house.account, user=house.admin)
    caller = Caller(house.admin)
    for answer in (
        caller.delete(f"members/{membership.pk}/"),
        caller.patch(f"members/{membership.pk}/", {"role": "analyst"}),
    ):
        assert (answer.status_code, answer.data["type"]) == (409, "last_administrator")
    assert roles(house) == before
    gone = AccountMembership.objects.get(ad_account=house.account, user=second)
    assert caller.delete(f"members/{gone.pk}/").status_code == 204


def test_a_token_without_the_scope_is_refused(house: House) -> None:
    before = roles(house)
    membership = AccountMembership.objects.get(ad_account=house.account, user=house.analyst)
    answer = Caller(house.admin, scopes=("leads:read",)).delete(f"members/{membership.pk}/")
    assert answer.status_code == 403
    assert "access" in answer.data["detail"]
    assert roles(house) == before


def test_business_centers_are_the_callers_own(house: House) -> None:
    answer = Caller(house.admin).get("business-centers/")
    (row,) = answer.data["results"]
    assert (row["id"], row["role"]) == (str(house.business_center.pk), "admin")
    assert Caller(house.operator).get("business-centers/").data["results"] == []


def test_an_admin_accepts_the_terms_in_force_once() -> None:
    house = build(terms=False)
    caller, path = Caller(house.admin), f"business-centers/{house.business_center.pk}/terms/"
    told = caller.get(path).data
    assert (told["accepted"], told["accepted_by"]) == (False, None)
    answer = caller.post(path, {"version": "1999-01"})
    assert (answer.status_code, answer.data["type"]) == (409, "terms_version")
    assert not TermsAcceptance.objects.exists()
    for _time in range(2):
        answer = caller.post(path, {"version": told["version"]})
        assert (answer.status_code, answer.data["accepted"], answer.data["accepted_by"]) == (200, True, "Adele")
    assert TermsAcceptance.objects.count() == 1


def test_only_an_admin_accepts_the_terms() -> None:
    house = build(terms=False)
    standard = person("Sten")
    business_centers.set_member(
        actor=house.admin,
        business_center=house.business_center,
        user=standard,
        role=BusinessCenterRole.STANDARD,
    )
    path, version = f"business-centers/{house.business_center.pk}/terms/", {"version": "2026-11"}
    answer = Caller(standard).post(path, version)
    assert (answer.status_code, answer.data["who_can_help"]) == (403, ["Adele"])
    for somebody in (house.operator, house.stranger):
        assert Caller(somebody).post(path, version).status_code == 404
        assert Caller(somebody).get(path).status_code == 404
    assert not TermsAcceptance.objects.exists()
