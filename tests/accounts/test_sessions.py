"""Open sessions: listed, this one marked, ended from afar; a password change ends the others."""

import pytest
from allauth.mfa.models import Authenticator
from allauth.usersessions.models import UserSession
from django.core import mail
from django.test import Client

from accounts.models import User
from accounts.services.people import create_person
from accounts.services.sessions import browser_of
from tests.accounts.signing import PASSWORD, REALLY, acts, age, set_up_app, sign_in
from tests.counting import statements

pytestmark = REALLY
SECURITY = "/settings/security/"
PHONE = "Mozilla/5.0 (iPhone; CPU iPhone OS 18_0 like Mac OS X) AppleWebKit/605.1.15 Version/18.0 Safari/604.1"


@pytest.fixture
def una(db: None) -> User:
    return create_person(email="una@house.test", name="Una", password=PASSWORD)


@pytest.fixture
def ida(db: None) -> User:
    return create_person(email="ida@house.test", name="Ida", password=PASSWORD)


def is_in(client: Client) -> bool:
    return client.get(SECURITY).status_code == 200


def test_browser_is_named_from_what_it_says() -> None:
    assert browser_of(PHONE) == "Safari, iPhone"
    assert browser_of("curl/8") == browser_of("") == ""


def test_sessions_are_listed_with_this_one_first(una: User, ida: User) -> None:
    here, _phone, _other = sign_in(una), sign_in(una, agent=PHONE), sign_in(ida)
    page = here.get(SECURITY)
    rows = page.context["sessions"]
    assert [(row.browser, row.here, row.address) for row in rows] == [
        ("Firefox, Linux", True, "127.0.0.1"),
        ("Safari, iPhone", False, "127.0.0.1"),
    ]
    text = page.content.decode()
    assert text.count("This one") == 1
    for key in UserSession.objects.values_list("session_key", flat=True):
        assert key not in text


def test_one_session_is_ended_from_afar(una: User) -> None:
    here, phone, third = sign_in(una), sign_in(una, agent=PHONE), sign_in(una)
    (row,) = (row for row in here.get(SECURITY).context["sessions"] if row.browser == "Safari, iPhone")
    assert here.post(f"{SECURITY}sessions/{row.id}/end/").status_code == 302
    assert (is_in(here), is_in(phone), is_in(third)) == (True, False, True)
    assert acts(una)[-1] == "signed_out_elsewhere"


def test_all_others_are_ended(una: User, ida: User) -> None:
    here, phone, third, other = sign_in(una), sign_in(una, agent=PHONE), sign_in(una), sign_in(ida)
    assert here.post(f"{SECURITY}sessions/end/").status_code == 302
    assert (is_in(here), is_in(phone), is_in(third), is_in(other)) == (True, False, False, True)
    assert acts(una).count("signed_out_elsewhere") == 1
    here.post(f"{SECURITY}sessions/end/")
    assert acts(una).count("signed_out_elsewhere") == 1


def test_nobody_ends_somebody_elses(una: User, ida: User) -> None:
    here, other = sign_in(una), sign_in(ida)
    row = UserSession.objects.get(user=ida)
    assert here.post(f"{SECURITY}sessions/{row.pk}/end/").status_code == 404
    assert is_in(other)
    assert here.get(f"{SECURITY}sessions/end/").status_code == 405


def test_new_password_ends_the_others(una: User) -> None:
    here, phone = sign_in(una), sign_in(una, agent=PHONE)
    fields = {"oldpassword": PASSWORD, "password1": "another-password-x", "password2": "another-password-x"}
    assert here.post("/password/change/", fields).status_code == 302
    una.refresh_from_db()
    assert una.check_password("another-password-x")
    assert not is_in(phone)
    assert "password_changed" in acts(una)


def test_page_shows_what_there_is(una: User) -> None:
    client = sign_in(una)
    assert "Set up the app" in client.get(SECURITY).content.decode()
    set_up_app(client)
    page = client.get(SECURITY)
    text = page.content.decode()
    assert page.context["factors"].codes_left == 10
    assert ("Set up the app" in text, "Turn off" in text, "10 left" in text) == (False, True, True)
    answer = client.post(SECURITY + "recovery-codes/generate/")
    assert answer.status_code == 302
    assert acts(una).count("recovery_codes_made") == 2


def test_changes_are_told_by_mail(una: User) -> None:
    client = sign_in(una)
    set_up_app(client)
    client.post(SECURITY + "recovery-codes/generate/")
    client.post(SECURITY + "totp/deactivate/")
    assert [message.to for message in mail.outbox] == [["una@house.test"]] * 3
    for message in mail.outbox:
        assert "From: 127.0.0.1" in str(message.body)
        assert "If this was not you" in str(message.body)


def test_codes_are_shown_to_a_fresh_session_alone(una: User) -> None:
    client = sign_in(una)
    set_up_app(client)
    code = client.get(SECURITY + "recovery-codes/").context["unused_codes"][0]
    age(client)
    for path in ("recovery-codes/", "recovery-codes/download/", "totp/deactivate/", "webauthn/add/"):
        answer = client.get(SECURITY + path)
        assert answer["Location"].startswith("/reauthenticate/?next=%2Fsettings%2Fsecurity%2F"), path
        assert code not in answer.content.decode()
    client.post(SECURITY + "totp/deactivate/")
    assert Authenticator.objects.filter(user=una, type="totp").exists()


def test_passkeys_are_listed_on_the_one_page(una: User) -> None:
    assert sign_in(una).get(SECURITY + "webauthn/")["Location"] == SECURITY


def test_somebody_elses_passkey_is_not_there(una: User, ida: User) -> None:
    row = Authenticator.objects.create(user=ida, type="webauthn", data={"name": "hers", "credential": {}})
    client = sign_in(una)
    for verb in ("remove", "edit"):
        path = f"{SECURITY}webauthn/keys/{row.pk}/{verb}/"
        assert (client.get(path).status_code, client.post(path, {"name": "mine"}).status_code) == (404, 404)
    row.refresh_from_db()
    assert row.data["name"] == "hers"


@pytest.mark.parametrize("sessions", [1, 3])
def test_page_costs_the_same_with_more_sessions(una: User, sessions: int) -> None:
    clients = [sign_in(una) for _ in range(sessions)]
    clients[0].get(SECURITY)
    with statements() as found:
        assert len(clients[0].get(SECURITY).context["sessions"]) == sessions
    assert len(found) == 6
