"""Leads access moves: one outcome, one transaction, nothing in between, whoever runs beside it."""

import threading
import time
from collections import Counter
from collections.abc import Callable
from datetime import timedelta
from types import ModuleType

import pytest
from django.db import connection, connections
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from accounts.access import LIBRARY_RIGHTS, Can, Refused, expected_rows, grants, may
from accounts.models import (
    AccountRole,
    Act,
    AuditEvent,
    BusinessCenterRole,
    LeadLibrary,
    LeadLibraryUserPermission,
    Scope,
    Transfer,
    User,
)
from accounts.refusals import Conflict, Invalid
from accounts.services import ad_accounts, business_centers, transfers
from accounts.services.transfers import (
    accept_transfer,
    cancel_transfer,
    expire_transfers,
    reject_transfer,
    request_transfer,
)
from leads.models import Lead
from tests.world import World, make_world, person


def asked(world: World) -> Transfer:
    return request_transfer(actor=world.administrator, library=world.library, business_center=world.client)


def events(act: Act) -> set[tuple[str, int]]:
    return set(AuditEvent.objects.filter(act=act).values_list("scope", "scope_id"))


def both_sides(world: World) -> set[tuple[str, int]]:
    return {
        (Scope.LIBRARY, world.library.pk),
        (Scope.AD_ACCOUNT, world.account.pk),
        (Scope.BUSINESS_CENTER, world.account.business_center_id),
        (Scope.BUSINESS_CENTER, world.client.pk),
    }


def reach(user: User, world: World) -> frozenset[Can]:
    return grants(user, world.library) & LIBRARY_RIGHTS


def test_request_moves_nothing_and_stands_in_both_trails(world: World) -> None:
    transfer = asked(world)
    assert (transfer.state, transfer.from_business_center, transfer.to_business_center) == (
        "requested",
        world.account.business_center,
        world.client,
    )
    assert timedelta(days=13, hours=23) < transfer.expires_at - timezone.now() <= timedelta(days=14)
    assert reach(world.administrator, world) == LIBRARY_RIGHTS
    assert grants(world.client_admin, world.library) == frozenset()
    assert events(Act.TRANSFER_REQUESTED) == both_sides(world)


def test_acceptance_moves_every_right_in_one_step(world: World) -> None:
    done = accept_transfer(actor=world.client_admin, transfer=asked(world))
    assert (done.state, done.decided_by) == ("accepted", world.client_admin)
    library = LeadLibrary.objects.get(pk=world.library.pk)
    assert (library.custodian, library.custody) == (world.client, 2)
    assert reach(world.administrator, world) == frozenset()
    assert Can.BELONG_LIBRARY in grants(world.administrator, world.library)
    assert reach(world.client_admin, world) == LIBRARY_RIGHTS
    assert Can.EDIT_FORMS in grants(world.administrator, world.account)  # campaigns and forms stay
    assert events(Act.TRANSFER_ACCEPTED) == both_sides(world)


@pytest.mark.parametrize(
    ("answer", "who", "state"),
    [(reject_transfer, "client_admin", "rejected"), (cancel_transfer, "administrator", "cancelled")],
)
def test_rejected_or_cancelled_moves_nothing(
    world: World, answer: Callable[..., Transfer], who: str, state: str
) -> None:
    assert answer(actor=getattr(world, who), transfer=asked(world)).state == state
    library = LeadLibrary.objects.get(pk=world.library.pk)
    assert (library.custodian, library.custody) == (world.account.business_center, 1)
    assert reach(world.administrator, world) == LIBRARY_RIGHTS
    assert reach(world.client_admin, world) == frozenset()
    assert asked(world).state == "requested"  # and one may ask again


def test_handing_back_is_a_new_transfer_accepted_by_the_owner(world: World) -> None:
    world.hand_over()
    owner = world.account.business_center
    back = request_transfer(actor=world.client_admin, library=world.library, business_center=owner)
    with pytest.raises(Refused):
        accept_transfer(actor=world.administrator, transfer=back)  # an Administrator of the account is no Admin of it
    boss = User.objects.get(name="Boss")
    accept_transfer(actor=boss, transfer=back)
    library = LeadLibrary.objects.get(pk=world.library.pk)
    assert (library.custodian, library.custody) == (owner, 3)
    assert reach(world.administrator, world) == LIBRARY_RIGHTS
    assert reach(boss, world) == frozenset()
    assert reach(world.client_admin, world) == frozenset()


# ---- who may ---------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("who", ["operator", "analyst"])
def test_member_without_the_right_cannot_ask(world: World, who: str) -> None:
    with pytest.raises(Refused) as refused:
        request_transfer(actor=getattr(world, who), library=world.library, business_center=world.client)
    assert (refused.value.can, refused.value.stranger, refused.value.who_can_help) == (Can.HAND_OVER, False, ("Ada",))
    assert not Transfer.objects.exists()


def test_stranger_cannot_ask_nor_answer(world: World) -> None:
    transfer = asked(world)
    for attempt in (accept_transfer, reject_transfer, cancel_transfer):
        with pytest.raises(Refused) as refused:
            attempt(actor=world.stranger, transfer=transfer)
        assert refused.value.stranger
    assert Transfer.objects.get().state == "requested"


@pytest.mark.parametrize("who", ["administrator", "operator", "standard"])
@pytest.mark.parametrize("answer", [accept_transfer, reject_transfer])
def test_party_without_the_right_to_answer_is_told_who_has_it(
    world: World, who: str, answer: Callable[..., Transfer]
) -> None:
    standard = person("Stan")
    role = BusinessCenterRole.STANDARD
    business_centers.set_member(actor=world.client_admin, business_center=world.client, user=standard, role=role)
    transfer = asked(world)
    actor = standard if who == "standard" else getattr(world, who)
    with pytest.raises(Refused) as refused:
        answer(actor=actor, transfer=transfer)
    assert not refused.value.stranger
    assert refused.value.who_can_help == (("Clio",) if who == "standard" else ("Client",))
    assert Transfer.objects.get().state == "requested"


def test_receiving_side_cannot_cancel(world: World) -> None:
    transfer = asked(world)
    with pytest.raises(Refused):
        cancel_transfer(actor=world.client_admin, transfer=transfer)
    assert Transfer.objects.get().state == "requested"


# ---- wrong state -----------------------------------------------------------------------------------------------------


def test_second_request_conflicts(world: World) -> None:
    asked(world)
    with pytest.raises(Conflict) as conflict:
        asked(world)
    assert conflict.value.code == "transfer_pending"
    assert Transfer.objects.count() == 1


def test_request_to_whom_holds_the_leads_conflicts(world: World) -> None:
    with pytest.raises(Conflict, match="holds the leads already"):
        request_transfer(
            actor=world.administrator, library=world.library, business_center=world.account.business_center
        )


def test_request_to_nobody_is_bad_input(world: World) -> None:
    with pytest.raises(Invalid):
        request_transfer(actor=world.administrator, library=world.library, business_center=None)


@pytest.mark.parametrize("answer", [accept_transfer, reject_transfer])
def test_second_answer_conflicts(world: World, answer: Callable[..., Transfer]) -> None:
    transfer = asked(world)
    accept_transfer(actor=world.client_admin, transfer=transfer)
    with pytest.raises(Conflict) as conflict:
        answer(actor=world.client_admin, transfer=transfer)
    assert conflict.value.code == "transfer_decided"
    assert LeadLibrary.objects.get(pk=world.library.pk).custody == 2


def test_expired_request_cannot_be_accepted_and_is_closed_by_the_clock(world: World) -> None:
    transfer = asked(world)
    Transfer.objects.filter(pk=transfer.pk).update(expires_at=timezone.now() - timedelta(seconds=1))
    with pytest.raises(Conflict) as conflict:
        accept_transfer(actor=world.client_admin, transfer=transfer)
    assert conflict.value.code == "transfer_expired"
    assert reach(world.client_admin, world) == frozenset()
    assert expire_transfers() == 1
    assert Transfer.objects.get().state == "expired"
    assert events(Act.TRANSFER_EXPIRED) == both_sides(world)
    assert expire_transfers() == 0


def test_expired_request_makes_room_for_a_new_one(world: World) -> None:
    old = asked(world)
    Transfer.objects.filter(pk=old.pk).update(expires_at=timezone.now() - timedelta(seconds=1))
    new = asked(world)
    assert Transfer.objects.get(pk=old.pk).state == "expired"
    assert new.state == "requested"


# ---- what it costs ---------------------------------------------------------------------------------------------------


def test_acceptance_costs_the_same_with_many_leads(world: World) -> None:
    def queries() -> tuple[int, str]:
        transfer = asked(world)
        with CaptureQueriesContext(connection) as captured:
            accept_transfer(actor=world.client_admin, transfer=transfer)
        back = request_transfer(
            actor=world.client_admin, library=world.library, business_center=world.account.business_center
        )
        accept_transfer(actor=User.objects.get(name="Boss"), transfer=back)
        return len(captured), " ".join(query["sql"] for query in captured.captured_queries)

    few, sql = queries()
    for number in range(30):
        world.add_lead(email=f"a{number}@example.com")
    many, sql_with_leads = queries()
    assert few == many
    for table in ("leads_lead", "leads_delivery", "leads_connection", "leads_export", "vault_"):
        assert f'"{table}' not in sql + sql_with_leads  # nothing but custody, rows, transfer, trail
    assert Lead.objects.count() == 30


# ---- at the same time (real connections) -----------------------------------------------------------------------------


def together(acts: list[Callable[[], object]]) -> Counter[str]:
    """Run the acts in threads that start at once; count how each ended."""
    barrier = threading.Barrier(len(acts))
    ended: Counter[str] = Counter()
    lock = threading.Lock()

    def run(act: Callable[[], object]) -> None:
        barrier.wait(20)
        try:
            act()
            how = "done"
        except (Conflict, Refused) as refused:
            how = type(refused).__name__
        finally:
            connections.close_all()
        with lock:
            ended[how] += 1

    threads = [threading.Thread(target=run, args=[act]) for act in acts]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
        assert not thread.is_alive()
    return ended


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("_round", range(3))
def test_twenty_racing_answers_have_exactly_one_outcome(_round: int) -> None:
    world = make_world()
    transfer = asked(world)
    acts: list[Callable[[], object]] = []
    for number in range(20):
        actor, answer = (
            (world.client_admin, accept_transfer),
            (world.administrator, cancel_transfer),
            (world.client_admin, reject_transfer),
        )[number % 3]
        acts.append(lambda actor=actor, answer=answer: answer(actor=actor, transfer=transfer))  # type: ignore[misc]
    ended = together(acts)
    assert ended["done"] == 1, ended
    assert sum(ended.values()) == 20  # nobody crashed: the others were told that it is decided, or that they may not
    state = Transfer.objects.get().state
    library = LeadLibrary.objects.get(pk=world.library.pk)
    moved = state == "accepted"
    assert library.custody == (2 if moved else 1)
    assert library.custodian == (world.client if moved else world.account.business_center)
    assert reach(world.administrator, world) == (frozenset() if moved else LIBRARY_RIGHTS)
    assert reach(world.client_admin, world) == (LIBRARY_RIGHTS if moved else frozenset())
    told = AuditEvent.objects.filter(
        scope=Scope.LIBRARY,
        scope_id=library.pk,
        act__in=[Act.TRANSFER_ACCEPTED, Act.TRANSFER_CANCELLED, Act.TRANSFER_REJECTED],
    )
    assert told.count() == 1


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("_round", range(5))
def test_member_added_while_accepting_runs_reaches_no_lead(_round: int) -> None:
    world = make_world()
    transfer = asked(world)
    late = [person(f"Late{number}") for number in range(4)]

    def adding(user: User) -> Callable[[], object]:
        return lambda: ad_accounts.set_member(
            actor=world.administrator, ad_account=world.account, user=user, role=AccountRole.ADMINISTRATOR
        )

    acts = [adding(user) for user in late]
    acts.insert(2, lambda: accept_transfer(actor=world.client_admin, transfer=transfer))
    assert together(acts) == {"done": 5}
    for user in late:
        assert not may(user, Can.VIEW_LEADS, world.library)
        assert Can.EDIT_FORMS in grants(user, world.account)
    rows = LeadLibraryUserPermission.objects.filter(content_object=world.library)
    library = LeadLibrary.objects.select_related("ad_account").get(pk=world.library.pk)
    wanted = {(user, str(can)) for user, can in expected_rows([library])[0].on_library}
    assert set(rows.values_list("user_id", "permission__codename")) == wanted


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("slow", [transfers, business_centers], ids=["slow accepting", "slow removing"])
def test_admin_who_loses_the_role_beside_accepting_reaches_no_lead(
    slow: ModuleType, monkeypatch: pytest.MonkeyPatch
) -> None:
    world = make_world()
    second = person("Cleo")
    admin = BusinessCenterRole.ADMIN
    business_centers.set_member(actor=world.client_admin, business_center=world.client, user=second, role=admin)
    transfer = asked(world)
    derive = slow.derive

    def slowly(libraries: list[LeadLibrary]) -> None:
        derive(libraries)
        time.sleep(0.5)

    monkeypatch.setattr(slow, "derive", slowly)
    ended = together(
        [
            lambda: accept_transfer(actor=world.client_admin, transfer=transfer),
            lambda: business_centers.set_member(
                actor=world.client_admin, business_center=world.client, user=second, role=None
            ),
        ]
    )
    assert ended == {"done": 2}
    assert not may(second, Can.VIEW_LEADS, world.library)
    assert may(world.client_admin, Can.VIEW_LEADS, world.library)
