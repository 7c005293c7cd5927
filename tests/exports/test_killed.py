"""A worker that makes an export gets SIGKILL, wherever it is: the next one ends with the same file, and till then
nobody is given a byte.

The worker is a process of its own on the test's databases, killed by itself at a place of the making that the test
names. The next worker is the test.
"""

import os
import signal
import subprocess
import sys
from pathlib import Path
from typing import Any
from urllib.parse import quote

import pytest
from django.conf import settings as live
from django.db import connections
from django.test import Client
from pytest_django.fixtures import Settings

from accounts import audit
from accounts.models import Act, AuditEvent, AuditManifest
from accounts.services.tokens import create_token
from leads.exports import file
from leads.exports.services.running import run_due
from leads.models import Export
from tests.exports.test_layouts import made
from tests.exports.test_running import ask_for, content_of, on_disk
from tests.exports.test_workbook import ask_workbook, rows_of
from tests.legs import BASE, development
from tests.world import World, make_world

LEADS, SIZE = 7, 2
WORKER = """
import os, signal, sys
import django
django.setup()
from pathlib import Path
from django.conf import settings
from leads.exports import file, workbook
from leads.exports.services import running

settings.EXPORTS_DIR, where, size = sys.argv[1], sys.argv[2], int(sys.argv[3])
calls = {}

def die():
    os.kill(os.getpid(), signal.SIGKILL)

def killing(owner, name, number, *, after=False):
    whole = getattr(owner, name)
    def counted(*given, **named):
        calls[name] = calls.get(name, 0) + 1
        if calls[name] < number:
            return whole(*given, **named)
        if after:
            whole(*given, **named)
        die()
    setattr(owner, name, counted)

def torn(self, content, *, last):
    calls["torn"] = calls.get("torn", 0) + 1
    if calls["torn"] < 3:
        return record(self, content, last=last)
    self._file.write(b"\\0" * 50)
    self._file.flush()
    die()

record = file.Writer._record
if where == "between two chunks":
    killing(running, "_commit", 2, after=True)
elif where == "inside a record":
    file.Writer._record = torn
elif where == "before a chunk is committed":
    killing(running, "_commit", 2)
elif where == "before the last record":
    killing(file.Writer, "finish", 1)
elif where == "behind the rename":
    killing(Path, "replace", 1, after=True)
elif where == "inside the workbook":
    workbook.STEP = 2
    killing(running, "_commit", 6)
running.run_due(size=size)
"""
PLACES = (
    "between two chunks",
    "inside a record",
    "before a chunk is committed",
    "before the last record",
    "behind the rename",
)


@pytest.fixture
def world(transactional_db: None, settings: Settings, tmp_path: Path) -> World:
    settings.EXPORTS_DIR = str(tmp_path / "exports")
    world = make_world()
    for number in range(LEADS):
        world.add_lead(name=f"Person {number}", region=("eu", "us")[number % 2])
    return world


def address(alias: str) -> str:
    """The URL of a test's database, for another process."""
    one = connections[alias].settings_dict
    if connections[alias].vendor == "sqlite":
        return f"sqlite:///{one['NAME']}"
    who = f"{quote(one['USER'])}:{quote(one['PASSWORD'])}@" if one["USER"] else ""
    return f"postgres://{who}{one['HOST'] or 'localhost'}:{one['PORT'] or 5432}/{one['NAME']}"


def killed_worker(where: str) -> None:
    """Let a worker of its own work on what is due until it is killed at that place."""
    regions = {region: alias for region, alias in live.VAULT_ALIASES.items() if alias != "default"}
    environment = development(
        DJANGO_SETTINGS_MODULE="leadscenter.settings",
        DATABASE_URL=address("default"),
        VAULT_DATABASE_URLS=",".join(f"{region}={address(alias)}" for region, alias in regions.items()),
        LEADS_KEY_FILE=str(live.LEADS_KEY_FILE),
    )
    command = [sys.executable, "-c", WORKER, str(file.folder()), where, str(SIZE)]
    done = subprocess.run(
        command, cwd=BASE, env=environment, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True
    )
    assert done.returncode == -signal.SIGKILL, done.stdout


def refused_while_unfinished(world: World, export: Export) -> None:
    """Nobody gets a byte: not by page, not by API, not a part of it."""
    page = Client()
    page.force_login(world.administrator)
    answer = page.get(f"/l/{world.library.pk}/exports/{export.pk}/file/")
    assert (answer.status_code, answer.headers["Location"]) == (302, f"/l/{world.library.pk}/exports/")
    token = create_token(user=world.administrator, name="t")[1]
    api = Client(headers={"Authorization": f"Bearer {token}"})
    for headers in ({}, {"Range": "bytes=0-99"}):
        answer = api.get(f"/api/v1/exports/{export.pk}/file/", headers=headers)
        assert (answer.status_code, b"Person" in answer.content) == (409, False)
    told = api.get(f"/api/v1/exports/{export.pk}/").json()
    assert (told["state"], told["file"]) == ("running", None)
    assert not AuditEvent.objects.filter(act__in=(Act.EXPORT_DOWNLOADED, Act.EXPORT_MADE), targets__object_id=export.pk)


def restart(export: Export) -> None:
    """The lease of the dead worker is over: another one takes the export."""
    assert run_due(size=SIZE) == 0
    Export.objects.filter(pk=export.pk).update(due_at=export.requested_at)
    assert run_due(size=SIZE) in (1, 2)  # twice where it has to begin from nothing
    export.refresh_from_db()
    assert (export.state, export.rows) == ("done", LEADS)


def manifests(export: Export) -> list[list[int]]:
    rows = AuditManifest.objects.filter(event__act=Act.EXPORT_MADE, event__targets__object_id=export.pk)
    return [audit.unpack(bytes(row.object_ids)) for row in rows]


@pytest.mark.parametrize("where", PLACES)
def test_a_killed_export_ends_with_the_bytes_of_an_undisturbed_one(world: World, where: str) -> None:
    undisturbed = made(world)
    export = ask_for(world)
    Export.objects.filter(pk=export.pk).update(bound_at=undisturbed.bound_at)
    killed_worker(where)
    refused_while_unfinished(world, export)

    restart(export)

    assert content_of(world, export) == content_of(world, undisturbed)
    assert on_disk() == {f"{one.pk}.sealed" for one in (export, undisturbed)}
    assert manifests(export) == manifests(undisturbed)


def test_a_killed_workbook_is_built_anew_and_holds_the_same(world: World) -> None:
    undisturbed = made(world, file_format="xlsx")
    export = ask_workbook(world)
    killed_worker("inside the workbook")
    assert file.draft_workbook(export.pk).exists()
    refused_while_unfinished(world, export)

    restart(export)

    assert rows_of(content_of(world, export)) == rows_of(content_of(world, undisturbed))
    assert manifests(export) == manifests(undisturbed)


def test_a_file_is_given_whole_to_who_asks_for_a_part(world: World) -> None:
    export = made(world)
    token = create_token(user=world.administrator, name="t")[1]
    answer: Any = Client(headers={"Authorization": f"Bearer {token}"}).get(
        f"/api/v1/exports/{export.pk}/file/", headers={"Range": "bytes=10-99"}
    )
    content = b"".join(answer.streaming_content)
    assert (answer.status_code, content) == (200, content_of(world, export))
    assert os.listdir(file.folder()) == [f"{export.pk}.sealed"]
