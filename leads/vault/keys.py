"""Data keys and index keys of each library: made ahead of time, wrapped at rest, in memory for a minute at most."""

import hashlib
import hmac
import os
import threading
import time
from collections.abc import Callable, Iterable
from datetime import UTC, date, datetime
from typing import Any, TypeVar

from django.db import transaction

from leads.vault import keyring
from leads.vault.models_keys import DataKey, IndexKey
from leads.vault.regions import alias_of
from leadscenter.lib.ids import new_id
from leadscenter.lib.regions import REGIONS

CACHE_SECONDS = 60
T = TypeVar("T")


class KeyGone(RuntimeError):
    """The data key was destroyed: what it sealed is unreadable for ever, on purpose."""


class MinuteCache:
    """Secrets by name for a minute, so that destroying a key is prompt in every process."""

    def __init__(self) -> None:
        self._entries: dict[object, tuple[float, object]] = {}
        self._lock = threading.Lock()

    def get(self, name: object, load: Callable[[], T]) -> T:
        now = time.monotonic()
        entry = self._entries.get(name)
        if entry is not None and entry[0] > now:
            return entry[1]  # type: ignore[return-value]
        value = load()
        with self._lock:
            if len(self._entries) > 10_000:
                self._entries.clear()
            self._entries[name] = (now + CACHE_SECONDS, value)
        return value

    def clear(self) -> None:
        with self._lock:
            self._entries.clear()


_cache = MinuteCache()


def forget_keys() -> None:
    """Drop what this process holds in memory (after destroying keys, and between tests)."""
    _cache.clear()


def month_of(day: date) -> date:
    """Return the first day of the month: what names a data key."""
    return day.replace(day=1)


def next_month(month: date) -> date:
    """Return the first day of the month after `month`."""
    return date(month.year + month.month // 12, month.month % 12 + 1, 1)


def today() -> date:
    """Return the current day in UTC."""
    return datetime.now(UTC).date()


def make_keys(library_ids: Iterable[int], *, months: Iterable[date] | None = None) -> int:
    """Make the missing keys of the libraries in every region, for this month and the next; return how many.

    Never called inside the transaction that first uses a key: a rolled-back key would seal what nothing opens.
    """
    this = month_of(today())
    wanted = list(months) if months is not None else [this, next_month(this)]
    made = 0
    for region in REGIONS:
        alias = alias_of(region)
        for library_id in library_ids:
            for month in wanted:
                made += _make(DataKey, alias, library_id=library_id, region=region, month=month)
            made += _make(IndexKey, alias, library_id=library_id, region=region)
    return made


def make_missing_keys(library_ids: Iterable[int]) -> int:
    """Make what the libraries lack for this month and the next; nine queries when nothing is missing."""
    ids = set(library_ids)
    this = month_of(today())
    lacking: set[int] = set()
    for region in REGIONS:
        data = DataKey.objects.using(alias_of(region)).filter(region=region)
        for month in (this, next_month(this)):
            lacking |= ids - set(data.filter(month=month).values_list("library_id", flat=True))
        index = IndexKey.objects.using(alias_of(region)).filter(region=region)
        lacking |= ids - set(index.values_list("library_id", flat=True))
    return make_keys(sorted(lacking))


def _make(model: type[DataKey] | type[IndexKey], alias: str, **names: object) -> int:
    if model._default_manager.using(alias).filter(**names).exists():
        return 0
    wrapping_id, wrapped = keyring.wrap(os.urandom(32))
    rows: list[Any] = [model(id=new_id(), wrapping_id=wrapping_id, wrapped=wrapped, **names)]
    model._default_manager.using(alias).bulk_create(rows, ignore_conflicts=True)
    return 1


def current_data_key(library_id: int, region: str) -> tuple[int, bytes]:
    """Return (key id, key) that seals what arrives now."""
    month = month_of(today())

    def load() -> tuple[int, bytes]:
        rows = DataKey.objects.using(alias_of(region)).filter(library_id=library_id, region=region, month=month)
        row = rows.first()
        if row is None:  # a library younger than the daily task: make its keys before the transaction that needs them
            if transaction.get_connection(alias_of(region)).in_atomic_block:
                raise KeyGone("the keys of this library are not made yet")
            make_keys([library_id])
            row = rows.get()
        return row.pk, _unwrapped(row)

    return _cache.get(("current", library_id, region, month), load)


def data_key(key_id: int, region: str) -> bytes:
    """Return the key that a record names; raise `KeyGone` when it was destroyed."""

    def load() -> bytes:
        row = DataKey.objects.using(alias_of(region)).filter(pk=key_id).first()
        if row is None:
            raise KeyGone(f"data key {key_id} was destroyed")
        return _unwrapped(row)

    return _cache.get(("data", key_id, region), load)


def index_key(library_id: int, region: str) -> bytes:
    """Return the key of the library's blind index in a region."""

    def load() -> bytes:
        rows = IndexKey.objects.using(alias_of(region)).filter(library_id=library_id, region=region)
        row = rows.first()
        if row is None:
            if transaction.get_connection(alias_of(region)).in_atomic_block:
                raise KeyGone("the keys of this library are not made yet")
            make_keys([library_id])
            row = rows.get()
        return _unwrapped(row)

    return _cache.get(("index", library_id, region), load)


def keyed_digest(library_id: int, region: str, use: str, value: bytes, length: int) -> bytes:
    """Return the first `length` bytes of HMAC-SHA256 over (use, value) under the library's index key."""
    message = use.encode() + b"\x00" + value
    return hmac.digest(index_key(library_id, region), message, hashlib.sha256)[:length]


def _unwrapped(row: DataKey | IndexKey) -> bytes:
    return keyring.unwrap(row.wrapping_id, bytes(row.wrapped))
