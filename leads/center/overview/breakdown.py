"""The breakdown: leads by campaign, ad group, ad, form, country or device. The lines add up to the total."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any, NamedTuple

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
    """A row of the breakdown; `bar` is the width of its share in percent, `key` an id or a code ("": there is none).

    `narrows`: the page can be asked for this line alone.
    """

    key: str
    name: str
    leads: int
    share: float
    bar: str
    opens: int
    completion: float | None
    spend: str
    cost: str
    spend_cents: int | None
    narrows: bool


class Found(NamedTuple):
    """What one line counts; `cents` is its spend in hundredths, None where none is known."""

    key: str
    name: str
    counts: Counts
    cents: int | None

    def plus(self, counts: Counts, cents: int | None) -> "Found":
        """Return the line with more counted in it."""
        spent = self.cents if cents is None else (self.cents or 0) + cents
        return self._replace(counts=self.counts + counts, cents=spent)


def breakdown_of(
    scope: Scope, by_ad: Mapping[int, Counts], spent: Mapping[int, Spent]
) -> tuple[tuple[Line, ...], Line]:
    """Return the lines, most leads first, at most 50 and the rest as one; and their total."""
    found = _by_ad(scope, by_ad, spent) if scope.asked.by in ("campaign", "ad_group", "ad") else _by_measure(scope)
    total = _together("", _("Total"), found)
    ordered = sorted(found, key=lambda line: (-line.counts.submit, line.name))
    if len(ordered) > SHOWN:
        ordered = [*ordered[: SHOWN - 1], _together("", _("All others"), ordered[SHOWN - 1 :])]
    highest = max([line.counts.submit for line in ordered], default=0) or 1
    rows = tuple(_line(scope, line, total.counts.submit, highest) for line in ordered)
    return rows, _line(scope, total, total.counts.submit, highest)


def _together(key: str, name: str, lines: Iterable[Found]) -> Found:
    whole = Found(key, name, Counts(), None)
    for line in lines:
        whole = whole.plus(line.counts, line.cents)
    return whole


def _line(scope: Scope, found: Found, leads: int, highest: int) -> Line:
    counted, cents, currency = found.counts, found.cents, scope.account.currency
    cost = cents / counted.submit if cents and counted.submit else None
    return Line(
        key=found.key,
        name=found.name,
        leads=counted.submit,
        share=counted.submit / leads if leads else 0.0,
        bar=f"{min(counted.submit / highest, 1) * 100:.1f}%",
        opens=counted.open,
        completion=counted.completion_rate if counted.open >= counted.submit else None,
        spend=money(cents, currency) if scope.with_spend else "",
        cost=money(cost, currency) if scope.with_spend else "",
        spend_cents=cents if scope.with_spend else None,
        narrows=bool(found.key) and scope.asked.by in ("form", "campaign"),
    )


def _by_measure(scope: Scope) -> list[Found]:
    asked = scope.asked
    column = {"form": "form_id"}.get(asked.by, asked.by)
    counted = measures.counts(scope.forms, by=column, since=asked.since, until=asked.until, ad_ids=scope.ads)
    known: dict[str, Mapping[Any, Any]] = {"form": scope.forms, "country": COUNTRIES, "device": dict(Device.choices)}
    names = known[asked.by]
    return [Found(str(key), str(names.get(key) or key or _("Not known")), line, None) for key, line in counted.items()]


def _by_ad(scope: Scope, by_ad: Mapping[int, Counts], spent: Mapping[int, Spent]) -> list[Found]:
    ads = Ad.objects.filter(ad_group__campaign__ad_account=scope.account).select_related("ad_group__campaign")
    places = {ad.pk: _place(ad, scope.asked.by) for ad in ads}
    found: dict[str, Found] = {}
    for ad_id in {*by_ad, *spent}:
        key, name = places.get(ad_id, ("", _("Unattributed")))
        line = found.get(key, Found(key, name, Counts(), None))
        found[key] = line.plus(by_ad.get(ad_id, Counts()), spent[ad_id].cents if ad_id in spent else None)
    return list(found.values())


def _place(ad: Ad, by: str) -> tuple[str, str]:
    if by == "campaign":
        return str(ad.ad_group.campaign_id), ad.ad_group.campaign.name
    return (str(ad.ad_group_id), ad.ad_group.name) if by == "ad_group" else (str(ad.pk), ad.name)
