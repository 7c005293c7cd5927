"""The REST API of leads: shapes, scopes, refusals that tell and change nothing."""

import csv
import io
import json
from collections.abc import Callable
from typing import Any

import pytest
from django.test import Client
from pytest_django.fixtures import Settings

from accounts.models import Act, AuditEvent, AuditTarget, User
from accounts.services.tokens import create_token
from leads.center.services.deleting import delete_leads
from leads.exports.services.running import run_due
from leads.models import Delivery, Export, Lead
from tests.counting import statements
from tests.world import World, make_form, says

Call = Callable[..., Any]


def caller(user: User, *scopes: str) -> Call:
    """Return a function that calls the API with a token of `user`."""
    _token, raw = create_token(user=user, name="test", scopes=scopes or ("everything",))
    client = Client(headers={"authorization": f"Bearer {raw}"})

    def call(method: str, path: str, body: object = None) -> Any:
        data = json.dumps(body) if body is not None else None
        return client.generic(method, f"/api/v1/{path}", data or "", content_type="application/json")

    return call


def test_a_token_reads_leads_in_clear_with_one_trace_per_page(world: World) -> None:
    ids = [world.add_lead(with_ad=True).pk for _ in range(3)]
    answer = caller(world.administrator)("GET", f"libraries/{world.library.pk}/leads/")

    assert answer.status_code == 200
    assert answer["Cache-Control"] == "no-store"
    body = answer.json()
    assert [lead["id"] for lead in body["results"]] == [str(lead_id) for lead_id in reversed(ids)]
    assert (body["next"], body["previous"]) == (None, None)
    lead = body["results"][0]
    assert lead["answers"][1] == {"key": "email", "label": "E-mail", "value": "ann@example.com"}
    expected: dict[str, object] = {
        "status": "raw",
        "labels": [],
        "assignee": None,
        "region": "eu",
        "is_test": False,
        "duplicate_of": None,
    }
    assert {name: lead[name] for name in expected} == expected
    assert (lead["form"], lead["form_version"]) == (str(world.form.pk), 1)
    assert (lead["ad"], lead["campaign"]) == (str(world.ad.pk), str(world.ad.ad_group.campaign_id))
    assert lead["received_at"].endswith("Z")
    event = AuditEvent.objects.get(act=Act.LEADS_READ)
    assert AuditTarget.objects.filter(event=event).count() == 3


def test_a_token_without_the_scope_reads_the_same_leads_without_answers(world: World) -> None:
    lead = world.add_lead()
    call = caller(world.administrator, "forms:read")
    listed = call("GET", f"libraries/{world.library.pk}/leads/").json()["results"]
    alone = call("GET", f"leads/{lead.pk}/").json()
    assert [row["id"] for row in listed] == [str(lead.pk)] == [alone["id"]]
    assert "answers" not in listed[0]
    assert "answers" not in alone
    assert not says(json.dumps([listed, alone]), "ann")
    assert call("PATCH", f"leads/{lead.pk}/", {"status": "converted"}).status_code == 403
    assert call("POST", f"libraries/{world.library.pk}/exports/", {"format": "csv"}).status_code == 403
    lead.refresh_from_db()
    assert lead.status == "raw"


def test_a_session_sees_what_the_page_shows_until_it_reveals(world: World, client: Client) -> None:
    lead = world.add_lead()
    client.force_login(world.administrator)
    listed = client.get(f"/api/v1/libraries/{world.library.pk}/leads/?reveal=1").json()["results"][0]
    masked = client.get(f"/api/v1/leads/{lead.pk}/").json()
    clear = client.get(f"/api/v1/leads/{lead.pk}/?reveal=1").json()
    emails = [row["answers"][1]["value"] for row in (listed, masked, clear)]
    assert emails == ["a•••@example.com", "a•••@example.com", "ann@example.com"]
    acts = AuditEvent.objects.filter(targets__object_id=lead.pk).order_by("at", "id").values_list("act", flat=True)
    assert list(acts) == [Act.LEADS_READ, Act.LEAD_OPENED, Act.LEAD_REVEALED]


def test_pages_follow_each_other_with_their_filters(world: World) -> None:
    for _ in range(3):
        world.add_lead()
    call = caller(world.administrator)
    page = call("GET", f"libraries/{world.library.pk}/leads/?page_size=2&form={world.form.pk}").json()
    assert len(page["results"]) == 2
    assert f"form={world.form.pk}" in page["next"]
    rest = call("GET", page["next"].partition("/api/v1/")[2]).json()
    assert len(rest["results"]) == 1
    assert rest["next"] is None


@pytest.mark.parametrize(
    "query", ["status=x", "cursor=x", "page_size=0", "page_size=1000", "order=name", "since=x", "q=%20", "s=x"]
)
def test_bad_parameters_are_bad_input(world: World, query: str) -> None:
    answer = caller(world.administrator)("GET", f"libraries/{world.library.pk}/leads/?{query}")
    assert answer.status_code == 400
    assert list(answer.json()["errors"]) == [query.partition("=")[0]]


def test_search_is_by_post_and_its_next_page_holds_no_value(world: World) -> None:
    for _ in range(3):
        world.add_lead()
    world.add_lead(name="Bob", email="bob@example.com")
    call = caller(world.administrator)
    page = call("POST", f"libraries/{world.library.pk}/leads/search/?page_size=2", {"q": "ann@example.com"}).json()
    assert len(page["results"]) == 2
    assert not says(page["next"], "ann")
    assert "example.com" not in page["next"]
    rest = call("GET", page["next"].partition("/api/v1/")[2]).json()
    assert len(rest["results"]) == 1
    found = call("GET", f"libraries/{world.library.pk}/leads/?q=Bob").json()["results"]
    assert [lead["answers"][0]["value"] for lead in found] == ["Bob"]


def test_a_lead_is_changed_deleted_and_restored(world: World) -> None:
    lead = world.add_lead()
    call, path = caller(world.administrator), f"leads/{lead.pk}/"
    body = {"status": "qualified", "labels": ["hot"], "assignee": str(world.administrator.pk)}
    changed = call("PATCH", path, body).json()
    assert {name: changed[name] for name in body} == body
    assert call("PATCH", path, {"assignee": None}).json()["assignee"] is None
    gone = call("DELETE", path)
    assert (gone.status_code, gone.content) == (204, b"")
    assert call("GET", path).status_code == 404
    assert call("DELETE", path).status_code == 404
    assert call("GET", f"libraries/{world.library.pk}/leads/?state=trashed").json()["results"][0]["id"] == str(lead.pk)
    restored = call("POST", f"{path}restore/")
    assert (restored.status_code, restored.json()["status"]) == (200, "qualified")
    assert call("POST", f"{path}restore/").status_code == 404


@pytest.mark.parametrize(
    ("body", "field"),
    [
        ({"status": "new"}, "status"),
        ({"status": 3}, "status"),
        ({"labels": "hot"}, "labels"),
        ({"labels": [""]}, "labels"),
        ({"assignee": "x"}, "assignee"),
        ({"assignee": "1"}, "assignee"),
        ({"answers": []}, "answers"),
        ({}, "body"),
        ([1], "body"),
    ],
)
def test_a_bad_change_names_its_field_and_changes_nothing(world: World, body: object, field: str) -> None:
    lead = world.add_lead()
    answer = caller(world.administrator)("PATCH", f"leads/{lead.pk}/", body)
    assert (answer.status_code, list(answer.json()["errors"])) == (400, [field])
    lead.refresh_from_db()
    assert (lead.status, lead.changes) == ("raw", 0)


def test_many_leads_change_by_ids_or_by_filter(world: World) -> None:
    ids = [world.add_lead().pk for _ in range(3)]
    call, path = caller(world.administrator), f"libraries/{world.library.pk}/leads/bulk/"
    assert call("POST", path, {"ids": [str(ids[0])], "set": {"status": "contacted"}}).json() == {"changed": 1}
    answer = call("POST", path, {"filter": {"status": "raw"}, "set": {"labels": ["new"]}})
    assert answer.json() == {"changed": 2}
    assert call("POST", path, {"ids": [str(ids[0]), "5"], "delete": True}).status_code == 404
    assert call("POST", path, {"filter": {"q": "nobody"}, "delete": True}).status_code == 400
    for bad in ({}, {"ids": [], "delete": True}, {"ids": ["x"], "delete": True}, {"delete": True}, {"ids": ["1"]}):
        assert call("POST", path, bad).status_code == 400
    assert Lead.objects.filter(state="live").count() == 3
    assert call("POST", path, {"filter": {}, "delete": True}).json() == {"changed": 3}
    assert call("POST", path, {"filter": {}, "restore": True}).json() == {"changed": 3}


UNREAD: tuple[tuple[object, str], ...] = (
    ({"statuss": "qualified"}, "statuss"),
    ({"status": "qualified", "bogus": "1"}, "bogus"),
    ({"sort": "bogus"}, "sort"),
    ({"assignee": None}, "assignee"),
    ({"label": ""}, "label"),
    ({"q": ""}, "q"),
    ("status=qualified", "filter"),
    (["qualified"], "filter"),
    (None, "filter"),
)


@pytest.mark.parametrize(("given", "field"), UNREAD)
@pytest.mark.parametrize("act", ["exports/", "leads/bulk/"])
def test_a_filter_that_would_go_unread_never_means_all_leads(world: World, act: str, given: object, field: str) -> None:
    lead = world.add_lead()
    body = {"filter": given} | ({"format": "csv"} if act == "exports/" else {"set": {"status": "converted"}})
    answer = caller(world.administrator)("POST", f"libraries/{world.library.pk}/{act}", body)
    assert (answer.status_code, list(answer.json()["errors"])) == (400, [field])
    lead.refresh_from_db()
    assert (lead.status, lead.changes, Export.objects.count()) == ("raw", 0, 0)


@pytest.mark.parametrize(
    ("act", "body", "offered"),
    [
        ("exports/", {"filters": {"status": "qualified"}}, "columns, filter, format, layout, time_zone"),
        ("exports/", {"filter": {"assigne": "none"}}, "status, state, label, assignee"),
        ("leads/bulk/", {"filter": {"assigne": "none"}, "delete": True}, "status, state, label, assignee"),
        ("leads/bulk/", {"filters": {}, "ids": ["1"], "delete": True}, "delete, filter, ids, resend, restore, set"),
        ("leads/search/", {"q": "ann@example.com", "filter": {"statuss": "raw"}}, "status, state, label, assignee"),
        ("leads/search/", {"q": "ann@example.com", "statuss": "raw"}, "status"),
    ],
)
def test_an_unknown_name_is_told_with_what_is_offered(world: World, act: str, body: Any, offered: str) -> None:
    lead = world.add_lead()
    answer = caller(world.administrator)("POST", f"libraries/{world.library.pk}/{act}", body)
    [(name, told)] = answer.json()["errors"].items()
    assert (answer.status_code, name in json.dumps(body), offered in told) == (400, True, True)
    lead.refresh_from_db()
    assert (lead.state, Export.objects.count()) == ("live", 0)
    assert not AuditEvent.objects.filter(act__in=[Act.LEADS_READ, Act.LEADS_SEARCHED]).exists()


def test_an_export_takes_one_object_and_nothing_else(world: World) -> None:
    call, path = caller(world.administrator), f"libraries/{world.library.pk}/exports/"
    assert list(call("POST", path, ["csv"]).json()["errors"]) == ["body"]
    assert Export.objects.count() == 0


def test_notes_timeline_and_consent_are_there(world: World) -> None:
    lead = world.add_lead()
    call = caller(world.administrator)
    assert call("POST", f"leads/{lead.pk}/notes/", {"text": "Call back"}).status_code == 201
    assert call("POST", f"leads/{lead.pk}/notes/", {"text": ""}).status_code == 400
    notes = call("GET", f"leads/{lead.pk}/notes/").json()["results"]
    assert [(note["text"], note["author"]["name"]) for note in notes] == [("Call back", "Ada")]
    kinds = [moment["kind"] for moment in call("GET", f"leads/{lead.pk}/timeline/").json()["results"]]
    assert kinds[-2:] == ["note_added", "received"]
    consent = call("GET", f"leads/{lead.pk}/consent/").json()
    assert consent["consents"] == [{"key": "news", "label": "Send me news", "required": False, "ticked": True}]


def test_a_test_lead_is_made_for_a_form(world: World) -> None:
    answer = caller(world.administrator)("POST", f"forms/{world.form.pk}/test-lead/")
    assert (answer.status_code, answer.json()["is_test"]) == (201, True)


def test_a_library_is_listed_shown_and_changed_by_its_custodian(world: World) -> None:
    call, path = caller(world.administrator), f"libraries/{world.library.pk}/"
    assert [row["id"] for row in call("GET", "libraries/").json()["results"]] == [str(world.library.pk)]
    assert call("PATCH", path, {"retention_days": 30}).json()["retention_days"] == 30
    for bad in ({"retention_days": 0}, {"retention_days": "30"}, {"custodian": 1}):
        assert call("PATCH", path, bad).status_code == 400
    analyst = caller(world.analyst)
    assert analyst("GET", path).json()["retention_days"] == 30
    assert analyst("PATCH", path, {"retention_days": 1}).status_code == 403


def test_an_export_is_asked_for_made_and_taken(world: World, settings: Settings, tmp_path: Any) -> None:
    settings.EXPORTS_DIR = str(tmp_path)
    lead = world.add_lead(name="=1+1")
    world.add_lead(name="Bob", is_test=True)
    call = caller(world.administrator)
    path = f"libraries/{world.library.pk}/exports/"
    asked = call("POST", path, {"format": "csv", "filter": {"test": "0"}})
    assert (asked.status_code, asked.json()["state"], asked.json()["file"]) == (201, "pending", None)
    file_path = f"exports/{asked.json()['id']}/file/"
    assert call("GET", file_path).status_code == 409
    run_due()
    done = call("GET", f"exports/{asked.json()['id']}/").json()
    assert (done["state"], done["progress"], done["rows"]) == ("done", 1.0, 1)
    taken = call("GET", done["file"].partition("/api/v1/")[2])
    content = b"".join(taken.streaming_content)
    assert (taken.status_code, int(taken["Content-Length"])) == (200, len(content))
    assert taken["Cache-Control"] == "no-store"
    assert taken["Content-Disposition"].startswith('attachment; filename="leads-')
    rows = list(csv.DictReader(io.StringIO(content.decode("utf-8-sig"))))
    assert [(row["lead_id"], row["Your name"]) for row in rows] == [(str(lead.pk), "'=1+1")]
    for who, status in (("operator", 403), ("analyst", 403), ("stranger", 404), ("client_admin", 404)):
        refused = caller(getattr(world, who))("GET", file_path)
        assert refused.status_code == status
        assert b"Ann" not in refused.content
    assert call("POST", path, {"format": "exe"}).status_code == 400
    form, _version = make_form(world.stranger_library.ad_account, "Theirs")
    assert call("POST", path, {"format": "csv", "filter": {"form": str(form.pk)}}).status_code == 404
    assert Export.objects.count() == 1


def test_a_file_has_the_layout_and_the_columns_that_the_api_asks_for(
    world: World, settings: Settings, tmp_path: Any
) -> None:
    settings.EXPORTS_DIR = str(tmp_path)
    lead = world.add_lead(name="Ann")
    call = caller(world.administrator)
    offered = call("GET", f"libraries/{world.library.pk}/export-columns/").json()
    assert [one["layout"] for one in offered["layouts"]] == ["all", "tiktok", "crm", "chosen", "postback"]
    assert offered["layouts"][4] == {"layout": "postback", "label": "TikTok signal postback", "formats": ["csv"]}
    wish = f"question.{world.form.pk}.wish"
    known = {column["key"]: column for column in offered["columns"]}
    assert known[wish] == {"key": wish, "label": "What do you wish?", "group": "questions", "form": "Trial"}
    path = f"libraries/{world.library.pk}/exports/"
    body = {"format": "csv", "layout": "chosen", "columns": [wish, "created_time"], "time_zone": "Asia/Tokyo"}
    asked = call("POST", path, {**body, "filter": {"lead": str(lead.pk)}}).json()
    run_due()
    told = call("GET", f"exports/{asked['id']}/").json()
    assert {name: told[name] for name in body} == body
    content = b"".join(call("GET", f"exports/{asked['id']}/file/").streaming_content).decode("utf-8-sig")
    assert content.partition("\r\n")[0] == '"What do you wish?","created_time (Asia/Tokyo)"'
    for wrong in (
        {"layout": "chosen"},
        {"layout": "chosen", "columns": "lead_id"},
        {"layout": "chosen", "columns": [1]},
        {"layout": "chosen", "columns": ["password"]},
        {"layout": "none"},
        {"time_zone": "Mars/Base"},
        {"layout": "postback", "format": "xlsx"},
    ):
        assert call("POST", path, {"format": "csv", **wrong}).status_code == 400, wrong
    assert Export.objects.count() == 1


READS = (
    "libraries/{library}/export-columns/",
    "libraries/{library}/leads/",
    "libraries/{library}/leads/?q=ann",
    "leads/{lead}/",
    "leads/{lead}/?reveal=1",
    "leads/{lead}/notes/",
    "leads/{lead}/timeline/",
    "leads/{lead}/consent/",
    "libraries/{library}/exports/",
    "libraries/{library}/audit-events/",
)
WRITES: tuple[tuple[str, str, object], ...] = (
    ("PATCH", "leads/{lead}/", {"status": "converted"}),
    ("DELETE", "leads/{lead}/", None),
    ("POST", "leads/{trashed}/restore/", None),
    ("POST", "leads/{lead}/notes/", {"text": "x"}),
    ("POST", "libraries/{library}/leads/search/", {"q": "ann"}),
    ("POST", "libraries/{library}/leads/bulk/", {"filter": {}, "delete": True}),
    ("POST", "libraries/{library}/exports/", {"format": "csv"}),
    ("POST", "forms/{form}/test-lead/", None),
    ("PATCH", "libraries/{library}/", {"retention_days": 1}),
)


@pytest.mark.parametrize(
    ("who", "status"),
    [("operator", 403), ("analyst", 403), ("stranger", 404), ("client_admin", 404), ("former", 403), ("nobody", 401)],
)
def test_every_operation_is_refused_to_whoever_lacks_the_right(world: World, who: str, status: int) -> None:
    lead, trashed = world.add_lead(), world.add_lead()
    delete_leads(actor=world.administrator, library=world.library, lead_ids=[trashed.pk])
    if who == "former":  # the agency's Administrator after the leads were handed over
        world.hand_over()
    actor = world.administrator if who == "former" else getattr(world, who, None)
    call = caller(actor) if actor else lambda *args: Client().generic(args[0], f"/api/v1/{args[1]}", "")
    names = {"library": world.library.pk, "lead": lead.pk, "trashed": trashed.pk, "form": world.form.pk}
    fields = ("pk", "state", "status", "changes")
    before = list(Lead.objects.order_by("pk").values_list(*fields))
    for method, path, body in (*(("GET", path, None) for path in READS), *WRITES):
        answer = call(method, path.format(**names), body)
        told = (method, path, answer.content)
        assert answer.status_code == status, told
        assert b"ann" not in answer.content.lower(), told
        if status == 403:
            assert answer.json()["who_can_help"], told
            assert answer.json()["reason"], told
    assert list(Lead.objects.order_by("pk").values_list(*fields)) == before
    assert not Export.objects.exists()
    world.library.refresh_from_db()
    assert world.library.retention_days == 90
    looks = AuditEvent.objects.filter(targets__object_id=lead.pk).exclude(act=Act.LEADS_DELETED)
    assert not looks.exists()


def test_the_client_reads_and_works_after_the_transfer(world: World) -> None:
    old = world.add_lead()
    world.hand_over()
    new = world.add_lead()
    call = caller(world.client_admin)
    listed = call("GET", f"libraries/{world.library.pk}/leads/").json()["results"]
    assert [lead["id"] for lead in listed] == [str(new.pk), str(old.pk)]
    assert call("PATCH", f"leads/{old.pk}/", {"status": "contacted"}).json()["status"] == "contacted"


def test_the_trail_is_told_and_filtered(world: World) -> None:
    lead = world.add_lead()
    call = caller(world.administrator)
    call("GET", f"leads/{lead.pk}/")
    path = f"libraries/{world.library.pk}/audit-events/"
    acts = [event["act"] for event in call("GET", path).json()["results"]]
    assert acts[0] == "lead_revealed"
    only = call("GET", f"{path}?act=trail_read&actor={world.administrator.pk}").json()["results"]
    assert [event["act"] for event in only] == ["trail_read"]
    assert call("GET", f"{path}?act=nonsense").status_code == 400


@pytest.mark.parametrize("count", [1, 50])
def test_reading_a_page_by_api_takes_the_same_queries_for_one_lead_and_for_fifty(world: World, count: int) -> None:
    for _ in range(count):
        world.add_lead()
    call = caller(world.administrator)
    path = f"libraries/{world.library.pk}/leads/"
    call("GET", path)
    with statements() as spoken:
        assert len(call("GET", path).json()["results"]) == count
    assert len(spoken) == 13, "\n".join(sql[:150] for sql in spoken)


def test_labels_are_added_to_and_taken_off_many(world: World) -> None:
    ids = [str(world.add_lead().pk) for _ in range(2)]
    call, bulk = caller(world.administrator), f"libraries/{world.library.pk}/leads/bulk/"
    assert call("POST", bulk, {"ids": ids, "set": {"add_labels": ["hot", "call"]}}).json() == {"changed": 2}
    assert call("POST", bulk, {"ids": ids[:1], "set": {"remove_labels": ["hot"]}}).json() == {"changed": 1}
    assert [call("GET", f"leads/{pk}/").json()["labels"] for pk in ids] == [["call"], ["call", "hot"]]
    wrong = call("POST", bulk, {"ids": ids, "set": {"add_labels": "hot"}})
    assert (wrong.status_code, set(wrong.json()["errors"])) == (400, {"add_labels"})


def test_failed_deliveries_go_again_by_filter(world: World) -> None:
    hook = world.connect()
    failed = world.add_lead().pk
    world.add_lead()
    rows = Delivery.objects.filter(connection=hook)
    rows.filter(lead_id=failed).update(state="dead", attempts=9)
    body = {"filter": {"delivery": "failed"}, "resend": True}
    answer = caller(world.administrator)("POST", f"libraries/{world.library.pk}/leads/bulk/", body)
    assert answer.json() == {"changed": 1}
    assert set(rows.values_list("state", "attempts")) == {("pending", 0)}


def test_the_api_lists_by_the_filters_and_orders_of_the_page(world: World) -> None:
    plain, by_ad = world.add_lead(), world.add_lead(with_ad=True)
    call, leads = caller(world.administrator), f"libraries/{world.library.pk}/leads/"
    call("PATCH", f"leads/{plain.pk}/", {"status": "qualified"})
    call("PATCH", f"leads/{by_ad.pk}/", {"status": "contacted"})

    def found(query: str) -> list[str]:
        return [row["id"] for row in call("GET", f"{leads}?{query}").json()["results"]]

    assert found("sort=change") == [str(by_ad.pk), str(plain.pk)]
    assert found("q=Blue") == [str(by_ad.pk)]
    assert found(f"q={plain.pk}") == [str(plain.pk)]
    assert found("source=api") == []
    lead = call("GET", f"leads/{plain.pk}/").json()
    assert (lead["source"], lead["outcome"], lead["downloaded_at"]) == ("form", "", None)
    assert lead["contacted_at"] is not None
    assert call("GET", f"{leads}?sort=name").json()["errors"] == {"sort": "Use one of: received, attention, change."}
