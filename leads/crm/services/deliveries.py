"""Sending again, and sending what was there before the connection: one lead, all failed since, everything."""

from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime, timedelta

from django.db import transaction
from django.db.models import Exists, OuterRef, QuerySet
from django.db.models.functions import Now
from django.utils.translation import gettext as _

from accounts import audit
from accounts.access import Can, require
from accounts.models import Act, LeadLibrary, User
from accounts.refusals import Conflict
from leads.crm.connectors.connector import DELETED
from leads.crm.outbox import queue_for
from leads.crm.services.connections import locked
from leads.models import Connection, Delivery, Lead

CHUNK = 1000
LATE_COMMITS = timedelta(seconds=10)
"""Reads that go upwards in time end this long before now: an intake that began earlier may commit until then."""
WORD = f"{DELETED}:"
"""How the event of a deletion begins. While its lead is there again, it is sent to nobody."""
AGAIN = {"state": Delivery.State.PENDING, "due_at": Now(), "attempts": 0, "leases_unanswered": 0, "settled_at": None}

_LEAD_IS_THERE = Exists(Lead.objects.filter(pk=OuterRef("lead_id"), state=Lead.State.LIVE))


@dataclass(frozen=True, slots=True)
class Recovered:
    """How many failed deliveries go again, and how many leads were queued that had never been."""

    resent: int
    queued: int


@transaction.atomic
def resend_delivery(*, actor: User, delivery_id: int) -> Delivery:
    """Send one delivery again, now, under its old id. Raises `Conflict` when its lead or connection is no more."""
    rows = Delivery.objects.select_for_update(no_key=True, of=("self",)).select_related("connection__library")
    delivery = rows.get(pk=delivery_id)
    require(actor, Can.CONNECT_CRM, delivery.connection.library)
    if delivery.connection.removed_at is not None:
        raise Conflict("connection_removed", _("The connection of this delivery was removed."))
    if not Lead.objects.filter(pk=delivery.lead_id, state=Lead.State.LIVE).exists():
        raise Conflict("lead_gone", _("The lead of this delivery was deleted."))
    if delivery.event_key.startswith(WORD):
        raise Conflict("lead_back", _("This lead was put back. Nobody is told any more that it was deleted."))
    audit.record(
        Act.DELIVERY_RESENT,
        delivery.connection.library,
        actor=actor,
        targets=[delivery.lead_id],
        connection=str(delivery.connection_id),
    )
    Delivery.objects.filter(pk=delivery.pk).update(**AGAIN)
    delivery.refresh_from_db()
    return delivery


@transaction.atomic
def resend_failed(*, actor: User, library: LeadLibrary, lead_ids: Collection[int]) -> int:
    """Send again, now, every failed delivery of these leads; return how many. What cannot go again is left alone."""
    require(actor, Can.CONNECT_CRM, library)
    failed = Delivery.objects.filter(
        _LEAD_IS_THERE,
        library_id=library.pk,
        lead_id__in=lead_ids,
        state=Delivery.State.DEAD,
        connection__removed_at=None,
    ).exclude(event_key__startswith=WORD)
    rows = list(failed.select_for_update(no_key=True, of=("self",)).order_by("pk").values_list("pk", "lead_id"))
    if rows:
        audit.record(Act.DELIVERY_RESENT, library, actor=actor, manifest=sorted({lead_id for _pk, lead_id in rows}))
        Delivery.objects.filter(pk__in=[pk for pk, _lead_id in rows]).update(**AGAIN)
    return len(rows)


@transaction.atomic
def recover_since(*, actor: User, connection_id: int, since: datetime) -> Recovered:
    """Send again what failed since, and queue the leads received since that this connection never had."""
    connection = locked(actor, connection_id)
    failed = Delivery.objects.filter(connection=connection, state=Delivery.State.DEAD, created_at__gte=since)
    failed = failed.exclude(_LEAD_IS_THERE, event_key__startswith=WORD)
    leads = sorted(failed.values_list("lead_id", flat=True))
    audit.record(
        Act.DELIVERY_RESENT,
        connection.library,
        actor=actor,
        manifest=leads,
        connection=str(connection.pk),
        since=since.isoformat(),
    )
    resent = failed.update(**AGAIN)
    return Recovered(resent, _queue_leads(actor, connection, since))


@transaction.atomic
def backfill(*, actor: User, connection_id: int, since: datetime | None = None) -> int:
    """Queue every live lead (received since) that the connection never had; return how many. Repeatable."""
    return _queue_leads(actor, locked(actor, connection_id), since)


def _queue_leads(actor: User, connection: Connection, since: datetime | None) -> int:
    leads = Lead.objects.filter(
        library=connection.library_id, state=Lead.State.LIVE, received_at__lte=Now() - LATE_COMMITS
    )
    if since is not None:
        leads = leads.filter(received_at__gte=since)
    known = Delivery.objects.filter(connection=connection, event_key__startswith="lead.created:")
    missing = _ids(leads.filter(~Exists(known.filter(lead_id=OuterRef("pk")))))
    audit.record(Act.LEADS_BACKFILLED, connection.library, actor=actor, manifest=missing, connection=str(connection.pk))
    return sum(queue_for(connection, missing[start : start + CHUNK]) for start in range(0, len(missing), CHUNK))


def _ids(leads: QuerySet[Lead]) -> list[int]:
    return list(leads.order_by("received_at", "id").values_list("pk", flat=True))
