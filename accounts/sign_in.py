"""How the sign-in package (django-allauth) behaves here: who comes in, what is recorded, what is kept secret."""

import base64
import logging
import secrets
import unicodedata
from contextlib import suppress
from typing import Any

from allauth.account.adapter import DefaultAccountAdapter
from allauth.account.forms import ResetPasswordForm
from allauth.account.internal.flows.login import (
    AUTHENTICATION_METHODS_SESSION_KEY,
    get_authentication_records,
    record_authentication,
)
from allauth.account.models import EmailAddress
from allauth.core import context
from allauth.mfa import signals
from allauth.mfa.adapter import DefaultMFAAdapter
from allauth.mfa.models import Authenticator
from allauth.mfa.totp.forms import ActivateTOTPForm
from allauth.mfa.totp.internal.auth import TOTP
from allauth.usersessions.models import UserSession
from django.conf import settings
from django.db import transaction
from django.dispatch import receiver
from django.http import HttpRequest, HttpResponse
from django.utils.encoding import force_bytes

from accounts import audit
from accounts.freshness import is_fresh
from accounts.models import Act, User
from accounts.second_factor import FACTORS
from accounts.services.people import verify_address
from accounts.services.sessions import end_other_sessions
from leadscenter.lib.envelope import derived_key, open_record, seal_record

FACTOR_LABEL = b"holdfast second factors 1"
FACTOR_DATA = (b"mfa.Authenticator",)
security_log = logging.getLogger("leadscenter.security")


class AccountAdapter(DefaultAccountAdapter):
    """People come in by invitation; what changes a way in is recorded in the platform's trail."""

    def is_open_for_signup(self, request: HttpRequest) -> bool:
        """Nobody registers: an invitation makes the person."""
        return False

    def get_client_ip(self, request: HttpRequest) -> str:
        """Return the address that the frame found behind the trusted proxies."""
        return str(getattr(request, "client_address", "") or request.META.get("REMOTE_ADDR") or "0.0.0.0")  # noqa: S104

    def _get_login_attempts_cache_key(self, request: HttpRequest, **credentials: Any) -> str:
        """Return one name for all spellings of an address: case, width and accents open no second bucket."""
        return same_spelling(str(credentials.get("email") or ""))

    def is_reauthentication_required(self, *, app: str, **kwargs: Any) -> bool:
        """Let one rule say what is fresh, on the package's pages as on ours."""
        return not is_fresh(context.request)

    def pre_login(self, request: HttpRequest, user: Any, **kwargs: Any) -> HttpResponse | None:
        """Give a person who was made at the machine the address row that signing in asks for."""
        proved = EmailAddress.objects.filter(user=user, email=user.email, verified=True, primary=True)
        if user.is_active and not proved.exists():
            verify_address(user=user)
        answer: HttpResponse | None = super().pre_login(request, user, **kwargs)
        return answer

    def login(self, request: HttpRequest, user: Any) -> None:
        """Sign in, and say so in the trail."""
        with transaction.atomic():
            audit.record(Act.SIGNED_IN, None, actor=user)
            super().login(request, user)

    def set_password(self, user: Any, password: str) -> None:
        """Store a new password and end the person's other sessions."""
        with transaction.atomic():
            audit.record(Act.PASSWORD_CHANGED, None, actor=user)
            super().set_password(user, password)
            end_other_sessions(user=user, keep=context.request.session.session_key)

    def confirm_email(self, request: HttpRequest, email_address: EmailAddress) -> bool:
        """Make the confirmed address the person's own: the rows and `User.email` change together.

        An address that somebody has stays theirs, whoever follows the link.
        """
        taken = User.objects.filter(email=email_address.email).exclude(pk=email_address.user_id)
        if taken.exists():
            return False
        with transaction.atomic():
            confirmed = bool(super().confirm_email(request, email_address))
            if confirmed:
                verify_address(user=User.objects.get(pk=email_address.user_id))
        return confirmed


def sign_in_newcomer(request: HttpRequest, user: User) -> None:
    """Sign in somebody who has just set their password: that is the proof of who they are."""
    AccountAdapter(request).login(request, user)
    record_authentication(request, user, method="password", email=user.email)
    UserSession.objects.create_from_request(request)


def same_spelling(name: str) -> str:
    """Return `name` without what people and databases take for the same: compatibility forms, case, accents."""
    plain = unicodedata.normalize("NFKD", unicodedata.normalize("NFKC", name).casefold())
    return "".join(char for char in plain if not unicodedata.combining(char)).strip()


class ResetForm(ResetPasswordForm):
    """Asking for a new password; an address that waits to be confirmed opens nobody's account."""

    def clean_email(self) -> str:
        """Keep the people whose own address it is."""
        email = str(super().clean_email())
        self.users = [user for user in self.users if user.email == email.lower()]
        return email


class ActivateForm(ActivateTOTPForm):
    """Setting up an authenticator app; the code that proves it is used up by that."""

    def clean_code(self) -> str:
        """Refuse a code that was used before, and remember this one."""
        code = str(super().clean_code())
        if not TOTP(Authenticator(user=self.user, type=Authenticator.Type.TOTP))._mark_code_used(code):
            raise DefaultMFAAdapter().validation_error("incorrect_code")
        return code


# ---- second factors --------------------------------------------------------------------------------------------------


class FactorAdapter(DefaultMFAAdapter):
    """Secrets of authenticator apps and recovery codes are encrypted at rest.

    The key is derived from SECRET_KEY by HKDF-SHA256 under a label of its own, since this floor knows nothing of the
    leads' key ring. A changed SECRET_KEY (without the old one in SECRET_KEY_FALLBACKS) means setting factors up anew.
    """

    def encrypt(self, text: str) -> str:
        """Return the text sealed (AES-256-GCM), in base64."""
        record = seal_record(_keys()[0], 0, text.encode(), FACTOR_DATA)
        return base64.b64encode(record).decode()

    def decrypt(self, encrypted_text: str) -> str:
        """Return the text; for one that no key opens, a secret that nobody has, so that no code fits."""
        for key in _keys():
            with suppress(ValueError):  # Tampered is one: another key, or no record at all
                return open_record(key, base64.b64decode(encrypted_text), FACTOR_DATA).decode()
        security_log.error("a second factor's secret cannot be opened: SECRET_KEY changed")
        return base64.b32encode(secrets.token_bytes(20)).decode()

    def get_totp_issuer(self) -> str:
        """Return the name that authenticator apps show."""
        return "Holdfast"


def _keys() -> list[bytes]:
    return [
        derived_key(force_bytes(secret), FACTOR_LABEL)
        for secret in (settings.SECRET_KEY, *settings.SECRET_KEY_FALLBACKS)
    ]


# The package's own signals are its only word about factors; between our apps there are none. Whatever it does passes
# one of the adapters above first, so this module is loaded by then.


@receiver(signals.authenticator_added)
def on_factor_added(request: HttpRequest, user: User, authenticator: Authenticator, **kwargs: Any) -> None:
    """Record it. Setting a factor up shows it, so the session counts as having shown one."""
    with transaction.atomic():
        if authenticator.type in FACTORS:
            audit.record(Act.SECOND_FACTOR_ADDED, None, actor=user, kind=str(authenticator.type))
        else:
            audit.record(Act.RECOVERY_CODES_MADE, None, actor=user)
    if authenticator.type in FACTORS:
        record_authentication(request, user, "mfa", id=authenticator.pk, type=str(authenticator.type))


@receiver(signals.authenticator_reset)
def on_codes_made(request: HttpRequest, user: User, authenticator: Authenticator, **kwargs: Any) -> None:
    """Record that new recovery codes replace the old ones."""
    with transaction.atomic():
        audit.record(Act.RECOVERY_CODES_MADE, None, actor=user)


@receiver(signals.authenticator_removed)
def on_factor_removed(request: HttpRequest, user: User, authenticator: Authenticator, **kwargs: Any) -> None:
    """Record it, end the other sessions, which may have been opened with it, and forget that this one showed it."""
    if authenticator.type not in FACTORS:
        return
    with transaction.atomic():
        audit.record(Act.SECOND_FACTOR_REMOVED, None, actor=user, kind=str(authenticator.type))
        end_other_sessions(user=user, keep=request.session.session_key)
    held = set(Authenticator.objects.filter(user=user).values_list("pk", flat=True))
    records = get_authentication_records(request, user)
    kept = [record for record in records if record["method"] != "mfa" or record.get("id") in held]
    request.session[AUTHENTICATION_METHODS_SESSION_KEY] = kept
