"""The board in the words that its template prints: a column for each status, the next piece of one, its numbers."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from django.utils.translation import gettext_lazy

from accounts.models import LeadLibrary
from leads.center.selectors.board import CARDS, Board
from leads.center.selectors.counting import Tab
from leads.center.views.addresses import BOARD, address
from leads.center.views.listing import Switch
from leads.center.views.wording import Badge, Row, status_badge
from leads.models import Lead

ORDER_NAMES = {
    "received": gettext_lazy("Newest first"),
    "attention": gettext_lazy("Most urgent first"),
    "change": gettext_lazy("Last changed status first"),
}
MOST_SHOWN = 200  # cards of a column; beyond, the list is the better tool


@dataclass(frozen=True, slots=True)
class Piece:
    """The part of a column that an address asks for: behind which cursor, and how many cards stand above."""

    status: str
    cursor: str
    above: int = 0


@dataclass(frozen=True, slots=True)
class Number:
    """How many leads a column has; `exact` is empty where there are more than were counted."""

    status: str
    text: str
    exact: str = ""


@dataclass(frozen=True, slots=True)
class More:
    """What stands under the cards of a column that goes on: where to, and whether that is the list.

    `narrow`: the search has looked at as many leads as it may, and goes on when asked.
    """

    url: str
    in_list: bool
    narrow: bool


@dataclass(frozen=True, slots=True)
class ColumnShown:
    """`asked`: the filter does not leave this status out; `first_url` leads from a later piece to the beginning."""

    status: str
    badge: Badge
    asked: bool
    number: Number
    cards: tuple[Row, ...]
    more: More | None = None
    first_url: str = ""


def piece_of(given: Mapping[str, Any]) -> Piece | None:
    """Read the piece that untrusted parameters ask for."""
    status, cursor, above = (str(given.get(name, "")) for name in ("column", "cursor", "above"))
    if status not in Lead.Status.values or not cursor:
        return None
    known = above.isascii() and above.isdigit() and len(above) < 6
    return Piece(status, cursor, int(above) if known else CARDS)


def columns_of(
    library: LeadLibrary, board: Board, cards: Sequence[Row], params: Mapping[str, str], piece: Piece | None
) -> tuple[ColumnShown, ...]:
    """Return all columns, those too that the filter leaves out; `params` say the board."""
    found = {column.status: column for column in board.columns}
    shown = []
    for status in Lead.Status.values:
        column = found.get(status)
        if column is None:
            shown.append(ColumnShown(status, status_badge(status), False, Number(status, ""), ()))
            continue
        mine = tuple(card for card in cards if card.status == status)
        here = piece if piece and piece.status == status else Piece(status, "")
        shown.append(column_of(library, here, mine, column.next, params, narrow=column.narrow))
    return tuple(shown)


def column_of(
    library: LeadLibrary,
    piece: Piece,
    cards: tuple[Row, ...],
    ahead: str | None,
    params: Mapping[str, str],
    *,
    narrow: bool = False,
) -> ColumnShown:
    """Return a column, or the next piece of it; `ahead` is the cursor of what comes behind."""
    status, above = piece.status, piece.above + len(cards)
    counted = piece.above + sum(not card.is_test for card in cards)
    number = Number(status, f"{counted}+") if ahead else Number(status, str(counted), str(counted))
    more = None
    if ahead and above >= MOST_SHOWN:
        rest = {name: value for name, value in params.items() if name not in (BOARD, "view")}
        more = More(address(library, rest | {"status": status}), in_list=True, narrow=False)
    elif ahead:
        next_piece = {"column": status, "cursor": ahead, "above": str(above)}
        more = More(address(library, {**params, **next_piece}), in_list=False, narrow=narrow)
    first = address(library, params) if piece.cursor else ""
    return ColumnShown(status, status_badge(status), True, number, cards, more, first)


def orders_of(library: LeadLibrary, params: Mapping[str, str]) -> tuple[Switch, ...]:
    """Return the orders that the leads can stand in; `params` say the list or the board."""
    here = params.get("sort", "received")
    return tuple(
        Switch("", str(name), address(library, {**params, "sort": order}), order == here)
        for order, name in ORDER_NAMES.items()
    )


def numbers_of(counted: Mapping[str, Tab]) -> tuple[Number, ...]:
    """Return the numbers of the columns as they were counted."""
    return tuple(
        Number(status, f"{tab.count:,}+") if tab.more else Number(status, f"{tab.count:,}", str(tab.count))
        for status, tab in counted.items()
    )
