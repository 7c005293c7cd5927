"""What became of leads on their way to other systems, as the list and the lead's page tell it."""

from collections.abc import Iterable
from dataclasses import dataclass

from django.utils.translation import gettext_lazy as _

from accounts.access import Can, require
from accounts.models import LeadLibrary, User
from leads.models import Connection, Delivery, DeliveryAttempt, Lead

# Worst first: one word per lead says what needs somebody.
LABELS = {
    "dead": _("Failed"),
    "waiting": _("Paused"),
    "retrying": _("Retrying"),
    "pending": _("On its way"),
    "done": _("Delivered"),
    "skipped": _("Skipped"),
}


@dataclass(frozen=True, slots=True)
class Sent:
    """The worst state of a lead's deliveries and how many receivers have it."""

    state: str
    label: str
    delivered: int
    receivers: int


@dataclass(frozen=True, slots=True)
class LeadDelivery:
    """One event of a lead on its way to one connection."""

    delivery: Delivery
    connection: Connection
    state: str
    label: str
    event: str
    attempts: tuple[DeliveryAttempt, ...]


def shown_state(delivery: Delivery, connection: Connection, library: LeadLibrary) -> str:
    """Return the state with what is derived: `waiting` follows from the connection, `retrying` from attempts."""
    if delivery.state != Delivery.State.PENDING:
        return str(delivery.state)
    live = connection.state == Connection.State.ACTIVE and connection.custody == library.custody
    if not live or connection.removed_at is not None:
        return "waiting"
    return "retrying" if delivery.attempts else "pending"


def sent_of(library: LeadLibrary, lead_ids: Iterable[int]) -> dict[int, Sent]:
    """Return how the deliveries of each lead stand: two queries for any number of leads."""
    connections = {row.pk: row for row in Connection.objects.filter(library=library)}
    found: dict[int, list[tuple[str, int]]] = {}
    rows = Delivery.objects.filter(lead_id__in=list(lead_ids), library_id=library.pk)
    for delivery in rows.only("lead_id", "connection_id", "state", "attempts"):
        if (connection := connections.get(delivery.connection_id)) and connection.removed_at is None:
            state = shown_state(delivery, connection, library)
            found.setdefault(delivery.lead_id, []).append((state, connection.pk))
    return {lead_id: _sent(states) for lead_id, states in found.items()}


def _sent(states: list[tuple[str, int]]) -> Sent:
    worst = min((state for state, _connection in states), key=list(LABELS).index)
    delivered = {connection for state, connection in states if state == "done"}
    return Sent(worst, str(LABELS[worst]), len(delivered), len({connection for _state, connection in states}))


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
