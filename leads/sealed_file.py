"""Sealed files on disk: 1 MiB records of AES-256-GCM, each bound to its file, its number and whether it is the last.

On disk a record is its length (4 bytes, big-endian) and an envelope record. A file without its last record does not
read to the end, so what a killed run left, or a cut copy, is never mistaken for a whole one. `name` says what kind of
file it is and `owner` whose: a record of another kind or row does not open.
"""

import contextlib
import fcntl
import os
import struct
import time
from collections.abc import Iterator
from pathlib import Path
from types import TracebackType
from typing import Self

from leads.vault import keyring
from leadscenter.lib.envelope import OVERHEAD, Tampered, open_record, seal_record
from leadscenter.lib.ids import id_in

RECORD_BYTES = 1 << 20
_LENGTH = struct.Struct(">I")
FRAME_BYTES = OVERHEAD + _LENGTH.size
ORPHANED_AFTER = 24 * 3600.0
"""Seconds after which a file without a key was left by a crash, and is nobody's who is just making it."""


class Busy(RuntimeError):
    """Another process is writing this file."""


def wrap_key(key: bytes) -> bytes:
    """Return a file's key as it stands in its row: name of the wrapping key, NUL, wrapped key."""
    wrapping_id, wrapped = keyring.wrap(key)
    return wrapping_id.encode() + b"\x00" + wrapped


def unwrap_key(stored: bytes | memoryview) -> bytes:
    """Return the key that `wrap_key` wrapped; raise `keyring.KeyUnavailable`."""
    wrapping_id, _nul, wrapped = bytes(stored).partition(b"\x00")
    return keyring.unwrap(wrapping_id.decode(), wrapped)


def _bound_to(name: bytes, owner: int, number: int, last: bool) -> tuple[bytes, ...]:
    return name, str(owner).encode(), str(number).encode(), b"last" if last else b"more"


class Writer:
    """Appends records behind what an earlier run committed; holds the file alone while it is open.

    Raises `Busy` when another process holds it, `FileNotFoundError` when what was committed is not there.
    """

    def __init__(self, path: Path, key: bytes, *, name: bytes, owner: int, size: int = 0, records: int = 0) -> None:
        self.owner, self.size, self.records, self.name = owner, size, records, name
        self._key = key
        self._file = os.fdopen(os.open(path, os.O_RDWR | os.O_CREAT, 0o600), "r+b")
        try:
            fcntl.flock(self._file, fcntl.LOCK_EX | fcntl.LOCK_NB)
            if self._file.seek(0, os.SEEK_END) < size:
                raise FileNotFoundError(f"the sealed file of {owner} is shorter than what was committed")
        except BlockingIOError as error:
            self._file.close()
            raise Busy from error
        except FileNotFoundError:
            self._file.close()
            raise
        self._file.truncate(size)
        self._file.seek(size)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self._file.close()

    def write(self, content: bytes) -> None:
        """Append content in records of at most 1 MiB; durable after `sync`."""
        for start in range(0, len(content), RECORD_BYTES):
            self._record(content[start : start + RECORD_BYTES], last=False)

    def finish(self) -> None:
        """Append the last record, which is empty."""
        self._record(b"", last=True)

    def sync(self) -> None:
        """Make sure that what was written survives a power cut."""
        self._file.flush()
        os.fsync(self._file.fileno())

    def _record(self, content: bytes, *, last: bool) -> None:
        bound = _bound_to(self.name, self.owner, self.records, last)
        record = seal_record(self._key, self.owner, content, bound)
        self._file.write(_LENGTH.pack(len(record)) + record)
        self.records += 1
        self.size += _LENGTH.size + len(record)


def read(path: Path, key: bytes, records: int, *, name: bytes, owner: int) -> Iterator[bytes]:
    """Yield the content of each record of a whole file, at most 1 MiB each.

    Raises `Tampered` when a record was changed, moved, added or cut off, `FileNotFoundError` without a file.
    """
    with path.open("rb") as file:
        for number in range(records):
            (length,) = _LENGTH.unpack(_exactly(file.read(_LENGTH.size), _LENGTH.size))
            if length > RECORD_BYTES + OVERHEAD:
                raise Tampered("a record of a sealed file is too long")
            record = _exactly(file.read(length), length)
            last = number == records - 1
            yield open_record(key, record, _bound_to(name, owner, number, last))
        if file.read(1):
            raise Tampered("a sealed file goes on behind its last record")


def read_unfinished(path: Path, key: bytes, records: int, *, name: bytes, owner: int) -> Iterator[bytes]:
    """Yield the content of the records that a file has so far. Raises `Tampered`, `FileNotFoundError`."""
    with path.open("rb") as file:
        for number in range(records):
            (length,) = _LENGTH.unpack(_exactly(file.read(_LENGTH.size), _LENGTH.size))
            yield open_record(key, _exactly(file.read(length), length), _bound_to(name, owner, number, False))


def _exactly(found: bytes, length: int) -> bytes:
    if len(found) != length:
        raise Tampered("a sealed file ends too early")
    return found


def content_length(size: int, records: int) -> int:
    """Return how many bytes `read` yields for a file of `size` bytes in `records` records."""
    return size - records * FRAME_BYTES


def owners_of_old(folder: Path, *, older_than: float) -> set[int]:
    """Return whose files of that age in seconds stand in a folder: the number that their names begin with.

    What has no number in front is none of ours, such as what a volume keeps for itself.
    """
    limit, found = time.time() - older_than, set()
    for path in folder.iterdir():
        try:
            owner = id_in(path.name.partition(".")[0])
        except ValueError:
            continue
        with contextlib.suppress(FileNotFoundError):  # it went, or got its last name, meanwhile
            if path.stat().st_mtime < limit:
                found.add(owner)
    return found
