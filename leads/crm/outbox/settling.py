"""Settling: what came of leased deliveries, in few statements, one transaction per batch."""

import logging
from collections import Counter, defaultdict
from collections.abc import Container, Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from datetime import datetime, timedelta
from functools import partial

from django.db import models, transaction
from django.db.models import Case, F, Q, Value, When
from django.db.models.functions import Now

from accounts import audit
from accounts.models import Act, LeadLibrary
from accounts.services.transfers import other_trails
from leads.crm import breaker
from leads.crm.breaker import Health
from leads.crm.connectors.connector import Outcome, Verdict
from leads.crm.outbox.leasing import Leased
from leads.crm.schedule import wait_before
from leads.models import Connection, Delivery, DeliveryAttempt
from leads.vault.keyring import KeyUnavailable
from leads.vault.keys import KeyGone
from leads.vault.models import ResponseExcerpt
from leads.vault.regions import alias_of
from leads.vault.sealing import seal
from leads.vault.values import Owner
from leadscenter.lib.ids import new_id

logger = logging.getLogger(__name__)

TRASHED_WAIT = timedelta(hours=1)
_STOPS = {
    Outcome.AUTH: (Connection.State.NEEDS_RECONNECT, "the receiver refused the credentials"),
    Outcome.GONE: (Connection.State.DISABLED, "the receiver answered 410"),
}
_HOPELESS = (Connection.State.DISABLED, "five days without one success")
FAILING_LONG = timedelta(hours=1)
_GIVEN_UP = "a delivery was given up"
_RESTS = "most attempts fail, so that less is sent"
_NO_SUCCESS = "no attempt succeeded for an hour"
_FAILURES = frozenset({Outcome.RETRY, Outcome.THROTTLED, Outcome.AUTH, Outcome.GONE})
"""What counts against the connection; CONFIG and FATAL are about one lead, the receiver works."""


@dataclass(frozen=True, slots=True)
class Settled:
    """What one attempt came to. `sent` says whether a person's data may have left the house."""

    leased: Leased
    verdict: Verdict
    status: int | None = None
    ms: int = 0
    sent: bool = True
    region: str = ""
    excerpt: bytes = field(default=b"", repr=False)
    attempt_id: int = field(default_factory=new_id)


def settle(results: Sequence[Settled]) -> None:
    """Write the results: attempts, states, next times, the connections' health, the trail."""
    if not results:
        return
    with transaction.atomic():
        connections = _lock_connections({result.leased.connection_id for result in results})
        ours = _still_ours(results)
        clock = _clock(connections)
        DeliveryAttempt.objects.bulk_create([_attempt(result, clock) for result in results])
        mine = [result for result in results if result.leased.id in ours]
        given_up = _settle_rows([(result, ours[result.leased.id]) for result in mine])
        _settle_connections(connections, clock, mine, given_up)
        _record(results)
    _keep_excerpts(results)


def skip(leased: Iterable[Leased]) -> None:
    """End rows that nobody is to be sent."""
    mine = Q(pk__in=[])
    for row in leased:
        mine |= Q(pk=row.id, lease=row.lease)
    Delivery.objects.filter(mine, state=Delivery.State.PENDING).update(
        state=Delivery.State.SKIPPED, settled_at=Now(), leases_unanswered=0
    )


def defer(leased: Sequence[Leased], *, gone: Iterable[int] = (), trashed: Iterable[int] = ()) -> None:
    """Give rows back unsent, which is no attempt: skipped when the lead is gone, later when it lies in the trash."""
    gone, trashed = set(gone), set(trashed)
    by_wait: dict[timedelta, Q] = defaultdict(Q)
    skip(row for row in leased if row.lead_id in gone)
    for row in leased:
        if row.lead_id not in gone:
            by_wait[TRASHED_WAIT if row.lead_id in trashed else timedelta(0)] |= Q(pk=row.id, lease=row.lease)
    for wait, rows in by_wait.items():
        waiting = Delivery.objects.filter(rows, state=Delivery.State.PENDING)
        waiting.update(due_at=Now() + wait if wait else Now(), leases_unanswered=0)


def _lock_connections(ids: Iterable[int]) -> dict[int, Connection]:
    rows = Connection.objects.filter(pk__in=list(ids)).annotate(clock=Now()).order_by("pk")
    return {row.pk: row for row in rows.select_for_update(no_key=True, of=("self",))}


def _still_ours(results: Sequence[Settled]) -> dict[int, int]:
    """Attempts so far of the rows whose lease is still ours, locked; others belong to another worker by now."""
    leases = {result.leased.id: result.leased.lease for result in results}
    rows = Delivery.objects.filter(pk__in=list(leases), state=Delivery.State.PENDING)
    locked = rows.select_for_update(no_key=True, of=("self",)).order_by("pk").values_list("pk", "lease", "attempts")
    return {pk: attempts for pk, number, attempts in locked if number == leases[pk]}


def _clock(connections: Mapping[int, Connection]) -> datetime:
    """The database's time, read with the locked rows: a value, not an expression, keeps inserting many rows cheap."""
    moment: datetime = next(iter(connections.values())).clock  # type: ignore[attr-defined]  # annotated when locked
    return moment


def _attempt(result: Settled, at: datetime) -> DeliveryAttempt:
    return DeliveryAttempt(
        id=result.attempt_id,
        at=at,
        delivery_id=result.leased.id,
        status=result.status,
        outcome=result.verdict.outcome,
        code=result.verdict.code,
        ms=result.ms,
    )


def _settle_rows(ours: Sequence[tuple[Settled, int]]) -> set[int]:
    """Write how the deliveries stand; return the connections of those that were given up."""
    ends: dict[str, list[int]] = defaultdict(list)
    waits: dict[int, timedelta] = {}
    given_up: set[int] = set()
    for result, attempts in ours:
        outcome = result.verdict.outcome
        wait = timedelta(0) if outcome in _STOPS else wait_before(attempts + 1, result.verdict)
        if outcome == Outcome.OK:
            ends[Delivery.State.DONE].append(result.leased.id)
        elif outcome in (Outcome.CONFIG, Outcome.FATAL) or wait is None:
            ends[Delivery.State.DEAD].append(result.leased.id)
            given_up.add(result.leased.connection_id)
        else:
            waits[result.leased.id] = wait
    answered = {"attempts": F("attempts") + 1, "leases_unanswered": 0}
    for state, ids in ends.items():
        Delivery.objects.filter(pk__in=ids).update(state=state, settled_at=Now(), **answered)
    if waits:
        wait_of = Case(
            *(When(pk=pk, then=Value(wait)) for pk, wait in waits.items()), output_field=models.DurationField()
        )
        Delivery.objects.filter(pk__in=list(waits)).update(due_at=Now() + wait_of, **answered)
    return given_up


def _settle_connections(
    connections: Mapping[int, Connection], now: datetime, results: Sequence[Settled], given_up: Container[int]
) -> None:
    succeeded = Counter(r.leased.connection_id for r in results if r.verdict.outcome == Outcome.OK)
    failed = Counter(r.leased.connection_id for r in results if r.verdict.outcome in _FAILURES)
    stops = {r.leased.connection_id: _STOPS[r.verdict.outcome] for r in results if r.verdict.outcome in _STOPS}
    well: list[int] = []
    for pk, row in connections.items():
        before = _health(row)
        health = breaker.after(before, succeeded=succeeded[pk], failed=failed[pk], now=now)
        if succeeded[pk] and not failed[pk] and before == Health(last_success_at=before.last_success_at):
            well.append(pk)
        elif health != before:
            Connection.objects.filter(pk=pk).update(**asdict(health))
        stop = stops.get(pk) or (_HOPELESS if health.hopeless(now) else None)
        if stop and row.state == Connection.State.ACTIVE:
            _stop(row, *stop)
        elif row.state == Connection.State.ACTIVE:
            _mark(row, _trouble(health, now, failed=failed[pk], given_up=pk in given_up), succeeded=succeeded[pk])
    Connection.objects.filter(pk__in=well).update(last_success_at=Now())


def _trouble(health: Health, now: datetime, *, failed: int, given_up: bool) -> str:
    """Say what whoever may connect a CRM should know of a connection that goes on; "" for nothing."""
    if given_up:
        return _GIVEN_UP
    if failed and health.half_open:
        return _RESTS
    since = health.first_failure_at
    return _NO_SUCCESS if since is not None and now - since >= FAILING_LONG else ""


def _mark(row: Connection, trouble: str, *, succeeded: int) -> None:
    """Let the first trouble stand as the reason until a success: while it stands, people are told of it once."""
    reason = row.state_reason or trouble if trouble or not succeeded else ""
    if reason != row.state_reason:
        Connection.objects.filter(pk=row.pk).update(state_reason=reason)


def _stop(row: Connection, state: Connection.State, reason: str) -> None:
    """Take a connection out of service; its deliveries wait, and who may connect a CRM is told from the trail."""
    library = LeadLibrary.objects.get(pk=row.library_id)
    audit.record(Act.CONNECTION_DISABLED, library, targets=[row.pk], state=str(state), reason=reason)
    Connection.objects.filter(pk=row.pk).update(state=state, state_reason=reason)


def _health(row: Connection) -> Health:
    return Health(**{name: getattr(row, name) for name in Health.__dataclass_fields__})


def _record(results: Sequence[Settled]) -> None:
    """One event per library, with every lead whose data may have left the house.

    What a transfer overtook stands apart: it started before the transfer was accepted and ended after it.
    """
    by_library: dict[int, list[Settled]] = defaultdict(list)
    for result in results:
        if result.sent:
            by_library[result.leased.library_id].append(result)
    libraries = LeadLibrary.objects.select_related("ad_account").in_bulk(list(by_library))
    for pk, sent in by_library.items():
        overtaken = [result for result in sent if result.leased.custody != libraries[pk].custody]
        _record_overtaken(libraries[pk], overtaken)
        if ours := [result for result in sent if result not in overtaken]:
            connections = {result.leased.connection_id for result in ours}
            audit.record(
                Act.LEADS_DELIVERED,
                libraries[pk],
                manifest={result.leased.lead_id for result in ours},
                purpose="delivery",
                connection=str(connections.pop()) if len(connections) == 1 else None,
                accepted=_accepted(ours),
            )


def _record_overtaken(library: LeadLibrary, sent: Sequence[Settled]) -> None:
    """Tell both sides of a transfer, by the connection's name, what was on the wire when it was accepted.

    The leads themselves stand in the library's trail alone: the other side may not see them any more.
    """
    by_connection: dict[int, list[Settled]] = defaultdict(list)
    for result in sent:
        by_connection[result.leased.connection_id].append(result)
    names = dict(Connection.objects.filter(pk__in=by_connection).values_list("pk", "name"))
    for pk, its in by_connection.items():
        told = partial(
            audit.record,
            Act.LEADS_DELIVERED,
            purpose="delivery",
            connection=names[pk],
            accepted=_accepted(its),
            in_flight=True,
        )
        told(library, manifest={result.leased.lead_id for result in its})
        for scope in other_trails(library):
            told(scope, targets=[pk], count=len(its))


def _accepted(results: Sequence[Settled]) -> int:
    return sum(result.verdict.outcome == Outcome.OK for result in results)


def _keep_excerpts(results: Sequence[Settled]) -> None:
    """Keep what receivers wrote in refusals, sealed in the region of the lead; the attempt stands without it, too."""
    by_alias: dict[str, list[ResponseExcerpt]] = defaultdict(list)
    for result in results:
        if not result.excerpt or not result.region:
            continue
        owner = Owner(result.leased.library_id, result.region, result.attempt_id)
        try:
            record = seal("excerpt/1", owner, result.excerpt.decode("utf-8", "replace"))
        except (KeyGone, KeyUnavailable) as error:
            logger.warning("an excerpt could not be sealed: %s", error)
            continue
        excerpt = ResponseExcerpt(
            attempt_id=result.attempt_id,
            lead_id=result.leased.lead_id,
            library_id=result.leased.library_id,
            region=result.region,
            sealed=record,
        )
        by_alias[alias_of(result.region)].append(excerpt)
    for alias, excerpts in by_alias.items():
        ResponseExcerpt.objects.using(alias).bulk_create(excerpts)
