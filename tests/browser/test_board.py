"""The board worked on in a browser: a card dragged, moved by its menu and by key, put back; on a phone, too."""

from collections.abc import Callable
from datetime import timedelta

import pytest
from playwright.sync_api import Browser, Route, expect
from pytest_django.live_server_helper import LiveServer

from leads.center.services.working import Change, change_leads
from leads.crm.services.connections import create_connection
from leads.models import Lead
from tests.browser.test_pages import NARROWEST, PHONE, WIDE, context_of, sideways, violations, visit
from tests.world import World, add_delivery, make_world

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def world(transactional_db: None) -> World:
    """Enough raw leads for a second piece, the newest on top, and one that was contacted."""
    world = make_world()
    ids = [world.add_lead(name=f"Ann {number}", email=f"ann{number}@example.com").pk for number in range(23)]
    change_leads(actor=world.administrator, library=world.library, lead_ids=ids[:1], change=Change(status="contacted"))
    return world


def status_of(name: str, world: World) -> str:
    """Return the status of the lead that the page calls `name`: leads were stored in the order of their numbers."""
    ids = list(Lead.objects.filter(library=world.library).order_by("pk").values_list("pk", flat=True))
    return Lead.objects.get(pk=ids[int(name.removeprefix("Ann "))]).status


def test_cards_are_dragged_moved_by_menu_and_key_and_put_back(
    chrome: Browser, live_server: LiveServer, world: World
) -> None:
    context = context_of(chrome, live_server, world.administrator, WIDE, "light")
    seen = visit(context, f"/l/{world.library.pk}/leads/?test=0")
    page = seen.page
    page.get_by_role("link", name="Board").click()
    columns = {
        status: page.locator(f"[data-stage={status}]") for status in ("raw", "contacted", "qualified", "converted")
    }
    expect(columns["raw"].locator(".n")).to_have_text("22")
    expect(columns["raw"].locator("[data-card]")).to_have_count(20)
    assert violations(page) == []

    # With the mouse: at once, counted, announced, and so in the database.
    columns["raw"].get_by_text("Ann 22", exact=True).locator("xpath=ancestor::li").drag_to(columns["qualified"])
    expect(page.locator("#live")).to_have_text("Ann 22 is now in Qualified")
    expect(columns["qualified"].locator("[data-card]")).to_have_count(1)
    assert [columns[one].locator(".n").inner_text() for one in ("raw", "qualified")] == ["21", "1"]
    assert status_of("Ann 22", world) == "qualified"

    # By key: J to a card, S opens its menu, Enter takes; the focus stays on the card.
    page.get_by_role("heading", level=1).click()
    page.keyboard.press("j")
    expect(columns["raw"].locator("a[data-open-drawer]").first).to_be_focused()
    page.keyboard.press("s")
    expect(columns["raw"].locator(".move-menu:popover-open button").first).to_be_focused()
    assert violations(page) == []
    page.keyboard.press("ArrowDown")
    page.keyboard.press("ArrowDown")
    page.keyboard.press("Enter")
    expect(page.locator("#live")).to_have_text("Ann 21 is now in Converted")
    expect(columns["converted"].locator("a[data-open-drawer]")).to_be_focused()
    expect(columns["converted"].locator(".clock")).to_contain_text("in ")
    assert status_of("Ann 21", world) == "converted"

    # A colleague was quicker, then the right is gone, then the line: each time it goes back and says why.
    ann = columns["raw"].locator("[data-card]").first
    Lead.objects.filter(pk=int(str(ann.get_attribute("id")).removeprefix("lead-"))).update(status="unqualified")
    answers: tuple[tuple[Callable[[Route], None] | None, str], ...] = (
        (None, "Somebody gave this lead another status meanwhile"),
        (lambda route: route.fulfill(status=403), "no longer allows this"),
        (lambda route: route.abort(), "did not answer"),
    )
    for answer, said in answers:
        if answer is not None:
            page.route("**/row/*", answer)
        ann.get_by_role("button", name="Move Ann 20 to…").click()
        page.locator(".move-menu:popover-open [value=contacted]").click()
        expect(page.locator("#toasts [role=alert]").last).to_contain_text(said)
        page.unroute_all()
        expect(page.locator("#live")).to_have_text("Ann 20 is back in Raw")
        expect(columns["raw"].locator("[data-card]").first).to_contain_text("Ann 20")
        assert columns["contacted"].locator("[data-card]").count() == 1
    assert status_of("Ann 20", world) == "unqualified"

    # The next piece, no card twice; the drawer moves a card, and leads back to the board.
    page.get_by_role("link", name="Show more Raw").click()
    expect(columns["raw"].locator("[data-card]")).to_have_count(20)
    expect(columns["raw"].locator("a[data-open-drawer]").nth(18)).to_be_focused()
    columns["raw"].get_by_text("Ann 19", exact=True).click()
    page.locator("[data-drawer] [data-menu=status] summary").click()
    page.locator("[data-drawer] [data-menu=status] [value=qualified]").click()
    expect(columns["qualified"].locator("[data-card]").first).to_contain_text("Ann 19")
    page.keyboard.press("Escape")
    assert page.url.endswith("/leads/board/?test=0")
    seen.said = [text for text in seen.said if "Failed to load resource" not in text]  # the refusals of above
    assert seen.said == []
    context.close()


# The part of a card's foot that leaves its card, or lies on another part of it.
OUTSIDE = """cards => cards.flatMap((card) => {
  const box = card.getBoundingClientRect();
  const parts = [...card.querySelectorAll(".lead-card__foot > *, .lead-card__foot .cell")];
  return parts.filter((part) => {
    const one = part.getBoundingClientRect();
    return one.left < box.left || one.right > box.right || one.bottom > box.bottom;
  }).map((part) => `${card.id}: ${part.className}`);
})"""


def test_a_card_holds_its_clock_delivery_and_assignee(chrome: Browser, live_server: LiveServer, world: World) -> None:
    leads = list(Lead.objects.filter(library=world.library).order_by("pk"))
    hubspot = create_connection(
        actor=world.administrator, library=world.library, kind="hubspot", name="HubSpot", credentials={"token": "pat-1"}
    ).connection
    Lead.objects.filter(pk=leads[1].pk).update(contacted_at=leads[1].received_at + timedelta(days=3, hours=20))
    for number, state in enumerate(("pending", "pending", "dead", "done", "skipped")):
        for lead in (leads[number], leads[-1 - number]):
            add_delivery(lead, hubspot, state=state, attempts=number)
    Lead.objects.filter(pk=leads[-2].pk).update(assignee=world.administrator)
    for width, theme in ((1440, "dark"), (1280, "light"), (PHONE, "light")):
        context = context_of(chrome, live_server, world.administrator, width, theme)
        page = visit(context, f"/l/{world.library.pk}/leads/board/?test=0").page
        cards = page.locator("[data-card]:has(.lead-card__foot .state)")
        assert cards.count() > 4
        assert cards.evaluate_all(OUTSIDE) == []
        context.close()


def test_the_board_of_a_phone_scrolls_in_itself(chrome: Browser, live_server: LiveServer, world: World) -> None:
    for width, theme in ((PHONE, "dark"), (NARROWEST, "light")):
        context = context_of(chrome, live_server, world.administrator, width, theme)
        page = visit(context, f"/l/{world.library.pk}/leads/board/?test=0").page
        assert sideways(page) == 0
        assert violations(page) == []
        wider = page.locator("[data-board]").evaluate("board => board.scrollWidth > board.clientWidth")
        assert wider
        context.close()
