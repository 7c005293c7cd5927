"""Mail to people of the team: one each, after the commit. What cannot be sent is logged and undoes nothing."""

import logging
from collections.abc import Iterable

from django.core.mail import EmailMessage, get_connection

from accounts.models import User

logger = logging.getLogger(__name__)


def write_to(people: Iterable[User], subject: str, text: str) -> int:
    """Send the text to each of the people by themselves, over one connection; return how many mails went out."""
    addresses = sorted({person.email for person in people})
    if not addresses:
        return 0
    subject = " ".join(subject.split())  # names stand in it, which may hold a line's end
    sent = 0
    connection = get_connection()
    try:
        connection.open()
        for address in addresses:
            try:
                sent += EmailMessage(subject, text, None, [address], connection=connection).send()
            except OSError as error:  # smtplib's errors are OSErrors; one address must not keep the others waiting
                logger.warning("a mail was not sent: %s", type(error).__name__)
        connection.close()
    except OSError as error:
        logger.warning("%d of %d mails were not sent: %s", len(addresses) - sent, len(addresses), type(error).__name__)
    return sent
