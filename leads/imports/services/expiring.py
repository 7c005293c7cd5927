"""The end of an import's files: the key first, then the bytes."""

from django.db.models import F, Q
from django.db.models.functions import Now

from leads.imports import file
from leads.imports.services.asking import NOTHING_YET, UNDER_WAY, WAITING
from leads.models import Import
from leads.sealed_file import ORPHANED_AFTER, owners_of_old

AT_ONCE = 1000


def expire_imports(*, dry_run: bool = False) -> int:
    """Make the files that have expired, or came before a transfer, unreadable; return of how many imports.

    A file that waited for its mapping or a yes is told expired; an import that has ended stays what it is.
    """
    over = Q(expires_at__lte=Now()) | ~Q(custody=F("library__custody"))
    kept = Import.objects.filter(over, wrapped_key__isnull=False).exclude(state__in=UNDER_WAY)
    ids = list(kept.values_list("pk", flat=True)[:AT_ONCE])
    if not dry_run and ids:
        rows = Import.objects.filter(pk__in=ids).exclude(state__in=UNDER_WAY)
        rows.filter(state__in=WAITING).update(state=Import.State.EXPIRED, wrapped_key=None, **NOTHING_YET)
        rows.exclude(state__in=WAITING).update(wrapped_key=None)
        for import_id in Import.objects.filter(pk__in=ids, wrapped_key=None).values_list("pk", flat=True):
            file.remove(import_id)
    return len(ids)


def remove_orphans(*, older_than: float = ORPHANED_AFTER) -> int:
    """Delete files of that age in seconds whose import has no key: what a crash left. Nobody could read them."""
    found = owners_of_old(file.folder(), older_than=older_than)
    kept = set(Import.objects.filter(pk__in=found, wrapped_key__isnull=False).values_list("pk", flat=True))
    for import_id in found - kept:
        file.remove(import_id)
    return len(found - kept)
