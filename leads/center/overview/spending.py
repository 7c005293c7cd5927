"""What ads cost and how often they were shown, from ad days."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date

from django.db.models import Sum

from campaigns.models import AdDay
from leads.center.overview.asking import Scope


@dataclass(frozen=True, slots=True)
class Spent:
    impressions: int
    clicks: int
    cents: int


def spent_of(scope: Scope, since: date, until: date) -> dict[int, Spent]:
    """Return by ad id what was spent in these days, within the scope; nothing where spend is not shown."""
    if not scope.with_spend:
        return {}
    rows = AdDay.objects.filter(ad__ad_group__campaign__ad_account=scope.account, day__gte=since, day__lte=until)
    if scope.asked.form:
        rows = rows.filter(ad__form=scope.asked.form)
    if scope.ads is not None:
        rows = rows.filter(ad__in=scope.ads)
    sums = rows.values("ad_id").annotate(i=Sum("impressions"), c=Sum("clicks"), s=Sum("spend_cents"))
    return {row["ad_id"]: Spent(row["i"], row["c"], row["s"]) for row in sums}


def cents_of(spent: Mapping[int, Spent]) -> int:
    """Return the whole spend in hundredths."""
    return sum(one.cents for one in spent.values())


def money(cents: float | None, currency: str) -> str:
    """An amount in hundredths as text in the account's currency; a dash where there is none."""
    if cents is None:
        return "–"
    sign = {"USD": "$", "EUR": "€", "GBP": "£"}.get(currency, f"{currency} ")
    return f"{sign}{cents / 100:,.2f}" if cents < 1_000_00 else f"{sign}{cents / 100:,.0f}"
