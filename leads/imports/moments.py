"""Times as files write them: ISO 8601, days in figures or with an English month, Unix time, days of a spreadsheet.

Whether the day or the month stands first is never guessed from a single cell: whoever reads a column says it.
"""

import re
from collections.abc import Iterable
from datetime import UTC, datetime, timedelta, timezone, tzinfo

from django.utils.translation import gettext as _

MONTHS = (
    "january", "february", "march", "april", "may", "june", "july", "august", "september", "october", "november",
    "december",
)  # fmt: skip
LONGEST = 64
"""Characters of a time; a longer cell is none, and is not looked through for one."""
DAY_ZERO = datetime(1899, 12, 30)  # noqa: DTZ001  # a spreadsheet knows no zone
_NAMED_OFFSET = re.compile(r"\s*\(?(?:UTC|GMT)\s*(?:([+-])(\d{1,2})(?::?(\d{2}))?)?\)?$", re.IGNORECASE)
_SERIAL = re.compile(r"(\d{5})(?:[.,](\d+))?")
_UNIX = re.compile(r"(\d{10})(\d{3})?(?:[.,]\d+)?")
_WHEN = re.compile(
    r"(?P<day>.+?)(?:[\s,T]+(?:at\s+)?(?P<hour>\d{1,2}):(?P<minute>\d\d)(?::(?P<second>\d\d)(?:[.,]\d+)?)?"
    r"(?:\s*(?P<half>[ap])\.?m\.?)?(?:\s*(?P<offset>Z|[+-]\d\d:?\d\d))?)?",
    re.IGNORECASE,
)
_YEAR_FIRST = re.compile(r"(\d{4})([/.-])(\d{1,2})\2(\d{1,2})")
_YEAR_LAST = re.compile(r"(\d{1,2})([/.-])(\d{1,2})\2(\d{4}|\d\d)")
_DAY_AND_NAME = re.compile(r"(\d{1,2})(?:st|nd|rd|th)?[\s.-]+([a-z]{3,9})\.?[\s,-]+(\d{4}|\d\d)", re.IGNORECASE)
_NAME_AND_DAY = re.compile(r"([a-z]{3,9})\.?[\s-]+(\d{1,2})(?:st|nd|rd|th)?[\s,-]+(\d{4})", re.IGNORECASE)


class BadMoment(ValueError):
    """The cell is no time that is read here; the text says what to do, and does not repeat it."""


def read_moment(cell: str, zone: tzinfo, *, month_first: bool = False) -> datetime:
    """Read a time; without an offset it is one of `zone`. A day alone is its beginning. Raises `BadMoment`."""
    text, zone = _offset(cell.strip(), zone)
    try:
        moment = _of_number(text) or _iso(text) or _written(text, month_first=month_first)
        if moment is not None:
            return (moment if moment.tzinfo else moment.replace(tzinfo=zone)).astimezone(UTC)
    except (ValueError, OverflowError):
        pass
    if _reads(text, month_first=not month_first):
        raise BadMoment(
            _("Here the day stands first. Choose “day first” for this column.")
            if month_first
            else _("Here the month stands first. Choose “month first” for this column.")
        )
    raise BadMoment(_("Write the time as 2026-03-31 14:30, with +02:00 behind it where it is of another zone."))


def is_written(cell: str) -> bool:
    """Whether a cell is a date for everybody who sees it: no bare number, which could be one of a telephone."""
    text = _offset(cell.strip(), UTC)[0]
    if not any(mark in text for mark in "/.-: "):
        return False
    return any(_reads(text, month_first=first) for first in (False, True)) or (
        _of_number(text) is None and _iso(text) is not None
    )


def shows_month_first(cells: Iterable[str]) -> bool:
    """Whether more of these cells can be read with the month first only than with the day first only."""
    more = 0
    for cell in cells:
        text = _offset(cell.strip(), UTC)[0]
        more += _reads(text, month_first=True) - _reads(text, month_first=False)
    return more > 0


def _reads(text: str, *, month_first: bool) -> bool:
    try:
        return _written(text, month_first=month_first) is not None
    except (ValueError, OverflowError):
        return False


def _offset(text: str, zone: tzinfo) -> tuple[str, tzinfo]:
    """Return the text without the words for an offset behind it, and the zone that they mean; a long text is none."""
    if len(text) > LONGEST:
        return "", zone
    found = _NAMED_OFFSET.search(text)
    if found is None or found.start() == 0:
        return text, zone
    away = timedelta(hours=int(found[2] or 0), minutes=int(found[3] or 0))
    if away >= timedelta(days=1):
        return text, zone
    return text[: found.start()].strip(), timezone(-away if found[1] == "-" else away)


def _of_number(text: str) -> datetime | None:
    """Read the days of a spreadsheet since 1899-12-30, or the seconds or milliseconds of Unix time."""
    if found := _SERIAL.fullmatch(text):
        return DAY_ZERO + timedelta(seconds=round(float(f"{found[1]}.{found[2] or 0}") * 86_400))
    if found := _UNIX.fullmatch(text):
        return datetime.fromtimestamp(int(found[1]), UTC)
    return None


def _iso(text: str) -> datetime | None:
    try:
        return datetime.fromisoformat(text)
    except ValueError:
        return None


def _written(text: str, *, month_first: bool) -> datetime | None:
    """Read figures in the given order, or a month by its English name; raise `ValueError` for no day of a calendar."""
    when = _WHEN.fullmatch(text)
    day = _day(when["day"].strip(), month_first) if when else None
    if when is None or day is None:
        return None
    hour = int(when["hour"] or 0)
    if when["half"]:
        if not 1 <= hour <= 12:
            return None
        hour = hour % 12 + (12 if when["half"] in "pP" else 0)
    moment = datetime(*day, hour, int(when["minute"] or 0), int(when["second"] or 0))  # noqa: DTZ001  # put in below
    offset = when["offset"]
    return moment.replace(tzinfo=datetime.strptime(offset.upper(), "%z").tzinfo) if offset else moment


def _day(text: str, month_first: bool) -> tuple[int, int, int] | None:
    if found := _YEAR_FIRST.fullmatch(text):
        return int(found[1]), int(found[3]), int(found[4])
    if found := _YEAR_LAST.fullmatch(text):
        day, month = (found[3], found[1]) if month_first else (found[1], found[3])
        return _year(found[4]), int(month), int(day)
    if found := _DAY_AND_NAME.fullmatch(text):
        return _year(found[3]), _month(found[2]), int(found[1])
    if found := _NAME_AND_DAY.fullmatch(text):
        return _year(found[3]), _month(found[1]), int(found[2])
    return None


def _year(text: str) -> int:
    return int(text) + (2000 if len(text) == 2 else 0)


def _month(name: str) -> int:
    """Return the month that a name of three letters or more means; 0, which no calendar has, for none."""
    wanted = name.casefold()
    wanted = "sep" if wanted == "sept" else wanted
    return next((number for number, month in enumerate(MONTHS, start=1) if month.startswith(wanted)), 0)
