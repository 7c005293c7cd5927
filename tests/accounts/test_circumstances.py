"""How a request came stands in what the trail says of it; what nobody may say is not believed."""

import ipaddress
from typing import Any

import pytest
from django.db import transaction
from django.test import Client

from accounts import audit
from accounts.circumstances import NONE, came_by_token, circumstances, country_in
from accounts.models import Act, ApiToken, AuditEvent, User
from accounts.services.tokens import create_token
from tests.world import World

PROXY = {"TRUSTED_PROXIES": [ipaddress.ip_network("10.0.0.0/8")], "COUNTRY_HEADER": "HTTP_CF_IPCOUNTRY"}


@pytest.fixture
def behind_a_proxy(settings: Any) -> None:
    for name, value in PROXY.items():
        setattr(settings, name, value)


def bearer(user: User) -> tuple[Client, ApiToken]:
    token, raw = create_token(user=user, name="script")
    return Client(headers={"Authorization": f"Bearer {raw}"}), token


def newest(act: Act) -> dict[str, Any]:
    return dict(AuditEvent.objects.filter(act=act).latest("id").detail)


def test_reading_by_token_names_the_token_and_a_session_names_none(world: World) -> None:
    world.add_lead()
    script, token = bearer(world.administrator)
    assert script.get(f"/api/v1/libraries/{world.library.pk}/leads/").status_code == 200
    assert newest(Act.LEADS_READ) == {"token": str(token.pk)}
    person = Client()
    person.force_login(world.administrator)
    assert person.get(f"/l/{world.library.pk}/leads/").status_code == 200
    assert newest(Act.LEADS_LISTED) == {}


def test_marketing_api_names_its_token_too(world: World) -> None:
    world.add_lead()
    token, raw = create_token(user=world.administrator, name="script")
    given = {"advertiser_id": str(world.account.pk), "page_id": str(world.form.pk)}
    answer = Client(headers={"Access-Token": raw}).get("/open_api/v1.3/lead/get/", given)
    assert answer.json()["code"] == 0
    assert newest(Act.LEADS_READ) == {"token": str(token.pk)}


def test_refusal_of_a_token_names_it(world: World) -> None:
    script, token = bearer(world.operator)
    assert script.get(f"/api/v1/libraries/{world.library.pk}/leads/").status_code == 403
    assert newest(Act.REFUSED) == {"can": "view_leads", "token": str(token.pk)}


@pytest.mark.usefixtures("behind_a_proxy")
@pytest.mark.parametrize(
    ("peer", "said", "kept"),
    [("10.0.0.1", "de", {"country": "DE"}), ("10.0.0.1", "XX", {}), ("203.0.113.9", "DE", {}), ("10.0.0.1", "D<", {})],
)
def test_country_is_believed_from_a_trusted_proxy_only(
    world: World, peer: str, said: str, kept: dict[str, str]
) -> None:
    world.add_lead()
    client = Client(headers={"CF-IPCountry": said}, REMOTE_ADDR=peer)
    client.force_login(world.administrator)
    client.get(f"/l/{world.library.pk}/leads/")
    assert newest(Act.LEADS_LISTED) == kept


def test_without_the_setting_no_header_is_believed(world: World) -> None:
    world.add_lead()
    client = Client(headers={"CF-IPCountry": "DE"})
    client.force_login(world.administrator)
    client.get(f"/l/{world.library.pk}/leads/")
    assert newest(Act.LEADS_LISTED) == {}


def test_circumstances_end_with_their_request(world: World) -> None:
    script, _token = bearer(world.administrator)
    script.get(f"/api/v1/libraries/{world.library.pk}/leads/")
    assert circumstances() == NONE
    came_by_token(7)  # a task or a command: nothing stands around it
    assert circumstances() == NONE
    with transaction.atomic():
        audit.record(Act.SIGNED_IN, None, actor=world.administrator)
    assert newest(Act.SIGNED_IN) == {}


@pytest.mark.parametrize(
    ("said", "found"), [("us", "US"), (" FR ", "FR"), ("T1", ""), ("XX", ""), ("", ""), ("ÄÖ", "")]
)
def test_two_letters_are_a_country(said: str, found: str) -> None:
    assert country_in(said) == found
