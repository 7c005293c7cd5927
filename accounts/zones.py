"""In which time zone a page shows and reads moments: the one that its person chose, else that of the ad account in
view, else UTC.

It is Django's current time zone while the page is made, so that `timezone.localtime` and the templates follow it. The
REST API, tasks and mails stay in UTC; so do days that are counted by the database, which say in which zone they count.
"""

from collections.abc import Callable
from contextvars import ContextVar
from datetime import UTC, tzinfo
from typing import Any
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError, available_timezones

from django.http import HttpRequest, HttpResponse
from django.utils import timezone

from accounts.declarations import Declaration
from accounts.models import AdAccount, User

ZONES = tuple(sorted(available_timezones()))
_follows: ContextVar[bool] = ContextVar("follows_the_account", default=False)


class PersonalZone:
    """Middleware: a page of the console is made in the time zone of its person, and the next one begins anew."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        before = _follows.set(False)
        try:
            with timezone.override(None):
                return self.get_response(request)
        finally:
            _follows.reset(before)

    def process_view(
        self, request: HttpRequest, view: Callable[..., Any], args: tuple[Any, ...], kwargs: dict[str, Any]
    ) -> None:
        """Take the zone that the person chose; without one the page follows the ad account that it is about."""
        declared = getattr(view, "declaration", None)
        if not isinstance(declared, Declaration) or declared.kind not in ("allows", "signed_in"):
            return
        if isinstance(request.user, User):
            if request.user.time_zone:
                timezone.activate(zone_named(request.user.time_zone))
            else:
                _follows.set(True)


def follow(account: AdAccount) -> None:
    """Make the rest of the page in the ad account's time zone, unless its person chose one; outside a page, nothing."""
    if _follows.get():
        timezone.activate(zone_named(account.time_zone))


def zone_named(name: str) -> tzinfo:
    """Return the time zone of that name; UTC where this machine does not know it any more."""
    try:
        return ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError):
        return UTC
