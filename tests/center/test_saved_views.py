"""Saved views: whose they are, what they hold, whom they are shown to, and that they end with the custody."""

from typing import Any

import pytest
from django.test import Client

from accounts.models import AccountRole, LeadLibrary
from accounts.services.shares import set_leads_too
from accounts.services.tokens import create_token
from leads.center.selectors.counting import counted
from leads.center.selectors.saved import SHOWN_AT_MOST, saved_views
from leads.center.services.saving import MOST_OF_A_PERSON, ViewChange, save_view
from leads.center.services.working import Change, change_leads
from leads.models import Label, SavedView
from leads.vault.walking import words_of
from tests.security.scene import lend
from tests.world import World, make_world

pytestmark = pytest.mark.django_db


@pytest.fixture
def world() -> World:
    return make_world()


def api(world: World, user: Any = None) -> Client:
    return Client(headers={"Authorization": f"Bearer {create_token(user=user or world.administrator, name='t')[1]}"})


def send(world: World, body: dict[str, Any], *, view: str = "", user: Any = None) -> Any:
    client = api(world, user)
    if view:
        return client.patch(f"/api/v1/views/{view}/", body, content_type="application/json")
    return client.post(f"/api/v1/libraries/{world.library.pk}/views/", body, content_type="application/json")


def test_a_view_keeps_filter_order_and_columns_and_counts_its_leads(world: World) -> None:
    leads = [world.add_lead().pk for _ in range(3)]
    world.add_lead(is_test=True)
    change_leads(
        actor=world.administrator, library=world.library, lead_ids=leads[:2], change=Change(status="qualified")
    )
    query = {"status": "qualified", "sort": "change", "cols": "status,clock", "strange": "1", "assignee": "none"}
    made = send(world, {"name": " Good ones ", "query": query, "is_default": True})
    assert made.status_code == 201
    view = SavedView.objects.get()
    kept = {"status": "qualified", "assignee": "none", "sort": "change", "cols": "status,clock"}
    assert made.json() == {
        "id": str(view.pk), "owner": str(world.administrator.pk), "name": "Good ones", "query": kept, "leads": 2,
        "shared": False, "pinned": True, "is_default": True,
    }  # fmt: skip
    listed = api(world).get(f"/api/v1/libraries/{world.library.pk}/views/").json()
    assert listed == {"results": [made.json()], "next": None, "previous": None}


def test_what_was_searched_is_kept_as_digests_and_never_as_typed(world: World) -> None:
    search = ".".join(word.encode() for word in words_of(world.library.pk, "ann example"))
    made = send(world, {"name": "A search", "query": {"s": search, "q": "ann example"}})
    assert made.json()["query"] == {"s": search}
    assert made.json()["leads"] is None


@pytest.mark.parametrize(
    ("body", "field"),
    [
        ({"name": ""}, "name"),
        ({"name": "x" * 41}, "name"),
        ({"name": "ann@example.com"}, "name"),
        ({"name": "+49 151 1234567"}, "name"),
        ({"name": 3}, "name"),
        ({"name": "a", "query": []}, "query"),
        ({"name": "a", "query": {"status": "new"}}, "status"),
        ({"name": "a", "shared": "yes"}, "shared"),
        ({"name": "a", "owner": "1"}, "owner"),
    ],
)
def test_a_view_that_cannot_be_is_refused_with_the_field(world: World, body: dict[str, Any], field: str) -> None:
    answer = send(world, body)
    assert (answer.status_code, set(answer.json()["errors"])) == (400, {field})
    assert not SavedView.objects.exists()


def test_one_view_is_the_first_shown_and_names_are_used_once(world: World) -> None:
    first = send(world, {"name": "One", "is_default": True}).json()["id"]
    second = send(world, {"name": "Two", "is_default": True}).json()["id"]
    assert list(SavedView.objects.filter(is_default=True).values_list("pk", flat=True)) == [int(second)]
    assert send(world, {"name": "Two"}, view=first).status_code == 409
    assert send(world, {"name": "One"}).status_code == 409
    changed = send(world, {"name": "Three", "shared": True, "pinned": False, "query": {"label": ""}}, view=first)
    assert (changed.status_code, changed.json()["name"], changed.json()["shared"]) == (200, "Three", True)
    assert api(world).delete(f"/api/v1/views/{second}/").status_code == 204
    assert list(SavedView.objects.values_list("name", flat=True)) == ["Three"]


def test_a_shared_view_is_used_by_the_others_and_changed_by_its_maker_alone(world: World) -> None:
    share = lend(world, "Lena", AccountRole.ADMINISTRATOR)
    set_leads_too(actor=world.administrator, share=share, leads_too=True)
    helper = share.partner.members.get().user
    private = send(world, {"name": "Private"}).json()["id"]
    shared = send(world, {"name": "Shared", "shared": True}).json()["id"]
    assert [view.name for view in saved_views(helper, world.library)] == ["Shared"]
    assert send(world, {"name": "Mine now"}, view=private, user=helper).status_code == 404
    refused = send(world, {"name": "Mine now"}, view=shared, user=helper)
    assert (refused.status_code, "alone changes it" in refused.json()["detail"]) == (403, True)
    assert api(world, helper).delete(f"/api/v1/views/{shared}/").status_code == 403
    assert sorted(SavedView.objects.values_list("name", flat=True)) == ["Private", "Shared"]


def test_a_view_of_an_earlier_custody_is_not_there_any_more(world: World) -> None:
    view = send(world, {"name": "Old", "shared": True}).json()["id"]
    assert len(saved_views(world.administrator, world.library)) == 1
    LeadLibrary.objects.filter(pk=world.library.pk).update(custody=world.library.custody + 1)
    library = LeadLibrary.objects.select_related("ad_account").get(pk=world.library.pk)
    assert saved_views(world.administrator, library) == []
    assert send(world, {"name": "New"}, view=view).status_code == 404


def test_own_views_are_there_however_many_others_share(world: World) -> None:
    own = save_view(actor=world.administrator, library=world.library, change=ViewChange("zz"))
    theirs = {"library": world.library, "custody": world.library.custody, "owner": world.operator, "shared": True}
    SavedView.objects.bulk_create([SavedView(**theirs, name=f"a{number:02}") for number in range(SHOWN_AT_MOST)])
    found = saved_views(world.administrator, world.library)
    assert ([view.name for view in found[:2]], len(found)) == (["zz", "a00"], SHOWN_AT_MOST)
    assert found[0] == own


def test_views_are_counted_together_and_what_names_the_gone_is_not(world: World) -> None:
    lead, _other = world.add_lead(), world.add_lead()
    label = Label.objects.create(library=world.library, name="hot")
    change_leads(actor=world.administrator, library=world.library, lead_ids=[lead.pk], change=Change(labels=["hot"]))
    theirs = Label.objects.create(library=world.stranger_library, name="theirs")
    queries = {
        "by id": {"label": str(label.pk)},
        "by name": {"label": "hot"},
        "by form": {"form": str(world.form.pk), "label": "hot"},
        "of others": {"label": str(theirs.pk)},
        "gone": {"label": "hot", "campaign": "1"},
        "bad": {"form": "x"},
    }
    found = counted(world.administrator, world.library, queries)
    assert {key: tab.count for key, tab in found.items()} == {"by id": 1, "by name": 1, "by form": 1}
    Label.objects.create(library=world.library, name=str(label.pk))  # a name goes before an id
    assert counted(world.administrator, world.library, queries)["by id"].count == 0


def test_a_person_keeps_thirty_views(world: World) -> None:
    for number in range(MOST_OF_A_PERSON):
        save_view(actor=world.administrator, library=world.library, change=ViewChange(f"v{number}"))
    assert send(world, {"name": "one more"}).status_code == 409
    assert SavedView.objects.count() == MOST_OF_A_PERSON
