from collections.abc import Callable
from typing import Any

import pytest
from django.db import DatabaseError, transaction

from accounts.access import Refused
from accounts.models import Act, AuditEvent, BusinessCenter, BusinessCenterRole, LeadLibrary
from accounts.refusals import Conflict, Invalid
from accounts.services import business_centers, transfers
from forms_builder import services
from forms_builder.measures import record
from forms_builder.models import Form, FormVersion, MeasureKind
from forms_builder.selectors import published_form, shown_version
from tests.house import CONTENT, House, build, live_form, person

VERBS: list[Callable[..., Any]] = [
    services.publish,
    services.archive,
    services.restore,
    services.duplicate,
    services.delete_form,
    services.save_draft,
]


def acts(house: House) -> list[str]:
    events = AuditEvent.objects.filter(scope="ad_account", scope_id=house.account.pk, act__startswith="form")
    return list(events.order_by("id").values_list("act", flat=True))


def test_published_form_is_served_and_recorded(house: House) -> None:
    form = live_form(house)
    served = published_form(form.public_id)
    assert served is not None
    assert (served.number, served.status, served.advertiser) == (1, "live", "Larkspur Solar")
    assert served.library_id == house.library.pk
    assert [question.key for question in served.content.questions] == ["first_name", "email", "phone_number", "when"]
    assert acts(house) == [Act.FORM_SAVED, Act.FORM_PUBLISHED]


def test_served_form_costs_one_query(house: House, django_assert_num_queries: Any) -> None:
    form = live_form(house)
    with django_assert_num_queries(1):
        published_form(form.public_id)
    with django_assert_num_queries(1):
        shown_version(form.public_id, 1)


@pytest.mark.parametrize("verb", VERBS)
def test_analyst_is_refused_with_reason_and_nothing_changes(house: House, verb: Callable[..., Any]) -> None:
    form = live_form(house)
    before = (Form.objects.values().get(pk=form.pk), FormVersion.objects.count(), AuditEvent.objects.count())
    with pytest.raises(Refused) as refused:
        verb(actor=house.analyst, form=form)
    assert refused.value.can == "edit_forms"
    assert "Administrators and Operators of Larkspur Solar" in refused.value.reason
    assert refused.value.who_can_help == ("Adele",)
    assert not refused.value.stranger
    assert (Form.objects.values().get(pk=form.pk), FormVersion.objects.count(), AuditEvent.objects.count()) == before


@pytest.mark.parametrize("verb", VERBS)
def test_stranger_learns_nothing(house: House, verb: Callable[..., Any]) -> None:
    form = live_form(house)
    with pytest.raises(Refused) as refused:
        verb(actor=house.stranger, form=form)
    assert refused.value.stranger
    assert refused.value.who_can_help == ()


def test_analyst_cannot_make_a_form(house: House) -> None:
    with pytest.raises(Refused):
        services.create_form(actor=house.analyst, ad_account=house.account, name="Mine")
    assert not Form.objects.exists()


@pytest.mark.parametrize(
    "url", ["", "http://larkspur.example/privacy", "https://", "javascript:alert(1)", "https://user@larkspur.example/"]
)
def test_publish_needs_an_https_privacy_link(house: House, url: str) -> None:
    content = CONTENT | {"privacy_policy_url": url}
    form = services.create_form(actor=house.operator, ad_account=house.account, name="Solar", content=content)
    with pytest.raises(Invalid) as invalid:
        services.publish(actor=house.operator, form=form)
    assert list(invalid.value.errors) == ["privacy_policy_url"]
    assert published_form(form.public_id) is None


def test_publish_needs_accepted_terms(db: None) -> None:
    house = build(terms=False)
    form = services.create_form(actor=house.operator, ad_account=house.account, name="Solar", content=CONTENT)
    with pytest.raises(Conflict) as conflict:
        services.publish(actor=house.operator, form=form)
    assert conflict.value.code == "terms_not_accepted"
    assert "An Admin of Larkspur" in conflict.value.detail
    business_centers.accept_terms(actor=house.admin, business_center=house.business_center)
    assert services.publish(actor=house.operator, form=form).status == "published"


def test_new_version_supersedes_and_the_old_one_still_answers(house: House) -> None:
    form = live_form(house)
    services.save_draft(actor=house.operator, form=form, content=CONTENT | {"headline": "Solar, new"})
    served = published_form(form.public_id)
    assert served is not None
    assert served.content.headline == "Home solar quote"  # a draft changes nothing that people see
    services.publish(actor=house.operator, form=form)
    served, before = published_form(form.public_id), shown_version(form.public_id, 1)
    assert served is not None
    assert before is not None
    assert (served.number, served.content.headline) == (2, "Solar, new")
    assert (before.number, before.content.headline, before.takes_answers()) == (1, "Home solar quote", True)
    with pytest.raises(Conflict):
        services.publish(actor=house.operator, form=form)  # nothing changed since


def test_version_never_published_or_of_another_form_is_not_shown(house: House) -> None:
    form, other = live_form(house), live_form(house, "Other")
    services.save_draft(actor=house.operator, form=form, content=CONTENT | {"headline": "Draft"})
    assert shown_version(form.public_id, 2) is None
    assert shown_version(other.public_id, 2) is None
    assert shown_version(form.public_id, 10**30) is None


def test_published_version_cannot_be_changed_in_the_database(house: House) -> None:
    version = live_form(house).published
    assert version is not None
    changes: list[dict[str, Any]] = [
        {"content": {}},
        {"number": 9},
        {"language": "de"},
        {"status": "draft", "published_at": None},
        {"published_at": "2020-01-01T00:00:00Z"},
    ]
    for change in changes:
        with pytest.raises(DatabaseError, match="append-only"), transaction.atomic():
            FormVersion.objects.filter(pk=version.pk).update(**change)
    assert FormVersion.objects.filter(pk=version.pk).update(status="superseded") == 1
    with pytest.raises(DatabaseError, match="append-only"), transaction.atomic():
        FormVersion.objects.filter(pk=version.pk).update(status="published")


def test_key_keeps_its_kind(house: House) -> None:
    form = live_form(house)
    questions = [{"kind": "short_answer", "key": "when", "label": "When exactly?"}]
    with pytest.raises(Invalid) as invalid:
        services.save_draft(actor=house.operator, form=form, content=CONTENT | {"questions": questions})
    assert list(invalid.value.errors) == ["questions.0.key"]


def test_archived_form_takes_late_answers_and_comes_back(house: House) -> None:
    form = services.archive(actor=house.operator, form=live_form(house))
    served = published_form(form.public_id)
    assert served is not None
    assert served.archived_at is not None
    assert not served.is_live
    assert served.takes_answers()
    from_then = served.archived_at
    assert served.takes_answers(from_then.replace(year=from_then.year + 1)) is False
    with pytest.raises(Conflict):
        services.save_draft(actor=house.operator, form=form, content=CONTENT)
    assert services.restore(actor=house.operator, form=form).status == "live"


def test_delete_archives_what_has_a_history(house: House) -> None:
    seen, unseen = live_form(house), services.create_form(actor=house.operator, ad_account=house.account, name="New")
    counted = services.create_form(actor=house.operator, ad_account=house.account, name="Counted")
    record(kind=MeasureKind.OPEN, form_id=counted.pk)
    assert services.delete_form(actor=house.operator, form=seen) is False
    assert services.delete_form(actor=house.operator, form=counted) is False
    assert services.delete_form(actor=house.operator, form=unseen) is True
    assert dict(Form.objects.values_list("name", "status")) == {"Solar": "archived", "Counted": "archived"}


def test_duplicate_is_a_draft_of_its_own(house: House) -> None:
    form = live_form(house)
    copy = services.duplicate(actor=house.operator, form=form)
    assert (copy.name, copy.status, copy.public_id == form.public_id) == ("Copy of Solar", "draft", False)
    assert copy.versions.get().content == form.published.content  # type: ignore[union-attr]


@pytest.fixture
def transferred(house: House) -> tuple[House, Form, Any]:
    """The form's leads belong to another Business Center now; returns its Admin too."""
    form, client = live_form(house), person("Clara")
    center = business_centers.create_business_center(
        name="Client", admin=client, two_factor=BusinessCenter.TwoFactor.NOBODY
    )
    transfer = transfers.request_transfer(actor=house.admin, library=house.library, business_center=center)
    transfers.accept_transfer(actor=client, transfer=transfer)
    return house, form, client


def test_change_of_destination_waits_for_the_custodian(transferred: tuple[House, Form, Any]) -> None:
    house, form, client = transferred
    elsewhere = CONTENT | {"privacy_policy_url": "https://elsewhere.example/privacy"}
    services.save_draft(actor=house.operator, form=form, content=elsewhere)
    waiting = services.publish(actor=house.operator, form=form)
    assert (waiting.number, waiting.status) == (2, "awaiting_approval")
    assert published_form(form.public_id).number == 1  # type: ignore[union-attr]
    with pytest.raises(Refused) as refused:
        services.approve(actor=house.admin, form=Form.objects.get(pk=form.pk), number=2)
    assert refused.value.who_can_help == ("Client",)
    services.approve(actor=client, form=Form.objects.get(pk=form.pk), number=2)
    assert published_form(form.public_id).number == 2  # type: ignore[union-attr]


def test_custodian_can_reject_and_wording_needs_no_approval(transferred: tuple[House, Form, Any]) -> None:
    house, form, client = transferred
    services.save_draft(actor=house.operator, form=form, content=CONTENT | {"headline": "Only words"})
    assert services.publish(actor=house.operator, form=form).status == "published"
    ending = {"headline": "Bye", "link_url": "https://elsewhere.example/", "link_text": "On"}
    services.save_draft(actor=house.operator, form=form, content=CONTENT | {"ending": ending})
    services.publish(actor=house.operator, form=form)
    assert services.reject(actor=client, form=Form.objects.get(pk=form.pk), number=3).status == "draft"
    with pytest.raises(Conflict):
        services.approve(actor=client, form=Form.objects.get(pk=form.pk), number=3)


def test_house_is_as_it_says(house: House) -> None:
    assert LeadLibrary.objects.get(ad_account=house.account).custodian == house.business_center
    assert house.business_center.members.get().role == BusinessCenterRole.ADMIN


def test_many_saves_of_one_draft_are_told_once(house: House) -> None:
    form = live_form(house)
    for number in range(3):
        services.save_draft(actor=house.operator, form=form, content=CONTENT | {"headline": f"Draft {number}"})
    services.save_draft(actor=house.admin, form=form, content=CONTENT | {"headline": "By somebody else"})
    assert acts(house) == [Act.FORM_SAVED, Act.FORM_PUBLISHED, Act.FORM_SAVED, Act.FORM_SAVED]
