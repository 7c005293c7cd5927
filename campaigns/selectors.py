"""Reads: an ad account's campaigns with their counts, and the public link of an ad."""

from dataclasses import dataclass

from accounts.access import Can, require
from accounts.models import AdAccount, User
from campaigns import reports
from campaigns.models import Ad, AdGroup, Campaign, Status
from campaigns.reports import Line
from forms_builder.models import Form


@dataclass(frozen=True, slots=True)
class CampaignRow:
    """A line of the campaigns list; counts are of all time."""

    campaign: Campaign
    ad_groups: int
    ads: int
    line: Line


@dataclass(frozen=True, slots=True)
class AdRow:
    ad: Ad
    line: Line


@dataclass(frozen=True, slots=True)
class GroupRow:
    ad_group: AdGroup
    ads: list[AdRow]
    line: Line


def campaigns_of(actor: User, ad_account: AdAccount) -> list[CampaignRow]:
    """Return the account's campaigns, newest first, with counts: six queries beside the permission."""
    require(actor, Can.VIEW_CAMPAIGNS, ad_account)
    campaigns = list(Campaign.objects.filter(ad_account=ad_account, removed_at=None).order_by("-created_at", "-pk"))
    groups = list(AdGroup.objects.filter(campaign__in=[campaign.pk for campaign in campaigns]))
    ads = list(Ad.objects.filter(ad_group__in=[group.pk for group in groups]))
    lines = _lines(ad_account.pk, ads)
    rows = []
    for campaign in campaigns:
        mine = {group.pk for group in groups if group.campaign_id == campaign.pk}
        shown = [group for group in groups if group.pk in mine and group.removed_at is None]
        theirs = [ad for ad in ads if ad.ad_group_id in mine]
        line = sum((lines[ad.pk] for ad in theirs), Line(str(campaign.pk), campaign.name))
        rows.append(CampaignRow(campaign, len(shown), sum(ad.removed_at is None for ad in theirs), line))
    return rows


def groups_of(actor: User, campaign: Campaign) -> list[GroupRow]:
    """Return the campaign's ad groups with their ads and counts, oldest first; deleted ads still count."""
    require(actor, Can.VIEW_CAMPAIGNS, campaign.ad_account)
    groups = list(campaign.ad_groups.filter(removed_at=None).order_by("created_at", "pk"))
    every = Ad.objects.filter(ad_group__in=[group.pk for group in groups]).select_related("form")
    ads = list(every.order_by("created_at", "pk"))
    lines = _lines(campaign.ad_account_id, ads)
    rows = []
    for group in groups:
        mine = [ad for ad in ads if ad.ad_group_id == group.pk]
        line = sum((lines[ad.pk] for ad in mine), Line(str(group.pk), group.name))
        rows.append(GroupRow(group, [AdRow(ad, lines[ad.pk]) for ad in mine if ad.removed_at is None], line))
    return rows


def _lines(ad_account_id: int, ads: list[Ad]) -> dict[int, Line]:
    forms = Form.objects.filter(ad_account=ad_account_id)  # an ad may have opened another form before
    return reports.by_ad(list(forms.values_list("pk", flat=True)), [ad.pk for ad in ads])


@dataclass(frozen=True, slots=True)
class Destination:
    """Where an ad's link leads; `ad_id` is 0 when what comes of it is not attributed any more."""

    form_id: int
    form_public_id: str
    version: int
    ad_id: int


def destination_of(public_id: str) -> Destination | None:
    """Return where `/go/<public_id>/` leads; an archived ad, or one of another account, attributes nothing."""
    if not (public_id.isascii() and public_id.isalnum()):
        return None  # no name of ours, and Postgres takes no NUL
    ad = Ad.objects.filter(public_id=public_id).select_related("ad_group__campaign", "form__published").first()
    if ad is None:
        return None
    group, campaign, form = ad.ad_group, ad.ad_group.campaign, ad.form
    over = Status.ARCHIVED in (ad.status, group.status, campaign.status)
    counts = not over and form.ad_account_id == campaign.ad_account_id
    version = form.published.number if form.published else 0
    return Destination(form.pk, form.public_id, version, ad.pk if counts else 0)
