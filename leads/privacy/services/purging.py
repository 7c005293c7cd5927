"""The end of leads: retention over, trash emptied. Their vault rows go in one transaction, then the keys nobody needs.

What stays of a lead is a tombstone (form, version, ad, region, day, test flag, why). Counts live in measures and stay.
A consent record outlives its lead as proof without a person: its network prefix goes.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import UTC, timedelta

from django.db import transaction
from django.db.models import BinaryField, QuerySet
from django.db.models.functions import Now, Substr, TruncDay

from accounts import audit
from accounts.models import Act, LeadLibrary
from leads.duplicates import link_followers
from leads.models import Delivery, FollowUp, Lead, LeadLabel, Notification
from leads.vault.keys import forget_keys, month_of, today
from leads.vault.models import ConsentRecord, Credential, DataKey, Note, ResponseExcerpt, SealedAnswers, SearchTerm
from leads.vault.regions import alias_of
from leadscenter.lib.envelope import HEADER, VERSION
from leadscenter.lib.regions import REGIONS

TRASH_DAYS = 30
MONTH_SETTLED = timedelta(days=2)
"""After a month ended nothing is under way any more that its keys seal, whatever the clocks of the web servers say."""
BATCH = 500
KEPT_STATES = (Lead.State.LIVE, Lead.State.QUARANTINED, Lead.State.TRASHED)


@dataclass(frozen=True, slots=True)
class Purged:
    """How many leads went and why, and how many keys were destroyed (in a dry run: would)."""

    expired: int = 0
    trash_emptied: int = 0
    keys: int = 0


def purge_expired(*, dry_run: bool = False) -> Purged:
    """Purge every library's leads whose time is over; restartable at any point."""
    expired = emptied = 0
    for library in LeadLibrary.objects.order_by("pk"):
        expired += _purge(library, over_retention(library), Lead.Gone.EXPIRED, dry_run)
        emptied += _purge(library, over_trash(library), Lead.Gone.TRASH_EMPTIED, dry_run)
    keys = 0 if dry_run else sum(destroy_unused_keys(region) for region in REGIONS)
    return Purged(expired, emptied, keys)


def over_retention(library: LeadLibrary) -> QuerySet[Lead]:
    """Return the leads of the library that are older than it keeps them, in the trash or not."""
    limit = Now() - timedelta(days=library.retention_days)
    return Lead.objects.filter(library=library, state__in=KEPT_STATES, received_at__lt=limit)


def over_trash(library: LeadLibrary) -> QuerySet[Lead]:
    """Return the leads of the library that have been in the trash for thirty days."""
    limit = Now() - timedelta(days=TRASH_DAYS)
    return Lead.objects.filter(library=library, state=Lead.State.TRASHED, trashed_at__lt=limit)


def _purge(library: LeadLibrary, leads: QuerySet[Lead], why: Lead.Gone, dry_run: bool) -> int:
    if dry_run:
        return leads.count()
    purged = 0
    while batch := list(leads.order_by("pk")[:BATCH]):
        bury(library, batch, why)
        purged += len(batch)
    return purged


def bury(library: LeadLibrary, leads: Sequence[Lead], why: Lead.Gone) -> None:
    """Delete everything that came from these people and leave tombstones, in one transaction per database."""
    ids = [lead.pk for lead in leads]
    for region in {lead.region for lead in leads}:
        if alias_of(region) != "default":  # first there: a crash in between leaves leads that are purged again
            with transaction.atomic(using=alias_of(region)):
                _empty_vault(region, [lead.pk for lead in leads if lead.region == region])
    with transaction.atomic():
        audit.record(Act.LEADS_PURGED, library, manifest=ids, why=str(why))
        for region in {lead.region for lead in leads}:
            if alias_of(region) == "default":
                _empty_vault(region, [lead.pk for lead in leads if lead.region == region])
        LeadLabel.objects.filter(lead_id__in=ids).delete()
        FollowUp.objects.filter(lead_id__in=ids).delete()
        Notification.objects.filter(object_id__in=ids, library_id=library.pk).delete()
        waiting = Delivery.objects.filter(lead_id__in=ids, state=Delivery.State.PENDING)
        waiting.exclude(event_key__startswith="lead.deleted").update(state=Delivery.State.SKIPPED, settled_at=Now())
        Lead.objects.filter(pk__in=ids).update(
            state=Lead.State.GONE,
            why_gone=why,
            status=Lead.Status.RAW,
            assignee=None,
            campaign=None,
            ad_group=None,
            duplicate_of=None,
            received_at=TruncDay("received_at", tzinfo=UTC),
            status_changed_at=None,
            contacted_at=None,
            attention_at=None,
            trashed_at=None,
            sealed_in_browser=False,
        )
        link_followers(library.pk, ids)


def _empty_vault(region: str, ids: Iterable[int]) -> None:
    alias = alias_of(region)
    gone = list(ids)
    for model in (SealedAnswers, SearchTerm, Note, ResponseExcerpt):
        model._default_manager.using(alias).filter(lead_id__in=gone).delete()
    ConsentRecord.objects.using(alias).filter(lead_id__in=gone).update(network_prefix="")


def destroy_unused_keys(region: str) -> int:
    """Destroy the data keys of months that ended two days ago or more and that seal no row; return how many."""
    alias = alias_of(region)
    settled = month_of(today() - MONTH_SETTLED)
    destroyed = 0
    for key in DataKey.objects.using(alias).filter(region=region, month__lt=settled).order_by("pk"):
        if not _is_used(key, alias):
            destroyed += DataKey.objects.using(alias).filter(pk=key.pk).delete()[0]
    if destroyed:
        forget_keys()
    return destroyed


def _is_used(key: DataKey, alias: str) -> bool:
    """Whether a row of the key's library and region names the key: its number stands in front of every record."""
    named = Substr("sealed", 1, HEADER.size, output_field=BinaryField())
    return any(
        model._default_manager.using(alias)
        .filter(library_id=key.library_id, region=key.region)
        .annotate(named=named)
        .filter(named=HEADER.pack(VERSION, key.pk))
        .exists()
        for model in (SealedAnswers, Note, ResponseExcerpt, Credential)
    )
