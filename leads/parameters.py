"""The filters of the list as the REST API takes them in the body of an act."""

from typing import Any

from django.utils.translation import gettext as _

from accounts.models import LeadLibrary, User
from accounts.refusals import Invalid
from accounts.wire import strange
from leads.selection import NAMES, Selection, read_selection, with_search

FILTERS = (*NAMES, "q")


def read_filter(library: LeadLibrary, given: object, *, actor: User) -> Selection:
    """Read the `filter` of a body; raise `Invalid` for whatever in it would go unread: less of it means more leads."""
    if not isinstance(given, dict):
        raise Invalid({"filter": _("Send an object.")})
    empty = [name for name in FILTERS if name in given and given[name] in (None, "")]
    errors = strange(given, FILTERS) | dict.fromkeys(empty, _("Give a value, or leave it out."))
    if errors:
        raise Invalid(errors)
    known: dict[str, Any] = given
    return with_search(read_selection(library, known, actor=actor), library, known.get("q"))
