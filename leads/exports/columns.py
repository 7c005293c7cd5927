"""The columns of an export, from immutable versions: the same on every run, so that a killed export can go on.

A column has a key of ours: a word for what we know of a lead, `field.<key>` for a standard field over all forms,
`question.<form>.<key>` for a question of one's own, since two forms may use one key for two questions, and
`consent.<form>.<key>` for a box. The heading of what was asked is its newest wording.
"""

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime

from django.utils.translation import gettext_lazy as _

from accounts.models import LeadLibrary
from forms_builder.models import FormVersion
from forms_builder.schema import STANDARD_FIELDS
from leads.models import Export
from leadscenter.lib.cells import quoted

Layout = Export.Layout
EMPTY = '""'
YES, NO = '"yes"', '"no"'
DROPPED = -1
TEST = "is_test"
NOWHERE: dict[str, int] = {}
MORE = "more_answers"
NOTES = "notes"
"""Opens what colleagues wrote: in a file only when it was chosen."""

# What we know of a lead beside its answers: key (which is its heading, too) → what the page calls it.
LEAD = {
    "lead_id": _("Lead id"),
    "created_time": _("Received"),
    "form": _("Form"),
    "form_version": _("Form version"),
    "campaign": _("Campaign"),
    "ad_group": _("Ad group"),
    "ad": _("Ad"),
    "region": _("Region"),
    TEST: _("Test lead"),
    "source": _("Came by"),
    "outcome": _("Qualifying answers"),
    "duplicate_of": _("Duplicate of"),
    "expires_time": _("Kept until"),
}
WORK = {
    "status": _("Status"),
    "labels": _("Labels"),
    "assignee": _("Assignee"),
    "contacted_time": _("Contacted"),
    "status_changed_time": _("Status changed"),
    "follow_up_time": _("Follow-up"),
    "delivery": _("Delivery"),
    "notes_count": _("Number of notes"),
    NOTES: _("Notes, word for word"),
}
ORIGIN = {
    "form_id": _("Form id"),
    "campaign_id": _("Campaign id"),
    "ad_group_id": _("Ad group id"),
    "ad_id": _("Ad id"),
    "country": _("Country"),
    "language": _("Language of the form"),
}
ATTRIBUTION = {
    **{name: name for name in ("utm_source", "utm_medium", "utm_campaign", "utm_term", "utm_content", "utm_id")},
    "ttclid": _("Click id (ttclid)"),
}
TIMES = (
    "created_time",
    "contacted_time",
    "status_changed_time",
    "follow_up_time",
    "expires_time",
    "crm.created",
    NOTES,
)

# In front of the answers stands what "all" has always begun with, behind them the rest.
FRONT = (
    "lead_id", "created_time", "form", "form_version", "campaign", "ad_group", "ad", "status", "labels", "assignee",
    "region", TEST,
)  # fmt: skip
BEHIND = tuple(key for key in (*LEAD, *WORK, *ORIGIN, *ATTRIBUTION) if key not in (*FRONT, NOTES))
TIKTOK = {
    "lead_id": "lead_id",
    "created_time": "created_time",
    "tiktok.ad_id": "ad_id",
    "tiktok.ad": "ad_name",
    "tiktok.ad_group_id": "adgroup_id",
    "tiktok.ad_group": "adgroup_name",
    "tiktok.campaign_id": "campaign_id",
    "tiktok.campaign": "campaign_name",
    "tiktok.form_id": "form_id",
    "tiktok.form": "form_name",
}
CRM = {
    "crm.first_name": "First name",
    "crm.last_name": "Last name",
    "crm.email": "Email",
    "crm.phone": "Phone",
    "crm.company": "Company",
    "crm.job_title": "Job title",
    "crm.address": "Address",
    "crm.city": "City",
    "crm.state": "State",
    "crm.zip": "Zip",
    "crm.country": "Country",
    "crm.status": "Lead status",
    "crm.source": "Lead source",
    "crm.lead_id": "Lead ID",
    "crm.created": "Created",
    "crm.campaign": "Campaign",
}
IN_CRM = frozenset({
    "name", "first_name", "last_name", "email", "phone_number", "company_name", "job_title", "address", "city",
    "province_state", "zip_code", "country",
})  # fmt: skip
"""Kinds of standard fields whose answers stand in the columns above."""


class Unplaced(RuntimeError):
    """A lead holds an answer that no version of its form asks: the file needs one more column."""


@dataclass(frozen=True, slots=True)
class Columns:
    """`asked` says where in the cells of what was asked a column stands; `places` and `boxes` where an answer or a tick
    goes (form id → key → position, `DROPPED` for what the file leaves out).
    """

    keys: tuple[str, ...]
    headings: tuple[str, ...]
    asked: dict[str, int] = field(default_factory=dict)
    places: dict[int, dict[str, int]] = field(default_factory=dict)
    boxes: dict[int, dict[str, int]] = field(default_factory=dict)
    more: int | None = None

    def cells(
        self, form_id: int, answers: Iterable[tuple[str, str, str, str]], consents: Mapping[str, bool]
    ) -> list[str]:
        """Return the quoted cells of what was asked: answers (key, label, value, kind) and boxes.

        What no column takes stands in the one for more, or raises `Unplaced`.
        """
        cells = [EMPTY] * len(self.asked)
        places = self.places.get(form_id, NOWHERE)
        more: list[str] = []
        for key, label, value, _kind in answers:
            place = places.get(key)
            if place is None:
                more.append(f"{label}: {value}")
            elif place >= 0:
                cells[place] = quoted(value)
        if more:
            if self.more is None:
                raise Unplaced
            if self.more >= 0:
                cells[self.more] = quoted("\n".join(more))
        for key, place in self.boxes.get(form_id, NOWHERE).items():
            if (ticked := consents.get(key)) is not None:
                cells[place] = YES if ticked else NO
        return cells


@dataclass(frozen=True, slots=True)
class Asked:
    """What the published versions of some forms ask: column key → newest wording, kind, name of its form."""

    labels: dict[str, str] = field(default_factory=dict)
    kinds: dict[str, str] = field(default_factory=dict)
    forms: dict[str, str] = field(default_factory=dict)
    answers: dict[int, dict[str, str]] = field(default_factory=dict)
    boxes: dict[int, dict[str, str]] = field(default_factory=dict)


def asked_of(library: LeadLibrary, *, bound_at: datetime | None = None, form_id: int | None = None) -> Asked:
    """Read what the versions ask that were published until `bound_at`."""
    versions = FormVersion.objects.filter(form__ad_account_id=library.ad_account_id).exclude(published_at=None)
    if bound_at is not None:
        versions = versions.filter(published_at__lte=bound_at)
    if form_id is not None:
        versions = versions.filter(form_id=form_id)
    found = Asked()
    boxes: dict[str, str] = {}
    for form, name, content in versions.order_by("form_id", "number").values_list("form_id", "form__name", "content"):
        for question in content.get("questions", ()):
            standard = question["kind"] in STANDARD_FIELDS
            column = f"field.{question['key']}" if standard else f"question.{form}.{question['key']}"
            found.answers.setdefault(form, {})[question["key"]] = column
            found.labels[column] = str(question.get("label") or question["key"])
            found.kinds[column] = question["kind"]
            if not standard:
                found.forms[column] = name
        for box in (content.get("disclaimer") or {}).get("consents", ()):
            column = f"consent.{form}.{box['key']}"
            found.boxes.setdefault(form, {})[box["key"]] = column
            boxes[column] = f"Consent: {box.get('label') or box['key']}"
            found.forms[column] = name
    found.labels.update(boxes)
    return found


def columns_for(
    library: LeadLibrary,
    *,
    bound_at: datetime,
    form_id: int | None = None,
    layout: str = Layout.ALL,
    chosen: Sequence[str] = (),
    time_zone: str = "",
    more: bool = False,
) -> Columns:
    """Return the columns for leads that arrived until `bound_at`; `chosen` are the keys of a layout of one's own."""
    asked = asked_of(library, bound_at=bound_at, form_id=None if chosen else form_id)
    if more:
        asked.labels[MORE] = MORE
    keys = tuple(chosen) if layout == Layout.CHOSEN else _keys(layout, asked)
    order = {key: place for place, key in enumerate(key for key in keys if key in asked.labels)}
    zone = time_zone or ("UTC" if layout in (Layout.CHOSEN, Layout.CRM) else "")
    known = {key: _heading(key, zone) for key in keys if key not in order}
    headings = known | _apart(asked, order, set(known.values()))
    return Columns(
        keys=keys,
        headings=tuple(headings[key] for key in keys),
        asked=order,
        places={
            form: {key: order.get(column, DROPPED) for key, column in keys.items()}
            for form, keys in asked.answers.items()
        },
        boxes={
            form: {key: order[column] for key, column in keys.items() if column in order}
            for form, keys in asked.boxes.items()
        },
        more=DROPPED if layout == Layout.CHOSEN else order.get(MORE),
    )


def _keys(layout: str, asked: Asked) -> tuple[str, ...]:
    answers = [key for key in asked.labels if not key.startswith("consent.")]
    boxes = [key for key in asked.labels if key.startswith("consent.")]
    match layout:
        case Layout.TIKTOK:
            return (*TIKTOK, *answers)
        case Layout.CRM:
            return (*CRM, *(key for key in answers if asked.kinds.get(key) not in IN_CRM), *boxes)
    return (*FRONT, *(key for key in answers if key != MORE), *boxes, *BEHIND, *([MORE] if MORE in answers else ()))


def _heading(key: str, zone: str) -> str:
    """The heading of what we know; a time names its zone, but for the UTC of the layouts that have always had it."""
    heading = {**CRM, **TIKTOK}.get(key, key)
    return f"{heading} ({zone})" if zone and key in TIMES else heading


def _apart(asked: Asked, keys: Iterable[str], known: set[str]) -> dict[str, str]:
    """Return the headings of what was asked; those that read the same as another are told apart by their form, then by
    their key.
    """
    seen = Counter(asked.labels[key] for key in keys)
    headings: dict[str, str] = {}
    for key in keys:
        label = asked.labels[key]
        heading = f"{label} ({asked.forms[key]})" if seen[label] > 1 and key in asked.forms else label
        taken = heading in known or heading in headings.values()
        headings[key] = f"{heading} ({key.rpartition('.')[2]})" if taken else heading
    return headings
