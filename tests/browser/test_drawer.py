"""A lead worked on in its drawer: revealed, called, followed up, and the next one of the list."""

import pytest
from playwright.sync_api import Browser, Dialog, expect
from pytest_django.live_server_helper import LiveServer

from accounts.models import Act, AuditEvent
from leads.models import FollowUp
from tests.browser.test_pages import PHONE, context_of, sideways, violations, visit
from tests.world import World, make_world

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def world(transactional_db: None) -> World:
    world = make_world()
    for name in ("Ann Example", "Bob Example"):
        world.add_lead(name=name)
    return world


def test_lead_is_called_contacted_and_followed_up_from_its_drawer(
    chrome: Browser, live_server: LiveServer, world: World
) -> None:
    context = context_of(chrome, live_server, world.administrator, PHONE, "light")
    seen = visit(context, f"/l/{world.library.pk}/leads/")
    page = seen.page
    page.locator("a[data-open-drawer]:visible").first.click()
    expect(page.locator("[data-drawer] h2")).to_have_text("Bob Example")
    expect(page.locator(".drawer__bar")).to_contain_text("1 of 2")

    # The details stay in sight while the call is recorded, and the status is offered.
    page.get_by_role("button", name="Reveal, with a trace").click()
    call = page.locator("[data-contact=call]")
    expect(call).to_have_attribute("href", "tel:+4915112345678")
    call.evaluate("link => link.addEventListener('click', event => event.preventDefault())")
    call.click()
    offer = page.get_by_role("button", name="Set the status to Contacted")
    expect(offer).to_be_visible()
    expect(call).to_be_visible()
    assert AuditEvent.objects.filter(act=Act.LEAD_CONTACTED).count() == 1
    offer.click()
    expect(page.locator(".drawer__head .badge").first).to_have_text("Contacted")
    expect(call).to_be_visible()

    page.locator("[data-menu-follow-up] summary").click()
    assert violations(page) == []
    assert sideways(page) == 0
    # A time that is past is refused: the page says so, what was typed stays, nothing else is waited for.
    page.locator("#follow-up-due").fill("2020-01-01T10:00")
    page.get_by_role("button", name="Set follow-up").click()
    expect(page.locator("#toasts [role=alert]")).to_contain_text("Choose a time from now on")
    expect(page.locator("#follow-up-due")).to_have_value("2020-01-01T10:00")
    expect(page.locator("[aria-busy]")).to_have_count(0)
    assert not FollowUp.objects.exists()
    page.get_by_role("button", name="Tomorrow, 9:00").click()
    expect(page.locator("[data-menu-follow-up] summary time")).to_be_visible()
    assert FollowUp.objects.filter(done_at=None, user=world.administrator).count() == 1

    page.get_by_role("link", name="Next lead").click()
    expect(page.locator("[data-drawer] h2")).to_have_text("Ann Example")
    expect(page.locator(".drawer__bar")).to_contain_text("2 of 2")
    expect(call).to_have_count(0)
    assert seen.said == []
    context.close()


def test_half_written_note_stays_until_it_is_sent(chrome: Browser, live_server: LiveServer, world: World) -> None:
    context = context_of(chrome, live_server, world.administrator, PHONE, "light")
    seen = visit(context, f"/l/{world.library.pk}/leads/")
    page = seen.page
    asked: list[str] = []

    def stay(dialog: Dialog) -> None:
        asked.append(dialog.type)
        dialog.dismiss()

    page.on("dialog", stay)
    note, name = page.locator("#note"), page.locator("[data-drawer] h2")
    page.locator("a[data-open-drawer]:visible").first.click()
    expect(name).to_have_text("Bob Example")
    note.fill("Call again")

    # Over changes of the same lead.
    page.get_by_role("button", name="Reveal, with a trace").click()
    expect(page.get_by_role("link", name="Call")).to_be_visible()
    expect(note).to_have_value("Call again")
    page.locator("[data-drawer] [data-menu=status] summary").click()
    page.locator("[data-drawer] [data-menu=status]").get_by_role("button", name="Qualified", exact=True).click()
    expect(page.locator(".drawer__head .badge").first).to_have_text("Qualified")
    expect(note).to_have_value("Call again")

    # Over another lead and a closed drawer; never with another lead.
    page.get_by_role("link", name="Next lead").click()
    expect(name).to_have_text("Ann Example")
    expect(note).to_have_value("")
    page.keyboard.press("Escape")
    expect(page.locator("[data-drawer]")).to_have_count(0)
    page.locator("a[data-open-drawer]:visible").first.click()
    expect(name).to_have_text("Bob Example")
    expect(note).to_have_value("Call again")
    assert page.evaluate("JSON.stringify({...localStorage, ...sessionStorage})").count("Call again") == 0

    # Whoever leaves is asked, until the note is sent.
    page.evaluate("location.reload()")
    expect(note).to_have_value("Call again")
    assert asked == ["beforeunload"]
    page.get_by_role("button", name="Add note").click()
    expect(page.locator("#notes .quote")).to_contain_text("Call again")
    expect(note).to_have_value("")
    page.reload()
    expect(page.locator("#notes .quote")).to_have_count(1)
    assert asked == ["beforeunload"]
    assert AuditEvent.objects.filter(act=Act.NOTE_ADDED).count() == 1
    assert seen.said == []
    context.close()
