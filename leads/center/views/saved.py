"""Saving the list that is shown as a view, and changing the views that one has."""

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST

from accounts.access import Can
from accounts.declarations import allows
from accounts.refusals import Conflict, Invalid
from leads.center.selectors.library import library_of
from leads.center.selectors.saved import own_view
from leads.center.services.saving import ViewChange, change_view, delete_view, save_view
from leads.center.views.addresses import address, place_of
from leads.center.views.leads import back_of
from leads.center.views.whole import person

FLAGS = ("shared", "pinned", "is_default")


@allows(Can.VIEW_LEADS, of="library")
@require_POST
def save(request: HttpRequest, library_id: int) -> HttpResponse:
    """Save what the list shows under a name, and show it as that view."""
    library = library_of(library_id)
    flags = {name: name in request.POST for name in FLAGS}
    change = ViewChange(request.POST.get("name", ""), request.POST.dict(), flags)
    try:
        view = save_view(actor=person(request), library=library, change=change)
    except (Invalid, Conflict) as wrong:
        messages.error(request, _said(wrong))
        return redirect(back_of(request, library_id))
    messages.success(request, _("View saved."))
    return redirect(address(library, view.query | {"view": str(view.pk)} | place_of(request.POST)))


@allows(Can.VIEW_LEADS, of="library")
@require_POST
def change(request: HttpRequest, library_id: int, view_id: int) -> HttpResponse:
    """Change a view of one's own: its name and flags, what it shows (`act` update), or delete it (`act` delete)."""
    actor = person(request)
    view = own_view(actor, view_id)
    library = view.library
    try:
        if request.POST.get("act") == "delete":
            delete_view(actor=actor, view=view)
            messages.success(request, _("View deleted. Its leads stay."))
            return redirect(address(library, {"view": "all"} | place_of(request.POST)))
        if request.POST.get("act") == "update":
            wanted = ViewChange(query=request.POST.dict())
        else:
            wanted = ViewChange(request.POST.get("name"), None, {name: name in request.POST for name in FLAGS})
        view = change_view(actor=actor, view=view, change=wanted)
    except (Invalid, Conflict) as wrong:
        messages.error(request, _said(wrong))
    else:
        messages.success(request, _("View saved."))
    return redirect(address(library, view.query | {"view": str(view.pk)} | place_of(request.POST)))


def _said(wrong: Invalid | Conflict) -> str:
    return str(next(iter(wrong.errors.values()))) if isinstance(wrong, Invalid) else wrong.detail
