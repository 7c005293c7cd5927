"""Mail to those who can help when a connection was taken out of service. It names the connection, never a lead."""

import logging
from collections.abc import Iterable

from django.conf import settings
from django.core.mail import send_mail
from django.utils.translation import gettext as _

from accounts.access import Can, holders
from accounts.models import LeadLibrary
from leads.crm.outbox import Stopped

logger = logging.getLogger(__name__)


def tell_stopped(stopped: Iterable[Stopped]) -> int:
    """Write to everyone who may connect a CRM of the library; return how many mails went out.

    A mail that cannot be sent is logged: the page and the trail tell the same.
    """
    sent = 0
    for one in stopped:
        library = LeadLibrary.objects.select_related("ad_account").get(pk=one.library_id)
        told = {"name": " ".join(one.name.split()), "account": library.ad_account.name, "why": one.reason}
        address = f"{settings.PUBLIC_URL}/l/{library.pk}/integrations/"
        subject = _("The connection “%(name)s” stopped") % told
        text = _("“%(name)s” of %(account)s was stopped: %(why)s. Its leads wait; nothing is lost.") % told
        for person in holders(library, Can.CONNECT_CRM):
            try:
                sent += send_mail(subject, f"{text}\n\n{address}\n", None, [person.email])
            except OSError as error:  # smtplib's errors are OSErrors
                logger.warning("a mail about a stopped connection was not sent: %s", type(error).__name__)
    return sent
