"""Test leads: one per form, flagged, replaceable, in no count."""

import pytest
from django.test import Client

from accounts.models import User
from accounts.services.tokens import create_token
from forms_builder.measures import Counts, counts
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
