"""Second factors on the running product: an authenticator app and a passkey are set up, and each signs in."""

import time
from collections.abc import Iterator
from typing import Any

import pytest
from allauth.mfa.totp.internal.auth import format_hotp_value, hotp_value
from playwright.sync_api import Browser, BrowserContext, Page, ViewportSize, expect

from tests.browser.test_pages import sideways, violations
from tests.product import Product, running

DESKTOP: ViewportSize = {"width": 1440, "height": 1000}
NARROWEST: ViewportSize = {"width": 320, "height": 900}
PERIOD = 30
BEYOND = """() => [...document.querySelectorAll("body *")]
    .filter((part) => part.getBoundingClientRect().right > document.documentElement.clientWidth)
    .map((part) => `${part.tagName}.${part.className}`)"""


@pytest.fixture(scope="module")
def product() -> Iterator[Product]:
    with running(worker=False) as started:
        yield started


@pytest.fixture
def page(chrome: Browser, product: Product) -> Iterator[Page]:
    """A browser with a passkey device that always agrees."""
    context = chrome.new_context(viewport=DESKTOP, base_url=product.url)
    page = context.new_page()
    device = {
        "protocol": "ctap2",
        "transport": "internal",
        "hasResidentKey": True,
        "hasUserVerification": True,
        "isUserVerified": True,
        "automaticPresenceSimulation": True,
    }
    devices = context.new_cdp_session(page)
    devices.send("WebAuthn.enable")
    devices.send("WebAuthn.addVirtualAuthenticator", {"options": device})
    yield page
    context.close()


def type_password(page: Page, product: Product, actor: str) -> None:
    who = product.demo["actors"][actor]
    page.goto("/login/")
    page.fill("[name=login]", who["email"])
    page.fill("[name=password]", who["password"])
    page.get_by_role("button", name="Sign in", exact=True).click()


def sign_out(page: Page) -> None:
    page.goto("/logout/")
    page.get_by_role("main").get_by_role("button", name="Sign out").click()
    page.wait_for_url("**/login/**")


def fresh_code(secret: str) -> str:
    """Return a code of a period that has not been used: wait for the next one when this one is known."""
    now = int(time.time()) // PERIOD
    while int(time.time()) // PERIOD == now:
        time.sleep(0.5)
    return format_hotp_value(hotp_value(secret, now + 1))


def clean(page: Page) -> list[str]:
    """Return what axe has to say, and whether the page is wider than a narrow phone."""
    found = violations(page)
    page.set_viewport_size(NARROWEST)
    if (over := sideways(page)) > 0:
        found.append(f"{over} px wider than the window: {page.evaluate(BEYOND)}")
    page.set_viewport_size(DESKTOP)
    return found


def test_app_and_passkey_are_set_up_and_each_signs_in(page: Page, product: Product) -> None:
    said: list[str] = []
    page.on("console", lambda message: said.append(message.text) if message.type in ("error", "warning") else None)
    page.on("pageerror", lambda error: said.append(str(error)))

    # The app.
    type_password(page, product, "brand_admin")
    page.wait_for_url(lambda url: "/login/" not in url)
    page.goto("/settings/security/")
    page.get_by_role("link", name="Set up the app").click()
    expect(page.locator(".qr svg")).to_be_visible()
    secret = page.locator("#totp-secret").inner_text().strip()
    page.fill("[name=code]", format_hotp_value(hotp_value(secret, int(time.time()) // PERIOD)))
    page.get_by_role("button", name="Turn on").click()
    expect(page.locator("h1")).to_have_text("Recovery codes")
    codes = page.locator("#recovery-codes").inner_text().split()
    assert len(codes) == 10
    assert clean(page) == []

    # A passkey that signs in by itself.
    page.goto("/settings/security/webauthn/add/")
    page.fill("[name=name]", "Laptop")
    page.check("[name=passwordless]")
    page.get_by_role("button", name="Add", exact=True).click()
    page.wait_for_url("**/settings/security/")
    expect(page.get_by_role("row", name="Laptop")).to_contain_text("Signs you in without a password")
    assert clean(page) == []

    # In again with the code of the app,
    sign_out(page)
    assert clean(page) == []
    type_password(page, product, "brand_admin")
    expect(page.locator("h1")).to_have_text("Second factor")
    assert clean(page) == []
    page.fill("[name=code]", fresh_code(secret))
    page.get_by_role("button", name="Sign in", exact=True).click()
    page.wait_for_url(lambda url: "/overview/" in url)

    # with the passkey as the second factor,
    sign_out(page)
    type_password(page, product, "brand_admin")
    page.get_by_role("button", name="Use a passkey").click()
    page.wait_for_url(lambda url: "/overview/" in url)

    # with the passkey alone,
    sign_out(page)
    page.get_by_role("button", name="Use a passkey").click()
    page.wait_for_url(lambda url: "/overview/" in url)
    page.goto("/settings/security/webauthn/reauthenticate/?next=/settings/tokens/")
    assert clean(page) == []
    page.get_by_role("button", name="Use the passkey").click()
    page.wait_for_url(lambda url: url.endswith("/settings/tokens/") and "reauthenticate" not in url)

    # and with a recovery code.
    sign_out(page)
    type_password(page, product, "brand_admin")
    page.fill("[name=code]", codes[0])
    page.get_by_role("button", name="Sign in", exact=True).click()
    page.wait_for_url(lambda url: "/overview/" in url)
    page.goto("/settings/security/")
    expect(page.get_by_text("9 left")).to_be_visible()

    # The passkey gets another name, then goes; the app stays.
    page.get_by_role("link", name="Rename Laptop").click()
    page.fill("[name=name]", "Old laptop")
    page.get_by_role("button", name="Save").click()
    page.get_by_role("link", name="Remove Old laptop").click()
    assert clean(page) == []
    page.get_by_role("button", name="Remove").click()
    page.wait_for_url("**/settings/security/")
    expect(page.get_by_role("link", name="Turn off")).to_be_visible()
    expect(page.get_by_text("Old laptop")).to_have_count(0)
    assert said == []


def test_without_its_device_the_passkey_says_so(chrome: Browser, product: Product) -> None:
    context: BrowserContext = chrome.new_context(viewport=DESKTOP, base_url=product.url)
    bare = context.new_page()
    devices: Any = context.new_cdp_session(bare)
    devices.send("WebAuthn.enable")
    devices.send(
        "WebAuthn.addVirtualAuthenticator",
        {"options": {"protocol": "ctap2", "transport": "internal", "hasResidentKey": True, "isUserVerified": False}},
    )
    bare.goto("/login/")
    expect(bare.locator("[data-passkey-fault]")).to_be_hidden()
    bare.get_by_role("button", name="Use a passkey").click()
    expect(bare.locator("[data-passkey-fault]")).to_be_visible(timeout=60_000)
    assert bare.url.endswith("/login/")
    context.close()


def test_who_must_have_a_factor_is_led_to_it_and_then_goes_on(page: Page, product: Product) -> None:
    center = product.demo["business_centers"]["agency"]
    product.rows("UPDATE accounts_businesscenter SET two_factor = 'downloaders' WHERE id = ?", int(center))
    type_password(page, product, "agency_admin")
    page.wait_for_url("**/settings/security/**")
    expect(page.get_by_role("alert")).to_contain_text("A second factor is needed.")
    assert clean(page) == []
    page.goto("/leads/")
    page.wait_for_url("**/settings/security/**")
    page.get_by_role("link", name="Set up the app").click()
    secret = page.locator("#totp-secret").inner_text().strip()
    page.fill("[name=code]", format_hotp_value(hotp_value(secret, int(time.time()) // PERIOD)))
    page.get_by_role("button", name="Turn on").click()
    expect(page.locator("h1")).to_have_text("Recovery codes")
    page.goto("/leads/")
    expect(page.locator("h1")).to_have_text("Leads")
