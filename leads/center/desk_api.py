"""REST API of the desk: counts of the views; a lead's follow-up, contacts, own notes, possible duplicates."""

from typing import Any

from django.http import Http404
from django.utils import timezone
from django.utils.dateparse import parse_datetime
from django.utils.translation import gettext as _
from drf_spectacular.utils import extend_schema
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from accounts.access import Can, require
from accounts.authentication import actor_of
from accounts.refusals import Invalid
from leads.center.api import LeadsView
from leads.center.requests import body_of, selection_of
from leads.center.selectors.alike import alike
from leads.center.selectors.counting import tabs
from leads.center.selectors.library import lead_of, library_of
from leads.center.serializers import time_json
from leads.center.services.contacting import WAYS, record_contact
from leads.center.services.following_up import finish_follow_up, follow_up_of, set_follow_up
from leads.center.services.noting import remove_note
from leads.models import FollowUp, Lead
from leads.parameters import PARAMETERS
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


class CountShape(serializers.Serializer[Any]):
    count = serializers.IntegerField(help_text="At most 10,000 are counted.")
    more = serializers.BooleanField()


class CountsShape(serializers.Serializer[Any]):
    views = serializers.DictField(child=CountShape(), help_text="all, mine, unassigned, attention, each status …")


class AlikeShape(serializers.Serializer[Any]):
    id = serializers.CharField()
    form = serializers.CharField()
    status = serializers.ChoiceField(choices=Lead.Status.choices)
    received_at = serializers.DateTimeField()
    is_test = serializers.BooleanField()
    original = serializers.BooleanField(help_text="The lead's duplicate_of names it.")


class AlikeList(serializers.Serializer[Any]):
    results = AlikeShape(many=True)


class Counts(LeadsView):
    """How many leads each view of the list holds."""

    @extend_schema(operation_id="leads_counts", responses=CountsShape, parameters=PARAMETERS)
    def get(self, request: Request, library_id: int) -> Response:
        """Count the views of the list under the filters of the query string; test leads only where these ask."""
        library, actor = library_of(library_id), actor_of(request)
        require(actor, Can.VIEW_LEADS, library)
        found = tabs(actor, library, selection_of(request, library, actor))
        return Response({"views": {tab.key: {"count": tab.count, "more": tab.more} for tab in found}})


class Duplicates(LeadsView):
    """Other leads that may be the same person."""

    @extend_schema(operation_id="leads_duplicates", responses=AlikeList)
    def get(self, request: Request, lead_id: int) -> Response:
        """List at most ten live leads with the same e-mail or phone, newest first; nothing of them is opened."""
        actor = actor_of(request)
        lead = lead_of(actor, lead_id)
        return Response({"results": [_alike(lead, one) for one in alike(actor, lead)]})


def _alike(lead: Lead, one: Lead) -> dict[str, Any]:
    return {
        "id": str(one.pk),
        "form": str(one.form_id),
        "status": one.status,
        "received_at": time_json(one.received_at),
        "is_test": one.is_test,
        "original": one.pk == lead.duplicate_of,
    }


class OwnNote(LeadsView):
    """A note that the caller wrote."""

    can = Can.WORK_LEADS

    @extend_schema(operation_id="leads_notes_remove", responses={204: None})
    def delete(self, request: Request, lead_id: int, note_id: int) -> Response:
        """Take it back; 404 for somebody else's. The trail keeps that it was there."""
        actor = actor_of(request)
        remove_note(actor=actor, lead=lead_of(actor, lead_id, can=Can.WORK_LEADS), note_id=note_id)
        return Response(status=204)


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
