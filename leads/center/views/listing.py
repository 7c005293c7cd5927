"""The list of leads in the words that its template prints: rows, views, chips, choices, neighbours."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import Any
from urllib.parse import urlencode

from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from accounts.access import Can, holders
from accounts.models import LeadLibrary, User
from campaigns.models import Ad, AdGroup, Campaign
from forms_builder.models import Form
from leads.center.selectors.listing import LeadPage, LeadRow, Tab, label_names
from leads.models import Label, Lead
from leads.selection import Selection
from leadscenter.lib.clocks import Clock, lead_clock


@dataclass(frozen=True, slots=True)
class Row:
    id: int
    url: str
    name: str
    email: str
    phone: str
    clock: Clock
    status: str
    ad: str
    form: str
    assignee: str
    assignee_initials: str
    delivery: str
    delivery_at: str
    region: str
    labels: tuple[str, ...]
    is_test: bool
    duplicate: bool
    open: bool

    def __repr__(self) -> str:
        return f"<Row {self.id}>"


@dataclass(frozen=True, slots=True)
class View:
    key: str
    label: str
    url: str
    current: bool
    warn: bool = False
    count: str = ""


@dataclass(frozen=True, slots=True)
class Chip:
    field: str
    value: str
    remove: str


@dataclass(frozen=True, slots=True)
class Choice:
    name: str
    label: str
    options: tuple[tuple[str, str], ...]
    value: str


@dataclass(frozen=True, slots=True)
class Person:
    id: int
    name: str
    initials: str


@dataclass(frozen=True, slots=True)
class ListPage:
    rows: tuple[Row, ...]
    views: tuple[View, ...]
    view: str
    chips: tuple[Chip, ...]
    choices: tuple[Choice, ...]
    people: tuple[Person, ...]
    labels: tuple[str, ...]
    statuses: tuple[tuple[str, str], ...]
    filter_items: tuple[tuple[str, str], ...]
    kept_items: tuple[tuple[str, str], ...]
    since: str
    until: str
    holder: str
    sort: str
    sort_url: str
    before: str
    after: str
    narrow: bool
    trash: bool
    caption: str
    summary: str
    count_text: str
    download_text: str
    note: str
    last_download: str
    self_url: str
    list_url: str
    trash_url: str
    search_url: str
    bulk_url: str
    export_url: str
    access_url: str
    forms_url: str
    counts_url: str


VIEWS: tuple[tuple[str, dict[str, str]], ...] = (
    ("all", {}),
    ("mine", {"assignee": "me"}),
    ("unassigned", {"assignee": "none"}),
    (Lead.Status.RAW, {"status": Lead.Status.RAW.value}),
    (Lead.Status.CONTACTED, {"status": Lead.Status.CONTACTED.value}),
    (Lead.Status.QUALIFIED, {"status": Lead.Status.QUALIFIED.value}),
    (Lead.Status.CONVERTED, {"status": Lead.Status.CONVERTED.value}),
    ("attention", {"sort": "attention"}),
)
KEPT_OVER_VIEWS = (
    "form",
    "campaign",
    "ad_group",
    "ad",
    "label",
    "since",
    "until",
    "test",
)


def address(library: LeadLibrary, params: Mapping[str, str], lead_id: int | None = None) -> str:
    """Return the address of the list, or of a lead beside it, with these parameters."""
    path = f"/l/{library.pk}/leads/" + (f"{lead_id}/" if lead_id else "")
    return f"{path}?{urlencode(params)}" if params else path


def params_of(selection: Selection, order: str) -> dict[str, str]:
    """Return the URL parameters that say the selection and its order."""
    return selection.as_params() | ({"sort": order} if order != "received" else {})


def people_of(library: LeadLibrary) -> tuple[Person, ...]:
    """Return who may see the leads now, to assign them."""
    rows = holders(library, Can.VIEW_LEADS).order_by("name", "pk")[:50]
    return tuple(Person(user.pk, str(user), user.initials) for user in rows)


def list_page(
    actor: User,
    library: LeadLibrary,
    selection: Selection,
    order: str,
    page: LeadPage,
    given: Mapping[str, Any],
    *,
    selected: int | None,
) -> ListPage:
    """Put the rows and everything around them into words."""
    params = params_of(selection, order)
    trash = selection.state == Lead.State.TRASHED
    items = tuple(selection.as_params().items())
    here = params | ({"cursor": str(given["cursor"])} if given.get("cursor") else {})
    count = _count(page)
    return ListPage(
        rows=tuple(row_of(library, row, params, selected) for row in page.rows),
        views=views_of(library, selection, order, actor),
        view=_current(selection, order, actor),
        chips=_chips(library, selection, order, actor),
        choices=_choices(library, selection),
        people=people_of(library),
        labels=tuple(label_names(actor, library)),
        statuses=tuple((value, str(label)) for value, label in Lead.Status.choices),
        filter_items=items,
        kept_items=tuple((name, value) for name, value in params.items() if name in ("sort", "s", "state", "assignee")),
        since=selection.since.date().isoformat() if selection.since else "",
        until=(selection.until - timedelta(days=1)).date().isoformat() if selection.until else "",
        holder=library.custodian.name,
        sort=order,
        sort_url="" if trash else address(library, _sorted_otherwise(params, order)),
        before=address(library, params | {"cursor": page.previous}) if page.previous else "",
        after=address(library, params | {"cursor": page.next}) if page.next else "",
        narrow=page.narrow,
        trash=trash,
        caption=_("Leads, most urgent first") if order == "attention" else _("Leads, newest first"),
        summary=_("%(count)s on this page") % {"count": count},
        count_text=count if not page.next else _("%(n)s and more") % {"n": len(page.rows)},
        download_text=_("leads") if page.next or page.previous else count,
        note=_("Shown in %(zone)s. First-contact goal %(goal)s min.")
        % {"zone": timezone.get_current_timezone_name(), "goal": library.contact_goal_minutes},
        last_download="",
        self_url=address(library, here),
        list_url=address(library, {}),
        trash_url=address(library, {"state": Lead.State.TRASHED.value}),
        search_url=f"/l/{library.pk}/leads/search/",
        bulk_url=f"/l/{library.pk}/leads/bulk/?{urlencode(params)}",
        export_url=f"/l/{library.pk}/leads/download/",
        access_url=f"/l/{library.pk}/access/",
        forms_url=f"/a/{library.ad_account_id}/forms/",
        counts_url="" if trash else f"/l/{library.pk}/leads/counts/?{urlencode(params)}",
    )


def _count(page: LeadPage) -> str:
    number = len(page.rows)
    return ngettext("%(n)s lead", "%(n)s leads", number) % {"n": number}


def _sorted_otherwise(params: Mapping[str, str], order: str) -> dict[str, str]:
    rest = {name: value for name, value in params.items() if name != "sort"}
    return rest if order == "attention" else rest | {"sort": "attention"}


def clock_of(lead: Lead, library: LeadLibrary) -> Clock:
    """Return the lead clock: the goal and the end of retention are the library's."""
    return lead_clock(
        received_at=lead.received_at,
        contacted_at=lead.contacted_at,
        expires_at=lead.received_at + timedelta(days=library.retention_days),
        goal=timedelta(minutes=library.contact_goal_minutes),
        counts=not lead.is_test,
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


def row_of(library: LeadLibrary, row: LeadRow, params: Mapping[str, str], selected: int | None) -> Row:
    """Put one lead of the list into words; `selected` is the one whose drawer is open."""
    lead, shown = row.lead, row.shown
    assignee = str(lead.assignee) if lead.assignee else ""
    if assignee and row.assignee_lost_access:
        assignee = _("%(name)s, no longer has access") % {"name": assignee}
    return Row(
        id=lead.pk,
        url=address(library, params, lead.pk),
        name=name_of(shown.name, lead, unreadable=shown.unreadable),
        email=shown.email,
        phone=shown.phone,
        clock=clock_of(lead, library),
        status=lead.status,
        ad=shown.ad.name if shown.ad else _("no ad"),
        form=form_text(shown.form.name, shown.form.version),
        assignee=assignee,
        assignee_initials=lead.assignee.initials if lead.assignee else "",
        delivery=row.sent.state if row.sent else "",
        delivery_at="",
        region=lead.region.upper(),
        labels=row.labels[:2],
        is_test=lead.is_test,
        duplicate=lead.duplicate_of is not None,
        open=selected == lead.pk,
    )


def _current(selection: Selection, order: str, actor: User) -> str:
    if order == "attention":
        return "attention"
    if selection.status:
        return selection.status
    if selection.assignee == 0:
        return "unassigned"
    return "mine" if selection.assignee == actor.pk else "all" if selection.assignee is None else ""


def views_of(
    library: LeadLibrary, selection: Selection, order: str, actor: User, *, counted: Sequence[Tab] = ()
) -> tuple[View, ...]:
    """Return the views bar; the counts come with a later request."""
    labels = {
        "all": _("All"),
        "mine": _("Mine"),
        "unassigned": _("Unassigned"),
        "attention": _("Needs follow-up"),
    } | {str(status.value): str(status.label) for status in Lead.Status}
    numbers = {tab.key: f"{tab.count:,}{'+' if tab.more else ''}" for tab in counted}
    kept = {name: value for name, value in selection.as_params().items() if name in KEPT_OVER_VIEWS}
    current = _current(selection, order, actor) if selection.state == Lead.State.LIVE else ""
    return tuple(
        View(
            str(key), labels[str(key)], address(library, kept | params), current == key, count=numbers.get(str(key), "")
        )
        for key, params in VIEWS
    )


def _chips(library: LeadLibrary, selection: Selection, order: str, actor: User) -> tuple[Chip, ...]:
    said = [*_places_said(library, selection), *_rest_said(selection, actor)]
    return tuple(
        Chip(field, value, address(library, params_of(selection.without(name), order))) for name, field, value in said
    )


def _places_said(library: LeadLibrary, selection: Selection) -> list[tuple[str, str, str]]:
    """Name what the filters point at: (filter, words, value)."""
    rows: tuple[tuple[str, str, Any], ...] = (
        ("form", _("Form is"), Form.objects.all()),
        ("campaign", _("Campaign is"), Campaign.objects.all()),
        ("ad_group", _("Ad group is"), AdGroup.objects.all()),
        ("ad", _("Ad is"), Ad.objects.all()),
        ("label", _("Label is"), Label.objects.filter(library=library)),
    )
    return [
        (name, words, str(found.values_list("name", flat=True).get(pk=getattr(selection, name))))
        for name, words, found in rows
        if getattr(selection, name) is not None
    ]


def _rest_said(selection: Selection, actor: User) -> list[tuple[str, str, str]]:
    said: list[tuple[str, str, str]] = []
    if selection.words:
        count = len(selection.words)
        said.append(("words", _("Search"), ngettext("%(n)s word", "%(n)s words", count) % {"n": count}))
    if selection.assignee not in (None, 0, actor.pk):
        who = next((str(user) for user in User.objects.filter(pk=selection.assignee)), _("somebody else"))
        said.append(("assignee", _("Assignee is"), who))
    if selection.since:
        said.append(("since", _("Received from"), f"{selection.since:%Y-%m-%d}"))
    if selection.until:
        said.append(("until", _("Received until"), f"{selection.until - timedelta(seconds=1):%Y-%m-%d}"))
    if selection.test is not None:
        said.append(("test", _("Test leads"), _("only") if selection.test else _("left out")))
    return said


def _choices(library: LeadLibrary, selection: Selection) -> tuple[Choice, ...]:
    account = library.ad_account_id
    forms = Form.objects.filter(ad_account_id=account).order_by("name").values_list("pk", "name")[:100]
    campaigns = Campaign.objects.filter(ad_account_id=account).order_by("name").values_list("pk", "name")[:100]
    labels = Label.objects.filter(library=library).order_by("name").values_list("pk", "name")[:100]

    def choice(name: str, label: str, rows: Sequence[tuple[Any, Any]], value: object) -> Choice:
        return Choice(
            name, label, tuple((str(key), str(text)) for key, text in rows), "" if value is None else str(value)
        )

    tests = (("0", _("left out")), ("1", _("only")))
    test = None if selection.test is None else int(selection.test)
    return (
        choice("status", _("Status"), Lead.Status.choices, selection.status or None),
        choice("form", _("Form"), list(forms), selection.form),
        choice("campaign", _("Campaign"), list(campaigns), selection.campaign),
        choice("label", _("Label"), list(labels), selection.label),
        choice("test", _("Test leads"), tests, test),
    )
