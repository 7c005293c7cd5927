"""The API's schema and its documentation page, served from our own files."""

from typing import Any

from django.conf import settings
from drf_spectacular.views import SpectacularAPIView, SpectacularSwaggerSplitView
from rest_framework.request import Request
from rest_framework.response import Response

from accounts.declarations import PUBLIC

POLICY = settings.CONTENT_SECURITY_POLICY.replace("img-src 'self'", "img-src 'self' data:").replace(
    "style-src 'self'", "style-src 'self' 'unsafe-inline'"
)
"""The page's own script draws its icons from data: URLs and styles its elements; no other page may."""


class Schema(SpectacularAPIView):
    """The OpenAPI schema."""

    declares = PUBLIC


class Documentation(SpectacularSwaggerSplitView):
    """The schema as a page to read and try."""

    declares = PUBLIC
    url_name = "api_schema"

    def finalize_response(self, request: Request, response: Any, *args: Any, **kwargs: Any) -> Response:
        final = super().finalize_response(request, response, *args, **kwargs)
        final.headers["Content-Security-Policy"] = POLICY
        return final
