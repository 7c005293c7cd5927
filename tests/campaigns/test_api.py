"""The REST API of campaigns and the report: the whole way by tokens, and what is refused."""

from typing import Any

import pytest

from campaigns.models import Ad, AdGroup, Campaign
from forms_builder.measures import record
from forms_builder.models import MeasureKind
from tests.campaigns.test_campaigns import make_ad, state
from tests.forms_builder.test_api import Api
from tests.house import House, live_form

PLAN = {"name": "Summer", "budget_cents": 5000}


@pytest.fixture
def operator(house: House) -> Api:
    return Api(house.operator)


def test_whole_way_from_campaign_to_report(house: House, operator: Api) -> None:
    form = live_form(house)
    status, campaign = operator(
        "post", f"ad-accounts/{house.account.pk}/campaigns/", PLAN | {"starts_on": "2026-11-01"}
    )
    assert status == 201
    assert (campaign["objective"], campaign["budget_kind"], campaign["status"]) == (
        "lead_generation",
        "daily",
        "active",
    )
    status, group = operator("post", f"campaigns/{campaign['id']}/ad-groups/", {"name": "Owners"})
    assert (status, group["campaign"]) == (201, campaign["id"])
    words = {"name": "Roof", "headline": "Your roof earns", "form": str(form.pk)}
    status, ad = operator("post", f"ad-groups/{group['id']}/ads/", words)
    assert (status, ad["form"], ad["ad_group"]) == (201, str(form.pk), group["id"])
    assert ad["url"].endswith(f"/go/{ad['public_id']}/")
    operator.client.get(f"/go/{ad['public_id']}/")
    record(kind=MeasureKind.SUBMIT, form_id=form.pk, version=1, ad_id=int(ad["id"]), whole_visit=True)
    for group_by, key in [
        ("campaign", campaign["id"]),
        ("ad_group", group["id"]),
        ("ad", ad["id"]),
        ("form", str(form.pk)),
        ("country", None),
        ("device", None),
    ]:
        status, report = operator("get", f"ad-accounts/{house.account.pk}/report/?group_by={group_by}")
        assert status == 200
        [row] = report["rows"]
        assert (row["key"], row["clicks"], row["opens"], row["starts"], row["submits"]) == (key, 1, 1, 1, 1)
        assert (row["completion_rate"], row["cvr"], row["cpl_cents"]) == (1.0, 1.0, None)
    status, report = operator("get", f"ad-accounts/{house.account.pk}/report/")
    assert (len(report["rows"]), report["group_by"], report["time_zone"]) == (30, "day", "UTC")
    assert report["total"]["submits"] == report["rows"][-1]["submits"] == 1
    assert operator("patch", f"ads/{ad['id']}/", {"status": "paused"})[1]["status"] == "paused"
    assert operator("patch", f"ad-groups/{group['id']}/", {"name": "Movers"})[1]["name"] == "Movers"
    changed = operator("patch", f"campaigns/{campaign['id']}/", {"budget_cents": 7000, "ends_on": "2026-12-01"})[1]
    assert (changed["budget_cents"], changed["ends_on"], changed["name"]) == (7000, "2026-12-01", "Summer")
    for path in (f"ads/{ad['id']}/", f"ad-groups/{group['id']}/", f"campaigns/{campaign['id']}/"):
        assert operator("delete", path)[0] == 204
        assert operator("get", path)[0] == 404
    assert (Ad.objects.count(), AdGroup.objects.count(), Campaign.objects.count()) == (1, 1, 1)  # it had a history
    report = operator("get", f"ad-accounts/{house.account.pk}/report/?group_by=ad")[1]
    assert report["rows"][0]["submits"] == 1  # and its counts stay


@pytest.mark.parametrize(
    ("body", "field"),
    [
        ([], "body"),
        ({}, "name"),
        (PLAN | {"budget_cents": "much"}, "budget_cents"),
        (PLAN | {"budget_cents": 0}, "budget_cents"),
        (PLAN | {"objective": "clicks"}, "objective"),
        (PLAN | {"starts_on": "soon"}, "starts_on"),
        (PLAN | {"starts_on": "2026-11-02", "ends_on": "2026-11-01"}, "ends_on"),
        (PLAN | {"name": "nul\x00"}, "name"),
        (PLAN | {"bugdet": 1}, "bugdet"),
    ],
)
def test_bad_bodies_write_nothing(house: House, operator: Api, body: Any, field: str) -> None:
    status, problem = operator("post", f"ad-accounts/{house.account.pk}/campaigns/", body)
    assert status == 400
    assert field in problem["errors"]
    assert not Campaign.objects.exists()


@pytest.mark.parametrize(
    ("query", "field"),
    [
        ("since=yesterday", "since"),
        ("since=2026-11-02&until=2026-11-01", "since"),
        ("since=2000-01-01&until=2026-11-01", "since"),
        ("until=0001-01-01", "since"),
        ("group_by=lead", "group_by"),
    ],
)
def test_bad_ranges_are_refused(house: House, operator: Api, query: str, field: str) -> None:
    status, problem = operator("get", f"ad-accounts/{house.account.pk}/report/?{query}")
    assert status == 400
    assert field in problem["errors"]


READ = [
    "ad-accounts/{account}/campaigns/",
    "ad-accounts/{account}/report/",
    "campaigns/{campaign}/",
    "campaigns/{campaign}/ad-groups/",
    "ad-groups/{group}/",
    "ad-groups/{group}/ads/",
    "ads/{ad}/",
]
WRITTEN = [
    ("post", "ad-accounts/{account}/campaigns/"),
    ("patch", "campaigns/{campaign}/"),
    ("delete", "campaigns/{campaign}/"),
    ("post", "campaigns/{campaign}/ad-groups/"),
    ("patch", "ad-groups/{group}/"),
    ("delete", "ad-groups/{group}/"),
    ("post", "ad-groups/{group}/ads/"),
    ("patch", "ads/{ad}/"),
    ("delete", "ads/{ad}/"),
]


@pytest.mark.parametrize(("who", "read", "written"), [("analyst", 200, 403), ("stranger", 404, 404), (None, 401, 401)])
def test_refusals(house: House, who: str | None, read: int, written: int) -> None:
    ad = make_ad(house, live_form(house))
    names = {
        "account": house.account.pk,
        "campaign": ad.ad_group.campaign_id,
        "group": ad.ad_group_id,
        "ad": ad.pk,
    }
    api = Api(getattr(house, who) if who else None)
    for path in READ:
        assert api("get", path.format(**names))[0] == read, path
    before = state()[:3]
    for method, path in WRITTEN:
        status, problem = api(method, path.format(**names), PLAN if method != "delete" else None)
        assert status == written, (method, path)
        if written == 403:
            assert problem["missing_permission"] == "edit_campaigns"
            assert "Administrators and Operators of Larkspur Solar" in problem["reason"]
    assert state()[:3] == before


@pytest.mark.parametrize("number", [1, 3])
def test_lists_cost_the_same_for_many(house: House, operator: Api, django_assert_num_queries: Any, number: int) -> None:
    form = live_form(house)
    for _count in range(number):
        ad = make_ad(house, form)
    operator("get", f"ad-groups/{ad.ad_group_id}/ads/")
    with django_assert_num_queries(5):
        assert len(operator("get", f"ad-accounts/{house.account.pk}/campaigns/")[1]["results"]) == number
    with django_assert_num_queries(5):
        assert len(operator("get", f"ad-groups/{ad.ad_group_id}/ads/")[1]["results"]) == 1
