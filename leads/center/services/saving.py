"""Saving a view of the list: its filter, order and columns under a name. What it holds is what a URL may hold."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from django.db import transaction
from django.utils.translation import gettext as _

from accounts.access import Can, require
from accounts.models import LeadLibrary, User
from accounts.refusals import Conflict, Invalid
from leads.center.layout import layout_of
from leads.center.selectors.saved import own_view
from leads.models import SavedView
from leads.selection import is_storable, read_selection

MAX_NAME = 40
MOST_OF_A_PERSON = 30


@dataclass(frozen=True, slots=True)
class ViewChange:
    """What to set; None leaves as it is. `query`: the parameters of the list's URL."""

    name: str | None = None
    query: Mapping[str, Any] | None = None
    flags: Mapping[str, bool] = field(default_factory=dict)  # shared, pinned, is_default


def save_view(*, actor: User, library: LeadLibrary, change: ViewChange) -> SavedView:
    """Save a view of the actor's own; raise `Refused`, `Invalid`, or `Conflict` for a name that they use already."""
    require(actor, Can.VIEW_LEADS, library)
    values = _judged(actor, library, ViewChange(change.name or "", change.query or {}, change.flags))
    with transaction.atomic():
        require(actor, Can.VIEW_LEADS, library)
        mine = _mine(actor, library)
        if len(mine) >= MOST_OF_A_PERSON:
            raise Conflict("too_many_views", _("You have thirty views here. Delete one first."))
        _free(mine, values["name"], None)
        if values.get("is_default"):
            SavedView.objects.filter(pk__in=[view.pk for view in mine]).update(is_default=False)
        view = SavedView(library=library, custody=library.custody, owner=actor, **values)
        view.save(force_insert=True)
    view.refresh_from_db()
    return view


def change_view(*, actor: User, view: SavedView, change: ViewChange) -> SavedView:
    """Change a view of the actor's own; raise `Refused`, `Invalid`, `Conflict`, `Http404`."""
    own_view(actor, view.pk)
    values = _judged(actor, view.library, change)
    with transaction.atomic():
        own_view(actor, view.pk)
        mine = _mine(actor, view.library)
        if "name" in values:
            _free(mine, values["name"], view.pk)
        if values.get("is_default"):
            SavedView.objects.filter(pk__in=[row.pk for row in mine]).update(is_default=False)
        if values:
            SavedView.objects.filter(pk=view.pk).update(**values)
    view.refresh_from_db()
    return view


def delete_view(*, actor: User, view: SavedView) -> None:
    """Delete a view of the actor's own; raise `Refused`, `Http404`."""
    with transaction.atomic():
        own_view(actor, view.pk)
        SavedView.objects.filter(pk=view.pk).delete()


def _mine(actor: User, library: LeadLibrary) -> list[SavedView]:
    """Return the actor's views here, locked; those of an earlier custody are dropped: they work no more."""
    SavedView.objects.filter(owner=actor, library=library).exclude(custody=library.custody).delete()
    return list(SavedView.objects.select_for_update(no_key=True).filter(owner=actor, library=library))


def _free(mine: list[SavedView], name: str, but: int | None) -> None:
    if any(view.name == name and view.pk != but for view in mine):
        raise Conflict("view_name_taken", _("You have a view of this name already. Choose another one."))


def _judged(actor: User, library: LeadLibrary, change: ViewChange) -> dict[str, Any]:
    values: dict[str, Any] = dict(change.flags)
    if change.name is not None:
        values["name"] = change.name.strip()
        if not 0 < len(values["name"]) <= MAX_NAME or not is_storable(values["name"]):
            raise Invalid({"name": _("A name has 1 to %(limit)d characters.") % {"limit": MAX_NAME}})
        if "@" in values["name"] or sum(letter.isdigit() for letter in values["name"]) > 5:
            raise Invalid({"name": _("A view is named for its filter, never for a person.")})
    if change.query is not None:
        values["query"] = _query(actor, library, change.query)
    return values


def _query(actor: User, library: LeadLibrary, given: Mapping[str, Any]) -> dict[str, str]:
    """Return the parameters that say the same and nothing else; "me" stays whoever looks."""
    kept = read_selection(library, given, actor=actor).as_params() | layout_of(given).as_params()
    return kept | ({"assignee": "me"} if given.get("assignee") == "me" else {})
