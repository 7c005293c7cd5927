"""Gestures of the editor on form content: pure functions, each returns new content. Saving is the service's."""

from collections.abc import Mapping
from dataclasses import replace

from django.utils.translation import gettext as _

from forms_builder.parsing import free_key
from forms_builder.schema import (
    CUSTOM_KINDS,
    MAX_CONSENTS,
    MAX_OPTIONS,
    MAX_QUESTIONS,
    STANDARD_FIELDS,
    Consent,
    Disclaimer,
    Ending,
    FormContent,
    Option,
    Question,
    gender_options,
)

Fields = Mapping[str, str]  # a posted form


def starter(headline: str) -> FormContent:
    """Return what a new form begins with: who the person is and how to reach them."""
    kinds = ("first_name", "last_name", "email", "phone_number")
    questions = tuple(
        Question(kind, kind, str(STANDARD_FIELDS[kind]), required=kind != "phone_number") for kind in kinds
    )
    return FormContent(headline=headline, questions=questions)


def add_question(content: FormContent, kind: str) -> tuple[FormContent, str]:
    """Append a question of a kind and return its key; a standard field that is asked already is only opened."""
    if kind in STANDARD_FIELDS:
        key, label = kind, str(STANDARD_FIELDS[kind])
        options = gender_options() if kind == "gender" else ()
    elif kind in CUSTOM_KINDS:
        taken = {question.key for question in content.questions} | set(STANDARD_FIELDS)
        key, label = free_key(kind, taken, "question"), ""
        options = (Option("option_1", ""), Option("option_2", "")) if kind == "multiple_choice" else ()
    else:
        return content, ""
    if content.question(key) or len(content.questions) >= MAX_QUESTIONS:
        return content, key if content.question(key) else ""
    return content.with_questions([*content.questions, Question(key, kind, label, options=options)]), key


def remove_question(content: FormContent, key: str) -> FormContent:
    """Take a question out."""
    return content.with_questions([question for question in content.questions if question.key != key])


def move_question(content: FormContent, key: str, steps: int) -> FormContent:
    """Move a question up (-1) or down (1); at an end it stays."""
    questions = list(content.questions)
    place = next((number for number, question in enumerate(questions) if question.key == key), None)
    if place is None or not 0 <= place + steps < len(questions):
        return content
    questions.insert(place + steps, questions.pop(place))
    return content.with_questions(questions)


def copy_question(content: FormContent, key: str) -> tuple[FormContent, str]:
    """Put a copy of a question of our own behind it, under a new key; standard fields are asked once."""
    source = content.question(key)
    if source is None or source.is_standard or len(content.questions) >= MAX_QUESTIONS:
        return content, key
    new = replace(source, key=free_key(key, {question.key for question in content.questions}, "question"))
    questions = list(content.questions)
    questions.insert(questions.index(source) + 1, new)
    return content.with_questions(questions), new.key


def change_question(content: FormContent, key: str, fields: Fields) -> FormContent:
    """Set a question's words from the posted `label`, `hint`, `required`, `option-<key>`."""
    source = content.question(key)
    if source is None or "label" not in fields:
        return content
    options = tuple(
        replace(option, label=fields.get(f"option-{option.key}", option.label).strip()) for option in source.options
    )
    changed = replace(
        source,
        label=fields["label"].strip(),
        hint=fields.get("hint", "").strip(),
        required="required" in fields,
        options=options,
    )
    return content.with_questions([changed if question.key == key else question for question in content.questions])


def add_option(content: FormContent, key: str) -> FormContent:
    """Add an empty option to a multiple choice, up to the limit."""
    question = content.question(key)
    if question is None or question.kind != "multiple_choice" or len(question.options) >= MAX_OPTIONS:
        return content
    taken = {option.key for option in question.options}
    number = next(n for n in range(1, MAX_OPTIONS * 100) if f"option_{n}" not in taken)
    return _with_options(content, question, (*question.options, Option(f"option_{number}", "")))


def remove_option(content: FormContent, key: str, option_key: str) -> FormContent:
    """Take an option out."""
    question = content.question(key)
    if question is None or question.kind != "multiple_choice":
        return content
    return _with_options(content, question, tuple(one for one in question.options if one.key != option_key))


def _with_options(content: FormContent, question: Question, options: tuple[Option, ...]) -> FormContent:
    changed = replace(question, options=options)
    return content.with_questions([changed if one.key == question.key else one for one in content.questions])


def change_start(content: FormContent, fields: Fields) -> FormContent:
    """Set the posted `headline`, `text`, `country`."""
    return replace(
        content,
        headline=fields.get("headline", ""),
        text=fields.get("text", ""),
        country=fields.get("country", ""),
    )


def change_privacy(content: FormContent, fields: Fields) -> FormContent:
    """Set the posted `privacy_policy_url`, `title`, `text`, `consent-<key>` and `consent-<key>-required`."""
    consents = tuple(
        Consent(box.key, fields.get(f"consent-{box.key}", box.label).strip(), f"consent-{box.key}-required" in fields)
        for box in content.disclaimer.consents
    )
    disclaimer = Disclaimer(fields.get("title", ""), fields.get("text", ""), consents)
    return replace(content, privacy_policy_url=fields.get("privacy_policy_url", ""), disclaimer=disclaimer)


def add_consent(content: FormContent) -> FormContent:
    """Add an empty consent box, up to the limit; it is never ticked beforehand."""
    boxes = content.disclaimer.consents
    if len(boxes) >= MAX_CONSENTS:
        return content
    key = free_key("consent", {box.key for box in boxes}, "consent")
    return replace(content, disclaimer=replace(content.disclaimer, consents=(*boxes, Consent(key, ""))))


def remove_consent(content: FormContent, key: str) -> FormContent:
    """Take a consent box out."""
    boxes = tuple(box for box in content.disclaimer.consents if box.key != key)
    return replace(content, disclaimer=replace(content.disclaimer, consents=boxes))


def change_ending(content: FormContent, fields: Fields) -> FormContent:
    """Set the posted `headline`, `text`, `link_url`, `link_text` of the ending page."""
    names = ("headline", "text", "link_url", "link_text")
    return replace(content, ending=Ending(*(fields.get(name, "") for name in names)))


def step_of(path: str) -> str:
    """Return the editor's step that mends a fault at `path`."""
    if path.startswith("questions"):
        return "questions"
    if path.startswith(("privacy_policy_url", "disclaimer")):
        return "privacy"
    return "ending" if path.startswith("ending") else "content"


def place_of(content: FormContent, path: str) -> str:
    """Return in words where a fault at `path` is."""
    parts = path.split(".")
    if parts[0] == "questions" and len(parts) > 1 and int(parts[1]) < len(content.questions):
        question = content.questions[int(parts[1])]
        return question.label or _("Question %(number)d") % {"number": int(parts[1]) + 1}
    names = {
        "headline": _("Headline"),
        "questions": _("Questions"),
        "privacy_policy_url": _("Privacy policy"),
        "disclaimer": _("Consent"),
        "ending": _("Ending"),
    }
    return names.get(parts[0], parts[0])
