"""How the API's bodies come in and its lists go out."""

from collections.abc import Callable, Iterable, Sequence
from typing import Any, TypeVar

from django.db.models import Model, QuerySet
from django.utils.translation import gettext as _
from drf_spectacular.utils import OpenApiParameter
from rest_framework.request import Request
from rest_framework.response import Response

from accounts.refusals import Invalid
from leadscenter.lib.paging import ID_LIMIT, BadCursor, keyset_page, page_body

Row = TypeVar("Row", bound=Model)

CURSOR = OpenApiParameter("cursor", str, description="From `next` or `previous` of a page of this list.")


def json_object(request: Request, known: set[str]) -> dict[str, Any]:
    """Return the JSON object that was sent; raises `Invalid` for anything else and for fields not in `known`."""
    data = request.data
    if not isinstance(data, dict):
        raise Invalid({"body": _("Send one JSON object.")})
    if errors := strange(data, sorted(known)):
        raise Invalid(errors)
    return dict(data)


def strange(given: Iterable[object], known: Sequence[str]) -> dict[str, str]:
    """Return an error for each name that is not known, with those that are."""
    told = _("Unknown. Use: %(offered)s.") % {"offered": ", ".join(known)}
    return {str(name)[:60].encode("utf-8", "replace").decode(): told for name in given if name not in known}


def text_of(body: dict[str, Any], name: str) -> str:
    """Return a text of the body, "" when it is missing; raises `Invalid` for another kind of value."""
    value = body.get(name, "")
    if not isinstance(value, str) or "\x00" in value:
        raise Invalid({name: _("Must be text.")})
    return value.encode("utf-8", "replace").decode().strip()


def id_of(body: dict[str, Any], name: str) -> int:
    """Return an id of the body: decimal text, or a number for those who write it so; raises `Invalid`."""
    value = body.get(name)
    text = str(value) if isinstance(value, int) and not isinstance(value, bool) else value
    if (
        not isinstance(text, str)
        or not (text.isascii() and text.isdigit() and len(text) <= 19)
        or int(text) >= ID_LIMIT
    ):
        raise Invalid({name: _("Must be an id: digits, as text.")})
    return int(text)


def listing(
    request: Request, rows: QuerySet[Row], show: Callable[[Sequence[Row]], list[Any]], *, order: str = "-created_at"
) -> Response:
    """Return a cursor page of `rows`, shown all at once so that showing costs a fixed number of queries."""
    try:
        page = keyset_page(rows, order=order, cursor=request.query_params.get("cursor"))
    except BadCursor as error:
        raise Invalid({"cursor": _("Not a cursor of this list.")}) from error
    address: str = request.build_absolute_uri()
    return Response(page_body(page, show(page.rows), address))
