from celery import shared_task

from leads.privacy.services import purging


@shared_task(name="leads.purge_expired", ignore_result=True)
def purge_expired() -> None:
    """Every day: purge what retention and the trash let go, then the keys that seal nothing any more."""
    purging.purge_expired()
