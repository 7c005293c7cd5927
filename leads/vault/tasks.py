from celery import shared_task

from accounts.models import LeadLibrary
from leads.vault import ingest, keys


@shared_task(name="vault.make_keys", ignore_result=True)
def make_keys() -> None:
    """Every day: make next month's keys ahead of time, and a new ingest key when the newest is a week old."""
    keys.make_missing_keys(LeadLibrary.objects.values_list("pk", flat=True))
    ingest.renew_ingest_key()
