"""What a transfer overtakes on the wire: it ends, both sides read of it, and nothing starts afterwards."""

import threading
from collections.abc import Iterator

import pytest
from django.db import connections, transaction
from pytest_django import Settings

from accounts.audit import unpack
from accounts.models import Act, AuditEvent, AuditManifest, AuditTarget, Scope
from leads.crm.drain import drain
from leads.crm.outbox import lease
from leads.crm.preparing import admit, prepare
from leads.crm.services.connections import confirm_connection, create_connection
from leads.models import Delivery
from tests.fakes.sink import OK, Behaviour, Received, Sink
from tests.world import World, make_world


@pytest.fixture
def world(transactional_db: None) -> World:
    return make_world()


class Slow:
    """A receiver that answers when it is told to."""

    def __init__(self) -> None:
        self.here = threading.Event()
        self.go = threading.Event()

    def __call__(self, received: Received) -> Behaviour:
        self.here.set()
        assert self.go.wait(10)
        return OK


@pytest.fixture
def slow() -> Slow:
    return Slow()


@pytest.fixture
def sink(settings: Settings, slow: Slow) -> Iterator[Sink]:
    settings.OUTBOUND_ALLOWED_HOSTS = ["127.0.0.1"]
    with Sink(decide=slow) as sink:
        yield sink


def connect(world: World, url: str) -> int:
    made = create_connection(
        actor=world.administrator, library=world.library, kind="webhook", name="Agency CRM", url=url
    )
    return int(made.connection.pk)


def test_delivery_on_the_wire_is_told_to_both_sides_by_name(world: World, sink: Sink, slow: Slow) -> None:
    connection_id = connect(world, sink.url)
    lead = world.add_lead(name="Zedekiah Quux", email="zed@quux.example")

    def run() -> None:
        try:
            drain(2)
        finally:
            connections.close_all()

    thread = threading.Thread(target=run)
    thread.start()
    assert slow.here.wait(10)
    waiting = world.add_lead(email="late@quux.example")
    world.hand_over()
    slow.go.set()
    thread.join(30)
    assert not thread.is_alive()
    assert len(sink.received) == 1
    assert Delivery.objects.get(lead_id=lead.pk).state == "done"
    assert Delivery.objects.get(lead_id=waiting.pk).attempts == 0
    told = AuditEvent.objects.filter(act=Act.LEADS_DELIVERED)
    expected = {
        (Scope.LIBRARY, world.library.pk),
        (Scope.AD_ACCOUNT, world.account.pk),
        (Scope.BUSINESS_CENTER, world.account.business_center_id),
        (Scope.BUSINESS_CENTER, world.client.pk),
    }
    assert {(event.scope, event.scope_id) for event in told} == expected
    for event in told:
        assert (event.count, event.detail["connection"], event.detail["in_flight"]) == (1, "Agency CRM", True)
    inside = told.get(scope=Scope.LIBRARY)
    assert unpack(bytes(AuditManifest.objects.get(event=inside).object_ids)) == [lead.pk]
    outside = told.exclude(pk=inside.pk)
    assert not AuditManifest.objects.filter(event__in=outside).exists()
    targets = AuditTarget.objects.filter(event__in=outside)
    assert set(targets.values_list("object_id", flat=True)) == {connection_id}


def test_delivery_that_was_leased_but_not_started_is_given_back(world: World, sink: Sink, slow: Slow) -> None:
    slow.go.set()
    connect(world, sink.url)
    lead = world.add_lead()
    leased = lease()
    ready, failed = prepare(leased)
    assert (len(ready), failed) == (1, [])
    world.hand_over()
    with transaction.atomic():
        assert admit(leased) == set()
    delivery = Delivery.objects.get(lead_id=lead.pk)
    assert (delivery.state, delivery.attempts, delivery.leases_unanswered) == ("pending", 0, 0)
    assert drain().attempts == 0
    assert sink.received == []
    assert not AuditEvent.objects.filter(act=Act.LEADS_DELIVERED).exists()


def test_delivery_without_a_transfer_is_told_as_ever(world: World, sink: Sink, slow: Slow) -> None:
    slow.go.set()
    connect(world, sink.url)
    world.add_lead()
    assert drain().accepted == 1
    event = AuditEvent.objects.get(act=Act.LEADS_DELIVERED)
    assert (event.scope, "in_flight" in event.detail) == (Scope.LIBRARY, False)


def test_call_whose_worker_died_on_it_is_named_when_the_connection_is_confirmed(
    world: World, sink: Sink, slow: Slow
) -> None:
    slow.go.set()
    connection_id = connect(world, sink.url)
    lead = world.add_lead()
    assert len(lease()) == 1  # and then the worker is no more
    world.add_lead(email="other@quux.example")
    world.hand_over()
    confirm_connection(actor=world.client_admin, connection_id=connection_id, waiting="drop")
    event = AuditEvent.objects.get(act=Act.CONNECTION_CONFIRMED)
    assert (event.detail["waiting_count"], event.detail["may_have_arrived"]) == (2, 1)
    assert unpack(bytes(AuditManifest.objects.get(event=event).object_ids)) == [lead.pk]
