"""The overview of an ad account (with spend) and of a lead library (counts only). Numbers, never a lead."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from statistics import median
from typing import Any

from django.db.models import Sum
from django.template.defaultfilters import date as format_date
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from accounts.access import Can, grants, require
from accounts.models import AccountMembership, AccountRole, AdAccount, LeadLibrary, User
from campaigns.models import Ad, AdDay
from forms_builder import measures
from forms_builder.measures import Counts
from forms_builder.models import Form
from leads.models import Connection, Delivery, Lead
from leadscenter.lib.charts import Bar, Day, LineChart, Step, funnel, line_chart
from leadscenter.lib.display import number, percent

PERIODS = (7, 28, 90)
GROUPS = ("campaign", "ad_group", "ad", "form")
CONTACTS_LOOKED_AT = 5000
UNDELIVERED_COUNTED = 1000


@dataclass(frozen=True, slots=True)
class Tile:
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


@dataclass(frozen=True, slots=True)
class Todo:
    label: str
    done: bool
    note: str = ""
    url: str = ""
    action: str = ""


@dataclass(frozen=True, slots=True)
class Overview:
    since: date
    until: date
    days: int
    by: str
    tiles: tuple[Tile, ...]
    chart: LineChart
    bars: tuple[Bar, ...]
    lost: int
    lines: tuple[Line, ...]
    total: Line
    todos: tuple[Todo, ...]
    todos_done: int
    with_spend: bool
    compared: str
    anything: bool


def account_overview(actor: User, account: AdAccount, *, days: int, by: str, today: date | None = None) -> Overview:
    """Return the numbers of an ad account for everyone who may view its campaigns; raise `Refused`."""
    held = require(actor, Can.VIEW_CAMPAIGNS, account)
    library = account.library
    return _overview(account, library, held | grants(actor, library), days, by, today, with_spend=True)


def library_overview(actor: User, library: LeadLibrary, *, days: int, by: str, today: date | None = None) -> Overview:
    """Return the counts of a lead library for everyone who belongs to it, without spend; raise `Refused`."""
    held = require(actor, Can.BELONG_LIBRARY, library)
    return _overview(library.ad_account, library, held, days, by, today, with_spend=False)


def _overview(
    account: AdAccount,
    library: LeadLibrary,
    held: frozenset[Can],
    days: int,
    by: str,
    today: date | None,
    *,
    with_spend: bool,
) -> Overview:
    until = today or timezone.now().date()
    since = until - timedelta(days=days - 1)
    before_until, before_since = since - timedelta(days=1), since - timedelta(days=days)
    forms = {form.pk: form.name for form in Form.objects.filter(ad_account=account).only("pk", "name")}
    by_day = measures.counts(forms, by="day", since=before_since, until=until)
    now = sum((line for day, line in by_day.items() if day >= since), Counts())
    before = sum((line for day, line in by_day.items() if day < since), Counts())
    spent = _spent(account, since, until) if with_spend else {}
    spent_before = _spent(account, before_since, before_until) if with_spend else {}
    compared = _("%(days)s days before") % {"days": days}
    by_ad = measures.counts(forms, by="ad_id", since=since, until=until)
    lines, total = _breakdown(account, forms, by, by_ad, spent, since, until, account.currency, with_spend=with_spend)
    todos = _todos(account, library, held)
    return Overview(
        since=since,
        until=until,
        days=days,
        by=by,
        tiles=_tiles(account, library, held, now, before, by_ad, spent, spent_before, since, with_spend=with_spend),
        chart=_chart(by_day, since, days, now, before),
        bars=_bars(now, spent, account.currency, with_spend=with_spend),
        lost=max(now.open - now.submit, 0),
        lines=lines,
        total=total,
        todos=todos,
        todos_done=sum(todo.done for todo in todos),
        with_spend=with_spend,
        compared=compared,
        anything=bool(now.open or now.submit or before.submit or spent),
    )


@dataclass(frozen=True, slots=True)
class _Spent:
    impressions: int
    clicks: int
    cents: int


def _spent(account: AdAccount, since: date, until: date) -> dict[int, _Spent]:
    rows = AdDay.objects.filter(ad__ad_group__campaign__ad_account=account, day__gte=since, day__lte=until)
    sums = rows.values("ad_id").annotate(i=Sum("impressions"), c=Sum("clicks"), s=Sum("spend_cents"))
    return {row["ad_id"]: _Spent(row["i"], row["c"], row["s"]) for row in sums}


def money(cents: float | None, currency: str) -> str:
    """An amount in hundredths as text in the account's currency; a dash where there is none."""
    if cents is None:
        return "–"
    sign = {"USD": "$", "EUR": "€", "GBP": "£"}.get(currency, f"{currency} ")
    return f"{sign}{cents / 100:,.2f}" if cents < 1_000_00 else f"{sign}{cents / 100:,.0f}"


def _tiles(
    account: AdAccount,
    library: LeadLibrary,
    held: frozenset[Can],
    now: Counts,
    before: Counts,
    by_ad: Mapping[int, Counts],
    spent: Mapping[int, _Spent],
    spent_before: Mapping[int, _Spent],
    since: date,
    *,
    with_spend: bool,
) -> tuple[Tile, ...]:
    leads_url = f"/l/{library.pk}/leads/" if Can.VIEW_LEADS in held else ""
    tiles = [
        _compared(
            Tile(
                _("Leads"),
                number(now.submit),
                _("Accepted submissions, without test leads and spam"),
                url=leads_url,
                than=_("than %(n)s") % {"n": number(before.submit)},
            ),
            now.submit,
            before.submit,
            _("more"),
            _("fewer"),
            rising_is_good=True,
        )
    ]
    if with_spend:
        attributed = sum(line.submit for ad, line in by_ad.items() if ad)
        cents, cents_before = sum(one.cents for one in spent.values()), sum(one.cents for one in spent_before.values())
        cost = cents / attributed if attributed and cents else None
        cost_before = cents_before / before.submit if before.submit and cents_before else None
        tile = Tile(
            _("Cost per lead"),
            money(cost, account.currency),
            _("Spend ÷ submits that came from an ad"),
            than=_("than %(n)s") % {"n": money(cost_before, account.currency)},
        )
        tiles.append(_compared(tile, cost, cost_before, _("higher"), _("lower"), rising_is_good=False))
    rate, rate_before = now.completion_rate, before.completion_rate
    tile = Tile(
        _("Completion rate"),
        percent(rate).removesuffix(" %"),
        _("Submits ÷ form opens"),
        unit=" %" if rate is not None else "",
        url="#funnel",
        than=_("than %(n)s") % {"n": percent(rate_before)},
    )
    tiles.append(_compared(tile, rate, rate_before, _("higher"), _("lower"), rising_is_good=True, points=True))
    tiles.append(_first_contact(library, since, leads_url))
    tiles.append(_undelivered(library, held))
    return tuple(tiles)


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
    values = {name: getattr(tile, name) for name in Tile.__slots__}
    if now is None or not before:
        return Tile(**{**values, "word": _("no earlier period"), "than": ""})
    change = (now - before) * 100 if points else (now / before - 1) * 100
    rose = change >= 0
    text = _("%(n).1f pt") % {"n": abs(change)} if points else f"{abs(change):.1f} %"
    if round(abs(change), 1) == 0:
        return Tile(**{**values, "word": _("no change"), "than": ""})
    good = rose == rising_is_good
    return Tile(
        **{**values, "delta": f"{'▲' if rose else '▼'} {text}", "word": more if rose else less, "good": good}
        | {"poor": not good}
    )


def _first_contact(library: LeadLibrary, since: date, url: str) -> Tile:
    contacted = Lead.objects.filter(
        library=library, state=Lead.State.LIVE, is_test=False, received_at__date__gte=since, contacted_at__isnull=False
    ).values_list("received_at", "contacted_at")[:CONTACTS_LOOKED_AT]
    spans = [(at - received).total_seconds() / 60 for received, at in contacted if at]
    middle = median(spans) if spans else None
    goal = library.contact_goal_minutes
    late = middle is not None and middle > goal
    minutes, unit = ("–", "") if middle is None else (f"{middle:.0f}", _(" min"))
    if middle is not None and middle >= 120:
        minutes, unit = f"{middle / 60:.1f}", _(" h")
    word = _("goal %(n)s min") % {"n": goal} if middle is not None else _("nobody was contacted yet")
    return Tile(
        _("Time to first contact"),
        minutes,
        _("Median from submit to the first status change, of leads that were contacted"),
        unit=unit,
        url=url,
        word=word,
        delta="" if middle is None else (_("over the") if late else _("within the")),
        good=middle is not None and not late,
        poor=late,
    )


def _undelivered(library: LeadLibrary, held: frozenset[Can]) -> Tile:
    open_ = Delivery.objects.filter(library_id=library.pk, connection__removed_at=None)
    dead = open_.filter(state=Delivery.State.DEAD).values("pk")[:UNDELIVERED_COUNTED].count()
    retrying = open_.filter(state=Delivery.State.PENDING, attempts__gt=0).values("pk")[:UNDELIVERED_COUNTED].count()
    return Tile(
        _("Undelivered"),
        number(dead + retrying),
        _("Deliveries to a CRM that failed or are still being retried"),
        url=f"/l/{library.pk}/integrations/#log" if Can.CONNECT_CRM in held else "",
        delta=number(dead) if dead else "",
        word=_("failed, need a person") if dead else _("all delivered") if not retrying else _("being retried"),
        poor=bool(dead),
        alert=bool(dead),
    )


def _chart(by_day: Mapping[date, Counts], since: date, days: int, now: Counts, before: Counts) -> LineChart:
    def at(day: date) -> int:
        return by_day.get(day, Counts()).submit

    rows = [
        Day(
            format_date(since + timedelta(days=index), "j M"),
            at(since + timedelta(days=index)),
            at(since + timedelta(days=index - days)) if before.submit else None,
            partial=index == days - 1,
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


def _bars(now: Counts, spent: Mapping[int, _Spent], currency: str, *, with_spend: bool) -> tuple[Bar, ...]:
    steps = [
        Step(_("Form opens"), _("Forms shown to a visitor, counted once in 30 min"), now.open),
        Step(_("Starts"), _("Visitors with at least one answer"), now.start),
        Step(_("Submits"), _("Accepted submissions, without test leads and spam"), now.submit),
    ]
    if with_spend and spent:
        shown = sum(one.impressions for one in spent.values())
        clicks = sum(one.clicks for one in spent.values())
        per_thousand = sum(one.cents for one in spent.values()) / shown * 1000 if shown else None
        note = _("%(n)s per thousand") % {"n": money(per_thousand, currency)}
        steps = [
            Step(_("Impressions"), _("Times an ad was shown"), shown, note),
            Step(_("Clicks"), _("Clicks from an ad to the form"), clicks),
            *steps,
        ]
    return funnel(steps)


def _breakdown(
    account: AdAccount,
    forms: Mapping[int, str],
    by: str,
    by_ad: Mapping[int, Counts],
    spent: Mapping[int, _Spent],
    since: date,
    until: date,
    currency: str,
    *,
    with_spend: bool,
) -> tuple[tuple[Line, ...], Line]:
    found: dict[Any, list[Any]] = {}  # key -> [name, counts, cents or None]
    if by == "form":
        for form_id, counted in measures.counts(forms, by="form_id", since=since, until=until).items():
            found[form_id] = [forms[form_id], counted, None]
    else:
        ads = Ad.objects.filter(ad_group__campaign__ad_account=account).select_related("ad_group__campaign")
        places = {ad.pk: _place(ad, by) for ad in ads}
        for ad_id in {*by_ad, *spent}:
            key, name = places.get(ad_id, (0, _("Unattributed")))
            line = found.setdefault(key, [name, Counts(), None])
            line[1] = line[1] + by_ad.get(ad_id, Counts())
            if ad_id in spent:
                line[2] = (line[2] or 0) + spent[ad_id].cents
    total = sum((line[1] for line in found.values()), Counts())
    highest = max([line[1].submit for line in found.values()], default=0) or 1
    cents = sum(line[2] or 0 for line in found.values()) or None

    def row(name: str, counted: Counts, spend: int | None) -> Line:
        return Line(
            name=name,
            leads=counted.submit,
            share=counted.submit / total.submit if total.submit else 0.0,
            bar=f"{counted.submit / highest * 100:.1f}%",
            opens=counted.open,
            completion=counted.completion_rate,
            spend=money(spend, currency) if with_spend else "",
            cost=money(spend / counted.submit if spend and counted.submit else None, currency) if with_spend else "",
        )

    ordered = sorted(found.values(), key=lambda line: (-line[1].submit, line[0]))
    return tuple(row(*line) for line in ordered[:50]), row(_("Total"), total, cents)


def _place(ad: Ad, by: str) -> tuple[int, str]:
    if by == "campaign":
        return ad.ad_group.campaign_id, ad.ad_group.campaign.name
    return (ad.ad_group_id, ad.ad_group.name) if by == "ad_group" else (ad.pk, ad.name)


def _todos(account: AdAccount, library: LeadLibrary, held: frozenset[Can]) -> tuple[Todo, ...]:
    """What is still to be done before the account works well; with an action only for those who may do it."""
    a, held_by = f"/a/{account.pk}", f"/l/{library.pk}"
    published = Form.objects.filter(ad_account=account, published__isnull=False).exists()
    received = Lead.objects.filter(library=library).exists()
    connected = Connection.objects.filter(library=library, removed_at=None).exists()
    administrators = AccountMembership.objects.filter(
        ad_account=account, share=None, role=AccountRole.ADMINISTRATOR, user__is_active=True
    ).count()
    leaving = _leaving(library)
    return (
        _todo(_("Publish a form"), published, "", f"{a}/forms/", _("Open forms"), Can.EDIT_FORMS in held),
        _todo(
            _("Receive the first lead"),
            received,
            _("A test lead counts here."),
            f"{a}/forms/",
            _("Open forms"),
            Can.VIEW_FORMS in held,
        ),
        _todo(
            _("Connect a CRM"),
            connected,
            _("Leads then arrive there within seconds."),
            f"{held_by}/integrations/",
            _("Connect"),
            Can.CONNECT_CRM in held,
        ),
        _todo(
            _("Have a second Administrator"),
            administrators > 1,
            _("One person alone is one holiday away from nobody."),
            f"{a}/members/",
            _("Add"),
            Can.MANAGE_MEMBERS in held,
        ),
        _todo(
            _("Decide how long leads are kept"),
            library.retention_days != LeadLibrary._meta.get_field("retention_days").default,
            _("Now %(days)s days. %(leaving)s") % {"days": library.retention_days, "leaving": leaving},
            f"{held_by}/privacy/",
            _("Decide"),
            Can.MANAGE_PRIVACY in held,
        ),
    )


def _todo(label: str, done: bool, note: str, url: str, action: str, allowed: bool) -> Todo:
    return Todo(label, done) if done else Todo(label, done, note, url if allowed else "", action if allowed else "")


def _leaving(library: LeadLibrary) -> str:
    limit = _soon(library)
    rows: Iterable[Any] = Lead.objects.filter(library=library, state=Lead.State.LIVE, received_at__lt=limit)
    count = rows.values("pk")[:1001].count()  # type: ignore[attr-defined]
    if count > 1000:
        return _("More than 1,000 leads go within a week.")
    return ngettext("%(n)s lead goes within a week.", "%(n)s leads go within a week.", count) % {"n": count}


def _soon(library: LeadLibrary) -> datetime:
    return timezone.now() - timedelta(days=library.retention_days - 7)
