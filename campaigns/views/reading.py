"""Pages that show campaigns and their counts, for every role of the ad account."""

from typing import Any

from django.conf import settings
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, render
from django.views.decorators.http import require_GET

from accounts.access import Can, may, refusal, require
from accounts.authentication import actor_of
from accounts.declarations import allows
from accounts.models import AdAccount
from accounts.shell import shell
from campaigns.models import Ad, AdGroup, Campaign
from campaigns.reports import Line
from campaigns.selectors import campaigns_of, groups_of


def account_of(ad_account_id: int) -> AdAccount:
    """Return the ad account with what its pages need, or 404."""
    rows = AdAccount.objects.select_related("business_center", "library__custodian")
    return get_object_or_404(rows, pk=ad_account_id)


def campaign_of(account: AdAccount, campaign_id: int) -> Campaign:
    """Return the account's campaign, or 404."""
    campaign = get_object_or_404(Campaign, pk=campaign_id, ad_account=account, removed_at=None)
    campaign.ad_account = account
    return campaign


def group_of(account: AdAccount, ad_group_id: int) -> AdGroup:
    """Return the account's ad group, or 404."""
    rows = AdGroup.objects.select_related("campaign__ad_account")
    return get_object_or_404(rows, pk=ad_group_id, campaign__ad_account=account, removed_at=None)


def ad_of(account: AdAccount, ad_id: int) -> Ad:
    """Return the account's ad, or 404."""
    rows = Ad.objects.select_related("ad_group__campaign__ad_account", "form")
    return get_object_or_404(rows, pk=ad_id, ad_group__campaign__ad_account=account, removed_at=None)


def around(request: HttpRequest, account: AdAccount) -> dict[str, Any]:
    """Return the shell, and where leads can be downloaded, or why not and who can help."""
    actor, library = actor_of(request), account.library
    library.ad_account = account
    allowed = may(actor, Can.DOWNLOAD_LEADS, library)
    return {
        "account": account,
        "exports": f"/l/{library.pk}/exports/new/" if allowed else "",
        "no_download": None if allowed else refusal(actor, Can.DOWNLOAD_LEADS, library),
        "public_url": settings.PUBLIC_URL,
        **shell(request, ad_account=account, active="campaigns"),
    }


@allows(Can.VIEW_CAMPAIGNS, of="ad_account")
@require_GET
def campaigns(request: HttpRequest, ad_account_id: int) -> HttpResponse:
    """List the account's campaigns with their counts, for every role."""
    account = account_of(ad_account_id)
    rows = campaigns_of(actor_of(request), account)
    total = sum((row.line for row in rows), Line("", ""))
    context = {"rows": rows, "total": total, "is_sound": all(row.line.counts.is_sound for row in rows)}
    return render(request, "campaigns/campaigns.html", context | around(request, account))


@allows(Can.VIEW_CAMPAIGNS, of="ad_account")
@require_GET
def campaign(request: HttpRequest, ad_account_id: int, campaign_id: int) -> HttpResponse:
    """Show a campaign with its ad groups, ads, links and counts, for every role."""
    account = account_of(ad_account_id)
    require(actor_of(request), Can.VIEW_CAMPAIGNS, account)
    found = campaign_of(account, campaign_id)
    groups = groups_of(actor_of(request), found)
    total = sum((row.line for row in groups), Line("", ""))
    context = {"campaign": found, "groups": groups, "total": total}
    return render(request, "campaigns/campaign.html", context | around(request, account))
