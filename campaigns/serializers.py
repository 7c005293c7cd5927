"""The JSON shapes of campaigns, ad groups, ads and reports, and the reading of what is sent."""

from typing import Any

from django.http import HttpRequest
from django.utils.translation import gettext as _
from rest_framework import serializers
from rest_framework.request import Request

from accounts.refusals import Invalid
from campaigns.models import Ad, AdGroup, Campaign, Status
from campaigns.reports import Line, Report
from campaigns.services.ads import BUTTON, HEADLINE, TEXT

MAX_ID = 2**63 - 1


class Strict(serializers.Serializer[Any]):
    """Refuses fields that it does not know: a misspelt one must not be lost in silence."""

    def read(self) -> dict[str, Any]:
        """Return the values, or raise `Invalid`."""
        if not isinstance(self.initial_data, dict):
            raise Invalid({"body": _("Send one JSON object.")})
        strange = {str(name)[:60]: _("Unknown field.") for name in self.initial_data if name not in self.fields}
        if not self.is_valid() or strange:
            faults = {name: " ".join(str(text) for text in texts) for name, texts in self.errors.items()}
            both = strange | faults
            raise Invalid({name.encode("utf-8", "replace").decode(): text for name, text in both.items()})
        return dict(self.validated_data)


class CampaignBody(Strict):
    name = serializers.CharField(max_length=120)
    objective = serializers.ChoiceField(choices=Campaign.Objective.choices, required=False)
    budget_cents = serializers.IntegerField(help_text="Hundredths of the ad account's currency.")
    budget_kind = serializers.ChoiceField(choices=Campaign.BudgetKind.choices, required=False)
    starts_on = serializers.DateField(required=False, allow_null=True, help_text="UTC; today when missing.")
    ends_on = serializers.DateField(required=False, allow_null=True)
    status = serializers.ChoiceField(choices=Status.choices, required=False)


class CampaignShape(serializers.Serializer[Any]):
    id = serializers.CharField()
    ad_account = serializers.CharField()
    name = serializers.CharField()
    objective = serializers.ChoiceField(choices=Campaign.Objective.choices)
    status = serializers.ChoiceField(choices=Status.choices)
    budget_cents = serializers.IntegerField()
    budget_kind = serializers.ChoiceField(choices=Campaign.BudgetKind.choices)
    starts_on = serializers.DateField()
    ends_on = serializers.DateField(allow_null=True)
    created_at = serializers.DateTimeField()


class AdGroupBody(Strict):
    name = serializers.CharField(max_length=120)
    status = serializers.ChoiceField(choices=Status.choices, required=False)


class AdGroupShape(serializers.Serializer[Any]):
    id = serializers.CharField()
    campaign = serializers.CharField()
    name = serializers.CharField()
    status = serializers.ChoiceField(choices=Status.choices)
    created_at = serializers.DateTimeField()


class AdBody(Strict):
    name = serializers.CharField(max_length=120)
    headline = serializers.CharField(max_length=HEADLINE)
    text = serializers.CharField(max_length=TEXT, required=False, allow_blank=True)
    button = serializers.CharField(max_length=BUTTON, required=False)
    form = serializers.IntegerField(min_value=1, max_value=MAX_ID, help_text="Id of a form of the same ad account.")
    status = serializers.ChoiceField(choices=Status.choices, required=False)


class AdShape(serializers.Serializer[Any]):
    id = serializers.CharField()
    public_id = serializers.CharField()
    url = serializers.URLField(help_text="The link that attributes what comes of it.")
    ad_group = serializers.CharField()
    form = serializers.CharField()
    name = serializers.CharField()
    status = serializers.ChoiceField(choices=Status.choices)
    headline = serializers.CharField()
    text = serializers.CharField()
    button = serializers.CharField()
    created_at = serializers.DateTimeField()


class LineShape(serializers.Serializer[Any]):
    key = serializers.CharField(allow_null=True, help_text="Id or day; null is unattributed, and the total.")
    name = serializers.CharField()
    impressions = serializers.IntegerField()
    clicks = serializers.IntegerField()
    opens = serializers.IntegerField()
    starts = serializers.IntegerField()
    submits = serializers.IntegerField()
    test_submits = serializers.IntegerField()
    spend_cents = serializers.IntegerField()
    open_rate = serializers.FloatField(allow_null=True)
    start_rate = serializers.FloatField(allow_null=True)
    completion_rate = serializers.FloatField(allow_null=True)
    cvr = serializers.FloatField(allow_null=True)
    cpl_cents = serializers.IntegerField(allow_null=True)


class ReportShape(serializers.Serializer[Any]):
    since = serializers.DateField()
    until = serializers.DateField()
    group_by = serializers.CharField()
    time_zone = serializers.CharField()
    currency = serializers.CharField()
    sound = serializers.BooleanField(help_text="False when opens ≥ starts ≥ submits fails somewhere.")
    rows = LineShape(many=True)
    total = LineShape()


class CampaignPage(serializers.Serializer[Any]):
    results = CampaignShape(many=True)
    next = serializers.URLField(allow_null=True)
    previous = serializers.URLField(allow_null=True)


class AdGroupPage(serializers.Serializer[Any]):
    results = AdGroupShape(many=True)
    next = serializers.URLField(allow_null=True)
    previous = serializers.URLField(allow_null=True)


class AdPage(serializers.Serializer[Any]):
    results = AdShape(many=True)
    next = serializers.URLField(allow_null=True)
    previous = serializers.URLField(allow_null=True)


def campaign_json(campaign: Campaign) -> dict[str, Any]:
    """Return a campaign as the API shows it."""
    return {
        "id": str(campaign.pk),
        "ad_account": str(campaign.ad_account_id),
        "name": campaign.name,
        "objective": campaign.objective,
        "status": campaign.status,
        "budget_cents": campaign.budget_cents,
        "budget_kind": campaign.budget_kind,
        "starts_on": campaign.starts_on,
        "ends_on": campaign.ends_on,
        "created_at": campaign.created_at,
    }


def ad_group_json(group: AdGroup) -> dict[str, Any]:
    """Return an ad group as the API shows it."""
    return {
        "id": str(group.pk),
        "campaign": str(group.campaign_id),
        "name": group.name,
        "status": group.status,
        "created_at": group.created_at,
    }


def ad_json(ad: Ad, request: HttpRequest | Request) -> dict[str, Any]:
    """Return an ad as the API shows it."""
    return {
        "id": str(ad.pk),
        "public_id": ad.public_id,
        "url": request.build_absolute_uri(f"/go/{ad.public_id}/"),
        "ad_group": str(ad.ad_group_id),
        "form": str(ad.form_id),
        "name": ad.name,
        "status": ad.status,
        "headline": ad.headline,
        "text": ad.text,
        "button": ad.button,
        "created_at": ad.created_at,
    }


def report_json(report: Report, currency: str) -> dict[str, Any]:
    """Return a report as the API shows it."""
    return {
        "since": report.since,
        "until": report.until,
        "group_by": report.group_by,
        "time_zone": "UTC",
        "currency": currency,
        "sound": report.is_sound,
        "rows": [line_json(line) for line in report.lines],
        "total": line_json(report.total),
    }


def line_json(line: Line) -> dict[str, Any]:
    """Return a line of a report; a rate without a denominator is null."""
    counts = line.counts
    return {
        "key": line.key or None,
        "name": line.name,
        "impressions": line.impressions,
        "clicks": counts.click,
        "opens": counts.open,
        "starts": counts.start,
        "submits": counts.submit,
        "test_submits": counts.test,
        "spend_cents": line.spend_cents,
        "open_rate": counts.open_rate,
        "start_rate": counts.start_rate,
        "completion_rate": counts.completion_rate,
        "cvr": line.cvr,
        "cpl_cents": line.cpl_cents,
    }
