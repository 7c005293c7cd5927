"""The views bar of the list and the board: ours first, then what was saved."""

from collections.abc import Sequence
from dataclasses import dataclass

from django.utils.translation import gettext as _

from accounts.models import LeadLibrary, User
from leads.center.layout import Layout, layout_of
from leads.center.selectors.counting import Tab
from leads.center.views.filtering import encoded
from leads.models import Lead, SavedView
from leads.selection import Selection

VIEWS: tuple[tuple[str, dict[str, str]], ...] = (
    ("all", {}),
    ("mine", {"assignee": "me"}),
    ("unassigned", {"assignee": "none"}),
    ("raw", {"status": "raw"}),
    ("attention", {"sort": "attention"}),
    ("undelivered", {"delivery": "undelivered"}),
    ("expiring", {"expiring": "1"}),
)
# Behind what was saved: what is done needs nobody all day.
LATER = tuple((status.value, {"status": status.value}) for status in Lead.Status if status != Lead.Status.RAW)
KEPT_OVER_VIEWS = (
    "form",
    "version",
    "campaign",
    "ad_group",
    "ad",
    "label",
    "since",
    "until",
    "test",
    "source",
    "region",
    "outcome",
    "duplicate",
    "viewed",
    "downloaded",
)
IN_BAR = 6  # saved views; the others are in the menu behind


@dataclass(frozen=True, slots=True)
class View:
    key: str
    label: str
    url: str
    current: bool
    warn: bool = False
    count: str = ""
    saved: bool = False
    more: bool = False  # in the menu behind the bar


def views_of(
    library: LeadLibrary,
    selection: Selection,
    layout: Layout,
    actor: User,
    *,
    saved: Sequence[SavedView] = (),
    open_view: str = "",
    counted: Sequence[Tab] = (),
    base: str = "",
) -> tuple[View, ...]:
    """Return the views bar; the counts come with a later request. `base`: the address that the views lead to."""
    base = base or f"/l/{library.pk}/leads/"
    numbers = {tab.key: f"{tab.count:,}{'+' if tab.more else ''}" for tab in counted}
    kept = {name: value for name, value in selection.as_params().items() if name in KEPT_OVER_VIEWS}
    columns = {name: value for name, value in layout.as_params().items() if name == "cols"}
    ours = "" if open_view else current_view(selection, layout, actor)
    default = any(view.is_default and view.owner_id == actor.pk for view in saved)
    found: list[View] = []
    for key, params in (*VIEWS, *LATER):
        query = kept | params | columns | ({"view": "all"} if default and key == "all" else {})
        number = numbers.get(key, "")
        warn = key == "undelivered" and number not in ("", "0")
        found.append(View(key, _label(key), base + encoded(query), ours == key, warn, number))
    ahead, behind = found[: len(VIEWS)], found[len(VIEWS) :]
    kept_views: list[View] = []
    in_bar = 0
    for view in saved:
        here, key = str(view.pk) == open_view, str(view.pk)
        more = not here and (not view.pinned or in_bar >= IN_BAR)
        in_bar += not more
        name = view.name if view.owner_id == actor.pk else _("%(name)s, shared") % {"name": view.name}
        url = base + encoded(view.query | {"view": key})
        kept_views.append(View(key, name, url, here, False, numbers.get(key, ""), saved=True, more=more))
    return (*ahead, *kept_views, *behind)


def is_changed(view: SavedView, selection: Selection, layout: Layout) -> bool:
    """Whether the list shows something else than the view that was opened."""
    shown = selection.as_params() | layout.as_params()
    kept = dict(view.query)
    if kept.get("assignee") == "me":
        kept["assignee"] = shown.get("assignee", "")
    return shown != kept | layout_of(kept).as_params()


def current_view(selection: Selection, layout: Layout, actor: User) -> str:
    """Return the key of the view of ours that is shown; empty when it is none of them."""
    if selection.state != Lead.State.LIVE:
        return ""
    if layout.order == "attention":
        return "attention"
    if selection.status:
        return selection.status
    if selection.delivery:
        return "undelivered" if selection.delivery == "undelivered" else ""
    if selection.expiring:
        return "expiring"
    if selection.assignee == 0:
        return "unassigned"
    return "mine" if selection.assignee == actor.pk else "all" if selection.assignee is None else ""


def _label(key: str) -> str:
    ours = {
        "all": _("All"),
        "mine": _("Mine"),
        "unassigned": _("Unassigned"),
        "attention": _("Needs follow-up"),
        "undelivered": _("Undelivered"),
        "expiring": _("Expiring"),
    }
    return ours.get(key) or str(Lead.Status(key).label)
