"""What a waiting version changes about where data goes, before and after: for the person who approves it."""

from dataclasses import dataclass

from django.utils.translation import gettext as _

from forms_builder.schema import Disclaimer, FormContent


@dataclass(frozen=True, slots=True)
class Change:
    """A part of the form; a text is empty where the part is not there."""

    label: str
    before: str
    after: str


def changes_of(before: FormContent, after: FormContent) -> tuple[Change, ...]:
    """Return the differing parts that decide where data goes and what people agree to."""
    pairs = (
        Change(_("Privacy policy"), before.privacy_policy_url, after.privacy_policy_url),
        Change(_("Heading of the disclaimer"), before.disclaimer.title, after.disclaimer.title),
        Change(_("Disclaimer"), before.disclaimer.text, after.disclaimer.text),
        Change(_("Consent boxes"), _boxes(before.disclaimer), _boxes(after.disclaimer)),
        Change(_("Link of the ending page"), before.ending.link_url, after.ending.link_url),
    )
    return tuple(change for change in pairs if change.before != change.after)


def _boxes(disclaimer: Disclaimer) -> str:
    required = {True: _("must be ticked"), False: _("may be ticked")}
    return "\n".join(f"{box.label} ({required[box.required]}; {box.key})" for box in disclaimer.consents)
