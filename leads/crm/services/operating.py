"""What platform staff may do to deliveries: stop a connection that harms, and let jobs run again as they were.

Neither decides where data goes: a job that runs again asks for custody and permission as every job does.
"""

from collections.abc import Iterable

from django.db import transaction

from accounts import audit
from accounts.models import Act, User
from accounts.services.staff import require_staff
from leads.crm.services.deliveries import AGAIN
from leads.models import Connection, Delivery, Lead

PAUSED_BY_STAFF = "Paused by platform staff"


@transaction.atomic
def pause_as_staff(*, actor: User, connection_id: int) -> bool:
    """Let the deliveries of a connection wait until its library's people resume it; False when it is not active."""
    require_staff(actor)
    rows = Connection.objects.select_for_update(no_key=True, of=("self",)).select_related("library")
    connection = rows.get(pk=connection_id)
    if connection.state != Connection.State.ACTIVE:
        return False
    audit.record(
        Act.CONNECTION_CHANGED,
        connection.library,
        actor=actor,
        targets=[connection.pk],
        changed="state",
        state="paused",
    )
    Connection.objects.filter(pk=connection.pk).update(state=Connection.State.PAUSED, state_reason=PAUSED_BY_STAFF)
    return True


@transaction.atomic
def requeue_as_staff(*, actor: User, delivery_ids: Iterable[int]) -> int:
    """Let failed deliveries of live leads and standing connections be tried again; return how many."""
    require_staff(actor)
    rows = Delivery.objects.filter(
        pk__in=list(delivery_ids), state=Delivery.State.DEAD, connection__removed_at=None
    ).select_related("connection__library")
    live = set(Lead.objects.filter(pk__in=rows.values("lead_id"), state=Lead.State.LIVE).values_list("pk", flat=True))
    chosen = [delivery for delivery in rows if delivery.lead_id in live]
    for library in {delivery.connection.library for delivery in chosen}:
        mine = [delivery.lead_id for delivery in chosen if delivery.library_id == library.pk]
        audit.record(Act.DELIVERY_RESENT, library, actor=actor, manifest=mine)
    return Delivery.objects.filter(pk__in=[delivery.pk for delivery in chosen]).update(**AGAIN)
