"""The pages of campaigns by role: what they show, what they change, and what they cost."""

from typing import Any

import pytest
from django.test import Client

from accounts.models import AuditEvent
from campaigns.models import Ad, AdGroup, Campaign
from tests.campaigns.test_campaigns import build, make_ad, state
from tests.house import House, live_form


def page(house: House, path: str) -> str:
    return f"/a/{house.account.pk}/{path}"


def test_operator_builds_a_campaign_by_pages(house: House, client: Client) -> None:
    form = live_form(house)
    client.force_login(house.operator)
    plan = {"name": "Summer", "budget": "12.50", "budget_kind": "total", "starts_on": "2026-11-01", "status": "active"}
    response = client.post(page(house, "campaigns/new/"), plan)
    assert response["Location"] == page(house, "campaigns/")
    campaign = Campaign.objects.get()
    assert (campaign.budget_cents, campaign.budget_kind, campaign.created_by) == (1250, "total", house.operator)
    client.post(page(house, f"campaigns/{campaign.pk}/ad-groups/new/"), {"name": "Owners", "status": "active"})
    group = AdGroup.objects.get()
    words = {"name": "Roof", "headline": "Your roof earns", "button": "Ask", "form": form.pk, "status": "active"}
    client.post(page(house, f"ad-groups/{group.pk}/ads/new/"), words)
    ad = Ad.objects.get()
    assert (ad.form, ad.button) == (form, "Ask")
    shown = client.get(page(house, f"campaigns/{campaign.pk}/")).content.decode()
    for word in ("Summer", "Owners", "Roof", "Your roof earns", f"/go/{ad.public_id}/"):
        assert word in shown
    client.post(page(house, f"ads/{ad.pk}/edit/"), words | {"headline": "Roofs earn", "status": "paused"})
    ad.refresh_from_db()
    assert (ad.headline, ad.status) == ("Roofs earn", "paused")
    client.post(page(house, f"ads/{ad.pk}/delete/"))
    assert not Ad.objects.exists()


@pytest.mark.parametrize(
    ("change", "told"),
    [
        ({"name": ""}, "This field is required."),
        ({"budget": "0"}, "greater than or equal to 0.01"),
        ({"ends_on": "2020-01-01"}, "Ends before it starts."),
        ({"budget_kind": "hourly"}, "Select a valid choice"),
    ],
)
def test_bad_input_stands_at_its_field(house: House, client: Client, change: dict[str, str], told: str) -> None:
    client.force_login(house.operator)
    plan = {"name": "Summer", "budget": "12.50", "budget_kind": "total", "starts_on": "2026-11-01", "status": "active"}
    response = client.post(page(house, "campaigns/new/"), plan | change)
    assert response.status_code == 400
    assert told in response.content.decode()
    assert not Campaign.objects.exists()


def test_ad_cannot_open_a_form_of_somebody_else(house: House, client: Client) -> None:
    ad = make_ad(house, live_form(house))
    client.force_login(house.operator)
    words = {"name": "B", "headline": "B", "button": "Ask", "form": "77", "status": "active"}
    assert client.post(page(house, f"ad-groups/{ad.ad_group_id}/ads/new/"), words).status_code == 400
    assert Ad.objects.count() == 1


SEEN = ["campaigns/", "campaigns/{campaign}/"]
EDITED = [
    "campaigns/new/",
    "campaigns/{campaign}/edit/",
    "campaigns/{campaign}/ad-groups/new/",
    "ad-groups/{group}/edit/",
    "ad-groups/{group}/ads/new/",
    "ads/{ad}/edit/",
]
DELETED = ["campaigns/{campaign}/delete/", "ad-groups/{group}/delete/", "ads/{ad}/delete/"]


@pytest.mark.parametrize(
    ("who", "seen", "edited"), [("admin", 200, 200), ("analyst", 200, 403), ("stranger", 404, 404)]
)
def test_pages_by_role(house: House, client: Client, who: str, seen: int, edited: int) -> None:
    ad = make_ad(house, live_form(house))
    names = {"campaign": ad.ad_group.campaign_id, "group": ad.ad_group_id, "ad": ad.pk}
    client.force_login(getattr(house, who))
    for path in SEEN:
        assert client.get(page(house, path.format(**names))).status_code == seen, path
    for path in EDITED:
        response = client.get(page(house, path.format(**names)))
        assert response.status_code == edited, path
        if edited == 403:
            assert b"Administrators and Operators of Larkspur Solar" in response.content
    if edited == 200:
        return
    before = state()[:3]
    for path in [*EDITED, *DELETED]:
        assert client.post(page(house, path.format(**names)), {"name": "Mine"}).status_code == edited, path
    assert state()[:3] == before
    refused = AuditEvent.objects.filter(act="refused", detail__can="edit_campaigns")
    assert refused.exists() is (edited == 403)  # a stranger writes nothing into a foreign trail


def test_download_is_offered_to_the_administrator_alone(house: House, client: Client) -> None:
    ad = make_ad(house, live_form(house))
    address = page(house, f"campaigns/{ad.ad_group.campaign_id}/")
    link = f'href="/l/{house.library.pk}/exports/new/?campaign={ad.ad_group.campaign_id}"'
    client.force_login(house.admin)
    shown = client.get(address).content.decode()
    assert link in shown
    assert f"?ad={ad.pk}" in shown
    for other in (house.operator, house.analyst):
        client.force_login(other)
        shown = client.get(address).content.decode()
        assert "Download leads" in shown
        assert f"/l/{house.library.pk}/exports/?" not in shown
        assert "Only Administrators of Larkspur Solar can download leads." in shown
        assert "Who can help: Adele." in " ".join(shown.split())


def test_campaign_of_another_account_is_not_found_there(house: House, client: Client) -> None:
    ad = make_ad(house, live_form(house))
    client.force_login(house.stranger)
    assert client.get(f"/a/{house.elsewhere.pk}/campaigns/{ad.ad_group.campaign_id}/").status_code == 404
    assert client.get(f"/a/{house.elsewhere.pk}/ads/{ad.pk}/edit/").status_code == 404


@pytest.mark.parametrize("number", [1, 3])
def test_list_costs_the_same_for_many(
    house: House, client: Client, django_assert_num_queries: Any, number: int
) -> None:
    build(house, number)
    client.force_login(house.analyst)
    client.get(page(house, "campaigns/"))  # remembers the account in the session
    with django_assert_num_queries(16):
        response = client.get(page(house, "campaigns/"))
    assert response.content.count(b"Summer</a>") == number
