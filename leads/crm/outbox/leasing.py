"""Leasing: rows are the truth, a lease is a number, the clock is the database's.

`lease()` hands out due rows, fairly over connections; `settle()` writes what came of them. A worker that dies leaves
rows that come due again when their lease runs out. A worker that was away longer than its lease finds another number on
the row when it settles: its answer is then noted, and changes nothing.
"""

import json
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any

from django.db import models, transaction
from django.db.models import Count, Exists, F, OuterRef, Q, QuerySet, Subquery
from django.db.models.functions import Coalesce, Now

from leads.crm.breaker import Health
from leads.models import Connection, Delivery, DeliveryAttempt

LEASE = timedelta(seconds=60)
"""More than twice the total deadline of a call (15 s)."""
SLOTS = 4
BATCH = 200
MOST_LEASES_UNANSWERED = 20


@dataclass(frozen=True, slots=True)
class Leased:
    """A delivery in our hands until its lease runs out."""

    id: int
    lease: int
    connection_id: int
    library_id: int
    lead_id: int
    event_key: str
    created_at: datetime
    custody: int = 0
    """The custody in which it was leased, which it may start in."""

    @property
    def type(self) -> str:
        """The event's type, such as `lead.created`."""
        return self.event_key.partition(":")[0]

    @property
    def version(self) -> int | None:
        """Which change of the lead is told; None for events that happen once."""
        number = self.event_key.split(":")[2:]
        return int(number[0]) if number else None

    @property
    def message_id(self) -> str:
        """The `webhook-id`, the same for life."""
        return f"msg_{self.id}"


class Turn:
    """Whose turn it is among the connections: who was served longest ago comes first. One per drain."""

    def __init__(self) -> None:
        self._served: dict[int, int] = {}
        self._count = 0

    def rank(self, connection_id: int) -> int:
        """When the connection was served last; 0 for never."""
        return self._served.get(connection_id, 0)

    def serve(self, connection_id: int) -> None:
        """Note that the connection got something just now."""
        self._count += 1
        self._served[connection_id] = self._count


if TYPE_CHECKING:
    _ListField = models.Field[list[int], list[int]]
else:
    _ListField = models.Field


class _IdList(_ListField):
    def from_db_value(self, value: Any, *_: object) -> list[int]:
        return list(value) if isinstance(value, list) else json.loads(value or "[]")


class _Ids(Subquery):
    """The ids of a short subquery as one value of the outer row."""

    output_field = _IdList()

    def as_sql(self, compiler: Any, connection: Any, template: str | None = None, **context: Any) -> Any:
        array = "ARRAY(%(subquery)s)"
        listed = "(SELECT json_group_array(id) FROM (%(subquery)s) AS picked)"
        chosen = array if connection.vendor == "postgresql" else listed
        return super().as_sql(compiler, connection, template or chosen, **context)


def reachable() -> QuerySet[Connection]:
    """The connections that may get something now: active, in today's custody, breaker not open."""
    rested = Q(open_until=None) | Q(open_until__lte=Now())
    return Connection.objects.filter(
        rested, state=Connection.State.ACTIVE, removed_at=None, custody=F("library__custody")
    )


def lease(limit: int = BATCH, turn: Turn | None = None) -> list[Leased]:
    """Take up to `limit` due deliveries: each reachable connection in turn, at most its free slots, due first."""
    turn = turn or Turn()
    picked = _pick(limit, turn)  # outside: an idle tick takes no lock; whoever came first is seen below
    if not picked:
        return []
    with transaction.atomic():
        rows = Delivery.objects.filter(pk__in=picked, state=Delivery.State.PENDING, due_at__lte=Now())
        rows = rows.annotate(custody=F("connection__custody"))
        locked = list(rows.select_for_update(skip_locked=True, no_key=True, of=("self",)).order_by("due_at", "id"))
        _bury([row for row in locked if row.leases_unanswered >= MOST_LEASES_UNANSWERED])
        alive = [row for row in locked if row.leases_unanswered < MOST_LEASES_UNANSWERED]
        Delivery.objects.filter(pk__in=[row.pk for row in alive]).update(
            lease=F("lease") + 1, leases_unanswered=F("leases_unanswered") + 1, due_at=Now() + LEASE
        )
    for row in alive:
        turn.serve(row.connection_id)
    return [_leased(row) for row in alive]


def _leased(row: Delivery) -> Leased:
    return Leased(
        id=row.pk,
        lease=row.lease + 1,
        connection_id=row.connection_id,
        library_id=row.library_id,
        lead_id=row.lead_id,
        event_key=row.event_key,
        created_at=row.created_at,
        custody=row.custody,  # type: ignore[attr-defined]  # annotated when locked
    )


def _pick(limit: int, turn: Turn) -> list[int]:
    """Ids of due rows, one connection's after another's, cut to free slots and `limit`."""
    pending = Delivery.objects.filter(connection=OuterRef("pk"), state=Delivery.State.PENDING)
    due = pending.filter(due_at__lte=Now()).order_by("due_at", "id")
    # A leased row comes due within one lease; the bound keeps rows that wait for a far attempt out of the count.
    leased = pending.filter(leases_unanswered__gt=0, due_at__gt=Now(), due_at__lte=Now() + LEASE)
    in_flight = leased.order_by().values("connection").annotate(rows=Count("pk")).values("rows")
    found = (
        reachable()
        .filter(Exists(due))
        .annotate(in_flight=Coalesce(Subquery(in_flight), 0), due=_Ids(due.values("id")[:SLOTS]))
        .values_list("id", "breaker_step", "in_flight", "due")
    )
    picked: list[int] = []
    for _connection, step, busy, ids in sorted(found, key=lambda row: (turn.rank(row[0]), row[0])):
        slots = 1 if Health(breaker_step=step).half_open else SLOTS
        picked += ids[: max(0, slots - busy)]
        if len(picked) >= limit:
            break
    return picked[:limit]


def _bury(rows: Sequence[Delivery]) -> None:
    """End rows that worker after worker did not survive: one bad row must not end workers for ever."""
    if not rows:
        return
    Delivery.objects.filter(pk__in=[row.pk for row in rows]).update(state=Delivery.State.DEAD, settled_at=Now())
    DeliveryAttempt.objects.bulk_create(
        DeliveryAttempt(delivery=row, outcome="fatal", code="crashes_worker") for row in rows
    )
