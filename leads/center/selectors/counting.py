"""How many leads the views of the list hold: bounded, all of them by one statement, in a request of its own.

Counting ends at ten thousand where an index alone answers, and at a thousand where leads are looked at one by one.
"""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

from django.db.models import IntegerField, QuerySet, Subquery
from django.db.models.expressions import Combinable

from accounts.access import Can, require
from accounts.models import LeadLibrary, User
from leads.conditions import OPEN, expiring_before, open_deliveries
from leads.models import Lead, LeadLabel
from leads.selection import COLUMNS, Selection, read_selections
from leadscenter.lib.lately import Lately
from leadscenter.lib.lookups import numbers

COUNTED_AT_MOST = 10_000
COUNTED_ONE_BY_ONE = 1_000
TESTS = 1_000  # more than a library has: one for each form
LOOKED_AT = (1_500, 5_000)
"""Open deliveries: first those that hold enough leads as a rule, then as many as may be."""
ASKED = (
    *("status", "label", "assignee", "form", "campaign", "ad_group", "ad", "source", "outcome", "delivery"),
    *("duplicate", "viewed", "downloaded", "regions", "leads", "sort"),
)
FULL = Lately[tuple[int, Selection]](seconds=60)
"""By library what holds more leads than are counted: that seldom ends, and to see it again costs most of a count."""


@dataclass(frozen=True, slots=True)
class Tab:
    """A view of the list with how many leads it holds; `more` says that there are more than were counted."""

    key: str
    count: int
    more: bool


def tabs(
    actor: User, library: LeadLibrary, selection: Selection, *, saved: Mapping[str, Mapping[str, str]] | None = None
) -> list[Tab]:
    """Return the views of the list with bounded counts, for a request of their own; raise `Refused`.

    Behind ours those of the `saved` queries by their keys; what a query cannot say any more, or a search, is left out.
    All are counted by one statement, the same view once. Test leads count only where the filter asks for them.
    """
    require(actor, Can.VIEW_LEADS, library)
    base = replace(counting(selection).sorted_by("received"), state=Lead.State.LIVE, status="", assignee=None)
    base = replace(base, delivery="", expiring=None)
    wanted = {
        "all": base,
        "mine": replace(base, assignee=actor.pk),
        "unassigned": replace(base, assignee=0),
        **{status: replace(base, status=status) for status in Lead.Status.values},
        "undelivered": replace(base, delivery="undelivered"),
        "expiring": replace(base, expiring=expiring_before(library.retention_days)),
        "attention": base.sorted_by("attention"),
    }
    return count_all(library, wanted | _countable(actor, library, saved or {}))


def counted(actor: User, library: LeadLibrary, queries: Mapping[str, Mapping[str, str]]) -> dict[str, Tab]:
    """Return by key how many leads saved queries hold, without searches, which nobody counts, and what is no more."""
    return {tab.key: tab for tab in count_all(library, _countable(actor, library, queries))}


def _countable(actor: User, library: LeadLibrary, queries: Mapping[str, Mapping[str, str]]) -> dict[str, Selection]:
    read = read_selections(library, queries, actor=actor)
    return {key: counting(selection) for key, selection in read.items() if not selection.words}


def counting(selection: Selection) -> Selection:
    """Return the selection as it is counted: without a search, and without test leads unless they are asked for."""
    return replace(selection, words=(), test=False if selection.test is None else selection.test)


class _Rows(Subquery):
    """How many rows a query has."""

    template = "(SELECT COUNT(*) FROM (%(subquery)s) AS counted)"
    output_field = IntegerField()


def count_all(library: LeadLibrary, wanted: Mapping[str, Selection]) -> list[Tab]:
    """Count each of these; whoever calls has asked whether the leads may be seen."""
    asked = dict.fromkeys(wanted.values())
    full = {one: (_most(one), True) for one in asked if (library.pk, one) in FULL}
    found = full | {one: _undelivered(library, one) for one in asked if one not in full and one.delivery in OPEN}
    left = [one for one in asked if one not in found]
    sums = {one: parts for one in left if (parts := _by_status(one)) and asked.keys() >= parts}
    others = [one for one in left if one not in sums]
    rows = [_rows_of(library, one) for one in others]
    numbers = LeadLibrary.objects.filter(pk=library.pk).values_list(*rows).get() if rows else ()
    found |= {one: (number, False) for one, number in zip(others, numbers, strict=True)}
    for one, parts in sums.items():
        found[one] = sum(found[part][0] for part in parts), any(found[part][1] for part in parts)
    counts = {one: _tab("", *found[one], _most(one)) for one in asked}
    FULL.add((library.pk, one) for one, tab in counts.items() if tab.more and one not in full)
    return [replace(counts[one], key=key) for key, one in wanted.items()]


def _by_status(selection: Selection) -> set[Selection]:
    """Return the same for each status: every lead has one, so they sum up to it. Nothing where that does not hold."""
    if selection.status or _most(selection) < COUNTED_AT_MOST:
        return set()
    return {replace(selection, status=status) for status in Lead.Status.values}


def _tab(key: str, number: int, more: bool, most: int) -> Tab:
    return Tab(key, min(number, most), more or number > most)


def _most(selection: Selection) -> int:
    """Return where counting ends: an index knows one thing about a lead, besides when it came."""
    asked = sum(getattr(selection, name) not in (None, "", ()) for name in ASKED)
    return COUNTED_ONE_BY_ONE if asked > 1 or selection.delivery or selection.label else COUNTED_AT_MOST


def _rows_of(library: LeadLibrary, selection: Selection) -> Combinable:
    """Count up to one more than is said. An index alone answers most filters, none of them knows the few test leads:
    they are taken off.
    """
    limit, leads = _most(selection) + 1, Lead.objects.filter(library=library)
    if selection.label is not None and selection == counting(Selection(label=selection.label)):
        labelled = LeadLabel.objects.filter(label=selection.label, lead__library=library, lead__state=Lead.State.LIVE)
        own = labelled.filter(lead__is_test=False).order_by("-received_at", "-lead_id")  # so that their index is read
        return _Rows(own.values("lead_id")[:limit])
    if selection.test is not False or selection.state != Lead.State.LIVE or limit < COUNTED_AT_MOST:
        return _Rows(_bare(selection, leads)[:limit])
    tests = _bare(replace(selection, test=True), leads)[:TESTS]
    return _Rows(_bare(replace(selection, test=None), leads)[: limit + TESTS]) - _Rows(tests)


def _bare(selection: Selection, leads: QuerySet[Lead]) -> QuerySet[Lead, Any]:
    return selection.apply(leads).order_by().values("pk")


def _undelivered(library: LeadLibrary, selection: Selection) -> tuple[int, bool]:
    """Count from the side of the deliveries, of which few are open; they know when their lead was received. Where many
    are, some are looked at, and there are more.
    """
    days = {COLUMNS[name]: moment for name in ("since", "until") if (moment := getattr(selection, name))}
    ranges = [
        rows.filter(**days).values_list("lead_id", flat=True) for rows in open_deliveries(library, selection.delivery)
    ]
    open_ = ranges[0].union(*ranges[1:], all=True)
    most, number = _most(selection), 0
    for looked_at in LOOKED_AT:
        ids = list(open_[:looked_at])
        leads = Lead.objects.filter(library=library, pk__any_of=numbers(set(ids)))
        number = _bare(replace(selection, delivery=""), leads)[: most + 1].count() if ids else 0
        if number > most or len(ids) < looked_at:
            return number, False
    return number, True
