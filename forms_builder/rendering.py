"""The public form as HTML: what a person fills, and what they read after sending. Works without a script.

Fields of the plain post: `a-<question key>`, `c-<consent key>`, `submission_key`, `version`, `ad`, `utm_*`, `ttclid`,
`measured` (set by the script when it has counted the visit) and the honeypot `leave_empty`. No page sets a cookie,
asks a third party or holds a script of its own; `static/js/form.js` reads `<script type="application/json">`.
"""

import datetime
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import lru_cache
from typing import Any

from django.template.loader import render_to_string
from django.utils import translation
from django.utils.html import format_html_join
from django.utils.safestring import SafeString
from django.utils.translation import gettext as _

from forms_builder.answers import MAX_ANSWER, MAX_EMAIL
from forms_builder.countries import COUNTRIES
from forms_builder.schema import Question, is_https
from forms_builder.selectors import ServedForm

HONEYPOT = "leave_empty"
ATTRIBUTION = ("ad", "utm_source", "utm_medium", "utm_campaign", "utm_term", "utm_content", "utm_id", "ttclid")
MAX_ATTRIBUTION = 200

# What helps a phone to fill a standard field: kind → (input type, autocomplete token, inputmode). HTML living standard.
HELPED = {
    "name": ("text", "name", ""),
    "first_name": ("text", "given-name", ""),
    "last_name": ("text", "family-name", ""),
    "email": ("email", "email", "email"),
    "work_email": ("email", "work email", "email"),
    "phone_number": ("tel", "tel", "tel"),
    "work_phone": ("tel", "work tel", "tel"),
    "company_name": ("text", "organization", ""),
    "job_title": ("text", "organization-title", ""),
    "address": ("text", "street-address", ""),
    "city": ("text", "address-level2", ""),
    "province_state": ("text", "address-level1", ""),
    "zip_code": ("text", "postal-code", ""),
    "country": ("text", "country", ""),
}


@dataclass(frozen=True, slots=True)
class IngestKey:
    """The installation's public key of the moment: `public_key` is an uncompressed P-256 point in base64url."""

    kid: str
    public_key: str


@dataclass(frozen=True, slots=True)
class Filled:
    """What was filled in before and what is wrong with it: answers and errors by question key, consents by their key.

    Errors of consents stand under `consents.<key>`. `attribution` holds the parameters of `ATTRIBUTION` that came
    with the link.
    """

    answers: Mapping[str, Any] = field(default_factory=dict, repr=False)
    consents: Mapping[str, Any] = field(default_factory=dict)
    errors: Mapping[str, str] = field(default_factory=dict)
    attribution: Mapping[str, str] = field(default_factory=dict, repr=False)


@dataclass(frozen=True, slots=True)
class Shown:
    """One question as the template draws it; `widget` is choices, select, textarea or input."""

    name: str
    label: str
    hint: str
    required: bool
    widget: str
    type: str
    autocomplete: str
    inputmode: str
    limit: int
    value: str = field(repr=False)
    error: str
    options: tuple[tuple[str, str], ...] = ()
    countries: str = ""

    @property
    def described_by(self) -> str:
        """Ids of the hint and the fault, for aria-describedby."""
        return " ".join(
            [f"{self.name}-hint"] * bool(self.hint) + [f"{self.name}-fault"] * bool(self.error),
        )


@dataclass(frozen=True, slots=True)
class ShownConsent:
    name: str
    label: str
    required: bool
    ticked: bool
    error: str


def attribution_of(query: Mapping[str, str]) -> dict[str, str]:
    """Return the attribution parameters of a link or a plain post, shortened; whoever stores them judges `ad`."""
    return {name: str(query[name])[:MAX_ATTRIBUTION] for name in ATTRIBUTION if query.get(name)}


def render_form(
    form: ServedForm,
    *,
    submission_key: str,
    ingest_key: IngestKey | None,
    filled: Filled | None = None,
    notice: str = "",
    preview: bool = False,
) -> str:
    """Return the page with the form. `notice` says what happened to the last try (a busy server, a closed version).

    Without an ingest key (or in a preview) the script leaves the plain post as it is.
    """
    filled = filled or Filled()
    with translation.override(form.language):
        shown = [_shown(question, filled) for question in form.content.questions]
        consents = [
            ShownConsent(
                name=f"c-{consent.key}",
                label=consent.label,
                required=consent.required,
                ticked=filled.consents.get(consent.key) is True,
                error=filled.errors.get(f"consents.{consent.key}", ""),
            )
            for consent in form.content.disclaimer.consents
        ]
        every: list[Shown | ShownConsent] = [*shown, *consents]
        faults = [(one.name, one.label, one.error) for one in every if one.error]
        context = {
            "questions": shown,
            "consents": consents,
            "faults": faults,
            "notice": notice or _stray(filled, bool(faults)),
            "submission_key": submission_key,
            "attribution": filled.attribution.items(),
            "honeypot": HONEYPOT,
            "script": _for_script(form, ingest_key, filled) if not preview else None,
        }
        return _page("public/form.html", form, preview, **context)


def render_thanks(form: ServedForm, *, number: str = "", preview: bool = False) -> str:
    """Return the ending page; `number` is the lead's id, which the person can quote."""
    with translation.override(form.language):
        return _page("public/thanks.html", form, preview, number=number)


def render_closed(form: ServedForm | None) -> str:
    """Return the page for a form that takes no answers, or that is none."""
    with translation.override(form.language if form else "en"):
        return _page("public/closed.html", form, preview=False)


def render_conflict(form: ServedForm, *, sent_at: datetime.datetime | None, submission_key: str, filled: Filled) -> str:
    """Return the page that says when the first answers were sent and offers to send these as a new request.

    `submission_key` is a fresh one: the button posts the changed answers under it.
    """
    with translation.override(form.language):
        hidden = [(f"a-{key}", value) for key, value in filled.answers.items()]
        hidden += [(f"c-{key}", "on") for key, value in filled.consents.items() if value is True]
        context = {"sent_at": sent_at, "submission_key": submission_key, "hidden": hidden}
        return _page("public/conflict.html", form, preview=False, attribution=filled.attribution.items(), **context)


def _page(template: str, form: ServedForm | None, preview: bool, **context: Any) -> str:
    return render_to_string(
        template,
        {
            "form": form,
            "content": form.content if form else None,
            # A draft may hold anything; only a complete https address becomes a link.
            "privacy_url": form.content.privacy_policy_url
            if form and is_https(form.content.privacy_policy_url)
            else "",
            "language": form.language if form else "en",
            "rtl": translation.get_language_bidi(),
            "preview": preview,
            **context,
        },
    )


def _shown(question: Question, filled: Filled) -> Shown:
    type_, autocomplete, inputmode = HELPED.get(question.kind, ("text", "off", ""))
    options = tuple((option.key, option.label) for option in question.options)
    widget = "choices" if options else {"short_answer": "textarea", "country": "select"}.get(question.kind, "input")
    value = filled.answers.get(question.key, "")
    return Shown(
        name=f"a-{question.key}",
        label=question.label,
        hint=question.hint,
        required=question.required,
        widget=widget,
        type=type_,
        autocomplete=autocomplete,
        inputmode=inputmode,
        limit=MAX_EMAIL if type_ == "email" else MAX_ANSWER,
        value=value if isinstance(value, str) else "",
        error=filled.errors.get(question.key, ""),
        options=options,
        countries=_countries(value if isinstance(value, str) else "") if widget == "select" else "",
    )


@lru_cache(maxsize=300)
def _countries(chosen: str) -> SafeString:
    """Return the options of the country list; 249 rows are most of the page's cost when drawn each time."""
    rows = ((code, SafeString(" selected" if code == chosen else ""), name) for code, name in COUNTRIES.items())
    return format_html_join("\n", '<option value="{}"{}>{}</option>', rows)


def _stray(filled: Filled, any_shown: bool) -> str:
    """Return a sentence when the errors belong to nothing that the page shows."""
    if filled.errors and not any_shown:
        return _("This form has changed or was sent incompletely. Please check your answers and send them again.")
    return ""


def _for_script(form: ServedForm, key: IngestKey | None, filled: Filled) -> dict[str, Any]:
    """Return what form.js needs: public names, the key, and its sentences in the form's language."""
    return {
        "form": form.public_id,
        "version": form.number,
        "key": {"kid": key.kid, "public_key": key.public_key} if key else None,
        "attribution": {("ad_id" if name == "ad" else name): value for name, value in filled.attribution.items()},
        "fresh": not (filled.answers or filled.errors),
        "texts": {
            "sending": _("Sending…"),
            "waiting": _("We cannot reach the server right now. Your answers are sealed and kept in this page only."),
            "again": _("Trying again in {seconds} s. Keep this page open."),
            "given_up": _("It has not worked for 30 minutes. Your sealed answers are still here."),
            "retry": _("Try again now"),
            "one_fault": _("One answer needs a look"),
            "faults": _("{count} answers need a look"),
            "kept": _("Your answers are kept."),
            "again_please": _("Please fill the form again: some answers could not be taken."),
            "first_sent": _("You sent this form on {when}."),
            "failed": _("This did not work. Nothing was sent."),
        },
    }
