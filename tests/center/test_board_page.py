"""The page of the board: beside the list with the same filter, its next cards, moving without JavaScript, refusals."""

from typing import Any
from urllib.parse import parse_qsl, urlsplit

import pytest
from django.test import Client

from accounts.models import Act, AuditEvent
from leads.center.services.working import Change, change_leads
from leads.center.views import columns
from leads.models import Lead, SavedView
from tests.center.test_pages import signed_in
from tests.counting import statements
from tests.world import World

HTMX = {"HX-Request": "true"}


@pytest.fixture
def client(world: World) -> Client:
    return signed_in(world.administrator)


def url(world: World, rest: str = "board/") -> str:
    return f"/l/{world.library.pk}/leads/{rest}"


def cards(answer: Any) -> dict[str, list[int]]:
    return {column.status: [card.id for card in column.cards] for column in answer.context["columns"]}


def move(world: World, status: str, *ids: int) -> None:
    change_leads(actor=world.administrator, library=world.library, lead_ids=ids, change=Change(status=status))


def test_list_and_board_lead_to_each_other_with_the_same_filter(world: World, client: Client) -> None:
    by_ad, contacted = world.add_lead(with_ad=True), world.add_lead(with_ad=True)
    world.add_lead()
    move(world, "contacted", contacted.pk)
    query = f"campaign={world.ad.ad_group.campaign_id}&test=0&sort=attention"
    listed = client.get(url(world, f"?{query}"))
    there = {one.label: one.url for one in listed.context["page"].switch}
    assert there["List"] == url(world, f"?{query}")
    assert there["Board"] == url(world, f"board/?{query}")
    shown = client.get(there["Board"])
    assert cards(shown)["raw"] == [row.id for row in listed.context["page"].rows] == [by_ad.pk]
    back = {one.label: (one.url, one.current) for one in shown.context["page"].switch}
    assert back == {"List": (there["List"], False), "Board": (there["Board"], True)}
    page = shown.context["page"]
    assert [chip.field for chip in page.chips] == [chip.field for chip in listed.context["page"].chips]
    for address in (*(chip.remove for chip in page.chips), *(view.url for view in page.views), page.list_url):
        assert address.startswith(url(world)), address


def test_search_and_saved_views_stay_on_the_board(world: World, client: Client) -> None:
    ann = world.add_lead()
    world.add_lead(name="Bob", email="bob@example.com", phone="+12025550100")
    found = client.post(url(world, "search/"), {"q": "ann", "board": "1", "test": "0"})
    place = found.headers["Location"]
    assert place.startswith(url(world, "board/?test=0&s="))
    assert {status: ids for status, ids in cards(client.get(place)).items() if ids} == {"raw": [ann.pk]}
    saved = client.post(url(world, "views/"), {"name": "Real", "board": "1", "test": "0", "is_default": "on"})
    view = SavedView.objects.get()
    assert view.query == {"test": "0"}
    assert saved.headers["Location"] == url(world, f"board/?test=0&view={view.pk}")
    assert client.get(url(world)).headers["Location"] == saved.headers["Location"]
    assert client.get(saved.headers["Location"]).context["page"].open_view.name == "Real"
    changed = client.post(url(world, f"views/{view.pk}/"), {"name": "Real", "board": "1"})
    assert changed.headers["Location"] == saved.headers["Location"]
    gone = client.post(url(world, f"views/{view.pk}/"), {"act": "delete", "board": "1"})
    assert gone.headers["Location"] == url(world, "board/?view=all")


def test_counts_come_after_the_page_and_lead_to_the_board(world: World, client: Client) -> None:
    ids = [world.add_lead().pk for _ in range(3)]
    world.add_lead(is_test=True)
    move(world, "qualified", ids[0])
    page = client.get(url(world, "board/?view=all")).context["page"]
    text = client.get(page.counts_url).content.decode()
    assert 'id="count-raw" data-exact="2" hx-swap-oob="true">2<' in text
    assert 'id="count-qualified" data-exact="1" hx-swap-oob="true">1<' in text
    assert f'href="{url(world)}?status=raw"' in text
    assert "count-raw" not in client.get(url(world, "counts/")).content.decode()


def test_a_column_goes_on_by_pieces_until_the_list_is_the_better_place(
    world: World, client: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(columns, "MOST_SHOWN", 40)
    ids = [world.add_lead().pk for _ in range(45)][::-1]
    shown = client.get(url(world, "board/?test=0"))
    raw = shown.context["columns"][0]
    assert ([card.id for card in raw.cards], raw.number.text) == (ids[:20], "20+")
    asked = dict(parse_qsl(urlsplit(raw.more.url).query))
    assert (asked["test"], asked["column"], asked["above"]) == ("0", "raw", "20")
    before = AuditEvent.objects.filter(act=Act.LEADS_LISTED).count()
    piece = client.get(raw.more.url, headers=HTMX)
    text = piece.content.decode()
    assert ("<html" in text, text.count("data-card"), text.count("autofocus")) == (False, 20, 1)
    assert "HX-Request" in piece.headers["Vary"]
    assert [card.id for card in piece.context["column"].cards] == ids[20:40]
    assert f"/leads/{ids[20]}/?test=0&amp;board=1" in text
    event = AuditEvent.objects.filter(act=Act.LEADS_LISTED).latest("pk")
    assert (AuditEvent.objects.filter(act=Act.LEADS_LISTED).count() - before, event.count) == (1, 20)
    more = piece.context["column"].more
    assert (more.in_list, more.url) == (True, url(world, "?test=0&status=raw"))
    # Without JavaScript the same address is the whole board, that column further on.
    whole = client.get(raw.more.url)
    assert cards(whole)["raw"] == ids[20:40]
    assert whole.context["columns"][0].first_url == url(world, "board/?test=0")
    wrong = client.get(url(world, "board/?column=raw&cursor=abc"))
    assert cards(wrong)["raw"] == ids[:20]
    assert client.get(url(world, "board/?column=raw&cursor=abc"), headers=HTMX).status_code == 400


def test_a_status_in_the_filter_leaves_the_other_columns_out_and_says_so(world: World, client: Client) -> None:
    raw, contacted = world.add_lead(), world.add_lead()
    move(world, "contacted", contacted.pk)
    shown = client.get(url(world, "board/?status=raw"))
    assert cards(shown) == {
        "raw": [raw.pk], "contacted": [], "qualified": [], "converted": [], "unqualified": [],
    }  # fmt: skip
    assert [column.asked for column in shown.context["columns"]] == [True, False, False, False, False]
    assert shown.content.decode().count("The filter leaves these out.") == 4


def test_a_card_is_masked_and_shows_what_was_done(world: World, client: Client) -> None:
    lead = world.add_lead(with_ad=True, is_test=True)
    Lead.objects.filter(pk=lead.pk).update(duplicate_of=1)
    change_leads(
        actor=world.administrator,
        library=world.library,
        lead_ids=[lead.pk],
        change=Change(labels=["hot", "call"], assignee=world.administrator.pk),
    )
    text = client.get(url(world, "board/?view=all")).content.decode()
    card = text[text.index(f'id="lead-{lead.pk}"') :]
    card = card[: card.index("</li>")]
    for said in ("Ann Example", "a•••@example.com", "hot", "call", "test", "duplicate", "Blue", "Trial, v1", "Ada"):
        assert said in card, said
    assert "ann@example.com" not in text
    assert "15112345678" not in text


def test_a_move_without_javascript_leads_back_to_the_board(world: World, client: Client) -> None:
    lead = world.add_lead()
    shown = client.get(url(world, "board/?test=0"))
    at = shown.context["columns"][0].cards[0].row_url
    answer = client.post(at, {"status": "contacted", "was": "raw"})
    assert answer.headers["Location"] == url(world, "board/?test=0")
    lead.refresh_from_db()
    assert (lead.status, lead.contacted_at is not None, lead.changes) == ("contacted", True, 1)
    assert AuditEvent.objects.get(act=Act.LEAD_CHANGED).detail["status"] == "contacted"
    moved = client.post(at, {"status": "qualified", "was": "contacted"}, headers=HTMX).content.decode()
    assert (moved.count("data-card"), 'data-status="qualified"' in moved) == (1, True)
    assert f"/leads/{lead.pk}/?test=0&amp;board=1" in moved


def test_a_move_that_cannot_be_changes_nothing(world: World, client: Client) -> None:
    lead = world.add_lead()
    at = url(world, f"{lead.pk}/row/?board=1")
    move(world, "qualified", lead.pk)
    for wrong, status in (
        ({"status": "contacted", "was": "raw"}, 409),
        ({"status": "lost", "was": "qualified"}, 400),
    ):
        assert client.post(at, wrong, headers=HTMX).status_code == status
    for who, status in ((world.operator, 403), (world.analyst, 403), (world.stranger, 404), (world.client_admin, 404)):
        assert signed_in(who).post(at, {"status": "raw", "was": "qualified"}, headers=HTMX).status_code == status
    lead.refresh_from_db()
    assert (lead.status, lead.changes) == ("qualified", 1)
    elsewhere = f"/l/{world.stranger_library.pk}/leads/{lead.pk}/row/?board=1"
    assert signed_in(world.stranger).post(elsewhere, {"status": "raw"}, headers=HTMX).status_code == 404
    world.hand_over()
    assert client.post(at, {"status": "raw", "was": "qualified"}, headers=HTMX).status_code == 403
    lead.refresh_from_db()
    assert (lead.status, lead.changes) == ("qualified", 1)


def test_the_drawer_stands_beside_the_board_and_gives_its_card_back(world: World, client: Client) -> None:
    ids = [world.add_lead().pk for _ in range(3)][::-1]
    move(world, "contacted", ids[1])
    at = url(world, f"{ids[1]}/?test=0&board=1")
    whole = client.get(at)
    drawer = whole.context["drawer"]
    assert cards(whole)["contacted"] == [ids[1]]
    assert drawer.back == url(world, "board/?test=0")
    assert (drawer.before, drawer.after) == (
        url(world, f"{ids[0]}/?test=0&board=1"),
        url(world, f"{ids[2]}/?test=0&board=1"),
    )
    changed = client.post(drawer.change_url, {"status": "converted"}, headers=HTMX).content.decode()
    assert f'id="lead-{ids[1]}" hx-swap-oob="true" draggable="true" data-card data-status="converted"' in changed


def test_the_filter_of_the_board_stays_on_the_board(world: World, client: Client) -> None:
    raw, qualified = world.add_lead(), world.add_lead()
    move(world, "qualified", qualified.pk)
    shown = client.get(url(world, "board/?status=qualified&label=&state=&since="))
    assert shown.status_code == 200
    assert {status: ids for status, ids in cards(shown).items() if ids} == {"qualified": [qualified.pk]}
    assert (shown.context["page"].board, raw.pk in cards(shown)["raw"]) == (True, False)


def test_what_is_not_live_leads_to_the_list(world: World, client: Client) -> None:
    for state in ("trashed", "quarantined"):
        answer = client.get(url(world, f"board/?state={state}&test=0"))
        assert answer.headers["Location"] == url(world, f"?state={state}&test=0")
        assert client.get(answer.headers["Location"]).context["page"].switch == ()


def test_the_list_is_no_board_whatever_its_address_says(world: World, client: Client) -> None:
    lead = world.add_lead()
    for address in ("?board=1&test=0", f"{lead.pk}/?board=1&test=0&state=quarantined"):
        page = client.get(url(world, address)).context["page"]
        assert (page.board, page.list_url) == (False, url(world, ""))


def test_whoever_may_not_view_leads_is_told_so_and_sees_none(world: World) -> None:
    world.add_lead(name="Zedekiah Quux")
    world.hand_over()
    for who, status in (
        (world.operator, 403),
        (world.analyst, 403),
        (world.administrator, 403),
        (world.stranger, 404),
    ):
        answer = signed_in(who).get(url(world))
        assert answer.status_code == status
        assert "Zedekiah" not in answer.content.decode()
    assert "Zedekiah" in signed_in(world.client_admin).get(url(world)).content.decode()
    assert AuditEvent.objects.filter(act=Act.LEADS_LISTED).count() == 1


@pytest.mark.parametrize("count", [1, 50])
def test_the_page_takes_the_same_queries_for_one_card_and_for_fifty(world: World, client: Client, count: int) -> None:
    ids = [world.add_lead(with_ad=True).pk for _ in range(count)]
    for number, status in enumerate(["raw", "contacted", "qualified", "converted", "unqualified"]):
        move(world, status, *(ids[number::5] or ids[:1]))
    client.get(url(world))
    with statements() as spoken:
        shown = client.get(url(world))
    assert sum(len(found) for found in cards(shown).values()) == count
    assert len(spoken) == 20, "\n".join(sql[:120] for sql in spoken)
