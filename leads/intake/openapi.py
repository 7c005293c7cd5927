"""The public intake in the API's schema, by hand: its views are plain functions, since the framework costs too much."""

from typing import Any

from accounts.openapi import PROBLEM
from forms_builder.schema import CUSTOM_KINDS, STANDARD_FIELDS
from leads.intake.submission import CLICK_IDS, MAX_ATTRIBUTION, MAX_BODY, MAX_DEPTH, MAX_KEYS
from leadscenter.lib.regions import REGIONS

Schema = dict[str, Any]

TEXT: Schema = {"type": "string"}
TAGS = ["public"]


def _object(needed: list[str], /, **properties: Schema) -> Schema:
    return {"type": "object", "properties": properties, "required": needed}


def _list(items: Schema) -> Schema:
    return {"type": "array", "items": items}


SUBMISSION = _object(
    ["submission_key", "version"],
    submission_key={"type": "string", "format": "uuid", "description": "Made by the sender; a retry sends it again."},
    version={"type": "integer", "minimum": 1, "description": "The version that the person saw."},
    answers={"type": "object", "additionalProperties": True, "description": "Question key to answer."},
    consents={"type": "object", "additionalProperties": {"type": "boolean"}},
    attribution={
        "type": "object",
        "description": f"`ad_id`, {', '.join(sorted(CLICK_IDS))}, `utm_…`; at most {MAX_ATTRIBUTION} characters each.",
        "additionalProperties": TEXT,
    },
    country={"type": "string", "maxLength": 2, "description": "Where the person is registered; decides the region."},
) | {"additionalProperties": False}

SEALED = _object(
    ["sealed"],
    sealed={
        **_object(["kid", "enc", "ct"], kid=TEXT, enc=TEXT, ct=TEXT),
        "description": "HPKE base mode, DHKEM(P-256, HKDF-SHA256), HKDF-SHA256, AES-256-GCM; base64url, no padding; "
        "info = `leads-ingest/1` 0x00 kid 0x00 public_id; empty additional data; the plaintext is a Submission.",
    },
) | {"additionalProperties": False}

PUBLISHED = _object(
    ["public_id", "version", "title", "questions", "consents", "privacy_policy_url", "ingest_key"],
    public_id=TEXT,
    version={"type": "integer"},
    title=TEXT,
    questions=_list(
        _object(
            ["key", "kind", "label", "required", "options"],
            key=TEXT,
            kind={"type": "string", "enum": [*STANDARD_FIELDS, *CUSTOM_KINDS]},
            label=TEXT,
            required={"type": "boolean"},
            options=_list(_object(["key", "label"], key=TEXT, label=TEXT)),
        )
    ),
    consents=_list(_object(["key", "label", "required"], key=TEXT, label=TEXT, required={"type": "boolean"})),
    privacy_policy_url={"type": "string", "format": "uri"},
    ingest_key=_object(["kid", "public_key"], kid=TEXT, public_key=TEXT),
)

MEASURE = _object(
    ["kind", "version"],
    kind={"type": "string", "enum": ["open", "start", "question"]},
    version={"type": "integer"},
    questions=_list(TEXT),
    ad_id=TEXT,
)

COMPONENTS = {
    "PublishedForm": PUBLISHED,
    "Submission": SUBMISSION,
    "SealedSubmission": SEALED,
    "Stored": _object(["lead_id"], lead_id=TEXT),
    "Measure": MEASURE,
}


def _ref(name: str) -> Schema:
    return {"$ref": f"#/components/schemas/{name}"}


def _body(*names: str) -> Schema:
    schema = _ref(names[0]) if len(names) == 1 else {"oneOf": [_ref(name) for name in names]}
    return {"required": True, "content": {"application/json": {"schema": schema}}}


def _answer(description: str, name: str = "") -> Schema:
    content = {"application/json": {"schema": _ref(name)}} if name else None
    return {"description": description, **({"content": content} if content else {})}


def _problem(description: str) -> Schema:
    return {"description": description, "content": {PROBLEM: {"schema": _ref("ProblemShape")}}}


PUBLIC_ID: Schema = {"in": "path", "name": "public_id", "required": True, "schema": TEXT}
NO_FORM = _problem(
    "No form takes answers here: unknown, never published, or archived (submissions: for over 24 hours)."
)

PATHS: dict[str, Schema] = {
    "/api/v1/public/forms/{public_id}/": {
        "get": {
            "operationId": "public_form",
            "description": "The published version, and the key to seal answers to.",
            "tags": TAGS,
            "security": [{}],
            "parameters": [PUBLIC_ID],
            "responses": {"200": _answer("The form.", "PublishedForm"), "404": NO_FORM},
        }
    },
    "/api/v1/public/forms/{public_id}/submissions/": {
        "post": {
            "operationId": "public_submit",
            "description": "Answer a form, in clear or sealed. Acknowledged means stored, with its deliveries queued. "
            f"Body at most {MAX_BODY // 1024} kB, {MAX_DEPTH} levels, {MAX_KEYS} keys; whole numbers only. "
            f"The region ({', '.join(REGIONS)}) follows from the country.",
            "tags": TAGS,
            "security": [{}],
            "parameters": [PUBLIC_ID],
            "requestBody": _body("Submission", "SealedSubmission"),
            "responses": {
                "201": _answer("Stored.", "Stored"),
                "200": _answer("The same key with the same content was stored before.", "Stored"),
                "400": _problem("Not stored; `errors` says what to change, by field."),
                "404": NO_FORM,
                "409": _problem("The same key was used for other content, which is kept (`sent_at`)."),
                "413": _problem("The body is too large."),
                "429": _problem("Too many from one address; `Retry-After` says when. Send it again with the same key."),
                "503": _problem("Not stored now; `Retry-After` says when. Send it again with the same key."),
            },
        }
    },
    "/api/v1/public/forms/{public_id}/measures/": {
        "post": {
            "operationId": "public_measure",
            "description": "Count that a form was opened or started, or a question seen; says nothing of who.",
            "tags": TAGS,
            "security": [{}],
            "parameters": [PUBLIC_ID],
            "requestBody": _body("Measure"),
            "responses": {
                "204": _answer("Counted."),
                "400": _problem("Not counted."),
                "404": NO_FORM,
                "429": _answer("Too many from one address."),
            },
        }
    },
}


def describe_public_routes(result: Schema, generator: Any, request: Any, public: bool) -> Schema:
    """Add the public intake to the schema; a hook of drf-spectacular."""
    result["paths"] = dict(sorted({**result["paths"], **PATHS}.items()))
    schemas = result.setdefault("components", {}).setdefault("schemas", {})
    result["components"]["schemas"] = dict(sorted({**schemas, **COMPONENTS}.items()))
    return result
