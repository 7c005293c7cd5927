"""What the API's schema says of every operation beside its own shapes: who may call it, how it refuses.

A view says its answer; the errors follow from what it is: anything may answer 401 and 403, what has an id in its
address 404, what takes input 400, what changes something 409. All of them are RFC 9457 problems.
"""

from typing import Any

from drf_spectacular.extensions import OpenApiAuthenticationExtension
from drf_spectacular.openapi import AutoSchema
from drf_spectacular.plumbing import ResolvedComponent
from rest_framework import serializers

from accounts.declarations import PUBLIC

ID_PATTERN = "^[0-9]{1,19}$"
PROBLEM = "application/problem+json"
WHY = {
    "400": "Bad input: `errors` says what to change, by field. Nothing was written.",
    "401": "Not signed in, or the token is unknown, expired or revoked.",
    "403": "A member without the right: `reason` says why, `who_can_help` names people or a Business Center. "
    "Or the token lacks the scope, or the session's request lacks its CSRF token.",
    "404": "Not there, or the caller is a stranger to it: the two are not told apart.",
    "409": "The thing is in another state than this act needs; `type` names which. Nothing was written.",
}


class ProblemShape(serializers.Serializer[Any]):
    """RFC 9457."""

    type = serializers.CharField(help_text="about:blank, or the code of the conflict.")
    title = serializers.CharField()
    status = serializers.IntegerField()
    detail = serializers.CharField()
    errors = serializers.DictField(required=False, help_text="400: field to what is wrong.")  # type: ignore[assignment]
    reason = serializers.CharField(required=False, help_text="403")
    missing_permission = serializers.CharField(required=False, help_text="403: the right that is missing.")
    who_can_help = serializers.ListField(child=serializers.CharField(), required=False, help_text="403")


class BearerScheme(OpenApiAuthenticationExtension):  # type: ignore[no-untyped-call]  # registers itself by being made
    """`Authorization: Bearer <token>`."""

    target_class = "accounts.authentication.BearerAuthentication"
    name = "token"
    priority = 1

    def get_security_definition(self, auto_schema: AutoSchema) -> dict[str, str]:
        """Return the scheme for `components.securitySchemes`."""
        text = "An API token of a person. Its scopes narrow what the person may and never widen it."
        return {"type": "http", "scheme": "bearer", "description": text}


class Described(AutoSchema):
    """The usual schema of a view, with ids as text and the ways in which it refuses."""

    def _resolve_path_parameters(self, variables: list[str]) -> Any:
        parameters = super()._resolve_path_parameters(variables)  # type: ignore[no-untyped-call]
        for parameter in parameters:
            if parameter["schema"].get("type") == "integer" and parameter["name"].endswith("_id"):
                parameter["schema"] = {"type": "string", "pattern": ID_PATTERN}
        return parameters

    def _get_response_bodies(self, direction: Any = "response") -> Any:
        told = super()._get_response_bodies(direction)
        if getattr(self.view, "declares", None) == PUBLIC:
            return told
        codes = ["401", "403"]
        if "{" in self.path:
            codes.append("404")
        if self.method in ("POST", "PATCH", "PUT") or self._takes_parameters():
            codes.insert(0, "400")
        if self.method in ("POST", "PATCH", "PUT", "DELETE"):
            codes.append("409")
        component: ResolvedComponent = self.resolve_serializer(ProblemShape(), "response")
        for code in codes:
            told.setdefault(code, {"description": WHY[code], "content": {PROBLEM: {"schema": component.ref}}})
        return dict(sorted(told.items()))

    def _takes_parameters(self) -> bool:
        found: list[dict[str, Any]] = self._get_parameters()
        return any(parameter["in"] == "query" for parameter in found)
