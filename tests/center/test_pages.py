"""The pages of a library: who sees what, what leaves a trace, and that addresses hold no value."""

import re

import pytest
from django.test import Client
from django.utils.html import escape

from accounts.models import AccountRole, Act, AuditEvent, Transfer, User
from accounts.services.ad_accounts import set_member
from accounts.services.people import set_active
from leads.center.services.deleting import delete_leads
from leads.models import Export, Label, Lead
from tests.counting import statements
from tests.world import World, person, says

pytestmark = pytest.mark.django_db


def signed_in(user: User) -> Client:
    client = Client()
    client.force_login(user)
    return client


def leads_url(world: World, rest: str = "") -> str:
    return f"/l/{world.library.pk}/leads/{rest}"


def acts(world: World) -> list[str]:
    events = AuditEvent.objects.filter(scope="library", scope_id=world.library.pk).order_by("id")
    return list(events.values_list("act", flat=True))


def test_list_shows_names_and_masks_contact_details(world: World) -> None:
    lead = world.add_lead(with_ad=True)
    answer = signed_in(world.administrator).get(leads_url(world))
    page = answer.content.decode()
    assert "Ann Example" in page
    assert "a•••@example.com" in page
    assert "ann@example.com" not in page
    assert "+4915112345678" not in page
    assert "no-store" in answer["Cache-Control"]
    event = AuditEvent.objects.get(act=Act.LEADS_LISTED)
    assert list(event.targets.values_list("object_id", flat=True)) == [lead.pk]


def test_list_of_nothing_says_what_to_do(world: World) -> None:
    assert "No leads yet" in signed_in(world.administrator).get(leads_url(world)).content.decode()


def test_list_without_a_match_names_the_filter(world: World) -> None:
    world.add_lead()
    page = signed_in(world.administrator).get(leads_url(world, "?test=1")).content.decode()
    assert "No lead matches" in page
    assert "Clear the filters" in page


def test_operator_is_told_why_and_who_can_help(world: World) -> None:
    world.add_lead()
    answer = signed_in(world.operator).get(leads_url(world))
    page = answer.content.decode()
    assert answer.status_code == 403
    assert "Your role shows numbers, not people" in page
    assert str(world.administrator) in page
    assert "view_leads" in page
    assert not says(page, "Ann")
    assert acts(world)[-1] == Act.REFUSED


def test_stranger_finds_nothing(world: World) -> None:
    world.add_lead()
    assert signed_in(world.stranger).get(leads_url(world)).status_code == 404


def test_search_leads_to_an_address_without_the_value(world: World) -> None:
    world.add_lead()
    world.add_lead(name="Ben Other", email="ben@example.com", phone="+4915187654321")
    client = signed_in(world.administrator)
    answer = client.post(leads_url(world, "search/"), {"q": "ann@example.com"})
    assert answer.status_code == 302
    assert not says(answer["Location"], "ann")
    page = client.get(answer["Location"]).content.decode()
    assert "Ann Example" in page
    assert "Ben Other" not in page


def test_lead_opens_masked_and_is_revealed_with_a_trace(world: World) -> None:
    lead = world.add_lead(with_ad=True)
    client = signed_in(world.administrator)
    page = client.get(leads_url(world, f"{lead.pk}/")).content.decode()
    assert "A quiet room" in page
    assert "ann@example.com" not in page
    assert Act.LEAD_REVEALED not in acts(world)
    page = client.post(leads_url(world, f"{lead.pk}/reveal/")).content.decode()
    assert "ann@example.com" in page
    assert "tel:+4915112345678" in page
    assert Act.LEAD_REVEALED in acts(world)


def test_timeline_says_the_same_once(world: World) -> None:
    lead = world.add_lead()
    client = signed_in(world.administrator)
    for _look in range(3):
        page = client.get(leads_url(world, f"{lead.pk}/")).content.decode()
    timeline = page[page.index('id="timeline"') : page.index('id="seen"')]
    assert timeline.count("opened this lead") == 1
    assert "3 times, first" in page


def test_reveal_by_a_link_is_not_possible(world: World) -> None:
    lead = world.add_lead()
    assert signed_in(world.administrator).get(leads_url(world, f"{lead.pk}/reveal/")).status_code == 405


def test_htmx_gets_the_drawer_alone(world: World) -> None:
    lead = world.add_lead()
    client = signed_in(world.administrator)
    part = client.get(leads_url(world, f"{lead.pk}/"), headers={"HX-Request": "true"})
    assert part.content.decode().lstrip().startswith("<aside")
    assert part["Vary"].startswith("HX-Request")
    whole = client.get(leads_url(world, f"{lead.pk}/")).content.decode()
    assert "<aside" in whole
    assert "<!doctype html>" in whole


def test_status_assignee_label_and_note_are_changed_from_the_drawer(world: World) -> None:
    lead = world.add_lead()
    client = signed_in(world.administrator)
    client.post(leads_url(world, f"{lead.pk}/change/"), {"status": "qualified"})
    client.post(leads_url(world, f"{lead.pk}/change/"), {"assignee": str(world.administrator.pk)})
    client.post(leads_url(world, f"{lead.pk}/change/"), {"label_on": "call back"})
    client.post(leads_url(world, f"{lead.pk}/note/"), {"text": "Prefers mornings"})
    lead.refresh_from_db()
    assert (lead.status, lead.assignee_id) == ("qualified", world.administrator.pk)
    page = client.get(leads_url(world, f"{lead.pk}/")).content.decode()
    assert "call back" in page
    assert "Prefers mornings" in page
    client.post(leads_url(world, f"{lead.pk}/change/"), {"label_off": "call back"})
    assert "Take the label" not in client.get(leads_url(world, f"{lead.pk}/")).content.decode()


def test_deleted_lead_is_in_the_trash_and_comes_back(world: World) -> None:
    lead = world.add_lead()
    client = signed_in(world.administrator)
    answer = client.post(leads_url(world, f"{lead.pk}/delete/"), {"next": "https://elsewhere.example/"}, follow=True)
    assert answer.redirect_chain == [(leads_url(world), 302)]
    assert f"/leads/{lead.pk}/restore/" in answer.content.decode()  # undo, in the toast
    assert "Ann Example" in client.get(leads_url(world, "?state=trashed")).content.decode()
    client.post(leads_url(world, f"{lead.pk}/restore/"))
    lead.refresh_from_db()
    assert lead.state == Lead.State.LIVE


def test_bulk_changes_the_chosen_leads_only(world: World) -> None:
    chosen, other = world.add_lead(), world.add_lead(name="Ben Other", email="ben@example.com")
    client = signed_in(world.administrator)
    client.post(leads_url(world, "bulk/"), {"ids": [str(chosen.pk)], "status": "contacted"})
    assert Lead.objects.get(pk=chosen.pk).status == "contacted"
    assert Lead.objects.get(pk=other.pk).status == "raw"


def test_bulk_reaches_all_that_match_the_filter(world: World) -> None:
    for number in range(3):
        world.add_lead(name=f"Lead {number}", email=f"lead{number}@example.com", with_ad=number == 0)
    client = signed_in(world.administrator)
    url = leads_url(world, f"bulk/?ad={world.ad.pk}")
    client.post(url, {"scope": "all", "status": "qualified"})
    assert Lead.objects.filter(status="qualified").count() == 1
    client.post(leads_url(world, "bulk/"), {"scope": "all", "status": "contacted"})
    assert Lead.objects.filter(status="contacted").count() == 3


def test_bulk_delete_by_an_operator_is_refused(world: World) -> None:
    lead = world.add_lead()
    answer = signed_in(world.operator).post(leads_url(world, "bulk/"), {"ids": [str(lead.pk)], "act": "delete"})
    assert answer.status_code == 403
    assert Lead.objects.get().state == Lead.State.LIVE


def test_bulk_restore_empties_the_trash_view(world: World) -> None:
    lead = world.add_lead()
    delete_leads(actor=world.administrator, library=world.library, lead_ids=[lead.pk])
    signed_in(world.administrator).post(leads_url(world, "bulk/"), {"ids": [str(lead.pk)], "act": "restore"})
    assert Lead.objects.get().state == Lead.State.LIVE


def test_download_asks_for_an_export_of_what_is_shown(world: World) -> None:
    world.add_lead()
    signed_in(world.administrator).post(leads_url(world, "download/"), {"status": "raw"})
    assert Export.objects.get().filter["status"] == "raw"


def test_counts_come_in_a_request_of_their_own(world: World) -> None:
    world.add_lead()
    client = signed_in(world.administrator)
    assert "counts/" in client.get(leads_url(world)).content.decode()
    views = client.get(leads_url(world, "counts/")).content.decode()
    assert re.search(r"All\s*<span class=\"n\">1</span>", views)


def test_overview_is_for_every_role_and_names_no_lead(world: World) -> None:
    world.add_lead(with_ad=True)
    for user in (world.administrator, world.operator, world.analyst):
        answer = signed_in(user).get(f"/a/{world.account.pk}/overview/")
        assert answer.status_code == 200
        assert not says(answer.content.decode(), "Ann")
    assert signed_in(world.stranger).get(f"/a/{world.account.pk}/overview/").status_code == 404


def test_access_page_lists_people_and_what_they_did(world: World) -> None:
    world.add_lead()
    client = signed_in(world.administrator)
    client.get(leads_url(world))
    page = client.get(f"/l/{world.library.pk}/access/").content.decode()
    assert str(world.administrator) in page
    assert "1 Operator, 1 Analyst" in page
    assert signed_in(world.analyst).get(f"/l/{world.library.pk}/access/").status_code == 403


def test_reading_the_activity_is_in_the_activity(world: World) -> None:
    client = signed_in(world.administrator)
    client.get(f"/l/{world.library.pk}/activity/")
    assert "read the trail" in client.get(f"/l/{world.library.pk}/activity/").content.decode()


def test_transfer_asks_for_the_name_before_it_is_sent(world: World) -> None:
    client = signed_in(world.administrator)
    url = f"/l/{world.library.pk}/transfer/"
    assert "There is no Business Center with this id" in client.get(f"{url}?to=17").content.decode()
    assert world.client.name in client.get(f"{url}?to={world.client.pk}").content.decode()
    wrong = client.post(url, {"to": world.client.pk, "typed": "yes"})
    assert (wrong.status_code, Transfer.objects.count()) == (400, 0)
    client.post(url, {"to": world.client.pk, "typed": world.account.name})
    assert Transfer.objects.get().to_business_center == world.client
    assert signed_in(world.operator).get(url).status_code == 403


@pytest.mark.parametrize("rows", [1, 50])
def test_list_asks_the_same_number_of_queries(world: World, rows: int) -> None:
    for number in range(rows):
        world.add_lead(name=f"Lead {number}", email=f"lead{number}@example.com", with_ad=True)
    client = signed_in(world.administrator)
    client.get(leads_url(world))
    with statements() as spoken:
        client.get(leads_url(world))
    assert len(spoken) == 19, "\n".join(sql[:150] for sql in spoken)


def test_second_administrator_counts_while_they_can_sign_in(world: World) -> None:
    second = person("Second")
    set_member(actor=world.administrator, ad_account=world.account, user=second, role=AccountRole.ADMINISTRATOR)

    def done() -> bool:
        page = signed_in(world.administrator).get(f"/l/{world.library.pk}/overview/")
        return any(todo.done for todo in page.context["page"].todos if todo.label == "Have a second Administrator")

    assert done() is True
    set_active(actor=None, user=second, active=False)
    assert done() is False


@pytest.mark.parametrize(
    ("back", "undo"), [("?status=raw", "?status=raw"), ("board/?status=raw", "?status=raw&board=1")]
)
def test_undo_of_a_deletion_leads_back_beside_the_same_list(world: World, back: str, undo: str) -> None:
    lead, client = world.add_lead(), signed_in(world.administrator)
    answer = client.post(leads_url(world, f"{lead.pk}/delete/"), {"next": leads_url(world, back)}, follow=True)
    action = f'action="{escape(leads_url(world, f"{lead.pk}/restore/{undo}"))}"'
    assert action in answer.content.decode()
    back_there = client.post(leads_url(world, f"{lead.pk}/restore/{undo}"))
    assert back_there["Location"] == leads_url(world, f"{lead.pk}/{undo}")
    lead.refresh_from_db()
    assert lead.state == "live"


ASKED_FIRST = (
    ("get", "leads/counts/", "label=hot", "label=cold"),
    ("post", "leads/download/", "label=hot", "label=cold"),
    ("get", "leads/board/", "label=hot&column=raw&cursor=x", "label=cold&column=raw&cursor=x"),
    ("get", "leads/board/", "state=trashed", "state=live"),
    ("get", "/api/v1/libraries/{}/leads/counts/", "label=hot", "label=cold"),
    ("get", "activity/", "act=lead_opened", "act=nonsense"),
)


@pytest.mark.parametrize(("method", "path", "there", "absent"), ASKED_FIRST)
def test_the_right_is_asked_before_a_filter_is_read(
    world: World, method: str, path: str, there: str, absent: str
) -> None:
    Label.objects.create(library=world.library, name="hot")
    headers = {"HX-Request": "true"}
    for somebody, library, status in (
        (world.operator, world.library.pk, 403),
        (world.stranger, world.library.pk, 404),
        (world.stranger, 1, 404),
    ):
        client = signed_in(somebody)
        at = path.format(library) if path.startswith("/") else f"/l/{library}/{path}"
        for query in (there, absent, "status=nonsense", "form=x"):
            if method == "post":
                answer = client.post(at, dict(pair.split("=") for pair in query.split("&")), headers=headers)
            else:
                answer = client.get(f"{at}?{query}", headers=headers)
            assert answer.status_code == status, query
