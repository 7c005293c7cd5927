"""Opening a sealed value. The import contract lists who may import this module; each of them leaves a trace."""

import json
import logging
from collections.abc import Iterable, Iterator
from enum import StrEnum
from typing import Any

from leads.vault.keys import data_key
from leads.vault.sealing import additional_data
from leads.vault.values import Owner, Sealed, SealName
from leadscenter.lib.envelope import Opener, Tampered, key_id_of, open_record

security_log = logging.getLogger("leadscenter.security")
_decode = json.JSONDecoder().raw_decode


class Purpose(StrEnum):
    """Why a value is opened; stands in the alarm when it does not open."""

    DISCLOSE = "disclose"
    EXPORT = "export"
    DELIVER = "deliver"
    PRIVACY = "privacy"
    ROTATE = "rotate"
    CONNECT = "connect"


def open(sealed: Sealed, purpose: Purpose) -> Any:  # noqa: A001  # reads as vault.opening.open at the call
    """Return the JSON value of a sealed record.

    Raises `Tampered` (and alarms) when the record was changed or moved, `KeyGone` when its key was destroyed.
    """
    try:
        key_id = key_id_of(sealed.record)
        key = data_key(key_id, sealed.owner.region)
        plaintext = open_record(key, sealed.record, additional_data(sealed.name, key_id, sealed.owner))
    except Tampered:
        security_log.error("a sealed value does not open", extra={"row": sealed.owner.row_id, "purpose": purpose})
        raise
    return json.loads(plaintext)


def open_rows(
    name: SealName, library_id: int, region: str, rows: Iterable[tuple[int, bytes | memoryview]], purpose: Purpose
) -> Iterator[tuple[int, Any]]:
    """Yield (row id, JSON value) of many records of one library and region, given as (row id, record).

    Raises as `open` does, at the first record that does not open.
    """
    openers: dict[int, Opener] = {}
    for row_id, value in rows:
        record = bytes(value)
        try:
            key_id = key_id_of(record)
            opener = openers.get(key_id)
            if opener is None:
                *common, _row = additional_data(name, key_id, Owner(library_id, region, 0))
                opener = openers[key_id] = Opener(data_key(key_id, region), common)
            plaintext = opener.open(record, str(row_id).encode())
        except Tampered:
            security_log.error("a sealed value does not open", extra={"row": row_id, "purpose": purpose})
            raise
        yield row_id, _decoded(plaintext.decode())


def _decoded(text: str) -> Any:
    """The value of JSON without space around it, as `seal` writes it: `json.loads` looks for space for a while."""
    value, end = _decode(text)
    return value if end == len(text) else json.loads(text)
