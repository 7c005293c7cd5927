"""What people are told: once each, only who may, nothing of a lead in a mail, and where they want it."""

from collections.abc import Callable
from datetime import timedelta
from pathlib import Path

import pytest
from django.core import mail
from django.core.cache import cache
from django.db import transaction
from django.db.models.functions import Now
from django.test import Client
from django.utils import timezone
from pytest_django import Settings

from accounts import audit
from accounts.models import Act, AuditEvent, LeadLibrary, User
from accounts.services import ad_accounts
from accounts.services.tokens import create_token
from leads.center.selectors.notifications import unread_count
from leads.center.services import mailing, telling
from leads.center.services.deleting import delete_leads, restore_leads
from leads.center.services.noticing import change_wishes
from leads.center.services.working import Change, change_leads
from leads.exports.services.asking import request_export
from leads.exports.services.running import run_due
from leads.models import Connection, Export, FollowUp, Lead, Notification
from leads.selection import Selection
from leads.vault.walking import words_of
from leadscenter.lib.ids import new_id
from tests.counting import statements
from tests.imports.files import HEADINGS, csv_of, imported, people
from tests.world import World, make_world, person

pytestmark = pytest.mark.django_db
Kind = Notification.Kind


@pytest.fixture
def world() -> World:
    cache.clear()
    return make_world()


@pytest.fixture
def tell(world: World) -> Callable[[], list[Notification]]:
    """Tell everything up to now; return every notification, oldest first."""

    def told() -> list[Notification]:
        until = new_id()
        place = until - telling.ID_STRETCH
        while place < until:
            place, _made = telling.tell_stretch(place, until)
        telling.tell_follow_ups()
        telling.tell_failing()
        return list(Notification.objects.order_by("at", "pk"))

    return told


def wish(user: User, kind: str, *, in_app: bool = True, by_mail: bool = True) -> None:
    change_wishes(actor=user, wishes={kind: (in_app, by_mail)})


def api(user: User) -> Client:
    return Client(headers={"Authorization": f"Bearer {create_token(user=user, name='t')[1]}"})


def colleague(world: World) -> User:
    second = person("Cleo")
    ad_accounts.set_member(actor=world.administrator, ad_account=world.account, user=second, role="administrator")  # type: ignore[arg-type]
    return second


# ---- what is told ----------------------------------------------------------------------------------------------------


def test_a_new_lead_is_told_once_to_who_may_view_it(world: World, tell: Callable[[], list[Notification]]) -> None:
    lead = world.add_lead()
    [told] = tell()
    assert (told.user, told.kind, told.object_id, told.count) == (world.administrator, Kind.NEW_LEAD, lead.pk, 1)
    assert tell() == [told]
    assert unread_count(world.administrator) == 1
    assert [unread_count(user) for user in (world.operator, world.analyst, world.stranger)] == [0, 0, 0]


def test_test_leads_and_imported_leads_are_not_told(world: World, tell: Callable[[], list[Notification]]) -> None:
    world.add_lead(is_test=True)
    Lead.objects.filter(pk=world.add_lead(email="b@example.com").pk).update(source=Lead.Source.IMPORT)
    assert tell() == []


def test_many_leads_at_once_are_told_as_one_number(world: World, tell: Callable[[], list[Notification]]) -> None:
    for number in range(telling.ONE_BY_ONE + 1):
        world.add_lead(email=f"p{number}@example.com")
    [told] = tell()
    assert told.count == telling.ONE_BY_ONE + 1
    answer = api(world.administrator).get("/api/v1/notifications/").json()
    assert [row["text"] for row in answer["results"]] == ["21 new leads arrived in Brand ads"]


def test_tick_goes_on_behind_now_and_a_lost_place_tells_nobody_twice(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    world.add_lead()
    assert telling.tell_on() == 0  # younger than six seconds: a late commit could still come before it
    cache.delete(telling.PLACE)
    monkeypatch.setattr(telling, "BEHIND", -timedelta(seconds=5))
    assert telling.tell_on() == 1
    assert telling.tell_on() == 0
    cache.delete(telling.PLACE)
    assert telling.tell_on() == 0
    assert Notification.objects.count() == 1


def test_assignment_is_told_to_the_assignee_but_not_to_oneself(
    world: World, tell: Callable[[], list[Notification]]
) -> None:
    second, lead = colleague(world), world.add_lead()
    tell()
    Notification.objects.all().delete()
    for assignee in (world.administrator, second):
        change_leads(
            actor=world.administrator, library=world.library, lead_ids=[lead.pk], change=Change(assignee=assignee.pk)
        )
    assert [(one.user, one.object_id) for one in tell() if one.kind == Kind.ASSIGNED] == [(second, lead.pk)]


@pytest.mark.parametrize("leads", [1, 2])
def test_whom_an_import_gave_leads_is_told_of_their_number(
    world: World, tell: Callable[[], list[Notification]], settings: Settings, tmp_path: Path, leads: int
) -> None:
    settings.IMPORTS_DIR = str(tmp_path)
    second, silent = colleague(world), colleague(world)
    wish(silent, "assigned", in_app=False, by_mail=False)
    whose = [world.administrator, silent, *[second] * leads, None]
    rows = [(*who, user.email if user else "") for who, user in zip(people(len(whose)), whose, strict=True)]
    row = imported(world, csv_of(*rows, headings=(*HEADINGS, "Assignee")))
    assert row.made == len(whose)
    told = {(one.user, one.kind, one.count) for one in tell()}
    assert told == {(world.administrator, Kind.IMPORT, len(whose)), (second, Kind.ASSIGNED, leads)}
    tell()
    assert Notification.objects.count() == 2
    [said] = api(second).get("/api/v1/notifications/").json()["results"]
    lead = Lead.objects.filter(assignee=second).first()
    assert lead is not None
    place, text = f"/l/{world.library.pk}/leads/", "A lead of Brand ads is assigned to you"
    if leads > 1:
        text = "2 leads of Brand ads are assigned to you"
    assert (said["text"], said["url"]) == (text, f"{place}{lead.pk}/" if leads == 1 else f"{place}?assignee=me")


def test_due_follow_up_reminds_once_and_a_later_one_not_yet(
    world: World, tell: Callable[[], list[Notification]]
) -> None:
    leads = [world.add_lead(email=f"p{number}@example.com") for number in range(2)]
    for lead, hours in zip(leads, (-1, 1), strict=True):
        FollowUp.objects.create(
            lead=lead,
            library_id=world.library.pk,
            user=world.administrator,
            set_by=world.administrator,
            due_at=timezone.now() + timedelta(hours=hours),
        )
    told = [one.object_id for one in tell() if one.kind == Kind.FOLLOW_UP]
    assert told == [leads[0].pk]
    assert [one.object_id for one in tell() if one.kind == Kind.FOLLOW_UP] == told
    assert [one.reminded_at is not None for one in FollowUp.objects.order_by("due_at")] == [True, False]


def test_stopped_connection_is_told_with_its_reason(world: World, tell: Callable[[], list[Notification]]) -> None:
    connection = world.connect("Our CRM", state="disabled", state_reason="the receiver answered 410")
    with transaction.atomic():
        audit.record(Act.CONNECTION_DISABLED, world.library, targets=[connection.pk])
    tell()
    [row] = api(world.administrator).get("/api/v1/notifications/").json()["results"]
    assert row["text"].startswith("The connection “Our CRM” of Brand ads stopped: the receiver answered 410.")
    assert row["url"] == f"/l/{world.library.pk}/integrations/{connection.pk}/"


def test_failing_connection_is_told_once_until_it_succeeds_again(
    world: World, tell: Callable[[], list[Notification]]
) -> None:
    connection = world.connect("Our CRM")
    paused = world.connect("Other", state="paused", state_reason="Paused by platform staff")
    row = Connection.objects.filter(pk=connection.pk)
    assert tell() == []
    row.update(state_reason="a delivery was given up")
    [told] = tell()
    assert (told.user, told.kind, told.object_id) == (world.administrator, Kind.CONNECTION, connection.pk)
    Notification.objects.update(at=Now() - telling.FAILING_TOLD_EVERY)
    assert len(tell()) == 1  # it goes on to fail
    [shown] = api(world.administrator).get("/api/v1/notifications/").json()["results"]
    assert (
        shown["text"] == "Deliveries of Brand ads to “Our CRM” fail: a delivery was given up. The leads are safe here"
    )
    assert shown["url"] == f"/l/{world.library.pk}/integrations/{connection.pk}/"

    row.update(last_success_at=Now() + timedelta(minutes=1))  # it came and went since
    assert len(tell()) == 2
    row.update(last_success_at=Now() + timedelta(minutes=2))
    assert len(tell()) == 2  # and again, within the hours
    Notification.objects.update(at=Now() - telling.FAILING_TOLD_EVERY)
    row.update(custody=0)
    assert len(tell()) == 2  # it waits to be confirmed
    assert not Notification.objects.filter(object_id=paused.pk).exists()


def test_follow_up_that_fell_due_in_the_trash_reminds_once_its_lead_is_back(
    world: World, tell: Callable[[], list[Notification]]
) -> None:
    lead = world.add_lead()
    due_at = timezone.now() - timedelta(hours=1)
    FollowUp.objects.create(
        lead=lead, library_id=world.library.pk, user=world.administrator, set_by=world.administrator, due_at=due_at
    )
    delete_leads(actor=world.administrator, library=world.library, lead_ids=[lead.pk])
    assert [one for one in tell() if one.kind == Kind.FOLLOW_UP] == []
    assert FollowUp.objects.get().reminded_at is None
    restore_leads(actor=world.administrator, library=world.library, lead_ids=[lead.pk])
    assert [one.object_id for one in tell() if one.kind == Kind.FOLLOW_UP] == [lead.pk]
    assert FollowUp.objects.get().reminded_at is not None


def test_expiry_is_warned_of_once_a_week_with_how_many(world: World) -> None:
    for number in range(3):
        lead = world.add_lead(email=f"p{number}@example.com", is_test=number == 2)
        Lead.objects.filter(pk=lead.pk).update(received_at=timezone.now() - timedelta(days=85))
    world.add_lead(email="young@example.com")
    assert (telling.warn_of_expiry(), telling.warn_of_expiry()) == (1, 0)
    told = Notification.objects.get()
    assert (told.kind, told.count, told.user) == (Kind.EXPIRY, 2, world.administrator)


def test_old_notifications_are_forgotten(world: World, tell: Callable[[], list[Notification]]) -> None:
    world.add_lead()
    tell()
    assert telling.forget_old() == 0
    Notification.objects.update(at=timezone.now() - timedelta(days=91))
    assert telling.forget_old() == 1


# ---- where, and to whom ----------------------------------------------------------------------------------------------


def test_wishes_decide_where(world: World, tell: Callable[[], list[Notification]]) -> None:
    wish(world.administrator, "new_lead", in_app=False, by_mail=True)
    world.add_lead()
    [told] = tell()
    assert (told.in_app, told.mail_at is not None, unread_count(world.administrator)) == (False, True, 0)
    wish(world.administrator, "new_lead", in_app=False, by_mail=False)
    world.add_lead(email="b@example.com")
    assert tell() == [told]


def test_after_a_transfer_the_giver_reads_and_is_mailed_nothing(
    world: World, tell: Callable[[], list[Notification]]
) -> None:
    wish(world.administrator, "new_lead")
    world.add_lead()
    tell()
    assert unread_count(world.administrator) == 1
    world.hand_over()
    mail.outbox.clear()
    assert unread_count(world.administrator) == 0
    assert api(world.administrator).get("/api/v1/notifications/").json()["results"] == []
    assert mailing.mail_due() == 1  # done with, not sent
    assert mail.outbox == []


# ---- mails -----------------------------------------------------------------------------------------------------------


def test_mail_holds_a_link_and_nothing_of_the_lead(world: World, tell: Callable[[], list[Notification]]) -> None:
    wish(world.administrator, "new_lead")
    lead = world.add_lead(name="Zoe Quux", email="zoe@quux.example", phone="+4915199988877", wish="a canary")
    tell()
    looks = AuditEvent.objects.filter(targets__object_id=lead.pk).count()
    assert (mailing.mail_due(), mailing.mail_due()) == (1, 0)
    [sent] = mail.outbox
    assert sent.to == [world.administrator.email]
    assert f"/l/{world.library.pk}/leads/{lead.pk}/" in sent.body
    assert "/settings/notifications/" in sent.extra_headers["List-Unsubscribe"]
    whole = str(sent.message()).lower()
    assert not [word for word in ("zoe", "quux", "99988877", "canary") if word in whole]
    assert AuditEvent.objects.filter(targets__object_id=lead.pk).count() == looks


def test_name_stands_in_the_mail_where_the_holder_allows_it_and_is_a_look(
    world: World, tell: Callable[[], list[Notification]]
) -> None:
    answer = api(world.administrator).patch(
        f"/api/v1/libraries/{world.library.pk}/", {"mail_names": True}, content_type="application/json"
    )
    assert (answer.status_code, answer.json()["mail_names"]) == (200, True)
    wish(world.administrator, "new_lead")
    lead = world.add_lead(name="Zoe Quux", email="zoe@quux.example")
    tell()
    mailing.mail_due()
    [sent] = mail.outbox
    assert "Zoe Quux" in sent.body
    assert "quux.example" not in sent.body
    event = AuditEvent.objects.get(act=Act.LEADS_LISTED, purpose="mail")
    assert (event.actor, list(event.targets.values_list("object_id", flat=True))) == (world.administrator, [lead.pk])


def test_mail_that_fails_is_sent_later(
    world: World, tell: Callable[[], list[Notification]], settings: Settings
) -> None:
    wish(world.administrator, "new_lead")
    world.add_lead()
    tell()
    working = settings.EMAIL_BACKEND
    settings.EMAIL_BACKEND = "django.core.mail.backends.smtp.EmailBackend"
    settings.EMAIL_HOST, settings.EMAIL_PORT = "127.0.0.1", 1
    assert mailing.mail_due() == 0
    settings.EMAIL_BACKEND = working
    assert mailing.mail_due() == 0  # leased for five minutes
    Notification.objects.update(mail_at=Now())
    assert mailing.mail_due() == 1
    assert len(mail.outbox) == 1


# ---- pages and API ---------------------------------------------------------------------------------------------------


def test_reading_one_and_all(world: World, tell: Callable[[], list[Notification]]) -> None:
    for number in range(3):
        world.add_lead(email=f"p{number}@example.com")
    told = tell()
    client = Client()
    client.force_login(world.administrator)
    assert "3 unread notifications" in client.get("/notifications/bell/").content.decode()
    client.post("/notifications/read/", {"id": str(told[0].pk)})
    assert unread_count(world.administrator) == 2
    stranger = api(world.stranger).post(
        "/api/v1/notifications/read/", {"ids": [str(told[1].pk)]}, content_type="application/json"
    )
    assert (stranger.json(), unread_count(world.administrator)) == ({"read": 0}, 2)
    answer = api(world.administrator).post("/api/v1/notifications/read/", {}, content_type="application/json")
    assert (answer.json(), unread_count(world.administrator)) == ({"read": 2}, 0)
    assert "You have read everything" in client.get("/notifications/?unread=1").content.decode()


def test_bell_leads_nobody_anywhere(world: World) -> None:
    assert (Client().get("/notifications/bell/").status_code, Client().get("/notifications/").status_code) == (204, 302)
    center = world.account.business_center
    type(center).objects.filter(pk=center.pk).update(two_factor="downloaders")
    client = Client(headers={"HX-Request": "true"})
    client.force_login(world.administrator)
    assert client.get("/notifications/").headers.get("HX-Redirect", "").startswith("/settings/security/")
    answer = client.get("/notifications/bell/")
    assert (answer.status_code, "HX-Redirect" in answer.headers) == (204, False)


def test_settings_page_saves_every_kind(world: World) -> None:
    client = Client()
    client.force_login(world.administrator)
    client.post("/settings/notifications/", {"in_app_new_lead": "on", "by_mail_export": "on"})
    rows = api(world.administrator).get("/api/v1/notification-settings/").json()["results"]
    said = {row["kind"]: (row["in_app"], row["by_mail"]) for row in rows}
    assert said == dict.fromkeys(Kind.values, (False, False)) | {"new_lead": (True, False), "export": (False, True)}


@pytest.mark.parametrize("body", [{"kind": "nonsense"}, {"kind": "export", "by_mail": "yes"}, {}])
def test_a_wish_that_is_none_changes_nothing(world: World, body: dict[str, str]) -> None:
    before = api(world.administrator).get("/api/v1/notification-settings/").json()
    answer = api(world.administrator).patch("/api/v1/notification-settings/", body, content_type="application/json")
    assert answer.status_code == 400
    assert api(world.administrator).get("/api/v1/notification-settings/").json() == before


def test_listing_costs_the_same_for_one_and_many(world: World, tell: Callable[[], list[Notification]]) -> None:
    client = api(world.administrator)
    world.add_lead()
    tell()
    client.get("/api/v1/notifications/")
    with statements() as few:
        client.get("/api/v1/notifications/")
    for number in range(12):
        world.add_lead(email=f"p{number}@example.com")
    tell()
    with statements() as many:
        assert len(client.get("/api/v1/notifications/").json()["results"]) == 13
    assert len(many) == len(few)


def test_library_says_whether_names_may_be_mailed_only_for_its_holders(world: World) -> None:
    answer = api(world.operator).patch(
        f"/api/v1/libraries/{world.library.pk}/", {"mail_names": True}, content_type="application/json"
    )
    assert answer.status_code == 403
    assert not LeadLibrary.objects.get(pk=world.library.pk).mail_names


# ---- files -----------------------------------------------------------------------------------------------------------


def asked(world: World, selection: Selection | None = None, **wanted: object) -> Export:
    return request_export(
        actor=world.administrator,
        library=world.library,
        selection=selection or Selection(),
        **wanted,  # type: ignore[arg-type]
    )


def test_a_ready_file_is_mailed_by_default_with_a_link_to_its_page_and_no_more(
    world: World, tell: Callable[[], list[Notification]], settings: Settings, tmp_path: Path
) -> None:
    settings.EXPORTS_DIR = str(tmp_path)
    Lead.objects.filter(pk=world.add_lead().pk).update(source=Lead.Source.IMPORT)
    export = asked(world, layout="crm")
    run_due()
    [told] = tell()
    assert (told.kind, told.user, told.object_id, told.count) == (Kind.EXPORT, world.administrator, export.pk, 1)
    assert mailing.mail_due() == 1
    [sent] = mail.outbox
    assert sent.subject == "The file with 1 lead of Brand ads is ready"
    page = f"{settings.PUBLIC_URL.rstrip('/')}/l/{world.library.pk}/exports/"
    links = [line for line in str(sent.body).splitlines() if "://" in line]
    assert links[0] == page
    assert [link.rpartition(" ")[2].removeprefix(settings.PUBLIC_URL.rstrip("/")) for link in links[1:]] == [
        "/settings/notifications/"
    ]
    assert "Ann" not in str(sent.body)


def test_a_file_is_told_with_its_filter_and_nobody_is_named(
    world: World, tell: Callable[[], list[Notification]], settings: Settings, tmp_path: Path, client: Client
) -> None:
    settings.EXPORTS_DIR = str(tmp_path)
    Lead.objects.filter(pk=world.add_lead().pk).update(source=Lead.Source.IMPORT)
    words = words_of(world.library.pk, "ann@example.com")
    asked(world, Selection(form=world.form.pk, assignee=world.operator.pk, words=words))
    run_due()
    tell()
    about = "Assignee is somebody else; Form is Trial; a search"
    assert mailing.mail_due() == 1
    [sent] = mail.outbox
    assert f"Which leads: {about}" in str(sent.body).splitlines()
    client.force_login(world.administrator)
    assert f"<small>{about}</small>" in client.get("/notifications/").content.decode()
    [told] = client.get("/api/v1/notifications/").json()["results"]
    assert told["about"] == about
    for said in (str(sent.body), sent.subject):
        assert str(world.operator) not in said
        assert "ann@" not in said


def test_a_file_that_was_stopped_is_told_with_its_reason(
    world: World, tell: Callable[[], list[Notification]], settings: Settings, tmp_path: Path
) -> None:
    settings.EXPORTS_DIR = str(tmp_path)
    export = asked(world)
    Export.objects.filter(pk=export.pk).update(wrapped_key=None)
    run_due()
    [told] = tell()
    assert (told.kind, told.object_id) == (Kind.EXPORT, export.pk)
    mailing.mail_due()
    [sent] = mail.outbox
    assert sent.subject == (
        "A file with leads of Brand ads could not be made: Its key is gone. Nothing of it can be downloaded"
    )


def test_a_transfer_tells_nobody_of_the_old_side_about_the_file_that_it_stopped(
    world: World, tell: Callable[[], list[Notification]], settings: Settings, tmp_path: Path
) -> None:
    settings.EXPORTS_DIR = str(tmp_path)
    asked(world)
    world.hand_over()
    run_due()
    assert Export.objects.get().state == "failed"
    tell()
    mailing.mail_due()
    assert [one.subject for one in mail.outbox if "file" in one.subject] == []
    assert unread_count(world.administrator) == 0


def test_a_task_of_the_marketing_api_tells_nobody(
    world: World, tell: Callable[[], list[Notification]], settings: Settings, tmp_path: Path
) -> None:
    settings.EXPORTS_DIR = str(tmp_path)
    asked(world, layout="tiktok", is_task=True)
    stopped = asked(world, layout="tiktok", is_task=True)
    Export.objects.filter(pk=stopped.pk).update(wrapped_key=None)
    run_due()
    assert sorted(Export.objects.values_list("state", flat=True)) == ["done", "failed"]
    assert tell() == []
