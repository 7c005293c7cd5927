"""Contact details as pages show them until somebody asks to see them: enough to recognise, not enough to use."""

from leads.vault.answers import EMAIL_KINDS, PHONE_KINDS

DOTS = "•••"
MASKED_KINDS = frozenset((*EMAIL_KINDS, *PHONE_KINDS))


def mask(value: str, kind: str) -> str:
    """Return an e-mail as `a•••@example.com`, a phone number as `+49•••678`; what is no contact detail stays."""
    if not value or kind not in MASKED_KINDS:
        return value
    if kind in EMAIL_KINDS:
        name, _at, domain = value.rpartition("@")
        return f"{name[:1]}{DOTS}@{domain}"
    return f"{value[:3]}{DOTS}{value[-3:]}" if len(value) > 8 else DOTS
