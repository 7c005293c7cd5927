import hashlib
import secrets
from collections.abc import Sequence
from datetime import datetime

from django.db import transaction
from django.db.models.functions import Now

from accounts import audit
from accounts.models import Act, ApiToken, User

PREFIX = "hf_"


def digest_of(raw: str) -> bytes:
    """Return what is kept of a token: SHA-256 is enough for 192 random bits."""
    return hashlib.sha256(raw.encode("utf-8", "surrogatepass")).digest()


@transaction.atomic
def create_token(
    *, user: User, name: str, scopes: Sequence[str] = ("everything",), expires_at: datetime | None = None, raw: str = ""
) -> tuple[ApiToken, str]:
    """Make a token for `user` and return it with its text, which is shown once and not kept."""
    raw = raw or PREFIX + secrets.token_urlsafe(24)
    audit.record(Act.TOKEN_CREATED, None, actor=user, token_name=name)
    token = ApiToken.objects.create(
        user=user, name=name, digest=digest_of(raw), hint=raw[-4:], scopes=list(scopes), expires_at=expires_at
    )
    return token, raw


@transaction.atomic
def revoke_token(*, actor: User, token_id: int) -> bool:
    """End one of the actor's own tokens at once; False when there is none such."""
    ended = ApiToken.objects.filter(pk=token_id, user=actor, revoked_at=None).update(revoked_at=Now())
    if ended:
        audit.record(Act.TOKEN_REVOKED, None, actor=actor, targets=[token_id])
    return bool(ended)
