"""System checks of the installation as a whole.

Django's own look for their middleware in MIDDLEWARE. Ours stand in the frame and in the console's chain, so the same
questions are asked there, and the silenced ones cannot hide that a wall is missing.
"""

from collections.abc import Sequence
from typing import Any

from django.apps import AppConfig
from django.conf import settings
from django.core.checks import CheckMessage, Error
from django.core.checks import Warning as Caution

NEEDED_IN_ORDER = (
    "django.contrib.sessions.middleware.SessionMiddleware",
    "django.middleware.csrf.CsrfViewMiddleware",
    "django.contrib.auth.middleware.AuthenticationMiddleware",
    "django.contrib.auth.middleware.LoginRequiredMiddleware",
    "django.contrib.messages.middleware.MessageMiddleware",
    "allauth.account.middleware.AccountMiddleware",
    "accounts.second_factor.SecondFactor",
)


def middleware(app_configs: Sequence[AppConfig] | None, **kwargs: Any) -> list[CheckMessage]:
    """The frame comes first, the console second, and the console's chain holds what signs in and protects, in order."""
    found: list[CheckMessage] = []
    if settings.MIDDLEWARE != ["leadscenter.middleware.Frame", "leadscenter.middleware.Console"]:
        found.append(Error("MIDDLEWARE is the frame and the console, nothing else.", id="leadscenter.E001"))
    standing = [name for name in settings.CONSOLE_MIDDLEWARE if name in NEEDED_IN_ORDER]
    if standing != list(NEEDED_IN_ORDER):
        hint = "CONSOLE_MIDDLEWARE needs, in this order: " + ", ".join(NEEDED_IN_ORDER)
        found.append(
            Error("The console's chain lacks a part or has them in a wrong order.", hint=hint, id="leadscenter.E002")
        )
    if "unsafe" in settings.CONTENT_SECURITY_POLICY or "default-src 'none'" not in settings.CONTENT_SECURITY_POLICY:
        found.append(Error("The Content-Security-Policy is not strict.", id="leadscenter.E003"))
    return found


def cookies(app_configs: Sequence[AppConfig] | None, **kwargs: Any) -> list[CheckMessage]:
    """In production the session and CSRF cookies travel over TLS only."""
    if settings.SESSION_COOKIE_SECURE and settings.CSRF_COOKIE_SECURE:
        return []
    return [Caution("Cookies travel without TLS: PUBLIC_URL should be https.", id="leadscenter.W001")]
