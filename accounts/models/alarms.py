from django.db import models
from django.db.models.functions import Now
from django.utils.translation import gettext_lazy as _

from accounts.models.ad_accounts import LeadLibrary
from accounts.models.people import User
from leadscenter.lib.ids import IdField


class Alarm(models.Model):
    """Reading of a library is out of the ordinary: its holders are mailed and see it until one of them notes it."""

    class Kind(models.TextChoices):
        LARGE_DOWNLOAD = "large_download", _("A large part of the library was downloaded")
        MANY_REVEALS = "many_reveals", _("Far more contact details revealed than usual")
        NEW_COUNTRY = "new_country", _("Leads were read from a new country")
        NEW_TOKEN = "new_token", _("Leads were read with a new API token")
        UNOPENABLE = "unopenable", _("A sealed value could not be opened")
        TRAIL_BROKEN = "trail_broken", _("The trail does not verify")

    id = IdField()
    library = models.ForeignKey(LeadLibrary, models.CASCADE, related_name="alarms")
    kind = models.CharField(max_length=14, choices=Kind)
    actor = models.ForeignKey(User, models.PROTECT, null=True, related_name="+")
    about = models.CharField(max_length=80)
    raised_at = models.DateTimeField(db_default=Now())
    detail = models.JSONField(default=dict)
    seen_at = models.DateTimeField(null=True)
    seen_by = models.ForeignKey(User, models.PROTECT, null=True, related_name="+")

    class Meta:
        indexes = [models.Index(fields=["library", "-raised_at"], name="alarms_of_library")]
        constraints = [
            # `about` names the occasion (person and day, token, seal): one alarm each, however often it is looked at.
            models.UniqueConstraint(fields=["library", "kind", "about"], name="one_alarm_per_occasion"),
        ]

    def __str__(self) -> str:
        return f"alarm {self.kind} of {self.library_id}"
