"""Who wrote twice: leads of one library and region with the same e-mail or the same phone number.

Found by the digests that stand beside the answers; nothing is opened. `Lead.duplicate_of` names the live lead that the
library has known longest (ids carry their time); test leads are nobody's duplicate.
"""

from collections import defaultdict
from collections.abc import Collection, Iterable

from django.db.models import Min

from leads.models import Lead
from leads.vault.models import SearchTerm
from leads.vault.regions import aliases

CHUNK = 500
TRIED = 100
SHARED_AT_MOST = 2000


def link_duplicates(library_id: int, lead_ids: Iterable[int]) -> int:
    """Write anew of which lead each of these is a duplicate; return how many rows changed. Repeatable."""
    ids, changed = sorted(set(lead_ids)), 0
    for start in range(0, len(ids), CHUNK):
        changed += _link(library_id, ids[start : start + CHUNK])
    return changed


def link_followers(library_id: int, gone: Collection[int]) -> None:
    """Find another original for what was a duplicate of leads that are no longer there."""
    followers = Lead.objects.filter(library=library_id, duplicate_of__in=gone, state=Lead.State.LIVE)
    link_duplicates(library_id, list(followers.values_list("pk", flat=True)))


def link_again(library_id: int, back: Collection[int]) -> None:
    """Link leads that have come back, and those that share an address with them."""
    found = set(back)
    for lead_id in back:
        found.update(sharing(library_id, lead_id, at_most=SHARED_AT_MOST))
    link_duplicates(library_id, found)


def sharing(library_id: int, lead_id: int, *, at_most: int) -> list[int]:
    """Return the ids of other leads of the library that hold the same e-mail or phone, whatever their state."""
    found: set[int] = set()
    for alias in aliases():
        terms = SearchTerm.objects.using(alias).filter(library_id=library_id, identifies=True)
        digests = [bytes(digest) for digest in terms.filter(lead_id=lead_id).values_list("digest", flat=True)]
        if digests:
            others = terms.filter(digest__in=digests).exclude(lead_id=lead_id)
            found.update(others.order_by("-received_at", "-lead_id").values_list("lead_id", flat=True)[:at_most])
    return sorted(found, reverse=True)[:at_most]


def _link(library_id: int, ids: list[int]) -> int:
    leads = Lead.objects.filter(pk__in=ids, library=library_id, state=Lead.State.LIVE, is_test=False)
    known = dict(leads.values_list("pk", "duplicate_of"))
    originals: dict[int, int] = {}
    for alias in aliases():
        terms = SearchTerm.objects.using(alias).filter(library_id=library_id, lead_id__in=list(known), identifies=True)
        held = [(lead_id, bytes(digest)) for lead_id, digest in terms.values_list("lead_id", "digest")]
        oldest = oldest_of(library_id, alias, {digest for _lead, digest in held})
        for lead_id, digest in held:
            if digest in oldest and oldest[digest] < lead_id:
                originals[lead_id] = min(oldest[digest], originals.get(lead_id, lead_id))
    by_original: dict[int | None, list[int]] = defaultdict(list)
    for lead_id, was in known.items():
        if originals.get(lead_id) != was:
            by_original[originals.get(lead_id)].append(lead_id)
    return sum(Lead.objects.filter(pk__in=rows).update(duplicate_of=one) for one, rows in by_original.items())


def oldest_of(library_id: int, alias: str, digests: set[bytes]) -> dict[bytes, int]:
    """Return by digest the first live lead that holds it."""
    terms = SearchTerm.objects.using(alias).filter(library_id=library_id, identifies=True)
    firsts = terms.filter(digest__in=list(digests)).order_by().values("digest").annotate(first=Min("lead_id"))
    found = {bytes(digest): first for digest, first in firsts.values_list("digest", "first")}
    live = _live(library_id, found.values())
    for digest, first in list(found.items()):
        if first in live:
            continue
        others = terms.filter(digest=digest).order_by("lead_id").values_list("lead_id", flat=True)[:TRIED]
        there = _live(library_id, others)
        if there:
            found[digest] = min(there)
        else:
            del found[digest]
    return found


def _live(library_id: int, ids: Iterable[int]) -> set[int]:
    leads = Lead.objects.filter(pk__in=list(ids), library=library_id, state=Lead.State.LIVE, is_test=False)
    return set(leads.values_list("pk", flat=True))
