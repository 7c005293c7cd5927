"""REST API of what the caller is told."""

from typing import Any

from drf_spectacular.utils import extend_schema
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from accounts.authentication import actor_of
from accounts.declarations import SIGNED_IN
from accounts.refusals import Invalid
from leads.center.api import LeadsView
from leads.center.notices import Notice, notices
from leads.center.requests import body_of
from leads.center.selectors.notifications import notification_page, wishes_of
from leads.center.serializers import time_json
from leads.center.services.noticing import change_wishes, mark_read
from leads.selection import read_id
from leadscenter.lib.paging import page_body


class NotificationShape(serializers.Serializer[Any]):
    id = serializers.CharField()
    kind = serializers.CharField()
    text = serializers.CharField()
    about = serializers.CharField(help_text="Which leads stand in a file, in words; empty for what is about no file.")
    url = serializers.CharField()
    at = serializers.DateTimeField()
    read = serializers.BooleanField()


class NotificationPageShape(serializers.Serializer[Any]):
    results = NotificationShape(many=True)
    next = serializers.CharField(allow_null=True)
    previous = serializers.CharField(allow_null=True)


class ReadBody(serializers.Serializer[Any]):
    ids = serializers.ListField(child=serializers.CharField(), required=False, help_text="All, when left out.")


class WishShape(serializers.Serializer[Any]):
    kind = serializers.CharField()
    in_app = serializers.BooleanField()
    by_mail = serializers.BooleanField()


class WishesShape(serializers.Serializer[Any]):
    results = WishShape(many=True)


class Notifications(LeadsView):
    """What the caller was told, of libraries whose leads they may view."""

    can = None
    declares = SIGNED_IN

    @extend_schema(operation_id="notifications_list", responses=NotificationPageShape)
    def get(self, request: Request) -> Response:
        """List it, newest first; `?unread=1` leaves out what was read."""
        params = request.query_params
        page = notification_page(actor_of(request), cursor=params.get("cursor"), unread=params.get("unread") == "1")
        rows: list[object] = [_json(notice) for notice in notices(page.rows)]
        return Response(page_body(page, rows, request.build_absolute_uri()))


class NotificationsRead(LeadsView):
    """Taking note."""

    can = None
    declares = SIGNED_IN

    @extend_schema(operation_id="notifications_read", request=ReadBody, responses={200: None})
    def post(self, request: Request) -> Response:
        """Take note of the notifications with these `ids`, or of all; answers how many were unread."""
        ids = body_of(request, {"ids"}).get("ids")
        if ids is not None and not isinstance(ids, list):
            raise Invalid({"ids": "Must be a list."})
        try:
            wanted = None if ids is None else [read_id(str(one)) for one in ids[:1000]]
        except ValueError as error:
            raise Invalid({"ids": str(error)}) from error
        return Response({"read": mark_read(actor=actor_of(request), ids=wanted)})


class NotificationSettings(LeadsView):
    """Where the caller wants to be told of what."""

    can = None
    declares = SIGNED_IN

    @extend_schema(operation_id="notification_settings_get", responses=WishesShape)
    def get(self, request: Request) -> Response:
        """Return a wish per kind."""
        return Response(_wishes(request))

    @extend_schema(operation_id="notification_settings_change", request=WishShape, responses=WishesShape)
    def patch(self, request: Request) -> Response:
        """Set one kind: `{"kind", "in_app", "by_mail"}`; what is left out stays."""
        body, actor = body_of(request, {"kind", "in_app", "by_mail"}), actor_of(request)
        now = {wish.kind: wish for wish in wishes_of(actor)}
        kind = str(body.get("kind", ""))
        if kind not in now:
            raise Invalid({"kind": f"One of {', '.join(now)}."})
        said = [body.get("in_app", now[kind].in_app), body.get("by_mail", now[kind].by_mail)]
        if not all(isinstance(one, bool) for one in said):
            raise Invalid({"in_app": "true or false."})
        change_wishes(actor=actor, wishes={kind: (said[0], said[1])})
        return Response(_wishes(request))


def _wishes(request: Request) -> dict[str, object]:
    rows = wishes_of(actor_of(request))
    return {"results": [{"kind": one.kind, "in_app": one.in_app, "by_mail": one.by_mail} for one in rows]}


def _json(notice: Notice) -> dict[str, object]:
    return {
        "id": str(notice.id),
        "kind": notice.kind,
        "text": notice.text,
        "about": notice.about,
        "url": notice.url,
        "at": time_json(notice.at),
        "read": notice.read,
    }
