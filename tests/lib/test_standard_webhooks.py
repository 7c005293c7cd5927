import base64
import time

import pytest
from standardwebhooks import Webhook, WebhookVerificationError

from leadscenter.lib import standard_webhooks


def test_the_vector_of_the_specification() -> None:
    signature = standard_webhooks.sign(
        "whsec_plJ3nmyCDGBKInavdOK15jsl",
        "msg_loFOjxBNrRLzqYUf",
        1731705121,
        b'{"event_type":"ping","data":{"success":true}}',
    )
    assert signature == "v1,rAvfW3dJ/X/qxhsaXPOyyCGmRKsaKWcsNccKXlIktD0="


def test_the_reference_library_accepts_both_secrets_while_they_rotate() -> None:
    new, old = standard_webhooks.new_secret(), standard_webhooks.new_secret()
    body = '{"name":"Zoë"}'.encode()
    headers = standard_webhooks.headers([new, old], "msg_1", int(time.time()), body)
    assert len(headers["webhook-signature"].split(" ")) == 2
    for secret in (new, old):
        assert Webhook(secret).verify(body, headers) == {"name": "Zoë"}
    with pytest.raises(WebhookVerificationError):
        Webhook(standard_webhooks.new_secret()).verify(body, headers)
    with pytest.raises(WebhookVerificationError):
        Webhook(new).verify(body + b" ", headers)


def test_a_secret_is_32_random_bytes() -> None:
    first, second = standard_webhooks.new_secret(), standard_webhooks.new_secret()
    assert first != second
    assert len(base64.b64decode(first.removeprefix("whsec_"))) == 32


@pytest.mark.parametrize("secret", ["", "abc", "whsec_***", "WHSEC_plJ3nmyCDGBKInavdOK15jsl"])
def test_a_malformed_secret_is_refused(secret: str) -> None:
    with pytest.raises(ValueError, match=r"."):
        standard_webhooks.sign(secret, "msg_1", 1, b"")
