"""The five tiles, each with its definition and its change against the period before."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import date, datetime, timedelta
from urllib.parse import urlencode

from django.utils.translation import gettext as _

from accounts.access import Can
from forms_builder.measures import Counts
from leads.center.overview.asking import Scope, midnight
from leads.center.overview.spending import Spent, cents_of, money
from leads.center.selectors.counting import Tab, count_all
from leads.models import Lead
from leads.selection import Selection
from leadscenter.lib.display import number, percent
from leadscenter.lib.medians import median_seconds

CONTACTS_LOOKED_AT = 5000


@dataclass(frozen=True, slots=True)
class Tile:
    """`number` and `before` are the value and that of the period before as numbers; None: nothing to divide by."""

    key: str
    label: str
    value: str
    definition: str
    unit: str = ""
    url: str = ""
    delta: str = ""
    word: str = ""
    than: str = ""
    good: bool = False
    poor: bool = False
    alert: bool = False
    number: float | None = None
    before: float | None = None


def tiles_of(
    scope: Scope,
    now: Counts,
    before: Counts,
    attributed: tuple[int, int],
    spent: Mapping[int, Spent],
    spent_before: Mapping[int, Spent],
) -> tuple[Tile, ...]:
    """Return the tiles; `attributed` is the submits that came from an ad, now and before."""
    leads_url = ""
    if Can.VIEW_LEADS in scope.held:
        leads_url = f"/l/{scope.library.pk}/leads/?{urlencode(scope.asked.lead_params())}"
    tiles = [_leads(now, before, leads_url)]
    if scope.with_spend:
        tiles.append(_cost(scope.account.currency, attributed, cents_of(spent), cents_of(spent_before)))
    deleted = _newest_deleted(scope)
    contact, undelivered = _first_contact(scope, leads_url, deleted), _undelivered(scope, deleted)
    return (*tiles, _completion(now, before), contact, undelivered)


def _leads(now: Counts, before: Counts, url: str) -> Tile:
    tile = Tile(
        "leads",
        _("Leads"),
        number(now.submit),
        _("Accepted submissions, without test leads and spam"),
        url=url,
        than=_("than %(n)s") % {"n": number(before.submit)},
    )
    return _compared(tile, now.submit, before.submit, _("more"), _("fewer"), rising_is_good=True)


def _cost(currency: str, attributed: tuple[int, int], cents: int, cents_before: int) -> Tile:
    cost = cents / attributed[0] if attributed[0] and cents else None
    cost_before = cents_before / attributed[1] if attributed[1] and cents_before else None
    tile = Tile(
        "cost_per_lead",
        _("Cost per lead"),
        money(cost, currency),
        _("Spend ÷ submits that came from an ad"),
        than=_("than %(n)s") % {"n": money(cost_before, currency)},
    )
    return _compared(tile, cost, cost_before, _("higher"), _("lower"), rising_is_good=False)


def _completion(now: Counts, before: Counts) -> Tile:
    rate, rate_before = now.completion_rate, before.completion_rate
    tile = Tile(
        "completion_rate",
        _("Completion rate"),
        percent(rate).removesuffix(" %"),
        _("Submits ÷ form opens"),
        unit=" %" if rate is not None else "",
        url="#funnel",
        than=_("than %(n)s") % {"n": percent(rate_before)},
    )
    return _compared(tile, rate, rate_before, _("higher"), _("lower"), rising_is_good=True, points=True)


def _compared(
    tile: Tile,
    now: float | None,
    before: float | None,
    more: str,
    less: str,
    *,
    rising_is_good: bool,
    points: bool = False,
) -> Tile:
    """Add the change against the period before: an arrow, a number and a word, colour third."""
    tile = replace(tile, number=now, before=before)
    if now is None or not before:
        return replace(tile, word=_("no earlier period"), than="")
    change = (now - before) * 100 if points else (now / before - 1) * 100
    rose = change >= 0
    text = _("%(n).1f pt") % {"n": abs(change)} if points else f"{abs(change):.1f} %"
    if round(abs(change), 1) == 0:
        return replace(tile, word=_("no change"), than="")
    good = rose == rising_is_good
    delta = f"{'▲' if rose else '▼'} {text}"
    return replace(tile, delta=delta, word=more if rose else less, good=good, poor=not good)


def _contacted(scope: Scope, since: date, until: date) -> float | None:
    """Return the median of the minutes to the first contact of the leads of these days; None without one.

    Leads that a file brought had waited elsewhere before: they are left out.
    """
    leads = _selection(scope, since, until).apply(Lead.objects.filter(library=scope.library))
    leads = leads.exclude(source=Lead.Source.IMPORT).filter(contacted_at__isnull=False)
    newest = leads.order_by("-received_at", "-pk")[:CONTACTS_LOOKED_AT]
    seconds = median_seconds(newest, "received_at", "contacted_at")
    return None if seconds is None else seconds / 60


def _selection(scope: Scope, since: date, until: date) -> Selection:
    """Return the leads that were received on these days, under the page's form and campaign; no test leads."""
    first, end = midnight(since), midnight(until + timedelta(days=1))
    form, campaign = scope.asked.form or None, scope.asked.campaign or None
    return Selection(test=False, since=first, until=end, form=form, campaign=campaign)


def _first_contact(scope: Scope, url: str, newest_deleted: datetime | None) -> Tile:
    middle, earlier = _contacted(scope, scope.asked.since, scope.asked.until), _contacted(scope, *scope.asked.before)
    value, unit = _span(middle)
    tile = Tile(
        "time_to_first_contact",
        _("Time to first contact"),
        value,
        _("Median from submit to the first change of status, contact or note; the goal is %(goal)s min")
        % {"goal": scope.library.contact_goal_minutes},
        unit=unit,
        url=url,
        than=_("than %(n)s") % {"n": "".join(_span(earlier))},
    )
    if word := _deleted(scope, newest_deleted):
        return replace(tile, number=middle, word=word, than="")
    if middle is None:
        return replace(tile, word=_("nobody was contacted yet"), before=earlier)
    return _compared(tile, middle, earlier, _("slower"), _("faster"), rising_is_good=False)


def _span(minutes: float | None) -> tuple[str, str]:
    if minutes is None:
        return "–", ""
    return (f"{minutes / 60:.1f}", _(" h")) if minutes >= 120 else (f"{minutes:.0f}", _(" min"))


def _undelivered(scope: Scope, newest_deleted: datetime | None) -> Tile:
    """The leads that the list shows as undelivered, which are those of the period that are so now."""
    asked = scope.asked
    periods = {"now": (asked.since, asked.until), "before": asked.before}
    wanted = {key: replace(_selection(scope, *days), delivery="undelivered") for key, days in periods.items()}
    now, before = count_all(scope.library, wanted)
    url = ""
    if Can.VIEW_LEADS in scope.held:
        url = f"/l/{scope.library.pk}/leads/?{urlencode(wanted['now'].as_params())}"
    tile = Tile(
        "undelivered",
        _("Undelivered"),
        _counted(now),
        _("Leads of the period whose delivery to a CRM has failed, is being retried or is paused"),
        url=url,
        than=_("than %(n)s") % {"n": _counted(before)},
        alert=bool(now.count),
        number=now.count,
    )
    if word := _deleted(scope, newest_deleted):
        return replace(tile, word=word, than="")
    if now.more or before.more:
        return replace(tile, than="", before=before.count)
    if not before.count:
        word = _("none in the days before") if now.count else _("none failed or waiting")
        return replace(tile, word=word, than="", before=0, poor=bool(now.count))
    return _compared(tile, now.count, before.count, _("more"), _("fewer"), rising_is_good=False)


def _counted(tab: Tab) -> str:
    return f"{number(tab.count)}{'+' if tab.more else ''}"


def _newest_deleted(scope: Scope) -> datetime | None:
    """Return the day of the newest lead of both periods whose time was over; None where all of them are kept."""
    both = replace(_selection(scope, scope.asked.before[0], scope.asked.until), form=None, campaign=None)
    rows = replace(both, state=Lead.State.GONE).apply(Lead.objects.filter(library=scope.library))
    gone = rows.filter(why_gone=Lead.Gone.EXPIRED)
    return gone.order_by("-received_at", "-pk").values_list("received_at", flat=True).first()


def _deleted(scope: Scope, newest: datetime | None) -> str:
    """Say that what is made from leads lacks some: nothing is compared then. Empty where none are deleted."""
    if newest is None:
        return ""
    if newest >= midnight(scope.asked.since):
        return _("leads of these days are deleted")
    return _("leads of the days before are deleted")
