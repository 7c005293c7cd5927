from django.db import transaction
from django.db.models.functions import Now

from accounts import audit
from accounts.access import Can, require
from accounts.models import Act, User
from accounts.refusals import Invalid
from campaigns.models import AdGroup, Campaign, Status
from campaigns.services.wording import MAX_NAME, bad_status, bad_text, only_faults


@transaction.atomic
def create_ad_group(*, actor: User, campaign: Campaign, name: str, status: str = Status.ACTIVE) -> AdGroup:
    """Make an ad group in a campaign. Raises `Refused`, `Invalid`."""
    require(actor, Can.EDIT_CAMPAIGNS, campaign.ad_account)
    group = _apply(AdGroup(campaign=campaign), name, status)
    audit.record(Act.CAMPAIGN_SAVED, campaign.ad_account, actor=actor, targets=[group.pk], level="ad_group")
    group.save(force_insert=True)
    return AdGroup.objects.select_related("campaign__ad_account").get(pk=group.pk)


@transaction.atomic
def change_ad_group(*, actor: User, ad_group: AdGroup, name: str, status: str) -> AdGroup:
    """Rename, pause or archive an ad group. Raises `Refused`, `Invalid`."""
    account = ad_group.campaign.ad_account
    require(actor, Can.EDIT_CAMPAIGNS, account)
    _apply(ad_group, name, status)
    audit.record(Act.CAMPAIGN_SAVED, account, actor=actor, targets=[ad_group.pk], level="ad_group")
    ad_group.save(update_fields=["name", "status"])
    return ad_group


@transaction.atomic
def delete_ad_group(*, actor: User, ad_group: AdGroup) -> bool:
    """Delete an empty ad group; archive and hide any other. Return whether the row is gone. Raises `Refused`."""
    account = ad_group.campaign.ad_account
    require(actor, Can.EDIT_CAMPAIGNS, account)
    gone = not ad_group.ads.exists()
    audit.record(Act.CAMPAIGN_ARCHIVED, account, actor=actor, targets=[ad_group.pk], level="ad_group", deleted=gone)
    if gone:
        ad_group.delete()
    else:
        AdGroup.objects.filter(pk=ad_group.pk).update(status=Status.ARCHIVED, removed_at=Now())
    return gone


def _apply(group: AdGroup, name: str, status: str) -> AdGroup:
    if faults := only_faults(name=bad_text(name, MAX_NAME), status=bad_status(status)):
        raise Invalid(faults)
    group.name, group.status = name.strip(), status
    return group
