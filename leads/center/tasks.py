from celery import shared_task

from leads.center.services import attending, finding_duplicates, heads, mailing, telling, watching


@shared_task(name="leads.watch_reading", ignore_result=True)
def watch_reading() -> None:
    """Every minute: judge what was read since, and raise alarms."""
    watching.watch_on()


@shared_task(name="leads.mail_heads", ignore_result=True)
def mail_heads() -> None:
    """Every hour, for libraries whose turn of the day it is: verify the trail, sign its head and mail it."""
    heads.mail_heads()


@shared_task(name="leads.tell", ignore_result=True)
def tell() -> None:
    """Every three seconds: tell people what has happened since."""
    telling.tell_on()


@shared_task(name="leads.mail_notifications", ignore_result=True)
def mail_notifications() -> None:
    """Every five seconds: send the mails that are due."""
    mailing.mail_due()


@shared_task(name="leads.warn_of_expiry", ignore_result=True)
def warn_of_expiry() -> None:
    """Every hour: warn of leads whose time is nearly over, and forget what was told long ago."""
    telling.warn_of_expiry()
    telling.forget_old()


@shared_task(name="leads.walk_attention", ignore_result=True)
def walk_attention() -> None:
    """Every ten seconds: bring changed goals and retentions into the leads' times of attention."""
    attending.walk_attention()


@shared_task(name="leads.find_duplicates", ignore_result=True)
def find_duplicates() -> None:
    """Every three seconds: link the leads that have come since to earlier ones with the same e-mail or phone."""
    finding_duplicates.find_duplicates()
