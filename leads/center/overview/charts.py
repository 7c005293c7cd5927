"""Leads by day, and the funnel."""

from collections.abc import Mapping
from datetime import date, timedelta

from django.template.defaultfilters import date as format_date
from django.utils import timezone
from django.utils.translation import gettext as _

from forms_builder.measures import Counts
from leads.center.overview.asking import Asked
from leads.center.overview.spending import Spent, money
from leadscenter.lib.charts import Bar, Day, LineChart, Step, funnel, line_chart
from leadscenter.lib.display import number


def chart_of(by_day: Mapping[date, Counts], asked: Asked, now: Counts, before: Counts) -> LineChart:
    """Return the leads of each day beside those of the same day of the period before."""
    since, days = asked.since, asked.length

    def at(day: date) -> int:
        return by_day.get(day, Counts()).submit

    today = timezone.now().date()
    rows = [
        Day(
            format_date(since + timedelta(days=index), "j M"),
            at(since + timedelta(days=index)),
            at(since + timedelta(days=index - days)) if before.submit else None,
            partial=since + timedelta(days=index) == today,
        )
        for index in range(days)
    ]
    best = max(rows, key=lambda day: day.count)
    summary = _("%(n)s leads in %(days)s days. The best day was %(day)s with %(best)s.") % {
        "n": number(now.submit),
        "days": days,
        "day": best.label,
        "best": number(best.count),
    }
    return line_chart("byday", _("Leads by day"), summary, rows)


def bars_of(now: Counts, spent: Mapping[int, Spent], currency: str, *, with_spend: bool) -> tuple[Bar, ...]:
    """Return the funnel from the ad to the lead; without ads it begins with the form."""
    steps = [
        Step(_("Form opens"), _("Forms shown to a visitor, counted once in 30 min"), now.open, key="open"),
        Step(_("Starts"), _("Visitors with at least one answer"), now.start, key="start"),
        Step(_("Submits"), _("Accepted submissions, without test leads and spam"), now.submit, key="submit"),
    ]
    if with_spend and spent:
        shown = sum(one.impressions for one in spent.values())
        clicks = sum(one.clicks for one in spent.values())
        per_thousand = sum(one.cents for one in spent.values()) / shown * 1000 if shown else None
        note = _("%(n)s per thousand") % {"n": money(per_thousand, currency)}
        steps = [
            Step(_("Impressions"), _("Times an ad was shown"), shown, note, key="impression"),
            Step(_("Clicks"), _("Clicks from an ad to the form"), clicks, key="click"),
            *steps,
        ]
    return funnel(steps)
