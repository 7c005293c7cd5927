from collections.abc import Callable
from typing import Any

import pytest
from django.test import Client
from django.utils import timezone

from accounts.access import Refused
from accounts.models import AuditEvent
from accounts.refusals import Invalid
from campaigns import services
from campaigns.models import Ad, AdDay, AdGroup, Campaign
from campaigns.selectors import campaigns_of, groups_of
from campaigns.services.ads import Creative
from campaigns.services.campaigns import Plan
from forms_builder.measures import counts, record
from forms_builder.models import Form, MeasureKind
from tests.house import House, live_form

PLAN = Plan(name="Summer", budget_cents=5000)


def make_ad(house: House, form: Form, name: str = "Roof") -> Ad:
    campaign = services.create_campaign(actor=house.operator, ad_account=house.account, plan=PLAN)
    group = services.create_ad_group(actor=house.operator, campaign=campaign, name="Owners")
    creative = Creative(name=name, headline="Your roof earns", form_id=form.pk)
    return services.create_ad(actor=house.operator, ad_group=group, creative=creative)


def test_operator_builds_a_campaign_that_leads_to_a_form(house: House) -> None:
    form = live_form(house)
    ad = make_ad(house, form)
    [row] = campaigns_of(house.analyst, house.account)
    assert (row.campaign.name, row.campaign.objective, row.ad_groups, row.ads) == ("Summer", "lead_generation", 1, 1)
    [group] = groups_of(house.analyst, row.campaign)
    assert [shown.ad for shown in group.ads] == [ad]
    acts = AuditEvent.objects.filter(act="campaign_saved").order_by("id").values_list("detail__level", flat=True)
    assert list(acts) == ["campaign", "ad_group", "ad"]


Verb = Callable[[House, Ad, Any], Any]
VERBS: dict[str, Verb] = {
    "create_campaign": lambda house, ad, actor: services.create_campaign(
        actor=actor, ad_account=house.account, plan=PLAN
    ),
    "change_campaign": lambda house, ad, actor: services.change_campaign(
        actor=actor, campaign=ad.ad_group.campaign, plan=PLAN
    ),
    "delete_campaign": lambda house, ad, actor: services.delete_campaign(actor=actor, campaign=ad.ad_group.campaign),
    "create_ad_group": lambda house, ad, actor: services.create_ad_group(
        actor=actor, campaign=ad.ad_group.campaign, name="Other"
    ),
    "change_ad_group": lambda house, ad, actor: services.change_ad_group(
        actor=actor, ad_group=ad.ad_group, name="Other", status="paused"
    ),
    "delete_ad_group": lambda house, ad, actor: services.delete_ad_group(actor=actor, ad_group=ad.ad_group),
    "create_ad": lambda house, ad, actor: services.create_ad(
        actor=actor, ad_group=ad.ad_group, creative=Creative(name="B", headline="B", form_id=ad.form_id)
    ),
    "change_ad": lambda house, ad, actor: services.change_ad(
        actor=actor, ad=ad, creative=Creative(name="B", headline="B", form_id=ad.form_id)
    ),
    "delete_ad": lambda house, ad, actor: services.delete_ad(actor=actor, ad=ad),
}


def state() -> tuple[Any, ...]:
    rows = [list(model.objects.order_by("pk").values()) for model in (Campaign, AdGroup, Ad)]
    return (*rows, AuditEvent.objects.count())


@pytest.mark.parametrize("verb", VERBS.values(), ids=VERBS.keys())
@pytest.mark.parametrize("who", ["analyst", "stranger"])
def test_analyst_and_stranger_change_nothing(house: House, verb: Verb, who: str) -> None:
    ad = make_ad(house, live_form(house))
    before = state()
    with pytest.raises(Refused) as refused:
        verb(house, ad, getattr(house, who))
    assert refused.value.can == "edit_campaigns"
    assert refused.value.stranger is (who == "stranger")
    assert state() == before


@pytest.mark.parametrize("verb", VERBS.values(), ids=VERBS.keys())
@pytest.mark.parametrize("who", ["admin", "operator"])
def test_administrator_and_operator_may(house: House, verb: Verb, who: str) -> None:
    ad = make_ad(house, live_form(house))
    before = state()
    verb(house, ad, getattr(house, who))
    assert state() != before


@pytest.mark.parametrize(
    ("plan", "field"),
    [
        (Plan(name=" ", budget_cents=1), "name"),
        (Plan(name="x" * 121, budget_cents=1), "name"),
        (Plan(name="nul\x00", budget_cents=1), "name"),
        (Plan(name="A", budget_cents=0), "budget_cents"),
        (Plan(name="A", budget_cents=-5), "budget_cents"),
        (Plan(name="A", budget_cents=10**15), "budget_cents"),
        (Plan(name="A", budget_cents=1, budget_kind="hourly"), "budget_kind"),
        (Plan(name="A", budget_cents=1, status="gone"), "status"),
        (
            Plan(
                name="A",
                budget_cents=1,
                starts_on=timezone.now().date(),
                ends_on=timezone.now().date().replace(year=2020),
            ),
            "ends_on",
        ),
    ],
)
def test_bad_plans_are_refused_with_the_field(house: House, plan: Plan, field: str) -> None:
    with pytest.raises(Invalid) as invalid:
        services.create_campaign(actor=house.operator, ad_account=house.account, plan=plan)
    assert list(invalid.value.errors) == [field]
    assert not Campaign.objects.exists()


def test_ad_opens_a_form_of_its_own_account_only(house: House) -> None:
    foreign = Form.objects.create(ad_account=house.elsewhere, name="Foreign")
    ad = make_ad(house, live_form(house))
    for form_id in (foreign.pk, 1):
        with pytest.raises(Invalid) as invalid:
            services.create_ad(
                actor=house.operator, ad_group=ad.ad_group, creative=Creative(name="B", headline="B", form_id=form_id)
            )
        assert list(invalid.value.errors) == ["form"]


def test_delete_keeps_what_has_a_history(house: House) -> None:
    clicked, unseen = make_ad(house, live_form(house)), make_ad(house, live_form(house, "Other"))
    record(kind=MeasureKind.CLICK, form_id=clicked.form_id, ad_id=clicked.pk)
    assert services.delete_ad(actor=house.operator, ad=clicked) is False
    assert services.delete_ad(actor=house.operator, ad=unseen) is True
    assert services.delete_ad_group(actor=house.operator, ad_group=clicked.ad_group) is False
    assert services.delete_ad_group(actor=house.operator, ad_group=unseen.ad_group) is True
    kept = Ad.objects.get()
    assert (kept.status, kept.removed_at is not None) == ("archived", True)
    AdDay.objects.create(ad=kept, day=timezone.now().date(), impressions=1)
    assert campaigns_of(house.operator, house.account)[1].line.counts.click == 1  # its counts stay


# ---- the public link


def test_link_leads_to_the_form_and_counts_a_click(house: House, client: Client) -> None:
    form = live_form(house)
    ad = make_ad(house, form)
    response = client.get(f"/go/{ad.public_id}/?utm_source=feed&ttclid=abc&ad=9&evil=1")
    assert response.status_code == 302
    assert response["Location"] == f"/f/{form.public_id}/?ad={ad.pk}&utm_source=feed&ttclid=abc"
    assert not response.cookies
    assert counts([form.pk], by="ad_id")[ad.pk].click == 1
    client.get(f"/go/{ad.public_id}/", headers={"User-Agent": "Googlebot/2.1"})
    client.get(f"/go/{ad.public_id}/", headers={"Sec-Purpose": "prefetch"})
    assert client.head(f"/go/{ad.public_id}/").status_code == 302
    assert counts([form.pk])[None].click == 1


@pytest.mark.parametrize("level", ["ad", "ad_group", "campaign"])
def test_link_of_an_archived_ad_attributes_nothing(house: House, client: Client, level: str) -> None:
    form = live_form(house)
    ad = make_ad(house, form)
    archived = {"ad": ad, "ad_group": ad.ad_group, "campaign": ad.ad_group.campaign}[level]
    type(archived)._default_manager.filter(pk=archived.pk).update(status="archived")
    response = client.get(f"/go/{ad.public_id}/?utm_source=feed")
    assert response["Location"] == f"/f/{form.public_id}/?utm_source=feed"
    assert counts([form.pk], by="ad_id")[0].click == 1


def test_link_of_no_ad_is_not_found(client: Client, db: None) -> None:
    assert client.get("/go/nothing/").status_code == 404


# ---- query counts


def build(house: House, number: int) -> None:
    form = Form.objects.filter(ad_account=house.account).first() or live_form(house)
    while Campaign.objects.count() < number:
        ad = make_ad(house, form)
        record(kind=MeasureKind.CLICK, form_id=form.pk, ad_id=ad.pk)
        AdDay.objects.create(ad=ad, day=timezone.now().date(), impressions=5, spend_cents=100)


@pytest.mark.parametrize("number", [1, 3])
def test_campaigns_list_costs_the_same_for_many(house: House, django_assert_num_queries: Any, number: int) -> None:
    build(house, number)
    with django_assert_num_queries(7):
        assert len(campaigns_of(house.analyst, house.account)) == number


@pytest.mark.parametrize("number", [1, 3])
def test_campaign_page_costs_the_same_for_many(house: House, django_assert_num_queries: Any, number: int) -> None:
    campaign = make_ad(house, live_form(house)).ad_group.campaign
    for count in range(number - 1):
        group = services.create_ad_group(actor=house.operator, campaign=campaign, name=f"Group {count}")
        creative = Creative(name="B", headline="B", form_id=Form.objects.get().pk)
        services.create_ad(actor=house.operator, ad_group=group, creative=creative)
    with django_assert_num_queries(6):
        assert len(groups_of(house.analyst, campaign)) == number
