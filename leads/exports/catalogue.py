"""What can be chosen for a file: its columns by group, under the keys that an export stores."""

from collections.abc import Mapping
from dataclasses import dataclass

from django.utils.translation import gettext as _

from accounts.models import LeadLibrary
from forms_builder.schema import STANDARD_FIELDS
from leads.exports.columns import ATTRIBUTION, LEAD, ORIGIN, WORK, asked_of


@dataclass(frozen=True, slots=True)
class Offered:
    """A column that may be chosen; `form` names whose question or box it is, where forms differ."""

    key: str
    label: str
    form: str = ""


@dataclass(frozen=True, slots=True)
class Group:
    name: str
    label: str
    columns: tuple[Offered, ...]


def offered(library: LeadLibrary) -> tuple[Group, ...]:
    """Return the columns that files of this library can have, in the order in which a file has them."""
    asked = asked_of(library)
    fields, questions, boxes = [], [], []
    for key, label in asked.labels.items():
        kind, _dot, rest = key.partition(".")
        if kind == "field":
            fields.append(Offered(key, str(STANDARD_FIELDS.get(rest, label))))
        elif kind == "question":
            questions.append(Offered(key, label, asked.forms[key]))
        else:
            boxes.append(Offered(key, label.partition(": ")[2], asked.forms[key]))
    found = (
        Group("lead", _("Lead"), _known(LEAD)),
        Group("work", _("Work on it"), _known(WORK)),
        Group("fields", _("Contact fields"), tuple(fields)),
        Group("questions", _("Questions"), tuple(questions)),
        Group("consents", _("Consent boxes"), tuple(boxes)),
        Group("origin", _("Where it came from"), _known({**ORIGIN, **ATTRIBUTION})),
    )
    return tuple(group for group in found if group.columns)


def _known(columns: Mapping[str, object]) -> tuple[Offered, ...]:
    return tuple(Offered(key, str(label)) for key, label in columns.items())
