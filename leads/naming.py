"""Finding things of ours by what somebody types: forms, campaigns, ad groups, ads, labels, people of the team, leads.

Their names are no personal data of leads: they may be offered while somebody types, which answers may not.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from django.db.models import QuerySet
from django.utils.translation import gettext_lazy as _

from accounts.access import Can, holders
from accounts.models import LeadLibrary
from campaigns.models import Ad, AdGroup, Campaign
from forms_builder.models import Form
from leads.models import Label, Lead

OFFERED_EACH = 60
SHORTEST_ID = 12  # anything shorter is a phone number or its end
KINDS = {
    "form": _("form"),
    "campaign": _("campaign"),
    "ad_group": _("ad group"),
    "ad": _("ad"),
    "label": _("label"),
    "assignee": _("assignee"),
}
BARE = ("form", "campaign", "ad_group", "ad")


@dataclass(frozen=True, slots=True)
class Offer:
    """A thing that the list can be narrowed by; `text` typed into the search finds it."""

    kind: str
    id: int
    text: str


def offers(library: LeadLibrary) -> list[Offer]:
    """Return what the search offers while somebody types: at most sixty of each kind, by name."""
    found = [
        Offer(kind, pk, f"{KINDS[kind]}: {name}")
        for kind in (*BARE, "label")
        for pk, name in _rows(library, kind).order_by("name").values_list("pk", "name")[:OFFERED_EACH]
    ]
    people = holders(library, Can.VIEW_LEADS).order_by("name", "pk")[:OFFERED_EACH]
    return found + [Offer("assignee", user.pk, f"{KINDS['assignee']}: {user}") for user in people]


def narrowed_by(library: LeadLibrary, typed: str) -> dict[str, Any]:
    """Return the filter that the text names: an id, a bare name, or a kind and a name; empty when it names nothing."""
    text = typed.strip()
    if text.isascii() and text.isdigit():
        return _by_id(library, int(text)) if SHORTEST_ID <= len(text) <= 18 else {}
    for kind, wanted in _readings(text):
        if kind == "assignee":
            people = holders(library, Can.VIEW_LEADS).order_by("name", "pk")[:500]
            found = next((user.pk for user in people if str(user).casefold() == wanted.casefold()), None)
        else:
            found = _rows(library, kind).filter(name__iexact=wanted).order_by("pk").values_list("pk", flat=True).first()
        if found is not None:
            return {kind: found}
    return {}


def _readings(text: str) -> Iterator[tuple[str, str]]:
    said, colon, rest = text.partition(":")
    if colon:
        said = said.strip().casefold()
        for kind, word in KINDS.items():
            if said in (kind, str(word).casefold()) and rest.strip():
                yield kind, rest.strip()
    for kind in BARE:
        yield kind, text


def _by_id(library: LeadLibrary, number: int) -> dict[str, Any]:
    if Lead.objects.filter(pk=number, library=library).exclude(state=Lead.State.GONE).exists():
        return {"leads": (number,)}
    return next(({kind: number} for kind in BARE if _rows(library, kind).filter(pk=number).exists()), {})


def _rows(library: LeadLibrary, kind: str) -> QuerySet[Any]:
    account = library.ad_account_id
    match kind:
        case "form":
            return Form.objects.filter(ad_account_id=account)
        case "campaign":
            return Campaign.objects.filter(ad_account_id=account)
        case "ad_group":
            return AdGroup.objects.filter(campaign__ad_account_id=account)
        case "ad":
            return Ad.objects.filter(ad_group__campaign__ad_account_id=account)
    return Label.objects.filter(library=library)
