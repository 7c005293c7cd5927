"""The list worked on in a browser: a row changed in its place or put back, columns moved, a view saved, keys alone."""

import pytest
from django.utils import timezone
from playwright.sync_api import Browser, Route, expect
from pytest_django.live_server_helper import LiveServer

from accounts.models import User
from leads.center.services.working import Change, change_leads
from leads.models import Lead, LeadLabel, SavedView
from tests.browser.test_pages import PHONE, WIDE, context_of, sideways, violations, visit
from tests.world import World, make_world

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def world(transactional_db: None) -> World:
    """Two leads, the newer one on top."""
    world = make_world()
    for name in ("Ann Example", "Bob Example"):
        world.add_lead(name=name)
    return world


def test_rows_columns_and_views_of_the_list(chrome: Browser, live_server: LiveServer, world: World) -> None:
    context = context_of(chrome, live_server, world.administrator, WIDE, "light")
    seen = visit(context, f"/l/{world.library.pk}/leads/")
    page, status = seen.page, seen.page.locator("tbody tr").first.locator(".c-status .cell")

    # A value shows at once, its row comes back, the focus stays; what the server refuses goes back with a word.
    status.click()
    page.locator("#edit-status [data-value=qualified]").click()
    expect(status.locator(".badge")).to_have_text("Qualified")
    expect(page.locator("tbody tr").first.locator(".clock")).to_contain_text("contacted")
    expect(status).to_be_focused()
    assert Lead.objects.get(status="qualified").pk == max(Lead.objects.values_list("pk", flat=True))
    assert seen.said == []
    page.route("**/row/*", lambda route: route.fulfill(status=403, body="no"))
    page.route("**/row/", lambda route: route.fulfill(status=403, body="no"))
    status.click()
    page.keyboard.press("ArrowDown")
    page.keyboard.press("Enter")
    expect(page.locator("#toasts [role=alert]")).to_contain_text("no longer allows this")
    expect(status.locator(".badge")).to_have_text("Qualified")
    page.unroute_all()

    # Columns move by their buttons, rows close up; both are there after the page is loaded anew.
    page.get_by_label("Columns and density").click()
    assert violations(page) == []
    page.get_by_label("Move Status up").click()
    expect(page.locator("#live")).to_have_text("Status moved to place 1")
    page.get_by_role("button", name="Compact").click()
    page.get_by_role("button", name="Show these columns").click()
    expect(page.locator("thead th").nth(2)).to_have_text("Status")
    expect(page.locator("html")).to_have_attribute("data-density", "compact")
    assert User.objects.get(pk=world.administrator.pk).density == "compact"

    # What the search finds by name is saved as a view with its count.
    page.locator("#q").focus()
    expect(page.locator("#names option[value='form: Trial']")).to_have_count(1)
    page.locator("#q").fill("form: Trial")
    page.keyboard.press("Enter")
    expect(page.locator(".chip b").first).to_have_text("Trial")
    page.locator("summary", has_text="Save view").click()
    page.get_by_label("Name of the view").fill("Trial people")
    assert violations(page) == []
    page.locator("#new-view").press("Enter")
    expect(page.locator("#views [aria-current]")).to_have_text("Trial people 2")
    view = SavedView.objects.get()
    assert (view.query["form"], view.query["cols"][:6]) == (str(world.form.pk), "status")
    context.close()


def test_changes_of_one_row_come_one_after_the_other_and_none_is_lost(
    chrome: Browser, live_server: LiveServer, world: World
) -> None:
    context = context_of(chrome, live_server, world.administrator, WIDE, "light")
    seen = visit(context, f"/l/{world.library.pk}/leads/")
    page, row, newest = seen.page, seen.page.locator("tbody tr").first, Lead.objects.order_by("-pk")[0]
    waiting: list[Route] = []
    page.route("**/row/**", lambda route: waiting.append(route))

    def answer() -> None:
        """Let the server answer what was sent, once it is."""
        for _moment in range(200):
            if waiting:
                return waiting.pop().continue_()
            page.wait_for_timeout(50)
        raise AssertionError("nothing was sent")

    # The menu of the assignee is open while the answer about the status replaces the row; the choice counts.
    row.locator(".c-status .cell").click()
    page.locator("#edit-status [data-value=qualified]").click()
    row.locator(".c-assignee .cell").click()
    expect(page.locator("#edit-assignee")).to_be_visible()
    answer()
    expect(row.locator(".clock")).to_contain_text("contacted")
    page.locator("#edit-assignee").get_by_text(str(world.administrator)).click()
    page.wait_for_timeout(100)

    # A further one waits for its turn, so that the row ends as the last answer says it.
    row.locator(".c-status .cell").click()
    page.locator("#edit-status [data-value=converted]").click()
    page.wait_for_timeout(100)
    assert len(waiting) == 1
    answer()
    answer()
    expect(row.locator(".c-status .badge")).to_have_text("Converted")
    expect(row.locator(".c-assignee")).to_contain_text(str(world.administrator))
    newest.refresh_from_db()
    assert (newest.status, newest.assignee_id) == ("converted", world.administrator.pk)
    page.unroute_all()

    # What the server refuses goes back with the server's reason.
    Lead.objects.filter(pk=newest.pk).update(state="trashed", trashed_at=timezone.now())
    row.locator(".c-status .cell").click()
    page.locator("#edit-status [data-value=raw]").click()
    expect(page.locator("#toasts [role=alert]")).to_contain_text("This lead is no longer here")
    expect(row.locator(".c-status .badge")).to_have_text("Converted")
    context.close()


def test_a_message_stays_while_the_pointer_is_on_it(chrome: Browser, live_server: LiveServer, world: World) -> None:
    context = context_of(chrome, live_server, world.administrator, WIDE, "light")
    page = visit(context, f"/l/{world.library.pk}/leads/").page
    page.clock.install()
    page.locator("[data-row]").first.check()
    page.get_by_label("Delete the selected leads").click()
    undo = page.locator("#toasts button", has_text="Undo")
    undo.hover()
    undo.focus()
    page.clock.run_for(2_000)
    page.mouse.move(5, 5)
    page.locator("#q").focus()
    undo.hover()
    page.clock.run_for(30_000)
    expect(undo).to_be_visible()
    page.mouse.move(5, 5)
    page.clock.run_for(11_000)
    expect(undo).to_have_count(0)
    context.close()


def test_keys_alone_walk_past_the_end_of_a_page(chrome: Browser, live_server: LiveServer, world: World) -> None:
    for number in range(49):
        world.add_lead(name=f"Person {number}")
    change = Change(labels=["Call back"])
    newest = Lead.objects.order_by("-pk")[0]
    change_leads(actor=world.administrator, library=world.library, lead_ids=[newest.pk], change=change)
    context = context_of(chrome, live_server, world.administrator, WIDE, "light")
    seen = visit(context, f"/l/{world.library.pk}/leads/")
    page, names = seen.page, seen.page.locator("a[data-open-drawer]")
    heading, place = page.locator("[data-drawer] h2"), page.locator(".drawer__bar .fine")

    # X selects, L changes labels though no column shows them, the focus stays in the row.
    page.keyboard.press("j")
    expect(names.first).to_be_focused()
    page.keyboard.press("x")
    expect(page.locator("[data-row]").first).to_be_checked()
    page.keyboard.press("x")
    page.keyboard.press("l")
    expect(page.locator("#edit-label [aria-pressed=true]")).to_be_focused()
    page.keyboard.press("Enter")
    expect(page.locator("tbody tr").first.locator("[data-label]")).to_have_count(0)
    expect(names.first).to_be_focused()
    assert not LeadLabel.objects.filter(lead=newest).exists()

    # The open lead leads on past the page and back; at the end it says so, and Esc goes back to the row.
    last = names.last.inner_text()
    names.last.focus()
    page.keyboard.press("Enter")
    expect(place).to_have_text("50 of 51")
    page.keyboard.press("j")
    expect(place).to_have_text("51 of 51")
    expect(heading).to_be_focused()
    page.keyboard.press("j")
    expect(page.locator("#live")).to_have_text("This is the last lead of the list")
    page.keyboard.press("k")
    expect(heading).to_have_text(last)
    page.keyboard.press("Escape")
    expect(names.last).to_be_focused()

    # Without a drawer the list goes on with its next page, and back.
    page.keyboard.press("j")
    page.wait_for_url("**cursor=**")
    expect(names).to_have_count(1)
    expect(names.first).to_be_focused()
    page.keyboard.press("k")
    expect(names).to_have_count(50)
    expect(names.last).to_be_focused()
    assert seen.said == []
    context.close()


def test_all_that_match_says_how_many_and_picking_rows_takes_it_back(
    chrome: Browser, live_server: LiveServer, world: World
) -> None:
    for number in range(49):
        world.add_lead(name=f"Person {number}")
    context = context_of(chrome, live_server, world.administrator, WIDE, "light")
    seen = visit(context, f"/l/{world.library.pk}/leads/?status=raw")
    page, said = seen.page, seen.page.locator("[data-selection] [data-count]")
    rows, every = page.locator("[data-row]"), page.get_by_label("all 51 matching")
    rows.first.click()
    expect(said).to_have_text("1 selected")
    every.click()
    expect(said).to_have_text("51 selected")
    expect(page.locator("#live")).to_have_text("51 selected")
    rows.nth(1).click()
    expect(said).to_have_text("2 selected")
    expect(every).not_to_be_checked()

    # What changes in a row is counted in the views, and in what matches.
    page.locator(".c-status .cell").first.click()
    page.locator("#edit-status [data-value=qualified]").click()
    expect(page.locator("#views a", has_text="Qualified").first.locator(".n")).to_have_text("1")
    page.get_by_label("all 50 matching").click()
    expect(said).to_have_text("50 selected")
    page.locator("a[data-open-drawer]").nth(1).click()
    page.locator("[data-drawer] [data-menu=status] summary").click()
    page.locator("[data-drawer] [data-menu=status] [value=converted]").click()
    expect(page.locator("#views a", has_text="Converted").locator(".n")).to_have_text("1")
    assert Lead.objects.filter(status="raw").count() == 49
    assert seen.said == []
    context.close()


def test_wide_columns_scroll_in_the_table_and_a_phone_sorts(
    chrome: Browser, live_server: LiveServer, world: World
) -> None:
    context = context_of(chrome, live_server, world.administrator, WIDE, "light")
    columns = "clock,status,form,assignee,delivery,region,received,changed,campaign,source,outcome,labels"
    page = visit(context, f"/l/{world.library.pk}/leads/?cols={columns}").page
    assert page.locator(".table-box").evaluate("box => box.scrollWidth > box.clientWidth")
    assert sideways(page) == 0
    expect(page.get_by_label("Order of the leads")).to_be_hidden()

    page.set_viewport_size({"width": PHONE, "height": 844})
    page.goto(f"/l/{world.library.pk}/leads/?test=0")
    page.get_by_label("Order of the leads").click()
    assert violations(page) == []
    assert sideways(page) == 0
    page.get_by_role("link", name="Most urgent first").click()
    page.wait_for_url("**/leads/?test=0&sort=attention")
    page.get_by_label("Order of the leads").click()
    expect(page.locator(".menu[open] [aria-current]")).to_have_text("Most urgent first")
    context.close()


def test_trail_leads_to_its_evidence_and_a_lead_fits_a_sheet(
    chrome: Browser, live_server: LiveServer, world: World
) -> None:
    context = context_of(chrome, live_server, world.administrator, WIDE, "light")
    page = visit(context, f"/l/{world.library.pk}/leads/{Lead.objects.order_by('-pk')[0].pk}/").page
    for node, part in (("Form v1", "answers"), ("Submitted", "consent"), ("Ad", "origin")):
        page.locator(".trail a", has_text=node).first.click()
        expect(page.locator(f"#{part}")).to_be_focused()
        expect(page.locator(".drawer .tabs [aria-current]")).to_have_attribute("href", f"#{part}")
    sheets = page.pdf(format="A4").count(b"/Type /Page\n")
    assert sheets == 1
    page.emulate_media(media="print")
    expect(page.locator(".sidebar")).to_be_hidden()
    expect(page.locator(".drawer h2")).to_be_visible()
    context.close()
