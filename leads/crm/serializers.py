"""The JSON shapes of connections and deliveries: written here for the answers, described for the API's schema."""

from datetime import datetime
from typing import Any

from rest_framework import serializers

from leads.crm.connectors import CONNECTORS
from leads.crm.selectors import ConnectionRow, DeliveryRow


class MappingLine(serializers.Serializer[Any]):
    to = serializers.CharField(help_text="The receiver's property.")

    def get_fields(self) -> dict[str, Any]:
        """Add `from`, which Python keeps for itself."""
        told = "A question's key or kind, lead_id, form_name, utm_source …; “=text” is a constant."
        return {"from": serializers.CharField(help_text=told), **super().get_fields()}


class Credentials(serializers.Serializer[Any]):
    token = serializers.CharField(write_only=True)


class ConnectionBody(serializers.Serializer[Any]):
    kind = serializers.ChoiceField(choices=sorted(CONNECTORS))
    name = serializers.CharField(max_length=80)
    url = serializers.CharField(required=False, help_text="https; for webhooks.")
    credentials = Credentials(required=False, help_text="For all other kinds.")
    base_url = serializers.CharField(required=False, help_text="Only a host of OUTBOUND_ALLOWED_HOSTS.")
    mapping = MappingLine(many=True, required=False)
    thin = serializers.BooleanField(required=False, help_text="Send ids only; the receiver reads the lead by API.")


class ConnectionChange(serializers.Serializer[Any]):
    name = serializers.CharField(required=False, max_length=80)
    url = serializers.CharField(required=False)
    credentials = Credentials(required=False)
    base_url = serializers.CharField(required=False)
    mapping = MappingLine(many=True, required=False)
    thin = serializers.BooleanField(required=False)


class ConnectionShape(serializers.Serializer[Any]):
    id = serializers.CharField()
    kind = serializers.CharField()
    name = serializers.CharField()
    state = serializers.CharField(help_text="active, paused, needs_reconnect, disabled or unconfirmed")
    state_reason = serializers.CharField()
    url = serializers.CharField()
    mapping = MappingLine(many=True)
    thin = serializers.BooleanField()
    created_at = serializers.DateTimeField()
    last_success_at = serializers.DateTimeField(allow_null=True)
    waiting = serializers.IntegerField()
    secret = serializers.CharField(required=False, help_text="The webhook's secret, once, where it was made.")


class ConnectionPage(serializers.Serializer[Any]):
    results = ConnectionShape(many=True)
    next = serializers.URLField(allow_null=True)
    previous = serializers.URLField(allow_null=True)


class TestShape(serializers.Serializer[Any]):
    __test__ = False
    ok = serializers.BooleanField()
    status_class = serializers.CharField()
    ms = serializers.IntegerField()
    cause = serializers.CharField()
    fix = serializers.CharField()


class ConfirmBody(serializers.Serializer[Any]):
    waiting = serializers.ChoiceField(choices=["send", "drop"], default="send")


class SinceBody(serializers.Serializer[Any]):
    since = serializers.DateTimeField()


class BackfillBody(serializers.Serializer[Any]):
    since = serializers.DateTimeField(required=False)


class BackfillShape(serializers.Serializer[Any]):
    queued = serializers.IntegerField()


class RecoverShape(serializers.Serializer[Any]):
    resent = serializers.IntegerField()
    queued = serializers.IntegerField()


class AttemptShape(serializers.Serializer[Any]):
    at = serializers.DateTimeField()
    status = serializers.IntegerField(allow_null=True)
    ms = serializers.IntegerField()
    error = serializers.CharField(allow_null=True)
    cause = serializers.CharField()
    fix = serializers.CharField()


class DeliveryShape(serializers.Serializer[Any]):
    id = serializers.CharField()
    connection = serializers.CharField()
    lead_id = serializers.CharField()
    event = serializers.CharField()
    webhook_id = serializers.CharField()
    state = serializers.CharField(help_text="pending, done, dead, skipped or waiting")
    attempts = AttemptShape(many=True)
    due_at = serializers.DateTimeField()
    created_at = serializers.DateTimeField()


class DeliveryPage(serializers.Serializer[Any]):
    results = DeliveryShape(many=True)
    next = serializers.URLField(allow_null=True)
    previous = serializers.URLField(allow_null=True)


def connection_json(row: ConnectionRow, secret: str | None = None) -> dict[str, Any]:
    """A connection, with its secret only where it was just made."""
    return {
        "id": str(row.id),
        "kind": row.kind,
        "name": row.name,
        "state": row.state,
        "state_reason": row.state_reason,
        "url": row.url,
        "mapping": row.mapping,
        "thin": row.thin,
        "created_at": _iso(row.created_at),
        "last_success_at": _iso(row.last_success_at),
        "waiting": row.waiting,
        **({"secret": secret} if secret else {}),
    }


def delivery_json(row: DeliveryRow) -> dict[str, Any]:
    """A delivery with its attempts."""
    return {
        "id": str(row.id),
        "connection": str(row.connection_id),
        "lead_id": str(row.lead_id),
        "event": row.event,
        "webhook_id": row.webhook_id,
        "state": row.state,
        "attempts": [
            {
                "at": _iso(attempt.at),
                "status": attempt.status,
                "ms": attempt.ms,
                "error": attempt.error or None,
                "cause": attempt.cause,
                "fix": attempt.fix,
            }
            for attempt in row.attempts
        ],
        "due_at": _iso(row.due_at),
        "created_at": _iso(row.created_at),
    }


def _iso(moment: datetime | None) -> str | None:
    return None if moment is None else moment.isoformat().replace("+00:00", "Z")
