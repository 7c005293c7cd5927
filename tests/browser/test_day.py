"""A day's work of an Administrator in a browser on a running product: find, sort, call, hand on, clear up, undo."""

import re
from collections.abc import Iterator
from pathlib import Path

import openpyxl
import pytest
from playwright.sync_api import Browser, expect

from tests.browser.test_pages import sideways, violations
from tests.browser.test_path import signed_in
from tests.product import Product, running


@pytest.fixture(scope="module")
def product() -> Iterator[Product]:
    with running(worker=True, leads=40) as started:
        yield started


def test_a_day_at_the_desk(product: Product, chrome: Browser, tmp_path: Path) -> None:
    page = signed_in(chrome, product, "brand_admin")
    said: list[str] = []
    page.on("pageerror", lambda error: said.append(str(error)))
    library = product.demo["ad_accounts"]["brand"]["library_id"]
    rows, name = page.locator("tbody tr"), page.locator("tbody tr a[data-open-drawer]")

    # The palette leads to the list; a search finds a person by name and says so in no address.
    page.keyboard.press("Control+k")
    page.get_by_role("combobox").fill("leads")
    expect(page.locator("#palette [aria-selected=true]")).to_contain_text("Leads")
    assert violations(page) == []
    page.keyboard.press("Enter")
    page.wait_for_url("**/leads/")
    whole = rows.count()
    person = name.nth(3).inner_text()
    page.keyboard.press("/")
    page.keyboard.type(person)
    page.keyboard.press("Enter")
    page.wait_for_url(re.compile(r"\?s="))
    assert person.split()[0].lower() not in page.url.lower()
    assert person in name.all_inner_texts()
    assert rows.count() < whole

    # A filter becomes a view; what it shows is given to somebody at once.
    page.goto(f"/l/{library}/leads/?status=raw&test=0")
    page.locator("summary", has_text="Save view").click()
    page.get_by_label("Name of the view").fill("To call today")
    page.get_by_label("Name of the view").press("Enter")
    expect(page.locator("#views [aria-current]")).to_contain_text("To call today")
    page.locator("[data-row]").nth(0).check()
    page.locator("[data-row]").nth(1).check()
    page.get_by_label("Assign", exact=True).click()
    mine = page.locator("[data-selection] .menu[open] button[name=assignee]").first
    who = mine.inner_text().split("\n")[-1].strip()
    mine.click()
    expect(rows.nth(0).locator(".c-assignee")).to_contain_text(who)
    expect(rows.nth(1).locator(".c-assignee")).to_contain_text(who)

    # By keyboard: open, look, reveal, note, call, contacted.
    name.nth(0).focus()
    person = name.nth(0).inner_text()
    page.keyboard.press("Enter")
    heading = page.locator("[data-drawer] h2")
    expect(heading).to_have_text(person)
    page.keyboard.press("j")
    expect(heading).not_to_have_text(person)
    page.keyboard.press("k")
    expect(heading).to_have_text(person)
    page.get_by_role("button", name="Reveal, with a trace").click()
    call = page.locator("[data-contact=call]")
    expect(call).to_have_attribute("href", re.compile(r"^tel:\+"))
    page.locator("#note").fill("Wants to be called after six")
    page.get_by_role("button", name="Add note").click()
    expect(page.locator("#notes .quote")).to_contain_text("Wants to be called after six")
    assert violations(page) == []
    heading.focus()
    page.keyboard.press("s")
    page.locator("[data-menu=status] button[value=contacted]").click()
    expect(page.locator("[data-drawer] .pick .badge").first).to_have_text("Contacted")
    page.keyboard.press("Escape")
    page.keyboard.press("Escape")
    expect(page.locator("[data-drawer]")).to_have_count(0)

    # Delete, and take it back from the message.
    page.goto(f"/l/{library}/leads/")
    gone = name.nth(0).get_attribute("data-open-drawer")
    page.locator("[data-row]").nth(0).check()
    page.get_by_label("Delete the selected leads").click()
    expect(page.locator(f"#lead-{gone}")).to_have_count(0)
    page.get_by_role("button", name="Undo").click()
    expect(page.locator(f"#lead-{gone}")).to_have_count(1)

    # A workbook of what the list shows: text throughout, ids whole.
    page.goto(f"/l/{library}/leads/?status=contacted")
    shown = [row.get_attribute("id") or "" for row in rows.all()]
    page.get_by_role("button", name="Download as XLSX").click()
    ready = page.get_by_role("link", name="Download").first
    expect(ready).to_be_visible(timeout=60_000)
    with page.expect_download() as started:
        ready.click()
    started.value.save_as(tmp_path / "leads.xlsx")
    sheet = openpyxl.load_workbook(tmp_path / "leads.xlsx").worksheets[0]
    heading_row, *lines = list(sheet.iter_rows())
    assert {cell.data_type for line in lines for cell in line if cell.value is not None} == {"s"}
    ids = [str(line[[cell.value for cell in heading_row].index("lead_id")].value) for line in lines]
    assert ids[: len(shown)] == [row.removeprefix("lead-") for row in shown]
    assert sideways(page) == 0
    assert said == []
