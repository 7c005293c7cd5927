"""What campaigns, ad groups and ads have in common: names, statuses, other short texts."""

from django.utils.translation import gettext as _

from campaigns.models import Status

MAX_NAME = 120


def bad_text(value: str, limit: int, *, needed: bool = True) -> str:
    """Return what is wrong with a short text, or an empty string."""
    if needed and not value.strip():
        return _("Write something here.")
    if len(value.strip()) > limit:
        return _("At most %(limit)d characters.") % {"limit": limit}
    if "\x00" in value or any("\ud800" <= letter <= "\udfff" for letter in value):
        return _("Holds a character that cannot be stored.")
    return ""


def bad_status(value: str) -> str:
    """Return what is wrong with a status, or an empty string."""
    return "" if value in Status.values else _("One of %(known)s.") % {"known": ", ".join(Status.values)}


def only_faults(**faults: str) -> dict[str, str]:
    """Return the fields whose text says something."""
    return {name: text for name, text in faults.items() if text}
