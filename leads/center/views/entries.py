"""An event of the trail in the words of a page, and as a line of a file."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime

from django.utils.translation import gettext as _

from accounts.models import Act, ApiToken, AuditEvent
from leadscenter.lib.cells import csv_line

ICONS = {
    "lead": "eye",
    "leads": "eye",
    "export": "exports",
    "connection": "integrations",
    "delivery": "retry",
    "transfer": "transfer",
    "refused": "lock",
    "member": "members",
    "form": "forms",
    "campaign": "campaigns",
    "note": "note",
    "consent": "consent",
    "trail": "history",
    "keys": "lock",
    "test": "flask",
    "library": "privacy",
    "alarm": "bell",
    "token": "api",
}
HEADING = ("at (UTC)", "act", "what", "who", "person id", "by right of", "purpose", "count", "detail", "event id")


@dataclass(frozen=True, slots=True)
class Entry:
    id: int
    icon: str
    tone: str
    who: str
    initials: str
    text: str
    count: int
    detail: str
    at: datetime


def entries_of(events: Sequence[AuditEvent]) -> list[Entry]:
    """Return the events as a page shows them; one query more where an API token was used."""
    names = token_names(events)
    return [
        Entry(
            id=event.pk,
            icon=ICONS.get(event.act.partition("_")[0], "activity"),
            tone="warn" if event.act in (Act.REFUSED, Act.ALARM_RAISED) else "",
            who=str(event.actor) if event.actor else _("Holdfast"),
            initials=event.actor.initials if event.actor else "",
            text=str(Act(event.act).label),
            count=event.count,
            detail=", ".join(_words(event, names)),
            at=event.at,
        )
        for event in events
    ]


def token_names(events: Iterable[AuditEvent]) -> dict[str, str]:
    """Return the names of the API tokens that the events were done with, by their ids as text."""
    used = {str(event.detail["token"]) for event in events if "token" in event.detail}
    if not used:
        return {}
    rows = ApiToken.objects.filter(pk__in=[int(token) for token in used if token.isdigit()])
    return {str(pk): name for pk, name in rows.values_list("pk", "name")}


def _words(event: AuditEvent, names: dict[str, str]) -> list[str]:
    told = dict(event.detail)
    if token := told.get("token"):
        told["token"] = names.get(str(token), token)
    return [f"{name.replace('_', ' ')}: {value}" for name, value in sorted(told.items()) if value != ""]


def lines_of(events: Sequence[AuditEvent]) -> str:
    """Return the events as lines of CSV whose cells cannot run in a spreadsheet."""
    names = token_names(events)
    return "".join(
        csv_line(
            (
                event.at.astimezone(UTC).isoformat(timespec="seconds"),
                event.act,
                str(Act(event.act).label),
                str(event.actor) if event.actor else _("Holdfast"),
                event.actor_id,
                event.grant_path,
                event.purpose,
                event.count,
                "; ".join(_words(event, names)),
                event.pk,
            )
        )
        for event in events
    )
