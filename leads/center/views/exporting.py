"""What is asked for when leads are downloaded: the page that offers it, and how a form or an address says it."""

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import Any
from urllib.parse import urlencode

from django.http import HttpRequest, HttpResponse, QueryDict
from django.shortcuts import render
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_GET

from accounts.access import Can, require
from accounts.declarations import allows
from accounts.models import LeadLibrary, User
from accounts.shell import shell
from accounts.views import person
from leads.center.layout import Layout as ListLayout
from leads.center.selectors.counting import counted
from leads.center.selectors.library import library_of
from leads.center.views.filtering import called, chips
from leads.exports.catalogue import Offered, offered
from leads.exports.services.asking import IN_UTC, formats_of
from leads.models import Export, Lead
from leads.selection import Selection, read_selection

Layout = Export.Layout
KEPT = "export_choice"
ABOUT = {
    Layout.ALL: gettext_lazy(
        "Every answer and all that is known of a lead: labels, consent boxes, ids, origin. Of notes, how many."
    ),
    Layout.CRM: gettext_lazy(
        "First and last name, e-mail, phone, company and address apart, under the headings that CRMs look for."
    ),
    Layout.TIKTOK: gettext_lazy("The columns of TikTok's own lead files, for tools that read those."),
    Layout.CHOSEN: gettext_lazy("Tick what should be in the file."),
    Layout.POSTBACK: gettext_lazy(
        "Which stage each lead has reached, with hashed e-mail and phone, to upload in TikTok's Events Manager as CSV."
    ),
}


@dataclass(frozen=True, slots=True)
class Wanted:
    """As `request_export` takes it."""

    file_format: str = "csv"
    layout: str = Layout.ALL
    columns: tuple[str, ...] = ()
    time_zone: str = ""

    def as_params(self) -> dict[str, str]:
        """Return the URL parameters that say the same."""
        said = {"layout": self.layout, "format": self.file_format, "columns": ",".join(self.columns)}
        return {name: value for name, value in (said | {"time_zone": self.time_zone}).items() if value}


@dataclass(frozen=True, slots=True)
class Preset:
    value: str
    label: str
    about: str
    chosen: bool


@dataclass(frozen=True, slots=True)
class Ticks:
    """A group of columns with those that are ticked."""

    label: str
    columns: tuple[tuple[Offered, bool], ...]


def wanted_of(params: QueryDict) -> Wanted:
    """Read what a form or an address asks for; what a layout does not know is left out, the service judges the rest."""
    layout = params.get("layout") or Layout.ALL
    columns = [key for text in params.getlist("columns") for key in text.split(",") if key]
    return Wanted(
        file_format="csv" if formats_of(layout) == ("csv",) else params.get("format") or "csv",
        layout=layout,
        columns=tuple(columns) if layout == Layout.CHOSEN else (),
        time_zone="" if layout in IN_UTC else params.get("time_zone") or "",
    )


def keep(request: HttpRequest, library: LeadLibrary, wanted: Wanted) -> None:
    """Keep what was asked for, which the page offers the next time in this session."""
    request.session[KEPT] = asdict(wanted) | {"library": library.pk}


def _kept(request: HttpRequest, library: LeadLibrary) -> Wanted:
    kept: dict[str, Any] = dict(request.session.get(KEPT) or {})
    if kept.pop("library", None) != library.pk:
        return Wanted()
    return Wanted(**kept | {"columns": tuple(kept["columns"])})


def new_export_url(library: LeadLibrary, selection: Selection, wanted: Wanted | None = None) -> str:
    """Return the address of the page that asks what should be in the file."""
    params = selection.as_params() | (wanted.as_params() if wanted else {})
    return f"/l/{library.pk}/exports/new/" + (f"?{urlencode(params)}" if params else "")


@allows(Can.DOWNLOAD_LEADS, of="library")
@never_cache
@require_GET
def export_new(request: HttpRequest, library_id: int) -> HttpResponse:
    """Ask what should be in a file of the leads that the filters in the address show."""
    library, actor = library_of(library_id), person(request)
    require(actor, Can.DOWNLOAD_LEADS, library)
    selection = read_selection(library, request.GET, actor=actor)
    wanted = wanted_of(request.GET) if "layout" in request.GET else _kept(request, library)
    return export_page(request, library, actor, selection, wanted)


def export_page(
    request: HttpRequest, library: LeadLibrary, actor: User, selection: Selection, wanted: Wanted | None = None
) -> HttpResponse:
    """Answer with the page that asks what should be in a file of these leads."""
    wanted = wanted or _kept(request, library)
    zone = library.ad_account.time_zone
    context = {
        "library": library,
        "chips": chips(
            library, selection, ListLayout(), actor, new_export_url(library, Selection()), called(selection, actor)
        ),
        "count": _count(actor, library, selection),
        "tests_chosen": selection.test is not None,
        "impossible": selection.state != Lead.State.LIVE,
        "filter_items": tuple(selection.as_params().items()),
        "back": f"/l/{library.pk}/leads/?{urlencode(selection.as_params() or {'view': 'all'})}",
        "presets": _presets(wanted),
        "groups": _groups(library, wanted.columns),
        "wanted": wanted,
        "zones": [("", "UTC")] + ([(zone, zone)] if zone != "UTC" else []),
    }
    return render(request, "leads/export_new.html", {**context, **shell(request, library=library, active="exports")})


def _presets(wanted: Wanted) -> list[Preset]:
    return [
        Preset(str(value), str(Layout(value).label), str(about), value == wanted.layout)
        for value, about in ABOUT.items()
    ]


def _groups(library: LeadLibrary, columns: Sequence[str]) -> list[Ticks]:
    return [
        Ticks(group.label, tuple((column, column.key in columns) for column in group.columns))
        for group in offered(library)
    ]


def _count(actor: User, library: LeadLibrary, selection: Selection) -> str:
    """Say how many leads the file will hold, as far as they are counted; nothing for a search."""
    tab = counted(actor, library, {"": selection.as_params()}).get("")
    if tab is None:
        return _("What the search finds")
    number = f"{tab.count:,}{'+' if tab.more else ''}"
    return ngettext("%(n)s lead", "%(n)s leads", tab.count) % {"n": number}
