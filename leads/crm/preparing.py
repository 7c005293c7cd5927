"""From leased rows to calls: open, map, sign. All reading of the database happens here, before the network."""

import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from accounts.access import lock_libraries
from accounts.models import LeadLibrary
from leads.crm import unseal
from leads.crm.connectors import connector_of
from leads.crm.connectors.connector import (
    CREATED,
    DELETED,
    ENDS,
    CannotMap,
    Connector,
    Destination,
    Event,
    Outcome,
    Verdict,
)
from leads.crm.outbox import Leased, Settled, defer, skip
from leads.crm.outbox.leasing import reachable
from leads.models import Connection, Lead
from leadscenter.lib.outbound import Call

UNREADABLE = "unreadable"
ANSWER_ROW = ("key", "label", "value", "kind")


@dataclass(frozen=True, slots=True)
class Ready:
    """A call that may start now, with all that is needed to judge its answer."""

    leased: Leased
    region: str
    connector: Connector
    event: Event
    destination: Destination = field(repr=False)
    call: Call


def prepare(leased: Sequence[Leased]) -> tuple[list[Ready], list[Settled]]:
    """The calls of leased rows, and results for those that cannot become one. Whether they may start asks `admit`."""
    connections = Connection.objects.in_bulk({row.connection_id for row in leased})
    told = [row for row in leased if row.type in connector_of(connections[row.connection_id].kind).events]
    skip(set(leased).difference(told))
    leased = told
    if not leased:
        return [], []
    leads = Lead.objects.only("id", "region", "state", "is_test", "received_at").in_bulk(
        {row.lead_id for row in leased}
    )
    credentials = unseal.credentials_of(connections.values())
    answers = unseal.answers_of({lead.pk: lead.region for lead in leads.values()})
    ready, failed = [], []
    for row in leased:
        lead, connection = leads.get(row.lead_id), connections[row.connection_id]
        if lead is None:
            continue  # `admit` skips it
        opened = {} if row.type in ENDS else answers.get(row.lead_id)
        made = _ready(row, lead, connection, credentials.get(connection.pk), opened)
        if isinstance(made, Ready):
            ready.append(made)
        else:
            failed.append(made)
    return ready, failed


def admit(leased: Sequence[Leased]) -> set[int]:
    """Ids of the rows whose connection and lead allow a start at this moment; the others are given back.

    The word of a deletion that was taken back is skipped: the receiver would delete a lead that is there.
    Their libraries stay locked until the caller's transaction ends, so that no transfer is accepted between this
    question and the start of the calls.
    """
    lock_libraries(LeadLibrary.objects.filter(pk__in={row.library_id for row in leased}))
    connections = set(reachable_now({row.connection_id for row in leased}))
    states = dict(Lead.objects.filter(pk__in={row.lead_id for row in leased}).values_list("pk", "state"))
    undone = {row for row in leased if row.type == DELETED and states.get(row.lead_id) == Lead.State.LIVE}
    skip(undone)
    may, back, gone, trashed = set(), [], set(), set()
    for row in leased:
        if row in undone:
            continue
        state = states.get(row.lead_id, Lead.State.GONE)
        if row.type in ENDS and row.lead_id in states:
            state = Lead.State.LIVE
        if state == Lead.State.GONE:
            gone.add(row.lead_id)
        elif state != Lead.State.LIVE:
            trashed.add(row.lead_id)
        if state == Lead.State.LIVE and row.connection_id in connections:
            may.add(row.id)
        else:
            back.append(row)
    defer(back, gone=gone, trashed=trashed)
    return may


def reachable_now(ids: set[int]) -> list[int]:
    """Which of these connections may get something at this moment."""
    return list(reachable().filter(pk__in=ids).values_list("pk", flat=True))


def _ready(
    row: Leased,
    lead: Lead,
    connection: Connection,
    credential: Mapping[str, Any] | None,
    opened: Mapping[str, Any] | None,
) -> Ready | Settled:
    if credential is None or opened is None:
        return Settled(row, Verdict(Outcome.RETRY, UNREADABLE), sent=False)
    connector = connector_of(connection.kind)
    at = lead.received_at if row.type == CREATED else row.created_at
    event = event_of(row.type, row.message_id, lead, opened, at=at, version=row.version)
    destination = destination_of(connection, credential, row.created_at)
    try:
        call = connector.build(event, destination, int(time.time()))
    except CannotMap as error:
        return Settled(row, Verdict(Outcome.FATAL, error.code), sent=False)
    return Ready(row, lead.region, connector, event, destination, call)


def event_of(
    kind: str,
    message_id: str,
    lead: Lead,
    opened: Mapping[str, Any],
    *,
    at: datetime | None = None,
    version: int | None = None,
) -> Event:
    """The event about a lead, from its sealed answers as intake wrote them (labels and names as they were then)."""
    return Event(
        type=kind,
        message_id=message_id,
        at=at or lead.received_at,
        lead_id=lead.pk,
        is_test=lead.is_test,
        version=version,
        answers=[dict(zip(ANSWER_ROW, row, strict=True)) for row in opened.get("answers", ())],
        consent={"language": opened.get("language", ""), "boxes": opened.get("consents", {})} if opened else {},
        attribution=opened.get("attribution", {}),
        names={name: opened.get(name) for name in ("form", "campaign", "ad_group", "ad")} if opened else {},
    )


def destination_of(connection: Connection, credential: Mapping[str, Any], queued_at: datetime) -> Destination:
    """Where and how an event that was queued at `queued_at` goes."""
    return Destination(
        connection.url, live_secrets(credential), connection.mapping, thin_at(connection.options, queued_at)
    )


def live_secrets(credential: Mapping[str, Any]) -> Mapping[str, Any]:
    """The credential with the webhook secrets that are valid now, newest first, as plain texts."""
    if "secrets" not in credential:
        return credential
    now = time.time()
    live = [one["secret"] for one in credential["secrets"] if one.get("until") is None or one["until"] > now]
    return {**credential, "secrets": live}


def thin_at(options: Mapping[str, Any], moment: datetime) -> bool:
    """Whether an event queued at this moment goes thin. Old events keep their form: one id, the same bytes."""
    thin = False
    for since, was_thin in options.get("thin_since", []):
        if datetime.fromisoformat(since) <= moment:
            thin = bool(was_thin)
    return thin
