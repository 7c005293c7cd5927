"""The one place of deliveries that opens: answers on their way to a receiver, and the receiver's credentials."""

from collections import defaultdict
from collections.abc import Iterable, Mapping
from typing import Any

from leads.models import Connection
from leads.vault import opening
from leads.vault.keyring import KeyUnavailable
from leads.vault.keys import KeyGone
from leads.vault.models import Credential, SealedAnswers
from leads.vault.opening import Purpose
from leads.vault.regions import alias_of
from leadscenter.lib.envelope import Tampered

CREDENTIAL_REGION = "row"
UNREADABLE = (Tampered, KeyGone, KeyUnavailable)


def answers_of(regions: Mapping[int, str]) -> dict[int, Mapping[str, Any] | None]:
    """What these leads (id → region) answered, opened; None where it cannot be opened, no entry where it is gone."""
    by_region: dict[str, list[int]] = defaultdict(list)
    for lead, region in regions.items():
        by_region[region].append(lead)
    found: dict[int, Mapping[str, Any] | None] = {}
    for region, leads in by_region.items():
        rows = SealedAnswers.objects.using(alias_of(region)).filter(pk__in=leads)
        for row in rows.only("lead_id", "library_id", "region", "sealed"):
            found[row.lead_id] = _opened(row)
    return found


def _opened(row: SealedAnswers) -> Mapping[str, Any] | None:
    try:
        value: Mapping[str, Any] = opening.open(row.sealed, Purpose.DELIVER)
    except UNREADABLE:
        return None
    return value


def credentials_of(connections: Iterable[Connection]) -> dict[int, Mapping[str, Any]]:
    """The opened credentials by connection id; those without a row, or with one that does not open, have no entry."""
    ids = [connection.pk for connection in connections]
    rows = Credential.objects.using(alias_of(CREDENTIAL_REGION)).filter(pk__in=ids)
    found: dict[int, Mapping[str, Any]] = {}
    for row in rows:
        try:
            found[row.connection_id] = opening.open(row.sealed, Purpose.CONNECT)
        except UNREADABLE:
            continue
    return found
