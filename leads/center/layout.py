"""How the list is laid out, as its URL says it: the order of the rows and which columns stand in which order."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from django.utils.translation import gettext_lazy as _

# The lead itself always stands first.
COLUMNS = {
    "clock": _("Lead clock"),
    "status": _("Status"),
    "form": _("Ad and form"),
    "assignee": _("Assignee"),
    "delivery": _("Delivery"),
    "region": _("Region"),
    "received": _("Received"),
    "changed": _("Status changed"),
    "campaign": _("Campaign"),
    "labels": _("Labels"),
    "notes": _("Notes"),
    "source": _("Source"),
    "outcome": _("Answers"),
}
USUAL = ("clock", "status", "form", "assignee", "delivery", "region")
# Each has its index; nothing else is sortable.
ORDERS = {"received": "-received_at", "attention": "attention_at", "change": "-status_changed_at"}


@dataclass(frozen=True, slots=True)
class Layout:
    """`order` is one of `ORDERS`, `columns` are some of `COLUMNS`, in order."""

    order: str = "received"
    columns: tuple[str, ...] = USUAL

    def as_params(self) -> dict[str, str]:
        """Return the URL parameters that say the same; what is usual is not said."""
        found = {"sort": self.order} if self.order != "received" else {}
        return found | ({"cols": ",".join(self.columns) or "none"} if self.columns != USUAL else {})


def moved(columns: Sequence[str], move: str) -> tuple[str, ...]:
    """Return the known columns in order, one of them moved: `move` is its key, a colon and -1 or 1."""
    found = list(dict.fromkeys(name for name in columns if name in COLUMNS))
    key, _colon, step = move.partition(":")
    if key in found and step in ("-1", "1"):
        place = found.index(key) + int(step)
        if 0 <= place < len(found):
            found.remove(key)
            found.insert(place, key)
    return tuple(found)


def layout_of(given: Mapping[str, Any]) -> Layout:
    """Read untrusted parameters: whatever is unknown is left out, and no known column means the usual ones."""
    order = str(given.get("sort") or "received")
    named = str(given.get("cols") or "").split(",")
    columns = tuple(dict.fromkeys(name for name in named if name in COLUMNS))
    return Layout(order if order in ORDERS else "received", columns if columns or named == ["none"] else USUAL)
