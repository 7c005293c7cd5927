"""A client written for TikTok's lead endpoints works here by changing the base URL."""

import csv
import io
import json
import zipfile
from collections.abc import Callable
from typing import Any

import pytest
from django.test import Client

from accounts.models import Act, AuditEvent, Transfer, User
from accounts.services.tokens import create_token
from leads.exports.services.running import run_due
from leads.marketing_api import lead_tasks
from leads.models import Export, Lead
from tests.world import World, make_form, says

Call = Callable[..., Any]


def caller(user: User | None, *scopes: str) -> Call:
    """Return a function that calls with a token of `user` and gives back the answer's body."""
    raw = create_token(user=user, name="test", scopes=scopes or ("everything",))[1] if user else "hf_nonsense"

    def call(method: str, path: str, *, region: str = "", **given: Any) -> Any:
        headers = {"Access-Token": raw, **({"x-lead-region": region} if region else {})}
        url = f"/open_api/v1.3/{path}"
        if method == "GET":
            answer: Any = Client().get(url, given, headers=headers)
        else:
            answer = Client().post(url, json.dumps(given), content_type="application/json", headers=headers)
        assert answer.status_code == 200, answer.content
        assert answer["Cache-Control"] == "no-store"
        if answer["Content-Type"] != "application/json":
            return b"".join(answer.streaming_content)
        body = answer.json()
        assert set(body) == {"code", "message", "request_id", "data"}
        assert body["request_id"] == answer["X-Request-ID"]
        return body

    return call


def taken(call: Call, world: World, **given: Any) -> tuple[dict[str, Any], Any]:
    """Make a task, let a worker run, return the finished task and its file."""
    advertiser = {"advertiser_id": str(world.account.pk)}
    made = call("POST", "page/lead/task/", **advertiser, **given)
    assert (made["code"], made["data"]["status"]) == (0, "CREATED"), made
    run_due()
    polled = call("POST", "page/lead/task/", **advertiser, task_id=made["data"]["task_id"])
    file = call("GET", "page/lead/task/download/", **advertiser, task_id=made["data"]["task_id"])
    return polled, file


def rows_of(content: bytes) -> list[dict[str, str]]:
    return list(csv.DictReader(io.StringIO(content.decode("utf-8-sig"))))


def test_a_task_gives_the_leads_of_a_page_in_tiktoks_columns(world: World) -> None:
    lead = world.add_lead(with_ad=True)
    form, version = make_form(world.account, "Second")
    world.add_lead(form=form, version=version)
    polled, file = taken(caller(world.administrator), world, page_id=str(world.form.pk))
    task_id = polled["data"]["task_id"]
    assert polled["data"] == {
        "task_id": task_id,
        "status": "SUCCEED",
        "file_name": f"leads-{task_id}.csv",
        "file_type": "csv",
    }
    assert polled["message"] == "OK. Regions searched: eu, us, row."
    group = world.ad.ad_group
    assert rows_of(file) == [
        {
            "lead_id": str(lead.pk),
            "created_time": f"{lead.received_at:%Y-%m-%d %H:%M:%S}",
            "ad_id": str(world.ad.pk),
            "ad_name": "Blue",
            "adgroup_id": str(group.pk),
            "adgroup_name": "Parents",
            "campaign_id": str(group.campaign_id),
            "campaign_name": "Spring",
            "form_id": str(world.form.pk),
            "form_name": "Trial",
            "Your name": "Ann Example",
            "E-mail": "ann@example.com",
            "Phone": "+4915112345678",
            "What do you wish?": "A quiet room",
        }
    ]
    assert AuditEvent.objects.filter(act=Act.EXPORT_DOWNLOADED, actor=world.administrator).count() == 1


def test_a_task_can_be_for_an_ad_and_ids_may_be_numbers(world: World) -> None:
    lead = world.add_lead(with_ad=True)
    world.add_lead()
    _polled, file = taken(caller(world.administrator), world, ad_id=world.ad.pk)
    assert [row["lead_id"] for row in rows_of(file)] == [str(lead.pk)]


def test_a_region_narrows_and_an_empty_file_says_where_leads_are(world: World) -> None:
    american = world.add_lead(region="us")
    world.add_lead(region="row", is_test=True)
    call = caller(world.administrator)
    page = str(world.form.pk)
    polled, file = taken(call, world, page_id=page, region="us")
    assert [row["lead_id"] for row in rows_of(file)] == [str(american.pk)]
    assert polled["message"] == "OK. Regions searched: us."
    polled, file = taken(call, world, page_id=page, region="eu")
    assert rows_of(file) == []
    assert polled["message"] == "OK. Regions searched: eu. The file is empty. Regions with leads: us."
    bad = call("POST", "page/lead/task/", region="mars", advertiser_id=str(world.account.pk), page_id=page)
    assert bad["code"] == 40002


def test_a_large_file_is_an_archive(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(lead_tasks, "ZIP_ABOVE", 100)
    lead = world.add_lead()
    polled, file = taken(caller(world.administrator), world, page_id=str(world.form.pk))
    assert polled["data"]["file_type"] == "zip"
    with zipfile.ZipFile(io.BytesIO(file)) as archive:
        (name,) = archive.namelist()
        assert archive.testzip() is None
        rows = rows_of(archive.read(name))
    assert [row["lead_id"] for row in rows] == [str(lead.pk)]


def test_a_file_lives_ten_minutes(world: World) -> None:
    world.add_lead()
    call = caller(world.administrator)
    polled, _file = taken(call, world, page_id=str(world.form.pk))
    export = Export.objects.get(pk=polled["data"]["task_id"])
    assert export.finished_at is not None
    assert export.expires_at is not None
    assert 595 < (export.expires_at - export.finished_at).total_seconds() < 605
    Export.objects.update(expires_at=export.finished_at)
    given = {"advertiser_id": str(world.account.pk), "task_id": str(export.pk)}
    assert call("GET", "page/lead/task/download/", **given)["code"] == 40910


def test_a_task_that_is_not_ready_or_not_there_says_so(world: World) -> None:
    call = caller(world.administrator)
    advertiser = {"advertiser_id": str(world.account.pk)}
    task = call("POST", "page/lead/task/", **advertiser, page_id=str(world.form.pk))["data"]["task_id"]
    assert call("GET", "page/lead/task/download/", **advertiser, task_id=task)["code"] == 40201
    assert call("GET", "page/lead/task/download/", **advertiser, task_id="5")["code"] == 40905
    assert call("POST", "page/lead/task/", **advertiser, task_id="5")["code"] == 40905


def test_pages_are_listed_for_every_role_that_views_forms(world: World) -> None:
    make_form(world.account, "Second")
    for user in (world.administrator, world.operator, world.analyst):
        body = caller(user)("GET", "page/get/", advertiser_id=str(world.account.pk), page_size="1")
        assert body["code"] == 0
        assert body["data"]["page_info"] == {"page": 1, "page_size": 1, "total_number": 2, "total_page": 2}
        assert [page["title"] for page in body["data"]["list"]] == ["Second"]
    call = caller(world.administrator)
    found = call("GET", "page/get/", library_id=str(world.library.pk), title="tri", page_status="PUBLISHED")
    (page,) = found["data"]["list"]
    assert (page["page_id"], page["status"], page["business_type"]) == (str(world.form.pk), "PUBLISHED", "LEAD_GEN")
    assert call("GET", "page/get/", advertiser_id=str(world.account.pk), page_status="EDITED")["data"]["list"] == []
    late = json.dumps({"start": "2100-01-01 00:00:00"})
    assert call("GET", "page/get/", advertiser_id=str(world.account.pk), update_time_range=late)["data"]["list"] == []
    (library,) = call("GET", "page/library/get/")["data"]["list"]
    assert (library["library_id"], library["advertiser_id"]) == (str(world.library.pk), str(world.account.pk))
    for path in ("page/field/get/", "lead/field/get/"):
        fields = call("GET", path, advertiser_id=str(world.account.pk), page_id=str(world.form.pk))["data"]["fields"]
        assert fields == ["name", "email", "phone_number", "What do you wish?"]


def test_the_newest_lead_is_told_and_the_look_recorded(world: World) -> None:
    world.add_lead(name="Old")
    lead = world.add_lead(name="New", with_ad=True)
    given = {"library_id": str(world.library.pk), "page_id": str(world.form.pk), "lead_source": "INSTANT_FORM"}
    body = caller(world.administrator)("GET", "lead/get/", **given)
    assert body["data"]["lead_data"]["name"] == "New"
    assert body["data"]["lead_data"]["email"] == "ann@example.com"
    assert body["data"]["meta_data"]["lead_id"] == str(lead.pk)
    assert body["data"]["meta_data"]["ad_name"] == "Blue"
    assert AuditEvent.objects.filter(act=Act.LEADS_READ, targets__object_id=lead.pk).count() == 1


def test_a_test_lead_is_made_once_read_and_deleted_and_no_other_lead_is(world: World) -> None:
    real = world.add_lead()
    call = caller(world.administrator)
    given = {"advertiser_id": str(world.account.pk), "page_id": str(world.form.pk)}
    made = call("POST", "page/lead/mock/create/", **given)
    lead_id = made["data"]["meta_data"]["lead_id"]
    assert made["data"]["meta_data"]["is_test"] is True
    assert call("POST", "page/lead/mock/create/", **given)["code"] == 40202
    assert call("GET", "page/lead/mock/get/", **given)["data"]["meta_data"]["lead_id"] == lead_id
    advertiser = {"advertiser_id": given["advertiser_id"]}
    assert call("POST", "page/lead/mock/delete/", **advertiser, lead_id=str(real.pk))["code"] == 40007
    assert call("POST", "page/lead/mock/delete/", **advertiser, lead_id=lead_id)["code"] == 0
    assert call("GET", "page/lead/mock/get/", **given)["code"] == 40007
    assert dict(Lead.objects.values_list("pk", "state")) == {real.pk: "live", int(lead_id): "trashed"}


def test_a_transfer_is_asked_for(world: World) -> None:
    given = {"advertiser_id": str(world.account.pk), "bc_id": str(world.client.pk)}
    assert caller(world.operator)("POST", "page/library/transfer/", **given)["code"] == 40001
    body = caller(world.administrator)("POST", "page/library/transfer/", **given)
    assert body["data"] == {"library_id": str(world.library.pk)}
    assert Transfer.objects.get().state == "requested"


LEAD_CALLS = (
    ("POST", "page/lead/task/"),
    ("GET", "page/lead/task/"),
    ("GET", "page/lead/task/download/"),
    ("GET", "lead/get/"),
    ("POST", "page/lead/mock/create/"),
    ("GET", "page/lead/mock/get/"),
    ("POST", "page/lead/mock/delete/"),
)


@pytest.mark.parametrize("who", ["operator", "analyst", "stranger", "client_admin", "former"])
def test_leads_are_the_administrators_alone(world: World, who: str) -> None:
    lead = world.add_lead(is_test=True)
    polled, _file = taken(caller(world.administrator), world, page_id=str(world.form.pk))
    if who == "former":
        world.hand_over()
    actor = world.administrator if who == "former" else getattr(world, who)
    call = caller(actor)
    before = AuditEvent.objects.filter(targets__object_id=lead.pk).count()
    given = {
        "advertiser_id": str(world.account.pk),
        "page_id": str(world.form.pk),
        "lead_id": str(lead.pk),
        "task_id": polled["data"]["task_id"],
    }
    for method, path in LEAD_CALLS:
        body = call(method, path, **given)
        assert body["code"] == 40001, (path, body)
        assert body["data"] == {}
        assert not says(json.dumps(body), "ann")
    if who in ("stranger", "client_admin"):  # what is not theirs answers like what is not there
        nowhere = call("GET", "lead/get/", advertiser_id="5", page_id="5")
        assert nowhere["message"] == body["message"]
    assert AuditEvent.objects.filter(targets__object_id=lead.pk).count() == before
    assert Export.objects.count() == 1
    lead.refresh_from_db()
    assert lead.state == "live"


def test_the_token_is_looked_at_first(world: World) -> None:
    assert Client().get("/open_api/v1.3/page/get/").json()["code"] == 40104
    assert caller(None)("GET", "page/get/")["code"] == 40105
    narrow = caller(world.administrator, "forms:read")
    given = {"advertiser_id": str(world.account.pk), "page_id": str(world.form.pk)}
    assert narrow("GET", "page/get/", advertiser_id=str(world.account.pk))["code"] == 0
    assert narrow("POST", "page/lead/task/", **given)["code"] == 40130
    session = Client()
    session.force_login(world.administrator)
    assert session.get("/open_api/v1.3/page/get/").json()["code"] == 40104


@pytest.mark.parametrize(
    "given",
    [
        {},
        {"advertiser_id": "x"},
        {"advertiser_id": "1", "library_id": "2"},
        {"page": "0"},
        {"title": "a\x00b"},
        {"page_size": "101"},
        {"page_status": "NEW"},
        {"update_time_range": "x"},
        {"update_time_range": "[1]"},
        {"update_time_range": '{"start": "never"}'},
    ],
)
def test_a_bad_parameter_is_named(world: World, given: dict[str, str]) -> None:
    known = given if not given or set(given) & {"advertiser_id"} else {"advertiser_id": str(world.account.pk), **given}
    body = caller(world.administrator)("GET", "page/get/", **known)
    assert (body["code"], body["data"]) == (40002, {})


def test_what_is_not_there_answers_in_the_envelope(world: World) -> None:
    call = caller(world.administrator)
    assert call("GET", "page/lead/get/")["code"] == 40400
    assert call("POST", "page/get/", advertiser_id=str(world.account.pk))["code"] == 40117
    given = {"advertiser_id": str(world.account.pk)}
    form, _version = make_form(world.stranger_library.ad_account, "Theirs")
    assert call("POST", "page/lead/task/", **given, page_id=str(form.pk))["code"] == 40007
    assert call("POST", "page/lead/task/", **given, page_id="1", ad_id="2")["code"] == 40002
    assert call("POST", "page/lead/task/", **given)["code"] == 40002
    answer = Client().post(
        "/open_api/v1.3/page/lead/task/", "[1", content_type="application/json", headers={"Access-Token": "x"}
    )
    assert answer.json()["code"] == 40105
    assert Export.objects.count() == 0
