"""What the wider filters of a list ask of a lead's row: how it was sent, who has seen it, how long it is still kept."""

from datetime import datetime, timedelta

from django.db.models import Exists, F, OuterRef, Q, QuerySet
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from accounts.models import LeadLibrary
from leads.models import Connection, Delivery, Lead

EXPIRES_WITHIN = timedelta(days=7)
DELIVERIES = {
    "undelivered": _("Undelivered"),
    "failed": _("Failed"),
    "retrying": _("Retrying"),
    "paused": _("Paused"),
    "delivered": _("Delivered"),
    "none": _("No destination"),
}
NOT_IMPORT = "not_import"
SOURCES = dict(Lead.Source.choices) | {NOT_IMPORT: _("Not imported")}
PENDING = Q(state=Delivery.State.PENDING)
FAILED = Q(state=Delivery.State.DEAD)
RUNNING = Q(connection__state=Connection.State.ACTIVE, connection__custody=F("connection__library__custody"))


def _open(running: Q) -> dict[str, Q]:
    """Return how a delivery that is not done may stand; `running`: its connection works."""
    return {
        "failed": FAILED,
        "retrying": PENDING & running & Q(attempts__gt=0),
        "paused": PENDING & ~running,
        "undelivered": FAILED | (PENDING & (~running | Q(attempts__gt=0))),
    }


OPEN = _open(RUNNING)
UNDELIVERED = ("failed", "retrying", "paused")
"""What `undelivered` is made of, each a range of the index of open deliveries."""


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


def open_deliveries(library: LeadLibrary, wanted: str) -> list[QuerySet[Delivery]]:
    """Return the library's deliveries that stand so (one of `OPEN`), in ranges of the index that alone is read; by one
    query for its connections, which are few.
    """
    connections = Connection.objects.filter(library=library, removed_at=None)
    known = list(connections.values_list("pk", "state", "custody"))
    working = (Connection.State.ACTIVE, library.custody)
    running = Q(connection__in=[pk for pk, *stands in known if tuple(stands) == working])
    mine = Delivery.objects.filter(library_id=library.pk, connection__in=[pk for pk, *_stands in known])
    stands = UNDELIVERED if wanted == "undelivered" else (wanted,)
    return [mine.filter(_open(running)[stand]) for stand in stands]


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
