"""Counts per day, campaign, ad group, ad or form: from measures and ad days alone, never from leads.

clicks            an ad's link led to a form (counted here, not by the ad network)
opens, starts     see `forms_builder.measures`
submits           accepted leads, without tests
completion rate   submits by opens      open rate    opens by clicks       start rate   starts by opens
cvr               submits by clicks     cpl          spend by submits that came through an ad (organic ones excluded)

A rate without a denominator is None, never 0. What came through no ad, or through one that is not of this account,
stands in the line "unattributed", so that the lines of every grouping add up to the total.
"""

import datetime
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from typing import Any, Literal

from django.db.models import Sum

from accounts.access import Can, require
from accounts.models import AdAccount, User
from campaigns.models import Ad, AdDay
from forms_builder import measures
from forms_builder.measures import Counts
from forms_builder.models import Form

GroupBy = Literal["day", "campaign", "ad_group", "ad", "form", "country", "device"]
GROUPINGS: tuple[GroupBy, ...] = ("day", "campaign", "ad_group", "ad", "form", "country", "device")
DEFAULT_DAYS = 30
MAX_DAYS = 400


@dataclass(frozen=True, slots=True)
class Line:
    """One line: `key` is an id, a day or "" for unattributed; money in hundredths of the account's currency."""

    key: str
    name: str
    counts: Counts = field(default_factory=Counts)
    attributed: int = 0  # submits that came through an ad
    impressions: int = 0
    spend_cents: int = 0

    @property
    def cvr(self) -> float | None:
        """Submits by clicks."""
        return self.attributed / self.counts.click if self.counts.click else None

    @property
    def cpl_cents(self) -> int | None:
        """Spend by attributed submits."""
        return round(self.spend_cents / self.attributed) if self.attributed and self.spend_cents else None

    def __add__(self, other: "Line") -> "Line":
        return Line(
            self.key,
            self.name,
            self.counts + other.counts,
            self.attributed + other.attributed,
            self.impressions + other.impressions,
            self.spend_cents + other.spend_cents,
        )


@dataclass(frozen=True, slots=True)
class Report:
    since: datetime.date
    until: datetime.date
    group_by: GroupBy
    lines: list[Line]
    total: Line

    @property
    def is_sound(self) -> bool:
        """Whether opens ≥ starts ≥ submits in every line; else pages show a notice, and nothing is clipped."""
        return all(line.counts.is_sound for line in [*self.lines, self.total])


def default_days() -> tuple[datetime.date, datetime.date]:
    """Return the last 30 days, today (UTC) included."""
    today = datetime.datetime.now(datetime.UTC).date()
    return today - datetime.timedelta(days=DEFAULT_DAYS - 1), today


def report(
    *, actor: User, ad_account: AdAccount, since: datetime.date, until: datetime.date, group_by: GroupBy
) -> Report:
    """Return the account's report over whole days (UTC, both included); for every role. Raises `Refused`."""
    require(actor, Can.VIEW_CAMPAIGNS, ad_account)
    forms = dict(Form.objects.filter(ad_account=ad_account).values_list("pk", "name"))
    ads = {ad.pk: ad for ad in _ads_of(ad_account)}
    lines = _by_ad(forms, ads, since, until, group_by) if group_by in ("campaign", "ad_group", "ad") else {}
    if group_by in ("day", "form"):
        lines = _by_measure(forms, ads, since, until, group_by)
    if group_by in ("country", "device"):
        lines = _by_place(forms, ads, since, until, group_by)
    ordered = sorted(lines.values(), key=_order(group_by))
    total = sum(ordered, Line("", ""))
    return Report(since, until, group_by, ordered, total)


def by_ad(
    forms: Iterable[int], ads: Iterable[int], since: datetime.date | None = None, until: datetime.date | None = None
) -> dict[int, Line]:
    """Return a line per ad id, for pages that already know that the reader may see these ads."""
    wanted = list(ads)
    counted = measures.counts(forms, by="ad_id", since=since, until=until, ad_ids=wanted)
    spent = _spent("ad_id", wanted, since, until)
    return {ad: _line(str(ad), "", counted.get(ad, Counts()), spent.get(ad), through_ad=True) for ad in wanted}


def _ads_of(ad_account: AdAccount) -> Iterable[Ad]:
    return Ad.objects.filter(ad_group__campaign__ad_account=ad_account).select_related("ad_group__campaign")


def _by_ad(
    forms: dict[int, str], ads: dict[int, Ad], since: datetime.date, until: datetime.date, level: GroupBy
) -> dict[str, Line]:
    counted = measures.counts(forms, by="ad_id", since=since, until=until)
    spent = _spent("ad_id", list(ads), since, until)
    lines: dict[str, Line] = {}
    for ad_id in counted.keys() | spent.keys():
        ad = ads.get(ad_id)
        key, name = ("", "") if ad is None else _place(ad, level)
        line = _line(key, name, counted.get(ad_id, Counts()), spent.get(ad_id), through_ad=ad is not None)
        lines[key] = lines[key] + line if key in lines else line
    for ad in ads.values():
        key, name = _place(ad, level)
        lines.setdefault(key, Line(key, name))
    return lines


def _place(ad: Ad, level: GroupBy) -> tuple[str, str]:
    if level == "campaign":
        return str(ad.ad_group.campaign_id), ad.ad_group.campaign.name
    if level == "ad_group":
        return str(ad.ad_group_id), ad.ad_group.name
    return str(ad.pk), ad.name


def _by_measure(
    forms: dict[int, str], ads: dict[int, Ad], since: datetime.date, until: datetime.date, level: GroupBy
) -> dict[str, Line]:
    by = "day" if level == "day" else "form_id"
    counted = measures.counts(forms, by=by, since=since, until=until)
    through_ads = measures.counts(forms, by=by, since=since, until=until, ad_ids=ads)
    spent = _spent("day" if level == "day" else "ad__form_id", list(ads), since, until)
    keys: Iterable[Any] = forms if level == "form" else _days(since, until)
    lines = {}
    for key in keys:
        shown = key.isoformat() if level == "day" else str(key)
        line = _line(shown, forms.get(key, shown), counted.get(key, Counts()), spent.get(key), through_ad=False)
        attributed = through_ads.get(key, Counts()).submit
        lines[shown] = line + Line(shown, line.name, attributed=attributed)
    return lines


def _by_place(
    forms: dict[int, str], ads: dict[int, Ad], since: datetime.date, until: datetime.date, level: GroupBy
) -> dict[str, Line]:
    """Count by country or device; "" where it is not known, and there stands what was spent: ad days do not tell."""
    counted = measures.counts(forms, by=level, since=since, until=until)
    through_ads = measures.counts(forms, by=level, since=since, until=until, ad_ids=ads)
    lines = {
        key: Line(key, key, line, attributed=through_ads.get(key, Counts()).submit) for key, line in counted.items()
    }
    spent = _spent("ad_id", list(ads), since, until).values()
    if spent:
        known = Line(
            "", "", impressions=sum(seen for seen, _cents in spent), spend_cents=sum(cents for _seen, cents in spent)
        )
        lines[""] = lines.get("", Line("", "")) + known
    return lines


def _line(key: str, name: str, counts: Counts, spent: tuple[int, int] | None, *, through_ad: bool) -> Line:
    impressions, cents = spent or (0, 0)
    return Line(key, name, counts, counts.submit if through_ad else 0, impressions, cents)


def _spent(
    by: str, ads: list[int], since: datetime.date | None, until: datetime.date | None
) -> dict[Any, tuple[int, int]]:
    rows = AdDay.objects.filter(ad_id__in=ads)
    if since and until:
        rows = rows.filter(day__gte=since, day__lte=until)
    summed = rows.values_list(by).annotate(seen=Sum("impressions"), cents=Sum("spend_cents"))
    return {key: (seen, cents) for key, seen, cents in summed}


def _days(since: datetime.date, until: datetime.date) -> list[datetime.date]:
    return [since + datetime.timedelta(days=number) for number in range((until - since).days + 1)]


def _order(group_by: GroupBy) -> Callable[[Line], Any]:
    if group_by == "day":
        return lambda line: line.key
    return lambda line: (line.key == "", -line.counts.submit, line.name, line.key)  # unattributed last
