"""The filters of the list in words: a chip for each that is set, the choices that can be."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Any
from urllib.parse import urlencode

from django.db.models import QuerySet
from django.utils.translation import gettext as _

from accounts.models import LeadLibrary, User
from campaigns.models import Ad, AdGroup, Campaign
from forms_builder.models import Form, FormVersion
from leads.center.layout import Layout
from leads.center.saying import REGIONS, Names, day_said, names_of, people_of, said, said_by
from leads.conditions import DELIVERIES, SOURCES
from leads.models import Label, Lead
from leads.selection import Selection, read_time, zone_of
from leadscenter.lib.prepared import Prepared, together

__all__ = ["Chip", "Choice", "called", "chips", "choices", "days_of", "encoded", "exactly", "untouched"]

_NAMELESS: Names = {}
EXACT = "_exact"  # of the parameters that go along with the days of the menu


@dataclass(frozen=True, slots=True)
class Chip:
    field: str
    value: str
    remove: str


@dataclass(frozen=True, slots=True)
class Choice:
    name: str
    label: str
    options: tuple[tuple[str, str], ...]
    value: str


def called(selection: Selection, actor: User) -> Names:
    """Return what the forms, ads, labels and people of a filter are called, but for the actor, who is "you"."""
    return names_of([selection]) | people_of([selection], but=actor.pk)


def chips(
    library: LeadLibrary, selection: Selection, layout: Layout, actor: User, base: str, names: Names, view: str = ""
) -> tuple[Chip, ...]:
    """Return a chip for each filter that is set, but for the one that the open `view` of ours says; `base` is the
    address without parameters, `names` is what `called` tells.
    """
    found = []
    for name, field, value in said(library, selection, names, actor.pk):
        if name != said_by(view):
            shown = layout if name != "sort" else replace(layout, order="received")
            query = selection.without(name).as_params() | shown.as_params()
            found.append(Chip(field, value, base + encoded(query)))
    return tuple(found)


def encoded(params: dict[str, str]) -> str:
    """Return the query string with its mark, or nothing."""
    return f"?{urlencode(params)}" if params else ""


def days_of(selection: Selection, library: LeadLibrary) -> dict[str, str]:
    """Return `since` and `until` as the days that the filter menu shows; empty where they are not set."""
    days = {name: _day(name, moment, library) for name, moment in _moments(selection).items()}
    return {"since": "", "until": ""} | days


def exactly(selection: Selection, library: LeadLibrary) -> dict[str, str]:
    """Return, for the menu to send along, the moments that are no whole days of the ad account."""
    zone = zone_of(library)
    return {
        name + EXACT: moment.isoformat()
        for name, moment in _moments(selection).items()
        if read_time(_day(name, moment, library), end=name == "until", zone=zone) != moment
    }


def untouched(given: Mapping[str, str], library: LeadLibrary) -> dict[str, str]:
    """Return the parameters that the menu sent, with its moments in the place of the days that nobody changed."""
    found = {name: value for name, value in given.items() if not name.endswith(EXACT)}
    for name in ("since", "until"):
        try:
            moment = read_time(given.get(name + EXACT, ""))
            same = _day(name, moment, library) == found.get(name)
        except ValueError:
            continue
        if same:
            found[name] = moment.isoformat()
    return found


def _moments(selection: Selection) -> dict[str, datetime]:
    moments = {"since": selection.since, "until": selection.until}
    return {name: moment for name, moment in moments.items() if moment}


def _day(name: str, moment: datetime, library: LeadLibrary) -> str:
    """Return the day of a date field: that of `until` is counted."""
    return day_said(moment - timedelta(seconds=1) if name == "until" else moment, library)


def choices(
    library: LeadLibrary, selection: Selection, people: Iterable[tuple[int, str]], names: Names, actor: User
) -> tuple[Choice, ...]:
    """Return what the filter menu offers, what is chosen among it; `people` may see the leads, `names` is what `called`
    tells.
    """
    known = {("assignee", actor.pk): str(actor), **names}
    return (*_things(library, selection, people, known), *_kinds(selection), *_flags(selection))


def _choice(name: str, label: str, rows: Sequence[tuple[Any, Any]], value: object, names: Names = _NAMELESS) -> Choice:
    """Return a list of the menu. What is chosen is in it, however long it would be: sent empty it would widen the
    filter.
    """
    options = [(str(key), str(text)) for key, text in rows]
    chosen = "" if value in (None, "") else str(value)
    if chosen and chosen not in [key for key, _text in options]:
        known = {str(key): text for (kind, key), text in names.items() if kind == name}
        options.append((chosen, known.get(chosen, chosen)))
    return Choice(name, label, tuple(options), chosen)


def _things(
    library: LeadLibrary, selection: Selection, people: Iterable[tuple[int, str]], names: Names
) -> list[Choice]:
    assignee = "none" if selection.assignee == 0 else selection.assignee
    labels, forms, campaigns, groups, ads = _named(library, selection)
    found = [
        _choice("status", _("Status"), Lead.Status.choices, selection.status),
        _choice("assignee", _("Assignee"), [("none", _("nobody")), *people], assignee, names),
        _choice("label", _("Label"), labels, selection.label, names),
        _choice("form", _("Form"), forms, selection.form, names),
    ]
    if selection.form is not None:
        numbers = (
            FormVersion.objects.filter(form_id=selection.form).order_by("-number").values_list("number", flat=True)
        )
        found.append(_choice("version", _("Version"), [(one, one) for one in numbers[:100]], selection.version))
    return [
        *found,
        _choice("campaign", _("Campaign"), campaigns, selection.campaign, names),
        _choice("ad_group", _("Ad group"), groups, selection.ad_group, names),
        _choice("ad", _("Ad"), ads, selection.ad, names),
    ]


def _names(model: Any, *paths: str) -> Prepared[Any]:
    """Ask for the first hundred names of what has these ids at these paths."""

    def build(*ids: int) -> QuerySet[Any, Any]:
        rows: QuerySet[Any] = model.objects.filter(**dict(zip(paths, ids, strict=True)))
        return rows.order_by("name").values_list("pk", "name")[:100]

    return Prepared(build, ids=len(paths))


_LABELS = _names(Label, "library")
_FORMS, _CAMPAIGNS = _names(Form, "ad_account"), _names(Campaign, "ad_account")
_Paths = tuple[str, ...]
_GROUPS: dict[_Paths, Prepared[Any]] = {
    chosen: _names(AdGroup, "campaign__ad_account", *chosen) for chosen in ((), ("campaign",))
}
_ADS: dict[_Paths, Prepared[Any]] = {
    chosen: _names(Ad, "ad_group__campaign__ad_account", *chosen)
    for chosen in ((), ("ad_group__campaign",), ("ad_group",), ("ad_group__campaign", "ad_group"))
}


def _named(library: LeadLibrary, selection: Selection) -> list[list[tuple[Any, ...]]]:
    """Return (id, name) of labels, forms, campaigns, ad groups and ads by one statement, by name.

    Under a campaign that is chosen stand its ad groups and ads alone, under an ad group its ads.
    """
    account = library.ad_account_id
    of_group = {"campaign": selection.campaign}
    of_ad = {"ad_group__campaign": selection.campaign, "ad_group": selection.ad_group}
    group, ad = ({path: pk for path, pk in of.items() if pk is not None} for of in (of_group, of_ad))
    found = together(
        (_LABELS, (library.pk,)),
        (_FORMS, (account,)),
        (_CAMPAIGNS, (account,)),
        (_GROUPS[tuple(group)], (account, *group.values())),
        (_ADS[tuple(ad)], (account, *ad.values())),
    )
    return [sorted(rows, key=lambda row: str(row[1]).casefold()) for rows in found]


def _kinds(selection: Selection) -> list[Choice]:
    states = [] if selection.state == Lead.State.TRASHED else [_quarantine(selection)]  # the trash is left by its link
    regions: list[tuple[str, Any]] = list(REGIONS.items())
    if len(selection.regions) > 1:
        regions.append((",".join(selection.regions), ", ".join(str(REGIONS[one]) for one in selection.regions)))
    return [
        _choice("delivery", _("Delivery"), list(DELIVERIES.items()), selection.delivery),
        _choice("source", _("Came by"), list(SOURCES.items()), selection.source),
        _choice("outcome", _("Qualifying answers"), Lead.Outcome.choices, selection.outcome),
        _choice("region", _("Region"), regions, ",".join(selection.regions)),
        *states,
    ]


def _quarantine(selection: Selection) -> Choice:
    state = selection.state if selection.state == Lead.State.QUARANTINED else ""
    return _choice("state", _("State"), [("quarantined", _("Quarantined"))], state)


def _flags(selection: Selection) -> list[Choice]:
    def flag(name: str, label: str, yes: str, no: str) -> Choice:
        value = getattr(selection, name)
        return _choice(name, label, (("1", yes), ("0", no)), None if value is None else int(value))

    return [
        flag("duplicate", _("Possible duplicates"), _("only"), _("left out")),
        flag("viewed", _("Viewed"), _("yes"), _("not yet")),
        flag("downloaded", _("Downloaded"), _("yes"), _("not yet")),
        _choice("expiring", _("Time is up"), (("1", _("within a week")),), 1 if selection.expiring else None),
        flag("test", _("Test leads"), _("only"), _("left out")),
    ]
