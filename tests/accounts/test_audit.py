"""The trail: nothing in it can be changed, and where somebody changes it nevertheless, `verify_audit` says what."""

from collections.abc import Callable
from datetime import datetime, timedelta

import pytest
import time_machine
from django.core.management import call_command
from django.db import DatabaseError, connection, transaction
from django.utils import timezone

from accounts import audit
from accounts.models import (
    Act,
    AuditEvent,
    AuditManifest,
    AuditTarget,
    Scope,
    TrailAnchor,
    TrailHead,
    TrailSeal,
    UnsealedEvent,
)
from accounts.services import notary
from accounts.services.notary import Fault, first_fault, seal_trail, verify
from leadscenter.lib.ids import new_id
from tests.triggers import unprotected
from tests.world import World

PROTECTED = (AuditEvent, AuditTarget, AuditManifest, TrailSeal)
TABLES = tuple(model._meta.db_table for model in PROTECTED)


@pytest.fixture
def told(world: World) -> list[int]:
    """Six events of the library's own trail in two seals; returns their ids in order."""
    seal_trail()
    events = []
    for number in range(6):
        with transaction.atomic():
            events.append(
                audit.record(
                    Act.LEADS_LISTED,
                    world.library,
                    actor=world.administrator,
                    targets=[number, number + 1],
                    manifest=[number] if number == 2 else None,
                    page=number,
                )
            )
        if number in (2, 5):
            seal_trail()
    return events


def faults(world: World) -> list[Fault]:
    return list(verify(Scope.LIBRARY, world.library.pk))


def only_fault(world: World) -> Fault:
    [fault] = faults(world)
    return fault


# ---- append-only by trigger ------------------------------------------------------------------------------------------


@pytest.mark.parametrize("model", PROTECTED, ids=lambda model: str(model.__name__))
def test_rows_of_the_trail_can_neither_be_changed_nor_deleted(told: list[int], model: type) -> None:
    rows = model._default_manager.all()  # type: ignore[attr-defined]
    before = sorted(rows.values_list())
    assert before
    column = {"AuditEvent": "count", "AuditTarget": "object_id", "AuditManifest": "object_ids", "TrailSeal": "seq"}
    value = b"\x00" * 8 if model is AuditManifest else 99
    with pytest.raises(DatabaseError, match="is append-only"), transaction.atomic():
        rows.update(**{column[model.__name__]: value})
    with pytest.raises(DatabaseError, match="is append-only"), transaction.atomic():
        rows._raw_delete("default")
    assert sorted(rows.values_list()) == before


def test_recording_needs_the_transaction_of_the_deed(transactional_db: None) -> None:
    with pytest.raises(AssertionError, match="transaction of the deed"):
        audit.record(Act.SIGNED_IN, None)
    assert not AuditEvent.objects.exists()


def test_event_is_undone_with_its_deed(world: World) -> None:
    before = AuditEvent.objects.count()

    @transaction.atomic
    def deed() -> None:
        audit.record(Act.LEAD_OPENED, world.library, actor=world.administrator, targets=[7])
        raise LookupError

    with pytest.raises(LookupError):
        deed()
    assert AuditEvent.objects.count() == before


# ---- the notary ------------------------------------------------------------------------------------------------------


def test_untouched_trail_verifies(told: list[int], world: World, capsys: pytest.CaptureFixture[str]) -> None:
    assert faults(world) == []
    assert not UnsealedEvent.objects.exists()
    call_command("verify_audit")
    assert f"over {AuditEvent.objects.count()} events" in capsys.readouterr().out


def test_seals_hold_the_events_in_order_and_chain(told: list[int], world: World) -> None:
    seals = list(TrailSeal.objects.filter(scope=Scope.LIBRARY, scope_id=world.library.pk).order_by("seq"))
    assert [seal.seq for seal in seals] == list(range(1, len(seals) + 1))
    assert audit.unpack(bytes(seals[-2].events)) == told[:3]
    assert audit.unpack(bytes(seals[-1].events)) == told[3:]
    assert bytes(seals[-1].previous) == bytes(seals[-2].hash)


def test_late_committer_is_sealed_too(told: list[int], world: World) -> None:
    with transaction.atomic():
        late = audit.record(Act.LEAD_OPENED, world.library, actor=world.administrator)
    with unprotected("accounts_auditevent"):
        AuditEvent.objects.filter(pk=late).update(at=timezone.now() - timedelta(seconds=30))
    assert seal_trail() == 1
    assert faults(world) == []


def change_event(ids: list[int], world: World) -> None:
    AuditEvent.objects.filter(pk=ids[1]).update(count=9)


def change_actor(ids: list[int], world: World) -> None:
    AuditEvent.objects.filter(pk=ids[1]).update(actor=world.operator)


def change_detail(ids: list[int], world: World) -> None:
    AuditEvent.objects.filter(pk=ids[1]).update(detail={"page": 7})


def change_time(ids: list[int], world: World) -> None:
    AuditEvent.objects.filter(pk=ids[1]).update(at=timezone.now() - timedelta(days=1))


def change_target(ids: list[int], world: World) -> None:
    AuditTarget.objects.filter(event=ids[1], object_id=1).update(object_id=77)


def add_target(ids: list[int], world: World) -> None:
    AuditTarget.objects.create(event_id=ids[1], object_id=77)


def remove_target(ids: list[int], world: World) -> None:
    AuditTarget.objects.filter(event=ids[1], object_id=1)._raw_delete("default")


def add_manifest(ids: list[int], world: World) -> None:
    AuditManifest.objects.create(event_id=ids[1], object_ids=audit.pack([5]))


@pytest.mark.parametrize(
    "tamper",
    [change_event, change_actor, change_detail, change_time, change_target, add_target, remove_target, add_manifest],
    ids=lambda tamper: str(tamper.__name__),
)
def test_changed_event_is_named(told: list[int], world: World, tamper: Callable[[list[int], World], None]) -> None:
    with unprotected(*TABLES):
        tamper(told, world)
    assert (only_fault(world).event_id, only_fault(world).what) == (told[1], "the event was changed")


def test_changed_manifest_is_named(told: list[int], world: World) -> None:
    with unprotected(*TABLES):
        AuditManifest.objects.filter(event=told[2]).update(object_ids=audit.pack([99]))
    assert only_fault(world).event_id == told[2]


def test_a_large_manifest_has_parts_and_is_sealed_as_one(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(audit, "IDS_IN_A_PART", 2)
    with transaction.atomic():
        event = audit.record(Act.EXPORT_MADE, world.library, manifest=iter([5, 1, 4, 2**63 - 1, 3]))
    assert AuditEvent.objects.get(pk=event).count == 5
    assert list(audit.manifests_of([event])) == [[1, 3], [4, 5], [2**63 - 1]]
    assert list(audit.manifests_of(AuditEvent.objects.filter(pk=event))) == [[1, 3], [4, 5], [2**63 - 1]]
    seal_trail()
    assert faults(world) == []
    with unprotected(*TABLES):
        AuditManifest.objects.filter(event=event)._raw_delete("default")
        AuditManifest.objects.create(event_id=event, object_ids=audit.pack([1, 3, 4, 5, 2**63 - 1]))
    assert faults(world) == []  # the same ids: what was sealed before manifests had parts stays whole
    with unprotected(*TABLES):
        AuditManifest.objects.filter(event=event).update(part=1)
        AuditManifest.objects.create(event_id=event, part=0, object_ids=audit.pack([7]))
    assert only_fault(world).event_id == event


def remove(ids: list[int]) -> None:
    AuditManifest.objects.filter(event__in=ids)._raw_delete("default")
    AuditTarget.objects.filter(event__in=ids)._raw_delete("default")
    AuditEvent.objects.filter(pk__in=ids)._raw_delete("default")


@pytest.mark.parametrize("place", [1, 4, 5], ids=["middle", "middle of the last seal", "last"])
def test_removed_event_is_named(told: list[int], world: World, place: int) -> None:
    with unprotected(*TABLES):
        remove([told[place]])
    assert (only_fault(world).event_id, only_fault(world).what) == (told[place], "the event is missing")


def test_inserted_event_is_named_once_it_is_older_than_a_minute(told: list[int], world: World) -> None:
    with unprotected(*TABLES):
        forged = AuditEvent.objects.create(
            id=new_id(), scope=Scope.LIBRARY, scope_id=world.library.pk, act=Act.LEAD_OPENED, actor=world.operator
        )
    with time_machine.travel(timezone.now() + timedelta(seconds=61), tick=False):
        assert (only_fault(world).event_id, only_fault(world).what) == (
            forged.pk,
            "the event stands outside every seal",
        )


def test_two_swapped_events_are_named(told: list[int], world: World) -> None:
    one, other = (AuditEvent.objects.values("act", "at", "count", "detail").get(pk=told[place]) for place in (0, 1))
    with unprotected(*TABLES):
        AuditEvent.objects.filter(pk=told[0]).update(**other)
        AuditEvent.objects.filter(pk=told[1]).update(**one)
    assert (only_fault(world).event_id, only_fault(world).what) == (told[0], "the event was changed")


def test_two_swapped_places_in_a_seal_are_named(told: list[int], world: World) -> None:
    seal = TrailSeal.objects.filter(scope=Scope.LIBRARY, scope_id=world.library.pk).latest("seq")
    first, second, third = audit.unpack(bytes(seal.events))
    with unprotected(*TABLES):
        TrailSeal.objects.filter(pk=seal.pk).update(events=audit.pack([second, first, third]))
    assert (only_fault(world).seq, only_fault(world).what) == (seal.seq, "the seal was changed")


def test_event_moved_to_another_library_is_named(told: list[int], world: World) -> None:
    with unprotected(*TABLES):
        AuditEvent.objects.filter(pk=told[1]).update(scope_id=world.stranger_library.pk)
    assert (only_fault(world).event_id, only_fault(world).what) == (told[1], "the event was moved to another trail")
    with time_machine.travel(timezone.now() + timedelta(seconds=61), tick=False):
        [there] = verify(Scope.LIBRARY, world.stranger_library.pk)
    assert there.event_id == told[1]


def test_removed_last_seal_with_its_events_is_named_by_the_head(told: list[int], world: World) -> None:
    last = TrailSeal.objects.filter(scope=Scope.LIBRARY, scope_id=world.library.pk).latest("seq")
    with unprotected(*TABLES):
        remove(told[3:])
        TrailSeal.objects.filter(pk=last.pk)._raw_delete("default")
    assert only_fault(world).seq == last.seq
    assert only_fault(world).what == "the end of the chain is missing or was replaced"


def test_removed_last_seal_and_head_set_back_leaves_its_events_outside(told: list[int], world: World) -> None:
    last = TrailSeal.objects.filter(scope=Scope.LIBRARY, scope_id=world.library.pk).latest("seq")
    with unprotected(*TABLES):
        TrailSeal.objects.filter(pk=last.pk)._raw_delete("default")
        heads = TrailHead.objects.filter(scope=Scope.LIBRARY, scope_id=world.library.pk)
        heads.update(seq=last.seq - 1, hash=last.previous)
    with time_machine.travel(timezone.now() + timedelta(seconds=61), tick=False):
        assert only_fault(world).event_id == told[3]


def test_removed_middle_seal_is_named(told: list[int], world: World) -> None:
    seals = TrailSeal.objects.filter(scope=Scope.LIBRARY, scope_id=world.library.pk)
    last = seals.latest("seq")
    with unprotected(*TABLES):
        seals.filter(seq=last.seq - 1)._raw_delete("default")
    assert (only_fault(world).seq, only_fault(world).what) == (last.seq - 1, "a seal is missing")


@pytest.mark.parametrize("column", ["digests", "root", "previous", "hash"])
def test_changed_seal_is_named(told: list[int], world: World, column: str) -> None:
    last = TrailSeal.objects.filter(scope=Scope.LIBRARY, scope_id=world.library.pk).latest("seq")
    kept = bytes(getattr(last, column))
    with unprotected(*TABLES):
        TrailSeal.objects.filter(pk=last.pk).update(**{column: bytes([kept[0] ^ 1]) + kept[1:]})
    assert only_fault(world).seq == last.seq


def test_unsealed_queue_emptied_by_an_attacker_hides_nothing(told: list[int], world: World) -> None:
    with transaction.atomic():
        hidden = audit.record(Act.LEADS_DELETED, world.library, actor=world.administrator, targets=[5])
    UnsealedEvent.objects.all().delete()
    assert seal_trail() == 0
    with time_machine.travel(timezone.now() + timedelta(seconds=61), tick=False):
        assert only_fault(world).event_id == hidden


def test_verify_audit_exits_with_one_and_names_the_first_bad_entry(
    told: list[int], world: World, capsys: pytest.CaptureFixture[str]
) -> None:
    with unprotected(*TABLES):
        change_event(told, world)
        AuditEvent.objects.filter(pk=told[4]).update(count=9)
    with pytest.raises(SystemExit) as ended:
        call_command("verify_audit", "--library", str(world.library.pk))
    assert ended.value.code == 1
    said = capsys.readouterr().err
    assert f"event {told[1]}: the event was changed" in said
    assert str(told[4]) not in said


def test_manifest_of_ids_comes_back_as_it_was_packed() -> None:
    ids = [1, 2**62, 2**63 - 1]
    assert audit.unpack(audit.pack(ids)) == ids
    assert len(audit.pack(ids)) == 24


# ---- six attacks, in SQL ---------------------------------------------------------------------------------------------


def sql(statement: str, *values: int | datetime) -> None:
    with connection.cursor() as cursor:
        cursor.execute(statement, values)


def attack_change(ids: list[int], world: World) -> int:
    sql("UPDATE accounts_auditevent SET count = 99 WHERE id = %s", ids[1])
    return ids[1]


def gone(event_id: int) -> None:
    for table in ("accounts_auditmanifest", "accounts_audittarget"):
        sql(f"DELETE FROM {table} WHERE event_id = %s", event_id)  # noqa: S608  # names of our own tables
    sql("DELETE FROM accounts_auditevent WHERE id = %s", event_id)


def attack_remove_middle(ids: list[int], world: World) -> int:
    gone(ids[2])
    return ids[2]


def attack_remove_last(ids: list[int], world: World) -> int:
    gone(ids[-1])
    return ids[-1]


def attack_insert(ids: list[int], world: World) -> int:
    forged = new_id()
    columns = "scope, scope_id, act, actor_id, grant_path, purpose, count, detail"
    sql(
        f"INSERT INTO accounts_auditevent (id, at, {columns}) "  # noqa: S608  # names of our own columns
        f"SELECT %s, %s, {columns} FROM accounts_auditevent WHERE id = %s",
        forged,
        timezone.now() - timedelta(minutes=2),
        ids[0],
    )
    return forged


def attack_swap_two(ids: list[int], world: World) -> int:
    for first, second in ((ids[3], ids[4]), (ids[4], ids[3])):
        sql("UPDATE accounts_auditevent SET scope_id = -%s WHERE id = %s", second, first)
    sql(
        "UPDATE accounts_auditevent SET scope_id = %s, detail = "
        "(SELECT other.detail FROM accounts_auditevent other WHERE other.id = -accounts_auditevent.scope_id) "
        "WHERE scope_id IN (%s, %s)",
        world.library.pk,
        -ids[3],
        -ids[4],
    )
    return ids[3]


def attack_move_to_another_library(ids: list[int], world: World) -> int:
    sql("UPDATE accounts_auditevent SET scope_id = %s WHERE id = %s", world.stranger_library.pk, ids[1])
    return ids[1]


@pytest.mark.parametrize(
    "attack",
    [
        attack_change,
        attack_remove_middle,
        attack_remove_last,
        attack_insert,
        attack_swap_two,
        attack_move_to_another_library,
    ],
    ids=lambda attack: str(attack.__name__),
)
def test_verify_audit_names_the_first_bad_entry_and_its_trail(
    told: list[int], world: World, capsys: pytest.CaptureFixture[str], attack: Callable[[list[int], World], int]
) -> None:
    call_command("verify_audit")
    capsys.readouterr()
    with unprotected(*TABLES):
        first = attack(told, world)
    with pytest.raises(SystemExit) as ended:
        call_command("verify_audit")
    assert ended.value.code == 1
    said = capsys.readouterr().err.splitlines()
    [mine] = [line for line in said if line.startswith(f"library {world.library.pk}, ")]
    assert f"event {first}: " in mine
    assert not [line for line in said if "library" not in line]  # no other kind of trail is accused


# ---- the end of the chain, and what left the house -------------------------------------------------------------------


def anchored(world: World) -> TrailAnchor:
    """The head as it stands, as if it was mailed now."""
    head = TrailHead.objects.get(scope=Scope.LIBRARY, scope_id=world.library.pk)
    return TrailAnchor.objects.create(
        scope=head.scope, scope_id=head.scope_id, seq=head.seq, hash=head.hash, signature=b""
    )


def cut_off(ids: list[int], world: World) -> TrailSeal:
    """Remove the last seal with its events and set the head back: what remains is whole in itself."""
    last = TrailSeal.objects.filter(scope=Scope.LIBRARY, scope_id=world.library.pk).latest("seq")
    with unprotected(*TABLES):
        remove(ids[3:])
        TrailSeal.objects.filter(pk=last.pk)._raw_delete("default")
        heads = TrailHead.objects.filter(scope=Scope.LIBRARY, scope_id=world.library.pk)
        heads.update(seq=last.seq - 1, hash=last.previous)
    return last


def test_chain_cut_off_with_its_head_is_named_by_the_anchor(told: list[int], world: World) -> None:
    anchor = anchored(world)
    cut_off(told, world)
    assert (only_fault(world).seq, only_fault(world).what) == (
        anchor.seq,
        "the chain ends before the seal whose hash was mailed",
    )


def test_chain_cut_off_and_sealed_anew_is_named_by_the_anchor(told: list[int], world: World) -> None:
    anchor = anchored(world)
    cut_off(told, world)
    with transaction.atomic():
        audit.record(Act.LEAD_OPENED, world.library, actor=world.operator)
    seal_trail()
    assert (only_fault(world).seq, only_fault(world).what) == (
        anchor.seq,
        "the seal is not the one whose hash was mailed",
    )


def test_trail_removed_as_a_whole_is_named_by_the_anchor(told: list[int], world: World) -> None:
    anchor = anchored(world)
    mine = {"scope": Scope.LIBRARY, "scope_id": world.library.pk}
    with unprotected(*TABLES):
        remove(list(AuditEvent.objects.filter(**mine).values_list("pk", flat=True)))
        TrailSeal.objects.filter(**mine)._raw_delete("default")
        TrailHead.objects.filter(**mine).delete()
    assert only_fault(world).seq == anchor.seq


def test_missing_head_and_seal_behind_the_end_are_named(told: list[int], world: World) -> None:
    scope, scope_id = Scope.LIBRARY, world.library.pk
    head = TrailHead.objects.get(scope=scope, scope_id=scope_id)
    TrailHead.objects.filter(pk=head.pk).delete()
    assert only_fault(world).what == "the head of the chain is missing"
    TrailHead.objects.create(scope=scope, scope_id=scope_id, seq=head.seq, hash=head.hash)
    TrailSeal.objects.create(
        scope=scope,
        scope_id=scope_id,
        seq=head.seq + 1,
        events=b"",
        digests=b"",
        root=b"r" * 32,
        previous=head.hash,
        hash=b"h" * 32,
    )
    assert (only_fault(world).seq, only_fault(world).what) == (
        head.seq + 1,
        "a seal stands behind the end of the chain",
    )


def test_anchors_can_neither_be_changed_nor_deleted(told: list[int], world: World) -> None:
    anchor = anchored(world)
    with pytest.raises(DatabaseError, match="is append-only"), transaction.atomic():
        TrailAnchor.objects.filter(pk=anchor.pk).update(seq=1)
    with pytest.raises(DatabaseError, match="is append-only"), transaction.atomic():
        TrailAnchor.objects.filter(pk=anchor.pk)._raw_delete("default")


def test_notary_that_goes_on_meanwhile_is_no_fault(
    told: list[int], world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A seal that is added while the chain is read belongs to the next verification."""
    real = notary._fault_of_seal

    def while_reading(seal: TrailSeal, seq: int, previous: bytes, covered: set[int]) -> Fault | None:
        with transaction.atomic():
            audit.record(Act.LEAD_OPENED, world.library, actor=world.administrator)
        seal_trail()
        return real(seal, seq, previous, covered)

    monkeypatch.setattr(notary, "_fault_of_seal", while_reading)
    assert faults(world) == []


def test_verification_since_an_anchor_reads_what_came_after_it(told: list[int], world: World) -> None:
    anchor = anchored(world)
    anchor.refresh_from_db()
    with transaction.atomic():
        later = audit.record(Act.LEAD_OPENED, world.library, actor=world.administrator)
    seal_trail()
    assert first_fault(Scope.LIBRARY, world.library.pk, since=anchor) is None
    with unprotected(*TABLES):
        AuditEvent.objects.filter(pk=told[0]).update(count=9)  # before the anchor: the whole verification finds it
        assert first_fault(Scope.LIBRARY, world.library.pk, since=anchor) is None
        AuditEvent.objects.filter(pk=later).update(count=9)
    found = first_fault(Scope.LIBRARY, world.library.pk, since=anchor)
    assert found is not None
    assert (found.event_id, found.what) == (later, "the event was changed")
    assert only_fault(world).event_id == told[0]
