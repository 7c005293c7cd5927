"""Charts as numbers for server-rendered SVG: positions in percent, so that text keeps its size at every width."""

from collections.abc import Sequence
from dataclasses import dataclass

from django.utils.translation import gettext as _

from .display import number, percent

PLOT_TOP = 10
PLOT_HEIGHT = 232


@dataclass(frozen=True, slots=True)
class Day:
    """One day of a line chart; `before` is the same day of the period before, `partial` marks today."""

    label: str
    count: int
    before: int | None = None
    partial: bool = False


@dataclass(frozen=True, slots=True)
class Point:
    x: str
    y: str
    left: str
    width: str
    text: str
    tabindex: int


@dataclass(frozen=True, slots=True)
class Tick:
    position: str
    text: str
    anchor: str = "middle"
    strong: bool = False


@dataclass(frozen=True, slots=True)
class Gridline:
    y: str
    text_y: str
    text: str


@dataclass(frozen=True, slots=True)
class LineChart:
    key: str
    title: str
    summary: str
    area: str
    now: str
    part: str
    then: str
    points: tuple[Point, ...]
    gridlines: tuple[Gridline, ...]
    ticks: tuple[Tick, ...]
    days: tuple[Day, ...]
    compared: bool


def _ceiling(highest: int) -> int:
    """The next round number above the highest value that three grid lines divide evenly."""
    step = 1
    while step * 3 < highest:
        for factor in (1, 2, 5, 10):
            if step * factor * 3 >= highest:
                return step * factor * 3
        step *= 10
    return step * 3


def line_chart(key: str, title: str, summary: str, days: Sequence[Day]) -> LineChart:
    """Place the days of a period, and the period before it, in a plot of 100 by 100."""
    top = _ceiling(max([1, *(day.count for day in days), *(day.before or 0 for day in days)]))
    last = max(len(days) - 1, 1)
    spots = [(index / last * 100, 100 - day.count / top * 100) for index, day in enumerate(days)]
    whole = [spot for spot, day in zip(spots, days, strict=True) if not day.partial]
    part = spots[len(whole) - 1 :] if 0 < len(whole) < len(spots) else []
    before = [(index / last * 100, 100 - (day.before or 0) / top * 100) for index, day in enumerate(days)]
    compared = any(day.before is not None for day in days)
    half = 50 / last
    return LineChart(
        key=key,
        title=title,
        summary=summary,
        area=_path([(0.0, 100.0), *spots, (100.0, 100.0)]) if days else "",
        now=_path(whole),
        part=_path(part),
        then=_path(before) if compared else "",
        points=tuple(
            Point(
                x=f"{x:.2f}%",
                y=f"{PLOT_TOP + y * PLOT_HEIGHT / 100:.1f}",
                left=f"{max(x - half, 0):.2f}%",
                width=f"{min(x + half, 100) - max(x - half, 0):.2f}%",
                text=_point_text(day),
                tabindex=0 if index == 0 else -1,
            )
            for index, ((x, y), day) in enumerate(zip(spots, days, strict=True))
        ),
        gridlines=tuple(
            Gridline(
                f"{PLOT_TOP + 0.5 + PLOT_HEIGHT * (3 - n) / 3:.1f}",
                f"{PLOT_TOP - 5 + PLOT_HEIGHT * (3 - n) / 3:.1f}",
                number(top * n / 3),
            )
            for n in (1, 2, 3)
        ),
        ticks=_ticks(days, last),
        days=tuple(days),
        compared=compared,
    )


def _path(spots: Sequence[tuple[float, float]]) -> str:
    return " ".join(f"{x:.2f},{y:.1f}" for x, y in spots)


def _point_text(day: Day) -> str:
    text = _("%(day)s: %(count)s leads") if not day.partial else _("%(day)s: %(count)s leads so far")
    if day.before is not None:
        text += _(", %(before)s in the period before")
    return text % {"day": day.label, "count": number(day.count), "before": number(day.before)}


def _ticks(days: Sequence[Day], last: int) -> tuple[Tick, ...]:
    """One label a week from the first day, today at the end."""
    step = max(1, round(len(days) / 4))
    ticks = [
        Tick(f"{index / last * 100:.2f}%", days[index].label, "start" if index == 0 else "middle")
        for index in range(0, max(len(days) - step // 2, 1), step)
        if index < len(days)
    ]
    if days and days[-1].partial:
        ticks.append(Tick("100%", _("today"), "end", strong=True))
    return tuple(ticks)


@dataclass(frozen=True, slots=True)
class Step:
    """One step of a funnel: how many are left, what the word means, and what to say when nothing precedes it."""

    label: str
    definition: str
    value: int | None
    note: str = ""
    key: str = ""


@dataclass(frozen=True, slots=True)
class Bar:
    key: str
    label: str
    definition: str
    value: int | None
    share: float | None
    share_text: str
    note: str
    y: str
    height: str
    edge: str
    width: str


def funnel(steps: Sequence[Step]) -> tuple[Bar, ...]:
    """Bars whose height is the share kept from the step before; the first bar is whole."""
    bars: list[Bar] = []
    previous: Step | None = None
    for step in steps:
        share = None
        if previous is not None and previous.value and step.value is not None:
            share = min(step.value / previous.value, 1.0)
        kept = 1.0 if previous is None else share or 0.0
        bars.append(
            Bar(
                key=step.key,
                label=step.label,
                definition=step.definition,
                value=step.value,
                share=share,
                share_text=percent(share, 2 if share is not None and share < 0.1 else 1),
                note=step.note or (_("of %(step)s") % {"step": previous.label.lower()} if previous else ""),
                y=f"{(1 - kept) * 100:.2f}%",
                height=f"{kept * 100:.2f}%",
                edge=f"{min((1 - kept) * 100, 96.4):.2f}%",
                width=f"{kept * 100:.2f}%",
            )
        )
        previous = step
    return tuple(bars)


@dataclass(frozen=True, slots=True)
class Beat:
    x: str
    y: int
    height: int
    tone: str


PULSE_HEIGHT = 28


def pulse(counts: Sequence[tuple[int, int]]) -> tuple[Beat, ...]:
    """Bars of (delivered, failed) per stretch of time: taller is more, the second tone had failures."""
    highest = max([1, *(done + failed for done, failed in counts)])
    beats = []
    for index, (done, failed) in enumerate(counts):
        total = done + failed
        height = 3 if not total else max(4, round(24 * total / highest))
        tone = "none" if not total else "warn" if failed else "ok"
        beats.append(Beat(f"{index * 100 / len(counts):.2f}%", PULSE_HEIGHT - height, height, tone))
    return tuple(beats)
