"""The breakdown: leads by campaign, ad group, ad, form, country or device. The lines add up to the total."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from django.utils.translation import gettext as _

from campaigns.models import Ad
from forms_builder import measures
from forms_builder.countries import COUNTRIES
from forms_builder.measures import Counts
from forms_builder.models import Device
from leads.center.overview.asking import Scope
from leads.center.overview.spending import Spent, money

SHOWN = 50


@dataclass(frozen=True, slots=True)
class Line:
    """A row of the breakdown; `bar` is the width of its share in percent."""

    name: str
    leads: int
    share: float
    bar: str
    opens: int
    completion: float | None
    spend: str
    cost: str


def breakdown_of(
    scope: Scope, by_ad: Mapping[int, Counts], spent: Mapping[int, Spent]
) -> tuple[tuple[Line, ...], Line]:
    """Return the lines, most leads first, at most 50 and the rest as one; and their total."""
    found = _by_ad(scope, by_ad, spent) if scope.asked.by in ("campaign", "ad_group", "ad") else _by_measure(scope)
    total = sum((line[1] for line in found), Counts())
    cents = sum(line[2] or 0 for line in found) or None
    ordered = sorted(found, key=lambda line: (-line[1].submit, line[0]))
    if len(ordered) > SHOWN:
        rest = ordered[SHOWN - 1 :]
        spent_there = sum(line[2] or 0 for line in rest) or None
        ordered = [*ordered[: SHOWN - 1], (_("All others"), sum((line[1] for line in rest), Counts()), spent_there)]
    highest = max([line[1].submit for line in ordered], default=0) or 1
    rows = tuple(_line(scope, *line, total, highest) for line in ordered)
    return rows, _line(scope, _("Total"), total, cents, total, highest)


Found = tuple[str, Counts, int | None]  # name, counts, spend in hundredths


def _line(scope: Scope, name: str, counted: Counts, spend: int | None, total: Counts, highest: int) -> Line:
    currency = scope.account.currency
    return Line(
        name=name,
        leads=counted.submit,
        share=counted.submit / total.submit if total.submit else 0.0,
        bar=f"{min(counted.submit / highest, 1) * 100:.1f}%",
        opens=counted.open,
        completion=counted.completion_rate if counted.open >= counted.submit else None,
        spend=money(spend, currency) if scope.with_spend else "",
        cost=money(spend / counted.submit if spend and counted.submit else None, currency) if scope.with_spend else "",
    )


def _by_measure(scope: Scope) -> list[Found]:
    asked = scope.asked
    column = {"form": "form_id"}.get(asked.by, asked.by)
    counted = measures.counts(scope.forms, by=column, since=asked.since, until=asked.until, ad_ids=scope.ads)
    known: dict[str, Mapping[Any, Any]] = {"form": scope.forms, "country": COUNTRIES, "device": dict(Device.choices)}
    names = known[asked.by]
    return [(str(names.get(key) or key or _("Not known")), line, None) for key, line in counted.items()]


def _by_ad(scope: Scope, by_ad: Mapping[int, Counts], spent: Mapping[int, Spent]) -> list[Found]:
    ads = Ad.objects.filter(ad_group__campaign__ad_account=scope.account).select_related("ad_group__campaign")
    places = {ad.pk: _place(ad, scope.asked.by) for ad in ads}
    found: dict[int, Found] = {}
    for ad_id in {*by_ad, *spent}:
        key, name = places.get(ad_id, (0, _("Unattributed")))
        _name, counted, cents = found.get(key, (name, Counts(), None))
        if ad_id in spent:
            cents = (cents or 0) + spent[ad_id].cents
        found[key] = (name, counted + by_ad.get(ad_id, Counts()), cents)
    return list(found.values())


def _place(ad: Ad, by: str) -> tuple[int, str]:
    if by == "campaign":
        return ad.ad_group.campaign_id, ad.ad_group.campaign.name
    return (ad.ad_group_id, ad.ad_group.name) if by == "ad_group" else (ad.pk, ad.name)
