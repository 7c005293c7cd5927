"""The board: the leads of the list by status. A card is moved by the same act as a row is changed (`rows`)."""

from dataclasses import replace
from typing import Any

from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils.cache import patch_vary_headers
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_GET

from accounts.access import Can, require
from accounts.declarations import allows
from accounts.models import LeadLibrary
from accounts.refusals import Invalid
from leads.center.layout import layout_of
from leads.center.selectors.board import CARDS
from leads.center.selectors.library import library_of
from leads.center.selectors.listing import list_leads
from leads.center.selectors.saved import saved_views
from leads.center.views.addresses import BOARD, address, carried, params_of
from leads.center.views.columns import Piece, column_of, piece_of
from leads.center.views.leads import first_view
from leads.center.views.whole import by_htmx, person, whole_board
from leads.center.views.wording import Wording, status_badges
from leads.models import Lead
from leads.selection import read_selection
from leadscenter.lib.paging import BadCursor


@allows(Can.VIEW_LEADS, of="library")
@never_cache
@require_GET
def board(request: HttpRequest, library_id: int) -> HttpResponse:
    """Show the leads of the list by status, contact details masked; htmx is given the next piece of one column."""
    library = library_of(library_id)
    require(person(request), Can.VIEW_LEADS, library)
    piece = piece_of(request.GET)
    if request.GET.get("state") not in (None, "", Lead.State.LIVE):
        return redirect(address(library, carried(request.GET)))  # nobody sells what is not live
    if piece and by_htmx(request):
        response = render(request, "leads/_cards.html", _next_cards(request, library, piece))
    else:
        saved = saved_views(person(request), library)
        if elsewhere := first_view(request, library, saved, {BOARD: "1"}):
            return redirect(elsewhere)
        response = render(request, "leads/board.html", whole_board(request, library, saved=saved))
    patch_vary_headers(response, ["HX-Request"])
    return response


def _next_cards(request: HttpRequest, library: LeadLibrary, piece: Piece) -> dict[str, Any]:
    actor, order = person(request), layout_of(request.GET).order
    selection = read_selection(library, request.GET, actor=actor)
    asked: dict[str, Any] = {"actor": actor, "library": library, "order": order, "size": CARDS}
    try:
        page = list_leads(**asked, selection=replace(selection, status=piece.status), cursor=piece.cursor)
    except BadCursor as error:
        raise Invalid({"cursor": _("Not a cursor of this column.")}) from error
    params = params_of(selection, order, request.GET) | {BOARD: "1"}
    cards = tuple(map(Wording(library, params).row, page.rows))
    column = column_of(library, piece, cards, page.next, params, narrow=page.narrow)
    return {"column": column, "piece": piece, "statuses": status_badges()}
