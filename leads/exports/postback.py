"""The file that tells TikTok what became of its leads ("signal postback"): a row per stage that a lead has reached.

Columns, UTF-8 and at most 50 MB: ads.tiktok.com/help/article/how-to-postback-signals-through-csv. Times are ISO 8601 in
UTC, as TikTok's events for offline and CRM are written (`2020-09-17T19:49:27Z`). E-mail and telephone number are the
SHA-256 of the trimmed, lower-case address and of the number in E.164, which its Events API asks for; a hash of either
is still about one person.
"""

import hashlib
import re
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from leads.exports.lines import Row, by_kind, first_of
from leads.models import Lead
from leads.vault.answers import EMAIL_KINDS, PHONE_KINDS
from leadscenter.lib.cells import csv_line
from leadscenter.lib.moment_text import DAY, SECONDS

HEADING = ("Event_type", "Timestamp", "lead_id", "Email", "Phone", "click_id")
MOST_BYTES = 50 * 1000 * 1000
SUBMITTED, CONTACTED = "SubmitForm", "Contact"
REACHED = {Lead.Status.QUALIFIED: "CompleteRegistration", Lead.Status.CONVERTED: "Purchase"}
"""The event of a status, by the four funnel stages: submitted, contacted, qualified, converted."""
_E164 = re.compile(r"\+[1-9][0-9]{5,14}").fullmatch
_BETWEEN = re.compile(r"[ ().\-/]")


def postback_lines(rows: Sequence[Row], contents: Sequence[Mapping[str, Any]]) -> Iterator[str]:
    """Yield the lines of each lead, in the order of its stages."""
    for row, content in zip(rows, contents, strict=True):
        click = str((content.get("attribution") or {}).get("ttclid", ""))
        given = by_kind(content)
        email, phone = first_of(given, *EMAIL_KINDS), first_of(given, *PHONE_KINDS)
        who = (row.id, email_digest(email), phone_digest(phone), click)
        for event, at in stages(row):
            yield csv_line((event, f"{at[:DAY]}T{at[DAY + 1 : SECONDS]}Z", *who))


def stages(row: Row) -> Iterator[tuple[str, str]]:
    """Yield what the lead has reached and when, in UTC; one that was found unqualified keeps what it reached before."""
    yield SUBMITTED, row.received_at
    if row.contacted_at:
        yield CONTACTED, row.contacted_at
    if (event := REACHED.get(Lead.Status(row.status))) and row.status_changed_at:
        yield event, row.status_changed_at


def email_digest(email: str) -> str:
    """Return the hash of an address; "" for none."""
    return _digest(email.strip().lower())


def phone_digest(phone: str) -> str:
    """Return the hash of a telephone number; "" for none, or one without its country."""
    phone = _BETWEEN.sub("", phone)
    return _digest(phone) if _E164(phone) else ""


def _digest(text: str) -> str:
    return hashlib.sha256(text.encode("utf-8", "replace")).hexdigest() if text else ""
