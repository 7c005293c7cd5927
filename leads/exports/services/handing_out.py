"""Handing out a finished export: permission and custody are asked at the first byte and before every further MiB."""

from collections.abc import Iterator
from dataclasses import dataclass

from django.db import transaction
from django.db.models.functions import Now
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from accounts import audit
from accounts.access import Can, Refused, may, require
from accounts.models import Act, LeadLibrary, User
from accounts.refusals import Conflict, record_refusal
from leads.exports import file
from leads.exports.services.running import record_stopped
from leads.models import Export

CSV = "text/csv; charset=utf-8"
XLSX = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"
ORPHANED = gettext_lazy("Who asked for this file may not download leads any more. Ask for a new export.")


@dataclass(frozen=True, slots=True)
class Download:
    """A file on its way: `length` in bytes, `parts` of at most 1 MiB each."""

    name: str
    content_type: str
    length: int
    parts: Iterator[bytes]


def download(*, actor: User, export: Export) -> Download:
    """Record the download and return the file.

    Raises `Refused` (also for a file made before a transfer) and `Conflict` for one that is not ready, has expired, or
    whose asker may not download leads any more.
    The parts raise `Refused` when the right ends on the way: what was sent till then has no end.
    """
    require(actor, Can.DOWNLOAD_LEADS, export.library, custody=export.custody)
    if not _asker_may(export, export.library):
        raise Conflict("export_orphaned", str(ORPHANED))
    with transaction.atomic():
        live = Export.objects.filter(pk=export.pk, state=Export.State.DONE)
        if not live.exists():
            raise Conflict("export_not_ready", _("This export has no file: %(why)s") % {"why": why_no_file(export)})
        if export.wrapped_key is None or not live.filter(expires_at__gt=Now()).exists():
            raise Conflict("export_expired", _("This file has expired. Ask for a new export."))
        if not file.finished(export.pk).exists():
            raise Conflict("export_missing", _("This file is not here any more. Ask for a new export."))
        Export.objects.filter(pk=export.pk, fetched_at=None).update(fetched_at=Now())
        audit.record(Act.EXPORT_DOWNLOADED, export.library, actor=actor, targets=[export.pk], count=export.rows)
    key = file.unwrap_key(export.wrapped_key)
    name = file.WORKBOOK if export.format == "xlsx" else file.NAME
    return Download(
        name=f"leads-{export.requested_at:%Y-%m-%d}-{export.pk}.{export.format}",
        content_type=XLSX if export.format == "xlsx" else CSV,
        length=file.content_length(export.bytes_written, export.records),
        parts=_parts(actor, export, file.read(export.pk, key, export.records, name=name)),
    )


def why_no_file(export: Export) -> str:
    """Return in words why an export that is not done has no file."""
    return export.failure or str(Export.State(export.state).label).lower()


def _parts(actor: User, export: Export, records: Iterator[bytes]) -> Iterator[bytes]:
    for record in records:
        library = _library(export)
        try:
            require(User.objects.get(pk=actor.pk), Can.DOWNLOAD_LEADS, library, custody=export.custody)
            if not _asker_may(export, library):
                raise Refused(actor, Can.DOWNLOAD_LEADS, library, str(ORPHANED))
        except Refused as refused:
            record_refusal(refused)  # no frame stands around an answer that is already on its way
            _record_overtaken(actor, export, library)
            raise
        if record:
            yield record
    _record_overtaken(actor, export, _library(export))  # while the last piece was on its way


def _asker_may(export: Export, library: LeadLibrary) -> bool:
    """Whether who asked for the file may still download leads: a file lives no longer than its asker's right."""
    return may(User.objects.get(pk=export.requested_by_id), Can.DOWNLOAD_LEADS, library)


def _library(export: Export) -> LeadLibrary:
    return LeadLibrary.objects.select_related("ad_account", "custodian").get(pk=export.library_id)


def _record_overtaken(actor: User, export: Export, library: LeadLibrary) -> None:
    """Tell both sides of a download that was on its way when a transfer was accepted."""
    if export.custody != library.custody:
        with transaction.atomic():
            record_stopped(export, library, actor=actor, download=True)
