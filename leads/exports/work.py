"""What the team made of some leads, for a file: read in as many queries as it has columns of the kind."""

from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import tzinfo

from django.db.models import Count

from accounts.models import LeadLibrary, User
from leads.crm.standing import worst_of
from leads.exports.columns import NOTES
from leads.models import FollowUp, LeadLabel
from leads.vault import opening
from leads.vault.models import Note
from leads.vault.regions import alias_of
from leadscenter.lib.lookups import numbers
from leadscenter.lib.moment_text import MomentText

LONGEST_NOTES = 30_000
"""Characters of notes in one cell, whose most is 32,767 in a workbook; the oldest are left to the lead's page."""
LEFT_OUT = "…"
AT_ONCE = 5000


@dataclass(frozen=True, slots=True, repr=False)
class Work:
    """By lead id; `people` by their own."""

    labels: dict[int, str] = field(default_factory=dict)
    people: dict[int, str] = field(default_factory=dict)
    follow_ups: dict[int, str] = field(default_factory=dict)
    deliveries: dict[int, str] = field(default_factory=dict)
    note_counts: dict[int, int] = field(default_factory=dict)
    notes: dict[int, str] = field(default_factory=dict)

    def __repr__(self) -> str:
        return "<Work •••>"


def work_on(
    library: LeadLibrary, places: Sequence[tuple[int, str]], people: set[int], keys: Collection[str], zone: tzinfo
) -> Work:
    """Read what columns with these keys need of leads, given as (id, region), and the names of `people`."""
    ids = [lead_id for lead_id, _region in places]
    return Work(
        labels=_labels(ids) if "labels" in keys else {},
        people={user.pk: str(user) for user in User.objects.filter(pk__in=people)} if people else {},
        follow_ups=_follow_ups(ids) if "follow_up_time" in keys else {},
        deliveries=worst_of(library, ids) if "delivery" in keys else {},
        note_counts=_note_counts(places) if "notes_count" in keys else {},
        notes=_notes(library, places, zone) if NOTES in keys else {},
    )


def _labels(ids: Sequence[int]) -> dict[int, str]:
    found: dict[int, list[str]] = {}
    labelled = LeadLabel.objects.filter(lead__id__any_of=numbers(ids)).order_by("label__name")
    for lead_id, name in labelled.values_list("lead_id", "label__name").iterator(chunk_size=AT_ONCE):
        found.setdefault(lead_id, []).append(name)
    return {lead_id: ", ".join(names) for lead_id, names in found.items()}


def _follow_ups(ids: Sequence[int]) -> dict[int, str]:
    open_ones = FollowUp.objects.filter(lead__id__any_of=numbers(ids), done_at=None)
    return dict(open_ones.values_list("lead_id", MomentText("due_at")))


def _by_region(places: Sequence[tuple[int, str]]) -> Iterator[tuple[str, list[int]]]:
    for region in sorted({region for _lead_id, region in places}):
        yield region, [lead_id for lead_id, its in places if its == region]


def _note_counts(places: Sequence[tuple[int, str]]) -> dict[int, int]:
    found: dict[int, int] = {}
    for region, ids in _by_region(places):
        notes = Note.objects.using(alias_of(region)).filter(lead_id__any_of=numbers(ids), region=region)
        found.update(notes.values("lead_id").annotate(number=Count("id")).order_by().values_list("lead_id", "number"))
    return found


def _notes(library: LeadLibrary, places: Sequence[tuple[int, str]], zone: tzinfo) -> dict[int, str]:
    """Open the notes, newest first, each with its time and who wrote it."""
    written: dict[int, list[str]] = {}
    for region, ids in _by_region(places):
        notes = Note.objects.using(alias_of(region)).filter(lead_id__any_of=numbers(ids), region=region)
        rows = notes.filter(library_id=library.pk)
        found = list(
            rows.order_by("-created_at", "-pk").values_list("pk", "lead_id", "author_id", "created_at", "sealed")
        )
        authors = {user.pk: str(user) for user in User.objects.filter(pk__in={note[2] for note in found})}
        records = opening.Records("note/1", library.pk, opening.Purpose.EXPORT)
        for pk, lead_id, author, at, sealed in found:
            text = records.open(pk, region, bytes(sealed))
            head = f"{at.astimezone(zone):%Y-%m-%d %H:%M} {authors.get(author, '')}"
            written.setdefault(lead_id, []).append(f"{head}: {text}")
    return {lead_id: _fitting("\n".join(notes)) for lead_id, notes in written.items()}


def _fitting(text: str) -> str:
    return text if len(text) <= LONGEST_NOTES else text[:LONGEST_NOTES] + LEFT_OUT
