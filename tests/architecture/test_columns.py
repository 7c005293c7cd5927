"""What a person typed about a lead is stored sealed or as a digest, never as a column.

Every column outside the vault that could hold text stands here with the reason why no lead's data gets into it. A
new one fails this test until somebody gives its reason.
"""

from django.apps import apps
from django.db import models

TEXT = (models.CharField, models.TextField, models.JSONField, models.BinaryField, models.FileField)

TEAM = "about a person of the team, who is no lead"
NAMED = "a name that the team gives to a thing of its own"
OURS = "written by our code from a closed list of words"
DIGEST = "a digest or a key, which tells nothing"
PUBLIC = "published by the advertiser for everyone to read"
IDS = "ids and counts"

REASONS = {
    "accounts.AdAccount.currency": OURS,
    "accounts.AdAccount.name": NAMED,
    "accounts.AdAccount.time_zone": OURS,
    "accounts.Alarm.about": "ids and days that name the occasion",
    "accounts.Alarm.detail": IDS,
    "accounts.ApiToken.digest": DIGEST,
    "accounts.ApiToken.hint": DIGEST,
    "accounts.ApiToken.name": NAMED,
    "accounts.ApiToken.scopes": OURS,
    "accounts.AuditEvent.detail": "ids, words of ours and digests; the canary test looks into it",
    "accounts.AuditEvent.grant_path": OURS,
    "accounts.AuditEvent.purpose": OURS,
    "accounts.AuditManifest.object_ids": IDS,
    "accounts.BusinessCenter.name": NAMED,
    "accounts.Invitation.digest": DIGEST,
    "accounts.Invitation.email": TEAM,
    "accounts.TermsAcceptance.version": OURS,
    "accounts.TrailAnchor.hash": DIGEST,
    "accounts.TrailAnchor.signature": DIGEST,
    "accounts.TrailHead.hash": DIGEST,
    "accounts.TrailSeal.digests": DIGEST,
    "accounts.TrailSeal.events": IDS,
    "accounts.TrailSeal.hash": DIGEST,
    "accounts.TrailSeal.previous": DIGEST,
    "accounts.TrailSeal.root": DIGEST,
    "accounts.UnsealedEvent.scope": OURS,
    "accounts.User.email": TEAM,
    "accounts.User.name": TEAM,
    "accounts.User.password": DIGEST,
    "accounts.User.time_zone": OURS,
    "campaigns.Ad.button": PUBLIC,
    "campaigns.Ad.headline": PUBLIC,
    "campaigns.Ad.name": NAMED,
    "campaigns.Ad.public_id": DIGEST,
    "campaigns.Ad.text": PUBLIC,
    "campaigns.AdGroup.name": NAMED,
    "campaigns.Campaign.name": NAMED,
    "forms_builder.Form.name": NAMED,
    "forms_builder.Form.public_id": DIGEST,
    "forms_builder.FormVersion.content": PUBLIC,
    "forms_builder.FormVersion.language": OURS,
    "forms_builder.MeasureDay.country": "a country, counted without a person",
    "forms_builder.MeasureDay.question": "the key of a question, from the form",
    "forms_builder.MeasureEvent.country": "a country, counted without a person",
    "forms_builder.MeasureEvent.question": "the key of a question, from the form",
    "leads.Connection.mapping": "keys of questions, names of CRM properties and constants of the team",
    "leads.Connection.name": NAMED,
    "leads.Connection.options": OURS,
    "leads.Connection.state_reason": OURS,
    "leads.Connection.url": "where deliveries go, typed by an Administrator",
    "leads.Delivery.event_key": IDS,
    "leads.DeliveryAttempt.code": "the vendor's code, only if it stands on our list",
    "leads.DeliveryAttempt.outcome": OURS,
    "leads.Export.columns": "keys of ours, with ids of forms and keys of their questions; each was offered",
    "leads.Export.failure": OURS,
    "leads.Export.filter": "ids, states and dates; a search is kept as its digest",
    "leads.Export.format": OURS,
    "leads.Export.time_zone": OURS,
    "leads.Export.wrapped_key": DIGEST,
    "leads.Import.failure": "words of ours, which name no cell",
    "leads.Import.format": OURS,
    "leads.Import.mapping": "keys of questions, from the form; the file's own headings are sealed with it",
    "leads.Import.notices": OURS,
    "leads.Import.wrapped_key": DIGEST,
    "leads.Label.name": "a word of the team, at most 40 characters, for many leads",
    "leads.Lead.region": OURS,
    "leads.Notification.occasion": IDS,
    "leads.SavedView.name": NAMED,
    "leads.SavedView.query": "ids, words of ours and digests, as they stand in the URL",
}
OF_OTHERS = {
    "account.EmailAddress.email": TEAM,
    "account.EmailConfirmation.key": DIGEST,
    "admin.LogEntry.change_message": "names of columns; staff can open no lead in the admin",
    "admin.LogEntry.object_id": IDS,
    "admin.LogEntry.object_repr": "the text of a row, which shows ids for everything about leads",
    "auth.Group.name": "unused",
    "auth.Permission.codename": OURS,
    "auth.Permission.name": OURS,
    "contenttypes.ContentType.app_label": OURS,
    "contenttypes.ContentType.model": OURS,
    "guardian.GroupObjectPermission.object_pk": "unused: permissions stand in tables of our own",
    "guardian.UserObjectPermission.object_pk": "unused: permissions stand in tables of our own",
    "mfa.Authenticator.data": "a second factor of a person of the team, its secret encrypted",
    "sessions.Session.session_data": "who is signed in and what was told them; messages name no lead",
    "sessions.Session.session_key": DIGEST,
    "usersessions.UserSession.data": "unused",
    "usersessions.UserSession.session_key": DIGEST,
    "usersessions.UserSession.user_agent": TEAM,
}


def text_columns() -> set[str]:
    """Every column outside the vault whose values are not a closed list of choices."""
    return {
        f"{model._meta.label}.{column.name}"
        for model in apps.get_models()
        if model._meta.app_label != "vault"
        for column in model._meta.local_fields
        if isinstance(column, TEXT) and not column.choices
    }


def test_every_text_column_outside_the_vault_has_its_reason() -> None:
    columns = text_columns()
    assert "accounts.User.email" in columns
    assert columns - REASONS.keys() - OF_OTHERS.keys() == set()


def test_no_reason_is_left_over() -> None:
    assert (REASONS.keys() | OF_OTHERS.keys()) - text_columns() == set()
