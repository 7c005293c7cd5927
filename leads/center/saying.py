"""A filter in words: on its chips, beside the file that it made, in the mail about that file."""

from collections.abc import Iterable, Mapping
from datetime import datetime, timedelta
from typing import Any

from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext

from accounts.models import LeadLibrary, User
from campaigns.models import Ad, AdGroup, Campaign
from forms_builder.models import Form
from leads.conditions import DELIVERIES, SOURCES
from leads.models import Label, Lead
from leads.selection import Selection, zone_of

Said = list[tuple[str, str, str]]  # (filter, words, value)
Names = Mapping[tuple[str, int], str]  # what an id of a filter is called
REGIONS = {"eu": gettext_lazy("Europe"), "us": gettext_lazy("United States"), "row": gettext_lazy("Rest of the world")}
PLACES: dict[str, tuple[Any, Any]] = {
    "form": (Form, gettext_lazy("Form is")),
    "campaign": (Campaign, gettext_lazy("Campaign is")),
    "ad_group": (AdGroup, gettext_lazy("Ad group is")),
    "ad": (Ad, gettext_lazy("Ad is")),
    "label": (Label, gettext_lazy("Label is")),
}


SAID_BY = {"mine": "assignee", "unassigned": "assignee", "attention": "sort"}


def names_of(selections: Iterable[Selection]) -> dict[tuple[str, int], str]:
    """Return what the forms, ads and labels of these filters are called; one query for each kind that is there."""
    selections = list(selections)
    found: dict[tuple[str, int], str] = {}
    for name, (model, _words) in PLACES.items():
        if ids := {pk for one in selections if (pk := getattr(one, name)) is not None}:
            rows = model.objects.filter(pk__in=ids).values_list("pk", "name")
            found |= {(name, pk): str(called) for pk, called in rows}
    return found


def people_of(selections: Iterable[Selection], *, but: int) -> dict[tuple[str, int], str]:
    """Return the names of the assignees of these filters, without those of `but` (an id); one query, if any."""
    ids = {one.assignee for one in selections if one.assignee} - {but}
    return {("assignee", user.pk): str(user) for user in User.objects.filter(pk__in=ids)} if ids else {}


def in_words(library: LeadLibrary, selection: Selection, names: Names, reader: int) -> str:
    """Return the filter in a line. It holds nothing that somebody typed to find a person: a search is "a search"."""
    found = [
        _("a search") if name == "words" else f"{field} {value}"
        for name, field, value in said(library, selection, names, reader)
    ]
    return "; ".join(found) or _("All leads")


def said(library: LeadLibrary, selection: Selection, names: Names, reader: int) -> Said:
    """Return each filter that is set, in words for a reader (an id), who is "you"; nobody without a name is named."""
    ours = [*_work_said(selection, names, reader), *_places_said(selection, names)]
    return [*ours, *_words_said(selection), *_rest_said(library, selection)]


def said_by(view: str) -> str:
    """Return the filter that the tab of this view of ours says; "" where it says none, or where chips say it, too."""
    return "status" if view in Lead.Status.values else SAID_BY.get(view, "")


def day_said(moment: datetime, library: LeadLibrary) -> str:
    """Return the day of a moment where the ad account is."""
    return moment.astimezone(zone_of(library)).date().isoformat()


def _work_said(selection: Selection, names: Names, reader: int) -> Said:
    found: Said = []
    if selection.status:
        found.append(("status", _("Status is"), str(Lead.Status(selection.status).label)))
    if selection.assignee is not None:
        known = {("assignee", 0): _("nobody"), ("assignee", reader): _("you"), **names}
        who = known.get(("assignee", selection.assignee), _("somebody else"))
        found.append(("assignee", _("Assignee is"), who))
    if selection.sort:
        words = {"attention": (_("Needs somebody"), _("within a day")), "change": (_("Status"), _("has changed"))}
        found.append(("sort", *words[selection.sort]))
    return found


def _places_said(selection: Selection, names: Names) -> Said:
    return [
        (name, str(words), names.get((name, getattr(selection, name)), _("unknown")))
        for name, (_model, words) in PLACES.items()
        if getattr(selection, name) is not None
    ]


def _words_said(selection: Selection) -> Said:
    """Say the filters whose values are words of ours."""
    state = selection.state == Lead.State.QUARANTINED
    flags = (
        ("test", _("Test leads"), _("only"), _("left out")),
        ("duplicate", _("Possible duplicates"), _("only"), _("left out")),
        ("viewed", _("Viewed"), _("yes"), _("not yet")),
        ("downloaded", _("Downloaded"), _("yes"), _("not yet")),
    )
    rows: list[tuple[str, str, object]] = [
        ("state", _("State is"), _("quarantined") if state else ""),
        ("version", _("Version is"), selection.version),
        ("source", _("Came by"), selection.source and SOURCES[selection.source]),
        ("outcome", _("Answers are"), selection.outcome and Lead.Outcome(selection.outcome).label),
        ("delivery", _("Delivery is"), selection.delivery and DELIVERIES[selection.delivery]),
        ("regions", _("Region is"), ", ".join(str(REGIONS[region]) for region in selection.regions)),
    ]
    for name, words, yes, no in flags:
        value = getattr(selection, name)
        rows.append((name, words, "" if value is None else yes if value else no))
    return [(name, words, str(value)) for name, words, value in rows if value]


def _rest_said(library: LeadLibrary, selection: Selection) -> Said:
    found: Said = []
    if selection.words:
        count = len(selection.words)
        found.append(("words", _("Search"), ngettext("%(n)s word", "%(n)s words", count) % {"n": count}))
    if selection.leads:
        count = len(selection.leads)
        found.append(("leads", _("Chosen"), ngettext("%(n)s lead", "%(n)s leads", count) % {"n": count}))
    if selection.since:
        found.append(("since", _("Received from"), day_said(selection.since, library)))
    if selection.until:
        found.append(("until", _("Received until"), day_said(selection.until - timedelta(seconds=1), library)))
    if selection.expiring:
        found.append(("expiring", _("Time is up"), _("within a week")))
    return found
