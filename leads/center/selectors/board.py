"""The board: the leads of the list, grouped by status. What the list holds stands in one column, once.

The first cards of all columns are read by one statement, so that a lead whose status changes meanwhile is neither shown
twice nor lost; each column is a range of its index. A search walks once for all columns, as far as the list's.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

from django.utils.translation import gettext as _

from accounts.access import Can, require
from accounts.models import LeadLibrary, User
from accounts.refusals import Invalid
from leads.center.disclosure import OpenLead, disclose
from leads.center.layout import ORDERS
from leads.center.selectors.counting import Tab, count_all, counting
from leads.center.selectors.listing import (
    STEP,
    WALKED_AT_MOST,
    LeadRow,
    among,
    look_of,
    page_of,
    rows_of,
    search_cursor,
)
from leads.models import Lead
from leads.selection import Selection
from leads.vault.walking import Place, rarest_first, walk
from leadscenter.lib.paging import Cursor

CARDS = 20
MOST_CARDS = 50


@dataclass(frozen=True, slots=True)
class Column:
    """The first leads of a status. `next` is a cursor of the list that asks for this status, `narrow`: the search has
    looked at as many leads as it may.
    """

    status: str
    rows: list[LeadRow]
    next: str | None
    narrow: bool = False


@dataclass(frozen=True, slots=True)
class Board:
    """A column for each status that the filter leaves, in the order of the sale."""

    columns: tuple[Column, ...]

    @property
    def narrow(self) -> bool:
        """Whether the search stopped before its end."""
        return any(column.narrow for column in self.columns)


@dataclass(frozen=True, slots=True)
class _Found:
    leads: list[Lead]
    next: str | None
    narrow: bool = False


def board_of(
    *,
    actor: User,
    library: LeadLibrary,
    selection: Selection,
    order: str = "received",
    size: int = CARDS,
    behind: Mapping[str, str] | None = None,
    reveal: bool = False,
    purpose: str = "",
    answers: bool = True,
    people: Sequence[User] | None = None,
) -> Board:
    """Return the board and leave one trace of the look, with each lead on it; raise `Refused`, `Invalid`, `BadCursor`.

    `behind`: cursors by status, where a column does not begin with its first lead. Without `answers` nothing is shown
    that a person answered: no look, no trace.
    """
    require(actor, Can.VIEW_LEADS, library)
    if selection.state != Lead.State.LIVE:
        raise Invalid({"state": _("The board shows live leads alone.")})
    found = _walked(library, selection, size) if selection.words else _firsts(library, selection, order, size)
    for status, cursor in (behind or {}).items():
        if status in found:
            leads, page = page_of(library, replace(selection, status=status), order, cursor, size)
            found[status] = _Found(leads, page.next, page.narrow)
    leads = [lead for part in found.values() for lead in part.leads]
    if answers:
        shown = disclose(leads, actor=actor, library=library, reveal=reveal, **look_of(selection, purpose))
    else:
        shown = [OpenLead(lead.pk, withheld=True) for lead in leads]
    rows = iter(rows_of(library, leads, shown, people))
    return Board(
        tuple(
            Column(status, [next(rows) for _lead in part.leads], part.next, part.narrow)
            for status, part in found.items()
        )
    )


def statuses_of(selection: Selection) -> tuple[str, ...]:
    """Return the statuses that the filter leaves."""
    return (selection.status,) if selection.status else tuple(Lead.Status.values)


def count_columns(
    *, actor: User, library: LeadLibrary, selection: Selection, order: str = "received"
) -> dict[str, Tab]:
    """Return how many leads each column has, counted like the views of the list; nothing for a search, which nobody
    counts. Raise `Refused`.
    """
    require(actor, Can.VIEW_LEADS, library)
    if selection.words:
        return {}
    wanted = counting(selection).sorted_by(order)
    rows = {status: replace(wanted, status=status) for status in statuses_of(selection)}
    return {tab.key: tab for tab in count_all(library, rows)}


def _firsts(library: LeadLibrary, selection: Selection, order: str, size: int) -> dict[str, _Found]:
    """Read the first leads of all columns in one statement: it sees one moment."""
    by = ORDERS[order]
    sign, column = ("-", by[1:]) if by.startswith("-") else ("", by)
    parts = []
    for status in statuses_of(selection):
        rows = replace(selection.sorted_by(order), status=status).apply(Lead.objects.filter(library=library))
        first = rows.order_by(by, f"{sign}pk").values("pk")[: size + 1]
        parts.append(Lead.objects.filter(pk__in=first))
    together = parts[0].union(*parts[1:], all=True).order_by(by, f"{sign}id")
    found: dict[str, list[Lead]] = {status: [] for status in statuses_of(selection)}
    for lead in together:
        found[lead.status].append(lead)
    return {status: _cut(leads, by, column, size) for status, leads in found.items()}


def _cut(leads: list[Lead], order: str, column: str, size: int) -> _Found:
    if len(leads) <= size:
        return _Found(leads, None)
    last = leads[size - 1]
    return _Found(leads[:size], Cursor(order, getattr(last, column), last.pk).encode())


def _walked(library: LeadLibrary, selection: Selection, size: int) -> dict[str, _Found]:
    """Walk the search until each column is full, at its end, or it has looked at as many leads as it may."""
    words = rarest_first(library.pk, selection.words)
    found: dict[str, list[tuple[Place, Lead]]] = {status: [] for status in statuses_of(selection)}
    after: Place | None = None
    looked_at = 0
    while looked_at < WALKED_AT_MOST and any(len(rows) <= size for rows in found.values()):
        step = walk(library.pk, words, after=after, size=STEP)
        looked_at += step.looked_at
        matching = among(library, selection, step.places)
        for place in step.places:
            if lead := matching.get(place[1]):
                found[lead.status].append((place, lead))
        after = step.last
        if after is None:
            break
    return {status: _cut_walk(rows, after, size) for status, rows in found.items()}


def _cut_walk(rows: list[tuple[Place, Lead]], after: Place | None, size: int) -> _Found:
    leads = [lead for _place, lead in rows[:size]]
    if len(rows) > size:
        return _Found(leads, search_cursor(rows[size - 1][0]))
    return _Found(leads, search_cursor(after) if after else None, narrow=after is not None)
