"""Fresh proof of who sits there, before what cannot be taken back: export, delete, connect, transfer, tokens, members.

A session proves its person when they sign in and when they confirm with password, code or passkey; the proof is fresh
for ACCOUNT_REAUTHENTICATION_TIMEOUT seconds. A stale request does nothing and keeps nothing of what was sent, which
may hold a CRM credential. API tokens are no sessions: making one needs freshness, using one does not.
"""

import time
from collections.abc import Callable
from functools import wraps
from typing import Any, TypeVar, cast
from urllib.parse import urlencode, urlsplit

from allauth.account.adapter import get_adapter
from allauth.account.internal.flows.login import get_authentication_records
from django.conf import settings
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.urls import reverse
from django.utils.http import url_has_allowed_host_and_scheme
from django_htmx.http import HttpResponseClientRedirect

from accounts.models import User

View = TypeVar("View", bound=Callable[..., Any])


def is_fresh(request: Any) -> bool:
    """Whether this session's person proved who they are within the last ACCOUNT_REAUTHENTICATION_TIMEOUT seconds."""
    if not isinstance(request.user, User):
        return False
    records = get_authentication_records(request, request.user)
    latest = max((record["at"] for record in records), default=0.0)
    return bool(time.time() - latest < settings.ACCOUNT_REAUTHENTICATION_TIMEOUT)


def fresh(view: View) -> View:
    """Ask for a fresh proof at every request of the view; a long form so asks before it is filled in."""
    return _asking(view, ("GET", "HEAD", "POST"), back_to_itself=True)


def fresh_post(view: View) -> View:
    """Ask for a fresh proof when something is sent; looking is free."""
    return _asking(view, ("POST",), back_to_itself=True)


def fresh_download(view: View) -> View:
    """Ask for a fresh proof, and lead back to the page with the link: a file is no page to come back to."""
    return _asking(view, ("GET", "HEAD", "POST"), back_to_itself=False)


def _asking(view: View, methods: tuple[str, ...], *, back_to_itself: bool) -> View:
    @wraps(view)
    def asked(request: HttpRequest, *args: Any, **kwargs: Any) -> Any:
        if request.method in methods and not is_fresh(request):
            return ask_again(request, back_to_itself=back_to_itself)
        return view(request, *args, **kwargs)

    return cast(View, asked)


def ask_again(request: HttpRequest, *, back_to_itself: bool = True, back: str = "") -> HttpResponse:
    """Return the way to the page that asks for password, code or passkey, and from there `back`, else to the page that
    the request came from.
    """
    ways = get_adapter().get_reauthentication_methods(request.user)
    where = ways[0]["url"] if ways else reverse("account_login")
    return lead(request, where, back=back or back_of(request, itself=back_to_itself))


def lead(request: HttpRequest, where: str, *, back: str = "") -> HttpResponse:
    """Return a redirect that a browser and htmx both follow as a whole page."""
    address = f"{where}?{urlencode({'next': back})}" if back else where
    if request.headers.get("HX-Request"):
        return HttpResponseClientRedirect(address)
    return HttpResponseRedirect(address)


def back_of(request: HttpRequest, *, itself: bool = True) -> str:
    """Return the path, on this host, of the page that the request came from; "/" when nothing safe is known."""
    if itself and request.method in ("GET", "HEAD") and not request.headers.get("HX-Request"):
        return request.get_full_path()
    came_from = request.headers.get("HX-Current-URL") or request.headers.get("Referer", "")
    if not url_has_allowed_host_and_scheme(came_from, {request.get_host()}, require_https=request.is_secure()):
        return "/"
    parts = urlsplit(came_from)
    path = f"{parts.path}?{parts.query}" if parts.query else parts.path
    return path if path.startswith("/") and not path.startswith("//") else "/"
