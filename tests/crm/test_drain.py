"""Deliveries from the row to a real receiver and back."""

import json
from datetime import timedelta

import pytest
from django.db import transaction
from django.db.models.functions import Now
from django.utils import timezone
from standardwebhooks import Webhook

from accounts.audit import manifests_of
from accounts.models import Act, Alarm, AuditEvent, LeadLibrary
from leads.center.services.deleting import delete_leads, restore_leads
from leads.crm.drain import drain
from leads.crm.outbox import lease
from leads.crm.preparing import admit, prepare
from leads.models import Connection, Delivery, DeliveryAttempt, Lead
from leads.vault import opening
from leads.vault.models import ResponseExcerpt, SealedAnswers
from leads.vault.regions import alias_of
from tests.crm.world import World, delivery_of
from tests.fakes.sink import CUT, FAIL, GONE, OK, RESET, Behaviour, Sink, redirect, slow_down


def waits(delivery: Delivery) -> float:
    return (delivery.due_at - timezone.now()).total_seconds()


def test_a_lead_arrives_signed_with_everything_that_it_said(world: World, sink: Sink) -> None:
    shown = world.webhook(sink.url)
    lead = world.lead(name="Zoë Ünal", email="zoe@example.com")
    assert drain().accepted == 1
    (received,) = sink.received
    assert shown.secret is not None
    body = Webhook(shown.secret).verify(received.body, received.headers)
    delivery = delivery_of(lead)
    assert received.webhook_id == f"msg_{delivery.pk}"
    assert body == {
        "type": "lead.created",
        "timestamp": Lead.objects.get().received_at.isoformat(timespec="milliseconds").replace("+00:00", "Z"),
        "data": {
            "lead_id": str(lead),
            "form": {"id": "7", "name": "Spring", "version": 2},
            "campaign": {"id": "8", "name": "May"},
            "ad_group": None,
            "ad": None,
            "answers": [
                {"key": "name", "label": "Name", "value": "Zoë Ünal"},
                {"key": "email", "label": "Email", "value": "zoe@example.com"},
            ],
            "consent": {"language": "en", "boxes": {"news": True}},
            "attribution": {"utm_source": "feed"},
            "is_test": False,
        },
    }
    assert (delivery.state, delivery.attempts, delivery.leases_unanswered) == (Delivery.State.DONE, 1, 0)
    assert drain().attempts == 0
    assert len(sink.received) == 1


def test_a_delivery_leaves_a_trace_with_the_leads_that_it_carried(world: World, sink: Sink) -> None:
    connection = world.webhook(sink.url).connection
    leads = world.leads(3)
    drain()
    events = AuditEvent.objects.filter(act=Act.LEADS_DELIVERED)
    told = sorted(lead for ids in manifests_of(events) for lead in ids)
    assert told == sorted(leads)
    assert {event.detail["connection"] for event in events} == {str(connection.pk)}
    assert sum(event.detail["accepted"] for event in events) == 3


def test_a_failure_is_tried_again_by_the_schedule_with_the_same_id_and_the_same_bytes(world: World, sink: Sink) -> None:
    world.webhook(sink.url)
    lead = world.lead()
    sink.script([FAIL, CUT, RESET, redirect("http://127.0.0.1:1/"), OK])
    for attempt, wait in [(1, 5), (2, 300), (3, 1800), (4, 7200)]:
        drain()
        delivery = delivery_of(lead)
        assert (delivery.state, delivery.attempts) == (Delivery.State.PENDING, attempt)
        assert wait * 0.8 - 3 <= waits(delivery) <= wait * 1.2
        assert drain().attempts == 0
        Delivery.objects.update(due_at=Now())
    drain()
    assert delivery_of(lead).state == Delivery.State.DONE
    assert len({(received.webhook_id, received.body) for received in sink.received}) == 1
    assert len(sink.received) == 5
    log = DeliveryAttempt.objects.order_by("at", "id").values_list("status", "outcome", "code")
    assert list(log) == [
        (500, "retry", "receiver_error"),
        (None, "retry", "unreachable"),
        (None, "retry", "unreachable"),
        (302, "retry", "redirect"),
        (200, "ok", ""),
    ]


def test_after_ten_attempts_a_delivery_has_failed(world: World, sink: Sink) -> None:
    world.webhook(sink.url)
    lead = world.lead()
    sink.script([FAIL] * 20)
    for _ in range(12):
        drain()
        Delivery.objects.filter(state=Delivery.State.PENDING).update(due_at=Now())
        Connection.objects.update(open_until=None, breaker_step=0)
    assert (delivery_of(lead).state, delivery_of(lead).attempts, len(sink.received)) == (Delivery.State.DEAD, 10, 10)


@pytest.mark.parametrize(("asked", "seconds"), [("120", 120), ("1", 5), ("9999999", 86400), ("soon", 5)])
def test_the_receiver_may_ask_for_time(world: World, sink: Sink, asked: str, seconds: int) -> None:
    world.webhook(sink.url)
    lead = world.lead()
    sink.script([slow_down(asked)])
    drain()
    assert seconds * 0.8 - 3 <= waits(delivery_of(lead)) <= seconds * 1.2


def test_410_disables_the_connection_and_its_deliveries_wait(world: World, sink: Sink) -> None:
    world.webhook(sink.url)
    sink.script([GONE])
    first, second = world.lead(), world.lead()
    Delivery.objects.filter(lead_id=second).update(due_at=timezone.now() + timedelta(seconds=30))
    drain()
    connection = Connection.objects.get()
    assert (connection.state, connection.state_reason) == (Connection.State.DISABLED, "the receiver answered 410")
    assert AuditEvent.objects.filter(act=Act.CONNECTION_DISABLED, targets__object_id=connection.pk).count() == 1
    Delivery.objects.update(due_at=Now())
    assert drain().attempts == 0
    assert {delivery_of(first).state, delivery_of(second).state} == {Delivery.State.PENDING}
    assert len(sink.received) == 1


def test_what_a_receiver_wrote_is_kept_sealed_and_cut(world: World, sink: Sink) -> None:
    world.webhook(sink.url)
    world.lead(region="us", email="canary@example.com")
    sink.script([Behaviour(status=400, body=b"canary@example.com is bad " + b"x" * 5000)])
    drain()
    row = ResponseExcerpt.objects.using(alias_of("us")).get()
    assert row.attempt_id == DeliveryAttempt.objects.get().pk
    assert b"canary" not in row.sealed.record
    text = opening.open(row.sealed, opening.Purpose.DISCLOSE)
    assert text.startswith("canary@example.com is bad")
    assert len(text) == 2048


def test_a_lead_in_the_trash_waits_and_a_lead_that_is_gone_is_skipped(world: World, sink: Sink) -> None:
    world.webhook(sink.url)
    trashed, gone, live = world.lead(), world.lead(), world.lead()
    Lead.objects.filter(pk=trashed).update(state=Lead.State.TRASHED, trashed_at=timezone.now())
    Lead.objects.filter(pk=gone).update(state=Lead.State.GONE, why_gone=Lead.Gone.ERASED)
    drain()
    assert [received.webhook_id for received in sink.received] == [f"msg_{delivery_of(live).pk}"]
    assert (delivery_of(trashed).state, delivery_of(trashed).attempts) == (Delivery.State.PENDING, 0)
    assert delivery_of(gone).state == Delivery.State.SKIPPED
    Lead.objects.filter(pk=trashed).update(state=Lead.State.LIVE)
    Delivery.objects.filter(lead_id=trashed).update(due_at=Now())
    drain()
    assert delivery_of(trashed).state == Delivery.State.DONE


@pytest.mark.parametrize(
    "change",
    [{"state": "paused"}, {"state": "needs_reconnect"}, {"state": "disabled"}, {"custody": 99}],
)
def test_a_connection_that_may_not_send_lets_its_deliveries_wait(
    world: World, sink: Sink, change: dict[str, object]
) -> None:
    connection = world.webhook(sink.url).connection
    Connection.objects.filter(pk=connection.pk).update(**change)
    lead = world.lead()
    assert drain().attempts == 0
    assert sink.received == []
    assert (delivery_of(lead).state, delivery_of(lead).lease) == (Delivery.State.PENDING, 0)
    Connection.objects.filter(pk=connection.pk).update(state="active", custody=connection.custody)
    assert drain().accepted == 1


def test_an_address_inside_is_not_called_even_when_it_stands_in_the_row(world: World, sink: Sink) -> None:
    connection = world.webhook("https://example.com/").connection
    Connection.objects.filter(pk=connection.pk).update(url="https://169.254.169.254/latest/meta-data/")
    lead = world.lead()
    drain()
    assert list(DeliveryAttempt.objects.values_list("outcome", "code", "status")) == [("retry", "blocked", None)]
    assert delivery_of(lead).state == Delivery.State.PENDING
    assert not AuditEvent.objects.filter(act=Act.LEADS_DELIVERED).exists()


def test_a_thin_connection_sends_ids_only_and_old_deliveries_keep_their_bytes(world: World, sink: Sink) -> None:
    connection = world.webhook(sink.url).connection
    sink.script([FAIL])
    old = world.lead(email="ann@example.com")
    drain()
    Connection.objects.filter(pk=connection.pk).update(options={"thin_since": [[timezone.now().isoformat(), True]]})
    new = world.lead(email="bob@example.com")
    Delivery.objects.filter(lead_id=old).update(due_at=Now())
    drain()
    by_lead: dict[str, set[bytes]] = {}
    for received in sink.received:
        by_lead.setdefault(json.loads(received.body)["data"]["lead_id"], set()).add(received.body)
    assert {lead: len(bodies) for lead, bodies in by_lead.items()} == {str(old): 1, str(new): 1}
    (thin,) = by_lead[str(new)]
    assert b"bob@" not in thin
    assert json.loads(thin)["data"]["thin"] is True


def test_an_update_tells_its_version_and_an_end_tells_ids_only(world: World, sink: Sink) -> None:
    connection = world.webhook(sink.url).connection
    lead = world.lead(email="ann@example.com")
    drain()
    for key in (f"lead.updated:{lead}:3", f"lead.deleted:{lead}:4"):
        Delivery.objects.create(
            library_id=world.library.pk, connection=connection, lead_id=lead, received_at=timezone.now(), event_key=key
        )
    Lead.objects.filter(pk=lead).update(state=Lead.State.TRASHED, trashed_at=timezone.now())
    drain()
    ended = json.loads(sink.received[1].body)
    assert (ended["type"], ended["data"]) == ("lead.deleted", {"lead_id": str(lead), "version": 4, "is_test": False})
    assert len(sink.received) == 2
    Lead.objects.filter(pk=lead).update(state=Lead.State.LIVE)
    Delivery.objects.filter(event_key__startswith="lead.updated").update(due_at=Now())
    drain()
    updated = json.loads(sink.received[2].body)
    assert (updated["type"], updated["data"]["version"]) == ("lead.updated", 3)
    assert updated["data"]["answers"][0]["value"] == "ann@example.com"


@pytest.mark.parametrize("behaviour", [OK, FAIL, Behaviour(status=400), None])
def test_a_deletion_that_was_taken_back_is_not_told_any_more(
    world: World, sink: Sink, behaviour: Behaviour | None
) -> None:
    """Whatever became of the word before: taken, tried, given up, or with a worker that died."""
    world.webhook(sink.url)
    lead = world.lead()
    drain()
    delete_leads(actor=world.admin, library=world.library, lead_ids=[lead])
    Delivery.objects.update(due_at=Now())
    if behaviour is None:
        assert [row.type for row in lease()] == ["lead.deleted"]
    else:
        sink.script([behaviour])
        drain()
    restore_leads(actor=world.admin, library=world.library, lead_ids=[lead])
    told = len(sink.received)
    Delivery.objects.update(due_at=Now())
    drain()
    assert [json.loads(received.body)["type"] for received in sink.received[told:]] == ["lead.updated"]
    word = Delivery.objects.get(event_key__startswith="lead.deleted")
    assert word.state == (Delivery.State.DONE if behaviour is OK else Delivery.State.SKIPPED)


def test_an_event_that_the_receiver_is_not_told_is_skipped_without_an_attempt(world: World, sink: Sink) -> None:
    connection = world.hubspot(sink.url.removesuffix("/hook")).connection
    lead = world.lead()
    Delivery.objects.update(event_key=f"lead.deleted:{lead}:1")
    assert connection.kind == "hubspot"
    drain()
    assert (delivery_of(lead).state, delivery_of(lead).attempts) == (Delivery.State.SKIPPED, 0)
    assert sink.received == []


@pytest.mark.parametrize("change", [{"library__custody": 2}, {"state": "paused"}])
def test_what_was_leased_before_a_transfer_or_a_pause_does_not_start_after_it(
    world: World, sink: Sink, change: dict[str, object]
) -> None:
    connection = world.webhook(sink.url).connection
    lead = world.lead()
    leased = lease()
    assert len(leased) == 1
    if "state" in change:
        Connection.objects.filter(pk=connection.pk).update(**change)
    else:
        LeadLibrary.objects.update(custody=2)
    prepare(leased)
    with transaction.atomic():
        assert admit(leased) == set()
    row = delivery_of(lead)
    assert (row.state, row.attempts, row.leases_unanswered) == (Delivery.State.PENDING, 0, 0)
    assert sink.received == []


def test_lead_that_does_not_open_is_tried_again_and_alarms_its_holders_once_a_day(world: World, sink: Sink) -> None:
    world.webhook(sink.url)
    lead = world.lead()
    row = Lead.objects.get(pk=lead)
    rows = SealedAnswers.objects.using(alias_of(row.region)).filter(pk=lead)
    record = bytes(rows.values_list("sealed", flat=True)[0])
    rows.update(sealed=record[:-1] + bytes([record[-1] ^ 1]))
    for _drain in range(2):
        drain()
        Delivery.objects.update(due_at=Now())
    assert sink.received == []
    alarm = Alarm.objects.get()
    assert (alarm.kind, alarm.library_id, alarm.detail) == (
        Alarm.Kind.UNOPENABLE,
        row.library_id,
        {"values": 1, "first": str(lead), "purpose": "deliver"},
    )
