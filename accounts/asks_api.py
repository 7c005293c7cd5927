"""REST API of asks for leads access. An asker's answers are the same whether the ad account exists or not."""

from collections.abc import Sequence
from typing import Any

from django.http import Http404
from django.shortcuts import get_object_or_404
from drf_spectacular.utils import extend_schema
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from accounts.access import Can, require_admin_of
from accounts.authentication import actor_of
from accounts.declarations import SIGNED_IN
from accounts.models import AccessAsk, BusinessCenter
from accounts.selectors import ASKER_STATES, asks_of_centers, asks_to_answer, state_for_asker
from accounts.serializers import NamedShape, PageShape, named
from accounts.services.asking import ask_for_access, dismiss_ask
from accounts.wire import CURSOR, id_of, json_object, listing


class AskBody(serializers.Serializer[Any]):
    ad_account_id = serializers.CharField(help_text="The number of the ad account, as the agency tells it.")


class AskedShape(serializers.Serializer[Any]):
    ad_account_id = serializers.CharField()
    state = serializers.ChoiceField(choices=["waiting"], help_text="Whether the account exists or not.")


class OwnAskShape(serializers.Serializer[Any]):
    id = serializers.CharField()
    ad_account_id = serializers.CharField(help_text="As it was asked for.")
    state = serializers.ChoiceField(
        choices=list(ASKER_STATES), help_text="answered: a transfer was requested; expired: 30 days are over."
    )
    asked_at = serializers.DateTimeField()


class OwnAskPage(PageShape):
    results = OwnAskShape(many=True)


class AskShape(serializers.Serializer[Any]):
    id = serializers.CharField()
    library_id = serializers.CharField()
    ad_account = NamedShape()
    business_center = NamedShape(help_text="Who asks; request the transfer to this id.")
    asked_at = serializers.DateTimeField()


class AskPage(PageShape):
    results = AskShape(many=True)


class CenterAsks(APIView):
    """What a Business Center asks for."""

    can = Can.HAND_OVER  # the scope of a token that asks; of the person it is asked whether they are an Admin there

    @extend_schema(operation_id="access_asks_own", responses=OwnAskPage, parameters=[CURSOR])
    def get(self, request: Request, business_center_id: int) -> Response:
        """List what was asked for, newest first; for Admins. A dismissed ask reads like one that leads nowhere."""
        center = self.center(request, business_center_id)
        return listing(
            request, asks_of_centers(actor_of(request)).filter(business_center=center), own, order="-asked_at"
        )

    @extend_schema(operation_id="access_asks_send", request=AskBody, responses={202: AskedShape})
    def post(self, request: Request, business_center_id: int) -> Response:
        """Ask for the leads of an ad account, as an Admin. If it exists, who may hand them over gets a mail."""
        center = self.center(request, business_center_id)
        number = id_of(json_object(request, {"ad_account_id"}), "ad_account_id")
        ask_for_access(actor=actor_of(request), business_center=center, ad_account_number=number)
        return Response({"ad_account_id": str(number), "state": "waiting"}, status=202)

    @staticmethod
    def center(request: Request, business_center_id: int) -> BusinessCenter:
        """Return the Business Center to its Admins."""
        center = get_object_or_404(BusinessCenter, pk=business_center_id)
        require_admin_of(actor_of(request), center, Can.HAND_OVER)
        return center


class AsksToAnswer(APIView):
    """The asks that wait for the caller, who may hand over the leads."""

    declares = SIGNED_IN

    @extend_schema(operation_id="access_asks_list", responses=AskPage, parameters=[CURSOR])
    def get(self, request: Request) -> Response:
        """List them, newest first. Requesting the transfer answers one."""
        rows = asks_to_answer(actor_of(request)).select_related("business_center", "library__ad_account")
        return listing(request, rows, to_answer, order="-asked_at")


class DismissAsk(APIView):
    """The no to an ask."""

    can = Can.HAND_OVER

    @extend_schema(operation_id="access_asks_dismiss", request=None, responses={204: None})
    def post(self, request: Request, ask_id: int) -> Response:
        """Let it rest; who asked is not told."""
        ask = get_object_or_404(AccessAsk.objects.select_related("library__ad_account"), pk=ask_id)
        if ask.library is None:
            raise Http404
        dismiss_ask(actor=actor_of(request), ask=ask)
        return Response(status=204)


def own(asks: Sequence[AccessAsk]) -> list[dict[str, Any]]:
    """Return asks as their askers see them."""
    return [
        {
            "id": str(ask.pk),
            "ad_account_id": str(ask.asked_number),
            "state": state_for_asker(ask),
            "asked_at": ask.asked_at,
        }
        for ask in asks
    ]


def to_answer(asks: Sequence[AccessAsk]) -> list[dict[str, Any]]:
    """Return asks as those see them who may hand over the leads."""
    return [
        {
            "id": str(ask.pk),
            "library_id": str(ask.library.pk),
            "ad_account": named(ask.library.ad_account),
            "business_center": named(ask.business_center),
            "asked_at": ask.asked_at,
        }
        for ask in asks
        if ask.library is not None
    ]
