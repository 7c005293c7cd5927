"""The pages of forms: the editor works by buttons alone, every role sees what it may, and query counts stay."""

from typing import Any
from zoneinfo import ZoneInfo

import pytest
from django.test import Client
from django.utils import timezone

from accounts.models import AdAccount, BusinessCenter
from accounts.services import business_centers, transfers
from forms_builder import services
from forms_builder.measures import record
from forms_builder.models import Form, FormVersion, MeasureKind
from forms_builder.parsing import parse
from forms_builder.schema import FormContent
from tests.house import CONTENT, House, live_form, person


@pytest.fixture
def operator(house: House, client: Client) -> Client:
    client.force_login(house.operator)
    return client


def page(house: House, path: str) -> str:
    return f"/a/{house.account.pk}/forms/{path}"


def draft(form: Form) -> FormContent:
    return parse(form.versions.get(status="draft").content)


def test_operator_makes_edits_and_publishes_a_form_without_a_script(house: House, operator: Client) -> None:
    response = operator.post(page(house, "new/"), {"name": "Solar quote"})
    form = Form.objects.get()
    assert response["Location"] == page(house, f"{form.pk}/content/")
    questions = page(house, f"{form.pk}/questions/")
    operator.post(questions, {"do": "add:multiple_choice", "at": ""})
    asked = {"at": "multiple_choice", "label": "When?", "required": "on", "option-option_1": "Now"}
    operator.post(questions, asked | {"do": "option-add"})
    operator.post(questions, asked | {"do": "option-remove:option_3", "option-option_2": "Later"})
    operator.post(questions, {"do": "up:multiple_choice"})
    operator.post(questions, {"do": "remove:last_name"})
    operator.post(questions, {"do": "add:country"})
    keys = [question.key for question in draft(form).questions]
    assert keys == ["first_name", "email", "multiple_choice", "phone_number", "country"]
    when = draft(form).question("multiple_choice")
    assert when is not None
    assert (when.label, [option.label for option in when.options]) == ("When?", ["Now", "Later"])
    privacy = page(house, f"{form.pk}/privacy/")
    operator.post(privacy, {"do": "consent-add"})
    boxes = {"consent-consent": "You may call me.", "consent-consent-required": "on"}
    operator.post(privacy, boxes | {"do": "save", "privacy_policy_url": "https://larkspur.example/privacy"})
    ending = {"headline": "Thanks", "text": "We call.", "link_url": "https://larkspur.example/", "link_text": "Home"}
    assert operator.post(page(house, f"{form.pk}/ending/"), ending | {"do": "next"})["Location"].endswith("/review/")
    assert b"ready to publish" in operator.get(page(house, f"{form.pk}/review/")).content
    operator.post(page(house, f"{form.pk}/publish/"))
    form.refresh_from_db()
    assert form.status == "live"
    assert form.published is not None
    assert parse(form.published.content).disclaimer.consents[0].required
    assert b"Solar quote" in operator.get(page(house, "")).content


def test_publish_with_problems_names_them_and_changes_nothing(house: House, operator: Client) -> None:
    operator.post(page(house, "new/"), {"name": "Solar quote"})
    form = Form.objects.get()
    response = operator.post(page(house, f"{form.pk}/publish/"), follow=True)
    assert b"Link your privacy policy" in response.content
    form.refresh_from_db()
    assert form.status == "draft"


def test_bad_words_are_not_saved_and_are_shown_again(house: House, operator: Client) -> None:
    form = live_form(house)
    address = page(house, f"{form.pk}/content/")
    response = operator.post(address, {"do": "save", "name": "Solar", "headline": "x" * 101})
    assert response.status_code == 400
    assert b"At most 100 characters." in response.content
    assert not form.versions.filter(status="draft").exists()
    script = {"X-Requested-With": "fetch"}
    response = operator.post(address, {"do": "save", "name": "Solar", "headline": "x" * 101}, headers=script)
    assert response.json() == {"errors": {"headline": "At most 100 characters."}}
    response = operator.post(address, {"do": "save", "name": "Solar", "headline": ""}, headers=script)
    assert response.json()["faults"] == ["content"]


def test_a_draft_says_when_it_was_saved_in_the_zone_of_its_account(house: House, operator: Client) -> None:
    form = live_form(house)
    AdAccount.objects.update(time_zone="Asia/Kolkata")
    fields, script = {"do": "save", "name": "Solar", "headline": "When?"}, {"X-Requested-With": "fetch"}
    saved = operator.post(page(house, f"{form.pk}/content/"), fields, headers=script).json()["saved"]
    at = timezone.localtime(form.versions.get(status="draft").saved_at, ZoneInfo("Asia/Kolkata"))
    assert saved == f"Draft saved {at:%H:%M:%S}"


def test_preview_shows_the_draft_with_a_ribbon_and_may_be_framed_by_us_only(house: House, operator: Client) -> None:
    form = live_form(house)
    fields = {"do": "save", "name": "Solar", "headline": "A new headline"}
    operator.post(page(house, f"{form.pk}/content/"), fields)
    response = operator.get(page(house, f"{form.pk}/preview/"))
    text = response.content.decode()
    assert "A new headline" in text
    assert "answers aren&#x27;t saved" in text or "answers aren't saved" in text
    assert "<script" not in text
    assert response["X-Frame-Options"] == "SAMEORIGIN"
    assert "frame-ancestors 'self'" in response["Content-Security-Policy"]
    operator.post(page(house, f"{form.pk}/privacy/"), {"do": "save", "privacy_policy_url": "javascript:alert(1)"})
    assert "javascript:" not in operator.get(page(house, f"{form.pk}/preview/")).content.decode()
    assert "A new headline" not in operator.get(f"/f/{form.public_id}/").content.decode()
    editor = operator.get(page(house, f"{form.pk}/content/"))
    assert "frame-src 'self'" in editor["Content-Security-Policy"]
    assert "unsafe" not in editor["Content-Security-Policy"]


SEEN = ["", "{form}/review/", "{form}/preview/"]
CHANGED = ["new/", "{form}/content/", "{form}/questions/", "{form}/privacy/", "{form}/ending/"]
VERBS = ["{form}/publish/", "{form}/archive/", "{form}/restore/", "{form}/duplicate/", "{form}/delete/"]


@pytest.mark.parametrize(
    ("who", "seen", "changed"), [("admin", 200, 200), ("analyst", 200, 403), ("stranger", 404, 404)]
)
def test_pages_by_role(house: House, client: Client, who: str, seen: int, changed: int) -> None:
    form = live_form(house)
    client.force_login(getattr(house, who))
    for path in SEEN:
        assert client.get(page(house, path.format(form=form.pk))).status_code == seen, path
    for path in CHANGED:
        response = client.get(page(house, path.format(form=form.pk)))
        assert response.status_code == changed, path
        if changed == 403:
            assert b"Administrators and Operators of Larkspur Solar" in response.content
            assert b"Adele" in response.content
    if changed == 200:
        return
    before = (Form.objects.values().get(pk=form.pk), FormVersion.objects.count(), Form.objects.count())
    for path in [*CHANGED, *VERBS]:
        assert client.post(page(house, path.format(form=form.pk)), {"name": "Mine"}).status_code == changed, path
    assert (Form.objects.values().get(pk=form.pk), FormVersion.objects.count(), Form.objects.count()) == before


def test_anonymous_is_sent_to_sign_in(house: House, client: Client) -> None:
    response = client.get(page(house, ""))
    assert response.status_code == 302
    assert response["Location"].startswith("/login/")


def test_form_of_another_account_is_not_found_there(house: House, operator: Client) -> None:
    foreign = Form.objects.create(ad_account=house.elsewhere, name="Foreign")
    assert operator.get(page(house, f"{foreign.pk}/review/")).status_code == 404


@pytest.mark.parametrize("number", [1, 3])
def test_list_costs_the_same_for_many(
    house: House, operator: Client, django_assert_num_queries: Any, number: int
) -> None:
    for count in range(number):
        record(kind=MeasureKind.OPEN, form_id=live_form(house, f"Form {count}").pk)
    operator.get(page(house, ""))  # remembers the account in the session
    with django_assert_num_queries(10):
        response = operator.get(page(house, ""))
    assert response.content.count(b"version 1") == number


def test_custodian_approves_on_the_review_page(house: House, client: Client) -> None:
    form, clara = live_form(house), person("Clara")
    center = business_centers.create_business_center(
        name="Client", admin=clara, two_factor=BusinessCenter.TwoFactor.NOBODY
    )
    transfer = transfers.request_transfer(actor=house.admin, library=house.library, business_center=center)
    transfers.accept_transfer(actor=clara, transfer=transfer)
    elsewhere = CONTENT | {"privacy_policy_url": "https://elsewhere.example/privacy"}
    services.save_draft(actor=house.operator, form=form, content=elsewhere)
    services.publish(actor=house.operator, form=form)
    approve = page(house, f"{form.pk}/versions/2/approve/")
    client.force_login(house.admin)
    assert approve not in client.get(page(house, f"{form.pk}/review/")).content.decode()
    assert client.post(approve).status_code == 403
    assert Form.objects.get().published.number == 1  # type: ignore[union-attr]
    client.force_login(clara)
    assert approve in client.get(page(house, f"{form.pk}/review/")).content.decode()
    client.post(approve)
    assert Form.objects.get().published.number == 2  # type: ignore[union-attr]
    assert b"does not wait" in client.post(approve, follow=True).content
