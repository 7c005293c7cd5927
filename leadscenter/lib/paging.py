"""Keyset pages: the next page begins behind a row, not behind a count, so page 20,000 costs what page 1 costs.

A cursor is opaque text for whoever holds it: order, direction, time and id of the row at the border. It grants nothing
(the queryset already holds only what the reader may see), so it is not signed.
"""

import base64
import binascii
import json
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any, Generic, Self, TypeVar
from urllib.parse import parse_qsl, urlencode, urlsplit, urlunsplit

from django.db import connections
from django.db.models import DateTimeField, Model, Q, QuerySet, Subquery, Value
from django.db.models.functions import Coalesce

Row = TypeVar("Row")
Record = TypeVar("Record", bound=Model)
MAX_CURSOR = 400
MAX_SIZE = 1000
ID_LIMIT = 1 << 63
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


class BadCursor(ValueError):
    """The cursor was not made by us, or for another order."""


@dataclass(frozen=True, slots=True)
class Cursor:
    """The border between two pages. `order` names a datetime column, with "-" for newest first."""

    order: str
    at: datetime
    id: int
    backwards: bool = False

    def encode(self) -> str:
        microseconds = (self.at - _EPOCH) // timedelta(microseconds=1)
        packed = json.dumps([self.order, int(self.backwards), microseconds, self.id], separators=(",", ":"))
        return base64.urlsafe_b64encode(packed.encode()).rstrip(b"=").decode("ascii")

    @classmethod
    def decode(cls, text: str) -> Self:
        """The cursor of an opaque text. Raises `BadCursor`."""
        if len(text) > MAX_CURSOR:
            raise BadCursor("too long")
        try:
            packed = json.loads(base64.urlsafe_b64decode(text.encode("ascii") + b"=" * (-len(text) % 4)))
        except (binascii.Error, ValueError, RecursionError) as error:
            raise BadCursor("unreadable") from error
        match packed:
            case [str(order), (0 | 1) as backwards, int(microseconds), int(row)] if 0 <= row < ID_LIMIT:
                try:
                    return cls(order, _EPOCH + timedelta(microseconds=microseconds), row, bool(backwards))
                except OverflowError as error:
                    raise BadCursor("no such time") from error
        raise BadCursor("unreadable")


@dataclass(frozen=True, slots=True)
class Page(Generic[Row]):
    """The rows of one page, in order, and the cursors of its neighbours (None at an end).

    `more`: in the direction of its cursor there are rows behind it.
    """

    rows: list[Row]
    next: str | None
    previous: str | None
    more: bool = False


def keyset_page(
    queryset: QuerySet[Record], *, order: str = "-received_at", size: int = 50, cursor: str | None = None
) -> Page[Record]:
    """One page of `queryset` by (`order`, id). The column must not be null. Raises `BadCursor`."""
    if not 1 <= size <= MAX_SIZE:
        raise ValueError(f"size must be 1 to {MAX_SIZE}")
    border = Cursor.decode(cursor) if cursor else None
    if border and border.order != order:
        raise BadCursor("made for another order")
    backwards = border is not None and border.backwards
    column = order.removeprefix("-")
    descending = order.startswith("-") != backwards
    if border:
        queryset = queryset.filter(beyond(queryset, (border.at, border.id), column, descending=descending))
    sign = "-" if descending else ""
    rows = list(queryset.order_by(sign + column, sign + "id")[: size + 1])
    more, rows = len(rows) > size, rows[:size]
    if backwards:
        rows.reverse()
    return Page(
        rows=rows,
        next=_cursor(rows[-1], order, column) if rows and (more or backwards) else None,
        previous=_cursor(rows[0], order, column, backwards=True)
        if rows and border and (more or not backwards)
        else None,
        more=more,
    )


def beyond(
    queryset: QuerySet[Record],
    border: tuple[datetime, int],
    column: str,
    *,
    descending: bool,
    row: str = "",
    moved: bool = False,
) -> Q:
    """The rows behind `border` (a time and an id) in the order of (`column`, id).

    `row`: the rows stand for those of another table and have its id there, and its time as we read it. `moved`: the row
    of the border stands elsewhere by now.
    """
    # The first condition alone is a range of the index; the second only cuts the rows of the very same time.
    at, border_id = border
    place: Any = at
    if connections[queryset.db].vendor == "sqlite" and not row and not moved:
        # SQLite compares times as text, and writes its own clock's with fewer digits than we send: compare with the
        # text that the row itself holds.
        own = queryset.model._base_manager.using(queryset.db).filter(pk=border_id).values(column)[:1]
        place = Coalesce(Subquery(own), Value(at, output_field=DateTimeField()))
    side = "lt" if descending else "gt"
    id_ = f"{row}_id" if row else "id"
    behind = Q(**{f"{column}__{side}": place}) | Q(**{f"{id_}__{side}": border_id})
    return Q(**{f"{column}__{side}e": place}) & behind


def _cursor(row: Model, order: str, column: str, *, backwards: bool = False) -> str:
    at: datetime = getattr(row, column)
    return Cursor(order, at, int(row.pk), backwards).encode()


def page_body(page: Page[Row], rows: list[object], address: str) -> dict[str, object]:
    """The JSON body of a page: `rows` as they are shown, and the absolute addresses of the neighbours.

    `address` is the absolute URL of this page; its other parameters stay.
    """

    def at(cursor: str | None) -> str | None:
        if cursor is None:
            return None
        parts = urlsplit(address)
        query = [pair for pair in parse_qsl(parts.query, keep_blank_values=True) if pair[0] != "cursor"]
        return urlunsplit(parts._replace(query=urlencode([*query, ("cursor", cursor)])))

    return {"results": rows, "next": at(page.next), "previous": at(page.previous)}
