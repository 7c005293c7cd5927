"""A file of leads in a browser: uploaded, mapped, checked, imported; each page without a fault at both widths."""

from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page, expect
from pytest_django.fixtures import Settings
from pytest_django.live_server_helper import LiveServer

from leads.imports.services.running import run_due
from leads.models import Import, Lead
from tests.browser.test_pages import PHONE, WIDE, context_of, violations, visit
from tests.imports.files import csv_of, people
from tests.world import World, make_world

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def world(transactional_db: None, settings: Settings, tmp_path: Path) -> World:
    settings.IMPORTS_DIR = str(tmp_path / "imports")
    return make_world()


def looked_at(page: Page) -> None:
    """Judge the page at both widths: nothing for axe to find, nothing wider than the window."""
    for width in (PHONE, WIDE):
        page.set_viewport_size({"width": width, "height": 900})
        assert violations(page) == []
        assert page.evaluate("document.documentElement.scrollWidth <= window.innerWidth")


def test_file_is_uploaded_mapped_checked_and_imported(chrome: Browser, live_server: LiveServer, world: World) -> None:
    context = context_of(chrome, live_server, world.administrator, WIDE, "light")
    seen = visit(context, f"/l/{world.library.pk}/imports/")
    page = seen.page
    looked_at(page)
    page.locator(".title").get_by_role("link", name="Import leads").click()
    looked_at(page)
    content = csv_of(*people(3), ("Bad", "no address", ""), headings=("Full name", "Contact", "Mobile"))
    upload = {"name": "leads.csv", "mimeType": "text/csv", "buffer": content}
    page.locator("#id_file").set_input_files(upload)  # type: ignore[arg-type]
    page.get_by_role("button", name="Upload and go on").click()

    # What the names suggest is chosen; an address is masked; a question that is required and not filled is told.
    fills = page.get_by_label("What the column")
    expect(fills.nth(0)).to_have_value("name")
    expect(fills.nth(1)).to_have_value("")
    expect(fills.nth(2)).to_have_value("phone_number")
    expect(page.locator(".map-examples").nth(1)).to_contain_text("p•••@example.com")
    page.get_by_role("button", name="Check the file").click()
    expect(page.get_by_role("alert")).to_contain_text("The form requires answers that no column fills: E-mail.")
    fills.nth(1).select_option("email")
    looked_at(page)
    page.get_by_role("button", name="Check the file").click()

    # The check and the import go on by themselves while the page asks for them.
    expect(page.locator("#import")).to_contain_text("Checking")
    looked_at(page)
    run_due()
    expect(page.get_by_role("button", name="Import 3 leads")).to_be_visible()
    why = "Contact: Write an e-mail address such as name@example.com."
    expect(page.locator(".import-why")).to_have_text([why, why])  # for how many rows, and for which
    assert Lead.objects.count() == 0
    looked_at(page)
    page.get_by_role("button", name="Import 3 leads").click()
    run_due()
    expect(page.get_by_role("link", name="Show the imported leads")).to_be_visible()
    looked_at(page)
    with page.expect_download() as taken:
        page.get_by_role("link", name="Download rows with errors").click()
    assert b"no address" in Path(taken.value.path()).read_bytes()
    page.get_by_role("link", name="Show the imported leads").click()
    expect(page.locator("tbody tr")).to_have_count(3)
    assert Import.objects.get().state == "done"
    assert seen.said == []
    context.close()
