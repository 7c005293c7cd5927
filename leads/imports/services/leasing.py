"""Who works on an import, for how long, and how it ends before its end: leases, the question of right, stopping."""

from datetime import timedelta
from typing import Any

from django.db import transaction
from django.db.models import F
from django.db.models.functions import Now
from django.utils.translation import gettext as _

from accounts import audit
from accounts.access import Can, lock_libraries, require
from accounts.models import Act, LeadLibrary, User
from accounts.services.transfers import other_trails
from leads.imports import file
from leads.imports.services.asking import NOTHING_YET, UNDER_WAY
from leads.imports.services.claims import drop_claims, leads_of
from leads.models import Import

LEASE = timedelta(seconds=60)
FRUITLESS = 5


class Stopped(Exception):
    """The import ends here; the text is what its page says."""


class Overtaken(RuntimeError):
    """Another worker leased the import meanwhile, or it was discarded; what this one did is not committed."""


def lease() -> Import | None:
    """Take the import that has been due longest, for a minute."""
    with transaction.atomic():
        due = Import.objects.select_for_update(no_key=True, skip_locked=True, of=("self",))
        found = due.filter(state__in=UNDER_WAY, due_at__lte=Now()).order_by("due_at").first()
        if found is None:
            return None
        found.lease += 1
        found.tries += 1
        Import.objects.filter(pk=found.pk).update(lease=found.lease, tries=found.tries, due_at=Now() + LEASE)
    return Import.objects.select_related("version", "requested_by").get(pk=found.pk)


def judge_tries(row: Import) -> None:
    """Raise `Stopped` for an import that several workers could not bring a step forward."""
    if row.tries > FRUITLESS:
        raise Stopped(_("It could not be read to its end. The people who run this installation can see why."))


def ask(row: Import) -> LeadLibrary:
    """Return the library as it is now; raise `Refused` when the person or the custody no longer allows this import."""
    library = LeadLibrary.objects.select_related("ad_account", "custodian").get(pk=row.library_id)
    actor = User.objects.get(pk=row.requested_by_id)
    require(actor, Can.WORK_LEADS, library, custody=row.custody)
    if row.deliver:
        require(actor, Can.CONNECT_CRM, library)
    return library


def hold(row: Import) -> LeadLibrary:
    """Lock library and import until the transaction ends, and ask: no transfer is accepted between this and the end.

    Raises `Refused`, `Overtaken`.
    """
    lock_libraries(LeadLibrary.objects.filter(pk=row.library_id))
    mine = Import.objects.select_for_update(no_key=True).filter(pk=row.pk, lease=row.lease, state=row.state)
    if not list(mine.values_list("pk", flat=True)):
        raise Overtaken
    return ask(row)


def commit(row: Import, **more: Any) -> None:
    """Write down how far the import is; raise `Overtaken` when it is somebody else's now."""
    mine = Import.objects.filter(pk=row.pk, lease=row.lease, state=row.state)
    fields = {
        "cursor": row.cursor,
        "made": row.made,
        "updated": row.updated,
        "skipped": row.skipped,
        "faulty": row.faulty,
        "fault_bytes": row.fault_bytes,
        "fault_records": row.fault_records,
        "tries": 0,
        "due_at": Now() + LEASE,
    }
    if not mine.update(**fields | more):
        raise Overtaken


def let_go(row: Import) -> None:
    """Leave the rest to the next lease."""
    Import.objects.filter(pk=row.pk, lease=row.lease).update(due_at=Now())


def stop(row: Import, reason: str) -> None:
    """End an import for good: its key goes with its files. What it made stays, and is counted and listed."""
    with transaction.atomic():
        mine = Import.objects.filter(pk=row.pk, lease=row.lease, state__in=UNDER_WAY)
        failed: dict[str, Any] = {
            "state": Import.State.FAILED,
            "failure": reason[:200],
            "wrapped_key": None,
            "finished_at": Now(),
        }
        failed |= NOTHING_YET if row.state == Import.State.CHECKING else {}
        if not mine.update(lease=F("lease") + 1, **failed):
            return  # another worker has it now, and asks the same questions
        drop_claims(row)
        library = LeadLibrary.objects.select_related("ad_account").get(pk=row.library_id)
        _record_stopped(row, library)
    file.remove(row.pk)


def _record_stopped(row: Import, library: LeadLibrary) -> None:
    overtaken = row.custody != library.custody
    made = leads_of(row) if row.state == Import.State.RUNNING else []
    for scope in (library, *(other_trails(library) if overtaken else ())):
        audit.record(
            Act.IMPORT_STOPPED,
            scope,
            actor=row.requested_by,
            targets=[row.pk],
            manifest=made or None,
            count=len(made),
            transferred=overtaken or None,
        )
