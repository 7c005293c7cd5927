"""The watcher: reads what the trail says of reading, and raises an alarm where it is out of the ordinary.

It keeps its place as an id of an event: ids carry their time, so that new events of all libraries are one range of the
primary key. It stays ten seconds behind now, since a transaction of the web server may commit five seconds after its
events were made. The place lives in the cache; where that was flushed the last day is read again, which raises nothing
twice: an alarm is one row per occasion.
"""

import time
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from itertools import chain

from django.core.cache import cache
from django.db.models import QuerySet, Sum
from django.db.models.functions import Coalesce

from accounts import audit
from accounts.models import Act, Alarm, AuditEvent, AuditTarget, Scope
from accounts.services.alarms import raise_alarm
from leads.center.selectors.lives import KEPT
from leads.models import Lead
from leadscenter.lib.ids import id_at

PLACE = "leads.watch_reading"
BEHIND = timedelta(seconds=10)
LOOKED_BACK = timedelta(hours=24)
STRETCH = timedelta(hours=1)  # an id range that is read at once, should the watcher have stood still
ID_STRETCH = id_at(datetime(2025, 1, 1, tzinfo=UTC) + STRETCH)
BATCH = 2_000
SECONDS = 20.0

LARGE_SHARE, LARGE_AT_LEAST = 0.3, 50
USUAL_DAYS, TIMES_USUAL, REVEALS_AT_LEAST = 28, 5, 20
COUNTRY_DAYS = 90
READING = (
    Act.LEADS_LISTED,
    Act.LEADS_SEARCHED,
    Act.LEAD_OPENED,
    Act.LEAD_REVEALED,
    Act.LEADS_READ,
    Act.CONSENT_READ,
    Act.EXPORT_DOWNLOADED,
)


@dataclass(frozen=True, slots=True)
class Look:
    """An event of reading, without what it read."""

    id: int
    library_id: int
    actor_id: int
    at: datetime
    token: str
    country: str

    @property
    def day(self) -> str:
        """The day in UTC, as occasions are named by it."""
        return f"{self.at.astimezone(UTC):%Y-%m-%d}"


def watch_on() -> int:
    """Go on from where the last tick ended, for 20 seconds at most; return how many events were judged."""
    until, ends, judged = id_at(datetime.now(UTC) - BEHIND), time.monotonic() + SECONDS, 0
    place: int = cache.get(PLACE) or id_at(datetime.now(UTC) - LOOKED_BACK)
    while place < until and time.monotonic() < ends:
        place, seen = watch(place, until)
        judged += seen
        cache.set(PLACE, place, timeout=None)
    return judged


def watch(after: int, until: int) -> tuple[int, int]:
    """Judge the next events with ids above `after`, up to `until`; return the place reached and how many there were."""
    upto = min(until, after + ID_STRETCH)
    rows = AuditEvent.objects.filter(
        pk__gt=after, pk__lte=upto, scope=Scope.LIBRARY, act__in=READING, actor__isnull=False
    ).order_by("pk")
    found = list(rows.values_list("pk", "scope_id", "actor_id", "at", "detail", "act")[:BATCH])
    looks: dict[Act, list[Look]] = {}
    for pk, library_id, actor_id, at, detail, act in found:
        look = Look(pk, library_id, actor_id, at, str(detail.get("token", "")), str(detail.get("country", "")))
        looks.setdefault(Act(act), []).append(look)
    every = [look for some in looks.values() for look in some]
    for look in _last(looks.get(Act.EXPORT_DOWNLOADED, []), "day"):
        _judge_download(look)
    for look in _last(looks.get(Act.LEADS_READ, []), "day"):
        _judge_reading(look)
    for look in _last(looks.get(Act.LEAD_REVEALED, []), "day"):
        _judge_reveals(look)
    for look in _last([look for look in every if look.token], "token"):
        _judge_token(look)
    for look in _last([look for look in every if look.country], "country", first=True):
        _judge_country(look)
    return (upto if len(found) < BATCH else found[-1][0]), len(found)


def _last(looks: list[Look], by: str, *, first: bool = False) -> list[Look]:
    """Return one look per library, person and `by`: the last one, or the first."""
    ordered = sorted(looks, key=lambda look: look.id, reverse=first)
    return list({(look.library_id, look.actor_id, getattr(look, by)): look for look in ordered}.values())


def _raised(look: Look, kind: Alarm.Kind, about: str) -> bool:
    return Alarm.objects.filter(library=look.library_id, kind=kind, about=about).exists()


def _judge_download(look: Look) -> None:
    """More than 30 % of the live leads, and at least 50, by one person within the 24 hours before the last download."""
    about = f"{look.actor_id}:{look.day}"
    if _raised(look, Alarm.Kind.LARGE_DOWNLOAD, about):
        return
    own = AuditEvent.objects.filter(scope=Scope.LIBRARY, scope_id=look.library_id, actor=look.actor_id)
    recent = own.filter(act=Act.EXPORT_DOWNLOADED, at__gt=look.at - LOOKED_BACK, pk__lte=look.id)
    files = dict(recent.values_list("targets__object_id", "count"))
    taken = sum(files.values())
    if taken >= LARGE_AT_LEAST and len(files) > 1:  # the same leads in two files are counted once
        taken = _distinct(look.library_id, [export for export in files if export]) or taken
    if taken < LARGE_AT_LEAST:
        return
    most = int(taken / LARGE_SHARE) + 1
    live = Lead.objects.filter(library=look.library_id, state=Lead.State.LIVE).order_by().values("pk")[:most].count()
    if taken > LARGE_SHARE * live:
        detail = {"leads": taken, "of": live, "files": len(files)}
        _alarm(look, Alarm.Kind.LARGE_DOWNLOAD, about, detail)


def _judge_reading(look: Look) -> None:
    """The same share of the live leads, read by API within the 24 hours before: once a week and person.

    A connection that reads the whole library every night is told of each week; the trail names its token.
    """
    year, week, _day = look.at.astimezone(UTC).isocalendar()
    about = f"{look.actor_id}:api:{year}-{week:02}"
    if _raised(look, Alarm.Kind.LARGE_DOWNLOAD, about):
        return
    own = AuditEvent.objects.filter(scope=Scope.LIBRARY, scope_id=look.library_id, actor=look.actor_id)
    recent = own.filter(act=Act.LEADS_READ, at__gt=look.at - LOOKED_BACK, pk__lte=look.id)
    if _sum(recent, look.at - LOOKED_BACK, look.at + STRETCH) < LARGE_AT_LEAST:
        return
    leads = Lead.objects.filter(library=look.library_id, state=Lead.State.LIVE).order_by().values("pk")
    read = AuditTarget.objects.filter(event__in=recent.values("pk")).values("object_id").distinct().count()
    live = leads[: int(read / LARGE_SHARE) + 1].count()
    if read >= LARGE_AT_LEAST and read > LARGE_SHARE * live:
        _alarm(look, Alarm.Kind.LARGE_DOWNLOAD, about, {"leads": read, "of": live, "files": 0})


def _distinct(library_id: int, exports: list[int]) -> int:
    made = AuditEvent.objects.filter(
        scope=Scope.LIBRARY, scope_id=library_id, act=Act.EXPORT_MADE, targets__object_id__in=exports
    )
    return len(set(chain.from_iterable(audit.manifests_of(made))))


def _judge_reveals(look: Look) -> None:
    """More in a day than five times the person's daily mean of four weeks, and more than 20.

    What stayed in sight over a change was counted when it was revealed.
    """
    about = f"{look.actor_id}:{look.day}"
    day = look.at.astimezone(UTC).replace(hour=0, minute=0, second=0, microsecond=0)
    own = AuditEvent.objects.filter(
        scope=Scope.LIBRARY, scope_id=look.library_id, actor=look.actor_id, act=Act.LEAD_REVEALED
    ).exclude(purpose=KEPT)
    today = _sum(own, day, day + timedelta(days=1))
    if today <= REVEALS_AT_LEAST or _raised(look, Alarm.Kind.MANY_REVEALS, about):
        return
    name = f"leads.usual_reveals:{look.library_id}:{about}"
    before = cache.get(name)
    if before is None:  # the days before do not change: read once a day and person
        before = _sum(own, day - timedelta(days=USUAL_DAYS), day)
        cache.set(name, before, timeout=24 * 3600)
    if today > TIMES_USUAL * before / USUAL_DAYS:
        _alarm(look, Alarm.Kind.MANY_REVEALS, about, {"leads": today, "mean": round(before / USUAL_DAYS, 1)})


def _sum(rows: QuerySet[AuditEvent], since: datetime, until: datetime) -> int:
    return int(rows.filter(at__gte=since, at__lt=until).aggregate(n=Coalesce(Sum("count"), 0))["n"])


def _judge_token(look: Look) -> None:
    """The first time that this token reads this library."""
    _alarm(look, Alarm.Kind.NEW_TOKEN, f"token:{look.token}", {"token": look.token})


def _judge_country(look: Look) -> None:
    """A country that this person did not read from in 90 days, where it is known of them that they read from others."""
    about = f"{look.actor_id}:{look.country}:{look.day}"
    own = AuditEvent.objects.filter(
        scope=Scope.LIBRARY, scope_id=look.library_id, actor=look.actor_id, act__in=READING, pk__lt=look.id
    ).filter(at__gt=look.at - timedelta(days=COUNTRY_DAYS))
    newest = own.filter(detail__has_key="country").order_by("-at", "-id").values_list("detail", flat=True)
    before = newest.first()
    if before is None or before["country"] == look.country:
        return
    if not newest.filter(detail__country=look.country)[:1]:
        _alarm(look, Alarm.Kind.NEW_COUNTRY, about, {"country": look.country})


def _alarm(look: Look, kind: Alarm.Kind, about: str, detail: Mapping[str, object]) -> None:
    raise_alarm(library_id=look.library_id, kind=kind, about=about, actor_id=look.actor_id, detail=dict(detail))
