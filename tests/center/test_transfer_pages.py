"""The pages of a transfer as each side sees them, in each of its states."""

from datetime import timedelta

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from accounts.models import LeadLibrary, Transfer, User
from accounts.services.transfers import accept_transfer, cancel_transfer, request_transfer
from tests.callers import Caller
from tests.world import World, make_world


@pytest.fixture
def world(db: None) -> World:
    return make_world()


def page_of(user: User) -> Client:
    client = Client()
    client.force_login(user)
    return client


def requested(world: World) -> Transfer:
    return request_transfer(actor=world.administrator, library=world.library, business_center=world.client)


def text(user: User, transfer: Transfer) -> str:
    answer = page_of(user).get(f"/settings/transfers/{transfer.pk}/")
    assert answer.status_code == 200
    return str(answer.content.decode())


def test_each_party_sees_what_it_touches_and_what_it_may_do(world: World) -> None:
    world.add_lead()
    world.add_lead()
    transfer = requested(world)
    receiving, giving, looking = (
        text(who, transfer) for who in (world.client_admin, world.administrator, world.analyst)
    )
    for seen in (receiving, giving, looking):
        assert "Leads, old and new <b>2</b>" in seen
    assert "Type “Brand ads” to accept" in receiving
    assert "Cancel the transfer" not in receiving
    assert "Cancel the transfer" in giving
    assert "to accept" not in giving
    assert "An Admin of Client can answer it" in looking
    assert page_of(world.stranger).get(f"/settings/transfers/{transfer.pk}/").status_code == 404


def test_accepting_needs_the_name_as_it_stands_and_leads_to_what_waits(world: World) -> None:
    world.connect("Agency CRM")
    world.add_lead()
    transfer, client = requested(world), page_of(world.client_admin)
    wrong = client.post(f"/settings/transfers/{transfer.pk}/accept/", {"typed": "brand ads"}, follow=True)
    assert "not typed as it stands" in wrong.content.decode()
    assert Transfer.objects.get().state == "requested"
    done = client.post(f"/settings/transfers/{transfer.pk}/accept/", {"typed": "Brand ads"}, follow=True)
    told = done.content.decode()
    assert done.redirect_chain == [(f"/settings/transfers/{transfer.pk}/", 302)]
    assert "1 connection waits for you" in told
    assert "1 delivery." in told
    assert LeadLibrary.objects.get(pk=world.library.pk).custodian == world.client
    integrations = client.get(f"/l/{world.library.pk}/integrations/").content.decode()
    assert "1 connection waits for you since leads access was transferred" in integrations
    theirs = text(world.administrator, transfer)
    assert "Leads access was transferred to Client on" in theirs
    assert "Agency keeps campaigns, forms and counts" in theirs
    assert "waits for you" not in theirs


def test_agencys_refusal_says_since_when_and_what_it_keeps(world: World) -> None:
    world.hand_over()
    answer = page_of(world.administrator).get(f"/l/{world.library.pk}/leads/")
    told = answer.content.decode()
    assert answer.status_code == 403
    assert f"transferred to them on {timezone.now():%-d %b %Y}" in told
    assert "You keep campaigns, forms and counts." in told
    assert "Client" in told
    assert answer["Clear-Site-Data"] == '"cache"'
    assert "no-store" in answer["Cache-Control"]
    assert "Clear-Site-Data" not in page_of(world.client_admin).get(f"/l/{world.library.pk}/leads/").headers


def test_rejected_cancelled_and_expired_say_that_nothing_moved(world: World) -> None:
    cancelled = requested(world)
    cancel_transfer(actor=world.administrator, transfer=cancelled)
    assert "Agency holds the leads as before" in text(world.client_admin, cancelled)
    late = requested(world)
    Transfer.objects.filter(pk=late.pk).update(expires_at=timezone.now() - timedelta(seconds=1))
    seen = text(world.client_admin, late)
    assert "Nobody at Client answered within 14 days" in seen
    assert "to accept" not in seen
    assert "Expired" in page_of(world.client_admin).get("/settings/transfers/").content.decode()
    assert Caller(world.client_admin).get(f"transfers/{late.pk}/").json()["state"] == "expired"
    answer = page_of(world.client_admin).post(
        f"/settings/transfers/{late.pk}/accept/", {"typed": "Brand ads"}, follow=True
    )
    assert "This transfer expired" in answer.content.decode()
    assert LeadLibrary.objects.get(pk=world.library.pk).custody == 1


def test_handing_back_is_the_same_wizard_for_the_custodian(world: World) -> None:
    world.hand_over()
    owner, client = world.account.business_center, page_of(world.client_admin)
    path = f"/l/{world.library.pk}/transfer/"
    assert page_of(world.administrator).get(path).status_code == 403
    assert "What moves" in client.get(f"{path}?to={owner.pk}").content.decode()
    wrong = client.post(path, {"to": str(owner.pk), "step": "3", "typed": "x"})
    assert wrong.status_code == 400
    assert Transfer.objects.count() == 1
    client.post(path, {"to": str(owner.pk), "step": "3", "typed": "Brand ads"})
    back = Transfer.objects.get(state="requested")
    boss = User.objects.get(name="Boss")
    assert "Type “Brand ads” to accept" in text(boss, back)
    assert "to accept" not in text(world.administrator, back)
    accept_transfer(actor=boss, transfer=back)
    assert LeadLibrary.objects.get(pk=world.library.pk).custody == 3
    assert page_of(world.administrator).get(f"/l/{world.library.pk}/leads/").status_code == 200
    assert page_of(world.client_admin).get(f"/l/{world.library.pk}/leads/").status_code in (403, 404)


@pytest.mark.parametrize("leads", [1, 3])
def test_page_costs_the_same_however_many_leads(world: World, leads: int) -> None:
    for number in range(leads):
        world.add_lead(email=f"a{number}@example.com")
    transfer = requested(world)
    client = page_of(world.client_admin)
    client.get(f"/settings/transfers/{transfer.pk}/")
    with CaptureQueriesContext(connection) as captured:
        client.get(f"/settings/transfers/{transfer.pk}/")
    assert len(captured) == 8
