"""REST API of connections and deliveries. The services ask for the right; a missing thing and a foreign one are 404."""

from collections.abc import Mapping
from typing import Any

from django.http import Http404
from django.utils.translation import gettext as _
from drf_spectacular.utils import extend_schema
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.serializers import Serializer
from rest_framework.views import APIView

from accounts.access import Can, require
from accounts.authentication import actor_of
from accounts.refusals import Invalid
from leads.crm import selectors
from leads.crm.serializers import (
    BackfillBody,
    BackfillShape,
    ConfirmBody,
    ConnectionBody,
    ConnectionChange,
    ConnectionPage,
    ConnectionShape,
    DeliveryPage,
    DeliveryShape,
    RecoverShape,
    SinceBody,
    TestShape,
    connection_json,
    delivery_json,
)
from leads.crm.services import connections, deliveries, testing
from leads.models import Connection, Delivery
from leadscenter.lib.paging import BadCursor, Page, page_body


class ConnectionView(APIView):
    """What all share: the right, and 404 for what is not there."""

    can = Can.CONNECT_CRM
    fresh: tuple[str, ...] = ("post", "patch", "delete")

    def handle_exception(self, exc: Exception) -> Response:
        """Tell a row that is not there as 404."""
        missing = isinstance(exc, Connection.DoesNotExist | Delivery.DoesNotExist)
        return super().handle_exception(Http404() if missing else exc)


class LibraryConnections(ConnectionView):
    """The connections of a library."""

    @extend_schema(operation_id="connections_list", responses=ConnectionPage)
    def get(self, request: Request, library_id: int) -> Response:
        """List them, oldest first."""
        rows = selectors.connections_of(actor_of(request), selectors.library_of(library_id))
        return Response({"results": [connection_json(row) for row in rows], "next": None, "previous": None})

    @extend_schema(operation_id="connections_create", request=ConnectionBody, responses={201: ConnectionShape})
    def post(self, request: Request, library_id: int) -> Response:
        """Connect the library. A webhook's secret is in this answer, and nowhere after."""
        library = selectors.library_of(library_id)
        require(actor_of(request), Can.CONNECT_CRM, library)
        body = fields_of(request, ConnectionBody(), {"kind": str, "name": str, "url": str, "base_url": str})
        shown = connections.create_connection(
            actor=actor_of(request),
            library=library,
            kind=body.get("kind", ""),
            name=body.get("name", ""),
            url=body.get("url", ""),
            credentials=body.get("credentials"),
            base_url=body.get("base_url", ""),
            mapping=body.get("mapping", ()),
            thin=body.get("thin", False),
        )
        return Response(whole(request, shown.connection.pk, shown.secret), status=201)


class OneConnection(ConnectionView):
    """A connection, never with its secret."""

    @extend_schema(operation_id="connections_get", responses=ConnectionShape)
    def get(self, request: Request, connection_id: int) -> Response:
        """Return it."""
        return Response(whole(request, connection_id))

    @extend_schema(operation_id="connections_change", request=ConnectionChange, responses=ConnectionShape)
    def patch(self, request: Request, connection_id: int) -> Response:
        """Change what is sent. Another host of a webhook makes a new secret, which is in this answer."""
        selectors.ask(actor_of(request), connection_id)
        body = fields_of(request, ConnectionChange(), {"name": str, "url": str, "base_url": str})
        shown = connections.change_connection(actor=actor_of(request), connection_id=connection_id, **body)
        return Response(whole(request, connection_id, shown.secret))

    @extend_schema(operation_id="connections_remove", responses={204: None})
    def delete(self, request: Request, connection_id: int) -> Response:
        """End it; what waits is skipped."""
        connections.remove_connection(actor=actor_of(request), connection_id=connection_id)
        return Response(status=204)


class Try(ConnectionView):
    """The test button."""

    @extend_schema(operation_id="connections_test", request=None, responses=TestShape)
    def post(self, request: Request, connection_id: int) -> Response:
        """Send a harmless request; tells the class of the status and the time, never the answer."""
        came = testing.try_connection(actor=actor_of(request), connection_id=connection_id)
        told = {"ok": came.ok, "status_class": came.status_class, "ms": came.ms, "cause": came.cause, "fix": came.fix}
        return Response(told)


class Pause(ConnectionView):
    @extend_schema(operation_id="connections_pause", request=None, responses=ConnectionShape)
    def post(self, request: Request, connection_id: int) -> Response:
        """Let deliveries wait."""
        connections.pause_connection(actor=actor_of(request), connection_id=connection_id)
        return Response(whole(request, connection_id))


class Resume(ConnectionView):
    @extend_schema(operation_id="connections_resume", request=None, responses=ConnectionShape)
    def post(self, request: Request, connection_id: int) -> Response:
        """Send again, with a clean record."""
        connections.resume_connection(actor=actor_of(request), connection_id=connection_id)
        return Response(whole(request, connection_id))


class Confirm(ConnectionView):
    @extend_schema(operation_id="connections_confirm", request=ConfirmBody, responses=ConnectionShape)
    def post(self, request: Request, connection_id: int) -> Response:
        """Take a connection over after a transfer; what waits is sent, or dropped."""
        selectors.ask(actor_of(request), connection_id)
        body = fields_of(request, ConfirmBody(), {"waiting": str})
        waiting = body.get("waiting", "send")
        if waiting not in ("send", "drop"):
            raise Invalid({"waiting": _("Say “send” or “drop”.")})
        connections.confirm_connection(actor=actor_of(request), connection_id=connection_id, waiting=waiting)
        return Response(whole(request, connection_id))


class Backfill(ConnectionView):
    @extend_schema(operation_id="connections_backfill", request=BackfillBody, responses=BackfillShape)
    def post(self, request: Request, connection_id: int) -> Response:
        """Queue every lead that this connection never had (received since)."""
        selectors.ask(actor_of(request), connection_id)
        body = valid(BackfillBody(data=request.data))
        queued = deliveries.backfill(actor=actor_of(request), connection_id=connection_id, since=body.get("since"))
        return Response({"queued": queued})


class RotateSecret(ConnectionView):
    @extend_schema(operation_id="connections_rotate_secret", request=None, responses=ConnectionShape)
    def post(self, request: Request, connection_id: int) -> Response:
        """Make a new secret, in this answer once; the old one signs along for 24 hours."""
        shown = connections.rotate_secret(actor=actor_of(request), connection_id=connection_id)
        return Response(whole(request, connection_id, shown.secret))


class Recover(ConnectionView):
    @extend_schema(operation_id="connections_recover", request=SinceBody, responses=RecoverShape)
    def post(self, request: Request, connection_id: int) -> Response:
        """Send again what failed since, and what was never queued."""
        selectors.ask(actor_of(request), connection_id)
        body = valid(SinceBody(data=request.data))
        done = deliveries.recover_since(actor=actor_of(request), connection_id=connection_id, since=body["since"])
        return Response({"resent": done.resent, "queued": done.queued})


class ConnectionDeliveries(ConnectionView):
    @extend_schema(operation_id="deliveries_list", responses=DeliveryPage)
    def get(self, request: Request, connection_id: int) -> Response:
        """The log, newest first; `?state=` narrows."""
        state = request.query_params.get("state", "")
        if state and state not in Delivery.State.values:
            raise Invalid({"state": _("One of %(known)s.") % {"known": ", ".join(Delivery.State.values)}})
        cursor = request.query_params.get("cursor")
        try:
            page = selectors.deliveries_of(actor_of(request), connection_id, state=state, cursor=cursor)
        except BadCursor as error:
            raise Invalid({"cursor": _("Not a cursor of this list.")}) from error
        rows: list[object] = [delivery_json(row) for row in page.rows]
        return Response(page_body(page, rows, request.build_absolute_uri()))


class LeadDeliveries(ConnectionView):
    can = Can.VIEW_LEADS

    @extend_schema(operation_id="lead_deliveries", responses=DeliveryPage)
    def get(self, request: Request, lead_id: int) -> Response:
        """Where the lead went, oldest first."""
        rows = selectors.deliveries_of_lead(actor_of(request), lead_id)
        page = Page(rows, None, None)
        return Response(page_body(page, [delivery_json(row) for row in rows], request.build_absolute_uri()))


class Resend(ConnectionView):
    fresh = ()  # to where it was going anyway

    @extend_schema(operation_id="deliveries_resend", request=None, responses=DeliveryShape)
    def post(self, request: Request, delivery_id: int) -> Response:
        """Send one delivery again, now, under its old webhook id."""
        deliveries.resend_delivery(actor=actor_of(request), delivery_id=delivery_id)
        return Response(delivery_json(selectors.delivery_row(actor_of(request), delivery_id)))


def whole(request: Request, connection_id: int, secret: str | None = None) -> dict[str, Any]:
    """The connection as it is after an act."""
    return connection_json(selectors.connection_row(actor_of(request), connection_id), secret)


def fields_of(request: Request, shape: Serializer[Any], kinds: Mapping[str, type]) -> dict[str, Any]:
    """The JSON object of a request. Raises `Invalid` for another value, unknown fields and fields of a wrong type."""
    data = request.data
    if not isinstance(data, dict):
        raise Invalid({"body": _("Send one JSON object.")})
    known = set(shape.get_fields())
    wanted = {"credentials": dict, "mapping": list, "thin": bool, **kinds}
    errors = {str(name)[:60]: _("Unknown field.") for name in data if name not in known}
    errors |= {
        name: _("Has a wrong type.") for name, value in data.items() if not isinstance(value, wanted.get(name, object))
    }
    if errors:
        raise Invalid({name.encode("utf-8", "replace").decode(): text for name, text in errors.items()})
    return dict(data)


def valid(body: Serializer[Any]) -> dict[str, Any]:
    """The values of a body, parsed. Raises DRF's `ValidationError`."""
    body.is_valid(raise_exception=True)
    return dict(body.validated_data)
