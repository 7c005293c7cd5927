from accounts.models.ad_accounts import (
    AccountMembership,
    AccountRole,
    AccountShare,
    AdAccount,
    AdAccountUserPermission,
    LeadLibrary,
    LeadLibraryUserPermission,
)
from accounts.models.alarms import Alarm
from accounts.models.business_centers import (
    BusinessCenter,
    BusinessCenterMember,
    BusinessCenterRole,
    Recovery,
    TermsAcceptance,
)
from accounts.models.invitations import Invitation
from accounts.models.people import ApiToken, User
from accounts.models.trail import (
    Act,
    AuditEvent,
    AuditManifest,
    AuditTarget,
    Scope,
    TrailAnchor,
    TrailHead,
    TrailSeal,
    UnsealedEvent,
)
from accounts.models.transfers import AccessAsk, Transfer

__all__ = [
    "AccessAsk",
    "AccountMembership",
    "AccountRole",
    "AccountShare",
    "Act",
    "AdAccount",
    "AdAccountUserPermission",
    "Alarm",
    "ApiToken",
    "AuditEvent",
    "AuditManifest",
    "AuditTarget",
    "BusinessCenter",
    "BusinessCenterMember",
    "BusinessCenterRole",
    "Invitation",
    "LeadLibrary",
    "LeadLibraryUserPermission",
    "Recovery",
    "Scope",
    "TermsAcceptance",
    "TrailAnchor",
    "TrailHead",
    "TrailSeal",
    "Transfer",
    "UnsealedEvent",
    "User",
]
