from datetime import UTC, datetime, timedelta

import pytest

from leads.crm.breaker import Health, after
from leads.crm.connectors.connector import Outcome, Verdict, retry_after_of
from leads.crm.schedule import WAITS, wait_before
from leadscenter.lib.outbound import Answer

RETRY = Verdict(Outcome.RETRY)
NOW = datetime(2026, 5, 1, 12, tzinfo=UTC)


def test_the_ten_attempts_of_standard_webhooks_take_75_hours_and_a_half() -> None:
    waits = [wait_before(attempt, RETRY, chance=0.5) for attempt in range(11)]
    assert waits == [*WAITS, None]
    assert sum(WAITS, timedelta()) == timedelta(hours=75, minutes=35, seconds=5)


@pytest.mark.parametrize("attempt", range(1, 10))
def test_a_wait_is_at_most_a_fifth_shorter_or_longer(attempt: int) -> None:
    assert wait_before(attempt, RETRY, chance=0) == WAITS[attempt] * 0.8
    assert wait_before(attempt, RETRY, chance=1) == WAITS[attempt] * 1.2
    assert len({wait_before(attempt, RETRY) for _ in range(20)}) > 1


def test_what_the_receiver_asked_for_wins_where_it_is_longer() -> None:
    assert wait_before(1, Verdict(Outcome.THROTTLED, "", 90), chance=0.5) == timedelta(seconds=90)
    assert wait_before(3, Verdict(Outcome.THROTTLED, "", 90), chance=0.5) == timedelta(minutes=30)
    assert wait_before(1, Verdict(Outcome.RETRY, "", 90), chance=0.5) == timedelta(seconds=5)


@pytest.mark.parametrize(
    ("text", "seconds"),
    [
        ("0", 0),
        ("90", 90),
        ("86401", 86400),
        ("999999999999999999", None),
        ("Fri, 01 May 2026 12:02:00 GMT", 120),
        ("Fri, 01 May 2026 11:00:00 GMT", 0),
        ("Fri, 01 May 2099 11:00:00 GMT", 86400),
        ("-5", None),
        ("soon", None),
        ("", None),
        ("1e9", None),
        ("٣", None),
    ],
)
def test_retry_after_is_a_number_or_a_date(text: str, seconds: float | None) -> None:
    assert retry_after_of(Answer(429, {"retry-after": text}, b"", True, 1), NOW) == seconds


def test_a_success_forgets_the_failures_that_began_the_five_days() -> None:
    health = after(Health(), succeeded=0, failed=1, now=NOW)
    assert health.first_failure_at == NOW
    assert after(health, succeeded=1, failed=0, now=NOW).first_failure_at is None
    assert after(health, succeeded=1, failed=1, now=NOW).first_failure_at is None


def test_the_breaker_counts_for_five_minutes() -> None:
    health = after(Health(), succeeded=0, failed=9, now=NOW)
    assert health.open_until is None
    late = after(health, succeeded=0, failed=1, now=NOW + timedelta(minutes=6))
    assert (late.open_until, late.recent_attempts) == (None, 1)
    soon = after(health, succeeded=0, failed=1, now=NOW + timedelta(minutes=1))
    assert soon.open_until == NOW + timedelta(minutes=2)


def test_the_breaker_stays_closed_below_seventy_percent() -> None:
    assert after(Health(), succeeded=4, failed=6, now=NOW).open_until is None
    assert after(Health(), succeeded=3, failed=7, now=NOW).open_until == NOW + timedelta(minutes=1)


def test_the_pause_doubles_up_to_half_an_hour_and_three_successes_close() -> None:
    health = after(Health(), succeeded=0, failed=10, now=NOW)
    pauses = []
    for _ in range(7):
        assert health.open_until is not None
        pauses.append((health.open_until - NOW).total_seconds())
        health = after(health, succeeded=0, failed=1, now=NOW)
    assert pauses == [60, 120, 240, 480, 960, 1800, 1800]
    for successes in (1, 2):
        health = after(health, succeeded=1, failed=0, now=NOW)
        assert (health.half_open, health.recent_attempts) == (True, successes)
    health = after(health, succeeded=1, failed=0, now=NOW)
    assert health == Health(last_success_at=NOW)
