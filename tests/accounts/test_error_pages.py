"""What people read when something is wrong: never a stack, never a name of somebody else's thing."""

from typing import Any

import pytest
from django.test import Client, RequestFactory
from django.views.defaults import server_error

from accounts.models import BusinessCenterRole
from accounts.services.business_centers import set_member as set_center_member
from tests.world import World, person

pytestmark = pytest.mark.django_db


def test_a_missing_page_says_so_in_our_look(client: Client) -> None:
    client.raise_request_exception = False
    answer = client.get("/login/../nothing-here")
    assert answer.status_code == 404
    assert "There is nothing here" in answer.content.decode()


def test_a_fault_of_ours_is_told_without_any_context() -> None:
    answer = server_error(RequestFactory().get("/"))
    assert answer.status_code == 500
    assert "Something broke on our side" in answer.content.decode()


def test_an_old_form_is_told_apart_from_a_refusal() -> None:
    client = Client(enforce_csrf_checks=True)
    answer = client.post("/login/", {"login": "a@example.com", "password": "x"})
    assert answer.status_code == 403
    assert "This page is too old" in answer.content.decode()


@pytest.mark.parametrize(("accept", "kind"), [("text/html", "text/html"), ("*/*", "application/problem+json")])
def test_too_much_at_once_is_told_to_a_person_as_a_page(client: Client, settings: Any, accept: str, kind: str) -> None:
    settings.REQUEST_BYTES = 100
    answer = client.post("/login/", {"login": "x" * 200}, headers={"Accept": accept})
    assert answer.status_code == 413
    assert answer["Content-Type"].startswith(kind)


def test_refusal_by_a_business_center_speaks_of_it_and_not_of_an_ad_account(world: World) -> None:
    standard = person("Stan")
    set_center_member(
        actor=world.client_admin, business_center=world.client, user=standard, role=BusinessCenterRole.STANDARD
    )
    client = Client()
    client.force_login(standard)
    answer = client.post(f"/b/{world.client.pk}/", {"email": "x@house.test", "role": "admin"})
    page = answer.content.decode()
    assert answer.status_code == 403
    assert "Admins of the Business Center do this" in page
    assert "Clio" in page
    assert "What each role can do" not in page


def test_refused_administrator_after_a_transfer_is_not_told_that_they_may_download(world: World) -> None:
    client = Client()
    client.force_login(world.operator)
    before = client.get(f"/l/{world.library.pk}/leads/").content.decode()
    row = before.split("Download leads</th>")[1].split("</tr>")[0]
    assert "Yes" in row
    world.hand_over()
    client.force_login(world.administrator)
    page = client.get(f"/l/{world.library.pk}/leads/").content.decode()
    row = page.split("Download leads</th>")[1].split("</tr>")[0]
    assert "Yes" not in row
    assert "Held by Client" in page
