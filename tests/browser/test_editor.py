"""The form editor in a real browser: what one types is saved and previewed, published, filled and sealed."""

from collections.abc import Iterator

import pytest
from django.conf import settings
from django.test import Client
from playwright.sync_api import Browser, BrowserContext, expect
from pytest_django.live_server_helper import LiveServer

from campaigns.reports import by_ad
from forms_builder.models import Form
from forms_builder.parsing import parse
from leads.models import Lead
from leads.vault.ingest import forget_ingest_keys
from leads.vault.keys import forget_keys, make_keys
from tests.browser.browsers import chromium
from tests.campaigns.test_campaigns import make_ad
from tests.house import House, build


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    with chromium() as found:
        yield found


@pytest.fixture
def house(transactional_db: None) -> Iterator[House]:
    forget_keys()
    forget_ingest_keys()
    found = build()
    make_keys([found.library.pk])
    yield found
    forget_keys()
    forget_ingest_keys()


@pytest.fixture
def desk(browser: Browser, live_server: LiveServer, house: House) -> Iterator[BrowserContext]:
    """A browser in which the Operator is signed in."""
    client = Client()
    client.force_login(house.operator)
    session = client.cookies[settings.SESSION_COOKIE_NAME].value
    context = browser.new_context(base_url=live_server.url, viewport={"width": 1440, "height": 1000})
    context.add_cookies([{"name": settings.SESSION_COOKIE_NAME, "value": session, "url": live_server.url}])
    context.set_default_timeout(15_000)
    yield context
    context.close()


def test_operator_types_publishes_and_a_person_answers(
    desk: BrowserContext, browser: Browser, live_server: LiveServer, house: House
) -> None:
    page = desk.new_page()
    faults: list[str] = []
    page.on("console", lambda message: faults.append(message.text) if message.type == "error" else None)
    page.goto(f"/a/{house.account.pk}/forms/new/")
    page.get_by_label("Name").fill("Solar quote")
    page.get_by_role("button", name="Make the form").click()

    page.get_by_label("Headline").fill("A headline that was typed")
    preview = page.frame_locator("#preview")
    expect(preview.get_by_role("heading", name="A headline that was typed")).to_be_visible()  # no button was pressed
    expect(page.locator("#saved")).to_contain_text("Draft saved")
    page.get_by_role("button", name="Save and go on").click()

    page.locator("summary", has_text="Add").click()
    page.get_by_role("button", name="Multiple choice").click()
    page.get_by_role("textbox", name="Question", exact=True).fill("When?")
    page.get_by_label("Option 1", exact=True).fill("Now")
    page.get_by_label("Option 2", exact=True).fill("Later")
    expect(preview.get_by_text("Later")).to_be_visible()
    page.get_by_label("Move up: When?").click()
    expect(page.get_by_label("Move up: When?")).to_be_focused()  # the hand stays where it was
    page.keyboard.press("Alt+ArrowUp")
    expect(page.locator(".item").nth(2)).to_contain_text("When?")
    expect(page.get_by_label("Move up: When?")).to_be_focused()
    page.keyboard.press("Alt+ArrowDown")
    expect(page.locator(".item").nth(3)).to_contain_text("When?")
    page.locator(".stepper").get_by_role("link", name="Privacy").click()
    page.get_by_label("Privacy policy").fill("https://larkspur.example/privacy")
    page.get_by_role("link", name="Review and publish").click()  # what was typed just now is saved first
    page.get_by_role("button", name="Publish version 1").click()
    expect(page.get_by_role("heading", name="Share")).to_be_visible()

    form = Form.objects.select_related("published").get()
    assert form.published is not None
    content = parse(form.published.content)
    assert [question.key for question in content.questions][-2:] == ["multiple_choice", "phone_number"]
    assert faults == []

    ad = make_ad(house, form)
    person = browser.new_context(base_url=live_server.url, viewport={"width": 390, "height": 844}).new_page()
    person.goto(f"/go/{ad.public_id}/?utm_source=feed")
    person.get_by_label("First name").fill("Ann")
    person.get_by_label("Last name").fill("Lee")
    person.get_by_label("E-mail").fill("ann@example.com")
    person.get_by_text("Later").click()
    person.get_by_role("button", name="Send").click()
    expect(person.get_by_role("heading", name="Thank you")).to_be_visible()
    lead = Lead.objects.get()
    expect(person.get_by_text(str(lead.pk))).to_be_visible()
    assert (lead.sealed_in_browser, lead.ad, lead.form) == (True, ad, form)
    counts = by_ad([form.pk], [ad.pk])[ad.pk].counts
    assert (counts.click, counts.open, counts.start, counts.submit) == (1, 1, 1, 1)
    assert person.context.cookies() == []
    person.context.close()


def test_editor_is_usable_on_a_phone_without_sideways_scrolling(desk: BrowserContext, house: House) -> None:
    page = desk.new_page()
    page.goto(f"/a/{house.account.pk}/forms/new/")
    page.get_by_label("Name").fill("Solar quote")
    page.get_by_role("button", name="Make the form").click()
    form = Form.objects.get()
    page.set_viewport_size({"width": 320, "height": 700})
    for step in ("content", "questions", "privacy", "ending", "review"):
        page.goto(f"/a/{house.account.pk}/forms/{form.pk}/{step}/")
        assert page.evaluate("document.documentElement.scrollWidth") <= 320, step
