"""REST API of saved views: the same filters, order and columns as the page, under a name."""

from collections.abc import Sequence
from typing import Any

from django.utils.translation import gettext as _
from drf_spectacular.utils import extend_schema
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from accounts.access import Can, require
from accounts.authentication import actor_of
from accounts.models import LeadLibrary, User
from accounts.refusals import Invalid
from leads.center.api import LeadsView
from leads.center.requests import body_of
from leads.center.selectors.counting import counted
from leads.center.selectors.library import library_of
from leads.center.selectors.saved import own_view, saved_views
from leads.center.services.saving import ViewChange, change_view, delete_view, save_view
from leads.models import SavedView

FLAGS = ("shared", "pinned", "is_default")


class ViewBody(serializers.Serializer[Any]):
    name = serializers.CharField(max_length=40)
    query = serializers.DictField(
        child=serializers.CharField(), required=False, help_text="The list's parameters: its filters, sort and cols."
    )
    shared = serializers.BooleanField(required=False)
    pinned = serializers.BooleanField(required=False)
    is_default = serializers.BooleanField(required=False)


class ViewShape(ViewBody):
    id = serializers.CharField()
    owner = serializers.CharField()
    leads = serializers.IntegerField(
        allow_null=True, help_text="At most 10,000 are counted, or 1,000 by label or delivery; null for a search."
    )


class ViewList(serializers.Serializer[Any]):
    results = ViewShape(many=True)
    next = serializers.CharField(allow_null=True)
    previous = serializers.CharField(allow_null=True)


class Views(LeadsView):
    """The saved views of a library that the caller may use."""

    @extend_schema(operation_id="views_list", responses=ViewList)
    def get(self, request: Request, library_id: int) -> Response:
        """List them, own ones first, with how many leads each holds, without test leads."""
        library, actor = library_of(library_id), actor_of(request)
        return Response({"results": _json(saved_views(actor, library), actor, library), "next": None, "previous": None})

    @extend_schema(operation_id="views_create", request=ViewBody, responses={201: ViewShape})
    def post(self, request: Request, library_id: int) -> Response:
        """Save a view; 409 for a name that the caller uses already."""
        library, actor = library_of(library_id), actor_of(request)
        require(actor, Can.VIEW_LEADS, library)
        view = save_view(actor=actor, library=library, change=_change(request))
        return Response(_json([view], actor, library)[0], status=201)


class OneView(LeadsView):
    """A saved view; whoever made it alone changes it."""

    @extend_schema(operation_id="views_change", request=ViewBody, responses=ViewShape)
    def patch(self, request: Request, view_id: int) -> Response:
        """Rename, share, pin or set it as the first one shown, or give it another filter."""
        actor = actor_of(request)
        view = own_view(actor, view_id)
        changed = change_view(actor=actor, view=view, change=_change(request))
        return Response(_json([changed], actor, view.library)[0])

    @extend_schema(operation_id="views_delete", responses={204: None})
    def delete(self, request: Request, view_id: int) -> Response:
        """Delete it; the leads in it stay."""
        actor = actor_of(request)
        delete_view(actor=actor, view=own_view(actor, view_id))
        return Response(status=204)


def _change(request: Request) -> ViewChange:
    body = body_of(request, {"name", "query", *FLAGS})
    errors = {name: _("Must be true or false.") for name in FLAGS if not isinstance(body.get(name, False), bool)}
    if not isinstance(body.get("name", ""), str):
        errors["name"] = _("Must be text.")
    if not isinstance(body.get("query", {}), dict):
        errors["query"] = _("Must be an object.")
    if errors:
        raise Invalid(errors)
    flags = {name: body[name] for name in FLAGS if name in body}
    return ViewChange(body.get("name"), body.get("query"), flags)


def _json(views: Sequence[SavedView], actor: User, library: LeadLibrary) -> list[dict[str, Any]]:
    tabs = counted(actor, library, {str(view.pk): view.query for view in views})
    return [
        {
            "id": str(view.pk),
            "owner": str(view.owner_id),
            "leads": tab.count if (tab := tabs.get(str(view.pk))) else None,
            **{name: getattr(view, name) for name in ("name", "query", *FLAGS)},
        }
        for view in views
    ]
