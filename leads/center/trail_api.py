"""REST API of trails: what was done in a library, an ad account, a Business Center; who can see, who has seen."""

from typing import Any

from django.shortcuts import get_object_or_404
from drf_spectacular.utils import extend_schema
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from accounts.access import Can
from accounts.authentication import actor_of
from accounts.models import AdAccount, AuditEvent, BusinessCenter, User
from leads.center.api import LeadsView
from leads.center.selectors.activity import TrailOf, read_trail_filter, require_trail, trail
from leads.center.selectors.library import lead_of, library_of
from leads.center.selectors.reaching import Reach, who_can_see
from leads.center.selectors.seeing import who_has_seen
from leads.center.serializers import ResultsShape, event_json, time_json
from leadscenter.lib.paging import page_body


class ReachShape(serializers.Serializer[Any]):
    people = serializers.ListField(child=serializers.DictField())
    tokens = serializers.ListField(child=serializers.DictField())
    connections = serializers.ListField(child=serializers.DictField())
    shares = serializers.ListField(child=serializers.DictField())


class LibraryTrail(LeadsView):
    """What was done with a library's leads."""

    can = Can.VIEW_TRAIL

    @extend_schema(operation_id="libraries_audit_events", responses=ResultsShape)
    def get(self, request: Request, library_id: int) -> Response:
        """List it, newest first; filters `act group actor since until refused`."""
        return Response(_trail(request, library_of(library_id)))


class AccountTrail(LeadsView):
    """What was done with an ad account's campaigns, forms and members."""

    can = Can.MANAGE_MEMBERS

    @extend_schema(operation_id="ad_accounts_audit_events", responses=ResultsShape)
    def get(self, request: Request, ad_account_id: int) -> Response:
        """List it, newest first; filters `act group actor since until refused`."""
        rows = AdAccount.objects.select_related("business_center", "library")
        return Response(_trail(request, get_object_or_404(rows, pk=ad_account_id)))


class CenterTrail(LeadsView):
    """What was done with a Business Center's members, accounts, shares and transfers."""

    can = Can.MANAGE_MEMBERS

    @extend_schema(operation_id="business_centers_audit_events", responses=ResultsShape)
    def get(self, request: Request, business_center_id: int) -> Response:
        """List it for its Admins, newest first; filters `act group actor since until refused`."""
        return Response(_trail(request, get_object_or_404(BusinessCenter, pk=business_center_id)))


def _trail(request: Request, scope: TrailOf) -> dict[str, object]:
    actor, params = actor_of(request), request.query_params
    require_trail(actor, scope)
    page = trail(actor, scope, read_trail_filter(params), cursor=params.get("cursor"))
    return page_body(page, [event_json(event) for event in page.rows], request.build_absolute_uri())


class Access(LeadsView):
    """Who and what can see a library's leads now."""

    can = Can.VIEW_TRAIL

    @extend_schema(operation_id="libraries_access", responses=ReachShape)
    def get(self, request: Request, library_id: int) -> Response:
        """Return people with every way that leads there, tokens, connections, and shares of the ad account."""
        return Response(reach_json(who_can_see(actor_of(request), library_of(library_id))))


class Seen(LeadsView):
    """Who has seen a lead."""

    can = Can.VIEW_TRAIL

    @extend_schema(operation_id="leads_seen", responses=ResultsShape)
    def get(self, request: Request, lead_id: int) -> Response:
        """List the looks, files and deliveries that the lead was in, newest first, 200 at most."""
        actor = actor_of(request)
        events = who_has_seen(actor, lead_of(actor, lead_id, can=Can.VIEW_TRAIL))
        return Response({"results": [seen_json(event) for event in events]})


def seen_json(event: AuditEvent) -> dict[str, Any]:
    """Return a look at one lead; how many others it showed is no matter of this one."""
    return {name: value for name, value in event_json(event).items() if name != "count"}


def _person(user: User) -> dict[str, str]:
    return {"id": str(user.pk), "name": str(user)}


def reach_json(reach: Reach) -> dict[str, Any]:
    """Return who can see; never a secret, and of a token its name and scopes alone."""
    return {
        "people": [
            {
                **_person(holder.user),
                "email": holder.user.email,
                "ways": [
                    {"words": way.words, "since": time_json(way.since) if way.since else None} for way in holder.ways
                ],
                "last_look": time_json(holder.last_look) if holder.last_look else None,
                "looks_28_days": holder.looks,
                "downloads_28_days": holder.downloads,
            }
            for holder in reach.holders
        ],
        "tokens": [
            {
                "id": str(token.pk),
                "name": token.name,
                "of": _person(token.user),
                "scopes": token.scopes,
                "expires_at": time_json(token.expires_at) if token.expires_at else None,
                "last_used_at": time_json(token.last_used_at) if token.last_used_at else None,
            }
            for token in reach.tokens
        ],
        "connections": [
            {
                "id": str(row.connection.pk),
                "name": row.name,
                "state": row.connection.state,
                "live": row.live,
                "confirmed_by": row.confirmed_by or None,
                "confirmed_at": time_json(row.confirmed_at) if row.confirmed_at else None,
                "last_delivery": time_json(row.connection.last_success_at) if row.connection.last_success_at else None,
                "delivered_28_days": row.delivered,
            }
            for row in reach.connections
        ],
        "shares": [
            {
                "partner": share.partner,
                "role": share.role,
                "leads_too": share.leads_too,
                "since": time_json(share.since),
            }
            for share in reach.shares
        ],
    }
