"""Invitations: the link works once, for its address, in time, and only while whoever sent it still may."""

import re
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from threading import Barrier
from typing import Any

import pytest
from django.core import mail
from django.db import connections
from django.test import Client
from django.utils import timezone

from accounts.access import Can, grants
from accounts.models import (
    AccountMembership,
    AccountRole,
    Act,
    AuditEvent,
    BusinessCenterMember,
    BusinessCenterRole,
    Invitation,
    User,
)
from accounts.refusals import Conflict, Invalid
from accounts.services import ad_accounts, business_centers, people
from accounts.services.inviting import invite_to_account, invite_to_center, revoke_invitation
from accounts.services.joining import accept_invitation, join
from tests.callers import Caller
from tests.world import World, person

PASSWORD = "a long enough pass phrase"


@pytest.fixture
def links(world: World, django_capture_on_commit_callbacks: Any) -> Any:
    """Invite and return the key in the mailed link."""

    def invite(email: str = "new@house.test", *, center: bool = False, role: str = "") -> str:
        mail.outbox.clear()
        with django_capture_on_commit_callbacks(execute=True):
            if center:
                invite_to_center(
                    actor=world.client_admin,
                    business_center=world.client,
                    email=email,
                    role=BusinessCenterRole(role or "standard"),
                )
            else:
                invite_to_account(
                    actor=world.administrator,
                    ad_account=world.account,
                    email=email,
                    role=AccountRole(role or "operator"),
                )
        assert [message.to for message in mail.outbox] == [[email.lower()]]
        found = re.search(r"/invitation/([\w-]+)/", str(mail.outbox[0].body))
        assert found
        return found[1]

    return invite


def test_link_is_mailed_and_only_its_digest_is_kept(world: World, links: Any) -> None:
    raw = links()
    invitation = Invitation.objects.get()
    assert raw.encode() not in bytes(invitation.digest)
    assert len(bytes(invitation.digest)) == 32
    assert len(raw) == 32  # 192 bits


def test_somebody_new_joins_by_the_link_and_has_the_role_at_once(world: World, links: Any) -> None:
    raw = links()
    client = Client()
    assert "Brand ads" in client.get(f"/invitation/{raw}/").content.decode()
    answer = client.post(f"/invitation/{raw}/", {"name": "Nele New", "password": PASSWORD})
    assert (answer.status_code, answer["Location"]) == (302, "/")
    user = User.objects.get(email="new@house.test")
    assert AccountMembership.objects.get(user=user).role == AccountRole.OPERATOR
    assert Can.EDIT_FORMS in grants(user, world.account)
    assert client.get(f"/a/{world.account.pk}/forms/").status_code == 200
    assert Invitation.objects.get().state == Invitation.State.ACCEPTED
    told = AuditEvent.objects.filter(scope="ad_account", scope_id=world.account.pk, act=Act.INVITATION_ACCEPTED)
    assert told.get().actor == user


@pytest.mark.django_db(transaction=True)
def test_link_that_is_sent_twice_at_once_makes_one_person(links: Any) -> None:
    raw = links()
    barrier = Barrier(2)

    def try_it(name: str) -> str:
        barrier.wait(10)
        try:
            return join(raw=raw, name=name, password=PASSWORD).email
        except Conflict as conflict:
            return conflict.code
        finally:
            connections.close_all()

    with ThreadPoolExecutor(2) as pool:
        told = sorted(pool.map(try_it, ("Nele", "Nele")))
    assert told[1] == "new@house.test"
    assert told[0] in ("invitation_gone", "sign_in_first")
    assert User.objects.filter(email="new@house.test").count() == 1
    assert AccountMembership.objects.filter(user__email="new@house.test").count() == 1


def test_link_works_once(world: World, links: Any) -> None:
    raw = links()
    join(raw=raw, name="Nele", password=PASSWORD)
    AccountMembership.objects.filter(user__email="new@house.test").delete()
    again = User.objects.get(email="new@house.test")
    with pytest.raises(Conflict):
        accept_invitation(actor=again, raw=raw)
    assert not AccountMembership.objects.filter(user=again).exists()
    assert Client().get(f"/invitation/{raw}/").status_code == 404


@pytest.mark.parametrize("how", ["revoked", "expired", "replaced", "sender_demoted", "sender_off", "made_up"])
def test_dead_link_gives_nothing_and_says_nothing_of_the_account(world: World, links: Any, how: str) -> None:
    raw = links()
    if how == "revoked":
        revoke_invitation(actor=world.administrator, invitation=Invitation.objects.get())
    elif how == "expired":
        Invitation.objects.update(expires_at=timezone.now() - timedelta(seconds=1))
    elif how == "replaced":
        links()
    elif how == "sender_demoted":
        second = person("Second")
        ad_accounts.set_member(
            actor=world.administrator, ad_account=world.account, user=second, role=AccountRole.ADMINISTRATOR
        )
        ad_accounts.set_member(
            actor=second, ad_account=world.account, user=world.administrator, role=AccountRole.OPERATOR
        )
    elif how == "sender_off":
        people.set_active(actor=None, user=world.administrator, active=False)
    else:
        raw = "x" * 32
    before = AccountMembership.objects.count()
    answer = Client().post(f"/invitation/{raw}/", {"name": "Nele", "password": PASSWORD})
    assert answer.status_code == 404
    assert "Brand ads" not in answer.content.decode()
    assert AccountMembership.objects.count() == before
    assert not User.objects.filter(email="new@house.test").exists()


def test_link_is_for_its_address_alone(world: World, links: Any) -> None:
    raw = links()
    client = Client()
    client.force_login(world.stranger)
    page = client.post(f"/invitation/{raw}/").content.decode()
    assert "This invitation is for another address" in page
    assert not AccountMembership.objects.filter(ad_account=world.account, user=world.stranger).exists()
    assert Invitation.objects.get().state == Invitation.State.WAITING


def test_somebody_with_an_account_signs_in_first(world: World, links: Any) -> None:
    known = person("Karl")
    raw = links(known.email)
    page = Client().get(f"/invitation/{raw}/").content.decode()
    assert "Sign in to accept" in page
    with pytest.raises(Conflict):
        join(raw=raw, name="Impostor", password=PASSWORD)
    client = Client()
    client.force_login(known)
    assert client.post(f"/invitation/{raw}/").status_code == 302
    assert AccountMembership.objects.get(user=known).role == AccountRole.OPERATOR
    assert known.check_password("pass")


def test_weak_password_makes_no_account(world: World, links: Any) -> None:
    raw = links()
    answer = Client().post(f"/invitation/{raw}/", {"name": "Nele", "password": "password1234"})
    assert answer.status_code == 400
    assert not User.objects.filter(email="new@house.test").exists()
    assert Invitation.objects.get().state == Invitation.State.WAITING


def test_invitation_into_a_business_center_gives_its_role(world: World, links: Any) -> None:
    raw = links(center=True, role="admin")
    user = join(raw=raw, name="Nele", password=PASSWORD)
    assert BusinessCenterMember.objects.get(user=user).role == BusinessCenterRole.ADMIN
    world.hand_over()
    assert Can.VIEW_LEADS in grants(user, world.library)


def test_invitation_never_lowers_what_somebody_holds(world: World, links: Any) -> None:
    raw = links(center=True)
    user = join(raw=raw, name="Nele", password=PASSWORD)
    business_centers.set_member(
        actor=world.client_admin, business_center=world.client, user=user, role=BusinessCenterRole.ADMIN
    )
    invitation = Invitation.objects.get()
    Invitation.objects.filter(pk=invitation.pk).update(state=Invitation.State.WAITING)
    accept_invitation(actor=user, raw=raw)
    assert BusinessCenterMember.objects.get(user=user).role == BusinessCenterRole.ADMIN


def test_platform_staff_cannot_join(world: World, links: Any) -> None:
    raw = links("root@house.test")
    root = User.objects.create_superuser("root@house.test", "pass")
    with pytest.raises(Invalid):
        accept_invitation(actor=root, raw=raw)
    assert not AccountMembership.objects.filter(user=root).exists()


@pytest.mark.parametrize("who", ["operator", "analyst", "client_admin", "stranger"])
def test_only_who_manages_members_invites_lists_and_revokes(world: World, links: Any, who: str) -> None:
    links()
    caller = Caller(getattr(world, who))
    invitation = Invitation.objects.get()
    status = 403 if who in ("operator", "analyst") else 404
    answers = (
        caller.post(f"ad-accounts/{world.account.pk}/members/", {"email": "x@house.test", "role": "administrator"}),
        caller.get(f"ad-accounts/{world.account.pk}/invitations/"),
        caller.delete(f"invitations/{invitation.pk}/"),
    )
    assert [answer.status_code for answer in answers] == [status] * 3
    assert not any("new@house.test" in answer.content.decode() for answer in answers)
    assert Invitation.objects.get().state == Invitation.State.WAITING


def test_api_invites_lists_and_revokes(world: World) -> None:
    caller = Caller(world.administrator)
    made = caller.post(f"ad-accounts/{world.account.pk}/members/", {"email": "X@house.test", "role": "analyst"})
    assert (made.status_code, made.json()["email"], made.json()["state"]) == (202, "x@house.test", "waiting")
    listed = caller.get(f"ad-accounts/{world.account.pk}/invitations/").json()["results"]
    assert [row["id"] for row in listed] == [made.json()["id"]]
    assert caller.delete(f"invitations/{made.json()['id']}/").status_code == 204
    assert caller.delete(f"invitations/{made.json()['id']}/").status_code == 409


@pytest.mark.parametrize("email", ["", "no-at", "a@b", "two@at@x.test", "x" * 250 + "@house.test"])
def test_bad_address_is_refused(world: World, email: str) -> None:
    answer = Caller(world.administrator).post(
        f"ad-accounts/{world.account.pk}/members/", {"email": email, "role": "analyst"}
    )
    assert (answer.status_code, list(answer.json()["errors"])) == (400, ["email"])
    assert not Invitation.objects.exists()
