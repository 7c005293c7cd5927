import json
from typing import Any

import pytest
import sentry_sdk
from sentry_sdk.envelope import Envelope
from sentry_sdk.transport import Transport

from leadscenter.reporting import start_reporting

CANARY = "ann@example.com"


class Kept(Transport):
    """Keeps what would be sent."""

    def __init__(self) -> None:
        super().__init__()
        self.sent: list[str] = []

    def capture_envelope(self, envelope: Envelope) -> None:
        self.sent.append(envelope.serialize().decode())


@pytest.fixture
def kept() -> Any:
    transport = Kept()
    yield transport
    sentry_sdk.init()  # reports nowhere again


def fail(answer: str) -> None:
    raise ValueError(f"cannot read {answer}")


def report_a_failure() -> None:
    sentry_sdk.set_user({"email": CANARY})
    sentry_sdk.add_breadcrumb(message=CANARY)
    try:
        fail(CANARY)
    except ValueError as error:
        sentry_sdk.capture_exception(error)


def test_a_report_names_the_place_and_no_person(kept: Kept) -> None:
    start_reporting("http://key@127.0.0.1:9/1", transport=kept)
    report_a_failure()
    body = json.loads(kept.sent[0].splitlines()[2])
    (exception,) = body["exception"]["values"]
    assert exception["type"] == "ValueError"
    assert exception["stacktrace"]["frames"][-1]["function"] == "fail"
    assert CANARY not in "".join(kept.sent)


def test_the_canary_would_be_seen_without_our_rules(kept: Kept) -> None:
    sentry_sdk.init(dsn="http://key@127.0.0.1:9/1", transport=kept)
    report_a_failure()
    assert CANARY in "".join(kept.sent)
