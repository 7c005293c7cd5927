"""Sealing a value for its row. Whoever imports this can write secrets and read none."""

import json
from typing import Any

from leads.vault.keys import current_data_key
from leads.vault.values import Owner, SealName
from leadscenter.lib.envelope import seal_record


def additional_data(name: SealName, key_id: int, owner: Owner) -> tuple[bytes, ...]:
    """Return what a record is bound to: frozen name, key, library, region, row."""
    return (
        name.encode(),
        str(key_id).encode(),
        str(owner.library_id).encode(),
        owner.region.encode(),
        str(owner.row_id).encode(),
    )


def seal(name: SealName, owner: Owner, value: Any) -> bytes:
    """Return the JSON value as a record that opens for this row alone, under its library's data key of the month."""
    key_id, key = current_data_key(owner.library_id, owner.region)
    plaintext = json.dumps(value, ensure_ascii=False, separators=(",", ":")).encode()
    return seal_record(key, key_id, plaintext, additional_data(name, key_id, owner))
