"""Where a lead comes from and what else is known of it: the parts of the drawer that its answers do not say."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime

from django.utils import timezone
from django.utils.translation import gettext as _

from accounts.models import LeadLibrary
from leads.center.disclosure import OpenLead
from leads.center.selectors.deliveries import LeadDelivery
from leads.center.selectors.neighbours import Neighbours
from leads.center.views.wording import Badge, form_text, status_badge
from leads.crm.connectors.connector import DELETED
from leads.crm.explanations import explain
from leads.crm.standing import next_attempt
from leads.models import Lead
from leadscenter.lib.display import language_name, moment_text

RESENDABLE = ("dead", "retrying", "done")


@dataclass(frozen=True, slots=True, repr=False)
class Fact:
    label: str
    value: str

    def __repr__(self) -> str:
        return f"<Fact {self.label}>"


@dataclass(frozen=True, slots=True)
class Alike:
    """A lead that may be the same person, told by what is no answer."""

    url: str
    received_at: datetime
    form: str
    status: Badge
    is_test: bool
    original: bool


@dataclass(frozen=True, slots=True)
class DeliveryRow:
    """A delivery with its cause and fix; `resend` is its id where it may be sent again by whoever looks."""

    connection: str
    state: str
    next: str
    detail: str
    url: str
    cause: str
    fix: str
    resend: int


def attribution_of(lead: Lead, shown: OpenLead) -> tuple[Fact, ...]:
    """Return the names at capture, the browser's attribution and where the answers lie."""
    facts = [
        (_("Campaign"), shown.campaign.name if shown.campaign else ""),
        (_("Ad group"), shown.ad_group.name if shown.ad_group else ""),
        (_("Ad"), shown.ad.name if shown.ad else ""),
        (_("Form"), form_text(shown.form.name, shown.form.version)),
        (_("Came by"), str(Lead.Source(lead.source).label)),
        (_("Language"), language_name(shown.language)),
        (_("Country"), shown.country),
        (_("Stored in"), lead.region.upper()),
        (_("Sealed"), _("in the browser, before it was sent") if lead.sealed_in_browser else _("on arrival")),
        *sorted(shown.attribution.items()),
    ]
    return tuple(Fact(label, value) for label, value in facts if value)


def alike_rows(library: LeadLibrary, lead: Lead, found: Iterable[Lead]) -> tuple[Alike, ...]:
    """Put possible duplicates into words."""
    return tuple(
        Alike(
            url=f"/l/{library.pk}/leads/{one.pk}/",
            received_at=one.received_at,
            form=one.form.name,
            status=status_badge(one.status),
            is_test=one.is_test,
            original=one.pk == lead.duplicate_of,
        )
        for one in found
    )


def position_text(place: Neighbours) -> str:
    """Say which of how many the lead is; nothing where that was not counted."""
    if not place.position:
        return ""
    return _("%(n)s of %(all)s") % {"n": f"{place.position:,}", "all": f"{place.total:,}{'+' if place.more else ''}"}


def delivery_row(row: LeadDelivery, library: LeadLibrary, *, may_send: bool) -> DeliveryRow:
    """Put a delivery into words, with what its last attempt's code means."""
    last = row.attempts[-1] if row.attempts else None
    said = [row.event]
    if last:
        said += [moment_text(last.at), f"{last.status or last.outcome}", f"{last.ms} ms"]
        said.append(_("%(n)s attempts") % {"n": row.delivery.attempts} if row.delivery.attempts > 1 else _("1 attempt"))
    failed = last is not None and row.state in ("dead", "retrying")
    told = explain(row.connection.kind, last.code) if last and failed else None
    there = row.connection.removed_at is None and row.state in RESENDABLE and row.event != DELETED
    return DeliveryRow(
        connection=row.connection.name,
        state=row.state,
        next=_due(row) if row.state == "retrying" else "",
        detail=", ".join(said),
        url=f"/l/{library.pk}/integrations/deliveries/{row.delivery.pk}/" if may_send else "",
        cause=told.cause if told else "",
        fix=told.fix if told else "",
        resend=row.delivery.pk if there and may_send else 0,
    )


def _due(row: LeadDelivery) -> str:
    return f"{timezone.localtime(next_attempt(row.delivery, row.connection)):%H:%M}"
