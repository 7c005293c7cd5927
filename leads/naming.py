"""Finding things of ours by what somebody types: forms, campaigns, ad groups, ads, labels, people of the team, leads.

Their names are no personal data of leads: they may be offered while somebody types, which answers may not.
"""

from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from django.db.models import QuerySet
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from accounts.access import Can, holders
from accounts.models import LeadLibrary
from accounts.refusals import Invalid
from campaigns.models import Ad, AdGroup, Campaign
from forms_builder.models import Form
from leads.models import Label, Lead
from leadscenter.lib.ids import id_in

OFFERED_EACH = 60
SHORTEST_ID = 12  # anything shorter is a phone number or its end
KINDS = {
    "form": gettext_lazy("form"),
    "campaign": gettext_lazy("campaign"),
    "ad_group": gettext_lazy("ad group"),
    "ad": gettext_lazy("ad"),
    "label": gettext_lazy("label"),
    "assignee": gettext_lazy("assignee"),
}
BARE = ("form", "campaign", "ad_group", "ad")
PLACES = {"ad_group": ("campaign__name",), "ad": ("ad_group__name", "ad_group__campaign__name")}
MOST_TOLD = 6  # of equal names
LONGEST = 60


@dataclass(frozen=True, slots=True)
class Offer:
    """A thing that the list can be narrowed by; `text` typed into the search finds it."""

    kind: str
    id: int
    text: str


@dataclass(eq=False)
class Several(Invalid):
    """A name that more than one thing has; `offers` are the first of them."""

    offers: Sequence[Offer]


def offers(library: LeadLibrary) -> list[Offer]:
    """Return what the search offers while somebody types: at most sixty of each kind, by name; equal names with where
    they are and their ids.
    """
    found: list[Offer] = []
    for kind in (*BARE, "label"):
        found += _told_apart(kind, _with_places(kind, _rows(library, kind).order_by("name"))[:OFFERED_EACH])
    people = holders(library, Can.VIEW_LEADS).order_by("name", "pk")[:OFFERED_EACH]
    return found + _told_apart("assignee", [(user.pk, str(user)) for user in people])


def narrowed_by(library: LeadLibrary, typed: str) -> dict[str, Any]:
    """Return the filter that the text names: an id, a bare name, or a kind and a name; empty when it names nothing.

    Raises `Several` for a name that more than one thing has.
    """
    text = typed.strip()
    if text.isascii() and text.isdigit():
        return _by_id(library, text) if len(text) >= SHORTEST_ID else {}
    for kinds, wanted in _readings(text):
        found = [offer for kind in kinds for offer in _called(library, kind, wanted)]
        if len(found) > 1:
            raise _several(wanted, found)
        if found:
            return {found[0].kind: found[0].id}
    return {}


def _readings(text: str) -> Iterator[tuple[tuple[str, ...], str]]:
    """Return the kinds and the name that a text may mean, the likelier first."""
    said, colon, rest = text.partition(":")
    if colon and rest.strip():
        said = said.strip().casefold()
        kinds = tuple(kind for kind, word in KINDS.items() if said in (kind, str(word).casefold()))
        if kinds:
            yield kinds, rest.strip()
    yield BARE, text


def _called(library: LeadLibrary, kind: str, wanted: str) -> list[Offer]:
    """Return the first things of this kind that are called so, or the one whose id a suggestion carries."""
    _name, _mark, number = wanted.rpartition("#")
    try:
        by_id = {"pk": id_in(number)}
    except ValueError:
        by_id = {}
    if kind == "assignee":
        people = holders(library, Can.VIEW_LEADS).order_by("name", "pk")
        if by_id and (one := people.filter(**by_id).first()):
            return [_offer(kind, one.pk, str(one))]
        known = [(user.pk, str(user)) for user in people[:500]]
        return [_offer(kind, *row) for row in known if row[1].casefold() == wanted.casefold()]
    rows = _with_places(kind, _rows(library, kind).order_by("pk"))
    found = list(rows.filter(**by_id)) if by_id else []
    return [_offer(kind, *row) for row in found or rows.filter(name__iexact=wanted)[: MOST_TOLD + 1]]


def _several(wanted: str, found: Sequence[Offer]) -> Several:
    told = "; ".join(offer.text for offer in found[:MOST_TOLD])
    text = _("More than one is called “%(name)s”. Search for one of these: %(offers)s.")
    return Several({"q": text % {"name": wanted, "offers": told}}, found[:MOST_TOLD])


def _told_apart(kind: str, rows: Iterable[tuple[Any, ...]]) -> list[Offer]:
    rows = list(rows)
    often = Counter(str(row[1]).casefold() for row in rows)
    return [
        _offer(kind, *row) if often[row[1].casefold()] > 1 else Offer(kind, row[0], f"{KINDS[kind]}: {row[1]}")
        for row in rows
    ]


def _offer(kind: str, pk: int, name: str, *places: str) -> Offer:
    """Return an offer that cannot be mistaken: the text ends with the id. Long names are cut, so that it fits the
    field.
    """
    where = f" ({', '.join(place[:LONGEST] for place in places)})" if places else ""
    return Offer(kind, pk, f"{KINDS[kind]}: {name[:LONGEST]}{where} #{pk}")


def _with_places(kind: str, rows: QuerySet[Any]) -> QuerySet[Any, tuple[Any, ...]]:
    return rows.values_list("pk", "name", *PLACES.get(kind, ()))


def _by_id(library: LeadLibrary, text: str) -> dict[str, Any]:
    try:
        number = id_in(text)
    except ValueError:
        return {}
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
