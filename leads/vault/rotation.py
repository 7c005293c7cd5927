"""Replacing the wrapping key: every data, index and ingest key is wrapped anew, no sealed row is touched.

A replaced key stays in the file for 35 days, the time for which a backup may be restored; when it goes, every backup
from before is unreadable, and that is what shreds what was deleted since.
"""

import os
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from itertools import pairwise
from typing import Any

from leads.vault import ingest, keyring, keys, signing
from leads.vault.models_keys import DataKey, IndexKey, IngestKey
from leads.vault.regions import aliases

KEPT_AFTER_REPLACEMENT = timedelta(days=35)
BATCH = 500


@dataclass(frozen=True, slots=True)
class Rotated:
    """What a rotation did: the new key's id, how many keys it wraps now, the ids of the keys that are gone."""

    newest: str
    rewrapped: int
    destroyed: tuple[str, ...]


def rotate_keys(*, now: datetime | None = None) -> Rotated:
    """Put a fresh wrapping key in front, wrap every key with it, and destroy those replaced over 35 days ago.

    A key file without a signing key gets one.

    Cut off anywhere, it has lost nothing: the new key is in the file, on the disk, before anything is wrapped with it,
    an old one goes only when nothing in any database names it. Run again, it ends the work. A second one beside it
    raises `KeyFileBusy` and changes nothing.
    """
    now = now or datetime.now(UTC)
    newest = keyring.fresh_wrapping_key(os.urandom(32), now)
    with keyring.held() as path:
        keyring.write_key_file(path, [newest, *keyring.wrapping_keys()])
        signing.make_signing_key(now)
        rewrapped = rewrap()
        standing = keyring.wrapping_keys()  # as the file says now
        named = _named()
        # A key was replaced when the next newer one was made.
        overdue = {
            key.id
            for newer, key in pairwise(standing)
            if now - datetime.fromisoformat(newer.made) > KEPT_AFTER_REPLACEMENT and key.id not in named
        }
        if overdue:
            keyring.write_key_file(path, [key for key in standing if key.id not in overdue])
    keys.forget_keys()
    ingest.forget_ingest_keys()
    return Rotated(newest.id, rewrapped, tuple(sorted(overdue)))


def rewrap() -> int:
    """Wrap every key that an older wrapping key wraps with the newest; return how many."""
    done = 0
    for model, alias in _tables():
        newest = keyring.wrapping_keys()[0].id
        rows = model._default_manager.using(alias).exclude(wrapping_id=newest)
        while batch := list(rows.order_by("pk")[:BATCH]):
            for row in batch:
                was = row.wrapping_id
                row.wrapping_id, row.wrapped = keyring.wrap(keyring.unwrap(was, bytes(row.wrapped)))
                same = model._default_manager.using(alias).filter(pk=row.pk, wrapping_id=was)
                done += same.update(wrapping_id=row.wrapping_id, wrapped=row.wrapped)
    return done


def _tables() -> list[tuple[Any, str]]:
    regional = [(model, alias) for alias in aliases() for model in (DataKey, IndexKey)]
    return [*regional, (IngestKey, "default")]


def _named() -> set[str]:
    return {
        wrapping_id
        for model, alias in _tables()
        for wrapping_id in model._default_manager.using(alias).values_list("wrapping_id", flat=True).distinct()
    }
