"""Asking for an export: who, which leads, which columns, until when. A worker makes it."""

from collections.abc import Sequence
from datetime import timedelta
from zoneinfo import available_timezones

from django.db import transaction
from django.db.models.functions import Now
from django.utils.translation import gettext as _

from accounts import audit
from accounts.access import Can, require
from accounts.models import Act, LeadLibrary, User
from accounts.refusals import Conflict, Invalid
from leads.exports.catalogue import offered
from leads.exports.columns import NOTES
from leads.exports.file import wrap_key
from leads.models import Export, Lead
from leads.selection import Selection
from leadscenter.lib.envelope import new_key

Layout = Export.Layout
FORMATS = ("csv", "xlsx")
IN_UTC = (Layout.TIKTOK, Layout.POSTBACK)
KEPT = timedelta(days=7)
TASK_KEPT = timedelta(minutes=10)  # what the Marketing API promises
MAX_WAITING = 5
UNDER_WAY = (Export.State.PENDING, Export.State.RUNNING)


def request_export(
    *,
    actor: User,
    library: LeadLibrary,
    selection: Selection,
    file_format: str = "csv",
    layout: str = Layout.ALL,
    columns: Sequence[str] = (),
    time_zone: str = "",
    is_task: bool = False,
) -> Export:
    """Write down an export of the leads that match `selection` and have arrived until now.

    `columns` are keys of `leads.exports.catalogue`, in the order of the file, for the layout "chosen" and no other;
    `time_zone` is an IANA name, "" for UTC. A task of the Marketing API lives ten minutes, whatever its layout.
    Raises `Refused`, `Invalid` for what cannot be asked for, `Conflict` while too many of the actor's are under way.
    """
    require(actor, Can.DOWNLOAD_LEADS, library)
    _must_be_possible(library, file_format, layout, columns, time_zone)
    if selection.state != Lead.State.LIVE:
        raise Invalid({"state": _("Only live leads can be exported, not those in the trash or in quarantine.")})
    key = wrap_key(new_key())
    with transaction.atomic():
        require(actor, Can.DOWNLOAD_LEADS, library)
        if Export.objects.filter(library=library, requested_by=actor, state__in=UNDER_WAY).count() >= MAX_WAITING:
            raise Conflict("exports_waiting", _("Five of your exports are under way. Wait for one to be ready."))
        export = Export(
            library=library,
            custody=library.custody,
            requested_by=actor,
            format=file_format,
            layout=layout,
            columns=list(columns),
            time_zone=time_zone,
            is_task=is_task,
            filter=selection.as_json(),
            bound_at=Now(),
            wrapped_key=key,
        )
        audit.record(
            Act.EXPORT_REQUESTED,
            library,
            actor=actor,
            targets=[export.pk],
            format=file_format,
            layout=layout,
            columns=len(columns) or None,
            notes=NOTES in columns or None,
            time_zone=time_zone or None,
            form=selection.form,
            searched=bool(selection.words),
        )
        export.save(force_insert=True)
    export.refresh_from_db()
    return export


def _must_be_possible(
    library: LeadLibrary, file_format: str, layout: str, columns: Sequence[str], time_zone: str
) -> None:
    """Raise `Invalid` with a sentence for the first thing that no file can be."""
    if file_format not in FORMATS:
        raise Invalid({"format": _("Use one of: %(offered)s.") % {"offered": ", ".join(FORMATS)}})
    if layout not in Layout.values:
        raise Invalid({"layout": _("Use one of: %(offered)s.") % {"offered": ", ".join(Layout.values)}})
    if file_format not in formats_of(layout):
        raise Invalid({"format": _("TikTok takes the signal postback as CSV.")})
    if time_zone and layout in IN_UTC:
        raise Invalid({"time_zone": _("The times of TikTok's layouts are UTC.")})
    if time_zone and time_zone not in available_timezones():
        raise Invalid({"time_zone": _("Use the name of a time zone, such as Europe/Berlin.")})
    if layout != Layout.CHOSEN and columns:
        raise Invalid({"columns": _("Columns are chosen for the layout “chosen” alone.")})
    if layout == Layout.CHOSEN:
        _must_be_offered(library, columns)


def formats_of(layout: str) -> tuple[str, ...]:
    """Return the formats that a layout comes in."""
    return ("csv",) if layout == Layout.POSTBACK else FORMATS


def _must_be_offered(library: LeadLibrary, columns: Sequence[str]) -> None:
    if not columns:
        raise Invalid({"columns": _("Choose at least one column.")})
    left = {column.key for group in offered(library) for column in group.columns}
    for place, key in enumerate(columns, start=1):
        if key not in left:
            told = _("There is no such column, or it stands there twice: number %(place)s of the list.")
            raise Invalid({"columns": told % {"place": place}})
        left.remove(key)


def lifetime(export: Export) -> timedelta:
    """Return for how long a finished file is kept: a person comes back to it, a program takes it at once."""
    return TASK_KEPT if export.is_task else KEPT
