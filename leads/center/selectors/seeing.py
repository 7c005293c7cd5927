"""Who has seen a lead: what the trail holds on it."""

from bisect import bisect_left
from datetime import timedelta

from django.db.models import Exists, OuterRef, Q, QuerySet

from accounts import audit
from accounts.access import Can, require
from accounts.models import Act, AuditEvent, AuditManifest, AuditTarget, Scope, User
from leads.models import DeliveryAttempt, Lead
from leadscenter.lib.lookups import PlaceOf

LOOKS = (
    Act.LEADS_LISTED,
    Act.LEADS_SEARCHED,
    Act.LEAD_OPENED,
    Act.LEAD_REVEALED,
    Act.LEADS_READ,
    Act.EXPORT_DOWNLOADED,
)
READ_MANY = (Act.EXPORT_MADE, Act.LEADS_BACKFILLED, Act.DELIVERY_RESENT)
LARGE = (*READ_MANY, Act.LEADS_IMPORTED, Act.IMPORT_STOPPED)
SEEN = (*LOOKS, *READ_MANY, Act.CONSENT_READ, Act.LEADS_DELIVERED)
"""What hands a lead to somebody's eyes, or on its way there."""
MANIFESTS_READ, ATTEMPTS_READ = 500, 50
SETTLED_WITHIN = timedelta(seconds=5)  # an attempt is written in the transaction that records its batch


def events_of(lead: Lead, *, limit: int = 200) -> list[AuditEvent]:
    """Return what the trail holds on a lead, newest first: acts that name it and files that it is in."""
    trail = AuditEvent.objects.filter(scope=Scope.LIBRARY, scope_id=lead.library_id).select_related("actor")
    named = list(trail.filter(targets__object_id=lead.pk).order_by("-at", "-id")[:limit])
    return sorted([*named, *_files_with(lead)], key=lambda event: (event.at, event.pk), reverse=True)[:limit]


def _files_with(lead: Lead) -> list[AuditEvent]:
    """Return the newest large acts whose manifest holds the lead, and the downloads of the files they made."""
    trail = AuditEvent.objects.filter(scope=Scope.LIBRARY, scope_id=lead.library_id).select_related("actor")
    holding = _holding(trail, trail.filter(act__in=LARGE, at__gte=lead.received_at), lead)
    exports = [event.pk for event in holding if event.act == Act.EXPORT_MADE]
    files = AuditTarget.objects.filter(event__in=exports).values("object_id")
    taken = trail.filter(act=Act.EXPORT_DOWNLOADED, targets__object_id__in=files)
    return [*holding, *taken.order_by("-at")[:MANIFESTS_READ], *_deliveries_of(lead, trail)]


def _deliveries_of(lead: Lead, trail: QuerySet[AuditEvent]) -> list[AuditEvent]:
    """Return the settled batches that the lead was sent in. There are too many batches to look into each: the attempts
    of the lead say when it was sent, and a batch is settled with its attempts."""
    sent = DeliveryAttempt.objects.filter(delivery__lead_id=lead.pk, delivery__library_id=lead.library_id)
    moments = list(sent.order_by("-at").values_list("at", flat=True)[:ATTEMPTS_READ])
    if not moments:
        return []
    around = Q()
    for moment in moments:
        around |= Q(at__gte=moment - SETTLED_WITHIN, at__lte=moment + SETTLED_WITHIN)
    return _holding(trail, trail.filter(around, act=Act.LEADS_DELIVERED), lead)


def _holding(trail: QuerySet[AuditEvent], large: QuerySet[AuditEvent], lead: Lead) -> list[AuditEvent]:
    """Return the newest of the large acts whose manifest holds the lead.

    The database looks for its eight bytes, so that no manifest of a million ids is fetched.
    """
    whole = Exists(AuditManifest.objects.filter(event=OuterRef("pk")))
    newest = large.filter(whole).order_by("-at", "-id").values("pk")[:MANIFESTS_READ]
    place = PlaceOf(audit.pack([lead.pk]), "object_ids")
    parts = AuditManifest.objects.filter(event__in=newest).annotate(place=place).filter(place__gt=0)
    found = parts.values_list("pk", "event_id", "place")
    holding = {event for part, event, where in found if where % 8 == 1 or _holds(part, lead.pk)}
    return list(trail.filter(pk__in=holding).order_by("-at", "-id")) if holding else []


def _holds(part: int, lead_id: int) -> bool:
    """Whether a part of a manifest does where the first bytes that look like it lie across two ids."""
    ids = audit.unpack(bytes(AuditManifest.objects.get(pk=part).object_ids))
    place = bisect_left(ids, lead_id)
    return place < len(ids) and ids[place] == lead_id


def who_has_seen(actor: User, lead: Lead) -> list[AuditEvent]:
    """Return the looks at a lead, newest first; raise `Refused`."""
    require(actor, Can.VIEW_TRAIL, lead.library)
    return [event for event in events_of(lead) if event.act in SEEN]
