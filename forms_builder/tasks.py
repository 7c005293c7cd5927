"""Clockwork of the counts."""

import time

from celery import shared_task

from forms_builder import measures

SECONDS = 20  # of work per tick; what is left waits for the next one


@shared_task(name="forms_builder.roll_up_measures", ignore_result=True)
def roll_up_measures() -> None:
    """Move waiting events into their days, batch by batch."""
    until = time.monotonic() + SECONDS
    while measures.roll_up() == measures.BATCH and time.monotonic() < until:
        pass
