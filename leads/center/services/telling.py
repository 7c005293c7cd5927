"""Who is told of what: new leads, assignments, follow-ups, connections, files, leads whose time is nearly over.

Nothing tells by itself: a tick reads what has happened since the last one, from the leads and the trail, which are the
record. It keeps its place as an id (ids carry their time) and stays behind now, since a transaction of the web server
may commit five seconds after its ids were made. A place that was lost makes it read the last day again, and tells
nobody twice: a notification is one row per person and occasion.
"""

import time
from collections import defaultdict
from collections.abc import Iterable
from datetime import UTC, datetime, timedelta

from django.core.cache import cache
from django.db import transaction
from django.db.models import F
from django.db.models.functions import Coalesce, Now
from django.utils import timezone

from accounts.access import Can, holders
from accounts.audit import manifests_of
from accounts.models import Act, AuditEvent, LeadLibrary, Scope
from leads.center.notices import FAILING
from leads.center.selectors.notifications import wishes_for
from leads.models import Connection, FollowUp, Lead, Notification
from leadscenter.lib.ids import id_at
from leadscenter.lib.lookups import numbers

Kind = Notification.Kind
PLACE = "leads.tell"
BEHIND = timedelta(seconds=6)
LOOKED_BACK = timedelta(hours=24)
STRETCH = timedelta(hours=1)  # an id range that is read at once, should the tick have stood still
ID_STRETCH = id_at(datetime(2025, 1, 1, tzinfo=UTC) + STRETCH)
BATCH = 2_000
SECONDS = 20.0
ONE_BY_ONE = 20
"""More new leads of a library in one tick than this are told as one number."""
WARNED_BEFORE = timedelta(days=7)
FAILING_TOLD_EVERY = timedelta(hours=6)
COUNTED_AT_MOST = 10_000
KEPT_DAYS = 90
OF_ACT = {
    Act.LEAD_CHANGED: Kind.ASSIGNED,
    Act.CONNECTION_DISABLED: Kind.CONNECTION,
    Act.EXPORT_MADE: Kind.EXPORT,
    Act.EXPORT_STOPPED: Kind.EXPORT,
    Act.LEADS_IMPORTED: Kind.IMPORT,
    Act.IMPORT_STOPPED: Kind.IMPORT,
}


def tell_on() -> int:
    """Go on from where the last tick ended, for 20 seconds at most; return how many notifications were made."""
    until, ends, told = id_at(datetime.now(UTC) - BEHIND), time.monotonic() + SECONDS, 0
    place: int = cache.get(PLACE) or id_at(datetime.now(UTC) - LOOKED_BACK)
    while place < until and time.monotonic() < ends:
        place, made = tell_stretch(place, until)
        told += made
        cache.set(PLACE, place, timeout=None)
    return told + tell_follow_ups() + tell_failing()


def tell_stretch(after: int, until: int) -> tuple[int, int]:
    """Tell what has ids above `after`, up to `until`; return the place reached and how many rows were made."""
    upto = min(until, after + ID_STRETCH)
    leads = Lead.objects.filter(pk__gt=after, pk__lte=upto, state=Lead.State.LIVE, is_test=False)
    leads = leads.exclude(source=Lead.Source.IMPORT)
    found = list(leads.order_by("pk").values_list("pk", "library_id")[:BATCH])
    if len(found) == BATCH:
        upto = found[-1][0]
    events = AuditEvent.objects.filter(pk__gt=after, pk__lte=upto, scope=Scope.LIBRARY, act__in=OF_ACT).order_by("pk")
    some = list(events.prefetch_related("targets")[:BATCH])
    if len(some) == BATCH:
        upto = some[-1].pk
        found = [one for one in found if one[0] <= upto]
    rows = [*_new_leads(found), *(row for event in some for row in _of_event(event))]
    return upto, _keep(rows)


def _new_leads(found: Iterable[tuple[int, int]]) -> Iterable[Notification]:
    by_library: dict[int, list[int]] = defaultdict(list)
    for lead_id, library_id in found:
        by_library[library_id].append(lead_id)
    for library_id, ids in by_library.items():
        if len(ids) <= ONE_BY_ONE:
            told = [(f"lead:{lead_id}", lead_id, 1) for lead_id in ids]
        else:
            told = [(f"leads:{ids[0]}", ids[0], len(ids))]
        for occasion, lead_id, count in told:
            yield from _to_holders(library_id, Kind.NEW_LEAD, occasion, lead_id, count)


def _of_event(event: AuditEvent) -> list[Notification]:
    kind, targets = OF_ACT[Act(event.act)], [target.object_id for target in event.targets.all()]
    occasion, first = f"event:{event.pk}", targets[0] if targets else 0
    if kind == Kind.CONNECTION:
        return _to_holders(event.scope_id, kind, occasion, first, 1)
    user = event.actor_id
    if kind == Kind.EXPORT and (event.detail.get("task") or event.detail.get("download")):
        return []  # a program polls for its file; whose download was cut off sat there
    if kind == Kind.ASSIGNED:
        user = int(event.detail.get("assignee") or 0)
        if not user or user == event.actor_id:  # nobody is told of what they did themselves
            return []
    library = _library(event.scope_id)
    if user is None or library is None:
        return []
    told = [_row(library, user, kind, occasion, first, event.count)]
    return [*told, *_given(library, event, occasion)] if kind == Kind.IMPORT else told


def _given(library: LeadLibrary, event: AuditEvent, occasion: str) -> Iterable[Notification]:
    """Tell each colleague how many of the leads that an import made are theirs."""
    leads: dict[int, list[int]] = defaultdict(list)
    for ids in manifests_of([event.pk]):
        given = Lead.objects.filter(pk__any_of=numbers(ids), state=Lead.State.LIVE, assignee__isnull=False)
        for lead_id, user in given.exclude(assignee=event.actor_id).values_list("pk", "assignee_id"):
            leads[user].append(lead_id)
    for user, mine in leads.items():
        yield _row(library, user, Kind.ASSIGNED, occasion, mine[0], len(mine))


def _to_holders(library_id: int, kind: Notification.Kind, occasion: str, about: int, count: int) -> list[Notification]:
    library = _library(library_id)
    if library is None:
        return []
    can = Can.CONNECT_CRM if kind == Kind.CONNECTION else Can.VIEW_LEADS
    return [
        _row(library, user, kind, occasion, about, count) for user in holders(library, can).values_list("pk", flat=True)
    ]


def _library(library_id: int) -> LeadLibrary | None:
    return LeadLibrary.objects.filter(pk=library_id).only("pk", "custody").first()


def _row(
    library: LeadLibrary, user_id: int, kind: Notification.Kind, occasion: str, about: int, count: int
) -> Notification:
    return Notification(
        user_id=user_id,
        library_id=library.pk,
        custody=library.custody,
        kind=kind,
        occasion=occasion,
        object_id=about,
        count=count,
    )


def _keep(rows: Iterable[Notification]) -> int:
    """Write the rows that somebody wants and nobody wrote before; return how many."""
    by_kind: dict[Notification.Kind, list[Notification]] = defaultdict(list)
    for row in rows:
        by_kind[Notification.Kind(row.kind)].append(row)
    wanted: list[Notification] = []
    for kind, same in by_kind.items():
        wishes = wishes_for(kind, {row.user_id for row in same})
        for row in same:
            row.in_app, by_mail = wishes[row.user_id]
            row.mail_at = timezone.now() if by_mail else None
            if row.in_app or by_mail:
                wanted.append(row)
    users, occasions = {row.user_id for row in wanted}, {row.occasion for row in wanted}
    known = Notification.objects.filter(user__in=users, occasion__in=occasions).values_list("user_id", "occasion")
    there = set(known)
    fresh = [row for row in wanted if (row.user_id, row.occasion) not in there]
    Notification.objects.bulk_create(fresh, ignore_conflicts=True, batch_size=500)
    return len(fresh)


def tell_follow_ups() -> int:
    """Remind of the follow-ups of live leads that are due, each once; return how many."""
    with transaction.atomic():
        due = FollowUp.objects.filter(done_at=None, reminded_at=None, due_at__lte=Now(), lead__state=Lead.State.LIVE)
        due = due.select_for_update(no_key=True, skip_locked=True, of=("self",)).select_related("lead__library")
        found = list(due.order_by("due_at")[:BATCH])
        made = _keep(
            _row(one.lead.library, one.user_id, Kind.FOLLOW_UP, f"follow-up:{one.pk}", one.lead_id, 1) for one in found
        )
        FollowUp.objects.filter(pk__in=[one.pk for one in found]).update(reminded_at=Now())
    return made


def tell_failing() -> int:
    """Tell of each active connection in trouble: once until it succeeds again, and where it comes and goes, seldom."""
    rows = Connection.objects.filter(
        state=Connection.State.ACTIVE, removed_at=None, custody=F("library__custody"), state_reason__gt=""
    )
    found = list(rows.values_list("pk", "library_id", Coalesce("last_success_at", "created_at")))
    lately = Notification.objects.filter(kind=Kind.CONNECTION, at__gt=Now() - FAILING_TOLD_EVERY)
    told = set(
        lately.filter(object_id__in=[pk for pk, _library_id, _well in found]).values_list("object_id", flat=True)
    )
    return _keep(
        row
        for pk, library_id, well in found
        if pk not in told
        for row in _to_holders(library_id, Kind.CONNECTION, f"{FAILING}{pk}:{well.timestamp():.0f}", pk, 1)
    )


def warn_of_expiry() -> int:
    """Once a week and library, tell who may delete leads how many are purged within seven days."""
    year, week, _day = datetime.now(UTC).isocalendar()
    made = 0
    for library in LeadLibrary.objects.order_by("pk").iterator():
        border = Now() - timedelta(days=library.retention_days) + WARNED_BEFORE
        going = Lead.objects.filter(library=library, state=Lead.State.LIVE, is_test=False, received_at__lt=border)
        count = going.order_by().values("pk")[:COUNTED_AT_MOST].count()
        if count:
            occasion = f"expiry:{library.pk}:{year}-{week:02}"
            made += _keep(_to_holders(library.pk, Kind.EXPIRY, occasion, 0, count))
    return made


def forget_old() -> int:
    """Delete what was told three months ago; return how many rows."""
    return Notification.objects.filter(at__lt=Now() - timedelta(days=KEPT_DAYS)).delete()[0]
