"""Saved views of a list: a person's own and those that others share, in the custody in which they were made."""

from django.db.models import Case, F, Q, QuerySet, When
from django.http import Http404
from django.utils.translation import gettext as _

from accounts.access import Can, Refused, require
from accounts.models import LeadLibrary, User
from leads.models import SavedView
from leadscenter.lib.prepared import Prepared

SHOWN_AT_MOST = 60


def saved_views(actor: User, library: LeadLibrary) -> list[SavedView]:
    """Return the views that the actor may use here, own ones first, by name; raise `Refused`."""
    require(actor, Can.VIEW_LEADS, library)
    return _SAVED.objects(library.pk, actor.pk)


def own_view(actor: User, view_id: int) -> SavedView:
    """Return a view that the actor may change, with its library.

    Raises `Refused` for one that somebody else shares, `Http404` for any other that is not the actor's.
    """
    rows = SavedView.objects.select_related("library__ad_account__business_center", "library__custodian", "owner")
    view = rows.filter(pk=view_id).first()
    if view is None:
        raise Http404
    require(actor, Can.VIEW_LEADS, view.library)
    if view.custody != view.library.custody or (view.owner_id != actor.pk and not view.shared):
        raise Http404
    if view.owner_id != actor.pk:
        reason = _("%(name)s made this view and alone changes it. Save one of your own.") % {"name": view.owner}
        raise Refused(actor, Can.VIEW_LEADS, view.library, reason, (str(view.owner),))
    return view


def _usable(library: int, actor: int) -> QuerySet[SavedView]:
    here = SavedView.objects.filter(library=library, custody=F("library__custody"))
    others_last = Case(When(owner=actor, then=0), default=1)
    return here.filter(Q(owner=actor) | Q(shared=True)).order_by(others_last, "name", "pk")[:SHOWN_AT_MOST]


_SAVED = Prepared(_usable, ids=2)
