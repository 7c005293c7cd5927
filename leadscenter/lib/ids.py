"""Names of rows: one 63-bit number per object, made before the row exists.

41 bits of milliseconds since 2025-01-01 UTC, then 22 bits that start at random in each process and millisecond and
count up. Shown as a decimal string wherever a person or a program meets it. An id is a name, never a key to anything.
"""

import os
import secrets
import threading
import time
from datetime import datetime
from typing import TYPE_CHECKING, Any

from django.db import models

if TYPE_CHECKING:
    _Number = models.BigIntegerField[int, int]
else:
    _Number = models.BigIntegerField

EPOCH_MS = 1_735_689_600_000
"""2025-01-01T00:00:00Z in Unix milliseconds."""
COUNTER_BITS = 22
COUNTER_LIMIT = 1 << COUNTER_BITS
PUBLIC_ALPHABET = "abcdefghijkmnpqrstuvwxyz23456789"
"""Without look-alikes: people read public ids aloud."""
PUBLIC_LENGTH = 10
MAX_ID = (1 << 63) - 1


def id_in(text: str) -> int:
    """Return the id that a decimal string says; raise `ValueError` where it can be none."""
    if not (text.isascii() and text.isdigit() and len(text) <= 19 and 0 < int(text) <= MAX_ID):
        raise ValueError("no id")
    return int(text)


class _Sequence:
    """Ids of one process, strictly rising; a full millisecond or a clock set back borrows from the next one."""

    def __init__(self) -> None:
        self.start_afresh()

    def start_afresh(self) -> None:
        self._lock = threading.Lock()
        self._millisecond = 0
        self._counter = COUNTER_LIMIT

    def take(self, count: int) -> list[int]:
        ids = []
        with self._lock:
            self._advance(time.time_ns() // 1_000_000 - EPOCH_MS)
            for _ in range(count):
                if self._counter >= COUNTER_LIMIT:
                    self._advance(self._millisecond + 1)
                ids.append((self._millisecond << COUNTER_BITS) | self._counter)
                self._counter += 1
        return ids

    def reserve(self, count: int) -> int:
        """The first of `count` ids without a gap."""
        with self._lock:
            self._advance(time.time_ns() // 1_000_000 - EPOCH_MS)
            if self._counter + count > COUNTER_LIMIT:
                self._millisecond += 1
                self._counter = secrets.randbelow(COUNTER_LIMIT - count)
            first = (self._millisecond << COUNTER_BITS) | self._counter
            self._counter += count
        return first

    def _advance(self, millisecond: int) -> None:
        if millisecond > self._millisecond:
            self._millisecond = millisecond
            self._counter = secrets.randbelow(COUNTER_LIMIT)


_sequence = _Sequence()
# A forked child would go on counting where its parent stands, and could inherit a lock that nobody will release.
os.register_at_fork(after_in_child=_sequence.start_afresh)


def new_id() -> int:
    """One new id, 1 … 2⁶³-1."""
    return _sequence.take(1)[0]


def id_at(moment: datetime) -> int:
    """The first id that can be made at `moment` (aware, not before 2025): ids below were made before it."""
    return (round(moment.timestamp() * 1000) - EPOCH_MS) << COUNTER_BITS


def new_ids(count: int) -> list[int]:
    """`count` new ids, rising. Raises `ValueError` below zero."""
    if count < 0:
        raise ValueError("count must not be negative")
    return _sequence.take(count)


def reserve_ids(count: int) -> int:
    """The first of `count` new ids that follow each other, for a statement that numbers its rows itself."""
    return _sequence.reserve(count)


def public_id() -> str:
    """Ten random letters and digits for a public link; a name, not a secret."""
    return "".join(secrets.choice(PUBLIC_ALPHABET) for _ in range(PUBLIC_LENGTH))


class IdField(_Number):
    """The primary key of every table: a number that the application makes."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        kwargs.update(primary_key=True, editable=False, default=new_id)
        super().__init__(*args, **kwargs)

    def deconstruct(self) -> Any:
        """Leave out what the constructor sets."""
        name, path, args, kwargs = super().deconstruct()
        for fixed in ("primary_key", "editable", "default"):
            kwargs.pop(fixed, None)
        return name, path, args, kwargs
