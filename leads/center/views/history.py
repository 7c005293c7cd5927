"""What happened to a lead and who saw it, in the words of its drawer."""

from collections.abc import Iterable
from dataclasses import dataclass, replace
from datetime import datetime
from itertools import groupby
from typing import Any

from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext

from accounts.models import Act
from leads.center.selectors.lives import LeadDetail, Moment
from leads.models import Lead
from leadscenter.lib.display import moment_text

ICONS = {
    "received": "submit",
    "delivery": "transfer",
    Act.LEAD_OPENED: "eye",
    Act.LEAD_REVEALED: "eye",
    Act.LEADS_READ: "api",
    Act.LEAD_CHANGED: "edit",
    Act.NOTE_ADDED: "note",
    Act.LEAD_CONTACTED: "contacted",
    Act.FOLLOW_UP_SET: "clock",
    Act.FOLLOW_UP_DONE: "check",
    Act.LEADS_DELETED: "trash",
    Act.LEADS_RESTORED: "retry",
    Act.EXPORT_MADE: "exports",
    Act.EXPORT_DOWNLOADED: "exports",
    Act.CONSENT_READ: "consent",
    Act.LEADS_IMPORTED: "submit",
}
HERE: dict[str, Any] = {
    Act.LEAD_OPENED: gettext_lazy("opened this lead"),
    Act.LEAD_CHANGED: gettext_lazy("changed this lead"),
    Act.LEAD_CONTACTED: gettext_lazy("contacted this lead"),
    Act.LEADS_DELETED: gettext_lazy("deleted this lead"),
    Act.LEADS_RESTORED: gettext_lazy("put this lead back"),
    Act.LEADS_READ: gettext_lazy("read this lead by API"),
    Act.LEADS_DELIVERED: gettext_lazy("sent this lead to its connections"),
}
"""What the trail says of leads at large, in the words of the one that is open."""
IN_LISTS = (Act.LEADS_LISTED, Act.LEADS_SEARCHED)


@dataclass(frozen=True, slots=True)
class TimelineRow:
    icon: str
    text: str
    note: str
    at: datetime
    tone: str = ""


def timeline_rows(detail: LeadDetail) -> tuple[TimelineRow, ...]:
    listed = [moment for moment in detail.timeline if moment.kind in IN_LISTS]
    told = [moment for moment in detail.timeline if moment.kind not in (*IN_LISTS, Act.LEADS_DELIVERED)]
    rows = _together([_row(moment, detail.lead) for moment in told])  # each attempt of a delivery is a row of its own
    if listed:
        newest = max(listed, key=lambda moment: moment.at)
        text = ngettext(
            "Shown in a list, contact details masked",
            "Shown in lists %(n)s times, contact details masked",
            len(listed),
        ) % {"n": len(listed)}
        rows.append(TimelineRow("list", text, _("Last to %(who)s") % {"who": newest.who}, newest.at))
        rows.sort(key=lambda row: row.at, reverse=True)
    return tuple(rows)


def seen_rows(moments: Iterable[Moment]) -> tuple[TimelineRow, ...]:
    """Say once of each person and act how often, newest first."""
    by_what: dict[str, list[Moment]] = {}
    for moment in moments:
        by_what.setdefault(_said(moment), []).append(moment)
    rows = []
    for text, same in by_what.items():
        first = moment_text(min(moment.at for moment in same))
        note = _("%(n)s times, first %(at)s") % {"n": len(same), "at": first} if len(same) > 1 else ""
        rows.append(TimelineRow(ICONS.get(same[0].kind, "eye"), text, note, max(moment.at for moment in same)))
    return tuple(sorted(rows, key=lambda row: row.at, reverse=True))


def _said(moment: Moment) -> str:
    """Say who did what to this lead; what the product did by itself begins the sentence."""
    said = str(HERE.get(moment.kind, moment.text))
    return f"{moment.who} {said}" if moment.who else said[:1].upper() + said[1:]


def _together(rows: list[TimelineRow]) -> list[TimelineRow]:
    """Say the same of the same person once, with how often; rows come newest first."""
    told: list[TimelineRow] = []
    for (_text, _tone, note), same in groupby(rows, key=lambda row: (row.text, row.tone, row.note)):
        newest, *others = same
        if others:
            said = _("%(n)s times, first %(at)s") % {"n": len(others) + 1, "at": moment_text(others[-1].at)}
            newest = replace(newest, note=f"{note}, {said}" if note else said)
        told.append(newest)
    return told


def _row(moment: Moment, lead: Lead) -> TimelineRow:
    if moment.kind == "received":
        kept = _("Sealed in the browser before it was sent") if lead.sealed_in_browser else _("Sealed on arrival")
        imported = lead.source == Lead.Source.IMPORT
        said = _("Received, as the imported file says") if imported else _("Submitted")
        return TimelineRow("submit", said, kept, moment.at)
    if moment.kind == "delivery":
        good = moment.detail.startswith("2")
        return TimelineRow("check" if good else "retry", moment.text, moment.detail, moment.at, "" if good else "warn")
    icon = ICONS.get(moment.kind, "activity")
    return TimelineRow(icon, _said(moment), moment.detail, moment.at)
