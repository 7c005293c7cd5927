"""Labels: made, renamed and deleted for all leads, by page and by API."""

import pytest
from django.test import Client

from accounts.models import Act, AuditEvent
from accounts.services.tokens import create_token
from leads.center.services.working import Change, change_leads
from leads.models import Label, Lead, LeadLabel
from tests.counting import statements
from tests.world import World, make_world

pytestmark = pytest.mark.django_db


@pytest.fixture
def world() -> World:
    """A world with three leads, two labelled "call back" and one of them a test lead."""
    world = make_world()
    leads = [world.add_lead(email=f"p{number}@example.com") for number in range(3)]
    change_leads(
        actor=world.administrator,
        library=world.library,
        lead_ids=[lead.pk for lead in leads[:2]],
        change=Change(labels=["call back"]),
    )
    Lead.objects.filter(pk=leads[1].pk).update(is_test=True)
    return world


def page(world: World) -> Client:
    client = Client()
    client.force_login(world.administrator)
    return client


def api(world: World) -> Client:
    return Client(headers={"Authorization": f"Bearer {create_token(user=world.administrator, name='t')[1]}"})


def names(world: World) -> list[str]:
    return list(Label.objects.filter(library=world.library).order_by("name").values_list("name", flat=True))


def test_labels_are_listed_with_their_leads_and_without_tests(world: World) -> None:
    label = Label.objects.get()
    answer = api(world).get(f"/api/v1/libraries/{world.library.pk}/labels/").json()
    assert answer["results"] == [{"id": str(label.pk), "name": "call back", "leads": 1, "more": False}]
    assert f'?label={label.pk}">1<' in page(world).get(f"/l/{world.library.pk}/labels/").content.decode()


def test_renaming_keeps_the_label_on_its_leads(world: World) -> None:
    label = Label.objects.get()
    answer = page(world).post(f"/l/{world.library.pk}/labels/{label.pk}/", {"name": " ring again "})
    assert answer.status_code == 302
    assert names(world) == ["ring again"]
    assert LeadLabel.objects.filter(label=label).count() == 2
    event = AuditEvent.objects.get(act=Act.LIBRARY_CHANGED)
    assert (event.detail, list(event.targets.values_list("object_id", flat=True))) == (
        {"label": "renamed"},
        [label.pk],
    )


def test_the_page_asks_before_it_deletes_a_label_and_says_how_many_leads_carry_it(world: World) -> None:
    label = Label.objects.get()
    said = page(world).get(f"/l/{world.library.pk}/labels/").content.decode()
    asked = said.partition(f'action="/l/{world.library.pk}/labels/{label.pk}/delete/"')
    assert asked[0].rpartition("<details")[2].count("</details>") == 0
    assert "It is taken off 1 lead, which stays. This cannot be undone." in asked[2].partition("</form>")[0]


def test_deleting_takes_the_label_off_and_keeps_the_leads(world: World) -> None:
    label = Label.objects.get()
    assert api(world).delete(f"/api/v1/labels/{label.pk}/").status_code == 204
    assert (names(world), LeadLabel.objects.count(), Lead.objects.count()) == ([], 0, 3)
    assert api(world).delete(f"/api/v1/labels/{label.pk}/").status_code == 404


@pytest.mark.parametrize("name", ["", "   ", "x" * 41, "ann@example.com", "nul\x00"])
def test_a_name_that_is_none_makes_nothing(world: World, name: str) -> None:
    answer = api(world).post(
        f"/api/v1/libraries/{world.library.pk}/labels/", {"name": name}, content_type="application/json"
    )
    assert (answer.status_code, list(answer.json()["errors"])) == (400, ["name"])
    assert names(world) == ["call back"]


def test_a_name_that_is_there_is_told_and_changes_nothing(world: World) -> None:
    Label.objects.create(library=world.library, name="hot")
    label = Label.objects.get(name="hot")
    answer = api(world).patch(f"/api/v1/labels/{label.pk}/", {"name": "call back"}, content_type="application/json")
    assert answer.status_code == 409
    made = page(world).post(f"/l/{world.library.pk}/labels/", {"name": "hot"})
    assert made.status_code == 400
    assert "There is a label “hot” already." in made.content.decode()
    assert names(world) == ["call back", "hot"]


def test_a_label_of_another_library_is_not_there(world: World) -> None:
    foreign = Label.objects.create(library=world.stranger_library, name="theirs")
    assert api(world).patch(f"/api/v1/labels/{foreign.pk}/", {"name": "mine"}).status_code == 404
    mine = page(world).post(f"/l/{world.library.pk}/labels/{foreign.pk}/", {"name": "mine"})
    assert mine.status_code == 404
    foreign.refresh_from_db()
    assert foreign.name == "theirs"


def test_listing_costs_the_same_for_many_labels(world: World) -> None:
    client, address = api(world), f"/api/v1/libraries/{world.library.pk}/labels/"
    client.get(address)
    with statements() as few:
        client.get(address)
    Label.objects.bulk_create([Label(library=world.library, name=f"l{number}") for number in range(30)])
    with statements() as many:
        assert len(client.get(address).json()["results"]) == 31
    assert len(many) == len(few)
