"""A transfer in the browser, as each side sees it in its states: nothing for axe, no complaint, no sideways scroll."""

import os

import pytest
from playwright.sync_api import Browser, expect
from pytest_django.live_server_helper import LiveServer

from accounts.models import BusinessCenter, Transfer, User
from accounts.services import business_centers
from accounts.services.asking import ask_for_access, mail_asks
from accounts.services.transfers import reject_transfer, request_transfer
from forms_builder import services as forms
from tests.browser.test_pages import WIDE, context_of, judge, visit
from tests.world import CONTENT, World, make_world

pytestmark = pytest.mark.django_db(transaction=True)
ELSEWHERE = CONTENT | {
    "privacy_policy_url": "https://elsewhere.example/a/rather/long/address/of/a/privacy/policy/that/may/not/break",
    "disclaimer": {"title": "News", "text": "Other words.", "consents": []},
}


@pytest.fixture
def world(transactional_db: None) -> World:
    world = make_world()
    center = BusinessCenter.objects.get(name="Agency")
    business_centers.accept_terms(actor=User.objects.get(name="Boss"), business_center=center)
    world.connect("CRM")
    world.add_lead()
    for name in ("Third", "Fourth"):
        center = business_centers.create_business_center(name=name, admin=world.stranger)
        ask_for_access(actor=world.stranger, business_center=center, ad_account_number=world.account.pk)
    mail_asks()
    old = request_transfer(actor=world.administrator, library=world.library, business_center=world.client)
    reject_transfer(actor=world.client_admin, transfer=old)
    return world


def shoot(chrome: Browser, live_server: LiveServer, user: User, path: str, name: str) -> None:
    """Keep a picture for whoever asked for some."""
    folder = os.environ.get("PICTURES")
    if not folder:
        return
    for width, theme in ((WIDE, "light"), (390, "dark")):
        context = context_of(chrome, live_server, user, width, theme)
        visit(context, path).page.screenshot(path=f"{folder}/{name}-{width}.png", full_page=True)
        context.close()


def test_pages_of_both_sides_are_clean_before_and_after(
    chrome: Browser, live_server: LiveServer, world: World, subtests: pytest.Subtests
) -> None:
    def check(name: str, user: User, path: str) -> None:
        shoot(chrome, live_server, user, path, name.replace(" ", "-"))
        with subtests.test(name):
            assert judge(chrome, live_server, user, path) == []

    check("asks that wait", world.administrator, "/settings/transfers/")
    check("asks that were sent", world.stranger, "/settings/transfers/")
    check("rejected", world.administrator, f"/settings/transfers/{Transfer.objects.get().pk}/")
    third = BusinessCenter.objects.get(name="Third")
    check("wizard of an ask", world.administrator, f"/l/{world.library.pk}/transfer/?to={third.pk}")
    open_ = request_transfer(actor=world.administrator, library=world.library, business_center=world.client)
    check("to answer", world.client_admin, f"/settings/transfers/{open_.pk}/")
    check("to cancel", world.administrator, f"/settings/transfers/{open_.pk}/")
    context = context_of(chrome, live_server, world.client_admin, WIDE, "light")
    page = visit(context, f"/settings/transfers/{open_.pk}/").page
    page.get_by_label("Type “Brand ads” to accept").fill("Brand ads")
    page.get_by_role("button", name="Accept leads access").click()
    expect(page.get_by_text("1 connection waits for you")).to_be_visible()
    context.close()
    forms.save_draft(actor=world.operator, form=world.form, content=ELSEWHERE)
    assert forms.publish(actor=world.operator, form=world.form).status == "awaiting_approval"
    check("taken over", world.client_admin, f"/settings/transfers/{open_.pk}/")
    check("handed over", world.administrator, f"/settings/transfers/{open_.pk}/")
    check("connections to confirm", world.client_admin, f"/l/{world.library.pk}/integrations/")
    check("version to approve", world.client_admin, f"/a/{world.account.pk}/forms/{world.form.pk}/review/")
