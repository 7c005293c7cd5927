"""Where a lead stands in the list that it was opened from: the one before, the one after, which of how many.

Counting stops at a thousand; a search is walked as its list is, newest first, five thousand leads at most. Of what few
leads have, the newest are read at once.
"""

from dataclasses import dataclass
from datetime import datetime

from django.db.models import QuerySet

from accounts.models import LeadLibrary
from leads.center.layout import ORDERS
from leads.center.selectors.listing import STEP, WALKED_AT_MOST
from leads.center.selectors.nearest import Few, few_of
from leads.models import Lead
from leads.selection import Selection
from leads.vault.walking import Place, rarest_first, walk
from leadscenter.lib.paging import BadCursor, Cursor, beyond

COUNTED_AT_MOST = 1000
READ_AT_MOST = 1100


@dataclass(frozen=True, slots=True)
class Neighbours:
    """`position` is 0 where the lead is not in the list (any more) or too deep to be counted; `more`: than `total`."""

    before: int | None = None
    after: int | None = None
    position: int = 0
    total: int = 0
    more: bool = False


def place_of(lead: Lead, order: str, moment: datetime | None = None) -> str:
    """Return as text where the lead stands in this order (stood at `moment`); nothing where no change moves it."""
    at = moment or getattr(lead, _column(order))
    return "" if order == "received" or at is None else Cursor(ORDERS[order], at, lead.pk).encode()


def read_place(lead: Lead, order: str, text: str) -> datetime | None:
    """Return the moment of an untrusted place of this lead in this order; None for whatever else it is."""
    try:
        place = Cursor.decode(text)
    except BadCursor:
        return None
    return place.at if (place.order, place.id) == (ORDERS[order], lead.pk) and order != "received" else None


def _column(order: str) -> str:
    return ORDERS[order].removeprefix("-")


def neighbours_of(
    lead: Lead, library: LeadLibrary, selection: Selection, order: str, stood: datetime | None = None
) -> Neighbours:
    """Return the neighbours of a lead of the library; whoever calls has asked whether the list may be seen.

    `stood`: its moment in this order before it was worked on. Whoever walks through the list goes on from there.
    """
    if selection.words:
        return _in_search(lead, library, selection)
    if order == "received" and (few := few_of(library, selection)) and (found := _among_few(lead, few)):
        return found
    column, descending = _column(order), ORDERS[order].startswith("-")
    now = getattr(lead, column)
    moment = stood or now
    if moment is None:
        return Neighbours()
    rows = selection.sorted_by(order).apply(Lead.objects.filter(library=library))
    moved = moment != now
    others = rows.exclude(pk=lead.pk) if moved else rows
    ahead = others.filter(beyond(rows, (moment, lead.pk), column, descending=not descending, moved=moved))
    behind = others.filter(beyond(rows, (moment, lead.pk), column, descending=descending, moved=moved))
    sign, back = ("-", "") if descending else ("", "-")
    tests = _tests(rows, column, selection)
    before = sum(place > (moment, lead.pk) if descending else place < (moment, lead.pk) for place in tests)
    is_counted = (moment, lead.pk) not in tests and rows.filter(pk=lead.pk).exists()
    position = _bounded(ahead, before) + 1 if is_counted else 0
    total = _bounded(rows, len(tests))
    return Neighbours(
        before=ahead.order_by(back + column, f"{back}pk").values_list("pk", flat=True).first(),
        after=behind.order_by(sign + column, f"{sign}pk").values_list("pk", flat=True).first(),
        position=position if position <= COUNTED_AT_MOST else 0,
        total=min(total, COUNTED_AT_MOST),
        more=total > COUNTED_AT_MOST,
    )


def _among_few(lead: Lead, few: Few) -> Neighbours | None:
    """Return the neighbours where the newest of the few leads tell them; None where the list has to."""
    near = few.near(None, READ_AT_MOST)
    rows = near.leads.order_by("-received_at", "-pk").values_list("received_at", "pk")
    places, mine = list(rows[: COUNTED_AT_MOST + 1]), (lead.received_at, lead.pk)
    ahead, behind = [place for place in places if place > mine], [place for place in places if place < mine]
    if not (behind or (near.whole and len(places) <= COUNTED_AT_MOST)):
        return None
    tests = _tests(near.leads, "received_at", few.rest) & set(places)
    return Neighbours(
        before=ahead[-1][1] if ahead else None,
        after=behind[0][1] if behind else None,
        position=len(set(ahead) - tests) + 1 if mine in set(places) - tests else 0,
        total=min(len(places) - len(tests), COUNTED_AT_MOST),
        more=len(places) > COUNTED_AT_MOST or not near.whole,
    )


def _tests(rows: QuerySet[Lead], column: str, selection: Selection) -> set[Place]:
    """Return the places of the few test leads, which the list shows and does not count unless they are asked for."""
    asked = selection.test is not None
    return set() if asked else set(rows.filter(is_test=True).order_by().values_list(column, "pk")[:COUNTED_AT_MOST])


def _bounded(rows: QuerySet[Lead], tests: int) -> int:
    """Count without so many test leads: an index alone answers, and does not know them."""
    return rows.order_by().values("pk")[: COUNTED_AT_MOST + 1 + tests].count() - tests


def _in_search(lead: Lead, library: LeadLibrary, selection: Selection) -> Neighbours:
    words, found, looked_at = rarest_first(library.pk, selection.words), [], 0
    after: Place | None = None
    while looked_at < WALKED_AT_MOST:
        step = walk(library.pk, words, after=after, size=STEP)
        looked_at += step.looked_at
        ids = [lead_id for _at, lead_id in step.places]
        matching = set(selection.apply(Lead.objects.filter(library=library, pk__in=ids)).values_list("pk", flat=True))
        found += [lead_id for lead_id in ids if lead_id in matching]
        after = step.last
        if after is None or lead.pk in found[:-1]:
            break
    if lead.pk not in found:
        return Neighbours(total=len(found), more=after is not None)
    place = found.index(lead.pk)
    return Neighbours(
        before=found[place - 1] if place else None,
        after=found[place + 1] if place + 1 < len(found) else None,
        position=place + 1,
        total=len(found),
        more=after is not None,
    )
