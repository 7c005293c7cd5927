from leads.models.crm import Connection, Delivery, DeliveryAttempt
from leads.models.exports import Export
from leads.models.imports import Import
from leads.models.lead import AttentionWalk, FollowUp, Label, Lead, LeadLabel
from leads.models.notifications import Notification, NotificationSetting
from leads.models.views import SavedView

__all__ = [
    "AttentionWalk",
    "Connection",
    "Delivery",
    "DeliveryAttempt",
    "Export",
    "FollowUp",
    "Import",
    "Label",
    "Lead",
    "LeadLabel",
    "Notification",
    "NotificationSetting",
    "SavedView",
]
