"""The conformance suite of `store()`: one promise, whichever body writes it and wherever the vault lives."""

import threading
import uuid
from collections import Counter
from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest
from django.apps import apps
from django.conf import settings
from django.db import OperationalError, connection, connections
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from forms_builder.models import Form, MeasureEvent
from leads.intake import store as storing
from leads.intake.store import AlreadySubmitted, FormClosed, NewLead, Stored, Unfinished, store, sweep_arriving
from leads.models import Delivery, Lead
from leads.vault.models import ConsentRecord, SealedAnswers, SearchTerm
from leads.vault.opening import Purpose
from leads.vault.opening import open as open_sealed
from leads.vault.regions import alias_of, aliases
from leads.vault.search import digests_of, terms_of
from leadscenter.lib import ids
from leadscenter.lib.regions import REGIONS
from tests.world import World, make_form, make_world

APART = alias_of("eu") != "default"
two_databases = pytest.mark.skipif(not APART, reason="the vault lives in the main database in this leg")


def new(world: World, **changes: Any) -> NewLead:
    name, email = changes.pop("name", "Ann Example"), changes.pop("email", "ann@example.com")
    found = NewLead(
        library_id=world.library.pk,
        form_id=world.form.pk,
        version_id=world.version.pk,
        version_number=1,
        key=uuid.uuid4(),
        region="eu",
        language="en",
        content={
            "answers": [["name", "Your name", name, "name"], ["email", "E-mail", email, "email"]],
            "form": {"id": str(world.form.pk), "name": "Trial", "version": 1},
        },
        consents={"news": True},
        terms=terms_of(email=email, phone=None, name=name),
        network_prefix="203.0.113.0/24",
    )
    return replace(found, **changes)


def everything() -> dict[str, int]:
    """How many rows stand in each table of the leads, the vault and the measures."""
    counted = {}
    models: list[Any] = [*apps.get_app_config("leads").get_models(), MeasureEvent]
    for model in models:
        counted[model.__name__] = model._default_manager.count()
    for alias in aliases():
        for kept in (SealedAnswers, ConsentRecord, SearchTerm):
            counted[f"{alias} {kept.__name__}"] = kept._default_manager.using(alias).count()
    return counted


def answers_of(lead_id: int, region: str = "eu") -> Any:
    row = SealedAnswers.objects.using(alias_of(region)).get(pk=lead_id)
    return open_sealed(row.sealed, Purpose.DISCLOSE)


# ---- what is written -------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("region", REGIONS)
def test_submission_becomes_a_lead_with_all_that_belongs_to_it(world: World, region: str) -> None:
    target = world.connect()
    ad = world.ad
    submission = new(
        world,
        region=region,
        ad_id=ad.pk,
        ad_group_id=ad.ad_group_id,
        campaign_id=ad.ad_group.campaign_id,
        sealed_in_browser=True,
    )
    stored = store(submission)
    assert stored.fresh
    lead = Lead.objects.get()
    assert lead.pk == stored.lead_id
    assert (lead.state, lead.status, lead.region, lead.sealed_in_browser, lead.is_test) == (
        "live",
        "raw",
        region,
        True,
        False,
    )
    assert (lead.library_id, lead.form_id, lead.version_id, lead.submission_key) == (
        world.library.pk,
        world.form.pk,
        world.version.pk,
        submission.key,
    )
    assert (lead.campaign_id, lead.ad_group_id, lead.ad_id) == (ad.ad_group.campaign_id, ad.ad_group_id, ad.pk)
    assert abs(timezone.now() - lead.received_at) < timedelta(seconds=30)
    assert lead.attention_at == lead.received_at + timedelta(minutes=60)
    assert answers_of(lead.pk, region) == submission.content
    consent = ConsentRecord.objects.using(alias_of(region)).get()
    assert (consent.lead_id, consent.library_id, consent.region, consent.boxes, consent.version_id) == (
        lead.pk,
        world.library.pk,
        region,
        {"news": True},
        world.version.pk,
    )
    assert (consent.language, consent.network_prefix) == ("en", "203.0.113.0/24")
    terms = SearchTerm.objects.using(alias_of(region)).filter(lead_id=lead.pk)
    assert terms.count() == 3  # e-mail, two words
    assert set(terms.values_list("received_at", "library_id", "key_version")) == {
        (lead.received_at, world.library.pk, 1)
    }
    delivery = Delivery.objects.get()
    assert (delivery.connection, delivery.lead_id, delivery.event_key, delivery.state, delivery.attempts) == (
        target,
        lead.pk,
        f"lead.created:{lead.pk}",
        "pending",
        0,
    )
    assert (delivery.lease, delivery.leases_unanswered, delivery.library_id) == (0, 0, world.library.pk)
    assert abs(delivery.due_at - lead.received_at) < timedelta(seconds=5)
    event = MeasureEvent.objects.get()
    assert (event.kind, event.form_id, event.version, event.ad_id, event.is_test, event.whole_visit) == (
        "submit",
        world.form.pk,
        1,
        ad.pk,
        False,
        True,
    )


def test_every_connection_that_was_not_removed_gets_its_delivery(world: World) -> None:
    wanted = {
        world.connect("active").pk,
        world.connect("paused", state="paused").pk,
        world.connect("broken", state="needs_reconnect").pk,
        world.connect("unconfirmed", custody=7).pk,
    }
    world.connect("removed", removed_at=timezone.now())
    store(new(world))
    assert set(Delivery.objects.values_list("connection_id", flat=True)) == wanted


def test_many_connections_get_distinct_ids(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    for number in range(70):
        world.connect(f"CRM {number}")
    # A clock that was set back: ids follow each other without a new start at each millisecond.
    monkeypatch.setattr(ids._sequence, "_millisecond", ids._sequence._millisecond + 60_000)
    monkeypatch.setattr(ids._sequence, "_counter", 1)
    store(new(world))
    store(new(world))
    assert Delivery.objects.count() == 140


def test_test_lead_is_counted_apart(world: World) -> None:
    store(new(world, is_test=True))
    assert Lead.objects.get().is_test
    assert MeasureEvent.objects.get().is_test


def test_nothing_that_was_answered_stands_in_clear(world: World) -> None:
    store(new(world, name="Zanzibar Quokka", email="quokka@example.com"))
    for alias in {"default", *aliases()}:
        with connections[alias].cursor() as cursor:
            for table in connections[alias].introspection.table_names(cursor):
                cursor.execute(f'SELECT * FROM "{table}"')  # noqa: S608  # names of our own tables
                for row in cursor.fetchall():
                    told = " ".join(bytes(cell).hex() if isinstance(cell, memoryview) else repr(cell) for cell in row)
                    assert "uokka" not in told
                    assert b"uokka".hex() not in told


# ---- the same key ----------------------------------------------------------------------------------------------------


def test_same_key_and_content_gives_the_same_lead_and_writes_nothing(world: World) -> None:
    world.connect()
    submission = new(world)
    first = store(submission)
    before = everything()
    assert store(submission) == Stored(first.lead_id, False)
    # where somebody came from, and when, is not what they said
    again = replace(submission, ad_id=world.ad.pk, network_prefix="", sealed_in_browser=True, language="de")
    assert store(again) == Stored(first.lead_id, False)
    assert everything() == before


@pytest.mark.parametrize("change", ["answer", "consent", "region"])
def test_same_key_with_other_content_is_refused_and_writes_nothing(world: World, change: str) -> None:
    world.connect()
    submission = new(world)
    first = store(submission)
    before = everything()
    other = {
        "answer": new(world, key=submission.key, name="Bob Example"),
        "consent": replace(submission, consents={"news": False}),
        "region": new(world, key=submission.key, name="Bob Example", region="us"),
    }[change]
    with pytest.raises(AlreadySubmitted) as refused:
        store(other)
    assert refused.value.at == Lead.objects.get().received_at
    assert everything() == before
    assert answers_of(first.lead_id) == submission.content


def test_same_key_and_content_from_another_region_is_the_same_lead(world: World) -> None:
    submission = new(world)
    first = store(submission)
    assert store(replace(submission, region="us")) == Stored(first.lead_id, False)
    assert Lead.objects.get().region == "eu"


def test_one_key_serves_two_forms(world: World) -> None:
    form, version = make_form(world.account, "Second")
    submission = new(world)
    assert store(submission).fresh
    assert store(replace(submission, form_id=form.pk, version_id=version.pk)).fresh
    assert Lead.objects.count() == 2


@pytest.mark.parametrize("state", ["trashed", "gone", "quarantined"])
def test_retry_for_a_lead_that_is_deleted_since_gives_its_id(world: World, state: str) -> None:
    submission = new(world)
    first = store(submission)
    fields: dict[str, Any] = {"state": state}
    if state == "trashed":
        fields["trashed_at"] = timezone.now()
    if state == "gone":
        fields["why_gone"] = "erased"
        SealedAnswers.objects.using(alias_of("eu")).all().delete()
    Lead.objects.update(**fields)
    before = everything()
    assert store(submission) == Stored(first.lead_id, False)
    assert everything() == before
    assert Lead.objects.get().state == state


# ---- forms in time ---------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("hours", [0, 1, 23])
def test_form_archived_today_takes_answers(world: World, hours: int) -> None:
    Form.objects.update(status="archived", archived_at=timezone.now() - timedelta(hours=hours))
    assert store(new(world)).fresh


def test_form_archived_yesterday_takes_none_but_knows_what_it_took(world: World) -> None:
    submission = new(world)
    first = store(submission)
    Form.objects.update(status="archived", archived_at=timezone.now() - timedelta(hours=25))
    before = everything()
    with pytest.raises(FormClosed):
        store(new(world))
    assert everything() == before
    assert store(submission) == Stored(first.lead_id, False)


# ---- whole or not at all ---------------------------------------------------------------------------------------------


def test_failure_in_the_midst_leaves_nothing_live(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    world.connect()
    before = everything()

    def broken(*_of: object) -> list[bytes]:
        raise ZeroDivisionError

    monkeypatch.setattr(storing, "digests_of", broken)
    with pytest.raises(ZeroDivisionError):
        store(new(world))
    Lead.objects.filter(state="arriving").delete()  # with two databases the claim stands until it is swept
    assert everything() == before


def test_queries_do_not_grow_with_connections(world: World) -> None:
    world.connect()
    store(new(world))

    def queries() -> int:
        with CaptureQueriesContext(connection) as captured:
            store(new(world))
        return len([query for query in captured.captured_queries if not query["sql"].startswith(("SAVE", "RELEASE"))])

    one = queries()
    for number in range(20):
        world.connect(f"CRM {number}")
    assert queries() == one
    if settings.ON_POSTGRES and not APART:
        assert one == 1  # the statement


# ---- at the same time ------------------------------------------------------------------------------------------------


def together(submissions: list[NewLead]) -> Counter[str]:
    """Store all in threads that start at once; count how each ended, leads by their id."""
    barrier = threading.Barrier(len(submissions))
    ended: Counter[str] = Counter()
    lock = threading.Lock()

    def run(submission: NewLead) -> None:
        barrier.wait(30)
        try:
            for _ in range(100):
                try:
                    stored = store(submission)
                    how = "fresh" if stored.fresh else "known"
                    break
                except Unfinished:  # 503: sent again with the same key
                    continue
            else:
                how = "never"
        except AlreadySubmitted:
            how = "other"
        finally:
            connections.close_all()
        with lock:
            ended[how] += 1

    threads = [threading.Thread(target=run, args=[submission]) for submission in submissions]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(120)
        assert not thread.is_alive()
    return ended


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("_round", range(3))
def test_one_key_at_once_makes_one_lead(_round: int) -> None:
    world = make_world()
    world.connect()
    submission = new(world)
    assert together([submission] * 16) == {"fresh": 1, "known": 15}
    lead = Lead.objects.get()
    assert lead.state == "live"
    assert Delivery.objects.count() == 1
    assert MeasureEvent.objects.count() == 1
    assert SearchTerm.objects.using(alias_of("eu")).count() == 3
    assert ConsentRecord.objects.using(alias_of("eu")).count() == 1


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("_round", range(3))
def test_two_contents_at_once_keep_one_and_refuse_the_other(_round: int) -> None:
    world = make_world()
    one = new(world)
    other = new(world, key=one.key, name="Bob Example", email="bob@example.com")
    assert together([one, other] * 8) == {"fresh": 1, "known": 7, "other": 8}
    lead = Lead.objects.get()
    kept = answers_of(lead.pk)
    assert kept in (one.content, other.content)
    winner = one if kept == one.content else other
    digests = set(digests_of(world.library.pk, "eu", winner.terms))
    found = SearchTerm.objects.using(alias_of("eu")).values_list("digest", flat=True)
    assert sorted(bytes(digest) for digest in found) == sorted(digests)
    assert MeasureEvent.objects.count() == 1


# ---- a crash between two databases -----------------------------------------------------------------------------------


class Crash(Exception):
    """The process ends here."""


def crash_at(monkeypatch: pytest.MonkeyPatch, step: str) -> Callable[[], None]:
    def ends(*_of: object, **_named: object) -> None:
        raise Crash

    monkeypatch.setattr(storing, step, ends)
    return monkeypatch.undo


BEFORE_VAULT, BEFORE_LIVE = "_vault_rows", "_deliver_and_count"


def old(lead: Lead) -> None:
    Lead.objects.filter(pk=lead.pk).update(received_at=timezone.now() - timedelta(minutes=5))


@two_databases
@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("step", [BEFORE_VAULT, BEFORE_LIVE])
def test_retry_after_a_crash_goes_on_where_it_stopped(monkeypatch: pytest.MonkeyPatch, step: str) -> None:
    world = make_world()
    world.connect()
    submission = new(world)
    whole_again = crash_at(monkeypatch, step)
    with pytest.raises(Crash):
        store(submission)
    assert Lead.objects.get().state == "arriving"  # not acknowledged, not shown
    assert not Delivery.objects.exists()
    whole_again()
    stored = store(submission)
    assert stored == Stored(Lead.objects.get().pk, True)
    assert Lead.objects.get().state == "live"
    assert answers_of(stored.lead_id) == submission.content
    assert (Delivery.objects.count(), MeasureEvent.objects.count()) == (1, 1)
    assert SearchTerm.objects.using(alias_of("eu")).count() == 3
    assert store(submission) == Stored(stored.lead_id, False)


@two_databases
@pytest.mark.django_db(transaction=True)
def test_sweeper_finishes_what_lies_in_the_vault_and_removes_what_does_not(monkeypatch: pytest.MonkeyPatch) -> None:
    world = make_world()
    world.connect()
    whole, empty = new(world), new(world)
    for submission, step in ((whole, BEFORE_LIVE), (empty, BEFORE_VAULT)):
        undo = crash_at(monkeypatch, step)
        with pytest.raises(Crash):
            store(submission)
        undo()
    assert sweep_arriving() == 0  # they may still be under way
    for lead in Lead.objects.all():
        old(lead)
    assert sweep_arriving() == 2
    lead = Lead.objects.get()
    assert (lead.state, lead.submission_key) == ("live", whole.key)
    assert (Delivery.objects.count(), MeasureEvent.objects.count()) == (1, 1)
    assert store(whole) == Stored(lead.pk, False)
    assert store(empty).fresh
    assert sweep_arriving() == 0


@two_databases
@pytest.mark.django_db(transaction=True)
def test_claim_that_is_not_whole_is_never_acknowledged(monkeypatch: pytest.MonkeyPatch) -> None:
    """The retry answers from another country: its claim lies in another region, so nothing may say that it is kept."""
    world = make_world()
    submission = new(world)
    undo = crash_at(monkeypatch, BEFORE_VAULT)
    with pytest.raises(Crash):
        store(submission)
    undo()
    elsewhere = new(world, key=submission.key, region="us", name="Bob Example")
    with pytest.raises(OperationalError):  # told as 503 with Retry-After
        store(elsewhere)
    old(Lead.objects.get())
    sweep_arriving()
    assert store(elsewhere).fresh
    assert answers_of(Lead.objects.get().pk, "us") == elsewhere.content


@two_databases
@pytest.mark.django_db(transaction=True)
def test_other_content_after_a_crash_does_not_overwrite_the_first(monkeypatch: pytest.MonkeyPatch) -> None:
    world = make_world()
    submission = new(world)
    undo = crash_at(monkeypatch, BEFORE_LIVE)
    with pytest.raises(Crash):
        store(submission)
    undo()
    with pytest.raises(AlreadySubmitted):
        store(new(world, key=submission.key, name="Bob Example"))
    assert store(submission).fresh
    assert answers_of(Lead.objects.get().pk) == submission.content


def test_a_lead_keeps_where_it_came_from_and_what_its_answers_came_to(world: World) -> None:
    plain = Lead.objects.get(pk=store(new(world)).lead_id)
    other = Lead.objects.get(pk=store(new(world, source="import", outcome="not_preferred")).lead_id)
    assert (plain.source, plain.outcome) == ("form", "")
    assert (other.source, other.outcome) == ("import", "not_preferred")
