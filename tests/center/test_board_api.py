"""The board by REST: the page's filters, the same leads as the list, in clear, masked or withheld as lists are."""

from typing import Any

import pytest
from django.test import Client

from accounts.models import Act, AuditEvent, AuditTarget
from leads.center.services.working import Change, change_leads
from leads.models import Lead
from tests.center.test_api import caller
from tests.world import World

STATUSES = ["raw", "contacted", "qualified", "converted", "unqualified"]


@pytest.fixture
def ids(world: World) -> list[int]:
    """Five leads, the newest first; the oldest two are qualified."""
    found = [world.add_lead(with_ad=True).pk for _ in range(5)][::-1]
    change_leads(
        actor=world.administrator, library=world.library, lead_ids=found[3:], change=Change(status="qualified")
    )
    return found


def path(world: World, query: str = "") -> str:
    return f"libraries/{world.library.pk}/leads/board/{query}"


def held(body: dict[str, Any]) -> dict[str, list[int]]:
    return {one["status"]: [int(lead["id"]) for lead in one["results"]] for one in body["columns"] if one["results"]}


def test_a_token_reads_the_board_in_clear_with_one_trace(world: World, ids: list[int]) -> None:
    answer = caller(world.administrator)("GET", path(world))
    assert (answer.status_code, answer["Cache-Control"]) == (200, "no-store")
    columns = answer.json()["columns"]
    assert [one["status"] for one in columns] == STATUSES
    assert held(answer.json()) == {"raw": ids[:3], "qualified": ids[3:]}
    assert [(one["count"], one["more"], one["next"]) for one in columns] == [
        (number, False, None) for number in (3, 0, 2, 0, 0)
    ]
    assert columns[0]["results"][0]["answers"][1]["value"] == "ann@example.com"
    event = AuditEvent.objects.get(act=Act.LEADS_READ)
    assert sorted(AuditTarget.objects.filter(event=event).values_list("object_id", flat=True)) == sorted(ids)


def test_filters_orders_and_searches_are_those_of_the_list(world: World, ids: list[int]) -> None:
    call = caller(world.administrator)
    Lead.objects.filter(pk=ids[0]).update(is_test=True)
    for query, found in (
        ("?test=0", {"raw": ids[1:3], "qualified": ids[3:]}),
        ("?status=qualified", {"qualified": ids[3:]}),
        (f"?ad={world.ad.pk}&status=raw", {"raw": ids[:3]}),
        ("?sort=change", {"qualified": ids[3:]}),
        ("?q=ann@example.com", {"raw": ids[:3], "qualified": ids[3:]}),
    ):
        assert held(call("GET", path(world, query)).json()) == found, query
    searched = call("GET", path(world, "?q=ann")).json()
    assert (searched["narrow"], [one["count"] for one in searched["columns"]]) == (False, [None] * 5)
    for wrong in ("?status=new", "?sort=name", "?page_size=51", "?state=trashed", "?form=x"):
        assert call("GET", path(world, wrong)).status_code == 400, wrong


def test_a_column_goes_on_as_the_list_of_its_status(world: World, ids: list[int]) -> None:
    call = caller(world.administrator)
    raw = call("GET", path(world, "?page_size=2&test=0")).json()["columns"][0]
    assert (raw["count"], [int(lead["id"]) for lead in raw["results"]]) == (3, ids[:2])
    rest = call("GET", raw["next"].split("/api/v1/")[1]).json()
    assert ([int(lead["id"]) for lead in rest["results"]], rest["next"]) == (ids[2:3], None)


def test_whoever_reads_less_gets_less(world: World, ids: list[int], client: Client) -> None:
    withheld = caller(world.administrator, "forms:read")("GET", path(world))
    assert held(withheld.json()) == {"raw": ids[:3], "qualified": ids[3:]}
    assert "answers" not in withheld.json()["columns"][0]["results"][0]
    assert "ann@" not in withheld.content.decode()
    assert not AuditEvent.objects.filter(act=Act.LEADS_READ).exists()
    client.force_login(world.administrator)
    masked = client.get(f"/api/v1/{path(world)}").json()["columns"][0]["results"][0]
    assert (masked["masked"], masked["answers"][1]["value"]) == (True, "a•••@example.com")


def test_refusals_tell_nothing_of_a_lead(world: World, ids: list[int]) -> None:
    world.hand_over()
    for who, status in (
        (world.operator, 403),
        (world.analyst, 403),
        (world.administrator, 403),
        (world.stranger, 404),
    ):
        answer = caller(who)("GET", path(world))
        assert answer.status_code == status
        assert not [lead for lead in ids if str(lead) in answer.content.decode()]
    assert held(caller(world.client_admin)("GET", path(world)).json()) == {"raw": ids[:3], "qualified": ids[3:]}
