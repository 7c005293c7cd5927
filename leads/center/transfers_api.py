"""REST API of transfers of leads access: asked for by who holds the leads, answered by who shall hold them."""

from django.shortcuts import get_object_or_404
from drf_spectacular.utils import extend_schema
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from accounts.access import Can, require
from accounts.authentication import actor_of
from accounts.declarations import SIGNED_IN
from accounts.models import BusinessCenter, LeadLibrary, Transfer
from accounts.services.transfers import accept_transfer, cancel_transfer, reject_transfer, request_transfer
from accounts.wire import CURSOR, id_of, json_object, listing
from leads.center.transfers import (
    TransferBody,
    TransferPage,
    TransferShape,
    transfer_json,
    transfers_json,
    transfers_seen_by,
)


def library_of(**which: int) -> LeadLibrary:
    """Return the library or answer 404; who may see it is asked next."""
    return get_object_or_404(LeadLibrary.objects.select_related("ad_account__business_center", "custodian"), **which)


class LibraryTransfers(APIView):
    """The transfers of one lead library; the address may name its ad account instead."""

    fresh = ("post",)
    can = Can.BELONG_LIBRARY
    can_post = Can.HAND_OVER

    @extend_schema(responses=TransferPage, parameters=[CURSOR])
    def get(self, request: Request, **which: int) -> Response:
        """List the transfers, newest first; for everybody who may know that the library exists."""
        actor, library = actor_of(request), self.library(which)
        require(actor, Can.BELONG_LIBRARY, library)
        rows = transfers_seen_by(actor).filter(library=library)
        return listing(request, rows, transfers_json, order="-requested_at")

    @extend_schema(request=TransferBody, responses={201: TransferShape})
    def post(self, request: Request, **which: int) -> Response:
        """Ask that a Business Center takes over the leads. Nothing moves until one of its Admins accepts."""
        actor, library = actor_of(request), self.library(which)
        require(actor, Can.HAND_OVER, library)
        wanted = id_of(json_object(request, {"business_center_id"}), "business_center_id")
        center = BusinessCenter.objects.filter(pk=wanted).first()
        made = request_transfer(actor=actor, library=library, business_center=center)
        return Response(transfer_json(transfers_seen_by(actor).get(pk=made.pk)), status=201)

    @staticmethod
    def library(which: dict[str, int]) -> LeadLibrary:
        """Return the library that the address names by its own id or its ad account's."""
        if "ad_account_id" in which:
            return library_of(ad_account=which["ad_account_id"])
        return library_of(pk=which["library_id"])


class Transfers(APIView):
    """The transfers in which the caller is a party."""

    declares = SIGNED_IN

    @extend_schema(operation_id="transfers_list", responses=TransferPage, parameters=[CURSOR])
    def get(self, request: Request) -> Response:
        """List them, newest first: those of one's ad accounts and of one's Business Centers, on either side."""
        return listing(request, transfers_seen_by(actor_of(request)), transfers_json, order="-requested_at")


class OneTransfer(APIView):
    """A transfer."""

    declares = SIGNED_IN

    @extend_schema(operation_id="transfers_get", responses=TransferShape)
    def get(self, request: Request, transfer_id: int) -> Response:
        """Return the transfer to a party; everybody else gets 404."""
        return Response(transfer_json(get_object_or_404(transfers_seen_by(actor_of(request)), pk=transfer_id)))


def transfer_of(transfer_id: int) -> Transfer:
    """Return the transfer or answer 404; whether the caller is a party is asked by the service."""
    rows = Transfer.objects.select_related("library__ad_account", "from_business_center", "to_business_center")
    return get_object_or_404(rows, pk=transfer_id)


class AcceptTransfer(APIView):
    """The receiving side's yes."""

    fresh = ("post",)
    can = Can.HAND_OVER

    @extend_schema(operation_id="transfers_accept", request=None, responses=TransferShape)
    def post(self, request: Request, transfer_id: int) -> Response:
        """Take over the leads, as an Admin of the receiving Business Center."""
        actor = actor_of(request)
        accept_transfer(actor=actor, transfer=transfer_of(transfer_id))
        return Response(transfer_json(transfers_seen_by(actor).get(pk=transfer_id)))


class RejectTransfer(APIView):
    """The receiving side's no."""

    can = Can.HAND_OVER

    @extend_schema(operation_id="transfers_reject", request=None, responses=TransferShape)
    def post(self, request: Request, transfer_id: int) -> Response:
        """Decline, as an Admin of the receiving Business Center; nothing moves."""
        actor = actor_of(request)
        reject_transfer(actor=actor, transfer=transfer_of(transfer_id))
        return Response(transfer_json(transfers_seen_by(actor).get(pk=transfer_id)))


class CancelTransfer(APIView):
    """The asking side's withdrawal."""

    can = Can.HAND_OVER

    @extend_schema(operation_id="transfers_cancel", request=None, responses=TransferShape)
    def post(self, request: Request, transfer_id: int) -> Response:
        """Withdraw the request, as anybody who may hand over the leads; nothing moves."""
        actor = actor_of(request)
        cancel_transfer(actor=actor, transfer=transfer_of(transfer_id))
        return Response(transfer_json(transfers_seen_by(actor).get(pk=transfer_id)))
