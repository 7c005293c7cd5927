"""Other leads that may be the same person: same e-mail or phone, by digest; nothing of them is opened."""

from accounts.access import Can, require
from accounts.models import User
from leads.duplicates import sharing
from leads.models import Lead

SHOWN = 10
LOOKED_AT = 50


def alike(actor: User, lead: Lead) -> list[Lead]:
    """Return at most ten live leads of the library with the lead's e-mail or phone, newest first; raise `Refused`."""
    require(actor, Can.VIEW_LEADS, lead.library)
    ids = sharing(lead.library_id, lead.pk, at_most=LOOKED_AT)
    rows = Lead.objects.filter(pk__in=ids, library=lead.library_id, state=Lead.State.LIVE)
    return list(rows.select_related("form").order_by("-received_at", "-pk")[:SHOWN])
