"""Every way in that exists: routes with their methods and what they declare, admin actions, commands, tasks."""

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

from django.contrib.admin import AdminSite
from django.core.management import get_commands
from django.test import RequestFactory
from django.urls import URLPattern, URLResolver, get_resolver

from accounts.access import Can
from accounts.declarations import Declaration
from accounts.models import User
from accounts.staff_site import site
from leadscenter.celery import app

API_METHODS = ("get", "post", "put", "patch", "delete")
OUR_APPS = ("accounts", "forms_builder", "campaigns", "leads", "leads.vault", "leadscenter")
# The routes of the sign-in package, which knows no declaration of ours: open, or for whoever is signed in.
SIGN_IN = {
    "account_login": "public",
    "account_logout": "public",
    "account_inactive": "public",
    "account_signup": "public",
    "account_reauthenticate": "signed_in",
    "account_email": "signed_in",
    "account_email_verification_sent": "public",
    "account_change_password": "signed_in",
    "account_set_password": "signed_in",
    "account_reset_password": "public",
    "account_confirm_login_code": "public",
    "account_confirm_email": "public",
    "account_reset_password_from_key_done": "public",
    "account_reset_password_from_key": "public",
    "account_reset_password_done": "public",
    "mfa_index": "signed_in",
    "mfa_authenticate": "public",
    "mfa_reauthenticate": "signed_in",
    "mfa_activate_totp": "signed_in",
    "mfa_deactivate_totp": "signed_in",
    "mfa_view_recovery_codes": "signed_in",
    "mfa_generate_recovery_codes": "signed_in",
    "mfa_download_recovery_codes": "signed_in",
    "mfa_list_webauthn": "signed_in",
    "mfa_add_webauthn": "signed_in",
    "mfa_reauthenticate_webauthn": "signed_in",
    "mfa_remove_webauthn": "signed_in",
    "mfa_edit_webauthn": "signed_in",
    "mfa_login_webauthn": "public",
}


@dataclass(frozen=True)
class Route:
    """One route and method. `declares` is None where nobody said who may use it."""

    pattern: str
    name: str
    method: str
    declares: Declaration | None
    arguments: tuple[str, ...] = ()
    defaults: tuple[tuple[str, Any], ...] = field(default=())

    @property
    def kind(self) -> str:
        """page, api or marketing."""
        return (
            "marketing"
            if self.pattern.startswith("open_api/")
            else "api"
            if self.pattern.startswith("api/")
            else "page"
        )

    def __str__(self) -> str:
        return f"{self.method} /{self.pattern}"


def routes(resolver: URLResolver | None = None) -> list[Route]:
    """Return every route of the resolver that is ours, one entry per method; Django admin's are not among them."""
    return [
        route
        for pattern, prefix in _patterns(resolver or get_resolver())
        for route in _methods(pattern, prefix)
        if not prefix.startswith("admin/")
    ]


def _patterns(resolver: URLResolver, before: str = "") -> Iterator[tuple[URLPattern, str]]:
    for entry in resolver.url_patterns:
        if isinstance(entry, URLResolver):
            yield from _patterns(entry, before + str(entry.pattern))
        else:
            yield entry, before + str(entry.pattern)


def _methods(pattern: URLPattern, prefix: str) -> Iterator[Route]:
    view: Any = pattern.callback
    arguments = tuple(pattern.pattern.regex.groupindex)
    defaults = tuple((pattern.default_args or {}).items())
    api = getattr(view, "cls", None)
    if api is not None:
        for method in API_METHODS:
            if hasattr(api, method):
                declares = declared_by_class(api, method)
                yield Route(prefix, pattern.name or "", method.upper(), declares, arguments, defaults)
        return
    declares = getattr(view, "declaration", None)
    if view.__module__.startswith("allauth.") and pattern.name in SIGN_IN:
        declares = Declaration(SIGN_IN[pattern.name])  # type: ignore[arg-type]
    for method in ("GET", "POST"):
        yield Route(prefix, pattern.name or "", method, declares, arguments, defaults)


def declared_by_class(view: Any, method: str) -> Declaration | None:
    """Return what an API view says for a method: `can_<method>`, else `can`, else `declares`."""
    can = getattr(view, f"can_{method}", None) or getattr(view, "can", None)
    if isinstance(can, Can):
        return Declaration("allows", can, "api")
    declares = getattr(view, "declares", None)
    return declares if isinstance(declares, Declaration) else None


def undeclared_routes(resolver: URLResolver | None = None) -> list[str]:
    """Return the routes that say nothing, or whose API view says two things."""
    return [str(route) for route in routes(resolver) if route.declares is None]


def admin_actions(where: AdminSite = site) -> dict[str, set[str]]:
    """Return the actions that Django admin offers a superuser for each model."""
    request = RequestFactory().get("/admin/")
    request.user = User(is_active=True, is_staff=True, is_superuser=True)
    return {model.__name__: set(admin.get_actions(request)) for model, admin in where._registry.items()}


def commands() -> set[str]:
    """Return the management commands that are ours."""
    return {name for name, owner in get_commands().items() if str(owner) in OUR_APPS}


def tasks() -> set[str]:
    """Return the Celery tasks that are ours."""
    app.loader.import_default_modules()
    return {name for name in app.tasks if not name.startswith("celery.")}
