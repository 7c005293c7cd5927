"""Many leads at once: by their ids or by a filter, which is a list of ids at the moment of the act."""

from dataclasses import dataclass

from django.utils.translation import gettext as _

from accounts.access import Can, require
from accounts.models import LeadLibrary, User
from accounts.refusals import Invalid
from leads.center.selectors.listing import among, page_of
from leads.center.services.working import MOST_AT_ONCE
from leads.models import Lead
from leads.selection import Selection
from leads.vault.walking import Place, rarest_first, walk
from leadscenter.lib.paging import BadCursor, keyset_page

COUNTED_AT_MOST = 100_000
STRETCH = 5_000
"""How many leads that hold a word of a search are looked at with one set of statements."""


@dataclass(frozen=True, slots=True)
class Step:
    """Leads to work on now; `next` is where to go on, `before` were done, `total` matched before the first step."""

    ids: list[int]
    next: str = ""
    before: int = 0
    total: int = 0

    @property
    def done(self) -> int:
        """Return how many are done with this step."""
        return self.before + len(self.ids)


def step_of(
    *, actor: User, library: LeadLibrary, selection: Selection, after: str, before: int, total: int = 0
) -> Step:
    """Return the next thousand leads that match, newest first, behind `after`; raise `Refused`, `Invalid`.

    The place is that of a lead, so that leads which no longer match once they were worked on are not looked for again.
    The first step counts them, the others are told the `total`.
    """
    require(actor, Can.WORK_LEADS, library)
    leads = selection.apply(Lead.objects.filter(library=library))
    try:
        if selection.words:
            ids, behind = _found(library, selection, after)
        else:
            page = keyset_page(leads.only("pk", "received_at"), size=MOST_AT_ONCE, cursor=after or None)
            ids, behind = [lead.pk for lead in page.rows], page.next or ""
    except BadCursor as error:
        raise Invalid({"after": _("This step is not one of this list. Start again.")}) from error
    if not ids and not before:
        raise Invalid({"filter": _("No lead matches.")})
    if behind and not before and not selection.words:  # nobody counts a search
        total = leads.order_by().values("pk")[:COUNTED_AT_MOST].count()
    return Step(ids, behind, before, total)


def _found(library: LeadLibrary, selection: Selection, after: str) -> tuple[list[int], str]:
    """Walk the search until there is something to work on."""
    while True:
        leads, page = page_of(library, selection, "received", after or None, MOST_AT_ONCE)
        after = page.next or ""
        if leads or not after:
            return [lead.pk for lead in leads], after


def ids_of(*, actor: User, library: LeadLibrary, selection: Selection) -> list[int]:
    """Return the ids of the leads that match now; raise `Refused`, or `Invalid` when they are too many or none."""
    require(actor, Can.WORK_LEADS, library)
    if selection.words:
        found = _searched(library, selection)
    else:
        leads = selection.apply(Lead.objects.filter(library=library))
        found = list(leads.order_by("-received_at", "-pk").values_list("pk", flat=True)[: MOST_AT_ONCE + 1])
    if not found:
        raise Invalid({"filter": _("No lead matches.")})
    if len(found) > MOST_AT_ONCE:
        raise Invalid({"filter": _("More than %(limit)d leads match. Narrow the filter.") % {"limit": MOST_AT_ONCE}})
    return found


def _searched(library: LeadLibrary, selection: Selection) -> list[int]:
    """Walk the search to its end, or until it has found more than may be worked on at once."""
    words = rarest_first(library.pk, selection.words)
    found: list[int] = []
    after: Place | None = None
    while len(found) <= MOST_AT_ONCE:
        step = walk(library.pk, words, after=after, size=STRETCH)
        matching = among(library, selection, step.places)
        found += [lead_id for _at, lead_id in step.places if lead_id in matching]
        if step.last is None:
            break
        after = step.last
    return found
