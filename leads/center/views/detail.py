"""One lead in the words of its drawer: trail strip, answers, history, deliveries, consent."""

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.utils import timezone
from django.utils.translation import gettext as _

from accounts.access import Can, require
from accounts.models import LeadLibrary, User
from forms_builder.models import FormVersion
from forms_builder.parsing import parse
from leads.center.disclosure import OpenLead, masked
from leads.center.layout import layout_of
from leads.center.selectors.alike import alike
from leads.center.selectors.deliveries import LeadDelivery
from leads.center.selectors.listing import LeadRow, who_sees
from leads.center.selectors.lives import LeadDetail, open_lead
from leads.center.selectors.neighbours import neighbours_of, place_of, read_place
from leads.center.services.following_up import follow_up_of
from leads.center.views.addresses import BOARD, REVEALED, STOOD, address, params_of
from leads.center.views.filtering import encoded
from leads.center.views.history import TimelineRow, seen_rows, timeline_rows
from leads.center.views.listing import Person, people_of
from leads.center.views.origin import Alike, DeliveryRow, Fact, alike_rows, attribution_of, delivery_row, position_text
from leads.center.views.wording import Row, Wording, clock_of, name_of
from leads.crm.standing import next_attempt, worst_of
from leads.models import Lead
from leads.privacy.consent import consent_of
from leads.selection import Selection, read_selection
from leads.vault.answers import EMAIL_KINDS, PHONE_KINDS
from leadscenter.lib.clocks import Clock
from leadscenter.lib.display import language_name, moment_text

SENSITIVE = frozenset((*EMAIL_KINDS, *PHONE_KINDS))
E164 = re.compile(r"\+[1-9][0-9]{6,14}")


@dataclass(frozen=True, slots=True)
class Node:
    icon: str
    label: str
    note: str = ""
    url: str = ""
    todo: bool = False


@dataclass(frozen=True, slots=True, repr=False)
class AnswerRow:
    key: str
    label: str
    value: str
    masked: bool
    sensitive: bool
    preferred: bool = False

    def __repr__(self) -> str:
        return "<AnswerRow •••>"


@dataclass(frozen=True, slots=True, repr=False)
class NoteRow:
    author: str
    at: datetime
    text: str
    own: int = 0  # its id, where whoever looks wrote it

    def __repr__(self) -> str:
        return "<NoteRow •••>"


@dataclass(frozen=True, slots=True)
class FollowUpRow:
    """The open follow-up: when, for whom, and whether its moment has come."""

    due_at: datetime
    who: str
    due: bool


@dataclass(frozen=True, slots=True)
class Offer:
    """The offer to set the status of a lead that was contacted and is raw."""

    change_url: str
    offered: bool
    said: bool = False


@dataclass(frozen=True, slots=True)
class ConsentRow:
    text: str
    ticked: bool
    required: bool
    source: str


@dataclass(frozen=True, slots=True)
class Consents:
    """The boxes, when they were sent, and what there is to say where nobody saw any; the words and the link above."""

    rows: tuple[ConsentRow, ...]
    at: datetime | None
    note: str
    title: str = ""
    text: str = ""
    policy: str = ""


@dataclass(frozen=True, slots=True)
class Evidence:
    title: str
    fine: str
    text: str


@dataclass(frozen=True, slots=True, repr=False)
class Drawer:
    """Everything that the drawer prints; `row` is the same lead as its list shows it, for the swap after a change."""

    id: int
    row: Row
    name: str
    clock: Clock
    status: str
    status_label: str
    statuses: tuple[tuple[str, str], ...]
    assignee: str
    assignee_initials: str
    people: tuple[Person, ...]
    labels: tuple[str, ...]
    trail: tuple[Node, ...]
    evidence: Evidence | None
    answers: tuple[AnswerRow, ...]
    masked: int
    revealed: bool
    tel: str
    mailto: str
    whatsapp: str
    follow_up: FollowUpRow | None
    follow_up_url: str
    contacted_url: str
    offer: Offer
    timeline: tuple[TimelineRow, ...]
    seen: tuple[TimelineRow, ...] | None
    access_url: str
    deliveries: tuple[DeliveryRow, ...]
    notes: tuple[NoteRow, ...]
    attribution: tuple[Fact, ...]
    alike: tuple[Alike, ...]
    consent: Consents
    is_test: bool
    trashed: bool
    board: bool
    back: str
    before: str
    after: str
    position: str
    resend_url: str
    address: str
    change_url: str
    note_url: str
    reveal_url: str
    mask_url: str
    copied_url: str
    delete_url: str
    restore_url: str

    def __repr__(self) -> str:
        return f"<Drawer {self.id}>"


def drawer_of(
    actor: User, lead: Lead, given: Mapping[str, Any], *, revealed: bool, address: str, purpose: str = ""
) -> Drawer:
    """Open the lead and put it into words; the trace of the look is written by the opening."""
    library = lead.library
    selection = read_selection(library, given, actor=actor)
    order = layout_of(given).order
    detail = open_lead(actor=actor, lead=lead, reveal=revealed, purpose=purpose)
    kept = params_of(selection, order, given)
    stood = read_place(lead, order, str(given.get(STOOD, "")))
    return _drawer(actor, detail, library, selection, order, kept, revealed=revealed, here=address, stood=stood)


def _drawer(
    actor: User,
    detail: LeadDetail,
    library: LeadLibrary,
    selection: Selection,
    order: str,
    params: dict[str, str],
    *,
    revealed: bool,
    here: str,
    stood: datetime | None,
) -> Drawer:
    lead, shown = detail.lead, detail.shown
    base = f"/l/{library.pk}/leads/{lead.pk}/"
    at = "" if selection.words else place_of(lead, order, stood)
    carried = params | ({STOOD: at} if at else {})
    query = encoded(carried | ({REVEALED: "1"} if revealed else {}))
    answers = _answers(lead, shown, revealed=revealed)
    place = neighbours_of(lead, library, selection, order, stood)
    held = require(actor, Can.VIEW_LEADS, library)
    sees = who_sees(library)
    listed = _listed(detail, library, params, sees)
    return Drawer(
        id=lead.pk,
        row=listed,
        name=name_of(shown.name, lead, unreadable=shown.unreadable),
        clock=clock_of(lead, library),
        status=lead.status,
        status_label=lead.get_status_display(),
        statuses=tuple((value, str(label)) for value, label in Lead.Status.choices),
        assignee=listed.assignee,
        assignee_initials=listed.assignee_initials,
        people=people_of(sees),
        labels=detail.labels,
        trail=_trail(detail),
        evidence=_evidence(detail.deliveries),
        answers=answers,
        masked=sum(answer.masked for answer in answers),
        revealed=revealed,
        tel=shown.phone if revealed else "",
        mailto=shown.email if revealed else "",
        whatsapp=_whatsapp(shown.phone) if revealed else "",
        follow_up=_follow_up(lead),
        offer=Offer(f"{base}change/{query}", lead.contacted_at is not None and lead.status == Lead.Status.RAW),
        timeline=timeline_rows(detail),
        seen=None if detail.seen is None else seen_rows(detail.seen),
        access_url="" if detail.seen is None else f"/l/{library.pk}/access/",
        deliveries=tuple(delivery_row(row, library, may_send=Can.CONNECT_CRM in held) for row in detail.deliveries),
        notes=_notes(actor, detail),
        attribution=attribution_of(lead, shown),
        alike=alike_rows(library, lead, alike(actor, lead)),
        consent=_consent(lead),
        is_test=lead.is_test,
        trashed=lead.state == Lead.State.TRASHED,
        board=BOARD in params and lead.state == selection.state == Lead.State.LIVE,
        back=address(library, params),
        before=address(library, params, place.before) if place.before else "",
        after=address(library, params, place.after) if place.after else "",
        position=position_text(place),
        address=here,
        mask_url=f"{base}{encoded(carried)}",
        **_addresses(base, query),
    )


def _listed(detail: LeadDetail, library: LeadLibrary, params: dict[str, str], sees: Iterable[User]) -> Row:
    """Return the lead as its list shows it, masked, for the swap after a change."""
    lead = detail.lead
    lost = lead.assignee_id is not None and lead.assignee_id not in {user.pk for user in sees}
    sent = worst_of(library, [lead.pk]).get(lead.pk)
    row = LeadRow(lead, masked(detail.shown), detail.labels, len(detail.notes), sent, assignee_lost_access=lost)
    return Wording(library, params, lead.pk).row(row)


def _notes(actor: User, detail: LeadDetail) -> tuple[NoteRow, ...]:
    own = actor.pk
    return tuple(
        NoteRow(row.author, row.note.at, row.note.text, row.note.id if row.note.author_id == own else 0)
        for row in detail.notes
    )


def _addresses(base: str, query: str) -> dict[str, str]:
    """Return where the forms of the drawer are sent."""
    kept = ("follow-up", "contacted", "change", "note", "resend", "reveal", "copied")
    found = {f"{name.replace('-', '_')}_url": f"{base}{name}/{query}" for name in kept}
    return found | {"delete_url": f"{base}delete/", "restore_url": f"{base}restore/"}


def _answers(lead: Lead, shown: OpenLead, *, revealed: bool) -> tuple[AnswerRow, ...]:
    preferred = _preferred(lead)
    return tuple(
        AnswerRow(row.key, row.label, row.value, bool(row.value) and not revealed, sensitive=True)
        if row.kind in SENSITIVE
        else AnswerRow(row.key, row.label, row.value, False, False, (row.key, row.value) in preferred)
        for row in shown.answers
    )


def _preferred(lead: Lead) -> set[tuple[str, str]]:
    """Return the answers that qualify a person, by question and in the words of the version that this one saw."""
    version = FormVersion.objects.filter(pk=lead.version_id).first() if lead.outcome else None
    questions = parse(version.content).questions if version else ()
    return {
        (question.key, option.label)
        for question in questions
        for option in question.options
        if option.outcome == Lead.Outcome.PREFERRED
    }


def _whatsapp(phone: str) -> str:
    """Return the digits of an international number; a number without its country leads to a stranger."""
    return phone[1:] if E164.fullmatch(phone) else ""


def _follow_up(lead: Lead) -> FollowUpRow | None:
    row = follow_up_of(lead)
    return FollowUpRow(row.due_at, str(row.user), row.due_at <= timezone.now()) if row else None


def _trail(detail: LeadDetail) -> tuple[Node, ...]:
    lead, shown = detail.lead, detail.shown
    arrived = _("Imported") if lead.source == Lead.Source.IMPORT else _("Submitted")
    nodes = [
        Node("ad", _("Ad"), shown.ad.name if shown.ad else _("none"), "#origin"),
        Node(
            "forms",
            _("Form v%(n)s") % {"n": shown.form.version} if shown.form.version else _("Form"),
            language_name(shown.language),
            "#answers",
        ),
        Node("submit", arrived, moment_text(lead.received_at).split(",")[0], "#consent"),
        Node("lock", _("Encrypted"), lead.region.upper(), "#origin"),
    ]
    seen: set[int] = set()
    for row in sorted(detail.deliveries, key=lambda row: row.event != "lead.created"):
        if row.connection.pk in seen:
            continue
        seen.add(row.connection.pk)
        icon = {"done": "check", "dead": "bad", "skipped": "skip", "waiting": "pause"}.get(row.state, "retry")
        nodes.append(
            Node(icon, row.connection.name, row.label, "#deliveries", todo=row.state not in ("done", "skipped"))
        )
    if not seen:
        nodes.append(Node("integrations", _("No CRM"), _("nothing was sent"), todo=True))
    return tuple(nodes[:7])


def _evidence(deliveries: tuple[LeadDelivery, ...]) -> Evidence | None:
    """Say what holds the first delivery up that did not arrive: what happened, what we kept, what is next."""
    for row in deliveries:
        if row.event != "lead.created" or row.state in ("done", "skipped", "pending"):
            continue
        last = row.attempts[-1] if row.attempts else None
        fine = _("%(status)s, attempt %(n)s of 10") % {
            "status": (last.status or last.outcome) if last else "–",
            "n": row.delivery.attempts,
        }
        if row.state == "retrying":
            at = moment_text(next_attempt(row.delivery, row.connection))
            text = _("The lead is safe here. The next attempt is at %(at)s.") % {"at": at}
            return Evidence(_("%(name)s did not take it yet") % {"name": row.connection.name}, fine, text)
        if row.state == "waiting":
            text = _("The lead is safe here and goes out when the connection runs again.")
            return Evidence(_("%(name)s is paused") % {"name": row.connection.name}, "", text)
        text = _("The lead is safe here. Open the delivery to see the cause and to resend it.")
        return Evidence(_("%(name)s refused this lead") % {"name": row.connection.name}, fine, text)
    return None


def _consent(lead: Lead) -> Consents:
    """Return what the person saw and ticked, in the words of the version they saw; else who brought the lead in."""
    seen = consent_of(lead)
    if seen is None:
        imported = lead.source == Lead.Source.IMPORT
        said = _("This lead was imported from a file. No consent was given through a form here.")
        return Consents((), None, said if imported else _("There is no record of what this person saw and ticked."))
    if seen.imported_by:
        said = _("%(who)s imported this lead from a file. No consent was given through a form here.")
        return Consents((), seen.at, said % {"who": seen.imported_by})
    source = _("version %(n)s, %(language)s") % {"n": seen.form_version, "language": language_name(seen.language)}
    unasked = _("The form had no consent boxes. The privacy policy was shown before the answers were sent.")
    return Consents(
        tuple(ConsentRow(box.label, box.ticked, box.required, source) for box in seen.boxes),
        seen.at,
        "" if seen.boxes else unasked,
        seen.title,
        seen.text,
        seen.privacy_policy_url,
    )
