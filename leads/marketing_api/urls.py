"""Where the Marketing API answers; the composition root mounts `marketing` under /open_api/v1.3/."""

from django.urls import path, re_path

from leads.marketing_api import lead_tasks, leads, pages
from leads.marketing_api.envelope import NoRoute

marketing = [
    path("page/get/", pages.PageGet.as_view(), name="marketing_page_get"),
    path("page/field/get/", pages.FieldGet.as_view(), name="marketing_field_get"),
    path("page/library/get/", pages.LibraryGet.as_view(), name="marketing_library_get"),
    path("page/library/transfer/", pages.LibraryTransfer.as_view(), name="marketing_library_transfer"),
    path("lead/field/get/", pages.FieldGet.as_view(), name="marketing_lead_field_get"),
    path("lead/get/", leads.LeadGet.as_view(), name="marketing_lead_get"),
    path("page/lead/mock/create/", leads.MockCreate.as_view(), name="marketing_mock_create"),
    path("page/lead/mock/get/", leads.MockGet.as_view(), name="marketing_mock_get"),
    path("page/lead/mock/delete/", leads.MockDelete.as_view(), name="marketing_mock_delete"),
    path("page/lead/task/", lead_tasks.Task.as_view(), name="marketing_task"),
    path("page/lead/task/download/", lead_tasks.TaskDownload.as_view(), name="marketing_task_download"),
    re_path(r"^.*/$", NoRoute.as_view(), name="marketing_no_route"),
]
