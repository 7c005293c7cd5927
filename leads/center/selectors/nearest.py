"""What few leads have is read from its own side: open deliveries and labels know when their lead was received.

The list of all leads would be walked past everything else to find them. The nearest places to a page are read from an
index alone, then the leads at these places are asked for the rest of the filter; where too few match, the list is
walked after all.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import chain

from django.db.models import Q, QuerySet

from accounts.models import LeadLibrary
from leads.conditions import OPEN, open_deliveries
from leads.models import Delivery, Lead, LeadLabel
from leads.selection import Selection
from leadscenter.lib.lookups import numbers
from leadscenter.lib.paging import Cursor, beyond

READ = (4, 40)
"""How many places are read for each row of a page: first as many as hold one as a rule, then once more. Labels are on
more leads than deliveries are open: of theirs the list finds enough soon, and is walked at once.
"""
Rows = QuerySet[Delivery] | QuerySet[LeadLabel]


@dataclass(frozen=True, slots=True)
class Near:
    """The leads at the nearest places with what is left to ask of them; `whole`: there are no others."""

    leads: QuerySet[Lead]
    whole: bool


@dataclass(frozen=True, slots=True)
class Few:
    """A selection of what few leads have: `rows` say which, `rest` is left to ask of a lead, `tries` of `READ`."""

    library: LeadLibrary
    rows: Sequence[Rows]
    rest: Selection
    tries: int = len(READ)

    def near(self, border: Cursor | None, most: int) -> Near:
        """Return the leads at so many places behind the border, in the order of arrival."""
        backwards = border is not None and border.backwards
        sign = "" if backwards else "-"
        found: list[list[int]] = []
        for rows in self.rows:
            near = rows if border is None else rows.filter(_behind(rows, border))
            places = near.order_by(f"{sign}received_at", f"{sign}lead_id")
            found.append(list(places.values_list("lead_id", flat=True)[:most]))
        leads = Lead.objects.filter(library=self.library, pk__any_of=numbers(chain.from_iterable(found)))
        last = [ids[-1] for ids in found if len(ids) == most]
        if last and len(found) > 1:  # up to the nearest of the ends all of them are here
            ends = [(at, lead_id) for lead_id, at in Lead.arrivals(last).items()]
            end = min(ends) if backwards else max(ends)
            leads = leads.filter(beyond(leads, end, "received_at", descending=backwards) | Q(pk=end[1]))
        return Near(self.rest.apply(leads), not last)


def _behind(rows: Rows, border: Cursor) -> Q:
    return beyond(rows, (border.at, border.id), "received_at", descending=not border.backwards, row="lead")


def few_of(library: LeadLibrary, selection: Selection) -> Few | None:
    """Return the selection as one of what few leads have, where it is one."""
    if selection.delivery in OPEN:
        return Few(library, open_deliveries(library, selection.delivery), replace(selection, delivery=""))
    if selection.label is not None:
        labelled = LeadLabel.objects.filter(label=selection.label)
        return Few(library, [labelled], replace(selection, label=None), tries=1)
    return None


def nearest(library: LeadLibrary, selection: Selection, cursor: str | None, size: int) -> Iterator[Near]:
    """Yield ever more of the leads nearest to the border of a page; nothing where many have what is asked for.

    Raises `BadCursor`.
    """
    few = few_of(library, selection)
    if few is None:
        return
    border = Cursor.decode(cursor) if cursor else None
    for times in READ[: few.tries]:
        near = few.near(border, size * times)
        yield near
        if near.whole:
            return
