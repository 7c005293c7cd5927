"""The list of leads: one keyset page through the filters, opened for whoever looks, with the work done on each.

The number of queries is the same for one row and for fifty. A search walks the rarest word newest first, five hundred
leads at a time (of one word two pages first), and stops when the page is full or five thousand were looked at.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from typing import Any

from django.db.models import Count, QuerySet

from accounts.access import Can, holders, require
from accounts.models import Act, LeadLibrary, User
from leads.center.disclosure import OpenLead, disclose
from leads.center.layout import ORDERS
from leads.center.selectors.nearest import nearest
from leads.crm.standing import worst_of
from leads.models import Lead, LeadLabel
from leads.selection import Selection
from leads.vault.models import Note
from leads.vault.regions import alias_of, aliases
from leads.vault.walking import Place, rarest_first, walk
from leadscenter.lib.lookups import numbers
from leadscenter.lib.paging import BadCursor, Cursor, keyset_page
from leadscenter.lib.prepared import Prepared

PAGE = 50
STEP = 500
WALKED_AT_MOST = 5000


@dataclass(frozen=True, slots=True)
class LeadRow:
    """A lead as a list shows it."""

    lead: Lead
    shown: OpenLead
    labels: tuple[str, ...]
    notes: int
    sent: str | None
    assignee_lost_access: bool = False


@dataclass(frozen=True, slots=True)
class LeadPage:
    """`narrow`: the search looked at as many leads as it may; `next` goes on from there."""

    rows: list[LeadRow]
    next: str | None
    previous: str | None
    narrow: bool = False


def list_leads(
    *,
    actor: User,
    library: LeadLibrary,
    selection: Selection,
    order: str = "received",
    cursor: str | None = None,
    size: int = PAGE,
    reveal: bool = False,
    purpose: str = "",
    people: Sequence[User] | None = None,
) -> LeadPage:
    """Return a page and leave the trace of the look; raise `Refused`, `BadCursor`. `people`: what `who_sees` told."""
    require(actor, Can.VIEW_LEADS, library)
    leads, page = page_of(library, selection, order, cursor, size)
    shown = disclose(leads, actor=actor, library=library, reveal=reveal, **look_of(selection, purpose))
    return replace(page, rows=rows_of(library, leads, shown, people))


def look_of(selection: Selection, purpose: str) -> dict[str, Any]:
    """Return as what a look at these leads stands in the trail."""
    searched = bool(selection.words)
    if purpose == "api":
        return {"act": Act.LEADS_READ, "purpose": purpose, "searched": searched}
    return {"act": Act.LEADS_SEARCHED if searched else Act.LEADS_LISTED, "purpose": purpose}


def list_without_answers(
    *,
    actor: User,
    library: LeadLibrary,
    selection: Selection,
    order: str = "received",
    cursor: str | None = None,
    size: int = PAGE,
) -> LeadPage:
    """Return the same page with nothing that a person answered: no look, no trace; raise `Refused`, `BadCursor`."""
    require(actor, Can.VIEW_LEADS, library)
    leads, page = page_of(library, selection, order, cursor, size)
    return replace(page, rows=rows_of(library, leads, [OpenLead(lead.pk, withheld=True) for lead in leads]))


def page_of(
    library: LeadLibrary, selection: Selection, order: str, cursor: str | None, size: int
) -> tuple[list[Lead], LeadPage]:
    """Return the leads of a page and the page without its rows; whoever calls has asked for the right."""
    return (_searched if selection.words else _listed)(library, selection, order, cursor, size)


def leads_of(library: LeadLibrary, selection: Selection) -> QuerySet[Lead]:
    """Return the leads that match everything but the words of a search."""
    return selection.apply(Lead.objects.filter(library=library))


def among(library: LeadLibrary, selection: Selection, places: Iterable[Place]) -> dict[int, Lead]:
    """Return by id those of the leads at these places of a walk that match everything else."""
    leads = leads_of(library, selection).filter(pk__any_of=numbers(lead_id for _at, lead_id in places))
    return {lead.pk: lead for lead in leads}


def _listed(
    library: LeadLibrary, selection: Selection, order: str, cursor: str | None, size: int
) -> tuple[list[Lead], LeadPage]:
    for near in nearest(library, selection, cursor, size) if order == "received" else ():
        page = keyset_page(near.leads, order=ORDERS[order], size=size, cursor=cursor)
        if near.whole or page.more:
            break
    else:
        leads = leads_of(library, selection.sorted_by(order))
        page = keyset_page(leads, order=ORDERS[order], size=size, cursor=cursor)
    return page.rows, LeadPage([], page.next, page.previous)


def _searched(
    library: LeadLibrary, selection: Selection, order: str, cursor: str | None, size: int
) -> tuple[list[Lead], LeadPage]:
    border = Cursor.decode(cursor) if cursor else None
    if border and border.order != "-search":
        raise BadCursor("made for another order")
    after = (border.at, border.id) if border else None
    words = rarest_first(library.pk, selection.words)
    found: list[tuple[Place, Lead]] = []
    looked_at = 0
    while looked_at < WALKED_AT_MOST:
        first = not looked_at and len(words) == 1  # of one word most leads that hold it are shown
        step = walk(library.pk, words, after=after, size=min(STEP, 2 * size) if first else STEP)
        looked_at += step.looked_at
        matching = among(library, selection, step.places)
        found += [(place, matching[place[1]]) for place in step.places if place[1] in matching]
        if len(found) > size:
            return [lead for _place, lead in found[:size]], LeadPage([], search_cursor(found[size - 1][0]), None)
        after = step.last
        if after is None:
            break
    last = search_cursor(after) if after else None
    return [lead for _place, lead in found], LeadPage([], last, None, narrow=last is not None)


def search_cursor(place: Place) -> str:
    """Return the cursor behind this place of a walk."""
    return Cursor("-search", *place).encode()


def rows_of(
    library: LeadLibrary, leads: Sequence[Lead], shown: Sequence[OpenLead], people: Sequence[User] | None = None
) -> list[LeadRow]:
    """Return opened leads with the work done on each: the same number of queries however many they are."""
    ids = [lead.pk for lead in leads]
    labels, notes, sent = labels_of(ids), _note_counts(leads), worst_of(library, ids)
    able = _assignees(library, leads, people)
    return [
        LeadRow(
            lead=lead,
            shown=opened,
            labels=tuple(labels.get(lead.pk, ())),
            notes=notes.get(lead.pk, 0),
            sent=sent.get(lead.pk),
            assignee_lost_access=lead.assignee_id is not None and lead.assignee_id not in able,
        )
        for lead, opened in zip(leads, shown, strict=True)
    ]


_WHO_SEES = Prepared(lambda library: holders(library, Can.VIEW_LEADS).order_by("name", "pk"), ids=1)


def who_sees(library: LeadLibrary) -> list[User]:
    """Return who may see the leads now, by name; whoever calls has asked for the right."""
    return _WHO_SEES.objects(library.pk)


def _assignees(library: LeadLibrary, leads: Sequence[Lead], people: Sequence[User] | None) -> set[int]:
    """Give each lead its assignee and return the ids of who may see leads here.

    One query where they are not known yet and somebody is assigned, one where an assignee may no longer see the lead.
    """
    assigned = {lead.assignee_id for lead in leads if lead.assignee_id}
    if not assigned:
        return set()
    able = {user.pk: user for user in (who_sees(library) if people is None else people)}
    lost = assigned - able.keys()
    known = able | ({user.pk: user for user in User.objects.filter(pk__in=lost)} if lost else {})
    for lead in leads:
        lead.assignee = known.get(lead.assignee_id or 0)  # None: gone since
    return set(able)


def labels_of(lead_ids: Iterable[int]) -> dict[int, list[str]]:
    """Return the names of each lead's labels, in alphabetical order."""
    found: dict[int, list[str]] = {}
    labelled = LeadLabel.objects.filter(lead__id__any_of=numbers(lead_ids)).order_by("label__name")
    for lead_id, name in labelled.values_list("lead_id", "label__name"):
        found.setdefault(lead_id, []).append(name)
    return found


def _note_counts(leads: Iterable[Lead]) -> dict[int, int]:
    by_alias: dict[str, list[int]] = {alias: [] for alias in aliases()}
    for lead in leads:
        by_alias[alias_of(lead.region)].append(lead.pk)
    found: dict[int, int] = {}
    for alias, ids in by_alias.items():
        if ids:
            notes = Note.objects.using(alias).filter(lead_id__any_of=numbers(ids)).values("lead_id")
            found |= dict(notes.annotate(number=Count("id")).order_by().values_list("lead_id", "number"))
    return found
