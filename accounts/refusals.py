"""Refusals and errors on their way out: recorded after the rollback, told as RFC 9457 problems or as a page.

`require()` raises and writes nothing. The outermost frames (`Refusals` for pages, `exception_handler` for the API)
record it in a transaction of their own: a member's refusal in the object's trail, a stranger's in the security log
only, since nobody may write into a foreign tenant's trail at will.
"""

import logging
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any

from django.core.exceptions import PermissionDenied
from django.db import transaction
from django.db.models.functions import Now
from django.http import Http404, HttpRequest, HttpResponse, JsonResponse
from django.shortcuts import render
from django.utils.translation import gettext as _
from rest_framework import exceptions
from rest_framework.response import Response

from accounts import audit
from accounts.access import Can, Refused
from accounts.models import Act, AdAccount, AuditEvent, BusinessCenter, LeadLibrary, TrailHead
from accounts.shell import Shell, shell

security_log = logging.getLogger("leadscenter.security")
PROBLEM = "application/problem+json"
ACTIVE_OF = {
    Can.VIEW_CAMPAIGNS: "campaigns",
    Can.EDIT_CAMPAIGNS: "campaigns",
    Can.VIEW_FORMS: "forms",
    Can.EDIT_FORMS: "forms",
    Can.MANAGE_MEMBERS: "members",
    Can.CONNECT_CRM: "integrations",
    Can.DOWNLOAD_LEADS: "exports",
    Can.VIEW_TRAIL: "activity",
    Can.HAND_OVER: "access",
    Can.MANAGE_PRIVACY: "privacy",
}


@dataclass(eq=False)
class Invalid(Exception):
    """Bad input: `errors` maps each field to what is wrong and what to do. Nothing was written. 400."""

    errors: Mapping[str, str]

    def __str__(self) -> str:
        return "; ".join(f"{name}: {text}" for name, text in self.errors.items())


@dataclass(eq=False)
class Conflict(Exception):
    """The thing is in another state than this act needs. Nothing was written. 409."""

    code: str
    detail: str
    extra: dict[str, Any] = field(default_factory=dict)

    def __str__(self) -> str:
        return self.detail


def record_refusal(refused: Refused) -> None:
    """Record the refusal, in a transaction of its own, at most once a minute per person, right and object."""
    if refused.stranger:
        security_log.warning(
            "refused as stranger", extra={"actor": refused.actor.pk, "can": refused.can, "target": refused.target.pk}
        )
        return
    scope, scope_id = audit.scope_of(refused.target)
    recent = AuditEvent.objects.filter(
        scope=scope, scope_id=scope_id, act=Act.REFUSED, actor=refused.actor, detail__can=str(refused.can)
    ).filter(at__gt=Now() - timedelta(minutes=1))
    if recent.exists():  # most of a burst ends here and waits for nobody
        return
    TrailHead.objects.bulk_create([TrailHead(scope=scope, scope_id=scope_id)], ignore_conflicts=True)
    with transaction.atomic():
        # Of two that come at once the second waits and then sees the row of the first. Nobody else asks for this lock
        # but the notary: looks are recorded without it.
        TrailHead.objects.select_for_update(no_key=True).get(scope=scope, scope_id=scope_id)
        if not recent.exists():
            audit.record(Act.REFUSED, refused.target, actor=refused.actor, can=str(refused.can))


def problem(status: int, title: str, detail: str, *, code: str = "about:blank", **extra: Any) -> dict[str, Any]:
    """Return the body of an RFC 9457 problem."""
    return {"type": code, "title": title, "status": status, "detail": detail, **extra}


def problem_response(status: int, title: str, detail: str, *, code: str = "about:blank", **extra: Any) -> JsonResponse:
    """Return a problem as a plain response, for views outside the API framework."""
    body = problem(status, title, detail, code=code, **extra)
    return JsonResponse(body, status=status, content_type=PROBLEM)


def _problem_of(error: Exception) -> dict[str, Any] | None:
    if isinstance(error, Refused):
        if error.stranger:
            return problem(404, _("Not found"), _("There is nothing here that you can open."))
        return problem(
            403,
            _("Not allowed"),
            error.reason,
            reason=error.reason,
            missing_permission=str(error.can),
            who_can_help=list(error.who_can_help),
        )
    if isinstance(error, Invalid):
        return problem(400, _("Bad input"), _("Nothing was saved. See what to change."), errors=dict(error.errors))
    if isinstance(error, Conflict):
        return problem(409, _("Wrong state"), error.detail, code=error.code, **error.extra)
    if isinstance(error, exceptions.ValidationError):
        return problem(400, _("Bad input"), _("Nothing was saved. See what to change."), errors=error.detail)
    if isinstance(error, exceptions.APIException):
        code = getattr(error, "code", "about:blank")
        return problem(error.status_code, str(error.default_code), str(error.detail), code=code)
    if isinstance(error, Http404):
        return problem(404, _("Not found"), _("There is nothing here that you can open."))
    if isinstance(error, PermissionDenied):
        return problem(403, _("Not allowed"), str(error) or _("You may not do this."))
    return None


def exception_handler(error: Exception, context: dict[str, Any]) -> Response | None:
    """Turn what a service raised into a problem; anything unknown stays an error of ours (500)."""
    body = _problem_of(error)
    if body is None:
        return None
    if isinstance(error, Refused):
        record_refusal(error)
    headers = {}
    if isinstance(error, exceptions.NotAuthenticated | exceptions.AuthenticationFailed):
        headers["WWW-Authenticate"] = 'Bearer realm="api"'
    if wait := getattr(error, "wait", None):  # Throttled alone has it
        headers["Retry-After"] = str(max(1, round(wait)))
    return Response(body, status=body["status"], headers=headers, content_type=PROBLEM)


def _around(request: HttpRequest, refused: Refused) -> dict[str, Shell]:
    """Return the frame of the page that was refused, so that a refusal looks like the place where it happened."""
    active = ACTIVE_OF.get(refused.can, "leads")
    if isinstance(refused.target, LeadLibrary):
        return shell(request, library=refused.target, active=active)
    return shell(request, ad_account=refused.target if isinstance(refused.target, AdAccount) else None, active=active)


class Refusals:
    """Middleware: a refusal in a page becomes the page that says why and who can help."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        return self.get_response(request)

    def process_exception(self, request: HttpRequest, error: Exception) -> HttpResponse | None:
        """Record and tell; errors that are not ours to tell go on."""
        if isinstance(error, Refused):
            record_refusal(error)
            if error.stranger:
                return render(request, "404.html", status=404)
            of_center = isinstance(error.target, BusinessCenter)
            context = {"refused": error, "about_center": of_center, **_around(request, error)}
            page = render(request, "403.html", context, status=403)
            if isinstance(error.target, LeadLibrary) and error.target.is_transferred:
                # Pages of leads are no-store; what a browser kept of them against that goes now.
                page.headers["Clear-Site-Data"] = '"cache"'
            return page
        if isinstance(error, Invalid):
            return render(request, "400.html", {"errors": dict(error.errors)}, status=400)
        if isinstance(error, Conflict):
            return render(request, "409.html", {"conflict": error}, status=409)
        return None
