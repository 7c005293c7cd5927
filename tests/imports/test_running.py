"""Importing: every good row becomes one lead, whatever happens on the way; no faulty one does."""

import pytest

from leads.imports import file
from leads.imports.services.asking import start
from leads.imports.services.running import run_due
from leads.models import Import, Lead
from tests.imports.files import answers_of, brought, checked, counts, csv_of, fresh, imported, people
from tests.world import World


class Killed(BaseException):
    """Stands for SIGKILL: nothing of ours catches it."""


def on_disk() -> set[str]:
    return {path.name for path in file.folder().iterdir()}


def test_a_check_counts_and_writes_nothing(world: World) -> None:
    world.add_lead(email="person1@example.com", phone="")
    row = checked(world, csv_of(*people(3), ("Bad", "no address", "")))
    assert (row.state, counts(row), row.total) == ("checked", (2, 0, 1, 1), 4)
    assert Lead.objects.count() == 1
    assert on_disk() == {f"{row.pk}.sealed", f"{row.pk}.faults"}


def test_good_rows_become_leads_and_faulty_ones_do_not(world: World) -> None:
    row = imported(world, csv_of(*people(3), ("Bad", "no address", "")))
    assert (row.state, counts(row), row.cursor) == ("done", (3, 0, 0, 1), 4)
    leads = list(Lead.objects.order_by("pk"))
    assert [answers_of(lead)["name"] for lead in leads] == ["Person 0", "Person 1", "Person 2"]
    assert {(lead.state, lead.source, lead.status, lead.region) for lead in leads} == {("live", "import", "raw", "eu")}
    assert on_disk() == {f"{row.pk}.faults"}


def test_an_import_that_is_killed_goes_on_and_makes_each_lead_once(world: World) -> None:
    row = checked(world, csv_of(*people(7), ("Bad", "no address", "")))
    start(actor=world.administrator, row=row)
    batches = 0

    def kill_at_second_batch() -> None:
        nonlocal batches
        batches += 1
        if batches == 2:
            raise Killed

    with pytest.raises(Killed):
        run_due(size=2, after_batch=kill_at_second_batch)
    row.refresh_from_db()
    assert (row.state, row.cursor, row.made) == ("running", 4, 4)
    assert run_due(size=2) == 0  # leased: not before the lease has run out
    Import.objects.filter(pk=row.pk).update(due_at=row.requested_at)
    assert run_due(size=2) == 1
    row = fresh(row)
    assert (row.state, counts(row)) == ("done", (7, 0, 0, 1))
    assert sorted(answers_of(lead)["name"] for lead in Lead.objects.all()) == [f"Person {n}" for n in range(7)]
    assert set(Lead.objects.values_list("state", flat=True)) == {"live"}


def test_a_check_that_is_killed_begins_anew(world: World) -> None:
    row = brought(world, csv_of(*people(5), ("Bad", "no address", "")))

    def kill() -> None:
        raise Killed

    with pytest.raises(Killed):
        run_due(size=2, after_batch=kill)
    Import.objects.filter(pk=row.pk).update(due_at=row.requested_at)
    run_due(size=2)
    row = fresh(row)
    assert (row.state, counts(row), row.total) == ("checked", (5, 0, 0, 1), 6)
