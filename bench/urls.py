"""The product's routes and, behind the same middleware, a view without a database and one that inserts a plain row."""

import json

from django.http import HttpRequest, HttpResponse, JsonResponse
from django.urls import path

from accounts.declarations import public
from bench.admin import site
from bench.models import PlainRow
from leadscenter.urls import urlpatterns as product


@public
def nothing(request: HttpRequest) -> HttpResponse:
    """Answer without a database: the server's and the middleware's limit."""
    return JsonResponse({"read": len(request.body)})


@public
def plain_row(request: HttpRequest) -> HttpResponse:
    """Insert one plain row by the ORM."""
    body = json.loads(request.body)
    row = PlainRow._default_manager.create(key=body["submission_key"], answers=body["answers"])
    return JsonResponse({"id": row.pk}, status=201)


urlpatterns = [
    path("api/v1/public/bench/nothing/", nothing),
    path("api/v1/public/bench/plain/", plain_row),
    path("bench-admin/", site.urls),
    *product,
]
