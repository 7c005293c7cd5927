"""Opening a sealed value. The import contract lists who may import this module; each of them leaves a trace."""

import json
import logging
from enum import StrEnum
from typing import Any

from leads.vault.keys import data_key
from leads.vault.sealing import additional_data
from leads.vault.values import Owner, Sealed, SealName
from leadscenter.lib.envelope import HEADER, Opener, Tampered, key_id_of, open_record, opener_for

security_log = logging.getLogger("leadscenter.security")
KEY_BYTES = HEADER.size
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


class Records:
    """Opens many records of one kind and library; the cipher of each key is made once."""

    def __init__(self, name: SealName, library_id: int, purpose: Purpose) -> None:
        self._name, self._library_id, self._purpose = name, library_id, purpose
        self._openers: dict[tuple[str, bytes], Opener] = {}

    def open(self, row_id: int, region: str, record: bytes) -> Any:
        """Return the JSON value of a row's record. Raises as `open` does."""
        try:
            key = region, record[:KEY_BYTES]
            if (opener := self._openers.get(key)) is None:
                opener = self._openers[key] = self._opener(region, record)
            text = opener(record, b"%d" % row_id).decode()
        except Tampered:
            security_log.error("a sealed value does not open", extra={"row": row_id, "purpose": self._purpose})
            raise
        value, end = _decode(text)  # `json.loads` looks for space around the value for a while; `seal` writes none
        return value if end == len(text) else json.loads(text)

    def _opener(self, region: str, record: bytes) -> Opener:
        key_id = key_id_of(record)
        *common, _row = additional_data(self._name, key_id, Owner(self._library_id, region, 0))
        return opener_for(data_key(key_id, region), common)
