"""Exports as somebody may see them: every one of a library, for whoever may download its leads."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.db.models import CharField, F, QuerySet, Value
from django.db.models.functions import Coalesce, NullIf
from django.http import Http404
from django.shortcuts import get_object_or_404

from accounts.access import Can, grants, require
from accounts.models import Act, AuditEvent, AuditTarget, BusinessCenterMember, LeadLibrary, Scope, User
from accounts.selectors import business_centers_of
from leads.models import Export
from leadscenter.lib.paging import Page, keyset_page
from leadscenter.lib.prepared import Prepared

FILES_LOOKED_AT = 50


@dataclass(frozen=True, slots=True)
class Taken:
    """The last download of a file, and how many there were; `rows` leads stand in it."""

    who: str
    at: datetime
    times: int = 1
    rows: int = 0


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


@dataclass(frozen=True, slots=True)
class History:
    """Who asked for a file and who took it, as far as somebody may know; `by` None: somebody of the library's side.

    `whole`: all downloads are told, so that none means none.
    """

    by: User | None
    taken: Taken | None
    whole: bool = True


def histories_of(actor: User, library: LeadLibrary, exports: Sequence[Export]) -> dict[int, History]:
    """Return by its id what the actor may know of each file's history, whichever number of them by as many queries.

    Who reads the trail knows all of it; who works through a share knows of themselves and their colleagues.
    """
    known = None if Can.VIEW_TRAIL in grants(actor, library) else _colleagues(actor)
    taken = _taken_of(library, [export.pk for export in exports], known)
    return {
        export.pk: History(
            export.requested_by if known is None or export.requested_by_id in known else None,
            taken.get(export.pk),
            known is None,
        )
        for export in exports
    }


def _colleagues(actor: User) -> set[int]:
    mine = BusinessCenterMember.objects.filter(business_center__in=business_centers_of(actor).values("pk"))
    return {actor.pk, *mine.values_list("user_id", flat=True)}


def _taken_of(library: LeadLibrary, export_ids: Iterable[int], by: set[int] | None) -> dict[int, Taken]:
    """Return who took each of these files last (`by`: of these people), as the trail says; one query."""
    downloads = _downloads(library) if by is None else _downloads(library).filter(event__actor__in=by)
    found: dict[int, Taken] = {}
    for target in downloads.filter(object_id__in=list(export_ids)).order_by("event__at", "event_id"):
        before = found[target.object_id].times if target.object_id in found else 0
        event = target.event
        found[target.object_id] = Taken(str(event.actor or ""), event.at, before + 1, event.count)
    return found


def last_taken(library: LeadLibrary) -> Taken | None:
    """Return the last download of the library's newest files, None when nobody took one; one query.

    Whoever calls has asked whether the reader may see the trail.
    """
    event: Any = next(iter(_LAST_TAKEN.objects(library.pk)), None)
    return Taken(event.who or "", event.at, rows=event.count) if event else None


def _newest_downloads(library: int) -> QuerySet[AuditEvent]:
    files = Export.objects.filter(library=library, fetched_at__isnull=False).order_by("-requested_at")
    newest = AuditEvent.objects.filter(targets__object_id__in=files.values("pk")[:FILES_LOOKED_AT])
    events = newest.filter(act=Act.EXPORT_DOWNLOADED, scope=Scope.LIBRARY, scope_id=library)
    # As `str(user)` says who it is.
    who = Coalesce(NullIf(F("actor__name"), Value("")), F("actor__email"), output_field=CharField())
    return events.annotate(who=who).order_by("-at", "-pk")[:1]


_LAST_TAKEN = Prepared(_newest_downloads, ids=1)


def _downloads(library: LeadLibrary) -> QuerySet[AuditTarget]:
    taken = AuditTarget.objects.filter(event__act=Act.EXPORT_DOWNLOADED, event__scope=Scope.LIBRARY)
    return taken.filter(event__scope_id=library.pk).select_related("event__actor")
