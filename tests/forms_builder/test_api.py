"""The REST API of forms: the whole life of a form by tokens, and what is refused."""

from typing import Any

import pytest
from django.test import Client

from accounts.models import User
from accounts.services.tokens import create_token
from forms_builder import services
from forms_builder.models import Form
from tests.house import CONTENT, House, live_form


class Api:
    """A client that speaks JSON with a person's token."""

    def __init__(self, actor: User | None) -> None:
        self.client = Client()
        self.headers = {}
        if actor:
            _token, raw = create_token(user=actor, name="test")
            self.headers = {"Authorization": f"Bearer {raw}"}

    def __call__(self, method: str, path: str, body: Any = None) -> tuple[int, Any]:
        response = self.client.generic(
            method.upper(),
            path if path.startswith("http") else f"/api/v1/{path}",
            b"" if body is None else self.client._encode_json(body, "application/json"),  # type: ignore[attr-defined]
            content_type="application/json",
            headers=self.headers,
        )
        return response.status_code, response.json() if response.content else None


@pytest.fixture
def operator(house: House) -> Api:
    return Api(house.operator)


def test_life_of_a_form(house: House, operator: Api) -> None:
    forms = f"ad-accounts/{house.account.pk}/forms/"
    status, form = operator("post", forms, {"name": "Solar", "content": CONTENT | {"privacy_policy_url": ""}})
    assert status == 201
    assert (form["name"], form["status"], form["version"], form["draft"]["version"]) == ("Solar", "draft", None, 1)
    assert form["id"] == str(Form.objects.get().pk)
    one = f"forms/{form['id']}/"
    status, problem = operator("post", one + "publish/")
    assert (status, list(problem["errors"])) == (400, ["privacy_policy_url"])
    status, form = operator("patch", one, {"content": CONTENT, "language": "de"})
    assert (status, form["language"], form["content"]["headline"]) == (200, "de", "Home solar quote")
    status, form = operator("post", one + "publish/")
    assert (status, form["status"], form["version"], form["draft"]) == (200, "live", 1, None)
    assert form["url"].endswith(f"/f/{form['public_id']}/")
    assert operator("post", one + "publish/")[0] == 409
    status, copy = operator("post", one + "duplicate/")
    assert (status, copy["status"], copy["content"]) == (201, "draft", form["content"])
    operator("patch", one, {"content": CONTENT | {"headline": "Newer"}})
    operator("post", one + "publish/")
    status, versions = operator("get", one + "versions/")
    assert [(version["version"], version["status"]) for version in versions] == [(2, "published"), (1, "superseded")]
    assert operator("post", one + "archive/")[1]["status"] == "archived"
    assert operator("post", one + "archive/")[0] == 409
    assert operator("post", one + "restore/")[1]["status"] == "live"
    status, listed = operator("get", forms)
    assert [row["name"] for row in listed["results"]] == ["Copy of Solar", "Solar"]
    assert operator("get", forms + "?status=draft")[1]["results"][0]["id"] == copy["id"]
    assert operator("delete", one) == (204, None)
    assert operator("get", one)[0] == 404
    assert operator("delete", one)[0] == 404
    kept = Form.objects.get(pk=form["id"])  # its leads, versions and counts stay
    assert (kept.status, kept.removed_at is not None) == ("archived", True)
    assert [row["name"] for row in operator("get", forms)[1]["results"]] == ["Copy of Solar"]


@pytest.mark.parametrize(
    ("body", "field"),
    [
        ([], "body"),
        ({"name": ""}, "name"),
        ({"name": 7}, "name"),
        ({"name": "A" * 121}, "name"),
        ({"name": "A", "colour": "red"}, "colour"),
        ({"name": "A", "language": "not a language"}, "language"),
        ({"name": "A", "content": "text"}, "content"),
        ({"name": "A", "content": {"questions": [{"kind": "shoe_size"}]}}, "questions.0.kind"),
    ],
)
def test_bad_bodies_write_nothing(house: House, operator: Api, body: Any, field: str) -> None:
    status, problem = operator("post", f"ad-accounts/{house.account.pk}/forms/", body)
    assert (status, problem["status"]) == (400, 400)
    assert field in problem["errors"]
    assert not Form.objects.exists()


def test_broken_json_is_a_problem(house: House, operator: Api) -> None:
    response = operator.client.post(
        f"/api/v1/ad-accounts/{house.account.pk}/forms/",
        b'{"name": ',
        content_type="application/json",
        headers=operator.headers,
    )
    assert response.status_code == 400
    assert response["Content-Type"] == "application/problem+json"


READ = ["ad-accounts/{account}/forms/", "forms/{form}/", "forms/{form}/versions/"]
WRITTEN = [
    ("post", "ad-accounts/{account}/forms/"),
    ("patch", "forms/{form}/"),
    ("delete", "forms/{form}/"),
    ("post", "forms/{form}/publish/"),
    ("post", "forms/{form}/archive/"),
    ("post", "forms/{form}/restore/"),
    ("post", "forms/{form}/duplicate/"),
]


@pytest.mark.parametrize(("who", "read", "written"), [("analyst", 200, 403), ("stranger", 404, 404), (None, 401, 401)])
def test_refusals(house: House, who: str | None, read: int, written: int) -> None:
    form = live_form(house)
    names = {"account": house.account.pk, "form": form.pk}
    api = Api(getattr(house, who) if who else None)
    for path in READ:
        assert api("get", path.format(**names))[0] == read, path
    before = (Form.objects.values().get(pk=form.pk), Form.objects.count())
    for method, path in WRITTEN:
        status, problem = api(method, path.format(**names), {"name": "Mine"} if method != "delete" else None)
        assert status == written, (method, path)
        if written == 403:
            assert problem["missing_permission"] == "edit_forms"
            assert problem["who_can_help"] == ["Adele"]
    assert (Form.objects.values().get(pk=form.pk), Form.objects.count()) == before


def test_custodian_alone_approves(house: House) -> None:
    form = live_form(house)
    path = f"forms/{form.pk}/versions/1/approve/"
    assert Api(house.operator)("post", path)[0] == 403
    assert Api(house.stranger)("post", path)[0] == 404
    assert Api(house.admin)("post", path)[0] == 409  # nothing waits


@pytest.mark.parametrize("number", [1, 3])
def test_list_costs_the_same_for_many(house: House, operator: Api, django_assert_num_queries: Any, number: int) -> None:
    for count in range(number):
        form = live_form(house, f"Form {count}")
        services.save_draft(actor=house.operator, form=form, content=CONTENT | {"headline": "Next"})
    path = f"ad-accounts/{house.account.pk}/forms/"
    operator("get", path)
    with django_assert_num_queries(6):
        assert len(operator("get", path)[1]["results"]) == number


def test_pages_of_a_long_list_hold_every_form_once(house: House, operator: Api) -> None:
    Form.objects.bulk_create([Form(ad_account=house.account, name=f"Form {number}") for number in range(120)])
    seen, path = [], f"ad-accounts/{house.account.pk}/forms/"
    for _page in range(3):
        status, page = operator("get", path)
        assert status == 200
        seen += [row["id"] for row in page["results"]]
        path = page["next"]
    assert path is None
    assert len(seen) == len(set(seen)) == 120
    assert operator("get", f"ad-accounts/{house.account.pk}/forms/?cursor=nonsense")[0] == 400
