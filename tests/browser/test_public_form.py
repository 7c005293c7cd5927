"""The public form in a real browser, against a server played by the test: what leaves the page, and what it says."""

import json
import mimetypes
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs

import pytest
from django.conf import settings
from playwright.sync_api import Browser, Page, Route, expect

from forms_builder.parsing import parse
from forms_builder.rendering import Filled, IngestKey, render_form
from forms_builder.selectors import ServedForm
from leadscenter.lib import hpke
from tests.browser.browsers import chromium

HOME = "http://localhost:8123"  # a secure context, so that WebCrypto is there; nothing listens
CANARY = "Zanzibar Quokka"
CSP = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; connect-src 'self'; form-action 'self'; "
    "base-uri 'none'; frame-ancestors 'none'"
)
CONTENT = parse(
    {
        "headline": "Home solar quote",
        "questions": [
            {"kind": "first_name"},
            {"kind": "email"},
            {"kind": "multiple_choice", "key": "when", "label": "When?", "options": ["Now", "Later"]},
            {"kind": "short_answer", "key": "roof", "label": "Which roof?", "required": False},
        ],
        "privacy_policy_url": "https://larkspur.example/privacy",
        "disclaimer": {"consents": [{"key": "contact", "label": "You may call me.", "required": True}]},
    }
)
FORM = ServedForm(1, "abcdefghij", "solar", "live", None, 2, 3, "Larkspur Solar", 4, 3, "en", CONTENT)


@dataclass
class Server:
    """Plays the server: answers submissions with `answers` in turn and keeps what came."""

    page: Page
    html: str
    private: bytes
    answers: list[tuple[int, dict[str, Any], dict[str, str]]] = field(default_factory=list)
    bodies: list[str] = field(default_factory=list)
    plain: list[dict[str, list[str]]] = field(default_factory=list)
    measured: list[dict[str, Any]] = field(default_factory=list)
    foreign: list[str] = field(default_factory=list)
    script: str | None = None

    def __call__(self, route: Route) -> None:
        request = route.request
        path = request.url.removeprefix(HOME).split("?")[0]
        if not request.url.startswith(HOME):
            self.foreign.append(request.url)
            route.abort()
        elif path.endswith("/measures/"):
            self.measured.append(json.loads(request.post_data or ""))
            route.fulfill(status=204)
        elif path.endswith("/submissions/"):
            self.bodies.append(request.post_data or "")
            status, body, headers = self.answers.pop(0)
            if status:
                route.fulfill(status=status, json=body, headers=headers)
            else:
                route.abort()  # no network
        elif path == "/static/js/form.js" and self.script is not None:
            route.fulfill(body=self.script, content_type="text/javascript")
        elif path.startswith("/static/"):
            file = Path(settings.BASE_DIR) / path.lstrip("/")
            route.fulfill(body=file.read_bytes(), content_type=mimetypes.guess_type(path)[0] or "")
        elif request.method == "POST":
            self.plain.append(parse_qs(request.post_data or ""))
            route.fulfill(body="<h1>plain post arrived</h1>", content_type="text/html")
        else:
            headers = {"Content-Security-Policy": CSP, "Content-Type": "text/html; charset=utf-8"}
            route.fulfill(body=self.html, headers=headers)

    def opened(self, number: int = -1) -> dict[str, Any]:
        """Open a captured submission as the server would."""
        sealed = json.loads(self.bodies[number])["sealed"]
        enc, ct = hpke.from_b64url(sealed["enc"]), hpke.from_b64url(sealed["ct"])
        info = hpke.info_for(sealed["kid"], FORM.public_id)
        found: dict[str, Any] = json.loads(hpke.open_(self.private, enc, ct, info))
        return found


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    with chromium() as found:
        yield found


@pytest.fixture
def server(browser: Browser, request: pytest.FixtureRequest) -> Iterator[Server]:
    private, public = hpke.generate()
    filled = Filled(attribution={"ad": "77", "utm_source": "feed"})
    key = IngestKey("k1", hpke.b64url(public))
    html = render_form(FORM, submission_key="0b5e7d1c-5b1e-4d59-9a57-111111111111", ingest_key=key, filled=filled)
    context = browser.new_context(viewport={"width": 390, "height": 844}, **getattr(request, "param", {}))
    page = context.new_page()
    page.set_default_timeout(8000)
    found = Server(page, html, private)
    context.route("**/*", found)
    yield found
    context.close()


def fill(page: Page) -> None:
    page.get_by_label("First name").fill(CANARY)
    page.get_by_label("E-mail").fill("quokka@example.com")
    page.get_by_text("Later").click()
    page.get_by_label("You may call me.").check()


def test_sealed_answers_leave_and_open_on_the_server(server: Server) -> None:
    errors: list[str] = []
    server.page.on("console", lambda message: errors.append(message.text) if message.type == "error" else None)
    server.answers = [(201, {"lead_id": "12345"}, {})]
    server.page.goto(f"{HOME}/f/{FORM.public_id}/")
    expect(server.page.get_by_text("Sealed on this device before it is sent")).to_be_visible()
    fill(server.page)
    server.page.get_by_role("button", name="Send").click()
    expect(server.page.get_by_role("heading", name="Thank you")).to_be_visible()
    expect(server.page.get_by_text("12345")).to_be_visible()
    [raw] = server.bodies
    for encoded in (CANARY, CANARY.replace(" ", "%20"), "Quokka", "quokka@", "UXVva2th", "Q\\u0000u"):
        assert encoded not in raw
    opened = server.opened()
    assert opened.pop("submission_key") != "0b5e7d1c-5b1e-4d59-9a57-111111111111"  # made in the browser
    assert opened == {
        "version": 3,
        "answers": {"first_name": CANARY, "email": "quokka@example.com", "when": "later"},
        "consents": {"contact": True},
        "attribution": {"ad_id": "77", "utm_source": "feed"},
    }
    assert [event for event in server.measured if event["kind"] != "question"] == [
        {"kind": "open", "ad_id": "77", "version": 3},
        {"kind": "start", "ad_id": "77", "version": 3},
    ]
    assert server.foreign == []
    assert server.plain == []
    assert errors == []


def test_reload_counts_as_the_same_visit(server: Server) -> None:
    server.page.goto(f"{HOME}/f/{FORM.public_id}/")
    server.page.reload()
    server.page.get_by_label("First name").fill("A")
    server.page.wait_for_timeout(300)
    assert [event["kind"] for event in server.measured if event["kind"] != "question"] == ["open", "start"]


def test_questions_that_came_into_view_are_told_once_in_a_visit(server: Server) -> None:
    server.page.set_viewport_size({"width": 390, "height": 500})

    def told() -> list[str]:
        return [key for event in server.measured if event["kind"] == "question" for key in event["questions"]]

    for _visit in range(2):
        server.page.goto(f"{HOME}/f/{FORM.public_id}/")
        for ask in server.page.locator('[data-ask^="a-"]').all():
            ask.scroll_into_view_if_needed()
            server.page.wait_for_timeout(100)
        server.page.wait_for_timeout(1_700)
    asked = [question.key for question in FORM.content.questions]
    assert sorted(told()) == sorted(asked)


@pytest.mark.parametrize("server", [{"java_script_enabled": False}], indirect=True)
def test_without_javascript_the_form_posts_itself(server: Server) -> None:
    server.page.goto(f"{HOME}/f/{FORM.public_id}/")
    fill(server.page)
    expect(server.page.get_by_text("Sealed on this device")).to_be_hidden()
    server.page.get_by_role("button", name="Send").click()
    server.page.get_by_text("plain post arrived").wait_for()
    assert server.plain == [
        {
            "a-first_name": [CANARY],
            "a-email": ["quokka@example.com"],
            "a-when": ["later"],
            "c-contact": ["on"],
            "submission_key": ["0b5e7d1c-5b1e-4d59-9a57-111111111111"],
            "version": ["3"],
            "ad": ["77"],
            "utm_source": ["feed"],
        }
    ]


@pytest.mark.parametrize(
    "breakage",
    ["syntax error(", "throw new Error('broken')", "delete Object.getPrototypeOf(crypto.subtle).deriveBits;"],
)
def test_broken_script_leaves_the_plain_post(server: Server, breakage: str) -> None:
    real = (Path(settings.BASE_DIR) / "static/js/form.js").read_text()
    server.script = breakage + (real if breakage.startswith("delete") else "")
    server.page.goto(f"{HOME}/f/{FORM.public_id}/")
    fill(server.page)
    server.page.get_by_role("button", name="Send").click()
    server.page.get_by_text("plain post arrived").wait_for()
    [posted] = server.plain
    assert posted["a-first_name"] == [CANARY]
    assert server.bodies == []


def test_busy_server_is_tried_again_with_the_same_sealed_answers(server: Server) -> None:
    server.answers = [
        (503, {}, {"Retry-After": "1"}),
        (429, {}, {"Retry-After": "1"}),
        (201, {"lead_id": "9"}, {}),
    ]
    server.page.goto(f"{HOME}/f/{FORM.public_id}/")
    fill(server.page)
    server.page.get_by_role("button", name="Send").click()
    expect(server.page.get_by_text("Your answers are sealed and kept in this page only.")).to_be_visible()
    assert server.page.locator("#a-first_name").input_value() == ""  # only the sealed answers are kept
    expect(server.page.get_by_role("heading", name="Thank you")).to_be_visible()
    assert len(server.bodies) == 3
    assert len(set(server.bodies)) == 1
    assert server.opened()["answers"]["first_name"] == CANARY


def test_refused_answers_are_named_at_their_fields(server: Server) -> None:
    server.answers = [
        (400, {"errors": {"email": "Write an e-mail address.", "consents.contact": "Needed."}}, {}),
        (201, {"lead_id": "9"}, {}),
    ]
    server.page.goto(f"{HOME}/f/{FORM.public_id}/")
    fill(server.page)
    server.page.get_by_role("button", name="Send").click()
    summary = server.page.get_by_role("alert")
    expect(summary).to_be_focused()
    expect(summary).to_contain_text("2 answers need a look")
    expect(summary.get_by_role("link", name="E-mail")).to_be_visible()
    email = server.page.locator("#a-email")
    expect(email).to_have_attribute("aria-invalid", "true")
    expect(email).to_have_attribute("aria-describedby", "a-email-fault")
    expect(server.page.locator("#a-email-fault")).to_have_text("Write an e-mail address.")
    expect(email).to_have_value("quokka@example.com")  # the answers are kept
    server.page.get_by_role("button", name="Send").click()
    expect(server.page.get_by_role("heading", name="Thank you")).to_be_visible()
    assert server.opened(0)["submission_key"] == server.opened(1)["submission_key"]


def test_missing_answers_are_named_before_anything_is_sent(server: Server) -> None:
    server.page.goto(f"{HOME}/f/{FORM.public_id}/")
    server.page.get_by_role("button", name="Send").click()
    expect(server.page.get_by_role("alert")).to_contain_text("4 answers need a look")
    assert server.bodies == []


def test_changed_answers_can_be_sent_as_a_new_request(server: Server) -> None:
    server.answers = [
        (409, {"type": "already_submitted", "first_sent_at": "2026-11-02T10:00:00Z"}, {}),
        (201, {"lead_id": "9"}, {}),
    ]
    server.page.goto(f"{HOME}/f/{FORM.public_id}/")
    fill(server.page)
    server.page.get_by_role("button", name="Send").click()
    expect(server.page.get_by_text("You sent this form on")).to_contain_text("2026")
    server.page.get_by_role("button", name="Send as a new request").click()
    expect(server.page.get_by_role("heading", name="Thank you")).to_be_visible()
    assert server.opened(0)["submission_key"] != server.opened(1)["submission_key"]
    assert server.opened(0)["answers"] == server.opened(1)["answers"]


def test_answers_that_cannot_be_opened_arrive_by_the_plain_post(server: Server) -> None:
    server.answers = [(400, {"errors": {"sealed": "Unknown key."}}, {})]
    server.page.goto(f"{HOME}/f/{FORM.public_id}/")
    fill(server.page)
    server.page.get_by_role("button", name="Send").click()
    server.page.get_by_text("plain post arrived").wait_for()
    [posted] = server.plain
    assert posted["a-first_name"] == [CANARY]
    assert posted["measured"] == ["1"]


def test_page_is_small_and_does_not_scroll_sideways(server: Server) -> None:
    server.page.set_viewport_size({"width": 320, "height": 640})
    server.page.goto(f"{HOME}/f/{FORM.public_id}/")
    assert server.page.evaluate("document.documentElement.scrollWidth") <= 320
    static = Path(settings.BASE_DIR) / "static"
    files = ["css/tokens.css", "css/public.css", "css/form.css", "js/form.js", "img/mark.svg"]
    whole = len(server.html.encode()) + sum((static / file).stat().st_size for file in files)
    assert whole <= 40_000  # before compression; the goal of 30 kB is what travels


def test_sealed_answers_wait_half_an_hour_and_can_be_tried_again(server: Server) -> None:
    server.answers = [(503, {}, {})] * 200
    page = server.page
    page.clock.install()
    page.goto(f"{HOME}/f/{FORM.public_id}/")
    fill(page)
    page.get_by_role("button", name="Send").click()
    expect(page.get_by_text("Your answers are sealed and kept in this page only.")).to_be_visible()
    for _minute in range(40):
        page.clock.run_for(60_000)
        page.wait_for_timeout(20)
    expect(page.get_by_text("It has not worked for 30 minutes.")).to_be_visible()
    tried = len(server.bodies)
    assert 20 < tried < 60  # with back-off: no storm
    server.answers = [(201, {"lead_id": "9"}, {})]
    page.get_by_role("button", name="Try again now").click()
    expect(page.get_by_role("heading", name="Thank you")).to_be_visible()
    assert len(set(server.bodies)) == 1  # the same sealed answers, with the same key
    assert len(server.bodies) == tried + 1


def test_network_that_comes_back_loses_nothing(server: Server) -> None:
    server.answers = [(0, {}, {}), (201, {"lead_id": "9"}, {})]
    server.page.goto(f"{HOME}/f/{FORM.public_id}/")
    fill(server.page)
    server.page.get_by_role("button", name="Send").click()
    expect(server.page.get_by_role("heading", name="Thank you")).to_be_visible()
    assert len(server.bodies) == 2
    assert len(set(server.bodies)) == 1
