"""Clockwork: each tick drains the outbox."""

from celery import shared_task

from leads.crm.drain import drain as drain_outbox


@shared_task(name="leads.crm.drain", ignore_result=True)
def drain() -> None:
    """Send what is due. A tick that comes late finds nothing to do: the rows are the truth."""
    drain_outbox()
