"""The peer of the outbox: one Celery task per delivery, as most projects do it. Same rows, same opening and signing."""

import http.client
import time
from urllib.parse import urlsplit

from celery import shared_task
from django.db import transaction
from django.db.models.functions import Now

from leads.crm import unseal
from leads.crm.connectors import connector_of
from leads.crm.preparing import destination_of, event_of
from leads.models import Delivery, DeliveryAttempt, Lead
from leadscenter.lib.outbound import Call

_kept: dict[str, http.client.HTTPConnection] = {}


@shared_task(ignore_result=True)
def deliver_one(delivery_id: int, kept: bool) -> None:
    """Send one delivery and write what came of it."""
    row = Delivery.objects.select_related("connection").get(pk=delivery_id)
    lead = Lead.objects.get(pk=row.lead_id)
    credential = unseal.credentials_of([row.connection])[row.connection_id]
    opened = unseal.answers_of({lead.pk: lead.region})[lead.pk] or {}
    event = event_of("lead.created", f"msg_{row.pk}", lead, opened)
    destination = destination_of(row.connection, credential, row.created_at)
    call = connector_of(row.connection.kind).build(event, destination, int(time.time()))
    status = post(call, kept=kept)
    with transaction.atomic():
        DeliveryAttempt.objects.create(delivery=row, status=status, outcome="ok")
        Delivery.objects.filter(pk=row.pk).update(state=Delivery.State.DONE, settled_at=Now(), attempts=1)


def post(call: Call, *, kept: bool) -> int:
    """Send it over the connection that this process keeps to the host, or over a new one."""
    parts = urlsplit(call.url)
    connection = _kept.get(parts.netloc) if kept else None
    if connection is None:
        connection = http.client.HTTPConnection(parts.netloc, timeout=15)
        if kept:
            _kept[parts.netloc] = connection
    connection.request("POST", parts.path, call.body, dict(call.headers))
    answer = connection.getresponse()
    answer.read()
    if not kept:
        connection.close()
    return answer.status
