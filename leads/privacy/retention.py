"""Whether somebody has said how long the leads of a library are kept."""

from accounts.models import Act, AuditTarget, LeadLibrary


def is_retention_decided(library: LeadLibrary) -> bool:
    """Whether it is not what every library begins with, or the trail says that somebody wanted it so."""
    if library.retention_days != LeadLibrary._meta.get_field("retention_days").default:
        return True
    return AuditTarget.objects.filter(object_id=library.pk, event__act=Act.LIBRARY_CHANGED).exists()
