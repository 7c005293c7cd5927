"""Saying on the leads of a file that they were downloaded, once somebody has fetched it; in batches, by a worker."""

from collections.abc import Iterator

from django.db import transaction
from django.db.models.functions import Now

from accounts.audit import manifests_of
from accounts.models import Act, AuditEvent
from leads.models import Export, Lead

BATCH = 1000
AT_ONCE = 20  # files


def mark_downloaded() -> int:
    """Mark the leads of fetched files that are not marked yet; return how many files. Repeatable after a crash."""
    waiting = Export.objects.filter(fetched_at__isnull=False, marked_at=None).order_by("fetched_at")
    exports = list(waiting.only("pk", "library_id", "fetched_at")[:AT_ONCE])
    for export in exports:
        for ids in _batches(export):
            with transaction.atomic():
                leads = Lead.objects.filter(pk__in=ids, library_id=export.library_id, downloaded_at=None)
                leads.exclude(state=Lead.State.GONE).update(downloaded_at=export.fetched_at)
        Export.objects.filter(pk=export.pk).update(marked_at=Now())
    return len(exports)


def _batches(export: Export) -> Iterator[list[int]]:
    """Yield the ids of the leads in the file, as the event of its making lists them."""
    made = AuditEvent.objects.filter(act=Act.EXPORT_MADE, targets__object_id=export.pk, scope_id=export.library_id)
    for ids in manifests_of(list(made.values_list("pk", flat=True))):
        yield from (ids[start : start + BATCH] for start in range(0, len(ids), BATCH))
