"""What a person sees of connections and deliveries. Never a secret, never an answer of a lead."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import TypeVar

from django.db.models import Count, Exists, Model, OuterRef, Q, QuerySet, Subquery
from django.db.models.functions import Coalesce, Now
from django.http import Http404

from accounts.access import Can, require
from accounts.models import LeadLibrary, User
from leads.crm.explanations import explain
from leads.crm.preparing import thin_at
from leads.crm.standing import next_attempt
from leads.models import Connection, Delivery, DeliveryAttempt, Lead
from leadscenter.lib.outbound import host_of
from leadscenter.lib.paging import Page, keyset_page

Row = TypeVar("Row", bound=Model)
UNCONFIRMED = "unconfirmed"
WAITING = "waiting"


@dataclass(frozen=True, slots=True)
class ConnectionRow:
    """A connection as its card shows it. `state` is the stored one or `unconfirmed`; counts are of the last day.

    Of what is `waiting`, `retrying` was tried and failed so far.
    """

    id: int
    kind: str
    kind_label: str
    name: str
    state: str
    state_reason: str
    url: str
    host: str
    mapping: list[dict[str, str]]
    thin: bool
    created_at: datetime
    last_success_at: datetime | None
    resting_until: datetime | None
    waiting: int
    retrying: int
    delivered_today: int
    failed_today: int


@dataclass(frozen=True, slots=True)
class AttemptRow:
    """One attempt: `error` is a word of ours or "", with cause and fix for a person."""

    id: int
    at: datetime
    status: int | None
    ms: int
    error: str
    cause: str
    fix: str


@dataclass(frozen=True, slots=True)
class DeliveryRow:
    """A delivery as the log shows it. `state` is the stored one, or `waiting` while its connection does not work.

    `next_at`: when it is tried next, which is later than `due_at` while the breaker holds the connection.
    """

    id: int
    connection_id: int
    connection_name: str
    lead_id: int
    event: str
    webhook_id: str
    state: str
    created_at: datetime
    due_at: datetime
    next_at: datetime
    settled_at: datetime | None
    attempts: list[AttemptRow]


def library_of(library_id: int) -> LeadLibrary:
    """The library or `Http404`; who may see it is asked next."""
    return _or_404(LeadLibrary.objects.select_related("ad_account", "custodian").filter(pk=library_id))


def ask(actor: User, connection_id: int) -> None:
    """Whether this person may act on the connection, before anything of a request is read. `Http404`, `Refused`."""
    row = _or_404(Connection.objects.select_related("library").filter(pk=connection_id, removed_at=None))
    require(actor, Can.CONNECT_CRM, row.library)


def connections_of(actor: User, library: LeadLibrary) -> list[ConnectionRow]:
    """The connections of a library, oldest first. Raises `Refused`."""
    require(actor, Can.CONNECT_CRM, library)
    rows = _counted(Connection.objects.filter(library=library, removed_at=None))
    return [_connection_row(row) for row in rows.order_by("created_at", "id")]


def unconfirmed_of(library: LeadLibrary) -> tuple[int, int]:
    """How many connections wait for the new custodian, and how many deliveries on them, counted up to 10,001."""
    rows = Connection.objects.filter(library=library, removed_at=None).exclude(custody=library.custody)
    waiting = Delivery.objects.filter(connection__in=rows, state=Delivery.State.PENDING)
    return rows.count(), waiting.order_by().values("pk")[:10_001].count()


def connection_row(actor: User, connection_id: int) -> ConnectionRow:
    """One connection. Raises `Http404`, `Refused`."""
    row = _or_404(_counted(Connection.objects.filter(pk=connection_id, removed_at=None)))
    require(actor, Can.CONNECT_CRM, row.library)
    return _connection_row(row)


def deliveries_of(
    actor: User, connection_id: int, *, state: str = "", cursor: str | None = None, size: int = 50
) -> Page[DeliveryRow]:
    """The delivery log of a connection, newest first. Raises `Http404`, `Refused`, `BadCursor`."""
    connection = _or_404(Connection.objects.select_related("library").filter(pk=connection_id))
    require(actor, Can.CONNECT_CRM, connection.library)
    rows = Delivery.objects.filter(connection=connection)
    page = keyset_page(rows.filter(state=state) if state else rows, order="-created_at", size=size, cursor=cursor)
    return Page(_delivery_rows(page.rows, {connection.pk: connection}), page.next, page.previous)


def deliveries_of_lead(actor: User, lead_id: int) -> list[DeliveryRow]:
    """Where a lead went, oldest first. Raises `Http404`, `Refused`."""
    lead = _or_404(Lead.objects.select_related("library").filter(pk=lead_id))
    require(actor, Can.VIEW_LEADS, lead.library)
    rows = list(Delivery.objects.filter(lead_id=lead_id).order_by("created_at", "id"))
    connections = Connection.objects.select_related("library").in_bulk({row.connection_id for row in rows})
    return _delivery_rows(rows, connections)


def delivery_row(actor: User, delivery_id: int) -> DeliveryRow:
    """One delivery with all its attempts. Raises `Http404`, `Refused`."""
    row = _or_404(Delivery.objects.select_related("connection__library").filter(pk=delivery_id))
    require(actor, Can.CONNECT_CRM, row.connection.library)
    return _delivery_rows([row], {row.connection_id: row.connection})[0]


def state_of(connection: Connection) -> str:
    """The state that people and programs see: one made before a transfer is unconfirmed, whatever is stored."""
    return connection.state if connection.custody == connection.library.custody else UNCONFIRMED


def _counted(rows: QuerySet[Connection]) -> QuerySet[Connection]:
    mine = Delivery.objects.filter(connection=OuterRef("pk")).order_by().values("connection")
    # The library stands here too: what was settled lately has an index that begins with it.
    today = Q(library_id=OuterRef("library_id"), settled_at__gte=Now() - timedelta(days=1))

    def count(condition: Q) -> Coalesce:
        return Coalesce(Subquery(mine.filter(condition).annotate(rows=Count("pk")).values("rows")), 0)

    return rows.select_related("library").annotate(
        waiting_count=count(Q(state=Delivery.State.PENDING)),
        retrying_count=count(Q(library_id=OuterRef("library_id"), state=Delivery.State.PENDING, attempts__gt=0)),
        delivered_count=count(today & Q(state=Delivery.State.DONE)),
        failed_count=count(today & Q(state=Delivery.State.DEAD)),
        resting=Exists(Connection.objects.filter(pk=OuterRef("pk"), open_until__gt=Now())),
        clock=Now(),
    )


def _connection_row(row: Connection) -> ConnectionRow:
    counted: dict[str, int] = row.__dict__
    return ConnectionRow(
        id=row.pk,
        kind=row.kind,
        kind_label=row.get_kind_display(),
        name=row.name,
        state=state_of(row),
        state_reason=row.state_reason,
        url=row.url,
        host=host_of(row.url),
        mapping=row.mapping,
        thin=thin_at(row.options, row.__dict__["clock"]),
        created_at=row.created_at,
        last_success_at=row.last_success_at,
        resting_until=row.open_until if row.__dict__["resting"] else None,
        waiting=counted["waiting_count"],
        retrying=counted["retrying_count"],
        delivered_today=counted["delivered_count"],
        failed_today=counted["failed_count"],
    )


def _delivery_rows(rows: Sequence[Delivery], connections: dict[int, Connection]) -> list[DeliveryRow]:
    attempts: dict[int, list[DeliveryAttempt]] = {row.pk: [] for row in rows}
    for attempt in DeliveryAttempt.objects.filter(delivery__in=list(attempts)).order_by("at", "id"):
        attempts[attempt.delivery_id].append(attempt)
    return [_delivery_row(row, connections[row.connection_id], attempts[row.pk]) for row in rows]


def _delivery_row(row: Delivery, connection: Connection, attempts: Sequence[DeliveryAttempt]) -> DeliveryRow:
    works = state_of(connection) == Connection.State.ACTIVE
    return DeliveryRow(
        id=row.pk,
        connection_id=connection.pk,
        connection_name=connection.name,
        lead_id=row.lead_id,
        event=row.event_key.partition(":")[0],
        webhook_id=f"msg_{row.pk}",
        state=WAITING if row.state == Delivery.State.PENDING and not works else row.state,
        created_at=row.created_at,
        due_at=row.due_at,
        next_at=next_attempt(row, connection),
        settled_at=row.settled_at,
        attempts=[_attempt_row(attempt, connection.kind) for attempt in attempts],
    )


def _attempt_row(attempt: DeliveryAttempt, kind: str) -> AttemptRow:
    told = explain(kind, attempt.code)
    return AttemptRow(attempt.pk, attempt.at, attempt.status, attempt.ms, attempt.code, told.cause, told.fix)


def _or_404(rows: QuerySet[Row]) -> Row:
    row = rows.first()
    if row is None:
        raise Http404
    return row
