"""REST API of the board: the list grouped by status, under the names of the list's filters."""

from typing import Any
from urllib.parse import urlencode

from django.urls import reverse
from drf_spectacular.utils import extend_schema
from rest_framework.request import Request
from rest_framework.response import Response

from accounts.access import Can, require
from accounts.authentication import actor_of
from accounts.models import LeadLibrary
from leads.center.api import LeadsView
from leads.center.requests import SORTING, lacks_scope, order_of, paging, reads_clear, selection_of, size_of
from leads.center.selectors.board import CARDS, MOST_CARDS, Column, board_of, count_columns
from leads.center.selectors.counting import Tab
from leads.center.selectors.library import library_of
from leads.center.serializers import BoardShape, rows_json
from leads.parameters import PARAMETERS
from leadscenter.lib.paging import Page, page_body


class LibraryBoard(LeadsView):
    """The leads of a library by status."""

    shows_less = True

    @extend_schema(
        operation_id="leads_board",
        responses=BoardShape,
        parameters=[*PARAMETERS, *SORTING, paging(CARDS, MOST_CARDS)],
    )
    def get(self, request: Request, library_id: int) -> Response:
        """Return the first leads of each status by the filters, `sort` and `q` of the list, with how many there are;
        `page_size` leads each, 20 unless said, 50 at most. `next` is the list of that status and goes on behind them.
        """
        library, actor = library_of(library_id), actor_of(request)
        require(actor, Can.VIEW_LEADS, library)
        order, size = order_of(request), size_of(request, CARDS, MOST_CARDS)
        selection = selection_of(request, library, actor).sorted_by(order)
        asked: dict[str, Any] = {"actor": actor, "library": library, "selection": selection, "order": order}
        clear = reads_clear(request)
        board = board_of(**asked, size=size, reveal=clear, purpose="api", answers=not lacks_scope(request))
        counted = count_columns(**asked)
        kept = {**selection.as_params(), "sort": order, "page_size": str(size)}
        base = request.build_absolute_uri(reverse("api_leads", args=[library.pk]))
        columns = [
            _column(one, counted.get(one.status), library, f"{base}?{urlencode(kept | {'status': one.status})}")
            for one in board.columns
        ]
        return Response({"columns": columns, "narrow": board.narrow} if selection.words else {"columns": columns})


def _column(column: Column, counted: Tab | None, library: LeadLibrary, address: str) -> dict[str, Any]:
    page: Page[object] = Page([], column.next, None)
    body = page_body(page, rows_json(column.rows, library), address)
    return {
        "status": column.status,
        "count": counted.count if counted else None,
        "more": counted.more if counted else column.next is not None,
        "results": body["results"],
        "next": body["next"],
    }
