"""Each check of the doctor is seen well and seen failing, with the line that says what to do."""

import json
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from io import StringIO
from pathlib import Path
from typing import Any

import pytest
from django.conf import settings
from django.core.management import call_command
from django.db import DatabaseError, connection
from django.db.migrations.recorder import MigrationRecorder
from django.test.utils import override_settings
from django.utils import timezone

from accounts.models import AccountMembership, AuditEvent, LeadLibraryUserPermission
from leads.models import Delivery, Export
from leads.vault.models import DataKey
from leads.vault.regions import alias_of
from leadscenter import doctor
from tests.world import World, make_world

pytestmark = pytest.mark.django_db


@pytest.fixture
def world() -> World:
    return make_world()


@pytest.fixture(autouse=True)
def in_debug() -> Iterator[None]:
    """As on a developer's machine, where no broker but files is fine."""
    with override_settings(DEBUG=True):
        yield


def run_doctor() -> tuple[int, str]:
    """Exit status and text of the command."""
    told = StringIO()
    try:
        call_command("doctor", stdout=told)
    except SystemExit as left:
        return int(left.code or 0), told.getvalue()
    return 0, told.getvalue()


def line_of(name: str, *, status: int = 1) -> str:
    """The complaint of one check, after making sure that the command failed."""
    found, text = run_doctor()
    assert found == status
    return next(line for line in text.splitlines() if line.startswith(f"WRONG  {name}:"))


def test_a_well_installation_has_a_line_for_each_check_and_status_0(world: World) -> None:
    status, text = run_doctor()
    assert [line.split(":")[0] for line in text.splitlines()] == [f"ok     {check.name}" for check in doctor.CHECKS]
    assert status == 0


def test_a_database_that_is_older_than_the_code_is_named(world: World) -> None:
    MigrationRecorder(connection).migration_qs.filter(app="leads").latest("id").delete()
    assert "manage.py migrate --database default" in line_of("database")
    assert "not asked" in line_of("permissions")


def test_a_database_that_does_not_answer_is_named(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(connection: Any) -> None:
        raise DatabaseError("connection to ann:secret@db refused")

    monkeypatch.setattr("leadscenter.doctor.MigrationExecutor", refuse)
    line = line_of("database")
    assert "does not answer" in line
    assert "secret" not in line


def test_a_region_that_is_older_than_the_code_is_named(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    asked = {"vault_eu": ["vault_eu lacks 2 migrations. Run: manage.py migrate --database vault_eu"]}
    monkeypatch.setattr(doctor, "alias_of", lambda region: "vault_eu" if region == "eu" else "default")
    monkeypatch.setattr(doctor, "complaints_about", lambda alias: asked.get(alias, []))
    assert "region eu: vault_eu lacks 2 migrations" in line_of("regions")


def test_a_broker_that_does_not_answer_is_named(world: World) -> None:
    with override_settings(REDIS_URL="redis://127.0.0.1:1/0"):
        assert "Start Redis, or mend REDIS_URL" in line_of("broker")


def test_files_in_place_of_a_broker_are_for_trying_out_only(world: World) -> None:
    with override_settings(REDIS_URL="", DEBUG=False):
        assert "Set REDIS_URL" in line_of("broker")
    with override_settings(REDIS_URL="", DEBUG=True):
        assert run_doctor()[0] == 0


def test_a_lost_key_file_is_named(world: World, tmp_path: Path) -> None:
    with override_settings(LEADS_KEY_FILE=str(tmp_path / "gone.json")):
        assert "Restore its backup" in line_of("key ring")


def test_a_wrong_key_file_is_named(world: World, tmp_path: Path) -> None:
    wrong = tmp_path / "leads.json"
    entry = json.loads(Path(settings.LEADS_KEY_FILE).read_text())["wrapping"][0]
    wrong.write_text(json.dumps({"wrapping": [{**entry, "id": "another"}]}))
    wrong.chmod(0o600)
    with override_settings(LEADS_KEY_FILE=str(wrong)):
        assert "the file lacks the keys of" in line_of("key ring")


def test_a_key_file_with_another_key_of_the_same_name_is_named(world: World, tmp_path: Path) -> None:
    wrong = tmp_path / "leads.json"
    entry = json.loads(Path(settings.LEADS_KEY_FILE).read_text())["wrapping"][0]
    wrong.write_text(json.dumps({"wrapping": [{**entry, "key": "A" * 43 + "="}]}))
    wrong.chmod(0o600)
    with override_settings(LEADS_KEY_FILE=str(wrong)):
        assert "the file does not open the data keys" in line_of("key ring")


def test_a_key_file_that_others_read_is_named(world: World, tmp_path: Path) -> None:
    copy = tmp_path / "leads.json"
    copy.write_text(Path(settings.LEADS_KEY_FILE).read_text())
    copy.chmod(0o644)
    with override_settings(LEADS_KEY_FILE=str(copy)):
        assert f"chmod 600 {copy}" in line_of("key ring")


def test_a_key_file_beside_the_database_is_named(world: World, tmp_path: Path) -> None:
    databases = {"default": {"ENGINE": "django.db.backends.sqlite3", "NAME": str(tmp_path / "main.sqlite3")}}
    copy = tmp_path / "leads.json"
    copy.write_text(Path(settings.LEADS_KEY_FILE).read_text())
    copy.chmod(0o600)
    with override_settings(LEADS_KEY_FILE=str(copy)):
        (complaint,) = doctor.where_the_key_file_is(databases)
    assert "lies with the database default" in complaint


def test_a_library_without_this_month_s_key_is_named(world: World) -> None:
    DataKey.objects.using(alias_of("us")).filter(library_id=world.library.pk, region="us").delete()
    assert "1 libraries lack this month's key in us" in line_of("key ring")


def test_clocks_that_are_apart_are_named(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(doctor, "database_time", lambda: datetime.now(UTC) - timedelta(minutes=2))
    assert "120 s apart. Set both by NTP" in line_of("clock")


def test_deliveries_that_nobody_sends_are_named(world: World) -> None:
    target = world.connect("CRM")
    late = Delivery.objects.create(
        library_id=world.library.pk,
        connection=target,
        lead_id=1,
        received_at=timezone.now(),
        event_key="lead.created:1",
    )
    assert run_doctor()[0] == 0
    Delivery.objects.filter(pk=late.pk).update(due_at=timezone.now() - timedelta(minutes=5))
    assert "Are worker and scheduler running?" in line_of("clockwork")


def test_events_that_nobody_seals_are_named(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    assert AuditEvent.objects.exists()
    monkeypatch.setattr(doctor, "LATE", timedelta(seconds=-5))
    assert "events of the trail are not sealed" in line_of("clockwork")


def test_files_that_nobody_makes_are_named_but_not_those_that_stand_in_line(world: World) -> None:
    asked = {"library": world.library, "custody": 1, "requested_by": world.administrator, "bound_at": timezone.now()}
    first, second = (Export.objects.create(**asked) for _ in range(2))
    assert run_doctor()[0] == 0
    Export.objects.update(due_at=timezone.now() - timedelta(minutes=5))
    assert "2 exports and imports wait, and nobody works on any. Is a worker for the queue" in line_of("clockwork")
    Export.objects.filter(pk=first.pk).update(state="running", due_at=timezone.now() + timedelta(minutes=1))
    assert run_doctor()[0] == 0
    Export.objects.filter(pk=first.pk).update(state="done")
    assert "1 exports and imports wait" in line_of("clockwork")
    Export.objects.filter(pk=second.pk).update(state="failed")
    assert run_doctor()[0] == 0


def test_mail_that_cannot_leave_is_named(world: World) -> None:
    smtp = {"EMAIL_BACKEND": "django.core.mail.backends.smtp.EmailBackend", "EMAIL_FILE_PATH": None}
    with override_settings(**smtp, EMAIL_HOST="127.0.0.1", EMAIL_PORT=1):
        assert "Mend EMAIL_URL" in line_of("mail")


def test_mail_into_a_folder_is_for_trying_out_only(world: World, tmp_path: Path) -> None:
    folder = {"EMAIL_BACKEND": "django.core.mail.backends.filebased.EmailBackend", "EMAIL_FILE_PATH": str(tmp_path)}
    with override_settings(**folder, DEBUG=False, REDIS_URL=""):
        assert "Set EMAIL_URL" in line_of("mail")


def test_permission_rows_that_follow_from_nothing_are_named(world: World) -> None:
    assert AccountMembership.objects.exists()
    LeadLibraryUserPermission.objects.filter(user=world.administrator).first().delete()  # type: ignore[union-attr]
    assert "repair with --repair" in line_of("permissions")
