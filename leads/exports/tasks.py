from celery import shared_task

from leads.exports.services.expiring import expire_exports
from leads.exports.services.running import run_due


@shared_task(name="leads.run_exports", ignore_result=True)
def run_exports() -> None:
    """Every two seconds: work on the exports that are due, make expired files unreadable."""
    run_due()
    expire_exports()
