from leads.models.crm import Connection, Delivery, DeliveryAttempt
from leads.models.exports import Export
from leads.models.lead import Label, Lead, LeadLabel

__all__ = ["Connection", "Delivery", "DeliveryAttempt", "Export", "Label", "Lead", "LeadLabel"]
