"""Searching by REST: who may, what the trail says of it, which order it goes on in, and that an act means all of it."""

import json
from typing import Any

import pytest

from accounts.models import Act, AuditEvent
from leads.center.services import bulk
from leads.center.services.working import Change, change_leads
from leads.models import Lead
from tests.center.test_api import caller
from tests.world import World, says

ASKING = ("leads/?q=ann", "leads/?s={words}", "leads/board/?q=ann@example.com", "leads/board/?s={words}")


def words(world: World) -> str:
    """What `next` of a search for Ann carries."""
    body = caller(world.administrator)("POST", f"libraries/{world.library.pk}/leads/search/?page_size=1", {"q": "ann"})
    found = str(body.json()["next"]).partition("?s=")[2].partition("&")[0]
    assert found
    return found


@pytest.mark.parametrize("path", ASKING)
def test_a_token_that_reads_no_answers_searches_nothing(world: World, path: str) -> None:
    ids = [world.add_lead().pk for _ in range(2)]
    world.add_lead(name="Bob", email="bob@example.com")
    at = f"libraries/{world.library.pk}/{path.format(words=words(world))}"
    assert str(ids[0]) in caller(world.administrator, "leads:read")("GET", at).content.decode()
    before = AuditEvent.objects.exclude(act__startswith="token").count()
    answer = caller(world.administrator, "forms:read")("GET", at)
    assert (answer.status_code, "leads:read" in answer.json()["detail"]) == (403, True)
    assert not [pk for pk in Lead.objects.values_list("pk", flat=True) if str(pk) in answer.content.decode()]
    assert not says(answer.content.decode(), "ann")
    assert AuditEvent.objects.exclude(act__startswith="token").count() == before


@pytest.mark.parametrize("query", ["q=Trial", "q={lead}", "outcome=preferred", "status=raw"])
def test_what_names_a_thing_is_no_search_and_needs_no_scope(world: World, query: str) -> None:
    lead = world.add_lead()
    path = f"libraries/{world.library.pk}/leads/?{query.format(lead=lead.pk)}"
    assert caller(world.administrator, "forms:read")("GET", path).status_code == 200


def test_an_act_on_what_a_search_finds_takes_the_scope_to_read(world: World) -> None:
    lead = world.add_lead()
    path, body = f"libraries/{world.library.pk}/leads/bulk/", {"filter": {"q": "ann"}, "set": {"status": "converted"}}
    for asked in (body, {**body, "filter": {"q": "nobody"}}):
        assert caller(world.administrator, "leads:write")("POST", path, asked).status_code == 403
    lead.refresh_from_db()
    assert (lead.status, lead.changes) == ("raw", 0)
    assert caller(world.administrator, "leads:write", "leads:read")("POST", path, body).json() == {"changed": 1}


@pytest.mark.parametrize("path", ["leads/", "leads/board/"])
def test_the_trail_tells_a_search_by_api_from_a_list(world: World, path: str) -> None:
    world.add_lead()
    call = caller(world.administrator)
    for query in ("", "?q=ann", "?q=nobody"):
        assert call("GET", f"libraries/{world.library.pk}/{path}{query}").status_code == 200
    looks = AuditEvent.objects.filter(act=Act.LEADS_READ).order_by("at", "id")
    assert [(event.count, event.detail.get("searched")) for event in looks] == [(1, None), (1, True), (0, True)]


def test_a_search_whose_filter_says_an_order_goes_on_in_it(world: World) -> None:
    ids = [world.add_lead().pk for _ in range(4)]
    change_leads(actor=world.administrator, library=world.library, lead_ids=ids[1:2], change=Change(status="contacted"))
    call, path = caller(world.administrator), f"libraries/{world.library.pk}/leads/search/?page_size=2"
    body: dict[str, Any] = {"q": world.form.name, "filter": {"sort": "attention"}}
    first = call("POST", path, body).json()
    second = call("GET", first["next"].partition("/api/v1/")[2]).json()
    urgent = [ids[0], *ids[2:]]
    assert [int(lead["id"]) for page in (first, second) for lead in page["results"]] == urgent
    assert second["next"] is None
    newest = call("POST", f"{path}&sort=received", body).json()
    rest = call("GET", newest["next"].partition("/api/v1/")[2]).json()
    assert [int(lead["id"]) for page in (newest, rest) for lead in page["results"]] == ids[::-1]


@pytest.mark.parametrize("limit", [2, 3])
def test_an_act_on_a_search_means_all_that_it_finds_or_none(
    world: World, monkeypatch: pytest.MonkeyPatch, limit: int
) -> None:
    """Those that match stand behind others that hold the same name."""
    monkeypatch.setattr(bulk, "STRETCH", 2)
    monkeypatch.setattr(bulk, "MOST_AT_ONCE", limit)
    wanted = [world.add_lead().pk for _ in range(3)]
    others = [world.add_lead(is_test=True).pk for _ in range(5)]
    call, path = caller(world.administrator), f"libraries/{world.library.pk}/leads/bulk/"
    answer = call("POST", path, {"filter": {"q": "ann", "test": "0"}, "delete": True})
    gone = set(Lead.objects.filter(state="trashed").values_list("pk", flat=True))
    if limit < len(wanted):
        assert (answer.status_code, list(answer.json()["errors"]), gone) == (400, ["filter"], set())
        assert "Narrow the filter" in json.dumps(answer.json())
    else:
        assert (answer.json(), gone) == ({"changed": 3}, set(wanted))
    assert Lead.objects.filter(pk__in=others, state="live").count() == 5


def test_more_leads_than_may_be_chosen_are_refused_not_cut_off(world: World) -> None:
    lead = world.add_lead()
    call = caller(world.administrator)
    ids = ",".join(str(lead.pk + number) for number in range(1001))
    for path, body in (
        ("exports/", {"format": "csv", "filter": {"lead": ids}}),
        ("leads/bulk/", {"filter": {"lead": ids}, "delete": True}),
    ):
        answer = call("POST", f"libraries/{world.library.pk}/{path}", body)
        assert (answer.status_code, answer.json()["errors"]) == (400, {"lead": "Choose at most 1000 leads."})
    assert (Lead.objects.get().state, world.library.exports.count()) == ("live", 0)
    at_most = {"format": "csv", "filter": {"lead": ids.rpartition(",")[0]}}
    assert call("POST", f"libraries/{world.library.pk}/exports/", at_most).status_code == 201
