"""Numbers and moments as people read them. `leadscenter.templatetags.display` offers them to templates."""

from datetime import datetime, timedelta
from decimal import Decimal

from django.utils import timezone
from django.utils.dates import MONTHS_3, WEEKDAYS_ABBR
from django.utils.html import format_html
from django.utils.safestring import SafeString
from django.utils.translation import get_language_info, ngettext
from django.utils.translation import gettext as _

NOTHING = "–"


def number(value: int | float | Decimal | None) -> str:
    """A count with thousands separated; a dash where there is no number."""
    if value is None or value == "":
        return NOTHING
    return f"{value:,.0f}"


SIGNS = {"USD": "$", "EUR": "€", "GBP": "£"}
WHOLE = {"JPY", "KRW", "VND", "CLP", "ISK"}  # ISO 4217: currencies without a hundredth in use


def money(cents: int | None, currency: str) -> str:
    """An amount in hundredths as text ("$1,250.00", "1,250.00 CHF"); a dash where there is no amount."""
    if cents is None:
        return NOTHING
    text = f"{cents / 100:,.0f}" if currency in WHOLE else f"{cents / 100:,.2f}"
    return f"{SIGNS[currency]}{text}" if currency in SIGNS else f"{text} {currency}"


def percent(share: float | Decimal | None, places: int = 1) -> str:
    """A share of one (0.258) as text ("25.8 %"); a dash where there was nothing to divide by."""
    return NOTHING if share is None else f"{float(share) * 100:.{places}f} %"


def duration(span: timedelta | None) -> str:
    """A time span in its two largest units, short: 40 s, 12 min, 1 h 8 min, 3 days."""
    if span is None:
        return NOTHING
    seconds = max(int(span.total_seconds()), 0)
    if seconds < 60:
        return _("%(n)s s") % {"n": seconds}
    minutes = seconds // 60
    if minutes < 60:
        return _("%(n)s min") % {"n": minutes}
    hours, rest = divmod(minutes, 60)
    if hours < 24:
        return _("%(h)s h %(m)s min") % {"h": hours, "m": rest} if rest else _("%(h)s h") % {"h": hours}
    days = hours // 24
    return ngettext("%(n)s day", "%(n)s days", days) % {"n": days}


def ago(moment: datetime | None) -> str:
    """How long since a moment, in words that fit a table cell."""
    if moment is None:
        return NOTHING
    span = timezone.now() - moment
    if span < timedelta(minutes=1):
        return _("just now")
    return _("%(span)s ago") % {"span": duration(span)}


def stamp(moment: datetime | None) -> str:
    """The whole moment with its time zone, for titles and details."""
    if moment is None:
        return NOTHING
    local = timezone.localtime(moment)
    return f"{WEEKDAYS_ABBR[local.weekday()]} {_day(local)} {local.year}, {local:%H:%M:%S} {_zone(local)}"


def _zone(local: datetime) -> str:
    """The short name of a moment's time zone ("CET"); its distance from UTC where it has none ("UTC-03")."""
    name = local.tzname() or ""
    return f"UTC{name}" if name.startswith(("+", "-")) else name


def _day(local: datetime) -> str:
    """Day and month, as Django's own format "j M" says them; a list says hundreds."""
    return f"{local.day} {str(MONTHS_3[local.month]).title()}"


def moment_text(moment: datetime | None) -> str:
    """Clock time today, day and clock time this year, the date before that."""
    if moment is None:
        return NOTHING
    local, now = timezone.localtime(moment), timezone.localtime()
    if local.date() == now.date():
        return f"{local:%H:%M:%S}"
    return f"{_day(local)}, {local:%H:%M}" if local.year == now.year else f"{_day(local)} {local.year}"


def when(moment: datetime | None, style: str = "moment") -> SafeString:
    """A `<time>` element: short text, the whole moment in its title. Style "ago" counts back."""
    if moment is None:
        return format_html("<span>{}</span>", NOTHING)
    text = ago(moment) if style == "ago" else moment_text(moment)
    return format_html('<time datetime="{}" title="{}">{}</time>', moment.isoformat(), stamp(moment), text)


def language_name(code: str) -> str:
    """The name of a language ("en" is "English"); the code itself where nobody named it."""
    try:
        return str(get_language_info(code)["name_translated"])
    except KeyError:
        return code


def initials(name: str) -> str:
    """Two letters for an avatar."""
    words = name.replace("@", " ").split()
    return "".join(word[0] for word in words[:2]).upper()
