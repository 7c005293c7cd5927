"""The record in which every sealed value stands: AES-256-GCM with the number of its key in front.

0x01 ‖ key id (8 bytes, big endian) ‖ nonce (12) ‖ ciphertext with tag (16). Additional data: each part preceded by its
length in 4 bytes, so that ("ab", "c") and ("a", "bc") differ.
"""

import os
import struct
from collections.abc import Sequence

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

VERSION = 1
NONCE_BYTES = 12
TAG_BYTES = 16
HEADER = struct.Struct(">BQ")
OVERHEAD = HEADER.size + NONCE_BYTES + TAG_BYTES
_BODY = HEADER.size + NONCE_BYTES


class Tampered(ValueError):
    """The record was changed, moved to another row, or belongs to another key."""


def new_key() -> bytes:
    """A fresh 32-byte key."""
    return AESGCM.generate_key(256)


def derived_key(secret: bytes, label: bytes) -> bytes:
    """The 32-byte key that follows from `secret` for one use, named by `label` (HKDF-SHA256, RFC 5869, no salt)."""
    return HKDF(SHA256(), 32, salt=None, info=label).derive(secret)


def additional_data(parts: Sequence[bytes]) -> bytes:
    """Length-prefixed parts, unambiguous for every split."""
    return b"".join(struct.pack(">I", len(part)) + part for part in parts)


def seal_record(key: bytes, key_id: int, plaintext: bytes, aad: Sequence[bytes]) -> bytes:
    """Seal `plaintext` under a 32-byte `key`; `key_id` (0 … 2⁶⁴-1) is written in front in clear."""
    nonce = os.urandom(NONCE_BYTES)
    return HEADER.pack(VERSION, key_id) + nonce + AESGCM(key).encrypt(nonce, plaintext, additional_data(aad))


def key_id_of(record: bytes) -> int:
    """Which key opens this record. Raises `Tampered` when it is not a record."""
    if len(record) < OVERHEAD:
        raise Tampered("too short for a sealed record")
    version, key_id = HEADER.unpack_from(record)
    if version != VERSION:
        raise Tampered("unknown version of a sealed record")
    return int(key_id)


def open_record(key: bytes, record: bytes, aad: Sequence[bytes]) -> bytes:
    """The plaintext. Raises `Tampered` for another key, other additional data, or any changed bit."""
    key_id_of(record)
    body = HEADER.size + NONCE_BYTES
    try:
        return AESGCM(key).decrypt(record[HEADER.size : body], record[body:], additional_data(aad))
    except InvalidTag as error:
        raise Tampered("sealed record does not open here") from error


class Opener:
    """Opens many records of one key: the cipher is made once, the beginning of the additional data joined once."""

    def __init__(self, key: bytes, aad: Sequence[bytes]) -> None:
        self._decrypt = AESGCM(key).decrypt
        self._aad = additional_data(aad)

    def open(self, record: bytes, part: bytes) -> bytes:
        """The plaintext of a record that is bound to the common parts and one more. Raises `Tampered`."""
        aad = self._aad + struct.pack(">I", len(part)) + part
        try:
            return self._decrypt(record[HEADER.size : _BODY], record[_BODY:], aad)
        except (InvalidTag, ValueError) as error:
            raise Tampered("sealed record does not open here") from error
