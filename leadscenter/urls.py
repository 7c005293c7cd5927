"""The map: which app answers where."""

from django.urls import URLPattern, URLResolver, include, path

from accounts.staff_site import site as staff_site
from leads import urls as leads
from leadscenter import health
from leadscenter.design import gallery
from leadscenter.documentation import Documentation, Schema

api_urls: list[URLPattern | URLResolver] = [
    path("schema/", Schema.as_view(), name="api_schema"),
    path("docs/", Documentation.as_view(), name="api_docs"),
    path("", include("accounts.api_urls")),
    path("", include("forms_builder.api_urls")),
    path("", include("campaigns.api_urls")),
    *leads.api,
]

urlpatterns: list[URLPattern | URLResolver] = [
    path("healthz/live", health.live, name="live"),
    path("healthz/ready", health.ready, name="ready"),
    path("admin/", staff_site.urls),
    path("api/v1/", include(api_urls)),
    path("open_api/v1.3/", include(leads.marketing)),
    path("design/", gallery, name="design"),
    path("", include("allauth.account.urls")),
    path("", include("accounts.urls")),
    path("settings/security/", include("allauth.mfa.urls")),
    path("", include("forms_builder.urls")),
    path("", include("campaigns.urls")),
    *leads.pages,
]
