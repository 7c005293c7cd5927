"""The ingest opener: what a browser sealed for this installation. It opens nothing that is stored."""

from datetime import UTC, datetime, timedelta
from itertools import pairwise

from django.db import transaction

from leads.vault import keyring
from leads.vault.keys import MinuteCache
from leads.vault.models_keys import IngestKey
from leadscenter.lib import hpke
from leadscenter.lib.ids import public_id as random_name


class UnknownKey(ValueError):
    """The blob names an ingest key that we do not have."""


RENEWED_AFTER = timedelta(days=7)
KEPT_AFTER_RENEWAL = timedelta(days=35)
"""A page that was open this long when it sends is told to load again; what a stolen key opens ends here too."""

_cache = MinuteCache()


def current_ingest_key() -> tuple[str, str]:
    """Return (kid, public key as base64url) of the newest ingest key; the first call of an installation makes one."""

    def load() -> tuple[str, str]:
        row = IngestKey.objects.order_by("-made_at").first() or make_ingest_key()
        return row.kid, hpke.b64url(bytes(row.public_key))

    return _cache.get("current", load)


def forget_ingest_keys() -> None:
    """Drop what this process holds in memory."""
    _cache.clear()


@transaction.atomic
def make_ingest_key() -> IngestKey:
    """Make a new ingest key; pages rendered from now on use it, older blobs still open with theirs."""
    private, public = hpke.generate()
    wrapping_id, wrapped = keyring.wrap(private)
    return IngestKey.objects.create(kid=random_name(), public_key=public, wrapping_id=wrapping_id, wrapped=wrapped)


def renew_ingest_key(*, now: datetime | None = None) -> tuple[bool, int]:
    """Make a new key when the newest is older than a week; destroy those that were replaced over 35 days ago.

    Returns (whether one was made, how many were destroyed). Twice in a row does nothing the second time.
    """
    now = now or datetime.now(UTC)
    newest = IngestKey.objects.order_by("-made_at").values_list("made_at", flat=True).first()
    made = newest is None or now - newest >= RENEWED_AFTER
    if made:
        make_ingest_key()
    rows = list(IngestKey.objects.order_by("-made_at").values_list("kid", "made_at"))
    # A key was replaced when the next newer one was made.
    over = [kid for (_newer, replaced), (kid, _made) in pairwise(rows) if now - replaced > KEPT_AFTER_RENEWAL]
    destroyed = IngestKey.objects.filter(pk__in=over).delete()[0] if over else 0
    if made or destroyed:
        forget_ingest_keys()
    return made, destroyed


def open_submission(public_id: str, *, kid: str, enc: str, ct: str) -> bytes:
    """Return the plain body that was sealed to `kid` for the form `public_id`.

    Raises `UnknownKey`, `ValueError` for bad base64url, `hpke.CannotOpen` for a blob that was changed or made for
    another form.
    """

    def load() -> bytes:
        # Ours are letters and digits; what is not might not even be text that the database takes (NUL).
        row = IngestKey.objects.filter(pk=kid).first() if kid.isascii() and kid.isalnum() else None
        if row is None:
            raise UnknownKey(kid)
        return keyring.unwrap(row.wrapping_id, bytes(row.wrapped))

    private = _cache.get(("private", kid), load)
    return hpke.open_(private, hpke.from_b64url(enc), hpke.from_b64url(ct), hpke.info_for(kid, public_id))
