"""A refusal is told with its reason, and what it wrote outlives the rollback of the request that it ended."""

import logging
import threading
from datetime import timedelta

import pytest
import time_machine
from django.db import connections
from django.test import Client
from django.utils import timezone

from accounts.access import Can, Refused, require
from accounts.models import AccountRole, Act, AuditEvent, Scope, User
from accounts.refusals import record_refusal
from accounts.services import ad_accounts, notary
from accounts.services.tokens import create_token
from tests.world import World, person


def refusals() -> list[AuditEvent]:
    return list(AuditEvent.objects.filter(act=Act.REFUSED).order_by("at", "id"))


def signed_in(user: User) -> Client:
    client = Client()
    client.force_login(user)
    return client


def bearer(user: User) -> Client:
    return Client(headers={"Authorization": f"Bearer {create_token(user=user, name='script')[1]}"})


def refused_by(user: User, can: Can, world: World) -> Refused:
    with pytest.raises(Refused) as caught:
        require(user, can, world.library)
    return caught.value


def test_refusal_in_a_page_is_in_the_objects_trail_although_the_deed_rolled_back(world: World) -> None:
    guest = person("Gast")
    answer = signed_in(world.operator).post(
        f"/a/{world.account.pk}/members/", {"email": guest.email, "role": "administrator"}
    )
    assert answer.status_code == 403
    assert "Only Administrators of Brand ads can manage members." in answer.content.decode()
    assert "Ada" in answer.content.decode()
    assert not world.account.memberships.filter(user=guest).exists()
    [event] = refusals()
    assert (event.scope, event.scope_id, event.actor, event.detail) == (
        Scope.AD_ACCOUNT,
        world.account.pk,
        world.operator,
        {"can": "manage_members"},
    )


def test_refusal_in_the_api_is_a_problem_and_in_the_trail(world: World) -> None:
    answer = bearer(world.analyst).delete(f"/api/v1/forms/{world.form.pk}/")
    assert (answer.status_code, answer["Content-Type"]) == (403, "application/problem+json")
    assert answer.json() == {
        "type": "about:blank",
        "title": "Not allowed",
        "status": 403,
        "detail": "Only Administrators and Operators of Brand ads can create and edit instant forms.",
        "reason": "Only Administrators and Operators of Brand ads can create and edit instant forms.",
        "missing_permission": "edit_forms",
        "who_can_help": ["Ada"],
    }
    assert [(event.actor, event.scope_id) for event in refusals()] == [(world.analyst, world.account.pk)]


@pytest.mark.django_db(transaction=True)
def test_refusal_is_recorded_after_the_services_transaction_was_undone() -> None:
    """On a real connection, without the test's own transaction around it."""
    from tests.world import make_world  # noqa: PLC0415  # the fixture would open a transaction

    world = make_world()
    answer = signed_in(world.operator).post(
        f"/a/{world.account.pk}/members/{world.operator.pk}/", {"role": "administrator"}
    )
    assert answer.status_code == 403
    assert world.account.memberships.get(user=world.operator).role == "operator"
    assert [event.actor_id for event in refusals()] == [world.operator.pk]
    notary.seal_trail()
    assert list(notary.verify()) == []


def test_refusals_are_written_at_most_once_a_minute_per_person_right_and_object(world: World) -> None:
    again = refused_by(world.operator, Can.VIEW_LEADS, world)
    for _ in range(5):
        record_refusal(again)
    assert len(refusals()) == 1
    record_refusal(refused_by(world.operator, Can.DELETE_LEADS, world))
    record_refusal(refused_by(world.analyst, Can.VIEW_LEADS, world))
    assert [(event.actor, event.detail["can"]) for event in refusals()] == [
        (world.operator, "view_leads"),
        (world.operator, "delete_leads"),
        (world.analyst, "view_leads"),
    ]


@pytest.mark.django_db(transaction=True)
def test_refusals_that_come_at_once_are_one_row() -> None:
    """Six threads with connections of their own, let go together."""
    from tests.world import make_world  # noqa: PLC0415  # the fixture would open a transaction

    world = make_world()
    refused = refused_by(world.operator, Can.VIEW_LEADS, world)
    start, faults = threading.Barrier(6), []

    def refuse() -> None:
        try:
            start.wait()
            record_refusal(refused)
        except Exception as error:
            faults.append(error)
            raise
        finally:
            connections.close_all()

    threads = [threading.Thread(target=refuse) for _ in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert faults == []
    assert [event.actor_id for event in refusals()] == [world.operator.pk]


def test_refusal_a_minute_later_is_written_again(world: World) -> None:
    with time_machine.travel(timezone.now() - timedelta(minutes=2), tick=False):
        early = AuditEvent.objects.create(
            scope=Scope.LIBRARY,
            scope_id=world.library.pk,
            act=Act.REFUSED,
            actor=world.operator,
            at=timezone.now(),
            detail={"can": "view_leads"},
        )
    record_refusal(refused_by(world.operator, Can.VIEW_LEADS, world))
    assert len(refusals()) == 2
    assert refusals()[0].pk == early.pk


def test_stranger_writes_into_no_trail_only_into_the_security_log(
    world: World, caplog: pytest.LogCaptureFixture
) -> None:
    before = AuditEvent.objects.count()
    with caplog.at_level(logging.WARNING, "leadscenter.security"):
        answer = signed_in(world.stranger).get(f"/a/{world.account.pk}/members/")
        other = bearer(world.stranger).get(f"/api/v1/forms/{world.form.pk}/")
    assert (answer.status_code, other.status_code) == (404, 404)
    assert AuditEvent.objects.count() == before + 1  # the token of the stranger's own, in the platform's trail
    assert not refusals()
    told = [record for record in caplog.records if record.name == "leadscenter.security"]
    assert [record.getMessage() for record in told] == ["refused as stranger"] * 2
    assert {record.actor for record in told} == {world.stranger.pk}  # type: ignore[attr-defined]


def test_stranger_cannot_tell_what_is_there_from_what_is_not(world: World) -> None:
    page, api = signed_in(world.stranger), bearer(world.stranger)
    there, nowhere = page.get(f"/a/{world.account.pk}/members/"), page.get("/a/12345/members/")
    assert there.status_code == nowhere.status_code == 404
    assert page_text(there.content) == page_text(nowhere.content)
    there, nowhere = api.get(f"/api/v1/forms/{world.form.pk}/"), api.get("/api/v1/forms/12345/")
    assert (there.status_code, there.content) == (nowhere.status_code, nowhere.content)
    assert set(there.headers) == set(nowhere.headers)


def page_text(content: bytes) -> list[str]:
    """A page's lines without those that carry a one-time value."""
    return [line for line in content.decode().splitlines() if "csrf" not in line.lower()]


def test_anonymous_are_asked_to_sign_in_and_scripts_get_401(world: World) -> None:
    page = Client().get(f"/a/{world.account.pk}/members/")
    assert (page.status_code, page["Location"]) == (302, f"/login/?next=/a/{world.account.pk}/members/")
    api = Client().get(f"/api/v1/forms/{world.form.pk}/")
    assert (api.status_code, api["WWW-Authenticate"]) == (401, 'Bearer realm="api"')
    assert not refusals()


def test_platform_staff_are_strangers(world: World) -> None:
    root = User.objects.create_superuser("root@house.test", "pass")
    assert signed_in(root).get(f"/a/{world.account.pk}/members/").status_code == 404
    assert bearer(root).get(f"/api/v1/forms/{world.form.pk}/").status_code == 404
    with pytest.raises(Exception, match="Platform staff cannot be members"):
        ad_accounts.set_member(
            actor=world.administrator, ad_account=world.account, user=root, role=AccountRole.OPERATOR
        )
    assert not refusals()
