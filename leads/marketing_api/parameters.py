"""Parameters of the Marketing API: from the query string or a JSON body, ids as text or as numbers."""

import json
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

from django.utils.translation import gettext as _
from rest_framework.request import Request

from accounts.models import LeadLibrary
from leads.marketing_api.codes import Code, Failed
from leads.marketing_api.envelope import no_permission
from leads.selection import is_storable, read_id, read_time
from leadscenter.lib.regions import REGIONS


def parameters(request: Request) -> Mapping[str, Any]:
    """Return what the call was given; a body wins over the query string."""
    found: dict[str, Any] = dict(request.query_params.items())
    if request.method == "POST":
        if not isinstance(request.data, Mapping):
            raise Failed(Code.PARAM_ERROR, _("Send one JSON object."))
        found |= dict(request.data.items())
    for name, value in found.items():
        if isinstance(value, str) and not is_storable(value):
            raise bad(name if is_storable(name) else "?", _("Holds a character that cannot be stored."))
    return found


def bad(name: str, told: str) -> Failed:
    """Return the failure that names a parameter."""
    return Failed(Code.PARAM_ERROR, f"{name}: {told}")


def id_of(given: Mapping[str, Any], name: str) -> int | None:
    """Return an id, None when it was not given; raise `Failed`."""
    value = given.get(name)
    if value in (None, ""):
        return None
    try:
        return read_id(str(value) if not isinstance(value, bool | float) else "")
    except ValueError as error:
        raise bad(name, str(error)) from error


def one_of_two(given: Mapping[str, Any], first: str, second: str) -> tuple[int | None, int | None]:
    """Return two ids of which exactly one was given; raise `Failed`."""
    found = id_of(given, first), id_of(given, second)
    if (found[0] is None) == (found[1] is None):
        raise bad(f"{first}, {second}", _("Send one of the two."))
    return found


def library_of(given: Mapping[str, Any]) -> LeadLibrary:
    """Return the library that `advertiser_id` or `library_id` names; raise `Failed`. The right is asked next."""
    advertiser_id, library_id = one_of_two(given, "advertiser_id", "library_id")
    rows = LeadLibrary.objects.select_related("ad_account__business_center", "custodian")
    found = rows.filter(pk=library_id) if library_id else rows.filter(ad_account_id=advertiser_id)
    library = found.first()
    if library is None:
        raise no_permission()
    return library


def number(given: Mapping[str, Any], name: str, *, least: int, most: int, default: int) -> int:
    """Return a whole number within limits; raise `Failed`."""
    text = str(given.get(name) or default)
    if not (text.isascii() and text.isdigit() and len(text) < 10 and least <= int(text) <= most):
        raise bad(name, _("Use a number from %(least)d to %(most)d.") % {"least": least, "most": most})
    return int(text)


def time_range(given: Mapping[str, Any], name: str) -> tuple[datetime | None, datetime | None]:
    """Return (start, end) of a range that is given as JSON, in UTC; raise `Failed`."""
    value = given.get(name)
    if not value:
        return None, None
    try:
        parts = json.loads(value) if isinstance(value, str) else value
        return tuple(read_time(str(parts[end])) if parts.get(end) else None for end in ("start", "end"))  # type: ignore[return-value]
    except (ValueError, AttributeError, TypeError, RecursionError) as error:
        raise bad(name, _('Send {"start": "2026-11-01 00:00:00", "end": "2026-11-30 00:00:00"}.')) from error


def regions_of(request: Request) -> tuple[str, ...]:
    """Return the regions that the header `x-lead-region` narrows to; empty without it: all that there are."""
    value = request.headers.get("x-lead-region", "").strip().lower()
    if not value:
        return ()
    if value not in REGIONS:
        raise bad("x-lead-region", _("Use one of: %(offered)s.") % {"offered": ", ".join(REGIONS)})
    return (value,)


def unix(moment: datetime) -> str:
    """Return a time as this API writes it: UTC, to the second."""
    return f"{moment.astimezone(UTC):%Y-%m-%d %H:%M:%S}"
