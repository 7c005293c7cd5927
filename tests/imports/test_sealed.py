"""A person in a file lies nowhere in clear: in no table, on no disk, in no log; what goes out comes in again whole."""

import logging
import tempfile
from pathlib import Path

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.db import connections
from django.test import Client

from accounts.models import LeadLibrary
from leads.exports.services.asking import request_export
from leads.exports.services.handing_out import download
from leads.exports.services.running import run_due as run_exports
from leads.imports import file
from leads.imports.services import writing
from leads.imports.services.asking import start
from leads.imports.services.running import run_due
from leads.models import Export, Import, Lead
from leads.selection import Selection
from leads.vault.regions import aliases
from tests.imports.files import answers_of, checked, counts, csv_of, fresh, imported, people
from tests.security.canary import found_in, new_canary
from tests.world import World, make_form


def tables() -> dict[str, bytes]:
    """Every row of every table, as bytes to search in."""
    found = {}
    for alias in sorted({"default", *aliases()}):
        with connections[alias].cursor() as cursor:
            for table in connections[alias].introspection.table_names(cursor):
                cursor.execute(f'SELECT * FROM "{table}"')  # noqa: S608  # names of our own tables
                cells = [cell for row in cursor.fetchall() for cell in row]
                plain = [bytes(cell) if isinstance(cell, memoryview | bytes) else str(cell).encode() for cell in cells]
                found[f"{alias} {table}"] = b"\n".join(plain)
    return found


def test_person_in_a_file_is_found_nowhere(
    world: World, tmp_path: Path, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    caplog.set_level(logging.DEBUG)
    temporary = tmp_path / "temporary"
    temporary.mkdir()
    monkeypatch.setattr(tempfile, "tempdir", str(temporary))
    person, faulty = new_canary(), new_canary()
    rows = [(person.name, person.email, person.phone), (faulty.name, faulty.email.replace("@", " at "), faulty.phone)]
    content = csv_of(*rows, *people(50_000))  # more than what Django would hold in memory by itself
    assert len(content) > 2_621_440
    client = Client()
    client.force_login(world.administrator)
    place = f"/l/{world.library.pk}/imports/"
    made = client.post(f"{place}new/", {"file": SimpleUploadedFile("leads.csv", content), "form": world.form.pk})
    assert made.status_code == 302, made.content[:500]
    assert list(temporary.iterdir()) == []
    row = Import.objects.get()
    page = client.get(made["Location"]).content
    assert person.name.encode() in page
    assert not [what for what in (person.email, person.phone, person.number) if what.encode() in page]
    small = csv_of(*rows)
    client.post(f"{place}{row.pk}/discard/")
    row = imported(world, small)
    assert counts(row) == (1, 0, 0, 1)
    assert answers_of(Lead.objects.get())["name"] == person.name
    logged = "\n".join(f"{record.getMessage()} {record.__dict__}" for record in caplog.records).encode()
    disk = {path.name: path.read_bytes() for path in file.folder().iterdir()}
    assert set(disk) == {f"{row.pk}.faults"}
    places = {**tables(), **disk, "log": logged}
    for canary in (person, faulty):
        assert {name: found for name, content in places.items() if (found := found_in(content, canary))} == {}
    assert found_in(small, person)
    assert b"Person" not in b"".join(path.read_bytes() for path in temporary.rglob("*") if path.is_file())


def test_our_own_export_comes_in_as_it_went_out(world: World) -> None:
    for number in range(3):
        world.add_lead(
            name=f"=Ann {number}", email=f"ann{number}@example.com", phone=f"+4915112345{number:03}", wish="x;y"
        )
    world.add_lead(name="A test", is_test=True)
    sent = request_export(actor=world.administrator, library=world.library, selection=Selection())
    run_exports()
    sent = Export.objects.select_related("library__ad_account", "library__custodian").get(pk=sent.pk)
    content = b"".join(download(actor=world.administrator, export=sent).parts)
    before = [
        (lead.received_at.replace(microsecond=0), answers_of(lead)) for lead in Lead.objects.filter(is_test=False)
    ]

    library = LeadLibrary.objects.select_related("ad_account").get(pk=world.stranger_library.pk)
    world.library, world.administrator = library, world.stranger
    world.form, world.version = make_form(library.ad_account, "Elsewhere")
    row = imported(world, content)
    assert counts(row) == (3, 0, 1, 0)
    leads = Lead.objects.filter(library=library)
    assert sorted(answers_of(lead)["name"] for lead in leads) == ["=Ann 0", "=Ann 1", "=Ann 2"]
    after = [(lead.received_at, answers_of(lead)) for lead in leads]
    assert sorted(after, key=str) == sorted(before, key=str)


class Killed(BaseException):
    """Stands for SIGKILL."""


def test_claims_of_a_batch_that_was_killed_between_two_databases_are_dropped(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Claimed and written into the vault, but not brought to life: the next run begins the batch anew."""
    if aliases() == ["default"]:
        pytest.skip("one database: a batch is one transaction")
    whole = writing._bring_to_life

    def kill(*_what: object) -> None:
        raise Killed

    row = start(actor=world.administrator, row=checked(world, csv_of(*people(3))))
    monkeypatch.setattr(writing, "_bring_to_life", kill)
    with pytest.raises(Killed):
        run_due()
    assert Lead.objects.filter(state="arriving").count() == 3
    monkeypatch.setattr(writing, "_bring_to_life", whole)
    Import.objects.filter(pk=row.pk).update(due_at=row.requested_at)
    run_due()
    row = fresh(row)
    assert (row.state, row.made, Lead.objects.count()) == ("done", 3, 3)
    assert set(Lead.objects.values_list("state", flat=True)) == {"live"}
