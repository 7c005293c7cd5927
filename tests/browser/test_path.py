"""The whole path in a real browser on a running product: from a campaign to a lead, a CSV, a webhook and a transfer.

Web server, worker and scheduler run as they do for users, the receiver is a real HTTP server; nothing is patched.
"""

import base64
import re
import urllib.parse
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page, Request, ViewportSize, expect
from standardwebhooks import Webhook

from tests.fakes.sink import Received, Sink
from tests.product import Product, running, until

PHONE: ViewportSize = {"width": 390, "height": 844}
DESKTOP: ViewportSize = {"width": 1440, "height": 1000}
NAMES = ("Sealed Quokka", "Scriptless Numbat", "Broken Bilby")


@pytest.fixture(scope="module")
def product() -> Iterator[Product]:
    with running(worker=True) as started:
        yield started


def signed_in(browser: Browser, product: Product, actor: str) -> Page:
    """A page of somebody of the demo who has just signed in."""
    who = product.demo["actors"][actor]
    page = browser.new_context(viewport=DESKTOP, base_url=product.url).new_page()
    page.goto("/login/")
    page.fill("[name=login]", who["email"])
    page.fill("[name=password]", who["password"])
    page.get_by_role("button", name="Sign in").click()
    page.wait_for_url(lambda url: "/login/" not in url)
    return page


def spellings(text: str) -> list[str]:
    """The text as it could stand in a request: in clear, URL-coded, base64 in its three alignments, UTF-16."""
    found = [text, urllib.parse.quote(text), urllib.parse.quote_plus(text), text.encode("utf-16-le").decode("latin-1")]
    for shift in range(3):
        coded = base64.b64encode(b"\0" * shift + text.encode()).decode()
        found.append(coded[(0, 2, 3)[shift] + 2 : -4])
    return found


def connect_webhook(page: Page, library: str, address: str) -> str:
    """Connect a webhook as the Administrator; return its secret, which is shown once."""
    page.goto(f"/l/{library}/integrations/new/webhook/")
    page.fill("[name=name]", "Our CRM")
    page.fill("[name=url]", address)
    page.get_by_role("button", name="Connect", exact=True).click()
    secret = page.locator("#secret-text").inner_text()
    found = re.search(r"whsec_[A-Za-z0-9+/=]+", secret)
    assert found, secret
    return found[0]


def build_form(page: Page, account: str) -> str:
    """Build and publish a form as the Operator; return its public link."""
    page.goto(f"/a/{account}/forms/new/")
    page.fill("#name", "Path form")
    page.get_by_role("button", name="Make the form").click()
    page.wait_for_url(re.compile(r"/forms/\d+/"))
    form = re.search(r"/forms/(\d+)/", page.url)
    assert form
    page.goto(f"/a/{account}/forms/{form[1]}/privacy/")
    page.get_by_role("button", name="Add box").click()
    page.fill("textarea[name^=consent-]", "Larkspur may call me about this.")
    page.fill("#privacy_policy_url", "https://larkspur.example/privacy")
    page.get_by_role("button", name="Save", exact=True).last.click()
    page.goto(f"/a/{account}/forms/{form[1]}/review/")
    page.get_by_role("button", name="Publish version 1").click()
    return page.locator("#share-url").inner_text()


def build_campaign(page: Page, account: str) -> str:
    """Build campaign, ad group and ad as the Operator; return the ad's trackable link."""
    page.goto(f"/a/{account}/campaigns/new/")
    page.fill("[name=name]", "Path campaign")
    page.fill("[name=budget]", "50")
    page.fill("[name=starts_on]", "2026-01-01")
    page.get_by_role("button", name="Save").click()
    page.get_by_role("link", name="Path campaign").click()
    page.get_by_role("link", name="New ad group").click()
    page.fill("[name=name]", "Path group")
    page.get_by_role("button", name="Save").click()
    page.get_by_role("link", name="New ad", exact=True).click()
    page.fill("[name=name]", "Path ad")
    page.fill("[name=headline]", "Answer us")
    page.select_option("[name=form]", label="Path form")
    page.get_by_role("button", name="Save").click()
    return page.get_by_text(re.compile(r"^/go/[a-z0-9]+/$")).inner_text()


def fill(page: Page, name: str) -> None:
    """Fill the form as one person and send it."""
    first, last = name.split()
    page.fill("[name=a-first_name]", first)
    page.fill("[name=a-last_name]", last)
    page.fill("[name=a-email]", f"{last.lower()}@example.com")
    if page.locator("[name=a-phone_number]").count():
        page.fill("[name=a-phone_number]", "+16025550142")
    for box in page.locator("input[name^=c-]").all():
        box.check()
    page.locator("button.go").click()
    expect(page.locator("[data-number]")).to_be_visible(timeout=30_000)


def phone(browser: Browser, product: Product, *, scripts: bool = True) -> Page:
    return browser.new_context(viewport=PHONE, base_url=product.url, java_script_enabled=scripts).new_page()


def fill_three_ways(browser: Browser, product: Product, link: str) -> None:
    """Fill the form on a phone: sealed, without a script, and with the script broken on purpose."""
    sealed = phone(browser, product)
    sent: list[Request] = []
    sealed.on("request", lambda request: sent.append(request) if request.method == "POST" else None)
    sealed.goto(link)
    fill(sealed, NAMES[0])
    posted = [request for request in sent if request.url.endswith("/submissions/")]
    assert len(posted) == 1
    assert list(posted[0].post_data_json or {}) == ["sealed"]
    told = "".join((request.url + (request.post_data or "")) for request in sent)
    assert not [word for word in (*spellings(NAMES[0]), *spellings("quokka@example.com")) if word in told]

    plain = phone(browser, product, scripts=False)
    plain.goto(link)
    fill(plain, NAMES[1])

    broken = phone(browser, product)
    broken.route("**/form*.js", lambda route: route.fulfill(body="throw new Error()", content_type="text/javascript"))
    broken.goto(link)
    fill(broken, NAMES[2])


def the_words_are_found_where_they_are() -> None:
    """The search of `fill_three_ways` can fail: each spelling is found in a text that holds it."""
    for shift in range(3):
        text = base64.b64encode(b"x" * shift + NAMES[0].encode()).decode()
        assert [word for word in spellings(NAMES[0]) if word in text]
    assert [word for word in spellings(NAMES[0]) if word in urllib.parse.urlencode({"a": NAMES[0]})]


def test_a_lead_travels_from_the_ad_to_the_crm(product: Product, chrome: Browser, tmp_path: Path) -> None:
    the_words_are_found_where_they_are()
    account = product.demo["ad_accounts"]["brand"]["id"]
    library = product.demo["ad_accounts"]["brand"]["library_id"]
    with Sink(ledger=tmp_path / "ledger") as sink:
        admin = signed_in(chrome, product, "brand_admin")
        secret = connect_webhook(admin, library, sink.url)
        operator = signed_in(chrome, product, "brand_operator")
        share = build_form(operator, account)
        assert "/f/" in share
        link = build_campaign(operator, account)

        fill_three_ways(chrome, product, link)

        admin.goto(f"/l/{library}/leads/")
        for name in NAMES:
            expect(admin.get_by_role("link", name=name)).to_be_visible()
        assert "quokka@example.com" not in admin.content()  # a list masks contact details
        assert product.rows("SELECT count(*) FROM leads_lead WHERE ad_id IS NOT NULL") == [(3,)]
        ways = product.rows("SELECT sealed_in_browser, count(*) FROM leads_lead GROUP BY 1 ORDER BY 1")
        assert [(bool(sealed), count) for sealed, count in ways] == [(False, 2), (True, 1)]

        received = until(lambda: delivered(sink, 3), seconds=60, what="the webhooks did not arrive")
        bodies = [Webhook(secret).verify(one.body, one.headers) for one in received]
        assert {body["type"] for body in bodies} == {"lead.created"}
        told = {answer["value"] for body in bodies for answer in body["data"]["answers"]}
        assert {name.split()[1] for name in NAMES} <= told

    csv = download(admin, library)
    for name in NAMES:
        assert name.split()[1] in csv
    refused(chrome, product, library)


def delivered(sink: Sink, count: int) -> list[Received]:
    found = {one.webhook_id: one for one in list(sink.received)}
    return list(found.values()) if len(found) >= count else []


def download(admin: Page, library: str) -> str:
    """Ask for an export by the button, wait for it, download it."""
    admin.goto(f"/l/{library}/leads/")
    admin.get_by_role("button", name=re.compile("^Download")).first.click()
    admin.goto(f"/l/{library}/exports/")
    file = admin.locator("a[href$='/file/']").first
    for _ in range(60):
        if file.count():
            break
        admin.wait_for_timeout(500)
        admin.reload()
    with admin.expect_download() as arriving:
        file.click()
    return arriving.value.path().read_text(encoding="utf-8-sig")


def refused(chrome: Browser, product: Product, library: str) -> None:
    """Operator and Analyst read why, which permission is missing and who can help, and nothing of any lead."""
    ids = [str(number) for (number,) in product.rows("SELECT id FROM leads_lead")]
    for actor in ("brand_operator", "brand_analyst"):
        page = signed_in(chrome, product, actor)
        answer = page.goto(f"/l/{library}/leads/")
        assert answer is not None
        assert answer.status == 403
        told = page.content() + str(answer.headers)
        assert "view_leads" in told
        assert "Maren Holt" in told
        assert not [word for word in (*NAMES, *ids) if word in told]
        page.context.close()


def test_an_agency_hands_the_leads_to_the_brand(product: Product, chrome: Browser) -> None:
    library = product.demo["ad_accounts"]["agency_run"]["library_id"]
    agency = signed_in(chrome, product, "agency_admin")
    held = agency.goto(f"/l/{library}/leads/")
    assert held is not None
    assert held.status == 200
    agency.goto(f"/l/{library}/transfer/?to={product.demo['business_centers']['client']}")
    agency.get_by_role("link", name="Continue to confirm").click()
    agency.fill("#typed", "Halden Bikes Europe")
    agency.get_by_role("button", name="Send the request").click()

    client = signed_in(chrome, product, "client_bc_admin")
    client.goto("/settings/transfers/")
    client.fill("input[name=typed]", "Halden Bikes Europe")
    client.get_by_role("button", name="Accept leads access").click()
    taken = client.goto(f"/l/{library}/leads/")
    assert taken is not None
    assert taken.status == 200

    gone = agency.goto(f"/l/{library}/leads/")  # the same session, the next request
    assert gone is not None
    assert gone.status == 403
    assert "Halden Bikes" in agency.content()
