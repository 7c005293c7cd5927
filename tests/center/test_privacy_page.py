from datetime import timedelta

import pytest
from django.test import Client
from django.utils import timezone

from accounts.models import Act, AuditEvent, LeadLibrary, User
from leads.models import Lead
from tests.accounts.signing import age
from tests.callers import Caller
from tests.world import World, make_world

pytestmark = pytest.mark.django_db


@pytest.fixture
def world() -> World:
    """A world with one lead of today and one of forty days ago, besides a test lead, which is in no count."""
    world = make_world()
    world.add_lead()
    for is_test in (False, True):
        old = world.add_lead(email="old@example.com", is_test=is_test)
        Lead.objects.filter(pk=old.pk).update(received_at=timezone.now() - timedelta(days=40))
    return world


def signed_in(user: User) -> Client:
    client = Client()
    client.force_login(user)
    return client


def settings_of(world: World) -> tuple[int, int]:
    library = LeadLibrary.objects.get(pk=world.library.pk)
    return library.retention_days, library.contact_goal_minutes


def test_settings_are_saved_and_traced(world: World) -> None:
    client = signed_in(world.administrator)
    page = client.get(f"/l/{world.library.pk}/privacy/").content.decode()
    assert 'value="90"' in page
    assert "the order by urgency follows, for all leads" in page
    answer = client.post(f"/l/{world.library.pk}/privacy/", {"retention_days": "60", "contact_goal_minutes": "30"})
    assert answer.status_code == 302
    assert settings_of(world) == (60, 30)
    event = AuditEvent.objects.get(act=Act.LIBRARY_CHANGED)
    assert (event.scope_id, event.detail) == (world.library.pk, {"retention_days": 60, "contact_goal_minutes": 30})


def test_a_time_that_deletes_leads_is_confirmed_first(world: World) -> None:
    client, values = signed_in(world.administrator), {"retention_days": "30", "contact_goal_minutes": "60"}
    page = client.post(f"/l/{world.library.pk}/privacy/", values).content.decode()
    assert "1 lead is older than 30 days" in page
    assert settings_of(world) == (90, 60)
    assert client.post(f"/l/{world.library.pk}/privacy/", {**values, "confirm": "on"}).status_code == 302
    assert settings_of(world) == (30, 60)


@pytest.mark.parametrize("days", ["0", "3651", "", "x"])
def test_bad_values_are_400_and_change_nothing(world: World, days: str) -> None:
    values = {"retention_days": days, "contact_goal_minutes": "60"}
    answer = signed_in(world.administrator).post(f"/l/{world.library.pk}/privacy/", values)
    assert answer.status_code == 400
    assert settings_of(world) == (90, 60)


def test_nobody_else_sees_or_sets_it(world: World) -> None:
    values = {"retention_days": "1", "contact_goal_minutes": "1", "confirm": "on"}
    for somebody, status in (
        (world.operator, 403),
        (world.analyst, 403),
        (world.stranger, 404),
        (world.client_admin, 404),
    ):
        client = signed_in(somebody)
        assert client.get(f"/l/{world.library.pk}/privacy/").status_code == status
        assert client.post(f"/l/{world.library.pk}/privacy/", values).status_code == status
    world.hand_over()
    assert signed_in(world.administrator).post(f"/l/{world.library.pk}/privacy/", values).status_code == 403
    assert signed_in(world.client_admin).get(f"/l/{world.library.pk}/privacy/").status_code == 200
    assert settings_of(world) == (90, 60)


def test_leads_are_kept_for_less_time_after_a_fresh_proof_alone(world: World) -> None:
    client, path = signed_in(world.administrator), f"/api/v1/libraries/{world.library.pk}/"
    age(client)

    def ask(**values: object) -> int:
        return client.patch(path, values, content_type="application/json").status_code

    posted = {"retention_days": "30", "contact_goal_minutes": "60", "confirm": "on"}
    answer = client.post(f"/l/{world.library.pk}/privacy/", posted)
    assert answer["Location"].startswith("/reauthenticate/")
    assert ask(retention_days=89) == 403
    assert settings_of(world) == (90, 60)
    assert not AuditEvent.objects.filter(act=Act.LIBRARY_CHANGED).exists()
    assert (ask(retention_days=91), ask(contact_goal_minutes=30)) == (200, 200)
    assert settings_of(world) == (91, 30)
    token = Caller(world.administrator)
    assert token.patch(f"libraries/{world.library.pk}/", {"retention_days": 30}).status_code == 200
    assert settings_of(world) == (30, 30)
