import ipaddress
import json
import logging
from io import BytesIO
from typing import Any

import pytest
from django.conf import settings
from django.core.checks import run_checks
from django.http import HttpRequest, HttpResponse
from django.test import Client, RequestFactory
from django.test.utils import override_settings
from django.urls import path

from accounts.declarations import public
from leadscenter.lib.client_address import client_address
from leadscenter.middleware import steps_aside

PROXIES = [ipaddress.ip_network("10.0.0.0/8"), ipaddress.ip_network("2001:db8::/32")]


@public
def echo(request: HttpRequest, **arguments: Any) -> HttpResponse:
    """Say what the view sees of the request."""
    seen = {
        "address": getattr(request, "client_address", ""),
        "session": hasattr(request, "session"),
        "secure": request.is_secure(),
        "body": len(request.body),
    }
    return HttpResponse(json.dumps(seen), content_type="application/json")


@public
def broken(request: HttpRequest) -> HttpResponse:
    raise ValueError("ann@example.com is in this text")


urlpatterns = [
    path("f/<slug:public_id>/", echo),
    path("console/", echo),
    path("me/<str:token>/", echo),
    path("console/broken/", broken),
]
pytestmark = [pytest.mark.urls(__name__), pytest.mark.django_db]


def chunked(body: bytes, address: str = "/f/abc/") -> Any:
    """Post a body without a length, as Transfer-Encoding: chunked arrives here."""
    extra: dict[str, Any] = {"HTTP_TRANSFER_ENCODING": "chunked", "CONTENT_LENGTH": "", "wsgi.input": BytesIO(body)}
    return Client().generic("POST", address, b"", content_type="text/plain", **extra)


def test_the_public_side_has_no_session_and_sets_no_cookie(client: Client) -> None:
    assert client.get("/console/").json()["session"] is True
    answer = client.get("/f/abc/")
    assert answer.json()["session"] is False
    assert answer.cookies == {}
    assert "Cookie" not in answer.headers.get("Vary", "")


@pytest.mark.parametrize("address", ["/f/abc/", "/console/", "/nowhere/"])
def test_every_answer_carries_the_strict_headers(client: Client, address: str) -> None:
    headers = client.get(address).headers
    policy = headers["Content-Security-Policy"]
    assert "default-src 'none'" in policy
    assert "unsafe" not in policy
    assert headers["X-Content-Type-Options"] == "nosniff"
    assert headers["X-Frame-Options"] == "DENY"
    assert headers["Referrer-Policy"] == "same-origin"
    assert "no-store" in headers["Cache-Control"]
    assert len(headers["X-Request-ID"]) == 16


@pytest.mark.parametrize(("address", "limit"), [("/f/abc/", 256 * 1024), ("/console/", 10 * 1024 * 1024)])
def test_a_body_over_the_limit_is_413_before_the_view(client: Client, address: str, limit: int) -> None:
    fits = client.post(address, b"x" * limit, content_type="text/plain")
    assert (fits.status_code, fits.json()["body"]) == (200, limit)
    over = client.post(address, b"x" * (limit + 1), content_type="text/plain")
    assert over.status_code == 413
    assert over.headers["Content-Type"] == "application/problem+json"
    assert over.json()["status"] == 413


def test_a_body_without_a_length_is_counted_while_it_is_read() -> None:
    fits = chunked(b"x" * 1000)
    assert (fits.status_code, json.loads(fits.content)["body"]) == (200, 1000)
    assert chunked(b"x" * (256 * 1024 + 1)).status_code == 413


def test_a_foreign_host_name_is_refused_everywhere_but_at_the_health_pages(client: Client) -> None:
    assert client.get("/f/abc/", headers={"host": "evil.example"}).status_code == 400
    with override_settings(ROOT_URLCONF="leadscenter.urls"):
        assert client.get("/healthz/live", headers={"host": "10.0.0.3"}).status_code == 200


@pytest.mark.parametrize(
    ("peer", "forwarded", "found"),
    [
        ("203.0.113.9", "", "203.0.113.9"),
        ("203.0.113.9", "198.51.100.1", "203.0.113.9"),  # not a proxy of ours: its header counts for nothing
        ("10.0.0.1", "198.51.100.1", "198.51.100.1"),
        ("10.0.0.1", "6.6.6.6, 198.51.100.1, 10.0.0.2", "198.51.100.1"),  # what the client itself wrote comes first
        ("10.0.0.1", "", "10.0.0.1"),
        ("::ffff:10.0.0.1", "198.51.100.1", "198.51.100.1"),
        ("2001:db8::1", "2a00::5", "2a00::5"),
        ("10.0.0.1", "garbage", "garbage"),
        ("", "198.51.100.1", ""),
    ],
)
def test_only_trusted_proxies_say_where_a_request_came_from(peer: str, forwarded: str, found: str) -> None:
    assert client_address(peer, forwarded, PROXIES) == found


def test_headers_of_a_stranger_change_neither_address_nor_scheme(client: Client) -> None:
    headers = {"x-forwarded-for": "198.51.100.1", "x-forwarded-proto": "https"}
    with override_settings(SECURE_PROXY_SSL_HEADER=("HTTP_X_FORWARDED_PROTO", "https")):
        stranger = client.get("/f/abc/", headers=headers, REMOTE_ADDR="203.0.113.9").json()
        with override_settings(TRUSTED_PROXIES=PROXIES):
            proxied = client.get("/f/abc/", headers=headers, REMOTE_ADDR="10.0.0.1").json()
    assert (stranger["address"], stranger["secure"]) == ("203.0.113.9", False)
    assert (proxied["address"], proxied["secure"]) == ("198.51.100.1", True)


def test_the_log_has_one_line_without_query_right_or_unknown_path(
    client: Client, caplog: pytest.LogCaptureFixture
) -> None:
    with caplog.at_level(logging.INFO, "leadscenter.requests"):
        client.get("/console/?q=ann@example.com")
        client.get("/me/the-secret-token/")
        client.get("/ann@example.com/")
    lines = [record for record in caplog.records if record.name == "leadscenter.requests"]
    assert [(record.path, record.status) for record in lines] == [  # type: ignore[attr-defined]
        ("/console/", 200),
        ("/me/<str:token>/", 200),
        ("-", 404),
    ]


def test_the_console_passes_on_what_django_calls_middleware_for(rf: RequestFactory) -> None:
    assert steps_aside(rf.get("/f/abc/"))
    assert steps_aside(rf.get("/api/v1/public/forms/x/"))
    assert not steps_aside(rf.get("/forms/"))
    strict = Client(enforce_csrf_checks=True)
    assert strict.post("/console/", {"a": "1"}).status_code == 403  # CsrfViewMiddleware speaks in process_view
    assert strict.post("/f/abc/", {"a": "1"}).status_code == 200


@pytest.mark.parametrize(
    ("setting", "value", "told"),
    [
        ("MIDDLEWARE", ["leadscenter.middleware.Console"], "leadscenter.E001"),
        ("CONSOLE_MIDDLEWARE", settings.CONSOLE_MIDDLEWARE[1:], "leadscenter.E002"),
        ("CONSOLE_MIDDLEWARE", settings.CONSOLE_MIDDLEWARE[::-1], "leadscenter.E002"),
        ("CONTENT_SECURITY_POLICY", "default-src 'none'; script-src 'unsafe-inline'", "leadscenter.E003"),
    ],
)
def test_a_missing_wall_is_a_system_error(setting: str, value: Any, told: str) -> None:
    assert told not in {message.id for message in run_checks()}
    with override_settings(**{setting: value}):
        assert told in {message.id for message in run_checks()}
