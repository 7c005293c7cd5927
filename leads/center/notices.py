"""Notifications in words: a sentence and where it leads. They name accounts and connections, never a lead."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime

from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from leads.center.saying import in_words, names_of
from leads.models import Connection, Export, Notification
from leads.selection import Selection

ICONS = {
    Notification.Kind.NEW_LEAD: "leads",
    Notification.Kind.ASSIGNED: "assign",
    Notification.Kind.FOLLOW_UP: "clock",
    Notification.Kind.CONNECTION: "integrations",
    Notification.Kind.EXPIRY: "hourglass",
    Notification.Kind.EXPORT: "exports",
    Notification.Kind.IMPORT: "imports",
}

FAILING = "failing:"
"""How the occasions of connections begin that go on, but fail."""


@dataclass(frozen=True, slots=True)
class Notice:
    """A notification as it is read; `url` is a path of ours, `about` says which leads a file is of."""

    id: int
    kind: str
    icon: str
    text: str
    url: str
    at: datetime
    read: bool
    about: str = ""


def notices(rows: Iterable[Notification]) -> list[Notice]:
    """Put notifications, with their libraries and ad accounts fetched, into words; two queries for the rest, and
    one for each kind of thing that the filters of files name.
    """
    rows = list(rows)
    wanted = [row.object_id for row in rows if row.kind == Notification.Kind.CONNECTION]
    names = Connection.objects.only("name", "state_reason").in_bulk(wanted) if wanted else {}
    files = [row.object_id for row in rows if row.kind == Notification.Kind.EXPORT]
    exports = Export.objects.only("state", "failure", "filter").in_bulk(files) if files else {}
    why = {pk: export.failure for pk, export in exports.items() if export.state == Export.State.FAILED}
    filters = {pk: Selection.from_json(export.filter) for pk, export in exports.items()}
    called = names_of(filters.values())  # of forms, ads and labels: no person is named
    return [
        Notice(
            row.pk,
            row.kind,
            ICONS[Notification.Kind(row.kind)],
            _text(row, names, why),
            _url(row),
            row.at,
            row.read_at is not None,
            in_words(row.library, filters[row.object_id], called, row.user_id) if row.object_id in filters else "",
        )
        for row in rows
    ]


def _text(row: Notification, names: dict[int, Connection], stopped: dict[int, str]) -> str:
    told = {"account": row.library.ad_account.name, "n": f"{row.count:,}"}
    if connection := names.get(row.object_id):
        told |= {"name": connection.name, "why": connection.state_reason or _("it kept failing")}
    match row.kind:
        case Notification.Kind.NEW_LEAD:
            text = ngettext("A new lead arrived in %(account)s", "%(n)s new leads arrived in %(account)s", row.count)
        case Notification.Kind.ASSIGNED:
            text = ngettext(
                "A lead of %(account)s is assigned to you", "%(n)s leads of %(account)s are assigned to you", row.count
            )
        case Notification.Kind.FOLLOW_UP:
            text = _("A follow-up in %(account)s is due")
        case Notification.Kind.CONNECTION:
            text = _of_connection(row, named=connection is not None)
        case Notification.Kind.EXPIRY:
            text = ngettext(
                "%(n)s lead of %(account)s is deleted within a week, when its time is over",
                "%(n)s leads of %(account)s are deleted within a week, when their time is over",
                row.count,
            )
        case Notification.Kind.EXPORT if row.object_id in stopped:
            told["why"] = stopped[row.object_id].rstrip(".")
            text = _("A file with leads of %(account)s could not be made: %(why)s. Nothing of it can be downloaded")
        case Notification.Kind.EXPORT:
            text = ngettext(
                "The file with %(n)s lead of %(account)s is ready",
                "The file with %(n)s leads of %(account)s is ready",
                row.count,
            )
        case _:
            text = _("The import into %(account)s has ended")
    return text % told


def _of_connection(row: Notification, *, named: bool) -> str:
    if row.occasion.startswith(FAILING):
        if not named:
            return _("Deliveries of %(account)s to a connection fail. The leads are safe here")
        return _("Deliveries of %(account)s to “%(name)s” fail: %(why)s. The leads are safe here")
    if not named:
        return _("A connection of %(account)s stopped. Its leads wait; nothing is lost")
    return _("The connection “%(name)s” of %(account)s stopped: %(why)s. Its leads wait; nothing is lost")


def _url(row: Notification) -> str:
    place = f"/l/{row.library_id}"
    lead = f"{place}/leads/{row.object_id}/" if row.object_id and row.count == 1 else f"{place}/leads/"
    return {
        Notification.Kind.NEW_LEAD: lead,
        Notification.Kind.ASSIGNED: lead if row.count == 1 else f"{place}/leads/?assignee=me",
        Notification.Kind.FOLLOW_UP: lead,
        Notification.Kind.CONNECTION: f"{place}/integrations/{row.object_id}/",
        Notification.Kind.EXPIRY: f"{place}/leads/?expiring=1",
        Notification.Kind.EXPORT: f"{place}/exports/",
        Notification.Kind.IMPORT: f"{place}/imports/",
    }[Notification.Kind(row.kind)]
