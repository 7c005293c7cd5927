from django.db import models
from django.db.models import Q
from django.db.models.functions import Now
from django.utils.translation import gettext_lazy as _

from accounts.models import LeadLibrary, User
from leadscenter.lib.ids import IdField


class Notification(models.Model):
    """Something that one person should know. It names objects by id; its words are made when it is read."""

    class Kind(models.TextChoices):
        NEW_LEAD = "new_lead", _("A new lead")
        ASSIGNED = "assigned", _("A lead is assigned to me")
        FOLLOW_UP = "follow_up", _("A follow-up is due")
        CONNECTION = "connection", _("A connection fails")
        EXPIRY = "expiry", _("Leads are about to be deleted")
        EXPORT = "export", _("An export is ready or was stopped")
        IMPORT = "import", _("An import has ended")

    id = IdField()
    user = models.ForeignKey(User, models.CASCADE, related_name="+", db_index=False)
    library = models.ForeignKey(LeadLibrary, models.CASCADE, related_name="+", db_index=False)
    custody = models.PositiveIntegerField()
    kind = models.CharField(max_length=10, choices=Kind)
    object_id = models.BigIntegerField(default=0)
    count = models.PositiveIntegerField(default=1)
    occasion = models.CharField(max_length=60)
    at = models.DateTimeField(db_default=Now())
    in_app = models.BooleanField(default=True)
    read_at = models.DateTimeField(null=True)
    mail_at = models.DateTimeField(null=True)  # when a mail about it is due; a lease of it pushes this on
    mailed_at = models.DateTimeField(null=True)

    class Meta:
        constraints = [
            # A task that runs twice tells once.
            models.UniqueConstraint(fields=["user", "occasion"], name="told_once"),
        ]
        indexes = [
            models.Index(fields=["user", "-at", "-id"], name="notifications_newest"),
            models.Index(fields=["user"], name="notifications_unread", condition=Q(read_at=None)),
            models.Index(fields=["mail_at"], name="notifications_to_mail", condition=Q(mail_at__isnull=False)),
            models.Index(fields=["object_id"], name="notifications_of_object"),
        ]

    def __str__(self) -> str:
        return f"notification {self.pk} ({self.kind})"


class NotificationSetting(models.Model):
    """Where one person wants to be told of one kind; without a row the kind's default counts."""

    user = models.ForeignKey(User, models.CASCADE, related_name="+")
    kind = models.CharField(max_length=10, choices=Notification.Kind)
    in_app = models.BooleanField()
    by_mail = models.BooleanField()

    class Meta:
        constraints = [models.UniqueConstraint(fields=["user", "kind"], name="one_setting_per_kind")]

    def __str__(self) -> str:
        return f"{self.kind} for {self.user_id}"
