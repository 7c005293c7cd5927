"""The component gallery at /design/: every component in its states, for the people who build pages and review them."""

from dataclasses import dataclass
from datetime import timedelta

from django import forms
from django.conf import settings
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils import timezone

from accounts.declarations import public
from leadscenter.lib.charts import Day, Step, funnel, line_chart, pulse
from leadscenter.lib.clocks import Clock, lead_clock


@dataclass(frozen=True)
class Node:
    icon: str
    label: str
    note: str
    url: str = "#trail"
    todo: bool = False


@dataclass(frozen=True)
class Row:
    icon: str
    text: str
    note: str
    at: object
    tone: str = ""


@dataclass(frozen=True)
class Stage:
    label: str
    url: str = "#stepper"
    done: bool = False
    current: bool = False
    fault: bool = False


class SampleForm(forms.Form):
    name = forms.CharField(label="Name of the connection", help_text="Only people on your side see it.")
    url = forms.URLField(label="Address", required=False, assume_scheme="https")
    kind = forms.ChoiceField(
        label="What to send", choices=[("full", "All answers"), ("thin", "Only that a lead is there")]
    )
    days = forms.ChoiceField(
        label="Keep leads for", choices=[("30", "30 days"), ("90", "90 days")], widget=forms.RadioSelect, initial="90"
    )
    agree = forms.BooleanField(label="Send every new lead", help_text="It starts at once.", required=False)


@public
def gallery(request: HttpRequest) -> HttpResponse:
    """Show the gallery while DEBUG is on, and to platform staff; to everyone else there is nothing here."""
    if not (settings.DEBUG or getattr(request.user, "is_staff", False)):
        raise Http404
    faulty = SampleForm({"name": "", "url": "not an address", "kind": "full", "days": "90"})
    faulty.is_valid()
    return render(
        request,
        "design/gallery.html",
        {
            "clocks": _clocks(),
            "chart": _chart(),
            "bars": funnel(
                [
                    Step("Impressions", "Times an ad was shown", 1_284_600, "$31.79 per thousand"),
                    Step("Clicks", "Clicks from an ad to the form", 18_942),
                    Step("Form opens", "Forms shown to a visitor session, counted once in 30 min", 9_614),
                    Step("Starts", "Sessions with at least one answer", 6_207),
                    Step("Submits", "Accepted submissions, without test leads and spam", 2_481),
                ]
            ),
            "beats": pulse([(4 + (i * 7) % 9, 2 if i in (43, 44, 46) else 0) if i < 46 else (0, 0) for i in range(48)]),
            "nodes": (
                Node("ad", "Ad", "video 15 s"),
                Node("forms", "Form v3", "English"),
                Node("submit", "Submitted", "14:27:58"),
                Node("lock", "Encrypted", "US"),
                Node("check", "HubSpot", "14:28:01"),
                Node("retry", "Slack", "retry 14:32", todo=True),
            ),
            "timeline": (
                Row("eye", "You opened this lead", "", timezone.now()),
                Row(
                    "retry",
                    "Slack asked us to slow down",
                    "Attempt 2 of 10.",
                    timezone.now() - timedelta(minutes=3),
                    "warn",
                ),
                Row(
                    "submit",
                    "Submitted",
                    "Sealed on the phone before it was sent",
                    timezone.now() - timedelta(hours=30),
                ),
            ),
            "stages": (
                Stage("Content", done=True),
                Stage("Questions", current=True),
                Stage("Privacy", fault=True),
                Stage("Review", url=""),
            ),
            "form": SampleForm(),
            "faulty": faulty,
            "delivery_states": ("done", "retrying", "dead", "waiting", "skipped", "pending", "none"),
            "direction": "rtl" if request.GET.get("dir") == "rtl" else "ltr",
            "board": _board(),
            "badges": BADGES,
            "statuses": ("raw", "contacted", "qualified", "converted", "unqualified"),
        },
    )


BADGES = (
    {"value": "raw", "tone": "", "icon": "raw", "text": "Raw"},
    {"value": "contacted", "tone": "info", "icon": "contacted", "text": "Contacted"},
    {"value": "qualified", "tone": "accent", "icon": "qualified", "text": "Qualified"},
)


def _board() -> list[dict[str, object]]:
    """Return a column with a plain and a marked card, an empty one, and one that the filter leaves out."""
    soon, _next, late, *_rest = _clocks()
    plain = {
        "id": 1, "name": "Priya Nandakumar", "url": "#g-board", "row_url": "#g-board", "email": "p•••@example.com",
        "phone": "+1•••012", "ad": "Video 15 s", "form": "Home solar quote, v3", "status": "raw", "clock": soon,
        "labels": (), "is_test": False, "duplicate": False, "assignee": "", "open": False, "delivery": None,
    }  # fmt: skip
    marked = plain | {
        "id": 2, "name": "Jonah Whitfield", "labels": ("Own roof",), "is_test": True, "duplicate": True, "clock": late,
        "assignee": "Maren Holt", "assignee_initials": "MH", "open": True,
        "delivery": {"tone": "bad", "icon": "bad", "text": "Failed"},
    }  # fmt: skip
    cards: tuple[list[dict[str, object]], ...] = ([plain, marked], [], [])
    return [
        {"badge": badge, "cards": found, "out": badge["value"] == "qualified"}
        for badge, found in zip(BADGES, cards, strict=True)
    ]


def _clocks() -> tuple[Clock, ...]:
    now, goal = timezone.now(), timedelta(hours=1)
    ages = (timedelta(minutes=18), timedelta(minutes=49), timedelta(minutes=68))
    later = now + timedelta(days=90)
    running = [
        lead_clock(received_at=now - age, contacted_at=None, expires_at=later, goal=goal, counts=True, now=now)
        for age in ages
    ]
    yesterday = now - timedelta(days=1)
    return (
        *running,
        lead_clock(
            received_at=yesterday,
            contacted_at=yesterday + timedelta(minutes=12),
            expires_at=later,
            goal=goal,
            counts=True,
            now=now,
        ),
        lead_clock(
            received_at=yesterday,
            contacted_at=None,
            expires_at=now + timedelta(days=2, hours=1),
            goal=goal,
            counts=True,
            now=now,
        ),
        lead_clock(received_at=now, contacted_at=None, expires_at=later, goal=goal, counts=False, now=now),
    )


def _chart() -> object:
    counts = [
        86,
        86,
        85,
        56,
        55,
        75,
        78,
        97,
        93,
        90,
        61,
        57,
        83,
        95,
        109,
        113,
        110,
        82,
        72,
        97,
        115,
        116,
        133,
        113,
        78,
        73,
        103,
        70,
    ]
    first = timezone.localdate() - timedelta(days=27)
    days = [
        Day(f"{first + timedelta(days=index):%-d %b}", count, count - 7 - index % 5, partial=index == 27)
        for index, count in enumerate(counts)
    ]
    return line_chart("byday", "Leads by day", "2,481 leads in 28 days. The best day had 133.", days)
