"""Which column of a file fills what: the targets that a form version offers, a suggestion by names, and the judgement.

A mapping is a list with one key per column: a question's key, one of `OF_LEAD`, or "" for a column that is left out.
The one question for a name can be filled by two columns, too: `<key>.first_name` and `<key>.last_name`.
"""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from accounts.refusals import Invalid
from forms_builder.schema import STANDARD_FIELDS, FormContent, Question
from leads.imports.moments import shows_month_first
from leads.imports.table import Row
from leads.vault.search import fold

LEAVE_OUT = ""
RECEIVED, RECEIVED_UTC = "lead.received_at", "lead.received_at_utc"
RECEIVED_MONTH_FIRST = "lead.received_at_month_first"
TIMES = frozenset({RECEIVED, RECEIVED_MONTH_FIRST, RECEIVED_UTC})
STATUS, LABELS, ASSIGNEE, IS_TEST = "lead.status", "lead.labels", "lead.assignee", "lead.is_test"
# Keys of questions hold no dot: none of these can be one.
OF_LEAD = {
    RECEIVED: gettext_lazy("Received (day first, time of the ad account)"),
    RECEIVED_MONTH_FIRST: gettext_lazy("Received (month first, time of the ad account)"),
    RECEIVED_UTC: gettext_lazy("Received (day first, UTC)"),
    STATUS: gettext_lazy("Status"),
    LABELS: gettext_lazy("Labels"),
    ASSIGNEE: gettext_lazy("Assignee, by e-mail"),
    IS_TEST: gettext_lazy("Says “yes” for test leads, which are left out"),
}
# What columns are called elsewhere, folded to letters and digits.
CALLED = {
    RECEIVED_UTC: "createdtime createdtimeutc",
    RECEIVED: "receivedat received createdat created timestamp submittedat submissiontime leadsubmittime date datetime",
    STATUS: "status leadstatus stage leadstage",
    LABELS: "labels label tags tag",
    ASSIGNEE: "assignee assignedto owner leadowner",
    IS_TEST: "istest test testlead",
    "name": "name fullname yourname contactname nombre nom nome vollstandigername",
    "first_name": "firstname givenname forename vorname prenom",
    "last_name": "lastname surname familyname nachname nom de famille",
    "email": "email emailaddress mail youremail emailadresse courriel",
    "work_email": "workemail businessemail companyemail",
    "phone_number": "phone phonenumber mobile mobilenumber tel telephone telefon telefonnummer handy cell",
    "work_phone": "workphone workphonenumber businessphone",
    "company_name": "company companyname organisation organization firma business",
    "job_title": "jobtitle job position role",
    "address": "address street streetaddress strasse",
    "city": "city town ort stadt",
    "province_state": "state province region provincestate bundesland",
    "zip_code": "zip zipcode postcode postalcode plz",
    "country": "country land countrycode",
    "gender": "gender sex geschlecht",
}
_BEHIND = re.compile(r"\s*\([^()]*\)\s*$")
_LETTERS = re.compile(r"[\W_]+")


@dataclass(frozen=True, slots=True)
class Target:
    """What a column can fill; `required` for a question that every lead has to answer."""

    key: str
    label: str
    kind: str = ""
    required: bool = False


def targets_of(content: FormContent) -> list[Target]:
    """Return the questions of the form, in its order, behind each name its parts."""
    found = []
    for one in content.questions:
        found.append(Target(one.key, one.label, one.kind, one.required))
        labels = (_("%(question)s: first name"), _("%(question)s: last name"))
        parts = zip(parts_of(one), labels, strict=False)
        found += [Target(key, label % {"question": one.label}, one.kind) for key, label in parts]
    return found


def parts_of(question: Question) -> tuple[str, ...]:
    """Return what two columns can fill together instead of the question."""
    return tuple(f"{question.key}.{part}" for part in ("first_name", "last_name")) if question.kind == "name" else ()


def _question_of(key: str) -> str:
    return key if key in OF_LEAD else key.partition(".")[0]


def targets_of_lead() -> list[Target]:
    """Return what a column can say of a lead beside its answers."""
    return [Target(key, str(label)) for key, label in OF_LEAD.items()]


def suggest(headings: Sequence[str], content: FormContent, rows: Sequence[Row] = ()) -> list[str]:
    """Return a mapping by the names of the columns; what is not known is left out, and nothing is filled twice.

    The first rows of the file say whether its dates have the month first.
    """
    known = _names(content)
    zoned = {RECEIVED_UTC: RECEIVED}  # a heading that names its zone: created_time (Europe/Berlin)
    taken: set[str] = set()
    found = []
    for place, heading in enumerate(headings):
        bare = known.get(_folded(_BEHIND.sub("", heading)), LEAVE_OUT)
        key = known.get(_folded(heading)) or zoned.get(bare, bare)
        key = LEAVE_OUT if key in taken or (key in TIMES and taken & TIMES) else key
        taken.add(key)
        if key in TIMES and shows_month_first(row.cells[place] for row in rows):
            key = RECEIVED_MONTH_FIRST
        found.append(key)
    instead = _stand_ins(content)
    for place, heading in enumerate(headings):
        key = instead.get(_folded(heading), LEAVE_OUT)
        if not found[place] and not {key, _question_of(key)} & taken:
            taken.add(key)
            found[place] = key
    return found


def _names(content: FormContent) -> dict[str, str]:
    """Return what the columns may be called, the form's own words first."""
    pairs = [(key, name) for key in OF_LEAD for name in CALLED.get(key, "").split()]
    for question in reversed(content.questions):
        pairs += [(question.key, name) for name in CALLED.get(question.kind, "").split()]
    for question in reversed(content.questions):
        pairs += [(question.key, name) for name in _own_names(question)]
    return {_folded(name): key for key, name in pairs if _folded(name)}


def _stand_ins(content: FormContent) -> dict[str, str]:
    """Return what fills a question where no column of its own does: parts of a name, an e-mail or phone of any kind."""
    kinds = {question.kind for question in content.questions}
    asked = {"first_name": "name", "last_name": "name", "email": "work_email", "phone_number": "work_phone"}
    if kinds & {"first_name", "last_name"}:
        asked = {kind: other for kind, other in asked.items() if other != "name"}
    pairs = [
        (f"{question.key}.{kind}" if question.kind == "name" else question.key, name)
        for kind, other in asked.items()
        for question in reversed(content.questions)
        if question.kind == other and kind not in kinds
        for name in (str(STANDARD_FIELDS[kind]), *CALLED[kind].split())
    ]
    return {_folded(name): key for key, name in pairs}


def _own_names(question: Question) -> list[str]:
    standard = [str(STANDARD_FIELDS[question.kind]), question.kind] if question.kind in STANDARD_FIELDS else []
    return [*standard, question.key, question.label]


def _folded(name: str) -> str:
    return _LETTERS.sub("", fold(name))


def read_mapping(given: Any, headings: Sequence[str], content: FormContent, rows: Sequence[Row] = ()) -> list[str]:
    """Return the mapping that an API body means: a list by column, or an object heading → key; none is a suggestion.

    Raises `Invalid`, also with what `judge` finds.
    """
    if given is None or given == "":
        return judge(suggest(headings, content, rows), headings, content)
    if isinstance(given, list) and all(isinstance(key, str | None) for key in given):
        mapping = [str(key or LEAVE_OUT) for key in given]
    elif isinstance(given, Mapping) and all(isinstance(key, str) for key in given.values()):
        strange = [heading for heading in given if heading not in headings]
        if strange:
            raise Invalid({"mapping": _("The file has no such column: it names %(n)d.") % {"n": len(strange)}})
        mapping = [str(given.get(heading, LEAVE_OUT)) for heading in headings]
    else:
        raise Invalid({"mapping": _("Send a list with a key per column, or an object from column to key.")})
    return judge(mapping, headings, content)


def judge(mapping: list[str], headings: Sequence[str], content: FormContent) -> list[str]:
    """Return the mapping, or raise `Invalid`: `mapping.<column>` → what is wrong, `mapping` for the whole."""
    if len(mapping) != len(headings):
        raise Invalid({"mapping": _("The file has %(n)d columns.") % {"n": len(headings)}})
    known = {key for one in content.questions for key in (one.key, *parts_of(one))} | set(OF_LEAD)
    filled = {_question_of(key) for key in mapping}
    errors: dict[str, str] = {}
    seen: set[str] = set()
    for place, key in enumerate(mapping):
        if key and key not in known:
            errors[f"mapping.{place}"] = _("The form asks no such question.")
        elif key and (key in seen or (_question_of(key) != key and _question_of(key) in mapping)):
            errors[f"mapping.{place}"] = _("Another column fills this already.")
        seen.add(key)
    if len(TIMES & seen) > 1:
        errors["mapping"] = _("Choose one column for the time of receipt.")
    missing = [question.label for question in content.questions if question.required and question.key not in filled]
    if missing:
        errors["mapping"] = _("The form requires answers that no column fills: %(which)s.") % {
            "which": ", ".join(missing)
        }
    elif not filled - {LEAVE_OUT} - set(OF_LEAD):
        errors["mapping"] = _("Choose at least one column that answers a question.")
    if errors:
        raise Invalid(errors)
    return mapping
