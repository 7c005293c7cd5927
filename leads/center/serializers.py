"""The JSON shapes of leads, libraries and the trail: written here for the answers, described for the API's schema."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from rest_framework import serializers

from accounts.models import AuditEvent, LeadLibrary
from leads.center.disclosure import OpenLead
from leads.center.selectors.listing import LeadRow
from leads.center.selectors.lives import Moment, WrittenNote, expires_at
from leads.models import Lead
from leads.parameters import HELP
from leads.privacy.consent import Consent

TIMES = ("status_changed_at", "contacted_at", "viewed_at", "downloaded_at")


class AnswerShape(serializers.Serializer[Any]):
    key = serializers.CharField()
    value = serializers.CharField()

    def get_fields(self) -> dict[str, Any]:
        """Add `label`, which the serializer keeps for itself."""
        return {**super().get_fields(), "label": serializers.CharField()}


class LeadShape(serializers.Serializer[Any]):
    id = serializers.CharField()
    status = serializers.ChoiceField(choices=Lead.Status.choices)
    labels = serializers.ListField(child=serializers.CharField())
    assignee = serializers.CharField(allow_null=True)
    answers = AnswerShape(many=True, required=False, help_text="Left out for a token without the scope leads:read.")
    form = serializers.CharField()
    form_version = serializers.IntegerField(allow_null=True)
    campaign = serializers.CharField(allow_null=True)
    ad_group = serializers.CharField(allow_null=True)
    ad = serializers.CharField(allow_null=True)
    region = serializers.CharField()
    received_at = serializers.DateTimeField()
    expires_at = serializers.DateTimeField()
    is_test = serializers.BooleanField()
    duplicate_of = serializers.CharField(allow_null=True)
    outcome = serializers.CharField(help_text="What qualifying answers came to: preferred, not_preferred or empty.")
    status_changed_at = serializers.DateTimeField(allow_null=True)
    contacted_at = serializers.DateTimeField(allow_null=True)
    viewed_at = serializers.DateTimeField(allow_null=True)
    downloaded_at = serializers.DateTimeField(allow_null=True)

    def get_fields(self) -> dict[str, Any]:
        """Add `source`, which the serializer keeps for itself."""
        return {**super().get_fields(), "source": serializers.ChoiceField(choices=Lead.Source.choices)}


class LeadPageShape(serializers.Serializer[Any]):
    results = LeadShape(many=True)
    next = serializers.CharField(allow_null=True)
    previous = serializers.CharField(allow_null=True)


class BoardColumnShape(serializers.Serializer[Any]):
    status = serializers.ChoiceField(choices=Lead.Status.choices)
    count = serializers.IntegerField(allow_null=True, help_text="Without test leads; null for a search.")
    more = serializers.BooleanField(help_text="There are more than count says: counting stops at 10,000, or 1,000.")
    results = LeadShape(many=True)
    next = serializers.CharField(allow_null=True, help_text="The list of this status, behind these leads.")


class BoardShape(serializers.Serializer[Any]):
    columns = BoardColumnShape(many=True)
    narrow = serializers.BooleanField(required=False, help_text="The search stopped before its end.")


class LeadChange(serializers.Serializer[Any]):
    status = serializers.ChoiceField(choices=Lead.Status.choices, required=False)
    labels = serializers.ListField(child=serializers.CharField(), required=False, help_text="All of them.")
    add_labels = serializers.ListField(child=serializers.CharField(), required=False)
    remove_labels = serializers.ListField(child=serializers.CharField(), required=False)
    assignee = serializers.CharField(required=False, allow_null=True)


class BulkBody(serializers.Serializer[Any]):
    ids = serializers.ListField(child=serializers.CharField(), required=False)
    filter = serializers.DictField(required=False, help_text=HELP)
    set = LeadChange(required=False)
    delete = serializers.BooleanField(required=False)
    restore = serializers.BooleanField(required=False)
    resend = serializers.BooleanField(required=False, help_text="Their failed deliveries go again.")


class Changed(serializers.Serializer[Any]):
    changed = serializers.IntegerField()


class SearchBody(serializers.Serializer[Any]):
    q = serializers.CharField(help_text="An e-mail, a phone number or its last six digits, words of a name.")
    filter = serializers.DictField(required=False, help_text=HELP)


class NoteBody(serializers.Serializer[Any]):
    text = serializers.CharField(max_length=4000)


class ResultsShape(serializers.Serializer[Any]):
    results = serializers.ListField(child=serializers.DictField())


class ConsentRecordShape(serializers.Serializer[Any]):
    at = serializers.DateTimeField()
    language = serializers.CharField()
    form_version = serializers.IntegerField()
    privacy_policy_url = serializers.CharField()
    imported_by = serializers.CharField(
        allow_null=True, help_text="Who brought the lead in a file; nobody gave a consent through a form here then."
    )
    consents = serializers.ListField(child=serializers.DictField())


class LibraryShape(serializers.Serializer[Any]):
    id = serializers.CharField()
    ad_account = serializers.CharField()
    name = serializers.CharField()
    custodian = serializers.CharField()
    retention_days = serializers.IntegerField()
    contact_goal_minutes = serializers.IntegerField()
    mail_names = serializers.BooleanField(help_text="Whether names of leads may stand in mails.")


class LibraryChange(serializers.Serializer[Any]):
    retention_days = serializers.IntegerField(required=False)
    contact_goal_minutes = serializers.IntegerField(required=False)
    mail_names = serializers.BooleanField(required=False)


def time_json(moment: datetime) -> str:
    """Return ISO 8601 in UTC."""
    return moment.isoformat().replace("+00:00", "Z")


def _id(value: int | None) -> str | None:
    return str(value) if value is not None else None


def lead_json(lead: Lead, labels: list[str], shown: OpenLead, library: LeadLibrary) -> dict[str, Any]:
    """Return a lead; with answers unless they are withheld."""
    told: dict[str, Any] = {
        "id": str(lead.pk),
        "status": lead.status,
        "labels": labels,
        "assignee": _id(lead.assignee_id),
        "form": str(lead.form_id),
        "form_version": None if shown.withheld else shown.form.version,
        "campaign": _id(lead.campaign_id),
        "ad_group": _id(lead.ad_group_id),
        "ad": _id(lead.ad_id),
        "region": lead.region,
        "state": lead.state,
        "received_at": time_json(lead.received_at),
        "expires_at": time_json(expires_at(lead, library)),
        "is_test": lead.is_test,
        "duplicate_of": _id(lead.duplicate_of),
        "source": lead.source,
        "outcome": lead.outcome,
        **{name: time_json(moment) if (moment := getattr(lead, name)) else None for name in TIMES},
    }
    if not shown.withheld:
        told["answers"] = [
            {"key": answer.key, "label": answer.label, "value": answer.value} for answer in shown.answers
        ]
        told["masked"] = shown.masked
        told["readable"] = not shown.unreadable
    return told


def rows_json(rows: Sequence[LeadRow], library: LeadLibrary) -> list[object]:
    """Return the rows of a page or of a column."""
    return [lead_json(row.lead, list(row.labels), row.shown, library) for row in rows]


def note_json(written: WrittenNote) -> dict[str, Any]:
    """Return a note with its author."""
    note = written.note
    return {
        "id": str(note.id),
        "author": {"id": str(note.author_id), "name": written.author},
        "at": time_json(note.at),
        "text": note.text,
    }


def moment_json(moment: Moment) -> dict[str, Any]:
    """Return a line of a timeline."""
    return {
        "at": time_json(moment.at),
        "kind": moment.kind,
        "who": moment.who,
        "text": moment.text,
        "detail": moment.detail,
    }


def consent_json(consent: Consent) -> dict[str, Any]:
    """Return the proof of what a person saw and ticked."""
    return {
        "lead_id": str(consent.lead_id),
        "at": time_json(consent.at),
        "language": consent.language,
        "form": consent.form,
        "form_version": consent.form_version,
        "privacy_policy_url": consent.privacy_policy_url,
        "title": consent.title,
        "text": consent.text,
        "imported_by": consent.imported_by or None,
        "consents": [
            {"key": box.key, "label": box.label, "required": box.required, "ticked": box.ticked}
            for box in consent.boxes
        ],
    }


def library_json(library: LeadLibrary) -> dict[str, Any]:
    """Return a library as everyone who belongs to it may know it."""
    return {
        "id": str(library.pk),
        "ad_account": str(library.ad_account_id),
        "name": library.ad_account.name,
        "custodian": library.custodian.name,
        "transferred": library.is_transferred,
        "retention_days": library.retention_days,
        "contact_goal_minutes": library.contact_goal_minutes,
        "mail_names": library.mail_names,
    }


def event_json(event: AuditEvent) -> dict[str, Any]:
    """Return an event of the trail; it never holds a person's data."""
    return {
        "id": str(event.pk),
        "at": time_json(event.at),
        "act": event.act,
        "actor": {"id": str(event.actor_id), "name": str(event.actor)} if event.actor else None,
        "grant_path": event.grant_path,
        "purpose": event.purpose,
        "count": event.count,
        "detail": event.detail,
    }
