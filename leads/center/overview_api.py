"""REST API of the overview: the numbers of the page, under the page's filters. Counts for every role, never a lead."""

from typing import Any

from django.shortcuts import get_object_or_404
from drf_spectacular.utils import OpenApiParameter, extend_schema
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from accounts.access import Can, require
from accounts.authentication import actor_of
from accounts.models import AdAccount
from leads.center.overview import GROUPS, PERIODS, Overview, account_overview, library_overview, read_exactly
from leads.center.overview.breakdown import Line
from leads.center.selectors.library import library_of

PARAMETERS = [
    OpenApiParameter("days", int, enum=list(PERIODS), description="The last days, today included; 28 when missing."),
    OpenApiParameter("since", str, description="First day, UTC, instead of `days`."),
    OpenApiParameter("until", str, description="Last day, UTC."),
    OpenApiParameter("form", str, description="The id of a form."),
    OpenApiParameter("campaign", str, description="The id of a campaign."),
    OpenApiParameter("by", str, enum=list(GROUPS), description="What `breakdown` is by."),
]


class TileShape(serializers.Serializer[Any]):
    label = serializers.CharField()  # type: ignore[assignment]  # the field of our object, not the option of theirs
    definition = serializers.CharField()
    value = serializers.FloatField(
        allow_null=True,
        help_text="Leads: a number; a rate: 0 to 1; cost: hundredths; time: minutes; null: no such.",
    )
    previous = serializers.FloatField(
        allow_null=True,
        help_text="Of the period of the same length before; null: no such, or leads of these days are deleted.",
    )


class DayShape(serializers.Serializer[Any]):
    day = serializers.DateField()
    leads = serializers.IntegerField()
    previous = serializers.IntegerField(allow_null=True)


class StepShape(serializers.Serializer[Any]):
    step = serializers.CharField()
    count = serializers.IntegerField(allow_null=True)
    kept = serializers.FloatField(allow_null=True, help_text="Share of the step before.")


class StopShape(serializers.Serializer[Any]):
    key = serializers.CharField()
    label = serializers.CharField()  # type: ignore[assignment]  # the field of our object, not the option of theirs
    saw = serializers.IntegerField()
    left = serializers.FloatField(allow_null=True, help_text="Share of those who saw it and came no further.")


class QuestionsShape(serializers.Serializer[Any]):
    form = serializers.CharField()
    version = serializers.IntegerField()
    questions = StopShape(many=True)


class BreakdownLine(serializers.Serializer[Any]):
    key = serializers.CharField(allow_null=True)
    name = serializers.CharField()
    leads = serializers.IntegerField()
    share = serializers.FloatField()
    opens = serializers.IntegerField()
    completion_rate = serializers.FloatField(allow_null=True)
    spend_cents = serializers.IntegerField(allow_null=True)


class CheckShape(serializers.Serializer[Any]):
    key = serializers.CharField()
    label = serializers.CharField()  # type: ignore[assignment]  # the field of our object, not the option of theirs
    done = serializers.BooleanField()


class OverviewShape(serializers.Serializer[Any]):
    since = serializers.DateField()
    until = serializers.DateField()
    time_zone = serializers.CharField()
    sound = serializers.BooleanField(help_text="False: some counts did not arrive; nothing is clipped.")
    tiles = serializers.DictField(child=TileShape())
    days = DayShape(many=True)
    funnel = StepShape(many=True)
    questions = QuestionsShape(allow_null=True)
    by = serializers.ChoiceField(choices=[(by, by) for by in GROUPS])
    breakdown = BreakdownLine(many=True)
    total = BreakdownLine()
    checklist = CheckShape(many=True)


class AccountNumbers(APIView):
    """The overview of an ad account, with spend."""

    can = Can.VIEW_CAMPAIGNS

    @extend_schema(operation_id="account_overview", responses=OverviewShape, parameters=PARAMETERS)
    def get(self, request: Request, ad_account_id: int) -> Response:
        """Return tiles, leads by day, funnel, drop-off by question and breakdown of a period."""
        account = get_object_or_404(AdAccount.objects.select_related("library", "business_center"), pk=ad_account_id)
        actor = actor_of(request)
        require(actor, Can.VIEW_CAMPAIGNS, account)
        return Response(overview_json(account_overview(actor, account, read_exactly(request.query_params))))


class LibraryNumbers(APIView):
    """The overview of a lead library: counts without spend."""

    can = Can.BELONG_LIBRARY

    @extend_schema(operation_id="library_overview", responses=OverviewShape, parameters=PARAMETERS)
    def get(self, request: Request, library_id: int) -> Response:
        """Return tiles, leads by day, funnel, drop-off by question and breakdown of a period."""
        library, actor = library_of(library_id), actor_of(request)
        require(actor, Can.BELONG_LIBRARY, library)
        return Response(overview_json(library_overview(actor, library, read_exactly(request.query_params))))


def overview_json(page: Overview) -> dict[str, Any]:
    """Return the page's numbers as numbers; nothing to divide by is null, never 0."""
    rail = page.rail
    return {
        "since": page.asked.since,
        "until": page.asked.until,
        "time_zone": "UTC",
        "sound": page.sound,
        "tiles": {
            tile.key: {
                "label": tile.label,
                "definition": tile.definition,
                "value": tile.number,
                "previous": tile.before,
            }
            for tile in page.tiles
        },
        "days": [{"day": at, "leads": day.count, "previous": day.before} for at, day in page.dated],
        "funnel": [{"step": bar.key, "count": bar.value, "kept": bar.share} for bar in page.bars],
        "questions": rail
        and {
            "form": str(rail.form_id),
            "version": rail.version,
            "questions": [
                {"key": stop.key, "label": stop.label, "saw": stop.saw, "left": stop.left} for stop in rail.stops
            ],
        },
        "by": page.asked.by,
        "breakdown": [_line(line) for line in page.lines],
        "total": _line(page.total),
        "checklist": [{"key": todo.key, "label": todo.label, "done": todo.done} for todo in page.todos],
    }


def _line(line: Line) -> dict[str, Any]:
    return {
        "key": line.key or None,
        "name": line.name,
        "leads": line.leads,
        "share": line.share,
        "opens": line.opens,
        "completion_rate": line.completion,
        "spend_cents": line.spend_cents,
    }
