"""Reads form content from untrusted JSON and names every fault with its path."""

from typing import Any

from django.utils.text import slugify
from django.utils.translation import gettext as _

from forms_builder.countries import COUNTRIES
from forms_builder.schema import (
    CONSENT,
    CUSTOM_KINDS,
    DISCLAIMER,
    HEADLINE,
    HINT,
    KEY,
    LABEL,
    LINK,
    MAX_CONSENTS,
    MAX_OPTIONS,
    MAX_QUESTIONS,
    OPTION,
    OUTCOMES,
    STANDARD_FIELDS,
    TEXT,
    URL,
    BadContent,
    Consent,
    Disclaimer,
    Ending,
    FormContent,
    Option,
    Question,
    gender_options,
    is_https,
)


def parse(value: Any) -> FormContent:
    """Read form content from JSON; a draft may be incomplete, but not malformed.

    Missing keys of new questions, options and consent boxes are made from their labels. Raises `BadContent`.
    """
    reader = _Reader()
    known = {"headline", "text", "questions", "privacy_policy_url", "disclaimer", "ending", "country"}
    row = reader.record(value, "", known)
    taken: set[str] = set()
    asked = enumerate(reader.rows(row.get("questions"), "questions", MAX_QUESTIONS))
    country = reader.text(row, "country", "", 2).upper()
    if country and country not in COUNTRIES:
        reader.fault("country", _("Must be a country code of two letters."))
    content = FormContent(
        headline=reader.text(row, "headline", "", HEADLINE),
        text=reader.text(row, "text", "", TEXT),
        questions=tuple(reader.question(entry, f"questions.{number}", taken) for number, entry in asked),
        privacy_policy_url=reader.text(row, "privacy_policy_url", "", URL),
        disclaimer=reader.disclaimer(row.get("disclaimer")),
        ending=reader.ending(row.get("ending")),
        country=country,
    )
    if reader.errors:
        raise BadContent(reader.errors)
    return content


def free_key(wish: str, taken: set[str], fallback: str) -> str:
    """Return a key made of the words of `wish` that is not in `taken`."""
    stem = slugify(wish).replace("-", "_").strip("_0123456789")[:34].strip("_") or fallback
    return next(key for key in (stem, *(f"{stem}_{n}" for n in range(2, 1000))) if key not in taken)


class _Reader:
    """Walks the JSON once and notes every fault with its path instead of stopping at the first."""

    def __init__(self) -> None:
        self.errors: dict[str, str] = {}

    def fault(self, path: str, text: str) -> None:
        self.errors.setdefault(path, text)

    def record(self, value: Any, path: str, known: set[str]) -> dict[str, Any]:
        if value is None:
            return {}
        if not isinstance(value, dict):
            self.fault(path or "content", _("Must be an object."))
            return {}
        for key in value:
            if key not in known:
                shown = str(key)[:60].encode("utf-8", "replace").decode()
                self.fault(f"{path}.{shown}".lstrip("."), _("Unknown field."))
        return value

    def rows(self, value: Any, path: str, limit: int) -> list[Any]:
        if value is None:
            return []
        if not isinstance(value, list | tuple):
            self.fault(path, _("Must be a list."))
            return []
        if len(value) > limit:
            self.fault(path, _("At most %(limit)d entries.") % {"limit": limit})
        return list(value[:limit])

    def text(self, record: dict[str, Any], name: str, path: str, limit: int) -> str:
        value = record.get(name)
        where = f"{path}.{name}".lstrip(".")
        if value is None:
            return ""
        if not isinstance(value, str):
            self.fault(where, _("Must be text."))
            return ""
        value = value.strip()
        if len(value) > limit:
            self.fault(where, _("At most %(limit)d characters.") % {"limit": limit})
        if "\x00" in value or any("\ud800" <= letter <= "\udfff" for letter in value):
            self.fault(where, _("Holds a character that cannot be stored."))
            return ""
        return value

    def flag(self, record: dict[str, Any], name: str, path: str, default: bool) -> bool:
        value = record.get(name, default)
        if not isinstance(value, bool):
            self.fault(f"{path}.{name}", _("Must be true or false."))
            return default
        return value

    def key(self, record: dict[str, Any], path: str, taken: set[str], wish: str, fallback: str) -> str:
        key = self.text(record, "key", path, 40) or free_key(wish, taken, fallback)
        if not KEY.fullmatch(key):
            self.fault(f"{path}.key", _("Small letters, digits and _ only, a letter first, at most 40."))
        if key in taken:
            self.fault(f"{path}.key", _("Used twice."))
        taken.add(key)
        return key

    def options(self, value: Any, path: str) -> tuple[Option, ...]:
        found, taken = [], set[str]()
        for number, entry in enumerate(self.rows(value, path, MAX_OPTIONS)):
            where = f"{path}.{number}"
            row = self.record({"label": entry} if isinstance(entry, str) else entry, where, {"key", "label", "outcome"})
            label = self.text(row, "label", where, OPTION)
            outcome = self.text(row, "outcome", where, 20)
            if outcome and outcome not in OUTCOMES:
                self.fault(f"{where}.outcome", _("Use preferred or not_preferred, or leave it out."))
            found.append(Option(self.key(row, where, taken, label, "option"), label, outcome))
        return tuple(found)

    def question(self, value: Any, path: str, taken: set[str]) -> Question:
        row = self.record(value, path, {"key", "kind", "label", "required", "hint", "options"})
        kind = self.text(row, "kind", path, 40)
        if kind not in STANDARD_FIELDS and kind not in CUSTOM_KINDS:
            self.fault(f"{path}.kind", _("Unknown kind of question."))
        label = self.text(row, "label", path, LABEL)
        options = self.options(row.get("options"), f"{path}.options")
        if options and kind not in ("multiple_choice", "gender"):
            self.fault(f"{path}.options", _("Only a multiple choice has options."))
        if kind in STANDARD_FIELDS:
            label = label or str(STANDARD_FIELDS[kind])
            if row.get("key") not in (None, "", kind):
                self.fault(f"{path}.key", _("The key of a standard field is its kind."))
            key = self.key({"key": kind}, path, taken, kind, kind)
        else:
            key = self.key(row, path, taken, label, "question")
            if key in STANDARD_FIELDS:
                self.fault(f"{path}.key", _("This key belongs to a standard field."))
        if kind == "gender":
            options = options or gender_options()
        required = self.flag(row, "required", path, default=True)
        return Question(key, kind, label, required, self.text(row, "hint", path, HINT), options)

    def disclaimer(self, value: Any) -> Disclaimer:
        row = self.record(value, "disclaimer", {"title", "text", "consents"})
        consents, taken = [], set[str]()
        for number, entry in enumerate(self.rows(row.get("consents"), "disclaimer.consents", MAX_CONSENTS)):
            where = f"disclaimer.consents.{number}"
            box = self.record(entry, where, {"key", "label", "required"})
            label = self.text(box, "label", where, CONSENT)
            key = self.key(box, where, taken, label, "consent")
            consents.append(Consent(key, label, self.flag(box, "required", where, default=False)))
        title = self.text(row, "title", "disclaimer", HEADLINE)
        return Disclaimer(title, self.text(row, "text", "disclaimer", DISCLAIMER), tuple(consents))

    def ending(self, value: Any) -> Ending:
        row = self.record(value, "ending", {"headline", "text", "link_url", "link_text"})
        link = self.text(row, "link_url", "ending", URL)
        if link and not is_https(link):
            self.fault("ending.link_url", _("Must be a complete address that starts with https://."))
        return Ending(
            self.text(row, "headline", "ending", HEADLINE),
            self.text(row, "text", "ending", TEXT),
            link,
            self.text(row, "link_text", "ending", LINK),
        )
