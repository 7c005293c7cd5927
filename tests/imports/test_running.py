"""Importing: every good row becomes one lead, whatever happens on the way; no faulty one does."""

from collections.abc import Iterator
from dataclasses import replace

import pytest
from django.db import connection

from accounts.refusals import Conflict
from leads.imports import file
from leads.imports.faults import overview_of
from leads.imports.services import asking, running
from leads.imports.services.asking import discard, start, table_of
from leads.imports.services.leasing import FRUITLESS, lease
from leads.imports.services.running import run_due
from leads.imports.table import Row, Table
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


def test_a_check_that_kills_its_workers_behind_its_first_rows_is_given_up(world: World) -> None:
    row = brought(world, csv_of(*people(5)))

    def kill_at_second_batch() -> None:
        if fresh(row).cursor == 4:
            raise Killed

    for _try in range(FRUITLESS):
        with pytest.raises(Killed):
            run_due(size=2, after_batch=kill_at_second_batch)
        Import.objects.filter(pk=row.pk).update(due_at=row.requested_at)
    run_due(size=2, after_batch=kill_at_second_batch)
    row = fresh(row)
    assert (row.state, counts(row), row.wrapped_key, on_disk()) == ("failed", (0, 0, 0, 0), None, set())
    assert not Lead.objects.exists()


def test_a_check_ends_with_the_file_that_is_discarded(world: World) -> None:
    row = brought(world, csv_of(*people(5), ("Bad", "no address", "")), straight_on=True)
    run_due(size=2, after_batch=lambda: discard(actor=world.administrator, row=row))
    row = fresh(row)
    assert (row.state, counts(row), row.wrapped_key, on_disk()) == ("expired", (0, 0, 0, 0), None, set())
    assert (row.finished_at is not None, Lead.objects.exists(), run_due()) == (True, False, 0)


def test_an_import_under_way_is_not_discarded(world: World) -> None:
    row = start(actor=world.administrator, row=checked(world, csv_of(*people(2))))
    with pytest.raises(Conflict):
        discard(actor=world.administrator, row=row)
    run_due()
    assert (fresh(row).state, counts(fresh(row))) == ("done", (2, 0, 0, 0))


def test_an_import_that_is_killed_when_its_file_of_faulty_rows_has_its_name_ends_all_the_same(world: World) -> None:
    row = start(actor=world.administrator, row=checked(world, csv_of(*people(2), ("Bad", "no address", ""))))

    def kill() -> None:
        raise Killed

    with pytest.raises(Killed):
        run_due(after_batch=kill)
    file.draft_faults(row.pk).replace(file.faults(row.pk))
    Import.objects.filter(pk=row.pk).update(due_at=row.requested_at)
    run_due()
    row = fresh(row)
    assert (row.state, counts(row), on_disk()) == ("done", (2, 0, 0, 1), {f"{row.pk}.faults"})
    assert [one.number for one in overview_of(row).first] == ["4"]


def test_an_import_keeps_its_lease_while_it_looks_for_its_place(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    row = start(actor=world.administrator, row=checked(world, csv_of(*people(7))))
    Import.objects.filter(pk=row.pk).update(cursor=5)
    row.refresh_from_db()
    leased: list[bool] = []

    def watched(rows: Iterator[Row]) -> Iterator[Row]:
        for place, one in enumerate(rows):
            leased.append(lease() is None)
            if place < row.cursor:
                Import.objects.filter(pk=row.pk).update(due_at=row.requested_at)
            yield one

    def slow(row: Import) -> Table:
        table = table_of(row)
        return replace(table, rows=watched(table.rows))

    monkeypatch.setattr(running, "SKIPPED_AT_ONCE", 1)
    monkeypatch.setattr(running, "table_of", slow)
    run_due()
    assert leased == [True] * 7
    assert (fresh(row).state, fresh(row).made) == ("done", 2)


def test_a_file_is_written_before_the_transaction_that_knows_of_it(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    """20 MB take their time; a transaction would hold the database's lock for as long."""
    inside: list[list[str]] = []
    keep = file.keep

    def watched(import_id: int, key: bytes, content: bytes) -> tuple[int, int]:
        inside.append(list(connection.savepoint_ids))
        return keep(import_id, key, content)

    monkeypatch.setattr(file, "keep", watched)
    before = list(connection.savepoint_ids)
    row = brought(world, csv_of(*people(2)))
    assert (inside, on_disk()) == ([before], {f"{row.pk}.sealed"})
    monkeypatch.setattr(asking, "MAX_OPEN", 1)
    with pytest.raises(Conflict):
        brought(world, csv_of(*people(2)))
    assert (len(inside), on_disk()) == (2, {f"{row.pk}.sealed"})
