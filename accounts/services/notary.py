"""The notary seals what the trail says; `verify` recomputes every seal and names the first thing that is wrong.

An event's digest covers the event, its targets and its manifest. A seal's root covers the digests in (at, id) order,
its hash covers scope, number, event ids, root and the hash before it. What an attacker with write access can still do
is change an event in the second or two before it is sealed.
"""

import hashlib
import json
from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import UTC, timedelta

from django.db import transaction
from django.utils import timezone

from accounts.audit import pack, unpack
from accounts.models import AuditEvent, AuditManifest, AuditTarget, TrailAnchor, TrailHead, TrailSeal, UnsealedEvent

BATCH = 2_000
STRETCH = 200
GRACE = timedelta(seconds=60)


@dataclass(frozen=True, slots=True)
class Fault:
    """The first thing that is wrong in a scope's trail."""

    scope: str
    scope_id: int
    seq: int
    event_id: int | None
    what: str

    def __str__(self) -> str:
        where = f"{self.scope} {self.scope_id}, seal {self.seq}"
        return f"{where}, event {self.event_id}: {self.what}" if self.event_id else f"{where}: {self.what}"


def seal_trail() -> int:
    """Seal what no seal covers yet, one scope after the other; return how many events were sealed."""
    scopes = UnsealedEvent.objects.order_by().values_list("scope", "scope_id").distinct()
    return sum(seal_scope(scope, scope_id) for scope, scope_id in list(scopes))


def seal_scope(scope: str, scope_id: int) -> int:
    """Seal the next events of one scope, 2,000 at most; return how many."""
    TrailHead.objects.bulk_create([TrailHead(scope=scope, scope_id=scope_id)], ignore_conflicts=True)
    with transaction.atomic():
        head = TrailHead.objects.select_for_update(no_key=True).get(scope=scope, scope_id=scope_id)
        waiting = UnsealedEvent.objects.filter(scope=scope, scope_id=scope_id).values_list("event_id", flat=True)
        ids = list(waiting.order_by("event__at", "event_id")[:BATCH])
        if not ids:
            return 0
        digests = _digests(ids)
        seq, previous = head.seq + 1, bytes(head.hash)
        packed, told = pack(ids), b"".join(digests[event_id] for event_id in ids)
        root = hashlib.sha256(told).digest()
        sealed = hash_of(scope, scope_id, seq, packed, root, previous)
        TrailSeal.objects.create(
            scope=scope,
            scope_id=scope_id,
            seq=seq,
            events=packed,
            digests=told,
            root=root,
            previous=previous,
            hash=sealed,
        )
        TrailHead.objects.filter(pk=head.pk).update(seq=seq, hash=sealed)
        UnsealedEvent.objects.filter(event_id__in=ids).delete()
    return len(ids)


def hash_of(scope: str, scope_id: int, seq: int, events: bytes, root: bytes, previous: bytes) -> bytes:
    """Return a seal's hash."""
    head = f"{scope}\x00{scope_id}\x00{seq}\x00{len(events)}\x00".encode()
    return hashlib.sha256(head + events + root + previous).digest()


def _digests(ids: list[int]) -> dict[int, bytes]:
    targets: dict[int, list[int]] = {}
    for event_id, object_id in AuditTarget.objects.filter(event_id__in=ids).values_list("event_id", "object_id"):
        targets.setdefault(event_id, []).append(object_id)
    manifests: dict[int, bytes] = {}
    parts = AuditManifest.objects.filter(event_id__in=ids).order_by("event_id", "part")
    for event_id, packed in parts.values_list("event_id", "object_ids"):
        manifests[event_id] = manifests.get(event_id, b"") + bytes(packed)
    found = {}
    for event in AuditEvent.objects.filter(pk__in=ids):
        told = [
            event.pk,
            event.at.astimezone(UTC).isoformat(timespec="microseconds"),
            event.scope,
            event.scope_id,
            event.act,
            event.actor_id,
            event.grant_path,
            event.purpose,
            event.count,
            event.detail,
            sorted(targets.get(event.pk, [])),
            manifests[event.pk].hex() if event.pk in manifests else None,
        ]
        found[event.pk] = hashlib.sha256(json.dumps(told, sort_keys=True, separators=(",", ":")).encode()).digest()
    return found


def verify(scope: str | None = None, scope_id: int | None = None) -> Iterator[Fault]:
    """Yield the first fault of each scope's trail (all scopes, or the one named); nothing means that all is whole."""
    chosen: dict[str, str | int] = {"scope": scope} if scope else {}
    if scope_id is not None:
        chosen["scope_id"] = scope_id
    known = set(TrailSeal.objects.filter(**chosen).order_by().values_list("scope", "scope_id").distinct())
    known |= set(AuditEvent.objects.filter(**chosen).order_by().values_list("scope", "scope_id").distinct())
    known |= set(TrailHead.objects.filter(**chosen).order_by().values_list("scope", "scope_id").distinct())
    known |= set(TrailAnchor.objects.filter(**chosen).order_by().values_list("scope", "scope_id").distinct())
    for kind, number in sorted(known):
        fault = first_fault(kind, number)
        if fault:
            yield fault


def first_fault(scope: str, scope_id: int, *, since: TrailAnchor | None = None) -> Fault | None:
    """Return the first thing that is wrong in a scope's trail, None when it is whole.

    `since` is an anchor up to which it was verified before: only what came after it is looked at. The notary may go on
    meanwhile: what it seals after this began is left for the next time.
    """
    mine = {"scope": scope, "scope_id": scope_id}
    anchors = {seq: bytes(end) for seq, end in TrailAnchor.objects.filter(**mine).values_list("seq", "hash")}
    settled = timezone.now() - GRACE
    head = TrailHead.objects.filter(**mine).first()
    seq, previous = (since.seq, bytes(since.hash)) if since else (0, bytes(32))
    covered: set[int] = set()
    for seal in _seals(scope, scope_id, seq, head.seq if head else None):
        seq += 1
        fault = _fault_of_seal(seal, seq, previous, covered)
        if fault:
            return fault
        previous = bytes(seal.hash)
        if anchors.get(seq, previous) != previous:
            return Fault(scope, scope_id, seq, None, "the seal is not the one whose hash was mailed")
    fault = _fault_of_end(head, Fault(scope, scope_id, seq, None, ""), previous, max(anchors, default=0))
    if fault:
        return fault
    late = AuditEvent.objects.filter(**mine, at__lt=settled).order_by("at", "id")
    if since:
        late = late.filter(at__gt=since.at)
    for event_id in late.values_list("pk", flat=True).iterator(chunk_size=5_000):
        if event_id not in covered:
            return Fault(scope, scope_id, seq, event_id, "the event stands outside every seal")
    return None


def _seals(scope: str, scope_id: int, after: int, until: int | None) -> Iterator[TrailSeal]:
    """Yield the seals of a scope in order, read in stretches, since one cursor over all would hold them in memory."""
    while True:
        rows = TrailSeal.objects.filter(scope=scope, scope_id=scope_id, seq__gt=after).order_by("seq")
        stretch = list((rows.filter(seq__lte=until) if until is not None else rows)[:STRETCH])
        yield from stretch
        if len(stretch) < STRETCH:
            return
        after = stretch[-1].seq


def _fault_of_end(head: TrailHead | None, end: Fault, previous: bytes, mailed: int) -> Fault | None:
    """Return what is wrong with the end of a chain whose last good seal is `end.seq` with the hash `previous`."""
    mine = {"scope": end.scope, "scope_id": end.scope_id}
    if head is None and end.seq:
        return replace(end, what="the head of the chain is missing")
    if head is not None and (head.seq != end.seq or bytes(head.hash) != previous):
        return replace(end, seq=max(end.seq, head.seq), what="the end of the chain is missing or was replaced")
    if mailed > end.seq:
        return replace(end, seq=mailed, what="the chain ends before the seal whose hash was mailed")
    if head is not None and TrailSeal.objects.filter(**mine, seq__gt=head.seq).exists():
        now = TrailHead.objects.filter(**mine).first()
        if now is None or now.seq == head.seq:
            return replace(end, seq=head.seq + 1, what="a seal stands behind the end of the chain")
    return None


def _fault_of_seal(seal: TrailSeal, seq: int, previous: bytes, covered: set[int]) -> Fault | None:
    def fault(what: str, event_id: int | None = None) -> Fault:
        return Fault(seal.scope, seal.scope_id, seal.seq, event_id, what)

    if seal.seq != seq:
        return Fault(seal.scope, seal.scope_id, seq, None, "a seal is missing")
    if bytes(seal.previous) != previous:
        return fault("the seal does not follow the one before it")
    ids = unpack(bytes(seal.events))
    own = hash_of(seal.scope, seal.scope_id, seal.seq, bytes(seal.events), bytes(seal.root), previous)
    if own != bytes(seal.hash):
        return fault("the seal was changed")
    if hashlib.sha256(bytes(seal.digests)).digest() != bytes(seal.root) or len(seal.digests) != 32 * len(ids):
        return fault("the seal was changed")
    if (found := _bad_event(seal, ids, covered)) is not None:
        return fault(found[1], found[0])
    covered.update(ids)
    return None


def _bad_event(seal: TrailSeal, ids: list[int], covered: set[int]) -> tuple[int, str] | None:
    digests, told = _digests(ids), bytes(seal.digests)
    strangers = AuditEvent.objects.filter(pk__in=ids).exclude(scope=seal.scope, scope_id=seal.scope_id)
    moved = set(strangers.values_list("pk", flat=True))
    for place, event_id in enumerate(ids):
        if event_id not in digests:
            return event_id, "the event is missing"
        if event_id in moved:
            return event_id, "the event was moved to another trail"
        if event_id in covered:
            return event_id, "the event is sealed twice"
        if digests[event_id] != told[32 * place : 32 * place + 32]:
            return event_id, "the event was changed"
    return None


def oldest_unsealed() -> timedelta | None:
    """Return how long the oldest unsealed event waits: what `doctor` looks at."""
    oldest = UnsealedEvent.objects.order_by("event__at").values_list("event__at", flat=True).first()
    return timezone.now() - oldest if oldest else None
