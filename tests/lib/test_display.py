from datetime import UTC, datetime, timedelta

import pytest

from leadscenter.lib import display


@pytest.mark.parametrize(("value", "text"), [(0, "0"), (1284600, "1,284,600"), (None, "–")])
def test_number(value: int | None, text: str) -> None:
    assert display.number(value) == text


@pytest.mark.parametrize(
    ("seconds", "text"),
    [(0, "0 s"), (59, "59 s"), (60, "1 min"), (3600, "1 h"), (4080, "1 h 8 min"), (86400, "1 day"), (200000, "2 days")],
)
def test_duration_uses_two_units_at_most(seconds: int, text: str) -> None:
    assert display.duration(timedelta(seconds=seconds)) == text


def test_percent_of_nothing_is_a_dash() -> None:
    assert display.percent(None) == "–"
    assert display.percent(0.258) == "25.8 %"


def test_when_holds_the_whole_moment() -> None:
    html = display.when(datetime(2020, 11, 17, 13, 21, 5, tzinfo=UTC))
    assert html == (
        '<time datetime="2020-11-17T13:21:05+00:00" title="Tue 17 Nov 2020, 13:21:05 UTC">17 Nov 2020</time>'
    )
