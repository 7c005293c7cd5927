"""Exports as somebody may see them: every one of a library, for whoever may download its leads."""

from django.http import Http404
from django.shortcuts import get_object_or_404

from accounts.access import Can, require
from accounts.models import LeadLibrary, User
from leads.models import Export
from leadscenter.lib.paging import Page, keyset_page


def library_of(library_id: int) -> LeadLibrary:
    """Return the library, or `Http404`; the right is asked by whoever uses it."""
    return get_object_or_404(LeadLibrary.objects.select_related("ad_account", "custodian"), pk=library_id)


def exports_of(actor: User, library: LeadLibrary, *, cursor: str | None = None, size: int = 50) -> Page[Export]:
    """Return a page of the library's exports, newest first; raise `Refused`, `BadCursor`."""
    require(actor, Can.DOWNLOAD_LEADS, library)
    rows = Export.objects.filter(library=library).select_related("requested_by")
    return keyset_page(rows, order="-requested_at", size=size, cursor=cursor)


def get_export(actor: User, export_id: int) -> Export:
    """Return the export with its library; raise `Http404` when there is none, `Refused` when it is not for them."""
    found = Export.objects.select_related("requested_by", "library__ad_account", "library__custodian")
    export = found.filter(pk=export_id).first()
    if export is None:
        raise Http404
    require(actor, Can.DOWNLOAD_LEADS, export.library)
    return export
