from celery import shared_task

from leads.intake import store


@shared_task(name="intake.sweep_arriving", ignore_result=True)
def sweep_arriving() -> None:
    """Every minute: finish or remove what a crash between two databases left half way."""
    store.sweep_arriving()
