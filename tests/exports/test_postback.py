"""The signal postback: a row per stage, hashes that another program computes the same, nothing of tests and imports."""

import csv
import hashlib
import io
from datetime import UTC, datetime, timedelta

import pytest

from leads.exports import postback
from leads.exports.services import running
from leads.exports.services.asking import request_export
from leads.exports.services.running import run_due
from leads.models import Export, Lead
from leads.selection import Selection
from tests.exports.test_running import content_of, on_disk
from tests.world import World

AT = datetime(2026, 3, 1, 22, 30, tzinfo=UTC)
EMAIL = hashlib.sha256(b"ann@example.com").hexdigest()
PHONE = hashlib.sha256(b"+4915112345678").hexdigest()


def asked(world: World, **selection: object) -> Export:
    return request_export(
        actor=world.administrator,
        library=world.library,
        selection=Selection(**selection),  # type: ignore[arg-type]
        layout="postback",
    )


def rows_of(world: World, **selection: object) -> list[list[str]]:
    export = asked(world, **selection)
    run_due()
    text = content_of(world, export).decode()
    heading, *rows = csv.reader(io.StringIO(text))
    assert heading == ["Event_type", "Timestamp", "lead_id", "Email", "Phone", "click_id"]
    return rows


def at_stage(lead: Lead, status: str, *, contacted: bool = True) -> None:
    Lead.objects.filter(pk=lead.pk).update(
        received_at=AT,
        status=status,
        contacted_at=AT + timedelta(hours=1) if contacted else None,
        status_changed_at=None if status == "raw" else AT + timedelta(days=1),
    )


@pytest.mark.parametrize(
    ("status", "contacted", "events"),
    [
        ("raw", False, []),
        ("contacted", True, [("Contact", "2026-03-01T23:30:00Z")]),
        ("qualified", True, [("Contact", "2026-03-01T23:30:00Z"), ("CompleteRegistration", "2026-03-02T22:30:00Z")]),
        ("converted", True, [("Contact", "2026-03-01T23:30:00Z"), ("Purchase", "2026-03-02T22:30:00Z")]),
        ("unqualified", True, [("Contact", "2026-03-01T23:30:00Z")]),
        ("unqualified", False, []),
    ],
)
def test_a_lead_has_a_row_for_each_stage_that_it_reached(
    world: World, status: str, contacted: bool, events: list[tuple[str, str]]
) -> None:
    lead = world.add_lead(email=" Ann@Example.COM ")
    at_stage(lead, status, contacted=contacted)
    expected = [("SubmitForm", "2026-03-01T22:30:00Z"), *events]
    assert rows_of(world) == [[event, at, str(lead.pk), EMAIL, PHONE, ""] for event, at in expected]


def test_the_click_is_that_of_the_sealed_attribution(world: World) -> None:
    lead = world.add_lead(attribution={"ttclid": "E.C.P.abc", "utm_source": "x"})
    [row] = rows_of(world)
    assert (row[2], row[5]) == (str(lead.pk), "E.C.P.abc")


def test_a_lead_without_contact_is_told_by_its_id(world: World) -> None:
    lead = world.add_lead(email="", phone="")
    assert [row[2:] for row in rows_of(world)] == [[str(lead.pk), "", "", ""]]


def test_a_number_without_its_country_is_not_hashed(world: World) -> None:
    world.add_lead(phone="0151 1234567")
    assert [row[4] for row in rows_of(world)] == [""]


def test_test_leads_imported_leads_and_what_the_filter_leaves_out_are_not_in_it(world: World) -> None:
    world.add_lead(is_test=True)
    Lead.objects.filter(pk=world.add_lead().pk).update(source="import")
    other = world.add_lead(region="us")
    kept = world.add_lead()
    assert [row[2] for row in rows_of(world)] == [str(kept.pk), str(other.pk)]
    assert [row[2] for row in rows_of(world, regions=("us",))] == [str(other.pk)]
    assert rows_of(world, test=True) == []
    assert list(Export.objects.order_by("requested_at").values_list("rows", "total")) == [(2, 2), (1, 1), (0, 0)]


def test_a_file_that_tiktok_would_not_take_is_not_made(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    assert postback.MOST_BYTES == 50_000_000
    monkeypatch.setattr(running, "MOST_BYTES", 500)
    for _ in range(5):
        world.add_lead()
    export = asked(world)
    run_due(size=2)
    export.refresh_from_db()
    assert (export.state, export.wrapped_key, on_disk()) == ("failed", None, set())
    assert "50 MB" in export.failure
