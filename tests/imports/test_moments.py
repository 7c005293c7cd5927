"""Times as files write them: the day first or, where a column says so, the month."""

from datetime import UTC, datetime
from zoneinfo import ZoneInfo

import pytest

from leads.imports.moments import BadMoment, is_written, read_moment, shows_month_first

BERLIN = ZoneInfo("Europe/Berlin")
DAY, HALF_PAST = datetime(2026, 11, 27, 23, 0, tzinfo=UTC), datetime(2026, 11, 28, 13, 30, tzinfo=UTC)
EITHER = {
    "2026-11-28": DAY,
    "2026-11-28T14:30:00+01:00": HALF_PAST,
    "2026-11-28 13:30:00 UTC": HALF_PAST,
    "2026-11-28 8:30 (UTC-05:00)": HALF_PAST,
    "2026/11/28 14:30": HALF_PAST,
    "2026/11/28": DAY,
    "20261128": DAY,
    "Nov 28, 2026": DAY,
    "November 28th, 2026 at 2:30 PM": HALF_PAST,
    "28 Nov 2026": DAY,
    "28-Nov-26 14:30": HALF_PAST,
    "1795872600": HALF_PAST,
    "1795872600000": HALF_PAST,
    "46354.604166667": HALF_PAST,
    "46354,604166667": HALF_PAST,
    "46354": DAY,
}
DAY_FIRST = {
    "28/11/2026 14:30": HALF_PAST,
    "28.11.2026 14:30:00": HALF_PAST,
    "28-11-2026": DAY,
    "28.11.26": DAY,
    "28/11/2026 8:30 -0500": HALF_PAST,
    "5/11/2026": datetime(2026, 11, 4, 23, 0, tzinfo=UTC),
}
MONTH_FIRST = {
    "11/28/2026 14:30": HALF_PAST,
    "11/28/2026": DAY,
    "11/28/26 2:30 PM": HALF_PAST,
    "11/28/2026, 2:30:00\u202fp.m.": HALF_PAST,
    "11/28/2026 12:00 AM": DAY,
    "11/5/2026": datetime(2026, 11, 4, 23, 0, tzinfo=UTC),
}
BOTH = [(cell, first, wanted) for cell, wanted in EITHER.items() for first in (False, True)]
ORDERED = [(cell, False, wanted) for cell, wanted in DAY_FIRST.items()]
ORDERED += [(cell, True, wanted) for cell, wanted in MONTH_FIRST.items()]


@pytest.mark.parametrize(("cell", "month_first", "wanted"), BOTH + ORDERED)
def test_time_is_read_as_it_is_written(cell: str, month_first: bool, wanted: datetime) -> None:
    assert read_moment(cell, BERLIN, month_first=month_first) == wanted


@pytest.mark.parametrize(("cell", "month_first"), [("11/28/2026 2:30 PM", False), ("28.11.2026", True)])
def test_time_in_the_other_order_is_refused_with_what_to_choose(cell: str, month_first: bool) -> None:
    with pytest.raises(BadMoment, match=r"Choose “day first”" if month_first else r"Choose “month first”"):
        read_moment(cell, BERLIN, month_first=month_first)


@pytest.mark.parametrize(
    "cell", ["yesterday", "31.02.2026", "13/13/2026", "28/11/2026 25:00", "11/28/2026 13:30 PM", "28/11", "4635", "NaN"]
)
def test_what_is_no_time_is_refused(cell: str) -> None:
    for month_first in (False, True):
        with pytest.raises(BadMoment):
            read_moment(cell, BERLIN, month_first=month_first)


@pytest.mark.parametrize(
    ("cells", "first"),
    [
        (["11/05/2026", "11/28/2026 14:30"], True),
        (["11/05/2026", "11/06/2026"], False),
        (["11/28/2026", "28/11/2026"], False),
        (["2026-11-28", "Nov 28, 2026", "1795872600", "", "soon"], False),
        ([], False),
    ],
)
def test_month_is_first_where_the_values_show_it(cells: list[str], first: bool) -> None:
    assert shows_month_first(cells) is first


def test_bare_number_is_no_written_date() -> None:
    dates = ["28.11.2026", "11/28/2026 14:30", "2026-11-28T14:30:00Z", "Nov 28, 2026"]
    numbers = ["1795872600", "46354.604", "+49 151 12345678", "0151/1234567", "089-12-34-56"]
    assert ([is_written(one) for one in dates], [is_written(one) for one in numbers]) == ([True] * 4, [False] * 5)


LONG = {
    "spaces": "a" + " " * 200_000 + "b",
    "spaces behind a date": "2026-11-28" + " " * 200_000 + "b",
    "the letter before an hour": "T" * 200_000,
    "figures": "1" * 200_000,
}


@pytest.mark.parametrize("cell", LONG.values(), ids=LONG.keys())
def test_long_cell_is_no_time_and_is_not_looked_through(cell: str) -> None:
    """Looked through, each of these would take minutes."""
    with pytest.raises(BadMoment):
        read_moment(cell, BERLIN)
    assert (is_written(cell), shows_month_first([cell])) == (False, False)


@pytest.mark.parametrize("cell", ["Rolex GMT-40", "2026-11-28 14:30 UTC+24", "2026-11-28 14:30 GMT-23:99"])
def test_offset_of_a_day_or_more_is_none(cell: str) -> None:
    with pytest.raises(BadMoment):
        read_moment(cell, BERLIN)
    assert (is_written(cell), shows_month_first([cell])) == (False, False)
