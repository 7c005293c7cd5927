"""The revocation list, a test for each line: what dies when leads access moves, and when a person loses a role.

Lines: sessions' cached role; API tokens; running exports at start, at each chunk, at download; finished files; CRM
connections; queued deliveries; mail that is written later; saved searches; what browsers keep; notes and assignees;
form edits that change where data goes. There is no CDN in front of pages with leads (they are no-store), no file link
with a right of its own, and the mail that an export is ready holds the address of a page. The address of a search holds
keyed digests of the library and asks like every page. What is saved carries the custody it was made in.
"""

import re
from collections.abc import Callable
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from django.core import mail
from django.db import transaction
from django.test import Client
from django.utils import timezone
from pytest_django import Settings

from accounts import audit
from accounts.access import Can, Refused, may
from accounts.models import AccountRole, Act, AuditEvent, BusinessCenterRole, LeadLibrary, Transfer, User
from accounts.refusals import Conflict
from accounts.services import ad_accounts, business_centers, people
from accounts.services.asking import ask_for_access, mail_asks
from accounts.services.transfers import accept_transfer, request_transfer
from forms_builder import services as forms
from leads import sealed_file
from leads.center.services import mailing, telling
from leads.crm.drain import drain
from leads.crm.services.connections import create_connection
from leads.exports import file
from leads.exports.services.asking import request_export
from leads.exports.services.handing_out import download
from leads.exports.services.running import run_due
from leads.models import Delivery, Export, Lead
from leads.selection import Selection
from leadscenter.lib.ids import id_at, new_id
from tests.callers import Caller
from tests.fakes.sink import Sink
from tests.world import CONTENT, World, make_world, person

CANARY = "Zedekiah Quux"


@dataclass
class Fall:
    """A way to lose the leads, and what `loser` gets from then on."""

    name: str
    happen: Callable[[World, User], None]
    status: int


def hand_over(world: World, _loser: User) -> None:
    world.hand_over()


def demote(world: World, loser: User) -> None:
    boss = User.objects.get(name="Boss")
    ad_accounts.set_member(actor=boss, ad_account=world.account, user=loser, role=AccountRole.ANALYST)


def remove(world: World, loser: User) -> None:
    ad_accounts.set_member(actor=User.objects.get(name="Boss"), ad_account=world.account, user=loser, role=None)


def switch_off(_world: World, loser: User) -> None:
    people.set_active(actor=None, user=loser, active=False)


FALLS = [
    Fall("transferred", hand_over, 403),
    Fall("demoted", demote, 403),
    Fall("removed", remove, 404),
    Fall("switched off", switch_off, 401),
]


@pytest.fixture(params=FALLS, ids=lambda fall: fall.name.replace(" ", "-"))
def fall(request: pytest.FixtureRequest) -> Fall:
    found: Fall = request.param
    return found


@pytest.fixture
def world(transactional_db: None, settings: Settings, tmp_path: Path) -> World:
    """Ada, who falls, is one of two Administrators: Eve stays."""
    settings.EXPORTS_DIR = str(tmp_path / "exports")
    world = make_world()
    ad_accounts.set_member(
        actor=world.administrator, ad_account=world.account, user=person("Eve"), role=AccountRole.ADMINISTRATOR
    )
    return world


def eve() -> User:
    return User.objects.get(name="Eve")


def library_of(world: World) -> LeadLibrary:
    return LeadLibrary.objects.select_related("ad_account", "custodian").get(pk=world.library.pk)


def page_of(user: User) -> Client:
    client = Client()
    client.force_login(user)
    return client


def nothing_of_the_lead(answer: Any) -> None:
    body = b"".join(answer.streaming_content) if answer.streaming else answer.content
    text = f"{dict(answer.headers)}\n{body.decode()}"
    assert CANARY not in text
    assert "zed@quux.example" not in text


def lead_of(world: World) -> Lead:
    return world.add_lead(name=CANARY, email="zed@quux.example")


def asked_export(world: World, actor: User) -> Export:
    return request_export(actor=actor, library=library_of(world), selection=Selection())


# ---- sessions, tokens ------------------------------------------------------------------------------------------------


def test_open_session_has_no_role_of_its_own(world: World, fall: Fall) -> None:
    lead, page = lead_of(world), page_of(world.administrator)
    addresses = [
        f"/l/{world.library.pk}/leads/",
        f"/l/{world.library.pk}/leads/{lead.pk}/",
        f"/l/{world.library.pk}/exports/",
    ]
    assert CANARY in page.get(addresses[0]).content.decode()
    fall.happen(world, world.administrator)
    for address in addresses:
        answer = page.get(address)
        assert answer.status_code == (302 if fall.status == 401 else fall.status), address
        nothing_of_the_lead(answer)


def test_token_asks_at_each_use(world: World, fall: Fall) -> None:
    lead, caller = lead_of(world), Caller(world.administrator)
    for path in (f"libraries/{world.library.pk}/leads/", f"leads/{lead.pk}/"):
        assert CANARY in caller.get(path).content.decode()
    fall.happen(world, world.administrator)
    for path in (f"libraries/{world.library.pk}/leads/", f"leads/{lead.pk}/", f"leads/{lead.pk}/notes/"):
        answer = caller.get(path)
        assert answer.status_code == fall.status
        nothing_of_the_lead(answer)


# ---- exports ---------------------------------------------------------------------------------------------------------


def test_export_that_waits_does_not_begin(world: World, fall: Fall) -> None:
    lead_of(world)
    export = asked_export(world, world.administrator)
    fall.happen(world, world.administrator)
    run_due()
    export.refresh_from_db()
    assert (export.state, export.rows, export.wrapped_key) == ("failed", 0, None)
    assert AuditEvent.objects.filter(act=Act.EXPORT_STOPPED, scope="library").count() == 1


def test_export_that_runs_stops_at_the_next_chunk(world: World, fall: Fall) -> None:
    for number in range(4):
        world.add_lead(email=f"a{number}@quux.example")
    export = asked_export(world, world.administrator)
    chunks: list[int] = []

    def after_chunk() -> None:
        chunks.append(1)
        if len(chunks) == 1:
            fall.happen(world, world.administrator)

    run_due(size=1, after_chunk=after_chunk)
    export.refresh_from_db()
    assert (len(chunks), export.state, export.rows, export.wrapped_key) == (1, "failed", 1, None)
    assert [path for path in file.folder().rglob("*") if path.is_file() and str(export.pk) in path.name] == []
    assert not AuditEvent.objects.filter(act=Act.EXPORT_MADE).exists()


def test_link_of_a_finished_file_dies(world: World, fall: Fall) -> None:
    lead_of(world)
    caller, page = Caller(world.administrator), page_of(world.administrator)
    export = asked_export(world, world.administrator)
    run_due()
    address = f"/l/{world.library.pk}/exports/{export.pk}/file/"
    assert CANARY in b"".join(page.get(address).streaming_content).decode()  # type: ignore[attr-defined]
    fall.happen(world, world.administrator)
    answer = caller.get(f"exports/{export.pk}/file/")
    assert answer.status_code == fall.status
    nothing_of_the_lead(answer)
    nothing_of_the_lead(page.get(address))


def test_file_lives_no_longer_than_the_right_of_who_asked_for_it(world: World, fall: Fall) -> None:
    lead_of(world)
    export = asked_export(world, world.administrator)
    run_due()
    other = Caller(eve())
    assert other.get(f"exports/{export.pk}/file/").status_code == 200
    fall.happen(world, world.administrator)
    answer = other.get(f"exports/{export.pk}/file/")
    assert answer.status_code == (403 if fall.name == "transferred" else 409)
    nothing_of_the_lead(answer)


def test_download_on_its_way_ends_before_the_next_piece(
    world: World, fall: Fall, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sealed_file, "RECORD_BYTES", 100)
    for number in range(4):
        world.add_lead(email=f"a{number}@quux.example")
    export = asked_export(world, world.administrator)
    run_due()
    export = Export.objects.select_related("library__ad_account", "library__custodian").get(pk=export.pk)
    parts = download(actor=world.administrator, export=export).parts
    assert 0 < len(next(parts)) <= 100
    fall.happen(world, world.administrator)
    with pytest.raises(Refused):
        next(parts)
    assert list(parts) == []


# ---- connections, deliveries -----------------------------------------------------------------------------------------


@pytest.fixture
def sink(settings: Settings) -> Any:
    settings.OUTBOUND_ALLOWED_HOSTS = ["127.0.0.1"]
    with Sink() as sink:
        yield sink


def test_connection_made_by_the_agency_gets_nothing_and_what_is_queued_waits(world: World, sink: Sink) -> None:
    made = create_connection(
        actor=world.administrator, library=world.library, kind="webhook", name="Agency CRM", url=sink.url
    ).connection
    queued = lead_of(world)
    world.hand_over()
    new = world.add_lead(email="new@quux.example")
    assert drain().attempts == 0
    assert sink.received == []
    rows = Delivery.objects.filter(lead_id__in=(queued.pk, new.pk))
    assert list(rows.values_list("state", "attempts")) == [("pending", 0)] * 2
    for who in (world.administrator, eve()):
        for act in ("confirm", "test", "resume", "backfill", "rotate-secret"):
            assert Caller(who).post(f"connections/{made.pk}/{act}/", {"waiting": "send"}).status_code == 403
        assert Caller(who).patch(f"connections/{made.pk}/", {"url": sink.url}).status_code == 403
    assert drain().attempts == 0
    brand = Caller(world.client_admin)
    assert brand.post(f"connections/{made.pk}/confirm/", {"waiting": "drop"}).status_code == 200
    assert drain().attempts == 0
    assert sink.received == []
    assert set(rows.values_list("state", flat=True)) == {"skipped"}


def test_person_who_falls_changes_no_connection(world: World, fall: Fall, sink: Sink) -> None:
    made = create_connection(
        actor=world.administrator, library=world.library, kind="webhook", name="CRM", url=sink.url
    ).connection
    caller = Caller(world.administrator)
    fall.happen(world, world.administrator)
    for act in ("test", "pause", "backfill", "rotate-secret", "confirm"):
        assert caller.post(f"connections/{made.pk}/{act}/", {"waiting": "send"}).status_code == fall.status
    assert caller.patch(f"connections/{made.pk}/", {"url": "https://elsewhere.example/"}).status_code == fall.status
    made.refresh_from_db()
    assert (made.url, made.state, made.custody) == (sink.url, "active", 1)
    assert sink.received == []


# ---- mail that is written later --------------------------------------------------------------------------------------


def test_mail_goes_to_who_holds_the_right_when_it_is_written(world: World, fall: Fall) -> None:
    ask_center = business_centers.create_business_center(name="Third", admin=person("Theo"))
    theo = User.objects.get(name="Theo")
    ask_for_access(actor=theo, business_center=ask_center, ad_account_number=world.account.pk)
    fall.happen(world, world.administrator)
    mail.outbox.clear()
    mail_asks()
    with transaction.atomic():
        audit.record(Act.CONNECTION_DISABLED, world.library, targets=[1])
    telling.tell_stretch(id_at(timezone.now() - timedelta(minutes=1)), new_id())
    mailing.mail_due()
    told = {address for message in mail.outbox for address in message.to}
    assert len(mail.outbox) == 2
    assert told == ({world.client_admin.email} if fall.name == "transferred" else {eve().email})


# ---- searches, browsers ----------------------------------------------------------------------------------------------


def test_address_of_a_search_opens_nothing(world: World, fall: Fall) -> None:
    lead_of(world)
    page = page_of(world.administrator)
    found = page.post(f"/l/{world.library.pk}/leads/search/", {"q": "zed@quux.example"})
    address = found["Location"]
    assert re.search(r"\?s=", address)
    assert CANARY in page.get(address).content.decode()
    fall.happen(world, world.administrator)
    answer = page.get(address)
    assert answer.status_code == (302 if fall.status == 401 else fall.status)
    nothing_of_the_lead(answer)


def test_browsers_keep_no_page_with_leads_and_drop_what_they_have(world: World) -> None:
    lead, page = lead_of(world), page_of(world.administrator)
    for address in ("leads/", f"leads/{lead.pk}/", "exports/", "integrations/", "activity/", "access/", "privacy/"):
        answer = page.get(f"/l/{world.library.pk}/{address}")
        assert answer.status_code == 200
        assert "no-store" in answer["Cache-Control"], address
    assert "no-store" in Caller(world.administrator).get(f"leads/{lead.pk}/")["Cache-Control"]
    world.hand_over()
    refused = page.get(f"/l/{world.library.pk}/leads/{lead.pk}/")
    assert (refused.status_code, refused["Clear-Site-Data"]) == (403, '"cache"')
    assert "no-store" in refused["Cache-Control"]


# ---- notes, assignees ------------------------------------------------------------------------------------------------


def test_neither_note_nor_assignment_gives_a_right(world: World, fall: Fall) -> None:
    lead, caller = lead_of(world), Caller(world.administrator)
    assert caller.patch(f"leads/{lead.pk}/", {"assignee": str(world.administrator.pk)}).status_code == 200
    assert caller.post(f"leads/{lead.pk}/notes/", {"text": "mine"}).status_code == 201
    fall.happen(world, world.administrator)
    for path in (f"leads/{lead.pk}/", f"leads/{lead.pk}/notes/", f"leads/{lead.pk}/timeline/"):
        answer = caller.get(path)
        assert answer.status_code == fall.status
        assert "mine" not in answer.content.decode()
        nothing_of_the_lead(answer)
    assert not may(User.objects.get(pk=world.administrator.pk), Can.VIEW_LEADS, library_of(world))
    holder = world.client_admin if fall.name == "transferred" else eve()
    seen = Caller(holder).get(f"leads/{lead.pk}/").json()
    assert seen["assignee"] == str(world.administrator.pk)  # shown, not rewritten
    body = {"assignee": str(world.administrator.pk)}
    other = world.add_lead(email="b@quux.example")
    assert Caller(holder).patch(f"leads/{other.pk}/", body).status_code == 400


# ---- form edits, transfers under way ---------------------------------------------------------------------------------


def test_form_edit_that_moves_data_waits_after_a_transfer(world: World) -> None:
    boss = User.objects.get(name="Boss")
    business_centers.accept_terms(actor=boss, business_center=world.account.business_center)
    forms.save_draft(
        actor=world.operator, form=world.form, content=CONTENT | {"privacy_policy_url": "https://elsewhere.example/"}
    )
    world.hand_over()
    assert forms.publish(actor=world.operator, form=world.form).status == "awaiting_approval"
    world.form.refresh_from_db()
    assert world.form.published == world.version


@pytest.mark.parametrize("fall", FALLS[1:], ids=lambda fall: fall.name.replace(" ", "-"))
def test_transfer_that_was_asked_for_by_who_lost_the_right_cannot_be_accepted(world: World, fall: Fall) -> None:
    transfer = request_transfer(actor=world.administrator, library=world.library, business_center=world.client)
    fall.happen(world, world.administrator)
    with pytest.raises(Conflict) as conflict:
        accept_transfer(actor=world.client_admin, transfer=transfer)
    assert conflict.value.code == "transfer_orphaned"
    assert library_of(world).custody == 1
    assert not may(world.client_admin, Can.VIEW_LEADS, library_of(world))
    assert Transfer.objects.get().state == "requested"


def test_admin_of_the_custodian_who_falls_reaches_no_lead(world: World) -> None:
    lead = lead_of(world)
    world.hand_over()
    second = person("Cleo")
    for role in (BusinessCenterRole.ADMIN, BusinessCenterRole.STANDARD, None):
        business_centers.set_member(actor=world.client_admin, business_center=world.client, user=second, role=role)
        if role == BusinessCenterRole.ADMIN:
            caller, page = Caller(second), page_of(second)
            export = asked_export(world, second)
            run_due()
            assert CANARY in caller.get(f"leads/{lead.pk}/").content.decode()
        else:
            status = 403 if role else 404
            for path in (f"leads/{lead.pk}/", f"exports/{export.pk}/file/"):
                answer = caller.get(path)
                assert answer.status_code == status
                nothing_of_the_lead(answer)
            assert page.get(f"/l/{world.library.pk}/leads/").status_code == status
