"""Handing out the faulty rows of an import: people's data in clear, so the right to download leads is asked for it."""

from collections.abc import Iterator

from django.db import transaction
from django.db.models.functions import Now
from django.utils.translation import gettext as _

from accounts import audit
from accounts.access import Can, Refused, require
from accounts.models import Act, LeadLibrary, User
from accounts.refusals import Conflict, record_refusal
from leads.exports.services.handing_out import CSV, Download
from leads.imports import faults, file
from leads.models import Import
from leads.sealed_file import content_length

READY = (Import.State.CHECKED, Import.State.DONE)


def has_faults_file(row: Import) -> bool:
    """Whether there is a file of faulty rows to fetch."""
    return bool(row.state in READY and row.faulty and row.wrapped_key is not None)


def download_faults(*, actor: User, row: Import) -> Download:
    """Record the download and return the file of faulty rows.

    Raises `Refused` (also for a file from before a transfer) and `Conflict` where there is none. The parts raise
    `Refused` when the right ends on the way.
    """
    require(actor, Can.DOWNLOAD_LEADS, row.library, custody=row.custody)
    with transaction.atomic():
        fresh = Import.objects.filter(pk=row.pk, expires_at__gt=Now()).first()
        if fresh is None or not has_faults_file(fresh) or not file.faults(row.pk).exists():
            raise Conflict("import_has_no_faults", _("This import has no file of faulty rows, or not any more."))
        audit.record(Act.IMPORT_FAULTS_READ, row.library, actor=actor, targets=[row.pk], count=fresh.faulty)
    return Download(
        name=f"faulty-rows-{row.requested_at:%Y-%m-%d}-{row.pk}.csv",
        content_type=CSV,
        length=content_length(fresh.fault_bytes, fresh.fault_records),
        parts=_parts(actor, fresh),
    )


def _parts(actor: User, row: Import) -> Iterator[bytes]:
    for part in faults.parts_of(row):
        library = LeadLibrary.objects.select_related("ad_account", "custodian").get(pk=row.library_id)
        try:
            require(User.objects.get(pk=actor.pk), Can.DOWNLOAD_LEADS, library, custody=row.custody)
        except Refused as refused:
            record_refusal(refused)  # no frame stands around an answer that is already on its way
            raise
        if part:
            yield part
