"""The generic signed webhook: Standard Webhooks over JSON. The body is made of immutable things only, so that every
attempt of one id has the same bytes; the time of the attempt stands in a header and in the signature.
"""

import json
from datetime import UTC, datetime
from typing import Any

from django.utils.translation import gettext as _

from leads.crm.connectors.connector import (
    CREATED,
    DELETED,
    ENDS,
    ERASED,
    UPDATED,
    Destination,
    Event,
    Explanation,
    Outcome,
    Verdict,
    retry_after_of,
)
from leadscenter.lib import standard_webhooks
from leadscenter.lib.outbound import Answer, Call

MAX_FULL_BODY = 20_000
"""Above this many bytes an event is sent thin: receivers of Standard Webhooks need not take more."""


class Webhook:
    """`POST` to the customer's URL with the three headers of Standard Webhooks. 2xx alone is success."""

    kind = "webhook"
    events = frozenset({CREATED, UPDATED, DELETED, ERASED})

    def build(self, event: Event, destination: Destination, now: int) -> Call:
        """The signed request of one attempt."""
        body = body_of(event, thin=destination.thin)
        secrets = list(destination.credential["secrets"])
        headers = standard_webhooks.headers(secrets, event.message_id, now, body)
        return Call(destination.url, headers={"content-type": "application/json", **headers}, body=body)

    def follow(self, event: Event, destination: Destination, answer: Answer) -> Call | None:
        """One request is all."""
        return None

    def build_test(self, destination: Destination, message_id: str, now: int) -> Call:
        """A signed `test.ping` without anybody's data."""
        body = _encoded({"type": "test.ping", "timestamp": _iso(now), "data": {"is_test": True}})
        headers = standard_webhooks.headers(list(destination.credential["secrets"]), message_id, now, body)
        return Call(destination.url, headers={"content-type": "application/json", **headers}, body=body)

    def classify(self, answer: Answer) -> Verdict:
        """2xx done, 410 gone, 429 and 502 to 504 slow down; everything else, redirects included, is tried again."""
        status = answer.status
        if 200 <= status < 300:
            return Verdict(Outcome.OK)
        if status == 410:
            return Verdict(Outcome.GONE, "gone")
        if status in (429, 502, 503, 504):
            return Verdict(Outcome.THROTTLED, "slow_down", retry_after_of(answer))
        if 300 <= status < 400:
            return Verdict(Outcome.RETRY, "redirect")
        if status in (401, 403):
            return Verdict(Outcome.RETRY, "refused")
        return Verdict(Outcome.RETRY, "receiver_error" if status >= 500 else "receiver_refuses")

    def explain(self, code: str) -> Explanation | None:
        """Cause and fix of a webhook's code."""
        texts = {
            "gone": (
                _("The receiver answered 410: it no longer wants this webhook."),
                _("Check the address with whoever runs the receiver, then resume the connection."),
            ),
            "slow_down": (
                _("The receiver is overloaded or limits how much it takes."),
                _("Nothing to do: we slow down and try again. If it lasts, ask for a higher limit."),
            ),
            "redirect": (
                _("The receiver sent us to another address. Redirects are not followed, for safety."),
                _("Enter the final address as the connection's URL."),
            ),
            "refused": (
                _("The receiver refused us (401 or 403)."),
                _("Check that it verifies with the current secret, or rotate the secret and enter the new one there."),
            ),
            "receiver_error": (
                _("The receiver failed while handling the lead (5xx)."),
                _("Look into the receiver's log for the webhook id; we try again by the schedule."),
            ),
            "receiver_refuses": (
                _("The receiver did not accept the request (4xx)."),
                _("Check the address and what the receiver expects; we try again by the schedule."),
            ),
        }
        return Explanation(*texts[code]) if code in texts else None


def body_of(event: Event, *, thin: bool) -> bytes:
    """The JSON body of an event, the same bytes each time; thin (ids only) when asked or when it grew too large."""
    if event.type in ENDS:
        return _encoded({"type": event.type, "timestamp": _iso(event.at.timestamp()), "data": _identity(event)})
    if not thin:
        full = _encoded({"type": event.type, "timestamp": _iso(event.at.timestamp()), "data": _full(event)})
        if len(full) <= MAX_FULL_BODY:
            return full
    data = {**_identity(event), "thin": True}
    return _encoded({"type": event.type, "timestamp": _iso(event.at.timestamp()), "data": data})


def _identity(event: Event) -> dict[str, Any]:
    parts = {name: (thing or {}).get("id") for name, thing in event.names.items()}
    return {"lead_id": str(event.lead_id), **parts, **_version(event), "is_test": event.is_test}


def _version(event: Event) -> dict[str, int]:
    return {} if event.version is None else {"version": event.version}


def _full(event: Event) -> dict[str, Any]:
    answers = [{"key": a.get("key"), "label": a.get("label"), "value": a.get("value")} for a in event.answers]
    names = {name: event.names.get(name) for name in ("form", "campaign", "ad_group", "ad")}
    return {
        "lead_id": str(event.lead_id),
        **_version(event),
        **names,
        "answers": answers,
        "consent": event.consent,
        "attribution": event.attribution,
        "is_test": event.is_test,
    }


def _encoded(value: dict[str, Any]) -> bytes:
    return json.dumps(value, ensure_ascii=False, separators=(",", ":")).encode()


def _iso(seconds: float) -> str:
    return datetime.fromtimestamp(seconds, UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")


WEBHOOK = Webhook()
