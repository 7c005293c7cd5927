from typing import Any

import pytest
from django.utils import timezone
from pytest_django import DjangoAssertNumQueries

from accounts.access import Can, holders
from accounts.models import (
    Act,
    AdAccount,
    AuditEvent,
    BusinessCenter,
    BusinessCenterRole,
    LeadLibrary,
    LeadLibraryUserPermission,
    Transfer,
    User,
)
from accounts.services import business_centers
from accounts.services.transfers import EXPIRES_AFTER
from leads.models import Export, Lead
from tests.callers import Caller
from tests.house import House, build, live_form, person
from tests.world import add_delivery, make_connection

pytestmark = pytest.mark.django_db


@pytest.fixture
def house() -> House:
    """Larkspur is the agency that runs the account; Quarry, with Stig as its Admin, is the brand."""
    return build()


def state(house: House) -> list[Any]:
    """Everything that a transfer may change."""
    return [
        list(Transfer.objects.order_by("pk").values()),
        list(LeadLibrary.objects.order_by("pk").values()),
        list(LeadLibraryUserPermission.objects.order_by("pk").values_list("user", "permission", "content_object")),
    ]


def ask(house: House) -> str:
    body = {"business_center_id": str(house.elsewhere.business_center_id)}
    answer = Caller(house.admin).post(f"libraries/{house.library.pk}/transfers/", body)
    assert answer.status_code == 201
    return str(answer.data["id"])


def test_asking_and_accepting_moves_the_leads(house: House) -> None:
    agency, brand = Caller(house.admin), Caller(house.stranger)
    number = ask(house)
    told = brand.get(f"transfers/{number}/").data
    assert told["state"] == "requested"
    assert told["library_id"] == str(house.library.pk)
    assert told["from"] == {"id": str(house.business_center.pk), "name": "Larkspur"}
    assert told["to"]["name"] == "Quarry"
    assert told["requested_by"] == "Adele"
    answer = brand.post(f"transfers/{number}/accept/")
    assert (answer.status_code, answer.data["state"]) == (200, "accepted")
    library = LeadLibrary.objects.get(pk=house.library.pk)
    assert (library.custodian, library.custody) == (house.elsewhere.business_center, 2)
    assert list(holders(library, Can.VIEW_LEADS)) == [house.stranger]
    assert agency.get(f"transfers/{number}/").data["state"] == "accepted"
    assert agency.post(f"libraries/{library.pk}/transfers/", {"business_center_id": "1"}).status_code == 403


def test_the_list_by_library_and_by_account_is_the_same(house: House) -> None:
    number = ask(house)
    caller = Caller(house.analyst)
    by_library = caller.get(f"libraries/{house.library.pk}/transfers/").data
    by_account = caller.get(f"ad-accounts/{house.account.pk}/transfers/").data
    assert by_library == by_account
    assert [row["id"] for row in by_library["results"]] == [number]
    stranger = Caller(person("Nobody"))
    assert stranger.get(f"libraries/{house.library.pk}/transfers/").status_code == 404
    assert stranger.get("transfers/").data["results"] == []


def test_asking_by_ad_account_is_the_same_act(house: House) -> None:
    body = {"business_center_id": str(house.elsewhere.business_center_id)}
    answer = Caller(house.admin).post(f"ad-accounts/{house.account.pk}/transfers/", body)
    assert (answer.status_code, answer.data["library_id"]) == (201, str(house.library.pk))


def test_consequences_count_what_will_happen(house: House) -> None:
    form = live_form(house)
    assert form.published is not None
    for number in range(4):
        Lead.objects.create(
            library=house.library,
            form=form,
            version=form.published,
            region="eu",
            submission_key=f"00000000-0000-4000-8000-00000000000{number}",
            state=Lead.State.GONE if number == 2 else Lead.State.LIVE,
            why_gone=Lead.Gone.EXPIRED if number == 2 else "",
            is_test=number == 3,
        )
    connection = make_connection(house.library, house.admin, "CRM")
    make_connection(house.library, house.admin, "Old", removed_at=timezone.now() - EXPIRES_AFTER)
    lead = Lead.objects.exclude(state=Lead.State.GONE)[0]
    add_delivery(lead, connection, event_key="one")
    Export.objects.create(library=house.library, custody=1, requested_by=house.admin, bound_at=timezone.now())
    told = Caller(house.stranger).get(f"transfers/{ask(house)}/").data["consequences"]
    assert told == {
        "leads": 2,
        "connections_suspended": 1,
        "deliveries_waiting": 1,
        "exports_ended": 1,
        "people_losing_access": 1,
        "people_gaining_access": 1,
        "stays_with_owner": ["campaigns", "forms", "aggregate_counts"],
    }


def test_transfers_cost_the_same_for_one_and_three(
    house: House, django_assert_num_queries: DjangoAssertNumQueries
) -> None:
    caller = Caller(house.admin)
    number = ask(house)
    caller.get("transfers/")
    with django_assert_num_queries(3):
        assert len(caller.get("transfers/").data["results"]) == 1
    for _time in range(2):
        caller.post(f"transfers/{number}/cancel/")
        number = ask(house)
    with django_assert_num_queries(3):
        assert len(caller.get("transfers/").data["results"]) == 3


def test_a_second_request_is_409(house: House) -> None:
    ask(house)
    before = state(house)
    body = {"business_center_id": str(house.elsewhere.business_center_id)}
    answer = Caller(house.admin).post(f"libraries/{house.library.pk}/transfers/", body)
    assert (answer.status_code, answer.data["type"]) == (409, "transfer_pending")
    assert state(house) == before


@pytest.mark.parametrize("wanted", [None, "", "x", "-1", "1" * 20, 1.5, True, ["1"], "123"])
def test_a_bad_business_center_is_400(house: House, wanted: object) -> None:
    before = state(house)
    answer = Caller(house.admin).post(
        f"libraries/{house.library.pk}/transfers/", {"business_center_id": wanted} if wanted is not None else {}
    )
    assert (answer.status_code, list(answer.data["errors"])) == (400, ["business_center_id"])
    assert state(house) == before


def test_an_inactive_business_center_takes_nothing_over(house: House) -> None:
    BusinessCenter.objects.filter(pk=house.elsewhere.business_center_id).update(is_active=False)
    body = {"business_center_id": str(house.elsewhere.business_center_id)}
    answer = Caller(house.admin).post(f"libraries/{house.library.pk}/transfers/", body)
    assert answer.status_code == 400
    assert not Transfer.objects.exists()


@pytest.mark.parametrize("who", ["operator", "analyst", "stranger", "staff"])
def test_only_holders_of_hand_over_ask(house: House, who: str) -> None:
    somebody = User.objects.create_superuser("s@example.com") if who == "staff" else getattr(house, who)
    before = state(house)
    answer = Caller(somebody).post(f"libraries/{house.library.pk}/transfers/", {"business_center_id": "zzz"})
    assert answer.status_code == (403 if who in ("operator", "analyst") else 404)
    if answer.status_code == 403:
        assert (answer.data["missing_permission"], answer.data["who_can_help"]) == ("hand_over", ["Adele"])
    assert state(house) == before


def test_who_may_answer_and_who_may_cancel(house: House) -> None:
    standard, nobody = person("Sten"), person("Nobody")
    business_centers.set_member(
        actor=house.stranger,
        business_center=house.elsewhere.business_center,
        user=standard,
        role=BusinessCenterRole.STANDARD,
    )
    number = ask(house)
    before = state(house)
    for somebody in (house.admin, house.operator, house.analyst):
        for act in ("accept", "reject"):
            answer = Caller(somebody).post(f"transfers/{number}/{act}/")
            assert (answer.status_code, answer.data["who_can_help"]) == (403, ["Quarry"])
    answer = Caller(standard).post(f"transfers/{number}/accept/")
    assert (answer.status_code, answer.data["who_can_help"]) == (403, ["Stig"])
    assert Caller(house.operator).post(f"transfers/{number}/cancel/").status_code == 403
    for somebody in (house.stranger, standard):
        answer = Caller(somebody).post(f"transfers/{number}/cancel/")
        assert (answer.status_code, answer.data["who_can_help"]) == (403, ["Larkspur"])
        assert "Adele" not in answer.data["reason"]
    for act in ("accept", "reject", "cancel"):
        assert Caller(nobody).post(f"transfers/{number}/{act}/").status_code == 404
    assert Caller(nobody).get(f"transfers/{number}/").status_code == 404
    assert state(house) == before
    assert Caller(standard).get(f"transfers/{number}/").status_code == 200


@pytest.mark.parametrize(("first", "by"), [("accept", "stranger"), ("reject", "stranger"), ("cancel", "admin")])
def test_what_is_decided_stays_decided(house: House, first: str, by: str) -> None:
    number = ask(house)
    assert Caller(getattr(house, by)).post(f"transfers/{number}/{first}/").status_code == 200
    before = state(house)
    for act in ("accept", "reject"):
        answer = Caller(house.stranger).post(f"transfers/{number}/{act}/")
        assert (answer.status_code, answer.data["type"]) == (409, "transfer_decided")
    holder = house.stranger if first == "accept" else house.admin
    assert Caller(holder).post(f"transfers/{number}/cancel/").status_code == 409
    assert state(house) == before


def test_an_expired_transfer_cannot_be_accepted(house: House) -> None:
    number = ask(house)
    Transfer.objects.update(expires_at=timezone.now() - EXPIRES_AFTER)
    answer = Caller(house.stranger).post(f"transfers/{number}/accept/")
    assert (answer.status_code, answer.data["type"]) == (409, "transfer_expired")
    assert LeadLibrary.objects.get(pk=house.library.pk).custody == 1


def test_handing_back_is_the_same_act(house: House) -> None:
    Caller(house.stranger).post(f"transfers/{ask(house)}/accept/")
    answer = Caller(house.stranger).post(
        f"libraries/{house.library.pk}/transfers/", {"business_center_id": str(house.business_center.pk)}
    )
    assert answer.status_code == 201
    told = answer.data["consequences"]
    assert (told["people_losing_access"], told["people_gaining_access"]) == (1, 1)
    back = Caller(house.admin).post(f"transfers/{answer.data['id']}/accept/")
    assert back.status_code == 200
    library = LeadLibrary.objects.get(pk=house.library.pk)
    assert (library.custodian, library.custody) == (house.business_center, 3)
    assert list(holders(library, Can.VIEW_LEADS)) == [house.admin]


def test_a_transfer_stands_in_the_trails_of_both_sides(house: House) -> None:
    Caller(house.stranger).post(f"transfers/{ask(house)}/accept/")
    scopes = AuditEvent.objects.filter(act=Act.TRANSFER_ACCEPTED).values_list("scope_id", flat=True)
    account = AdAccount.objects.get(pk=house.account.pk)
    sides = {house.library.pk, account.pk, house.business_center.pk, house.elsewhere.business_center_id}
    assert set(scopes) == sides
