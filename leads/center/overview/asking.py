"""What the overview is asked for: a period, a form, a campaign, a grouping. One state for tiles, charts, table, file.

It stands in the URL under the names that the list of leads uses, so that a number leads to the leads behind it.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from typing import Any

from django.utils import timezone
from django.utils.dateparse import parse_date
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from accounts.access import Can
from accounts.models import AdAccount, LeadLibrary
from accounts.refusals import Invalid
from accounts.wire import strange
from campaigns.models import Ad, Campaign
from forms_builder.models import Form
from leads.conditions import NOT_IMPORT
from leads.parameters import FILTERS
from leadscenter.lib.ids import id_in

PERIODS = (7, 28, 90)
GROUPS = ("campaign", "ad_group", "ad", "form", "country", "device")
PARAMETERS = ("days", "since", "until", "by", "form", "campaign")
USUAL = 28
MOST_DAYS = 400
_OFFERED = {
    "days": gettext_lazy("Use one of: 7, 28, 90."),
    "by": gettext_lazy("Use one of: campaign, ad_group, ad, form, country, device."),
    "form": gettext_lazy("Use the id: a number."),
    "campaign": gettext_lazy("Use the id: a number."),
}


def midnight(day: date) -> datetime:
    """Return when a day begins: days of the overview are UTC."""
    return datetime.combine(day, time.min, UTC)


@dataclass(frozen=True, slots=True)
class Asked:
    """Whole days in UTC, both included. `days` is 0 for a period of the reader's own; `form`, `campaign`: ids or 0."""

    since: date
    until: date
    days: int
    by: str = GROUPS[0]
    form: int = 0
    campaign: int = 0

    @property
    def length(self) -> int:
        """How many days it is."""
        return (self.until - self.since).days + 1

    @property
    def before(self) -> tuple[date, date]:
        """The period of the same length before it."""
        return self.since - timedelta(days=self.length), self.since - timedelta(days=1)

    def params(self, **other: object) -> dict[str, str]:
        """Return the URL parameters that say the same, with some said otherwise."""
        period: dict[str, object] = (
            {"days": self.days} if self.days else {"since": self.since.isoformat(), "until": self.until.isoformat()}
        )
        said = {**period, "form": self.form, "campaign": self.campaign, "by": self.by, **other}
        if other.get("days"):
            said = {name: value for name, value in said.items() if name not in ("since", "until")}
        return {name: str(value) for name, value in said.items() if value}

    def lead_params(self) -> dict[str, str]:
        """Return the parameters of the list that shows the leads counted here: its own days are the ad account's."""
        ends = self.until + timedelta(days=1)
        said = {name: midnight(day).isoformat() for name, day in (("since", self.since), ("until", ends))}
        said |= {"form": str(self.form)} if self.form else {}
        said |= {"campaign": str(self.campaign)} if self.campaign else {}
        return said | {"test": "0", "source": NOT_IMPORT}


def read_asked(given: Mapping[str, Any], today: date | None = None) -> Asked:
    """Read untrusted parameters; what cannot be used counts as not said."""
    today = today or timezone.now().date()
    days, by = str(given.get("days", "")), str(given.get("by", ""))
    since, until = _day(given.get("since")), _day(given.get("until"))
    length = int(days) if days in [str(period) for period in PERIODS] else USUAL
    asked = Asked(today - timedelta(days=length - 1), today, length)
    if since and until and since <= until <= today and (until - since).days < MOST_DAYS:
        asked = Asked(since, until, 0)
    by = by if by in GROUPS else GROUPS[0]
    return Asked(asked.since, asked.until, asked.days, by, _id(given.get("form")), _id(given.get("campaign")))


def read_exactly(given: Mapping[str, Any]) -> Asked:
    """Read the parameters of the API: the same, but what cannot be used is `Invalid`."""
    asked = read_asked(given)
    # A filter of the list that is none of the overview would show the whole number as if it were narrowed.
    strangers = [name for name in (*FILTERS, *GROUPS) if given.get(name)]
    if errors := faults_of(given, asked) | strange(strangers, PARAMETERS):
        raise Invalid(errors)
    return asked


def faults_of(given: Mapping[str, Any], asked: Asked) -> dict[str, str]:
    """Return the parameters that were not used for what is asked, each with the reason."""
    said = {name: str(given[name]) for name in PARAMETERS if given.get(name)}
    period = {"days": str(asked.days), "since": asked.since.isoformat(), "until": asked.until.isoformat()}
    if asked.days:
        period |= {"since": "", "until": ""}
    read = {**period, "by": asked.by, "form": str(asked.form), "campaign": str(asked.campaign)}
    told = _OFFERED | dict.fromkeys(("since", "until"), _why_not(_day(given.get("since")), _day(given.get("until"))))
    if not asked.days:
        told["days"] = _("Say days, or the first and the last day: not both.")
    return {name: str(told[name]) for name, text in said.items() if read[name] != text}


def _why_not(since: date | None, until: date | None) -> str:
    """Say why these days are no period; whoever calls knows that they are none."""
    if since is None or until is None:
        return _("Say both the first and the last day, such as 2026-11-30.")
    if since > until:
        return _("The first day is after the last.")
    if until > timezone.now().date():
        return _("The last day is still to come; days are counted in UTC.")
    return _("A period has at most %(days)s days.") % {"days": MOST_DAYS}


def _day(text: object) -> date | None:
    try:
        day = parse_date(str(text or ""))
    except ValueError:
        return None
    return day if day and day.isoformat() == text else None


def _id(text: object) -> int:
    try:
        return id_in(str(text or ""))
    except ValueError:
        return 0


@dataclass(frozen=True, slots=True)
class Scope:
    """What is counted: whose numbers, for which rights, narrowed to `forms` (id → name) and `ads` (None: all)."""

    account: AdAccount
    library: LeadLibrary
    held: frozenset[Can]
    asked: Asked
    with_spend: bool
    forms: dict[int, str]
    ads: tuple[int, ...] | None
    every_form: dict[int, str]
    every_campaign: dict[int, str]


def scope_of(
    account: AdAccount, library: LeadLibrary, held: frozenset[Can], asked: Asked, *, with_spend: bool
) -> Scope:
    """Return the scope; a form or campaign that is not this account's narrows it to nothing."""
    forms = dict(Form.objects.filter(ad_account=account).order_by("name").values_list("pk", "name"))
    campaigns = dict(Campaign.objects.filter(ad_account=account).order_by("name").values_list("pk", "name"))
    ads: Iterable[int] | None = None
    if asked.campaign:
        ads = Ad.objects.filter(ad_group__campaign=asked.campaign, ad_group__campaign__ad_account=account).values_list(
            "pk", flat=True
        )
    return Scope(
        account,
        library,
        held,
        asked,
        with_spend,
        {pk: name for pk, name in forms.items() if asked.form in (0, pk)},
        None if ads is None else tuple(ads),
        forms,
        campaigns,
    )
