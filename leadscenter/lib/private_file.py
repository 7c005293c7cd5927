"""Files that only we can read: secrets, keys."""

import os
from pathlib import Path


def write_privately(path: Path, text: str) -> None:
    """Write a file with mode 0600, whole or not at all; it is on the disk when this returns.

    A draft that a crash left is deleted. One writer at a time: whoever may have company takes a lock.
    """
    path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    draft = path.with_name(path.name + ".new")
    draft.unlink(missing_ok=True)
    with os.fdopen(os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w") as file:
        file.write(text)
        file.flush()
        os.fsync(file.fileno())
    draft.replace(path)
    folder = os.open(path.parent, os.O_RDONLY)
    try:
        os.fsync(folder)  # the name, too
    finally:
        os.close(folder)
