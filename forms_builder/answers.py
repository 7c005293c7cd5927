"""The one validation of what people answer, for the page and for the API.

A validator is built once per published version, which never changes, and kept by version id. Every text is judged
before it is stored: no NUL, no lone surrogate, at most 4,000 characters.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import partial
from typing import Any

import phonenumbers
from django.utils.translation import gettext as _
from email_validator import EmailNotValidError, validate_email

from forms_builder.countries import COUNTRIES
from forms_builder.schema import FormContent, Question

MAX_ANSWER = 4000
MAX_EMAIL = 254
MAX_REPORTED = 20  # unknown fields named in one answer; more would only echo an attack
KEPT_VALIDATORS = 1000

Check = Callable[[str, str], str]  # (answer, country) → what is stored; raises BadAnswer


class BadAnswer(ValueError):
    """One answer cannot be taken; the text is for the person who wrote it."""


@dataclass(frozen=True, slots=True, repr=False)
class Clean:
    """Answers and consents as they are stored, keyed as in the form; plus what search and regions need of them.

    `answers` holds only what was answered: a choice as its option key, a phone as E.164. `email`, `phone`, `country`
    (ISO 3166-1) and `name` are None when not asked or not answered.
    """

    answers: dict[str, str]
    consents: dict[str, bool]
    email: str | None
    phone: str | None
    name: str | None
    country: str | None

    def __repr__(self) -> str:
        return f"Clean({len(self.answers)} answers)"


@dataclass(frozen=True, slots=True)
class Problems:
    """Why the answers were not taken: question key, or `consents.<key>`, → sentence. Never repeats an answer."""

    errors: dict[str, str]


@dataclass(frozen=True, slots=True)
class AnswerRow:
    """One answer in the words that the person saw."""

    key: str
    kind: str
    label: str
    value: str

    def __repr__(self) -> str:
        return f"AnswerRow({self.key})"


def _text(value: str, country: str) -> str:
    return value


def _email(value: str, country: str) -> str:
    if len(value) > MAX_EMAIL:
        raise BadAnswer(_("At most %(limit)d characters.") % {"limit": MAX_EMAIL})
    try:
        # test_environment lets names under .test pass: installations try their forms with them.
        return validate_email(value, check_deliverability=False, test_environment=True).normalized
    except EmailNotValidError as error:
        raise BadAnswer(_("Write an e-mail address such as name@example.com.")) from error


def _phone(value: str, country: str) -> str:
    try:
        number = phonenumbers.parse(value, country or None)
    except phonenumbers.NumberParseException as error:
        raise BadAnswer(_("Write a phone number that starts with + and the country code.")) from error
    if not phonenumbers.is_possible_number(number):  # only the length: new ranges must not cost anybody a lead
        raise BadAnswer(_("This phone number has too few or too many digits."))
    return phonenumbers.format_number(number, phonenumbers.PhoneNumberFormat.E164)


def _country(value: str, country: str) -> str:
    if value.upper() not in COUNTRIES:
        raise BadAnswer(_("Choose a country from the list."))
    return value.upper()


def _choice(offered: frozenset[str], value: str, country: str) -> str:
    if value not in offered:
        raise BadAnswer(_("Choose one of the options."))
    return value


def _check_of(question: Question) -> Check:
    if question.kind in ("email", "work_email"):
        return _email
    if question.kind in ("phone_number", "work_phone"):
        return _phone
    if question.kind == "country":
        return _country
    if question.options:
        return partial(_choice, frozenset(option.key for option in question.options))
    return _text


class Validator:
    """Judges the answers to one form version; built once, then only read."""

    def __init__(self, content: FormContent) -> None:
        asked = [(question.key, question.required, _check_of(question)) for question in content.questions]
        asked.sort(key=lambda row: row[2] is not _country)  # the country answered decides how phones are read
        self._questions = tuple(asked)
        self._keys = frozenset(question.key for question in content.questions)
        self._consents = tuple((consent.key, consent.required) for consent in content.disclaimer.consents)
        self._consent_keys = frozenset(key for key, _required in self._consents)
        self._country = content.country

    def __call__(
        self, answers: Mapping[str, Any], consents: Mapping[str, Any], country: str | None = None
    ) -> Clean | Problems:
        """Judge untrusted JSON objects; `country` is what the browser declared, used to read phone numbers."""
        errors = _unknown(answers, self._keys, "") | _unknown(consents, self._consent_keys, "consents.")
        where = country.upper() if country and country.upper() in COUNTRIES else self._country
        kept: dict[str, str] = {}
        for key, required, check in self._questions:
            try:
                value = _readable(answers.get(key))
                if value:
                    kept[key] = check(value, where)
                    if check is _country:
                        where = kept[key]
                elif required:
                    errors[key] = _("An answer is needed.")
            except BadAnswer as error:
                errors[key] = str(error)
        given = self._given(consents, errors)
        if errors:
            return Problems(errors)
        return Clean(
            answers={key: kept[key] for key in kept},
            consents=given,
            email=kept.get("email") or kept.get("work_email"),
            phone=kept.get("phone_number") or kept.get("work_phone"),
            name=kept.get("name") or " ".join(filter(None, (kept.get("first_name"), kept.get("last_name")))) or None,
            country=kept.get("country"),
        )

    def _given(self, consents: Mapping[str, Any], errors: dict[str, str]) -> dict[str, bool]:
        given = {}
        for key, required in self._consents:
            value = consents.get(key, False)
            if not isinstance(value, bool):
                errors[f"consents.{key}"] = _("Must be true or false.")
            elif required and not value:
                errors[f"consents.{key}"] = _("Needed to send this form.")
            else:
                given[key] = value
        return given


def _readable(value: Any) -> str:
    """Return the text without the space around it, empty for none; raises `BadAnswer` for what no database can keep."""
    if value is None:
        return ""
    if not isinstance(value, str):
        raise BadAnswer(_("Must be text."))
    if len(value) > MAX_ANSWER:
        raise BadAnswer(_("At most %(limit)d characters.") % {"limit": MAX_ANSWER})
    if "\x00" in value:
        raise BadAnswer(_("Holds a character that cannot be stored."))
    try:
        value.encode()
    except UnicodeEncodeError as error:  # a lone surrogate
        raise BadAnswer(_("Holds a character that cannot be stored.")) from error
    return value.strip()


def _unknown(given: Mapping[str, Any], known: frozenset[str], prefix: str) -> dict[str, str]:
    strange = [key for key in given if key not in known][:MAX_REPORTED]
    return {
        f"{prefix}{key[:60].encode('utf-8', 'replace').decode()}": _("This form does not ask this.") for key in strange
    }


_validators: dict[int, Validator] = {}


def validator_for(version_id: int, content: FormContent) -> Validator:
    """Return the validator of a published version, built at most once per process while it stays in use."""
    found = _validators.get(version_id)
    if found is None:
        if len(_validators) >= KEPT_VALIDATORS:
            _validators.clear()  # simpler than counting uses, and rebuilding costs microseconds
        found = _validators[version_id] = Validator(content)
    return found


def validate_answers(
    content: FormContent, answers: Mapping[str, Any], consents: Mapping[str, Any], country: str | None = None
) -> Clean | Problems:
    """Judge answers to content that has no version yet; intake uses `validator_for()`."""
    return Validator(content)(answers, consents, country)


def from_post(fields: Mapping[str, str]) -> tuple[dict[str, str], dict[str, bool]]:
    """Read (answers, consents) from a plain form post: `a-<key>` is an answer, `c-<key>` a box that was ticked."""
    answers = {name[2:]: value for name, value in fields.items() if name.startswith("a-")}
    consents = {name[2:]: True for name, value in fields.items() if name.startswith("c-") and value}
    return answers, consents


def answer_rows(content: FormContent, answers: Mapping[str, str]) -> list[AnswerRow]:
    """Return stored answers in the order and the words of the form: a choice reads as its option's label."""
    rows = []
    for question in content.questions:
        value = answers.get(question.key)
        if value is None:
            continue
        labels = {option.key: option.label for option in question.options}
        if question.kind == "country":
            labels = COUNTRIES
        rows.append(AnswerRow(question.key, question.kind, question.label, labels.get(value, value)))
    return rows


def outcome_of(content: FormContent, answers: Mapping[str, str]) -> str:
    """Return what the answers to qualifying questions come to: one that is not preferred decides; "" when none asks."""
    chosen = {
        option.outcome
        for question in content.questions
        for option in question.options
        if option.outcome and answers.get(question.key) == option.key
    }
    return "not_preferred" if "not_preferred" in chosen else "preferred" if chosen else ""
