"""Taking a note back: whoever wrote it, and nobody else. That it was there stays in the trail."""

from django.db import transaction
from django.http import Http404

from accounts import audit
from accounts.access import Can, require
from accounts.models import Act, User
from leads.center.disclosure import grant_path
from leads.center.services.working import lock_leads
from leads.models import Lead
from leads.vault.models import Note
from leads.vault.regions import alias_of


def remove_note(*, actor: User, lead: Lead, note_id: int) -> None:
    """Delete one of the actor's own notes on a live lead; raise `Refused`, `Http404` where it is none of theirs."""
    library, alias = lead.library, alias_of(lead.region)
    require(actor, Can.WORK_LEADS, library)
    with transaction.atomic(), transaction.atomic(using=alias):
        held = require(actor, Can.WORK_LEADS, library)
        lock_leads(library, [lead.pk], Lead.State.LIVE)
        own = Note.objects.using(alias).filter(pk=note_id, lead_id=lead.pk, library_id=library.pk, author_id=actor.pk)
        if not own.delete()[0]:
            raise Http404
        path = grant_path(library, held)
        audit.record(Act.LEAD_CHANGED, library, actor=actor, targets=[lead.pk], grant_path=path, notes_off=1)
