"""HubSpot's contacts API as far as the connector uses it: state, validation, limits and faults of the real one.

Shapes: the vendor's documentation of CRM v3. Magic e-mails make faults that no request can ask for.
"""

import asyncio
import itertools
import json
import threading
from collections import deque
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from types import TracebackType
from typing import Any, Self

from aiohttp import web

from tests.fakes.served import Served

TOKEN = "pat-secret"
PROPERTIES: dict[str, dict[str, Any]] = {
    "email": {"type": "string", "hasUniqueValue": False},
    "firstname": {"type": "string"},
    "lastname": {"type": "string"},
    "phone": {"type": "string"},
    "mobilephone": {"type": "string"},
    "company": {"type": "string"},
    "jobtitle": {"type": "string"},
    "address": {"type": "string"},
    "city": {"type": "string"},
    "state": {"type": "string"},
    "zip": {"type": "string"},
    "country": {"type": "string"},
    "gender": {"type": "string"},
    "lead_source": {"type": "enumeration", "options": ["Web", "Lead ad"]},
    "createdate": {"type": "datetime", "modificationMetadata": {"readOnlyValue": True}},
}
MAGIC = {
    "rate-limit@example.com": (429, {"policyName": "TEN_SECONDLY_ROLLING", "message": "You have reached your limit."}),
    "daily@example.com": (429, {"policyName": "DAILY", "message": "You have reached your daily limit."}),
    "expired@example.com": (401, {"category": "EXPIRED_AUTHENTICATION", "message": "The OAuth token expired"}),
}

Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]


@dataclass(frozen=True)
class Asked:
    """One request as it came in."""

    method: str
    path: str
    headers: dict[str, str]
    body: Any


@dataclass
class Fault:
    """What the next request meets instead of an answer of ours."""

    status: int = 500
    headers: dict[str, str] = field(default_factory=dict)
    body: bytes = b"{}"
    delay: float = 0.0
    drop: bool = False
    after_processing: bool = False


class HubSpot:
    """`with HubSpot() as hubspot:`; contacts by id in `contacts`, requests in `asked`, faults by `script`."""

    def __init__(self) -> None:
        self.contacts: dict[str, dict[str, str]] = {}
        self.asked: list[Asked] = []
        self._faults: deque[Fault] = deque()
        self._numbers = itertools.count(101)
        self._lock = threading.Lock()
        app = web.Application(middlewares=[self._frame])
        app.router.add_post("/crm/v3/objects/contacts/batch/upsert", self._upsert)
        app.router.add_post("/crm/v3/objects/contacts/search", self._search)
        app.router.add_post("/crm/v3/objects/contacts", self._create)
        app.router.add_patch("/crm/v3/objects/contacts/{id}", self._change)
        app.router.add_get("/crm/v3/properties/contacts", self._schema)
        app.router.add_get("/crm/v3/properties/contacts/{name}", self._property)
        self._served = Served(app)

    @property
    def url(self) -> str:
        return self._served.url

    def script(self, *faults: Fault) -> None:
        """Meet the next requests with these faults, one each."""
        self._faults.extend(faults)

    def __enter__(self) -> Self:
        self._served.__enter__()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._served.__exit__(kind, error, trace)

    @web.middleware
    async def _frame(self, request: web.Request, handler: Handler) -> web.StreamResponse:
        text = await request.text()
        body = json.loads(text) if text else None
        self.asked.append(Asked(request.method, request.path, dict(request.headers), body))
        if request.headers.get("Authorization") != f"Bearer {TOKEN}":
            return _error(401, "INVALID_AUTHENTICATION", "Authentication credentials not found.")
        if text and request.headers.get("Content-Type", "").partition(";")[0] != "application/json":
            return _error(415, "UNSUPPORTED_MEDIA_TYPE", "Unsupported media type")
        fault = self._faults.popleft() if self._faults else None
        if fault is None:
            return await handler(request)
        await asyncio.sleep(fault.delay)
        if fault.after_processing:
            await handler(request)
        if fault.drop and request.transport is not None:
            request.transport.abort()
        return web.Response(status=fault.status, headers=fault.headers, body=fault.body)

    async def _upsert(self, request: web.Request) -> web.Response:
        inputs = (await request.json()).get("inputs")
        if not isinstance(inputs, list) or not inputs:
            return _error(400, "VALIDATION_ERROR", "inputs must not be empty")
        if len(inputs) > 100:
            return _error(400, "VALIDATION_ERROR", "Batch size is larger than 100")
        results, errors = [], []
        for one in inputs:
            properties = one.get("properties", {})
            email = properties.get("email", "")
            if email in MAGIC:
                status, told = MAGIC[email]
                return web.json_response({"status": "error", "correlationId": "c", **told}, status=status)
            problem = _problem(properties)
            if one.get("idProperty") != "email" or one.get("id") != email or not email:
                problem = ("VALIDATION_ERROR", "idProperty email needs the same e-mail as id and property")
            if problem is None:
                results.append(self._store(email, properties, "email"))
            else:
                errors.append(
                    {
                        "status": "error",
                        "category": problem[0],
                        "message": problem[1],
                        "context": {"objectWriteTraceId": [one.get("objectWriteTraceId", "")]},
                    }
                )
        body: dict[str, Any] = {"status": "COMPLETE", "results": results, "startedAt": "…", "completedAt": "…"}
        if errors:
            body |= {"numErrors": len(errors), "errors": errors}
        return web.json_response(body, status=207 if errors else 200)

    async def _search(self, request: web.Request) -> web.Response:
        (group,) = (await request.json())["filterGroups"]
        (wanted,) = group["filters"]
        assert wanted["operator"] == "EQ"
        found = [
            {"id": pk, "properties": contact}
            for pk, contact in self.contacts.items()
            if contact.get(wanted["propertyName"]) == wanted["value"]
        ]
        return web.json_response({"total": len(found), "results": found[:1]})

    async def _create(self, request: web.Request) -> web.Response:
        properties = (await request.json())["properties"]
        if problem := _problem(properties):
            return _error(400, *problem)
        for pk, contact in self.contacts.items():
            if contact.get("email") and contact["email"] == properties.get("email"):
                return _error(409, "CONFLICT", f"Contact already exists. Existing ID: {pk}")
        return web.json_response(self._store("", properties, ""), status=201)

    async def _change(self, request: web.Request) -> web.Response:
        pk = request.match_info["id"]
        properties = (await request.json())["properties"]
        if pk not in self.contacts:
            return _error(404, "OBJECT_NOT_FOUND", "resource not found")
        if problem := _problem(properties):
            return _error(400, *problem)
        self.contacts[pk].update(properties)
        return web.json_response({"id": pk, "properties": self.contacts[pk], "archived": False})

    async def _schema(self, _: web.Request) -> web.Response:
        return web.json_response({"results": [{"name": name, **told} for name, told in PROPERTIES.items()]})

    async def _property(self, request: web.Request) -> web.Response:
        name = request.match_info["name"]
        if name not in PROPERTIES:
            return _error(404, "OBJECT_NOT_FOUND", f"property {name} does not exist")
        return web.json_response({"name": name, **PROPERTIES[name]})

    def _store(self, key: str, properties: dict[str, str], unique: str) -> dict[str, Any]:
        with self._lock:
            known = [pk for pk, contact in self.contacts.items() if unique and contact.get(unique) == key]
            pk = known[0] if known else str(next(self._numbers))
            self.contacts.setdefault(pk, {}).update(properties)
        return {"id": pk, "new": not known, "properties": properties, "archived": False}


def _problem(properties: dict[str, Any]) -> tuple[str, str] | None:
    """Category and message when HubSpot would refuse these properties."""
    for name, value in properties.items():
        told = PROPERTIES.get(name)
        if told is None:
            detail = [
                {"isValid": False, "message": f'Property "{name}" does not exist', "error": "PROPERTY_DOESNT_EXIST"}
            ]
            return "VALIDATION_ERROR", f"Property values were not valid: {json.dumps(detail)}"
        if not isinstance(value, str):
            return "VALIDATION_ERROR", "Invalid input JSON: property values are strings"
        if told.get("modificationMetadata", {}).get("readOnlyValue"):
            return "VALIDATION_ERROR", f"READ_ONLY_VALUE: {name}"
        if "options" in told and value not in told["options"]:
            return "VALIDATION_ERROR", f'Property values were not valid: [{{"error":"INVALID_OPTION","name":"{name}"}}]'
    if "email" in properties and "@" not in properties["email"]:
        return "VALIDATION_ERROR", 'Property values were not valid: [{"error":"INVALID_EMAIL"}]'
    return None


def _error(status: int, category: str, message: str) -> web.Response:
    body = {"status": "error", "message": message, "correlationId": "c", "category": category}
    return web.json_response(body, status=status)
