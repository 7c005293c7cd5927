"""Showing leads to a person: the right, the trace and the opening are one act in one transaction.

Whoever imports the opening module for a page or an answer of the API is this module. A list of leads is a look at each
of them: it writes one event with one target per lead.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime

from django.db import transaction
from django.utils.translation import gettext as _

from accounts import audit
from accounts.access import Can, require
from accounts.models import Act, LeadLibrary, User
from accounts.services.alarms import raise_unopenable
from leads.center.masking import MASKED_KINDS, mask
from leads.models import Lead
from leads.vault import opening
from leads.vault.answers import EMAIL_KINDS, PHONE_KINDS, Answer, Answers, Named
from leads.vault.keys import KeyGone
from leads.vault.models import Note, ResponseExcerpt, SealedAnswers
from leads.vault.regions import alias_of, aliases
from leads.vault.values import Sealed
from leadscenter.lib.envelope import Tampered
from leadscenter.lib.lookups import numbers

NO_FORM = Named(0, "")
UNREADABLE = (Tampered, KeyGone)


@dataclass(frozen=True, slots=True, repr=False)
class OpenLead:
    """What a person answered, for the eyes of whoever was recorded. `masked`: contact details are dotted out."""

    id: int
    answers: tuple[Answer, ...] = ()
    name: str = ""
    email: str = ""
    phone: str = ""
    form: Named = NO_FORM
    campaign: Named | None = None
    ad_group: Named | None = None
    ad: Named | None = None
    attribution: dict[str, str] = field(default_factory=dict)
    country: str = ""
    language: str = ""
    consents: dict[str, bool] = field(default_factory=dict)
    masked: bool = True
    withheld: bool = False  # not asked for: only that there is a lead
    unreadable: bool = False  # the record does not open: an alarm is raised, the page says so

    def __repr__(self) -> str:
        return f"<OpenLead {self.id}>"


@dataclass(frozen=True, slots=True, repr=False)
class OpenNote:
    """What a colleague wrote, and when."""

    id: int
    author_id: int
    at: datetime
    text: str

    def __repr__(self) -> str:
        return f"<OpenNote {self.id}>"


def grant_path(library: LeadLibrary, held: frozenset[Can] | None = None) -> str:
    """Return by which way whoever holds lead rights on the library holds them; `held` are their rights, where known.

    A partner's people see leads through a share and never the trail: that tells them from the library's own.
    """
    if held is not None and Can.VIEW_TRAIL not in held:
        return f"ad_account:{library.ad_account_id}:share"
    if library.is_transferred:
        return f"business_center:{library.custodian_id}:admin"
    return f"ad_account:{library.ad_account_id}:administrator"


def disclose(
    leads: Sequence[Lead],
    *,
    actor: User,
    library: LeadLibrary,
    act: Act,
    can: Can = Can.VIEW_LEADS,
    purpose: str = "",
    reveal: bool = False,
    searched: bool = False,
) -> list[OpenLead]:
    """Return the leads opened, in order, contact details masked unless `reveal`. `searched`: the act does not say that
    they were found by a search.

    Raises `Refused`. Every lead must be one of `library`. A record that does not open is marked, not hidden.
    """
    assert all(lead.library_id == library.pk for lead in leads)
    with transaction.atomic():
        held = require(actor, can, library)
        audit.record(
            act,
            library,
            actor=actor,
            targets=[lead.pk for lead in leads],
            grant_path=grant_path(library, held),
            purpose=purpose,
            count=len(leads),
            searched=searched or None,
        )
        records = _records(leads)
        shown = [_open(lead, records.get(lead.pk), reveal) for lead in leads]
        if unreadable := [one.id for one in shown if one.unreadable and one.id in records]:
            raise_unopenable(library.pk, opening.Purpose.DISCLOSE, unreadable)
        return shown


def _records(leads: Iterable[Lead]) -> dict[int, SealedAnswers]:
    by_alias: dict[str, list[int]] = {alias: [] for alias in aliases()}
    for lead in leads:
        by_alias[alias_of(lead.region)].append(lead.pk)
    found: dict[int, SealedAnswers] = {}
    for alias, ids in by_alias.items():
        if ids:
            rows = SealedAnswers.objects.using(alias).defer("digest").filter(lead_id__any_of=numbers(ids))
            found |= {row.lead_id: row for row in rows}
    return found


def _open(lead: Lead, record: SealedAnswers | None, reveal: bool) -> OpenLead:
    nothing = OpenLead(id=lead.pk, form=Named(lead.form_id, ""), unreadable=True)
    if record is None or (record.library_id, record.region) != (lead.library_id, lead.region):
        return nothing
    try:
        content = Answers.read(opening.open(_sealed(record), opening.Purpose.DISCLOSE))
    except UNREADABLE:  # whoever asked raises the alarm
        return nothing
    answers, attribution = content.answers, content.attribution
    email, phone = content.first(*EMAIL_KINDS), content.first(*PHONE_KINDS)
    shown = OpenLead(
        id=lead.pk,
        answers=answers,
        name=content.name,
        email=email,
        phone=phone,
        form=content.form,
        campaign=content.campaign,
        ad_group=content.ad_group,
        ad=content.ad,
        attribution=attribution,
        country=content.country,
        language=content.language,
        consents=content.consents,
        masked=False,
    )
    return shown if reveal else masked(shown)


def masked(shown: OpenLead) -> OpenLead:
    """Return the lead with its contact details dotted out, as a list shows it."""
    if shown.masked:
        return shown
    attribution = {name: mask(value, "email") if "@" in value else value for name, value in shown.attribution.items()}
    return replace(
        shown,
        answers=tuple(map(_masked, shown.answers)),
        email=mask(shown.email, "email"),
        phone=mask(shown.phone, "phone_number"),
        attribution=attribution,
        masked=True,
    )


def _masked(answer: Answer) -> Answer:
    return answer._replace(value=mask(answer.value, answer.kind)) if answer.kind in MASKED_KINDS else answer


def _sealed(row: SealedAnswers | Note | ResponseExcerpt) -> Sealed:
    sealed = row.sealed
    assert isinstance(sealed, Sealed)
    return sealed


def notes_of(lead: Lead, *, actor: User, library: LeadLibrary) -> list[OpenNote]:
    """Return the notes on a lead, oldest first. Part of an open lead: the event of its opening covers them."""
    require(actor, Can.VIEW_LEADS, library)
    notes = Note.objects.using(alias_of(lead.region)).filter(lead_id=lead.pk, library_id=library.pk)
    rows = list(notes.order_by("created_at", "id"))
    texts = _texts(rows, library)
    return [OpenNote(note.pk, note.author_id, note.created_at, texts[note.pk]) for note in rows]


def _texts(rows: Sequence[Note | ResponseExcerpt], library: LeadLibrary) -> dict[int, str]:
    """Open the texts by row id; one that does not open says so in its place and raises the alarm."""
    texts, unreadable = {}, []
    for row in rows:
        try:
            texts[row.pk] = str(opening.open(_sealed(row), opening.Purpose.DISCLOSE))
        except UNREADABLE:
            texts[row.pk] = _("This text does not open.")
            unreadable.append(row.pk)
    if unreadable:
        raise_unopenable(library.pk, opening.Purpose.DISCLOSE, unreadable)
    return texts


def read_notes(lead: Lead, *, actor: User, library: LeadLibrary) -> list[OpenNote]:
    """Return the notes on a lead as a look of its own, which is recorded; raise `Refused`."""
    with transaction.atomic():
        path = grant_path(library, require(actor, Can.VIEW_LEADS, library))
        audit.record(Act.LEAD_OPENED, library, actor=actor, targets=[lead.pk], grant_path=path, purpose="notes")
        return notes_of(lead, actor=actor, library=library)


def excerpts_of(lead: Lead, attempt_ids: Iterable[int], *, actor: User, library: LeadLibrary) -> dict[int, str]:
    """Return what receivers answered (attempt id → beginning of the answer), as it came. Part of a lead whose contact
    details were revealed: the event of that covers it.
    """
    require(actor, Can.CONNECT_CRM, library)
    rows = ResponseExcerpt.objects.using(alias_of(lead.region)).filter(
        attempt_id__in=list(attempt_ids), lead_id=lead.pk, library_id=library.pk
    )
    return _texts(list(rows), library)
