"""What the wider filters of a list ask of a lead's row: how it was sent, who has seen it, how long it is still kept."""

from datetime import datetime, timedelta

from django.db.models import Exists, F, OuterRef, Q, QuerySet
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

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


def open_deliveries(wanted: str, library_id: int) -> QuerySet[Delivery]:
    """Return the library's deliveries that stand so (one of `OPEN`)."""
    return Delivery.objects.filter(OPEN[wanted], library_id=library_id, connection__removed_at=None)


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
