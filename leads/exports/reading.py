"""One chunk of an export: leads by keyset, newest first, opened and written as lines."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from typing import Any, NamedTuple

from django.db.models import QuerySet

from accounts.models import User
from leads.exports.columns import Columns
from leads.models import Lead, LeadLabel
from leads.selection import Selection
from leads.vault import opening
from leads.vault.models import SealedAnswers
from leads.vault.regions import alias_of
from leads.vault.walking import Place, rarest_first, walk
from leadscenter.lib import lookups as lookups  # makes `any_of` known
from leadscenter.lib.cells import csv_line, quoted
from leadscenter.lib.paging import beyond

CHUNK = 5000
BOM = "\ufeff"


class Row(NamedTuple):
    """What the control database knows of a lead; the order of the query's columns."""

    id: int
    received_at: datetime
    form_id: int
    status: str
    assignee_id: int | None
    region: str
    is_test: bool


@dataclass(frozen=True, slots=True)
class Bound:
    """Which leads an export holds: fixed when it was asked for."""

    library_id: int
    selection: Selection
    at: datetime


@dataclass(frozen=True, slots=True, repr=False)
class Chunk:
    """Lines in UTF-8 and the ids in them; `last` is where to go on, None at the end."""

    lines: bytes
    ids: list[int]
    last: Place | None

    def __repr__(self) -> str:
        return f"<Chunk of {len(self.ids)}>"


def count(bound: Bound) -> int:
    """Return how many leads the export will hold; 0 for a search, which nobody counts ahead."""
    return 0 if bound.selection.words else bound.selection.apply(_leads(bound)).count()


def _leads(bound: Bound) -> QuerySet[Lead]:
    return Lead.objects.filter(library_id=bound.library_id, received_at__lte=bound.at)


def heading(columns: Columns) -> bytes:
    """Return the first line, behind the mark that tells spreadsheets that this is UTF-8."""
    return (BOM + csv_line([*columns.fixed, *columns.headings])).encode()


def read_chunk(bound: Bound, columns: Columns, *, after: Place | None, layout: str, size: int = CHUNK) -> Chunk:
    """Read, open and write the next `size` leads behind `after`.

    Raises `Tampered` or `KeyGone` when a lead does not open, `Unplaced` when the columns do not hold all answers.
    """
    rows, last = _page(bound, after, size)
    opened = _open(bound.library_id, rows)
    lines = _tiktok(rows, opened, columns) if layout == "tiktok" else _all(rows, opened, columns)
    return Chunk("".join(lines).encode("utf-8", "replace"), [row.id for row in rows], last)


def _page(bound: Bound, after: Place | None, size: int) -> tuple[list[Row], Place | None]:
    leads = bound.selection.apply(_leads(bound))
    last: Place | None = None
    if bound.selection.words:
        step = walk(bound.library_id, rarest_first(bound.library_id, bound.selection.words), after=after, size=size)
        leads, last = leads.filter(pk__in=[lead_id for _at, lead_id in step.places]), step.last
    elif after is not None:
        leads = leads.filter(beyond(leads, after, "received_at", descending=True))
    rows = [Row(*row) for row in leads.order_by("-received_at", "-pk").values_list(*Row._fields)[:size]]
    if not bound.selection.words and len(rows) == size:
        last = (rows[-1].received_at, rows[-1].id)
    return rows, last


def _open(library_id: int, rows: Iterable[Row]) -> dict[int, dict[str, Any]]:
    by_region: dict[str, list[int]] = {}
    for row in rows:
        by_region.setdefault(row.region, []).append(row.id)
    opened: dict[int, dict[str, Any]] = {}
    for region, ids in by_region.items():
        sealed = SealedAnswers.objects.using(alias_of(region)).filter(lead_id__any_of=ids, region=region)
        records = sealed.values_list("lead_id", "sealed").iterator(chunk_size=CHUNK)
        opened.update(opening.open_rows("answers/1", library_id, region, records, opening.Purpose.EXPORT))
    return opened


# Purged between the two reads: the line says that there was a lead.
NOTHING: dict[str, Any] = {"answers": (), "form": {"id": "", "name": "", "version": ""}}
NOBODY = {"id": "", "name": ""}


def _all(rows: list[Row], opened: dict[int, dict[str, Any]], columns: Columns) -> Iterable[str]:
    labels = _labels(rows)
    people = {user.pk: str(user) for user in User.objects.filter(pk__in={row.assignee_id for row in rows})}
    for row in rows:
        content = opened.get(row.id, NOTHING)
        form = content["form"]
        names = [form["name"], *(_named(content, kind)["name"] for kind in ("campaign", "ad_group", "ad"))]
        form_name, campaign, ad_group, ad = map(quoted, names)
        assignee = people.get(row.assignee_id, "") if row.assignee_id else ""
        sorted_by = ", ".join(labels.get(row.id, ()))
        # Ids, times and words of ours run nowhere and hold no quote; what people wrote goes through quoted().
        yield (
            f'"{row.id}","{str(row.received_at)[:19]}",{form_name},"{form["version"]}",{campaign},{ad_group},{ad},'
            f'"{row.status}",{quoted(sorted_by)},{quoted(assignee)},"{row.region}",'
            f'"{"yes" if row.is_test else "no"}"{columns.cells(row.form_id, content["answers"])}\r\n'
        )


def _named(content: dict[str, Any], kind: str) -> dict[str, str]:
    return content.get(kind) or NOBODY


def _labels(rows: list[Row]) -> dict[int, list[str]]:
    found: dict[int, list[str]] = {}
    labelled = LeadLabel.objects.filter(lead__id__any_of=[row.id for row in rows]).order_by("label__name")
    for lead_id, name in labelled.values_list("lead_id", "label__name"):
        found.setdefault(lead_id, []).append(name)
    return found


def _tiktok(rows: list[Row], opened: dict[int, dict[str, Any]], columns: Columns) -> Iterable[str]:
    for row in rows:
        content = opened.get(row.id, NOTHING)
        ways = [_named(content, kind) for kind in ("ad", "ad_group", "campaign")]
        cells = [
            str(row.id),
            str(row.received_at)[:19],
            *(str(thing[part]) for thing in ways for part in ("id", "name")),
            str(row.form_id),
            content["form"]["name"],
        ]
        yield f"{','.join(map(quoted, cells))}{columns.cells(row.form_id, content['answers'])}\r\n"
