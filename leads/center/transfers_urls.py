from django.urls import path

from leads.center import transfers_api as views

api = [
    path("libraries/<int:library_id>/transfers/", views.LibraryTransfers.as_view(), name="api_library_transfers"),
    path("ad-accounts/<int:ad_account_id>/transfers/", views.LibraryTransfers.as_view(), name="api_account_transfers"),
    path("transfers/", views.Transfers.as_view(), name="api_transfers"),
    path("transfers/<int:transfer_id>/", views.OneTransfer.as_view(), name="api_transfer"),
    path("transfers/<int:transfer_id>/accept/", views.AcceptTransfer.as_view(), name="api_transfer_accept"),
    path("transfers/<int:transfer_id>/reject/", views.RejectTransfer.as_view(), name="api_transfer_reject"),
    path("transfers/<int:transfer_id>/cancel/", views.CancelTransfer.as_view(), name="api_transfer_cancel"),
]
