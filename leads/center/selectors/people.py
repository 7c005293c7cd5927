"""What one person did with the leads of a library: by day in counts, and event by event."""

from collections import defaultdict
from dataclasses import dataclass
from datetime import UTC, date, timedelta

from django.db import transaction
from django.db.models import Count, Sum
from django.db.models.functions import TruncDate
from django.http import Http404
from django.utils import timezone

from accounts import audit
from accounts.access import Can, holders, require
from accounts.models import Act, AuditEvent, LeadLibrary, Scope, User
from leads.center.selectors.activity import GROUPS
from leadscenter.lib.paging import Page, keyset_page

DAYS = 28
LISTED = (Act.LEADS_LISTED, Act.LEADS_SEARCHED, Act.LEAD_OPENED, Act.LEADS_READ, Act.CONSENT_READ)


@dataclass(frozen=True, slots=True)
class DayOf:
    """A day (UTC) of a person: looks and the leads they showed, reveals, files asked for, leads downloaded, acts about
    connections and deliveries, refusals."""

    day: date
    looks: int = 0
    leads: int = 0
    reveals: int = 0
    exports: int = 0
    downloaded: int = 0
    deliveries: int = 0
    refused: int = 0


@dataclass(frozen=True, slots=True)
class PersonSeen:
    """Somebody who reached, or tried to reach, the leads. `holds`: they can see them now."""

    user: User
    holds: bool
    days: tuple[DayOf, ...]
    page: Page[AuditEvent]


def seen_by(actor: User, library: LeadLibrary, user_id: int, *, cursor: str | None = None) -> PersonSeen:
    """Return what a person did in the library, newest first; each page that is read is recorded.

    Raises `Refused`, `BadCursor`, and `Http404` for somebody who neither holds the leads nor stands in the trail.
    """
    require(actor, Can.VIEW_TRAIL, library)
    own = AuditEvent.objects.filter(scope=Scope.LIBRARY, scope_id=library.pk, actor=user_id)
    holds = holders(library, Can.VIEW_LEADS).filter(pk=user_id).exists()
    if not holds and not own.exists():
        raise Http404
    page = keyset_page(own.select_related("actor"), order="-at", size=50, cursor=cursor)
    with transaction.atomic():
        audit.record(Act.TRAIL_READ, library, actor=actor, targets=[user_id], purpose="person")
    return PersonSeen(User.objects.get(pk=user_id), holds, _days(library, user_id), page)


def _days(library: LeadLibrary, user_id: int) -> tuple[DayOf, ...]:
    """Return those of the last 28 days on which the person did any of it, newest first."""
    recent = AuditEvent.objects.filter(
        scope=Scope.LIBRARY, scope_id=library.pk, actor=user_id, at__gte=timezone.now() - timedelta(days=DAYS)
    )
    rows = recent.order_by().annotate(day=TruncDate("at", tzinfo=UTC)).values("day", "act")
    times: dict[date, dict[str, int]] = defaultdict(dict)
    things: dict[date, dict[str, int]] = defaultdict(dict)
    for row in rows.annotate(times=Count("pk"), things=Sum("count")):
        times[row["day"]][row["act"]], things[row["day"]][row["act"]] = row["times"], row["things"]

    def of(found: dict[str, int], *acts: Act) -> int:
        return sum(found.get(act, 0) for act in acts)

    days = (
        DayOf(
            day=day,
            looks=of(times[day], *LISTED),
            leads=of(things[day], *LISTED),
            reveals=of(things[day], Act.LEAD_REVEALED),
            exports=of(times[day], Act.EXPORT_REQUESTED),
            downloaded=of(things[day], Act.EXPORT_DOWNLOADED),
            deliveries=of(times[day], *GROUPS["deliveries"][1]),
            refused=of(times[day], Act.REFUSED),
        )
        for day in sorted(times, reverse=True)
    )
    return tuple(day for day in days if day != DayOf(day.day))
