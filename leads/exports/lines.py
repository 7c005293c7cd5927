"""Leads as lines of CSV, column by column: each key of a column has a maker, which gives the cells of many leads.

Ids, times and words of ours run nowhere and hold no quote; what people wrote goes through `quoted`.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, date, timedelta, tzinfo
from functools import cached_property
from typing import Any, NamedTuple

from accounts.models import LeadLibrary
from leads.exports.columns import EMPTY, NO, YES, Columns
from leads.exports.work import Work
from leadscenter.lib.cells import quoted
from leadscenter.lib.moment_text import DAY, SECONDS, MomentText, moment_of

AT_ONCE = 500
"""Leads whose cells are in memory at the same time."""


class Row(NamedTuple):
    """What the control database knows of a lead, moments as texts in UTC, and its sealed answers; in the order of the
    query's columns.
    """

    id: int
    received_at: str
    form_id: int
    status: str
    assignee_id: int | None
    region: str
    is_test: bool
    source: str
    outcome: str
    contacted_at: str | None
    status_changed_at: str | None
    duplicate_of: int | None
    sealed: bytes | None


KNOWN = tuple(MomentText(name) if name.endswith("_at") else name for name in Row._fields if name != "sealed")
"""What the query for rows asks the control database for."""


# Purged between the two reads: the line says that there was a lead.
NOTHING: dict[str, Any] = {"answers": (), "form": {"id": "", "name": "", "version": ""}}
NOBODY = {"id": "", "name": ""}
NONE: dict[str, Any] = {}


class Quoted(dict[str | int, str]):
    """What stands in many lines, each made a cell once."""

    def __missing__(self, value: str | int) -> str:
        cell = self[value] = quoted(str(value))
        return cell


class Ends(dict[str, str]):
    """The day of arrival → the day on which the library lets go of a lead, so many days of UTC later."""

    def __init__(self, library: LeadLibrary) -> None:
        super().__init__()
        self._kept_for = timedelta(days=library.retention_days)

    def __missing__(self, day: str) -> str:
        end = self[day] = str(date.fromisoformat(day) + self._kept_for)
        return end


@dataclass(frozen=True, repr=False)
class Part:
    """Some leads of a chunk with what was sealed in them, and what stands around all of them."""

    rows: Sequence[Row]
    contents: Sequence[Mapping[str, Any]]
    work: Work
    ends: Ends
    zone: tzinfo = UTC
    quoted: Quoted = field(default_factory=Quoted)
    things: dict[str, list[Mapping[str, str | int]]] = field(default_factory=dict)

    def __repr__(self) -> str:
        return f"<Part of {len(self.rows)}>"

    def named(self, kind: str, what: str) -> list[str]:
        """The cells of a form, campaign, ad group or ad as it was called at capture."""
        cells = self.quoted
        if (things := self.things.get(kind)) is None:
            things = self.things[kind] = [content.get(kind) or NOBODY for content in self.contents]
        return [cells[thing[what]] for thing in things]

    def said(self, name: str) -> list[str]:
        """The cells of one thing that the browser told."""
        cells = self.quoted
        return [cells[content.get(name) or ""] for content in self.contents]

    def attributed(self, name: str) -> list[str]:
        """The cells of one parameter of the link."""
        if name not in self.attribution_names:
            return [EMPTY] * len(self.contents)
        cells = self.quoted
        return [cells[given.get(name, "")] for given in self.attributions]

    @cached_property
    def attributions(self) -> list[Mapping[str, str]]:
        """What the link of each lead said."""
        return [content.get("attribution") or NONE for content in self.contents]

    @cached_property
    def attribution_names(self) -> set[str]:
        """The parameters that any of these leads has."""
        return set[str]().union(*self.attributions)

    def times(self, moments: Sequence[str | None]) -> list[str]:
        """The cells of moments, in the export's time zone."""
        if self.zone is UTC:
            return [f'"{moment[:SECONDS]}"' if moment else EMPTY for moment in moments]
        zone = self.zone
        return [f'"{str(moment_of(moment).astimezone(zone))[:SECONDS]}"' if moment else EMPTY for moment in moments]

    def of_work(self, found: Mapping[int, str]) -> list[str]:
        """The cells of what the team did, by lead."""
        if not found:
            return [EMPTY] * len(self.rows)
        cells = self.quoted
        return [cells[found[row.id]] if row.id in found else EMPTY for row in self.rows]

    @cached_property
    def given(self) -> list[dict[str, str]]:
        """What each lead answered, by kind."""
        return [by_kind(content) for content in self.contents]

    def answered(self, *kinds: str) -> list[str]:
        """The cells of the first answer to a standard field of these kinds."""
        return [quoted(first_of(given, *kinds)) for given in self.given]


def by_kind(content: Mapping[str, Any]) -> dict[str, str]:
    """Return the first answer of each kind."""
    return {kind: value for _key, _label, value, kind in reversed(content["answers"])}


def first_of(given: Mapping[str, str], *kinds: str) -> str:
    """Return the answer of the first of these kinds that was given; "" when none was."""
    return next((given[kind] for kind in kinds if given.get(kind)), "")


def names_of(given: Mapping[str, str]) -> tuple[str, str]:
    """Return first and last name: as they were asked, or the one name parted before its last word.

    A name of one word is a last name, which CRMs demand.
    """
    first, last = given.get("first_name", ""), given.get("last_name", "")
    if not (first or last):
        first, _space, last = given.get("name", "").strip().rpartition(" ")
    return first.strip(), last


def _assignees(part: Part) -> list[str]:
    people, cells = part.work.people, part.quoted
    return [cells[people.get(row.assignee_id, "")] if row.assignee_id else EMPTY for row in part.rows]


def _expiries(part: Part) -> list[str]:
    ends = part.ends
    return part.times([ends[row.received_at[:DAY]] + row.received_at[DAY:] for row in part.rows])


def _counts(part: Part) -> list[str]:
    return [f'"{part.work.note_counts.get(row.id, 0)}"' for row in part.rows]


def _source(part: Part) -> list[str]:
    """Where a CRM is told that the lead came from: what the link said, else how it arrived."""
    return [
        quoted((content.get("attribution") or NONE).get("utm_source") or row.source)
        for row, content in zip(part.rows, part.contents, strict=True)
    ]


def _country(part: Part) -> list[str]:
    declared = zip(part.given, part.contents, strict=True)
    return [quoted(given.get("country") or content.get("country") or "") for given, content in declared]


Maker = Callable[[Part], list[str]]
MAKERS: dict[str, Maker] = {
    "lead_id": lambda part: [f'"{row.id}"' for row in part.rows],
    "created_time": lambda part: part.times([row.received_at for row in part.rows]),
    "form": lambda part: part.named("form", "name"),
    "form_version": lambda part: part.named("form", "version"),
    "campaign": lambda part: part.named("campaign", "name"),
    "ad_group": lambda part: part.named("ad_group", "name"),
    "ad": lambda part: part.named("ad", "name"),
    "region": lambda part: [f'"{row.region}"' for row in part.rows],
    "is_test": lambda part: [YES if row.is_test else NO for row in part.rows],
    "source": lambda part: [f'"{row.source}"' for row in part.rows],
    "outcome": lambda part: [f'"{row.outcome}"' for row in part.rows],
    "duplicate_of": lambda part: [f'"{row.duplicate_of or ""}"' for row in part.rows],
    "expires_time": _expiries,
    "status": lambda part: [f'"{row.status}"' for row in part.rows],
    "labels": lambda part: part.of_work(part.work.labels),
    "assignee": _assignees,
    "contacted_time": lambda part: part.times([row.contacted_at for row in part.rows]),
    "status_changed_time": lambda part: part.times([row.status_changed_at for row in part.rows]),
    "follow_up_time": lambda part: part.times([part.work.follow_ups.get(row.id) for row in part.rows]),
    "delivery": lambda part: part.of_work(part.work.deliveries),
    "notes_count": _counts,
    "notes": lambda part: part.of_work(part.work.notes),
    "form_id": lambda part: [f'"{row.form_id}"' for row in part.rows],
    "campaign_id": lambda part: part.named("campaign", "id"),
    "ad_group_id": lambda part: part.named("ad_group", "id"),
    "ad_id": lambda part: part.named("ad", "id"),
    "country": lambda part: part.said("country"),
    "language": lambda part: part.said("language"),
    "utm_source": lambda part: part.attributed("utm_source"),
    "utm_medium": lambda part: part.attributed("utm_medium"),
    "utm_campaign": lambda part: part.attributed("utm_campaign"),
    "utm_term": lambda part: part.attributed("utm_term"),
    "utm_content": lambda part: part.attributed("utm_content"),
    "utm_id": lambda part: part.attributed("utm_id"),
    "ttclid": lambda part: part.attributed("ttclid"),
    "crm.first_name": lambda part: [quoted(names_of(given)[0]) for given in part.given],
    "crm.last_name": lambda part: [quoted(names_of(given)[1]) for given in part.given],
    "crm.email": lambda part: part.answered("email", "work_email"),
    "crm.phone": lambda part: part.answered("phone_number", "work_phone"),
    "crm.company": lambda part: part.answered("company_name"),
    "crm.job_title": lambda part: part.answered("job_title"),
    "crm.address": lambda part: part.answered("address"),
    "crm.city": lambda part: part.answered("city"),
    "crm.state": lambda part: part.answered("province_state"),
    "crm.zip": lambda part: part.answered("zip_code"),
    "crm.country": _country,
    "crm.status": lambda part: [f'"{row.status.capitalize()}"' for row in part.rows],
    "crm.source": _source,
}
ALIASES = {
    "tiktok.ad_id": "ad_id",
    "tiktok.ad": "ad",
    "tiktok.ad_group_id": "ad_group_id",
    "tiktok.ad_group": "ad_group",
    "tiktok.campaign_id": "campaign_id",
    "tiktok.campaign": "campaign",
    "tiktok.form_id": "form_id",
    "tiktok.form": "form",
    "crm.lead_id": "lead_id",
    "crm.created": "created_time",
    "crm.campaign": "campaign",
}
MAKERS |= {key: MAKERS[other] for key, other in ALIASES.items()}


def lines_of(columns: Columns, part: Part) -> Iterator[str]:
    """Yield a line per lead of the part. Raises `Unplaced` when the columns do not hold all answers."""
    asked = [
        columns.cells(row.form_id, content["answers"], content.get("consents") or NONE)
        for row, content in zip(part.rows, part.contents, strict=True)
    ]
    by_column = list(zip(*asked, strict=True))
    made = [by_column[columns.asked[key]] if key in columns.asked else MAKERS[key](part) for key in columns.keys]
    for cells in zip(*made, strict=True):
        yield ",".join(cells) + "\r\n"
