"""The board: the list grouped by status, its pieces, its counts, who may see it, and moving a card."""

from typing import Any

import pytest
from django.http import Http404

from accounts.access import Refused
from accounts.models import Act, AuditEvent, AuditTarget
from accounts.refusals import Conflict, Invalid
from leads.center.selectors import board as selector
from leads.center.selectors.board import Board, board_of, count_columns
from leads.center.selectors.listing import list_leads
from leads.center.services.working import Change, change_leads
from leads.models import Lead
from leads.selection import Selection, read_selection
from leads.vault.walking import words_of
from leadscenter.lib.paging import BadCursor
from tests.center.test_listing import _busy_leads
from tests.counting import statements
from tests.world import World

STATUSES = ["raw", "contacted", "qualified", "converted", "unqualified"]


def board(world: World, selection: Selection | None = None, **more: Any) -> Board:
    return board_of(actor=world.administrator, library=world.library, selection=selection or Selection(), **more)


def cards(board: Board) -> dict[str, list[int]]:
    return {column.status: [row.lead.pk for row in column.rows] for column in board.columns}


def move(world: World, status: str, *ids: int) -> None:
    change_leads(actor=world.administrator, library=world.library, lead_ids=ids, change=Change(status=status))


@pytest.fixture
def spread(world: World) -> dict[str, list[int]]:
    """Two leads in each status, the newest first."""
    ids = [world.add_lead(with_ad=number < 5).pk for number in range(10)]
    found: dict[str, list[int]] = {}
    for number, status in enumerate(STATUSES):
        pair = [ids[number], ids[number + 5]]
        if status != "raw":
            move(world, status, *pair)
        found[status] = pair[::-1]
    return found


def test_each_lead_of_the_list_stands_in_one_column_newest_first(world: World, spread: dict[str, list[int]]) -> None:
    assert cards(board(world)) == spread
    assert [column.next for column in board(world).columns] == [None] * 5


@pytest.mark.parametrize(
    "params",
    [
        {"campaign": "here"},
        {"status": "qualified"},
        {"assignee": "none", "test": "0"},
        {"sort": "attention"},
        {"sort": "change"},
        {"s": "ann example"},
        {"s": "ann", "status": "contacted"},
        {"label": "hot"},
    ],
)
def test_the_board_holds_what_the_list_holds_for_the_same_filter(
    world: World, spread: dict[str, list[int]], params: dict[str, str]
) -> None:
    change_leads(
        actor=world.administrator,
        library=world.library,
        lead_ids=[spread["raw"][0], spread["converted"][1]],
        change=Change(labels=["hot"]),
    )
    given = dict(params)
    if "campaign" in given:
        given["campaign"] = str(world.ad.ad_group.campaign_id)
    if "s" in given:
        given["s"] = ".".join(word.encode() for word in words_of(world.library.pk, given["s"]))
    selection = read_selection(world.library, given, actor=world.administrator)
    order = given.get("sort", "received")
    listed = list_leads(actor=world.administrator, library=world.library, selection=selection, order=order)
    whole = [row.lead for row in listed.rows]
    assert whole
    by_status = {
        status: [lead.pk for lead in whole if lead.status == status]
        for status in STATUSES
        if given.get("status", status) == status
    }
    assert cards(board(world, selection, order=order)) == by_status


def test_the_next_piece_of_a_column_is_the_list_of_its_status(world: World) -> None:
    ids = [world.add_lead().pk for _ in range(7)][::-1]
    move(world, "contacted", *ids[:2])
    first = board(world, size=2)
    assert cards(first)["raw"] == ids[2:4]
    assert first.columns[1].next is None
    asked: dict[str, Any] = {
        "actor": world.administrator,
        "library": world.library,
        "selection": Selection(status="raw"),
    }
    page = list_leads(**asked, cursor=first.columns[0].next, size=2)
    assert [row.lead.pk for row in page.rows] == ids[4:6]
    second = board(world, size=2, behind={"raw": str(first.columns[0].next)})
    assert cards(second) == {status: {"raw": ids[4:6], "contacted": ids[:2]}.get(status, []) for status in STATUSES}
    last = board(world, size=2, behind={"raw": str(second.columns[0].next)})
    assert (cards(last)["raw"], last.columns[0].next) == (ids[6:], None)
    with pytest.raises(BadCursor):
        board(world, order="attention", behind={"raw": str(first.columns[0].next)})


def test_a_search_walks_once_and_goes_on_in_each_column(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(selector, "STEP", 2)
    monkeypatch.setattr(selector, "WALKED_AT_MOST", 4)
    ids = [world.add_lead().pk for _ in range(6)][::-1]
    move(world, "contacted", ids[0], ids[5])
    selection = Selection(words=words_of(world.library.pk, "ann"))
    first = board(world, selection, size=2)
    assert cards(first)["raw"] == ids[1:3]
    assert cards(first)["contacted"] == ids[:1]
    assert [column.narrow for column in first.columns] == [False, True, True, True, True]
    assert first.narrow
    ahead = {column.status: column.next for column in first.columns if column.next}
    asked: dict[str, Any] = {"actor": world.administrator, "library": world.library}
    for status, rest in (("raw", ids[3:5]), ("contacted", ids[5:]), ("qualified", [])):
        page = list_leads(**asked, selection=Selection(status=status, words=selection.words), cursor=ahead[status])
        assert [row.lead.pk for row in page.rows] == rest
    assert count_columns(**asked, selection=selection) == {}


def test_a_status_that_changes_while_the_board_is_read_neither_doubles_nor_loses_a_card(
    world: World, spread: dict[str, list[int]]
) -> None:
    with statements() as spoken:
        shown = board(world)
    asked = [sql for sql in spoken if 'FROM "leads_lead"' in sql]
    assert len(asked) == 1  # one statement sees one moment
    assert asked[0].count("UNION ALL") == 4
    move(world, "converted", spread["raw"][0])
    again = board(world)
    for one in (shown, again):
        ids = [pk for column in cards(one).values() for pk in column]
        assert sorted(ids) == sorted(pk for pair in spread.values() for pk in pair)
    assert spread["raw"][0] in cards(again)["converted"]


@pytest.mark.parametrize("count", [1, 50])
def test_the_board_takes_the_same_queries_for_one_card_and_for_fifty(world: World, count: int) -> None:
    _busy_leads(world, count)
    ids = list(Lead.objects.order_by("pk").values_list("pk", flat=True))
    for number, status in enumerate(STATUSES):
        move(world, status, *(ids[number::5] or ids[:1]))
    board(world)  # data keys come into memory
    with statements() as spoken:
        shown = board(world)
    rows = [row for column in shown.columns for row in column.rows]
    assert len(rows) == count
    assert {(row.labels, row.notes, str(row.lead.assignee)) for row in rows} == {(("call", "hot"), 1, "Ada")}
    assert all(row.sent == "retrying" for row in rows)
    assert len(spoken) == 10, "\n".join(sql[:120] for sql in spoken)


def test_counts_of_columns_leave_test_leads_out_and_stop(
    world: World, spread: dict[str, list[int]], monkeypatch: pytest.MonkeyPatch
) -> None:
    world.add_lead(is_test=True)
    asked: dict[str, Any] = {"actor": world.administrator, "library": world.library}
    found = count_columns(**asked, selection=Selection())
    assert {status: (tab.count, tab.more) for status, tab in found.items()} == dict.fromkeys(STATUSES, (2, False))
    monkeypatch.setattr("leads.center.selectors.counting.COUNTED_AT_MOST", 1)
    found = count_columns(**asked, selection=Selection(status="raw"))
    assert {status: (tab.count, tab.more) for status, tab in found.items()} == {"raw": (1, True)}


def test_a_board_is_one_look_at_each_of_its_cards(world: World, spread: dict[str, list[int]]) -> None:
    shown = [pk for column in cards(board(world)).values() for pk in column]
    event = AuditEvent.objects.get(act=Act.LEADS_LISTED)
    assert (event.count, event.actor_id) == (10, world.administrator.pk)
    targets = AuditTarget.objects.filter(event=event).values_list("object_id", flat=True)
    assert sorted(targets) == sorted(shown)
    board(world, Selection(words=words_of(world.library.pk, "ann")))
    assert AuditEvent.objects.get(act=Act.LEADS_SEARCHED).count == 10
    board(world, answers=False)
    assert AuditEvent.objects.filter(act=Act.LEADS_LISTED).count() == 1


@pytest.mark.parametrize("who", ["operator", "analyst", "stranger", "client_admin"])
def test_whoever_may_not_view_leads_gets_no_board_and_no_counts(world: World, who: str) -> None:
    world.add_lead()
    asked: dict[str, Any] = {"actor": getattr(world, who), "library": world.library, "selection": Selection()}
    for ask in (board_of, count_columns):
        with pytest.raises(Refused):
            ask(**asked)
    with pytest.raises(Refused):
        board_of(**asked, answers=False)
    assert not AuditEvent.objects.filter(act=Act.LEADS_LISTED).exists()


def test_after_a_transfer_the_board_is_the_new_holders(world: World) -> None:
    lead = world.add_lead()
    world.hand_over()
    with pytest.raises(Refused):
        board(world)
    shown = board_of(actor=world.client_admin, library=world.library, selection=Selection())
    assert cards(shown)["raw"] == [lead.pk]


def test_what_is_not_live_has_no_board(world: World) -> None:
    for state in ("trashed", "quarantined"):
        with pytest.raises(Invalid):
            board(world, Selection(state=state))


def test_a_card_that_somebody_else_moved_meanwhile_is_not_moved_again(world: World) -> None:
    lead = world.add_lead()
    asked: dict[str, Any] = {"actor": world.administrator, "library": world.library, "lead_ids": [lead.pk]}
    change_leads(**asked, change=Change(status="qualified", was="raw"))
    with pytest.raises(Conflict):
        change_leads(**asked, change=Change(status="contacted", was="raw"))
    assert Lead.objects.get(pk=lead.pk).status == "qualified"
    assert change_leads(**asked, change=Change(status="qualified", was="raw")) == []  # said twice
    Lead.objects.filter(pk=lead.pk).update(state="quarantined")
    with pytest.raises(Http404):
        change_leads(**asked, change=Change(status="contacted", was="qualified"))
