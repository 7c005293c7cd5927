"""What a person saw and ticked: the words of the immutable version they answered, and their boxes."""

from dataclasses import dataclass
from datetime import datetime

from django.db import transaction
from django.utils.translation import gettext as _

from accounts import audit
from accounts.access import Can, require
from accounts.models import Act, User
from forms_builder.models import FormVersion
from leads.models import Lead
from leads.vault.models import ConsentRecord
from leads.vault.regions import alias_of


@dataclass(frozen=True, slots=True)
class Box:
    """A consent box as it was shown, and whether the person ticked it."""

    key: str
    label: str
    required: bool
    ticked: bool


@dataclass(frozen=True, slots=True)
class Consent:
    """The proof for one lead. `imported_by` names who brought it in a file: nobody saw the form then, no box stands."""

    lead_id: int
    at: datetime
    language: str
    form: str
    form_version: int
    privacy_policy_url: str
    title: str
    text: str
    boxes: tuple[Box, ...]
    network_prefix: str
    imported_by: str = ""


def read_consent(*, actor: User, lead: Lead) -> Consent | None:
    """Return the lead's consent and record the look; None when there is no record. Raises `Refused`."""
    library = lead.library
    with transaction.atomic():
        require(actor, Can.VIEW_LEADS, library)
        audit.record(Act.CONSENT_READ, library, actor=actor, targets=[lead.pk])
        return consent_of(lead)


def consent_of(lead: Lead) -> Consent | None:
    """Return the lead's consent, None when there is no record. Whoever calls has asked, and leaves the trace."""
    record = ConsentRecord.objects.using(alias_of(lead.region)).filter(pk=lead.pk, library_id=lead.library_id).first()
    version = FormVersion.objects.select_related("form").filter(pk=record.version_id).first() if record else None
    if record is None or version is None:
        return None
    imported_by = ""
    if record.imported_by is not None:
        imported_by = str(User.objects.filter(pk=record.imported_by).first() or _("Somebody"))
    disclaimer = {} if imported_by else version.content.get("disclaimer") or {}
    return Consent(
        lead_id=lead.pk,
        at=record.at,
        language=record.language,
        form=version.form.name,
        form_version=version.number,
        privacy_policy_url="" if imported_by else version.content.get("privacy_policy_url", ""),
        title=disclaimer.get("title", ""),
        text=disclaimer.get("text", ""),
        boxes=tuple(
            Box(box["key"], box["label"], bool(box.get("required")), bool(record.boxes.get(box["key"])))
            for box in disclaimer.get("consents", ())
        ),
        network_prefix=record.network_prefix,
        imported_by=imported_by,
    )
