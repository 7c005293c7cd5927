"""When an event is tried again: the ten attempts of Standard Webhooks over 75.6 hours, a fifth earlier or later."""

import random
from datetime import timedelta

from leads.crm.connectors.connector import LONGEST_RETRY_AFTER, Outcome, Verdict

WAITS = (
    timedelta(0),
    timedelta(seconds=5),
    timedelta(minutes=5),
    timedelta(minutes=30),
    timedelta(hours=2),
    timedelta(hours=5),
    timedelta(hours=10),
    timedelta(hours=14),
    timedelta(hours=20),
    timedelta(hours=24),
)
"""The wait before each attempt; the first goes at once."""
JITTER = 0.2


def wait_before(attempt: int, verdict: Verdict, *, chance: float | None = None) -> timedelta | None:
    """The wait until attempt number `attempt` (0 is the first); None when the schedule is used up.

    What the receiver asked for wins where it is longer, up to 24 hours. `chance` (0 … 1) replaces the dice.
    """
    if attempt >= len(WAITS):
        return None
    dice = random.random() if chance is None else chance  # noqa: S311  # spreads load; guards nothing
    wait = WAITS[attempt] * (1 - JITTER + 2 * JITTER * dice)
    if verdict.outcome == Outcome.THROTTLED and verdict.retry_after is not None:
        wait = max(wait, timedelta(seconds=verdict.retry_after))
    return min(wait, LONGEST_RETRY_AFTER * (1 + JITTER))
