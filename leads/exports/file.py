"""The file of an export: 1 MiB records of AES-256-GCM, each bound to its export, its number and whether it is the last.

On disk a record is its length (4 bytes, big-endian) and an envelope record. A file without its last record does not
read to the end, so what a killed run left, or a cut copy, is never mistaken for a whole one.
"""

import fcntl
import os
import struct
from collections.abc import Iterator
from pathlib import Path
from types import TracebackType
from typing import Self

from django.conf import settings

from leads.vault import keyring
from leadscenter.lib.envelope import OVERHEAD, Tampered, open_record, seal_record

RECORD_BYTES = 1 << 20
_LENGTH = struct.Struct(">I")
FRAME_BYTES = OVERHEAD + _LENGTH.size
NAME = b"export/1"
WORKBOOK = b"export-xlsx/1"
"""The name of a workbook's records: none of them can stand for one of the lines it was made from."""


class Busy(RuntimeError):
    """Another process is writing this file."""


def folder() -> Path:
    """Return where exports stand; made when missing, readable by us alone."""
    place = Path(getattr(settings, "EXPORTS_DIR", settings.BASE_DIR / "var" / "exports"))
    place.mkdir(parents=True, exist_ok=True, mode=0o700)
    return place


def finished(export_id: int) -> Path:
    """Return the path of the whole file; it appears by rename."""
    return folder() / f"{export_id}.sealed"


def draft(export_id: int) -> Path:
    """Return the path of the file in the making."""
    return folder() / f"{export_id}.part"


def draft_workbook(export_id: int) -> Path:
    """Return the path of the workbook in the making, which is built from the lines of the draft."""
    return folder() / f"{export_id}.xlsx.part"


def draft_ids(export_id: int) -> Path:
    """Return the path of the ids (8 bytes each) of the leads written so far: what the trail's manifest is made of."""
    return folder() / f"{export_id}.ids"


def remove(export_id: int) -> None:
    """Delete everything that stands on disk for an export."""
    for path in (finished(export_id), draft(export_id), draft_workbook(export_id), draft_ids(export_id)):
        path.unlink(missing_ok=True)


def wrap_key(key: bytes) -> bytes:
    """Return a file's key as it stands in the export's row: name of the wrapping key, NUL, wrapped key."""
    wrapping_id, wrapped = keyring.wrap(key)
    return wrapping_id.encode() + b"\x00" + wrapped


def unwrap_key(stored: bytes | memoryview) -> bytes:
    """Return the key that `wrap_key` wrapped; raise `keyring.KeyUnavailable`."""
    wrapping_id, _nul, wrapped = bytes(stored).partition(b"\x00")
    return keyring.unwrap(wrapping_id.decode(), wrapped)


def _bound_to(name: bytes, export_id: int, number: int, last: bool) -> tuple[bytes, ...]:
    return name, str(export_id).encode(), str(number).encode(), b"last" if last else b"more"


class Writer:
    """Appends records behind what an earlier run committed; holds the file alone while it is open.

    Raises `Busy` when another process holds it, `FileNotFoundError` when what was committed is not there.
    """

    def __init__(self, export_id: int, key: bytes, *, size: int, records: int, name: bytes = NAME) -> None:
        self.export_id, self.size, self.records, self.name = export_id, size, records, name
        self._key = key
        path = draft(export_id) if name == NAME else draft_workbook(export_id)
        self._file = os.fdopen(os.open(path, os.O_RDWR | os.O_CREAT, 0o600), "r+b")
        try:
            fcntl.flock(self._file, fcntl.LOCK_EX | fcntl.LOCK_NB)
            if self._file.seek(0, os.SEEK_END) < size:
                raise FileNotFoundError(f"the file of export {export_id} is shorter than what was committed")
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
        bound = _bound_to(self.name, self.export_id, self.records, last)
        record = seal_record(self._key, self.export_id, content, bound)
        self._file.write(_LENGTH.pack(len(record)) + record)
        self.records += 1
        self.size += _LENGTH.size + len(record)


def read(export_id: int, key: bytes, records: int, *, name: bytes = NAME) -> Iterator[bytes]:
    """Yield the content of each record of a whole file, at most 1 MiB each.

    Raises `Tampered` when a record was changed, moved, added or cut off, `FileNotFoundError` without a file.
    """
    with finished(export_id).open("rb") as file:
        for number in range(records):
            (length,) = _LENGTH.unpack(_exactly(file.read(_LENGTH.size), _LENGTH.size))
            if length > RECORD_BYTES + OVERHEAD:
                raise Tampered("a record of an export is too long")
            record = _exactly(file.read(length), length)
            last = number == records - 1
            yield open_record(key, record, _bound_to(name, export_id, number, last))
        if file.read(1):
            raise Tampered("an export goes on behind its last record")


def read_draft(export_id: int, key: bytes, records: int) -> Iterator[bytes]:
    """Yield the content of the records that a draft has so far. Raises `Tampered`, `FileNotFoundError`."""
    with draft(export_id).open("rb") as file:
        for number in range(records):
            (length,) = _LENGTH.unpack(_exactly(file.read(_LENGTH.size), _LENGTH.size))
            yield open_record(key, _exactly(file.read(length), length), _bound_to(NAME, export_id, number, False))


def _exactly(found: bytes, length: int) -> bytes:
    if len(found) != length:
        raise Tampered("an export ends too early")
    return found


def content_length(size: int, records: int) -> int:
    """Return how many bytes `read` yields for a file of `size` bytes in `records` records."""
    return size - records * FRAME_BYTES
