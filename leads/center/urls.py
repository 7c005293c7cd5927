"""Where leads answer; the composition root mounts `api` under /api/v1/."""

from django.urls import path

from leads.center import (
    alarms_api,
    answers_api,
    board_api,
    desk_api,
    labels_api,
    notifications_api,
    overview_api,
    trail_api,
    views_api,
)
from leads.center import api as rest

_LEAD = "leads/<int:lead_id>/"
_LIBRARY = "libraries/<int:library_id>/"

api = [
    path("libraries/", rest.Libraries.as_view(), name="api_libraries"),
    path(_LIBRARY, rest.OneLibrary.as_view(), name="api_library"),
    path(f"{_LIBRARY}overview/", overview_api.LibraryNumbers.as_view(), name="api_library_overview"),
    path(
        "ad-accounts/<int:ad_account_id>/overview/", overview_api.AccountNumbers.as_view(), name="api_account_overview"
    ),
    path(f"{_LIBRARY}leads/", rest.LibraryLeads.as_view(), name="api_leads"),
    path(f"{_LIBRARY}leads/counts/", desk_api.Counts.as_view(), name="api_leads_counts"),
    path(f"{_LIBRARY}leads/board/", board_api.LibraryBoard.as_view(), name="api_leads_board"),
    path(f"{_LIBRARY}leads/search/", rest.Search.as_view(), name="api_leads_search"),
    path(f"{_LIBRARY}leads/bulk/", rest.Bulk.as_view(), name="api_leads_bulk"),
    path("deliveries/<int:delivery_id>/answers/", answers_api.DeliveryAnswers.as_view(), name="api_delivery_answers"),
    path("notifications/", notifications_api.Notifications.as_view(), name="api_notifications"),
    path("notifications/read/", notifications_api.NotificationsRead.as_view(), name="api_notifications_read"),
    path("notification-settings/", notifications_api.NotificationSettings.as_view(), name="api_notification_settings"),
    path(f"{_LIBRARY}labels/", labels_api.Labels.as_view(), name="api_labels"),
    path("labels/<int:label_id>/", labels_api.OneLabel.as_view(), name="api_label"),
    path(f"{_LIBRARY}views/", views_api.Views.as_view(), name="api_views"),
    path("views/<int:view_id>/", views_api.OneView.as_view(), name="api_view"),
    path(f"{_LIBRARY}audit-events/", trail_api.LibraryTrail.as_view(), name="api_library_trail"),
    path("ad-accounts/<int:ad_account_id>/audit-events/", trail_api.AccountTrail.as_view(), name="api_account_trail"),
    path(
        "business-centers/<int:business_center_id>/audit-events/",
        trail_api.CenterTrail.as_view(),
        name="api_center_trail",
    ),
    path(f"{_LIBRARY}alarms/", alarms_api.Alarms.as_view(), name="api_alarms"),
    path(f"{_LIBRARY}alarms/<int:alarm_id>/noted/", alarms_api.AlarmNoted.as_view(), name="api_alarm_noted"),
    path(f"{_LIBRARY}access/", trail_api.Access.as_view(), name="api_access"),
    path(f"{_LEAD}seen/", trail_api.Seen.as_view(), name="api_lead_seen"),
    path(_LEAD, rest.OneLead.as_view(), name="api_lead"),
    path(f"{_LEAD}restore/", rest.Restore.as_view(), name="api_lead_restore"),
    path(f"{_LEAD}notes/", rest.Notes.as_view(), name="api_lead_notes"),
    path(f"{_LEAD}notes/<int:note_id>/", desk_api.OwnNote.as_view(), name="api_lead_note"),
    path(f"{_LEAD}duplicates/", desk_api.Duplicates.as_view(), name="api_lead_duplicates"),
    path(f"{_LEAD}follow-up/", desk_api.FollowUpOfLead.as_view(), name="api_lead_follow_up"),
    path(f"{_LEAD}contacted/", desk_api.Contacted.as_view(), name="api_lead_contacted"),
    path(f"{_LEAD}timeline/", rest.Timeline.as_view(), name="api_lead_timeline"),
    path(f"{_LEAD}consent/", rest.ConsentOfLead.as_view(), name="api_lead_consent"),
    path("forms/<int:form_id>/test-lead/", rest.TestLead.as_view(), name="api_form_test_lead"),
]
