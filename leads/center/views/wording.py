"""A lead of the list in the words that a row or a card prints."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import timedelta
from urllib.parse import urlencode

from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from accounts.models import LeadLibrary
from leads.center.layout import layout_of
from leads.center.selectors.listing import LeadRow
from leads.center.selectors.lives import expires_at
from leads.models import Lead
from leadscenter.lib.clocks import Clock, lead_clock
from leadscenter.lib.display import moment_text

# How a value looks: tone and icon of its badge, in the order of the page's words.
STATUS_LOOKS = {
    Lead.Status.RAW: ("", "raw"),
    Lead.Status.CONTACTED: ("info", "contacted"),
    Lead.Status.QUALIFIED: ("accent", "qualified"),
    Lead.Status.CONVERTED: ("ok", "check"),
    Lead.Status.UNQUALIFIED: ("", "unqualified"),
}
DELIVERY_LOOKS = {
    "done": ("ok", "ok", gettext_lazy("Delivered")),
    "retrying": ("warn", "retry", gettext_lazy("Retry")),
    "dead": ("bad", "bad", gettext_lazy("Failed")),
    "waiting": ("", "pause", gettext_lazy("Paused")),
    "skipped": ("", "skip", gettext_lazy("Skipped")),
    "pending": ("", "clock", gettext_lazy("Queued")),
}

# Columns that hold a text and nothing else.
PLAIN: dict[str, Callable[[LeadRow], str]] = {
    "region": lambda row: row.lead.region.upper(),
    "received": lambda row: moment_text(row.lead.received_at),
    "changed": lambda row: moment_text(row.lead.status_changed_at) if row.lead.status_changed_at else "",
    "campaign": lambda row: row.shown.campaign.name if row.shown.campaign else "",
    "notes": lambda row: str(row.notes),
    "source": lambda row: str(Lead.Source(row.lead.source).label),
    "outcome": lambda row: str(Lead.Outcome(row.lead.outcome).label) if row.lead.outcome else "",
}


@dataclass(frozen=True, slots=True)
class Badge:
    tone: str
    icon: str
    text: str
    value: str = ""


@dataclass(frozen=True, slots=True)
class Row:
    id: int
    url: str
    row_url: str
    name: str
    email: str
    phone: str
    clock: Clock
    status: str
    status_badge: Badge
    ad: str
    form: str
    assignee: str
    assignee_initials: str
    delivery: Badge | None
    labels: tuple[str, ...]
    is_test: bool
    duplicate: bool
    open: bool
    columns: tuple[str, ...]
    plain: dict[str, str]

    def __repr__(self) -> str:
        return f"<Row {self.id}>"


class Wording:
    """Puts leads of one library into words. What is the same for all of them is looked up once.

    `params`: what the addresses of the leads carry, columns among it; `selected`: the one whose drawer is open.
    """

    def __init__(self, library: LeadLibrary, params: Mapping[str, str], selected: int | None = None) -> None:
        self._library, self._selected = library, selected
        self._base, self._query = f"/l/{library.pk}/leads/", f"?{urlencode(params)}" if params else ""
        self._columns = layout_of(params).columns
        self._statuses = {badge.value: badge for badge in status_badges()}
        self._deliveries = {state: Badge(look[0], look[1], str(look[2])) for state, look in DELIVERY_LOOKS.items()}
        self._no_ad = _("no ad")

    def row(self, row: LeadRow) -> Row:
        """Return the lead in words."""
        lead, shown = row.lead, row.shown
        assignee = str(lead.assignee) if lead.assignee else ""
        if assignee and row.assignee_lost_access:
            assignee = _("%(name)s, no longer has access") % {"name": assignee}
        return Row(
            id=lead.pk,
            url=f"{self._base}{lead.pk}/{self._query}",
            row_url=f"{self._base}{lead.pk}/row/{self._query}",
            name=name_of(shown.name, lead, unreadable=shown.unreadable),
            email=shown.email,
            phone=shown.phone,
            clock=clock_of(lead, self._library),
            status=lead.status,
            status_badge=self._statuses[lead.status],
            ad=shown.ad.name if shown.ad else self._no_ad,
            form=form_text(shown.form.name, shown.form.version),
            assignee=assignee,
            assignee_initials=lead.assignee.initials if lead.assignee else "",
            delivery=self._deliveries[row.sent] if row.sent else None,
            labels=row.labels,
            is_test=lead.is_test,
            duplicate=lead.duplicate_of is not None,
            open=self._selected == lead.pk,
            columns=self._columns,
            plain={column: PLAIN[column](row) for column in self._columns if column in PLAIN},
        )


def status_badge(status: str) -> Badge:
    """Return how a status looks."""
    tone, icon = STATUS_LOOKS[Lead.Status(status)]
    return Badge(tone, icon, str(Lead.Status(status).label), str(status))


def status_badges() -> tuple[Badge, ...]:
    """Return how each status looks, in the order of the sale."""
    return tuple(status_badge(value) for value in Lead.Status)


def clock_of(lead: Lead, library: LeadLibrary) -> Clock:
    """Return the lead clock: the goal and the end of retention are the library's. In the trash it says when it goes.

    When an imported lead was contacted elsewhere nobody knows: its clock does not run.
    """
    untimed = lead.source == Lead.Source.IMPORT and lead.status != Lead.Status.RAW and lead.contacted_at is None
    return lead_clock(
        received_at=lead.received_at,
        contacted_at=lead.contacted_at,
        expires_at=expires_at(lead, library),
        goal=timedelta(minutes=library.contact_goal_minutes),
        counts=not lead.is_test and not untimed,
        ending=lead.trashed_at is not None,
    )


def name_of(name: str, lead: Lead, *, unreadable: bool = False) -> str:
    """Return what the row is called where nobody was asked for a name."""
    if name:
        return name
    if unreadable:
        return _("Answers cannot be opened")
    return _("Test lead") if lead.is_test else _("No name asked")


def form_text(name: str, version: int) -> str:
    """Return the form with its version, as it was called at capture."""
    return _("%(form)s, v%(version)s") % {"form": name, "version": version} if version else name
