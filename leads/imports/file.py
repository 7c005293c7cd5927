"""The files of an import: what was uploaded, and its faulty rows; sealed under the import's own key."""

from pathlib import Path

from django.conf import settings

from leads import sealed_file
from leads.models import Import

UPLOADED = b"import/1"
FAULTS = b"import-faults/1"


def folder() -> Path:
    """Return where the files of imports stand; made when missing, readable by us alone."""
    place = Path(getattr(settings, "IMPORTS_DIR", settings.BASE_DIR / "var" / "imports"))
    place.mkdir(parents=True, exist_ok=True, mode=0o700)
    return place


def uploaded(import_id: int) -> Path:
    """Return the path of the file that somebody uploaded."""
    return folder() / f"{import_id}.sealed"


def faults(import_id: int) -> Path:
    """Return the path of the whole file of faulty rows; it appears by rename."""
    return folder() / f"{import_id}.faults"


def draft_faults(import_id: int) -> Path:
    """Return the path of the file of faulty rows in the making."""
    return folder() / f"{import_id}.faults.part"


def remove(import_id: int, *, but_faults: bool = False) -> None:
    """Delete what stands on disk for an import; all of it, or all but its whole file of faulty rows."""
    for path in (uploaded(import_id), draft_faults(import_id), *(() if but_faults else (faults(import_id),))):
        path.unlink(missing_ok=True)


def keep(import_id: int, key: bytes, content: bytes) -> tuple[int, int]:
    """Write the uploaded file, sealed and durable; return its size on disk and its records."""
    with sealed_file.Writer(uploaded(import_id), key, name=UPLOADED, owner=import_id) as writer:
        writer.write(content)
        writer.finish()
        writer.sync()
        return writer.size, writer.records


def content_of(row: Import) -> bytes:
    """Return the uploaded file, opened. Raises `FileNotFoundError`, `Tampered`; the row must have its key."""
    assert row.wrapped_key is not None
    key = sealed_file.unwrap_key(row.wrapped_key)
    parts = sealed_file.read(uploaded(row.pk), key, row.records, name=UPLOADED, owner=row.pk)
    return b"".join(parts)
