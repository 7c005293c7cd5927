"""REST API of the labels of a library."""

from typing import Any

from drf_spectacular.utils import extend_schema
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from accounts.access import Can, require
from accounts.authentication import actor_of
from leads.center.api import LeadsView
from leads.center.requests import body_of
from leads.center.selectors.labels import label_of, labels_with_counts
from leads.center.selectors.library import library_of
from leads.center.services.labelling import create_label, delete_label, rename_label
from leads.models import Label


class LabelBody(serializers.Serializer[Any]):
    name = serializers.CharField(max_length=40)


class LabelShape(LabelBody):
    id = serializers.CharField()
    leads = serializers.IntegerField(required=False, help_text="Live leads that carry it, without test leads.")
    more = serializers.BooleanField(required=False, help_text="There are more: counting stops at 1,000.")


class Labels(LeadsView):
    """The labels of a library."""

    can_post = Can.WORK_LEADS

    @extend_schema(operation_id="labels_list", responses=LabelShape(many=True))
    def get(self, request: Request, library_id: int) -> Response:
        """List them by name with how many leads carry each."""
        rows = labels_with_counts(actor_of(request), library_of(library_id))
        found = [{"id": str(row.id), "name": row.name, "leads": row.leads, "more": row.more} for row in rows]
        return Response({"results": found, "next": None, "previous": None})

    @extend_schema(operation_id="labels_create", request=LabelBody, responses={201: LabelShape})
    def post(self, request: Request, library_id: int) -> Response:
        """Make a label; 409 for a name that is there."""
        library, actor = library_of(library_id), actor_of(request)
        require(actor, Can.WORK_LEADS, library)
        return Response(_json(create_label(actor=actor, library=library, name=_name(request))), status=201)


class OneLabel(LeadsView):
    """A label."""

    can = Can.WORK_LEADS

    @extend_schema(operation_id="labels_change", request=LabelBody, responses=LabelShape)
    def patch(self, request: Request, label_id: int) -> Response:
        """Rename it on every lead."""
        label = label_of(actor_of(request), label_id)
        return Response(_json(rename_label(actor=actor_of(request), label=label, name=_name(request))))

    @extend_schema(operation_id="labels_delete", responses={204: None})
    def delete(self, request: Request, label_id: int) -> Response:
        """Delete it; the leads that carried it stay."""
        delete_label(actor=actor_of(request), label=label_of(actor_of(request), label_id))
        return Response(status=204)


def _name(request: Request) -> str:
    return str(body_of(request, {"name"}).get("name", ""))


def _json(label: Label) -> dict[str, str]:
    return {"id": str(label.pk), "name": label.name}
