"""The trail: what was done, by whom, to what. Written before the deed, in its transaction: no record, no data."""

import json
import sys
from array import array
from collections.abc import Iterable, Iterator, Sequence
from heapq import merge
from itertools import islice

from django.db import transaction
from django.db.models import QuerySet

from accounts.circumstances import circumstances
from accounts.models import (
    Act,
    AdAccount,
    AuditEvent,
    AuditManifest,
    AuditTarget,
    BusinessCenter,
    LeadLibrary,
    Scope,
    UnsealedEvent,
    User,
)
from leadscenter.lib.ids import new_id

IDS_IN_A_PART = 50_000
ScopeObject = AdAccount | LeadLibrary | BusinessCenter | None


def scope_of(thing: ScopeObject) -> tuple[Scope, int]:
    """Return the scope whose trail tells of `thing`; None is the platform's own."""
    if thing is None:
        return Scope.PLATFORM, 0
    if isinstance(thing, LeadLibrary):
        return Scope.LIBRARY, thing.pk
    return (Scope.AD_ACCOUNT, thing.pk) if isinstance(thing, AdAccount) else (Scope.BUSINESS_CENTER, thing.pk)


def record(
    act: Act,
    scope: ScopeObject,
    *,
    actor: User | None = None,
    targets: Sequence[int] = (),
    manifest: Iterable[int] | None = None,
    grant_path: str = "",
    purpose: str = "",
    count: int | None = None,
    **detail: str | int | bool | None,
) -> int:
    """Write one event with its targets into the caller's transaction and return its id.

    `targets` are the ids of what was looked at (one row each); `manifest` the ids of a large act, packed into few rows;
    `count` defaults to how many there are. `detail` holds names of things and numbers, never a person's data; the token
    and the country of the request under way are added to it.
    """
    assert transaction.get_connection().in_atomic_block, "audit.record() belongs into the transaction of the deed"
    kind, scope_id = scope_of(scope)
    runs = _runs(manifest) if manifest is not None else None
    here = circumstances()
    detail = {"token": str(here.token) if here.token else None, "country": here.country or None, **detail}
    event = AuditEvent(
        id=new_id(),
        scope=kind,
        scope_id=scope_id,
        act=act,
        actor=actor,
        grant_path=grant_path,
        purpose=purpose,
        count=count if count is not None else (sum(map(len, runs)) if runs is not None else len(targets) or 1),
        detail={key: value for key, value in detail.items() if value is not None},
    )
    _write(event, targets)
    for part, ids in enumerate(_parts(runs) if runs is not None else ()):
        AuditManifest.objects.create(event=event, part=part, object_ids=pack(ids))
    return int(event.pk)


def _runs(manifest: Iterable[int]) -> list["array[int]"]:
    """Return the ids in sorted runs: of a million of them 8 bytes each stay, and no list."""
    left = iter(manifest)
    return list(iter(lambda: array("Q", sorted(islice(left, IDS_IN_A_PART))), array("Q")))


def _parts(runs: Sequence["array[int]"]) -> Iterator["array[int]"]:
    """Yield the ids of all runs in order, so many at a time; one empty part where there are none."""
    ids = merge(*runs)
    yield array("Q", islice(ids, IDS_IN_A_PART))
    yield from iter(lambda: array("Q", islice(ids, IDS_IN_A_PART)), array("Q"))


def manifests_of(events: Iterable[int] | QuerySet[AuditEvent]) -> Iterator[list[int]]:
    """Yield the ids that the manifests of these events hold, part by part, in order."""
    parts = AuditManifest.objects.filter(event__in=events).order_by("event", "part")
    for packed in parts.values_list("object_ids", flat=True).iterator(chunk_size=1):
        yield unpack(bytes(packed))


# A look at a page of leads writes all three within one round trip: nothing is shown before they stand.
_ALL_THREE = """
WITH event AS (
    INSERT INTO accounts_auditevent (id, scope, scope_id, act, actor_id, grant_path, purpose, count, detail)
    VALUES (
        %(id)s, %(scope)s, %(scope_id)s, %(act)s, %(actor)s, %(grant_path)s, %(purpose)s, %(count)s, %(detail)s::jsonb
    )
), target AS (
    INSERT INTO accounts_audittarget (event_id, object_id) SELECT %(id)s, unnest(%(targets)s::bigint[])
)
INSERT INTO accounts_unsealedevent (event_id, scope, scope_id) VALUES (%(id)s, %(scope)s, %(scope_id)s)
"""


def _write(event: AuditEvent, targets: Sequence[int]) -> None:
    connection = transaction.get_connection()
    if connection.vendor != "postgresql":
        event.save(force_insert=True)
        AuditTarget.objects.bulk_create([AuditTarget(event=event, object_id=target) for target in targets])
        UnsealedEvent.objects.create(event=event, scope=event.scope, scope_id=event.scope_id)
        return
    values = {
        "id": event.pk,
        "scope": str(event.scope),
        "scope_id": event.scope_id,
        "act": str(event.act),
        "actor": event.actor_id,
        "grant_path": event.grant_path,
        "purpose": event.purpose,
        "count": event.count,
        "detail": json.dumps(event.detail),
        "targets": list(targets),
    }
    with connection.cursor() as cursor:
        cursor.execute(_ALL_THREE, values)


def pack(ids: Iterable[int]) -> bytes:
    """Return the ids as 8 bytes each, big-endian, in the order given."""
    packed = array("Q", ids)
    if sys.byteorder == "little":
        packed.byteswap()
    return packed.tobytes()


def unpack(packed: bytes) -> list[int]:
    """Return the ids that `pack` packed."""
    ids = array("Q", packed)
    if sys.byteorder == "little":
        ids.byteswap()
    return ids.tolist()
