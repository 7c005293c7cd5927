"""Which column fills what: as names suggest, as a body says, and what cannot be."""

from typing import Any

import pytest

from accounts.refusals import Invalid
from forms_builder.parsing import parse
from leads.imports.mapping import read_mapping, suggest
from leads.imports.table import Row
from tests.world import CONTENT

FORM = parse(CONTENT)


def test_headings_of_our_exports_and_of_others_are_known() -> None:
    ours = [
        "lead_id",
        "created_time",
        "form",
        "status",
        "labels",
        "assignee",
        "is_test",
        "Your name",
        "E-mail",
        "Phone",
    ]
    assert suggest(ours, FORM) == [
        "", "lead.received_at_utc", "", "lead.status", "lead.labels", "lead.assignee", "lead.is_test", "name", "email",
        "phone_number",
    ]  # fmt: skip
    assert suggest(["Full Name", "EMAIL ADDRESS", "Mobile"], FORM) == ["name", "email", "phone_number"]
    assert suggest(["What do you wish? (Trial)"], FORM) == ["wish"]


def test_nothing_is_suggested_twice() -> None:
    assert suggest(["E-mail", "Email", "created_time", "date"], FORM) == ["email", "", "lead.received_at_utc", ""]


def test_form_s_own_words_go_before_ours() -> None:
    content = CONTENT | {"questions": [{"key": "state", "kind": "short_answer", "label": "Status"}]}
    assert suggest(["Status", "stage"], parse(content)) == ["state", "lead.status"]


def rows_of(*cells: str) -> list[Row]:
    return [Row(number, number, ["Ann", cell]) for number, cell in enumerate(cells)]


@pytest.mark.parametrize("heading", ["created_time", "Date", "Created (Asia/Tokyo)"])
def test_month_first_is_suggested_where_the_values_show_it(heading: str) -> None:
    first = ["name", "lead.received_at_month_first"]
    assert suggest(["Name", heading], FORM, rows_of("11/05/2026", "11/28/2026")) == first
    assert suggest(["Name", heading], FORM, rows_of("11/05/2026", "11/06/2026")) != first
    assert read_mapping(None, ["Name", heading, "E-mail"], FORM, rows_of("11/28/2026")) == [*first, "email"]


def test_time_of_receipt_is_suggested_once() -> None:
    assert suggest(["date", "created_time"], FORM) == ["lead.received_at", ""]


HEADINGS = ("Your name", "E-mail", "Phone")


@pytest.mark.parametrize(
    ("given", "mapping"),
    [
        (None, ["name", "email", "phone_number"]),
        (["name", "email", None], ["name", "email", ""]),
        ({"E-mail": "email", "Your name": "name"}, ["name", "email", ""]),
    ],
)
def test_mapping_is_a_list_an_object_or_a_suggestion(given: Any, mapping: list[str]) -> None:
    assert read_mapping(given, HEADINGS, FORM) == mapping


@pytest.mark.parametrize(
    ("given", "where"),
    [
        (["name", "email"], "mapping"),
        (["name", "email", "shoe"], "mapping.2"),
        (["name", "email", "email"], "mapping.2"),
        (["name", "lead.received_at", "lead.received_at_month_first"], "mapping"),
        (["name", "", ""], "mapping"),
        ({"Shoe": "name"}, "mapping"),
        ("name", "mapping"),
        ([{"a": 1}], "mapping"),
    ],
)
def test_mapping_that_cannot_be_is_refused(given: Any, where: str) -> None:
    with pytest.raises(Invalid) as refused:
        read_mapping(given, HEADINGS, FORM)
    assert set(refused.value.errors) == {where}
