"""How leads stand with the receivers they are handed to: one word per lead, the worst first."""

from collections.abc import Iterable, Iterator
from datetime import datetime

from django.utils.translation import gettext_lazy as _

from accounts.models import LeadLibrary
from leads.models import Connection, Delivery
from leadscenter.lib.lookups import numbers
from leadscenter.lib.prepared import Prepared

# Worst first: one word per lead says what needs somebody.
LABELS = {
    "dead": _("Failed"),
    "waiting": _("Paused"),
    "retrying": _("Retrying"),
    "pending": _("On its way"),
    "done": _("Delivered"),
    "skipped": _("Skipped"),
}
AT_ONCE = 5000
RANK = {state: place for place, state in enumerate(LABELS)}


_CONNECTED = Prepared(lambda library: Connection.objects.filter(library=library, removed_at=None), ids=1)


def shown_state(delivery: Delivery, connection: Connection, library: LeadLibrary) -> str:
    """Return the state with what is derived: `waiting` follows from the connection, `retrying` from attempts."""
    return _state(str(delivery.state), delivery.attempts, connection, library)


def next_attempt(delivery: Delivery, connection: Connection) -> datetime:
    """Return when a pending delivery is tried next: when it is due, or later while the breaker holds the connection."""
    held_until = connection.open_until
    return delivery.due_at if held_until is None else max(delivery.due_at, held_until)


def _state(state: str, attempts: int, connection: Connection, library: LeadLibrary) -> str:
    if state != Delivery.State.PENDING:
        return state
    live = connection.state == Connection.State.ACTIVE and connection.custody == library.custody
    if not live or connection.removed_at is not None:
        return "waiting"
    return "retrying" if attempts else "pending"


def worst_of(library: LeadLibrary, lead_ids: Iterable[int]) -> dict[int, str]:
    """Return the worst state of each lead's deliveries: two queries for any number of leads."""
    worst: dict[int, str] = {}
    for lead_id, _connection, state in _states(library, lead_ids):
        known = worst.get(lead_id)
        if known is None or RANK[state] < RANK[known]:
            worst[lead_id] = state
    return worst


def _states(library: LeadLibrary, lead_ids: Iterable[int]) -> Iterator[tuple[int, int, str]]:
    """Yield (lead, connection, state) of the leads' deliveries; what went to a removed connection does not count."""
    here = {row.pk: row for row in _CONNECTED.objects(library.pk)}
    pending = str(Delivery.State.PENDING)
    deliveries = Delivery.objects.filter(lead_id__any_of=numbers(lead_ids), library_id=library.pk)
    rows = deliveries.values_list("lead_id", "connection_id", "state", "attempts")
    for lead_id, connection_id, state, attempts in rows.iterator(chunk_size=AT_ONCE):
        if connection := here.get(connection_id):
            shown = state if state != pending else _state(state, attempts, connection, library)
            yield lead_id, connection_id, shown
