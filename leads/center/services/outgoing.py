"""What a change of a lead makes go out: rows in the outbox, in the transaction of the change; `leads.crm` sends."""

from collections.abc import Iterable
from datetime import datetime, timedelta

from django.db.models import Q
from django.db.models.functions import Now

from leads.models import Connection, Delivery, Lead

UNDO_FOR = timedelta(minutes=10)
DELETED = "lead.deleted"


def queue_updates(library_id: int, leads: Iterable[Lead]) -> None:
    """Queue `lead.updated` for every connection of the library; `changes` of each lead is its new number."""
    targets = list(Connection.objects.filter(library_id=library_id, removed_at=None).values_list("pk", flat=True))
    Delivery.objects.bulk_create(
        [
            Delivery(
                library_id=library_id,
                connection_id=target,
                lead_id=lead.pk,
                received_at=lead.received_at,
                event_key=f"lead.updated:{lead.pk}:{lead.changes}",
            )
            for lead in leads
            for target in targets
        ],
        ignore_conflicts=True,
        batch_size=1000,
    )


def stop_deliveries(library_id: int, leads: Iterable[Lead], moment: datetime) -> None:
    """Stop what waits for these leads; receivers that may know them are told `lead.deleted` when undo has ended."""
    by_id = {lead.pk: lead for lead in leads}
    known = Delivery.objects.filter(
        Q(state=Delivery.State.DONE) | Q(lease__gt=0), lead_id__in=by_id, connection__removed_at=None
    )
    receivers = set(known.values_list("connection_id", "lead_id"))
    waiting = Delivery.objects.filter(lead_id__in=by_id, state=Delivery.State.PENDING)
    waiting.update(state=Delivery.State.SKIPPED, settled_at=moment)
    Delivery.objects.bulk_create(
        [
            Delivery(
                library_id=library_id,
                connection_id=connection_id,
                lead_id=lead_id,
                received_at=by_id[lead_id].received_at,
                event_key=f"{DELETED}:{lead_id}:{by_id[lead_id].changes}",
                due_at=moment + UNDO_FOR,
            )
            for connection_id, lead_id in sorted(receivers)
        ],
        ignore_conflicts=True,
        batch_size=1000,
    )


def resume_deliveries(library_id: int, leads: Iterable[Lead]) -> None:
    """Undo `stop_deliveries`: drop the word of the deletion, let go on what waited.

    A word that was tried, or is on its way, cannot be called back: that receiver is told of the lead as changed, and
    the word is not sent again.
    """
    told: list[Lead] = []
    for lead in leads:
        of_lead = Delivery.objects.filter(lead_id=lead.pk)
        words = of_lead.filter(event_key=f"{DELETED}:{lead.pk}:{lead.changes}")
        words.filter(state=Delivery.State.PENDING, lease=0).delete()
        if words.exists():
            told.append(lead)
        rests = Q(state=Delivery.State.DEAD) | Q(state=Delivery.State.PENDING, leases_unanswered=0)
        words.filter(rests).update(state=Delivery.State.SKIPPED, settled_at=Now())
        stopped = of_lead.filter(state=Delivery.State.SKIPPED, settled_at=lead.trashed_at)
        stopped.update(state=Delivery.State.PENDING, settled_at=None)
    queue_updates(library_id, told)
