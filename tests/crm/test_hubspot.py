"""HubSpot: the connector against a fake that keeps contacts and refuses what the real one refuses."""

from collections.abc import Iterator

import pytest
from django.db.models.functions import Now
from django.utils import timezone
from pytest_django import Settings

from leads.crm.connectors.connector import Event, Outcome, Verdict
from leads.crm.connectors.hubspot import HUBSPOT, source_value
from leads.crm.drain import drain
from leads.crm.explanations import explain
from leads.crm.services.connections import change_connection
from leads.models import Connection, Delivery, DeliveryAttempt
from leadscenter.lib.outbound import Answer
from tests.crm.world import World, delivery_of
from tests.fakes.hubspot import Fault, HubSpot


@pytest.fixture
def hubspot(settings: Settings) -> Iterator[HubSpot]:
    settings.OUTBOUND_ALLOWED_HOSTS = ["127.0.0.1"]
    with HubSpot() as hubspot:
        yield hubspot


def due_now() -> None:
    Delivery.objects.filter(state=Delivery.State.PENDING).update(due_at=Now())


def last_attempt() -> tuple[int | None, str, str]:
    attempt = DeliveryAttempt.objects.latest("at", "id")
    return attempt.status, attempt.outcome, attempt.code


def test_a_lead_becomes_a_contact_with_the_standard_fields(world: World, hubspot: HubSpot) -> None:
    world.hubspot(hubspot.url)
    lead = world.lead(
        name="Ann Marie Lee", email="Ann@Example.com", phone_number="+6591234567", company_name="Acme", short_answer="x"
    )
    drain()
    assert delivery_of(lead).state == Delivery.State.DONE
    assert list(hubspot.contacts.values()) == [
        {
            "email": "ann@example.com",
            "firstname": "Ann",
            "lastname": "Marie Lee",
            "phone": "+6591234567",
            "company": "Acme",
        }
    ]
    (asked,) = hubspot.asked
    (one,) = asked.body["inputs"]
    assert (asked.path, one["id"], one["idProperty"]) == (
        "/crm/v3/objects/contacts/batch/upsert",
        "ann@example.com",
        "email",
    )
    assert one["objectWriteTraceId"] == f"msg_{delivery_of(lead).pk}"


def test_sending_twice_changes_one_contact(world: World, hubspot: HubSpot) -> None:
    world.hubspot(hubspot.url)
    hubspot.script(Fault(drop=True, after_processing=True))
    lead = world.lead(email="ann@example.com", first_name="Ann")
    drain()
    assert last_attempt() == (None, "retry", "unreachable")
    assert len(hubspot.contacts) == 1
    due_now()
    drain()
    world.lead(email="ann@example.com", city="Ulm")
    drain()
    assert delivery_of(lead).state == Delivery.State.DONE
    assert list(hubspot.contacts.values()) == [{"email": "ann@example.com", "firstname": "Ann", "city": "Ulm"}]


def test_without_an_address_the_telephone_finds_the_contact(world: World, hubspot: HubSpot) -> None:
    world.hubspot(hubspot.url)
    for city in ("Ulm", "Bonn"):
        world.lead(phone_number="+6591234567", city=city)
        drain()
    assert list(hubspot.contacts.values()) == [{"phone": "+6591234567", "city": "Bonn"}]
    assert [asked.method for asked in hubspot.asked] == ["POST", "POST", "POST", "PATCH"]


def test_a_lead_without_address_and_telephone_fails_with_the_reason(world: World, hubspot: HubSpot) -> None:
    world.hubspot(hubspot.url)
    lead = world.lead(city="Ulm")
    drain()
    assert delivery_of(lead).state == Delivery.State.DEAD
    assert last_attempt() == (None, "fatal", "no_contact")
    assert hubspot.asked == []


def test_a_mapping_takes_answers_names_and_constants(world: World, hubspot: HubSpot) -> None:
    world.hubspot(
        hubspot.url,
        [
            {"from": "email", "to": "email"},
            {"from": "campaign_name", "to": "company"},
            {"from": "=Lead ad", "to": "lead_source"},
            {"from": "[not provided]", "to": "lastname"},
            {"from": "city", "to": "city"},
            {"from": "lead_id", "to": "jobtitle"},
            {"from": "utm_source", "to": "state"},
        ],
    )
    lead = world.lead(email="ann@example.com", first_name="Ann")
    drain()
    assert list(hubspot.contacts.values()) == [
        {
            "email": "ann@example.com",
            "company": "May",
            "lead_source": "Lead ad",
            "lastname": "[not provided]",
            "jobtitle": str(lead),
            "state": "feed",
        }
    ]


@pytest.mark.parametrize(
    ("line", "outcome", "code"),
    [
        ({"from": "=x", "to": "nowhere"}, "config", "unknown_property"),
        ({"from": "=Door", "to": "lead_source"}, "fatal", "invalid_option"),
        ({"from": "=x", "to": "createdate"}, "config", "read_only_property"),
    ],
)
def test_what_207_refuses_is_a_failure_with_its_reason(
    world: World, hubspot: HubSpot, line: dict[str, str], outcome: str, code: str
) -> None:
    world.hubspot(hubspot.url, [{"from": "email", "to": "email"}, line])
    lead = world.lead()
    drain()
    assert delivery_of(lead).state == Delivery.State.DEAD
    assert last_attempt() == (207, outcome, code)
    assert explain("hubspot", code).fix
    assert hubspot.contacts == {}


def test_a_refused_token_stops_the_connection_until_it_is_reconnected(world: World, hubspot: HubSpot) -> None:
    connection = world.hubspot(hubspot.url).connection
    change_connection(actor=world.admin, connection_id=connection.pk, credentials={"token": "pat-old"})
    lead = world.lead(email="ann@example.com")
    drain()
    assert last_attempt() == (401, "auth", "token_refused")
    assert Connection.objects.get().state == Connection.State.NEEDS_RECONNECT
    due_now()
    assert drain().attempts == 0
    change_connection(actor=world.admin, connection_id=connection.pk, credentials={"token": "pat-secret"})
    assert Connection.objects.get().state == Connection.State.ACTIVE
    drain()
    assert delivery_of(lead).state == Delivery.State.DONE


def test_limits_slow_us_down(world: World, hubspot: HubSpot) -> None:
    world.hubspot(hubspot.url)
    daily, brief = world.lead(email="daily@example.com"), world.lead(email="rate-limit@example.com")
    drain()
    waits = {lead: (delivery_of(lead).due_at - timezone.now()).total_seconds() for lead in (daily, brief)}
    assert 3500 < waits[daily] <= 3600
    assert 1 < waits[brief] < 7
    assert {delivery_of(lead).state for lead in (daily, brief)} == {Delivery.State.PENDING}


ANSWERS = [
    (200, b'{"status":"COMPLETE","results":[{"id":"1"}]}', Outcome.OK, ""),
    (201, b'{"id":"1","properties":{}}', Outcome.OK, ""),
    (200, b"<html><title>Sign in</title>", Outcome.RETRY, "not_hubspot"),
    (200, b"[]", Outcome.RETRY, "not_hubspot"),
    (200, b"", Outcome.RETRY, "not_hubspot"),
    (200, b'{"status":"COMPLETE"}', Outcome.RETRY, "not_hubspot"),
    (200, b"[" * 100_000, Outcome.RETRY, "not_hubspot"),
    (207, b'{"results":[],"numErrors":1,"errors":[{"category":"VALIDATION_ERROR"}]}', Outcome.FATAL, "not_accepted"),
    (207, b'{"results":[],"errors":[{"category":"RATE_LIMITS"}]}', Outcome.THROTTLED, "slow_down"),
    (207, b'{"results":[],"errors":["text"]}', Outcome.FATAL, "not_accepted"),
    (302, b"", Outcome.RETRY, "redirect"),
    (400, b'{"message":"INVALID_EMAIL"}', Outcome.FATAL, "invalid_email"),
    (400, b"garbage", Outcome.FATAL, "not_accepted"),
    (401, b"", Outcome.AUTH, "token_refused"),
    (403, b"", Outcome.AUTH, "missing_scope"),
    (404, b"", Outcome.CONFIG, "not_found"),
    (409, b"", Outcome.RETRY, "vendor_error"),
    (429, b"", Outcome.THROTTLED, "slow_down"),
    (500, b"", Outcome.RETRY, "vendor_error"),
    (503, b"", Outcome.THROTTLED, "slow_down"),
]


@pytest.mark.parametrize(("status", "body", "outcome", "code"), ANSWERS)
def test_an_answer_is_judged_by_status_and_body(status: int, body: bytes, outcome: Outcome, code: str) -> None:
    assert HUBSPOT.classify(Answer(status, {}, body, True, 1)) == Verdict(outcome, code)
    assert not code or HUBSPOT.explain(code) is not None


def test_a_source_is_an_answer_by_key_before_one_by_kind() -> None:
    answers = [
        {"key": "email_2", "kind": "email", "label": "", "value": "second@example.com"},
        {"key": "email", "kind": "short_answer", "label": "", "value": "by key"},
    ]
    event = Event("lead.created", "msg_1", timezone.now(), 1, answers=answers)
    assert source_value(event, "email") == "by key"
    assert source_value(event, "email_2") == "second@example.com"
    assert source_value(event, "nothing") == ""
