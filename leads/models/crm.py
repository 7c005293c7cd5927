from django.db import models
from django.db.models import Q
from django.db.models.functions import Now
from django.utils.translation import gettext_lazy as _

from accounts.models import LeadLibrary, User
from leadscenter.lib.ids import IdField


class Connection(models.Model):
    """Where the leads of a library are handed to. Its secret is in the vault; it works only in its own custody."""

    class Kind(models.TextChoices):
        WEBHOOK = "webhook", _("Webhook")
        HUBSPOT = "hubspot", _("HubSpot")

    class State(models.TextChoices):
        ACTIVE = "active", _("Connected")
        PAUSED = "paused", _("Paused")
        NEEDS_RECONNECT = "needs_reconnect", _("Needs reconnecting")
        DISABLED = "disabled", _("Disabled")

    id = IdField()
    library = models.ForeignKey(LeadLibrary, models.PROTECT, related_name="connections")
    kind = models.CharField(max_length=20, choices=Kind)
    name = models.CharField(max_length=80)
    url = models.URLField(max_length=500, blank=True)
    state = models.CharField(max_length=15, choices=State, default=State.ACTIVE)
    state_reason = models.CharField(max_length=200, blank=True)
    custody = models.PositiveIntegerField()
    mapping = models.JSONField(default=list)
    options = models.JSONField(default=dict)
    created_by = models.ForeignKey(User, models.PROTECT, related_name="+")
    created_at = models.DateTimeField(db_default=Now())
    removed_at = models.DateTimeField(null=True)
    last_success_at = models.DateTimeField(null=True)
    first_failure_at = models.DateTimeField(null=True)
    open_until = models.DateTimeField(null=True)  # the breaker: nothing is leased before then
    breaker_step = models.PositiveSmallIntegerField(default=0)
    recent_attempts = models.PositiveIntegerField(default=0)
    recent_failures = models.PositiveIntegerField(default=0)
    window_started_at = models.DateTimeField(null=True)

    def __str__(self) -> str:
        return f"connection {self.pk} ({self.kind})"


class Delivery(models.Model):
    """One event on its way to one connection: the outbox. The row is the truth, the broker carries ticks only.

    `due_at` is schedule, back-off and lease in one; `lease` grows at each lease and is the fence when settling;
    `attempts` counts answers, not leases. `waiting` is not stored: it follows from the connection.
    """

    class State(models.TextChoices):
        PENDING = "pending", _("Pending")
        DONE = "done", _("Delivered")
        DEAD = "dead", _("Failed")
        SKIPPED = "skipped", _("Skipped")

    id = IdField()
    library_id = models.BigIntegerField()
    connection = models.ForeignKey(Connection, models.PROTECT, related_name="deliveries", db_index=False)
    lead_id = models.BigIntegerField()
    received_at = models.DateTimeField()  # when the lead was, which never changes: the list reads what is open by it
    event_key = models.CharField(max_length=60)
    state = models.CharField(max_length=7, choices=State, default=State.PENDING)
    due_at = models.DateTimeField(db_default=Now())
    lease = models.PositiveIntegerField(default=0)
    leases_unanswered = models.PositiveSmallIntegerField(default=0)
    attempts = models.PositiveSmallIntegerField(default=0)
    created_at = models.DateTimeField(db_default=Now())
    settled_at = models.DateTimeField(null=True)

    class Meta:
        verbose_name_plural = "deliveries"
        constraints = [
            # One id for life: the receiver's key against seeing an event twice.
            models.UniqueConstraint(fields=["connection", "event_key"], name="delivery_once"),
        ]
        indexes = [
            models.Index(fields=["connection", "due_at"], name="delivery_due", condition=Q(state="pending")),
            models.Index(fields=["connection", "-created_at", "-id"], name="delivery_log"),
            models.Index(fields=["lead_id"], name="delivery_of_lead"),
            models.Index(  # what is open is little: listed and counted from here alone
                fields=["library_id", "state", "-received_at", "-lead_id"],
                include=["connection", "attempts", "settled_at"],
                name="delivery_open",
                condition=Q(state__in=["pending", "dead"]),
            ),
            models.Index(  # what became of them in the last day or month, counted from here alone
                fields=["library_id", "settled_at"],
                include=["connection", "state"],
                name="delivery_settled",
                condition=Q(settled_at__isnull=False),
            ),
        ]

    def __str__(self) -> str:
        return f"delivery {self.pk}"


class DeliveryAttempt(models.Model):
    """One answer, or the lack of one. What the receiver wrote is in the vault (CRMs echo e-mails in errors)."""

    id = IdField()
    delivery = models.ForeignKey(Delivery, models.CASCADE, related_name="attempt_log")
    at = models.DateTimeField(db_default=Now())
    status = models.PositiveSmallIntegerField(null=True)
    outcome = models.CharField(max_length=20)
    code = models.CharField(max_length=60, blank=True)
    ms = models.PositiveIntegerField(default=0)

    class Meta:
        indexes = [models.Index(fields=["delivery", "at"], name="attempts_of_delivery")]

    def __str__(self) -> str:
        return f"attempt {self.pk} of {self.delivery_id}"
