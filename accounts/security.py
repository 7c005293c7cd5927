"""The page "Security": one's second factors, recovery codes, password, address and open sessions."""

from dataclasses import dataclass
from datetime import datetime

from allauth.account.models import EmailAddress
from allauth.mfa.models import Authenticator
from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _
from django.utils.translation import ngettext
from django.views.decorators.http import require_GET, require_POST

from accounts.authentication import actor_of
from accounts.declarations import signed_in
from accounts.models import User
from accounts.second_factor import lacking
from accounts.services.sessions import end_other_sessions, end_session, sessions_of
from accounts.shell import shell


@dataclass(frozen=True, slots=True)
class Factor:
    """A second factor as its person sees it. `signs_in`: a passkey that needs no password beside it."""

    id: int
    name: str
    signs_in: bool
    added_at: datetime
    last_used_at: datetime | None


@dataclass(frozen=True, slots=True)
class Factors:
    """Everything that the person has beside the password."""

    app: Factor | None
    passkeys: tuple[Factor, ...]
    codes_left: int | None


def factors_of(user: User) -> Factors:
    """Return the person's second factors: one query."""
    app, passkeys, left = None, [], None
    for row in Authenticator.objects.filter(user=user).order_by("created_at"):
        held = row.wrap()
        if row.type == Authenticator.Type.RECOVERY_CODES:
            left = len(held.get_unused_codes())
        elif row.type == Authenticator.Type.TOTP:
            app = Factor(row.pk, _("Authenticator app"), False, row.created_at, row.last_used_at)
        else:
            passkeys.append(Factor(row.pk, held.name, bool(held.is_passwordless), row.created_at, row.last_used_at))
    return Factors(app, tuple(passkeys), left)


@signed_in
@require_GET
def security(request: HttpRequest) -> HttpResponse:
    """Show how the person signs in and where they are signed in; say so when a second factor is demanded."""
    actor = actor_of(request)
    context = {
        "lacks": lacking(request),
        "factors": factors_of(actor),
        "waiting_address": EmailAddress.objects.filter(user=actor, verified=False).first(),
        "sessions": sessions_of(actor, key=request.session.session_key),
        **shell(request, active="security"),
    }
    return render(request, "accounts/security.html", context)


@signed_in
@require_GET
def passkeys(request: HttpRequest) -> HttpResponse:
    """Lead to the page that lists them; the package comes here after a passkey was renamed or removed."""
    return redirect("security")


@signed_in
@require_POST
def session_end(request: HttpRequest, session_id: int) -> HttpResponse:
    """Sign one of the person's own sessions out."""
    if not end_session(actor=actor_of(request), session_id=session_id):
        raise Http404
    messages.success(request, _("Signed out there. It is refused from now on."))
    return redirect("security")


@signed_in
@require_POST
def sessions_end(request: HttpRequest) -> HttpResponse:
    """Sign the person out everywhere else."""
    ended = end_other_sessions(user=actor_of(request), keep=request.session.session_key)
    text = ngettext("%(n)d other session was signed out.", "%(n)d other sessions were signed out.", ended)
    messages.success(request, text % {"n": ended})
    return redirect("security")
