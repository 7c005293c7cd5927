"""What a custodian sets for a whole library."""

from django.db import transaction
from django.utils.translation import gettext as _

from accounts import audit
from accounts.access import Can, require
from accounts.models import Act, LeadLibrary, User
from accounts.refusals import Invalid

LIMITS = {"retention_days": (1, 3650), "contact_goal_minutes": (1, 60 * 24 * 30)}


def change_library(*, actor: User, library: LeadLibrary, values: dict[str, int]) -> LeadLibrary:
    """Set retention, contact goal and whether names may stand in mails (`mail_names`, a bool).

    Raises `Refused`, `Invalid`. A shorter retention works from the next purge on.
    """
    require(actor, Can.MANAGE_PRIVACY, library)
    errors = {}
    if not isinstance(values.get("mail_names", False), bool):
        errors["mail_names"] = _("Must be true or false.")
    for name, value in values.items():
        if name == "mail_names":
            continue
        least, most = LIMITS[name]
        if isinstance(value, bool) or not isinstance(value, int) or not least <= value <= most:
            errors[name] = _("Use a whole number from %(least)d to %(most)d.") % {"least": least, "most": most}
    if errors:
        raise Invalid(errors)
    with transaction.atomic():
        row = LeadLibrary.objects.select_for_update(no_key=True).get(pk=library.pk)
        audit.record(
            Act.LIBRARY_CHANGED,
            library,
            actor=actor,
            targets=[library.pk] if "retention_days" in values else [],  # by which it is found: see privacy.retention
            retention_days=values.get("retention_days"),
            contact_goal_minutes=values.get("contact_goal_minutes"),
            mail_names=values.get("mail_names"),
        )
        for name, value in values.items():
            setattr(row, name, value)
            setattr(library, name, value)
        row.save(update_fields=[*values])
    return library
