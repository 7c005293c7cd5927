"""Where connections and deliveries answer; the composition root mounts `api` under /api/v1/."""

from django.urls import path

from leads.crm import api as views

_CONNECTION = "connections/<int:connection_id>/"

api = [
    path("libraries/<int:library_id>/connections/", views.LibraryConnections.as_view(), name="api_connections"),
    path(_CONNECTION, views.OneConnection.as_view(), name="api_connection"),
    path(f"{_CONNECTION}test/", views.Try.as_view(), name="api_connection_test"),
    path(f"{_CONNECTION}pause/", views.Pause.as_view(), name="api_connection_pause"),
    path(f"{_CONNECTION}resume/", views.Resume.as_view(), name="api_connection_resume"),
    path(f"{_CONNECTION}confirm/", views.Confirm.as_view(), name="api_connection_confirm"),
    path(f"{_CONNECTION}backfill/", views.Backfill.as_view(), name="api_connection_backfill"),
    path(f"{_CONNECTION}rotate-secret/", views.RotateSecret.as_view(), name="api_connection_rotate_secret"),
    path(f"{_CONNECTION}recover/", views.Recover.as_view(), name="api_connection_recover"),
    path(f"{_CONNECTION}deliveries/", views.ConnectionDeliveries.as_view(), name="api_connection_deliveries"),
    path("deliveries/<int:delivery_id>/resend/", views.Resend.as_view(), name="api_delivery_resend"),
    path("leads/<int:lead_id>/deliveries/", views.LeadDeliveries.as_view(), name="api_lead_deliveries"),
]
