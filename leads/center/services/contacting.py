"""First contact: that somebody called or wrote, and how. What was said belongs into a note."""

from django.db import transaction
from django.db.models import F
from django.db.models.functions import Coalesce, Now
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from accounts import audit
from accounts.access import Can, require
from accounts.models import Act, User
from accounts.refusals import Invalid
from leads.center.disclosure import grant_path
from leads.center.services.attending import write_attention
from leads.center.services.working import lock_leads
from leads.models import Lead

WAYS = {
    "call": gettext_lazy("Called"),
    "mail": gettext_lazy("Wrote an e-mail"),
    "whatsapp": gettext_lazy("Wrote on WhatsApp"),
}


def record_contact(*, actor: User, lead: Lead, how: str) -> None:
    """Record that the actor contacted a live lead; the first time ends the lead's clock. The status stays.

    Raises `Refused`, `Http404`, `Invalid` (another way than `WAYS`).
    """
    library = lead.library
    require(actor, Can.WORK_LEADS, library)
    if how not in WAYS:
        raise Invalid({"how": _("Use one of: %(offered)s.") % {"offered": ", ".join(WAYS)}})
    with transaction.atomic():
        held = require(actor, Can.WORK_LEADS, library)
        lock_leads(library, [lead.pk], Lead.State.LIVE)
        audit.record(
            Act.LEAD_CONTACTED, library, actor=actor, targets=[lead.pk], grant_path=grant_path(library, held), how=how
        )
        Lead.objects.filter(pk=lead.pk).update(contacted_at=Coalesce(F("contacted_at"), Now()))
        write_attention(library, [lead.pk])
