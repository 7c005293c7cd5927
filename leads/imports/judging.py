"""One row of a file against the form: the lead that it would make, or why not. Reasons never repeat a cell."""

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta, tzinfo
from zoneinfo import ZoneInfo, available_timezones

import phonenumbers
from django.utils import timezone
from django.utils.translation import gettext as _

from accounts.access import Can, holders
from accounts.models import LeadLibrary
from forms_builder.answers import Clean, Problems, validator_for
from forms_builder.schema import FormContent, Question
from leads.center.services.working import MAX_LABELS
from leads.imports.countries import country_code
from leads.imports.mapping import (
    ASSIGNEE,
    IS_TEST,
    LABELS,
    RECEIVED,
    RECEIVED_MONTH_FIRST,
    RECEIVED_UTC,
    STATUS,
    parts_of,
)
from leads.imports.moments import BadMoment, read_moment
from leads.imports.table import Row
from leads.models import Label, Lead
from leads.vault.answers import PHONE_KINDS
from leads.vault.search import fold
from leadscenter.lib.xlsx_reading import number_text

AHEAD = timedelta(minutes=5)
"""How far the clock of another system may be ahead of ours."""
YES = frozenset({"yes", "true", "1", "y"})
_NUMBER = re.compile(r"[+-]?\d+(?:[.,]\d+)?(?:E\+?\d+)?", re.IGNORECASE)
_SHORTENED = re.compile(r"(\d)(?:[.,](\d+))?E\+?(\d{1,3})", re.IGNORECASE)


@dataclass(frozen=True, slots=True, repr=False)
class Fault:
    """A reason, and the column (from 0) that it is about, if one."""

    reason: str
    column: int | None = None


@dataclass(frozen=True, slots=True, repr=False)
class Judged:
    """A row: `faults`, or what to make of it. `received_at` is None for now; `assignee` for nobody."""

    row: Row
    faults: tuple[Fault, ...] = ()
    clean: Clean | None = None
    received_at: datetime | None = None
    status: str = ""
    labels: tuple[int, ...] = ()
    assignee: int | None = None
    is_test: bool = False

    def __repr__(self) -> str:
        return f"<Judged {self.row!r}>"

    @property
    def says_something_of_a_lead(self) -> bool:
        """Whether it would change a lead that is here."""
        return bool(self.status or self.labels or self.assignee)


class Wrong(ValueError):
    """A cell cannot be taken; the text says why without repeating it."""


class Judge:
    """Judges the rows of one file; what it needs of the library is read once, when it is made."""

    def __init__(
        self,
        library: LeadLibrary,
        version_id: int,
        content: FormContent,
        mapping: Sequence[str],
        headings: Sequence[str],
    ) -> None:
        self._validate = validator_for(version_id, content)
        self._consents = {consent.key: True for consent in content.disclaimer.consents}
        self._country = content.country
        places = {key: place for place, key in enumerate(mapping) if key}
        filled = [
            (question, [places[key] for key in (question.key, *parts_of(question)) if key in places])
            for question in content.questions
        ]
        self._questions = [(question, some) for question, some in filled if some]
        self._place = places | {question.key: some[0] for question, some in self._questions}
        self._options = {question.key: _options(question) for question, _places in self._questions}
        heading = next((headings[places[key]] for key in (RECEIVED, RECEIVED_MONTH_FIRST) if key in places), "")
        self._zone = _named_zone(heading) or ZoneInfo(library.ad_account.time_zone)
        self._kept = timedelta(days=library.retention_days)
        self._days = library.retention_days
        self._labels = {fold(name): pk for pk, name in Label.objects.filter(library=library).values_list("pk", "name")}
        self._people = _people(library)
        self._read: list[tuple[str, str, Callable[[str], object]]] = [
            (RECEIVED, "received_at", lambda cell: self._time(cell, self._zone)),
            (RECEIVED_MONTH_FIRST, "received_at", lambda cell: self._time(cell, self._zone, month_first=True)),
            (RECEIVED_UTC, "received_at", lambda cell: self._time(cell, UTC)),
            (STATUS, "status", _status),
            (LABELS, "labels", self._labelled),
            (ASSIGNEE, "assignee", self._person),
            (IS_TEST, "is_test", lambda cell: cell.casefold() in YES),
        ]

    def __call__(self, row: Row) -> Judged:
        """Return what becomes of the row."""
        faults = [Fault(_("This row has more cells than there are columns."))] if row.more else []
        said: dict[str, object] = {}
        for key, name, read in self._read:
            cell = row.cells[self._place[key]] if key in self._place else ""
            if cell:
                try:
                    said[name] = read(cell)
                except Wrong as wrong:
                    faults.append(Fault(str(wrong), self._place[key]))
        clean = self._answers(row, faults)
        if faults or clean is None:
            return Judged(row, tuple(faults))
        return Judged(row, clean=clean, **said)  # type: ignore[arg-type]

    def _answers(self, row: Row, faults: list[Fault]) -> Clean | None:
        answers: dict[str, str] = {}
        for question, places in self._questions:
            cell = " ".join(row.cells[place] for place in places if row.cells[place])
            if not cell:
                continue
            try:
                answers[question.key] = self._answer(question, cell)
            except Wrong as wrong:
                faults.append(Fault(str(wrong), places[0]))
        # Nobody saw the boxes of this form: they are ticked for the validator alone, and none of them is kept.
        judged = self._validate(answers, self._consents)
        if isinstance(judged, Clean):
            return judged
        self._tell(judged, faults)
        return None

    def _tell(self, problems: Problems, faults: list[Fault]) -> None:
        known = {fault.column for fault in faults}
        for key, reason in problems.errors.items():
            place = self._place.get(key)
            if place is None or place not in known:
                faults.append(Fault(reason, place))

    def _answer(self, question: Question, cell: str) -> str:
        if question.kind in PHONE_KINDS:
            return _phone(cell, self._country)
        if question.kind == "country":
            return country_code(cell) or cell
        options = self._options[question.key]
        if options:
            return options.get(fold(cell), cell)
        return _plain(cell) if cell[-2:] == ".0" else cell

    def _time(self, cell: str, zone: tzinfo, *, month_first: bool = False) -> datetime:
        try:
            moment = read_moment(cell, zone, month_first=month_first)
        except BadMoment as bad:
            raise Wrong(str(bad)) from bad
        now = timezone.now()
        if moment > now + AHEAD:
            raise Wrong(_("This time is in the future."))
        if moment < now - self._kept:
            raise Wrong(_("Received longer ago than the %(n)d days for which leads are kept.") % {"n": self._days})
        return moment

    def _labelled(self, cell: str) -> tuple[int, ...]:
        names = [name for name in (fold(part) for part in re.split(r"[,;|\n]", cell)) if name]
        if len(names) > MAX_LABELS:
            raise Wrong(_("At most %(limit)d labels.") % {"limit": MAX_LABELS})
        if any(name not in self._labels for name in names):
            raise Wrong(_("There is no such label here. Make it first: an import makes none."))
        return tuple(dict.fromkeys(self._labels[name] for name in names))

    def _person(self, cell: str) -> int:
        found = self._people.get(fold(cell))
        if found is None:
            raise Wrong(_("Nobody who may view these leads has this e-mail."))
        return found


def _people(library: LeadLibrary) -> dict[str, int]:
    """Return who may be an assignee by e-mail, and by name where only one is called so (as our exports write them)."""
    rows = list(holders(library, Can.VIEW_LEADS).values_list("pk", "email", "name"))
    names = [fold(name) for _pk, _email, name in rows]
    by_name = {fold(name): pk for pk, _email, name in rows if name and names.count(fold(name)) == 1}
    return by_name | {fold(email): pk for pk, email, _name in rows}


def _options(question: Question) -> dict[str, str]:
    """Return the keys that a choice is stored as, by whatever a file may call it."""
    return {fold(one.label): one.key for one in question.options} | {fold(one.key): one.key for one in question.options}


def _named_zone(heading: str) -> ZoneInfo | None:
    """Return the time zone that a heading names behind its words, as those of our exports do."""
    name = heading.rpartition("(")[2].rstrip(") ")
    return ZoneInfo(name) if heading.endswith(")") and name in available_timezones() else None


def _status(cell: str) -> str:
    wanted = fold(cell)
    for value, label in Lead.Status.choices:
        if wanted in (value, fold(str(label))):
            return value
    raise Wrong(_("Use one of: %(offered)s.") % {"offered": ", ".join(Lead.Status.values)})


def _plain(cell: str) -> str:
    """Return a number that a spreadsheet made of an id or a telephone number in its digits."""
    return number_text(cell.replace(",", ".")) if _NUMBER.fullmatch(cell) else cell


def _phone(cell: str, country: str) -> str:
    cell = cell.removeprefix("p:").strip()
    if shortened := _SHORTENED.fullmatch(cell):
        if len(shortened[2] or "") < int(shortened[3]):
            raise Wrong(_("A spreadsheet shortened this number. Format the column as text."))
        cell = number_text(cell.replace(",", "."))
    elif re.fullmatch(r"\+?\d+[.,]0+", cell):
        cell = re.split(r"[.,]", cell)[0]
    if cell.isascii() and cell.isdigit() and cell[0] != "0" and not _is_valid(cell, country) and _is_valid("+" + cell):
        return "+" + cell  # the sign was lost when it became a number
    return cell


def _is_valid(number: str, country: str = "") -> bool:
    try:
        return phonenumbers.is_valid_number(phonenumbers.parse(number, country or None))
    except phonenumbers.NumberParseException:
        return False
