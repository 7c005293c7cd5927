"""The columns of an export, from immutable versions: the same on every run, so that a killed export can go on.

A standard field is one column over all forms. A question of one's own is a column per form, since two forms may use one
key for two questions; its heading is the newest wording.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.db.models import Q

from accounts.models import LeadLibrary
from forms_builder.models import FormVersion
from forms_builder.schema import STANDARD_FIELDS
from leadscenter.lib.cells import quoted

ColumnKey = tuple[int, str]  # form id (0: every form), question key
MORE: ColumnKey = (-1, "")
NOWHERE: dict[str, int] = {}
FIXED = (
    "lead_id",
    "created_time",
    "form",
    "form_version",
    "campaign",
    "ad_group",
    "ad",
    "status",
    "labels",
    "assignee",
    "region",
    "is_test",
)
FIXED_TIKTOK = (
    "lead_id",
    "created_time",
    "ad_id",
    "ad_name",
    "adgroup_id",
    "adgroup_name",
    "campaign_id",
    "campaign_name",
    "form_id",
    "form_name",
)


def column_of(form_id: int, key: str, kind: str) -> ColumnKey:
    """Return which column an answer stands in."""
    return (0, key) if kind in STANDARD_FIELDS else (form_id, key)


@dataclass(frozen=True, slots=True)
class Columns:
    """`places` says at which position behind the fixed cells an answer stands: form id → key → position."""

    fixed: tuple[str, ...]
    headings: tuple[str, ...]
    places: dict[int, dict[str, int]]
    more: int | None = None

    def cells(self, form_id: int, answers: Iterable[tuple[str, str, str, str]]) -> str:
        """Return the end of a lead's line: its answers (key, label, value, kind), quoted, a comma before each.

        What no column takes stands in the last one, or raises `Unplaced`.
        """
        cells = ['""'] * len(self.headings)
        places = self.places.get(form_id, NOWHERE)
        more: list[str] = []
        for key, label, value, _kind in answers:
            place = places.get(key)
            if place is None:
                more.append(f"{label}: {value}")
            else:
                cells[place] = quoted(value)
        if more:
            if self.more is None:
                raise Unplaced
            cells[self.more] = quoted("\n".join(more))
        return "," + ",".join(cells) if cells else ""


class Unplaced(RuntimeError):
    """A lead holds an answer that no version of its form asks: the file needs one more column."""


def columns_for(
    library: LeadLibrary, *, bound_at: datetime, form_id: int | None = None, layout: str = "all", more: bool = False
) -> Columns:
    """Return the columns for leads that arrived until `bound_at`."""
    versions = FormVersion.objects.filter(form__ad_account_id=library.ad_account_id)
    versions = versions.filter(Q(published_at__lte=bound_at)).exclude(published_at=None)
    if form_id is not None:
        versions = versions.filter(form_id=form_id)
    labels: dict[ColumnKey, str] = {}
    forms: dict[int, str] = {}
    asked: dict[int, dict[str, ColumnKey]] = {}
    for found, name, content in versions.order_by("form_id", "number").values_list("form_id", "form__name", "content"):
        forms[found] = name
        for question in content.get("questions", ()):
            column = column_of(found, question["key"], question["kind"])
            asked.setdefault(found, {})[question["key"]] = column
            labels[column] = _label(question)
    if more:
        labels[MORE] = "more_answers"
    order = {column: place for place, column in enumerate(labels)}
    return Columns(
        fixed=FIXED_TIKTOK if layout == "tiktok" else FIXED,
        headings=_apart(labels, forms),
        places={form: {key: order[column] for key, column in keys.items()} for form, keys in asked.items()},
        more=order.get(MORE),
    )


def _label(question: dict[str, Any]) -> str:
    return str(question.get("label") or question["key"])


def _apart(labels: dict[ColumnKey, str], forms: dict[int, str]) -> tuple[str, ...]:
    """Return the headings; two that read the same are told apart by their form, then by their key."""
    seen: dict[str, int] = {}
    for label in labels.values():
        seen[label] = seen.get(label, 0) + 1
    headings: list[str] = []
    for (form_id, key), label in labels.items():
        heading = f"{label} ({forms[form_id]})" if seen[label] > 1 and form_id in forms else label
        headings.append(f"{heading} ({key})" if heading in headings else heading)
    return tuple(headings)
