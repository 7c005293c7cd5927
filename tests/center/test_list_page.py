"""The page of the list: views, columns, names found, rows changed in their place, work on many."""

from datetime import timedelta
from typing import Any

import pytest
from django.test import Client
from django.utils import timezone

from accounts.models import AccountRole, Act, AuditEvent, User
from accounts.services.shares import set_leads_too
from leads.center.services import bulk
from leads.center.services.labelling import delete_label
from leads.center.services.working import Change, change_leads
from leads.center.views import listing
from leads.models import Delivery, Export, Label, Lead, LeadLabel, SavedView
from leads.selection import Selection
from tests.center.test_pages import signed_in
from tests.security.scene import lend
from tests.world import World, make_world, says

pytestmark = pytest.mark.django_db


@pytest.fixture
def world() -> World:
    return make_world()


@pytest.fixture
def client(world: World) -> Client:
    return signed_in(world.administrator)


def url(world: World, rest: str = "") -> str:
    return f"/l/{world.library.pk}/leads/{rest}"


def shown(answer: Any) -> list[int]:
    return [row.id for row in answer.context["page"].rows]


def test_the_columns_of_the_address_are_shown_in_its_order(world: World, client: Client) -> None:
    world.add_lead()
    answer = client.get(url(world, "?cols=region,status,nonsense,region"))
    heads = [column.key for column in answer.context["page"].heads]
    assert heads == ["region", "status"]
    text = answer.content.decode()
    assert text.index('class="c-region"') < text.index('class="c-status"')
    assert 'class="c-clock"' not in text
    moved = client.get(url(world, "?col=region&col=status&move=status:-1&test=0"))
    assert moved.headers["Location"] == url(world, "?test=0&cols=status%2Cregion")


def test_a_name_or_an_id_narrows_the_list_and_stands_as_an_id_in_the_address(world: World, client: Client) -> None:
    by_ad, other = world.add_lead(with_ad=True), world.add_lead()
    for typed, place in (
        ("trial", f"form={world.form.pk}"),
        (str(world.form.pk), f"form={world.form.pk}"),
        ("Spring", f"campaign={world.ad.ad_group.campaign_id}"),
        ("ad group: parents", f"ad_group={world.ad.ad_group_id}"),
        ("Blue", f"ad={world.ad.pk}"),
        (str(other.pk), f"lead={other.pk}"),
        (f"assignee: {world.administrator}", f"assignee={world.administrator.pk}"),
    ):
        answer = client.post(url(world, "search/"), {"q": typed})
        assert answer.headers["Location"] == url(world, f"?{place}"), typed
    found = client.post(url(world, "search/"), {"q": "Blue"}, follow=True)
    assert shown(found) == [by_ad.pk]
    person = client.post(url(world, "search/"), {"q": "ann@example.com"})
    assert "?s=" in person.headers["Location"]
    assert not says(person.headers["Location"], "ann")


def test_names_of_ours_are_offered_and_nothing_of_a_lead(world: World, client: Client) -> None:
    world.add_lead(name="Zedekiah Quux", email="zed@quux.example")
    change_leads(
        actor=world.administrator,
        library=world.library,
        lead_ids=[Lead.objects.get().pk],
        change=Change(labels=["call back"]),
    )
    text = client.get(url(world, "names/")).content.decode()
    for offered in ("form: Trial", "campaign: Spring", "ad group: Parents", "ad: Blue", "label: call back"):
        assert f'value="{offered}"' in text
    assert "Zedekiah" not in text
    assert "quux" not in text


def test_a_view_is_saved_opened_changed_and_deleted(world: World, client: Client) -> None:
    lead = world.add_lead()
    world.add_lead()
    change_leads(
        actor=world.administrator, library=world.library, lead_ids=[lead.pk], change=Change(status="qualified")
    )
    saved = client.post(
        url(world, "views/"), {"name": "Good", "status": "qualified", "is_default": "on", "pinned": "1"}
    )
    view = SavedView.objects.get()
    assert saved.headers["Location"] == url(world, f"?status=qualified&view={view.pk}")
    first = client.get(url(world))
    assert first.headers["Location"] == saved.headers["Location"]
    page = client.get(saved.headers["Location"])
    assert shown(page) == [lead.pk]
    assert (page.context["page"].open_view.mine, page.context["page"].open_view.changed) == (True, False)
    counts = client.get(url(world, f"counts/?status=qualified&view={view.pk}")).content.decode()
    assert "1 of 2 leads" in counts
    assert 'Good <span class="n">1</span>' in counts
    other = client.get(url(world, f"?status=raw&view={view.pk}"))
    assert other.context["page"].open_view.changed
    client.post(url(world, f"views/{view.pk}/"), {"act": "update", "status": "raw", "view": str(view.pk)})
    client.post(url(world, f"views/{view.pk}/"), {"name": "Fresh", "shared": "on"})
    view.refresh_from_db()
    assert (view.name, view.query, view.shared, view.pinned, view.is_default) == (
        "Fresh", {"status": "raw"}, True, False, False,
    )  # fmt: skip
    gone = client.post(url(world, f"views/{view.pk}/"), {"act": "delete"})
    assert gone.headers["Location"] == url(world, "?view=all")
    assert not SavedView.objects.exists()


@pytest.mark.parametrize("place", ["", "board/"])
def test_a_view_whose_label_is_gone_opens_over_all_leads_and_can_be_mended(
    world: World, client: Client, place: str
) -> None:
    lead, other = world.add_lead(), world.add_lead()
    hot = Change(labels=["hot"])
    change_leads(actor=world.administrator, library=world.library, lead_ids=[lead.pk], change=hot)
    client.post(url(world, "views/"), {"name": "Hot ones", "label": "hot", "is_default": "on", "pinned": "1"})
    view = SavedView.objects.get()
    first = client.get(url(world, place)).headers["Location"]
    assert shown(client.get(first)) == [lead.pk]
    delete_label(actor=world.administrator, label=Label.objects.get())
    answer = client.get(first)
    assert (answer.status_code, set(shown(answer))) == (200, {lead.pk, other.pk})
    assert "that this view names is gone" in answer.content.decode()
    assert (answer.context["page"].open_view.name, answer.context["page"].open_view.changed) == ("Hot ones", True)
    assert client.get(answer.context["page"].counts_url).status_code == 200
    assert client.get(url(world, f"{place}?label={view.query['label']}")).status_code == 404  # without a view
    stranger = signed_in(world.stranger)
    assert stranger.get(first).status_code == 404
    client.post(url(world, "bulk/" + "?" + first.partition("?")[2]), {"scope": "all", "act": "delete"})
    assert not Lead.objects.filter(state="trashed").exists()  # an act asked for with the old filter takes no other
    client.post(url(world, f"views/{view.pk}/"), {"act": "update", "view": str(view.pk)})
    mended = client.get(url(world, place), follow=True)
    assert "that this view names is gone" not in mended.content.decode()
    assert SavedView.objects.get().query == {}


def test_the_views_count_what_their_links_lead_to(world: World, client: Client) -> None:
    lead, _other = world.add_lead(), world.add_lead()
    counted = client.get(url(world, f"counts/?lead={lead.pk}"))
    views = {view.key: view for view in counted.context["page"]["views"]}
    assert (views["all"].url, views["all"].count, views["raw"].count) == (url(world), "2", "2")
    assert "1 of 2 leads" in counted.content.decode()


def test_the_list_says_how_many_people_see_it_beyond_those_it_offers(
    world: World, client: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(listing, "PEOPLE_OFFERED", 0)
    world.add_lead()
    assert "1 person can see these leads" in client.get(url(world)).content.decode()


def test_a_partner_is_offered_nothing_that_would_be_refused(world: World, client: Client) -> None:
    world.add_lead()
    share = lend(world, "Lena", AccountRole.ADMINISTRATOR)
    set_leads_too(actor=world.administrator, share=share, leads_too=True)
    partner = signed_in(share.partner.members.get().user)
    seen_by_all, seen_by_some = (
        'value="delete"',
        ('value="resend"', f'class="link" href="/l/{world.library.pk}/access/"'),
    )
    for who, some in ((client, True), (partner, False)):
        text = who.get(url(world)).content.decode()
        assert seen_by_all in text
        assert [part in text for part in seen_by_some] == [some, some]


def test_a_row_is_changed_in_its_place_and_comes_back_masked(world: World, client: Client) -> None:
    lead = world.add_lead()
    at = url(world, f"{lead.pk}/row/?cols=status,labels")
    answer = client.post(at, {"status": "contacted"}, headers={"HX-Request": "true"})
    text = answer.content.decode()
    assert (answer.status_code, text.count("<tr"), "Contacted" in text) == (200, 1, True)
    assert "ann@example.com" not in text
    client.post(at, {"label_on": "hot"}, headers={"HX-Request": "true"})
    assert [row.label.name for row in lead.labelled.all()] == ["hot"]
    client.post(at, {"label_off": "hot"}, headers={"HX-Request": "true"})
    assert not lead.labelled.exists()
    assert client.post(at, {"assignee": "none"}).headers["Location"] == url(world, f"{lead.pk}/?cols=status%2Clabels")
    for wrong in ({"status": "lost"}, {"assignee": "x"}, {"label_off": "a\x00b"}, {"label_on": "a@b.example"}):
        assert client.post(at, wrong, headers={"HX-Request": "true"}).status_code == 400
    lead.refresh_from_db()
    assert (lead.status, lead.labelled.count()) == ("contacted", 0)


def test_all_that_match_are_worked_through_in_steps_that_each_say_how_far(
    world: World, client: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(bulk, "MOST_AT_ONCE", 2)
    for _ in range(5):
        world.add_lead()
    kept = world.add_lead(is_test=True)
    data: dict[str, Any] = {"scope": "all", "status": "qualified"}
    answer = client.post(url(world, "bulk/?status=raw&test=0"), data)
    assert "2 of 5 leads are done" in answer.content.decode()
    for done in (4, 5):
        carried = dict(answer.context["progress"].carried)
        answer = client.post(answer.context["progress"].url, carried)
        assert Lead.objects.filter(status="qualified").count() == done
    assert answer.headers["Location"] == url(world)
    assert Lead.objects.get(pk=kept.pk).status == "raw"


def test_labels_are_taken_off_many_and_only_from_those_that_carry_them(world: World, client: Client) -> None:
    ids = [world.add_lead().pk for _ in range(3)]
    change_leads(actor=world.administrator, library=world.library, lead_ids=ids[:2], change=Change(labels=["hot", "b"]))
    before = {lead.pk: lead.changes for lead in Lead.objects.all()}
    client.post(url(world, "bulk/"), {"ids": ids, "act": "unlabel", "label_text": "hot"})
    after = {lead.pk: lead.changes for lead in Lead.objects.all()}
    assert [after[pk] - before[pk] for pk in ids] == [1, 1, 0]
    names = {pk: [row.label.name for row in Lead.objects.get(pk=pk).labelled.all()] for pk in ids}
    assert names == {ids[0]: ["b"], ids[1]: ["b"], ids[2]: []}


def test_the_chosen_leads_are_exported_and_no_others(world: World, client: Client) -> None:
    ids = [world.add_lead().pk for _ in range(3)]
    answer = client.post(url(world, "bulk/"), {"ids": ids[:2], "act": "export"})
    assert answer.headers["Location"] == f"/l/{world.library.pk}/exports/"
    assert Export.objects.get().filter == {"state": "live", "leads": ids[:2]}
    assert AuditEvent.objects.filter(act=Act.EXPORT_REQUESTED).count() == 1


def test_failed_deliveries_of_the_chosen_leads_go_again(world: World, client: Client) -> None:
    hook = world.connect()
    failed, other, done = (world.add_lead().pk for _ in range(3))
    rows = Delivery.objects.filter(connection=hook)
    rows.filter(lead_id__in=[failed, other]).update(state="dead", attempts=9, settled_at=timezone.now())
    rows.filter(lead_id=done).update(state="done")
    client.post(url(world, "bulk/"), {"ids": [failed, done], "act": "resend"})
    assert dict(rows.values_list("lead_id", "state")) == {failed: "pending", other: "dead", done: "done"}
    assert AuditEvent.objects.filter(act=Act.DELIVERY_RESENT).count() == 1


def test_density_is_kept_in_the_profile(world: World, client: Client) -> None:
    client.post("/settings/appearance/", {"density": "compact"})
    assert User.objects.get(pk=world.administrator.pk).density == "compact"
    assert 'data-density="compact"' in client.get(url(world)).content.decode()
    client.post("/settings/appearance/", {"density": "tiny"})
    assert User.objects.get(pk=world.administrator.pk).density == "compact"


def test_a_deletion_of_many_is_undone_from_its_message(world: World, client: Client) -> None:
    ids = [world.add_lead().pk for _ in range(60)]
    before = [world.add_lead().pk for _ in range(2)]
    client.post(url(world, "bulk/"), {"ids": before, "act": "delete"})
    client.post(url(world, "bulk/"), {"ids": ids, "act": "delete"})
    assert Lead.objects.filter(state="trashed").count() == 62
    text = client.get(url(world)).content.decode()
    client.post(f"{url(world, 'bulk/')}?undo={before[0]}")  # the message of an earlier one
    assert Lead.objects.filter(state="trashed").count() == 62
    undo = f"{url(world, 'bulk/')}?undo={ids[0]}"
    assert f'action="{undo}"' in text
    client.post(undo)
    assert set(Lead.objects.filter(state="live").values_list("pk", flat=True)) == set(ids)
    client.post(undo)
    client.post(f"{url(world, 'bulk/')}?undo=x")
    assert Lead.objects.filter(state="live").count() == 60


def test_an_order_that_leaves_leads_out_leaves_them_out_of_everything_done_with_it(
    world: World, client: Client
) -> None:
    due, calm, changed = world.add_lead(), world.add_lead(), world.add_lead()
    Lead.objects.filter(pk__in=[calm.pk, changed.pk]).update(attention_at=timezone.now() + timedelta(days=9))
    Lead.objects.filter(pk=changed.pk).update(status="qualified", status_changed_at=timezone.now())
    everything = {"scope": "all", "act": "label", "label_text": "hot"}
    client.post(url(world, "bulk/?sort=attention"), everything)
    assert [row.lead_id for row in LeadLabel.objects.all()] == [due.pk]
    text = client.get(url(world, "?sort=attention")).content.decode()
    assert '<input type="hidden" name="sort" value="attention">' in text
    client.post(url(world, "download/"), {"sort": "attention"})
    client.post(url(world, "download/"), {"sort": "change"})
    asked = [Selection.from_json(row.filter) for row in Export.objects.order_by("pk")]
    held = [list(one.apply(Lead.objects.filter(library=world.library)).values_list("pk", flat=True)) for one in asked]
    assert held == [[due.pk], [changed.pk]]
    client.post(url(world, "bulk/?sort=change"), {"scope": "all", "act": "delete"})
    assert [lead.pk for lead in Lead.objects.filter(state="trashed")] == [changed.pk]


def test_what_is_filtered_is_said_unless_the_open_view_says_it(world: World, client: Client) -> None:
    world.add_lead()

    def said(query: str) -> list[str]:
        page = client.get(url(world, query)).context["page"]
        return [f"{chip.field} {chip.value}" for chip in page.chips]

    assert said("?status=raw") == []
    assert said("?status=raw&assignee=me") == ["Assignee is you"]
    assert said("?sort=attention&status=contacted&assignee=none") == ["Status is Contacted", "Assignee is nobody"]
    assert said("?sort=change") == ["Status has changed"]
    [chip] = client.get(url(world, "?sort=change")).context["page"].chips
    assert "sort" not in chip.remove


def test_a_version_goes_with_the_form_that_is_taken_off(world: World, client: Client) -> None:
    world.add_lead()
    answer = client.get(url(world, "?form=&version=1"))
    assert (answer.status_code, [chip.field for chip in answer.context["page"].chips]) == (200, [])


def test_the_trash_is_filtered_and_stays_the_trash(world: World, client: Client) -> None:
    Lead.objects.filter(pk=world.add_lead().pk).update(state="trashed", trashed_at=timezone.now())
    page = client.get(url(world, "?state=trashed")).context["page"]
    assert ("state", "trashed") in page.kept_items
    assert "state" not in [choice.name for choice in page.choices]
    assert client.get(url(world, "?state=quarantined")).context["page"].downloadable is False


def test_all_that_a_search_finds_is_worked_through_in_steps(
    world: World, client: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(bulk, "MOST_AT_ONCE", 2)
    for number in range(5):
        world.add_lead(name="Hedda Long", email=f"h{number}@example.com")
    other = world.add_lead(name="Bob Short", email="bob@example.com")
    found = client.post(url(world, "search/"), {"q": "Hedda"}).headers["Location"]
    answer = client.post(url(world, f"bulk/?{found.partition('?')[2]}"), {"scope": "all", "status": "qualified"})
    while answer.status_code == 200:
        progress = answer.context["progress"]
        answer = client.post(progress.url, dict(progress.carried))
    assert set(Lead.objects.filter(status="raw").values_list("pk", flat=True)) == {other.pk}
