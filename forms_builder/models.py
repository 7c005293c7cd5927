"""What a form asks, in which version, and the counts of what people did with it."""

from django.conf import settings
from django.db import models
from django.db.models import F, Q
from django.db.models.functions import Now
from django.utils.translation import gettext_lazy as _

from accounts.models import AdAccount
from leadscenter.lib.ids import IdField, public_id


class Form(models.Model):
    """An instant form of an ad account. What it asks stands in its versions; `published` is the one that people see."""

    class Status(models.TextChoices):
        DRAFT = "draft", _("Draft")
        LIVE = "live", _("Live")
        ARCHIVED = "archived", _("Archived")

    id = IdField()
    public_id = models.CharField(max_length=10, unique=True, default=public_id, editable=False)
    ad_account = models.ForeignKey(AdAccount, models.PROTECT, related_name="forms")
    name = models.CharField(max_length=120)
    status = models.CharField(max_length=8, choices=Status, default=Status.DRAFT)
    published = models.ForeignKey("FormVersion", models.PROTECT, null=True, related_name="+")
    archived_at = models.DateTimeField(null=True)
    removed_at = models.DateTimeField(null=True)  # deleted for its people; leads, versions and counts stay
    created_by = models.ForeignKey(settings.AUTH_USER_MODEL, models.PROTECT, null=True, related_name="+")
    created_at = models.DateTimeField(db_default=Now())

    class Meta:
        indexes = [models.Index(fields=["ad_account", "-created_at", "-id"], name="forms_of_account")]
        constraints = [
            # A live form without a published version would have nothing to show.
            models.CheckConstraint(
                condition=~Q(status="live") | Q(published__isnull=False), name="live_form_has_published_version"
            ),
            # The time of archiving decides for how long late answers are still taken.
            models.CheckConstraint(
                condition=Q(status="archived", archived_at__isnull=False)
                | (~Q(status="archived") & Q(archived_at__isnull=True)),
                name="archived_form_knows_when",
            ),
        ]

    def __str__(self) -> str:
        return self.name


class FormVersion(models.Model):
    """One wording of a form. A trigger on both databases keeps a published or superseded one word for word for ever."""

    class Status(models.TextChoices):
        DRAFT = "draft", _("Draft")
        AWAITING_APPROVAL = "awaiting_approval", _("Awaiting approval")
        PUBLISHED = "published", _("Published")
        SUPERSEDED = "superseded", _("Superseded")

    OPEN = (Status.DRAFT, Status.AWAITING_APPROVAL)  # still edited
    SHOWN = (Status.PUBLISHED, Status.SUPERSEDED)  # people have seen it

    id = IdField()
    form = models.ForeignKey(Form, models.PROTECT, related_name="versions")
    number = models.PositiveIntegerField()
    status = models.CharField(max_length=17, choices=Status, default=Status.DRAFT)
    content = models.JSONField(default=dict)  # shape: forms_builder.schema
    language = models.CharField(max_length=12, default="en")
    saved_at = models.DateTimeField(db_default=Now())
    published_at = models.DateTimeField(null=True)
    published_by = models.ForeignKey(settings.AUTH_USER_MODEL, models.PROTECT, null=True, related_name="+")

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["form", "number"], name="version_number_once_per_form"),
            # Two drafts would overwrite each other when published.
            models.UniqueConstraint(
                fields=["form"], condition=Q(status__in=["draft", "awaiting_approval"]), name="one_draft_per_form"
            ),
            models.UniqueConstraint(
                fields=["form"], condition=Q(status="published"), name="one_published_version_per_form"
            ),
            models.CheckConstraint(
                condition=Q(status__in=["draft", "awaiting_approval"], published_at__isnull=True)
                | Q(status__in=["published", "superseded"], published_at__isnull=False),
                name="published_version_knows_when",
            ),
        ]

    def __str__(self) -> str:
        return f"version {self.number} of {self.form_id}"


class MeasureKind(models.TextChoices):
    """What a person did, in the order of the funnel. Definitions: `forms_builder.measures`."""

    CLICK = "click", _("Click")
    OPEN = "open", _("Open")
    START = "start", _("Start")
    QUESTION = "question", _("Question seen")
    SUBMIT = "submit", _("Submit")


class Device(models.TextChoices):
    """What the visitor used, as far as the browser's own words tell; nothing finer is kept."""

    PHONE = "phone", _("Phone")
    TABLET = "tablet", _("Tablet")
    DESKTOP = "desktop", _("Desktop")


class MeasureEvent(models.Model):
    """One thing that one unnamed person did: insert-only, short-lived, moved into `MeasureDay` by the roll-up.

    `form_id` and `ad_id` are plain numbers on purpose: an insert here checks no other table, and counts outlive what
    they count. `ad_id` 0 and `version` 0 stand for "none". A submit whose visit was not measured by a script
    (`whole_visit`) counts as its own open and start.
    """

    id = models.BigAutoField(primary_key=True)
    form_id = models.BigIntegerField()
    version = models.PositiveIntegerField(default=0, db_default=0)
    ad_id = models.BigIntegerField(default=0, db_default=0)
    kind = models.CharField(max_length=8, choices=MeasureKind)
    question = models.CharField(max_length=40, default="", db_default="", blank=True)
    country = models.CharField(max_length=2, default="", db_default="", blank=True)
    device = models.CharField(max_length=7, choices=Device, default="", db_default="", blank=True)
    day = models.DateField()
    at = models.DateTimeField(db_default=Now())
    is_test = models.BooleanField(default=False, db_default=False)
    whole_visit = models.BooleanField(default=False, db_default=False)

    class Meta:
        indexes = [models.Index(fields=["form_id", "day"], name="events_of_form")]

    def __str__(self) -> str:
        return f"{self.kind} of {self.form_id}"


class MeasureDay(models.Model):
    """How often something happened on one day (UTC): the only source of every count that pages and reports show."""

    id = models.BigAutoField(primary_key=True)
    form_id = models.BigIntegerField()
    version = models.PositiveIntegerField(default=0)
    ad_id = models.BigIntegerField(default=0)
    kind = models.CharField(max_length=8, choices=MeasureKind)
    question = models.CharField(max_length=40, default="", blank=True)
    country = models.CharField(max_length=2, default="", db_default="", blank=True)
    device = models.CharField(max_length=7, choices=Device, default="", db_default="", blank=True)
    day = models.DateField()
    is_test = models.BooleanField(default=False)
    count = models.PositiveBigIntegerField(default=0)

    class Meta:
        constraints = [
            models.UniqueConstraint(
                F("form_id"),
                F("day"),
                F("kind"),
                F("version"),
                F("ad_id"),
                F("question"),
                F("is_test"),
                F("country"),
                F("device"),
                name="one_count_per_day_thing_and_place",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.count} {self.kind} of {self.form_id} on {self.day}"
