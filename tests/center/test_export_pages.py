"""Asking for a file by page: what should be in it, for which leads; who took it; asking again."""

from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from django.test import Client
from django.utils import timezone
from pytest_django.fixtures import Settings

from accounts.models import AuditEvent, User
from leads.exports.selectors import get_export
from leads.exports.services.asking import request_export
from leads.exports.services.expiring import expire_exports
from leads.exports.services.handing_out import download
from leads.exports.services.running import run_due
from leads.models import Export, Label
from leads.selection import Selection
from leads.vault.walking import words_of
from tests.center.test_pages import signed_in
from tests.counting import statements
from tests.world import World, make_form, make_world, says

pytestmark = pytest.mark.django_db


@pytest.fixture
def world(settings: Settings, tmp_path: Path) -> World:
    settings.EXPORTS_DIR = str(tmp_path)
    return make_world()


@pytest.fixture
def client(world: World) -> Client:
    return signed_in(world.administrator)


def new(world: World, query: str = "") -> str:
    return f"/l/{world.library.pk}/exports/new/{query}"


def ask(client: Client, world: World, **posted: Any) -> Any:
    return client.post(f"/l/{world.library.pk}/leads/download/", posted)


def taken(world: World, export: Export, by: User | None = None) -> None:
    actor = by or world.administrator
    assert list(download(actor=actor, export=get_export(actor, export.pk)).parts)


def test_the_page_says_which_leads_and_offers_what_can_be_in_the_file(world: World, client: Client) -> None:
    world.add_lead()
    world.add_lead(is_test=True)
    other, version = make_form(world.account, "Second")
    world.add_lead(form=other, version=version)
    page = client.get(new(world, f"?form={world.form.pk}&status=raw"))
    assert page.context["count"] == "1 lead"
    assert [(chip.field, chip.value, chip.remove) for chip in page.context["chips"]] == [
        ("Status is", "Raw", new(world, f"?form={world.form.pk}")),
        ("Form is", "Trial", new(world, "?status=raw")),
    ]
    assert "Test leads are in the file only where it says which they are" in page.content.decode()
    assert "Test leads are in the file" not in client.get(new(world, "?test=1")).content.decode()
    mine = client.get(new(world, "?assignee=me")).context["chips"]
    nobodys = client.get(new(world, "?assignee=none")).context["chips"]
    assert [chip.value for chip in (*mine, *nobodys)] == ["you", "nobody"]
    assert dict(page.context["filter_items"]) == {"form": str(world.form.pk), "status": "raw"}
    assert [preset.value for preset in page.context["presets"]] == ["all", "crm", "tiktok", "chosen", "postback"]
    keys = [column.key for group in page.context["groups"] for column, _ticked in group.columns]
    assert {"lead_id", "field.email", f"question.{other.pk}.wish", f"consent.{world.form.pk}.news"} <= set(keys)
    assert page["Cache-Control"] == "max-age=0, no-cache, no-store, must-revalidate, private"


def test_what_was_chosen_is_asked_for_kept_in_the_session_and_shown_in_the_list(world: World, client: Client) -> None:
    world.add_lead()
    columns = ["created_time", "field.email"]
    answer = ask(
        client, world, layout="chosen", columns=columns, format="xlsx", time_zone="UTC", keep="1", form=world.form.pk
    )
    assert answer.headers["Location"] == f"/l/{world.library.pk}/exports/"
    export = Export.objects.get()
    assert (export.layout, export.columns, export.format, export.time_zone) == ("chosen", columns, "xlsx", "UTC")
    assert export.filter == {"state": "live", "form": world.form.pk}
    page = client.get(new(world))
    assert page.context["wanted"].columns == tuple(columns)
    ticked = [column.key for group in page.context["groups"] for column, ticked in group.columns if ticked]
    assert ticked == columns
    [row] = client.get(f"/l/{world.library.pk}/exports/").context["rows"]
    assert (row.layout, row.columns, row.format) == ("Chosen columns", 2, "XLSX")


def test_a_choice_of_another_library_is_not_offered(world: World, client: Client) -> None:
    session = client.session
    session["export_choice"] = {
        "library": world.stranger_library.pk, "layout": "crm", "columns": [], "file_format": "csv", "time_zone": "",
    }  # fmt: skip
    session.save()
    assert client.get(new(world)).context["wanted"].layout == "all"


def test_what_cannot_be_is_told_on_the_page_with_the_choice_still_there(world: World, client: Client) -> None:
    answer = ask(client, world, layout="chosen", format="csv", keep="1", status="raw")
    assert answer.headers["Location"] == new(world, "?status=raw&layout=chosen&format=csv")
    page = client.get(answer.headers["Location"])
    assert "Choose at least one column." in page.content.decode()
    assert page.context["wanted"].layout == "chosen"
    assert not Export.objects.exists()
    assert "export_choice" not in client.session


def test_one_press_still_asks_for_everything_and_a_preset_for_itself(world: World, client: Client) -> None:
    ask(client, world)
    ask(client, world, layout="postback", format="xlsx", time_zone="Europe/Berlin")
    asked = Export.objects.order_by("requested_at").values_list("layout", "format", "time_zone")
    assert list(asked) == [("all", "csv", ""), ("postback", "csv", "")]
    listed = client.get(f"/l/{world.library.pk}/leads/?status=raw").content.decode()
    assert f'href="{new(world, "?status=raw")}"' in listed


def test_chosen_leads_get_the_same_choices(world: World, client: Client) -> None:
    first, second = world.add_lead(), world.add_lead()
    world.add_lead()
    page = client.post(f"/l/{world.library.pk}/leads/bulk/", {"act": "columns", "ids": [str(first.pk), str(second.pk)]})
    assert (page.status_code, page.context["count"]) == (200, "2 leads")
    posted = dict(page.context["filter_items"])
    ask(client, world, layout="crm", keep="1", **posted)
    export = Export.objects.get()
    assert (export.layout, export.filter["leads"]) == ("crm", [first.pk, second.pk])
    nobody = client.post(f"/l/{world.library.pk}/leads/bulk/", {"act": "columns"})
    assert nobody.status_code == 302
    assert Export.objects.count() == 1


def test_leads_in_the_trash_are_not_offered(world: World, client: Client) -> None:
    page = client.get(new(world, "?state=trashed"))
    assert page.context["impossible"]
    assert "Make the file" not in page.content.decode()
    assert "Make the file" in client.get(new(world)).content.decode()


@pytest.mark.parametrize(("who", "status"), [("operator", 403), ("analyst", 403), ("stranger", 404)])
def test_whoever_may_not_download_sees_no_choice(world: World, who: str, status: int) -> None:
    caller = signed_in(getattr(world, who))
    for answer in (
        caller.get(new(world)),
        ask(caller, world, layout="chosen", columns=["lead_id"]),
        caller.post(f"/l/{world.library.pk}/leads/bulk/", {"act": "columns", "ids": ["1"]}),
    ):
        assert answer.status_code == status
        assert "What do you wish?" not in answer.content.decode()
    assert not Export.objects.exists()


def test_after_a_transfer_the_choice_is_the_new_custodians(world: World) -> None:
    world.hand_over()
    assert signed_in(world.administrator).get(new(world)).status_code == 403
    assert signed_in(world.client_admin).get(new(world)).status_code == 200


def test_the_list_says_who_took_a_file_and_until_when_it_is_there(world: World, client: Client) -> None:
    world.add_lead()
    page = f"/l/{world.library.pk}/exports/"
    export = request_export(actor=world.administrator, library=world.library, selection=Selection())
    run_due()
    [row] = client.get(page).context["rows"]
    assert (row.taken, row.state) == (None, "done")
    taken(world, export)
    taken(world, export)
    answer = client.get(page)
    [row] = answer.context["rows"]
    assert (row.taken.who, row.taken.times) == ("Ada", 2)
    assert row.taken.at == AuditEvent.objects.filter(act="export_downloaded").latest("at").at
    assert row.expires_at == Export.objects.get().expires_at
    listed = client.get(f"/l/{world.library.pk}/leads/").context["page"]
    assert (listed.last_download.startswith("Last download "), listed.last_download.endswith(", Ada, 1 lead")) == (
        True,
        True,
    )


def test_an_expired_file_is_asked_for_again_with_the_same_choice(world: World, client: Client) -> None:
    world.add_lead()
    ask(client, world, layout="chosen", columns=["lead_id", "field.email"], status="raw", time_zone="UTC", keep="1")
    run_due()
    Export.objects.update(expires_at=timezone.now() - timedelta(seconds=1))
    expire_exports()
    page = client.get(f"/l/{world.library.pk}/exports/")
    [row] = page.context["rows"]
    assert "ask for it again" in page.content.decode()
    client.session.flush()
    again = signed_in(world.administrator).get(row.again)
    assert dict(again.context["filter_items"]) == {"status": "raw"}
    wanted = again.context["wanted"]
    assert (wanted.layout, wanted.columns, wanted.time_zone) == ("chosen", ("lead_id", "field.email"), "UTC")


def test_the_list_of_exports_asks_the_same_number_of_queries(world: World, client: Client) -> None:
    page, counts = f"/l/{world.library.pk}/exports/", []
    client.get(page)
    for number in (1, 2):
        for _ in range(number):
            export = request_export(actor=world.administrator, library=world.library, selection=Selection())
            run_due()
            taken(world, export)
        with statements() as spoken:
            client.get(page)
        counts.append(len(spoken))
    assert counts == [9, 9]


def test_the_list_says_in_words_which_leads_each_file_is_of(world: World, client: Client) -> None:
    ada, library = world.administrator, world.library
    label = Label.objects.create(library=library, name="hot")
    filters = (
        Selection(),
        Selection(status="qualified", form=world.form.pk, label=label.pk, source="not_import", test=False),
        Selection(assignee=ada.pk),
        Selection(assignee=world.operator.pk, leads=(1, 2)),
        Selection(words=words_of(library.pk, "ann@example.com")),
        Selection(label=label.pk),
    )
    for one in filters:
        request_export(actor=ada, library=library, selection=one)
        Export.objects.update(state="done", expires_at=timezone.now())
    answer = client.get(f"/l/{library.pk}/exports/")
    assert [row.which for row in answer.context["rows"]][::-1] == [
        "All leads",
        "Status is Qualified; Form is Trial; Label is hot; Came by Not imported; Test leads left out",
        "Assignee is you",
        f"Assignee is {world.operator}; Chosen 2 leads",
        "a search",
        "Label is hot",
    ]
    page = answer.content.decode()
    assert page.count("Label is hot") == 2
    assert "ann@" not in page
    label.delete()
    assert client.get(f"/l/{library.pk}/exports/").context["rows"][0].which == "Label is unknown"


def test_filters_in_words_ask_once_for_each_kind_of_name(world: World, client: Client) -> None:
    page, counts = f"/l/{world.library.pk}/exports/", []
    client.get(page)
    for number in range(3):
        form, _version = make_form(world.account, f"Form {number}")
        selection = Selection(form=form.pk, campaign=world.ad.ad_group.campaign_id)
        request_export(actor=world.administrator, library=world.library, selection=selection)
        with statements() as spoken:
            client.get(page)
        counts.append(len(spoken))
    assert counts == [11, 11, 11]


def test_a_stopped_file_says_why_and_offers_to_ask_again(world: World, client: Client) -> None:
    ask(client, world, layout="crm")
    Export.objects.update(state="failed", failure="A lead could not be opened.", wrapped_key=None)
    page = client.get(f"/l/{world.library.pk}/exports/")
    assert "A lead could not be opened." in page.content.decode()
    assert page.context["rows"][0].again == new(world, "?layout=crm&format=csv")


def test_a_partner_is_told_of_its_own_side_alone(world: World, client: Client, partner: User) -> None:
    world.add_lead()
    page, api = f"/l/{world.library.pk}/exports/", f"/api/v1/libraries/{world.library.pk}/exports/"
    theirs = request_export(actor=world.administrator, library=world.library, selection=Selection())
    run_due()
    taken(world, theirs)
    reader = signed_in(partner)
    for known in (None, partner):
        [row] = reader.get(page).context["rows"]
        [told] = reader.get(api).json()["results"]
        assert (row.who, told["requested_by"]) == ("Agency", None)
        assert (row.taken.who if row.taken else None) == (str(known) if known else None)
        assert told["downloads"] == reader.get(f"/api/v1/exports/{theirs.pk}/").json()["downloads"]
        assert (told["downloads"] or {}).get("last_by") == (str(known) if known else None)
        assert not says(reader.get(page).content.decode(), "Ada")
        for where in ("leads/", "leads/board/"):
            assert reader.get(f"/l/{world.library.pk}/{where}").context["page"].last_download == ""
        taken(world, theirs, by=partner)
    own = request_export(actor=partner, library=world.library, selection=Selection())
    assert reader.get(f"/api/v1/exports/{own.pk}/").json()["requested_by"] == {"id": str(partner.pk), "name": "Lena"}
    assert client.get(f"/l/{world.library.pk}/leads/").context["page"].last_download


def test_rest_tells_of_a_file_what_the_page_tells(world: World, client: Client) -> None:
    lead = world.add_lead()
    body = {"format": "csv", "filter": {"status": "raw", "q": "ann"}}
    asked = client.post(f"/api/v1/libraries/{world.library.pk}/exports/", body, content_type="application/json").json()
    ada = {"id": str(world.administrator.pk), "name": "Ada"}
    assert (asked["requested_by"], asked["downloads"]) == (ada, None)
    assert (asked["filter"]["status"], sorted(asked["filter"])) == ("raw", ["s", "status"])
    listed = client.get(f"/api/v1/libraries/{world.library.pk}/leads/", asked["filter"]).json()["results"]
    assert [row["id"] for row in listed] == [str(lead.pk)]
    run_due()
    taken(world, Export.objects.get())
    taken(world, Export.objects.get())
    [told] = client.get(f"/api/v1/libraries/{world.library.pk}/exports/").json()["results"]
    at = AuditEvent.objects.filter(act="export_downloaded").latest("at").at
    assert told["downloads"] == {"times": 2, "last_at": at.isoformat().replace("+00:00", "Z"), "last_by": "Ada"}
    assert (told["requested_by"], told["filter"]) == (ada, asked["filter"])
