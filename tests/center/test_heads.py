"""The daily mail with the signed head: once a day, to the holder alone, and what it is good for afterwards."""

import json
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from django.core import mail
from django.core.management import CommandError, call_command
from django.db import transaction
from django.utils import timezone

from accounts import audit
from accounts.models import Act, Alarm, AuditEvent, AuditManifest, AuditTarget, Scope, TrailAnchor, TrailHead, TrailSeal
from accounts.services import notary
from leads.center.services.heads import fault_of_mailed, mail_heads
from leads.vault import keyring, rotation, signing
from tests.triggers import unprotected
from tests.world import World, says

TABLES = (
    "accounts_auditevent",
    "accounts_audittarget",
    "accounts_auditmanifest",
    "accounts_trailseal",
    "accounts_trailanchor",
)


@pytest.fixture
def key_file(tmp_path: Path, leads_key_file: Path, settings: Any) -> Path:
    """A key file of the test's own, with a signing key."""
    path = tmp_path / "leads.json"
    path.write_text(leads_key_file.read_text())
    path.chmod(0o600)
    settings.LEADS_KEY_FILE = str(path)
    assert signing.make_signing_key() is True
    return path


def looked(world: World, count: int = 3) -> None:
    lead = world.add_lead()
    for _look in range(count):
        with transaction.atomic():
            audit.record(Act.LEAD_OPENED, world.library, actor=world.administrator, targets=[lead.pk])


def mailed_to(address: str) -> str:
    [message] = [message for message in mail.outbox if message.to == [address]]
    return str(message.body)


def anchors(world: World) -> list[TrailAnchor]:
    return list(TrailAnchor.objects.filter(scope=Scope.LIBRARY, scope_id=world.library.pk).order_by("seq"))


def test_mail_tells_the_day_in_numbers_and_holds_the_signed_head(world: World, key_file: Path) -> None:
    looked(world)
    with transaction.atomic():
        audit.record(Act.LEAD_REVEALED, world.library, actor=world.administrator)
        audit.record(Act.REFUSED, world.library, actor=world.operator, can="view_leads")
        audit.record(Act.EXPORT_DOWNLOADED, world.library, actor=world.administrator, count=40)
    assert mail_heads() == 1  # the stranger's library has no trail yet
    body = mailed_to(world.administrator.email)
    for line in (
        "Looks: 3, at 3 leads",
        "Reveals of contact details: 1",
        "Downloads: 1, with 40 leads",
        "Leads handed to CRMs: 0",
        "Refusals: 1",
        "Alarms: 0",
    ):
        assert line in body
    [anchor] = anchors(world)
    head = TrailHead.objects.get(scope=Scope.LIBRARY, scope_id=world.library.pk)
    assert f"library {world.library.pk} seq {head.seq} hash {bytes(head.hash).hex()}" in body
    assert bytes(anchor.signature).hex() in body
    assert fault_of_mailed(body) == ""
    assert not says(body, "Ann")
    assert "ann@example.com" not in body


def test_mail_goes_out_once_a_day_and_only_to_the_holder(world: World, key_file: Path) -> None:
    looked(world)
    mail_heads()
    looked(world)
    assert mail_heads() == 0
    assert [message.to for message in mail.outbox] == [[world.administrator.email]]
    assert len(anchors(world)) == 1


def test_day_later_only_what_was_written_since_is_told(
    world: World, key_file: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    looked(world)
    mail_heads()
    with unprotected("accounts_trailanchor"):
        TrailAnchor.objects.update(at=timezone.now() - timedelta(days=1, hours=1))
    assert mail_heads() == 0  # nothing was written since
    looked(world)
    assert mail_heads() == 1
    assert [anchor.seq for anchor in anchors(world)] == [1, 2]


def test_after_a_transfer_the_new_holder_gets_it(world: World, key_file: Path) -> None:
    looked(world)
    world.hand_over()
    mail.outbox.clear()
    assert mail_heads() == 1
    assert [message.to for message in mail.outbox] == [[world.client_admin.email]]


def test_broken_trail_is_an_alarm_and_is_not_signed(
    world: World, key_file: Path, django_capture_on_commit_callbacks: Callable[..., Any]
) -> None:
    looked(world)
    notary.seal_trail()
    event = AuditEvent.objects.filter(act=Act.LEAD_OPENED).earliest("id")
    with unprotected(*TABLES):
        AuditEvent.objects.filter(pk=event.pk).update(count=9)
    for _hour in range(2):
        with django_capture_on_commit_callbacks(execute=True):
            assert mail_heads() == 0
    alarm = Alarm.objects.get()
    assert (alarm.kind, alarm.library, alarm.detail) == (
        Alarm.Kind.TRAIL_BROKEN,
        world.library,
        {"fault": f"library {world.library.pk}, seal 1, event {event.pk}: the event was changed"},
    )
    assert anchors(world) == []
    [message] = mail.outbox
    assert "does not verify" in message.body


def test_notary_that_stood_still_is_no_broken_trail(world: World, key_file: Path) -> None:
    looked(world)
    with unprotected("accounts_auditevent"):
        AuditEvent.objects.update(at=timezone.now() - timedelta(minutes=5))
    assert mail_heads() == 1
    assert not Alarm.objects.exists()


# ---- what the mail is good for ---------------------------------------------------------------------------------------


def everything_gone(world: World) -> None:
    """Cut the trail off with seals, head and anchors: in the database alone nothing is wrong afterwards."""
    mine = {"scope": Scope.LIBRARY, "scope_id": world.library.pk}
    with unprotected(*TABLES):
        events = AuditEvent.objects.filter(**mine).values("pk")
        AuditManifest.objects.filter(event__in=events)._raw_delete("default")
        AuditTarget.objects.filter(event__in=events)._raw_delete("default")
        AuditEvent.objects.filter(**mine)._raw_delete("default")
        for model in (TrailSeal, TrailAnchor, TrailHead):
            model.objects.filter(**mine)._raw_delete("default")


def test_trail_cut_off_with_seals_heads_and_anchors_is_noticed_by_who_kept_the_mail(
    world: World, key_file: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    looked(world)
    mail_heads()
    kept = tmp_path / "mail.txt"
    kept.write_text(mailed_to(world.administrator.email))
    call_command("verify_audit", "--head", str(kept))
    assert "the mailed head stands in it (signed)" in capsys.readouterr().out
    everything_gone(world)
    call_command("verify_audit")  # by itself the database looks whole
    capsys.readouterr()
    with pytest.raises(SystemExit) as ended:
        call_command("verify_audit", "--head", str(kept))
    assert ended.value.code == 1
    assert "it was cut off" in capsys.readouterr().err
    looked(world)
    notary.seal_trail()
    with pytest.raises(SystemExit):
        call_command("verify_audit", "--head", kept.read_text())
    assert "it was rewritten" in capsys.readouterr().err


@pytest.mark.parametrize("change", ["seq 1 ", "hash ", "signature "])
def test_changed_mail_is_not_believed(world: World, key_file: Path, change: str) -> None:
    looked(world)
    mail_heads()
    body = mailed_to(world.administrator.email)
    if change == "seq 1 ":
        forged = body.replace("seq 1 ", "seq 2 ")
    else:
        place = body.index(change) + len(change) + (0 if change == "hash " else len(keyring.signing_keys()[0].id) + 1)
        forged = body[:place] + ("0" if body[place] != "0" else "1") + body[place + 1 :]
    assert forged != body
    assert "the signature is not one of this installation's" in fault_of_mailed(forged)


def test_quoted_and_wrapped_mail_is_read(world: World, key_file: Path) -> None:
    looked(world)
    mail_heads()
    body = mailed_to(world.administrator.email)
    quoted = "\n".join(f"> {line}" for line in body.replace(" hash ", "\nhash ").splitlines())
    assert fault_of_mailed(quoted) == ""
    assert fault_of_mailed("hello") != ""


def test_text_without_a_head_and_a_missing_file_are_said(world: World, key_file: Path) -> None:
    with pytest.raises(CommandError, match="cannot be read"):
        call_command("verify_audit", "--head", "/nowhere/mail.txt")


# ---- the key ---------------------------------------------------------------------------------------------------------


def test_old_key_file_keeps_working_unsigned_until_rotation_makes_a_key(
    world: World, tmp_path: Path, leads_key_file: Path, settings: Any
) -> None:
    path = tmp_path / "old.json"
    path.write_text(leads_key_file.read_text())
    path.chmod(0o600)
    settings.LEADS_KEY_FILE = str(path)
    assert "signing" not in json.loads(path.read_text())
    looked(world)
    assert mail_heads() == 1
    body = mailed_to(world.administrator.email)
    assert "It is not signed" in body
    assert bytes(anchors(world)[0].signature) == b""
    assert fault_of_mailed(body) == ""
    rotation.rotate_keys()
    first = json.loads(path.read_text())["signing"]
    rotation.rotate_keys()
    assert json.loads(path.read_text())["signing"] == first
    assert len(keyring.wrapping_keys()) == 3
    assert path.stat().st_mode & 0o777 == 0o600


def test_key_of_another_installation_signs_nothing_here(
    world: World, key_file: Path, tmp_path: Path, settings: Any
) -> None:
    looked(world)
    mail_heads()
    body = mailed_to(world.administrator.email)
    other = tmp_path / "other.json"
    other.write_text(json.dumps({"wrapping": json.loads(key_file.read_text())["wrapping"]}))
    settings.LEADS_KEY_FILE = str(other)
    signing.make_signing_key()
    assert "the signature is not one of this installation's" in fault_of_mailed(body)
