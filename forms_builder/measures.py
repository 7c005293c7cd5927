"""Counts of what people did with a form: insert-only events, rolled up into days. The source of every number shown.

Definitions, for any filter (test events are counted apart, previews not at all):
click    an ad link led to the form
open     the form was rendered for a visitor, once in 30 minutes per browser tab
start    the visitor entered a first answer
question the visitor saw a question (`question` is its key)
submit   accepted answers that became a lead

So opens ≥ starts ≥ submits. A submit whose visit no script measured (a plain post, an API client) carries `whole_visit`
and counts as its own open and start. Whoever writes `submit` does it in the transaction that makes the lead.
"""

import datetime
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, fields
from typing import Any

from django.db import transaction
from django.db.models import Case, Count, F, Q, QuerySet, Sum, Value, When
from django.utils import timezone

from forms_builder.models import MeasureDay, MeasureEvent, MeasureKind

BATCH = 5000
GROUPS = ("form_id", "version", "ad_id", "day", "country", "device")


@dataclass(frozen=True, slots=True)
class Counts:
    """One line of a report; rates are None where nothing can be divided, never 0."""

    click: int = 0
    open: int = 0
    start: int = 0
    submit: int = 0
    test: int = 0

    @property
    def open_rate(self) -> float | None:
        """Opens by clicks."""
        return self.open / self.click if self.click else None

    @property
    def start_rate(self) -> float | None:
        """Starts by opens."""
        return self.start / self.open if self.open else None

    @property
    def completion_rate(self) -> float | None:
        """Submits by opens."""
        return self.submit / self.open if self.open else None

    @property
    def is_sound(self) -> bool:
        """Whether opens ≥ starts ≥ submits; where not (a lost beacon), pages say so instead of clipping."""
        return self.open >= self.start >= self.submit

    def __add__(self, other: "Counts") -> "Counts":
        return Counts(*(getattr(self, one.name) + getattr(other, one.name) for one in fields(self)))


def record(
    *,
    kind: MeasureKind,
    form_id: int,
    version: int = 0,
    ad_id: int = 0,
    questions: Sequence[str] = ("",),
    country: str = "",
    device: str = "",
    is_test: bool = False,
    whole_visit: bool = False,
) -> None:
    """Insert an event of today (UTC) per question in the caller's transaction; asks nobody, checks no other table.

    Only the kind `question` names questions; every other kind is one event.
    """
    day = timezone.now().date()
    rows = [
        MeasureEvent(
            form_id=form_id,
            version=version,
            ad_id=ad_id,
            kind=kind,
            question=question,
            country=country,
            device=device,
            day=day,
            is_test=is_test,
            whole_visit=whole_visit,
        )
        for question in questions
    ]
    MeasureEvent.objects.bulk_create(rows)


def roll_up(limit: int = BATCH) -> int:
    """Move at most `limit` events into their days, each exactly once; return how many were moved.

    Reading, adding and deleting are one transaction; on Postgres two runs never take the same event (skip locked), on
    SQLite the write lock lets one run at a time.
    """
    with transaction.atomic():
        waiting = MeasureEvent.objects.select_for_update(skip_locked=True, no_key=False).order_by("id")[:limit]
        events = list(waiting)
        added: dict[tuple[Any, ...], int] = {}
        for event in events:
            for kind in _counted_as(event):
                question = event.question if kind == MeasureKind.QUESTION else ""
                place = (event.country, event.device)
                name = (event.form_id, event.day, kind, event.version, event.ad_id, question, event.is_test, *place)
                added[name] = added.get(name, 0) + 1
        for name in sorted(added):  # one order for all runs, so that two never wait for each other
            _add(name, added[name])
        MeasureEvent.objects.filter(pk__in=[event.pk for event in events]).delete()
    return len(events)


def _counted_as(event: MeasureEvent) -> tuple[str, ...]:
    if event.kind == MeasureKind.SUBMIT and event.whole_visit:
        return (MeasureKind.OPEN.value, MeasureKind.START.value, MeasureKind.SUBMIT.value)
    return (event.kind,)


def _add(name: tuple[Any, ...], count: int) -> None:
    columns = ("form_id", "day", "kind", "version", "ad_id", "question", "is_test", "country", "device")
    row = MeasureDay(**dict(zip(columns, name, strict=True)))
    MeasureDay.objects.bulk_create([row], ignore_conflicts=True)
    MeasureDay.objects.filter(**dict(zip(columns, name, strict=True))).update(count=F("count") + count)


def counts(
    form_ids: Iterable[int],
    *,
    by: str = "",
    since: datetime.date | None = None,
    until: datetime.date | None = None,
    ad_ids: Iterable[int] | None = None,
) -> dict[Any, Counts]:
    """Count what happened to these forms, days `since` to `until` (both included, UTC), in one statement.

    `by` is one of `GROUPS` or empty for the sum, which then stands under None. Events that are not rolled up yet count
    too; days and events are read by one statement, so that nothing is seen twice or missed beside a running roll-up.
    """
    if by and by not in GROUPS:
        raise ValueError(by)
    wanted = _wanted(form_ids, since, until, ad_ids)
    group: Any = F(by) if by else Value(0)
    found: dict[Any, dict[str, int]] = {}
    for key, kind, is_test, whole_visit, number in _days(wanted, group).union(_events(wanted, group), all=True):
        line = found.setdefault(key if by else None, {})
        for name in _names(kind, is_test, whole_visit):
            line[name] = line.get(name, 0) + number
    return {key: Counts(**line) for key, line in found.items()}


def seen_questions(
    form_ids: Iterable[int],
    *,
    since: datetime.date | None = None,
    until: datetime.date | None = None,
    ad_ids: Iterable[int] | None = None,
) -> dict[tuple[int, str], int]:
    """Return by form id and question key how many visits saw the question; tests left out. One statement."""
    wanted = _wanted(form_ids, since, until, ad_ids) & Q(kind=MeasureKind.QUESTION, is_test=False)
    days = MeasureDay.objects.filter(wanted).values_list("form_id", "question").annotate(number=Sum("count"))
    events = MeasureEvent.objects.filter(wanted).values_list("form_id", "question").annotate(number=Count("id"))
    found: dict[tuple[int, str], int] = {}
    for form_id, question, number in days.union(events, all=True):
        found[form_id, question] = found.get((form_id, question), 0) + number
    return found


def _wanted(
    form_ids: Iterable[int],
    since: datetime.date | None,
    until: datetime.date | None,
    ad_ids: Iterable[int] | None,
) -> Q:
    wanted = Q(form_id__in=list(form_ids))
    if since:
        wanted &= Q(day__gte=since)
    if until:
        wanted &= Q(day__lte=until)
    if ad_ids is not None:
        wanted &= Q(ad_id__in=list(ad_ids))
    return wanted


def _names(kind: str, is_test: bool, whole_visit: bool) -> tuple[str, ...]:
    if is_test:
        return ("test",) if kind == MeasureKind.SUBMIT else ()
    if kind == MeasureKind.QUESTION:
        return ()
    return ("open", "start", "submit") if whole_visit else (kind,)


def _days(wanted: Q, group: Any) -> QuerySet[Any, Any]:
    days = MeasureDay.objects.filter(wanted).annotate(key=group, whole=Value(False))
    return days.values_list("key", "kind", "is_test", "whole").annotate(number=Sum("count"))


def _events(wanted: Q, group: Any) -> QuerySet[Any, Any]:
    whole = Case(When(whole_visit=True, kind=MeasureKind.SUBMIT, then=Value(True)), default=Value(False))
    events = MeasureEvent.objects.filter(wanted).annotate(key=group, whole=whole)
    return events.values_list("key", "kind", "is_test", "whole").annotate(number=Count("id"))
