"""The alarms of a library, for whoever reads its trail."""

from collections.abc import Iterable
from dataclasses import dataclass

from django.shortcuts import get_object_or_404

from accounts.access import Can, grants, require
from accounts.models import Alarm, LeadLibrary, User
from leadscenter.lib.paging import Page, keyset_page

TOLD_AT_MOST = 100


@dataclass(frozen=True, slots=True)
class Unseen:
    """The alarms that nobody has noted: how many (100 and more are 100), and their kinds, newest first."""

    count: int
    kinds: tuple[str, ...]


def unseen_alarms(actor: User, library: LeadLibrary, held: Iterable[str] | None = None) -> Unseen | None:
    """Return what is to be noted, None where there is nothing or for whoever may not read the trail.

    `held` are the actor's rights on the library where the page knows them already.
    """
    if Can.VIEW_TRAIL not in (grants(actor, library) if held is None else held):
        return None
    rows = Alarm.objects.filter(library=library, seen_at=None).order_by("-raised_at", "-id")
    kinds = list(rows.values_list("kind", flat=True)[:TOLD_AT_MOST])
    return Unseen(len(kinds), tuple(str(Alarm.Kind(kind).label) for kind in dict.fromkeys(kinds))) if kinds else None


def alarms_of(actor: User, library: LeadLibrary, *, cursor: str | None = None) -> Page[Alarm]:
    """Return a page of the library's alarms, newest first; raise `Refused`, `BadCursor`."""
    require(actor, Can.VIEW_TRAIL, library)
    rows = Alarm.objects.filter(library=library).select_related("library__ad_account", "actor", "seen_by")
    return keyset_page(rows, order="-raised_at", size=25, cursor=cursor)


def alarm_of(actor: User, library: LeadLibrary, alarm_id: int) -> Alarm:
    """Return one alarm of the library; raise `Refused`, and `Http404` where the library has none of that id."""
    require(actor, Can.VIEW_TRAIL, library)
    return get_object_or_404(Alarm, pk=alarm_id, library=library)
