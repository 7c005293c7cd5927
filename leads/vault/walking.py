"""Finding leads by the blind index: what somebody typed becomes digests, and the digests are walked newest first.

A word of a search is known by its digest in each region, so that it can stand in a URL, an export's filter or the
trail and hold no value. The walk looks at a bounded stretch; whoever asks decides when to stop.
"""

import base64
import binascii
import re
import unicodedata
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Self

from leads.vault.models import SearchTerm
from leads.vault.regions import alias_of, aliases
from leads.vault.search import DIGEST_BYTES, MAX_WORDS, TAIL_DIGITS, Term, digest_of, terms_of
from leadscenter.lib.lookups import numbers
from leadscenter.lib.paging import beyond
from leadscenter.lib.regions import REGIONS

COUNT_LIMIT = 5001
MAX_TYPED = 300
_PHONE = re.compile(r"[+(]?[0-9][0-9 ()./-]*")
_DIGITS = re.compile(r"[0-9]+")


@dataclass(frozen=True, slots=True)
class Word:
    """One thing that is searched for: its digest in each region, in the order of `REGIONS`."""

    digests: tuple[bytes, ...]

    def encode(self) -> str:
        """Return it as text for a URL."""
        return base64.urlsafe_b64encode(b"".join(self.digests)).decode()

    @classmethod
    def decode(cls, text: str) -> Self:
        """Read what `encode` wrote; raise `ValueError`."""
        try:
            raw = base64.b64decode(text.encode("ascii"), altchars=b"-_", validate=True)
        except (binascii.Error, UnicodeEncodeError) as error:
            raise ValueError("not a search digest") from error
        if len(raw) != DIGEST_BYTES * len(REGIONS):
            raise ValueError("not a search digest")
        return cls(tuple(raw[place : place + DIGEST_BYTES] for place in range(0, len(raw), DIGEST_BYTES)))


def words_of(library_id: int, typed: str) -> tuple[Word, ...]:
    """Return the digests of what somebody typed: an e-mail, a phone number or its last digits, words of a name."""
    terms = list(dict.fromkeys(_asked(typed[:MAX_TYPED])))[:MAX_WORDS]
    return tuple(Word(tuple(digest_of(library_id, region, term) for region in REGIONS)) for term in terms)


def _asked(typed: str) -> list[Term]:
    text = unicodedata.normalize("NFKC", typed).strip()
    if _PHONE.fullmatch(text):
        return _phone(text)
    found: list[Term] = []
    for part in text.split():
        if "@" in part:
            found += terms_of(email=part, phone=None, name=None)
        elif _PHONE.fullmatch(part):
            found += _phone(part)
        else:
            found += terms_of(email=None, phone=None, name=part)
    return found


def _phone(text: str) -> list[Term]:
    digits = "".join(_DIGITS.findall(text))
    if text.startswith("+"):
        return [("phone", f"+{digits}")]
    if len(digits) < TAIL_DIGITS:
        return [("word", digits)]  # people are called "3rd" and "2" more often than they are known by two digits
    return [("tail", digits[-TAIL_DIGITS:])]  # without its country a number is known by its end only


Place = tuple[datetime, int]  # received at, lead id: where a walk stands


@dataclass(frozen=True, slots=True)
class Step:
    """A stretch of a walk: the places of leads that hold all words, how many were looked at, its end (None: done)."""

    places: list[Place]
    looked_at: int
    last: Place | None


def rarest_first(library_id: int, words: Iterable[Word]) -> tuple[Word, ...]:
    """Return the words with the one that fewest leads hold in front: it walks, the others only answer."""
    wanted = tuple(words)
    return wanted if len(wanted) < 2 else tuple(sorted(wanted, key=lambda word: _count(library_id, word)))


def _count(library_id: int, word: Word) -> int:
    return sum(
        SearchTerm.objects.using(alias_of(region))
        .filter(library_id=library_id, digest=value)
        .values("pk")[:COUNT_LIMIT]
        .count()
        for region, value in zip(REGIONS, word.digests, strict=True)
    )


def walk(library_id: int, words: Sequence[Word], *, after: Place | None, size: int) -> Step:
    """Go on from `after`, newest first, over at most `size` leads that hold the first word."""
    walker, *others = words
    places: list[Place] = []
    for region, value in zip(REGIONS, walker.digests, strict=True):
        terms = SearchTerm.objects.using(alias_of(region)).filter(library_id=library_id, digest=value)
        if after is not None:
            terms = terms.filter(beyond(terms, after, "received_at", descending=True, row="lead"))
        places += terms.order_by("-received_at", "-lead_id").values_list("received_at", "lead_id")[:size]
    places = sorted(places, reverse=True)[:size]
    holding = {lead_id for _at, lead_id in places}
    for word in others:
        holding = _holding(library_id, word, holding)
    return Step(
        places=[place for place in places if place[1] in holding],
        looked_at=len(places),
        last=places[-1] if len(places) == size else None,
    )


def _holding(library_id: int, word: Word, lead_ids: set[int]) -> set[int]:
    found: set[int] = set()
    for alias in aliases():
        terms = SearchTerm.objects.using(alias).filter(
            lead_id__any_of=numbers(lead_ids), library_id=library_id, digest__in=word.digests
        )
        found.update(terms.values_list("lead_id", flat=True))
    return found
