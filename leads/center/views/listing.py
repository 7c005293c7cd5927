"""The list of leads in the words that its template prints: rows, neighbours and what stands around them."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext

from accounts.access import Can
from accounts.models import LeadLibrary, User
from leads.center.layout import COLUMNS, ORDERS, USUAL, Layout, layout_of
from leads.center.selectors.counting import Tab
from leads.center.selectors.listing import LeadPage
from leads.center.views.addresses import BOARD, address, place_of
from leads.center.views.exporting import new_export_url
from leads.center.views.filtering import Chip, Choice, called, chips, choices, days_of, encoded, exactly
from leads.center.views.tabs import View, current_view, is_changed, views_of
from leads.center.views.wording import Badge, Row, Wording, status_badges
from leads.exports.selectors import last_taken
from leads.models import Lead, SavedView
from leads.selection import Selection
from leadscenter.lib.display import duration, moment_text

PEOPLE_OFFERED = 50
CAPTIONS = {
    "received": gettext_lazy("Leads, newest first"),
    "attention": gettext_lazy("Leads, most urgent first"),
    "change": gettext_lazy("Leads, last changed status first"),
}


@dataclass(frozen=True, slots=True)
class Person:
    id: int
    name: str
    initials: str


@dataclass(frozen=True, slots=True)
class Column:
    """A head of the table and a line of the column chooser."""

    key: str
    label: str
    shown: bool
    sort: str = ""  # ascending or descending, where the rows are sorted by it
    sort_url: str = ""


@dataclass(frozen=True, slots=True)
class OpenView:
    """The saved view that the list shows; `mine`: it may be changed here."""

    id: int
    name: str
    mine: bool
    shared: bool
    pinned: bool
    is_default: bool
    changed: bool


@dataclass(frozen=True, slots=True)
class Switch:
    """The list or the board, with the filter that is shown."""

    icon: str
    label: str
    url: str
    current: bool


@dataclass(frozen=True, slots=True)
class ListPage:
    rows: tuple[Row, ...]
    views: tuple[View, ...]
    view: str
    open_view: OpenView | None
    columns: tuple[Column, ...]
    heads: tuple[Column, ...]
    chips: tuple[Chip, ...]
    choices: tuple[Choice, ...]
    people: tuple[Person, ...]
    seen_by: int
    labels: tuple[str, ...]
    statuses: tuple[Badge, ...]
    filter_items: tuple[tuple[str, str], ...]
    kept_items: tuple[tuple[str, str], ...]
    here_items: tuple[tuple[str, str], ...]
    board: bool
    since: str
    until: str
    zone: str
    holder: str
    sort: str
    before: str
    after: str
    start: str  # of a search, which has no way back page by page
    narrow: bool
    trash: bool
    caption: str
    summary: str
    count_text: str
    download_text: str
    downloadable: bool
    note: str
    last_download: str
    self_url: str
    list_url: str
    switch: tuple[Switch, ...]
    trash_url: str
    search_url: str
    names_url: str
    bulk_url: str
    export_url: str
    new_export_url: str
    save_url: str
    access_url: str
    forms_url: str
    counts_url: str


def people_of(users: Sequence[User]) -> tuple[Person, ...]:
    """Return people as those to whom leads may be assigned."""
    return tuple(Person(user.pk, str(user), user.initials) for user in users[:PEOPLE_OFFERED])


def list_page(
    actor: User,
    library: LeadLibrary,
    selection: Selection,
    page: LeadPage,
    given: Mapping[str, Any],
    *,
    people: Sequence[User],
    saved: Sequence[SavedView] = (),
    selected: int | None,
    can: Collection[str],
) -> ListPage:
    """Put the rows and everything around them into words; `can`: the actor's rights here, as the frame knows them."""
    layout = layout_of(given)
    opened = next((view for view in saved if str(view.pk) == given.get("view")), None)
    state = selection.as_params() | layout.as_params() | ({"view": str(opened.pk)} if opened else {})
    params = state | place_of(given)
    trash = selection.state == Lead.State.TRASHED
    here = params | ({"cursor": str(given["cursor"])} if given.get("cursor") else {})
    base, count = address(library, place_of(given)), _count(page)
    view = "" if opened else current_view(selection, layout, actor)
    alone = not (page.next or page.previous or given.get("cursor"))
    offered_people = people_of(people)
    names = called(selection, actor)
    offered = choices(library, selection, [(one.id, one.name) for one in offered_people], names, actor)
    columns = _columns(library, layout, params, sortable=not trash and not selection.words)
    return ListPage(
        rows=tuple(map(Wording(library, params, selected).row, page.rows)),
        views=views_of(
            library, selection, layout, actor, saved=saved, open_view=str(opened.pk) if opened else "", base=base
        ),
        view=view,
        open_view=_open_view(opened, selection, layout, actor) if opened else None,
        columns=columns,
        heads=tuple(column for column in columns if column.shown),
        chips=chips(library, selection, layout, actor, base, names, view),
        choices=offered,
        people=offered_people,
        seen_by=len(people),
        labels=tuple(text for choice in offered if choice.name == "label" for _key, text in choice.options),
        statuses=status_badges(),
        filter_items=tuple(selection.as_params().items()),
        kept_items=(*_kept(params), *exactly(selection, library).items()),
        here_items=tuple(state.items()),
        board=BOARD in params,
        **days_of(selection, library),
        **_about(library),
        sort=layout.order,
        start=address(library, params) if selection.words and given.get("cursor") else "",
        **_around(library, page, params),
        narrow=page.narrow,
        trash=trash,
        caption=str(CAPTIONS[layout.order]),
        summary=_("%(count)s on this page") % {"count": count},
        count_text=count if alone else _("%(n)s and more") % {"n": len(page.rows)},
        download_text=count if alone else _("leads"),
        downloadable=selection.state == Lead.State.LIVE,
        last_download=_last_download(library) if Can.VIEW_TRAIL in can else "",
        self_url=address(library, here),
        list_url=base,
        switch=() if selection.state != Lead.State.LIVE else _switch(library, state, board=BOARD in params),
        new_export_url=new_export_url(library, selection),
        **_urls(library, encoded(params), trash=trash),
    )


def _about(library: LeadLibrary) -> dict[str, str]:
    """Return what the page says of the library whatever it shows."""
    return {"zone": library.ad_account.time_zone, "holder": library.custodian.name, "note": _note(library)}


def _around(library: LeadLibrary, page: LeadPage, params: dict[str, str]) -> dict[str, str]:
    """Return where the page before this one and the page after it are, where there is one."""
    cursors = {"before": page.previous, "after": page.next}
    return {name: address(library, params | {"cursor": at}) if at else "" for name, at in cursors.items()}


def _urls(library: LeadLibrary, query: str, *, trash: bool) -> dict[str, str]:
    """Return where the forms of the page are sent and its links lead."""
    base = address(library, {})
    return {
        "trash_url": address(library, {"state": Lead.State.TRASHED.value}),
        "search_url": f"{base}search/",
        "names_url": f"{base}names/",
        "bulk_url": f"{base}bulk/{query}",
        "export_url": f"{base}download/",
        "save_url": f"{base}views/",
        "access_url": f"/l/{library.pk}/access/",
        "forms_url": f"/a/{library.ad_account_id}/forms/",
        "counts_url": "" if trash else f"{base}counts/{query}",
    }


def _switch(library: LeadLibrary, state: Mapping[str, str], *, board: bool) -> tuple[Switch, ...]:
    shown = state or {"view": "all"}  # a bare address leads to a person's first view
    return (
        Switch("list", _("List"), address(library, shown), not board),
        Switch("board", _("Board"), address(library, {**shown, BOARD: "1"}), board),
    )


def _note(library: LeadLibrary) -> str:
    """Say in which time zone moments are shown and by when a lead is to be contacted."""
    goal = duration(timedelta(minutes=library.contact_goal_minutes))
    return _("Shown in %(zone)s. First-contact goal %(goal)s.") % {
        "zone": timezone.get_current_timezone_name(),
        "goal": goal,
    }


def _last_download(library: LeadLibrary) -> str:
    """Say who downloaded a file of these leads last, and when."""
    taken = last_taken(library)
    if taken is None:
        return ""
    told = {"at": moment_text(taken.at), "who": taken.who, "n": f"{taken.rows:,}"}
    return (
        ngettext("Last download %(at)s, %(who)s, %(n)s lead", "Last download %(at)s, %(who)s, %(n)s leads", taken.rows)
        % told
    )


def _kept(params: Mapping[str, str]) -> tuple[tuple[str, str], ...]:
    """Return what the filter menu does not ask and must not lose: the trash, too, where it asks for no state."""
    names = ["sort", "cols", "s", "lead", "view"] + ["state"] * (params.get("state") == Lead.State.TRASHED)
    return tuple((name, value) for name, value in params.items() if name in names)


def _open_view(view: SavedView, selection: Selection, layout: Layout, actor: User) -> OpenView:
    mine, changed = view.owner_id == actor.pk, is_changed(view, selection, layout)
    return OpenView(view.pk, view.name, mine, view.shared, view.pinned, view.is_default, changed)


def _columns(library: LeadLibrary, layout: Layout, params: Mapping[str, str], *, sortable: bool) -> tuple[Column, ...]:
    """Return the columns shown, in order, and behind them those that are not."""
    orders = {"clock": "attention", "received": "received", "changed": "change"}
    rest = {name: value for name, value in params.items() if name != "sort"}
    found: list[Column] = []
    for key in (*layout.columns, *(name for name in (*USUAL, *COLUMNS) if name not in layout.columns)):
        if any(column.key == key for column in found):
            continue
        order, url, sort = orders.get(key, ""), "", ""
        if order:
            other = "received" if layout.order == order and key == "clock" else order
            url = address(library, rest | ({"sort": other} if other != "received" else {})) if sortable else ""
        if order and layout.order == order:
            sort = "descending" if ORDERS[order].startswith("-") else "ascending"
        found.append(Column(key, str(COLUMNS[key]), key in layout.columns, sort, url))
    return tuple(found)


def _count(page: LeadPage) -> str:
    number = len(page.rows)
    return ngettext("%(n)s lead", "%(n)s leads", number) % {"n": number}


def count_said(matching: Tab | None, all_leads: Tab | None) -> str:
    """Say how many leads match, and of how many; nothing for a search."""
    if matching is None or all_leads is None:
        return ""
    found, whole = (f"{tab.count:,}{'+' if tab.more else ''}" for tab in (matching, all_leads))
    if found == whole:
        return ngettext("%(n)s lead", "%(n)s leads", matching.count) % {"n": found}
    return ngettext("%(n)s of %(all)s lead", "%(n)s of %(all)s leads", all_leads.count) % {"n": found, "all": whole}
