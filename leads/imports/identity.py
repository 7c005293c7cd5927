"""Who of a file is here already, by the digests of e-mail and phone that stand beside the leads; nothing is opened."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from enum import Enum

from forms_builder.answers import Clean
from leads.duplicates import oldest_of
from leads.imports.judging import Judged
from leads.models import Import
from leads.vault.regions import aliases
from leads.vault.search import IDENTIFYING, Term, digest_of, terms_of
from leadscenter.lib.ids import new_id
from leadscenter.lib.regions import REGIONS


class Fate(Enum):
    """What becomes of a row without faults."""

    NEW = "new"
    CHANGE = "change"
    SKIP = "skip"


@dataclass(frozen=True, slots=True, repr=False)
class Planned:
    """A row and its lead: a new one, or the one that is here."""

    judged: Judged
    fate: Fate
    lead_id: int


def plan(library_id: int, policy: str, rows: Sequence[Judged], seen: dict[bytes, int]) -> list[Planned]:
    """Return the fate of each row, in order. `seen` remembers the new ones by digest: rows of one file meet, too.

    Of several leads that are here the one with the same e-mail goes before one with the same phone, and the one that
    the library has known longest before a later one.
    """
    terms = [[] if one.is_test else _identifying(one.clean) for one in rows]
    digests = [[_digests(library_id, term) for term in some] for some in terms]
    known = _known(library_id, {digest for some in digests for same in some for digest in same})
    return [_planned(policy, one, some, known, seen) for one, some in zip(rows, digests, strict=True)]


def _planned(
    policy: str, one: Judged, terms: list[list[bytes]], known: dict[bytes, int], seen: dict[bytes, int]
) -> Planned:
    if one.is_test:
        return Planned(one, Fate.SKIP, 0)
    here = next((known[digest] for same in terms for digest in same if digest in known), 0)
    here = here or next((seen[same[0]] for same in terms if same[0] in seen), 0)
    if here and policy != Import.Duplicates.ADD:
        changes = policy == Import.Duplicates.UPDATE and one.says_something_of_a_lead
        return Planned(one, Fate.CHANGE if changes else Fate.SKIP, here)
    lead_id = new_id()
    for same in terms:
        seen.setdefault(same[0], lead_id)
    return Planned(one, Fate.NEW, lead_id)


def _identifying(clean: Clean | None) -> list[Term]:
    assert clean is not None
    terms = terms_of(email=clean.email, phone=clean.phone, name=None)
    return [term for term in terms if term[0] in IDENTIFYING]


def _digests(library_id: int, term: Term) -> list[bytes]:
    """Return the digest that a term has in each region: the same person may have answered from elsewhere."""
    return [digest_of(library_id, region, term) for region in REGIONS]


def _known(library_id: int, digests: Iterable[bytes]) -> dict[bytes, int]:
    wanted = set(digests)
    found: dict[bytes, int] = {}
    for alias in aliases() if wanted else ():
        for digest, lead_id in oldest_of(library_id, alias, wanted).items():
            found[digest] = min(lead_id, found.get(digest, lead_id))
    return found
