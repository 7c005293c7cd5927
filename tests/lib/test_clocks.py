from datetime import UTC, datetime, timedelta

import pytest

from leadscenter.lib.clocks import lead_clock

NOW = datetime(2026, 11, 17, 14, 29, tzinfo=UTC)
LATER = NOW + timedelta(days=80)


@pytest.mark.parametrize(
    ("age", "kind", "text", "note", "share"),
    [
        (timedelta(minutes=4), "running", "4 min", "", 7),
        (timedelta(minutes=45), "soon", "45 min", "15 min left", 75),
        (timedelta(minutes=60), "over", "1 h", "0 s over", 100),
        (timedelta(minutes=68), "over", "1 h 8 min", "8 min over", 100),
    ],
)
def test_lead_clock_fills_over_the_goal(age: timedelta, kind: str, text: str, note: str, share: int) -> None:
    clock = lead_clock(
        received_at=NOW - age, contacted_at=None, expires_at=LATER, goal=timedelta(hours=1), counts=True, now=NOW
    )
    assert (clock.kind, clock.text, clock.note, clock.share) == (kind, text, note, share)


def test_lead_clock_stops_at_the_first_contact() -> None:
    clock = lead_clock(
        received_at=NOW - timedelta(days=2),
        contacted_at=NOW - timedelta(days=2) + timedelta(minutes=12),
        expires_at=LATER,
        goal=timedelta(hours=1),
        counts=True,
        now=NOW,
    )
    assert (clock.kind, clock.text) == ("done", "in 12 min")


def test_lead_clock_turns_into_an_hourglass_in_the_last_week() -> None:
    clock = lead_clock(
        received_at=NOW - timedelta(days=88),
        contacted_at=None,
        expires_at=NOW + timedelta(days=2),
        goal=timedelta(hours=1),
        counts=True,
        now=NOW,
    )
    assert (clock.kind, clock.text, clock.note) == ("going", "19 Nov", "in 2 days")
    assert clock.title == "Thu 19 Nov 2026, 14:29:00 UTC"


def test_lead_clock_of_a_test_lead_does_not_run() -> None:
    clock = lead_clock(
        received_at=NOW, contacted_at=None, expires_at=LATER, goal=timedelta(hours=1), counts=False, now=NOW
    )
    assert clock.kind == "none"
