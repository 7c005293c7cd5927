"""The two rooms that a request passes: the frame, for every request, and the console, for people who sign in.

The public form, its API and the health pages pass the frame only: no session, no cookie, no database before the view
asks for it.
"""

import logging
import secrets
import time
from collections.abc import Callable
from io import BytesIO
from typing import Any, cast

from django.conf import settings
from django.core.exceptions import DisallowedHost
from django.core.handlers.exception import convert_exception_to_response
from django.http import HttpRequest, HttpResponse
from django.http.response import HttpResponseBase
from django.middleware.security import SecurityMiddleware
from django.shortcuts import render
from django.utils.module_loading import import_string

from accounts.circumstances import around, country_in
from accounts.refusals import problem_response
from leadscenter.lib.client_address import client_address, is_within

logger = logging.getLogger("leadscenter.requests")

Answer = Callable[[HttpRequest], HttpResponseBase]
FORWARDED = ("HTTP_X_FORWARDED_FOR", "HTTP_X_FORWARDED_PROTO", "HTTP_X_FORWARDED_HOST", "HTTP_FORWARDED")
DRAIN_SECONDS, DRAIN_BYTES = 3.0, 64 * 1024 * 1024
CAPABILITIES = {"key", "token", "uidb36", "code"}
"""Names of URL arguments that carry a right; a path that holds one is logged as its route."""


class Frame(SecurityMiddleware):
    """Request id, client address, size limit, security headers and one log line, around every request."""

    def __call__(self, request: HttpRequest) -> HttpResponseBase:
        started = time.monotonic()
        request_id = secrets.token_hex(8)
        peer = request.META.get("REMOTE_ADDR", "")
        forwarded = request.META.get("HTTP_X_FORWARDED_FOR", "")
        request.client_address = client_address(peer, forwarded, settings.TRUSTED_PROXIES)  # type: ignore[attr-defined]
        request.request_id = request_id  # type: ignore[attr-defined]
        if not is_within(peer, settings.TRUSTED_PROXIES):
            for name in (*FORWARDED, settings.COUNTRY_HEADER):
                request.META.pop(name, None)
        response = refuse_host(request) or refuse_size(request) or self.process_request(request)
        if response is None:
            with around(country_in(request.META.get(settings.COUNTRY_HEADER, ""))):
                response = cast(HttpResponse, self.get_response(request))
        self.process_response(request, response)
        response.headers.setdefault("Content-Security-Policy", settings.CONTENT_SECURITY_POLICY)
        response.headers.setdefault("Permissions-Policy", settings.PERMISSIONS_POLICY)
        response.headers.setdefault("Cross-Origin-Resource-Policy", "same-origin")
        response.headers.setdefault("X-Frame-Options", settings.X_FRAME_OPTIONS)
        response.headers.setdefault("Cache-Control", "no-store")
        if not response.streaming:  # without a length the server sends pieces, and a body with none holds a connection
            response.headers.setdefault("Content-Length", str(len(response.content)))
        response.headers["X-Request-ID"] = request_id
        if not response.streaming and "Content-Length" not in response.headers:
            response.headers["Content-Length"] = str(len(response.content))
        spent = round((time.monotonic() - started) * 1000, 1)
        about = {"request_id": request_id, "method": request.method, "path": printable_path(request)}
        logger.info("request", extra={**about, "status": response.status_code, "milliseconds": spent})
        return response


class Console:
    """The usual chain of CONSOLE_MIDDLEWARE, as one entry that steps aside for the public side.

    Django collects the hooks of its own entries only, so this one passes `process_view`, `process_template_response`
    and `process_exception` on to the parts, in Django's order.
    """

    def __init__(self, get_response: Answer) -> None:
        self.aside = get_response
        self.chain = get_response
        self.parts: list[Any] = []
        for name in reversed(settings.CONSOLE_MIDDLEWARE):
            part = import_string(name)(self.chain)
            self.parts.insert(0, part)
            self.chain = cast(Answer, convert_exception_to_response(part))

    def __call__(self, request: HttpRequest) -> HttpResponseBase:
        return self.aside(request) if steps_aside(request) else self.chain(request)

    def process_view(
        self, request: HttpRequest, view: Callable[..., Any], args: tuple[Any, ...], kwargs: dict[str, Any]
    ) -> HttpResponseBase | None:
        return self.first(self.parts, "process_view", request, view, args, kwargs)

    def process_exception(self, request: HttpRequest, exception: Exception) -> HttpResponseBase | None:
        return self.first(self.parts[::-1], "process_exception", request, exception)

    def process_template_response(self, request: HttpRequest, response: HttpResponse) -> HttpResponse:
        if not steps_aside(request):
            for part in self.parts[::-1]:
                if hook := getattr(part, "process_template_response", None):
                    response = hook(request, response)
        return response

    @staticmethod
    def first(parts: list[Any], hook: str, request: HttpRequest, *rest: Any) -> HttpResponseBase | None:
        """The first answer that a part gives from its hook, if any does."""
        if steps_aside(request):
            return None
        for part in parts:
            called = getattr(part, hook, None)
            response: HttpResponseBase | None = called(request, *rest) if called else None
            if response is not None:
                return response
        return None


def steps_aside(request: HttpRequest) -> bool:
    return request.path_info.startswith(settings.CONSOLE_STEPS_ASIDE_FOR)


def refuse_host(request: HttpRequest) -> HttpResponse | None:
    """400 for a host name that is not ours; a health probe may come by address."""
    if request.path_info.startswith("/healthz/"):
        return None
    try:
        request.get_host()
    except DisallowedHost:
        return problem_response(400, "Unknown host", "This installation does not answer to that host name.")
    return None


def refuse_size(request: HttpRequest) -> HttpResponse | None:
    """413 for a body over the limit, before anything parses it. A body without a length is counted while it is read."""
    public = request.path_info.startswith(settings.PUBLIC_INTAKE)
    limit: int = settings.PUBLIC_INTAKE_BYTES if public else settings.REQUEST_BYTES
    if settings.UPLOADS.fullmatch(request.path_info):
        limit = settings.UPLOAD_BYTES
    length = request.META.get("CONTENT_LENGTH") or ""
    source: Any = request
    if not length and "HTTP_TRANSFER_ENCODING" in request.META:
        source = request.META["wsgi.input"]
        body = read_at_most(source, limit + 1)
        request.META["CONTENT_LENGTH"] = length = str(len(body))
        request._stream = BytesIO(body)
    if length.isdecimal() and int(length) > limit:
        drain(source)
        if "text/html" in request.headers.get("Accept", ""):  # a person in front of a page, not a program
            return render(request, "413.html", status=413)
        return problem_response(413, "Too large", f"A request here holds at most {limit} bytes.")
    return None


def read_at_most(source: Any, size: int) -> bytes:
    """Up to `size` bytes of a stream of unknown length; a server may hand them out in small pieces."""
    pieces: list[bytes] = []
    while size > 0 and (piece := source.read(size)):
        pieces.append(piece)
        size -= len(piece)
    return b"".join(pieces)


def drain(source: Any) -> None:
    """Read what a client still sends and throw it away, for a while: one that is cut off hears no answer."""
    deadline, left = time.monotonic() + DRAIN_SECONDS, DRAIN_BYTES
    while left > 0 and time.monotonic() < deadline and (piece := source.read(64 * 1024)):
        left -= len(piece)


def printable_path(request: HttpRequest) -> str:
    """What the log may say of the path: never the query, never a right, never something that no route knows."""
    match = request.resolver_match
    if match is None:
        return "-"
    return f"/{match.route}" if CAPABILITIES & match.kwargs.keys() else request.path
