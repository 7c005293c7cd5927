"""What a person does to a connection: who may, what changes, what is written in the trail, and what never shows."""

import json
import time
from collections.abc import Callable
from datetime import timedelta

import pytest
from django.utils import timezone
from pytest_django import Settings
from standardwebhooks import Webhook, WebhookVerificationError

from accounts.access import Refused
from accounts.audit import manifests_of
from accounts.models import Act, AuditEvent, LeadLibrary
from accounts.refusals import Conflict, Invalid
from leads.crm.drain import drain
from leads.crm.services.connections import (
    change_connection,
    confirm_connection,
    create_connection,
    pause_connection,
    remove_connection,
    resume_connection,
    rotate_secret,
)
from leads.crm.services.deliveries import backfill, recover_since, resend_delivery, resend_failed
from leads.crm.services.testing import try_connection
from leads.crm.unseal import credentials_of
from leads.models import Connection, Delivery, Lead
from leads.vault.keys import forget_keys
from leads.vault.models import Credential, DataKey
from leads.vault.regions import alias_of
from tests.crm.world import World, delivery_of, make_world
from tests.fakes.sink import FAIL, Behaviour, Sink


def secrets_of(connection: Connection) -> list[str]:
    return [one["secret"] for one in credentials_of([connection])[connection.pk]["secrets"]]


def verifies(secret: str | None, sink: Sink) -> bool:
    assert secret is not None
    try:
        Webhook(secret).verify(sink.received[-1].body, sink.received[-1].headers)
    except WebhookVerificationError:
        return False
    return True


def old_enough() -> None:
    Lead.objects.update(received_at=timezone.now() - timedelta(minutes=1))


@pytest.mark.parametrize(
    ("fields", "field"),
    [
        ({"url": "https://127.0.0.1/"}, "url"),
        ({"url": "https://localhost/"}, "url"),
        ({"url": "https://169.254.169.254/latest"}, "url"),
        ({"url": "http://example.com/"}, "url"),
        ({"url": "https://user@example.com/"}, "url"),
        ({"url": ""}, "url"),
        ({"url": "https://example.com/" + "x" * 500}, "url"),
        ({"url": "https://own.example.com/f/abc/"}, "url"),
        ({"name": " "}, "name"),
        ({"name": "x" * 81}, "name"),
        ({"kind": "fax"}, "kind"),
        ({"kind": "hubspot", "url": ""}, "credentials"),
        ({"kind": "hubspot", "credentials": {"token": "t"}}, "url"),
        ({"credentials": {"token": "t"}}, "credentials"),
        ({"kind": "hubspot", "url": "", "credentials": {"token": "a\r\nX: 1"}}, "credentials"),
        (
            {"kind": "hubspot", "url": "", "credentials": {"token": "t"}, "base_url": "https://evil.example.com"},
            "base_url",
        ),
        ({"mapping": [{"from": "email"}]}, "mapping.0"),
        ({"mapping": [{"from": "email", "to": "a"}, {"from": "name", "to": "a"}]}, "mapping"),
        ({"mapping": [{"from": "email", "to": "a b"}]}, "mapping.0"),
    ],
)
def test_a_bad_destination_is_refused_and_nothing_is_written(
    world: World, settings: Settings, fields: dict[str, object], field: str
) -> None:
    settings.PUBLIC_URL = "https://own.example.com"
    events = AuditEvent.objects.count()
    asked = {"kind": "webhook", "name": "Receiver", "url": "https://example.com/", **fields}
    with pytest.raises(Invalid) as caught:
        create_connection(actor=world.admin, library=world.library, **asked)  # type: ignore[arg-type]
    assert list(caught.value.errors) == [field]
    assert not Connection.objects.exists()
    assert not Credential.objects.using(alias_of("row")).exists()
    assert AuditEvent.objects.count() == events


def test_a_stranger_can_do_nothing_and_changes_nothing(world: World) -> None:
    stranger = make_world("stranger").admin
    connection = world.webhook("https://example.com/").connection
    lead = world.lead()
    before = Connection.objects.values().get(), Delivery.objects.values().get()
    deeds: list[Callable[[], object]] = [
        lambda: create_connection(
            actor=stranger, library=world.library, kind="webhook", name="x", url="https://a.com/"
        ),
        lambda: change_connection(actor=stranger, connection_id=connection.pk, name="mine"),
        lambda: pause_connection(actor=stranger, connection_id=connection.pk),
        lambda: resume_connection(actor=stranger, connection_id=connection.pk),
        lambda: confirm_connection(actor=stranger, connection_id=connection.pk, waiting="drop"),
        lambda: rotate_secret(actor=stranger, connection_id=connection.pk),
        lambda: remove_connection(actor=stranger, connection_id=connection.pk),
        lambda: try_connection(actor=stranger, connection_id=connection.pk),
        lambda: backfill(actor=stranger, connection_id=connection.pk),
        lambda: recover_since(actor=stranger, connection_id=connection.pk, since=timezone.now()),
        lambda: resend_delivery(actor=stranger, delivery_id=delivery_of(lead).pk),
    ]
    for deed in deeds:
        with pytest.raises(Refused) as caught:
            deed()
        assert caught.value.stranger
    assert (Connection.objects.values().get(), Delivery.objects.values().get()) == before


def test_a_library_whose_keys_are_not_made_yet_can_be_connected(world: World) -> None:
    DataKey.objects.using(alias_of("row")).all().delete()
    forget_keys()
    shown = world.webhook("https://example.com/")
    assert secrets_of(shown.connection) == [shown.secret]


def test_a_secret_is_sealed_and_shown_once(world: World) -> None:
    shown = world.webhook("https://example.com/")
    assert shown.secret is not None
    assert secrets_of(shown.connection) == [shown.secret]
    row = Credential.objects.using(alias_of("row")).get()
    assert shown.secret.encode() not in bytes(row.sealed.record)
    assert shown.secret not in repr(shown)
    assert shown.secret not in repr(Connection.objects.values().get())
    assert not AuditEvent.objects.filter(detail__icontains="whsec").exists()


def test_another_host_gets_another_secret_and_another_path_does_not(world: World) -> None:
    shown = world.webhook("https://one.example.com/a")
    pk = shown.connection.pk
    same = change_connection(actor=world.admin, connection_id=pk, url="https://one.example.com/b")
    assert (same.secret, secrets_of(same.connection)) == (None, [shown.secret])
    for elsewhere in ("https://two.example.com/b", "https://two.example.com:8443/b"):
        old = secrets_of(shown.connection)
        moved = change_connection(actor=world.admin, connection_id=pk, url=elsewhere)
        assert moved.secret not in (None, *old)
        assert secrets_of(moved.connection) == [moved.secret]


def test_another_address_of_an_api_asks_for_the_token_again(world: World, settings: Settings) -> None:
    settings.OUTBOUND_ALLOWED_HOSTS = ["one.example.com", "two.example.com"]
    connection = world.hubspot("https://one.example.com").connection
    with pytest.raises(Invalid) as caught:
        change_connection(actor=world.admin, connection_id=connection.pk, base_url="https://two.example.com")
    assert list(caught.value.errors) == ["credentials"]
    connection.refresh_from_db()
    assert connection.url == "https://one.example.com"
    token = {"token": "new"}
    change_connection(
        actor=world.admin, connection_id=connection.pk, base_url="https://two.example.com", credentials=token
    )
    assert credentials_of([connection])[connection.pk] == token


def test_rotation_signs_with_both_for_a_day_and_never_with_three(world: World, sink: Sink) -> None:
    first = world.webhook(sink.url)
    second = rotate_secret(actor=world.admin, connection_id=first.connection.pk)
    world.lead()
    drain()
    assert (verifies(first.secret, sink), verifies(second.secret, sink)) == (True, True)
    third = rotate_secret(actor=world.admin, connection_id=first.connection.pk)
    world.lead()
    drain()
    assert [verifies(shown.secret, sink) for shown in (first, second, third)] == [False, True, True]
    later = time.time() + 24 * 3600 + 1
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("leads.crm.preparing.time.time", lambda: later)
        world.lead()
        drain()
    signatures = sink.received[-1].headers["webhook-signature"].split(" ")
    assert len(signatures) == 1


def test_pause_and_resume(world: World) -> None:
    pk = world.webhook("https://example.com/").connection.pk
    with pytest.raises(Conflict):
        resume_connection(actor=world.admin, connection_id=pk)
    assert pause_connection(actor=world.admin, connection_id=pk).state == Connection.State.PAUSED
    with pytest.raises(Conflict):
        pause_connection(actor=world.admin, connection_id=pk)
    Connection.objects.update(breaker_step=3, open_until=timezone.now() + timedelta(hours=1), state_reason="x")
    resumed = resume_connection(actor=world.admin, connection_id=pk)
    assert (resumed.state, resumed.breaker_step, resumed.open_until, resumed.state_reason) == ("active", 0, None, "")


@pytest.mark.parametrize(("waiting", "sent"), [("send", 1), ("drop", 0)])
def test_after_a_transfer_a_connection_waits_for_its_confirmation(
    world: World, sink: Sink, waiting: str, sent: int
) -> None:
    connection = world.webhook(sink.url).connection
    LeadLibrary.objects.update(custody=2)
    lead = world.lead()
    assert drain().attempts == 0
    assert delivery_of(lead).state == Delivery.State.PENDING
    with pytest.raises(Conflict):
        try_connection(actor=world.admin, connection_id=connection.pk)
    confirm_connection(actor=world.admin, connection_id=connection.pk, waiting=waiting)  # type: ignore[arg-type]
    assert Connection.objects.get().custody == 2
    assert drain().accepted == sent
    assert delivery_of(lead).state == (Delivery.State.DONE if sent else Delivery.State.SKIPPED)
    event = AuditEvent.objects.get(act=Act.CONNECTION_CONFIRMED)
    assert (event.detail["waiting"], event.detail["waiting_count"]) == (waiting, 1)
    with pytest.raises(Conflict):
        confirm_connection(actor=world.admin, connection_id=connection.pk, waiting="send")


def test_a_removed_connection_keeps_its_log_and_loses_its_secret(world: World, sink: Sink) -> None:
    connection = world.webhook(sink.url).connection
    done = world.lead()
    drain()
    waiting = world.lead()
    remove_connection(actor=world.admin, connection_id=connection.pk)
    assert (delivery_of(done).state, delivery_of(waiting).state) == (Delivery.State.DONE, Delivery.State.SKIPPED)
    assert not Credential.objects.using(alias_of("row")).exists()
    assert drain().attempts == 0
    with pytest.raises(Connection.DoesNotExist):
        remove_connection(actor=world.admin, connection_id=connection.pk)
    with pytest.raises(Conflict):
        resend_delivery(actor=world.admin, delivery_id=delivery_of(waiting).pk)


def test_a_test_says_the_class_of_the_status_and_nothing_of_the_answer(world: World, sink: Sink) -> None:
    shown = world.webhook(sink.url)
    came = try_connection(actor=world.admin, connection_id=shown.connection.pk)
    assert (came.ok, came.status_class) == (True, "2xx")
    assert verifies(shown.secret, sink)
    assert b'"test.ping"' in sink.received[0].body
    sink.script([Behaviour(status=503, body=b"secret internals")])
    failed = try_connection(actor=world.admin, connection_id=shown.connection.pk)
    assert (failed.ok, failed.status_class) == (False, "5xx")
    assert "secret" not in repr(failed)
    Connection.objects.update(url="https://10.0.0.1/")
    blocked = try_connection(actor=world.admin, connection_id=shown.connection.pk)
    assert (blocked.ok, blocked.status_class) == (False, "")
    assert not Delivery.objects.exists()


def test_a_back_fill_queues_what_was_there_before_once(world: World, sink: Sink) -> None:
    leads = world.leads(3)
    trashed, late = world.lead(), None
    Lead.objects.filter(pk=trashed).update(state=Lead.State.TRASHED, trashed_at=timezone.now())
    old_enough()
    late = world.lead()
    connection = world.webhook(sink.url).connection
    assert not Delivery.objects.exists()
    assert backfill(actor=world.admin, connection_id=connection.pk) == 3
    assert backfill(actor=world.admin, connection_id=connection.pk) == 0
    assert set(Delivery.objects.values_list("lead_id", flat=True)) == set(leads)
    assert late not in leads
    events = AuditEvent.objects.filter(act=Act.LEADS_BACKFILLED).order_by("at", "id")
    assert [ids for event in events for ids in manifests_of([event.pk])] == [sorted(leads), []]
    assert drain().accepted == 3
    old_enough()
    assert backfill(actor=world.admin, connection_id=connection.pk) == 1


def test_recovery_sends_what_failed_and_what_was_never_queued_under_the_old_ids(world: World, sink: Sink) -> None:
    connection = world.webhook(sink.url).connection
    since = timezone.now()
    failed, missing = world.lead(), world.lead()
    Delivery.objects.filter(lead_id=missing).delete()
    sink.script([FAIL])
    drain()
    Delivery.objects.update(state=Delivery.State.DEAD, attempts=10)
    old_enough()
    done = recover_since(actor=world.admin, connection_id=connection.pk, since=since - timedelta(hours=1))
    assert (done.resent, done.queued) == (1, 1)
    assert drain().accepted == 2
    assert {received.webhook_id for received in sink.received[:2]} >= {f"msg_{delivery_of(failed).pk}"}
    assert delivery_of(missing).state == Delivery.State.DONE


def test_one_delivery_is_sent_again_under_its_old_id(world: World, sink: Sink) -> None:
    world.webhook(sink.url)
    lead = world.lead()
    drain()
    resend_delivery(actor=world.admin, delivery_id=delivery_of(lead).pk)
    drain()
    assert len(sink.received) == 2
    assert len({(received.webhook_id, received.body) for received in sink.received}) == 1
    Lead.objects.filter(pk=lead).update(state=Lead.State.GONE, why_gone=Lead.Gone.ERASED)
    with pytest.raises(Conflict):
        resend_delivery(actor=world.admin, delivery_id=delivery_of(lead).pk)


def test_no_way_to_send_again_tells_that_a_lead_that_is_there_was_deleted(world: World, sink: Sink) -> None:
    connection = world.webhook(sink.url).connection
    lead = world.lead()
    drain()
    word = Delivery.objects.create(
        library_id=world.library.pk,
        connection=connection,
        lead_id=lead,
        received_at=timezone.now(),
        event_key=f"lead.deleted:{lead}:1",
        state=Delivery.State.DEAD,  # its answer came after the lead was put back
    )
    old_enough()
    with pytest.raises(Conflict):
        resend_delivery(actor=world.admin, delivery_id=word.pk)
    assert resend_failed(actor=world.admin, library=world.library, lead_ids=[lead]) == 0
    since = timezone.now() - timedelta(hours=1)
    assert recover_since(actor=world.admin, connection_id=connection.pk, since=since).resent == 0
    drain()
    word.refresh_from_db()
    assert (word.state, len(sink.received)) == (Delivery.State.DEAD, 1)
    Lead.objects.filter(pk=lead).update(state=Lead.State.TRASHED, trashed_at=timezone.now())
    assert recover_since(actor=world.admin, connection_id=connection.pk, since=since).resent == 1
    drain()
    assert json.loads(sink.received[1].body)["type"] == "lead.deleted"
