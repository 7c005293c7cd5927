"""Test leads: one per form, flagged, replaceable, in no count."""

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor

import pytest
from django.db import connections
from django.test import Client

from accounts.models import Act, AuditEvent, User
from accounts.refusals import Conflict
from accounts.services.tokens import create_token
from forms_builder.measures import Counts, counts
from leads.center.services.deleting import delete_leads, restore_leads
from leads.center.services.testing import create_test_lead
from leads.models import Lead
from tests.world import World, make_form, make_world

pytestmark = pytest.mark.django_db


@pytest.fixture
def world() -> World:
    return make_world()


def api(user: User) -> Client:
    return Client(headers={"Authorization": f"Bearer {create_token(user=user, name='t')[1]}"})


def states(world: World) -> list[tuple[int, str]]:
    return list(Lead.objects.filter(library=world.library, is_test=True).order_by("pk").values_list("pk", "state"))


def test_a_new_test_lead_takes_the_place_of_the_one_before(world: World) -> None:
    real = world.add_lead()
    first = create_test_lead(actor=world.administrator, form=world.form)
    other_form, _version = make_form(world.account, "Other")
    other = create_test_lead(actor=world.administrator, form=other_form)
    second = create_test_lead(actor=world.administrator, form=world.form)
    assert states(world) == [(first.pk, "trashed"), (other.pk, "live"), (second.pk, "live")]
    real.refresh_from_db()
    assert real.state == "live"
    assert counts([world.form.pk])[None] == Counts(open=1, start=1, submit=1, test=2)


def test_replaced_one_is_not_put_back_beside_its_successor(world: World) -> None:
    actor, library = world.administrator, world.library
    first = create_test_lead(actor=actor, form=world.form)
    second = create_test_lead(actor=actor, form=world.form)
    real = world.add_lead()
    delete_leads(actor=actor, library=library, lead_ids=[real.pk])
    with pytest.raises(Conflict, match="has one test lead at a time"):
        restore_leads(actor=actor, library=library, lead_ids=[first.pk, real.pk])
    assert states(world) == [(first.pk, "trashed"), (second.pk, "live")]
    real.refresh_from_db()
    assert real.state == "trashed"
    assert not AuditEvent.objects.filter(act=Act.LEADS_RESTORED).exists()
    answer = api(actor).post(f"/api/v1/leads/{first.pk}/restore/")
    assert (answer.status_code, "one test lead at a time" in answer.json()["detail"]) == (409, True)
    client = Client()
    client.force_login(actor)
    page = client.post(f"/l/{library.pk}/leads/{first.pk}/restore/", follow=True).content.decode()
    assert "has one test lead at a time" in page
    assert states(world) == [(first.pk, "trashed"), (second.pk, "live")]

    # Nor two at once; one of them comes back alone.
    delete_leads(actor=actor, library=library, lead_ids=[second.pk])
    with pytest.raises(Conflict):
        restore_leads(actor=actor, library=library, lead_ids=[first.pk, second.pk])
    restore_leads(actor=actor, library=library, lead_ids=[first.pk])
    assert states(world) == [(first.pk, "live"), (second.pk, "trashed")]


@pytest.mark.django_db(transaction=True)
def test_form_has_one_whoever_comes_at_the_same_moment() -> None:
    world = make_world()
    actor = world.administrator
    first = create_test_lead(actor=actor, form=world.form)
    second = create_test_lead(actor=actor, form=world.form)
    delete_leads(actor=actor, library=world.library, lead_ids=[second.pk])

    def put_back(lead: Lead) -> None:
        restore_leads(actor=actor, library=world.library, lead_ids=[lead.pk])

    def send(_: Lead) -> None:
        create_test_lead(actor=actor, form=world.form)

    def attempt(work: Callable[[Lead], None], lead: Lead) -> bool:
        try:
            work(lead)
        except Conflict:
            return False
        finally:
            connections.close_all()
        return True

    with ThreadPoolExecutor(4) as pool:
        done = list(pool.map(attempt, (put_back, put_back, send, send), (first, second, first, second)))
    assert done[2:] == [True, True]
    assert [state for _pk, state in states(world)].count("live") == 1


def test_page_of_a_form_sends_one_and_shows_it(world: World) -> None:
    client = Client()
    client.force_login(world.administrator)
    address = f"/l/{world.library.pk}/forms/{world.form.pk}/test-lead/"
    assert address in client.get(f"/a/{world.account.pk}/forms/{world.form.pk}/review/").content.decode()
    answer = client.post(address)
    [(lead_id, state)] = states(world)
    assert (answer["Location"], state) == (f"/l/{world.library.pk}/leads/{lead_id}/", "live")
    operator = Client()
    operator.force_login(world.operator)
    assert address not in operator.get(f"/a/{world.account.pk}/forms/{world.form.pk}/review/").content.decode()
    assert operator.post(address).status_code == 403
    assert states(world) == [(lead_id, "live")]


def test_api_reads_and_deletes_it(world: World) -> None:
    client, path = api(world.administrator), f"/api/v1/forms/{world.form.pk}/test-lead/"
    assert client.get(path).status_code == 404
    made = client.post(path).json()
    assert (client.get(path).json()["id"], made["is_test"]) == (made["id"], True)
    assert (client.delete(path).status_code, client.delete(path).status_code) == (204, 404)
    assert states(world) == [(int(made["id"]), "trashed")]


def test_who_may_not_neither_reads_nor_deletes_it(world: World) -> None:
    lead = create_test_lead(actor=world.administrator, form=world.form)
    path = f"/api/v1/forms/{world.form.pk}/test-lead/"
    for user, status in ((world.operator, 403), (world.stranger, 404)):
        assert [api(user).get(path).status_code, api(user).delete(path).status_code] == [status, status]
        assert str(lead.pk) not in api(user).get(path).content.decode()
    assert states(world) == [(lead.pk, "live")]
