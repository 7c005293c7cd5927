"""How leads stand with the receivers they are handed to: one word per lead, the worst first."""

from collections.abc import Iterable
from dataclasses import dataclass

from django.utils.translation import gettext_lazy as _

from accounts.models import LeadLibrary
from leads.models import Connection, Delivery
from leadscenter.lib import lookups as lookups  # makes `any_of` known

# Worst first: one word per lead says what needs somebody.
LABELS = {
    "dead": _("Failed"),
    "waiting": _("Paused"),
    "retrying": _("Retrying"),
    "pending": _("On its way"),
    "done": _("Delivered"),
    "skipped": _("Skipped"),
}
RANK = {state: place for place, state in enumerate(LABELS)}


@dataclass(frozen=True, slots=True)
class Sent:
    """The worst state of a lead's deliveries and how many receivers have it."""

    state: str
    label: str
    delivered: int
    receivers: int


def shown_state(delivery: Delivery, connection: Connection, library: LeadLibrary) -> str:
    """Return the state with what is derived: `waiting` follows from the connection, `retrying` from attempts."""
    return _state(str(delivery.state), delivery.attempts, connection, library)


def _state(state: str, attempts: int, connection: Connection, library: LeadLibrary) -> str:
    if state != Delivery.State.PENDING:
        return state
    live = connection.state == Connection.State.ACTIVE and connection.custody == library.custody
    if not live or connection.removed_at is not None:
        return "waiting"
    return "retrying" if attempts else "pending"


def sent_of(library: LeadLibrary, lead_ids: Iterable[int]) -> dict[int, Sent]:
    """Return how the deliveries of each lead stand: two queries for any number of leads."""
    return {lead_id: _sent(states) for lead_id, states in _states(library, lead_ids).items()}


def worst_of(library: LeadLibrary, lead_ids: Iterable[int]) -> dict[int, str]:
    """Return the worst state of each lead's deliveries, for many leads; two queries."""
    states = _states(library, lead_ids)
    return {
        lead_id: min((state for state, _connection in found), key=RANK.__getitem__) for lead_id, found in states.items()
    }


def _states(library: LeadLibrary, lead_ids: Iterable[int]) -> dict[int, list[tuple[str, int]]]:
    """Return (state, connection) of each lead's deliveries; what went to a removed connection does not count."""
    here = {row.pk: row for row in Connection.objects.filter(library=library, removed_at=None)}
    found: dict[int, list[tuple[str, int]]] = {}
    rows = Delivery.objects.filter(lead_id__any_of=list(lead_ids), library_id=library.pk)
    for lead_id, connection_id, state, attempts in rows.values_list("lead_id", "connection_id", "state", "attempts"):
        if connection := here.get(connection_id):
            found.setdefault(lead_id, []).append((_state(state, attempts, connection, library), connection_id))
    return found


def _sent(states: list[tuple[str, int]]) -> Sent:
    worst = min((state for state, _connection in states), key=RANK.__getitem__)
    delivered = {connection for state, connection in states if state == "done"}
    return Sent(worst, str(LABELS[worst]), len(delivered), len({connection for _state, connection in states}))
