"""REST API of the alarms of a library: the page's list, and taking note of one."""

from typing import Any

from drf_spectacular.utils import extend_schema
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from accounts.access import Can
from accounts.alarm_texts import told
from accounts.authentication import actor_of
from accounts.models import Alarm, User
from accounts.serializers import NamedShape
from accounts.services.alarms import note_alarm
from accounts.wire import CURSOR
from leads.center.api import LeadsView
from leads.center.selectors.alarms import alarm_of, alarms_of
from leads.center.selectors.library import library_of
from leads.center.serializers import time_json
from leadscenter.lib.paging import page_body


class AlarmShape(serializers.Serializer[Any]):
    id = serializers.CharField()
    kind = serializers.ChoiceField(choices=Alarm.Kind.choices)
    raised_at = serializers.DateTimeField()
    actor = NamedShape(allow_null=True, help_text="Whose reading it is about.")
    happened = serializers.CharField()
    kept = serializers.CharField(help_text="What was kept, or stopped by itself.")
    todo = serializers.CharField(help_text="What to do about it.")
    noted_at = serializers.DateTimeField(allow_null=True)
    noted_by = NamedShape(allow_null=True)


class AlarmPage(serializers.Serializer[Any]):
    results = AlarmShape(many=True)
    next = serializers.CharField(allow_null=True)
    previous = serializers.CharField(allow_null=True)


class Alarms(LeadsView):
    """The alarms of a library."""

    can = Can.VIEW_TRAIL

    @extend_schema(operation_id="alarms_list", responses=AlarmPage, parameters=[CURSOR])
    def get(self, request: Request, library_id: int) -> Response:
        """List them, newest first, those that were noted, too."""
        page = alarms_of(actor_of(request), library_of(library_id), cursor=request.query_params.get("cursor"))
        return Response(page_body(page, [_json(alarm) for alarm in page.rows], request.build_absolute_uri()))


class AlarmNoted(LeadsView):
    """Taking note of an alarm."""

    can = Can.VIEW_TRAIL

    @extend_schema(operation_id="alarms_noted", request=None, responses=AlarmShape)
    def post(self, request: Request, library_id: int, alarm_id: int) -> Response:
        """Take it off the pages; it stays in the list and in the trail. The first who notes it stands there."""
        library, actor = library_of(library_id), actor_of(request)
        note_alarm(actor=actor, alarm=alarm_of(actor, library, alarm_id))
        return Response(_json(alarm_of(actor, library, alarm_id)))


def _json(alarm: Alarm) -> dict[str, Any]:
    words = told(alarm)
    return {
        "id": str(alarm.pk),
        "kind": alarm.kind,
        "raised_at": time_json(alarm.raised_at),
        "actor": _somebody(alarm.actor),
        "happened": words.happened,
        "kept": words.kept,
        "todo": words.todo,
        "noted_at": time_json(alarm.seen_at) if alarm.seen_at else None,
        "noted_by": _somebody(alarm.seen_by),
    }


def _somebody(user: User | None) -> dict[str, str] | None:
    return {"id": str(user.pk), "name": str(user)} if user else None
