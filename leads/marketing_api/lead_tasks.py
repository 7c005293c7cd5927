"""Lead tasks: an export in TikTok's columns, asked for, polled, taken within ten minutes. CSV, ZIP above 10 MB.

Without `x-lead-region` a task searches every region that this installation holds; the header narrows, and `message`
says which were searched (TikTok itself answers a wrong region with an empty file and no word).
"""

import io
import zipfile
from collections.abc import Iterator, Mapping
from typing import Any

from django.http import HttpResponseBase, StreamingHttpResponse
from django.utils import timezone
from django.utils.translation import gettext as _
from rest_framework.request import Request
from rest_framework.response import Response

from accounts.access import Can, require
from accounts.authentication import actor_of
from accounts.models import LeadLibrary
from campaigns.models import Ad
from leads.exports.file import content_length
from leads.exports.services.asking import request_export
from leads.exports.services.handing_out import Download, download
from leads.marketing_api.codes import Code, Failed
from leads.marketing_api.envelope import MarketingView, envelope
from leads.marketing_api.pages import form_of
from leads.marketing_api.parameters import id_of, library_of, one_of_two, parameters, regions_of
from leads.models import Export, Lead
from leads.selection import Selection
from leadscenter.lib.regions import REGIONS

ZIP_ABOVE = 10 * 1000 * 1000
STATES = {
    Export.State.PENDING: "CREATED",
    Export.State.RUNNING: "RUNNING",
    Export.State.DONE: "SUCCEED",
    Export.State.FAILED: "FAILED",
    Export.State.EXPIRED: "FAILED",
}


class Task(MarketingView):
    """`/page/lead/task/`: make a task, or ask how one is. Older clients use GET."""

    can = Can.DOWNLOAD_LEADS

    def post(self, request: Request) -> Response:
        """Make a task for a page or an ad; with `task_id` tell its state."""
        given = parameters(request)
        library = library_of(given)
        require(actor_of(request), Can.DOWNLOAD_LEADS, library)
        export = task_of(given, library) if given.get("task_id") else self._made(request, given, library)
        return envelope(request, _task(export), message=_message(export))

    get = post

    def _made(self, request: Request, given: Mapping[str, Any], library: LeadLibrary) -> Export:
        page_id, ad_id = one_of_two(given, "page_id", "ad_id")
        if page_id:
            selection = Selection(form=form_of(given, library).pk, regions=regions_of(request))
        else:
            ads = Ad.objects.filter(pk=ad_id or 0, ad_group__campaign__ad_account_id=library.ad_account_id)
            if not ads.exists():
                raise Failed(Code.NOT_EXIST, _("There is no such ad."))
            selection = Selection(ad=ad_id, regions=regions_of(request))
        return request_export(
            actor=actor_of(request), library=library, selection=selection, layout=Export.Layout.TIKTOK, is_task=True
        )


def task_of(given: Mapping[str, Any], library: LeadLibrary) -> Export:
    """Return the task of this library that `task_id` names; raise `Failed`."""
    task_id = id_of(given, "task_id")
    rows = Export.objects.select_related("library__ad_account", "library__custodian", "requested_by")
    export = rows.filter(pk=task_id or 0, library=library, is_task=True).first()
    if export is None:
        raise Failed(Code.FILE_NOT_EXIST, _("There is no such task."))
    return export


def _is_zip(export: Export) -> bool:
    return content_length(export.bytes_written, export.records) > ZIP_ABOVE


def _name(export: Export) -> str:
    return f"leads-{export.pk}.{'zip' if _is_zip(export) else 'csv'}"


def _task(export: Export) -> dict[str, str]:
    told = {"task_id": str(export.pk), "status": STATES[Export.State(export.state)]}
    if export.state == Export.State.DONE:
        told |= {"file_name": _name(export), "file_type": "zip" if _is_zip(export) else "csv"}
    return told


def _message(export: Export) -> str:
    searched = export.filter.get("regions") or REGIONS
    told = _("OK. Regions searched: %(regions)s.") % {"regions": ", ".join(searched)}
    if export.state == Export.State.DONE and not export.rows:
        selection = Selection.from_json({**export.filter, "regions": (), "test": False})
        leads = selection.apply(Lead.objects.filter(library_id=export.library_id)).order_by()
        holding = sorted(set(leads.values_list("region", flat=True).distinct()))
        held = ", ".join(holding) or _("none")
        told += " " + _("The file is empty. Regions with leads: %(regions)s.") % {"regions": held}
    if export.state in (Export.State.FAILED, Export.State.EXPIRED):
        told = export.failure or _("The file has expired.")
    return told


class TaskDownload(MarketingView):
    """`/page/lead/task/download/`: the file."""

    can = Can.DOWNLOAD_LEADS

    def get(self, request: Request) -> HttpResponseBase:
        """Send the file while it is there, rights asked before each MiB."""
        given = parameters(request)
        library = library_of(given)
        require(actor_of(request), Can.DOWNLOAD_LEADS, library)
        export = task_of(given, library)
        _must_be_ready(export)
        taken = download(actor=actor_of(request), export=export)
        return _answer(export, taken)


def _must_be_ready(export: Export) -> None:
    over = export.expires_at is not None and export.expires_at <= timezone.now()
    if export.state == Export.State.EXPIRED or (export.state == Export.State.DONE and over):
        raise Failed(Code.FILE_EXPIRED, _("The file has expired: it lives ten minutes. Make a new task."))
    if export.state == Export.State.FAILED:
        raise Failed(Code.GENERAL_TASK_ERROR, export.failure)
    if export.state != Export.State.DONE:
        raise Failed(Code.TASK_NOT_READY, _("The task is not ready yet. Poll it until its status is SUCCEED."))


def _answer(export: Export, taken: Download) -> StreamingHttpResponse:
    headers = {"Content-Disposition": f'attachment; filename="{_name(export)}"', "Cache-Control": "no-store"}
    if _is_zip(export):
        parts = zipped(taken.parts, f"leads-{export.pk}.csv")
        return StreamingHttpResponse(parts, headers={**headers, "Content-Type": "application/zip"})
    headers |= {"Content-Type": "text/csv; charset=utf-8", "Content-Length": str(taken.length)}
    return StreamingHttpResponse(taken.parts, headers=headers)


class _Outlet(io.RawIOBase):
    """Where the archive writes to: takes bytes and gives them on, never back."""

    def __init__(self) -> None:
        self._waiting = bytearray()

    def writable(self) -> bool:
        """Yes."""
        return True

    def write(self, content: Any) -> int:
        """Keep until drained."""
        self._waiting += content
        return len(content)

    def drain(self) -> bytes:
        """Return what has been written since the last time."""
        taken, self._waiting = bytes(self._waiting), bytearray()
        return taken


def zipped(parts: Iterator[bytes], name: str) -> Iterator[bytes]:
    """Yield an archive with one file in it, packed on the way."""
    outlet = _Outlet()
    with zipfile.ZipFile(outlet, "w", zipfile.ZIP_DEFLATED) as archive:
        with archive.open(name, "w", force_zip64=True) as entry:
            for part in parts:
                entry.write(part)
                yield outlet.drain()
        yield outlet.drain()
    yield outlet.drain()
