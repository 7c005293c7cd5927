"""Signatures of outgoing webhooks, as https://www.standardwebhooks.com/ specifies them.

Signed content = "{webhook-id}.{webhook-timestamp}.{raw body}"; v1 = base64(HMAC-SHA256) under the bytes that stand in
base64 behind "whsec_". While a secret rotates, one header carries a signature of each, separated by a space.
"""

import base64
import hashlib
import hmac
import secrets as randomness
from collections.abc import Sequence

PREFIX = "whsec_"
SECRET_BYTES = 32


def new_secret() -> str:
    """A fresh secret of 32 random bytes, "whsec_" and base64."""
    return PREFIX + base64.b64encode(randomness.token_bytes(SECRET_BYTES)).decode("ascii")


def sign(secret: str, message_id: str, timestamp: int, body: bytes) -> str:
    """One signature, "v1,<base64>". `timestamp` in Unix seconds. Raises `ValueError` for a malformed secret."""
    if not secret.startswith(PREFIX):
        raise ValueError("a webhook secret begins with whsec_")
    key = base64.b64decode(secret.removeprefix(PREFIX), validate=True)
    content = f"{message_id}.{timestamp}.".encode() + body
    return "v1," + base64.b64encode(hmac.digest(key, content, hashlib.sha256)).decode("ascii")


def headers(secrets: Sequence[str], message_id: str, timestamp: int, body: bytes) -> dict[str, str]:
    """The three headers of one attempt, signed with every live secret, newest first."""
    return {
        "webhook-id": message_id,
        "webhook-timestamp": str(timestamp),
        "webhook-signature": " ".join(sign(secret, message_id, timestamp, body) for secret in secrets),
    }
