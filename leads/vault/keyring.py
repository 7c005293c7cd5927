"""The wrapping keys: outside the database, in a file that only we can read (`LEADS_KEY_FILE`).

The file is `{"wrapping": [{"id": "…", "key": "<32 bytes, base64>", "made": "…"}]}`, newest first; beside it stand the
keys of `leads.vault.signing`. Data keys stand wrapped beside the data: django-cryptography's Fernet (AES-256-CBC,
HMAC-SHA256) with both its keys derived from ours, so nothing depends on `SECRET_KEY`. Whoever loses the file loses
every lead. A KMS can take the file's place here.
"""

import base64
import fcntl
import json
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import lru_cache
from pathlib import Path

from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF
from django.conf import settings
from django.core.signing import BadSignature
from django_cryptography.core.signing import FernetSigner
from django_cryptography.utils.crypto import FernetBytes, InvalidToken

from leadscenter.lib.private_file import write_privately


class KeyUnavailable(RuntimeError):
    """The wrapping key that is needed is not in the key file, or the file cannot be read."""


class KeyFileBusy(RuntimeError):
    """Another process is changing the key file."""


@dataclass(frozen=True, slots=True, repr=False)
class WrappingKey:
    """One key of the file; its `repr` shows the id alone."""

    id: str
    key: bytes
    made: str

    def __repr__(self) -> str:
        return f"<WrappingKey {self.id}>"


def wrapping_keys() -> list[WrappingKey]:
    """Return the keys of the file, newest first; raise `KeyUnavailable` with what is wrong and what to do."""
    path = Path(settings.LEADS_KEY_FILE)
    try:
        return _read(str(path), path.stat().st_mtime_ns)
    except OSError as error:
        raise KeyUnavailable(f"The key file {path} cannot be read: {error.strerror}. Restore its backup.") from error
    except (KeyError, TypeError, ValueError) as error:
        raise KeyUnavailable(f"The key file {path} is not valid. Restore it from its backup.") from error


def signing_keys() -> list[WrappingKey]:
    """Return the keys that sign heads of trails, newest first; none in a file from before. Raises `KeyUnavailable`."""
    wrapping_keys()  # says what is wrong with the file
    path = Path(settings.LEADS_KEY_FILE)
    return _read(str(path), path.stat().st_mtime_ns, "signing")


@lru_cache(maxsize=4)
def _read(path: str, _mtime: int, use: str = "wrapping") -> list[WrappingKey]:
    told = json.loads(Path(path).read_text())
    entries = told[use] if use in told or use == "wrapping" else []
    keys = [WrappingKey(str(entry["id"]), base64.b64decode(entry["key"]), str(entry["made"])) for entry in entries]
    if (use == "wrapping" and not keys) or any(len(key.key) != 32 for key in keys):
        raise ValueError("no key of 32 bytes")
    return keys


@contextmanager
def held() -> Iterator[Path]:
    """Hold the key file against every other process that would change it; give its path.

    Whoever reads it, decides by what it says and writes it does all of that within. Raises `KeyFileBusy`, and
    `KeyUnavailable` as `wrapping_keys` does.
    """
    wrapping_keys()
    path = Path(settings.LEADS_KEY_FILE)
    with path.with_name(path.name + ".lock").open("a") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise KeyFileBusy(f"A rotation is under way: another process holds {lock.name}.") from None
        yield path


def write_key_file(path: Path, keys: list[WrappingKey]) -> None:
    """Write the wrapping keys into the key file, durably, whole or not at all; what else it holds stays.

    A file that stands already is changed within `held`.
    """
    _write(path, "wrapping", keys)


def write_signing_key(path: Path, secret: bytes, now: datetime) -> None:
    """Make this the signing key of the key file, as `write_key_file` does; what else it holds stays."""
    _write(path, "signing", [WrappingKey(f"s{now:%Y%m%d%H%M%S}", secret, now.isoformat(timespec="seconds"))])


def _write(path: Path, use: str, keys: list[WrappingKey]) -> None:
    entries = [{"id": key.id, "key": base64.b64encode(key.key).decode(), "made": key.made} for key in keys]
    standing = json.loads(path.read_text()) if path.exists() else {}
    write_privately(path, json.dumps({**standing, use: entries}, indent=1))


def fresh_wrapping_key(secret: bytes, now: datetime | None = None) -> WrappingKey:
    """Return a new entry for the file made of 32 random bytes."""
    now = now or datetime.now(UTC)
    return WrappingKey(f"w{now:%Y%m%d%H%M%S%f}", secret, now.isoformat(timespec="seconds"))


@lru_cache(maxsize=64)
def _fernet(key: bytes) -> FernetBytes:
    def derive(use: bytes) -> bytes:
        return HKDF(SHA256(), 32, salt=None, info=b"leads-wrapping/1\x00" + use).derive(key)

    return FernetBytes(derive(b"encrypt"), FernetSigner(derive(b"sign")))


def wrap(secret: bytes) -> tuple[str, bytes]:
    """Return the id of the newest wrapping key and `secret` wrapped by it."""
    newest = wrapping_keys()[0]
    return newest.id, bytes(_fernet(newest.key).encrypt(secret))


def unwrap(wrapping_id: str, wrapped: bytes) -> bytes:
    """Return the secret; raise `KeyUnavailable` when its wrapping key is gone or the wrapping was changed."""
    for key in wrapping_keys():
        if key.id == wrapping_id:
            try:
                return bytes(_fernet(key.key).decrypt(bytes(wrapped)))
            except (BadSignature, InvalidToken) as error:
                raise KeyUnavailable(f"A data key does not open with wrapping key {wrapping_id}.") from error
    raise KeyUnavailable(f"The key file no longer holds wrapping key {wrapping_id}. Restore it from its backup.")
