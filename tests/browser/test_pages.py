"""Every page of the console: no console error, nothing that the policy blocks, nothing for axe, no sideways scroll."""

import time
from dataclasses import dataclass
from datetime import timedelta
from hashlib import sha256
from typing import Any

import pytest
from axe_playwright_python.sync_playwright import Axe  # type: ignore[import-untyped]
from django.conf import settings
from django.contrib.auth import BACKEND_SESSION_KEY, HASH_SESSION_KEY, SESSION_KEY
from django.contrib.sessions.backends.db import SessionStore
from django.utils import timezone
from playwright.sync_api import Browser, BrowserContext, Page, expect
from pytest_django.live_server_helper import LiveServer

from accounts.models import AccountRole, Invitation, User
from accounts.services.alarms import raise_unopenable
from accounts.services.shares import share_account
from accounts.services.tokens import create_token
from accounts.services.transfers import request_transfer
from leads.center.services.deleting import delete_leads
from leads.center.services.telling import tell_stretch
from leads.center.services.working import Change, change_leads
from leads.crm.services.connections import create_connection
from leads.exports.services.asking import request_export
from leads.models import Delivery, DeliveryAttempt, Lead
from leads.selection import Selection
from leadscenter.lib.ids import id_at, new_id
from tests.world import World, make_world

pytestmark = pytest.mark.django_db(transaction=True)
WIDE, PHONE, NARROWEST = 1440, 390, 320
INVITED = "x" * 32


@dataclass
class Visit:
    """A page as somebody sees it; `said` gathers what the browser complained about."""

    page: Page
    said: list[str]


def context_of(chrome: Browser, live_server: LiveServer, user: User | None, width: int, theme: str) -> BrowserContext:
    scheme: Any = theme
    context = chrome.new_context(
        base_url=live_server.url,
        viewport={"width": width, "height": 900},
        color_scheme=scheme,
        reduced_motion="reduce",
    )
    if user is not None:
        session = SessionStore()
        session[SESSION_KEY] = str(user.pk)
        session[BACKEND_SESSION_KEY] = settings.AUTHENTICATION_BACKENDS[0]
        session[HASH_SESSION_KEY] = user.get_session_auth_hash()
        # As if the password had been typed just now, and allauth had noted it.
        session["account_authentication_methods"] = [{"method": "password", "at": time.time()}]
        session["account_authentication_methods_user"] = str(user.pk)
        session.save()
        assert session.session_key
        context.add_cookies(
            [{"name": settings.SESSION_COOKIE_NAME, "value": session.session_key, "url": live_server.url}]
        )
    return context


def visit(context: BrowserContext, path: str, *, status: int = 200) -> Visit:
    """Open the page and wait until nothing is loading."""
    page = context.new_page()
    said: list[str] = []
    page.on("console", lambda message: said.append(message.text) if message.type in ("error", "warning") else None)
    page.on("pageerror", lambda error: said.append(str(error)))
    answer = page.goto(path)
    assert answer is not None
    assert answer.status == status, path
    page.wait_for_load_state("networkidle")
    # A refusal is an answer as it should be; Chromium still names its status.
    return Visit(page, [text for text in said if status < 400 or "Failed to load resource" not in text])


# Colours that change with the theme or under the pointer come to rest within a fifth of a second.
AT_REST = """Promise.race([
  Promise.allSettled(document.getAnimations().map((one) => one.finished)),
  new Promise((end) => setTimeout(end, 500)),
])"""


def violations(page: Page) -> list[str]:
    """Return what axe has to say once no colour changes any more, one line per place."""
    page.evaluate(AT_REST)
    found: list[dict[str, Any]] = Axe().run(page).response["violations"]
    return [f"{rule['id']}: {node['html'][:120]}" for rule in found for node in rule["nodes"]]


def sideways(page: Page) -> int:
    """Return by how many pixels the page is wider than its window."""
    width: int = page.evaluate("document.documentElement.scrollWidth - document.documentElement.clientWidth")
    return width


# Enter in a field is the first button of its form: the main one, or one that is there for Enter alone.
TRAPS = """[...document.forms].filter((form) => {
  const buttons = [...form.elements].filter((one) => one.type === "submit");
  const fields = [...form.elements].filter((one) => one.matches("input:not([type=hidden])"));
  return fields.length && buttons.length > 1 && !buttons[0].matches(".btn--primary, [aria-hidden=true]");
}).map((form) => `Enter in a form is ${[...form.elements].find((one) => one.type === "submit").outerHTML}`)"""


@pytest.fixture
def world(transactional_db: None) -> World:
    """A world with something to see on every page."""
    world = make_world()
    actor = world.administrator
    hubspot = create_connection(
        actor=actor, library=world.library, kind="hubspot", name="HubSpot", credentials={"token": "pat-1"}
    ).connection
    for number in range(3):
        world.add_lead(name=f"Ann Example {number}", email=f"ann{number}@example.com", with_ad=number != 1)
    world.add_lead(name="Test Person", email="test@example.com", is_test=True)
    failed = Delivery.objects.filter(connection=hubspot).order_by("pk")[0]
    DeliveryAttempt.objects.create(delivery=failed, status=400, outcome="config", code="unknown_property", ms=20)
    Delivery.objects.filter(pk=failed.pk).update(state="dead", attempts=1, settled_at=timezone.now())
    gone = world.add_lead(name="Gone Person", email="gone@example.com")
    delete_leads(actor=actor, library=world.library, lead_ids=[gone.pk])
    request_export(actor=actor, library=world.library, selection=Selection())
    create_token(user=actor, name="nightly")
    share_account(actor=actor, ad_account=world.account, partner=world.client, role=AccountRole.ADMINISTRATOR)
    Invitation.objects.create(
        ad_account=world.account,
        email="nele@house.test",
        role="analyst",
        digest=sha256(INVITED.encode()).digest(),
        invited_by=actor,
        expires_at=timezone.now() + timedelta(days=7),
    )
    request_transfer(actor=actor, library=world.library, business_center=world.client)
    raise_unopenable(world.library.pk, "disclose", [gone.pk])
    change_leads(
        actor=actor,
        library=world.library,
        lead_ids=[Lead.objects.filter(state=Lead.State.LIVE).order_by("pk")[0].pk],
        change=Change(labels=["call back"]),
    )
    tell_stretch(id_at(timezone.now() - timedelta(minutes=1)), new_id())
    return world


def pages_of(world: World) -> dict[str, str]:
    """Return every page of an Administrator, by name."""
    a, held_by = f"/a/{world.account.pk}", f"/l/{world.library.pk}"
    lead = Lead.objects.filter(library=world.library, state=Lead.State.LIVE).order_by("pk")[0]
    delivery = Delivery.objects.filter(state="dead").get()
    return {
        "account overview": f"{a}/overview/",
        "library overview": f"{held_by}/overview/?days=7&by=form&form={world.form.pk}",
        "leads": f"{held_by}/leads/",
        "leads under filters": f"{held_by}/leads/?status=raw&test=0&source=form&since=2025-01-01",
        "leads without a match": f"{held_by}/leads/?test=1&status=converted",
        "labels": f"{held_by}/labels/",
        "notifications": "/notifications/",
        "unread notifications": "/notifications/?unread=1",
        "notification settings": "/settings/notifications/",
        "trash": f"{held_by}/leads/?state=trashed",
        "lead": f"{held_by}/leads/{lead.pk}/",
        "integrations": f"{held_by}/integrations/",
        "connection": f"{held_by}/integrations/{delivery.connection_id}/",
        "new webhook": f"{held_by}/integrations/new/webhook/",
        "new hubspot": f"{held_by}/integrations/new/hubspot/",
        "delivery": f"{held_by}/integrations/deliveries/{delivery.pk}/",
        "exports": f"{held_by}/exports/",
        "new export": f"{held_by}/exports/new/?status=raw&layout=chosen",
        "access": f"{held_by}/access/",
        "activity": f"{held_by}/activity/",
        "activity without a match": f"{held_by}/activity/?refused=1",
        "alarms": f"{held_by}/alarms/",
        "person": f"{held_by}/access/people/{world.administrator.pk}/",
        "account activity": f"{a}/activity/",
        "own activity": "/settings/activity/",
        "transfer, step 1": f"{held_by}/transfer/",
        "transfer, step 2": f"{held_by}/transfer/?to={world.client.pk}",
        "transfer, step 3": f"{held_by}/transfer/?to={world.client.pk}&step=3",
        "members": f"{a}/members/",
        "privacy": f"{held_by}/privacy/",
        "terms": "/settings/terms/",
        "tokens": "/settings/tokens/",
        "security": "/settings/security/",
        "time zone": "/settings/time-zone/",
        "authenticator app": "/settings/security/totp/activate/",
        "new passkey": "/settings/security/webauthn/add/",
        "new password": "/password/change/",
        "new address": "/email/",
        "confirm": "/reauthenticate/",
        "transfers": "/settings/transfers/",
        "forms": f"{a}/forms/",
        "campaigns": f"{a}/campaigns/",
        "sign out": "/logout/",
        "design": "/design/",
    }


def judge(chrome: Browser, live_server: LiveServer, user: User | None, path: str, *, status: int = 200) -> list[str]:
    """Return everything that is wrong with a page: wide and dark, then light on a phone, then at the narrowest."""
    context = context_of(chrome, live_server, user, WIDE, "dark")
    seen = visit(context, path, status=status)
    wrong: list[str] = [*seen.said, *seen.page.evaluate(TRAPS)]
    for width, theme in ((WIDE, "dark"), (PHONE, "light"), (NARROWEST, "light")):
        seen.page.set_viewport_size({"width": width, "height": 900})
        seen.page.emulate_media(color_scheme="dark" if theme == "dark" else "light")
        if width != NARROWEST:
            wrong += [f"{width} {theme}: {fault}" for fault in violations(seen.page)]
        if (over := sideways(seen.page)) > 0:
            wrong.append(f"{width}: {over} px wider than the window")
    context.close()
    return wrong


def test_every_page_is_clean(
    chrome: Browser, live_server: LiveServer, world: World, settings: Any, subtests: pytest.Subtests
) -> None:
    settings.DEBUG = True  # the gallery is for those who build pages
    for name, path in pages_of(world).items():
        with subtests.test(name):
            assert judge(chrome, live_server, world.administrator, path) == []


def test_every_refusal_is_clean(
    chrome: Browser, live_server: LiveServer, world: World, subtests: pytest.Subtests
) -> None:
    held_by = f"/l/{world.library.pk}"
    places: list[tuple[str, User | None, str, int]] = [
        ("operator at the leads", world.operator, f"{held_by}/leads/", 403),
        ("analyst at the integrations", world.analyst, f"{held_by}/integrations/", 403),
        ("operator at the members", world.operator, f"/a/{world.account.pk}/members/", 200),
        ("stranger at the leads", world.stranger, f"{held_by}/leads/", 404),
        ("nobody at sign-in", None, "/login/", 200),
        ("nobody with a lost password", None, "/password/reset/", 200),
        ("Admin of a Business Center", world.client_admin, f"/b/{world.client.pk}/", 200),
        ("Admin at the activity", world.client_admin, f"/b/{world.client.pk}/activity/", 200),
        ("somebody without a Business Center", world.operator, "/b/", 200),
        ("somebody new at an invitation", None, f"/invitation/{INVITED}/", 200),
        ("somebody else at an invitation", world.stranger, f"/invitation/{INVITED}/", 200),
        ("nobody at a dead invitation", None, "/invitation/used/", 404),
        ("client at the transfers", world.client_admin, "/settings/transfers/", 200),
    ]
    for name, user, path, status in places:
        with subtests.test(name):
            assert judge(chrome, live_server, user, path, status=status) == []


def test_drawer_opens_beside_the_list_and_gives_the_focus_back(
    chrome: Browser, live_server: LiveServer, world: World
) -> None:
    context = context_of(chrome, live_server, world.administrator, WIDE, "light")
    page = visit(context, f"/l/{world.library.pk}/leads/").page
    second = page.locator("a[data-open-drawer]").nth(1)
    name = second.inner_text()
    second.click()
    heading = page.locator("[data-drawer] h2")
    expect(heading).to_have_text(name)
    expect(heading).to_be_focused()
    assert page.url.endswith(f"/leads/{second.get_attribute('data-open-drawer')}/")
    expect(page.locator("tr.is-open")).to_have_count(1)
    page.keyboard.press("j")
    expect(heading).not_to_have_text(name)
    page.keyboard.press("Escape")
    expect(page.locator("[data-drawer]")).to_have_count(0)
    assert page.url.endswith("/leads/")
    assert page.evaluate("document.activeElement.matches('a[data-open-drawer]')")
    context.close()


def test_drawer_over_the_list_keeps_the_focus(chrome: Browser, live_server: LiveServer, world: World) -> None:
    context = context_of(chrome, live_server, world.administrator, PHONE, "light")
    page = visit(context, f"/l/{world.library.pk}/leads/").page
    page.locator("a[data-open-drawer]").first.click()
    expect(page.locator("[data-drawer] h2")).to_be_focused()
    assert page.evaluate("document.querySelector('#main').inert")
    for _ in range(40):
        page.keyboard.press("Tab")
        inside = page.evaluate(
            "document.activeElement === document.body || !!document.activeElement.closest('.drawer')"
        )
        assert inside
    page.keyboard.press("Escape")
    assert not page.evaluate("document.querySelector('#main').inert")
    context.close()


def test_change_in_the_drawer_shows_in_the_list(chrome: Browser, live_server: LiveServer, world: World) -> None:
    context = context_of(chrome, live_server, world.administrator, WIDE, "light")
    seen = visit(context, f"/l/{world.library.pk}/leads/")
    page = seen.page
    page.locator("a[data-open-drawer]").first.click()
    page.locator(".drawer summary.pick").first.click()
    page.locator(".drawer .menu[open] button[value=qualified]").click()
    expect(page.locator("tbody tr").first.locator(".c-status .badge")).to_have_text("Qualified")
    expect(page.locator(".drawer .pick .badge").first).to_have_text("Qualified")
    assert seen.said == []
    context.close()


def test_revealing_shows_the_contact_details(chrome: Browser, live_server: LiveServer, world: World) -> None:
    context = context_of(chrome, live_server, world.administrator, WIDE, "light")
    page = visit(context, f"/l/{world.library.pk}/leads/").page
    page.locator("a[data-open-drawer]").last.click()
    expect(page.locator(".drawer .masked").first).to_be_visible()
    page.get_by_role("button", name="Reveal").click()
    expect(page.locator(".drawer a[href^='mailto:']")).to_have_count(1)
    context.close()


def test_shift_takes_the_range(chrome: Browser, live_server: LiveServer, world: World) -> None:
    context = context_of(chrome, live_server, world.administrator, WIDE, "light")
    page = visit(context, f"/l/{world.library.pk}/leads/").page
    bar = page.locator("[data-selection]")
    expect(bar).to_be_hidden()
    page.locator("[data-row]").nth(0).click()
    page.locator("[data-row]").nth(2).click(modifiers=["Shift"])
    expect(page.locator(".count[data-count]")).to_have_text("3 selected")
    expect(page.locator("#live")).to_have_text("3 selected")
    page.locator("[data-clear]").click()
    expect(bar).to_be_hidden()
    context.close()


def test_single_keys_work_and_can_be_turned_off(chrome: Browser, live_server: LiveServer, world: World) -> None:
    context = context_of(chrome, live_server, world.administrator, WIDE, "light")
    page = visit(context, f"/l/{world.library.pk}/leads/").page
    page.keyboard.press("/")
    expect(page.locator("#q")).to_be_focused()
    page.keyboard.type("j?x")
    expect(page.locator("#q")).to_have_value("j?x")
    page.locator("h1").click()
    page.keyboard.press("?")
    help_sheet = page.locator("#shortcuts")
    expect(help_sheet).to_be_visible()
    help_sheet.locator("[data-shortcuts-switch]").uncheck()
    page.keyboard.press("Escape")
    page.locator("h1").click()
    page.keyboard.press("?")
    expect(help_sheet).to_be_hidden()
    page.get_by_label("Theme and keyboard").click()
    again = page.locator(".topbar [data-shortcuts-switch]")
    expect(again).not_to_be_checked()
    again.check()
    page.keyboard.press("Escape")
    page.keyboard.press("j")
    expect(page.locator("a[data-open-drawer]").first).to_be_focused()
    context.close()


def test_theme_changes_at_once_and_stays(chrome: Browser, live_server: LiveServer, world: World) -> None:
    context = context_of(chrome, live_server, world.administrator, WIDE, "light")
    page = visit(context, "/settings/tokens/").page
    page.get_by_label("Theme").click()
    with page.expect_response("**/settings/appearance/"):
        page.get_by_role("button", name="Dark").click()
    root = page.locator("html")
    expect(root).to_have_attribute("data-theme", "dark")
    page.reload()
    expect(root).to_have_attribute("data-theme", "dark")
    context.close()


def test_list_works_without_a_script(chrome: Browser, live_server: LiveServer, world: World) -> None:
    context = context_of(chrome, live_server, world.administrator, WIDE, "light")
    plain = chrome.new_context(
        base_url=live_server.url,
        storage_state=context.storage_state(),
        java_script_enabled=False,
        viewport={"width": WIDE, "height": 900},
    )
    page = plain.new_page()
    page.goto(f"/l/{world.library.pk}/leads/")
    page.locator("[data-row]").first.check()
    page.get_by_label("Set status").click()
    page.get_by_role("button", name="Converted", exact=True).click()
    assert Lead.objects.filter(status="converted").count() == 1
    page.locator("a[data-open-drawer]").first.click()
    page.get_by_role("button", name="Reveal").click()
    expect(page.locator(".drawer a[href^='mailto:']")).to_have_count(1)
    page.get_by_role("link", name="Close").click()
    page.fill("#q", "gone@example.com")
    page.keyboard.press("Enter")
    expect(page.get_by_text("No lead matches")).to_be_visible()
    plain.close()
    context.close()
