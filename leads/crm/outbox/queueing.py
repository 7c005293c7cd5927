"""Putting events into the outbox. Imports nothing that opens or dials."""

from collections.abc import Sequence

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
