"""Must this person have a second factor, and did this session show it?

A Business Center says for whom: `everyone` of its people and of its ad accounts; `downloaders`, whoever may download
leads that it holds; `nobody`. The question rides on the query that loads the signed-in person anyway, so a changed
rule, role or factor counts in the next request and costs none.
"""

from collections.abc import Callable
from typing import Any, Literal

from allauth.account.auth_backends import AuthenticationBackend
from allauth.account.internal.flows.login import get_authentication_records
from allauth.core.exceptions import ReauthenticationRequired
from allauth.mfa.models import Authenticator
from django.db.models import BooleanField, Exists, ExpressionWrapper, OuterRef, QuerySet
from django.http import HttpRequest, HttpResponse
from django.http.response import HttpResponseBase
from django.urls import reverse

from accounts.access import Can
from accounts.declarations import PUBLIC
from accounts.freshness import ask_again, back_of, lead
from accounts.models import AccountMembership, BusinessCenter, BusinessCenterMember, LeadLibraryUserPermission, User
from leadscenter.lib.prepared import Prepared

FACTORS = (Authenticator.Type.TOTP, Authenticator.Type.WEBAUTHN)
EVERYONE, DOWNLOADERS = BusinessCenter.TwoFactor.EVERYONE, BusinessCenter.TwoFactor.DOWNLOADERS

ALWAYS = frozenset(
    {
        *("account_login", "account_logout", "account_inactive", "account_signup", "account_reauthenticate"),
        *("account_confirm_email", "account_email_verification_sent", "account_confirm_login_code"),
        *("account_reset_password", "account_reset_password_done", "account_reset_password_from_key"),
        *("account_reset_password_from_key_done", "mfa_authenticate", "mfa_login_webauthn"),
        *("mfa_reauthenticate", "mfa_reauthenticate_webauthn"),
    }
)
"""Routes of the sign-in package that whoever lacks a second factor may still use."""
SET_UP = frozenset(
    {
        *("security", "passkeys", "mfa_index", "mfa_activate_totp", "mfa_add_webauthn", "mfa_view_recovery_codes"),
        *("mfa_generate_recovery_codes", "mfa_download_recovery_codes", "mfa_list_webauthn"),
    }
)
"""Where somebody without any factor gets one. Who has one shows it first: a password alone must not replace it."""


def with_second_factor(people: QuerySet[User]) -> QuerySet[User]:
    """Return the people, each with `second_factor_due` (somebody demands one) and `second_factor_held`."""
    me = OuterRef("pk")
    belongs = BusinessCenterMember.objects.filter(user=me, business_center__two_factor=EVERYONE)
    works = AccountMembership.objects.filter(user=me, ad_account__business_center__two_factor=EVERYONE)
    downloads = LeadLibraryUserPermission.objects.filter(
        user=me,
        permission__codename=Can.DOWNLOAD_LEADS,
        content_object__custodian__two_factor__in=(DOWNLOADERS, EVERYONE),
    )
    held = Authenticator.objects.filter(user=me, type__in=FACTORS)
    due = ExpressionWrapper(Exists(belongs) | Exists(works) | Exists(downloads), output_field=BooleanField())
    return people.annotate(second_factor_due=due, second_factor_held=Exists(held))


_BY_ID = Prepared(lambda user_id: with_second_factor(User.objects.filter(pk=user_id)), ids=1)


def _asked_of(user_id: Any) -> Any:
    """Return the person with both answers, or None."""
    return next(iter(_BY_ID.objects(int(user_id))), None)


def must_have(user: User) -> bool:
    """Whether somebody demands a second factor of this person now."""
    return bool(_asked_of(user.pk).second_factor_due)


class Backend(AuthenticationBackend):
    """The sign-in package's backend; it loads the person with what is asked of them."""

    def authenticate(self, request: HttpRequest | None, **credentials: Any) -> User | None:  # type: ignore[override]
        """Return who has this address and password; an address that waits to be confirmed is nobody's yet."""
        user = super().authenticate(request, **credentials)
        if not isinstance(user, User) or user.email != str(credentials.get("email") or user.email).strip().lower():
            return None
        return user

    def get_user(self, user_id: Any) -> User | None:
        """Return the active person of a session, in one query."""
        user: User | None = _asked_of(user_id)
        return user if user is not None and self.user_can_authenticate(user) else None


def lacking(request: Any) -> Literal["", "factor", "proof"]:
    """Return what the session lacks: nothing, any second factor of its person, or the proof of one they have."""
    user: Any = request.user
    if not isinstance(user, User):
        return ""
    asked: Any = user if hasattr(user, "second_factor_due") else _asked_of(user.pk)  # lacks it when signed in just now
    if not asked.second_factor_due:
        return ""
    if not asked.second_factor_held:
        return "factor"
    shown = any(record["method"] == "mfa" for record in get_authentication_records(request, user))
    return "" if shown else "proof"


class SecondFactor:
    """Middleware: whoever must have a second factor is led to set it up, or to show it, before any other page.

    The API asks the same in `accounts.authentication.Declared`. A page of the sign-in package that wants a fresh proof
    gets it here, so that the package does not keep what was posted.
    """

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        return self.get_response(request)

    def process_view(
        self, request: HttpRequest, view: Callable[..., Any], args: tuple[Any, ...], kwargs: dict[str, Any]
    ) -> HttpResponseBase | None:
        """Lead away from pages that the session may not open yet."""
        name = request.resolver_match.url_name if request.resolver_match else ""
        if name in ALWAYS or hasattr(view, "cls") or getattr(view, "declaration", None) == PUBLIC:
            return None
        lacks = lacking(request)
        if not lacks or (lacks == "factor" and name in SET_UP):
            return None
        back = back_of(request)
        if lacks == "factor":
            return lead(request, reverse("security"), back=back)
        app = Authenticator.objects.filter(user=request.user.pk, type=Authenticator.Type.TOTP).exists()
        return lead(request, reverse("mfa_reauthenticate" if app else "mfa_reauthenticate_webauthn"), back=back)

    def process_exception(self, request: HttpRequest, error: Exception) -> HttpResponse | None:
        """Ask for a fresh proof in place of the sign-in package, which would keep the posted fields in the session."""
        return ask_again(request) if isinstance(error, ReauthenticationRequired) else None
