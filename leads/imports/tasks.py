from celery import shared_task

from leads.imports.services import expiring
from leads.imports.services.running import run_due


@shared_task(name="leads.run_imports", ignore_result=True)
def run_imports() -> None:
    """Every two seconds: work on the imports that are due."""
    run_due()


@shared_task(name="leads.expire_imports", ignore_result=True)
def expire_imports() -> None:
    """Every minute: make the files unreadable that have expired or came before a transfer."""
    expiring.expire_imports()
    expiring.remove_orphans()
