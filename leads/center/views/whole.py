"""The whole page of the list and of the board, as a context: a lead is shown beside one of the two."""

from collections.abc import Sequence
from typing import Any

from django.http import Http404, HttpRequest

from accounts.models import LeadLibrary, User
from accounts.refusals import Invalid
from accounts.shell import shell
from leads.center.layout import layout_of
from leads.center.selectors.board import board_of
from leads.center.selectors.listing import LeadPage, list_leads, who_sees
from leads.center.selectors.saved import saved_views
from leads.center.views.addresses import BOARD
from leads.center.views.columns import columns_of, orders_of, piece_of
from leads.center.views.filtering import untouched
from leads.center.views.listing import list_page
from leads.models import SavedView
from leads.selection import Selection, read_selection
from leadscenter.lib.paging import BadCursor


def person(request: HttpRequest) -> User:
    """Return who is signed in; the middleware has sent everybody else to sign in."""
    assert isinstance(request.user, User)
    return request.user


def by_htmx(request: HttpRequest) -> bool:
    """Whether htmx asks for a part of a page, not for what its history has lost."""
    asks: Any = getattr(request, "htmx", None)
    return bool(asks) and not asks.history_restore_request


def whole_list(
    request: HttpRequest,
    library: LeadLibrary,
    *,
    selected: int | None = None,
    saved: Sequence[SavedView] | None = None,
) -> dict[str, Any]:
    """Return the context of the list page for the filters in the URL; writes the trace of the look."""
    actor = person(request)
    saved = saved_views(actor, library) if saved is None else saved
    given = {name: value for name, value in _given(request, library).items() if name != BOARD}
    selection, given, lost = _read(library, given, actor, saved)
    order = layout_of(given).order
    asked: dict[str, Any] = {"actor": actor, "library": library, "selection": selection, "order": order}
    asked["people"] = people = who_sees(library)
    try:
        page = list_leads(**asked, cursor=given.get("cursor") or None)
    except BadCursor:
        page = list_leads(**asked)
    frame = shell(request, library=library, active="leads")
    around: dict[str, Any] = {"people": people, "saved": saved, "selected": selected, "can": frame["shell"].can}
    listed = list_page(actor, library, selection, page, given, **around)
    orders = () if listed.trash or selection.words else orders_of(library, dict(listed.here_items))
    return {"page": listed, "orders": orders, "lost": lost, **frame}


def _given(request: HttpRequest, library: LeadLibrary) -> dict[str, str]:
    """Return the parameters of the address. The filter menu sends a version along with the form that was taken off, and
    moments along with their days.
    """
    given = untouched({name: str(value) for name, value in request.GET.dict().items()}, library)
    return given if given.get("form") else {name: value for name, value in given.items() if name != "version"}


def _read(
    library: LeadLibrary, given: dict[str, str], actor: User, saved: Sequence[SavedView]
) -> tuple[Selection, dict[str, str], bool]:
    """Return the selection, the parameters that say it, and whether an open view asked for what is gone since.

    Such a view is open over all leads: where it cannot be opened, nobody can change or delete it.
    """
    try:
        return read_selection(library, given, actor=actor), given, False
    except (Http404, Invalid):
        if given.get("view") not in [str(view.pk) for view in saved]:
            raise
    return Selection(), {name: given[name] for name in ("view", "cols", BOARD) if name in given}, True


def whole_board(
    request: HttpRequest,
    library: LeadLibrary,
    *,
    selected: int | None = None,
    saved: Sequence[SavedView] | None = None,
) -> dict[str, Any]:
    """Return the context of the board for the filters in the URL; writes the trace of the look."""
    actor = person(request)
    saved = saved_views(actor, library) if saved is None else saved
    selection, given, lost = _read(library, _given(request, library) | {BOARD: "1"}, actor, saved)
    piece = piece_of(given)
    people = who_sees(library)
    asked: dict[str, Any] = {"actor": actor, "library": library, "order": layout_of(given).order, "people": people}
    try:
        board = board_of(**asked, selection=selection, behind={piece.status: piece.cursor} if piece else None)
    except BadCursor:
        board, piece = board_of(**asked, selection=selection), None
    rows = [row for column in board.columns for row in column.rows]
    ahead = next((column.next for column in board.columns if column.next), None)
    page = LeadPage(rows, ahead, None, board.narrow)
    frame = shell(request, library=library, active="leads")
    around: dict[str, Any] = {"people": people, "saved": saved, "selected": selected, "can": frame["shell"].can}
    listed = list_page(actor, library, selection, page, given, **around)
    params = {**dict(listed.here_items), BOARD: "1"}
    shown = {
        "page": listed,
        "columns": columns_of(library, board, listed.rows, params, piece),
        "orders": () if selection.words else orders_of(library, params),
        "statuses": listed.statuses,
        "lost": lost,
    }
    return {**shown, **frame}
