"""The installation's signing key: it stands in the key file beside the wrapping keys and signs heads of trails.

`"signing": [{"id": "…", "key": "<32 bytes, base64>", "made": "…"}]`, newest first. A file from before has none: then
nothing is signed until `rotate_keys` makes one. It is never made by a worker.
"""

import os
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from django.conf import settings

from leads.vault import keyring
from leadscenter.lib import signatures


@dataclass(frozen=True, slots=True)
class Signature:
    """Who signed, with what, and the signature: `public_key` 32 bytes, `value` 64."""

    key_id: str
    public_key: bytes
    value: bytes


def sign(message: bytes) -> Signature | None:
    """Return the signature by the newest signing key; None where the key file has none."""
    keys = keyring.signing_keys()
    if not keys:
        return None
    newest = keys[0]
    return Signature(newest.id, signatures.public_key_of(newest.key), signatures.sign(newest.key, message))


def is_ours(message: bytes, signature: bytes) -> bool:
    """Return whether a signing key of the key file, newest or older, made this signature."""
    known = [signatures.public_key_of(key.key) for key in keyring.signing_keys()]
    return any(signatures.is_signed(public, signature, message) for public in known)


def make_signing_key(now: datetime | None = None) -> bool:
    """Put a signing key into the key file if it has none; return whether one was made. Within `keyring.held`."""
    if keyring.signing_keys():
        return False
    keyring.write_signing_key(Path(settings.LEADS_KEY_FILE), os.urandom(signatures.KEY_BYTES), now or datetime.now(UTC))
    return True
