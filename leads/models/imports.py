from django.db import models
from django.db.models import Q
from django.db.models.functions import Now
from django.utils.translation import gettext_lazy as _

from accounts.models import LeadLibrary, User
from forms_builder.models import Form, FormVersion
from leadscenter.lib.ids import IdField


class Import(models.Model):
    """A file of leads on its way in. The file lies sealed on disk under a key of its own; this row holds no cell of it.

    `uploaded` waits for its mapping, `checked` was run dry and waits for a yes. `cursor` is the last row that is
    committed, so that a killed run goes on behind it. `version` is what the rows are judged by, whatever is published
    meanwhile. `records` and `bytes_written` are of the file, `fault_records` and `fault_bytes` of the one that holds
    the faulty rows.
    """

    class State(models.TextChoices):
        UPLOADED = "uploaded", _("Uploaded")
        CHECKING = "checking", _("Checking")
        CHECKED = "checked", _("Checked")
        RUNNING = "running", _("Running")
        DONE = "done", _("Imported")
        FAILED = "failed", _("Stopped")
        EXPIRED = "expired", _("Expired")

    class Duplicates(models.TextChoices):
        SKIP = "skip", _("Leave out people who are here already")
        ADD = "add", _("Add them as possible duplicates")
        UPDATE = "update", _("Change status, labels and assignee of the lead that is here")

    id = IdField()
    library = models.ForeignKey(LeadLibrary, models.PROTECT, related_name="imports")
    custody = models.PositiveIntegerField()
    form = models.ForeignKey(Form, models.PROTECT, related_name="+")
    version = models.ForeignKey(FormVersion, models.PROTECT, null=True, related_name="+")
    requested_by = models.ForeignKey(User, models.PROTECT, related_name="+")
    requested_at = models.DateTimeField(db_default=Now())
    format = models.CharField(max_length=4, default="csv")
    mapping = models.JSONField(default=list)  # per column of the file: the key that it fills, or ""
    duplicates = models.CharField(max_length=6, choices=Duplicates, default=Duplicates.SKIP)
    deliver = models.BooleanField(default=False)  # to the connected CRMs, as new leads are
    straight_on = models.BooleanField(default=False)  # from the check to the import, without a question
    notices = models.CharField(max_length=60, blank=True)  # words of ours about the file, space between
    state = models.CharField(max_length=8, choices=State, default=State.UPLOADED)
    failure = models.CharField(max_length=200, blank=True)
    total = models.PositiveIntegerField(default=0)
    cursor = models.PositiveIntegerField(default=0)
    made = models.PositiveIntegerField(default=0)
    updated = models.PositiveIntegerField(default=0)
    skipped = models.PositiveIntegerField(default=0)
    faulty = models.PositiveIntegerField(default=0)
    bytes_written = models.PositiveBigIntegerField(default=0)
    records = models.PositiveIntegerField(default=0)
    fault_bytes = models.PositiveBigIntegerField(default=0)
    fault_records = models.PositiveIntegerField(default=0)
    wrapped_key = models.BinaryField(null=True)
    due_at = models.DateTimeField(db_default=Now())
    lease = models.PositiveIntegerField(default=0)
    tries = models.PositiveSmallIntegerField(default=0)  # leases since the last step forward
    finished_at = models.DateTimeField(null=True)
    expires_at = models.DateTimeField(null=True)

    class Meta:
        indexes = [
            models.Index(fields=["due_at"], name="import_due", condition=Q(state__in=["checking", "running"])),
            models.Index(fields=["library", "-requested_at"], name="imports_newest"),
        ]

    def __str__(self) -> str:
        return f"import {self.pk} ({self.state})"
