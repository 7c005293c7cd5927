from django.db import models
from django.db.models import Q
from django.db.models.functions import Now
from django.utils.translation import gettext_lazy as _

from accounts.models import LeadLibrary, User
from leadscenter.lib.ids import IdField


class Export(models.Model):
    """A file of leads in the making: keyset chunks up to a bound fixed at the request, under a key of its own."""

    class State(models.TextChoices):
        PENDING = "pending", _("Waiting")
        RUNNING = "running", _("Running")
        DONE = "done", _("Ready")
        FAILED = "failed", _("Stopped")
        EXPIRED = "expired", _("Expired")

    class Layout(models.TextChoices):
        """Which columns the file has."""

        ALL = "all", _("All columns")
        TIKTOK = "tiktok", _("TikTok layout")
        CRM = "crm", _("CRM import")
        CHOSEN = "chosen", _("Chosen columns")
        POSTBACK = "postback", _("TikTok signal postback")

    id = IdField()
    library = models.ForeignKey(LeadLibrary, models.PROTECT, related_name="exports")
    custody = models.PositiveIntegerField()
    requested_by = models.ForeignKey(User, models.PROTECT, related_name="+")
    requested_at = models.DateTimeField(db_default=Now())
    format = models.CharField(max_length=4, default="csv")
    layout = models.CharField(max_length=12, choices=Layout, default=Layout.ALL)
    columns = models.JSONField(default=list, db_default=[])  # keys of ours, in order, where they were chosen
    time_zone = models.CharField(max_length=40, blank=True, default="", db_default="")  # of the times; "": UTC
    is_task = models.BooleanField(default=False, db_default=False)  # of the Marketing API: lives ten minutes
    filter = models.JSONField(default=dict)  # ids, words of ours and digests; never what a person typed
    state = models.CharField(max_length=7, choices=State, default=State.PENDING)
    failure = models.CharField(max_length=200, blank=True)
    bound_at = models.DateTimeField()
    chunk = models.PositiveIntegerField(default=0)
    cursor_at = models.DateTimeField(null=True)
    cursor_id = models.BigIntegerField(null=True)
    total = models.PositiveIntegerField(default=0)
    rows = models.PositiveIntegerField(default=0)
    bytes_written = models.PositiveBigIntegerField(default=0)
    records = models.PositiveIntegerField(default=0)
    is_read = models.BooleanField(default=False, db_default=False)  # every lead stands in the draft
    wrapped_key = models.BinaryField(null=True)
    due_at = models.DateTimeField(db_default=Now())
    lease = models.PositiveIntegerField(default=0)
    tries = models.PositiveIntegerField(default=0, db_default=0)  # leases since the last chunk
    finished_at = models.DateTimeField(null=True)
    expires_at = models.DateTimeField(null=True)
    fetched_at = models.DateTimeField(null=True)  # somebody downloaded the file for the first time
    marked_at = models.DateTimeField(null=True)  # and its leads say so

    class Meta:
        indexes = [
            models.Index(fields=["due_at"], name="export_due", condition=Q(state__in=["pending", "running"])),
            models.Index(fields=["library", "-requested_at"], name="exports_newest"),
            models.Index(
                fields=["fetched_at"], name="export_to_mark", condition=Q(fetched_at__isnull=False, marked_at=None)
            ),
        ]

    def __str__(self) -> str:
        return f"export {self.pk} ({self.state})"
