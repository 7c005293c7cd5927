"""Sales work on leads: status, labels, assignee, notes. One lead or many go the same way, in one transaction."""

from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass
from enum import Enum
from typing import Final

from django.db import transaction
from django.db.models import F
from django.db.models.functions import Coalesce, Now
from django.http import Http404
from django.utils.translation import gettext as _

from accounts import audit
from accounts.access import Can, holders, require
from accounts.models import Act, LeadLibrary, User
from accounts.refusals import Conflict, Invalid
from leads.center.disclosure import grant_path
from leads.center.services.attending import write_attention
from leads.center.services.outgoing import queue_updates
from leads.models import Label, Lead, LeadLabel
from leads.selection import is_storable
from leads.vault.models import Note
from leads.vault.regions import alias_of
from leads.vault.values import Plain
from leadscenter.lib.ids import new_id

MOST_AT_ONCE = 1000
MAX_LABEL = 40
MAX_LABELS = 20
MAX_NOTE = 4000


class Keep(Enum):
    """Says that a value stays as it is; None means "nobody" where a person is meant."""

    IT = 0


KEEP: Final = Keep.IT


@dataclass(frozen=True, slots=True)
class Change:
    """What to set: a status, all labels by name, or labels to add and to take off, the assignee's id (None: nobody).

    `was`: the status that the leads had when somebody chose another one; empty where that does not matter.
    """

    status: str | Keep = KEEP
    was: str = ""
    labels: Sequence[str] | Keep = KEEP
    add_labels: Sequence[str] = ()
    remove_labels: Sequence[str] = ()
    assignee: int | Keep | None = KEEP


def change_leads(*, actor: User, library: LeadLibrary, lead_ids: Collection[int], change: Change) -> list[Lead]:
    """Change live leads of the library and return those that differ now; all of them or none.

    Raises `Refused`, `Invalid` (an unknown status, label or assignee, too many leads), `Http404` when one of the ids is
    no live lead of this library, `Conflict` when one has got a third status meanwhile.
    """
    require(actor, Can.WORK_LEADS, library)
    _judge(change, lead_ids)
    with transaction.atomic():
        held = require(actor, Can.WORK_LEADS, library)
        leads = lock_leads(library, lead_ids, Lead.State.LIVE)
        if change.was and any(lead.status not in (change.was, change.status) for lead in leads):
            raise Conflict("lead_moved", _("Somebody gave this lead another status meanwhile. Nothing was changed."))
        assignee = _assignee(library, change.assignee)
        labels = _labels(library, change)
        audit.record(
            Act.LEAD_CHANGED,
            library,
            actor=actor,
            targets=[lead.pk for lead in leads],
            grant_path=grant_path(library, held),
            status=None if isinstance(change.status, Keep) else change.status,
            labels=len(labels) if change.add_labels or not isinstance(change.labels, Keep) else None,
            labels_off=len(change.remove_labels) or None,
            assignee=None if isinstance(change.assignee, Keep) else change.assignee or 0,
        )
        changed = _set_status(library, leads, change.status) | _set_assignee(leads, assignee)
        changed |= _set_labels(leads, labels, replace=not isinstance(change.labels, Keep))
        changed |= _take_labels(library, leads, change.remove_labels)
        differing = [lead for lead in leads if lead.pk in changed]
        _count_change(differing)
        queue_updates(library.pk, differing)
    return differing


def lock_leads(library: LeadLibrary, lead_ids: Collection[int], state: Lead.State) -> list[Lead]:
    """Return the leads locked, lowest id first; raise `Http404` unless all are here and in `state`."""
    rows = Lead.objects.select_for_update(no_key=True).filter(pk__in=set(lead_ids), library=library, state=state)
    leads = list(rows.order_by("pk"))
    if len(leads) != len(set(lead_ids)):
        raise Http404
    return leads


def _judge(change: Change, lead_ids: Collection[int]) -> None:
    errors: dict[str, str] = {}
    if not isinstance(change.status, Keep) and change.status not in Lead.Status.values:
        errors["status"] = _("Use one of: %(offered)s.") % {"offered": ", ".join(Lead.Status.values)}
    names = [*([] if isinstance(change.labels, Keep) else change.labels), *change.add_labels]
    if any(not fits_label(name) for name in names):
        errors["labels"] = _("A label has 1 to %(limit)d characters.") % {"limit": MAX_LABEL}
    elif any(not is_label(name) for name in names):
        errors["labels"] = _("A label is a word to sort by, never a person's data.")
    elif not all(is_storable(name) for name in change.remove_labels):
        errors["remove_labels"] = _("A label has 1 to %(limit)d characters.") % {"limit": MAX_LABEL}
    elif len(names) > MAX_LABELS or len(change.remove_labels) > MAX_LABELS:
        errors["labels"] = _("At most %(limit)d labels.") % {"limit": MAX_LABELS}
    if not 0 < len(lead_ids) <= MOST_AT_ONCE:
        errors["ids"] = _("Choose 1 to %(limit)d leads.") % {"limit": MOST_AT_ONCE}
    if errors:
        raise Invalid(errors)


def fits_label(name: object) -> bool:
    """Whether it is text of 1 to 40 characters."""
    return isinstance(name, str) and 0 < len(name.strip()) <= MAX_LABEL


def is_label(name: str) -> bool:
    """Whether it can be the name of a label: a word of the right length that is no address."""
    return fits_label(name) and "@" not in name and is_storable(name)


def _assignee(library: LeadLibrary, wanted: int | Keep | None) -> int | Keep | None:
    if isinstance(wanted, int) and not holders(library, Can.VIEW_LEADS).filter(pk=wanted).exists():
        raise Invalid({"assignee": _("Choose somebody who may view the leads of this library.")})
    return wanted


def _labels(library: LeadLibrary, change: Change) -> list[Label]:
    """Return the labels by their names, made when missing."""
    given = [*([] if isinstance(change.labels, Keep) else change.labels), *change.add_labels]
    names = list(dict.fromkeys(name.strip() for name in given))
    if names:
        Label.objects.bulk_create([Label(library=library, name=name) for name in names], ignore_conflicts=True)
    return list(Label.objects.filter(library=library, name__in=names))


def _set_status(library: LeadLibrary, leads: Iterable[Lead], status: str | Keep) -> set[int]:
    if isinstance(status, Keep):
        return set()
    changed = {lead.pk for lead in leads if lead.status != status}
    rows = Lead.objects.filter(pk__in=changed)
    if status == Lead.Status.RAW:
        rows.update(status=status, status_changed_at=Now())
    else:  # leaving raw for the first time is the first contact
        first = Coalesce(F("contacted_at"), Now())
        rows.update(status=status, status_changed_at=Now(), contacted_at=first)
    write_attention(library, changed)
    return changed


def _set_assignee(leads: Iterable[Lead], assignee: int | Keep | None) -> set[int]:
    if isinstance(assignee, Keep):
        return set()
    changed = {lead.pk for lead in leads if lead.assignee_id != assignee}
    Lead.objects.filter(pk__in=changed).update(assignee_id=assignee)
    return changed


def _set_labels(leads: Iterable[Lead], labels: Sequence[Label], *, replace: bool) -> set[int]:
    if not replace and not labels:
        return set()
    came = {lead.pk: lead.received_at for lead in leads}
    ids = list(came)
    wanted = {label.pk for label in labels}
    found: dict[int, set[int]] = {lead_id: set() for lead_id in ids}
    for lead_id, label_id in LeadLabel.objects.filter(lead_id__in=ids).values_list("lead_id", "label_id"):
        found[lead_id].add(label_id)
    changed = {lead_id for lead_id in ids if (found[lead_id] != wanted if replace else wanted - found[lead_id])}
    if replace:
        LeadLabel.objects.filter(lead_id__in=changed).exclude(label_id__in=wanted).delete()
    missing = [
        LeadLabel(lead_id=lead_id, label_id=label_id, received_at=came[lead_id])
        for lead_id in sorted(changed)
        for label_id in sorted(wanted - found[lead_id])
    ]
    LeadLabel.objects.bulk_create(missing, ignore_conflicts=True)
    return changed


def _take_labels(library: LeadLibrary, leads: Iterable[Lead], names: Sequence[str]) -> set[int]:
    if not names:
        return set()
    rows = LeadLabel.objects.filter(
        lead__in=[lead.pk for lead in leads], label__library=library, label__name__in=[name.strip() for name in names]
    )
    changed = set(rows.values_list("lead_id", flat=True))
    rows.delete()
    return changed


def _count_change(leads: Sequence[Lead]) -> None:
    """Give each lead its next number: it names the event that goes out."""
    Lead.objects.filter(pk__in=[lead.pk for lead in leads]).update(changes=F("changes") + 1)
    for lead in leads:
        lead.changes += 1


def add_note(*, actor: User, lead: Lead, text: str) -> Note:
    """Write a note on a live lead, sealed like its answers; raise `Refused`, `Invalid`, `Http404`.

    Whoever writes one has dealt with the lead: the first one ends its clock, like a call.
    """
    library = lead.library
    require(actor, Can.WORK_LEADS, library)
    text = text.strip()
    if not 0 < len(text) <= MAX_NOTE or not is_storable(text):
        raise Invalid({"text": _("Write 1 to %(limit)d characters.") % {"limit": MAX_NOTE}})
    alias = alias_of(lead.region)
    note = Note(
        id=new_id(),
        lead_id=lead.pk,
        library_id=library.pk,
        region=lead.region,
        author_id=actor.pk,
        sealed=Plain(text),
    )
    with transaction.atomic(), transaction.atomic(using=alias):
        path = grant_path(library, require(actor, Can.WORK_LEADS, library))
        lock_leads(library, [lead.pk], Lead.State.LIVE)
        audit.record(Act.NOTE_ADDED, library, actor=actor, targets=[lead.pk], grant_path=path)
        note.save(force_insert=True, using=alias)
        if Lead.objects.filter(pk=lead.pk, contacted_at=None).update(contacted_at=Now()):
            write_attention(library, [lead.pk])
    return note
