"""What became of a lead on its way to other systems, event by event, as its page tells it."""

from dataclasses import dataclass

from accounts.access import Can, require
from accounts.models import User
from leads.crm.standing import LABELS, shown_state
from leads.models import Connection, Delivery, DeliveryAttempt, Lead


@dataclass(frozen=True, slots=True)
class LeadDelivery:
    """One event of a lead on its way to one connection."""

    delivery: Delivery
    connection: Connection
    state: str
    label: str
    event: str
    attempts: tuple[DeliveryAttempt, ...]


def deliveries_of(actor: User, lead: Lead) -> list[LeadDelivery]:
    """Return the lead's deliveries, newest first, with their attempts; raise `Refused`."""
    library = lead.library
    require(actor, Can.VIEW_LEADS, library)
    rows = Delivery.objects.filter(lead_id=lead.pk, library_id=library.pk).select_related("connection")
    deliveries = list(rows.order_by("-created_at", "-id")[:200])
    attempts: dict[int, list[DeliveryAttempt]] = {}
    log = DeliveryAttempt.objects.filter(delivery_id__in=[delivery.pk for delivery in deliveries])
    for attempt in log.order_by("at", "id"):
        attempts.setdefault(attempt.delivery_id, []).append(attempt)
    shown = []
    for delivery in deliveries:
        state = shown_state(delivery, delivery.connection, library)
        shown.append(
            LeadDelivery(
                delivery=delivery,
                connection=delivery.connection,
                state=state,
                label=str(LABELS[state]),
                event=delivery.event_key.partition(":")[0],
                attempts=tuple(attempts.get(delivery.pk, ())),
            )
        )
    return shown
