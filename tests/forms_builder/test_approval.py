"""After a transfer: a version that changes where data goes is shown to nobody before the custodian has approved it."""

import threading
from collections.abc import Callable
from typing import Any

import pytest
from django.core import mail
from django.db import connections, transaction
from django.test import Client

from accounts.access import Can, Refused
from accounts.models import Act, AuditEvent, BusinessCenter, Scope, Transfer
from accounts.refusals import Conflict
from accounts.services import business_centers, transfers
from forms_builder import services
from forms_builder.models import Form, FormVersion
from tests.house import CONTENT, House, build, live_form, person

ELSEWHERE = CONTENT | {"privacy_policy_url": "https://elsewhere.example/privacy"}


class Both:
    """The house whose leads Clara's Business Center holds, and a live form of it."""

    def __init__(self, *, accepted: bool = True) -> None:
        self.house: House = build()
        self.form = live_form(self.house)
        self.clara = person("Clara")
        center = business_centers.create_business_center(
            name="Client", admin=self.clara, two_factor=BusinessCenter.TwoFactor.NOBODY
        )
        self.transfer: Transfer = transfers.request_transfer(
            actor=self.house.admin, library=self.house.library, business_center=center
        )
        if accepted:
            self.accept()
        mail.outbox.clear()

    def accept(self) -> None:
        transfers.accept_transfer(actor=self.clara, transfer=self.transfer)

    def change(self, content: Any = ELSEWHERE) -> FormVersion:
        """The agency's Operator edits and publishes."""
        services.save_draft(actor=self.house.operator, form=self.form, content=content)
        return services.publish(actor=self.house.operator, form=self.form)

    def now(self) -> Form:
        return Form.objects.select_related("ad_account", "published").get(pk=self.form.pk)


@pytest.fixture
def both(transactional_db: None) -> Both:
    return Both()


def told(act: Act) -> dict[tuple[str, int], Any]:
    rows = AuditEvent.objects.filter(act=act, detail__has_key="version")
    return {(row.scope, row.scope_id): (row.detail["version"], row.actor) for row in rows}


def scopes(both: Both) -> set[tuple[str, int]]:
    return {(Scope.LIBRARY, both.house.library.pk), (Scope.AD_ACCOUNT, both.house.account.pk)}


def read_and_empty() -> dict[str, str]:
    found = {message.to[0]: f"{message.subject}\n{message.body}" for message in mail.outbox}
    assert len(found) == len(mail.outbox)
    mail.outbox.clear()
    return found


@pytest.mark.parametrize(
    ("part", "value"),
    [
        ("privacy_policy_url", "https://elsewhere.example/privacy"),
        ("disclaimer", {"consents": [{"key": "contact", "label": "Anybody may call me.", "required": True}]}),
        ("ending", {"headline": "Bye", "link_url": "https://elsewhere.example/", "link_text": "On"}),
    ],
)
def test_each_part_that_moves_data_waits_and_the_custodian_is_told(both: Both, part: str, value: Any) -> None:
    waiting = both.change(CONTENT | {part: value})
    assert (waiting.number, waiting.status) == (2, "awaiting_approval")
    assert both.now().published.number == 1  # type: ignore[union-attr]
    letters = read_and_empty()
    assert set(letters) == {both.clara.email}
    assert "version 2 waits for your approval" in letters[both.clara.email]
    assert f"/a/{both.house.account.pk}/forms/{both.form.pk}/review/" in letters[both.clara.email]
    assert told(Act.FORM_SAVED) == dict.fromkeys(scopes(both), (2, both.house.operator))


@pytest.mark.parametrize(
    ("answer", "act", "word"),
    [(services.approve, Act.FORM_APPROVED, "approved"), (services.reject, Act.FORM_REJECTED, "rejected")],
)
def test_answer_stands_in_both_trails_and_is_mailed_to_the_agency(
    both: Both, answer: Callable[..., FormVersion], act: Act, word: str
) -> None:
    both.change()
    mail.outbox.clear()
    answer(actor=both.clara, form=both.form, number=2)
    assert told(act) == dict.fromkeys(scopes(both), (2, both.clara))
    letters = read_and_empty()
    assert set(letters) == {both.house.admin.email, both.house.operator.email}
    assert all(f"version 2 was {word}" in text for text in letters.values())
    assert both.now().published.number == (2 if word == "approved" else 1)  # type: ignore[union-attr]


def test_what_was_edited_while_it_waited_is_not_approved_unseen(both: Both) -> None:
    both.change()
    worse = both.change(CONTENT | {"privacy_policy_url": "https://worse.example/"})
    assert (worse.number, worse.status) == (3, "awaiting_approval")
    with pytest.raises(Conflict) as conflict:
        services.approve(actor=both.clara, form=both.form, number=2)
    assert conflict.value.code == "not_waiting"
    assert both.now().published.number == 1  # type: ignore[union-attr]


def test_what_was_rejected_is_asked_under_a_new_number(both: Both) -> None:
    both.change()
    services.reject(actor=both.clara, form=both.form, number=2)
    again = services.publish(actor=both.house.operator, form=both.form)
    assert (again.number, again.status) == (3, "awaiting_approval")
    with pytest.raises(Conflict):
        services.approve(actor=both.clara, form=both.form, number=2)


@pytest.mark.parametrize("who", ["admin", "operator", "analyst", "stranger"])
def test_agency_cannot_approve_its_own_change(both: Both, who: str) -> None:
    both.change()
    for answer in (services.approve, services.reject):
        with pytest.raises(Refused) as refused:
            answer(actor=getattr(both.house, who), form=both.form, number=2)
        assert refused.value.can == Can.MANAGE_PRIVACY
        assert refused.value.stranger == (who == "stranger")
    assert both.now().versions.get(number=2).status == "awaiting_approval"


def test_custodian_whose_time_is_over_cannot_approve(both: Both) -> None:
    both.change()
    owner = both.house.business_center
    back = transfers.request_transfer(actor=both.clara, library=both.house.library, business_center=owner)
    transfers.accept_transfer(actor=both.house.admin, transfer=back)
    with pytest.raises(Refused):
        services.approve(actor=both.clara, form=both.form, number=2)
    assert both.now().published.number == 1  # type: ignore[union-attr]


def test_review_page_shows_before_and_after_to_both_sides(both: Both) -> None:
    both.change(ELSEWHERE | {"disclaimer": {"title": "New", "consents": []}})
    address = f"/a/{both.house.account.pk}/forms/{both.form.pk}/review/"
    for who, answers in ((both.clara, True), (both.house.operator, False)):
        client = Client()
        client.force_login(who)
        text = client.get(address).content.decode()
        assert "https://larkspur.example/privacy</td>" in text
        assert "https://elsewhere.example/privacy</td>" in text
        assert "You may call me. (must be ticked; contact)" in text
        assert "Link of the ending page" not in text  # it does not change
        assert ("Approve version 2" in text) is answers


# ---- beside an acceptance --------------------------------------------------------------------------------------------


def test_publishing_beside_an_acceptance_waits_for_it_and_sees_it(transactional_db: None) -> None:
    both = Both(accepted=False)
    services.save_draft(actor=both.house.operator, form=both.form, content=ELSEWHERE)
    ended: list[str] = []

    def publish() -> None:
        try:
            ended.append(services.publish(actor=both.house.operator, form=both.form).status)
        finally:
            connections.close_all()

    thread = threading.Thread(target=publish)
    with transaction.atomic():
        both.accept()
        thread.start()
        thread.join(0.5)
        assert thread.is_alive()  # stands before the library's row
        assert ended == []
    thread.join(30)
    assert not thread.is_alive()
    assert ended == ["awaiting_approval"]
    assert both.now().published.number == 1  # type: ignore[union-attr]


def test_acceptance_beside_publishing_waits_for_it(transactional_db: None) -> None:
    both = Both(accepted=False)
    services.save_draft(actor=both.house.operator, form=both.form, content=ELSEWHERE)
    ended: list[str] = []

    def accept() -> None:
        try:
            both.accept()
            ended.append("accepted")
        finally:
            connections.close_all()

    thread = threading.Thread(target=accept)
    with transaction.atomic():
        assert services.publish(actor=both.house.operator, form=both.form).status == "published"
        thread.start()
        thread.join(0.5)
        assert thread.is_alive()
    thread.join(30)
    assert ended == ["accepted"]
    assert both.now().published.number == 2  # type: ignore[union-attr]  # the custodian took over this one
