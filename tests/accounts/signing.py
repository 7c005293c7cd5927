"""People who sign in by the real page, with password and code.

The sign-in package tells of some changes after the commit, and counts tries in the cache: such tests commit, and start
with an empty cache.
"""

import time
from typing import Any

import pytest
from allauth.account.internal.flows.login import AUTHENTICATION_METHODS_SESSION_KEY
from allauth.mfa.totp.internal.auth import format_hotp_value, hotp_value
from django.test import Client

from accounts.models import AuditEvent, User

REALLY = [pytest.mark.django_db(transaction=True), pytest.mark.usefixtures("empty_cache")]
PASSWORD = "a-password-of-una"
FIREFOX = "Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0"
ACTIVATE = "/settings/security/totp/activate/"


def sign_in(user: User, *, client: Client | None = None, agent: str = FIREFOX) -> Client:
    """Type the password on the sign-in page."""
    client = client or Client(headers={"User-Agent": agent})
    answer = client.post("/login/", {"login": user.email, "password": PASSWORD})
    assert answer.status_code == 302, answer.content
    return client


def code_of(secret: str) -> str:
    """Return what the person's app shows now."""
    return format_hotp_value(hotp_value(secret, int(time.time()) // 30))


def set_up_app(client: Client) -> str:
    """Turn the authenticator app on; return the secret that the page showed."""
    secret = str(client.get(ACTIVATE).context["form"].secret)
    answer = client.post(ACTIVATE, {"code": code_of(secret)})
    assert answer.status_code == 302, answer.content
    return secret


def age(client: Client, seconds: float = 901) -> None:
    """Make every proof that the session holds older."""
    session: Any = client.session
    for record in session[AUTHENTICATION_METHODS_SESSION_KEY]:
        record["at"] -= seconds
    session.save()


def acts(user: User) -> list[str]:
    """Return what the trail says that the person did, in order."""
    return list(AuditEvent.objects.filter(actor=user).order_by("id").values_list("act", flat=True))
