"""Alarms about unusual reading: each fires once and none below its limit; mail goes to who holds the leads now."""

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from django.core import mail
from django.core.cache import cache
from django.db import transaction
from django.test import Client
from django.utils import timezone

from accounts import audit
from accounts.models import Act, Alarm, AuditEvent, AuditTarget, LeadLibrary, Scope, User
from accounts.services.alarms import note_alarm, raise_alarm, raise_unopenable
from accounts.services.tokens import create_token
from leads.center.services import watching
from leads.models import Delivery, Export, Lead
from leads.vault.models import Note, SealedAnswers
from leads.vault.regions import alias_of
from leads.vault.values import Plain
from leadscenter.lib.ids import COUNTER_LIMIT, id_at, new_id, new_ids
from tests.counting import statements
from tests.world import World

Commit = Callable[..., Any]


@pytest.fixture(autouse=True)
def nothing_remembered(db: None) -> None:
    cache.clear()


@pytest.fixture
def watched(django_capture_on_commit_callbacks: Commit) -> Callable[[], list[Alarm]]:
    """Let the watcher judge everything up to now; mails go out as after a commit."""

    def watch() -> list[Alarm]:
        with django_capture_on_commit_callbacks(execute=True):
            place, until = 0, new_id()
            while place < until:
                place, _seen = watching.watch(max(place, until - watching.ID_STRETCH), until)
        return list(Alarm.objects.order_by("raised_at", "id"))

    return watch


def happened(world: World, act: Act, *, actor: User | None = None, days_ago: float = 0, **told: Any) -> int:
    """Write an event of the library's trail, now or some days ago."""
    who = actor or world.administrator
    if not days_ago:
        with transaction.atomic():
            return audit.record(act, world.library, actor=who, **told)
    at = timezone.now() - timedelta(days=days_ago)
    count = told.pop("count", 1)
    event = AuditEvent.objects.create(
        id=id_at(at) + new_id() % COUNTER_LIMIT,
        at=at,
        scope=Scope.LIBRARY,
        scope_id=world.library.pk,
        act=act,
        actor=who,
        count=count,
        detail=told,
    )
    return event.pk


def many_leads(world: World, count: int) -> list[int]:
    """Rows of leads without answers: the watcher counts them and opens none."""
    rows = new_ids(count)
    first = world.add_lead()
    values = {
        column.attname: getattr(first, column.attname)
        for column in Lead._meta.local_concrete_fields
        if column.attname not in ("id", "submission_key")
    }
    Lead.objects.bulk_create([Lead(id=pk, submission_key=f"{pk:032x}", **values) for pk in rows])
    return [first.pk, *rows]


def downloaded(world: World, leads: list[int], *, actor: User | None = None) -> int:
    """A file of these leads, made and downloaded."""
    export = new_id()
    happened(world, Act.EXPORT_MADE, actor=actor, targets=[export], manifest=leads)
    happened(world, Act.EXPORT_DOWNLOADED, actor=actor, targets=[export], count=len(leads))
    return export


# ---- a large part was downloaded -------------------------------------------------------------------------------------


def test_large_download_is_told_once(world: World, watched: Callable[[], list[Alarm]]) -> None:
    leads = many_leads(world, 149)
    downloaded(world, leads[:50])
    [alarm] = watched()
    assert (alarm.kind, alarm.actor, alarm.detail) == (
        Alarm.Kind.LARGE_DOWNLOAD,
        world.administrator,
        {"leads": 50, "of": 150, "files": 1},
    )
    downloaded(world, leads[:60])
    assert watched() == [alarm]
    assert len(mail.outbox) == 1
    assert AuditEvent.objects.filter(act=Act.ALARM_RAISED, targets__object_id=alarm.pk).count() == 1


def test_large_part_read_by_api_page_by_page_is_told_once(world: World, watched: Callable[[], list[Alarm]]) -> None:
    leads = many_leads(world, 149)
    for start in (0, 0, 20):  # what is read twice counts once
        happened(world, Act.LEADS_READ, targets=leads[start : start + 25])
    assert watched() == []
    happened(world, Act.LEADS_READ, targets=leads[45:75])
    [alarm] = watched()
    assert (alarm.kind, alarm.actor, alarm.detail) == (
        Alarm.Kind.LARGE_DOWNLOAD,
        world.administrator,
        {"leads": 75, "of": 150, "files": 0},
    )
    happened(world, Act.LEADS_READ, targets=leads[75:150])
    assert watched() == [alarm]
    assert [message.to for message in mail.outbox] == [[world.administrator.email]]


def test_old_reading_by_api_is_not_added_up(world: World, watched: Callable[[], list[Alarm]]) -> None:
    leads = many_leads(world, 149)
    old = happened(world, Act.LEADS_READ, days_ago=1.5, count=60)
    AuditTarget.objects.bulk_create([AuditTarget(event_id=old, object_id=lead) for lead in leads[:60]])
    happened(world, Act.LEADS_READ, targets=leads[60:90])
    assert watched() == []


@pytest.mark.parametrize(("taken", "live"), [(49, 60), (60, 200)], ids=["fewer than 50", "no more than 30 %"])
def test_smaller_download_is_no_alarm(world: World, watched: Callable[[], list[Alarm]], taken: int, live: int) -> None:
    leads = many_leads(world, live - 1)
    downloaded(world, leads[:taken])
    assert watched() == []


def test_same_leads_in_two_files_are_counted_once(world: World, watched: Callable[[], list[Alarm]]) -> None:
    leads = many_leads(world, 199)
    downloaded(world, leads[:50])
    downloaded(world, leads[:50])
    assert watched() == []
    downloaded(world, leads[40:100])
    assert [alarm.detail for alarm in watched()] == [{"leads": 100, "of": 200, "files": 3}]


def test_downloads_of_two_people_or_two_days_do_not_add_up(world: World, watched: Callable[[], list[Alarm]]) -> None:
    leads = many_leads(world, 199)
    downloaded(world, leads[:50])
    downloaded(world, leads[50:100], actor=world.client_admin)
    happened(world, Act.EXPORT_DOWNLOADED, count=50, days_ago=2)
    assert watched() == []


# ---- far more reveals than usual -------------------------------------------------------------------------------------


def test_more_than_twenty_reveals_of_somebody_without_a_habit(world: World, watched: Callable[[], list[Alarm]]) -> None:
    happened(world, Act.LEAD_REVEALED, count=20)
    assert watched() == []
    happened(world, Act.LEAD_REVEALED)
    [alarm] = watched()
    assert (alarm.kind, alarm.detail) == (Alarm.Kind.MANY_REVEALS, {"leads": 21, "mean": 0.0})
    happened(world, Act.LEAD_REVEALED, count=30)
    assert watched() == [alarm]


def test_reveals_are_judged_by_the_persons_own_habit(world: World, watched: Callable[[], list[Alarm]]) -> None:
    happened(world, Act.LEAD_REVEALED, count=280, days_ago=5)  # ten a day over 28 days
    happened(world, Act.LEAD_REVEALED, count=50)
    assert watched() == []
    happened(world, Act.LEAD_REVEALED)
    assert [alarm.detail for alarm in watched()] == [{"leads": 51, "mean": 10.0}]


# ---- new token, new country ------------------------------------------------------------------------------------------


def test_first_reading_of_a_token_is_told_once_per_library(world: World, watched: Callable[[], list[Alarm]]) -> None:
    world.add_lead()
    token, raw = create_token(user=world.administrator, name="night report")
    script = Client(headers={"Authorization": f"Bearer {raw}"})
    script.get("/api/v1/libraries/")
    assert watched() == []
    script.get(f"/api/v1/libraries/{world.library.pk}/leads/")
    [alarm] = watched()
    assert (alarm.kind, alarm.detail, alarm.actor) == (
        Alarm.Kind.NEW_TOKEN,
        {"token": str(token.pk)},
        world.administrator,
    )
    assert "night report" in mail.outbox[0].body
    script.get(f"/api/v1/libraries/{world.library.pk}/leads/")
    assert watched() == [alarm]


def test_country_is_new_for_who_has_read_from_another(world: World, watched: Callable[[], list[Alarm]]) -> None:
    happened(world, Act.LEADS_LISTED, country="DE")
    assert watched() == []  # nothing was known of them
    happened(world, Act.LEADS_LISTED, country="DE")
    happened(world, Act.LEADS_LISTED, actor=world.client_admin, country="BR")
    assert watched() == []
    happened(world, Act.LEAD_OPENED, country="BR")
    [alarm] = watched()
    assert (alarm.kind, alarm.actor, alarm.detail) == (
        Alarm.Kind.NEW_COUNTRY,
        world.administrator,
        {"country": "BR"},
    )
    happened(world, Act.LEADS_LISTED, country="DE")
    happened(world, Act.LEADS_LISTED, country="BR")
    assert watched() == [alarm]


def test_country_seen_ninety_days_ago_is_new_again(world: World, watched: Callable[[], list[Alarm]]) -> None:
    happened(world, Act.LEADS_LISTED, country="BR", days_ago=91)
    happened(world, Act.LEADS_LISTED, country="DE", days_ago=2)
    happened(world, Act.LEADS_LISTED, country="BR")
    assert [alarm.detail for alarm in watched()] == [{"country": "BR"}]


# ---- a sealed value does not open ------------------------------------------------------------------------------------


def spoil(lead: Lead) -> None:
    rows = SealedAnswers.objects.using(alias_of(lead.region)).filter(pk=lead.pk)
    record = bytes(rows.values_list("sealed", flat=True)[0])
    rows.update(sealed=record[:-1] + bytes([record[-1] ^ 1]))


def test_looking_at_a_value_that_does_not_open_raises_one_alarm_a_day(
    world: World, django_capture_on_commit_callbacks: Commit
) -> None:
    leads = [world.add_lead(), world.add_lead(name="Bob")]
    spoil(leads[0])
    client = Client()
    client.force_login(world.administrator)
    for _look in range(2):
        with django_capture_on_commit_callbacks(execute=True):
            page = client.get(f"/l/{world.library.pk}/leads/").content.decode()
    assert "Bob" in page
    alarm = Alarm.objects.get()
    assert (alarm.kind, alarm.detail) == (
        Alarm.Kind.UNOPENABLE,
        {"values": 1, "first": str(leads[0].pk), "purpose": "disclose"},
    )
    assert len(mail.outbox) == 1


def test_note_that_does_not_open_says_so_and_hides_nothing_else(world: World) -> None:
    lead = world.add_lead()
    for text in ("one", "two"):
        note = Note(lead_id=lead.pk, library_id=world.library.pk, region="eu", author_id=world.administrator.pk)
        note.sealed = Plain(text)
        note.save(using=alias_of("eu"), force_insert=True)
    rows = Note.objects.using(alias_of("eu")).order_by("id")
    first, second = rows.values_list("pk", flat=True)
    stolen = rows.filter(pk=second).values_list("sealed", flat=True)[0]
    rows.filter(pk=first).update(sealed=bytes(stolen))
    client = Client()
    client.force_login(world.administrator)
    page = client.get(f"/l/{world.library.pk}/leads/{lead.pk}/").content.decode()
    assert "This text does not open." in page
    assert "two" in page
    assert Alarm.objects.get().kind == Alarm.Kind.UNOPENABLE


# ---- whoever is told -------------------------------------------------------------------------------------------------


def test_mail_goes_to_the_holders_of_the_trail_and_names_no_lead(
    world: World, watched: Callable[[], list[Alarm]]
) -> None:
    lead = world.add_lead()
    happened(world, Act.LEAD_REVEALED, targets=[lead.pk], count=21)
    watched()
    [message] = mail.outbox
    assert message.to == [world.administrator.email]
    assert "revealed contact details of Brand ads 21 times today" in message.body
    assert f"/l/{world.library.pk}/alarms/" in message.body
    for secret in ("Ann", "ann@example.com", "15112345678", "quiet room", str(lead.pk)):
        assert secret not in f"{message.subject} {message.body}"


def test_after_a_transfer_the_new_holder_is_told_and_the_agency_is_not(
    world: World, watched: Callable[[], list[Alarm]]
) -> None:
    happened(world, Act.LEAD_REVEALED, count=21)
    world.hand_over()
    mail.outbox.clear()
    watched()
    assert [message.to for message in mail.outbox] == [[world.client_admin.email]]


def test_mail_that_cannot_be_sent_leaves_the_alarm(
    world: World, watched: Callable[[], list[Alarm]], settings: Any
) -> None:
    settings.EMAIL_BACKEND = "django.core.mail.backends.smtp.EmailBackend"
    settings.EMAIL_HOST, settings.EMAIL_PORT = "127.0.0.1", 1
    happened(world, Act.LEAD_REVEALED, count=21)
    assert [alarm.kind for alarm in watched()] == [Alarm.Kind.MANY_REVEALS]


def test_alarm_is_raised_once_when_two_raise_it(world: World) -> None:
    told = {"library_id": world.library.pk, "kind": Alarm.Kind.NEW_TOKEN, "about": "token:7"}
    assert raise_alarm(**told) is not None  # type: ignore[arg-type]
    assert raise_alarm(**told) is None  # type: ignore[arg-type]
    assert AuditEvent.objects.filter(act=Act.ALARM_RAISED).count() == 1


def test_noting_an_alarm_is_recorded_once(world: World) -> None:
    alarm = raise_unopenable(world.library.pk, "disclose", [7])
    assert alarm is not None
    assert note_alarm(actor=world.administrator, alarm=alarm) is True
    assert note_alarm(actor=world.administrator, alarm=alarm) is False
    alarm.refresh_from_db()
    assert (alarm.seen_by, alarm.seen_at is not None) == (world.administrator, True)
    [event] = AuditEvent.objects.filter(act=Act.ALARM_SEEN)
    assert (event.actor, event.scope_id) == (world.administrator, world.library.pk)


# ---- its place -------------------------------------------------------------------------------------------------------


def test_watcher_goes_on_where_it_ended_and_stays_behind_now(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    happened(world, Act.LEAD_REVEALED, count=21)
    assert watching.watch_on() == 0  # younger than ten seconds: a late commit could still come before it
    cache.delete(watching.PLACE)
    monkeypatch.setattr(watching, "BEHIND", -timedelta(hours=1))  # other tests let ids run ahead
    assert watching.watch_on() == 1
    assert watching.watch_on() == 0
    assert Alarm.objects.count() == 1


def test_flushed_cache_raises_nothing_twice(
    world: World, watched: Callable[[], list[Alarm]], monkeypatch: pytest.MonkeyPatch
) -> None:
    happened(world, Act.LEAD_REVEALED, count=21)
    assert len(watched()) == 1
    cache.clear()
    monkeypatch.setattr(watching, "BEHIND", -timedelta(hours=1))  # other tests let ids run ahead
    assert watching.watch_on() == 1
    assert Alarm.objects.count() == 1
    assert len(mail.outbox) == 1


def test_other_libraries_are_judged_by_themselves(world: World, watched: Callable[[], list[Alarm]]) -> None:
    happened(world, Act.LEAD_REVEALED, count=15)
    with transaction.atomic():
        audit.record(Act.LEAD_REVEALED, world.stranger_library, actor=world.administrator, count=15)
    assert watched() == []
    assert Export.objects.count() == Delivery.objects.count() == 0
    assert LeadLibrary.objects.count() == 2


# ---- pages -----------------------------------------------------------------------------------------------------------


def signed_in(user: User) -> Client:
    client = Client()
    client.force_login(user)
    return client


@pytest.mark.parametrize(
    "place", ["l/{library}/overview/", "a/{account}/overview/", "l/{library}/access/", "l/{library}/activity/"]
)
def test_pages_warn_until_somebody_notes_it(world: World, place: str) -> None:
    where = f"/{place.format(library=world.library.pk, account=world.account.pk)}"
    client, address = signed_in(world.administrator), f"/l/{world.library.pk}/alarms/"
    assert "See what happened" not in client.get(where).content.decode()
    alarm = raise_unopenable(world.library.pk, "disclose", [7])
    assert alarm is not None
    page = client.get(where).content.decode()
    assert "1 alarm:" in page
    assert "A sealed value could not be opened" in page
    assert client.post(f"{address}{alarm.pk}/noted/").status_code == 302
    assert "See what happened" not in client.get(where).content.decode()


def test_numbers_page_tells_an_operator_of_no_alarm(world: World) -> None:
    raise_unopenable(world.library.pk, "disclose", [7])
    answer = signed_in(world.operator).get(f"/a/{world.account.pk}/overview/")
    assert answer.status_code == 200
    assert "alarm" not in answer.content.decode()


def test_list_says_what_happened_and_who_noted_it(world: World) -> None:
    client, address = signed_in(world.administrator), f"/l/{world.library.pk}/alarms/"
    assert "No alarm yet" in client.get(address).content.decode()
    alarm = raise_unopenable(world.library.pk, "disclose", [7])
    assert alarm is not None
    page = client.get(address).content.decode()
    assert "1 sealed value of Brand ads did not open" in page
    assert f"{address}{alarm.pk}/noted/" in page
    client.post(f"{address}{alarm.pk}/noted/")
    page = client.get(address).content.decode()
    assert f"{address}{alarm.pk}/noted/" not in page
    assert "Ada" in page


def test_alarm_of_another_library_is_not_there(world: World) -> None:
    foreign = raise_unopenable(world.stranger_library.pk, "disclose", [7])
    assert foreign is not None
    client = signed_in(world.administrator)
    assert client.post(f"/l/{world.library.pk}/alarms/{foreign.pk}/noted/").status_code == 404
    assert client.post(f"/l/{world.stranger_library.pk}/alarms/{foreign.pk}/noted/").status_code == 404
    foreign.refresh_from_db()
    assert foreign.seen_at is None


def test_agency_notes_nothing_after_the_transfer(world: World) -> None:
    alarm = raise_unopenable(world.library.pk, "disclose", [7])
    assert alarm is not None
    world.hand_over()
    address = f"/l/{world.library.pk}/alarms/{alarm.pk}/noted/"
    assert signed_in(world.administrator).post(address).status_code == 403
    alarm.refresh_from_db()
    assert alarm.seen_at is None
    assert signed_in(world.client_admin).post(address).status_code == 302
    alarm.refresh_from_db()
    assert alarm.seen_by == world.client_admin


@pytest.mark.parametrize("rows", [1, 3])
def test_list_asks_the_same_number_of_queries(world: World, rows: int) -> None:
    for number in range(rows):
        raise_unopenable(world.library.pk, f"purpose {number}", [7])
    client = signed_in(world.administrator)
    client.get(f"/l/{world.library.pk}/alarms/")  # what is kept in memory is not counted
    with statements() as asked:
        client.get(f"/l/{world.library.pk}/alarms/")
    assert len(asked) == 7
