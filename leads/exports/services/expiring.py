"""The end of an export's file: the key first, then the bytes."""

from django.db.models import F, Q
from django.db.models.functions import Now

from leads.exports import file
from leads.models import Export
from leads.sealed_file import ORPHANED_AFTER, owners_of_old


def expire_exports(*, dry_run: bool = False) -> int:
    """Make the files that have expired, or were made before a transfer, unreadable; return how many there are."""
    over = Q(expires_at__lte=Now()) | ~Q(custody=F("library__custody"))
    expired = Export.objects.filter(over, state=Export.State.DONE)
    ids = list(expired.values_list("pk", flat=True)[:1000])
    if not dry_run:
        Export.objects.filter(pk__in=ids).update(state=Export.State.EXPIRED, wrapped_key=None)
        for export_id in ids:
            file.remove(export_id)
    return len(ids)


def remove_orphans(*, older_than: float = ORPHANED_AFTER) -> int:
    """Delete files of that age in seconds whose export has no key: what a crash left. Nobody could read them."""
    found = owners_of_old(file.folder(), older_than=older_than)
    kept = set(Export.objects.filter(pk__in=found, wrapped_key__isnull=False).values_list("pk", flat=True))
    for export_id in found - kept:
        file.remove(export_id)
    return len(found - kept)
