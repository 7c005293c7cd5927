"""Alarms about unusual reading: raised once per occasion, recorded, mailed to whoever reads the library's trail.

An alarm names people of the team, ids and numbers, never a lead's data. The trail's event of it is the proof; the row
is what pages show until somebody notes it.
"""

import logging
from collections.abc import Iterable
from functools import partial
from typing import Any

from django.conf import settings
from django.core.mail import send_mail
from django.db import IntegrityError, transaction
from django.db.models.functions import Now
from django.template.loader import render_to_string
from django.utils import timezone
from django.utils.translation import gettext as _

from accounts import audit
from accounts.access import Can, holders, require
from accounts.alarm_texts import told
from accounts.models import Act, Alarm, LeadLibrary, User

logger = logging.getLogger(__name__)


def raise_alarm(
    *, library_id: int, kind: Alarm.Kind, about: str, actor_id: int | None = None, detail: dict[str, Any] | None = None
) -> Alarm | None:
    """Raise the alarm of one occasion, which `about` names; None when it was raised before.

    The mail goes out after the transaction that stands around has committed.
    """
    if Alarm.objects.filter(library=library_id, kind=kind, about=about).exists():
        return None
    alarm = Alarm(library_id=library_id, kind=kind, about=about, actor_id=actor_id, detail=detail or {})
    library = LeadLibrary.objects.get(pk=library_id)
    try:
        with transaction.atomic():
            person = str(actor_id) if actor_id else None
            audit.record(Act.ALARM_RAISED, library, targets=[alarm.pk], kind=str(kind), person=person)
            alarm.save(force_insert=True)
            transaction.on_commit(partial(mail_alarm, alarm.pk))
    except IntegrityError:  # somebody else was faster: theirs stands, ours was undone with its event
        return None
    return alarm


def raise_unopenable(library_id: int, purpose: str, row_ids: Iterable[int]) -> Alarm | None:
    """Raise the alarm that sealed values of a library do not open: one per day and purpose."""
    rows = sorted(row_ids)
    about = f"{timezone.now():%Y-%m-%d}:{purpose}"
    detail = {"values": len(rows), "first": str(rows[0]) if rows else None, "purpose": purpose}
    return raise_alarm(library_id=library_id, kind=Alarm.Kind.UNOPENABLE, about=about, detail=detail)


@transaction.atomic
def note_alarm(*, actor: User, alarm: Alarm) -> bool:
    """Take note of an alarm, which takes it off the pages; False when somebody did before. Raises `Refused`."""
    library = LeadLibrary.objects.select_related("ad_account", "custodian").get(pk=alarm.library_id)
    require(actor, Can.VIEW_TRAIL, library)
    fresh = Alarm.objects.select_for_update(no_key=True).filter(pk=alarm.pk, seen_at=None)
    if not fresh.exists():
        return False
    audit.record(Act.ALARM_SEEN, library, actor=actor, targets=[alarm.pk], kind=alarm.kind)
    return bool(Alarm.objects.filter(pk=alarm.pk).update(seen_at=Now(), seen_by=actor))


def mail_alarm(alarm_id: int) -> int:
    """Write to everyone who may read the trail of the library now; return how many mails went out.

    A mail that cannot be sent is logged: pages and trail tell the same.
    """
    rows = Alarm.objects.select_related("library__ad_account", "library__custodian", "actor")
    alarm = rows.get(pk=alarm_id)
    address = f"{settings.PUBLIC_URL}/l/{alarm.library_id}/alarms/"
    context = {"told": told(alarm), "address": address, "account": alarm.library.ad_account.name}
    text = render_to_string("accounts/mail/alarm.txt", context)
    subject = _("%(what)s: %(account)s") % {"what": alarm.get_kind_display(), "account": context["account"]}
    sent = 0
    for person in holders(alarm.library, Can.VIEW_TRAIL).order_by("pk"):
        try:
            sent += send_mail(" ".join(subject.split()), text, None, [person.email])
        except OSError as error:  # smtplib's errors are OSErrors
            logger.warning("a mail about an alarm was not sent: %s", type(error).__name__)
    return sent
