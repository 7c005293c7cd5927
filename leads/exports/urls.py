"""Where exports answer; the composition root mounts `api` under /api/v1/."""

from django.urls import path

from leads.exports import api as rest

api = [
    path("libraries/<int:library_id>/exports/", rest.LibraryExports.as_view(), name="api_exports"),
    path("libraries/<int:library_id>/export-columns/", rest.ExportColumns.as_view(), name="api_export_columns"),
    path("exports/<int:export_id>/", rest.OneExport.as_view(), name="api_export"),
    path("exports/<int:export_id>/file/", rest.ExportFile.as_view(), name="api_export_file"),
]
