"""The overview: one filter for everything, lines that add up, numbers without leads for who may not see leads."""

import csv
import io
from datetime import UTC, date, datetime, time, timedelta
from typing import Any

import pytest
from django.test import Client
from django.utils import timezone

from accounts.models import Act, AdAccount, AuditEvent, LeadLibrary, User
from campaigns.models import AdDay
from forms_builder.measures import Counts, counts
from forms_builder.models import MeasureDay, MeasureKind
from leads.center.overview import GROUPS, Overview, account_overview, library_overview, read_asked
from leads.center.selectors import counting
from leads.center.services.working import Change, change_leads
from leads.models import Connection, Delivery, Lead
from leads.privacy.services.library import change_library
from leads.privacy.services.purging import bury, purge_expired
from tests.counting import statements
from tests.world import World, make_form, make_world, receive

pytestmark = pytest.mark.django_db
TODAY = timezone.now().date


def counted(
    world: World, kind: MeasureKind, number: int, *, days_ago: int = 0, form: int | None = None, **place: Any
) -> None:
    MeasureDay.objects.create(
        form_id=form or world.form.pk,
        version=1,
        kind=kind,
        day=TODAY() - timedelta(days=days_ago),
        count=number,
        **place,
    )


@pytest.fixture
def world() -> World:
    """A week of numbers: 10 opens, 6 starts, 4 submits, three of them through the ad; half of that the week before."""
    world = make_world()
    place: dict[str, Any] = {"country": "DE", "device": "phone"}
    for days_ago, factor in ((1, 2), (8, 1)):
        counted(world, MeasureKind.OPEN, 4 * factor, days_ago=days_ago, ad_id=world.ad.pk, **place)
        counted(world, MeasureKind.OPEN, factor, days_ago=days_ago)
        counted(world, MeasureKind.START, 3 * factor, days_ago=days_ago, ad_id=world.ad.pk, **place)
        counted(world, MeasureKind.SUBMIT, 2 * factor - 1, days_ago=days_ago, ad_id=world.ad.pk, **place)
        counted(world, MeasureKind.SUBMIT, 1, days_ago=days_ago)
        counted(world, MeasureKind.SUBMIT, 9, days_ago=days_ago, is_test=True)
    AdDay.objects.create(ad=world.ad, day=TODAY() - timedelta(days=1), impressions=1000, clicks=20, spend_cents=3000)
    return world


def overview(world: World, **given: str) -> Overview:
    return account_overview(world.administrator, world.account, read_asked({"days": "7", **given}))


def tile(page: Overview, label: str) -> tuple[str, str]:
    found = next(one for one in page.tiles if one.label == label)
    return found.value + found.unit, found.delta


def signed_in(user: User) -> Client:
    client = Client()
    client.force_login(user)
    return client


def test_tiles_say_the_period_and_its_change(world: World) -> None:
    page = overview(world)
    assert tile(page, "Leads") == ("4", "▲ 100.0 %")
    assert tile(page, "Cost per lead") == ("$10.00", "")  # 30 by the three that came through an ad
    assert tile(page, "Completion rate") == ("40.0 %", "")
    assert [bar.value for bar in page.bars] == [1000, 20, 10, 6, 4]
    assert page.lost == 6
    assert page.sound


@pytest.mark.parametrize("by", GROUPS)
def test_lines_of_every_grouping_add_up_to_the_total(world: World, by: str) -> None:
    page = overview(world, by=by)
    assert (sum(line.leads for line in page.lines), page.total.leads) == (4, 4)
    assert (sum(line.opens for line in page.lines), page.total.opens) == (10, 10)
    assert sum(line.share for line in page.lines) == pytest.approx(1.0)


def test_country_and_device_are_named_and_the_unknown_too(world: World) -> None:
    assert [(line.name, line.leads) for line in overview(world, by="country").lines] == [
        ("Germany", 3),
        ("Not known", 1),
    ]
    assert [(line.name, line.leads) for line in overview(world, by="device").lines] == [("Phone", 3), ("Not known", 1)]


def test_filter_narrows_tiles_chart_funnel_table_and_file_alike(world: World) -> None:
    other, _version = make_form(world.account, "Other")
    counted(world, MeasureKind.OPEN, 5, form=other.pk)
    counted(world, MeasureKind.SUBMIT, 5, form=other.pk)
    assert tile(overview(world), "Leads")[0] == "9"
    page = overview(world, form=str(world.form.pk))
    assert (tile(page, "Leads")[0], sum(day.count for day in page.chart.days), page.total.leads) == ("4", 4, 4)
    assert page.bars[-1].value == 4
    campaign = overview(world, campaign=str(world.ad.ad_group.campaign_id))
    assert (tile(campaign, "Leads")[0], sum(day.count for day in campaign.chart.days)) == ("3", 3)
    told = signed_in(world.administrator).get(
        f"/a/{world.account.pk}/overview/breakdown.csv?days=7&by=device&form={world.form.pk}"
    )
    rows = list(csv.reader(io.StringIO(told.content.decode("utf-8-sig"))))
    assert [row[:2] for row in rows] == [["Device", "Leads"], ["Phone", "3"], ["Not known", "1"], ["Total", "4"]]


def test_a_form_of_somebody_else_shows_nothing_of_theirs(world: World) -> None:
    page = account_overview(
        world.stranger, world.stranger_library.ad_account, read_asked({"days": "7", "form": str(world.form.pk)})
    )
    assert (tile(page, "Leads")[0], page.lines, page.rail) == ("0", (), None)


def test_period_of_ones_own_is_compared_with_as_many_days_before(world: World) -> None:
    day = TODAY() - timedelta(days=8)
    asked = read_asked({"since": day.isoformat(), "until": day.isoformat()})
    assert (asked.length, asked.days, asked.before) == (1, 0, (day - timedelta(days=1), day - timedelta(days=1)))
    assert tile(account_overview(world.administrator, world.account, asked), "Leads")[0] == "2"


@pytest.mark.parametrize(
    "given",
    [
        {"days": "8"},
        {"since": "2026-13-01", "until": "x"},
        {"since": "2026-02-01", "until": "2026-01-01"},
        {"since": "2000-01-01", "until": "2026-01-01"},
        {"by": "nonsense", "form": "x", "campaign": "-1"},
    ],
)
def test_what_cannot_be_used_counts_as_not_said(given: dict[str, str]) -> None:
    today = date(2026, 11, 1)
    assert read_asked(given, today) == read_asked({}, today)


def day(days: int) -> str:
    """Return the day so many days from today."""
    return (TODAY() + timedelta(days=days)).isoformat()


@pytest.mark.parametrize(
    ("since", "until", "reason"),
    [
        (-3, None, "Say both the first and the last day"),
        (None, -3, "Say both the first and the last day"),
        (-3, -4, "The first day is after the last."),
        (-500, -3, "A period has at most 400 days."),
        (-3, 3, "The last day is still to come"),
    ],
)
def test_a_period_that_cannot_be_used_is_told_on_the_page_as_by_the_api(
    world: World, since: int | None, until: int | None, reason: str
) -> None:
    given = {name: "" if days is None else day(days) for name, days in (("since", since), ("until", until))}
    client, where = signed_in(world.analyst), f"ad-accounts/{world.account.pk}/overview/"
    errors = client.get(f"/api/v1/{where}", given).json()["errors"]
    assert errors.keys() == {name for name, text in given.items() if text}
    answer = client.get(f"/a/{world.account.pk}/overview/", given)
    asked, [told] = answer.context["asked"], set(errors.values())
    assert (asked.since.isoformat(), asked.until.isoformat(), reason in told) == (day(-27), day(0), True)
    page = answer.content.decode()
    assert "This period cannot be shown." in page
    assert told in page
    assert f"Shown instead: {asked.since:%-d} " in page


@pytest.mark.parametrize("given", [{}, {"days": "7"}, {"since": "", "until": ""}, {"since": day(-3), "until": day(0)}])
def test_a_period_that_can_be_used_is_shown_without_a_word(world: World, given: dict[str, str]) -> None:
    answer = signed_in(world.analyst).get(f"/a/{world.account.pk}/overview/", given)
    assert (answer.status_code, answer.context["faults"]) == (200, [])
    assert "cannot be shown" not in answer.content.decode()


def test_nothing_to_divide_by_is_a_dash_and_never_zero(world: World) -> None:
    MeasureDay.objects.all().delete()
    page = overview(world)
    assert (tile(page, "Completion rate")[0], tile(page, "Cost per lead")[0]) == ("–", "–")
    assert page.total.completion is None


def test_more_submits_than_opens_are_told_and_not_clipped(world: World) -> None:
    counted(world, MeasureKind.SUBMIT, 20)
    page = overview(world)
    assert (page.sound, tile(page, "Leads")[0]) == (False, "24")
    assert (
        "Some counts did not arrive"
        in signed_in(world.analyst).get(f"/a/{world.account.pk}/overview/?days=7").content.decode()
    )


def test_first_contact_is_the_median_against_the_period_before(world: World) -> None:
    for days_ago, minutes in ((1, 10), (1, 30), (1, 20), (8, 60)):
        lead = world.add_lead(email=f"p{days_ago}{minutes}@example.com")
        received = timezone.now() - timedelta(days=days_ago)
        Lead.objects.filter(pk=lead.pk).update(received_at=received, contacted_at=received + timedelta(minutes=minutes))
    test = world.add_lead(email="t@example.com", is_test=True)
    Lead.objects.filter(pk=test.pk).update(contacted_at=timezone.now() + timedelta(days=9))
    assert tile(overview(world), "Time to first contact") == ("20 min", "▼ 66.7 %")


def test_undelivered_are_the_leads_of_the_period_that_the_list_shows_so(world: World) -> None:
    """Each once, however many deliveries it has; no test lead, nothing of the trash or of days outside."""
    world.connect()
    other = world.connect("Other")
    failed, retrying, paused, done, _tried, trashed, purged, before, outside = (
        world.add_lead(with_ad=number < 2, is_test=number == 4) for number in range(9)
    )
    rows = Delivery.objects.all()
    rows.update(state="dead", attempts=9)
    rows.filter(lead_id=retrying.pk).update(state="pending", attempts=2)
    rows.filter(lead_id=paused.pk).update(state="pending", attempts=0)
    rows.filter(lead_id=done.pk).update(state="done")
    Connection.objects.filter(pk=other.pk).update(state="paused")
    Lead.objects.filter(pk__in=[trashed.pk, purged.pk]).update(state="trashed", trashed_at=timezone.now())
    bury(world.library, [purged], Lead.Gone.TRASH_EMPTIED)
    receive(before, timezone.now() - timedelta(days=8))
    receive(outside, timezone.now() - timedelta(days=15))
    client = signed_in(world.administrator)
    page = client.get(f"/l/{world.library.pk}/overview/?days=7").context["page"]
    assert tile(page, "Undelivered") == ("3", "▲ 200.0 %")
    listed = client.get(next(one.url for one in page.tiles if one.key == "undelivered"))
    assert {row.id for row in listed.context["page"].rows} == {failed.pk, retrying.pk, paused.pk}
    campaign = str(world.ad.ad_group.campaign_id)
    assert tile(overview(world, campaign=campaign), "Undelivered") == ("2", "")
    assert tile(overview(world, form="5"), "Undelivered") == ("0", "")
    for user in (world.operator, world.analyst):
        said = signed_in(user).get(f"/api/v1/libraries/{world.library.pk}/overview/?days=7").json()
        assert (said["tiles"]["undelivered"]["value"], said["tiles"]["undelivered"]["previous"]) == (3, 1)
        assert "delivery=undelivered" not in signed_in(user).get(f"/l/{world.library.pk}/overview/").content.decode()


def test_undelivered_is_counted_as_far_as_the_list_counts_it(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    world.connect()
    for _number in range(3):
        world.add_lead()
    Delivery.objects.update(state="dead")
    monkeypatch.setattr(counting, "COUNTED_ONE_BY_ONE", 2)
    [found] = [one for one in overview(world).tiles if one.key == "undelivered"]
    assert (found.value, found.delta, found.word, found.than, found.alert) == ("2+", "", "", "", True)


def test_numbers_made_from_leads_say_that_leads_are_deleted_and_compare_nothing(world: World) -> None:
    LeadLibrary.objects.filter(pk=world.library.pk).update(retention_days=10)
    world.library.refresh_from_db()
    world.connect()
    now = timezone.now()
    late, early = world.add_lead(), world.add_lead()
    Delivery.objects.update(state="dead")
    Lead.objects.update(contacted_at=now)
    receive(late, now - timedelta(days=1))
    receive(early, now - timedelta(days=12))

    def words(**given: str) -> set[tuple[str, str, str]]:
        tiles = overview(world, **given).tiles
        return {(one.word, one.delta, one.than) for one in tiles if one.key in ("time_to_first_contact", "undelivered")}

    last = (now - timedelta(days=11)).date().isoformat()
    first = (now - timedelta(days=13)).date().isoformat()
    assert words(days="7") == {("faster", "▼ 91.7 %", "than 288.0 h"), ("no change", "", "")}
    assert purge_expired().expired == 1
    assert words(days="7") == {("leads of the days before are deleted", "", "")}
    assert words(days="", since=first, until=last) == {("leads of these days are deleted", "", "")}
    [contact] = [one for one in overview(world).tiles if one.key == "time_to_first_contact"]
    assert (contact.value, contact.before) == ("24.0", None)


# ---- the question rail -----------------------------------------------------------------------------------------------


def test_rail_says_who_saw_each_question_and_who_left_there(world: World) -> None:
    for question, number in (("name", 10), ("email", 8), ("phone_number", 5), ("wish", 5)):
        counted(world, MeasureKind.QUESTION, number, question=question)
    rail = overview(world).rail
    assert rail is not None
    assert (rail.form, rail.version) == (world.form.name, 1)
    assert [(stop.saw, round(stop.left or 0, 3)) for stop in rail.stops] == [(10, 0.2), (8, 0.375), (5, 0.0), (5, 0.2)]
    assert "E-mail" in rail.summary
    page = signed_in(world.operator).get(f"/l/{world.library.pk}/overview/?days=7").content.decode()
    assert "What do you wish?" in page
    assert counts([world.form.pk])[None] == Counts(open=15, start=9, submit=6, test=18)


def test_a_question_that_logic_skips_loses_nobody(world: World) -> None:
    for question, number in (("name", 10), ("email", 2), ("phone_number", 9), ("wish", 8)):
        counted(world, MeasureKind.QUESTION, number, question=question)
    rail = overview(world).rail
    assert rail is not None
    assert [round(stop.left or 0, 3) for stop in rail.stops] == [0.1, 0.0, 0.111, 0.5]


# ---- who sees what ---------------------------------------------------------------------------------------------------


def test_operator_and_analyst_see_numbers_and_no_way_to_a_lead(world: World) -> None:
    lead = world.add_lead()
    change_leads(
        actor=world.administrator, library=world.library, lead_ids=[lead.pk], change=Change(status="contacted")
    )
    mine = signed_in(world.administrator).get(f"/a/{world.account.pk}/overview/").content.decode()
    assert f"/l/{world.library.pk}/leads/?since=" in mine
    for user in (world.operator, world.analyst):
        page = signed_in(user).get(f"/a/{world.account.pk}/overview/").content.decode()
        assert "Completion rate" in page
        assert "/leads/?" not in page
        assert str(lead.pk) not in page


def test_library_overview_shows_counts_and_no_spend(world: World) -> None:
    page = library_overview(world.administrator, world.library, read_asked({"days": "7"}))
    assert [one.label for one in page.tiles] == [
        "Leads", "Completion rate", "Time to first contact", "Undelivered",
    ]  # fmt: skip
    assert [bar.value for bar in page.bars] == [10, 6, 4]


@pytest.mark.parametrize("chart", ["days", "funnel", "questions", "breakdown"])
def test_every_chart_is_a_file(world: World, chart: str) -> None:
    client = signed_in(world.analyst)
    answer = client.get(f"/a/{world.account.pk}/overview/{chart}.csv?days=7")
    assert answer.status_code == 200
    assert answer["Content-Type"] == "text/csv; charset=utf-8"
    rows = list(csv.reader(io.StringIO(answer.content.decode("utf-8-sig"))))
    assert len(rows) == {"days": 8, "funnel": 6, "questions": 1, "breakdown": 4}[chart]
    assert client.get(f"/a/{world.account.pk}/overview/leads.csv").status_code == 404


@pytest.mark.parametrize("chart", ["days", "funnel", "breakdown"])
def test_every_card_links_its_file_under_the_filter_of_the_page(world: World, chart: str) -> None:
    address = f"/a/{world.account.pk}/overview/"
    page = signed_in(world.analyst).get(f"{address}?days=7&form={world.form.pk}").content.decode()
    assert f'href="{chart}.csv?days=7&amp;form={world.form.pk}&amp;by=campaign"' in page


def test_page_costs_the_same_for_many_campaigns_and_days(world: World) -> None:
    client, address = signed_in(world.administrator), f"/a/{world.account.pk}/overview/"
    client.get(address)
    with statements() as few:
        client.get(address)
    for number in range(20):
        counted(world, MeasureKind.OPEN, 1, days_ago=number + 10, country="FR", device="desktop", ad_id=number + 1)
    with statements() as many:
        client.get(address)
    assert len(many) == len(few)


# ---- by REST ---------------------------------------------------------------------------------------------------------


def test_api_tells_the_numbers_of_the_page_as_numbers(world: World) -> None:
    client = signed_in(world.analyst)
    said = client.get(f"/api/v1/ad-accounts/{world.account.pk}/overview/?days=7&by=campaign").json()
    assert {key: (tile["value"], tile["previous"]) for key, tile in said["tiles"].items()} == {
        "leads": (4, 2),
        "cost_per_lead": (1000.0, None),
        "completion_rate": (0.4, 0.4),
        "time_to_first_contact": (None, None),
        "undelivered": (0, 0),
    }
    assert [(step["step"], step["count"]) for step in said["funnel"]] == [
        ("impression", 1000), ("click", 20), ("open", 10), ("start", 6), ("submit", 4),
    ]  # fmt: skip
    assert sum(day["leads"] for day in said["days"]) == 4
    campaign = world.ad.ad_group.campaign
    assert [(line["key"], line["leads"], line["spend_cents"]) for line in said["breakdown"]] == [
        (str(campaign.pk), 3, 3000),
        (None, 1, None),
    ]
    assert said["total"]["leads"] == 4
    library = client.get(f"/api/v1/libraries/{world.library.pk}/overview/?days=7").json()
    assert (sorted(library["tiles"]), library["total"]["spend_cents"]) == (
        ["completion_rate", "leads", "time_to_first_contact", "undelivered"],
        None,
    )
    for strange in ("", "?days=x", "?form=1"):
        for place in (f"libraries/{world.library.pk}", f"ad-accounts/{world.account.pk}"):
            assert signed_in(world.stranger).get(f"/api/v1/{place}/overview/{strange}").status_code == 404


@pytest.mark.parametrize(
    ("query", "wrong"),
    [
        ("days=8", ["days"]),
        ("since=2026-13-01&until=x", ["since", "until"]),
        ("days=7&since=2026-01-01&until=2026-01-05", ["days"]),
        ("by=nonsense&form=x&campaign=-1", ["by", "campaign", "form"]),
        ("ad_group=1&country=DE&status=raw&q=ann", ["ad_group", "country", "q", "status"]),
    ],
)
def test_api_refuses_what_it_cannot_use(world: World, query: str, wrong: list[str]) -> None:
    answer = signed_in(world.analyst).get(f"/api/v1/ad-accounts/{world.account.pk}/overview/?{query}")
    assert (answer.status_code, sorted(answer.json()["errors"])) == (400, wrong)


def test_names_that_filter_nothing_anywhere_are_left_alone(world: World) -> None:
    answer = signed_in(world.analyst).get(f"/api/v1/libraries/{world.library.pk}/overview/?days=7&utm=x&status=")
    assert (answer.status_code, answer.json()["tiles"]["leads"]["value"]) == (200, 4)


def test_the_tile_leads_to_exactly_the_leads_it_counts(world: World) -> None:
    """Days of the overview are UTC, those of the list the account's: the link says moments."""
    AdAccount.objects.filter(pk=world.account.pk).update(time_zone="Pacific/Kiritimati")
    today = datetime.combine(TODAY(), time(), UTC)
    inside, outside = world.add_lead(email="in@example.com"), world.add_lead(email="out@example.com")
    Lead.objects.filter(pk=inside.pk).update(received_at=today - timedelta(days=6))
    Lead.objects.filter(pk=outside.pk).update(received_at=today - timedelta(days=6, seconds=1))
    brought, typed, tried = (world.add_lead(email=f"{name}@example.com") for name in ("file", "api", "test"))
    Lead.objects.filter(pk=brought.pk).update(source=Lead.Source.IMPORT)
    Lead.objects.filter(pk=typed.pk).update(source=Lead.Source.API)
    Lead.objects.filter(pk=tried.pk).update(is_test=True)
    client = signed_in(world.administrator)
    page = client.get(f"/l/{world.library.pk}/overview/?days=7").context["page"]
    for key in ("leads", "time_to_first_contact"):
        listed = client.get(next(one.url for one in page.tiles if one.key == key))
        assert [row.id for row in listed.context["page"].rows] == [typed.pk, inside.pk]
        assert "Not imported" in listed.content.decode()


# ---- first steps -----------------------------------------------------------------------------------------------------


def test_first_steps_are_computed_and_can_be_put_away(world: World) -> None:
    client, address = signed_in(world.administrator), f"/l/{world.library.pk}/overview/"

    def done() -> set[str]:
        return {todo.key for todo in client.get(address).context["page"].todos if todo.done}

    before = done()
    assert {"form", "publish"} <= before
    assert not {"test_lead", "lead", "crm"} & before
    world.add_lead(is_test=True)
    assert done() == before | {"test_lead"}
    world.add_lead()
    assert done() == before | {"test_lead", "lead"}
    assert "Finish setting up" in client.get(address).content.decode()
    away = {"put_away": str(world.library.pk), "next": address}
    assert "Finish setting up" not in client.post("/settings/appearance/", away, follow=True).content.decode()
    elsewhere = signed_in(world.administrator).get(address).content.decode()
    assert "Finish setting up" in elsewhere
    again = {"show_again": str(world.library.pk), "next": address}
    assert "Finish setting up" in client.post("/settings/appearance/", again, follow=True).content.decode()


def test_the_leads_that_go_within_a_week_are_told_without_tests(world: World) -> None:
    for is_test in (False, True):
        receive(world.add_lead(is_test=is_test), timezone.now() - timedelta(days=85))
    [todo] = [one for one in overview(world).todos if one.key == "retention"]
    assert todo.note == "Now 90 days. 1 lead goes within a week."


def test_to_keep_leads_as_long_as_usual_is_a_decision_too(world: World) -> None:
    client, base = signed_in(world.administrator), f"/l/{world.library.pk}"

    def is_done() -> bool:
        page = client.get(f"{base}/overview/").context["page"]
        return bool(next(todo.done for todo in page.todos if todo.key == "retention"))

    values = {"retention_days": "90", "contact_goal_minutes": "60"}
    change_library(actor=world.administrator, library=world.library, values={"contact_goal_minutes": 30})
    assert signed_in(world.analyst).post(f"{base}/privacy/", values).status_code == 403
    assert not is_done()
    change_library(actor=world.administrator, library=world.library, values={"contact_goal_minutes": 60})
    assert client.post(f"{base}/privacy/", values, follow=True).context["library"].retention_days == 90
    assert is_done()
    events = AuditEvent.objects.filter(act=Act.LIBRARY_CHANGED)
    assert events.latest("at", "id").detail == {"retention_days": 90}
    client.post(f"{base}/privacy/", values)
    assert events.count() == 3


def test_an_imported_lead_has_no_time_to_first_contact(world: World) -> None:
    lead = world.add_lead()
    received = timezone.now() - timedelta(days=1)
    Lead.objects.filter(pk=lead.pk).update(
        received_at=received, contacted_at=received + timedelta(minutes=5), source=Lead.Source.IMPORT
    )
    assert tile(overview(world), "Time to first contact")[0] == "–"
