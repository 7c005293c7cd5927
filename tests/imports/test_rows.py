"""What becomes of a row: its cells read, its person known or new, its faults told."""

import io
from datetime import UTC, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from django.test import Client
from django.utils import timezone
from openpyxl import Workbook
from openpyxl.worksheet.worksheet import Worksheet

from accounts.models import AdAccount, AuditEvent, LeadLibrary
from forms_builder.models import MeasureEvent
from leads.imports.faults import overview_of, parts_of
from leads.imports.mapping import suggest
from leads.imports.selectors import columns_of, masked
from leads.imports.services.asking import table_of, upload, version_content
from leads.imports.services.running import run_due
from leads.imports.table import LONGEST_CELL
from leads.models import Delivery, Import, Label, Lead, LeadLabel
from leads.vault.models import ConsentRecord
from leads.vault.regions import alias_of
from tests.imports.files import answers_of, brought, checked, counts, csv_of, fresh, imported
from tests.world import World

WORK = ("Your name", "E-mail", "Status", "Labels", "Assignee", "Received at")


def moment(days: int) -> datetime:
    return (timezone.now() - timedelta(days=days)).replace(microsecond=0)


def test_row_says_when_it_came_how_far_it_is_and_whose(world: World) -> None:
    hot = Label.objects.create(library=world.library, name="Hot")
    at = moment(3)
    row = ("Ann", "ann@example.com", "Qualified", "hot", world.administrator.email, at.strftime("%Y-%m-%d %H:%M:%S"))
    assert counts(imported(world, csv_of(row, headings=WORK))) == (1, 0, 0, 0)
    lead = Lead.objects.get()
    assert (lead.received_at, lead.status, lead.assignee, lead.contacted_at) == (
        at, "qualified", world.administrator, None,
    )  # fmt: skip
    assert list(LeadLabel.objects.values_list("lead", "label")) == [(lead.pk, hot.pk)]
    library = LeadLibrary.objects.get(pk=world.library.pk)
    assert lead.attention_at == at + timedelta(days=library.retention_days - 7)


def test_time_is_of_the_zone_that_the_heading_names(world: World) -> None:
    day = f"{moment(3):%Y-%m-%d}"
    AdAccount.objects.filter(pk=world.account.pk).update(time_zone="America/New_York")
    hours = {"created_time": 12, "created_time (Asia/Tokyo)": 3, "Received at": 17}
    for heading in hours:
        rows = csv_of(("Ann", "ann@example.com", f"{day} 12:00"), headings=(*WORK[:2], heading))
        imported(world, rows, duplicates="add")
    found = [lead.received_at.astimezone(UTC).hour for lead in Lead.objects.order_by("pk")]
    assert found == list(hours.values())


def test_dates_of_a_file_are_read_with_the_month_first_where_they_show_it(world: World) -> None:
    AdAccount.objects.filter(pk=world.account.pk).update(time_zone="America/New_York")
    late = next(at for at in map(moment, range(3, 40)) if at.day > 12)
    rows = [(f"P{n}", f"p{n}@example.com", f"{late:%m/%d/%Y} {n}:15 PM") for n in (1, 2)]
    row = imported(world, csv_of(*rows, ("Ed", "ed@example.com", f"{late:%d.%m.%Y}"), headings=(*WORK[:2], "Created")))
    assert row.mapping == ["name", "email", "lead.received_at_month_first"]
    at = late.replace(minute=15, second=0, tzinfo=ZoneInfo("America/New_York"))
    assert list(Lead.objects.order_by("pk").values_list("received_at", flat=True)) == [
        at.replace(hour=13), at.replace(hour=14),
    ]  # fmt: skip
    told = "Created: Here the day stands first. Choose “day first” for this column."
    assert [(one.number, one.reasons) for one in overview_of(row).first] == [("4", told)]


def test_dates_that_show_no_order_have_the_day_first(world: World) -> None:
    early = next(at for at in map(moment, range(1, 60)) if at.day <= 12)
    row = imported(world, csv_of(("Ann", "ann@example.com", f"{early:%d/%m/%Y}"), headings=(*WORK[:2], "Created")))
    assert (row.mapping[2], Lead.objects.get().received_at.date()) == ("lead.received_at", early.date())


def test_workbook_s_dates_without_a_format_are_read(world: World) -> None:
    workbook, late = Workbook(), moment(3).replace(second=0)
    sheet: Any = workbook.active
    assert isinstance(sheet, Worksheet)
    serial = (late.replace(tzinfo=None) - datetime(1899, 12, 30)) / timedelta(days=1)  # noqa: DTZ001
    for cells in (["Name", "E-mail", "created_time"], ["Ann", "ann@example.com", serial]):
        sheet.append(cells)
    content = io.BytesIO()
    workbook.save(content)
    assert counts(imported(world, content.getvalue())) == (1, 0, 0, 0)
    assert Lead.objects.get().received_at == late


def test_examples_of_a_column_show_dates_and_mask_numbers(world: World) -> None:
    content = csv_of(
        ("Ann", "ann@example.com", "+4915112345678", "28.11.2026 14:00", "1795872600", "1795872600"),
        headings=("Your name", "E-mail", "Phone", "Visited", "Created", "Code"),
    )
    library = LeadLibrary.objects.get(pk=world.library.pk)
    row = upload(actor=world.administrator, library=library, form_id=world.form.pk, content=content)
    table = table_of(row)
    columns = columns_of(table.headings, list(table.rows), suggest(table.headings, version_content(row)))
    assert [column.examples for column in columns] == [
        ("Ann",), ("a•••@example.com",), ("+49•••678",), ("28.11.2026 14:00",), ("1795872600",), ("179•••600",),
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("cell", "shown"),
    [
        ("ann@example.com", "a•••@example.com"),
        ("ann@example.com, +49 151 12345678", "a•••@example.com…"),
        ("Ann Meyer <ann@example.com>, 0151 12345678", "a•••@example.com…"),
        ("0151 12345678;ann@example.com;bob@example.org", "a•••@example.com…"),
        ("4915112345678@+4915112345678", "4•••@…"),
        ("ann@4915112345678.example", "a•••@…"),
        ("@", "•••@"),
        ("ann@" + "a" * 100_000 + ".example", "a•••@" + "a" * 40 + "…"),
    ],
)
def test_cell_with_an_address_shows_what_is_left_of_that_alone(cell: str, shown: str) -> None:
    assert masked(cell) == shown


FAULTS = {
    "Your name": ("", "An answer is needed."),
    "E-mail": ("zed at quux", "Write an e-mail address such as name@example.com."),
    "Status": ("sleeping", "Use one of: raw, contacted, qualified, converted, unqualified."),
    "Labels": ("Zedekiah", "There is no such label here. Make it first: an import makes none."),
    "Assignee": ("zed@quux.example", "Nobody who may view these leads has this e-mail."),
    "Received at": ("2999-01-01 00:00", "This time is in the future."),
}


@pytest.mark.parametrize("column", FAULTS)
def test_faulty_cell_is_told_by_row_and_column_and_not_repeated(world: World, column: str) -> None:
    cell, reason = FAULTS[column]
    good = dict(zip(WORK, ("Ann", "ann@example.com", "raw", "", "", ""), strict=True))
    row = checked(world, csv_of(tuple((good | {column: cell}).values()), headings=WORK))
    assert counts(row) == (0, 0, 0, 1)
    (shown,) = overview_of(row).first
    assert (shown.number, shown.reasons) == ("2", f"{column}: {reason}")


def test_row_older_than_leads_are_kept_is_faulty(world: World) -> None:
    old = f"{moment(world.library.retention_days + 1):%Y-%m-%d}"
    row = checked(world, csv_of(("Ann", "ann@example.com", "", "", "", old), headings=WORK))
    assert (counts(row), overview_of(row).first[0].reasons) == (
        (0, 0, 0, 1), "Received at: Received longer ago than the 90 days for which leads are kept.",
    )  # fmt: skip


def test_file_of_faulty_rows_holds_them_as_they_came_and_runs_nothing(world: World) -> None:
    row = checked(world, csv_of(("=1+1", "nowhere", ""), ("Ann", "ann@example.com", "")))
    text = b"".join(parts_of(row)).decode("utf-8-sig")
    why = "E-mail: Write an e-mail address such as name@example.com."
    assert text.splitlines() == [
        '"Your name","E-mail","Phone","import_row","import_error"', f"\"'=1+1\",\"nowhere\",\"\",\"2\",\"{why}\"",
    ]  # fmt: skip
    mended = text.replace("nowhere", "now@here.example").encode()
    assert counts(imported(world, mended)) == (1, 0, 0, 0)
    assert answers_of(Lead.objects.get())["name"] == "=1+1"


def test_faulty_row_with_a_cell_as_long_as_can_be_is_told(world: World) -> None:
    long = "=" + "+" * (LONGEST_CELL - 1)
    row = checked(world, csv_of((long, "nowhere", ""), ("Zed", "nowhere", "")))
    assert [one.number for one in overview_of(row).first] == ["2", "3"]
    page = Client()
    page.force_login(world.administrator)
    assert page.get(f"/l/{world.library.pk}/imports/{row.pk}/").status_code == 200


def test_reasons_are_told_with_their_rows_the_most_frequent_first(world: World) -> None:
    bad = [("", f"nowhere{number}", "") for number in range(25)]
    row = checked(world, csv_of(("", "ann@example.com", "1"), *bad, ("Zed\n, ñ", "nowhere", "")))
    name, address = "Your name: An answer is needed.", "E-mail: Write an e-mail address such as name@example.com."
    phone = "Phone: Write a phone number that starts with + and the country code."
    found = overview_of(row)
    assert found.reasons == [(name, 26), (address, 26), (phone, 1)]
    assert [one.reasons for one in found.first] == [f"{name} {phone}", *[f"{name} {address}"] * 19]
    page = Client()
    page.force_login(world.administrator)
    assert (
        f'<td class="num">26</td><th scope="row" class="import-why">{address}'
        in page.get(f"/l/{world.library.pk}/imports/{row.pk}/").content.decode()
    )


NUMBERS = {
    "4915112345678.0": "+4915112345678",
    "4915112345678": "+4915112345678",
    "4.915112345678E+12": "+4915112345678",
    "p:+4915112345678": "+4915112345678",
    "+49 151 12345678": "+4915112345678",
}


@pytest.mark.parametrize("cell", NUMBERS)
def test_number_that_a_spreadsheet_made_of_a_phone_is_whole_again(world: World, cell: str) -> None:
    imported(world, csv_of(("Ann", "ann@example.com", cell)))
    assert answers_of(Lead.objects.get())["phone_number"] == NUMBERS[cell]


def test_number_that_a_spreadsheet_shortened_is_faulty(world: World) -> None:
    assert counts(checked(world, csv_of(("Ann", "ann@example.com", "4.9151E+12")))) == (0, 0, 0, 1)


@pytest.mark.parametrize("column", ["Phone", "Received at"])
@pytest.mark.parametrize("cell", ["1E" + "9" * 5000, "Rolex GMT-40", "2026-11-28 14:30 UTC-40"])
def test_cell_that_nothing_can_be_made_of_is_a_fault_and_the_others_go_on(world: World, column: str, cell: str) -> None:
    headings = ("Your name", "E-mail", column)
    content = csv_of(("Bad", "bad@example.com", cell), ("Ann", "ann@example.com", ""), headings=headings)
    assert counts(checked(world, content)) == (1, 0, 0, 1)


@pytest.mark.parametrize("cell", ["Rolex GMT-40", "a" + " " * 100_000 + "b", "T" * 100_000])
def test_cell_that_is_nearly_a_time_is_an_example_of_its_column(world: World, cell: str) -> None:
    row = brought(world, csv_of(("Ann", "ann@example.com", cell), headings=("Your name", "E-mail", "Watch")))
    Import.objects.filter(pk=row.pk).update(state="uploaded")
    page = Client()
    page.force_login(world.administrator)
    answer = page.get(f"/l/{world.library.pk}/imports/{row.pk}/")
    assert (answer.status_code, f"<bdi>{cell[:39]}" in answer.content.decode()) == (200, True)


def test_people_of_the_library_and_of_the_file_are_left_out(world: World) -> None:
    world.add_lead(email="ann@example.com", phone="", region="us")
    rows = csv_of(
        ("Ann", "ANN@example.com", ""), ("Bob", "bob@example.com", "+4915112345670"),
        ("Rob", "rob@example.com", "+4915112345670"),
    )  # fmt: skip
    assert counts(checked(world, rows)) == (1, 0, 2, 0)
    assert counts(imported(world, rows)) == (1, 0, 2, 0)
    assert Lead.objects.filter(source="import").count() == 1


def test_person_in_the_trash_is_not_here(world: World) -> None:
    lead = world.add_lead(email="ann@example.com", phone="")
    Lead.objects.filter(pk=lead.pk).update(state="trashed", trashed_at=timezone.now())
    assert counts(imported(world, csv_of(("Ann", "ann@example.com", "")))) == (1, 0, 0, 0)


def test_people_are_added_when_that_was_chosen(world: World) -> None:
    world.add_lead(email="ann@example.com", phone="")
    assert counts(imported(world, csv_of(("Ann", "ann@example.com", "")), duplicates="add")) == (1, 0, 0, 0)
    assert Lead.objects.count() == 2


def test_lead_that_is_here_changes_when_that_was_chosen(world: World) -> None:
    lead = world.add_lead(email="ann@example.com", phone="")
    hot = Label.objects.create(library=world.library, name="Hot")
    rows = csv_of(
        ("Ann", "ann@example.com", "qualified", "", "", ""), ("Ann", "ann@example.com", "", "Hot", "", ""),
        ("Eve", "eve@example.com", "raw", "", "", ""), ("Eve", "eve@example.com", "converted", "", "", ""),
        ("Ann", "ann@example.com", "", "", "", ""), headings=WORK,
    )  # fmt: skip
    assert counts(imported(world, rows, duplicates="update")) == (1, 3, 1, 0)
    lead.refresh_from_db()
    assert (lead.status, list(lead.labelled.values_list("label", flat=True))) == ("qualified", [hot.pk])
    assert Lead.objects.get(source="import").status == "converted"
    assert answers_of(lead)["name"] == "Ann Example"
    assert AuditEvent.objects.filter(act="lead_changed").count() == 2


def test_labels_of_several_rows_of_a_person_add_up_however_many(world: World) -> None:
    lead = world.add_lead(email="ann@example.com", phone="")
    labels = [Label.objects.create(library=world.library, name=f"L{number}") for number in range(24)]
    names = [label.name for label in labels]
    rows = [("Ann", "ann@example.com", "qualified", ";".join(some), "", "") for some in (names[:12], names[12:])]
    row = imported(world, csv_of(*rows, ("Bob", "bob@example.com", "", "", "", ""), headings=WORK), duplicates="update")
    assert (row.state, counts(row)) == ("done", (1, 2, 0, 0))
    assert set(lead.labelled.values_list("label", flat=True)) == {label.pk for label in labels}
    assert Lead.objects.get(pk=lead.pk).status == "qualified"


def test_import_claims_no_consent_and_counts_nowhere(world: World) -> None:
    imported(world, csv_of(("Ann", "ann@example.com", "")))
    lead = Lead.objects.get()
    record = ConsentRecord.objects.using(alias_of(lead.region)).get(pk=lead.pk)
    assert (record.boxes, record.imported_by, record.network_prefix) == ({}, world.administrator.pk, "")
    assert not MeasureEvent.objects.exists()


@pytest.mark.parametrize("deliver", [False, True])
def test_crms_hear_of_an_import_only_when_told(world: World, deliver: bool) -> None:
    connection = world.connect("CRM")
    imported(world, csv_of(("Ann", "ann@example.com", "")), deliver=deliver)
    lead = Lead.objects.get()
    queued = list(Delivery.objects.values_list("connection", "event_key"))
    assert queued == ([(connection.pk, f"lead.created:{lead.pk}")] if deliver else [])


def test_file_with_too_many_rows_is_stopped_with_words(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("leads.imports.services.checking.MOST_ROWS", 2)
    row = checked(world, csv_of(*[("Ann", f"a{n}@example.com", "") for n in range(3)]))
    assert (row.state, row.failure, row.wrapped_key) == ("failed", "This file has more than 2 rows. Divide it.", None)


def test_import_that_kills_its_workers_is_given_up(world: World) -> None:
    row = brought(world, csv_of(("Ann", "ann@example.com", "")))
    Import.objects.filter(pk=row.pk).update(tries=5)
    run_due()
    row = fresh(row)
    assert (row.state, row.wrapped_key) == ("failed", None)
