"""What the integrations page adds to the connections' own reads: one log over all of them, a day's pulse, and the
request of a delivery as it was sent, with contact details and secrets dotted out.
"""

import json
import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from urllib.parse import urlsplit

from django.http import Http404
from django.utils import timezone

from accounts.access import Can, require
from accounts.models import Act, LeadLibrary, User
from leads.center.disclosure import OpenLead, disclose, excerpts_of
from leads.center.selectors.library import SHOWN
from leads.crm.connectors import connector_of
from leads.crm.connectors.connector import CannotMap, Destination, Event
from leads.crm.preparing import thin_at
from leads.crm.selectors import DeliveryRow, deliveries_of, delivery_row
from leads.models import Connection, Delivery, Lead
from leadscenter.lib.charts import Beat, pulse
from leadscenter.lib.paging import Cursor
from leadscenter.lib.standard_webhooks import new_secret

LOG_ROWS = 25
BEATS = 48
BEAT = timedelta(minutes=30)
PULSE_ROWS = 20_000
SECRET_HEADERS = ("authorization", "webhook-signature")


@dataclass(frozen=True, slots=True)
class Log:
    """The newest deliveries over some connections; `older` is a cursor, "" at the end."""

    rows: tuple[DeliveryRow, ...]
    older: str


def log_of(
    actor: User, library: LeadLibrary, *, connection_id: int | None, state: str, cursor: str | None = None
) -> Log:
    """Return the log of one connection or of all, newest first. Raises `Refused`, `BadCursor`.

    Each connection is read by its own index and the results are merged: no sort grows with the log.
    """
    require(actor, Can.CONNECT_CRM, library)
    ids = Connection.objects.filter(library=library, removed_at=None).values_list("pk", flat=True)
    wanted = [pk for pk in ids if connection_id in (None, pk)]
    pages = [deliveries_of(actor, pk, state=state, cursor=cursor, size=LOG_ROWS) for pk in wanted]
    rows = [row for page in pages for row in page.rows]
    rows.sort(key=lambda row: (row.created_at, row.id), reverse=True)
    more = len(rows) > LOG_ROWS or any(page.next for page in pages)
    shown = rows[:LOG_ROWS]
    older = Cursor("-created_at", shown[-1].created_at, shown[-1].id).encode() if shown and more else ""
    return Log(tuple(shown), older)


def pulses(library: LeadLibrary, now: datetime | None = None) -> dict[int, tuple[Beat, ...]]:
    """Return the last day of each connection in half hours: how much was delivered, and where something failed."""
    now = now or timezone.now()
    since = now - BEAT * BEATS
    settled = Delivery.objects.filter(library_id=library.pk, settled_at__gte=since, settled_at__lte=now)
    counts: dict[int, list[list[int]]] = {}
    for pk, state, at in settled.values_list("connection_id", "state", "settled_at")[:PULSE_ROWS]:
        if at is None or state not in (Delivery.State.DONE, Delivery.State.DEAD):
            continue
        beats = counts.setdefault(pk, [[0, 0] for _ in range(BEATS)])
        beats[min(int((at - since) / BEAT), BEATS - 1)][int(state == Delivery.State.DEAD)] += 1
    return {pk: pulse([(done, failed) for done, failed in beats]) for pk, beats in counts.items()}


@dataclass(frozen=True, slots=True)
class MaskedRequest:
    """A request without what must not be seen: method and path, headers, body as indented JSON."""

    line: str
    headers: tuple[tuple[str, str], ...] = field(repr=False)
    body: str = field(repr=False)


@dataclass(frozen=True, slots=True)
class Answered:
    """The beginning of what a receiver answered to an attempt, which counts from 1."""

    attempt: int
    text: str = field(repr=False)


@dataclass(frozen=True, slots=True)
class DeliveryDetail:
    """A delivery as its page shows it; `answers` is None where nobody asked for them."""

    row: DeliveryRow
    request: MaskedRequest | None
    lead_name: str = field(repr=False)
    lead_gone: bool
    answers: tuple[Answered, ...] | None = None

    @property
    def is_answered(self) -> bool:
        """Whether a receiver answered with a refusal, of which the beginning is kept, sealed."""
        return any(attempt.status is not None and attempt.error for attempt in self.row.attempts)


def delivery_detail(actor: User, delivery_id: int, *, with_answers: bool = False) -> DeliveryDetail:
    """Open one delivery with its request, masked. A look at its lead, so it leaves a trace. `Http404`, `Refused`.

    `with_answers`: also what the receiver answered, as it came: a reveal, since receivers repeat what they were sent.
    """
    row = delivery_row(actor, delivery_id)
    lead = Lead.objects.select_related("library__ad_account", "library__custodian").filter(pk=row.lead_id).first()
    connection = Connection.objects.filter(pk=row.connection_id).first()
    if connection is None:
        raise Http404
    if lead is None or lead.state not in SHOWN:
        return DeliveryDetail(row, None, "", lead_gone=True)
    act = Act.LEAD_REVEALED if with_answers else Act.LEAD_OPENED
    shown = disclose([lead], actor=actor, library=lead.library, act=act, purpose="delivery")[0]
    request = _request(row, lead, shown, connection)
    answers = _answers(row, lead, actor) if with_answers else None
    return DeliveryDetail(row, request, shown.name, lead_gone=False, answers=answers)


def _answers(row: DeliveryRow, lead: Lead, actor: User) -> tuple[Answered, ...]:
    ids = [attempt.id for attempt in row.attempts]
    texts = excerpts_of(lead, ids, actor=actor, library=lead.library)
    return tuple(Answered(number, texts[pk]) for number, pk in enumerate(ids, start=1) if pk in texts)


def _request(row: DeliveryRow, lead: Lead, shown: OpenLead, connection: Connection) -> MaskedRequest | None:
    """Build the request from masked answers and a made-up credential, by the same code that sends."""
    event = Event(
        type=row.event,
        message_id=row.webhook_id,
        at=lead.received_at,
        lead_id=lead.pk,
        is_test=lead.is_test,
        answers=[{"key": a.key, "label": a.label, "value": a.value, "kind": a.kind} for a in shown.answers],
        consent={"language": shown.language, "boxes": shown.consents},
        attribution=shown.attribution,
        names={
            name: {"id": str(named.id), "name": named.name} if named else None
            for name, named in (
                ("form", shown.form),
                ("campaign", shown.campaign),
                ("ad_group", shown.ad_group),
                ("ad", shown.ad),
            )
        },
    )
    credential: Mapping[str, object] = {"token": "unseen", "secrets": [new_secret()]}
    thin = thin_at(connection.options, row.created_at)
    destination = Destination(connection.url, credential, connection.mapping, thin)
    try:
        call = connector_of(connection.kind).build(event, destination, int(time.time()))
    except CannotMap:
        return None
    where = urlsplit(call.url)
    headers = tuple(
        (name, "••••••••" if name.lower() in SECRET_HEADERS else value) for name, value in sorted(call.headers.items())
    )
    body = json.dumps(json.loads(call.body), ensure_ascii=False, indent=2) if call.body else ""
    return MaskedRequest(f"{call.method} {where.netloc}{where.path or '/'}", headers, body)
