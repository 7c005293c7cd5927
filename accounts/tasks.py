from celery import shared_task

from accounts.services import asking, notary, recovery, transfers


@shared_task(name="accounts.seal_trail", ignore_result=True)
def seal_trail() -> None:
    """Seal the events of the last second."""
    notary.seal_trail()


@shared_task(name="accounts.expire_transfers", ignore_result=True)
def expire_transfers() -> None:
    """Close transfers that nobody answered in 14 days, and asks that nobody answered in 30."""
    transfers.expire_transfers()
    asking.close_old_asks()


@shared_task(name="accounts.mail_asks", ignore_result=True)
def mail_asks() -> None:
    """Tell of new asks for leads access."""
    asking.mail_asks()


@shared_task(name="accounts.recover", ignore_result=True)
def recover() -> None:
    """Let recoveries work whose 72 hours are over."""
    recovery.recover_due()
