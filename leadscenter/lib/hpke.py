"""Hybrid public-key encryption of a submission, from the browser to the intake (RFC 9180).

Base mode, single shot: DHKEM(P-256, HKDF-SHA256), HKDF-SHA256, AES-256-GCM, empty additional data.
`info` = "leads-ingest/1" ‖ 0x00 ‖ key id ‖ 0x00 ‖ public id of the form, so that a sealed blob opens for one form and
one key only. On the wire everything is base64url without padding.
"""

import base64
import binascii
import re
from functools import lru_cache

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.hpke import AEAD, KDF, KEM, Suite
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

PRIVATE_BYTES = 32
PUBLIC_BYTES = 65
TAG_BYTES = 16
CURVE = ec.SECP256R1()
SUITE = Suite(KEM.P256, KDF.HKDF_SHA256, AEAD.AES_256_GCM)
INFO_NAME = b"leads-ingest/1"
_BASE64URL = re.compile(r"[A-Za-z0-9_-]*\Z")


class CannotOpen(ValueError):
    """The blob was not sealed for this key and this form, or it was changed on the way."""


def b64url(data: bytes) -> str:
    """Bytes as base64url without padding."""
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode("ascii")


def from_b64url(text: str) -> bytes:
    """The bytes of unpadded base64url. Raises `ValueError` for anything else, padding and spare bits included."""
    if not _BASE64URL.match(text):
        raise ValueError("not base64url")
    try:
        data = base64.urlsafe_b64decode(text + "=" * (-len(text) % 4))
    except binascii.Error as error:
        raise ValueError("not base64url") from error
    if b64url(data) != text:
        raise ValueError("not canonical base64url")
    return data


def info_for(kid: str, public_id: str) -> bytes:
    """The context that binds a blob to a key and a form."""
    return b"\x00".join((INFO_NAME, kid.encode(), public_id.encode()))


def generate() -> tuple[bytes, bytes]:
    """A new key pair: the private number (32 bytes, big endian) and the public point (65 bytes, uncompressed)."""
    key = ec.generate_private_key(CURVE)
    private = key.private_numbers().private_value.to_bytes(PRIVATE_BYTES, "big")
    return private, key.public_key().public_bytes(Encoding.X962, PublicFormat.UncompressedPoint)


def seal(public: bytes, info: bytes, plaintext: bytes) -> tuple[bytes, bytes]:
    """Seal to a public point: (encapsulated key, ciphertext with tag). Raises `ValueError` for a bad point."""
    key = ec.EllipticCurvePublicKey.from_encoded_point(CURVE, public)
    sealed = SUITE.encrypt(plaintext, key, info=info)
    return sealed[:PUBLIC_BYTES], sealed[PUBLIC_BYTES:]


def open_(private: bytes, enc: bytes, ct: bytes, info: bytes) -> bytes:
    """Open what `seal` made. Raises `CannotOpen` for a wrong key, another `info`, a changed or malformed blob."""
    if len(enc) != PUBLIC_BYTES or len(ct) < TAG_BYTES:
        raise CannotOpen("malformed")
    try:
        return SUITE.decrypt(enc + ct, _private_key(private), info=info)
    except (InvalidTag, ValueError) as error:
        raise CannotOpen("cannot be opened") from error


@lru_cache(maxsize=8)
def _private_key(private: bytes) -> ec.EllipticCurvePrivateKey:
    # Deriving the point costs as much as opening a blob; an installation has one ingest key, two while it rotates.
    return ec.derive_private_key(int.from_bytes(private, "big"), CURVE)
