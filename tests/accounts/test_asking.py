"""A brand asks for leads access by a number: it learns nothing from asking, those who may hand over learn of it."""

import logging
from datetime import timedelta
from typing import Any

import pytest
from django.core import mail
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from accounts.access import Refused
from accounts.models import AccessAsk, Act, AuditEvent, BusinessCenterRole, Scope
from accounts.refusals import Conflict
from accounts.services import business_centers
from accounts.services.asking import MOST_OPEN, ask_for_access, close_old_asks, dismiss_ask, mail_asks
from accounts.services.transfers import request_transfer
from tests.callers import Caller
from tests.world import World, make_world, person

UNKNOWN = 234567890123456789


@pytest.fixture
def world(transactional_db: None) -> World:
    return make_world()


def ask(world: World, number: int | None = None) -> AccessAsk:
    wanted = world.account.pk if number is None else number
    return ask_for_access(actor=world.client_admin, business_center=world.client, ad_account_number=wanted)


def events(act: Act) -> dict[tuple[str, int], dict[str, Any]]:
    rows = AuditEvent.objects.filter(act=act)
    told = ("number", "business_center")
    return {(row.scope, row.scope_id): {name: row.detail[name] for name in told if name in row.detail} for row in rows}


def test_who_may_hand_over_gets_a_mail_with_the_prepared_transfer(world: World) -> None:
    made = ask(world)
    assert mail.outbox == []  # not in the request
    assert mail_asks() == 1
    assert [message.to for message in mail.outbox] == [[world.administrator.email]]
    text = mail.outbox[0].body
    assert f"/l/{world.library.pk}/transfer/?to={world.client.pk}&ask={made.pk}" in text
    assert "Client" in mail.outbox[0].subject
    assert mail_asks() == 0
    assert len(mail.outbox) == 1


def test_ask_stands_in_both_trails(world: World) -> None:
    ask(world)
    mail_asks()
    assert events(Act.ACCESS_ASKED) == {
        (Scope.BUSINESS_CENTER, world.client.pk): {"number": str(world.account.pk)},
        (Scope.LIBRARY, world.library.pk): {"business_center": "Client"},
        (Scope.AD_ACCOUNT, world.account.pk): {"business_center": "Client"},
    }


def test_number_that_leads_nowhere_mails_nobody(world: World) -> None:
    ask(world, UNKNOWN)
    assert mail_asks() == 1
    assert mail.outbox == []
    assert set(events(Act.ACCESS_ASKED)) == {(Scope.BUSINESS_CENTER, world.client.pk)}


def test_leads_that_one_holds_already_are_asked_of_nobody(world: World) -> None:
    world.hand_over()
    mail.outbox.clear()
    ask(world)
    mail_asks()
    assert mail.outbox == []


def test_owner_asks_the_custodian_for_the_way_back(world: World) -> None:
    world.hand_over()
    mail.outbox.clear()
    owner = world.account.business_center
    boss = owner.members.get(role=BusinessCenterRole.ADMIN).user
    ask_for_access(actor=boss, business_center=owner, ad_account_number=world.account.pk)
    mail_asks()
    assert [message.to for message in mail.outbox] == [[world.client_admin.email]]


# ---- what the asker can find out -------------------------------------------------------------------------------------


def numbers(world: World) -> dict[str, int]:
    """Numbers of every kind that an asker could try: the first two exist."""
    return {
        "agency's": world.account.pk,
        "stranger's": world.stranger_library.ad_account_id,
        "unknown": UNKNOWN,
        "library's": world.library.pk,
        "person's": world.client_admin.pk,
    }


def test_answer_and_its_queries_are_the_same_for_every_number(world: World) -> None:
    caller = Caller(world.client_admin)
    path = f"business-centers/{world.client.pk}/access-asks/"
    told, cost = set(), set()
    for number in numbers(world).values():
        with CaptureQueriesContext(connection) as captured:
            answer = caller.post(path, {"ad_account_id": str(number)})
        assert answer.status_code == 202
        assert answer.json()["ad_account_id"] == str(number)
        headers = {name: value for name, value in answer.headers.items() if name != "X-Request-ID"}
        told.add(str((answer.json()["state"], sorted(answer.json()), headers)))
        cost.add(len([query for query in captured.captured_queries if "apitoken" not in query["sql"]]))
    assert len(told) == 1
    assert len(cost) == 1
    mail_asks()
    again = [caller.post(path, {"ad_account_id": str(number)}) for number in numbers(world).values()]
    assert {answer.status_code for answer in again} == {202}
    assert {answer.json()["state"] for answer in again} == {"waiting"}
    assert AccessAsk.objects.count() == len(numbers(world))
    assert len(mail.outbox) == 2  # one for each account that exists, none for asking again


def test_own_list_does_not_tell_what_was_found_or_dismissed(world: World) -> None:
    caller = Caller(world.client_admin)
    for number in numbers(world).values():
        ask(world, number)
    mail_asks()
    dismiss_ask(actor=world.administrator, ask=AccessAsk.objects.get(asked_number=world.account.pk))
    rows = caller.get(f"business-centers/{world.client.pk}/access-asks/").json()["results"]
    assert {row["ad_account_id"] for row in rows} == {str(number) for number in numbers(world).values()}
    assert {row["state"] for row in rows} == {"waiting"}
    assert {tuple(sorted(row)) for row in rows} == {("ad_account_id", "asked_at", "id", "state")}
    page = Client()
    page.force_login(world.client_admin)
    text = page.get("/settings/transfers/").content.decode()
    assert str(world.account.pk) in text
    assert world.account.name not in text
    assert "Dismissed" not in text
    trail = AuditEvent.objects.filter(scope=Scope.BUSINESS_CENTER, scope_id=world.client.pk)
    assert set(trail.values_list("act", flat=True)) <= {Act.ACCESS_ASKED, Act.BUSINESS_CENTER_CREATED, Act.MEMBER_ADDED}


def test_page_says_the_same_for_every_number(world: World) -> None:
    page = Client()
    page.force_login(world.client_admin)
    said = set()
    for number in (world.account.pk, UNKNOWN, world.account.pk):
        sent = {"business_center": str(world.client.pk), "number": str(number)}
        answer = page.post("/settings/transfers/ask/", sent, follow=True)
        said.add(tuple(str(message) for message in answer.context["messages"]))
    assert len(said) == 1
    bad = page.post("/settings/transfers/ask/", {"business_center": str(world.client.pk), "number": "12x"}, follow=True)
    assert "only digits" in bad.content.decode()
    assert AccessAsk.objects.count() == 2


def test_dismissed_ask_takes_its_place_among_those_that_wait(world: World) -> None:
    first = ask(world)
    mail_asks()
    dismiss_ask(actor=world.administrator, ask=AccessAsk.objects.get(pk=first.pk))
    mail.outbox.clear()
    assert ask(world).pk == first.pk
    mail_asks()
    assert mail.outbox == []
    old = timezone.now() - timedelta(days=2)
    for number in range(MOST_OPEN - 1):
        AccessAsk.objects.filter(pk=ask(world, UNKNOWN + number).pk).update(asked_at=old)
    with pytest.raises(Conflict):
        ask(world, UNKNOWN + 100)  # as it would be had the number led nowhere


def test_twenty_asks_a_day_at_most(world: World) -> None:
    for number in range(MOST_OPEN):
        ask(world, UNKNOWN + number)
    with pytest.raises(Conflict) as conflict:
        ask(world)
    assert conflict.value.code == "too_many_asks"
    AccessAsk.objects.update(state=AccessAsk.State.ANSWERED)
    with pytest.raises(Conflict):
        ask(world)
    AccessAsk.objects.update(asked_at=timezone.now() - timedelta(days=2))
    assert ask(world).state == "waiting"


# ---- who may ---------------------------------------------------------------------------------------------------------


def test_admins_alone_ask(world: World) -> None:
    standard = person("Stan")
    role = BusinessCenterRole.STANDARD
    business_centers.set_member(actor=world.client_admin, business_center=world.client, user=standard, role=role)
    for actor, stranger in ((standard, False), (world.administrator, True)):
        with pytest.raises(Refused) as refused:
            ask_for_access(actor=actor, business_center=world.client, ad_account_number=world.account.pk)
        assert refused.value.stranger is stranger
    assert not AccessAsk.objects.exists()
    body = {"ad_account_id": str(world.account.pk)}
    assert Caller(standard).post(f"business-centers/{world.client.pk}/access-asks/", body).status_code == 403
    assert Caller(standard).get(f"business-centers/{world.client.pk}/access-asks/").status_code == 403
    assert Caller(world.administrator).post(f"business-centers/{world.client.pk}/access-asks/", body).status_code == 404


def test_token_of_another_scope_does_not_ask(world: World) -> None:
    path = f"business-centers/{world.client.pk}/access-asks/"
    narrow = Caller(world.client_admin, scopes=("forms:read",))
    assert narrow.post(path, {"ad_account_id": str(world.account.pk)}).status_code == 403
    assert narrow.get(path).status_code == 403
    assert not AccessAsk.objects.exists()
    wide = Caller(world.client_admin, scopes=("access",))
    assert wide.post(path, {"ad_account_id": str(world.account.pk)}).status_code == 202


def test_bad_number_is_bad_input(world: World) -> None:
    caller = Caller(world.client_admin)
    path = f"business-centers/{world.client.pk}/access-asks/"
    for wrong in ("", "x", "-1", "9" * 19, None, True, 1.5):
        assert caller.post(path, {"ad_account_id": wrong}).status_code == 400
    assert not AccessAsk.objects.exists()


# ---- the answer ------------------------------------------------------------------------------------------------------


def test_requesting_the_transfer_answers_the_ask(world: World) -> None:
    ask(world)
    mail_asks()
    page = Client()
    page.force_login(world.administrator)
    waiting = page.get("/settings/transfers/").content.decode()
    assert "Client asks for the leads of Brand ads" in waiting
    wizard = page.get(f"/l/{world.library.pk}/transfer/?to={world.client.pk}").content.decode()
    assert "Client asked for these leads" in wizard
    request_transfer(actor=world.administrator, library=world.library, business_center=world.client)
    asked = AccessAsk.objects.get()
    assert (asked.state, asked.closed_at is not None) == ("answered", True)
    rows = Caller(world.client_admin).get(f"business-centers/{world.client.pk}/access-asks/").json()["results"]
    assert [row["state"] for row in rows] == ["answered"]
    assert "asks for the leads" not in page.get("/settings/transfers/").content.decode()


def test_dismissing_is_for_who_may_hand_over_and_once(world: World) -> None:
    made = ask(world)
    mail_asks()
    path = f"access-asks/{made.pk}/dismiss/"
    assert Caller(world.stranger).post(path).status_code == 404
    assert Caller(world.client_admin).post(path).status_code == 404
    assert Caller(world.operator).post(path).status_code == 403
    assert AccessAsk.objects.get().state == "waiting"
    administrator = Caller(world.administrator)
    assert [row["id"] for row in administrator.get("access-asks/").json()["results"]] == [str(made.pk)]
    assert administrator.post(path).status_code == 204
    assert AccessAsk.objects.get().state == "dismissed"
    assert administrator.get("access-asks/").json()["results"] == []
    assert administrator.post(path).status_code == 409
    assert events(Act.ACCESS_ASK_DISMISSED) == {
        (Scope.LIBRARY, world.library.pk): {"business_center": "Client"},
        (Scope.AD_ACCOUNT, world.account.pk): {"business_center": "Client"},
    }


def test_ask_that_leads_nowhere_cannot_be_dismissed(world: World) -> None:
    made = ask(world, UNKNOWN)
    mail_asks()
    assert Caller(world.administrator).post(f"access-asks/{made.pk}/dismiss/").status_code == 404


def test_ask_expires_after_thirty_days_and_may_be_sent_again(world: World) -> None:
    made = ask(world)
    mail_asks()
    AccessAsk.objects.filter(pk=made.pk).update(asked_at=timezone.now() - timedelta(days=31))
    rows = Caller(world.client_admin).get(f"business-centers/{world.client.pk}/access-asks/").json()["results"]
    assert [row["state"] for row in rows] == ["expired"]
    assert Caller(world.administrator).get("access-asks/").json()["results"] == []
    new = ask(world)
    assert new.pk != made.pk
    AccessAsk.objects.filter(pk=new.pk).update(asked_at=timezone.now() - timedelta(days=31))
    assert close_old_asks() == 1
    assert set(AccessAsk.objects.values_list("state", flat=True)) == {"dismissed"}


@pytest.mark.parametrize("rows", [1, 3])
def test_page_with_asks_costs_the_same_with_one_and_three(world: World, rows: int) -> None:
    for number in range(rows):
        center = business_centers.create_business_center(name=f"Brand {number}", admin=world.client_admin)
        ask_for_access(actor=world.client_admin, business_center=center, ad_account_number=world.account.pk)
    mail_asks()
    page = Client()
    page.force_login(world.administrator)
    page.get("/settings/transfers/")
    with CaptureQueriesContext(connection) as captured:
        text = page.get("/settings/transfers/").content.decode()
    assert text.count("Prepare transfer") == rows
    assert len(captured) == QUERIES


QUERIES = 9


# ---- mail of a transfer ----------------------------------------------------------------------------------------------


def written() -> dict[str, str]:
    found = {message.to[0]: str(message.subject) for message in mail.outbox}
    assert len(found) == len(mail.outbox)  # one mail per person
    mail.outbox.clear()
    return found


def test_both_sides_get_one_mail_per_person_for_each_step(world: World) -> None:
    boss = world.account.business_center.members.get().user
    everybody = {world.administrator.email, boss.email, world.client_admin.email}
    administrator, client = Caller(world.administrator), Caller(world.client_admin)
    body = {"business_center_id": str(world.client.pk)}
    steps = [
        ("cancel", administrator, "cancelled"),
        ("reject", client, "rejected"),
        ("accept", client, "holds them now"),
    ]
    for answer, who, told in steps:
        made = administrator.post(f"libraries/{world.library.pk}/transfers/", body).json()["id"]
        texts = {message.to[0]: message.body for message in mail.outbox}
        asked = written()
        assert set(asked) == everybody
        assert all("to take them over" in subject for subject in asked.values())
        assert "can accept or reject" in texts[world.client_admin.email]
        assert "Nothing changes until" in texts[world.administrator.email]
        assert f"/settings/transfers/{made}/" in texts[world.client_admin.email]
        assert who.post(f"transfers/{made}/{answer}/").status_code == 200
        decided = written()
        assert set(decided) == everybody
        assert all(told in subject for subject in decided.values())


def test_mail_that_cannot_be_sent_undoes_nothing_and_is_logged(
    world: World, settings: Any, caplog: pytest.LogCaptureFixture
) -> None:
    settings.EMAIL_BACKEND = "django.core.mail.backends.smtp.EmailBackend"
    settings.EMAIL_HOST, settings.EMAIL_PORT = "127.0.0.1", 1
    with caplog.at_level(logging.WARNING, "accounts.letters"):
        made = request_transfer(actor=world.administrator, library=world.library, business_center=world.client)
    assert made.state == "requested"
    assert "mails were not sent: ConnectionRefusedError" in caplog.text
    assert world.client_admin.email not in caplog.text


def test_refused_answer_sends_no_mail(world: World) -> None:
    made = request_transfer(actor=world.administrator, library=world.library, business_center=world.client)
    mail.outbox.clear()
    for who, answer in ((world.operator, "accept"), (world.stranger, "accept"), (world.client_admin, "cancel")):
        assert Caller(who).post(f"transfers/{made.pk}/{answer}/").status_code in (403, 404)
    assert mail.outbox == []
