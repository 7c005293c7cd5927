"""The files of an export: where they stand, and that their records are an export's (`leads.sealed_file`)."""

from collections.abc import Iterator
from pathlib import Path

from django.conf import settings

from accounts.audit import unpack
from leads import sealed_file
from leads.sealed_file import RECORD_BYTES, Busy, content_length, unwrap_key, wrap_key

__all__ = ["RECORD_BYTES", "Busy", "content_length", "unwrap_key", "wrap_key"]

NAME = b"export/1"
WORKBOOK = b"export-xlsx/1"
"""The name of a workbook's records: none of them can stand for one of the lines it was made from."""


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


def read_ids(export_id: int) -> Iterator[int]:
    """Yield the ids of the leads written so far, some thousand read at a time."""
    with draft_ids(export_id).open("rb") as kept:
        while packed := kept.read(8 * 8192):
            yield from unpack(packed)


def remove(export_id: int) -> None:
    """Delete everything that stands on disk for an export."""
    for path in (finished(export_id), draft(export_id), draft_workbook(export_id), draft_ids(export_id)):
        path.unlink(missing_ok=True)


class Writer(sealed_file.Writer):
    """Appends to the draft of an export, or of its workbook. Raises as `sealed_file.Writer` does."""

    def __init__(self, export_id: int, key: bytes, *, size: int, records: int, name: bytes = NAME) -> None:
        path = draft(export_id) if name == NAME else draft_workbook(export_id)
        super().__init__(path, key, name=name, owner=export_id, size=size, records=records)


def read(export_id: int, key: bytes, records: int, *, name: bytes = NAME) -> Iterator[bytes]:
    """Yield the content of each record of a whole file. Raises `Tampered`, `FileNotFoundError`."""
    return sealed_file.read(finished(export_id), key, records, name=name, owner=export_id)


def read_draft(export_id: int, key: bytes, records: int) -> Iterator[bytes]:
    """Yield the content of the records that a draft has so far. Raises `Tampered`, `FileNotFoundError`."""
    return sealed_file.read_unfinished(draft(export_id), key, records, name=NAME, owner=export_id)
