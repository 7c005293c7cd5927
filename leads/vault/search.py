"""The blind index: keyed digests of e-mail, phone and name words, so that a lead is found without anything in clear.

Twelve bytes of HMAC-SHA256 under the index key of one library and region. Normalised: NFKC, case-folded, accents
stripped; phones as E.164 and by their last six digits.
"""

import unicodedata
from typing import Literal

from leads.vault.keys import keyed_digest

DIGEST_BYTES = 12
TAIL_DIGITS = 6
MAX_WORDS = 8
TermKind = Literal["email", "phone", "tail", "word"]
Term = tuple[TermKind, str]
IDENTIFYING = ("email", "phone")


def fold(text: str) -> str:
    """Return the text as it is compared: NFKC, case-folded, without accents and without space around it."""
    decomposed = unicodedata.normalize("NFKD", unicodedata.normalize("NFKC", text).casefold())
    return "".join(char for char in decomposed if not unicodedata.combining(char)).strip()


def terms_of(*, email: str | None, phone: str | None, name: str | None) -> list[Term]:
    """Return what a lead can be found by; `phone` is E.164."""
    terms: list[Term] = []
    if email:
        terms.append(("email", fold(email)))
    if phone:
        terms += [("phone", phone), ("tail", phone[-TAIL_DIGITS:])]
    if name:
        words = dict.fromkeys(word for word in fold(name).split() if word)
        terms += [("word", word) for word in list(words)[:MAX_WORDS]]
    return terms


def digest_of(library_id: int, region: str, term: Term) -> bytes:
    """Return the digest that a term has in one library and region."""
    kind, value = term
    return keyed_digest(library_id, region, f"search/{kind}", value.encode("utf-8", "replace"), DIGEST_BYTES)


def digests_of(library_id: int, region: str, terms: list[Term]) -> list[bytes]:
    """Return the digests of all terms, each once."""
    return list(dict.fromkeys(digest_of(library_id, region, term) for term in terms))


def identifying(terms: list[Term]) -> int:
    """Return how many of the terms, which stand in front, are one person's: their e-mail, their phone number."""
    return sum(kind in IDENTIFYING for kind, _value in terms)
