"""Browser sessions of one person: which are open, and signing out from afar."""

from dataclasses import dataclass
from datetime import datetime

from allauth.usersessions.models import UserSession
from django.contrib.sessions.models import Session
from django.db import transaction
from django.db.models import QuerySet
from django.db.models.functions import Now

from accounts import audit
from accounts.models import Act, User

BROWSERS = (("Edg", "Edge"), ("OPR", "Opera"), ("Firefox", "Firefox"), ("Chrome", "Chrome"), ("Safari", "Safari"))
SYSTEMS = (
    *(("iPhone", "iPhone"), ("iPad", "iPad"), ("Android", "Android"), ("Windows", "Windows")),
    *(("Mac OS", "macOS"), ("CrOS", "ChromeOS"), ("Linux", "Linux")),
)


@dataclass(frozen=True, slots=True)
class OpenSession:
    """A session as its person sees it; `here` marks the one that asks. Its key stays with us."""

    id: int
    browser: str
    address: str
    signed_in_at: datetime
    last_seen_at: datetime
    here: bool


def sessions_of(user: User, *, key: str | None) -> list[OpenSession]:
    """Return the person's open sessions, the asking one (by its session key) first, then the youngest."""
    rows = [
        OpenSession(
            id=row.pk,
            browser=browser_of(row.user_agent),
            address="" if row.ip == "0.0.0.0" else str(row.ip),  # noqa: S104  # what stands for "unknown"
            signed_in_at=row.created_at,
            last_seen_at=row.last_seen_at,
            here=row.session_key == key,
        )
        for row in _open(user).order_by("-created_at", "-pk")
    ]
    return sorted(rows, key=lambda row: not row.here)


@transaction.atomic
def end_session(*, actor: User, session_id: int) -> bool:
    """Sign one of the actor's own sessions out; False when there is none such."""
    keys = list(UserSession.objects.filter(user=actor, pk=session_id).values_list("session_key", flat=True))
    if keys:
        audit.record(Act.SIGNED_OUT_ELSEWHERE, None, actor=actor, targets=[session_id])
        _end(keys)
    return bool(keys)


@transaction.atomic
def end_other_sessions(*, user: User, keep: str | None) -> int:
    """Sign the person out everywhere but in the session whose key is `keep`; return how many ended."""
    keys = list(_open(user).exclude(session_key=keep or "").values_list("session_key", flat=True))
    if keys:
        audit.record(Act.SIGNED_OUT_ELSEWHERE, None, actor=user, count=len(keys))
        _end(keys)
    return len(keys)


def browser_of(agent: str) -> str:
    """Return the browser and system that a User-Agent names: "Firefox, Linux"; "" when it names neither."""
    named = [next((name for mark, name in known if mark in agent), "") for known in (BROWSERS, SYSTEMS)]
    return ", ".join(name for name in named if name)


def _open(user: User) -> QuerySet[UserSession]:
    living = Session.objects.filter(expire_date__gt=Now()).values("session_key")
    return UserSession.objects.filter(user=user, session_key__in=living)


def _end(keys: list[str]) -> None:
    Session.objects.filter(session_key__in=keys).delete()
    UserSession.objects.filter(session_key__in=keys).delete()
