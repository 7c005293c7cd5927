"""Files of leads, and the way of one into a library."""

from collections.abc import Sequence
from typing import Any

from accounts.models import LeadLibrary, User
from leads.imports.services.asking import start, upload_and_check
from leads.imports.services.running import run_due
from leads.models import Import, Lead
from leads.vault.answers import Answers
from leads.vault.models import SealedAnswers
from leads.vault.opening import Purpose
from leads.vault.opening import open as open_sealed
from leads.vault.regions import alias_of
from tests.world import World

HEADINGS = ("Your name", "E-mail", "Phone")
Cells = Sequence[str]


def csv_of(*rows: Cells, headings: Cells = HEADINGS) -> bytes:
    """A file as a spreadsheet writes it."""
    return "\n".join(",".join(f'"{cell}"' for cell in row) for row in (headings, *rows)).encode()


def people(count: int) -> list[Cells]:
    return [(f"Person {number}", f"person{number}@example.com", f"+4915112345{number:03}") for number in range(count)]


def brought(world: World, content: bytes, *, actor: User | None = None, **more: Any) -> Import:
    """Upload the file with the mapping that its names suggest; it waits to be checked."""
    library = LeadLibrary.objects.select_related("ad_account", "custodian").get(pk=world.library.pk)
    given = {"mapping": None, "duplicates": "skip", "deliver": False, "straight_on": False} | more
    return upload_and_check(
        actor=actor or world.administrator, library=library, form_id=world.form.pk, content=content, **given
    )


def fresh(row: Import) -> Import:
    rows = Import.objects.select_related("library__ad_account", "library__custodian", "version", "form", "requested_by")
    return rows.get(pk=row.pk)


def checked(world: World, content: bytes, **more: Any) -> Import:
    """Upload and check the file."""
    row = brought(world, content, **more)
    run_due()
    return fresh(row)


def imported(world: World, content: bytes, **more: Any) -> Import:
    """Upload, check and import the file."""
    row = checked(world, content, **more)
    assert row.state == "checked", row.failure
    start(actor=row.requested_by, row=row)
    run_due()
    return fresh(row)


def answers_of(lead: Lead) -> dict[str, str]:
    """What stands sealed for a lead, by the question's key."""
    sealed = SealedAnswers.objects.using(alias_of(lead.region)).get(pk=lead.pk).sealed
    return {one.key: one.value for one in Answers.read(open_sealed(sealed, Purpose.EXPORT)).answers}


def counts(row: Import) -> tuple[int, int, int, int]:
    return row.made, row.updated, row.skipped, row.faulty
