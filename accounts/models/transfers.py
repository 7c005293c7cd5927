from django.db import models
from django.db.models.functions import Now
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from accounts.models.ad_accounts import LeadLibrary
from accounts.models.business_centers import BusinessCenter
from accounts.models.people import User
from leadscenter.lib.ids import IdField


class Transfer(models.Model):
    """Leads access moves from one Business Center to another: asked for on one side, decided on the other."""

    class State(models.TextChoices):
        REQUESTED = "requested", _("Requested")
        ACCEPTED = "accepted", _("Accepted")
        REJECTED = "rejected", _("Rejected")
        CANCELLED = "cancelled", _("Cancelled")
        EXPIRED = "expired", _("Expired")

    id = IdField()
    library = models.ForeignKey(LeadLibrary, models.CASCADE, related_name="transfers")
    from_business_center = models.ForeignKey(BusinessCenter, models.PROTECT, related_name="transfers_out")
    to_business_center = models.ForeignKey(BusinessCenter, models.PROTECT, related_name="transfers_in")
    state = models.CharField(max_length=9, choices=State, default=State.REQUESTED)
    requested_by = models.ForeignKey(User, models.PROTECT, related_name="+")
    requested_at = models.DateTimeField(db_default=Now())
    expires_at = models.DateTimeField()
    decided_by = models.ForeignKey(User, models.PROTECT, null=True, related_name="+")
    decided_at = models.DateTimeField(null=True)

    class Meta:
        constraints = [
            # Two requests at once would have two answers.
            models.UniqueConstraint(
                fields=["library"], condition=models.Q(state="requested"), name="one_pending_transfer_per_library"
            ),
            models.CheckConstraint(
                condition=~models.Q(from_business_center=models.F("to_business_center")), name="transfer_goes_elsewhere"
            ),
        ]

    def __str__(self) -> str:
        return f"transfer {self.pk} ({self.state})"

    @property
    def state_now(self) -> "Transfer.State":
        """The state by the clock: a request whose time is over has expired, written down or not."""
        over = self.state == self.State.REQUESTED and self.expires_at <= timezone.now()
        return self.State.EXPIRED if over else self.State(self.state)


class AccessAsk(models.Model):
    """A brand's Admin asked for the leads of an ad account whose number they know; its Administrators decide.

    The asker is told the same whether the account exists or not, so a number that leads nowhere leaves a row too.
    """

    class State(models.TextChoices):
        WAITING = "waiting", _("Waiting")
        ANSWERED = "answered", _("Transfer requested")
        DISMISSED = "dismissed", _("Dismissed")

    id = IdField()
    business_center = models.ForeignKey(BusinessCenter, models.CASCADE, related_name="access_asks")
    asked_number = models.BigIntegerField()
    library = models.ForeignKey(LeadLibrary, models.CASCADE, null=True, related_name="access_asks")
    asked_by = models.ForeignKey(User, models.PROTECT, related_name="+")
    asked_at = models.DateTimeField(db_default=Now())
    state = models.CharField(max_length=9, choices=State, default=State.WAITING)
    mailed_at = models.DateTimeField(null=True)
    closed_at = models.DateTimeField(null=True)

    class Meta:
        indexes = [models.Index(fields=["library", "state"], name="asks_of_library")]
        constraints = [
            # Asking again while the first waits would only send the mail again.
            models.UniqueConstraint(
                fields=["business_center", "asked_number"],
                condition=models.Q(state="waiting"),
                name="one_waiting_ask_per_number",
            ),
        ]

    def __str__(self) -> str:
        return f"ask {self.pk} ({self.state})"
