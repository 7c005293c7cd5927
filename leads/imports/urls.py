"""Where imports answer; the composition root mounts `api` under /api/v1/."""

from django.urls import path

from leads.imports import api as rest
from leads.imports.views import listing, one

_L = "l/<int:library_id>/imports/"
_ONE = f"{_L}<int:import_id>/"
pages = [
    path(_L, listing.imports, name="imports"),
    path(f"{_L}new/", listing.import_new, name="import_new"),
    path(_ONE, one.import_one, name="import_one"),
    path(f"{_ONE}run/", one.import_run, name="import_run"),
    path(f"{_ONE}discard/", one.import_discard, name="import_discard"),
    path(f"{_ONE}errors/", one.import_faults, name="import_faults"),
]
api = [
    path("libraries/<int:library_id>/imports/", rest.LibraryImports.as_view(), name="api_imports"),
    path("imports/<int:import_id>/", rest.OneImport.as_view(), name="api_import"),
    path("imports/<int:import_id>/run/", rest.RunImport.as_view(), name="api_import_run"),
    path("imports/<int:import_id>/discard/", rest.DiscardImport.as_view(), name="api_import_discard"),
    path("imports/<int:import_id>/errors/", rest.ImportFaults.as_view(), name="api_import_faults"),
]
