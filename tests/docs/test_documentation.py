"""The documentation is true: its examples run against the product, its tables are what the code derives."""

import re
import time
from pathlib import Path
from typing import Any

import pytest
from django.conf import settings
from pytest_django.live_server_helper import LiveServer

from accounts.access import LIBRARY_RIGHTS, ROLE_TABLE, Can, grants
from accounts.authentication import TokenScope
from accounts.models import AccountRole, BusinessCenterRole, LeadLibrary, User
from accounts.services import business_centers
from accounts.services.transfers import accept_transfer, request_transfer
from leads.models import Lead
from leads.vault.models import SealedAnswers
from leads.vault.opening import Purpose
from leads.vault.opening import open as open_sealed
from leads.vault.regions import alias_of
from leadscenter.lib import standard_webhooks
from tests.browser.browsers import chromium
from tests.house import House, build, live_form, person

DOCS = Path(settings.BASE_DIR) / "docs"
CONTENT = {
    "answers": {"first_name": "Ann", "email": "ann@example.com", "when": "now"},
    "consents": {"contact": True},
    "country": "DE",
}


def code(page: str, language: str) -> str:
    """The code blocks of a page in one language, one after the other."""
    blocks = re.findall(rf"```{language}\n(.*?)```", (DOCS / page).read_text(), re.DOTALL)
    assert blocks, f"{page} has no {language}"
    return "\n".join(blocks)


def python(page: str) -> dict[str, Any]:
    """The names that a page's Python defines."""
    names: dict[str, Any] = {}
    exec(code(page, "python"), names)  # noqa: S102  # our own page
    return names


def answers_of(lead: Lead) -> dict[str, str]:
    row = SealedAnswers.objects.using(alias_of(lead.region)).get(pk=lead.pk)
    return {answer[0]: answer[2] for answer in open_sealed(row.sealed, Purpose.DISCLOSE)["answers"]}


def assert_arrived(lead_id: str) -> None:
    lead = Lead.objects.get()
    assert (str(lead.pk), lead.region, lead.sealed_in_browser) == (lead_id, "eu", True)
    assert answers_of(lead)["email"] == "ann@example.com"


def test_python_of_the_api_page_submits_a_sealed_form(live_server: LiveServer) -> None:
    form = live_form(build())
    assert_arrived(python("api.md")["submit"](live_server.url, form.public_id, **CONTENT))


def test_javascript_of_the_api_page_submits_a_sealed_form(live_server: LiveServer) -> None:
    form = live_form(build())
    with chromium() as browser:
        page = browser.new_page()
        page.goto(f"{live_server.url}/f/{form.public_id}/")
        run = f"async ([server, form, content]) => {{ {code('api.md', 'js')} return submit(server, form, content); }}"
        lead_id = page.evaluate(run, [live_server.url, form.public_id, CONTENT])
    assert_arrived(lead_id)


def signed(body: bytes) -> tuple[str, dict[str, str]]:
    old, new = standard_webhooks.new_secret(), standard_webhooks.new_secret()
    return old, standard_webhooks.headers([new, old], "msg_1", int(time.time()), body)


def test_python_of_the_webhooks_page_verifies() -> None:
    verify = python("webhooks.md")["verify"]
    secret, headers = signed(b'{"type":"test.ping"}')
    assert verify(secret, headers, b'{"type":"test.ping"}')
    assert not verify(secret, headers, b'{"type":"test.pong"}')
    assert not verify(standard_webhooks.new_secret(), headers, b'{"type":"test.ping"}')
    assert not verify(secret, {**headers, "webhook-timestamp": "1"}, b'{"type":"test.ping"}')


def test_javascript_of_the_webhooks_page_verifies(live_server: LiveServer) -> None:
    secret, headers = signed(b"{}")
    run = f"""async ([secret, headers, text]) => {{ {code("webhooks.md", "js")}
        return verify(secret, headers, new TextEncoder().encode(text)); }}"""
    with chromium() as browser:
        page = browser.new_page()
        page.goto(f"{live_server.url}/healthz/live")
        told = [page.evaluate(run, [secret, headers, text]) for text in ("{}", "[]")]
        other = page.evaluate(run, [standard_webhooks.new_secret(), headers, "{}"])
    assert (told, other) == ([True, False], False)


def table(page: str, heading: str) -> dict[str, list[str]]:
    """The rows of the first table under a heading, by their first cell without its marks."""
    text = (DOCS / page).read_text().split(heading, 1)[1]
    first = next(part for part in text.split("\n\n") if part.lstrip("\n").startswith("|"))
    lines = first.strip("\n").splitlines()
    rows = [[cell.strip() for cell in line.strip("|").split("|")] for line in lines]
    return {row[0].strip("`"): row[1:] for row in [rows[0], *rows[2:]]}


def people(house: House) -> dict[str, User]:
    """One person for each column of the permission tables."""
    boss, standard, taker, onlooker = (person(name) for name in ("Boss", "Sten", "Tara", "Olga"))
    center, brand = house.business_center, house.elsewhere.business_center
    for user, role in ((boss, BusinessCenterRole.ADMIN), (standard, BusinessCenterRole.STANDARD)):
        business_centers.set_member(actor=house.admin, business_center=center, user=user, role=role)
    for user, role in ((taker, BusinessCenterRole.ADMIN), (onlooker, BusinessCenterRole.STANDARD)):
        business_centers.set_member(actor=house.stranger, business_center=brand, user=user, role=role)
    business_centers.set_member(actor=boss, business_center=center, user=house.admin, role=None)
    return {
        "Administrator": house.admin,
        "Operator": house.operator,
        "Analyst": house.analyst,
        "Admin of the owner": boss,
        "Standard of the owner": standard,
        "Admin of the custodian": taker,
        "Standard of the custodian": onlooker,
    }


def derived(house: House, user: User, can: Can) -> str:
    library = LeadLibrary.objects.select_related("ad_account").get(pk=house.library.pk)
    held = grants(user, library.ad_account) | grants(user, library)
    return "Yes" if can in held else "–" if held else "404"


@pytest.mark.django_db
def test_permission_tables_are_what_the_code_derives() -> None:
    house = build()
    who = people(house)
    rights = set().union(*ROLE_TABLE.values()) | LIBRARY_RIGHTS
    for heading in ("### While the owner holds the leads", "### After a transfer"):
        if heading == "### After a transfer":
            brand = house.elsewhere.business_center
            transfer = request_transfer(actor=house.admin, library=house.library, business_center=brand)
            accept_transfer(actor=house.stranger, transfer=transfer)
        rows = table("permissions.md", heading)
        columns = rows.pop("right")
        assert rows.keys() == {str(can) for can in rights}
        for right, cells in rows.items():
            assert cells == [derived(house, who[name], Can(right)) for name in columns], (heading, right)


def test_table_of_the_brief_stands_in_the_readme() -> None:
    rights = {
        "Create & edit Lead Ads campaign": Can.EDIT_CAMPAIGNS,
        "View Lead Ads campaign": Can.VIEW_CAMPAIGNS,
        "Download leads": Can.DOWNLOAD_LEADS,
        "Delete leads": Can.DELETE_LEADS,
        "View instant forms": Can.VIEW_FORMS,
        "Create & edit instant forms": Can.EDIT_FORMS,
    }
    rows = table("../README.md", "## Who may what")
    assert [role.lower() for role in rows.pop("permission")] == list(AccountRole.values)
    for line, cells in rows.items():
        right = rights[line]
        held = [
            right in ROLE_TABLE[role] or (right in LIBRARY_RIGHTS and role == AccountRole.ADMINISTRATOR)
            for role in AccountRole
        ]
        assert cells == ["Yes" if one else "No" for one in held], line
    assert rows.keys() == rights.keys()


def test_every_scope_is_documented() -> None:
    told = set(re.findall(r"`([a-z:]+)`", "".join(f"`{cell}`" for cell in table("api.md", "## Who calls"))))
    told.discard("scope")
    assert told == {str(scope) for scope in TokenScope}


def test_links_between_pages_lead_somewhere() -> None:
    for page in [*DOCS.glob("*.md"), DOCS.parent / "README.md"]:
        for target in re.findall(r"(?<!!)\[[^]]*\]\(([^)#:]+)(?:#[^)]*)?\)", page.read_text()):
            assert (page.parent / target).exists(), (page.name, target)


def test_proxy_of_the_documentation_lets_the_largest_upload_through() -> None:
    [megabytes] = re.findall(r"client_max_body_size (\d+)m;", (DOCS / "operate.md").read_text())
    assert int(megabytes) << 20 == settings.UPLOAD_BYTES > settings.REQUEST_BYTES
