"""The list worked on in a browser: a row changed in its place or put back, columns moved, a view saved."""

import pytest
from playwright.sync_api import Browser, expect
from pytest_django.live_server_helper import LiveServer

from accounts.models import User
from leads.models import Lead, SavedView
from tests.browser.test_pages import WIDE, context_of, violations, visit
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
