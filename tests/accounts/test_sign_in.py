"""Signing in: password, code, recovery code; tries are counted, addresses are not told, addresses change by proof."""

import re
from datetime import timedelta
from typing import Any

import pytest
from allauth.account.models import EmailAddress
from allauth.core.context import request_context
from allauth.mfa.models import Authenticator
from django.contrib.auth.models import AnonymousUser
from django.contrib.sessions.backends.db import SessionStore
from django.core import mail
from django.db import connection
from django.test import Client, RequestFactory
from django.utils import timezone
from time_machine import travel

from accounts.freshness import is_fresh
from accounts.models import User
from accounts.services.people import create_person
from accounts.services.sessions import sessions_of
from accounts.sign_in import FactorAdapter, same_spelling, sign_in_newcomer
from tests.accounts.signing import PASSWORD, REALLY, acts, age, code_of, set_up_app, sign_in

pytestmark = REALLY
WRONG = "not-the-password"
LOGIN, RESET, CODE = "/login/", "/password/reset/", "/settings/security/authenticate/"


@pytest.fixture
def una(db: None) -> User:
    return create_person(email="una@house.test", name="Una", password=PASSWORD)


def who(client: Client) -> str | None:
    return client.session.get("_auth_user_id")


def visible(answer: Any) -> str:
    """The page without what differs in every answer."""
    return re.sub(r'csrf\w*"? ?(value="|&quot;: &quot;|": ")\w+', "", answer.content.decode(), flags=re.IGNORECASE)


def try_password(email: str, password: str = WRONG, client: Client | None = None) -> Any:
    return (client or Client()).post(LOGIN, {"login": email, "password": password})


# ---- password --------------------------------------------------------------------------------------------------------


def test_password_signs_in_and_the_trail_says_so(una: User) -> None:
    client = sign_in(una)
    assert who(client) == str(una.pk)
    assert acts(una) == ["signed_in"]


def test_person_made_without_an_address_row_gets_one_at_sign_in(db: None) -> None:
    user = User.objects.create_superuser("root@house.test", PASSWORD)
    assert not EmailAddress.objects.exists()
    assert who(sign_in(user)) == str(user.pk)
    assert list(EmailAddress.objects.values_list("email", "verified", "primary")) == [("root@house.test", True, True)]


def test_unknown_address_wrong_password_and_switched_off_answer_alike(una: User) -> None:
    create_person(email="off@house.test", password=PASSWORD)
    User.objects.filter(email="off@house.test").update(is_active=False)
    texts = {
        re.sub(r"\w+@house\.test", "…", visible(try_password(email)))
        for email in ("una@house.test", "nobody@house.test", "off@house.test")
    }
    assert len(texts) == 1
    assert mail.outbox == []


def test_a_password_is_hashed_for_an_unknown_address_too(una: User, monkeypatch: pytest.MonkeyPatch) -> None:
    hashed: list[str] = []
    for name in ("check_password", "set_password"):
        monkeypatch.setattr(User, name, lambda self, raw: hashed.append(raw))
    try_password("una@house.test")
    try_password("nobody@house.test")
    assert len(hashed) == 2


def test_registering_is_closed_to_a_post_too(db: None) -> None:
    answer = Client().post("/signup/", {"email": "new@house.test", "password1": "a-long-password-x"})
    assert "by invitation" in answer.content.decode()
    assert User.objects.count() == EmailAddress.objects.count() == 0


@pytest.mark.parametrize(
    "target",
    ["javascript:alert(1)", "//evil.example/", "/\\evil.example/", "https://evil.example/", "\\\\evil.example"],
)
def test_next_leads_to_no_other_host(una: User, target: str) -> None:
    answer = Client().post(LOGIN, {"login": una.email, "password": PASSWORD, "next": target})
    assert (answer.status_code, answer["Location"]) == (302, "/")
    client = sign_in(una)
    answer = client.post("/reauthenticate/", {"password": PASSWORD, "next": target})
    assert (answer.status_code, answer["Location"]) == (302, "/")


def test_next_leads_on_within_the_house(una: User) -> None:
    answer = Client().post(LOGIN, {"login": una.email, "password": PASSWORD, "next": "/settings/tokens/"})
    assert answer["Location"] == "/settings/tokens/"


# ---- tries are counted -----------------------------------------------------------------------------------------------


@pytest.mark.parametrize("spelling", ["UNA@HOUSE.TEST", " una@house.test ", "Una@House.Test"])
def test_spellings_share_one_bucket(una: User, spelling: str) -> None:
    for number in range(5):
        try_password("una@house.test" if number % 2 else spelling)
    answer = try_password(una.email, PASSWORD)
    assert "Too many failed" in answer.content.decode()
    with travel(timezone.now() + timedelta(minutes=6), tick=True):
        assert try_password(una.email, PASSWORD).status_code == 302


@pytest.mark.parametrize("spelling", ["úna@house.test", "ｕna@house.test"])
def test_address_that_is_none_tries_no_password(una: User, spelling: str, monkeypatch: pytest.MonkeyPatch) -> None:
    tried: list[str] = []
    for name in ("check_password", "set_password"):
        monkeypatch.setattr(User, name, lambda self, raw: tried.append(raw))
    assert try_password(spelling, PASSWORD).status_code == 200
    assert tried == []


def test_spelling_is_one_for_what_looks_the_same() -> None:
    assert len({same_spelling(text) for text in ("Una@x.test", "ÚNA@X.TEST", "u\u0301na@x.test", "ｕｎａ@x.test")}) == 1
    assert same_spelling("una@x.test") != same_spelling("uma@x.test")


def test_one_address_of_the_network_tries_ten_times_a_minute(una: User) -> None:
    for number in range(10):
        try_password(f"somebody{number}@house.test")
    assert "Too many failed" in try_password(una.email, PASSWORD).content.decode()
    elsewhere = Client(REMOTE_ADDR="198.51.100.7")
    assert try_password(una.email, PASSWORD, elsewhere).status_code == 302


def test_a_forged_header_opens_no_second_bucket(una: User) -> None:
    for number in range(10):
        try_password(f"somebody{number}@house.test", client=Client(headers={"X-Forwarded-For": f"198.51.100.{number}"}))
    assert "Too many failed" in try_password(una.email, PASSWORD).content.decode()


def test_too_many_posts_get_the_429_page(db: None) -> None:
    answers = [Client().post(RESET, {"email": "nobody@house.test"}) for _ in range(21)]
    assert [answer.status_code for answer in answers[:3]] == [302] * 3
    assert answers[-1].status_code == 429
    assert "Too many tries" in answers[-1].content.decode()


# ---- reset -----------------------------------------------------------------------------------------------------------


def test_reset_answers_alike_and_sends_one_mail_each(una: User) -> None:
    answers = [Client().post(RESET, {"email": email}) for email in (una.email, "nobody@house.test")]
    assert [(answer.status_code, answer["Location"]) for answer in answers] == [(302, "/password/reset/done/")] * 2
    assert [message.to for message in mail.outbox] == [["una@house.test"], ["nobody@house.test"]]
    assert len({message.subject for message in mail.outbox}) == 1


def test_reset_works_once_and_ends_every_session(una: User) -> None:
    elsewhere = sign_in(una)
    client = Client()
    client.post(RESET, {"email": una.email})
    found = re.search(r"/password/reset/key/\S+", str(mail.outbox[0].body))
    assert found
    page = client.get(found.group(), follow=True)
    where = page.redirect_chain[-1][0]
    fields = {"password1": "another-password-of-una", "password2": "another-password-of-una"}
    assert client.post(where, fields).status_code == 302
    una.refresh_from_db()
    assert una.check_password("another-password-of-una")
    assert "password_changed" in acts(una)
    assert who(client) is None
    assert elsewhere.get("/settings/security/").status_code == 302
    again = Client().get(found.group(), follow=True)
    assert "used before" in again.content.decode()


# ---- codes -----------------------------------------------------------------------------------------------------------


def at_the_code(user: User) -> Client:
    client = Client()
    answer = client.post(LOGIN, {"login": user.email, "password": PASSWORD})
    assert (answer.status_code, answer["Location"]) == (302, CODE)
    assert who(client) is None
    return client


def test_code_is_asked_for_and_works_once(una: User) -> None:
    secret = set_up_app(sign_in(una))
    code = code_of(secret)
    used = at_the_code(una).post(CODE, {"code": code})  # turning the app on used it up
    assert (used.status_code, "Incorrect code" in used.content.decode()) == (200, True)
    with travel(timezone.now() + timedelta(seconds=31), tick=True):
        code = code_of(secret)
        client = at_the_code(una)
        assert client.post(CODE, {"code": code}).status_code == 302
        assert who(client) == str(una.pk)
        second = at_the_code(una)
        assert "Incorrect code" in second.post(CODE, {"code": code}).content.decode()
        assert who(second) is None


def test_recovery_code_works_once(una: User) -> None:
    client = sign_in(una)
    set_up_app(client)
    page = client.get("/settings/security/recovery-codes/")
    codes = page.context["unused_codes"]
    assert len(codes) == 10
    assert all(code in page.content.decode() for code in codes)
    first = at_the_code(una)
    assert first.post(CODE, {"code": codes[0]}).status_code == 302
    assert who(first) == str(una.pk)
    assert "Incorrect code" in at_the_code(una).post(CODE, {"code": codes[0]}).content.decode()
    third = at_the_code(una)
    assert third.post(CODE, {"code": codes[1]}).status_code == 302


def test_codes_cannot_be_guessed(una: User) -> None:
    secret = set_up_app(sign_in(una))
    with travel(timezone.now() + timedelta(minutes=6), tick=True):
        guesser = at_the_code(una)
        for number in range(5):
            guesser.post(CODE, {"code": f"{number:06}"})
        answer = guesser.post(CODE, {"code": code_of(secret)})
        assert "Too many failed" in answer.content.decode()
        other = Client(REMOTE_ADDR="198.51.100.7")
        other.post(LOGIN, {"login": una.email, "password": PASSWORD})
        assert "Too many failed" in other.post(CODE, {"code": code_of(secret)}).content.decode()
        assert who(guesser) is who(other) is None


def test_secrets_are_stored_sealed(una: User) -> None:
    client = sign_in(una)
    secret = set_up_app(client)
    codes = client.get("/settings/security/recovery-codes/").context["unused_codes"]
    seed = FactorAdapter().decrypt(Authenticator.objects.get(type="recovery_codes").data["seed"])
    with connection.cursor() as cursor:
        cursor.execute("SELECT * FROM mfa_authenticator")
        stored = repr(cursor.fetchall())
    assert Authenticator.objects.get(type="totp").data["secret"] in stored
    for clear in (secret, seed, *codes):
        assert clear not in stored


def test_code_of_another_key_opens_nothing(una: User, settings: Any) -> None:
    secret = set_up_app(sign_in(una))
    with travel(timezone.now() + timedelta(seconds=31), tick=True):
        was, settings.SECRET_KEY = settings.SECRET_KEY, "x" * 60
        assert "Incorrect code" in at_the_code(una).post(CODE, {"code": code_of(secret)}).content.decode()
        settings.SECRET_KEY_FALLBACKS = [was]
        assert at_the_code(una).post(CODE, {"code": code_of(secret)}).status_code == 302


# ---- change of address -----------------------------------------------------------------------------------------------


def test_new_address_counts_when_its_link_was_followed_and_the_old_one_is_told(una: User) -> None:
    client = sign_in(una)
    assert client.post("/email/", {"email": "New@House.test", "action_add": ""}).status_code == 302
    una.refresh_from_db()
    assert una.email == "una@house.test"
    assert Client().post(LOGIN, {"login": "new@house.test", "password": PASSWORD}).status_code == 200
    (sent,) = mail.outbox
    assert sent.to == ["new@house.test"]
    link = re.search(r"/confirm-email/\S+/", str(sent.body))
    assert link
    assert Client().get(link.group()).status_code == 200
    una.refresh_from_db()
    assert una.email == "una@house.test"  # looking confirms nothing
    client.post(link.group())
    una.refresh_from_db()
    assert una.email == "new@house.test"
    assert list(EmailAddress.objects.values_list("email", "verified", "primary")) == [("new@house.test", True, True)]
    (told,) = mail.outbox[1:]
    assert told.to == ["una@house.test"]
    assert "from una@house.test to new@house.test" in str(told.body)
    assert "If this was not you" in str(told.body)
    assert who(sign_in(una)) == str(una.pk)
    client.post(link.group())
    assert EmailAddress.objects.count() == 1


def test_address_that_somebody_has_is_not_told(una: User) -> None:
    create_person(email="ida@house.test", password=PASSWORD)
    client = sign_in(una)
    answers = [
        client.post("/email/", {"email": email, "action_add": ""}) for email in ("ida@house.test", "free@house.test")
    ]
    assert [(answer.status_code, answer["Location"]) for answer in answers] == [(302, "/email/")] * 2
    assert [message.to for message in mail.outbox] == [["ida@house.test"], ["free@house.test"]]
    assert len({message.subject for message in mail.outbox}) == 1
    link = re.search(r"/confirm-email/\S+/", str(mail.outbox[0].body))
    assert link
    Client().post(link.group())
    una.refresh_from_db()
    assert una.email == "una@house.test"
    ida = User.objects.get(email="ida@house.test")
    assert list(EmailAddress.objects.filter(verified=True, user=ida).values_list("email", flat=True)) == [ida.email]
    assert who(sign_in(ida)) == str(ida.pk)


def test_waiting_address_opens_nobodys_account_by_reset(una: User) -> None:
    sign_in(una).post("/email/", {"email": "wait@house.test", "action_add": ""})
    Client().post(RESET, {"email": "wait@house.test"})
    assert "/password/reset/key/" not in str(mail.outbox[-1].body)


def test_stale_session_changes_no_address_and_keeps_nothing_of_what_was_sent(una: User) -> None:
    client = sign_in(una)
    age(client)
    answer = client.post("/email/", {"email": "thief@house.test", "action_add": ""})
    assert (answer.status_code, answer["Location"]) == (302, "/reauthenticate/?next=%2F")
    assert mail.outbox == []
    assert "thief" not in str(dict(client.session.items()))


def test_newcomers_session_is_listed_and_fresh(una: User, rf: RequestFactory) -> None:
    request = rf.get("/", headers={"User-Agent": "Firefox Linux"})
    request.session, request.user = SessionStore(), AnonymousUser()
    with request_context(request):
        sign_in_newcomer(request, una)
    assert is_fresh(request)
    request.session.save()
    assert [row.here for row in sessions_of(una, key=request.session.session_key)] == [True]
    assert acts(una) == ["signed_in"]
