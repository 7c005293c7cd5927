"""The filter menu and the search of the list by name: what is chosen stays chosen, what is named is not guessed."""

from typing import Any
from urllib.parse import urlencode

import pytest
from django.test import Client
from django.utils import timezone
from django.utils.html import escape

from accounts.refusals import Invalid
from campaigns.models import Ad, AdGroup, Campaign
from leads.center.selectors import listing as selectors_listing
from leads.center.services.working import Change, add_note, change_leads
from leads.center.views import listing
from leads.models import Label, LeadLabel
from leads.selection import Selection, with_search
from leads.vault.models import Note
from leads.vault.regions import alias_of
from tests.center.test_list_page import shown, url
from tests.center.test_pages import signed_in
from tests.world import World

pytestmark = pytest.mark.django_db


@pytest.fixture
def client(world: World) -> Client:
    return signed_in(world.administrator)


def test_equal_names_are_offered_to_choose_from_and_none_is_taken_silently(world: World, client: Client) -> None:
    summer = Campaign.objects.create(
        ad_account=world.account, name="<Summer>", budget_cents=1, starts_on=timezone.now()
    )
    group = AdGroup.objects.create(campaign=summer, name="Friends")
    twin = Ad.objects.create(ad_group=group, form=world.form, name="blue")
    texts = [f"ad: Blue (Parents, Spring) #{world.ad.pk}", f"ad: blue (Friends, <Summer>) #{twin.pk}"]
    offered = client.get(url(world, "names/")).content.decode()
    assert all(f'value="{escape(text)}"' in offered for text in texts)
    assert 'value="ad group: Parents"' in offered
    for typed in ("Blue", "ad: blue"):
        answer = client.post(url(world, "search/"), {"q": typed, "status": "raw", "cols": "status"})
        assert answer.headers["Location"] == url(world, "?status=raw&cols=status")
        told = client.get(answer.headers["Location"]).content.decode()
        assert "More than one is called so" in told
        for one, text in zip((world.ad, twin), texts, strict=True):
            link = escape(url(world, f"?status=raw&ad={one.pk}&cols=status"))
            assert f'<a class="link" href="{link}">{escape(text)}</a>' in told
    for one, text in zip((world.ad, twin), texts, strict=True):
        assert client.post(url(world, "search/"), {"q": text}).headers["Location"] == url(world, f"?ad={one.pk}")
    with pytest.raises(Invalid) as refused:
        with_search(Selection(), world.library, "Blue")
    assert all(text in refused.value.errors["q"] for text in texts)


def test_the_filter_menu_keeps_what_its_lists_are_too_short_for(
    world: World, client: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(listing, "PEOPLE_OFFERED", 0)
    chosen = world.add_lead(with_ad=True)
    change = Change(labels=["zz last"], assignee=world.administrator.pk)
    change_leads(actor=world.administrator, library=world.library, lead_ids=[chosen.pk], change=change)
    Ad.objects.filter(pk=world.ad.pk).update(name="Zz last")
    for number in range(100):
        Label.objects.create(library=world.library, name=f"label {number}")
        Ad.objects.create(ad_group=world.ad.ad_group, name=f"Ad {number}", form=world.form)
    label = Label.objects.get(name="zz last")
    given = {"ad": world.ad.pk, "label": label.pk, "assignee": world.administrator.pk, "region": "eu,us"}
    query = urlencode(given)
    page = client.get(url(world, f"?{query}")).context["page"]
    offered = {choice.name: (choice.value, dict(choice.options).get(choice.value)) for choice in page.choices}
    assert {name: offered[name] for name in given} == {
        "ad": (str(world.ad.pk), "Zz last"),
        "label": (str(label.pk), "zz last"),
        "assignee": (str(world.administrator.pk), str(world.administrator)),
        "region": ("eu,us", "Europe, United States"),
    }
    assert shown(client.get(url(world, "?" + urlencode({**sent_by_the_menu(page), "status": "raw"})))) == [chosen.pk]


def sent_by_the_menu(page: Any) -> dict[str, str]:
    """Return what a browser sends when nothing in the filter menu is touched."""
    days = {"since": page.since, "until": page.until}
    return {**dict(page.kept_items), **{choice.name: choice.value for choice in page.choices}, **days}


def test_the_filter_menu_keeps_moments_until_their_days_are_changed(world: World, client: Client) -> None:
    type(world.account).objects.filter(pk=world.account.pk).update(time_zone="Asia/Tokyo")
    moments = {"since": "2026-11-01T00:00:00+00:00", "until": "2026-11-08T00:00:00+00:00"}
    page = client.get(url(world, "?" + urlencode(moments))).context["page"]
    assert (page.since, page.until) == ("2026-11-01", "2026-11-08")
    again = client.get(url(world, "?" + urlencode(sent_by_the_menu(page)))).context["page"]
    assert dict(again.filter_items) == moments
    changed = {**sent_by_the_menu(page), "since": "2026-11-02", "until": ""}
    days = client.get(url(world, "?" + urlencode(changed))).context["page"]
    assert dict(days.filter_items) == {"since": "2026-11-01T15:00:00+00:00"}
    assert [name for name, _value in days.kept_items] == []  # a whole day says itself
    strange = client.get(url(world, "?since=2026-01-01&since_exact=a%00&until_exact=0001-01-01T00:00Z"))
    assert strange.status_code == 200


def test_a_search_that_stopped_says_so_and_leads_on_and_back(
    world: World, client: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(selectors_listing, "STEP", 2)
    monkeypatch.setattr(selectors_listing, "WALKED_AT_MOST", 4)
    oldest = world.add_lead(is_test=True)
    for _ in range(3):
        world.add_lead()
    middle = world.add_lead(is_test=True)
    for _ in range(4):
        world.add_lead()
    found = client.post(url(world, "search/"), {"q": "Ann", "test": "1"}).headers["Location"]

    def on(address: str, narrow: bool, rows: list[int]) -> Any:
        answer = client.get(address)
        page, text = answer.context["page"], answer.content.decode()
        assert (page.narrow, shown(answer)) == (narrow, rows)
        assert ("Too many leads hold this word" in text, "Search on" in text) == (narrow, narrow)
        assert ("this is the first page" in text) == ("cursor" not in address and bool(rows))
        return page

    first = on(found, True, [])
    assert f'href="{escape(first.after)}">Search on</a>' in client.get(found).content.decode()
    second = on(first.after, True, [middle.pk])
    assert second.start == found
    assert (
        f'href="{escape(second.start)}" aria-label="Back to the first page' in client.get(first.after).content.decode()
    )
    on(second.after, False, [oldest.pk])


def test_ids_may_have_nineteen_digits(world: World, client: Client) -> None:
    number = 4_700_000_000_000_000_000  # ids become that long in 2032
    lead = world.add_lead()
    label = Label.objects.create(pk=number, library=world.library, name="hot")
    LeadLabel.objects.create(lead=lead, label=label, received_at=lead.received_at)
    campaign = Campaign.objects.create(
        pk=number, ad_account=world.account, name="Late", budget_cents=1, starts_on=timezone.now()
    )
    assert shown(client.get(url(world, f"?label={number}"))) == [lead.pk]
    found = client.post(url(world, "search/"), {"q": str(number)})
    assert found.headers["Location"] == url(world, f"?campaign={campaign.pk}")
    overview = client.get(f"/l/{world.library.pk}/overview/?campaign={number}")
    assert (overview.status_code, overview.context["faults"]) == (200, [])
    note = add_note(actor=world.administrator, lead=lead, text="called")
    notes = Note.objects.using(alias_of(lead.region))
    notes.filter(pk=note.pk).update(id=number)
    client.post(url(world, f"{lead.pk}/note/"), {"remove": str(number)})
    assert not notes.exists()
