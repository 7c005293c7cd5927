from celery import shared_task

from leads.exports.services.expiring import expire_exports
from leads.exports.services.marking import mark_downloaded as mark
from leads.exports.services.running import run_due


@shared_task(name="leads.run_exports", ignore_result=True)
def run_exports() -> None:
    """Every two seconds: work on the exports that are due, make expired files unreadable."""
    run_due()
    expire_exports()


@shared_task(name="leads.mark_downloaded", ignore_result=True)
def mark_downloaded() -> None:
    """Every minute: leads of files that were fetched say so."""
    mark()
