from collections.abc import Collection
from datetime import datetime

from django.db import models
from django.db.models import Q
from django.db.models.functions import Now
from django.utils.translation import gettext_lazy as _

from accounts.models import LeadLibrary, User
from campaigns.models import Ad, AdGroup, Campaign
from forms_builder.models import Form, FormVersion
from leadscenter.lib.ids import IdField
from leadscenter.lib.lookups import numbers


class Lead(models.Model):
    """That somebody answered a form: when, which, how far sales got. Never what they answered: that is in the vault.

    `state` is the row's life, `status` the sales stage and nothing else. The rows here meet the vault's by id; no
    foreign key of this table is a constraint, so that a library can move to a database of its own.
    """

    class State(models.TextChoices):
        ARRIVING = "arriving", _("Arriving")
        LIVE = "live", _("Live")
        QUARANTINED = "quarantined", _("Quarantined")
        TRASHED = "trashed", _("In the trash")
        GONE = "gone", _("Gone")

    class Status(models.TextChoices):
        RAW = "raw", _("Raw")
        CONTACTED = "contacted", _("Contacted")
        QUALIFIED = "qualified", _("Qualified")
        CONVERTED = "converted", _("Converted")
        UNQUALIFIED = "unqualified", _("Unqualified")

    class Gone(models.TextChoices):
        EXPIRED = "expired", _("Retention ended")
        TRASH_EMPTIED = "trash_emptied", _("Deleted")
        ERASED = "erased", _("Erased on request")

    class Source(models.TextChoices):
        FORM = "form", _("Form page")
        API = "api", _("API")
        IMPORT = "import", _("Import")

    class Outcome(models.TextChoices):
        """What the answers to qualifying questions came to."""

        PREFERRED = "preferred", _("Preferred answers")
        NOT_PREFERRED = "not_preferred", _("An answer that is not preferred")

    id = IdField()
    library = models.ForeignKey(LeadLibrary, models.PROTECT, related_name="leads", db_index=False)
    form = models.ForeignKey(Form, models.DO_NOTHING, related_name="leads", db_constraint=False, db_index=False)
    version = models.ForeignKey(FormVersion, models.DO_NOTHING, related_name="+", db_constraint=False, db_index=False)
    campaign = models.ForeignKey(
        Campaign, models.DO_NOTHING, null=True, related_name="+", db_constraint=False, db_index=False
    )
    ad_group = models.ForeignKey(
        AdGroup, models.DO_NOTHING, null=True, related_name="+", db_constraint=False, db_index=False
    )
    ad = models.ForeignKey(Ad, models.DO_NOTHING, null=True, related_name="+", db_constraint=False, db_index=False)
    region = models.CharField(max_length=3)
    state = models.CharField(max_length=11, choices=State, default=State.LIVE)
    status = models.CharField(max_length=11, choices=Status, default=Status.RAW)
    submission_key = models.UUIDField()
    sealed_in_browser = models.BooleanField(default=False)
    source = models.CharField(max_length=6, choices=Source, default=Source.FORM, db_default=Source.FORM)
    outcome = models.CharField(max_length=13, choices=Outcome, blank=True, default="", db_default="")
    is_test = models.BooleanField(default=False)
    duplicate_of = models.BigIntegerField(null=True)
    assignee = models.ForeignKey(User, models.SET_NULL, null=True, related_name="+", db_index=False)
    received_at = models.DateTimeField(db_default=Now())
    status_changed_at = models.DateTimeField(null=True)
    contacted_at = models.DateTimeField(null=True)
    attention_at = models.DateTimeField(null=True)
    viewed_at = models.DateTimeField(null=True)  # somebody opened it for the first time
    downloaded_at = models.DateTimeField(null=True)  # it was in a file that somebody fetched
    trashed_at = models.DateTimeField(null=True)
    changes = models.PositiveIntegerField(default=0)
    why_gone = models.CharField(max_length=13, choices=Gone, blank=True)

    class Meta:
        constraints = [
            # A reload, a double click or a retry gives the same lead, not a second one.
            models.UniqueConstraint(fields=["form", "submission_key"], name="lead_once"),
            models.CheckConstraint(
                condition=~Q(state="trashed") | Q(trashed_at__isnull=False),
                name="trashed_has_a_time",
            ),
            # What is gone says why and keeps nothing of anybody's work on it.
            models.CheckConstraint(
                condition=~Q(state="gone") | (~Q(why_gone="") & Q(assignee__isnull=True)), name="gone_keeps_nothing"
            ),
        ]
        indexes = [
            models.Index(fields=["library", "state", "-received_at", "-id"], name="leads_newest"),
            models.Index(
                fields=["library", "status", "-received_at", "-id"], name="leads_by_status", condition=Q(state="live")
            ),
            models.Index(
                fields=["library", "form", "-received_at", "-id"], name="leads_by_form", condition=Q(state="live")
            ),
            models.Index(
                fields=["library", "version", "-received_at", "-id"], name="leads_by_version", condition=Q(state="live")
            ),
            models.Index(
                fields=["library", "campaign", "-received_at", "-id"],
                name="leads_by_campaign",
                condition=Q(state="live", campaign__isnull=False),
            ),
            models.Index(
                fields=["library", "ad_group", "-received_at", "-id"],
                name="leads_by_ad_group",
                condition=Q(state="live", ad_group__isnull=False),
            ),
            models.Index(
                fields=["library", "ad", "-received_at", "-id"],
                name="leads_by_ad",
                condition=Q(state="live", ad__isnull=False),
            ),
            models.Index(
                fields=["library", "region", "-received_at", "-id"], name="leads_by_region", condition=Q(state="live")
            ),
            models.Index(
                fields=["library", "assignee", "-received_at", "-id"],
                name="leads_by_assignee",
                condition=Q(state="live", assignee__isnull=False),
            ),
            models.Index(
                fields=["library", "-received_at", "-id"],
                name="leads_unassigned",
                condition=Q(state="live", assignee__isnull=True),
            ),
            models.Index(
                fields=["library", "attention_at", "id"],
                name="leads_by_attention",
                condition=Q(state="live", attention_at__isnull=False),
            ),
            models.Index(  # of what is due, most is raw; the others are found without walking past it
                fields=["library", "status", "attention_at", "id"],
                name="leads_by_worked_attention",
                condition=Q(state="live", attention_at__isnull=False) & ~Q(status="raw"),
            ),
            models.Index(
                fields=["library", "-status_changed_at", "-id"],
                name="leads_by_change",
                condition=Q(state="live", status_changed_at__isnull=False),
            ),
            # What is rare is found without walking past everything else.
            models.Index(
                fields=["library", "source", "-received_at", "-id"],
                name="leads_by_source",
                condition=Q(state="live") & ~Q(source="form"),
            ),
            models.Index(
                fields=["library", "outcome", "-received_at", "-id"],
                name="leads_by_outcome",
                condition=Q(state="live") & ~Q(outcome=""),
            ),
            models.Index(
                fields=["library", "-received_at", "-id"],
                name="leads_contacted",
                condition=Q(state="live", contacted_at__isnull=False),
            ),
            models.Index(
                fields=["library", "-received_at", "-id"],
                name="leads_viewed",
                condition=Q(state="live", viewed_at__isnull=False),
            ),
            models.Index(
                fields=["library", "-received_at", "-id"],
                name="leads_not_viewed",
                condition=Q(state="live", viewed_at__isnull=True),
            ),
            models.Index(
                fields=["library", "-received_at", "-id"],
                name="leads_downloaded",
                condition=Q(state="live", downloaded_at__isnull=False),
            ),
            models.Index(
                fields=["library", "-received_at", "-id"],
                name="leads_not_downloaded",
                condition=Q(state="live", downloaded_at__isnull=True),
            ),
            models.Index(
                fields=["library", "-received_at", "-id"],
                name="leads_alike",
                condition=Q(state="live", duplicate_of__isnull=False),
            ),
            models.Index(
                fields=["library", "-received_at", "-id"],
                name="leads_for_test",
                condition=Q(is_test=True),
            ),
            models.Index(fields=["duplicate_of"], name="leads_duplicates", condition=Q(duplicate_of__isnull=False)),
            # The sweeper's: what a crash between two databases left half way.
            models.Index(fields=["received_at"], name="leads_arriving", condition=Q(state="arriving")),
            models.Index(fields=["trashed_at"], name="leads_in_trash", condition=Q(state="trashed")),
        ]

    def __str__(self) -> str:
        return f"lead {self.pk}"

    @classmethod
    def arrivals(cls, ids: Collection[int]) -> dict[int, datetime]:
        """Return by id when each of these leads was received, in the order of the ids."""
        found = dict(cls.objects.filter(pk__any_of=numbers(ids)).values_list("pk", "received_at"))
        return {lead_id: found[lead_id] for lead_id in ids if lead_id in found}


class Label(models.Model):
    """A word that a team sorts its leads by; never a person's data (the page says so, the length is small)."""

    id = IdField()
    library = models.ForeignKey(LeadLibrary, models.CASCADE, related_name="labels")
    name = models.CharField(max_length=40)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["library", "name"], name="label_once")]

    def __str__(self) -> str:
        return self.name


class LeadLabel(models.Model):
    """That a lead carries a label; `received_at` is the lead's, which never changes: the list reads a label by it."""

    lead = models.ForeignKey(Lead, models.CASCADE, related_name="labelled", db_index=False)
    label = models.ForeignKey(Label, models.CASCADE, related_name="labelled", db_index=False)
    received_at = models.DateTimeField()

    class Meta:
        constraints = [models.UniqueConstraint(fields=["lead", "label"], name="lead_labelled_once")]
        indexes = [models.Index(fields=["label", "-received_at", "-lead"], name="leads_of_label")]

    def __str__(self) -> str:
        return f"label {self.label_id} on lead {self.lead_id}"


class FollowUp(models.Model):
    """When somebody wants to come back to a lead; one open follow-up per lead. It says no more than that: why stands
    in a note, sealed.
    """

    id = IdField()
    lead = models.ForeignKey(Lead, models.CASCADE, related_name="follow_ups", db_index=False)
    library_id = models.BigIntegerField()
    user = models.ForeignKey(User, models.CASCADE, related_name="+")
    set_by = models.ForeignKey(User, models.CASCADE, related_name="+")
    due_at = models.DateTimeField()
    created_at = models.DateTimeField(db_default=Now())
    done_at = models.DateTimeField(null=True)
    reminded_at = models.DateTimeField(null=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["lead"], condition=Q(done_at=None), name="one_open_follow_up"),
        ]
        indexes = [
            models.Index(fields=["lead"], name="follow_ups_of_lead"),
            models.Index(fields=["due_at"], name="follow_up_due", condition=Q(done_at=None, reminded_at=None)),
        ]

    def __str__(self) -> str:
        return f"follow-up of lead {self.lead_id}"


class AttentionWalk(models.Model):
    """How far a library's contact goal and retention have come into its leads' `attention_at`: newest lead first, down
    to this place.
    """

    library = models.OneToOneField(LeadLibrary, models.CASCADE, primary_key=True, related_name="+")
    goal = models.PositiveIntegerField(default=0)
    retention = models.PositiveIntegerField(default=0)
    at = models.DateTimeField(null=True)
    lead_id = models.BigIntegerField(default=0)
    done = models.BooleanField(default=False)

    def __str__(self) -> str:
        return f"attention of library {self.library_id}"
