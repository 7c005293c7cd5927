"""REST API of exports: ask, watch, take the file."""

from typing import Any

from django.http import HttpResponseBase, StreamingHttpResponse
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
from accounts.serializers import NamedShape
from accounts.wire import CURSOR, json_object
from leads.exports.catalogue import offered
from leads.exports.selectors import History, exports_of, get_export, histories_of, library_of
from leads.exports.services.asking import FORMATS, formats_of, request_export
from leads.exports.services.handing_out import XLSX, Download, download
from leads.models import Export
from leads.parameters import HELP, read_filter
from leads.selection import Selection
from leadscenter.lib.paging import BadCursor, page_body

BODY = {"format", "filter", "layout", "columns", "time_zone"}


class ExportBody(serializers.Serializer[Any]):
    format = serializers.ChoiceField(choices=FORMATS)
    filter = serializers.DictField(required=False, help_text=HELP)
    layout = serializers.ChoiceField(choices=Export.Layout.choices, required=False, default="all")
    columns = serializers.ListField(
        child=serializers.CharField(),
        required=False,
        help_text="Keys of `export-columns/`, in the order of the file; for the layout `chosen` alone.",
    )
    time_zone = serializers.CharField(required=False, help_text="Of the times, such as Europe/Berlin; UTC without it.")


class DownloadsShape(serializers.Serializer[Any]):
    times = serializers.IntegerField()
    last_at = serializers.DateTimeField()
    last_by = serializers.CharField(help_text="The name of whoever took it last.")


class ExportShape(serializers.Serializer[Any]):
    id = serializers.CharField()
    state = serializers.ChoiceField(choices=Export.State.choices)
    progress = serializers.FloatField(allow_null=True, help_text="0 to 1; null while nobody knows.")
    rows = serializers.IntegerField()
    file = serializers.CharField(allow_null=True)
    format = serializers.ChoiceField(choices=FORMATS)
    layout = serializers.ChoiceField(choices=Export.Layout.choices)
    columns = serializers.ListField(child=serializers.CharField())
    time_zone = serializers.CharField(help_text="Empty for UTC.")
    failure = serializers.CharField(help_text="Why it was stopped.")
    requested_at = serializers.DateTimeField()
    requested_by = NamedShape(allow_null=True, help_text="Null for a partner: somebody of the library's side.")
    filter = serializers.DictField(
        child=serializers.CharField(), help_text="Which leads it is of, as parameters of the list; a search as digests."
    )
    downloads = DownloadsShape(
        allow_null=True, help_text="Null where nobody took it; a partner is told of their own side alone."
    )
    expires_at = serializers.DateTimeField(allow_null=True)


class LayoutShape(serializers.Serializer[Any]):
    layout = serializers.ChoiceField(choices=Export.Layout.choices)
    label = serializers.CharField()  # type: ignore[assignment]
    formats = serializers.ListField(child=serializers.CharField())


class ColumnShape(serializers.Serializer[Any]):
    key = serializers.CharField()
    label = serializers.CharField()  # type: ignore[assignment]
    group = serializers.CharField()
    form = serializers.CharField(help_text="The form that asks it; empty for what every lead has.")


class ExportChoices(serializers.Serializer[Any]):
    layouts = LayoutShape(many=True)
    columns = ColumnShape(many=True)


class ExportPage(serializers.Serializer[Any]):
    results = ExportShape(many=True)
    next = serializers.CharField(allow_null=True)
    previous = serializers.CharField(allow_null=True)


def export_json(export: Export, request: Request, history: History) -> dict[str, Any]:
    """Return an export; `file` is where to take it, once it is there."""
    by, taken = history.by, history.taken
    ready = export.state == Export.State.DONE
    where = request.build_absolute_uri(reverse("api_export_file", args=[export.pk])) if ready else None
    return {
        "id": str(export.pk),
        "state": export.state,
        "progress": progress(export),
        "rows": export.rows,
        "file": where,
        "format": export.format,
        "layout": export.layout,
        "columns": export.columns,
        "time_zone": export.time_zone,
        "failure": export.failure,
        "requested_at": export.requested_at,
        "requested_by": {"id": str(by.pk), "name": str(by)} if by else None,
        "filter": Selection.from_json(export.filter).as_params(),
        "downloads": {"times": taken.times, "last_at": taken.at, "last_by": taken.who} if taken else None,
        "expires_at": export.expires_at,
    }


def progress(export: Export) -> float | None:
    """Return how far an export is, 0 to 1; None while the number of leads is not known."""
    if export.state == Export.State.DONE:
        return 1.0
    return round(min(export.rows / export.total, 1.0), 3) if export.total else None


class LibraryExports(APIView):
    """The exports of a library."""

    fresh = ("post",)
    can = Can.DOWNLOAD_LEADS

    @extend_schema(operation_id="exports_list", responses=ExportPage, parameters=[CURSOR])
    def get(self, request: Request, library_id: int) -> Response:
        """List them, newest first."""
        library, actor = library_of(library_id), actor_of(request)
        try:
            page = exports_of(actor, library, cursor=request.query_params.get("cursor"))
        except BadCursor as error:
            raise Invalid({"cursor": _("Not a cursor of this list.")}) from error
        histories = histories_of(actor, library, page.rows)
        rows: list[object] = [export_json(export, request, histories[export.pk]) for export in page.rows]
        return Response(page_body(page, rows, request.build_absolute_uri()))

    @extend_schema(operation_id="exports_create", request=ExportBody, responses={201: ExportShape})
    def post(self, request: Request, library_id: int) -> Response:
        """Ask for a file of the leads that match the filter now: test leads only where a column `is_test` says which
        they are, or where the filter asks for them.
        """
        library, actor = library_of(library_id), actor_of(request)
        require(actor, Can.DOWNLOAD_LEADS, library)
        body = json_object(request, BODY)
        selection = read_filter(library, body.get("filter", {}), actor=actor)
        export = request_export(actor=actor, library=library, selection=selection, **_wanted(body))
        return Response(export_json(export, request, History(actor, None)), status=201)


def _wanted(body: dict[str, Any]) -> dict[str, Any]:
    columns = body.get("columns") or []
    if not isinstance(columns, list) or not all(isinstance(key, str) for key in columns):
        raise Invalid({"columns": _("Send a list of keys.")})
    return {
        "file_format": str(body.get("format") or "csv"),
        "layout": str(body.get("layout") or "all"),
        "columns": columns,
        "time_zone": str(body.get("time_zone") or ""),
    }


class ExportColumns(APIView):
    """What a file can hold."""

    can = Can.DOWNLOAD_LEADS

    @extend_schema(operation_id="exports_columns", responses=ExportChoices)
    def get(self, request: Request, library_id: int) -> Response:
        """Name the layouts, and the columns that can be chosen, in the order in which the dashboard offers them."""
        library = library_of(library_id)
        require(actor_of(request), Can.DOWNLOAD_LEADS, library)
        columns = [
            {"key": column.key, "label": column.label, "group": group.name, "form": column.form}
            for group in offered(library)
            for column in group.columns
        ]
        layouts = [
            {"layout": str(one.value), "label": str(one.label), "formats": list(formats_of(one))}
            for one in Export.Layout
        ]
        return Response({"layouts": layouts, "columns": columns})


class OneExport(APIView):
    """An export."""

    can = Can.DOWNLOAD_LEADS

    @extend_schema(operation_id="exports_get", responses=ExportShape)
    def get(self, request: Request, export_id: int) -> Response:
        """Return how far it is, and where its file is."""
        actor = actor_of(request)
        export = get_export(actor, export_id)
        history = histories_of(actor, export.library, [export])[export.pk]
        return Response(export_json(export, request, history))


class ExportFile(APIView):
    """The file of an export."""

    fresh = ("get",)
    can = Can.DOWNLOAD_LEADS

    @extend_schema(
        operation_id="exports_file",
        responses={(200, "text/csv"): OpenApiTypes.BINARY, (200, XLSX): OpenApiTypes.BINARY},
    )
    def get(self, request: Request, export_id: int) -> HttpResponseBase:
        """Send the file; rights are asked before each MiB."""
        actor = actor_of(request)
        return file_response(download(actor=actor, export=get_export(actor, export_id)))


def file_response(taken: Download) -> StreamingHttpResponse:
    """Return the answer that carries a file: for no cache, as an attachment, as long as it says."""
    return StreamingHttpResponse(
        taken.parts,
        headers={
            "Content-Type": taken.content_type,
            "Content-Disposition": f'attachment; filename="{taken.name}"',
            "Content-Length": str(taken.length),
            "Cache-Control": "no-store",
        },
    )
