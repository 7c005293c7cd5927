"""Leases and their settling: fences, fairness, slots, poison, breaker; with threads and real locks."""

from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta

import pytest
from django.db import connection as database
from django.db import connections as databases
from django.db.models.functions import Now
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from leads.crm import outbox
from leads.crm.connectors.connector import Outcome, Verdict
from leads.crm.drain import drain
from leads.crm.outbox import Leased, Settled, Turn, lease, queue_for, settle
from leads.models import Connection, Delivery, DeliveryAttempt
from tests.crm.world import World, delivery_of, make_world
from tests.fakes.sink import FAIL, OK, Behaviour, Received, Sink

DONE, FAILED = Verdict(Outcome.OK), Verdict(Outcome.RETRY, "receiver_error")


def settled(rows: list[Leased], verdict: Verdict = DONE) -> None:
    settle([Settled(row, verdict, 200) for row in rows])


def expire_leases() -> None:
    Delivery.objects.filter(leases_unanswered__gt=0).update(due_at=timezone.now() - timedelta(seconds=1))


def test_a_lease_is_a_minute_and_a_number(world: World) -> None:
    world.webhook("https://example.com/")
    lead = world.lead()
    (leased,) = lease()
    row = delivery_of(lead)
    assert (leased.id, leased.lease, row.lease, row.leases_unanswered, row.attempts) == (row.pk, 1, 1, 1, 0)
    assert 55 < (row.due_at - timezone.now()).total_seconds() <= 60
    assert lease() == []
    expire_leases()
    assert [(again.id, again.lease) for again in lease()] == [(row.pk, 2)]


def test_whoever_was_away_longer_than_its_lease_changes_nothing(world: World) -> None:
    world.webhook("https://example.com/")
    lead = world.lead()
    first = lease()
    expire_leases()
    second = lease()
    settled(first, FAILED)
    row = delivery_of(lead)
    assert (row.state, row.attempts, row.leases_unanswered) == (Delivery.State.PENDING, 0, 2)
    assert 55 < (row.due_at - timezone.now()).total_seconds() <= 60
    settled(second)
    settled(first, FAILED)
    row.refresh_from_db()
    assert (row.state, row.attempts) == (Delivery.State.DONE, 1)
    assert DeliveryAttempt.objects.filter(delivery=row).count() == 3


def test_a_connection_has_four_slots(world: World) -> None:
    world.webhook("https://example.com/")
    world.leads(10)
    first = lease()
    assert len(first) == 4
    assert lease() == []
    settled(first[:3])
    assert len(lease()) == 3


def test_each_connection_gets_its_turn(world: World) -> None:
    busy = world.webhook("https://example.com/").connection
    world.leads(12)
    quiet = [world.webhook("https://example.com/").connection for _ in range(3)]
    world.lead()
    turn = Turn()
    first = lease(5, turn)
    second = lease(5, turn)
    assert {row.connection_id for row in [*first, *second]} == {busy.pk, *(row.pk for row in quiet)}
    assert sum(row.connection_id == busy.pk for row in [*first, *second]) == 4


def test_a_waiting_backlog_hides_nobody(world: World) -> None:
    paused = world.webhook("https://example.com/").connection
    world.leads(20)
    Connection.objects.filter(pk=paused.pk).update(state=Connection.State.PAUSED)
    active = world.webhook("https://example.com/").connection
    world.lead()
    assert [row.connection_id for row in lease(3)] == [active.pk]


def test_twenty_leases_without_an_answer_are_the_end(world: World) -> None:
    world.webhook("https://example.com/")
    lead = world.lead()
    for _ in range(20):
        assert len(lease()) == 1
        expire_leases()
    assert lease() == []
    row = delivery_of(lead)
    assert (row.state, row.attempts, row.lease) == (Delivery.State.DEAD, 0, 20)
    assert DeliveryAttempt.objects.get().code == "crashes_worker"


def test_workers_side_by_side_share_out_the_rows(world: World) -> None:
    hooks = [world.webhook("https://example.com/").connection for _ in range(6)]
    world.leads(4)

    def work(_: int) -> list[int]:
        try:
            return [row.id for row in lease(6)]
        finally:
            databases.close_all()

    with ThreadPoolExecutor(4) as pool:
        taken = [pk for ids in pool.map(work, range(8)) for pk in ids]
    assert len(taken) == len(set(taken))
    assert set(taken) <= set(Delivery.objects.values_list("pk", flat=True))
    assert all(Delivery.objects.filter(connection=hook, lease__gt=1).count() == 0 for hook in hooks)


def test_leasing_and_settling_take_as_many_statements_for_one_row_as_for_forty(world: World) -> None:
    def statements(rows: int) -> tuple[int, int]:
        with CaptureQueriesContext(database) as leasing:
            leased = lease(rows)
        assert len(leased) == rows
        with CaptureQueriesContext(database) as settling:
            settled(leased)
        return len(leasing), len(settling)

    for _ in range(10):
        world.webhook("https://example.com/")
    world.leads(5)
    assert statements(1) == statements(40)


def test_a_connection_that_mostly_fails_is_asked_less(world: World, sink: Sink) -> None:
    failing = True

    def decide(_: Received) -> Behaviour:
        return FAIL if failing else OK

    sink._decide = decide
    connection = world.webhook(sink.url).connection
    world.leads(30)
    drain()
    connection.refresh_from_db()
    assert 10 <= len(sink.received) <= 16
    assert connection.breaker_step == 1
    assert (connection.state, connection.state_reason) == ("active", "most attempts fail, so that less is sent")
    assert connection.open_until is not None
    assert 50 < (connection.open_until - timezone.now()).total_seconds() <= 60
    untouched = Delivery.objects.filter(attempts=0, lease=0).count()
    assert untouched == 30 - len(sink.received)

    asked = len(sink.received)
    Connection.objects.update(open_until=Now())
    drain()
    connection.refresh_from_db()
    assert len(sink.received) == asked + 1
    assert connection.breaker_step == 2
    assert connection.open_until is not None
    assert 110 < (connection.open_until - timezone.now()).total_seconds() <= 120

    failing = False
    Connection.objects.update(open_until=Now())
    drain()
    connection.refresh_from_db()
    assert connection.breaker_step == 0
    assert [connection.open_until, connection.first_failure_at] == [None, None]
    assert connection.state_reason == ""
    assert Delivery.objects.filter(attempts=0).count() == 0


def test_given_up_delivery_stands_as_the_reason_until_a_success(world: World) -> None:
    connection = world.webhook("https://example.com/").connection
    world.leads(3)
    rows = lease()
    settled(rows[:1], Verdict(Outcome.CONFIG, "unknown_property"))
    connection.refresh_from_db()
    assert (connection.state, connection.state_reason) == ("active", "a delivery was given up")
    settled(rows[1:2], FAILED)
    connection.refresh_from_db()
    assert connection.state_reason == "a delivery was given up"
    settled(rows[2:])
    connection.refresh_from_db()
    assert connection.state_reason == ""


@pytest.mark.parametrize(("minutes", "reason"), [(59, ""), (61, "no attempt succeeded for an hour")])
def test_connection_with_few_leads_says_after_an_hour_that_it_fails(world: World, minutes: int, reason: str) -> None:
    connection = world.webhook("https://example.com/").connection
    world.leads(1)
    Connection.objects.update(first_failure_at=timezone.now() - timedelta(minutes=minutes))
    settled(lease(), FAILED)
    connection.refresh_from_db()
    assert (connection.state, connection.state_reason) == ("active", reason)


def test_what_was_on_the_wire_does_not_change_the_reason_of_a_paused_connection(world: World) -> None:
    connection = world.webhook("https://example.com/").connection
    world.leads(1)
    rows = lease()
    Connection.objects.update(state="paused", state_reason="Paused by platform staff")
    settled(rows)
    connection.refresh_from_db()
    assert (connection.state, connection.state_reason) == ("paused", "Paused by platform staff")


def test_five_days_without_success_disable_a_connection(world: World, sink: Sink) -> None:
    connection = world.webhook(sink.url).connection
    sink.script([FAIL, FAIL])
    world.leads(1)
    Connection.objects.update(first_failure_at=timezone.now() - timedelta(days=4, hours=23))
    drain()
    connection.refresh_from_db()
    assert connection.state == Connection.State.ACTIVE
    Connection.objects.update(first_failure_at=timezone.now() - timedelta(days=5, minutes=1))
    world.leads(1)
    drain()
    connection.refresh_from_db()
    assert (connection.state, connection.state_reason) == ("disabled", "five days without one success")


def test_an_event_is_queued_once_however_often_it_is_asked(world: World) -> None:
    connection = world.webhook("https://example.com/").connection
    leads = world.leads(3)
    assert queue_for(connection, leads) == 0
    Delivery.objects.filter(lead_id=leads[0]).delete()
    assert queue_for(connection, leads) == 1
    assert Delivery.objects.count() == 3


def test_one_slow_receiver_does_not_delay_the_others(world: World, sink: Sink) -> None:
    with Sink(decide=lambda _: Behaviour(seconds=6)) as slow:
        world.webhook(slow.url)
        world.webhook(sink.url)
        world.leads(24)
        drain(5)
        assert len(slow.received) == 4
    assert Delivery.objects.filter(connection__url=sink.url, state=Delivery.State.DONE).count() == 24


def test_another_brand_is_served_too(world: World, sink: Sink) -> None:
    other = make_world("other")
    for brand in (world, other):
        brand.webhook(sink.url)
        brand.leads(2)
    assert drain().accepted == 4
    assert outbox.BATCH == 200
