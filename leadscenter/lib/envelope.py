"""The record in which every sealed value stands: AES-256-GCM with the number of its key in front.

0x01 ‖ key id (8 bytes, big endian) ‖ nonce (12) ‖ ciphertext with tag (16). Additional data: each part preceded by its
length in 4 bytes, so that ("ab", "c") and ("a", "bc") differ.
"""

import os
import struct
from collections.abc import Callable, Sequence

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

VERSION = 1
NONCE_BYTES = 12
TAG_BYTES = 16
HEADER = struct.Struct(">BQ")
OVERHEAD = HEADER.size + NONCE_BYTES + TAG_BYTES
_HEAD = HEADER.size
_BODY = _HEAD + NONCE_BYTES


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
    try:
        return AESGCM(key).decrypt(record[_HEAD:_BODY], record[_BODY:], additional_data(aad))
    except InvalidTag as error:
        raise Tampered("sealed record does not open here") from error


Opener = Callable[[bytes, bytes], bytes]
"""Record and one more part of its additional data → plaintext. Raises `Tampered`."""


def opener_for(key: bytes, aad: Sequence[bytes]) -> Opener:
    """What opens many records of one key: the cipher is made once, the beginning of the additional data joined once."""
    decrypt, common, length = AESGCM(key).decrypt, additional_data(aad), struct.Struct(">I").pack

    def opened(record: bytes, part: bytes) -> bytes:
        try:
            return decrypt(record[_HEAD:_BODY], record[_BODY:], common + length(len(part)) + part)
        except (InvalidTag, ValueError) as error:
            raise Tampered("sealed record does not open here") from error

    return opened
