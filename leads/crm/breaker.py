"""The breaker of a connection: who mostly fails is asked less, so that a broken receiver costs nobody else's time.

Closed: attempts are counted from the first failure on, for 5 minutes; at 10 or more with 70 % failed it opens. Open:
nothing is leased for a minute, twice as long each time, up to half an hour; rows wait, which is no attempt. Then half
open: one at a time, until three in a row succeed. After 5 days without one success the connection is disabled.
"""

from dataclasses import dataclass, replace
from datetime import datetime, timedelta

WINDOW = timedelta(minutes=5)
MIN_ATTEMPTS = 10
FAILED_SHARE = 0.7
FIRST_PAUSE = timedelta(minutes=1)
LONGEST_PAUSE = timedelta(minutes=30)
CLOSING_SUCCESSES = 3
GIVE_UP_AFTER = timedelta(days=5)


@dataclass(frozen=True, slots=True)
class Health:
    """How a connection fares; the fields are those of `Connection`."""

    last_success_at: datetime | None = None
    first_failure_at: datetime | None = None
    open_until: datetime | None = None
    breaker_step: int = 0
    recent_attempts: int = 0
    recent_failures: int = 0
    window_started_at: datetime | None = None

    @property
    def half_open(self) -> bool:
        """Whether it opened before and has not yet shown three successes."""
        return self.breaker_step > 0

    def hopeless(self, now: datetime) -> bool:
        """Whether it has failed for five days without one success."""
        return self.first_failure_at is not None and now - self.first_failure_at >= GIVE_UP_AFTER


def after(health: Health, *, succeeded: int, failed: int, now: datetime) -> Health:
    """The health after some attempts whose order among each other is unknown."""
    health = replace(
        health,
        last_success_at=now if succeeded else health.last_success_at,
        first_failure_at=None if succeeded else (health.first_failure_at or (now if failed else None)),
    )
    if health.half_open:
        return _half_open(health, succeeded, failed, now)
    return _closed(health, succeeded, failed, now)


def _half_open(health: Health, succeeded: int, failed: int, now: datetime) -> Health:
    if failed:
        return _opened(health, now)
    successes = health.recent_attempts + succeeded
    if successes < CLOSING_SUCCESSES:
        return replace(health, recent_attempts=successes)
    return replace(
        health, breaker_step=0, open_until=None, recent_attempts=0, recent_failures=0, window_started_at=None
    )


def _closed(health: Health, succeeded: int, failed: int, now: datetime) -> Health:
    if health.window_started_at is None or now - health.window_started_at > WINDOW:
        if not failed:
            return replace(health, window_started_at=None, recent_attempts=0, recent_failures=0)
        health = replace(health, window_started_at=now, recent_attempts=0, recent_failures=0)
    attempts, failures = health.recent_attempts + succeeded + failed, health.recent_failures + failed
    if attempts >= MIN_ATTEMPTS and failures >= FAILED_SHARE * attempts:
        return _opened(health, now)
    return replace(health, recent_attempts=attempts, recent_failures=failures)


def _opened(health: Health, now: datetime) -> Health:
    pause = min(FIRST_PAUSE * 2**health.breaker_step, LONGEST_PAUSE)
    return replace(
        health,
        open_until=now + pause,
        breaker_step=min(health.breaker_step + 1, 10),
        recent_attempts=0,
        recent_failures=0,
        window_started_at=None,
    )
