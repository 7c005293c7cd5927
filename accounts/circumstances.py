"""How a request came: with which token, from which country. Set by the frame around it, read by `audit.record`.

A context variable, so that nothing in between passes it on. Outside a request (tasks, commands) there are none.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass, replace


@dataclass(frozen=True, slots=True)
class Circumstances:
    """`token` is the id of the API token that was used, `country` two letters, or "" where nothing tells it."""

    token: int | None = None
    country: str = ""


NONE = Circumstances()
_around: ContextVar[Circumstances | None] = ContextVar("circumstances", default=None)


@contextmanager
def around(country: str = "") -> Iterator[None]:
    """Hold the circumstances of one request; they end with it."""
    before = _around.set(Circumstances(country=country))
    try:
        yield
    finally:
        _around.reset(before)


def came_by_token(token_id: int) -> None:
    """Say that the request under way is made with this token; without a request nothing is kept."""
    here = _around.get()
    if here is not None:
        _around.set(replace(here, token=token_id))


def circumstances() -> Circumstances:
    """Return those of the request under way."""
    return _around.get() or NONE


def country_in(text: str) -> str:
    """Return what a proxy says of the country as two letters, "" for its words for an unknown one."""
    code = text.strip().upper()
    return code if len(code) == 2 and code.isascii() and code.isalpha() and code not in ("XX", "ZZ") else ""
