"""What every call of the Marketing API has in common: its token header, its envelope, HTTP 200 also on failure."""

from typing import Any

from django.http import Http404
from django.utils.translation import gettext as _
from drf_spectacular.utils import extend_schema
from rest_framework import exceptions
from rest_framework.authentication import BaseAuthentication
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from accounts.access import Can, Refused
from accounts.authentication import find_token
from accounts.declarations import SIGNED_IN, Declaration
from accounts.models import ApiToken, User
from accounts.refusals import Conflict, Invalid, record_refusal
from leads.marketing_api.codes import Code, Failed

API_CODES: dict[type[exceptions.APIException], Code] = {
    exceptions.MethodNotAllowed: Code.METHOD_FORBIDDEN,
    exceptions.PermissionDenied: Code.SCOPE_NOT_AUTHORIZED,
    exceptions.Throttled: Code.TOO_FREQUENT,
}


class AccessToken(BaseAuthentication):
    """`Access-Token: <token>`: the same tokens as everywhere; a session counts for nothing here."""

    def authenticate(self, request: Request) -> tuple[User, ApiToken]:
        """Return the token's person; raise `Failed` without a live token."""
        raw = request.headers.get("Access-Token", "").strip()
        if not raw:
            raise Failed(Code.EMPTY_ACCESS_TOKEN, _("Access token is empty. Send it in the header Access-Token."))
        token = find_token(raw)
        if token is None:
            raise Failed(Code.INVALID_ACCESS_TOKEN, _("Access token is incorrect or has been revoked."))
        return token.user, token


def envelope(request: Any, data: Any = None, *, code: Code = Code.OK, message: str = "OK") -> Response:
    """Return the answer around `data`."""
    request_id = getattr(request, "request_id", "")
    body = {"code": int(code), "message": message, "request_id": request_id, "data": {} if data is None else data}
    return Response(body, headers={"Cache-Control": "no-store"})


@extend_schema(exclude=True)
class MarketingView(APIView):
    """A call of the Marketing API; its contract is TikTok's, so it is no part of our own API's schema."""

    authentication_classes = (AccessToken,)
    can: Can | None = None
    declares: Declaration | None = None

    def handle_exception(self, exc: Exception) -> Response:
        """Return the envelope with the code that tells what went wrong; what is not ours to tell goes on."""
        if isinstance(exc, Refused):
            record_refusal(exc)
        told = _told(exc)
        if told is None:
            raise exc
        return envelope(self.request, code=told.code, message=told.message)


def _told(exc: Exception) -> Failed | None:
    match exc:
        case Failed():
            return exc
        case Refused(stranger=True):
            return no_permission()
        case Refused():
            return Failed(Code.PERMISSION_ERROR, exc.reason)
        case Http404():
            return Failed(Code.NOT_EXIST, _("There is nothing here that you can open."))
        case Invalid():
            return Failed(Code.PARAM_ERROR, str(exc))
        case Conflict():
            return Failed(Code.WRITE_CONFLICT, exc.detail)
        case exceptions.APIException():
            code = next((code for kind, code in API_CODES.items() if isinstance(exc, kind)), Code.PARAM_ERROR)
            return Failed(code, str(exc.detail))
    return None


def no_permission() -> Failed:
    """Return the one answer about an advertiser that is not the caller's, whether it exists or not."""
    return Failed(Code.PERMISSION_ERROR, _("No permission to operate this advertiser or library."))


class NoRoute(MarketingView):
    """Every other path below the base."""

    declares = SIGNED_IN

    def dispatch(self, request: Any, *args: Any, **kwargs: Any) -> Any:
        """Say that there is no such route, to whoever asks."""
        self.args, self.kwargs, self.headers = args, kwargs, {}
        self.request = self.initialize_request(request, *args, **kwargs)
        answer = envelope(self.request, code=Code.ROUTE_NOT_FOUND, message=_("There is no such route."))
        return self.finalize_response(self.request, answer, *args, **kwargs)
