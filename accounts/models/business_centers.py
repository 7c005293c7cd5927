from django.db import models
from django.db.models.functions import Now
from django.utils.translation import gettext_lazy as _

from accounts.models.people import User
from leadscenter.lib.ids import IdField


class BusinessCenterRole(models.TextChoices):
    ADMIN = "admin", _("Admin")
    STANDARD = "standard", _("Standard")


class BusinessCenter(models.Model):
    """A company: it owns ad accounts, and it can hold the leads of accounts that an agency runs for it."""

    class TwoFactor(models.TextChoices):
        DOWNLOADERS = "downloaders", _("People who can download leads")
        EVERYONE = "everyone", _("Everyone")
        NOBODY = "nobody", _("Nobody")

    id = IdField()
    name = models.CharField(max_length=120)
    is_active = models.BooleanField(default=True)
    two_factor = models.CharField(max_length=11, choices=TwoFactor, default=TwoFactor.DOWNLOADERS)
    created_at = models.DateTimeField(db_default=Now())

    def __str__(self) -> str:
        return self.name


class BusinessCenterMember(models.Model):
    id = IdField()
    business_center = models.ForeignKey(BusinessCenter, models.CASCADE, related_name="members")
    user = models.ForeignKey(User, models.CASCADE, related_name="business_center_memberships")
    role = models.CharField(max_length=8, choices=BusinessCenterRole)
    created_at = models.DateTimeField(db_default=Now())

    class Meta:
        constraints = [
            # A person has one role in a Business Center.
            models.UniqueConstraint(fields=["business_center", "user"], name="business_center_member_once"),
        ]

    def __str__(self) -> str:
        return f"{self.role} {self.user_id} of {self.business_center_id}"


class TermsAcceptance(models.Model):
    """An Admin accepted a version of the lead-generation terms for the Business Center, before its first publish."""

    id = IdField()
    business_center = models.ForeignKey(BusinessCenter, models.CASCADE, related_name="terms")
    version = models.CharField(max_length=20)
    accepted_by = models.ForeignKey(User, models.PROTECT)
    accepted_at = models.DateTimeField(db_default=Now())

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["business_center", "version"], name="terms_accepted_once"),
        ]

    def __str__(self) -> str:
        return f"terms {self.version} by {self.business_center_id}"


class Recovery(models.Model):
    """Somebody at the machine asked that a person becomes Admin of a Business Center that has none left.

    It waits, so that every member, who is told by mail, can object before it works.
    """

    class State(models.TextChoices):
        WAITING = "waiting", _("Waiting")
        DONE = "done", _("Done")
        CANCELLED = "cancelled", _("Cancelled")

    id = IdField()
    business_center = models.ForeignKey(BusinessCenter, models.CASCADE, related_name="recoveries")
    user = models.ForeignKey(User, models.PROTECT, related_name="+")
    state = models.CharField(max_length=9, choices=State, default=State.WAITING)
    asked_at = models.DateTimeField(db_default=Now())
    effective_at = models.DateTimeField()
    closed_at = models.DateTimeField(null=True)

    class Meta:
        verbose_name_plural = "recoveries"
        constraints = [
            # Two at once would each be told to the members as the one that counts.
            models.UniqueConstraint(
                fields=["business_center"], condition=models.Q(state="waiting"), name="one_waiting_recovery"
            ),
        ]

    def __str__(self) -> str:
        return f"recovery {self.pk} ({self.state})"
