"""The REST API of connections: shapes, refusals, and no secret after the first answer."""

from typing import Any

import pytest
from rest_framework.test import APIClient

from accounts.models import AccountRole, User
from accounts.services.ad_accounts import set_member
from leads.crm.drain import drain
from leads.models import Connection, Delivery
from tests.crm.world import World, delivery_of, make_world
from tests.fakes.sink import FAIL, Sink


@pytest.fixture
def api(world: World) -> APIClient:
    return client_of(world.admin)


def client_of(user: User) -> APIClient:
    client = APIClient()
    client.force_authenticate(user)
    return client


def test_a_connection_from_the_cradle_to_the_grave(world: World, api: APIClient, sink: Sink) -> None:
    base = f"/api/v1/libraries/{world.library.pk}/connections/"
    made = api.post(base, {"kind": "webhook", "name": "CRM", "url": sink.url})
    assert made.status_code == 201
    body: dict[str, Any] = made.json()
    pk = body["id"]
    assert body.pop("secret").startswith("whsec_")
    shown = "id kind name state state_reason url mapping thin created_at last_success_at waiting"
    assert set(body) == set(shown.split())
    assert (body["kind"], body["name"], body["state"], body["url"]) == ("webhook", "CRM", "active", sink.url)
    one = f"/api/v1/connections/{pk}/"
    assert api.get(one).json() == body
    assert api.get(base).json() == {"results": [body], "next": None, "previous": None}
    assert api.post(f"{one}test/").json()["status_class"] == "2xx"
    assert api.patch(one, {"name": "Sales"}).json()["name"] == "Sales"
    assert api.post(f"{one}pause/").json()["state"] == "paused"
    assert api.post(f"{one}pause/").status_code == 409
    lead = world.lead()
    waiting = api.get(f"{one}deliveries/").json()["results"]
    assert [(row["lead_id"], row["state"], row["attempts"]) for row in waiting] == [(str(lead), "waiting", [])]
    assert api.get(one).json()["waiting"] == 1
    assert api.post(f"{one}resume/").json()["state"] == "active"
    sink.script([FAIL])
    drain()
    delivery = delivery_of(lead)
    (row,) = api.get(f"/api/v1/leads/{lead}/deliveries/").json()["results"]
    assert (row["id"], row["webhook_id"], row["state"]) == (str(delivery.pk), f"msg_{delivery.pk}", "pending")
    (attempt,) = row["attempts"]
    assert (attempt["status"], attempt["error"]) == (500, "receiver_error")
    assert attempt["fix"]
    assert api.post(f"/api/v1/deliveries/{delivery.pk}/resend/").json()["state"] == "pending"
    drain()
    assert api.get(f"{one}deliveries/?state=done").json()["results"][0]["id"] == str(delivery.pk)
    assert api.post(f"{one}rotate-secret/").json()["secret"].startswith("whsec_")
    assert api.post(f"{one}backfill/").json() == {"queued": 0}
    assert api.post(f"{one}recover/", {"since": "2026-01-01T00:00:00Z"}).json() == {"resent": 0, "queued": 0}
    assert api.post(f"{one}confirm/").status_code == 409
    gone = api.delete(one)
    assert (gone.status_code, gone.content) == (204, b"")
    assert api.get(one).status_code == 404
    assert api.get(base).json()["results"] == []


ROUTES = [
    ("get", "libraries/{library}/connections/"),
    ("post", "libraries/{library}/connections/"),
    ("get", "connections/{connection}/"),
    ("patch", "connections/{connection}/"),
    ("delete", "connections/{connection}/"),
    ("post", "connections/{connection}/test/"),
    ("post", "connections/{connection}/pause/"),
    ("post", "connections/{connection}/resume/"),
    ("post", "connections/{connection}/confirm/"),
    ("post", "connections/{connection}/backfill/"),
    ("post", "connections/{connection}/rotate-secret/"),
    ("post", "connections/{connection}/recover/"),
    ("get", "connections/{connection}/deliveries/"),
    ("post", "deliveries/{delivery}/resend/"),
    ("get", "leads/{lead}/deliveries/"),
]


@pytest.mark.parametrize(("method", "path"), ROUTES)
def test_who_may_not_is_refused_with_the_reason_and_changes_nothing(world: World, method: str, path: str) -> None:
    connection = world.webhook("https://example.com/").connection
    lead = world.lead()
    operator = User.objects.create_user("operator@example.com", "pass word of tests")
    set_member(actor=world.admin, ad_account=world.account, user=operator, role=AccountRole.OPERATOR)
    stranger = make_world("stranger").admin
    ids = {
        "library": world.library.pk,
        "connection": connection.pk,
        "delivery": delivery_of(lead).pk,
        "lead": lead,
    }
    url = "/api/v1/" + path.format(**ids)
    before = Connection.objects.values().get(), Delivery.objects.values().get()

    refused = getattr(client_of(operator), method)(url, {"waiting": 7}, format="json")
    assert refused.status_code == 403
    assert refused.json()["who_can_help"] == ["Bea"]
    assert str(lead) not in refused.content.decode()
    hidden = getattr(client_of(stranger), method)(url, {"waiting": 7}, format="json")
    nowhere = getattr(client_of(stranger), method)(
        "/api/v1/" + path.format(**dict.fromkeys(ids, 1)), {"waiting": 7}, format="json"
    )
    assert (hidden.status_code, hidden.json()) == (404, nowhere.json())
    assert getattr(APIClient(), method)(url).status_code == 401
    assert (Connection.objects.values().get(), Delivery.objects.values().get()) == before


@pytest.mark.parametrize(
    ("body", "field"),
    [
        ([], "body"),
        ({"kind": "webhook", "name": "x", "url": "https://10.0.0.1/"}, "url"),
        ({"kind": "webhook", "name": "x", "url": 7}, "url"),
        ({"kind": "webhook", "name": None, "url": "https://example.com/"}, "name"),
        ({"kind": "webhook", "name": "x", "url": "https://example.com/", "state": "active"}, "state"),
        ({"kind": "webhook", "name": "x", "url": "https://example.com/", "mapping": {}}, "mapping"),
        ({"kind": "hubspot", "name": "x", "credentials": "token"}, "credentials"),
        ({"name": "x"}, "kind"),
    ],
)
def test_bad_input_is_told_per_field(world: World, api: APIClient, body: object, field: str) -> None:
    answer = api.post(f"/api/v1/libraries/{world.library.pk}/connections/", body, format="json")
    assert answer.status_code == 400
    assert list(answer.json()["errors"]) == [field]
    assert not Connection.objects.exists()


@pytest.mark.parametrize("query", ["state=sent", "cursor=x", "cursor=eyJhIjoxfQ"])
def test_a_bad_filter_of_the_log_is_an_error_of_the_caller(world: World, api: APIClient, query: str) -> None:
    pk = world.webhook("https://example.com/").connection.pk
    assert api.get(f"/api/v1/connections/{pk}/deliveries/?{query}").status_code == 400


def test_numbers_that_no_row_can_have_are_not_there(api: APIClient) -> None:
    for number in (2**63, 10**30):
        assert api.get(f"/api/v1/connections/{number}/").status_code == 404
        assert api.get(f"/api/v1/libraries/{number}/connections/").status_code == 404


def test_the_log_is_read_in_pages_with_as_many_queries_for_three_rows_as_for_one(
    world: World, api: APIClient, django_assert_num_queries: Any
) -> None:
    pk = world.webhook("https://example.com/").connection.pk
    for _ in range(2):
        world.lead()
        with django_assert_num_queries(4):
            assert api.get(f"/api/v1/connections/{pk}/deliveries/").status_code == 200
    world.leads(50)
    first = api.get(f"/api/v1/connections/{pk}/deliveries/").json()
    second = api.get(first["next"]).json()
    ids = [row["id"] for row in [*first["results"], *second["results"]]]
    assert (len(first["results"]), len(ids), len(set(ids)), second["next"]) == (50, 52, 52, None)


def test_the_list_of_connections_takes_as_many_queries_for_three_as_for_one(
    world: World, api: APIClient, django_assert_num_queries: Any
) -> None:
    for _ in range(3):
        world.webhook("https://example.com/")
        with django_assert_num_queries(3):
            api.get(f"/api/v1/libraries/{world.library.pk}/connections/")
