"""The labels of a library with how many leads carry each."""

from dataclasses import dataclass

from django.db.models import Count, Q
from django.shortcuts import get_object_or_404

from accounts.access import Can, require
from accounts.models import LeadLibrary, User
from leads.models import Label, Lead

MOST_LABELS = 200


@dataclass(frozen=True, slots=True)
class Counted:
    """A label and the live leads that carry it, test leads left out."""

    id: int
    name: str
    leads: int


def labels_with_counts(actor: User, library: LeadLibrary) -> list[Counted]:
    """Return the labels by name, in one query; raise `Refused`."""
    require(actor, Can.VIEW_LEADS, library)
    live = Q(labelled__lead__state=Lead.State.LIVE, labelled__lead__is_test=False)
    rows = Label.objects.filter(library=library).annotate(leads=Count("labelled", filter=live))
    return [Counted(*row) for row in rows.order_by("name").values_list("pk", "name", "leads")[:MOST_LABELS]]


def label_of(actor: User, label_id: int, library: LeadLibrary | None = None) -> Label:
    """Return the label with its library, of this one where it is given; raise `Refused`, `Http404`."""
    rows = Label.objects.select_related("library__ad_account__business_center", "library__custodian")
    label = get_object_or_404(rows if library is None else rows.filter(library=library), pk=label_id)
    require(actor, Can.WORK_LEADS, label.library)
    return label
