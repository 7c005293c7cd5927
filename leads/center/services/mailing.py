"""Mails about notifications: sent by a task, at least once, again after a failure, to who may still read them.

A mail holds nothing of a lead but a link, unless the library says that names may stand in mails: then the name of a
single new lead stands in it, opened for its reader and recorded as a look.
"""

import logging
from collections.abc import Iterable
from datetime import timedelta

from django.conf import settings
from django.core.mail import EmailMessage, get_connection
from django.core.mail.backends.base import BaseEmailBackend
from django.db import transaction
from django.db.models.functions import Now
from django.template.loader import render_to_string

from accounts.access import Can, Refused, may
from accounts.models import Act
from leads.center.disclosure import disclose
from leads.center.notices import Notice, notices
from leads.models import Lead, Notification

logger = logging.getLogger(__name__)
LEASE = timedelta(minutes=5)
GIVES_UP = timedelta(days=1)
AT_ONCE = 50


def mail_due() -> int:
    """Send what is due, some at a time, until nothing is or a mail fails; return how many went out."""
    sent = 0
    while rows := _lease():
        arrived = _send_all(rows)
        sent += arrived
        if arrived < len(rows):
            break
    return sent


def _lease() -> list[Notification]:
    """Take mails that are due for five minutes: who dies with them leaves them to the next."""
    with transaction.atomic():
        Notification.objects.filter(mail_at__isnull=False, at__lt=Now() - GIVES_UP).update(mail_at=None)
        due = Notification.objects.select_for_update(no_key=True, skip_locked=True, of=("self",))
        due = due.filter(mail_at__lte=Now()).select_related("user", "library__ad_account", "library__custodian")
        rows = list(due.order_by("mail_at", "pk")[:AT_ONCE])
        Notification.objects.filter(pk__in=[row.pk for row in rows]).update(mail_at=Now() + LEASE)
    return rows


def _send_all(rows: list[Notification]) -> int:
    """Send each mail over one connection and note that it went; return how many are done with."""
    done = 0
    connection = get_connection()
    try:
        connection.open()
    except OSError as error:  # smtplib's errors are OSErrors; all are sent again when their lease is over
        logger.warning("%d mails were not sent: %s", len(rows), type(error).__name__)
        return 0
    for row, notice in zip(rows, notices(rows), strict=True):
        try:
            if _may_read(row):
                _send(row, notice, connection)
        except OSError as error:  # one address must not keep the others waiting
            logger.warning("a mail was not sent: %s", type(error).__name__)
            continue
        Notification.objects.filter(pk=row.pk).update(mail_at=None, mailed_at=Now())
        done += 1
    connection.close()
    return done


def _may_read(row: Notification) -> bool:
    return row.custody == row.library.custody and may(row.user, Can.VIEW_LEADS, row.library)


def _send(row: Notification, notice: Notice, connection: BaseEmailBackend) -> None:
    address = settings.PUBLIC_URL.rstrip("/")
    wishes = f"{address}/settings/notifications/"
    context = {"notice": notice, "name": _name(row), "link": address + notice.url, "wishes": wishes}
    text = render_to_string("leads/mail/notification.txt", context)
    headers = {"List-Unsubscribe": f"<{wishes}>"}
    subject = " ".join(notice.text.split())
    EmailMessage(subject, text, None, [row.user.email], connection=connection, headers=headers).send()


def _name(row: Notification) -> str:
    """Return the name of a single new lead, for a library that lets names stand in mails."""
    if row.kind != Notification.Kind.NEW_LEAD or row.count != 1 or not row.library.mail_names:
        return ""
    leads: Iterable[Lead] = Lead.objects.filter(pk=row.object_id, library=row.library, state=Lead.State.LIVE)
    try:
        shown = disclose(list(leads), actor=row.user, library=row.library, act=Act.LEADS_LISTED, purpose="mail")
    except Refused:
        return ""
    return shown[0].name if shown else ""
