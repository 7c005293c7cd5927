"""What the wider filters of a list ask of a lead's row: how it was sent, who has seen it, how long it is still kept."""

from datetime import datetime, timedelta

from django.db.models import Exists, F, OuterRef, Q, QuerySet
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from accounts.models import LeadLibrary
from leads.models import Connection, Delivery

EXPIRES_WITHIN = timedelta(days=7)
DELIVERIES = {
    "undelivered": _("Undelivered"),
    "failed": _("Failed"),
    "retrying": _("Retrying"),
    "paused": _("Paused"),
    "delivered": _("Delivered"),
    "none": _("No destination"),
}
PENDING = Q(state=Delivery.State.PENDING)
FAILED = Q(state=Delivery.State.DEAD)
RUNNING = Q(connection__state=Connection.State.ACTIVE, connection__custody=F("connection__library__custody"))


OPEN = {
    "failed": FAILED,
    "retrying": PENDING & RUNNING & Q(attempts__gt=0),
    "paused": PENDING & ~RUNNING,
    "undelivered": FAILED | (PENDING & (~RUNNING | Q(attempts__gt=0))),
}


def sent_as(wanted: str) -> Q:
    """Return the condition on leads whose deliveries stand so: a removed connection's deliveries do not count.

    `failed`, `retrying`, `paused`: any of them does; `undelivered`: any of the three; `delivered`: at least one has
    arrived and none is open; `none`: nothing was ever to be sent.
    """
    if wanted == "none":
        return ~Q(_any_delivery(Q()))
    if wanted == "delivered":
        return Q(_any_delivery(Q(state=Delivery.State.DONE))) & ~Q(_any_delivery(PENDING | FAILED))
    return Q(_any_delivery(OPEN[wanted]))


def open_deliveries(wanted: str, library: LeadLibrary) -> QuerySet[Delivery]:
    """Return the library's deliveries that stand so (one of `OPEN`), by one query for its connections, which are few:
    of the deliveries an index alone is read.
    """
    running: list[int] = []
    paused: list[int] = []
    connections = Connection.objects.filter(library=library, removed_at=None)
    for pk, state, custody in connections.values_list("pk", "state", "custody"):
        (running if (state, custody) == (Connection.State.ACTIVE, library.custody) else paused).append(pk)
    stands = {
        "failed": FAILED & Q(connection__in=[*running, *paused]),
        "retrying": PENDING & Q(connection__in=running, attempts__gt=0),
        "paused": PENDING & Q(connection__in=paused),
    }
    stands["undelivered"] = stands["failed"] | stands["retrying"] | stands["paused"]
    return Delivery.objects.filter(stands[wanted], library_id=library.pk)


def _any_delivery(condition: Q) -> Exists:
    # The library stands here too: what is open is little and has an index that begins with it.
    mine = Delivery.objects.filter(lead_id=OuterRef("pk"), library_id=OuterRef("library_id"))
    return Exists(mine.filter(condition, connection__removed_at=None))


def expiring_before(retention_days: int) -> datetime:
    """Return the moment before which a lead was received whose time is up within a week; whole hours, so that a page
    and its next one ask the same.
    """
    now = timezone.now().replace(minute=0, second=0, microsecond=0) + timedelta(hours=1)
    return now - timedelta(days=retention_days) + EXPIRES_WITHIN
