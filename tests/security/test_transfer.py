"""From the commit of a transfer on, who held the leads reaches none: not in the session that is open, not with the
token that worked a moment ago, not in the download that has begun, not through the CRM that is connected.
"""

import json
import re
import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

import pytest
from django.db import connection, connections
from django.test import Client
from pytest_django import Settings

from accounts.access import LIBRARY_RIGHTS, Can, Refused, holders
from accounts.models import AccountRole, LeadLibrary, Transfer, User
from accounts.services.ad_accounts import set_member
from accounts.services.tokens import create_token
from accounts.services.transfers import accept_transfer, request_transfer
from leads import sealed_file
from leads.crm.drain import drain
from leads.crm.services.connections import create_connection
from leads.exports.services.running import run_due
from leads.models import Connection, Delivery, DeliveryAttempt, Export, Lead
from leads.vault.models import Note
from leads.vault.regions import alias_of
from tests.callers import Caller
from tests.fakes.sink import Sink
from tests.world import World, make_world, person

OLD = 3
COUNTED = re.compile(r"\b[\d,]+\s+(?:leads?|exports?|deliver(?:y|ies))\b", re.IGNORECASE)
HTMX = {"HX-Request": "true"}


@dataclass
class Agency:
    """What the agency has open while the brand accepts: session, tokens, a download at its first piece."""

    world: World
    page: Client
    api: Caller
    marketing: str
    leads: list[Lead]
    export: Export
    connection: Connection
    delivery: Delivery
    waiting: Delivery
    transfer: Transfer
    download: Iterator[bytes]

    @property
    def ids(self) -> list[str]:
        """Everything that tells of a lead, as it would stand in an answer."""
        rows: list[Any] = [*self.leads, self.export, self.delivery, self.waiting]
        return [str(row.pk) for row in rows]


@pytest.fixture
def sink(settings: Settings) -> Iterator[Sink]:
    with Sink() as sink:
        settings.OUTBOUND_ALLOWED_HOSTS = ["127.0.0.1"]
        yield sink


@pytest.fixture
def agency(
    transactional_db: None, sink: Sink, settings: Settings, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> Agency:
    settings.EXPORTS_DIR = str(tmp_path / "exports")
    monkeypatch.setattr(sealed_file, "RECORD_BYTES", 200)  # so that a short file goes out in several pieces
    world = make_world()
    made = create_connection(
        actor=world.administrator, library=world.library, kind="webhook", name="Agency CRM", url=sink.url
    )
    leads = [world.add_lead(name=f"Person {number}", email=f"p{number}@old.example") for number in range(OLD)]
    assert drain().accepted == OLD
    page = Client()
    page.force_login(world.administrator)
    api = Caller(world.administrator)
    _token, raw = create_token(user=world.administrator, name="marketing", scopes=("everything",))
    export_id = api.post(f"libraries/{world.library.pk}/exports/", {"format": "csv"}).json()["id"]
    assert run_due() == 1
    late = world.add_lead(name="Person waiting", email="waiting@old.example")
    delivery = Delivery.objects.filter(lead_id=leads[0].pk).get()
    answer = api.post(f"libraries/{world.library.pk}/transfers/", {"business_center_id": str(world.client.pk)})
    assert answer.status_code == 201, answer.content
    download = api.get(f"exports/{export_id}/file/")
    assert download.status_code == 200
    return Agency(
        world,
        page,
        api,
        raw,
        [*leads, late],
        Export.objects.get(pk=export_id),
        made.connection,
        delivery,
        Delivery.objects.get(lead_id=late.pk),
        Transfer.objects.get(pk=answer.json()["id"]),
        iter(download.streaming_content),
    )


def accept(agency: Agency) -> Caller:
    """The brand accepts by API; return its caller."""
    brand = Caller(agency.world.client_admin)
    answer = brand.post(f"transfers/{agency.transfer.pk}/accept/")
    assert answer.status_code == 200, answer.content
    return brand


def rows() -> dict[str, list[Any]]:
    """Everything that a refused request could have changed."""
    models = (Lead, Export, Connection, Delivery, DeliveryAttempt, Transfer, LeadLibrary)
    kept: dict[str, list[Any]] = {model.__name__: list(model.objects.order_by("pk").values()) for model in models}
    kept["Note"] = list(Note.objects.using(alias_of("eu")).order_by("pk").values())
    return kept


def paths(agency: Agency) -> dict[str, tuple[str, str, Any]]:
    """Pages by name: method, path, fields."""
    at, lead = f"/l/{agency.world.library.pk}", f"/l/{agency.world.library.pk}/leads/{agency.leads[0].pk}"
    crm = f"{at}/integrations"
    return {
        "list": ("GET", f"{at}/leads/", {}),
        "filtered list": ("GET", f"{at}/leads/?status=raw", {}),
        "counts": ("GET", f"{at}/leads/counts/", {}),
        "detail": ("GET", f"{lead}/", {}),
        "reveal": ("POST", f"{lead}/reveal/", {}),
        "search": ("POST", f"{at}/leads/search/", {"q": "p0@old.example"}),
        "note": ("POST", f"{lead}/note/", {"text": "still here"}),
        "change": ("POST", f"{lead}/change/", {"status": "converted"}),
        "delete": ("POST", f"{lead}/delete/", {}),
        "bulk": ("POST", f"{at}/leads/bulk/", {"act": "delete", "ids": [agency.leads[0].pk]}),
        "export request": ("POST", f"{at}/leads/download/", {}),
        "exports": ("GET", f"{at}/exports/", {}),
        "export file": ("GET", f"{at}/exports/{agency.export.pk}/file/", {}),
        "connections": ("GET", f"{crm}/", {}),
        "connection": ("GET", f"{crm}/{agency.connection.pk}/", {}),
        "connection test": ("POST", f"{crm}/{agency.connection.pk}/test/", {}),
        "delivery": ("GET", f"{crm}/deliveries/{agency.delivery.pk}/", {}),
        "resend": ("POST", f"{crm}/deliveries/{agency.delivery.pk}/resend/", {}),
        "answers": ("POST", f"{crm}/deliveries/{agency.delivery.pk}/answers/", {}),
        "activity": ("GET", f"{at}/activity/", {}),
        "privacy": ("POST", f"{at}/privacy/", {"retention_days": "1"}),
    }


def api_paths(agency: Agency) -> dict[str, tuple[str, str, Any]]:
    """Operations of `/api/v1/` by name: method, path, body."""
    library, lead = f"libraries/{agency.world.library.pk}", f"leads/{agency.leads[0].pk}"
    crm = f"connections/{agency.connection.pk}"
    return {
        "list": ("GET", f"{library}/leads/", None),
        "detail": ("GET", f"{lead}/", None),
        "reveal": ("GET", f"{lead}/?reveal=1", None),
        "search": ("POST", f"{library}/leads/search/", {"q": "p0@old.example"}),
        "notes": ("GET", f"{lead}/notes/", None),
        "note": ("POST", f"{lead}/notes/", {"text": "still here"}),
        "timeline": ("GET", f"{lead}/timeline/", None),
        "consent": ("GET", f"{lead}/consent/", None),
        "change": ("PATCH", f"{lead}/", {"status": "converted"}),
        "delete": ("DELETE", f"{lead}/", None),
        "bulk": ("POST", f"{library}/leads/bulk/", {"ids": [str(agency.leads[0].pk)], "delete": True}),
        "exports": ("GET", f"{library}/exports/", None),
        "export request": ("POST", f"{library}/exports/", {"format": "csv"}),
        "export": ("GET", f"exports/{agency.export.pk}/", None),
        "export file": ("GET", f"exports/{agency.export.pk}/file/", None),
        "connections": ("GET", f"{library}/connections/", None),
        "connection": ("GET", f"{crm}/", None),
        "connect": ("POST", f"{library}/connections/", {"kind": "webhook", "name": "x", "url": agency.connection.url}),
        "confirm": ("POST", f"{crm}/confirm/", {"waiting": "send"}),
        "backfill": ("POST", f"{crm}/backfill/", {}),
        "secret": ("POST", f"{crm}/rotate-secret/", None),
        "deliveries": ("GET", f"{crm}/deliveries/", None),
        "resend": ("POST", f"deliveries/{agency.delivery.pk}/resend/", None),
        "answers": ("GET", f"deliveries/{agency.delivery.pk}/answers/", None),
        "deliveries of a lead": ("GET", f"{lead}/deliveries/", None),
        "trail": ("GET", f"{library}/audit-events/", None),
    }


MARKETING = [
    ("POST", "page/lead/task/"),
    ("GET", "page/lead/task/download/"),
    ("GET", "lead/get/"),
    ("POST", "page/lead/mock/create/"),
    ("GET", "page/lead/mock/get/"),
]


def tells_nothing(agency: Agency, answer: Any, path: str) -> None:
    """No id but those in the address that was asked for, no count, nobody's data: neither in body nor in headers."""
    assert not answer.streaming
    headers = "\n".join(f"{name}: {value}" for name, value in answer.headers.items())
    text = f"{headers}\n{answer.content.decode()}"
    assert [known for known in agency.ids if known in text and known not in path] == []
    assert COUNTED.findall(text) == []
    assert "old.example" not in text
    assert "Person " not in text


def ask(agency: Agency, method: str, path: str, fields: Any, **headers: str) -> Any:
    if method == "GET":
        return agency.page.get(path, headers=headers)
    return agency.page.post(path, fields, headers=headers)


@pytest.mark.parametrize("headers", [{}, HTMX], ids=["page", "htmx"])
def test_open_session_is_refused_from_the_next_request_on(agency: Agency, headers: dict[str, str]) -> None:
    for name in ("list", "detail", "exports", "connections", "delivery"):
        method, path, fields = paths(agency)[name]
        assert ask(agency, method, path, fields, **headers).status_code == 200, name
    accept(agency)
    before = rows()
    for name, (method, path, fields) in paths(agency).items():
        answer = ask(agency, method, path, fields, **headers)
        assert answer.status_code == 403, f"{name}: {answer.status_code}"
        tells_nothing(agency, answer, path)
    assert rows() == before


def test_same_token_is_refused_by_the_api(agency: Agency) -> None:
    for name in ("list", "detail", "exports", "export", "connections", "deliveries", "trail"):
        assert agency.api.get(api_paths(agency)[name][1]).status_code == 200, name
    accept(agency)
    before = rows()
    for name, (method, path, body) in api_paths(agency).items():
        answer = agency.api.client.generic(
            method, f"/api/v1/{path}", json.dumps(body) if body is not None else "", content_type="application/json"
        )
        assert answer.status_code == 403, f"{name}: {answer.status_code}"
        assert answer["Content-Type"] == "application/problem+json"
        tells_nothing(agency, answer, path)
    assert rows() == before


def test_same_token_is_refused_by_the_marketing_api(agency: Agency) -> None:
    given = {
        "advertiser_id": str(agency.world.account.pk),
        "page_id": str(agency.world.form.pk),
        "lead_id": str(agency.leads[0].pk),
        "task_id": str(agency.export.pk),
    }

    def call(method: str, path: str) -> Any:
        client, headers = Client(), {"Access-Token": agency.marketing}
        if method == "GET":
            return client.get(f"/open_api/v1.3/{path}", given, headers=headers)
        asked = {name: value for name, value in given.items() if name != "task_id"}
        address, body = f"/open_api/v1.3/{path}", json.dumps(asked)
        return client.post(address, body, content_type="application/json", headers=headers)

    assert call("POST", "page/lead/task/").json()["code"] == 0
    accept(agency)
    before = rows()
    for method, path in MARKETING:
        answer = call(method, path)
        assert (answer.json()["code"], answer.json()["data"]) == (40001, {}), path
        tells_nothing(agency, answer, "")
    assert rows() == before


def test_download_that_has_begun_ends_before_the_next_piece(agency: Agency) -> None:
    first = next(agency.download)
    assert 0 < len(first) <= 200
    accept(agency)
    with pytest.raises(Refused):
        next(agency.download)
    assert list(agency.download) == []  # what was cut does not go on


def test_connection_sends_nothing_until_the_new_custodian_confirms(agency: Agency, sink: Sink) -> None:
    sent = len(sink.received)
    brand = accept(agency)
    new = agency.world.add_lead(name="Person new", email="new@old.example")
    assert drain().attempts == 0
    assert len(sink.received) == sent
    waiting = {agency.waiting.pk, *Delivery.objects.filter(lead_id=new.pk).values_list("pk", flat=True)}
    stays = Delivery.objects.filter(pk__in=waiting, state=Delivery.State.PENDING, attempts=0)
    assert set(stays.values_list("pk", flat=True)) == waiting
    assert brand.get(f"connections/{agency.connection.pk}/").json()["state"] == "unconfirmed"
    confirmed = brand.post(f"connections/{agency.connection.pk}/confirm/", {"waiting": "send"})
    assert confirmed.status_code == 200, confirmed.content
    drain()
    assert {received.webhook_id for received in sink.received[sent:]} >= {f"msg_{agency.waiting.pk}"}


def test_brand_sees_old_and_new_leads(agency: Agency) -> None:
    library = agency.world.library.pk
    brand, page = Caller(agency.world.client_admin), Client()
    page.force_login(agency.world.client_admin)
    assert brand.get(f"libraries/{library}/leads/").status_code in (403, 404)
    accept(agency)
    new = agency.world.add_lead(name="Person new", email="new@old.example")
    seen = brand.get(f"libraries/{library}/leads/").json()["results"]
    assert {row["id"] for row in seen} == {str(lead.pk) for lead in (*agency.leads, new)}
    found = brand.post(f"libraries/{library}/leads/search/", {"q": "p0@old.example"}).json()["results"]
    assert [row["id"] for row in found] == [str(agency.leads[0].pk)]
    listed = page.get(f"/l/{library}/leads/").content.decode()
    assert all(str(lead.pk) in listed for lead in (*agency.leads, new))
    assert page.get(f"/l/{library}/leads/{agency.leads[0].pk}/").status_code == 200


def run_all(acts: list[Callable[[], None]]) -> None:
    """At once on Postgres; one after the other on SQLite, which lets one writer in at a time."""
    if connection.vendor != "postgresql":
        for act in acts:
            act()
        return
    barrier = threading.Barrier(len(acts))

    def run(act: Callable[[], None]) -> None:
        try:
            barrier.wait(20)
            act()
        finally:
            connections.close_all()

    threads = [threading.Thread(target=run, args=[act]) for act in acts]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)


@pytest.mark.django_db(transaction=True)
def test_administrator_added_while_accepting_runs_reaches_no_lead() -> None:
    world = make_world()
    lead = world.add_lead(name="Person one", email="p0@old.example")
    late = [person(f"Late{number}") for number in range(4)]
    asked = request_transfer(actor=world.administrator, library=world.library, business_center=world.client)
    ended: list[str] = []

    def add(user: User) -> None:
        set_member(actor=world.administrator, ad_account=world.account, user=user, role=AccountRole.ADMINISTRATOR)
        ended.append("added")

    def take_over() -> None:
        accept_transfer(actor=world.client_admin, transfer=asked)
        ended.append("accepted")

    acts: list[Callable[[], None]] = [partial(add, user) for user in late]
    acts.insert(2, take_over)
    run_all(acts)
    assert sorted(ended) == ["accepted", *["added"] * len(late)]
    library = LeadLibrary.objects.get(pk=world.library.pk)
    for can in LIBRARY_RIGHTS:
        assert set(holders(library, can)) == {world.client_admin}, can
    assert Can.VIEW_LEADS in LIBRARY_RIGHTS
    for user in (*late, world.administrator):
        caller = Caller(user)
        for path in (f"libraries/{library.pk}/leads/", f"leads/{lead.pk}/"):
            answer = caller.get(path)
            assert answer.status_code == 403
            assert "old.example" not in answer.content.decode()
