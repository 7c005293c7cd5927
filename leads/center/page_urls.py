from django.urls import path

from leads.center.views import (
    about,
    access,
    activity,
    alarms,
    bulk,
    desk,
    exports,
    integrations,
    labels,
    leads,
    notifications,
    privacy,
    rows,
    saved,
    testing,
    transfer,
)

L = "l/<int:library_id>"
pages = [
    path("a/<int:ad_account_id>/overview/", about.account, name="account_overview"),
    path(f"{L}/overview/", about.library, name="library_overview"),
    path("a/<int:ad_account_id>/overview/<slug:chart>.csv", about.account_file, name="account_chart"),
    path(f"{L}/overview/<slug:chart>.csv", about.library_file, name="library_chart"),
    path(f"{L}/access/", access.access, name="access"),
    path(f"{L}/activity/", activity.activity, name="activity"),
    path("a/<int:ad_account_id>/activity/", activity.account_activity, name="ad_account_trail"),
    path("b/<int:business_center_id>/activity/", activity.center_activity, name="center_trail"),
    path("settings/activity/", activity.own_activity, name="own_trail"),
    path(f"{L}/access/people/<int:user_id>/", access.seen_by, name="access_person"),
    path(f"{L}/alarms/", alarms.alarms, name="alarms"),
    path(f"{L}/alarms/<int:alarm_id>/noted/", alarms.alarm_noted, name="alarm_noted"),
    path(f"{L}/privacy/", privacy.privacy, name="library_privacy"),
    path("notifications/", notifications.notifications, name="notifications"),
    path("notifications/bell/", notifications.bell, name="bell"),
    path("notifications/read/", notifications.notifications_read, name="notifications_read"),
    path("settings/notifications/", notifications.notification_settings, name="notification_settings"),
    path(f"{L}/forms/<int:form_id>/test-lead/", testing.test_lead, name="test_lead"),
    path(f"{L}/labels/", labels.labels, name="labels"),
    path(f"{L}/labels/<int:label_id>/", labels.label_change, name="label_change"),
    path(f"{L}/labels/<int:label_id>/delete/", labels.label_delete, name="label_delete"),
    path(f"{L}/transfer/", transfer.transfer, name="transfer"),
    path("settings/transfers/<int:transfer_id>/", transfer.one, name="transfer_page"),
    path(f"{L}/leads/", leads.leads, name="leads"),
    path(f"{L}/leads/counts/", leads.counts, name="lead_counts"),
    path(f"{L}/leads/search/", leads.search, name="lead_search"),
    path(f"{L}/leads/names/", leads.names, name="lead_names"),
    path(f"{L}/leads/views/", saved.save, name="save_view"),
    path(f"{L}/leads/views/<int:view_id>/", saved.change, name="saved_view"),
    path(f"{L}/leads/bulk/", bulk.bulk, name="leads_bulk"),
    path(f"{L}/leads/download/", bulk.download, name="leads_download"),
    path(f"{L}/leads/<int:lead_id>/row/", rows.row, name="lead_row"),
    path(f"{L}/leads/<int:lead_id>/", leads.lead, name="lead"),
    path(f"{L}/leads/<int:lead_id>/reveal/", leads.reveal, name="lead_reveal"),
    path(f"{L}/leads/<int:lead_id>/change/", leads.change, name="lead_change"),
    path(f"{L}/leads/<int:lead_id>/note/", leads.note, name="lead_note"),
    path(f"{L}/leads/<int:lead_id>/follow-up/", desk.follow_up, name="lead_follow_up"),
    path(f"{L}/leads/<int:lead_id>/contacted/", desk.contacted, name="lead_contacted"),
    path(f"{L}/leads/<int:lead_id>/resend/", desk.resend, name="lead_resend"),
    path(f"{L}/leads/<int:lead_id>/delete/", leads.delete, name="lead_delete"),
    path(f"{L}/leads/<int:lead_id>/restore/", leads.restore, name="lead_restore"),
    path(f"{L}/exports/", exports.exports, name="exports"),
    path(f"{L}/exports/<int:export_id>/file/", exports.export_file, name="export_file"),
    path(f"{L}/integrations/", integrations.integrations, name="integrations"),
    *[
        path(f"{L}/integrations/new/{kind}/", integrations.connection_new, {"kind": kind}, name="connection_new")
        for kind in integrations.FORMS
    ],
    path(f"{L}/integrations/<int:connection_id>/", integrations.connection, name="connection"),
    path(f"{L}/integrations/<int:connection_id>/secret/", integrations.connection_secret, name="connection_secret"),
    path(f"{L}/integrations/<int:connection_id>/remove/", integrations.connection_remove, name="connection_remove"),
    *[
        path(
            f"{L}/integrations/<int:connection_id>/{act}/",
            integrations.connection_act,
            {"act": act},
            name="connection_act",
        )
        for act in integrations.ACTS
    ],
    path(f"{L}/integrations/deliveries/<int:delivery_id>/", integrations.delivery, name="delivery"),
    path(
        f"{L}/integrations/deliveries/<int:delivery_id>/resend/", integrations.delivery_resend, name="delivery_resend"
    ),
]
