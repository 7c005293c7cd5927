"""One chunk of an export: leads by keyset, newest first, opened and written as lines."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta, tzinfo

from django.db.models import OuterRef, QuerySet, Subquery

from accounts.models import LeadLibrary
from leads.exports import postback
from leads.exports.columns import Columns, Layout
from leads.exports.lines import AT_ONCE, KNOWN, NOTHING, Ends, Part, Quoted, Row, lines_of
from leads.exports.postback import postback_lines
from leads.exports.work import work_on
from leads.models import Lead
from leads.selection import Selection
from leads.vault import opening
from leads.vault.models import SealedAnswers
from leads.vault.regions import alias_of, aliases
from leads.vault.walking import Place, rarest_first, walk
from leadscenter.lib.binary_rows import binary_rows
from leadscenter.lib.cells import csv_line
from leadscenter.lib.garbage import collected_later
from leadscenter.lib.ids import id_at
from leadscenter.lib.lookups import numbers
from leadscenter.lib.moment_text import moment_of
from leadscenter.lib.paging import beyond

CHUNK = 5000
CLOCKS_APART = timedelta(seconds=10)
"""Whoever made the id of a lead may be that far ahead of the database, which says when it arrived."""
BOM = "\ufeff"


@dataclass(frozen=True, slots=True)
class Bound:
    """Which leads an export holds, and in which layout and time zone: fixed when it was asked for."""

    library: LeadLibrary
    selection: Selection
    at: datetime
    layout: str = Layout.ALL
    zone: tzinfo = UTC


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
    # An import makes leads of long ago: those that came after the request are told by their ids.
    leads = Lead.objects.filter(
        library_id=bound.library.pk, received_at__lte=bound.at, pk__lt=id_at(bound.at + CLOCKS_APART)
    )
    if bound.layout == Layout.POSTBACK:  # TikTok learns from what its ads brought
        leads = leads.filter(is_test=False).exclude(source=Lead.Source.IMPORT)
    return leads


def heading(bound: Bound, columns: Columns) -> bytes:
    """Return the first line; before it the mark that tells spreadsheets that this is UTF-8, but not TikTok."""
    if bound.layout == Layout.POSTBACK:
        return csv_line(postback.HEADING).encode()
    return (BOM + csv_line(columns.headings)).encode()


def read_chunk(bound: Bound, columns: Columns, *, after: Place | None, size: int = CHUNK) -> Chunk:
    """Read, open and write the next `size` leads behind `after`.

    Raises `Tampered` or `KeyGone` when a lead does not open, `Unplaced` when the columns do not hold all answers.
    """
    with collected_later():
        rows, last = _page(bound, after, size)
        lines = "".join(_lines(bound, columns, rows)).encode("utf-8", "replace")
        return Chunk(lines, [row.id for row in rows], last)


def _lines(bound: Bound, columns: Columns, rows: list[Row]) -> Iterator[str]:
    """The lines some hundred at a time, so that what they are made of is never open all at once."""
    people = {row.assignee_id for row in rows if row.assignee_id} if "assignee" in columns.keys else set()
    work = work_on(bound.library, [(row.id, row.region) for row in rows], people, columns.keys, bound.zone)
    cells, ends = Quoted(), Ends(bound.library)
    opened = opening.Records("answers/1", bound.library.pk, opening.Purpose.EXPORT).open
    for start in range(0, len(rows), AT_ONCE):
        some = rows[start : start + AT_ONCE]
        contents = [NOTHING if row.sealed is None else opened(row.id, row.region, row.sealed) for row in some]
        if bound.layout == Layout.POSTBACK:
            yield from postback_lines(some, contents)
        else:
            part = Part(some, contents, work, ends, bound.zone, cells)
            yield from lines_of(columns, part)


def _page(bound: Bound, after: Place | None, size: int) -> tuple[list[Row], Place | None]:
    leads = bound.selection.apply(_leads(bound))
    last: Place | None = None
    if bound.selection.words:
        step = walk(bound.library.pk, rarest_first(bound.library.pk, bound.selection.words), after=after, size=size)
        leads, last = leads.filter(pk__in=[lead_id for _at, lead_id in step.places]), step.last
    elif after is not None:
        leads = leads.filter(beyond(leads, after, "received_at", descending=True))
    rows = _sealed(leads.order_by("-received_at", "-pk")[:size])
    if not bound.selection.words and len(rows) == size:
        last = (moment_of(rows[-1].received_at), rows[-1].id)
    return rows, last


def _sealed(leads: QuerySet[Lead]) -> list[Row]:
    """Read leads with their sealed answers: by one query where they lie in one database, else one more per region."""
    if aliases() == ["default"]:
        mine = SealedAnswers.objects.using("default").filter(lead_id=OuterRef("pk"), region=OuterRef("region"))
        return list(map(Row._make, binary_rows(leads.values_list(*KNOWN, Subquery(mine.values("sealed"))))))
    rows = [Row._make((*known, None)) for known in binary_rows(leads.values_list(*KNOWN))]
    found: dict[int, bytes] = {}
    for region in {row.region for row in rows}:
        ids = numbers(row.id for row in rows if row.region == region)
        answers = SealedAnswers.objects.using(alias_of(region)).filter(lead_id__any_of=ids, region=region)
        found.update(binary_rows(answers.values_list("lead_id", "sealed")))
    return [row._replace(sealed=found.get(row.id)) for row in rows]
