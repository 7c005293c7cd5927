"""The filters of the list as the REST API describes them and takes them in the body of an act."""

from typing import Any

from django.utils.translation import gettext as _
from drf_spectacular.utils import OpenApiParameter

from accounts.models import LeadLibrary, User
from accounts.refusals import Invalid
from accounts.wire import strange
from leads.selection import FLAGS, MOST_CHOSEN, NAMES, OFFERED, PARTIAL, YES_NO, Selection, read_selection, with_search
from leadscenter.lib.regions import REGIONS

FILTERS = (*NAMES, "q")
ABOUT = {
    "status": "Where the sale stands.",
    "state": "`live` when missing; `quarantined` as spam, or in the trash.",
    "label": "The name or id of a label.",
    "assignee": "The id of a user, `me` or `none`.",
    "form": "The id of a form.",
    "version": "The number of a version of `form`, which is needed too.",
    "campaign": "The id of a campaign.",
    "ad_group": "The id of an ad group.",
    "ad": "The id of an ad.",
    "since": "Received from: a day of the ad account's time zone, or an ISO 8601 time (UTC without an offset).",
    "until": "Received until: a day, all of it, or an ISO 8601 time, itself left out.",
    "source": "How the lead came; `not_import`: by the form or the API.",
    "outcome": "What qualifying answers came to.",
    "delivery": "How it stands with a CRM.",
    "region": f"Where it is kept: {', '.join(REGIONS)}, several with commas.",
    "lead": f"These leads alone: ids with commas, at most {MOST_CHOSEN:,}.",
    "test": "Test leads only, or left out.",
    "duplicate": "Possible duplicates only, or left out.",
    "viewed": "Whether somebody has opened it.",
    "downloaded": "Whether it was in a file.",
    "expiring": "Deleted within a week.",
    "s": "The words of a search as `next` carries them.",
    "q": "A whole e-mail, a phone number or its last six digits, words of a name, a lead's id, or the name or id of a "
    "form, campaign, ad group or ad; a name that several of these have is refused with their ids.",
}
CHOICES = OFFERED | {name: list(YES_NO) for name in FLAGS} | {"expiring": [text for text in YES_NO if YES_NO[text]]}
PARAMETERS = [OpenApiParameter(name, str, enum=CHOICES.get(name), description=text) for name, text in ABOUT.items()]
SORTED = ("received", *PARTIAL)
HELP = f"The filters of the list: {', '.join(FILTERS)}. Whatever else stands in it is bad input."


def read_filter(library: LeadLibrary, given: object, *, actor: User) -> Selection:
    """Read the `filter` of a body; raise `Invalid` for whatever in it would go unread: less of it means more leads."""
    if not isinstance(given, dict):
        raise Invalid({"filter": _("Send an object.")})
    empty = [name for name in FILTERS if name in given and given[name] in (None, "")]
    errors = strange(given, FILTERS) | dict.fromkeys(empty, _("Give a value, or leave it out."))
    if "sort" in given and given["sort"] not in SORTED:
        errors["sort"] = _("Use one of: %(offered)s.") % {"offered": ", ".join(SORTED)}
    if errors:
        raise Invalid(errors)
    known: dict[str, Any] = given
    return with_search(read_selection(library, known, actor=actor), library, known.get("q"))
