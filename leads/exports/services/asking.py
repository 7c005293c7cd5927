"""Asking for an export: who, which leads, until when. A worker makes it."""

from datetime import timedelta

from django.db import transaction
from django.db.models.functions import Now
from django.utils.translation import gettext as _

from accounts import audit
from accounts.access import Can, require
from accounts.models import Act, LeadLibrary, User
from accounts.refusals import Conflict, Invalid
from leads.exports.file import wrap_key
from leads.models import Export, Lead
from leads.selection import Selection
from leadscenter.lib.envelope import new_key

FORMATS = ("csv", "xlsx")
KEPT = timedelta(days=7)
TASK_KEPT = timedelta(minutes=10)  # what the Marketing API promises
MAX_WAITING = 5
UNDER_WAY = (Export.State.PENDING, Export.State.RUNNING)


def request_export(
    *, actor: User, library: LeadLibrary, selection: Selection, file_format: str = "csv", layout: str = "all"
) -> Export:
    """Write down an export of the leads that match `selection` and have arrived until now.

    Raises `Refused`, `Invalid` for another format or state, `Conflict` while too many of the actor's are under way.
    """
    require(actor, Can.DOWNLOAD_LEADS, library)
    if file_format not in FORMATS:
        raise Invalid({"format": _("Use one of: %(offered)s.") % {"offered": ", ".join(FORMATS)}})
    if selection.state != Lead.State.LIVE:
        raise Invalid({"state": _("Only leads outside the trash can be exported. Restore them first.")})
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
            form=selection.form,
            searched=bool(selection.words),
        )
        export.save(force_insert=True)
    export.refresh_from_db()
    return export


def lifetime(export: Export) -> timedelta:
    """Return for how long a finished file is kept."""
    return TASK_KEPT if export.layout == "tiktok" else KEPT
