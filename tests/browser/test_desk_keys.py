"""The desk by keyboard alone: Enter in a field does what its own button does, keys reach what is done to many."""

from datetime import timedelta

import pytest
from django.utils import timezone
from playwright.sync_api import Browser, Page, expect
from pytest_django.live_server_helper import LiveServer

from leads.center.layout import USUAL
from leads.center.services.following_up import follow_up_of, set_follow_up
from leads.center.services.working import Change, change_leads
from leads.models import Lead, LeadLabel
from tests.browser.test_pages import WIDE, context_of, violations, visit
from tests.world import World, make_world

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def world(transactional_db: None) -> World:
    """Two qualified leads, the newer one on top."""
    world = make_world()
    ids = [world.add_lead(name=name).pk for name in ("Ann Example", "Bob Example")]
    change_leads(actor=world.administrator, library=world.library, lead_ids=ids, change=Change(status="qualified"))
    return world


def the_list(chrome: Browser, live_server: LiveServer, world: World, query: str = "") -> Page:
    context = context_of(chrome, live_server, world.administrator, WIDE, "light")
    return visit(context, f"/l/{world.library.pk}/leads/{query}").page


def test_enter_in_the_bulk_label_adds_it_and_leaves_the_status(
    chrome: Browser, live_server: LiveServer, world: World
) -> None:
    page = the_list(chrome, live_server, world)
    page.locator("[data-row]").first.click()

    # On a tick, Enter does nothing to what is selected.
    page.keyboard.press("Enter")
    expect(page.locator("[data-row]").first).to_be_checked()
    page.locator("[data-selection] summary[aria-label=Label]").click()
    page.locator("#bulk-label").fill("Call back")
    page.keyboard.press("Enter")
    expect(page.locator("#toasts")).to_contain_text("1 lead changed.")
    expect(page.locator("tbody tr").first.locator("[data-label]")).to_have_text("Call back")
    newest = Lead.objects.order_by("-pk")[0]
    assert list(LeadLabel.objects.values_list("lead", "label__name")) == [(newest.pk, "Call back")]
    assert set(Lead.objects.values_list("status", flat=True)) == {"qualified"}
    page.context.close()


def test_enter_in_the_column_chooser_shows_the_columns(chrome: Browser, live_server: LiveServer, world: World) -> None:
    page = the_list(chrome, live_server, world)
    page.get_by_label("Columns and density").click()
    page.locator("[name=col][value=status]").focus()
    page.keyboard.press("Space")
    page.keyboard.press("Enter")
    page.wait_for_url("**cols=**")
    heads = page.locator("thead th").evaluate_all("all => all.slice(2).map((one) => one.textContent.trim())")
    assert len(heads) == len(USUAL) - 1
    assert heads[:2] == ["Lead clock", "Ad and form"]
    page.context.close()


def test_enter_in_the_follow_up_sets_the_time_that_was_typed(
    chrome: Browser, live_server: LiveServer, world: World
) -> None:
    lead = Lead.objects.order_by("-pk")[0]
    set_follow_up(actor=world.administrator, lead=lead, due_at=timezone.now() + timedelta(days=2))
    page = the_list(chrome, live_server, world, f"{lead.pk}/")
    page.locator("[data-menu-follow-up] summary").click()
    typed = (timezone.localtime() + timedelta(days=5)).replace(hour=15, minute=30, second=0, microsecond=0)
    page.locator("#follow-up-due").fill(typed.strftime("%Y-%m-%dT%H:%M"))
    page.locator("#follow-up-due").press("Enter")
    expect(page.locator("[data-menu-follow-up]")).not_to_have_attribute("open", "")
    expect(page.locator("[data-menu-follow-up] summary time")).to_contain_text("15:30")
    found = follow_up_of(lead)
    assert found is not None
    assert (timezone.localtime(found.due_at).replace(tzinfo=None), found.done_at) == (typed.replace(tzinfo=None), None)
    page.context.close()


def test_keys_lead_to_the_bar_of_what_is_selected_and_back(
    chrome: Browser, live_server: LiveServer, world: World
) -> None:
    page = the_list(chrome, live_server, world)
    name = page.locator("a[data-open-drawer]").first
    bar = page.locator("[data-selection]")
    for _ in range(2):
        page.keyboard.press("j")
        page.keyboard.press("x")
    page.keyboard.press("k")
    expect(bar.locator("[data-count]")).to_have_text("2 selected")
    for key, menu, inside in (("s", "status", "button"), ("a", "assignee", "button"), ("l", "label", "input")):
        page.keyboard.press(key)
        expect(bar.locator(f"[data-menu={menu}] .menu__panel {inside}").first).to_be_focused()
        page.keyboard.press("Escape")
        expect(bar.locator("details[open]")).to_have_count(0)
        expect(name).to_be_focused()
    page.keyboard.press("e")
    expect(bar.locator("[value=export]")).to_be_focused()
    assert violations(page) == []
    page.keyboard.press("Escape")
    expect(name).to_be_focused()

    # In an open lead the keys are for that lead; outside it, for what is selected.
    page.keyboard.press("Enter")
    expect(page.locator("[data-drawer] h2")).to_be_focused()
    page.keyboard.press("s")
    expect(page.locator("[data-drawer] [data-menu=status] button").first).to_be_focused()
    page.keyboard.press("Escape")
    page.keyboard.press("Escape")
    expect(name).to_be_focused()

    page.keyboard.press("l")
    page.keyboard.type("Call back")
    page.keyboard.press("Enter")
    expect(page.locator("#toasts")).to_contain_text("2 leads changed.")
    assert LeadLabel.objects.count() == 2
    assert set(Lead.objects.values_list("status", flat=True)) == {"qualified"}

    # With nothing selected they are for the row and the page, as ever.
    page.keyboard.press("j")
    page.keyboard.press("s")
    expect(page.locator("#edit-status button").first).to_be_focused()
    page.keyboard.press("Escape")
    page.keyboard.press("e")
    expect(page.locator("[data-download]")).to_be_focused()
    page.context.close()
