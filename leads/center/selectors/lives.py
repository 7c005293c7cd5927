"""One lead: open, with its work, its history and what went out. Each part of the page asks here."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from django.db import transaction
from django.db.models.functions import Now
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from accounts.access import Can, holders, require
from accounts.models import Act, AuditEvent, LeadLibrary, Scope, User
from accounts.refusals import Invalid
from leads.center.disclosure import OpenLead, OpenNote, disclose, notes_of
from leads.center.selectors.deliveries import LeadDelivery, deliveries_of
from leads.center.selectors.listing import labels_of
from leads.center.selectors.seeing import SEEN, events_of
from leads.models import Lead
from leads.privacy.services.purging import TRASH_DAYS

COPIED = "copied"
"""The purpose of a reveal that put one answer on a clipboard."""
KEPT = "kept"
"""The purpose of a reveal that goes on: the lead was changed while its contact details were in sight."""
KEPT_FOR = timedelta(hours=8)


@dataclass(frozen=True, slots=True)
class WrittenNote:
    """A note with its author's name."""

    note: OpenNote
    author: str


@dataclass(frozen=True, slots=True)
class LeadDetail:
    """Everything that the page of one lead shows."""

    lead: Lead
    shown: OpenLead
    labels: tuple[str, ...]
    notes: tuple[WrittenNote, ...]
    deliveries: tuple[LeadDelivery, ...]
    timeline: tuple["Moment", ...]
    seen: tuple["Moment", ...] | None  # None: the actor works on leads and is not told who looks at them
    expires_at: datetime
    people: tuple[User, ...]


@dataclass(frozen=True, slots=True)
class Moment:
    """Something that happened to a lead; `kind` is "received", "delivery" or the act's value."""

    at: datetime
    kind: str
    who: str
    text: str
    detail: str = ""


def open_lead(*, actor: User, lead: Lead, reveal: bool = False, purpose: str = "") -> LeadDetail:
    """Open one lead with all that belongs to it, and leave the trace; raise `Refused`."""
    library = lead.library
    act = Act.LEAD_REVEALED if reveal else Act.LEAD_OPENED
    shown = disclose([lead], actor=actor, library=library, act=act, reveal=reveal, purpose=purpose)[0]
    if lead.viewed_at is None:
        Lead.objects.filter(pk=lead.pk, viewed_at=None).update(viewed_at=Now())
    notes = notes_of(lead, actor=actor, library=library)
    deliveries = deliveries_of(actor, lead)
    may_know = Can.VIEW_TRAIL in require(actor, Can.VIEW_LEADS, library)
    events = _known(events_of(lead), None if may_know else actor)
    names = names_of([*(note.author_id for note in notes), *_assigned(events)])
    return LeadDetail(
        lead=lead,
        shown=shown,
        labels=tuple(labels_of([lead.pk]).get(lead.pk, ())),
        notes=tuple(WrittenNote(note, names.get(note.author_id, "")) for note in notes),
        deliveries=tuple(deliveries),
        timeline=tuple(_timeline(lead, deliveries, events, names)),
        seen=tuple(_moment(event, names) for event in events if event.act in SEEN) if may_know else None,
        expires_at=expires_at(lead, library),
        people=tuple(holders(library, Can.VIEW_LEADS).order_by("name", "pk")[:100]),
    )


def may_keep(actor: User, lead: Lead) -> bool:
    """Whether the actor revealed this lead within the last hours, so that its details may stay in sight over a change.

    The trail is asked, not the page: nobody reveals a lead by changing it.
    """
    own = AuditEvent.objects.filter(scope=Scope.LIBRARY, scope_id=lead.library_id, act=Act.LEAD_REVEALED, actor=actor)
    return own.filter(purpose="", at__gte=Now() - KEPT_FOR, targets__object_id=lead.pk).exists()


def copy_answer(*, actor: User, lead: Lead, key: str) -> str:
    """Return one answer in clear, for a clipboard: a reveal like another, with a purpose of its own.

    Raises `Refused`, and `Invalid` where nothing was answered to `key`: then nothing was seen, and the trail is silent.
    """
    with transaction.atomic():
        shown = disclose([lead], actor=actor, library=lead.library, act=Act.LEAD_REVEALED, reveal=True, purpose=COPIED)[
            0
        ]
        found = next((answer.value for answer in shown.answers if answer.key == key), "")
        if not found:
            raise Invalid({"key": _("Nothing was answered to this.")})
    return found


def names_of(user_ids: Iterable[int]) -> dict[int, str]:
    """Return the names of people by id."""
    return {user.pk: str(user) for user in User.objects.filter(pk__in=set(user_ids)).only("name", "email")}


def expires_at(lead: Lead, library: LeadLibrary) -> datetime:
    """Return when the lead will be purged: by retention, or from the trash if that is sooner."""
    kept_until = lead.received_at + timedelta(days=library.retention_days)
    return min(kept_until, lead.trashed_at + timedelta(days=TRASH_DAYS)) if lead.trashed_at else kept_until


def timeline_of(actor: User, lead: Lead) -> list[Moment]:
    """Return what happened to the lead, newest first; raise `Refused`."""
    may_know = Can.VIEW_TRAIL in require(actor, Can.VIEW_LEADS, lead.library)
    events = _known(events_of(lead), None if may_know else actor)
    return _timeline(lead, deliveries_of(actor, lead), events, names_of(_assigned(events)))


def _known(events: list[AuditEvent], partner: User | None) -> list[AuditEvent]:
    """Leave out other people's looks for a partner of a share: who looked stays with those who lent the account."""
    if partner is None:
        return events
    return [event for event in events if event.act not in SEEN or event.actor_id == partner.pk]


def _timeline(
    lead: Lead, deliveries: Iterable[LeadDelivery], events: Iterable[AuditEvent], names: Mapping[int, str]
) -> list[Moment]:
    came = _("was imported from a file") if lead.source == Lead.Source.IMPORT else _("submitted the form")
    moments = [Moment(lead.received_at, "received", "", came)]
    moments += [_moment(event, names) for event in events]
    for delivery in deliveries:
        for attempt in delivery.attempts:
            text = f"{delivery.event} → {delivery.connection.name}"
            moments.append(Moment(attempt.at, "delivery", "", text, attempt.code or str(attempt.status or "")))
    return sorted(moments, key=lambda moment: moment.at, reverse=True)[:300]


def _assigned(events: Iterable[AuditEvent]) -> set[int]:
    """Return the ids of the people to whom the lead was assigned."""
    return {int(event.detail["assignee"]) for event in events if event.detail.get("assignee")}


def _moment(event: AuditEvent, names: Mapping[int, str]) -> Moment:
    told = [f"{name}: {value}" for name, value in sorted(event.detail.items()) if name in ("status", "purpose", "how")]
    if event.act == Act.LEAD_CHANGED:
        told += _changes(event.detail, names)
    text = {COPIED: _("copied contact details"), KEPT: _("kept contact details in sight")}.get(event.purpose)
    text = text or str(Act(event.act).label)
    return Moment(event.at, event.act, str(event.actor) if event.actor else "", text, ", ".join(told))


def _changes(detail: Mapping[str, Any], names: Mapping[int, str]) -> list[str]:
    """Say what else was changed: the assignee by name, labels by their number (their names may be gone), a note."""
    told = []
    if "assignee" in detail:
        name = names.get(int(detail["assignee"]))
        told.append(_("assigned to %(name)s") % {"name": name} if name else _("assigned to nobody"))
    if on := detail.get("labels"):
        told.append(ngettext("%(n)s label put on", "%(n)s labels put on", on) % {"n": on})
    elif on == 0:
        told.append(_("all labels taken off"))
    if off := detail.get("labels_off"):
        told.append(ngettext("%(n)s label taken off", "%(n)s labels taken off", off) % {"n": off})
    if detail.get("notes_off"):
        told.append(_("a note taken off"))
    return told
