"""What this process has found out a moment ago and need not find out again."""

import time
from collections.abc import Hashable, Iterable
from typing import Generic, TypeVar

K = TypeVar("K", bound=Hashable)


class Lately(Generic[K]):
    """Things that were found to be so within the last `seconds`; `most` are remembered, then all are forgotten."""

    def __init__(self, seconds: float, most: int = 10_000) -> None:
        self._seconds, self._most = seconds, most
        self._until: dict[K, float] = {}

    def __contains__(self, thing: K) -> bool:
        return self._until.get(thing, 0.0) > time.monotonic()

    def add(self, things: Iterable[K]) -> None:
        """Remember that these are so, from now on."""
        if len(self._until) > self._most:
            self._until = {}
        until = time.monotonic() + self._seconds
        self._until.update((thing, until) for thing in things)

    def forget(self) -> None:
        """Forget everything."""
        self._until = {}
