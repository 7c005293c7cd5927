"""The filters of the list in words: a chip for each that is set, the choices that can be."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from typing import Any
from urllib.parse import urlencode

from django.db.models import QuerySet
from django.utils.translation import gettext as _

from accounts.models import LeadLibrary, User
from campaigns.models import Ad, AdGroup, Campaign
from forms_builder.models import Form, FormVersion
from leads.center.layout import Layout
from leads.center.saying import REGIONS, day_said, names_of, people_of, said, said_by
from leads.conditions import DELIVERIES, SOURCES
from leads.models import Label, Lead
from leads.selection import Selection
from leadscenter.lib.prepared import Prepared, together

__all__ = ["Chip", "Choice", "chips", "choices", "day_said", "encoded"]


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


def chips(
    library: LeadLibrary, selection: Selection, layout: Layout, actor: User, base: str, view: str = ""
) -> tuple[Chip, ...]:
    """Return a chip for each filter that is set, but for the one that the open `view` of ours says; `base` is the
    address without parameters.
    """
    names = names_of([selection]) | people_of([selection], but=actor.pk)
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


def choices(library: LeadLibrary, selection: Selection, people: Iterable[tuple[int, str]]) -> tuple[Choice, ...]:
    """Return what the filter menu offers; `people` may see the leads."""
    return (*_things(library, selection, people), *_kinds(selection), *_flags(selection))


def _choice(name: str, label: str, rows: Sequence[tuple[Any, Any]], value: object) -> Choice:
    options = tuple((str(key), str(text)) for key, text in rows)
    return Choice(name, label, options, "" if value in (None, "") else str(value))


def _things(library: LeadLibrary, selection: Selection, people: Iterable[tuple[int, str]]) -> list[Choice]:
    assignee = "none" if selection.assignee == 0 else selection.assignee
    labels, forms, campaigns, groups, ads = _named(library, selection)
    found = [
        _choice("status", _("Status"), Lead.Status.choices, selection.status),
        _choice("assignee", _("Assignee"), [("none", _("nobody")), *people], assignee),
        _choice("label", _("Label"), labels, selection.label),
        _choice("form", _("Form"), forms, selection.form),
    ]
    if selection.form is not None:
        numbers = (
            FormVersion.objects.filter(form_id=selection.form).order_by("-number").values_list("number", flat=True)
        )
        found.append(_choice("version", _("Version"), [(one, one) for one in numbers[:100]], selection.version))
    return [
        *found,
        _choice("campaign", _("Campaign"), campaigns, selection.campaign),
        _choice("ad_group", _("Ad group"), groups, selection.ad_group),
        _choice("ad", _("Ad"), ads, selection.ad),
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
    region = selection.regions[0] if len(selection.regions) == 1 else None
    return [
        _choice("delivery", _("Delivery"), list(DELIVERIES.items()), selection.delivery),
        _choice("source", _("Came by"), list(SOURCES.items()), selection.source),
        _choice("outcome", _("Qualifying answers"), Lead.Outcome.choices, selection.outcome),
        _choice("region", _("Region"), list(REGIONS.items()), region),
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
