"""What one person is told, and where they want to be told of what.

A notification is shown while its reader may view the leads of its library, in the custody in which it was made.
"""

from collections.abc import Iterable
from dataclasses import dataclass

from django.db.models import F, QuerySet

from accounts.access import Can, visible
from accounts.models import User
from leads.models import Notification, NotificationSetting
from leadscenter.lib.paging import Page, keyset_page

PAGE = 25
COUNTED_AT_MOST = 100
Kind = Notification.Kind


@dataclass(frozen=True, slots=True)
class Wish:
    """Where somebody wants to be told of one kind."""

    kind: str
    label: str
    in_app: bool
    by_mail: bool


MAILED_BY_DEFAULT = {Kind.ASSIGNED, Kind.FOLLOW_UP, Kind.CONNECTION, Kind.EXPIRY, Kind.EXPORT, Kind.IMPORT}
"""All but a mail for each new lead, which everybody switches on for themselves."""


def notifications_of(actor: User) -> QuerySet[Notification]:
    """Return what the actor may still read of what they were told."""
    rows = Notification.objects.filter(user=actor, in_app=True, custody=F("library__custody"))
    return visible(actor, Can.VIEW_LEADS, rows, "library_id")


def notification_page(actor: User, *, cursor: str | None = None, unread: bool = False) -> Page[Notification]:
    """Return a page, newest first; raise `BadCursor`."""
    rows = notifications_of(actor).select_related("library__ad_account")
    return keyset_page(rows.filter(read_at=None) if unread else rows, order="-at", size=PAGE, cursor=cursor)


def unread_count(actor: User) -> int:
    """Return how many are unread, at most 100."""
    return notifications_of(actor).filter(read_at=None).order_by().values("pk")[:COUNTED_AT_MOST].count()


def wishes_of(actor: User) -> list[Wish]:
    """Return a wish per kind: the person's own or the default."""
    own = {row.kind: row for row in NotificationSetting.objects.filter(user=actor)}
    return [
        Wish(
            str(kind.value),
            str(kind.label),
            own[kind].in_app if kind in own else True,
            own[kind].by_mail if kind in own else kind in MAILED_BY_DEFAULT,
        )
        for kind in Kind
    ]


def wishes_for(kind: Notification.Kind, users: Iterable[int]) -> dict[int, tuple[bool, bool]]:
    """Return (in the app, by mail) of each of these people for one kind; one query."""
    default = (True, kind in MAILED_BY_DEFAULT)
    own = NotificationSetting.objects.filter(kind=kind, user__in=list(users))
    said = {user: (in_app, by_mail) for user, in_app, by_mail in own.values_list("user_id", "in_app", "by_mail")}
    return {user: said.get(user, default) for user in users}
