"""REST API of what receivers answered to a delivery."""

from typing import Any

from drf_spectacular.utils import extend_schema
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from accounts.access import Can
from accounts.authentication import actor_of, lacking_scope
from leads.center.api import LeadsView
from leads.center.integrations import delivery_detail
from leads.center.requests import lacks_scope


class ReceivedAnswerShape(serializers.Serializer[Any]):
    attempt = serializers.IntegerField(help_text="Which attempt of the delivery, from 1.")
    text = serializers.CharField(help_text="The beginning of the answer, at most 2 KiB, as it came.")


class DeliveryAnswersShape(serializers.Serializer[Any]):
    results = ReceivedAnswerShape(many=True)


class DeliveryAnswers(LeadsView):
    """What the receiver of a delivery answered when it refused."""

    can = Can.CONNECT_CRM

    @extend_schema(operation_id="deliveries_answers", responses=DeliveryAnswersShape)
    def get(self, request: Request, delivery_id: int) -> Response:
        """Return what was kept of the answers. They may repeat what the person said: the scope `leads:read` is needed,
        too, and the trail tells of a reveal.
        """
        if lacks_scope(request):
            raise lacking_scope(Can.VIEW_LEADS)
        detail = delivery_detail(actor_of(request), delivery_id, with_answers=True)
        found = [{"attempt": one.attempt, "text": one.text} for one in detail.answers or ()]
        return Response({"results": found})
