"""What was made before a transfer and outlives its request: files, jobs, the trail; and who holds the leads after."""

from pathlib import Path
from typing import Any

import pytest
from django.test import Client
from pytest_django.fixtures import Settings

from accounts.access import Can, holders
from accounts.models import Act, AuditEvent, LeadLibrary, User
from accounts.services.tokens import create_token
from leads.exports import file
from leads.exports.services.asking import request_export
from leads.exports.services.running import run_due
from leads.models import Export
from leads.selection import Selection
from tests.world import World, make_world

CANARY = "Zedekiah Quux"


@pytest.fixture
def world(db: None, settings: Settings, tmp_path: Path) -> World:
    settings.EXPORTS_DIR = str(tmp_path / "exports")
    return make_world()


class Person:
    """Somebody with one session and one token, both made before anything moves."""

    def __init__(self, user: User) -> None:
        self.browser = Client()
        self.browser.force_login(user)
        raw = create_token(user=user, name="script")[1]
        self.script = Client(headers={"Authorization": f"Bearer {raw}"})
        self.marketing = Client(headers={"Access-Token": raw})


def text_of(answer: Any) -> str:
    body = b"".join(answer.streaming_content) if answer.streaming else answer.content
    return f"{dict(answer.headers)}\n{body.decode()}"


def made_file(world: World, actor: User) -> Export:
    library = LeadLibrary.objects.get(pk=world.library.pk)
    export = request_export(actor=actor, library=library, selection=Selection())
    run_due()
    export.refresh_from_db()
    assert export.state == "done"
    return export


def test_file_made_before_is_dead_for_both_sides(world: World) -> None:
    world.add_lead(name=CANARY)
    export = made_file(world, world.administrator)
    agency, brand = Person(world.administrator), Person(world.client_admin)
    world.hand_over()
    for who in (agency, brand):
        answer = who.script.get(f"/api/v1/exports/{export.pk}/file/")
        assert answer.status_code == 403
        assert CANARY not in text_of(answer)


def test_export_that_waits_or_runs_stops_at_its_next_chunk(world: World) -> None:
    for number in range(4):
        world.add_lead(email=f"z{number}@quux.example")
    waiting = request_export(actor=world.administrator, library=world.library, selection=Selection())
    running = request_export(actor=world.administrator, library=world.library, selection=Selection())
    handed: list[bool] = []

    def after_chunk() -> None:
        if not handed:
            handed.append(True)
            world.hand_over()

    run_due(size=1, after_chunk=after_chunk)
    for export in (waiting, running):
        export.refresh_from_db()
        assert export.state == "failed"
        assert "transferred" in export.failure
        assert not [path for path in file.folder().rglob("*") if path.is_file() and str(export.pk) in path.name]
    assert not AuditEvent.objects.filter(act=Act.EXPORT_MADE).exists()


def test_person_who_lost_the_right_gets_no_file_from_the_job(world: World) -> None:
    world.add_lead(name=CANARY)
    export = request_export(actor=world.administrator, library=world.library, selection=Selection())
    User.objects.filter(pk=world.administrator.pk).update(is_active=False)
    run_due()
    export.refresh_from_db()
    assert export.state == "failed"


def test_holders_are_the_brands_admins_alone(world: World) -> None:
    world.hand_over()
    for can in (Can.VIEW_LEADS, Can.DOWNLOAD_LEADS, Can.DELETE_LEADS, Can.CONNECT_CRM, Can.HAND_OVER):
        assert list(holders(world.library, can)) == [world.client_admin]


def test_trail_moves_with_the_library_and_the_agency_keeps_its_accounts(world: World) -> None:
    lead = world.add_lead(name=CANARY)
    agency, brand = Person(world.administrator), Person(world.client_admin)
    agency.browser.get(f"/l/{world.library.pk}/leads/{lead.pk}/")
    world.hand_over()
    trail = brand.browser.get(f"/l/{world.library.pk}/activity/").content.decode()
    assert "Ada" in trail  # who looked before
    assert agency.browser.get(f"/l/{world.library.pk}/activity/").status_code == 403
    own = agency.script.get(f"/api/v1/ad-accounts/{world.account.pk}/audit-events/")
    assert own.status_code == 200
    acts = {row["act"] for row in own.json()["results"]}
    assert Act.TRANSFER_ACCEPTED in acts
    assert not acts & {Act.LEAD_OPENED, Act.LEADS_LISTED}
