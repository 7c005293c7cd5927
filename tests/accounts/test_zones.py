"""In which time zone a page shows moments: chosen by the person, else the ad account's, for this request alone."""

from datetime import UTC, datetime, timedelta

import pytest
from django.contrib.messages import get_messages
from django.test import Client
from django.utils import timezone

from accounts.models import AdAccount, Transfer, User
from accounts.services.telling import tell_transfer
from accounts.services.transfers import request_transfer
from accounts.zones import follow, zone_named
from leads.center.services.working import add_note
from leads.models import Lead
from leads.vault.models import Note
from leads.vault.regions import alias_of
from tests.callers import Caller
from tests.counting import statements
from tests.world import World, make_world

ZONE = "/settings/time-zone/"
SUMMER = datetime(2026, 7, 11, 10, 30, tzinfo=UTC)


@pytest.fixture
def world(db: None) -> World:
    return make_world()


def page_of(user: User) -> Client:
    client = Client()
    client.force_login(user)
    return client


def in_zones(world: World, account: str, own: str = "") -> None:
    AdAccount.objects.filter(pk=world.account.pk).update(time_zone=account)
    User.objects.filter(pk=world.administrator.pk).update(time_zone=own)


@pytest.mark.parametrize(
    ("account", "own", "shown"),
    [
        ("UTC", "", "Sat 11 Jul 2026, 10:30:00 UTC"),
        ("Europe/Berlin", "", "Sat 11 Jul 2026, 12:30:00 CEST"),
        ("Europe/Berlin", "America/New_York", "Sat 11 Jul 2026, 06:30:00 EDT"),
        ("America/Sao_Paulo", "", "Sat 11 Jul 2026, 07:30:00 UTC-03"),
    ],
)
def test_pages_show_moments_in_the_persons_zone_else_in_the_accounts(
    world: World, account: str, own: str, shown: str
) -> None:
    in_zones(world, account, own)
    lead = world.add_lead()
    received = SUMMER - timedelta(days=world.library.retention_days)
    Lead.objects.filter(pk=lead.pk).update(received_at=received)  # its clock says when it goes
    add_note(actor=world.administrator, lead=lead, text="called")
    Note.objects.using(alias_of(lead.region)).filter(lead_id=lead.pk).update(created_at=SUMMER)
    client, base = page_of(world.administrator), f"/l/{world.library.pk}/leads"
    for address in (f"{base}/?view=all", f"{base}/board/"):
        whole = client.get(address).content.decode()
        assert whole.count(f'<time datetime="2026-07-11T10:30:00+00:00" title="{shown}">') == 1
        assert f"Times in {own or account}" in whole
    drawer = client.get(f"{base}/{lead.pk}/", headers={"HX-Request": "true"}).content.decode()
    assert drawer.count(f'<time datetime="2026-07-11T10:30:00+00:00" title="{shown}">') == 2
    assert timezone.get_current_timezone_name() == "UTC"


def test_the_zone_of_one_request_does_not_reach_the_next(world: World) -> None:
    in_zones(world, "Europe/Berlin", "Asia/Tokyo")
    assert "Times in Asia/Tokyo" in page_of(world.administrator).get(f"/a/{world.account.pk}/forms/").content.decode()
    assert "Times in Europe/Berlin" in page_of(world.operator).get(f"/a/{world.account.pk}/forms/").content.decode()
    assert "Times in UTC" in page_of(world.stranger).get("/notifications/").content.decode()
    missing = page_of(world.administrator).get(f"/l/{world.stranger_library.pk}/leads/")
    assert missing.status_code == 404
    assert timezone.get_current_timezone_name() == "UTC"
    follow(AdAccount.objects.get(pk=world.account.pk))  # outside a page
    assert timezone.get_current_timezone_name() == "UTC"


def test_refusals_are_told_in_the_zone_too(world: World) -> None:
    in_zones(world, "Europe/Berlin")
    refused = page_of(world.operator).get(f"/l/{world.library.pk}/leads/")
    assert refused.status_code == 403
    assert "Times in Europe/Berlin" in refused.content.decode()


def test_a_person_chooses_a_zone_and_follows_the_account_again(world: World) -> None:
    in_zones(world, "Europe/Berlin")
    client = page_of(world.administrator)
    page = client.get(ZONE).content.decode()
    assert "You see times in Europe/Berlin." in page
    answer = client.post(ZONE, {"time_zone": "America/Los_Angeles"})
    assert (answer.status_code, answer["Location"]) == (302, ZONE)
    assert [str(one) for one in get_messages(answer.wsgi_request)] == ["Saved."]
    world.administrator.refresh_from_db()
    assert world.administrator.time_zone == "America/Los_Angeles"
    page = client.get(ZONE).content.decode()
    assert "You see times in America/Los_Angeles." in page
    assert '<option value="America/Los_Angeles" selected>' in page
    client.post(ZONE, {"time_zone": ""})
    assert "You see times in Europe/Berlin." in client.get(ZONE).content.decode()


@pytest.mark.parametrize("name", ["Mars/Olympus", "../../etc/passwd", "europe/berlin", "UTC+2"])
def test_a_zone_that_nobody_knows_is_refused_and_said(world: World, name: str) -> None:
    in_zones(world, "UTC", "Asia/Tokyo")
    answer = page_of(world.administrator).post(ZONE, {"time_zone": name})
    assert answer.status_code == 400
    assert "Use the name of a time zone, such as Europe/Berlin." in answer.content.decode()
    world.administrator.refresh_from_db()
    assert world.administrator.time_zone == "Asia/Tokyo"


def test_a_zone_that_this_machine_does_not_know_any_more_is_utc(world: World) -> None:
    assert zone_named("US/Pacific-New") is zone_named("../etc") is UTC
    in_zones(world, "US/Pacific-New", "Mars/Olympus")
    for user in (world.administrator, world.operator):
        answer = page_of(user).get(f"/a/{world.account.pk}/forms/")
        assert answer.status_code == 200
        assert "Times in UTC" in answer.content.decode()


def test_the_zone_costs_no_statement(world: World) -> None:
    world.add_lead()
    client, asked = page_of(world.administrator), []
    client.get(f"/l/{world.library.pk}/leads/?view=all")  # what is kept in memory is not counted
    for account, own in (("UTC", ""), ("Europe/Berlin", ""), ("Europe/Berlin", "Asia/Tokyo")):
        in_zones(world, account, own)
        with statements() as spoken:
            client.get(f"/l/{world.library.pk}/leads/?view=all")
        asked.append(len(spoken))
    assert asked == [asked[0]] * 3


def test_sentences_and_the_log_name_the_zone(world: World) -> None:
    in_zones(world, "Europe/Berlin", "Asia/Tokyo")
    transfer = request_transfer(actor=world.administrator, library=world.library, business_center=world.client)
    Transfer.objects.filter(pk=transfer.pk).update(requested_at=SUMMER)
    client = page_of(world.administrator)
    page = client.get(f"/settings/transfers/{transfer.pk}/").content.decode()
    assert "Asked for by Ada on Sat 11 Jul 2026, 19:30:00 JST." in page
    assert "Days are UTC." in client.get(f"/l/{world.library.pk}/activity/").content.decode()


def test_the_api_and_mails_stay_in_utc(world: World, mailoutbox: list[object]) -> None:
    in_zones(world, "Europe/Berlin", "Asia/Tokyo")
    lead = world.add_lead()
    Lead.objects.filter(pk=lead.pk).update(received_at=SUMMER)
    assert Caller(world.administrator).get(f"leads/{lead.pk}/").json()["received_at"].startswith("2026-07-11T10:30:00")
    by_session = page_of(world.administrator).get(f"/api/v1/leads/{lead.pk}/").json()
    assert by_session["received_at"].startswith("2026-07-11T10:30:00")
    transfer = request_transfer(actor=world.administrator, library=world.library, business_center=world.client)
    Transfer.objects.filter(pk=transfer.pk).update(expires_at=SUMMER)
    with timezone.override("Asia/Tokyo"):  # as in a page of somebody there
        assert tell_transfer(transfer.pk) > 0
    texts = [str(getattr(message, "body", "")) for message in mailoutbox]
    assert all("2026-07-11 10:30 UTC" in text for text in texts if "until" in text)
    assert any("2026-07-11 10:30 UTC" in text for text in texts)
