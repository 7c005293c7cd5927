"""What a connector is: it turns an event into a call, and an answer into a verdict. Both are pure."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from email.utils import parsedate_to_datetime
from enum import StrEnum
from typing import Any, Protocol

from leadscenter.lib.outbound import Answer, Call

CREATED, UPDATED, DELETED, ERASED = "lead.created", "lead.updated", "lead.deleted", "lead.erased"
ENDS = frozenset({DELETED, ERASED})
LONGEST_RETRY_AFTER = timedelta(hours=24)


class Outcome(StrEnum):
    """What an attempt came to. The values stand in `DeliveryAttempt.outcome`."""

    OK = "ok"
    RETRY = "retry"
    THROTTLED = "throttled"
    AUTH = "auth"
    CONFIG = "config"
    FATAL = "fatal"
    GONE = "gone"


@dataclass(frozen=True, slots=True)
class Verdict:
    """`code` is a word of our own dictionary (`explain` tells cause and fix); `retry_after` in seconds, if asked."""

    outcome: Outcome
    code: str = ""
    retry_after: float | None = None


@dataclass(frozen=True, slots=True)
class Explanation:
    """What a person reads about a failed attempt: why, and what to do now."""

    cause: str
    fix: str


@dataclass(frozen=True, slots=True, repr=False)
class Event:
    """One event about one lead, in clear: the answers as the person gave them, under the names at capture.

    `version` counts the changes of a lead, so that a receiver can drop an update that comes late. What tells of an end
    (`lead.deleted`, `lead.erased`) holds ids alone.
    """

    type: str
    message_id: str
    at: datetime
    lead_id: int
    is_test: bool = False
    version: int | None = None
    answers: Sequence[Mapping[str, str]] = ()
    consent: Mapping[str, Any] = field(default_factory=dict)
    attribution: Mapping[str, str] = field(default_factory=dict)
    names: Mapping[str, Mapping[str, str] | None] = field(default_factory=dict)

    def __repr__(self) -> str:
        return f"<Event {self.type} {self.message_id}>"

    def value_of(self, source: str) -> str:
        """The answer whose key, else whose kind, is `source`; "" when there is none."""
        for name in ("key", "kind"):
            for answer in self.answers:
                if answer.get(name) == source and answer.get("value"):
                    return str(answer["value"])
        return ""


@dataclass(frozen=True, slots=True, repr=False)
class Destination:
    """Where an event goes: a connection's address and settings with its credential opened."""

    url: str
    credential: Mapping[str, Any] = field(default_factory=dict)
    mapping: Sequence[Mapping[str, str]] = ()
    thin: bool = False

    def __repr__(self) -> str:
        return "<Destination •••>"


class Connector(Protocol):
    """One kind of receiver."""

    @property
    def kind(self) -> str:
        """The word that `Connection.kind` holds."""

    @property
    def events(self) -> frozenset[str]:
        """The types of events that this kind of receiver is told; others are skipped."""

    def build(self, event: Event, destination: Destination, now: int) -> Call:
        """The request of one attempt; `now` in Unix seconds. Raises `CannotMap` when the event fits no request."""

    def follow(self, event: Event, destination: Destination, answer: Answer) -> Call | None:
        """The next request of the same attempt, after an answer that was judged OK; None when the attempt is done."""

    def build_test(self, destination: Destination, message_id: str, now: int) -> Call:
        """The request of the test button: changes nothing at the other side that a person would miss."""

    def classify(self, answer: Answer) -> Verdict:
        """What an answer means, by status, headers and body alone."""

    def explain(self, code: str) -> Explanation | None:
        """Cause and fix of a code of this connector; None for one that it does not know."""


class CannotMap(ValueError):
    """The event does not give what the receiver demands. `code` is a word of our dictionary."""

    def __init__(self, code: str) -> None:
        super().__init__(code)
        self.code = code


def retry_after_of(answer: Answer, now: datetime | None = None) -> float | None:
    """The wait in seconds that an answer asks for (a number or a date), at most 24 hours; None for none."""
    text = answer.headers.get("retry-after", "").strip()
    if text.isascii() and text.isdecimal() and len(text) < 10:
        return min(float(text), LONGEST_RETRY_AFTER.total_seconds())
    try:
        moment = parsedate_to_datetime(text)
    except (ValueError, TypeError):
        return None
    if moment.tzinfo is None:
        moment = moment.replace(tzinfo=UTC)
    wait = (moment - (now or datetime.now(UTC))).total_seconds()
    return min(max(wait, 0.0), LONGEST_RETRY_AFTER.total_seconds())
