"""A day's work of an Administrator in a browser on a running product: find, sort, call, hand on, clear up, undo.

The workbook of the day is read by openpyxl and by LibreOffice, as the people who get it read it.
"""

import csv
import re
import subprocess
from collections.abc import Iterator
from pathlib import Path
from uuid import uuid4

import openpyxl
import pytest
from playwright.sync_api import Browser, Locator, Page, expect

from tests import services
from tests.browser.test_pages import NARROWEST, PHONE, WIDE, sideways, violations
from tests.browser.test_path import signed_in
from tests.product import Product, running

FORMULA = "=2+40"
TABLE = "csv:Text - txt - csv (StarCalc):44,34,76,1,,0,false,true"
"""LibreOffice's words for a table of text: commas, quotes, UTF-8, cells as they are shown."""


@pytest.fixture(scope="module")
def product() -> Iterator[Product]:
    with running(worker=True, leads=40) as started:
        fill_in(started)
        yield started


def fill_in(product: Product) -> None:
    """Somebody answers the form with what a spreadsheet would take for a formula."""
    form = product.demo["forms"]["brand"]["public_id"]
    answers = {
        "name": "Fiona Formula",
        "email": "fiona@example.com",
        "phone_number": "+16025550199",
        "country": "US",
        "install_when": "asap",
        "anything_else": FORMULA,
    }
    body = {"submission_key": str(uuid4()), "version": 1, "answers": answers, "consents": {"contact": True}}
    answer = product.visitor().api("POST", f"public/forms/{form}/submissions/", body)
    assert answer.status == 201, answer.text


def rows_of(page: Page) -> Locator:
    return page.locator("tbody tr")


def names_of(page: Page) -> Locator:
    return page.locator("tbody tr a[data-open-drawer]")


def test_a_day_at_the_desk(product: Product, chrome: Browser, tmp_path: Path) -> None:
    page = signed_in(chrome, product, "brand_admin")
    page.context.grant_permissions(["clipboard-read", "clipboard-write"])
    said: list[str] = []
    page.on("pageerror", lambda error: said.append(str(error)))
    desk = f"/l/{product.demo['ad_accounts']['brand']['library_id']}/leads/"
    find_somebody(page)
    give_what_is_raw_to_somebody(page, desk)
    work_by_keyboard(page)
    delete_and_take_back(page, desk)
    workbook = tmp_path / "leads.xlsx"
    shown = download(page, f"{desk}?status=contacted", workbook)
    read_as_people_do(workbook, shown)
    fits_every_window(page, desk)
    assert said == []


def find_somebody(page: Page) -> None:
    """The palette leads to the list; a search finds a person by name and says so in no address."""
    page.keyboard.press("Control+k")
    page.get_by_role("combobox").fill("leads")
    expect(page.locator("#palette [aria-selected=true]")).to_contain_text("Leads")
    assert violations(page) == []
    page.keyboard.press("Enter")
    page.wait_for_url("**/leads/")
    whole = rows_of(page).count()
    person = names_of(page).nth(3).inner_text()
    page.keyboard.press("/")
    page.keyboard.type(person)
    page.keyboard.press("Enter")
    page.wait_for_url(re.compile(r"\?s="))
    assert person.split()[0].lower() not in page.url.lower()
    assert person in names_of(page).all_inner_texts()
    assert rows_of(page).count() < whole


def give_what_is_raw_to_somebody(page: Page, desk: str) -> None:
    """A filter becomes a view; three of what it shows are taken at once and given to somebody."""
    page.goto(desk)
    page.locator("summary.chip--add").click()
    page.locator("#f-status").select_option(label="Raw")
    page.locator("#f-test").select_option(index=2)
    assert violations(page) == []
    page.get_by_role("button", name="Apply", exact=True).click()
    page.wait_for_url("**status=raw**")
    page.locator("summary", has_text="Save view").click()
    page.get_by_label("Name of the view").fill("To call today")
    page.get_by_label("Name of the view").press("Enter")
    expect(page.locator("#views [aria-current]")).to_contain_text("To call today")
    page.locator("[data-row]").nth(0).click()
    page.locator("[data-row]").nth(2).click(modifiers=["Shift"])
    page.get_by_label("Assign", exact=True).click()
    mine = page.locator("[data-selection] .menu[open] button[name=assignee]").first
    who = mine.inner_text().split("\n")[-1].strip()
    mine.click()
    for place in range(3):
        expect(rows_of(page).nth(place).locator(".c-assignee")).to_contain_text(who)


def work_by_keyboard(page: Page) -> None:
    """Open, walk on and back, reveal, copy, note, call, contacted; the focus goes back to the row."""
    name, heading, drawer = names_of(page), page.locator("[data-drawer] h2"), page.locator("[data-drawer]")
    person = name.nth(0).inner_text()
    name.nth(0).focus()
    page.keyboard.press("Enter")
    expect(heading).to_have_text(person)
    expect(heading).to_be_focused()
    page.keyboard.press("j")
    expect(heading).not_to_have_text(person)
    page.keyboard.press("k")
    expect(heading).to_have_text(person)
    page.get_by_role("button", name="Reveal, with a trace").click()
    call = page.locator("[data-contact=call]")
    expect(call).to_have_attribute("href", re.compile(r"^tel:\+"))
    expect(page.get_by_role("link", name="Mask again")).to_be_focused()
    page.get_by_role("button", name="Copy Phone number, with a trace").click()
    expect(page.locator("#live")).to_have_text("Copied")
    copied = page.evaluate("navigator.clipboard.readText()")
    assert call.get_attribute("href") == f"tel:{copied}"
    page.locator("#note").fill("Wants to be called after six")
    page.get_by_role("button", name="Add note").click()
    expect(page.locator("#notes .quote")).to_contain_text("Wants to be called after six")
    expect(page.locator("#timeline")).to_contain_text("copied contact details")
    assert violations(page) == []
    call.evaluate("link => link.addEventListener('click', event => event.preventDefault())")
    call.click()
    page.get_by_role("button", name="Set the status to Contacted").click()
    expect(drawer.locator(".pick .badge").first).to_have_text("Contacted")
    expect(drawer.locator(".clock")).to_contain_text("contacted")
    page.keyboard.press("l")
    page.keyboard.type("Today")
    page.keyboard.press("Enter")
    expect(drawer.locator(".label-off")).to_contain_text("Today")
    expect(drawer.locator("[data-menu=label] > summary")).to_be_focused()
    page.keyboard.press("Escape")
    expect(drawer).to_have_count(0)
    expect(name.nth(0)).to_be_focused()


def delete_and_take_back(page: Page, desk: str) -> None:
    """Delete and undo from the message; delete again, find it in the trash, put it back."""
    for take_back in ("Undo", "Put back"):
        page.goto(desk)
        gone = names_of(page).nth(4).get_attribute("data-open-drawer")
        page.locator("[data-row]").nth(4).check()
        page.get_by_label("Delete the selected leads").click()
        expect(page.locator(f"#lead-{gone}")).to_have_count(0)
        if take_back == "Put back":
            page.get_by_role("link", name="Trash").click()
            expect(page.locator("h1")).to_have_text("Trash")
            assert violations(page) == []
            page.locator(f"#lead-{gone} [data-row]").check()
        page.get_by_role("button", name=take_back).click()
        page.goto(desk)
        expect(page.locator(f"#lead-{gone}")).to_have_count(1)


def download(page: Page, listed: str, workbook: Path) -> list[str]:
    """Ask for the workbook of what the list shows; return the ids that it shows, in order."""
    page.goto(listed)
    shown = [str(link.get_attribute("data-open-drawer")) for link in names_of(page).all()]
    page.get_by_role("button", name="Download as XLSX").click()
    ready = page.get_by_role("link", name="Download").first
    expect(ready).to_be_visible(timeout=60_000)
    with page.expect_download() as started:
        ready.click()
    started.value.save_as(workbook)
    return shown


def read_as_people_do(workbook: Path, shown: list[str]) -> None:
    """Ids stay whole, telephone numbers keep their plus, what looks like a formula is what somebody typed."""
    sheet = openpyxl.load_workbook(workbook).worksheets[0]
    assert {cell.data_type for row in sheet.iter_rows() for cell in row if cell.value is not None} == {"s"}
    typed = [[str(cell.value or "") for cell in row] for row in sheet.iter_rows()]
    converted = through_libreoffice(workbook)
    assert converted == typed
    heading, *lines = converted
    ids, phones, more = (
        [line[heading.index(column)] for line in lines]
        for column in ("lead_id", "Phone number", "Anything we should know?")
    )
    assert len(shown) > 3
    assert ids == shown
    assert all(re.fullmatch("[0-9]{18,19}", one) for one in ids)
    assert all(re.fullmatch(r"\+[0-9]{8,15}", one) for one in phones)
    assert (phones[0], more[0]) == ("+16025550199", FORMULA)


def through_libreoffice(workbook: Path) -> list[list[str]]:
    """The cells as LibreOffice shows them."""
    profile = f"-env:UserInstallation=file://{workbook.parent}/office"
    words = [services.libreoffice(), profile, "--headless", "--convert-to", TABLE, "--outdir", str(workbook.parent)]
    done = subprocess.run([*words, str(workbook)], capture_output=True, text=True, timeout=120)
    table = workbook.with_suffix(".csv")
    assert table.exists(), done.stdout + done.stderr
    with table.open(encoding="utf-8", newline="") as lines:
        return list(csv.reader(lines))


def fits_every_window(page: Page, desk: str) -> None:
    """The list under its filters and the open lead, wide and on phones, dark and light."""
    page.goto(f"{desk}?status=contacted&test=0")
    names_of(page).first.click()
    expect(page.locator("[data-drawer] h2")).to_be_visible()
    for width, theme in ((WIDE, "dark"), (PHONE, "dark"), (PHONE, "light"), (NARROWEST, "light")):
        page.set_viewport_size({"width": width, "height": 844})
        page.emulate_media(color_scheme="dark" if theme == "dark" else "light")
        assert sideways(page) == 0, width
        assert violations(page) == [], (width, theme)
    page.keyboard.press("Escape")
    page.locator("[data-row]").first.check()
    assert sideways(page) == 0
    assert violations(page) == []
