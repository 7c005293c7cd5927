"""REST API of the work on one lead: its follow-up, that it was contacted."""

from typing import Any

from django.http import Http404
from django.utils import timezone
from django.utils.dateparse import parse_datetime
from django.utils.translation import gettext as _
from drf_spectacular.utils import extend_schema
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from accounts.access import Can
from accounts.authentication import actor_of
from accounts.refusals import Invalid
from leads.center.api import LeadsView
from leads.center.requests import body_of
from leads.center.selectors.library import lead_of
from leads.center.serializers import time_json
from leads.center.services.contacting import WAYS, record_contact
from leads.center.services.following_up import finish_follow_up, follow_up_of, set_follow_up
from leads.models import FollowUp, Lead
from leads.selection import read_id


class FollowUpBody(serializers.Serializer[Any]):
    due_at = serializers.DateTimeField(help_text="From now on, within a year.")
    user = serializers.CharField(required=False, help_text="Who is reminded; without it, the caller.")


class FollowUpShape(FollowUpBody):
    set_by = serializers.CharField()
    created_at = serializers.DateTimeField()


class ContactBody(serializers.Serializer[Any]):
    how = serializers.ChoiceField(choices=list(WAYS.items()))


class ContactShape(serializers.Serializer[Any]):
    contacted_at = serializers.DateTimeField(help_text="The first contact: a later one does not move it.")


class FollowUpOfLead(LeadsView):
    """When somebody wants to come back to a lead: one open follow-up, or none."""

    can_put = Can.WORK_LEADS
    can_delete = Can.WORK_LEADS

    @extend_schema(operation_id="leads_follow_up", responses=FollowUpShape)
    def get(self, request: Request, lead_id: int) -> Response:
        """Return the open follow-up; 404 without one."""
        found = follow_up_of(lead_of(actor_of(request), lead_id))
        if found is None:
            raise Http404
        return Response(_json(found))

    @extend_schema(operation_id="leads_follow_up_set", request=FollowUpBody, responses=FollowUpShape)
    def put(self, request: Request, lead_id: int) -> Response:
        """Set it, instead of the one that is open."""
        actor = actor_of(request)
        lead = lead_of(actor, lead_id, can=Can.WORK_LEADS)
        body = body_of(request, {"due_at", "user"})
        try:
            due_at = parse_datetime(str(body.get("due_at", "")))
            user = read_id(str(body["user"])) if body.get("user") else None
        except ValueError as error:
            raise Invalid({"body": str(error)}) from error
        if due_at is None or timezone.is_naive(due_at):
            raise Invalid({"due_at": _("Use an ISO 8601 time with its zone.")})
        return Response(_json(set_follow_up(actor=actor, lead=lead, due_at=due_at, user_id=user)))

    @extend_schema(operation_id="leads_follow_up_done", responses={204: None})
    def delete(self, request: Request, lead_id: int) -> Response:
        """Close it; 404 when none is open."""
        actor = actor_of(request)
        if not finish_follow_up(actor=actor, lead=lead_of(actor, lead_id, can=Can.WORK_LEADS)):
            raise Http404
        return Response(status=204)


def _json(row: FollowUp) -> dict[str, str]:
    return {
        "due_at": time_json(row.due_at),
        "user": str(row.user_id),
        "set_by": str(row.set_by_id),
        "created_at": time_json(row.created_at),
    }


class Contacted(LeadsView):
    """That somebody called or wrote."""

    can = Can.WORK_LEADS

    @extend_schema(operation_id="leads_contacted", request=ContactBody, responses={201: ContactShape})
    def post(self, request: Request, lead_id: int) -> Response:
        """Record a contact and how; the first one ends the lead's clock. The status stays."""
        actor = actor_of(request)
        lead = lead_of(actor, lead_id, can=Can.WORK_LEADS)
        record_contact(actor=actor, lead=lead, how=str(body_of(request, {"how"}).get("how", "")))
        first = Lead.objects.values_list("contacted_at", flat=True).get(pk=lead.pk)
        return Response({"contacted_at": time_json(first) if first else None}, status=201)
