import datetime
from dataclasses import dataclass

from django.db import transaction
from django.db.models.functions import Now
from django.utils.translation import gettext as _

from accounts import audit
from accounts.access import Can, require
from accounts.models import Act, AdAccount, User
from accounts.refusals import Invalid
from campaigns.models import Campaign, Status
from campaigns.services.wording import MAX_NAME, bad_status, bad_text, only_faults

MAX_BUDGET = 10**12  # hundredths; ten thousand million of any currency is a typing error


@dataclass(frozen=True, slots=True)
class Plan:
    """What can be set of a campaign. `budget_cents` is in hundredths of the ad account's currency; days are UTC."""

    name: str
    budget_cents: int
    budget_kind: str = Campaign.BudgetKind.DAILY
    starts_on: datetime.date | None = None
    ends_on: datetime.date | None = None
    status: str = Status.ACTIVE

    def faults(self) -> dict[str, str]:
        """Return field → what is wrong."""
        budget = "" if 0 < self.budget_cents <= MAX_BUDGET else _("More than nothing, at most %d.") % MAX_BUDGET
        kinds = Campaign.BudgetKind.values
        starts = self.starts_on or datetime.datetime.now(datetime.UTC).date()
        late = self.ends_on is not None and self.ends_on < starts
        return only_faults(
            name=bad_text(self.name, MAX_NAME),
            budget_cents=budget,
            budget_kind="" if self.budget_kind in kinds else _("One of %(known)s.") % {"known": ", ".join(kinds)},
            ends_on=_("Ends before it starts.") if late else "",
            status=bad_status(self.status),
        )


@transaction.atomic
def create_campaign(*, actor: User, ad_account: AdAccount, plan: Plan) -> Campaign:
    """Make a campaign with the objective lead generation. Raises `Refused`, `Invalid`."""
    require(actor, Can.EDIT_CAMPAIGNS, ad_account)
    campaign = _apply(Campaign(ad_account=ad_account, created_by=actor), plan)
    audit.record(Act.CAMPAIGN_SAVED, ad_account, actor=actor, targets=[campaign.pk], level="campaign")
    campaign.save(force_insert=True)
    return Campaign.objects.select_related("ad_account").get(pk=campaign.pk)


@transaction.atomic
def change_campaign(*, actor: User, campaign: Campaign, plan: Plan) -> Campaign:
    """Change a campaign; `archived` hides its ads' links from attribution. Raises `Refused`, `Invalid`."""
    require(actor, Can.EDIT_CAMPAIGNS, campaign.ad_account)
    _apply(campaign, plan)
    archived = campaign.status == Status.ARCHIVED
    act = Act.CAMPAIGN_ARCHIVED if archived else Act.CAMPAIGN_SAVED
    audit.record(act, campaign.ad_account, actor=actor, targets=[campaign.pk], level="campaign")
    campaign.save(update_fields=["name", "budget_cents", "budget_kind", "starts_on", "ends_on", "status"])
    return campaign


@transaction.atomic
def delete_campaign(*, actor: User, campaign: Campaign) -> bool:
    """Delete an empty campaign; archive and hide any other. Return whether the row is gone. Raises `Refused`."""
    require(actor, Can.EDIT_CAMPAIGNS, campaign.ad_account)
    gone = not campaign.ad_groups.exists()
    audit.record(
        Act.CAMPAIGN_ARCHIVED, campaign.ad_account, actor=actor, targets=[campaign.pk], level="campaign", deleted=gone
    )
    if gone:
        campaign.delete()
    else:
        Campaign.objects.filter(pk=campaign.pk).update(status=Status.ARCHIVED, removed_at=Now())
    return gone


def _apply(campaign: Campaign, plan: Plan) -> Campaign:
    if faults := plan.faults():
        raise Invalid(faults)
    campaign.name = plan.name.strip()
    campaign.budget_cents, campaign.budget_kind = plan.budget_cents, plan.budget_kind
    campaign.starts_on = plan.starts_on or datetime.datetime.now(datetime.UTC).date()
    campaign.ends_on, campaign.status = plan.ends_on, plan.status
    return campaign
