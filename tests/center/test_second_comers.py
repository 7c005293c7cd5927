"""Acts on leads that a colleague, or one's own second press, was quicker with: it is told, and nothing is done."""

from typing import Any
from urllib.parse import urlencode

import pytest
from django.test import Client
from django.utils import timezone

from leads.center.services.deleting import delete_leads
from leads.center.services.working import Change, change_leads
from leads.center.views import rows
from leads.models import Lead, LeadLabel
from tests.accounts.signing import age
from tests.center.test_list_page import url
from tests.center.test_pages import signed_in
from tests.world import World

pytestmark = pytest.mark.django_db


@pytest.fixture
def client(world: World) -> Client:
    return signed_in(world.administrator)


def test_a_row_that_is_not_changed_says_why(world: World, client: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    lead, gone, foreign = world.add_lead(), world.add_lead(), world.add_lead()
    Lead.objects.filter(pk=gone.pk).update(state="trashed", trashed_at=timezone.now())
    Lead.objects.filter(pk=foreign.pk).update(library=world.stranger_library)
    change_leads(
        actor=world.administrator, library=world.library, lead_ids=[lead.pk], change=Change(status="converted")
    )
    before = [(row.status, row.assignee_id, row.changes) for row in Lead.objects.order_by("pk")]

    def said(pk: int, **posted: Any) -> tuple[int, str, str]:
        answer = client.post(url(world, f"{pk}/row/?status=raw"), posted, headers={"HX-Request": "true"})
        return answer.status_code, answer["Content-Type"].partition(";")[0], answer.content.decode()

    taken = said(lead.pk, status="qualified", was="raw")
    assert taken == (409, "text/plain", "Somebody gave this lead another status meanwhile. Nothing was changed.")
    stranger = said(lead.pk, assignee=str(world.stranger.pk))
    assert stranger == (400, "text/plain", "Choose somebody who may view the leads of this library.")
    told = "This lead is no longer here. It may be in the trash."
    for pk in (gone.pk, foreign.pk, 1):
        assert said(pk, status="qualified") == (404, "text/plain", told)
        plain = client.post(url(world, f"{pk}/row/?status=raw"), {"status": "qualified"}, follow=True)
        assert plain.redirect_chain == [(url(world, "?status=raw"), 302)]
        assert told in plain.content.decode()
    assert [(row.status, row.assignee_id, row.changes) for row in Lead.objects.order_by("pk")] == before
    monkeypatch.setattr(
        rows,
        "change_leads",
        lambda **asked: delete_leads(actor=asked["actor"], library=asked["library"], lead_ids=asked["lead_ids"]),
    )  # a colleague, at that moment
    assert said(lead.pk, status="raw") == (404, "text/plain", told)


def test_whoever_comes_second_is_told_and_nothing_is_done(world: World, client: Client) -> None:
    first, second, other = (world.add_lead().pk for _ in range(3))
    place = url(world, "?status=raw")
    delete_leads(actor=world.administrator, library=world.library, lead_ids=[first])
    told = "Some of these leads are no longer here. Nothing was changed"
    for act in ({"act": "delete"}, {"status": "qualified"}, {"act": "label", "label_text": "hot"}):
        answer = client.post(url(world, "bulk/"), {"ids": [first, second], "next": place, **act}, follow=True)
        assert answer.redirect_chain == [(place, 302)]
        assert told in answer.content.decode()
    assert set(Lead.objects.filter(state="live", status="raw").values_list("pk", flat=True)) == {second, other}
    assert not LeadLabel.objects.exists()
    again = client.post(url(world, f"{first}/delete/"), {"next": place}, follow=True)
    assert (again.redirect_chain, "This lead is no longer here" in again.content.decode()) == ([(place, 302)], True)
    back = client.post(url(world, f"{second}/restore/"), {"next": place}, follow=True)
    assert (back.redirect_chain, "not in the trash any more" in back.content.decode()) == ([(place, 302)], True)
    assert signed_in(world.stranger).post(url(world, f"{first}/delete/")).status_code == 404
    assert set(Lead.objects.filter(state="live").values_list("pk", flat=True)) == {second, other}


def test_whoever_has_to_confirm_between_steps_comes_back_to_the_list(world: World, client: Client) -> None:
    age(client)
    step = {"scope": "all", "act": "delete", "done": "1000", "next": url(world, "?status=raw")}
    bulk_page = url(world, "bulk/?status=raw")
    asked = client.post(bulk_page, step, headers={"Referer": f"http://testserver{bulk_page}"})
    assert asked["Location"] == "/reauthenticate/?" + urlencode({"next": url(world, "?status=raw")})
