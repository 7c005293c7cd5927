"""Trails as their holders read them, with filters."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.db import transaction
from django.db.models import QuerySet
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from accounts import audit
from accounts.access import Can, Refused, require, require_admin_of
from accounts.models import Act, AdAccount, AuditEvent, BusinessCenter, LeadLibrary, Scope, User
from accounts.refusals import Invalid, record_refusal
from leads.selection import read_id, read_time
from leadscenter.lib.paging import Page, keyset_page

PART = 1_000
PEOPLE_OF = 2_000  # the newest events, whose people can be chosen

TrailOf = LeadLibrary | AdAccount | BusinessCenter | None
"""Whose trail: a library's, an ad account's, a Business Center's; None is what the platform's holds of the reader."""


def _starting(*words: str) -> tuple[Act, ...]:
    return tuple(act for act in Act if act.value.startswith(words))


GROUPS: dict[str, tuple[Any, tuple[Act, ...]]] = {
    "looks": (
        gettext_lazy("Looks at leads"),
        (
            Act.LEADS_LISTED,
            Act.LEADS_SEARCHED,
            Act.LEAD_OPENED,
            Act.LEAD_REVEALED,
            Act.LEADS_READ,
            Act.CONSENT_READ,
        ),
    ),
    "changes": (
        gettext_lazy("Work on leads"),
        (
            Act.LEAD_CHANGED,
            Act.LEAD_CONTACTED,
            *_starting("follow_up_"),
            Act.NOTE_ADDED,
            Act.LEADS_DELETED,
            Act.LEADS_RESTORED,
            Act.LEADS_PURGED,
            Act.TEST_LEAD_CREATED,
            Act.LIBRARY_CHANGED,
        ),
    ),
    "exports": (
        gettext_lazy("Exports, downloads and imports"),
        (*_starting("export_", "import_"), Act.LEADS_IMPORTED),
    ),
    "deliveries": (
        gettext_lazy("Connections and deliveries"),
        (*_starting("connection_", "delivery_"), Act.LEADS_DELIVERED, Act.LEADS_BACKFILLED),
    ),
    "access": (
        gettext_lazy("Members, shares and transfers"),
        (
            *_starting("member_", "invit", "account_shared", "share_", "access_", "transfer_", "person_"),
            *_starting("business_center_", "ad_account_", "two_factor_", "permissions_", "terms_"),
            Act.RECOVERY_ASKED,
            Act.RECOVERY_CANCELLED,
            Act.RECOVERY_DONE,
        ),
    ),
    "forms": (gettext_lazy("Campaigns and forms"), _starting("campaign_", "form_")),
    "sign_in": (
        gettext_lazy("Sign-in and tokens"),
        (*_starting("signed_", "password_", "second_factor_", "token_"), Act.RECOVERY_CODES_MADE),
    ),
    "trail": (gettext_lazy("Trail and alarms"), _starting("trail_", "alarm_", "keys_")),
}


@dataclass(frozen=True, slots=True)
class TrailFilter:
    """Which events: by act or group of acts, by person, in a time, refusals only."""

    act: str = ""
    group: str = ""
    actor: int | None = None
    since: datetime | None = None
    until: datetime | None = None
    refused: bool = False


def read_trail_filter(params: Mapping[str, Any]) -> TrailFilter:
    """Read untrusted parameters; raise `Invalid`."""
    values: dict[str, Any] = {}
    errors: dict[str, str] = {}
    for name in ("act", "group", "actor", "since", "until", "refused"):
        if not (text := str(params.get(name) or "").strip()):
            continue
        try:
            values[name] = _read(name, text)
        except (ValueError, KeyError):
            errors[name] = _("This value cannot be used.")
    if errors:
        raise Invalid(errors)
    return TrailFilter(**values)


def _read(name: str, text: str) -> Any:
    if name == "act":
        return str(Act(text))
    if name == "group":
        return next(group for group in (text,) if GROUPS[group])
    if name == "refused":
        return {"1": True, "true": True, "0": False, "false": False}[text]
    return read_id(text) if name == "actor" else read_time(text, end=name == "until")


def require_trail(actor: User, scope: TrailOf) -> None:
    """Raise `Refused` unless `actor` may read this trail.

    A library's moves with custody; an ad account's (campaigns, forms, members) is its Administrators', a Business
    Center's its Admins'. Of the platform's everybody may read what they did themselves.
    """
    if isinstance(scope, LeadLibrary):
        require(actor, Can.VIEW_TRAIL, scope)
    elif isinstance(scope, AdAccount):
        require(actor, Can.MANAGE_MEMBERS, scope)
    elif scope is not None:
        require_admin_of(actor, scope)


def trail(
    actor: User, scope: TrailOf, wanted: TrailFilter, *, cursor: str | None = None, size: int = 50
) -> Page[AuditEvent]:
    """Return a page of the trail, newest first, and record that this page was read; raise `Refused`, `BadCursor`.

    Reading what is one's own is not recorded: it would fill the platform's trail with nothing.
    """
    require_trail(actor, scope)
    page = keyset_page(_events(actor, scope, wanted), order="-at", size=size, cursor=cursor)
    if scope is not None:
        with transaction.atomic():
            audit.record(Act.TRAIL_READ, scope, actor=actor)
    return page


def record_download(actor: User, scope: TrailOf, wanted: TrailFilter) -> None:
    """Record that the events which match are downloaded; raise `Refused`."""
    require_trail(actor, scope)
    with transaction.atomic():
        audit.record(
            Act.TRAIL_DOWNLOADED,
            scope,
            actor=actor,
            about=wanted.act or wanted.group or None,
            of=str(wanted.actor) if wanted.actor else None,
            since=wanted.since.isoformat() if wanted.since else None,
            until=wanted.until.isoformat() if wanted.until else None,
            refused=wanted.refused or None,
        )


def parts_of_trail(actor: User, scope: TrailOf, wanted: TrailFilter, *, size: int = PART) -> Iterator[list[AuditEvent]]:
    """Yield the events that match, newest first, a part at a time; the right is asked before each.

    Raises `Refused` when it ends on the way, and records that: no frame stands around an answer that is under way.
    """
    cursor: str | None = None
    while True:
        try:
            require_trail(User.objects.get(pk=actor.pk), scope)
        except Refused as refused:
            record_refusal(refused)
            raise
        page = keyset_page(_events(actor, scope, wanted), order="-at", size=size, cursor=cursor)
        yield page.rows
        if page.next is None:
            return
        cursor = page.next


def people_in(scope: TrailOf) -> list[User]:
    """Return the people of the newest events of a trail, by name: whom the filter offers."""
    kind, scope_id = audit.scope_of(scope)
    newest = AuditEvent.objects.filter(scope=kind, scope_id=scope_id).order_by("-at", "-id")
    ids = set(newest.values_list("actor_id", flat=True)[:PEOPLE_OF])
    return list(User.objects.filter(pk__in=ids - {None}).order_by("name", "pk"))


def _events(actor: User, scope: TrailOf, wanted: TrailFilter) -> QuerySet[AuditEvent]:
    kind, scope_id = audit.scope_of(scope)
    events = AuditEvent.objects.filter(scope=kind, scope_id=scope_id).select_related("actor")
    if kind == Scope.PLATFORM:
        events = events.filter(actor=actor)
    if wanted.act:
        events = events.filter(act=wanted.act)
    if wanted.group:
        events = events.filter(act__in=GROUPS[wanted.group][1])
    if wanted.refused:
        events = events.filter(act=Act.REFUSED)
    if wanted.actor:
        events = events.filter(actor_id=wanted.actor)
    if wanted.since:
        events = events.filter(at__gte=wanted.since)
    if wanted.until:
        events = events.filter(at__lt=wanted.until)
    return events
