"""The page of a Business Center: its people, its ad accounts, what is lent to it; and what others get there."""

import re

import pytest
from django.test import Client

from accounts.models import (
    AccountMembership,
    AccountRole,
    AdAccount,
    BusinessCenter,
    BusinessCenterMember,
    BusinessCenterRole,
    Invitation,
    User,
)
from accounts.services import business_centers, shares
from tests.counting import statements
from tests.world import World, person


def client_of(user: User) -> Client:
    client = Client()
    client.force_login(user)
    return client


@pytest.fixture
def standard(world: World) -> User:
    user = person("Stan")
    business_centers.set_member(
        actor=world.client_admin, business_center=world.client, user=user, role=BusinessCenterRole.STANDARD
    )
    return user


def test_only_center_is_opened_at_once(world: World) -> None:
    answer = client_of(world.client_admin).get("/b/")
    assert (answer.status_code, answer["Location"]) == (302, f"/b/{world.client.pk}/")


def test_somebody_without_a_center_is_told_how_one_gets_in(world: World) -> None:
    assert "You belong to no Business Center" in client_of(world.operator).get("/b/").content.decode()


def test_page_names_people_and_accounts(world: World, standard: User) -> None:
    page = client_of(standard).get(f"/b/{world.client.pk}/").content.decode()
    assert "Clio" in page
    assert "Stan" in page
    assert "Only Admins of this Business Center do this." in page
    assert "No ad account yet" in page


def test_stranger_learns_nothing_of_a_center(world: World) -> None:
    for method in ("get", "post"):
        answer = getattr(client_of(world.stranger), method)(f"/b/{world.client.pk}/")
        assert answer.status_code == 404
        assert not re.search(r"\bClio\b", answer.content.decode())


def test_admin_invites_and_standard_does_not(world: World, standard: User) -> None:
    given = {"email": "new@house.test", "role": "standard"}
    refused = client_of(standard).post(f"/b/{world.client.pk}/", given)
    assert refused.status_code == 403
    assert "Clio" in refused.content.decode()
    assert not Invitation.objects.exists()
    assert client_of(world.client_admin).post(f"/b/{world.client.pk}/", given).status_code == 302
    assert Invitation.objects.get().business_center == world.client


def test_role_is_changed_and_taken_away(world: World, standard: User) -> None:
    client, path = client_of(world.client_admin), f"/b/{world.client.pk}/members/{standard.pk}/"
    client.post(path, {"role": "admin"})
    assert BusinessCenterMember.objects.get(user=standard).role == BusinessCenterRole.ADMIN
    client.post(path, {"role": "none"})
    assert not BusinessCenterMember.objects.filter(user=standard).exists()
    assert client_of(standard).get(f"/b/{world.client.pk}/").status_code == 404


def test_last_admin_stays(world: World) -> None:
    client = client_of(world.client_admin)
    answer = client.post(f"/b/{world.client.pk}/members/{world.client_admin.pk}/", {"role": "none"}, follow=True)
    assert "keeps at least one Admin" in answer.content.decode()
    assert BusinessCenterMember.objects.filter(user=world.client_admin).exists()


def test_admin_makes_an_ad_account_and_is_its_administrator(world: World, standard: User) -> None:
    given = {"name": "Client ads", "currency": "EUR", "time_zone": "Europe/Berlin"}
    assert client_of(standard).post(f"/b/{world.client.pk}/ad-accounts/", given).status_code == 403
    assert not AdAccount.objects.filter(name="Client ads").exists()
    answer = client_of(world.client_admin).post(f"/b/{world.client.pk}/ad-accounts/", given)
    account = AdAccount.objects.get(name="Client ads")
    assert answer["Location"] == f"/a/{account.pk}/members/"
    assert (account.currency, account.time_zone) == ("EUR", "Europe/Berlin")
    membership = AccountMembership.objects.get(ad_account=account)
    assert (membership.user, membership.role) == (world.client_admin, AccountRole.ADMINISTRATOR)


def test_bad_ad_account_is_not_made(world: World) -> None:
    given = {"name": "", "currency": "EUR", "time_zone": "Mars/Olympus"}
    answer = client_of(world.client_admin).post(f"/b/{world.client.pk}/ad-accounts/", given)
    assert answer.status_code == 400
    assert AdAccount.objects.filter(business_center=world.client).count() == 0


def test_account_is_shared_worked_on_and_given_back_on_pages(world: World, standard: User) -> None:
    owner, partner = client_of(world.administrator), client_of(world.client_admin)
    given = {"business_center": str(world.client.pk), "role": "administrator"}
    assert owner.post(f"/a/{world.account.pk}/shares/", given).status_code == 302
    share = world.account.shares.get()
    assert "Brand ads" in partner.get(f"/b/{world.client.pk}/").content.decode()
    assert "Client" in owner.get(f"/a/{world.account.pk}/members/").content.decode()
    assert "Brand ads" in partner.get(f"/a/{world.account.pk}/campaigns/").content.decode()
    partner.post(f"/shares/{share.pk}/people/", {"user": str(standard.pk), "role": "analyst"})
    assert AccountMembership.objects.get(user=standard).role == AccountRole.ANALYST
    owner.post(f"/shares/{share.pk}/", {"act": "leads_on"})
    assert partner.get(f"/l/{world.library.pk}/leads/").status_code == 200
    assert client_of(standard).get(f"/l/{world.library.pk}/leads/").status_code == 403
    partner.post(f"/shares/{share.pk}/", {"act": "end"})
    assert partner.get(f"/l/{world.library.pk}/leads/").status_code == 404
    assert not AccountMembership.objects.filter(user=standard).exists()


def test_partners_people_do_not_see_the_accounts_staff(world: World, standard: User) -> None:
    share = shares.share_account(
        actor=world.administrator, ad_account=world.account, partner=world.client, role=AccountRole.ADMINISTRATOR
    )
    shares.give_role(actor=world.client_admin, share=share, user=standard, role=AccountRole.OPERATOR)
    page = client_of(standard).get(f"/a/{world.account.pk}/members/").content.decode()
    assert "Stan" in page
    for user in (world.administrator, world.operator, world.analyst):
        assert user.email not in page
    owner = client_of(world.operator).get(f"/a/{world.account.pk}/members/").content.decode()
    assert "through Client" in owner


@pytest.mark.parametrize("people", [1, 3])
def test_page_costs_the_same_for_any_number_of_people(world: World, people: int) -> None:
    for number in range(people):
        user = person(f"Stan{number}")
        business_centers.set_member(
            actor=world.client_admin, business_center=world.client, user=user, role=BusinessCenterRole.STANDARD
        )
    client = client_of(world.client_admin)
    client.get(f"/b/{world.client.pk}/")
    with statements() as asked:
        client.get(f"/b/{world.client.pk}/")
    assert len(asked) == 10, "\n".join(asked)


def test_members_is_marked_as_refused_for_who_holds_the_leads_alone(world: World) -> None:
    world.hand_over()
    held = client_of(world.client_admin)
    assert held.get(f"/a/{world.account.pk}/members/").status_code == 403
    rows = {row.key: row.refused for row in held.get(f"/l/{world.library.pk}/overview/").context["shell"].settings}
    assert rows == {"members": True, "access": False, "privacy": False, "labels": False}
    own = client_of(world.operator).get(f"/a/{world.account.pk}/members/")
    assert {row.key: row.refused for row in own.context["shell"].settings}["members"] is False


def test_admin_says_who_needs_a_second_factor(world: World, standard: User) -> None:
    path = f"/b/{world.client.pk}/two-factor/"
    assert client_of(standard).post(path, {"two_factor": "nobody"}).status_code == 403
    before = BusinessCenter.objects.get(pk=world.client.pk).two_factor
    client = client_of(world.client_admin)
    assert client.post(path, {"two_factor": "sometimes"}).status_code == 400
    assert BusinessCenter.objects.get(pk=world.client.pk).two_factor == before
    assert client.post(path, {"two_factor": "downloaders"}).status_code == 302
    assert BusinessCenter.objects.get(pk=world.client.pk).two_factor == "downloaders"
