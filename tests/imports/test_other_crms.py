"""Files of other CRMs and our own: names in two columns, countries as people write them, exports that come back."""

from typing import Any

import pytest
from django.utils import timezone

from accounts.refusals import Invalid
from forms_builder.countries import COUNTRIES
from forms_builder.models import FormVersion
from forms_builder.parsing import parse
from leads.exports.services.asking import request_export
from leads.exports.services.running import run_due as export_due
from leads.imports.countries import ALPHA_3, CALLED, country_code
from leads.imports.faults import overview_of
from leads.imports.mapping import judge, suggest, targets_of
from leads.models import Export, Lead
from leads.selection import Selection
from tests.exports.test_running import content_of
from tests.imports.files import answers_of, checked, counts, csv_of, imported
from tests.world import CONTENT, World

NAMES = ("First name", "Last name", "E-mail")
FORM = parse(CONTENT)
MORE = [
    {"key": "company_name", "kind": "company_name", "label": "Firm", "required": False},
    {"key": "country", "kind": "country", "label": "Where?", "required": False},
    {"key": "zip_code", "kind": "zip_code", "label": "Post code", "required": False},
]


def form_with(*kinds: str) -> Any:
    return parse({"questions": [{"key": kind, "kind": kind, "label": f"Your {kind}"} for kind in kinds]})


def ask_more(world: World) -> None:
    """Publish a version that asks more standard fields."""
    content = {**CONTENT, "questions": [*CONTENT["questions"], *MORE]}
    FormVersion.objects.filter(form=world.form).update(status="superseded")
    version = FormVersion.objects.create(
        form=world.form, number=2, content=content, status="published", published_at=timezone.now()
    )
    world.form.published = world.version = version
    world.form.save(update_fields=["published"])


@pytest.mark.parametrize("headings", [NAMES, ("Last name", "First name", "E-mail"), ("Nachname", "Vorname", "Mail")])
def test_first_and_last_name_fill_the_one_name_together(world: World, headings: tuple[str, ...]) -> None:
    cells = ("Ann", "Example") if headings[0] == "First name" else ("Example", "Ann")
    rows = csv_of((*cells, "ann@example.com"), ("Cher", "", "cher@example.com"), headings=headings)
    row = imported(world, rows)
    assert (set(row.mapping), counts(row)) == ({"name.first_name", "name.last_name", "email"}, (2, 0, 0, 0))
    assert [answers_of(lead)["name"] for lead in Lead.objects.order_by("pk")] == ["Ann Example", "Cher"]


def test_row_without_first_and_last_name_is_faulty(world: World) -> None:
    row = checked(world, csv_of(("", "", "ann@example.com"), headings=NAMES))
    assert (counts(row), overview_of(row).first[0].reasons) == ((0, 0, 0, 1), "First name: An answer is needed.")


def test_parts_of_a_name_are_suggested_where_nothing_else_asks_or_fills_it() -> None:
    assert suggest(NAMES, FORM) == ["name.first_name", "name.last_name", "email"]
    assert suggest([*NAMES, "Full name"], FORM) == ["", "", "email", "name"]
    assert suggest(NAMES, form_with("first_name", "last_name", "email")) == ["first_name", "last_name", "email"]
    assert suggest(NAMES, form_with("name", "last_name")) == ["", "last_name", ""]
    assert suggest(NAMES, form_with("email")) == ["", "", "email"]


def test_parts_of_a_name_are_offered_behind_it_and_fill_it_once() -> None:
    assert [(one.key, one.label, one.required) for one in targets_of(FORM)][:3] == [
        ("name", "Your name", True), ("name.first_name", "Your name: first name", False),
        ("name.last_name", "Your name: last name", False),
    ]  # fmt: skip
    assert judge(["name.last_name", "email"], ["a", "b"], FORM) == ["name.last_name", "email"]
    for mapping in (["name", "name.first_name", "email"], ["name.first_name", "name", "email"]):
        with pytest.raises(Invalid) as refused:
            judge(mapping, ["a", "b", "c"], FORM)
        assert set(refused.value.errors) == {f"mapping.{mapping.index('name.first_name')}"}
    with pytest.raises(Invalid):
        judge(["email.first_name", "name", "email"], ["a", "b", "c"], FORM)


def test_e_mail_and_phone_of_any_kind_are_filled_where_no_column_of_their_own_is() -> None:
    form = form_with("work_email", "work_phone")
    assert suggest(["Email", "Phone"], form) == ["work_email", "work_phone"]
    assert suggest(["Email", "Phone", "Work phone", "Work e-mail"], form) == ["", "", "work_phone", "work_email"]


def test_file_for_a_crm_comes_back_as_it_was(world: World) -> None:
    ask_more(world)
    extra = (
        ["company_name", "Firm", "Acme GmbH", "company_name"],
        ["country", "Where?", "Germany", "country"],
        ["zip_code", "Post code", "01067", "zip_code"],
    )
    at = timezone.now().replace(microsecond=0)
    for name in ("Ann Mary Example", "Cher"):
        lead = world.add_lead(name=name, email=f"{name[:3]}@example.com", extra=extra)
        Lead.objects.filter(pk=lead.pk).update(received_at=at, status="qualified")
    export = request_export(
        actor=world.administrator, library=world.library, selection=Selection(), file_format="csv",
        layout=Export.Layout.CRM,
    )  # fmt: skip
    export_due()
    export.refresh_from_db()
    row = imported(world, content_of(world, export), duplicates="add")
    assert counts(row) == (2, 0, 0, 0)
    before, after = Lead.objects.exclude(source="import"), Lead.objects.filter(source="import")
    told = [
        sorted((sorted(answers_of(lead).items()), lead.status, lead.received_at) for lead in leads)
        for leads in (before, after)
    ]
    assert told[1] == told[0]


WRITTEN = {
    "US": ["USA", "U.S.A.", "us", "United States of America", "the United States"],
    "GB": ["UK", "U.K.", "Great Britain", "GBR", "England"],
    "DE": ["Deutschland", "DEU", "germany"],
    "ES": ["España", "Espana", "ESP"],
    "FR": ["France", "FRA"],
    "AT": ["Österreich", "AUT"],
    "KR": ["Korea, Republic of", "대한민국"],
    "CZ": ["Czech Republic", "Česko"],
    "BA": ["Bosnia & Herzegovina"],
    "TH": ["Thailand", "ประเทศไทย"],
    "NL": ["the Netherlands", "Holland"],
    "": ["Atlantis", "", "the", "XX", "German"],
}


@pytest.mark.parametrize(("name", "code"), [(name, code) for code, names in WRITTEN.items() for name in names])
def test_country_is_known_by_whatever_people_call_it(name: str, code: str) -> None:
    assert country_code(name) == code


def test_every_country_has_codes_and_names_of_its_own() -> None:
    assert [both[:2] for both in ALPHA_3.split()] == sorted(COUNTRIES)
    names = {code: {code, name, *CALLED.get(code, code).split("; ")} for code, name in COUNTRIES.items()}
    names = {code: some | {both[2:] for both in ALPHA_3.split() if both[:2] == code} for code, some in names.items()}
    assert CALLED.keys() <= COUNTRIES.keys()
    assert [(name, code) for code, some in names.items() for name in some if country_code(name) != code] == []


def test_country_of_a_row_is_read_and_what_is_none_is_faulty(world: World) -> None:
    ask_more(world)
    rows = csv_of(
        ("Ann", "ann@example.com", "USA"), ("Eve", "eve@example.com", "Atlantis"), headings=("Name", "Mail", "Country")
    )
    row = imported(world, rows)
    assert (counts(row), answers_of(Lead.objects.get())["country"]) == ((1, 0, 0, 1), "United States")
    assert overview_of(row).first[0].reasons == "Country: Choose a country from the list."
