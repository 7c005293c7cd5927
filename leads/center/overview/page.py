"""The whole page: everything that one state of the filter shows."""

from dataclasses import dataclass
from datetime import date, timedelta

from django.utils.translation import gettext as _

from accounts.access import Can, grants, require
from accounts.models import AdAccount, LeadLibrary, User
from forms_builder import measures
from forms_builder.measures import Counts
from leads.center.overview.asking import Asked, Scope, scope_of
from leads.center.overview.breakdown import Line, breakdown_of
from leads.center.overview.charts import bars_of, chart_of
from leads.center.overview.rail import Rail, rail_of
from leads.center.overview.spending import spent_of
from leads.center.overview.tiles import Tile, tiles_of
from leads.center.overview.todos import Todo, todos_of
from leads.center.selectors.notifications import wishes_of
from leadscenter.lib.charts import Bar, Day, LineChart


@dataclass(frozen=True, slots=True)
class Overview:
    library_id: int
    asked: Asked
    tiles: tuple[Tile, ...]
    chart: LineChart
    bars: tuple[Bar, ...]
    lost: int
    rail: Rail | None
    lines: tuple[Line, ...]
    total: Line
    todos: tuple[Todo, ...]
    todos_done: int
    with_spend: bool
    compared: str
    anything: bool
    sound: bool
    forms: dict[int, str]
    campaigns: dict[int, str]

    @property
    def dated(self) -> list[tuple[date, Day]]:
        """The days of the chart with their dates (UTC)."""
        return [(self.asked.since + timedelta(days=place), day) for place, day in enumerate(self.chart.days)]


def account_overview(actor: User, account: AdAccount, asked: Asked) -> Overview:
    """Return the numbers of an ad account for everyone who may view its campaigns; raise `Refused`."""
    held = require(actor, Can.VIEW_CAMPAIGNS, account)
    library = account.library
    return _overview(actor, scope_of(account, library, held | grants(actor, library), asked, with_spend=True))


def library_overview(actor: User, library: LeadLibrary, asked: Asked) -> Overview:
    """Return the counts of a lead library for everyone who belongs to it, without spend; raise `Refused`."""
    held = require(actor, Can.BELONG_LIBRARY, library)
    return _overview(actor, scope_of(library.ad_account, library, held, asked, with_spend=False))


def _overview(actor: User, scope: Scope) -> Overview:
    asked = scope.asked
    before_since, before_until = asked.before
    by_day = measures.counts(scope.forms, by="day", since=before_since, until=asked.until, ad_ids=scope.ads)
    now = sum((line for day, line in by_day.items() if day >= asked.since), Counts())
    before = sum((line for day, line in by_day.items() if day < asked.since), Counts())
    spent, spent_before = spent_of(scope, asked.since, asked.until), spent_of(scope, before_since, before_until)
    by_ad = measures.counts(scope.forms, by="ad_id", since=asked.since, until=asked.until, ad_ids=scope.ads)
    by_ad_before = measures.counts(scope.forms, by="ad_id", since=before_since, until=before_until, ad_ids=scope.ads)
    attributed = (_attributed(by_ad), _attributed(by_ad_before))
    lines, total = breakdown_of(scope, by_ad, spent)
    mails = any(wish.kind == "new_lead" and wish.by_mail for wish in wishes_of(actor))
    todos = todos_of(scope.account, scope.library, scope.held, wants_mail=mails)
    return Overview(
        library_id=scope.library.pk,
        asked=asked,
        tiles=tiles_of(scope, now, before, attributed, spent, spent_before),
        chart=chart_of(by_day, asked, now, before),
        bars=bars_of(now, spent, scope.account.currency, with_spend=scope.with_spend),
        lost=max(now.open - now.submit, 0),
        rail=rail_of(scope),
        lines=lines,
        total=total,
        todos=todos,
        todos_done=sum(todo.done for todo in todos),
        with_spend=scope.with_spend,
        compared=_("%(days)s days before") % {"days": asked.length},
        anything=bool(now.open or now.submit or before.submit or spent),
        sound=now.is_sound,
        forms=scope.every_form,
        campaigns=scope.every_campaign,
    )


def _attributed(by_ad: dict[int, Counts]) -> int:
    return sum(line.submit for ad, line in by_ad.items() if ad)
