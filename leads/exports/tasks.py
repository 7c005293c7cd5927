from celery import shared_task

from leads.exports.services import expiring
from leads.exports.services.marking import mark_downloaded as mark
from leads.exports.services.running import run_due


@shared_task(name="leads.run_exports", ignore_result=True, soft_time_limit=1800, time_limit=1860)
def run_exports() -> None:
    """Every two seconds: work on the exports that are due."""
    run_due()


@shared_task(name="leads.expire_exports", ignore_result=True)
def expire_exports() -> None:
    """Every ten seconds: make the files unreadable that have expired or were made before a transfer."""
    expiring.expire_exports()
    expiring.remove_orphans()


@shared_task(name="leads.mark_downloaded", ignore_result=True)
def mark_downloaded() -> None:
    """Every minute: leads of files that were fetched say so."""
    mark()
