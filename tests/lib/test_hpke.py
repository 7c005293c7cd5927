"""HPKE against RFC 9180: its vector for P-256 first proves the second implementation below, which then judges ours."""

import hashlib
import hmac
import json

import pytest
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from leadscenter.lib import hpke

CURVE = ec.SECP256R1()
# RFC 9180, appendix A.3.1 (DHKEM(P-256, HKDF-SHA256), HKDF-SHA256, AES-128-GCM, base mode), first encryption.
PRIVATE = bytes.fromhex("f3ce7fdae57e1a310d87f1ebbde6f328be0a99cdbcadf4d6589cf29de4b8ffd2")
ENC = bytes.fromhex(
    "04a92719c6195d5085104f469a8b9814d5838ff72b60501e2c4466e5e67b325ac98536d7b61a1af4b78e5b7f951c0900be863c403ce65c9bfc"
    "b9382657222d18c4"
)
CT = bytes.fromhex("5ad590bb8baa577f8619db35a36311226a896e7342a6d836d8b7bcd2f20b6c7f9076ac232e3ab2523f39513434")
INFO = b"Ode on a Grecian Urn"


def extract(salt: bytes, ikm: bytes) -> bytes:
    return hmac.digest(salt or bytes(32), ikm, hashlib.sha256)


def expand(key: bytes, info: bytes, length: int) -> bytes:
    block, out, counter = b"", b"", 1
    while len(out) < length:
        block = hmac.digest(key, block + info + bytes([counter]), hashlib.sha256)
        out, counter = out + block, counter + 1
    return out[:length]


def key_and_nonce(shared: bytes, info: bytes, aead: int, key_bytes: int) -> tuple[bytes, bytes]:
    suite = b"HPKE" + (16).to_bytes(2, "big") + (1).to_bytes(2, "big") + aead.to_bytes(2, "big")

    def labeled_extract(salt: bytes, label: bytes, ikm: bytes) -> bytes:
        return extract(salt, b"HPKE-v1" + suite + label + ikm)

    context = b"\x00" + labeled_extract(b"", b"psk_id_hash", b"") + labeled_extract(b"", b"info_hash", info)
    secret = labeled_extract(shared, b"secret", b"")

    def labeled_expand(label: bytes, length: int) -> bytes:
        return expand(secret, length.to_bytes(2, "big") + b"HPKE-v1" + suite + label + context, length)

    return labeled_expand(b"key", key_bytes), labeled_expand(b"base_nonce", 12)


def point(key: ec.EllipticCurvePublicKey) -> bytes:
    return key.public_bytes(Encoding.X962, PublicFormat.UncompressedPoint)


def shared_secret(diffie_hellman: bytes, enc: bytes, receiver: bytes) -> bytes:
    suite = b"KEM" + (16).to_bytes(2, "big")
    secret = extract(b"", b"HPKE-v1" + suite + b"eae_prk" + diffie_hellman)
    return expand(secret, (32).to_bytes(2, "big") + b"HPKE-v1" + suite + b"shared_secret" + enc + receiver, 32)


def rfc_open(private: bytes, enc: bytes, ct: bytes, info: bytes, aad: bytes, aead: int, key_bytes: int) -> bytes:
    mine = ec.derive_private_key(int.from_bytes(private, "big"), CURVE)
    dh = mine.exchange(ec.ECDH(), ec.EllipticCurvePublicKey.from_encoded_point(CURVE, enc))
    key, nonce = key_and_nonce(shared_secret(dh, enc, point(mine.public_key())), info, aead, key_bytes)
    return AESGCM(key).decrypt(nonce, ct, aad)


def rfc_seal(public: bytes, plaintext: bytes, info: bytes) -> tuple[bytes, bytes]:
    ephemeral = ec.generate_private_key(CURVE)
    enc = point(ephemeral.public_key())
    dh = ephemeral.exchange(ec.ECDH(), ec.EllipticCurvePublicKey.from_encoded_point(CURVE, public))
    key, nonce = key_and_nonce(shared_secret(dh, enc, public), info, 2, 32)
    return enc, AESGCM(key).encrypt(nonce, plaintext, b"")


def test_the_second_implementation_opens_the_vector_of_the_rfc() -> None:
    assert rfc_open(PRIVATE, ENC, CT, INFO, b"Count-0", 1, 16) == b"Beauty is truth, truth beauty"


def test_what_we_seal_the_second_implementation_opens() -> None:
    private, public = hpke.generate()
    info = hpke.info_for("k1", "abc123def4")
    enc, ct = hpke.seal(public, info, "Zoë".encode())
    assert rfc_open(private, enc, ct, info, b"", 2, 32) == "Zoë".encode()


def test_what_the_second_implementation_seals_we_open() -> None:
    private, public = hpke.generate()
    info = hpke.info_for("k1", "abc123def4")
    plaintext = json.dumps({"answers": {"name": "Ann"}}).encode()
    enc, ct = rfc_seal(public, plaintext, info)
    assert hpke.open_(private, enc, ct, info) == plaintext


def test_info_is_the_frozen_name_the_key_and_the_form() -> None:
    assert hpke.info_for("k1", "abc123def4") == b"leads-ingest/1\x00k1\x00abc123def4"


@pytest.mark.parametrize("info", [hpke.info_for("k2", "form"), hpke.info_for("k1", "other"), b""])
def test_a_blob_opens_for_its_own_key_and_form_only(info: bytes) -> None:
    private, public = hpke.generate()
    enc, ct = hpke.seal(public, hpke.info_for("k1", "form"), b"answers")
    with pytest.raises(hpke.CannotOpen):
        hpke.open_(private, enc, ct, info)


def test_a_blob_does_not_open_under_another_key_or_with_a_changed_bit() -> None:
    private, public = hpke.generate()
    enc, ct = hpke.seal(public, b"", b"answers")
    assert hpke.open_(private, enc, ct, b"") == b"answers"
    flipped = bytes([ct[0] ^ 1]) + ct[1:]
    off_curve = enc[:-1] + bytes([enc[-1] ^ 1])
    for key, first, second in [
        (hpke.generate()[0], enc, ct),
        (private, enc, flipped),
        (private, off_curve, ct),
        (private, enc[:-1], ct),
        (private, b"", b""),
        (private, enc, ct[:15]),
        (private, b"\x02" + enc[1:], ct),
        (private, bytes(65), ct),
    ]:
        with pytest.raises(hpke.CannotOpen):
            hpke.open_(key, first, second, b"")


def test_a_public_key_off_the_curve_is_refused() -> None:
    with pytest.raises(ValueError, match=r"."):
        hpke.seal(b"\x04" + bytes(64), b"", b"x")


def test_base64url_has_no_padding_and_one_spelling() -> None:
    assert hpke.b64url(b"\xfb\xff\xfe") == "-__-"
    assert hpke.from_b64url("-__-") == b"\xfb\xff\xfe"
    assert hpke.from_b64url(hpke.b64url(b"a")) == b"a"
    for bad in ["YQ==", "YR", "Y", "+/+/", "YQ\n", "YQ ", "é"]:
        with pytest.raises(ValueError, match="base64url"):
            hpke.from_b64url(bad)
