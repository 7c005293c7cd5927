"""The schema at /api/v1/schema/: whole, valid, and true about how the API refuses."""

from typing import Any

import pytest
from django.urls import URLPattern, URLResolver, get_resolver
from drf_spectacular.drainage import GENERATOR_STATS
from drf_spectacular.generators import SchemaGenerator
from drf_spectacular.validation import validate_schema

from leads.selection import NAMES, OFFERED


@pytest.fixture(scope="module")
def schema() -> dict[str, Any]:
    GENERATOR_STATS.reset()
    made: dict[str, Any] = SchemaGenerator().get_schema(request=None, public=True)  # type: ignore[no-untyped-call]
    return made


def api_routes() -> set[str]:
    """Return every address under /api/v1/ as the schema writes it."""
    found: set[str] = set()

    def walk(patterns: list[Any], before: str) -> None:
        for pattern in patterns:
            route = before + str(pattern.pattern)
            if isinstance(pattern, URLResolver):
                walk(pattern.url_patterns, route)
            elif isinstance(pattern, URLPattern) and route.startswith("api/v1/"):
                words = (word.split(":")[-1].rstrip(">") if "<" in word else word for word in route.split("/"))
                parts = [
                    "{" + word + "}" if "<" in raw else word for raw, word in zip(route.split("/"), words, strict=True)
                ]
                found.add("/" + "/".join(parts))

    walk(get_resolver().url_patterns, "")
    return found


def test_schema_is_valid_and_was_made_without_a_warning(schema: dict[str, Any]) -> None:
    validate_schema(schema)  # type: ignore[no-untyped-call]
    assert dict(GENERATOR_STATS._warn_cache) == {}
    assert dict(GENERATOR_STATS._error_cache) == {}


def test_schema_describes_every_route(schema: dict[str, Any]) -> None:
    routes = api_routes() - {"/api/v1/schema/", "/api/v1/docs/"}
    assert len(routes) > 20
    assert routes - schema["paths"].keys() == set()
    assert schema["paths"].keys() - routes == set()


def test_every_operation_says_how_it_refuses(schema: dict[str, Any]) -> None:
    for path, operations in schema["paths"].items():
        for method, operation in operations.items():
            refusals = {code for code in operation["responses"] if code >= "400"}
            if "/public/" in path:
                assert "404" in refusals, (method, path)
                continue
            assert {"401", "403"} <= refusals, (method, path)
            assert ("404" in refusals) == ("{" in path), (method, path)
            assert operation["security"], (method, path)


def test_ids_are_text(schema: dict[str, Any]) -> None:
    for path, operations in schema["paths"].items():
        for operation in operations.values():
            for parameter in operation.get("parameters", []):
                if parameter["name"].endswith("_id"):
                    assert parameter["schema"]["type"] == "string", path


@pytest.mark.parametrize(
    ("path", "more"),
    [
        ("", {"sort", "order", "page_size", "cursor"}),
        ("board/", {"sort", "order", "page_size"}),
        ("counts/", set()),
    ],
)
def test_lists_of_leads_declare_every_filter_that_they_take(schema: dict[str, Any], path: str, more: set[str]) -> None:
    operation = schema["paths"][f"/api/v1/libraries/{{library_id}}/leads/{path}"]["get"]
    declared = {one["name"]: one for one in operation["parameters"] if one["in"] == "query"}
    assert declared.keys() == {*NAMES, "q"} - {"sort"} | more
    for name, one in declared.items():
        assert (one.get("required", False), bool(one["description"])) == (False, True), name
    for name, offered in OFFERED.items():
        assert declared[name]["schema"]["enum"] == sorted(offered), name
