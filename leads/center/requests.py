"""What requests of the API say, read once for all of its views."""

from typing import Any

from django.http import QueryDict
from django.utils.translation import gettext as _
from drf_spectacular.utils import OpenApiParameter
from rest_framework.request import Request

from accounts.access import Can
from accounts.authentication import allowed_by_scope, lacking_scope
from accounts.models import ApiToken, LeadLibrary, User
from accounts.refusals import Invalid
from accounts.wire import strange
from leads.center.layout import ORDERS
from leads.center.services.working import KEEP, Change, Keep
from leads.selection import Selection, read_id, read_selection, with_search

SORTING = [
    OpenApiParameter(
        "sort", str, enum=list(ORDERS), description="`received` when missing; newest or most urgent first."
    ),
    OpenApiParameter("order", str, enum=list(ORDERS), description="The same, where there is no `sort`."),
]


def paging(usual: int, most: int) -> OpenApiParameter:
    """Describe what `size_of` reads."""
    size = {"type": "integer", "minimum": 1, "maximum": most, "default": usual}
    return OpenApiParameter("page_size", size, description="How many at once.")


def body_of(request: Request, known: set[str]) -> dict[str, Any]:
    """Return the JSON object of a request; raise `Invalid` for anything else and for unknown fields."""
    data = request.data
    if isinstance(data, QueryDict):
        data = data.dict()
    if not isinstance(data, dict):
        raise Invalid({"body": _("Send one JSON object.")})
    if errors := strange(data, sorted(known)):
        raise Invalid(errors)
    return dict(data)


def selection_of(request: Request, library: LeadLibrary, actor: User) -> Selection:
    """Return the selection that the query string says; `q` searches too, which takes the scope to read answers."""
    params = request.query_params
    return searchable(request, with_search(read_selection(library, params, actor=actor), library, params.get("q")))


def searchable(request: Request, selection: Selection) -> Selection:
    """Return the selection; refuse a search to a token that may not read what people answered: which leads it finds
    says what they did.
    """
    if selection.words and lacks_scope(request):
        raise lacking_scope(Can.VIEW_LEADS)
    return selection


def order_of(request: Request, usual: str = "") -> str:
    """Return the order that the query string asks for, where it asks for none `usual`; raise `Invalid`."""
    params = request.query_params
    order = params.get("sort") or params.get("order", usual or "received")
    if order not in ORDERS:
        told = _("Use one of: %(offered)s.") % {"offered": ", ".join(ORDERS)}
        raise Invalid({"sort" if params.get("sort") else "order": told})
    return order


def size_of(request: Request, usual: int, most: int) -> int:
    """Return how many the query string asks for at once; raise `Invalid`."""
    text = request.query_params.get("page_size")
    if not text:
        return usual
    if not (text.isascii() and text.isdigit() and len(text) < 6 and 1 <= int(text) <= most):
        raise Invalid({"page_size": _("Use a number from 1 to %(limit)d.") % {"limit": most}})
    return int(text)


def reads_clear(request: Request) -> bool:
    """Whether the caller is a token that may read leads in clear; sessions are shown what pages show."""
    return isinstance(request.auth, ApiToken) and allowed_by_scope(request.auth, Can.VIEW_LEADS)


def lacks_scope(request: Request) -> bool:
    """Whether the caller is a token that may not read what people answered."""
    return isinstance(request.auth, ApiToken) and not allowed_by_scope(request.auth, Can.VIEW_LEADS)


def change_of(values: dict[str, Any]) -> Change:
    """Return the change that a JSON object asks for; raise `Invalid`."""
    known = ("status", "labels", "add_labels", "remove_labels", "assignee")
    errors = strange(values, known)
    status, labels = values.get("status", KEEP), values.get("labels", KEEP)
    if not isinstance(status, str | Keep):
        errors["status"] = _("Must be text.")
    if not isinstance(labels, list | Keep):
        errors["labels"] = _("Must be a list of names.")
    added, removed = values.get("add_labels", []), values.get("remove_labels", [])
    for name, names in (("add_labels", added), ("remove_labels", removed)):
        if not isinstance(names, list) or not all(isinstance(one, str) for one in names):
            errors[name] = _("Must be a list of names.")
    assignee: int | Keep | None = KEEP
    if "assignee" in values:
        try:
            assignee = read_id(str(values["assignee"])) if values["assignee"] not in (None, "") else None
        except ValueError as error:
            errors["assignee"] = str(error)
    if not values:
        errors["body"] = _("Say what to set: status, labels or assignee.")
    if errors:
        raise Invalid(errors)
    return Change(status=status, labels=labels, add_labels=added, remove_labels=removed, assignee=assignee)
