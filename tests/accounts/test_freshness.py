"""Fresh proof before what cannot be taken back: a stale session does nothing, keeps nothing and comes back safely."""

from typing import Any

import pytest
from django.test import Client, RequestFactory

from accounts.freshness import back_of
from accounts.models import User
from accounts.services.tokens import create_token
from tests.accounts.signing import PASSWORD, age
from tests.callers import Caller
from tests.security.routes import Route, routes
from tests.security.scene import Scene, fingerprint, make_scene
from tests.security.test_matrix import ask
from tests.world import World

# Every act that gives leads away, takes them away, or opens a way to them.
PAGES = {
    *("GET transfer", "POST transfer", "GET connection_new", "POST connection_new", "POST connection"),
    *("POST connection_act", "POST connection_secret", "POST connection_remove", "GET export_file"),
    *("POST leads_download", "POST lead_delete", "POST members", "POST member", "POST tokens"),
    *("POST transfer_answer", "POST center", "POST center_member", "POST center_account_new"),
    *("POST share_new", "POST share", "POST share_person", "POST center_two_factor"),
    *("GET import_new", "POST import_new", "GET import_faults", "POST library_privacy"),
}
API = {
    *("POST api_exports", "GET api_export_file", "DELETE api_lead", "POST api_library_transfers"),
    *(
        "POST api_transfer_accept",
        "POST api_account_transfers",
        "POST api_members",
        "PATCH api_member",
        "DELETE api_member",
    ),
    *("POST api_center_members", "PATCH api_center_member", "DELETE api_center_member", "POST api_center_accounts"),
    *("POST api_shares", "PATCH api_share", "DELETE api_share", "POST api_share_people", "PATCH api_business_center"),
    *("POST api_connections", "PATCH api_connection", "DELETE api_connection"),
    *("POST api_imports", "GET api_import_faults", "PATCH api_library"),  # for less time than until now
}


def named(route: Route) -> str:
    return f"{route.method} {route.name}"


def stale_session(user: User) -> Client:
    client = Client()
    client.force_login(user)
    age(client)
    return client


@pytest.fixture
def scene(db: None) -> Scene:
    return make_scene("T0")


def asks(answer: Any) -> bool:
    """Whether the answer is the demand for a fresh proof."""
    if answer.status_code == 302:
        return str(answer["Location"]).startswith("/reauthenticate/?next=")
    return bool(answer.status_code == 403 and answer.json()["type"] == "reauthentication_needed")


def test_stale_session_does_none_of_it(scene: Scene) -> None:
    user = scene.actors["agy_admin"]
    assert user is not None
    for kind in ("page", "api"):
        scene.clients["agy_admin", kind] = stale_session(user)
    found = {named(route): route for route in routes() if route.kind in ("page", "api")}
    assert found.keys() >= PAGES | API
    before = fingerprint()
    passed = [name for name in sorted(PAGES | API) if not asks(ask(found[name], "agy_admin", scene))]
    assert passed == []
    assert fingerprint() == before


def test_nothing_else_asks(scene: Scene) -> None:
    """Reading, working on leads and taking rights away go on; a list of what asks is kept above and nowhere else."""
    user = scene.actors["agy_admin"]
    assert user is not None
    asked = set()
    for route in routes():
        if route.kind == "marketing" or route.name.startswith(("account_", "mfa_")) or route.name == "design":
            continue
        scene.clients["agy_admin", route.kind] = stale_session(user)
        if asks_quietly(ask(route, "agy_admin", scene)):
            asked.add(named(route))
    every_connection = {name for name in asked if name.startswith("POST api_connection")}
    assert asked - every_connection == PAGES | API - every_connection
    assert len(every_connection) >= 8


def asks_quietly(answer: Any) -> bool:
    plain = answer.status_code == 302 or (answer.status_code == 403 and "json" in answer["Content-Type"])
    return plain and asks(answer)


def test_bulk_asks_for_deleting_alone(world: World) -> None:
    lead = world.add_lead()
    client, path = stale_session(world.administrator), f"/l/{world.library.pk}/leads/bulk/"
    asked = client.post(path, {"ids": [str(lead.pk)], "act": "delete"})
    assert asks(asked)
    lead.refresh_from_db()
    assert lead.state == "live"
    client.post(path, {"ids": [str(lead.pk)], "status": "qualified"})
    lead.refresh_from_db()
    assert lead.status == "qualified"
    body = {"ids": [str(lead.pk)], "delete": True}
    over_api = client.post(f"/api/v1/libraries/{world.library.pk}/leads/bulk/", body, content_type="application/json")
    assert asks(over_api)
    lead.refresh_from_db()
    assert lead.state == "live"
    assert Caller(world.administrator).post(f"libraries/{world.library.pk}/leads/bulk/", body).status_code == 200


def test_confirming_leads_back_and_then_it_works(world: World) -> None:
    world.administrator.set_password(PASSWORD)
    world.administrator.save(update_fields=["password"])
    client = stale_session(world.administrator)
    where = f"/l/{world.library.pk}/transfer/"
    asked = client.get(where)
    assert asked["Location"] == f"/reauthenticate/?next=%2Fl%2F{world.library.pk}%2Ftransfer%2F"
    page = client.get(asked["Location"])
    assert page.status_code == 200
    assert where in page.content.decode()
    wrong = client.post("/reauthenticate/", {"password": "not-the-password", "next": where})
    assert wrong.status_code == 200
    assert asks(client.get(where))
    right = client.post("/reauthenticate/", {"password": PASSWORD, "next": where})
    assert (right.status_code, right["Location"]) == (302, where)
    assert client.get(where).status_code == 200


def test_sent_credential_is_kept_nowhere(world: World) -> None:
    client = stale_session(world.administrator)
    path = f"/l/{world.library.pk}/integrations/new/hubspot/"
    asked = client.post(
        path, {"name": "HubSpot", "token": "pat-secret"}, headers={"Referer": f"http://testserver{path}"}
    )
    assert asked["Location"].endswith(path.replace("/", "%2F"))
    assert "pat-secret" not in str(dict(client.session.items()))
    assert not world.library.connections.exists()


def test_htmx_goes_as_a_whole_page(world: World) -> None:
    lead = world.add_lead()
    client, listed = stale_session(world.administrator), f"/l/{world.library.pk}/leads/?status=raw"
    headers = {"HX-Request": "true", "HX-Current-URL": f"http://testserver{listed}"}
    answer = client.post(f"/l/{world.library.pk}/leads/{lead.pk}/delete/", headers=headers)
    assert answer.status_code == 200
    assert answer["HX-Redirect"] == f"/reauthenticate/?next=%2Fl%2F{world.library.pk}%2Fleads%2F%3Fstatus%3Draw"
    lead.refresh_from_db()
    assert lead.state == "live"


@pytest.mark.parametrize(
    "came_from",
    [
        "",
        "https://evil.example/x",
        "//evil.example",
        "javascript:alert(1)",
        "http://testserver//evil.example/",
        "/\\evil",
    ],
)
def test_way_back_is_on_this_host(came_from: str) -> None:
    request = RequestFactory().post("/anything/", headers={"Referer": came_from})
    assert back_of(request) == "/"


def test_way_back_is_the_page_itself_or_where_one_came_from() -> None:
    assert back_of(RequestFactory().get("/l/1/transfer/?to=2")) == "/l/1/transfer/?to=2"
    sent = RequestFactory().post("/x/", headers={"Referer": "http://testserver/a/1/members/?q=1#part"})
    assert back_of(sent) == "/a/1/members/?q=1"


def test_tokens_need_no_fresh_proof(scene: Scene) -> None:
    """Who calls with a token has no session; making the token asked for the proof."""
    user = scene.actors["agy_admin"]
    assert user is not None
    raw = create_token(user=user, name="script")[1]
    headers = {"Authorization": f"Bearer {raw}"}
    answer = Client(headers=headers).get(f"/api/v1/exports/{scene.ids['export_id']}/file/")
    assert answer.status_code in (200, 409)
    answer = Client(headers=headers).delete(f"/api/v1/leads/{scene.ids['lead_id']}/")
    assert answer.status_code == 204


def test_proof_of_somebody_else_counts_for_nobody(world: World) -> None:
    client = stale_session(world.administrator)
    session: Any = client.session
    session["account_authentication_methods_user"] = str(world.operator.pk)
    session["account_authentication_methods"] = [{"method": "password", "at": 9e12}]
    session.save()
    assert asks(client.get(f"/l/{world.library.pk}/transfer/"))
