"""HubSpot contacts by e-mail: `POST /crm/v3/objects/contacts/batch/upsert`, repeatable by nature.

Contract: HubSpot's CRM v3 objects API. Every property value is a string; a 2xx answer may still hold errors (207), so
the body is judged, not the status alone. A lead without e-mail goes by telephone, which HubSpot does not keep unique:
the contact is searched first, then changed or made.
"""

import json
import re
from collections.abc import Iterator
from typing import Any
from urllib.parse import quote

from leads.crm.connectors import hubspot_texts
from leads.crm.connectors.connector import (
    CREATED,
    CannotMap,
    Destination,
    Event,
    Explanation,
    Outcome,
    Verdict,
    retry_after_of,
)
from leadscenter.lib.outbound import Answer, Call

API = "https://api.hubapi.com"
CONTACTS = "/crm/v3/objects/contacts"
UPSERT = f"{CONTACTS}/batch/upsert"
SEARCH = f"{CONTACTS}/search"
SCHEMA = "/crm/v3/properties/contacts"
DAILY_LIMIT_WAIT = 3600.0
MAX_VALUE = 65_536

STANDARD_PROPERTIES = {
    "email": "email",
    "first_name": "firstname",
    "last_name": "lastname",
    "phone_number": "phone",
    "work_phone": "mobilephone",
    "company_name": "company",
    "job_title": "jobtitle",
    "address": "address",
    "city": "city",
    "province_state": "state",
    "zip_code": "zip",
    "country": "country",
    "gender": "gender",
}
_KEY = re.compile(r"[a-z][a-z0-9_]{0,39}\Z")
_VENDOR_CODES = {
    "PROPERTY_DOESNT_EXIST": (Outcome.CONFIG, "unknown_property"),
    "READ_ONLY_VALUE": (Outcome.CONFIG, "read_only_property"),
    "INVALID_OPTION": (Outcome.FATAL, "invalid_option"),
    "INVALID_EMAIL": (Outcome.FATAL, "invalid_email"),
}


class HubSpot:
    """One lead becomes one contact, or changes the one that has its e-mail (else its telephone number)."""

    kind = "hubspot"
    events = frozenset({CREATED})

    def build(self, event: Event, destination: Destination, now: int) -> Call:
        """The upsert by e-mail, or the search by telephone. Raises `CannotMap` when the lead has neither."""
        properties = properties_of(event, destination)
        email = properties.get("email")
        if email:
            contact = {
                "id": email,
                "idProperty": "email",
                "objectWriteTraceId": event.message_id,
                "properties": properties,
            }
            return _call(destination, UPSERT, {"inputs": [contact]})
        if not properties.get("phone"):
            raise CannotMap("no_contact")
        same_phone = {"propertyName": "phone", "operator": "EQ", "value": properties["phone"]}
        return _call(destination, SEARCH, {"filterGroups": [{"filters": [same_phone]}], "limit": 1})

    def follow(self, event: Event, destination: Destination, answer: Answer) -> Call | None:
        """After the search by telephone: change the contact that was found, or make one."""
        found = _json(answer)
        if not isinstance(found, dict) or "total" not in found:
            return None
        properties = properties_of(event, destination)
        results = found.get("results")
        if isinstance(results, list) and results and isinstance(results[0], dict) and results[0].get("id"):
            path = f"{CONTACTS}/{quote(str(results[0]['id']), safe='')}"
            return _call(destination, path, {"properties": properties}, "PATCH")
        return _call(destination, CONTACTS, {"properties": properties})

    def build_test(self, destination: Destination, message_id: str, now: int) -> Call:
        """Read the definition of one property: shows that the token works and writes nothing."""
        return _call(destination, f"{SCHEMA}/email", None, "GET")

    def classify(self, answer: Answer) -> Verdict:
        """By status, then by what the body says: 207 and even 200 may hold errors."""
        status = answer.status
        if status == 401:
            return Verdict(Outcome.AUTH, "token_refused")
        if status == 403:
            return Verdict(Outcome.AUTH, "missing_scope")
        if status == 429:
            return _throttled(answer)
        if status in (502, 503, 504):
            return Verdict(Outcome.THROTTLED, "slow_down", retry_after_of(answer))
        if status in (400, 422):
            return _refused(_json(answer))
        if status == 404:
            return Verdict(Outcome.CONFIG, "not_found")
        if 200 <= status < 300:
            return _judge_body(_json(answer))
        return Verdict(Outcome.RETRY, "redirect" if 300 <= status < 400 else "vendor_error")

    def explain(self, code: str) -> Explanation | None:
        """Cause and fix of a code of HubSpot."""
        return hubspot_texts.explain(code)


def properties_of(event: Event, destination: Destination) -> dict[str, str]:
    """The contact's properties: by the connection's mapping, else the standard fields. Empty values are left out."""
    pairs = _mapped(event, destination) if destination.mapping else _standard(event)
    return {name: value[:MAX_VALUE] for name, value in pairs if value}


def _standard(event: Event) -> Iterator[tuple[str, str]]:
    first, _, last = event.value_of("name").partition(" ")
    yield "firstname", first
    yield "lastname", last.strip()
    yield "email", event.value_of("work_email")
    yield "phone", event.value_of("work_phone")
    for kind, name in STANDARD_PROPERTIES.items():
        value = event.value_of(kind)
        if value:
            yield name, value.lower() if kind == "email" else value


def _mapped(event: Event, destination: Destination) -> Iterator[tuple[str, str]]:
    for line in destination.mapping:
        source, name = line["from"], line["to"]
        value = source_value(event, source)
        yield name, value.lower() if name == "email" else value


def source_value(event: Event, source: str) -> str:
    """What a mapping's `from` gives: an answer by key or kind, a name or id of ours, or a constant.

    Whatever is not written like a key ("[not provided]"), and everything behind a "=", is a constant.
    """
    if source.startswith("="):
        return source[1:]
    if not _KEY.match(source):
        return source
    if source == "lead_id":
        return str(event.lead_id)
    thing, _, what = source.rpartition("_")
    if what in ("name", "id") and thing in event.names:
        return str((event.names[thing] or {}).get(what, ""))
    return event.value_of(source) or str(event.attribution.get(source, ""))


def _call(destination: Destination, path: str, body: dict[str, Any] | None, method: str = "POST") -> Call:
    headers = {"authorization": f"Bearer {destination.credential['token']}", "content-type": "application/json"}
    encoded = b"" if body is None else json.dumps(body, ensure_ascii=False, separators=(",", ":")).encode()
    return Call((destination.url or API).rstrip("/") + path, method=method, headers=headers, body=encoded)


def _json(answer: Answer) -> Any:
    try:
        return json.loads(answer.body)
    except (ValueError, RecursionError):
        return None


def _throttled(answer: Answer) -> Verdict:
    body = _json(answer)
    wait = retry_after_of(answer)
    if isinstance(body, dict) and body.get("policyName") == "DAILY":
        return Verdict(Outcome.THROTTLED, "daily_limit", wait or DAILY_LIMIT_WAIT)
    return Verdict(Outcome.THROTTLED, "slow_down", wait)


def _judge_body(body: Any) -> Verdict:
    if not isinstance(body, dict):
        return Verdict(Outcome.RETRY, "not_hubspot")
    errors = body.get("errors")
    if isinstance(errors, list) and errors:
        return _refused(errors[0])
    if isinstance(body.get("results"), list) or body.get("id") or body.get("name"):
        return Verdict(Outcome.OK)
    return Verdict(Outcome.RETRY, "not_hubspot")


def _refused(error: Any) -> Verdict:
    """What a refusal of one input is called; vendors put their codes into the text of the message."""
    text = json.dumps(error) if isinstance(error, dict) else ""
    for vendor, (outcome, code) in _VENDOR_CODES.items():
        if vendor in text:
            return Verdict(outcome, code)
    category = error.get("category") if isinstance(error, dict) else None
    if category == "RATE_LIMITS":
        return Verdict(Outcome.THROTTLED, "slow_down")
    if category == "CONFLICT":
        return Verdict(Outcome.RETRY, "conflict")
    return Verdict(Outcome.FATAL, "not_accepted")


HUBSPOT = HubSpot()
