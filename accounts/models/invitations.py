from django.db import models
from django.db.models.functions import Now
from django.utils.translation import gettext_lazy as _

from accounts.models.ad_accounts import AccountRole, AdAccount
from accounts.models.business_centers import BusinessCenter, BusinessCenterRole
from accounts.models.people import User
from leadscenter.lib.ids import IdField


class Invitation(models.Model):
    """A role in a Business Center or an ad account, offered by mail: the link works once, for its address, for a week.

    Only a digest of the link's key is kept.
    """

    class State(models.TextChoices):
        WAITING = "waiting", _("Waiting")
        ACCEPTED = "accepted", _("Accepted")
        REVOKED = "revoked", _("Taken back")

    id = IdField()
    business_center = models.ForeignKey(BusinessCenter, models.CASCADE, null=True, related_name="invitations")
    ad_account = models.ForeignKey(AdAccount, models.CASCADE, null=True, related_name="invitations")
    email = models.EmailField(max_length=254)
    role = models.CharField(max_length=13, choices=[*BusinessCenterRole.choices, *AccountRole.choices])
    digest = models.BinaryField(max_length=32, unique=True)
    state = models.CharField(max_length=8, choices=State, default=State.WAITING)
    invited_by = models.ForeignKey(User, models.PROTECT, related_name="+")
    invited_at = models.DateTimeField(db_default=Now())
    expires_at = models.DateTimeField()
    closed_at = models.DateTimeField(null=True)

    class Meta:
        constraints = [
            models.CheckConstraint(
                condition=models.Q(business_center__isnull=True) ^ models.Q(ad_account__isnull=True),
                name="invitation_is_to_one_place",
            ),
            # Two open links for one place and address would be two answers to "was it taken back?".
            models.UniqueConstraint(
                fields=["business_center", "email"],
                condition=models.Q(state="waiting"),
                name="one_waiting_invitation_to_center",
            ),
            models.UniqueConstraint(
                fields=["ad_account", "email"],
                condition=models.Q(state="waiting"),
                name="one_waiting_invitation_to_account",
            ),
        ]

    def __str__(self) -> str:
        return f"invitation {self.pk} ({self.state})"
