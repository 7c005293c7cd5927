"""The key file, the keys beside the data, their minute in memory, and the replacement of what wraps them."""

import json
import os
import stat
import subprocess
import sys
from collections.abc import Callable, Iterator
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import pytest
import time_machine
from django.core.management import CommandError, call_command
from django.db import transaction
from pytest_django import DjangoAssertNumQueries
from pytest_django.fixtures import Settings

from accounts.models import Act, AuditEvent
from leads.vault import keyring, keys
from leads.vault.ingest import UnknownKey, current_ingest_key, make_ingest_key, open_submission, renew_ingest_key
from leads.vault.keyring import KeyUnavailable
from leads.vault.keys import KeyGone, current_data_key, data_key, forget_keys, index_key, make_keys, make_missing_keys
from leads.vault.models import DataKey, IndexKey, IngestKey, SealedAnswers
from leads.vault.opening import Purpose
from leads.vault.opening import open as open_sealed
from leads.vault.regions import alias_of, aliases
from leads.vault.rotation import rewrap, rotate_keys
from leadscenter.lib import hpke
from leadscenter.lib.regions import REGIONS
from tests.legs import BASE, development
from tests.world import World


def opens(world: World, lead_id: int) -> bool:
    row = SealedAnswers.objects.using(alias_of("eu")).get(pk=lead_id)
    return bool(open_sealed(row.sealed, Purpose.DISCLOSE)["answers"])


def wrapped_by() -> set[str]:
    names: set[str] = set(IngestKey.objects.values_list("wrapping_id", flat=True))
    for alias in aliases():
        for model in (DataKey, IndexKey):
            names |= set(model._default_manager.using(alias).values_list("wrapping_id", flat=True))
    return names


# ---- the key file ----------------------------------------------------------------------------------------------------


def test_key_file_is_written_for_us_alone(key_file: Path) -> None:
    assert stat.S_IMODE(key_file.stat().st_mode) == 0o600
    assert list(key_file.parent.iterdir()) == [key_file]  # no draft is left
    assert set(json.loads(key_file.read_text())["wrapping"][0]) == {"id", "key", "made"}


def test_key_file_is_on_the_disk_before_anything_depends_on_it(key_file: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    synced: list[tuple[str, bool]] = []

    def sync(descriptor: int) -> None:
        written = "another" in key_file.read_text()
        synced.append((os.readlink(f"/proc/self/fd/{descriptor}"), written))

    monkeypatch.setattr("os.fsync", sync)
    keyring.write_key_file(key_file, [keyring.WrappingKey("another", b"x" * 32, "2026")])
    # The content before it takes the name, the folder behind it.
    assert synced == [(f"{key_file}.new", False), (str(key_file.parent), True)]


def test_draft_that_a_crash_left_goes_with_the_next_writing(key_file: Path) -> None:
    left = key_file.with_name("leads.json.new")
    left.write_text("every key in clear")
    left.chmod(0o644)
    keyring.write_key_file(key_file, keyring.wrapping_keys())
    assert list(key_file.parent.iterdir()) == [key_file]
    assert stat.S_IMODE(key_file.stat().st_mode) == 0o600


SPOILED: dict[str, Callable[[Path], object]] = {
    "missing": lambda path: path.unlink(),
    "empty": lambda path: path.write_text(""),
    "no JSON": lambda path: path.write_text("{"),
    "another shape": lambda path: path.write_text("[]"),
    "no key": lambda path: path.write_text('{"wrapping": []}'),
    "short key": lambda path: path.write_text('{"wrapping": [{"id": "a", "key": "AAAA", "made": "2026"}]}'),
}


@pytest.mark.parametrize("spoil", SPOILED.values(), ids=SPOILED)
def test_spoiled_key_file_is_said_so_and_opens_nothing(
    world: World, key_file: Path, spoil: Callable[[Path], object]
) -> None:
    lead = world.add_lead()
    forget_keys()
    spoil(key_file)
    with pytest.raises(KeyUnavailable, match=r"key file .* [Rr]estore"):
        opens(world, lead.pk)


def test_another_key_under_the_same_name_opens_nothing(world: World, key_file: Path) -> None:
    lead = world.add_lead()
    forget_keys()
    [key] = keyring.wrapping_keys()
    keyring.write_key_file(key_file, [keyring.WrappingKey(key.id, b"x" * 32, key.made)])
    with pytest.raises(KeyUnavailable, match="does not open"):
        opens(world, lead.pk)


def test_wrapping_does_not_depend_on_secret_key(world: World, settings: Settings) -> None:
    lead = world.add_lead()
    before = index_key(world.library.pk, "eu")
    settings.SECRET_KEY = "another " * 10
    forget_keys()
    keyring._fernet.cache_clear()
    assert opens(world, lead.pk)
    assert index_key(world.library.pk, "eu") == before


def test_no_key_stands_in_clear_beside_the_data(world: World) -> None:
    key_id, key = current_data_key(world.library.pk, "eu")
    row = DataKey.objects.using(alias_of("eu")).get(pk=key_id)
    assert key not in bytes(row.wrapped)
    assert keyring.unwrap(row.wrapping_id, bytes(row.wrapped)) == key
    assert "key=" not in repr(keyring.wrapping_keys())
    assert keyring.wrapping_keys()[0].key.hex() not in repr(keyring.wrapping_keys())


# ---- made ahead of time ----------------------------------------------------------------------------------------------


def test_keys_are_made_for_this_month_and_the_next_in_every_region(world: World) -> None:
    this = keys.month_of(keys.today())
    found = [
        (row.region, row.month)
        for alias in aliases()
        for row in DataKey.objects.using(alias).filter(library_id=world.library.pk)
    ]
    assert sorted(found) == sorted((region, month) for region in REGIONS for month in (this, keys.next_month(this)))
    assert make_keys([world.library.pk]) == 0


def test_december_is_followed_by_january() -> None:
    assert keys.next_month(date(2026, 12, 1)) == date(2027, 1, 1)
    assert keys.next_month(date(2026, 1, 1)) == date(2026, 2, 1)


def test_key_is_never_made_inside_the_transaction_that_needs_it(world: World) -> None:
    with transaction.atomic(using=alias_of("eu")), pytest.raises(KeyGone):
        current_data_key(1234, "eu")
    with transaction.atomic(using=alias_of("eu")), pytest.raises(KeyGone):
        index_key(1234, "eu")


# ---- a minute in memory ----------------------------------------------------------------------------------------------


def test_destroyed_key_is_forgotten_within_a_minute(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    clock = [1000.0]
    monkeypatch.setattr("leads.vault.keys.time.monotonic", lambda: clock[0])
    key_id, key = current_data_key(world.library.pk, "eu")
    assert data_key(key_id, "eu") == key
    DataKey.objects.using(alias_of("eu")).filter(pk=key_id).delete()
    clock[0] += 59
    assert data_key(key_id, "eu") == key  # still in memory
    clock[0] += 2
    with pytest.raises(KeyGone):
        data_key(key_id, "eu")


# ---- ingest keys -----------------------------------------------------------------------------------------------------


def sealed_for(kid: str, public_id: str, body: bytes = b"{}") -> dict[str, str]:
    row = IngestKey.objects.get(pk=kid)
    enc, ct = hpke.seal(bytes(row.public_key), hpke.info_for(kid, public_id), body)
    return {"kid": kid, "enc": hpke.b64url(enc), "ct": hpke.b64url(ct)}


def test_blob_of_an_older_ingest_key_opens_after_a_newer_one_was_made(world: World) -> None:
    older, _public = current_ingest_key()
    blob = sealed_for(older, "form")
    newer = make_ingest_key()
    assert newer.kid != older
    assert open_submission("form", **blob) == b"{}"


def test_blob_opens_for_its_form_and_key_alone(world: World) -> None:
    kid, _public = current_ingest_key()
    blob = sealed_for(kid, "form")
    with pytest.raises(hpke.CannotOpen):
        open_submission("other", **blob)
    other = make_ingest_key()
    with pytest.raises(hpke.CannotOpen):
        open_submission("form", **{**blob, "kid": other.kid})
    with pytest.raises(UnknownKey):
        open_submission("form", **{**blob, "kid": "nothere"})


# ---- replacing the wrapping key --------------------------------------------------------------------------------------


def test_rotation_wraps_every_key_anew_and_touches_no_row(world: World, key_file: Path) -> None:
    lead = world.add_lead()
    kid, _public = current_ingest_key()
    blob = sealed_for(kid, "form")
    [old] = keyring.wrapping_keys()
    record = SealedAnswers.objects.using(alias_of("eu")).get(pk=lead.pk).sealed.record
    digest_key = index_key(world.library.pk, "eu")
    assert wrapped_by() == {old.id}

    done = rotate_keys()

    assert [key.id for key in keyring.wrapping_keys()] == [done.newest, old.id]
    assert wrapped_by() == {done.newest}
    assert done.destroyed == ()
    assert opens(world, lead.pk)
    assert SealedAnswers.objects.using(alias_of("eu")).get(pk=lead.pk).sealed.record == record
    assert index_key(world.library.pk, "eu") == digest_key
    assert open_submission("form", **blob) == b"{}"
    assert stat.S_IMODE(key_file.stat().st_mode) == 0o600


def test_replaced_wrapping_key_is_destroyed_after_35_days_and_everything_still_opens(world: World) -> None:
    lead = world.add_lead()
    [first] = keyring.wrapping_keys()
    now = datetime.now(UTC)
    second = rotate_keys(now=now).newest
    early = rotate_keys(now=now + timedelta(days=34))
    assert early.destroyed == ()
    late = rotate_keys(now=now + timedelta(days=36))
    assert late.destroyed == (first.id,)
    assert [key.id for key in keyring.wrapping_keys()] == [late.newest, early.newest, second]
    assert opens(world, lead.pk)


def test_backup_from_before_is_unreadable_once_the_wrapping_key_is_gone(world: World) -> None:
    key_id, key = current_data_key(world.library.pk, "eu")
    backup = DataKey.objects.using(alias_of("eu")).get(pk=key_id)  # what last month's dump holds
    assert keyring.unwrap(backup.wrapping_id, bytes(backup.wrapped)) == key
    now = datetime.now(UTC)
    rotate_keys(now=now)
    rotate_keys(now=now + timedelta(days=36))
    with pytest.raises(KeyUnavailable, match="no longer holds"):
        keyring.unwrap(backup.wrapping_id, bytes(backup.wrapped))


def test_wrapping_key_that_something_names_is_never_destroyed(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    [first] = keyring.wrapping_keys()
    now = datetime.now(UTC)
    monkeypatch.setattr("leads.vault.rotation.rewrap", lambda: 0)  # a run that was cut off before it wrapped anything
    rotate_keys(now=now)
    assert rotate_keys(now=now + timedelta(days=40)).destroyed == ()
    assert first.id in {key.id for key in keyring.wrapping_keys()}
    monkeypatch.undo()


def test_removed_wrapping_key_names_itself(world: World, key_file: Path) -> None:
    lead = world.add_lead()
    [old] = keyring.wrapping_keys()
    keyring.write_key_file(key_file, [keyring.fresh_wrapping_key(b"n" * 32)])
    forget_keys()
    with pytest.raises(KeyUnavailable, match=f"no longer holds wrapping key {old.id}"):
        opens(world, lead.pk)


def test_command_rotates_records_it_and_says_to_back_up(world: World, capsys: pytest.CaptureFixture[str]) -> None:
    lead = world.add_lead()
    call_command("rotate_keys")
    said = capsys.readouterr().out
    assert "Back up the key file" in said
    event = AuditEvent.objects.get(act=Act.KEYS_ROTATED)
    assert event.detail == {"newest": keyring.wrapping_keys()[0].id}
    assert f"wrapped {event.count} keys" in said
    assert opens(world, lead.pk)


def test_command_without_a_key_file_ends_with_status_2_and_writes_nothing(world: World, key_file: Path) -> None:
    key_file.unlink()
    before = wrapped_by()
    with pytest.raises(CommandError) as error:
        call_command("rotate_keys")
    assert error.value.returncode == 2
    assert wrapped_by() == before
    assert not key_file.exists()
    assert not AuditEvent.objects.filter(act=Act.KEYS_ROTATED).exists()


HOLDING = """
import django
django.setup()
from leads.vault import keyring
with keyring.held():
    print("held", flush=True)
    input()
"""


@pytest.fixture
def other_rotation(key_file: Path) -> Iterator[subprocess.Popen[str]]:
    """A process of its own in the midst of a rotation."""
    environment = development(DJANGO_SETTINGS_MODULE="leadscenter.settings", LEADS_KEY_FILE=str(key_file))
    command = [sys.executable, "-c", HOLDING]
    with subprocess.Popen(
        command, cwd=BASE, env=environment, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == "held\n"
        yield process
        process.kill()


def test_second_rotation_beside_one_says_so_and_changes_nothing_until_that_ends(
    world: World, key_file: Path, other_rotation: subprocess.Popen[str]
) -> None:
    lead = world.add_lead()
    before, wrapped = key_file.read_text(), wrapped_by()
    with pytest.raises(CommandError, match="A rotation is under way") as error:
        call_command("rotate_keys")
    assert error.value.returncode == 2
    assert (key_file.read_text(), wrapped_by()) == (before, wrapped)
    assert not AuditEvent.objects.filter(act=Act.KEYS_ROTATED).exists()

    other_rotation.kill()
    other_rotation.wait()

    done = rotate_keys()
    assert wrapped_by() == {done.newest}
    assert opens(world, lead.pk)


def test_key_that_came_into_the_file_during_a_rotation_stays(
    world: World, key_file: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    [first] = keyring.wrapping_keys()
    now = datetime.now(UTC)
    second = rotate_keys(now=now).newest
    other = keyring.fresh_wrapping_key(b"o" * 32, now + timedelta(days=36))

    def rewrap_beside_another() -> int:
        keyring.write_key_file(key_file, [other, *keyring.wrapping_keys()])
        return rewrap()

    monkeypatch.setattr("leads.vault.rotation.rewrap", rewrap_beside_another)
    done = rotate_keys(now=now + timedelta(days=36))
    assert done.destroyed == (first.id,)
    assert [key.id for key in keyring.wrapping_keys()] == [other.id, done.newest, second]


def test_leads_of_the_next_month_are_sealed_with_its_key(world: World) -> None:
    this = world.add_lead()
    with time_machine.travel(datetime(keys.today().year, keys.today().month, 1, tzinfo=UTC) + timedelta(days=40)):
        forget_keys()
        following = world.add_lead(email="next@example.com")
    rows = SealedAnswers.objects.using(alias_of("eu"))
    records = [rows.get(pk=lead.pk).sealed.record for lead in (this, following)]
    assert records[0][1:9] != records[1][1:9]
    assert opens(world, following.pk)


# ---- what the clock does ---------------------------------------------------------------------------------------------


def test_missing_keys_are_made_for_every_library_at_once(
    world: World, django_assert_num_queries: DjangoAssertNumQueries
) -> None:
    with django_assert_num_queries(9, using=alias_of("eu")):  # two months and the index, in three regions
        assert make_missing_keys([world.library.pk, world.stranger_library.pk]) == 0
    DataKey.objects.using(alias_of("eu")).filter(library_id=world.library.pk, region="eu").delete()
    assert make_missing_keys([world.library.pk, world.stranger_library.pk]) == 2
    assert DataKey.objects.using(alias_of("eu")).filter(library_id=world.library.pk, region="eu").count() == 2


def test_ingest_key_is_renewed_weekly_and_a_replaced_one_goes_after_35_days(world: World) -> None:
    older, _public = current_ingest_key()
    blob = sealed_for(older, "form")
    assert renew_ingest_key() == (False, 0)
    in_a_week = datetime.now(UTC) + timedelta(days=7, minutes=1)
    assert renew_ingest_key(now=in_a_week) == (True, 0)
    newer, _public = current_ingest_key()
    assert newer != older
    assert open_submission("form", **blob) == b"{}"
    IngestKey.objects.filter(pk=newer).update(made_at=datetime.now(UTC) - timedelta(days=36))
    IngestKey.objects.filter(pk=older).update(made_at=datetime.now(UTC) - timedelta(days=40))
    assert renew_ingest_key() == (True, 1)
    with pytest.raises(UnknownKey):
        open_submission("form", **blob)
    assert IngestKey.objects.filter(pk=newer).exists()


def test_another_process_learns_of_a_new_ingest_key_within_a_minute(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    clock = [1000.0]
    monkeypatch.setattr("leads.vault.keys.time.monotonic", lambda: clock[0])
    older, _public = current_ingest_key()
    newer = make_ingest_key()
    IngestKey.objects.filter(pk=older).update(made_at=datetime.now(UTC) - timedelta(days=7))
    assert current_ingest_key()[0] == older
    clock[0] += 61
    assert current_ingest_key()[0] == newer.kid
