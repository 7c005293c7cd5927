"""Once a day: verify each library's trail, keep its end as an anchor, sign it and mail it to whoever reads the trail.

A mail is out of reach of whoever can write into the database. So trail, seals, heads and anchors together cannot be
cut off or rewritten without somebody noticing who kept the mail.
"""

import logging
import re
import time
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from django.conf import settings
from django.core.mail import send_mail
from django.db import transaction
from django.db.models import Count, Sum
from django.template.loader import render_to_string
from django.utils import timezone
from django.utils.translation import gettext as _

from accounts.access import Can, holders
from accounts.models import Act, Alarm, AuditEvent, LeadLibrary, Scope, TrailAnchor, TrailHead, TrailSeal
from accounts.services import notary
from accounts.services.alarms import raise_alarm
from leads.vault import signing
from leads.vault.signing import Signature

logger = logging.getLogger(__name__)
SECONDS = 150.0
SEALED_AHEAD = 50
REVERIFIED = timedelta(days=7)  # each day what is younger than the newest anchor of a week ago is verified again
SCOPES = "|".join(Scope.values)
LINE = re.compile(rf"\b({SCOPES}) ([0-9]{{1,19}}) seq ([0-9]{{1,9}}) hash ([0-9a-f]{{64}})\b")
SIGNATURE = re.compile(r"\bsignature (\S+) ([0-9a-f]{128})\b")


@dataclass(frozen=True, slots=True)
class Head:
    """The end of a chain as a mail tells it."""

    scope: str
    scope_id: int
    seq: int
    hash: bytes

    def __str__(self) -> str:
        return f"{self.scope} {self.scope_id} seq {self.seq} hash {self.hash.hex()}"

    @property
    def signed_text(self) -> bytes:
        """What the signature covers."""
        return f"holdfast-head/1 {self}".encode()


def mail_heads() -> int:
    """Mail the heads of the libraries that have none of today (UTC) yet; return how many were anchored."""
    ends, done = time.monotonic() + SECONDS, 0
    today = datetime.now(UTC).replace(hour=0, minute=0, second=0, microsecond=0)
    told = TrailAnchor.objects.filter(scope=Scope.LIBRARY, at__gte=today).values("scope_id")
    rows = LeadLibrary.objects.exclude(pk__in=told).select_related("ad_account", "custodian").order_by("pk")
    for library in list(rows):
        if time.monotonic() > ends:
            break
        done += _anchor_and_mail(library)
    return done


def _anchor_and_mail(library: LeadLibrary) -> bool:
    for _batch in range(SEALED_AHEAD):  # the notary may stand still: that is no fault of the trail
        if not notary.seal_scope(Scope.LIBRARY, library.pk):
            break
    anchors = TrailAnchor.objects.filter(scope=Scope.LIBRARY, scope_id=library.pk)
    newest = anchors.order_by("-seq").first()
    head = TrailHead.objects.filter(scope=Scope.LIBRARY, scope_id=library.pk).first()
    if newest is None and (head is None or head.seq == 0):
        return False  # nothing was ever done here
    if newest is not None and head is not None and head.seq == newest.seq and bytes(head.hash) == bytes(newest.hash):
        return False  # nothing was written since the last mail
    since = anchors.filter(at__lt=timezone.now() - REVERIFIED).order_by("-seq").first()
    fault = notary.first_fault(Scope.LIBRARY, library.pk, since=since)
    if fault is not None:
        about = f"{fault.seq}:{fault.event_id or ''}"
        detail = {"fault": str(fault)}
        raise_alarm(library_id=library.pk, kind=Alarm.Kind.TRAIL_BROKEN, about=about, detail=detail)
        return False
    made = _anchor(library)
    if made is not None:
        _mail(library, *made)
    return made is not None


@transaction.atomic
def _anchor(library: LeadLibrary) -> tuple[Head, Signature | None] | None:
    """Sign the head and keep it; None where another worker did so meanwhile."""
    rows = TrailHead.objects.select_for_update(no_key=True).filter(scope=Scope.LIBRARY, scope_id=library.pk)
    row = rows.first()
    if row is None or TrailAnchor.objects.filter(scope=row.scope, scope_id=row.scope_id, seq=row.seq).exists():
        return None
    head = Head(row.scope, row.scope_id, row.seq, bytes(row.hash))
    signature = signing.sign(head.signed_text)
    TrailAnchor.objects.create(
        scope=head.scope,
        scope_id=head.scope_id,
        seq=head.seq,
        hash=head.hash,
        signature=signature.value if signature else b"",
    )
    return head, signature


def _mail(library: LeadLibrary, head: Head, signature: Signature | None) -> None:
    """Write to everyone who may read the trail now. What cannot be sent is logged: the next mail holds a later head."""
    context = {
        "account": library.ad_account.name,
        "numbers": numbers(library),
        "address": f"{settings.PUBLIC_URL}/l/{library.pk}/activity/",
        "line": str(head),
        "signature": signature,
    }
    text = render_to_string("leads/mail/head.txt", context)
    subject = " ".join((_("The trail of %(account)s, sealed") % context).split())
    for person in holders(library, Can.VIEW_TRAIL).order_by("pk"):
        try:
            send_mail(subject, text, None, [person.email])
        except OSError as error:  # smtplib's errors are OSErrors
            logger.warning("a mail with the head of a trail was not sent: %s", type(error).__name__)


def numbers(library: LeadLibrary) -> list[tuple[str, str]]:
    """Return what was done with the leads in the last 24 hours: words and counts."""
    events = AuditEvent.objects.filter(
        scope=Scope.LIBRARY, scope_id=library.pk, at__gte=timezone.now() - timedelta(hours=24)
    )
    rows = events.order_by().values("act").annotate(times=Count("pk"), things=Sum("count"))
    found = {row["act"]: (row["times"], row["things"]) for row in rows}

    def of(*acts: Act) -> tuple[int, int]:
        some = [found.get(act, (0, 0)) for act in acts]
        return sum(times for times, _things in some), sum(things for _times, things in some)

    looks = of(Act.LEADS_LISTED, Act.LEADS_SEARCHED, Act.LEAD_OPENED, Act.LEADS_READ)
    downloads, delivered = of(Act.EXPORT_DOWNLOADED), of(Act.LEADS_DELIVERED)
    return [
        (_("Looks"), _("%(n)d, at %(leads)d leads") % {"n": looks[0], "leads": looks[1]}),
        (_("Reveals of contact details"), str(of(Act.LEAD_REVEALED)[1])),
        (_("Downloads"), _("%(n)d, with %(leads)d leads") % {"n": downloads[0], "leads": downloads[1]}),
        (_("Leads handed to CRMs"), str(delivered[1])),
        (_("Refusals"), str(of(Act.REFUSED)[0])),
        (_("Alarms"), str(of(Act.ALARM_RAISED)[0])),
    ]


def carries_signature(text: str) -> bool:
    """Return whether a mail holds a signature at all."""
    return SIGNATURE.search(re.sub(r"[\s>]+", " ", text)) is not None


def fault_of_mailed(text: str) -> str:
    """Return what is wrong with a mailed head, "" when it is signed by this installation and the chain still holds it.

    `text` is the mail, or the part with the head; quoted and wrapped lines do no harm.
    """
    flat = re.sub(r"[\s>]+", " ", text)
    line, signed = LINE.search(flat), SIGNATURE.search(flat)
    if line is None:
        return _("There is no head in this text: library ID seq N hash HEX")
    head = Head(line[1], int(line[2]), int(line[3]), bytes.fromhex(line[4]))
    if signed is not None and not signing.is_ours(head.signed_text, bytes.fromhex(signed[2])):
        return _("%(head)s: the signature is not one of this installation's") % {"head": head}
    seals = TrailSeal.objects.filter(scope=head.scope, scope_id=head.scope_id, seq=head.seq)
    kept = seals.values_list("hash", flat=True).first()
    if kept is None:
        return _("%(head)s: the chain has no such seal any more, it was cut off") % {"head": head}
    if bytes(kept) != head.hash:
        return _("%(head)s: the chain holds another seal there, it was rewritten") % {"head": head}
    return ""
