from celery import shared_task

from leads.center.services import heads, watching


@shared_task(name="leads.watch_reading", ignore_result=True)
def watch_reading() -> None:
    """Every minute: judge what was read since, and raise alarms."""
    watching.watch_on()


@shared_task(name="leads.mail_heads", ignore_result=True)
def mail_heads() -> None:
    """Every hour, for libraries whose turn of the day it is: verify the trail, sign its head and mail it."""
    heads.mail_heads()
