"""The lead clock: what a list shows about the age of a lead, from four moments and a goal."""

from dataclasses import dataclass
from datetime import datetime, timedelta

from django.template.defaultfilters import date as format_date
from django.utils import timezone
from django.utils.translation import gettext as _

from .display import duration, stamp

EXPIRES_SOON = timedelta(days=7)
WARN_FROM = 0.75


@dataclass(frozen=True, slots=True)
class Clock:
    """kind: running, soon, over, done, going or none; share: 0-100 of the goal that is used up."""

    kind: str
    text: str
    note: str = ""
    share: int = 0
    at: datetime | None = None
    title: str = ""


def lead_clock(
    *,
    received_at: datetime,
    contacted_at: datetime | None,
    expires_at: datetime | None,
    goal: timedelta,
    counts: bool,
    ending: bool = False,
    now: datetime | None = None,
) -> Clock:
    """Say how a lead stands against the first-contact goal. `counts` is false for test leads; `ending`: it lies in the
    trash, so that all there is to say is when it goes.
    """
    now = now or timezone.now()
    if not counts and not ending:
        return Clock("none", _("does not count"), at=received_at)
    if expires_at is not None and (ending or expires_at - now < EXPIRES_SOON):
        day = format_date(timezone.localtime(expires_at), "j M")
        note = _("in %(span)s") % {"span": duration(expires_at - now)}
        return Clock("going", day, note, at=expires_at, title=stamp(expires_at))
    if contacted_at is not None:
        return Clock("done", _("in %(span)s") % {"span": duration(contacted_at - received_at)}, at=contacted_at)
    age = now - received_at
    share = min(age / goal, 1.0)
    if age >= goal:
        over = duration(age - goal)
        kind, note = "over", _("over") if over == duration(age) else _("%(span)s over") % {"span": over}
    elif share >= WARN_FROM:
        kind, note = "soon", _("%(span)s left") % {"span": duration(goal - age)}
    else:
        kind, note = "running", ""
    return Clock(kind, duration(age), note, round(share * 100), received_at, stamp(received_at))
