"""REST API of campaigns, ad groups, ads and the report; bodies: `serializers.py`."""

import dataclasses
import datetime
from typing import Any

from django.db.models import Model, QuerySet
from django.shortcuts import get_object_or_404
from django.utils.translation import gettext as _
from drf_spectacular.utils import OpenApiParameter, extend_schema
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from accounts.access import Can, require
from accounts.authentication import actor_of
from accounts.models import AdAccount
from accounts.refusals import Invalid
from campaigns import reports, services
from campaigns.models import Ad, AdGroup, Campaign
from campaigns.serializers import (
    AdBody,
    AdGroupBody,
    AdGroupPage,
    AdGroupShape,
    AdPage,
    AdShape,
    CampaignBody,
    CampaignPage,
    CampaignShape,
    ReportShape,
    ad_group_json,
    ad_json,
    campaign_json,
    report_json,
)
from campaigns.services.ads import Creative
from campaigns.services.campaigns import Plan
from leadscenter.lib.paging import BadCursor, keyset_page, page_body


def campaign_of(campaign_id: int) -> Campaign:
    """Return the campaign or answer 404."""
    return get_object_or_404(Campaign.objects.select_related("ad_account"), pk=campaign_id, removed_at=None)


def ad_group_of(ad_group_id: int) -> AdGroup:
    """Return the ad group or answer 404."""
    rows = AdGroup.objects.filter(removed_at=None, campaign__removed_at=None)
    return get_object_or_404(rows.select_related("campaign__ad_account"), pk=ad_group_id)


def ad_of(ad_id: int) -> Ad:
    """Return the ad or answer 404."""
    rows = Ad.objects.filter(removed_at=None, ad_group__removed_at=None, ad_group__campaign__removed_at=None)
    return get_object_or_404(rows.select_related("ad_group__campaign__ad_account", "form"), pk=ad_id)


def paged(request: Request, rows: QuerySet[Any], show: Any) -> Response:
    """Return one page of `rows`, newest first."""
    try:
        page = keyset_page(rows, order="-created_at", cursor=request.query_params.get("cursor"))
    except BadCursor as error:
        raise Invalid({"cursor": _("Not a cursor of this list.")}) from error
    return Response(page_body(page, [show(row) for row in page.rows], request.build_absolute_uri()))


def merged(old: Model, values: dict[str, Any], names: tuple[str, ...]) -> dict[str, Any]:
    """Return what is there for `names`, with what was sent in its place."""
    return {name: values.get(name, getattr(old, name)) for name in names}


PLAN = tuple(field.name for field in dataclasses.fields(Plan))


class AccountCampaigns(APIView):
    """The campaigns of an ad account."""

    can = Can.VIEW_CAMPAIGNS
    can_post = Can.EDIT_CAMPAIGNS

    @extend_schema(operation_id="campaigns_list", responses=CampaignPage)
    def get(self, request: Request, ad_account_id: int) -> Response:
        """List the account's campaigns, newest first."""
        account = get_object_or_404(AdAccount, pk=ad_account_id)
        require(actor_of(request), Can.VIEW_CAMPAIGNS, account)
        return paged(request, Campaign.objects.filter(ad_account=account, removed_at=None), campaign_json)

    @extend_schema(operation_id="campaigns_create", request=CampaignBody, responses={201: CampaignShape})
    def post(self, request: Request, ad_account_id: int) -> Response:
        """Make a campaign with the objective lead generation."""
        account = get_object_or_404(AdAccount, pk=ad_account_id)
        require(actor_of(request), Can.EDIT_CAMPAIGNS, account)
        values = CampaignBody(data=request.data).read()
        values.pop("objective", None)
        campaign = services.create_campaign(actor=actor_of(request), ad_account=account, plan=Plan(**values))
        return Response(campaign_json(campaign), status=201)


class OneCampaign(APIView):
    """A campaign."""

    can = Can.VIEW_CAMPAIGNS
    can_patch = Can.EDIT_CAMPAIGNS
    can_delete = Can.EDIT_CAMPAIGNS

    @extend_schema(operation_id="campaigns_get", responses=CampaignShape)
    def get(self, request: Request, campaign_id: int) -> Response:
        """Return the campaign."""
        campaign = campaign_of(campaign_id)
        require(actor_of(request), Can.VIEW_CAMPAIGNS, campaign.ad_account)
        return Response(campaign_json(campaign))

    @extend_schema(operation_id="campaigns_change", request=CampaignBody, responses=CampaignShape)
    def patch(self, request: Request, campaign_id: int) -> Response:
        """Change what is sent."""
        campaign = campaign_of(campaign_id)
        require(actor_of(request), Can.EDIT_CAMPAIGNS, campaign.ad_account)
        values = CampaignBody(data=request.data, partial=True).read()
        plan = Plan(**merged(campaign, values, PLAN))
        return Response(campaign_json(services.change_campaign(actor=actor_of(request), campaign=campaign, plan=plan)))

    @extend_schema(operation_id="campaigns_delete", responses={204: None})
    def delete(self, request: Request, campaign_id: int) -> Response:
        """Delete the campaign; one with ad groups is archived and hidden instead, its counts stay."""
        services.delete_campaign(actor=actor_of(request), campaign=campaign_of(campaign_id))
        return Response(status=204)


class CampaignAdGroups(APIView):
    """The ad groups of a campaign."""

    can = Can.VIEW_CAMPAIGNS
    can_post = Can.EDIT_CAMPAIGNS

    @extend_schema(operation_id="ad_groups_list", responses=AdGroupPage)
    def get(self, request: Request, campaign_id: int) -> Response:
        """List the campaign's ad groups, newest first."""
        campaign = campaign_of(campaign_id)
        require(actor_of(request), Can.VIEW_CAMPAIGNS, campaign.ad_account)
        return paged(request, campaign.ad_groups.filter(removed_at=None), ad_group_json)

    @extend_schema(operation_id="ad_groups_create", request=AdGroupBody, responses={201: AdGroupShape})
    def post(self, request: Request, campaign_id: int) -> Response:
        """Make an ad group."""
        campaign = campaign_of(campaign_id)
        require(actor_of(request), Can.EDIT_CAMPAIGNS, campaign.ad_account)
        values = AdGroupBody(data=request.data).read()
        group = services.create_ad_group(actor=actor_of(request), campaign=campaign, **values)
        return Response(ad_group_json(group), status=201)


class OneAdGroup(APIView):
    """An ad group."""

    can = Can.VIEW_CAMPAIGNS
    can_patch = Can.EDIT_CAMPAIGNS
    can_delete = Can.EDIT_CAMPAIGNS

    @extend_schema(operation_id="ad_groups_get", responses=AdGroupShape)
    def get(self, request: Request, ad_group_id: int) -> Response:
        """Return the ad group."""
        group = ad_group_of(ad_group_id)
        require(actor_of(request), Can.VIEW_CAMPAIGNS, group.campaign.ad_account)
        return Response(ad_group_json(group))

    @extend_schema(operation_id="ad_groups_change", request=AdGroupBody, responses=AdGroupShape)
    def patch(self, request: Request, ad_group_id: int) -> Response:
        """Change what is sent."""
        group = ad_group_of(ad_group_id)
        require(actor_of(request), Can.EDIT_CAMPAIGNS, group.campaign.ad_account)
        values = merged(group, AdGroupBody(data=request.data, partial=True).read(), ("name", "status"))
        return Response(ad_group_json(services.change_ad_group(actor=actor_of(request), ad_group=group, **values)))

    @extend_schema(operation_id="ad_groups_delete", responses={204: None})
    def delete(self, request: Request, ad_group_id: int) -> Response:
        """Delete the ad group; one with ads is archived and hidden instead."""
        services.delete_ad_group(actor=actor_of(request), ad_group=ad_group_of(ad_group_id))
        return Response(status=204)


class AdGroupAds(APIView):
    """The ads of an ad group."""

    can = Can.VIEW_CAMPAIGNS
    can_post = Can.EDIT_CAMPAIGNS

    @extend_schema(operation_id="ads_list", responses=AdPage)
    def get(self, request: Request, ad_group_id: int) -> Response:
        """List the group's ads, newest first."""
        group = ad_group_of(ad_group_id)
        require(actor_of(request), Can.VIEW_CAMPAIGNS, group.campaign.ad_account)
        return paged(request, group.ads.filter(removed_at=None), lambda ad: ad_json(ad, request))

    @extend_schema(operation_id="ads_create", request=AdBody, responses={201: AdShape})
    def post(self, request: Request, ad_group_id: int) -> Response:
        """Make an ad that opens a form."""
        group = ad_group_of(ad_group_id)
        require(actor_of(request), Can.EDIT_CAMPAIGNS, group.campaign.ad_account)
        values = AdBody(data=request.data).read()
        creative = Creative(form_id=values.pop("form"), **values)
        ad = services.create_ad(actor=actor_of(request), ad_group=group, creative=creative)
        return Response(ad_json(ad, request), status=201)


class OneAd(APIView):
    """An ad."""

    can = Can.VIEW_CAMPAIGNS
    can_patch = Can.EDIT_CAMPAIGNS
    can_delete = Can.EDIT_CAMPAIGNS

    @extend_schema(operation_id="ads_get", responses=AdShape)
    def get(self, request: Request, ad_id: int) -> Response:
        """Return the ad."""
        ad = ad_of(ad_id)
        require(actor_of(request), Can.VIEW_CAMPAIGNS, ad.ad_group.campaign.ad_account)
        return Response(ad_json(ad, request))

    @extend_schema(operation_id="ads_change", request=AdBody, responses=AdShape)
    def patch(self, request: Request, ad_id: int) -> Response:
        """Change what is sent; leads that came before keep their attribution."""
        ad = ad_of(ad_id)
        require(actor_of(request), Can.EDIT_CAMPAIGNS, ad.ad_group.campaign.ad_account)
        values = AdBody(data=request.data, partial=True).read()
        form_id = values.pop("form", ad.form_id)
        names = ("name", "headline", "text", "button", "status")
        creative = Creative(form_id=form_id, **merged(ad, values, names))
        return Response(ad_json(services.change_ad(actor=actor_of(request), ad=ad, creative=creative), request))

    @extend_schema(operation_id="ads_delete", responses={204: None})
    def delete(self, request: Request, ad_id: int) -> Response:
        """Delete the ad; one with a history is archived and hidden instead."""
        services.delete_ad(actor=actor_of(request), ad=ad_of(ad_id))
        return Response(status=204)


class AccountReport(APIView):
    """Counts of an ad account; for every role, never a lead."""

    can = Can.VIEW_CAMPAIGNS

    @extend_schema(
        operation_id="report",
        responses=ReportShape,
        parameters=[
            OpenApiParameter(
                "since", datetime.date, description="First day, UTC; 29 days before `until` when missing."
            ),
            OpenApiParameter("until", datetime.date, description="Last day, UTC; today when missing."),
            OpenApiParameter("group_by", str, enum=list(reports.GROUPINGS)),
        ],
    )
    def get(self, request: Request, ad_account_id: int) -> Response:
        """Return opens, starts, submits, clicks and spend per day, campaign, ad group, ad or form."""
        account = get_object_or_404(AdAccount, pk=ad_account_id)
        require(actor_of(request), Can.VIEW_CAMPAIGNS, account)
        since, until, group_by = read_range(request.query_params)
        found = reports.report(actor=actor_of(request), ad_account=account, since=since, until=until, group_by=group_by)
        return Response(report_json(found, account.currency))


def read_range(query: Any) -> tuple[datetime.date, datetime.date, reports.GroupBy]:
    """Return (since, until, group_by) of a query string; raises `Invalid`."""
    first, last = reports.default_days()
    errors: dict[str, str] = {}
    days = {"since": None, "until": last}
    for name in ("since", "until"):
        if text := query.get(name):
            try:
                days[name] = datetime.date.fromisoformat(text)
            except ValueError:
                errors[name] = _("A day such as 2026-11-30.")
    until = days["until"] or last
    span = datetime.timedelta(days=reports.DEFAULT_DAYS - 1)
    since = days["since"] or (until - span if until - datetime.date.min > span else first)
    if not errors and not 0 <= (until - since).days < reports.MAX_DAYS:
        errors["since"] = _("At most %(limit)d days, the first before the last.") % {"limit": reports.MAX_DAYS}
    group_by = query.get("group_by") or "day"
    found = next((known for known in reports.GROUPINGS if known == group_by), None)
    if found is None:
        errors["group_by"] = _("One of %(known)s.") % {"known": ", ".join(reports.GROUPINGS)}
    if errors or found is None:
        raise Invalid(errors)
    return since, until, found
