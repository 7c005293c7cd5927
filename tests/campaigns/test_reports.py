"""The definitions of the metric glossary and their invariants."""

import datetime
from typing import Any, get_args

import pytest
from django.utils import timezone
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from accounts.access import Refused
from campaigns.models import Ad, AdDay
from campaigns.reports import GroupBy, Line, Report, report
from forms_builder.measures import Counts, roll_up
from forms_builder.models import Form, MeasureEvent, MeasureKind
from tests.campaigns.test_campaigns import make_ad
from tests.house import House, live_form

TODAY = timezone.now().date()
SINCE = TODAY - datetime.timedelta(days=2)
GROUPINGS: tuple[GroupBy, ...] = get_args(GroupBy)


def add(form: Form, kind: str, ad: Ad | None = None, day: datetime.date = TODAY, times: int = 1, **more: Any) -> None:
    MeasureEvent.objects.bulk_create(
        [
            MeasureEvent(form_id=form.pk, version=1, ad_id=ad.pk if ad else 0, kind=kind, day=day, **more)
            for _time in range(times)
        ]
    )


def read(house: House, group_by: GroupBy, actor: Any = None) -> Report:
    return report(actor=actor or house.analyst, ad_account=house.account, since=SINCE, until=TODAY, group_by=group_by)


def test_rates_follow_the_glossary(house: House) -> None:
    form = live_form(house)
    ad = make_ad(house, form)
    add(form, MeasureKind.CLICK, ad, times=20)
    add(form, MeasureKind.OPEN, ad, times=16)
    add(form, MeasureKind.START, ad, times=8)
    add(form, MeasureKind.SUBMIT, ad, times=4)
    add(form, MeasureKind.OPEN, times=4)
    add(form, MeasureKind.START, times=4)
    add(form, MeasureKind.SUBMIT, times=4)  # organic
    add(form, MeasureKind.SUBMIT, ad, times=3, is_test=True)
    AdDay.objects.create(ad=ad, day=TODAY, impressions=1000, clicks=99, spend_cents=2000)
    total = read(house, "campaign").total
    assert total.counts == Counts(click=20, open=20, start=12, submit=8, test=3)
    assert (total.counts.open_rate, total.counts.start_rate, total.counts.completion_rate) == (1.0, 0.6, 0.4)
    assert total.cvr == 0.2  # through ads only
    assert total.cpl_cents == 500  # organic leads cost nothing
    assert (total.impressions, total.spend_cents) == (1000, 2000)


def test_rate_without_a_denominator_is_none() -> None:
    line = Line("", "")
    assert (line.counts.open_rate, line.counts.start_rate, line.counts.completion_rate) == (None, None, None)
    assert (line.cvr, line.cpl_cents) == (None, None)


def test_what_came_through_no_ad_of_ours_is_unattributed(house: House) -> None:
    form = live_form(house)
    ad = make_ad(house, form)
    add(form, MeasureKind.SUBMIT, ad, whole_visit=True)
    add(form, MeasureKind.SUBMIT, whole_visit=True, times=2)
    MeasureEvent.objects.create(form_id=form.pk, ad_id=77, kind="submit", day=TODAY, whole_visit=True)
    lines = read(house, "ad").lines
    assert [(line.name, line.counts.submit, line.attributed) for line in lines] == [("Roof", 1, 1), ("", 3, 0)]


@pytest.mark.parametrize("group_by", GROUPINGS)
def test_lines_add_up_and_funnel_narrows(house: House, group_by: GroupBy) -> None:
    first, second = live_form(house), live_form(house, "Other")
    ads = [make_ad(house, first), make_ad(house, second)]
    for number, (form, ad) in enumerate([(first, ads[0]), (first, None), (second, ads[1])]):
        day = SINCE + datetime.timedelta(days=number)
        add(form, MeasureKind.OPEN, ad, day, 5 + number)
        add(form, MeasureKind.START, ad, day, 3 + number)
        add(form, MeasureKind.SUBMIT, ad, day, 2)
        add(form, MeasureKind.SUBMIT, ad, day, 1, whole_visit=True)
    outside = SINCE - datetime.timedelta(days=1)
    add(first, MeasureKind.SUBMIT, ads[0], outside, 9)
    AdDay.objects.create(ad=ads[0], day=SINCE, impressions=10, spend_cents=300)
    AdDay.objects.create(ad=ads[1], day=outside, impressions=10, spend_cents=300)
    before = read(house, group_by)
    assert before.total.counts == Counts(click=0, open=21, start=15, submit=9)
    assert (before.total.attributed, before.total.spend_cents) == (6, 300)
    assert before.is_sound
    for name in ("click", "open", "start", "submit", "test"):
        assert sum(getattr(line.counts, name) for line in before.lines) == getattr(before.total.counts, name)
    while roll_up(limit=4):
        pass
    after = read(house, group_by)
    assert after == before
    assert not MeasureEvent.objects.exists()


def test_unsound_counts_are_said_and_not_clipped(house: House) -> None:
    form = live_form(house)
    add(form, MeasureKind.SUBMIT, times=2)
    add(form, MeasureKind.OPEN)
    found = read(house, "form")
    assert not found.is_sound
    assert found.total.counts.submit == 2


def test_report_is_refused_to_strangers(house: House) -> None:
    with pytest.raises(Refused) as refused:
        read(house, "day", house.stranger)
    assert refused.value.stranger
    for member in (house.admin, house.operator, house.analyst):
        assert read(house, "day", member).total.counts == Counts()


def test_other_accounts_do_not_count(house: House) -> None:
    mine = live_form(house)
    foreign = Form.objects.create(ad_account=house.elsewhere, name="Foreign")
    add(foreign, MeasureKind.OPEN, times=5)
    add(mine, MeasureKind.OPEN, times=1)
    assert read(house, "form").total.counts.open == 1


@settings(max_examples=15, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    st.lists(
        st.tuples(st.sampled_from(["open", "start", "submit", "click"]), st.booleans(), st.booleans()), max_size=30
    )
)
def test_rolling_up_changes_no_number(house: House, events: list[tuple[str, bool, bool]]) -> None:
    MeasureEvent.objects.all().delete()
    form = Form.objects.filter(ad_account=house.account).first() or live_form(house)
    for kind, is_test, whole in events:
        add(form, kind, is_test=is_test, whole_visit=whole)
    before = read(house, "day")
    roll_up()
    assert read(house, "day") == before


@pytest.mark.parametrize("number", [1, 3])
@pytest.mark.parametrize(
    ("group_by", "queries"), [("day", 6), ("campaign", 5), ("ad_group", 5), ("ad", 5), ("form", 6)]
)
def test_report_costs_the_same_for_many(
    house: House, django_assert_num_queries: Any, number: int, group_by: GroupBy, queries: int
) -> None:
    for count in range(number):
        form = live_form(house, f"Form {count}")
        add(form, MeasureKind.OPEN, make_ad(house, form))
    with django_assert_num_queries(queries):
        read(house, group_by)
