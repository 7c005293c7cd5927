"""How many leads the views hold: bounded, without test leads, by one statement whatever is counted."""

import time

import pytest

from leads.center.selectors import counting
from leads.center.selectors.counting import counted, tabs
from leads.center.services.working import Change, change_leads
from leads.models import Connection, Delivery, Lead
from leads.selection import Selection
from tests.counting import statements
from tests.world import World


def number_of(world: World, **query: str) -> tuple[int, bool]:
    tab = counted(world.administrator, world.library, {"": query})[""]
    return tab.count, tab.more


def test_counts_are_bounded_and_fetched_apart(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(counting, "COUNTED_AT_MOST", 2)
    for _ in range(3):
        world.add_lead()
    found = {tab.key: (tab.count, tab.more) for tab in tabs(world.administrator, world.library, Selection())}
    assert found["all"] == (2, True)
    assert found["raw"] == (2, True)
    assert found["qualified"] == (0, False)
    assert found["mine"] == (0, False)
    assert found["attention"] == (2, True)


def test_what_is_full_is_not_counted_again_for_a_minute(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(counting, "COUNTED_AT_MOST", 2)
    ids = [world.add_lead().pk for _ in range(4)]
    tabs(world.administrator, world.library, Selection())
    change_leads(actor=world.administrator, library=world.library, lead_ids=ids, change=Change(status="qualified"))

    def now() -> dict[str, tuple[int, bool]]:
        return {tab.key: (tab.count, tab.more) for tab in tabs(world.administrator, world.library, Selection())}

    assert (now()["all"], now()["raw"], now()["qualified"]) == ((2, True), (2, True), (2, True))
    clock = time.monotonic()
    monkeypatch.setattr(time, "monotonic", lambda: clock + 61)
    assert (now()["all"], now()["raw"], now()["qualified"]) == ((2, True), (0, False), (2, True))
    assert number_of(world, status="raw") == (0, False)


def test_test_leads_are_taken_off_unless_they_are_asked_for(world: World) -> None:
    for is_test in (False, False, True):
        world.add_lead(is_test=is_test)
    assert number_of(world) == (2, False)
    assert number_of(world, status="raw") == (2, False)
    assert number_of(world, test="0") == (2, False)
    assert number_of(world, test="1") == (1, False)
    Lead.objects.filter(is_test=False).update(state="quarantined")
    assert number_of(world) == (0, False)
    assert number_of(world, state="quarantined") == (2, False)


def test_what_is_looked_at_one_by_one_is_counted_less_far(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(counting, "COUNTED_ONE_BY_ONE", 1)
    ids = [world.add_lead().pk for _ in range(3)]
    change_leads(actor=world.administrator, library=world.library, lead_ids=ids, change=Change(labels=["hot"]))
    assert number_of(world, status="raw") == (3, False)
    assert number_of(world, label="hot") == (1, True)
    assert number_of(world, status="raw", form=str(world.form.pk)) == (1, True)
    assert number_of(world, status="raw", since="2020-01-01") == (3, False)


def test_undelivered_leads_are_counted_once_and_from_their_deliveries(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    for number in range(2):
        world.connect(f"Hook {number}")
    failed, trashed, test, done = (world.add_lead(is_test=number == 2).pk for number in range(4))
    Delivery.objects.filter(lead_id__in=[failed, trashed, test]).update(state="dead")
    Delivery.objects.filter(lead_id=done).update(state="done")
    Lead.objects.filter(pk=trashed).update(state="trashed", trashed_at="2026-01-01T00:00Z")
    assert number_of(world, delivery="failed") == (1, False)
    assert number_of(world, delivery="undelivered", status="raw") == (1, False)
    assert number_of(world, delivery="undelivered", status="contacted") == (0, False)
    assert number_of(world, delivery="delivered") == (1, False)
    found = {tab.key: (tab.count, tab.more) for tab in tabs(world.administrator, world.library, Selection())}
    assert found["undelivered"] == (1, False)
    monkeypatch.setattr(counting, "LOOKED_AT", (1, 5))  # of six; each lead has two
    assert number_of(world, delivery="failed") == (1, True)
    counting.FULL.forget()
    monkeypatch.setattr(counting, "LOOKED_AT", (1, 7))
    assert number_of(world, delivery="failed") == (1, False)


def test_paused_and_retrying_follow_from_their_connections(world: World) -> None:
    running, paused, removed = (world.connect(name) for name in ("running", "paused", "removed"))
    world.add_lead()
    Delivery.objects.update(state="pending", attempts=2)
    Connection.objects.filter(pk=paused.pk).update(state="paused")
    Connection.objects.filter(pk=removed.pk).update(removed_at="2026-01-01T00:00Z")
    for wanted in ("retrying", "paused", "undelivered"):
        assert number_of(world, delivery=wanted) == (1, False), wanted
    Delivery.objects.filter(connection=running).update(state="done")
    assert number_of(world, delivery="retrying") == (0, False)
    Delivery.objects.filter(connection=paused).update(state="done")
    assert number_of(world, delivery="paused") == number_of(world, delivery="undelivered") == (0, False)
    Delivery.objects.filter(connection=running).update(state="pending")
    type(world.library).objects.filter(pk=world.library.pk).update(custody=world.library.custody + 1)
    world.library.refresh_from_db()
    assert number_of(world, delivery="paused") == (1, False)


def test_all_leads_are_the_sum_of_their_statuses(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    for number, status in enumerate(Lead.Status.values):
        for _ in range(number + 1):
            Lead.objects.filter(pk=world.add_lead().pk).update(status=status)
    world.add_lead(is_test=True)

    def found() -> dict[str, tuple[int, bool]]:
        return {tab.key: (tab.count, tab.more) for tab in tabs(world.administrator, world.library, Selection())}

    assert [found()[status] for status in Lead.Status.values] == [(number, False) for number in range(1, 6)]
    assert found()["all"] == (15, False) == number_of(world)
    monkeypatch.setattr(counting, "COUNTED_AT_MOST", 6)
    monkeypatch.setattr(counting, "COUNTED_ONE_BY_ONE", 5)
    assert found()["all"] == (6, True)


def test_saved_views_are_counted_with_ours_by_the_same_statements(world: World) -> None:
    lead = world.add_lead()
    tabs(world.administrator, world.library, Selection())  # what is kept in memory is not counted
    with statements() as few:
        tabs(world.administrator, world.library, Selection())
    saved = {"1": {"status": "raw"}, "2": {"viewed": "1"}, "3": {"status": "nonsense"}, "4": {"s": "nonsense"}}
    with statements() as many:
        found = tabs(world.administrator, world.library, Selection(), saved=saved)
    assert len(many) == len(few) == 3
    assert [(tab.key, tab.count) for tab in found[-2:]] == [("1", 1), ("2", 0)]
    assert found[0].count == Lead.objects.filter(pk=lead.pk).count() == 1
