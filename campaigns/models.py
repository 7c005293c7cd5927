"""Who was invited to answer: campaign → ad group → ad, and what it cost."""

from django.conf import settings
from django.db import models
from django.db.models import F, Q
from django.db.models.functions import Now
from django.utils.translation import gettext_lazy as _

from accounts.models import AdAccount
from forms_builder.models import Form
from leadscenter.lib.ids import IdField, public_id


class Status(models.TextChoices):
    """Of campaigns, ad groups and ads alike; `removed_at` hides what was deleted but has a history."""

    ACTIVE = "active", _("Active")
    PAUSED = "paused", _("Paused")
    ARCHIVED = "archived", _("Archived")


class Campaign(models.Model):
    """What is spent, and when. Amounts are in the hundredth part of the ad account's currency."""

    class Objective(models.TextChoices):
        LEAD_GENERATION = "lead_generation", _("Lead generation")

    class BudgetKind(models.TextChoices):
        DAILY = "daily", _("Daily")
        TOTAL = "total", _("Total")

    id = IdField()
    ad_account = models.ForeignKey(AdAccount, models.PROTECT, related_name="campaigns")
    name = models.CharField(max_length=120)
    objective = models.CharField(max_length=15, choices=Objective, default=Objective.LEAD_GENERATION)
    status = models.CharField(max_length=8, choices=Status, default=Status.ACTIVE)
    budget_cents = models.PositiveBigIntegerField()
    budget_kind = models.CharField(max_length=5, choices=BudgetKind, default=BudgetKind.DAILY)
    starts_on = models.DateField()
    ends_on = models.DateField(null=True, blank=True)
    created_by = models.ForeignKey(settings.AUTH_USER_MODEL, models.PROTECT, null=True, related_name="+")
    created_at = models.DateTimeField(db_default=Now())
    removed_at = models.DateTimeField(null=True)

    class Meta:
        indexes = [models.Index(fields=["ad_account", "-created_at", "-id"], name="campaigns_of_account")]
        constraints = [
            models.CheckConstraint(
                condition=Q(ends_on__isnull=True) | Q(ends_on__gte=F("starts_on")), name="campaign_ends_after_start"
            ),
            models.CheckConstraint(condition=Q(budget_cents__gt=0), name="campaign_has_a_budget"),
        ]

    def __str__(self) -> str:
        return self.name


class AdGroup(models.Model):
    id = IdField()
    campaign = models.ForeignKey(Campaign, models.PROTECT, related_name="ad_groups")
    name = models.CharField(max_length=120)
    status = models.CharField(max_length=8, choices=Status, default=Status.ACTIVE)
    created_at = models.DateTimeField(db_default=Now())
    removed_at = models.DateTimeField(null=True)

    class Meta:
        indexes = [models.Index(fields=["campaign", "created_at", "id"], name="groups_of_campaign")]

    def __str__(self) -> str:
        return self.name


class Ad(models.Model):
    """A creative and the form that it opens. `/go/<public_id>/` leads to the form and attributes what comes of it."""

    id = IdField()
    public_id = models.CharField(max_length=10, unique=True, default=public_id, editable=False)
    ad_group = models.ForeignKey(AdGroup, models.PROTECT, related_name="ads")
    form = models.ForeignKey(Form, models.PROTECT, related_name="ads")
    name = models.CharField(max_length=120)
    status = models.CharField(max_length=8, choices=Status, default=Status.ACTIVE)
    headline = models.CharField(max_length=100)
    text = models.CharField(max_length=500, blank=True)
    button = models.CharField(max_length=30, default="Learn more")
    created_at = models.DateTimeField(db_default=Now())
    removed_at = models.DateTimeField(null=True)

    class Meta:
        indexes = [models.Index(fields=["ad_group", "created_at", "id"], name="ads_of_group")]

    def __str__(self) -> str:
        return self.name


class AdDay(models.Model):
    """What the ad network reports about one ad and day (UTC): imported or simulated, never made from leads."""

    id = IdField()
    ad = models.ForeignKey(Ad, models.PROTECT, related_name="days")
    day = models.DateField()
    impressions = models.PositiveBigIntegerField(default=0)
    clicks = models.PositiveBigIntegerField(default=0)
    spend_cents = models.PositiveBigIntegerField(default=0)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["ad", "day"], name="one_report_per_ad_and_day")]

    def __str__(self) -> str:
        return f"{self.ad_id} on {self.day}"
