"""What a form version asks: the frozen values that `forms_builder.parsing` reads from `FormVersion.content`.

Limits that the product names: at most ten options, an https privacy policy before publishing, consent boxes that nobody
ticks beforehand (there is no way to write "ticked" down), an ending link that is fixed text.
"""

import re
from dataclasses import asdict, dataclass, field, replace
from typing import Any
from urllib.parse import urlsplit

from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

# Standard fields in the order in which the editor offers them: kind → label that a new question gets.
STANDARD_FIELDS = {
    "name": gettext_lazy("Name"),
    "first_name": gettext_lazy("First name"),
    "last_name": gettext_lazy("Last name"),
    "email": gettext_lazy("E-mail"),
    "work_email": gettext_lazy("Work e-mail"),
    "phone_number": gettext_lazy("Phone number"),
    "work_phone": gettext_lazy("Work phone"),
    "company_name": gettext_lazy("Company"),
    "job_title": gettext_lazy("Job title"),
    "address": gettext_lazy("Street address"),
    "city": gettext_lazy("City"),
    "province_state": gettext_lazy("Province or state"),
    "zip_code": gettext_lazy("Postal code"),
    "country": gettext_lazy("Country"),
    "gender": gettext_lazy("Gender"),
}
CUSTOM_KINDS = {
    "short_answer": gettext_lazy("Short answer"),
    "multiple_choice": gettext_lazy("Multiple choice"),
}
KEY = re.compile(r"[a-z][a-z0-9_]{0,39}")
LANGUAGE = re.compile(r"[a-z]{2,3}(-[A-Za-z0-9]{2,8}){0,2}")

OUTCOMES = ("preferred", "not_preferred")

MAX_QUESTIONS = 30
MAX_OPTIONS = 10
MAX_CONSENTS = 5
HEADLINE, TEXT, LABEL, HINT, OPTION, CONSENT, DISCLAIMER, URL, LINK = 100, 1000, 300, 200, 150, 1000, 4000, 500, 40


class BadContent(ValueError):
    """The JSON is no form content. `errors` maps a path such as `questions.2.options.0.label` to a sentence."""

    def __init__(self, errors: dict[str, str]) -> None:
        super().__init__("; ".join(f"{path}: {text}" for path, text in errors.items()))
        self.errors = errors


@dataclass(frozen=True, slots=True)
class Option:
    """`outcome`: what choosing it says of the person, "preferred", "not_preferred" or nothing."""

    key: str
    label: str
    outcome: str = ""


@dataclass(frozen=True, slots=True)
class Question:
    """`key` names the answer in leads and exports and never changes; `kind` is a standard field or a custom kind."""

    key: str
    kind: str
    label: str
    required: bool = True
    hint: str = ""
    options: tuple[Option, ...] = ()

    @property
    def is_standard(self) -> bool:
        """Whether it asks for personal information that every form knows."""
        return self.kind in STANDARD_FIELDS


@dataclass(frozen=True, slots=True)
class Consent:
    key: str
    label: str
    required: bool = False


@dataclass(frozen=True, slots=True)
class Disclaimer:
    title: str = ""
    text: str = ""
    consents: tuple[Consent, ...] = ()


@dataclass(frozen=True, slots=True)
class Ending:
    """What the person sees after sending. The link is fixed text: no answer is ever put into a URL."""

    headline: str = ""
    text: str = ""
    link_url: str = ""
    link_text: str = ""


@dataclass(frozen=True, slots=True)
class FormContent:
    """`country` (ISO 3166-1, or empty): where phone numbers without an international prefix are taken to be."""

    headline: str = ""
    text: str = ""
    questions: tuple[Question, ...] = ()
    privacy_policy_url: str = ""
    disclaimer: Disclaimer = field(default_factory=Disclaimer)
    ending: Ending = field(default_factory=Ending)
    country: str = ""

    def as_json(self) -> dict[str, Any]:
        """Return what `parse()` reads."""
        return asdict(self)

    def question(self, key: str) -> Question | None:
        """Return the question with this key."""
        return next((question for question in self.questions if question.key == key), None)

    def with_questions(self, questions: list[Question]) -> "FormContent":
        """Return the same content asking `questions` instead."""
        return replace(self, questions=tuple(questions))


def is_https(url: str) -> bool:
    """Tell whether `url` is a complete https address without user information."""
    try:
        parts = urlsplit(url)
    except ValueError:
        return False
    return parts.scheme == "https" and "." in (parts.hostname or "") and "@" not in parts.netloc and " " not in url


def gender_options() -> tuple[Option, ...]:
    """Return the answers that the standard field `gender` offers."""
    return (
        Option("female", _("Female")),
        Option("male", _("Male")),
        Option("other", _("Other")),
        Option("not_said", _("I would rather not say")),
    )


def publish_problems(content: FormContent) -> dict[str, str]:
    """Return what stands in the way of publishing: path → sentence. Empty when the form may be shown to people."""
    problems: dict[str, str] = {}
    if not content.headline:
        problems["headline"] = _("Write a headline.")
    if not content.questions:
        problems["questions"] = _("Ask at least one question.")
    for number, question in enumerate(content.questions):
        problems |= _question_problems(question, f"questions.{number}")
    if not is_https(content.privacy_policy_url):
        problems["privacy_policy_url"] = _("Link your privacy policy: a complete address that starts with https://.")
    for number, consent in enumerate(content.disclaimer.consents):
        if not consent.label:
            problems[f"disclaimer.consents.{number}.label"] = _("Write what the person agrees to, or remove the box.")
    if content.ending.link_url and not content.ending.link_text:
        problems["ending.link_text"] = _("Write what the link says.")
    return problems


def _question_problems(question: Question, path: str) -> dict[str, str]:
    problems = {} if question.label else {f"{path}.label": _("Write the question.")}
    if question.kind == "multiple_choice" and len(question.options) < 2:
        problems[f"{path}.options"] = _("Offer at least two options.")
    for place, option in enumerate(question.options):
        if not option.label:
            problems[f"{path}.options.{place}.label"] = _("Write the option, or remove it.")
    return problems
