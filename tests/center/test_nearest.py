"""Pages of what few leads have, read from its own side: those of the list that is walked, in both directions."""

from datetime import timedelta
from typing import Any

import pytest
from django.utils import timezone

from leads.center.selectors import nearest
from leads.center.selectors.listing import list_without_answers
from leads.center.services.deleting import delete_leads, restore_leads
from leads.center.services.working import Change, change_leads
from leads.crm.outbox import queue_for
from leads.models import Connection, Delivery, Lead, LeadLabel
from leads.selection import Selection, read_selection
from tests.world import World, make_form, receive

SIZE = 3


def sold(world: World) -> None:
    """Leads in no order of their ids, several in the same second, with labels and deliveries of every kind."""
    hook, paused = world.connect(), world.connect("Paused")
    form, version = make_form(world.account, "Second")
    leads = [world.add_lead(form=form, version=version) if n % 4 == 3 else world.add_lead() for n in range(24)]
    hot = [lead.pk for n, lead in enumerate(leads) if n % 2]
    change_leads(actor=world.administrator, library=world.library, lead_ids=hot, change=Change(add_labels=["hot", "b"]))
    change_leads(actor=world.administrator, library=world.library, lead_ids=hot[::2], change=Change(status="qualified"))
    now = timezone.now().replace(microsecond=0)
    for number, lead in enumerate(leads):
        receive(lead, now - timedelta(seconds=(number * 7) % 24 // 2))
        of_hook = Delivery.objects.filter(connection=hook, lead_id=lead.pk)
        of_hook.update(state=("dead", "done", "pending")[number % 3], attempts=number % 2)
        if number % 5:
            Delivery.objects.filter(connection=paused, lead_id=lead.pk).update(state="done")
    Connection.objects.filter(pk=paused.pk).update(state="paused")
    delete_leads(actor=world.administrator, library=world.library, lead_ids=[leads[4].pk, leads[9].pk])


def walked(world: World, selection: Selection, cursor: str | None = None) -> list[list[int]]:
    """Return the ids on each page down to the last one, then on the pages back up to the first."""
    pages, turn = [], "next"
    while True:
        page = list_without_answers(
            actor=world.administrator, library=world.library, selection=selection, cursor=cursor, size=SIZE
        )
        pages.append([row.lead.pk for row in page.rows])
        if turn == "next" and page.next is None:
            turn = "previous"
        cursor = page.next if turn == "next" else page.previous
        if cursor is None:
            return pages


@pytest.mark.parametrize("read", [(1,), (2,), (2, 4), (40,)])
@pytest.mark.parametrize(
    "query",
    [
        {"delivery": "undelivered"},
        {"delivery": "failed"},
        {"delivery": "retrying"},
        {"delivery": "paused"},
        {"delivery": "undelivered", "label": "hot"},
        {"delivery": "failed", "status": "raw"},
        {"delivery": "failed", "state": "trashed"},
        {"label": "hot"},
        {"label": "hot", "status": "qualified"},
        {"label": "hot", "since": "2020-01-01"},
        {"label": "nobody"},
    ],
)
def test_the_pages_are_those_of_the_list_that_is_walked(
    world: World, monkeypatch: pytest.MonkeyPatch, query: dict[str, str], read: tuple[int, ...]
) -> None:
    sold(world)
    if query.get("label") == "nobody":
        LeadLabel.objects.all().delete()
        query = {"label": "hot"}
    selection = read_selection(world.library, query, actor=world.administrator)
    monkeypatch.setattr(nearest, "READ", ())
    expected = walked(world, selection)
    monkeypatch.setattr(nearest, "READ", read)
    assert walked(world, selection) == expected
    alone = selection.apply(Lead.objects.filter(library=world.library)).order_by("-received_at", "-pk")
    assert [pk for page in expected[: -(-alone.count() // SIZE)] for pk in page] == [lead.pk for lead in alone]


def test_deliveries_and_labels_say_when_their_lead_was_received(world: World) -> None:
    hook = world.connect()
    lead = world.add_lead()
    receive(lead, timezone.now() - timedelta(seconds=7200))
    mine: dict[str, Any] = {"actor": world.administrator, "library": world.library, "lead_ids": [lead.pk]}
    change_leads(**mine, change=Change(status="qualified", add_labels=["hot"]))
    Delivery.objects.filter(lead_id=lead.pk).update(state="done")
    delete_leads(**mine)
    restore_leads(**mine)
    change_leads(**mine, change=Change(status="contacted"))
    newer = world.connect("Newer")
    assert queue_for(newer, [lead.pk]) == 1
    came = Lead.objects.get(pk=lead.pk).received_at
    told = set(Delivery.objects.filter(lead_id=lead.pk).values_list("received_at", flat=True))
    assert told == {came} == set(LeadLabel.objects.filter(lead=lead).values_list("received_at", flat=True))
    assert Delivery.objects.filter(lead_id=lead.pk, connection=hook).count() >= 3
