"""Which lead a row became: its submission key follows from import and row, so that no row is imported twice.

Where a region's vault is another database, a batch first claims its leads (`arriving`), then writes what they answered,
then brings them to life. A run that is killed in between leaves claims; whoever goes on, or ends the import, drops them
with whatever stands in the vault.
"""

import uuid
from collections.abc import Iterable, Iterator

from leads.models import Import, Lead
from leads.vault.models import ConsentRecord, SealedAnswers, SearchTerm
from leads.vault.regions import aliases

ROWS = uuid.UUID("6d0e9b3e-1f5c-4a57-9a0e-4b1f6a0d7c21")
BATCH = 500
AT_ONCE = 1000


def key_of(import_id: int, position: int) -> uuid.UUID:
    """Return the submission key of the row that stands at this position, counted from 1 without empty rows."""
    return uuid.uuid5(ROWS, f"{import_id}:{position}")


def leads_of(row: Import) -> list[int]:
    """Return the ids of the leads that the import has made, whatever became of them."""
    return [lead_id for ids in _found(row, range(1, row.cursor + 1)) for lead_id in ids]


def drop_claims(row: Import) -> None:
    """Delete the leads of the batch behind the cursor that never came to life, and their rows in every vault."""
    arriving = Lead.objects.filter(state=Lead.State.ARRIVING, source=Lead.Source.IMPORT)
    for ids in _found(row, range(row.cursor + 1, row.cursor + BATCH + 1)):
        dropped = list(arriving.filter(pk__in=ids).values_list("pk", flat=True))
        if not dropped:
            continue
        for alias in aliases():
            for model in (SearchTerm, ConsentRecord, SealedAnswers):
                model._default_manager.using(alias).filter(lead_id__in=dropped).delete()
        arriving.filter(pk__in=dropped).delete()


def _found(row: Import, positions: Iterable[int]) -> Iterator[list[int]]:
    keys = [key_of(row.pk, position) for position in positions]
    for start in range(0, len(keys), AT_ONCE):
        leads = Lead.objects.filter(form=row.form_id, submission_key__in=keys[start : start + AT_ONCE])
        yield list(leads.values_list("pk", flat=True))
