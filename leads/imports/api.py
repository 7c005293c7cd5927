"""REST API of imports: send a file, watch its check, import it, take its faulty rows."""

import json
from typing import Any

from django.http import HttpResponseBase
from django.urls import reverse
from django.utils.translation import gettext as _
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import extend_schema
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from accounts.access import Can, require
from accounts.authentication import actor_of
from accounts.refusals import Invalid
from leads.center.selectors.library import library_of
from leads.exports.api import file_response
from leads.imports.selectors import get_import, imports_of
from leads.imports.services.asking import discard, start, upload_and_check
from leads.imports.services.handing_out import download_faults, has_faults_file
from leads.models import Import
from leadscenter.lib.paging import BadCursor, page_body

YES, NO = ("true", "1", "yes"), ("false", "0", "no")


class ImportBody(serializers.Serializer[Any]):
    file = serializers.FileField(help_text="CSV or XLSX, at most 20 MB and 100,000 rows, column names in its first.")
    form = serializers.CharField(help_text="The id of a published form of the account.")
    mapping = serializers.JSONField(
        required=False, help_text="Column name → key, or a list with a key per column. Without one, names decide."
    )
    duplicates = serializers.ChoiceField(choices=Import.Duplicates.choices, required=False)
    dry_run = serializers.BooleanField(required=False, help_text="false: go on to the import after the check.")
    deliver = serializers.BooleanField(required=False, help_text="true: send the new leads to the connected CRMs.")


class ImportShape(serializers.Serializer[Any]):
    id = serializers.CharField()
    state = serializers.ChoiceField(choices=Import.State.choices)
    form = serializers.CharField()
    format = serializers.CharField()
    mapping = serializers.ListField(child=serializers.CharField())
    duplicates = serializers.ChoiceField(choices=Import.Duplicates.choices)
    deliver = serializers.BooleanField()
    rows = serializers.IntegerField(help_text="Rows that are done: checked, or imported once that has begun.")
    total = serializers.IntegerField(help_text="Rows of the file; 0 until it was checked.")
    new = serializers.IntegerField()
    updated = serializers.IntegerField()
    skipped = serializers.IntegerField()
    faulty = serializers.IntegerField()
    failure = serializers.CharField()
    notices = serializers.ListField(child=serializers.CharField())
    errors_file = serializers.CharField(allow_null=True, help_text="Where to take the faulty rows as CSV.")
    requested_at = serializers.DateTimeField()
    expires_at = serializers.DateTimeField(allow_null=True)


class ImportPage(serializers.Serializer[Any]):
    results = ImportShape(many=True)
    next = serializers.CharField(allow_null=True)
    previous = serializers.CharField(allow_null=True)


def import_json(row: Import, request: Request) -> dict[str, Any]:
    """Return an import: its counts are what the check foresees until the import begins, then what was made."""
    faults = request.build_absolute_uri(reverse("api_import_faults", args=[row.pk])) if has_faults_file(row) else None
    return {
        "id": str(row.pk),
        "state": row.state,
        "form": str(row.form_id),
        "format": row.format,
        "mapping": row.mapping,
        "duplicates": row.duplicates,
        "deliver": row.deliver,
        "rows": row.cursor,
        "total": row.total,
        "new": row.made,
        "updated": row.updated,
        "skipped": row.skipped,
        "faulty": row.faulty,
        "failure": row.failure,
        "notices": row.notices.split(),
        "errors_file": faults,
        "requested_at": row.requested_at,
        "expires_at": row.expires_at,
    }


class LibraryImports(APIView):
    """The imports of a library."""

    fresh = ("post",)
    can = Can.WORK_LEADS

    @extend_schema(operation_id="imports_list", responses=ImportPage)
    def get(self, request: Request, library_id: int) -> Response:
        """List them, newest first."""
        library = library_of(library_id)
        try:
            page = imports_of(actor_of(request), library, cursor=request.query_params.get("cursor"))
        except BadCursor as error:
            raise Invalid({"cursor": _("Not a cursor of this list.")}) from error
        rows: list[object] = [import_json(row, request) for row in page.rows]
        return Response(page_body(page, rows, request.build_absolute_uri()))

    @extend_schema(
        operation_id="imports_create", request={"multipart/form-data": ImportBody}, responses={201: ImportShape}
    )
    def post(self, request: Request, library_id: int) -> Response:
        """Send a file of leads; it is checked, and imported then when `dry_run` is false."""
        library, actor = library_of(library_id), actor_of(request)
        require(actor, Can.WORK_LEADS, library)
        given = request.data if isinstance(request.data, dict) else {}
        content = request.FILES.get("file")
        form = str(given.get("form") or "")
        errors = {} if content is not None else {"file": _("Send a CSV or XLSX file.")}
        if not (form.isascii() and form.isdigit() and len(form) <= 19):
            errors["form"] = _("Send the id of a form.")
        flags = {name: _flag(given.get(name), usual) for name, usual in (("dry_run", True), ("deliver", False))}
        errors |= {name: _("Must be true or false.") for name, value in flags.items() if value is None}
        if errors or content is None:
            raise Invalid(errors)
        row = upload_and_check(
            actor=actor,
            library=library,
            form_id=int(form),
            content=content.read(),
            mapping=_mapping(given.get("mapping")),
            duplicates=str(given.get("duplicates") or Import.Duplicates.SKIP),
            deliver=bool(flags["deliver"]),
            straight_on=not flags["dry_run"],
        )
        return Response(import_json(row, request), status=201)


class OneImport(APIView):
    """An import."""

    can = Can.WORK_LEADS

    @extend_schema(operation_id="imports_get", responses=ImportShape)
    def get(self, request: Request, import_id: int) -> Response:
        """Return how far it is, and what came of it."""
        return Response(import_json(get_import(actor_of(request), import_id), request))


class RunImport(APIView):
    """The import of a file that was checked."""

    can = Can.WORK_LEADS

    @extend_schema(operation_id="imports_run", request=None, responses=ImportShape)
    def post(self, request: Request, import_id: int) -> Response:
        """Import it. 409 unless it was checked, by whoever sent it."""
        actor = actor_of(request)
        return Response(import_json(start(actor=actor, row=get_import(actor, import_id)), request))


class DiscardImport(APIView):
    """The end of an import's file."""

    can = Can.WORK_LEADS

    @extend_schema(operation_id="imports_discard", request=None, responses=ImportShape)
    def post(self, request: Request, import_id: int) -> Response:
        """Throw away a file that waits, or the faulty rows of one that is imported; leads stay."""
        actor = actor_of(request)
        discard(actor=actor, row=get_import(actor, import_id))
        return Response(import_json(get_import(actor, import_id), request))


class ImportFaults(APIView):
    """The faulty rows of an import."""

    fresh = ("get",)
    can = Can.DOWNLOAD_LEADS

    @extend_schema(operation_id="imports_errors", responses={(200, "text/csv"): OpenApiTypes.BINARY})
    def get(self, request: Request, import_id: int) -> HttpResponseBase:
        """Send the rows as they came, with a column that says what is wrong; rights are asked before each MiB."""
        actor = actor_of(request)
        return file_response(download_faults(actor=actor, row=get_import(actor, import_id, can=Can.DOWNLOAD_LEADS)))


def _flag(value: Any, usual: bool) -> bool | None:
    text = str(value).casefold() if value not in (None, "") else str(usual).casefold()
    return True if text in YES else False if text in NO else None


def _mapping(value: Any) -> Any:
    if value is None or value == "":
        return None
    try:
        return json.loads(value)
    except (ValueError, TypeError, RecursionError) as error:
        raise Invalid({"mapping": _("This is not the JSON that we take.")}) from error
