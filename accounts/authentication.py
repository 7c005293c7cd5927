"""Who calls the API: a bearer token, tried first, or the session of the dashboard."""

from datetime import timedelta
from enum import StrEnum
from typing import TYPE_CHECKING, Any

from django.db.models import Q
from django.db.models.functions import Now
from django.http import HttpRequest
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from rest_framework import exceptions
from rest_framework.authentication import BaseAuthentication, SessionAuthentication
from rest_framework.permissions import BasePermission
from rest_framework.request import Request

from accounts.access import Can
from accounts.circumstances import came_by_token
from accounts.declarations import PUBLIC
from accounts.freshness import is_fresh
from accounts.models import ApiToken, User
from accounts.second_factor import lacking
from accounts.services.tokens import digest_of

if TYPE_CHECKING:
    from rest_framework.views import APIView  # which itself asks for the classes of this module while it loads


class TokenScope(StrEnum):
    """What a token may be used for. A scope narrows its person's rights and never widens them."""

    EVERYTHING = "everything"
    LEADS_READ = "leads:read"
    LEADS_WRITE = "leads:write"
    LEADS_DOWNLOAD = "leads:download"
    CAMPAIGNS_READ = "campaigns:read"
    CAMPAIGNS_WRITE = "campaigns:write"
    FORMS_READ = "forms:read"
    FORMS_WRITE = "forms:write"
    CRM = "crm"
    PRIVACY = "privacy"
    TRAIL = "trail"
    ACCESS = "access"


SCOPE_OF: dict[Can, TokenScope] = {
    Can.VIEW_LEADS: TokenScope.LEADS_READ,
    Can.WORK_LEADS: TokenScope.LEADS_WRITE,
    Can.DELETE_LEADS: TokenScope.LEADS_WRITE,
    Can.DOWNLOAD_LEADS: TokenScope.LEADS_DOWNLOAD,
    Can.VIEW_CAMPAIGNS: TokenScope.CAMPAIGNS_READ,
    Can.EDIT_CAMPAIGNS: TokenScope.CAMPAIGNS_WRITE,
    Can.VIEW_FORMS: TokenScope.FORMS_READ,
    Can.EDIT_FORMS: TokenScope.FORMS_WRITE,
    Can.CONNECT_CRM: TokenScope.CRM,
    Can.MANAGE_PRIVACY: TokenScope.PRIVACY,
    Can.VIEW_TRAIL: TokenScope.TRAIL,
    Can.MANAGE_MEMBERS: TokenScope.ACCESS,
    Can.HAND_OVER: TokenScope.ACCESS,
}


def find_token(raw: str) -> ApiToken | None:
    """Return the live token for the text that its owner holds, and note its use (to the minute; the trail names it)."""
    token = (
        ApiToken.objects.select_related("user")
        .filter(Q(expires_at=None) | Q(expires_at__gt=Now()), digest=digest_of(raw), revoked_at=None)
        .first()
    )
    if token is None or not token.user.is_active:
        return None
    stale = Q(last_used_at=None) | Q(last_used_at__lt=Now() - timedelta(minutes=1))
    ApiToken.objects.filter(stale, pk=token.pk).update(last_used_at=Now())
    came_by_token(token.pk)
    return token


def allowed_by_scope(token: ApiToken | None, can: Can | None) -> bool:
    """Return whether the token (None: a session) may be used for `can`."""
    if token is None or can is None or TokenScope.EVERYTHING in token.scopes:
        return True
    return SCOPE_OF.get(can) is None or SCOPE_OF[can] in token.scopes


def lacking_scope(can: Can) -> exceptions.PermissionDenied:
    """Return the refusal of a token whose scopes leave out `can`, which names the one that it lacks."""
    return exceptions.PermissionDenied(
        _("This token lacks the scope “%(scope)s”. Make a token that has it.") % {"scope": SCOPE_OF[can]}
    )


def actor_of(request: HttpRequest | Request) -> User:
    """Return the signed-in person of a request that passed `Declared` or the login middleware."""
    assert isinstance(request.user, User)
    return request.user


class BearerAuthentication(BaseAuthentication):
    """`Authorization: Bearer <token>`; a bad token is 401, never the session's person."""

    def authenticate(self, request: Request) -> tuple[User, ApiToken] | None:
        """Return the token's person, or None when no token is sent."""
        word, _space, raw = request.headers.get("Authorization", "").partition(" ")
        if word.lower() != "bearer":
            return None
        token = find_token(raw.strip())
        if token is None:
            raise exceptions.AuthenticationFailed(_("The token is unknown, expired or revoked."))
        return token.user, token

    def authenticate_header(self, request: Request) -> str:
        """Return the challenge, so that the anonymous get 401 and not 403."""
        return 'Bearer realm="api"'


class SecondFactorNeeded(exceptions.PermissionDenied):
    """A Business Center demands a second factor, and this session has not shown one."""

    code = "second_factor_needed"
    default_detail = gettext_lazy("Your Business Center asks for a second factor. Set it up, or sign in with it.")


class ReauthenticationNeeded(exceptions.PermissionDenied):
    """The act needs a fresh proof of who is there, and this session's is old."""

    code = "reauthentication_needed"
    default_detail = gettext_lazy("Confirm that it is you first: with your password, a code or a passkey.")


def is_session(request: Any) -> bool:
    """Whether the session of the dashboard calls, and not a token."""
    return isinstance(getattr(request, "successful_authenticator", None), SessionAuthentication)


def require_fresh(request: Request) -> None:
    """Raise `ReauthenticationNeeded` when a session calls whose proof of who is there is old."""
    if is_session(request) and not is_fresh(request):
        raise ReauthenticationNeeded


class Declared(BasePermission):
    """Deny what declares nothing; demand a signed-in person and a token whose scope covers the declared right.

    A session has to have shown what its Business Centers demand; a token was made by one that had.
    A view with `shows_less` answers a token of a smaller scope too, and leaves out what the scope does not cover.
    """

    def has_permission(self, request: Request, view: "APIView") -> bool:
        """Return whether the request may go on to the service, which asks for the right itself."""
        declares = getattr(view, "declares", None)
        if declares == PUBLIC:
            return True
        if not isinstance(request.user, User):
            return False
        can: Can | None = getattr(view, f"can_{(request.method or '').lower()}", getattr(view, "can", None))
        if declares is None and can is None:
            return False
        token = request.auth if isinstance(request.auth, ApiToken) else None
        if is_session(request) and lacking(request):
            raise SecondFactorNeeded
        if (request.method or "").lower() in getattr(view, "fresh", ()):
            require_fresh(request)
        if can is not None and not allowed_by_scope(token, can) and not getattr(view, "shows_less", False):
            raise lacking_scope(can)
        return True
