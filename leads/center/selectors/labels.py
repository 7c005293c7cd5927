"""The labels of a library with how many leads carry each."""

from dataclasses import dataclass

from django.shortcuts import get_object_or_404

from accounts.access import Can, require
from accounts.models import LeadLibrary, User
from leads.center.selectors.counting import count_all, counting
from leads.models import Label
from leads.selection import Selection

MOST_LABELS = 200


@dataclass(frozen=True, slots=True)
class Counted:
    """A label and the live leads that carry it, test leads left out; `more`: than were counted."""

    id: int
    name: str
    leads: int
    more: bool = False


def labels_with_counts(actor: User, library: LeadLibrary) -> list[Counted]:
    """Return the labels by name, in two queries; raise `Refused`."""
    require(actor, Can.VIEW_LEADS, library)
    rows = Label.objects.filter(library=library).order_by("name").values_list("pk", "name")[:MOST_LABELS]
    names = dict(rows)
    found = count_all(library, {str(pk): counting(Selection(label=pk)) for pk in names})
    return [Counted(pk, names[pk], tab.count, tab.more) for pk, tab in zip(names, found, strict=True)]


def label_of(actor: User, label_id: int, library: LeadLibrary | None = None) -> Label:
    """Return the label with its library, of this one where it is given; raise `Refused`, `Http404`."""
    rows = Label.objects.select_related("library__ad_account__business_center", "library__custodian")
    label = get_object_or_404(rows if library is None else rows.filter(library=library), pk=label_id)
    require(actor, Can.WORK_LEADS, label.library)
    return label
