"""Many leads at once: by their ids or by a filter, which is a list of ids at the moment of the act."""

from django.utils.translation import gettext as _

from accounts.access import Can, require
from accounts.models import LeadLibrary, User
from accounts.refusals import Invalid
from leads.center.services.working import MOST_AT_ONCE
from leads.models import Lead
from leads.selection import Selection
from leads.vault.walking import rarest_first, walk


def ids_of(*, actor: User, library: LeadLibrary, selection: Selection) -> list[int]:
    """Return the ids of the leads that match now; raise `Refused`, or `Invalid` when they are too many or none."""
    require(actor, Can.WORK_LEADS, library)
    leads = selection.apply(Lead.objects.filter(library=library))
    if selection.words:
        step = walk(library.pk, rarest_first(library.pk, selection.words), after=None, size=MOST_AT_ONCE * 5)
        leads = leads.filter(pk__in=[lead_id for _at, lead_id in step.places])
    found = list(leads.order_by("-received_at", "-pk").values_list("pk", flat=True)[: MOST_AT_ONCE + 1])
    if not found:
        raise Invalid({"filter": _("No lead matches.")})
    if len(found) > MOST_AT_ONCE:
        raise Invalid({"filter": _("More than %(limit)d leads match. Narrow the filter.") % {"limit": MOST_AT_ONCE}})
    return found
