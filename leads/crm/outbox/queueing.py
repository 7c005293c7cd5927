"""Putting events into the outbox. Imports nothing that opens or dials."""

from collections.abc import Iterable, Sequence

from django.db.models.functions import Now

from leads.models import Connection, Delivery, Lead


def queue_for(connection: Connection, lead_ids: Sequence[int]) -> int:
    """Queue `lead.created` of these leads for one connection; those that it has or had already are left as they are."""
    keys = [f"lead.created:{lead}" for lead in lead_ids]
    known = set(Delivery.objects.filter(connection=connection, event_key__in=keys).values_list("lead_id", flat=True))
    rows = [
        Delivery(
            library_id=connection.library_id,
            connection=connection,
            lead_id=lead,
            received_at=received_at,
            event_key=f"lead.created:{lead}",
        )
        for lead, received_at in Lead.arrivals(lead_ids).items()
        if lead not in known
    ]
    return len(Delivery.objects.bulk_create(rows, ignore_conflicts=True))


def wake(lead_ids: Iterable[int]) -> int:
    """Make the waiting deliveries of restored leads due now; return how many."""
    rows = Delivery.objects.filter(lead_id__in=list(lead_ids), state=Delivery.State.PENDING)
    return rows.filter(leases_unanswered=0, attempts=0).update(due_at=Now())
