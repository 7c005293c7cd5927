"""The five tiles, each with its definition and its change against the period before."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime, time, timedelta
from typing import Any
from urllib.parse import urlencode

from django.db.models import Exists, OuterRef, QuerySet
from django.utils import timezone
from django.utils.translation import gettext as _

from accounts.access import Can
from forms_builder.measures import Counts
from leads.center.overview.asking import Scope
from leads.center.overview.spending import Spent, cents_of, money
from leads.models import Delivery, Lead
from leadscenter.lib.display import number, percent
from leadscenter.lib.medians import median_seconds

CONTACTS_LOOKED_AT = 5000
UNDELIVERED_COUNTED = 1000


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
    return (*tiles, _completion(now, before), _first_contact(scope, leads_url), _undelivered(scope))


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
    leads = _narrowed(scope, Lead.objects.filter(library=scope.library, state=Lead.State.LIVE, is_test=False))
    first, end = (datetime.combine(day, time.min, UTC) for day in (since, until + timedelta(days=1)))
    leads = leads.exclude(source=Lead.Source.IMPORT).filter(
        received_at__gte=first, received_at__lt=end, contacted_at__isnull=False
    )
    newest = leads.order_by("-received_at", "-pk")[:CONTACTS_LOOKED_AT]
    seconds = median_seconds(newest, "received_at", "contacted_at")
    return None if seconds is None else seconds / 60


def _narrowed(scope: Scope, leads: QuerySet[Lead]) -> QuerySet[Lead]:
    wanted: dict[str, Any] = {}
    if scope.asked.form:
        wanted["form"] = scope.asked.form
    if scope.asked.campaign:
        wanted["campaign"] = scope.asked.campaign
    return leads.filter(**wanted)


def _first_contact(scope: Scope, url: str) -> Tile:
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
    if middle is None:
        return replace(tile, word=_("nobody was contacted yet"), before=earlier)
    return _compared(tile, middle, earlier, _("slower"), _("faster"), rising_is_good=False)


def _span(minutes: float | None) -> tuple[str, str]:
    if minutes is None:
        return "–", ""
    return (f"{minutes / 60:.1f}", _(" h")) if minutes >= 120 else (f"{minutes:.0f}", _(" min"))


def _undelivered(scope: Scope) -> Tile:
    open_ = Delivery.objects.filter(library_id=scope.library.pk, connection__removed_at=None)
    if scope.asked.form or scope.asked.campaign:
        leads = _narrowed(scope, Lead.objects.filter(pk=OuterRef("lead_id"), library=scope.library))
        open_ = open_.filter(Exists(leads))
    failed = open_.filter(state=Delivery.State.DEAD)
    dead = failed.values("pk")[:UNDELIVERED_COUNTED].count()
    retrying = open_.filter(state=Delivery.State.PENDING, attempts__gt=0).values("pk")[:UNDELIVERED_COUNTED].count()
    lately = failed.filter(settled_at__gt=timezone.now() - timedelta(days=1)).values("pk")[:UNDELIVERED_COUNTED].count()
    return Tile(
        "undelivered",
        _("Undelivered"),
        number(dead + retrying),
        _("Deliveries to a CRM that failed or are still being retried, of any age"),
        url=f"/l/{scope.library.pk}/integrations/#log" if Can.CONNECT_CRM in scope.held else "",
        delta=f"▲ {number(lately)}" if lately else number(dead) if dead else "",
        word=_("failed since yesterday")
        if lately
        else _("failed, need a person")
        if dead
        else _("all delivered")
        if not retrying
        else _("being retried"),
        poor=bool(dead),
        alert=bool(dead),
        number=dead + retrying,
    )
