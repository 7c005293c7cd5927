from django.db import models
from django.db.models.functions import Now
from django.utils.translation import gettext_lazy as _

from accounts.models.people import User
from leadscenter.lib.ids import IdField


class Scope(models.TextChoices):
    LIBRARY = "library", _("Lead library")
    AD_ACCOUNT = "ad_account", _("Ad account")
    BUSINESS_CENTER = "business_center", _("Business Center")
    PLATFORM = "platform", _("Platform")


class Act(models.TextChoices):
    """What was done. The words are read by people on the activity page; the values are frozen, seals cover them."""

    SIGNED_IN = "signed_in", _("signed in")
    SIGNED_OUT_ELSEWHERE = "signed_out_elsewhere", _("signed out other sessions")
    PASSWORD_CHANGED = "password_changed", _("changed the password")
    SECOND_FACTOR_ADDED = "second_factor_added", _("added a second factor")
    SECOND_FACTOR_REMOVED = "second_factor_removed", _("removed a second factor")
    RECOVERY_CODES_MADE = "recovery_codes_made", _("made recovery codes")
    TWO_FACTOR_RULE_CHANGED = "two_factor_rule_changed", _("changed who needs a second factor")
    TOKEN_CREATED = "token_created", _("created an API token")
    TOKEN_REVOKED = "token_revoked", _("revoked an API token")
    MEMBER_ADDED = "member_added", _("added a member")
    MEMBER_CHANGED = "member_changed", _("changed a role")
    MEMBER_REMOVED = "member_removed", _("removed a member")
    INVITED = "invited", _("invited somebody")
    INVITATION_ACCEPTED = "invitation_accepted", _("accepted an invitation")
    INVITATION_REVOKED = "invitation_revoked", _("took an invitation back")
    ACCOUNT_SHARED = "account_shared", _("shared the ad account")
    SHARE_CHANGED = "share_changed", _("changed a share of the ad account")
    SHARE_ENDED = "share_ended", _("ended a share of the ad account")
    PERSON_DEACTIVATED = "person_deactivated", _("deactivated a person")
    PERSON_ACTIVATED = "person_activated", _("activated a person")
    BUSINESS_CENTER_CREATED = "business_center_created", _("created a Business Center")
    BUSINESS_CENTER_DEACTIVATED = "business_center_deactivated", _("switched a Business Center off")
    BUSINESS_CENTER_ACTIVATED = "business_center_activated", _("switched a Business Center on")
    RECOVERY_ASKED = "recovery_asked", _("asked for the recovery of a Business Center")
    RECOVERY_CANCELLED = "recovery_cancelled", _("cancelled the recovery of a Business Center")
    RECOVERY_DONE = "recovery_done", _("recovered a Business Center")
    AD_ACCOUNT_CREATED = "ad_account_created", _("created an ad account")
    TERMS_ACCEPTED = "terms_accepted", _("accepted the lead-generation terms")
    ACCESS_ASKED = "access_asked", _("asked for leads access")
    ACCESS_ASK_DISMISSED = "access_ask_dismissed", _("dismissed a request for leads access")
    TRANSFER_REQUESTED = "transfer_requested", _("asked to transfer leads access")
    TRANSFER_ACCEPTED = "transfer_accepted", _("accepted leads access")
    TRANSFER_REJECTED = "transfer_rejected", _("rejected leads access")
    TRANSFER_CANCELLED = "transfer_cancelled", _("cancelled the transfer")
    TRANSFER_EXPIRED = "transfer_expired", _("let the transfer expire")
    PERMISSIONS_REPAIRED = "permissions_repaired", _("repaired permission rows")
    REFUSED = "refused", _("was refused")
    CAMPAIGN_SAVED = "campaign_saved", _("saved a campaign")
    CAMPAIGN_ARCHIVED = "campaign_archived", _("archived a campaign")
    FORM_SAVED = "form_saved", _("saved a form")
    FORM_PUBLISHED = "form_published", _("published a form")
    FORM_APPROVED = "form_approved", _("approved a form version")
    FORM_REJECTED = "form_rejected", _("rejected a form version")
    FORM_ARCHIVED = "form_archived", _("archived a form")
    LEADS_LISTED = "leads_listed", _("looked at a list of leads")
    LEADS_SEARCHED = "leads_searched", _("searched leads")
    LEAD_OPENED = "lead_opened", _("opened a lead")
    LEAD_REVEALED = "lead_revealed", _("revealed contact details")
    LEADS_READ = "leads_read", _("read leads by API")
    LEAD_CHANGED = "lead_changed", _("changed a lead")
    LEAD_CONTACTED = "lead_contacted", _("contacted a lead")
    FOLLOW_UP_SET = "follow_up_set", _("set a follow-up")
    FOLLOW_UP_DONE = "follow_up_done", _("closed a follow-up")
    NOTE_ADDED = "note_added", _("added a note")
    LEADS_DELETED = "leads_deleted", _("deleted leads")
    LEADS_RESTORED = "leads_restored", _("restored leads")
    LEADS_PURGED = "leads_purged", _("purged expired leads")
    CONSENT_READ = "consent_read", _("read a consent record")
    EXPORT_REQUESTED = "export_requested", _("asked for an export")
    EXPORT_MADE = "export_made", _("made an export")
    EXPORT_DOWNLOADED = "export_downloaded", _("downloaded an export")
    EXPORT_STOPPED = "export_stopped", _("stopped an export")
    IMPORT_REQUESTED = "import_requested", _("asked for an import")
    LEADS_IMPORTED = "leads_imported", _("imported leads")
    IMPORT_STOPPED = "import_stopped", _("stopped an import")
    IMPORT_DISCARDED = "import_discarded", _("discarded the file of an import")
    IMPORT_FAULTS_READ = "import_faults_read", _("downloaded the faulty rows of an import")
    CONNECTION_CREATED = "connection_created", _("connected a CRM")
    CONNECTION_CHANGED = "connection_changed", _("changed a connection")
    CONNECTION_CONFIRMED = "connection_confirmed", _("confirmed a connection")
    CONNECTION_REMOVED = "connection_removed", _("removed a connection")
    CONNECTION_DISABLED = "connection_disabled", _("disabled a failing connection")
    LEADS_DELIVERED = "leads_delivered", _("delivered leads")
    DELIVERY_RESENT = "delivery_resent", _("resent deliveries")
    LEADS_BACKFILLED = "leads_backfilled", _("back-filled leads")
    LIBRARY_CHANGED = "library_changed", _("changed library settings")
    TEST_LEAD_CREATED = "test_lead_created", _("created a test lead")
    TRAIL_READ = "trail_read", _("read the trail")
    TRAIL_DOWNLOADED = "trail_downloaded", _("downloaded the trail")
    ALARM_RAISED = "alarm_raised", _("raised an alarm")
    ALARM_SEEN = "alarm_seen", _("noted an alarm")
    KEYS_ROTATED = "keys_rotated", _("rotated keys")


class AuditEvent(models.Model):
    """One act, written in the transaction of what it tells; append-only by trigger. Never holds a person's data."""

    id = IdField()
    at = models.DateTimeField(db_default=Now())
    scope = models.CharField(max_length=15, choices=Scope)
    scope_id = models.BigIntegerField(default=0)
    act = models.CharField(max_length=32, choices=Act)
    actor = models.ForeignKey(User, models.PROTECT, null=True, related_name="+")
    grant_path = models.CharField(max_length=80, blank=True)
    purpose = models.CharField(max_length=80, blank=True)
    count = models.PositiveIntegerField(default=1)
    detail = models.JSONField(default=dict)

    class Meta:
        indexes = [models.Index(fields=["scope", "scope_id", "at", "id"], name="trail_of_scope")]

    def __str__(self) -> str:
        return f"{self.act} at {self.at:%Y-%m-%d %H:%M:%S}"


class AuditTarget(models.Model):
    """An object that an act looked at or changed: one row per lead for looks."""

    event = models.ForeignKey(AuditEvent, models.PROTECT, related_name="targets")
    object_id = models.BigIntegerField()

    class Meta:
        indexes = [models.Index(fields=["object_id", "event"], name="who_touched_object")]

    def __str__(self) -> str:
        return f"{self.object_id} in {self.event_id}"


class AuditManifest(models.Model):
    """The objects of a large act (export, delivery batch): sorted ids, 8 bytes each, big-endian; in parts, so that
    nobody ever holds a million of them as one value.
    """

    event = models.ForeignKey(AuditEvent, models.PROTECT, related_name="manifests", db_index=False)
    part = models.PositiveIntegerField(default=0)
    object_ids = models.BinaryField()

    class Meta:
        constraints = [models.UniqueConstraint(fields=["event", "part"], name="manifest_part_once")]

    def __str__(self) -> str:
        return f"part {self.part} of the manifest of {self.event_id}"


class UnsealedEvent(models.Model):
    """The notary's queue: an event that no seal covers yet. Deleting a row does not hide it: `verify_audit` counts."""

    event = models.OneToOneField(AuditEvent, models.PROTECT, primary_key=True, related_name="+")
    scope = models.CharField(max_length=15)
    scope_id = models.BigIntegerField()

    def __str__(self) -> str:
        return f"unsealed {self.event_id}"


class TrailHead(models.Model):
    """The end of a scope's chain; its row lock makes sealing one at a time per scope."""

    id = IdField()
    scope = models.CharField(max_length=15, choices=Scope)
    scope_id = models.BigIntegerField()
    seq = models.PositiveIntegerField(default=0)
    hash = models.BinaryField(max_length=32, default=bytes(32))

    class Meta:
        constraints = [models.UniqueConstraint(fields=["scope", "scope_id"], name="one_head_per_scope")]

    def __str__(self) -> str:
        return f"head {self.seq} of {self.scope} {self.scope_id}"


class TrailSeal(models.Model):
    """A link of a scope's chain over some events; `events` are their ids in (at, id) order, 8
    bytes each, `digests` what they said, 32 bytes each."""

    id = IdField()
    scope = models.CharField(max_length=15, choices=Scope)
    scope_id = models.BigIntegerField()
    seq = models.PositiveIntegerField()
    events = models.BinaryField()
    digests = models.BinaryField()
    root = models.BinaryField(max_length=32)
    previous = models.BinaryField(max_length=32)
    hash = models.BinaryField(max_length=32)
    at = models.DateTimeField(db_default=Now())

    class Meta:
        constraints = [models.UniqueConstraint(fields=["scope", "scope_id", "seq"], name="one_seal_per_seq")]

    def __str__(self) -> str:
        return f"seal {self.seq} of {self.scope} {self.scope_id}"


class TrailAnchor(models.Model):
    """A scope's chain end as it was mailed out, signed: what is verified against cannot be rewritten here alone."""

    id = IdField()
    scope = models.CharField(max_length=15, choices=Scope)
    scope_id = models.BigIntegerField()
    seq = models.PositiveIntegerField()
    hash = models.BinaryField(max_length=32)
    signature = models.BinaryField(max_length=64)
    at = models.DateTimeField(db_default=Now())

    class Meta:
        constraints = [models.UniqueConstraint(fields=["scope", "scope_id", "seq"], name="one_anchor_per_seq")]

    def __str__(self) -> str:
        return f"anchor {self.seq} of {self.scope} {self.scope_id}"
