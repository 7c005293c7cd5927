"""The frame of every page: where one is, what one may there, where else one can go.

The addresses are the interface's stable pages, written out: a frame is drawn on every page and looks nothing up for it.
"""

from dataclasses import dataclass
from typing import Any

from django.db.models import OuterRef, Q, QuerySet, Subquery
from django.http import HttpRequest
from django.utils import timezone
from django.utils.translation import gettext as _

from accounts.access import Can, grants_on_both
from accounts.models import (
    AccountMembership,
    AccountRole,
    AccountShare,
    AdAccount,
    BusinessCenterMember,
    BusinessCenterRole,
    LeadLibrary,
    User,
)
from accounts.zones import follow
from leadscenter.lib.prepared import Prepared, together

SWITCHER_ROWS = 50


@dataclass(frozen=True, slots=True)
class NavRow:
    """An entry of the sidebar; a refused one stays visible and leads to the page that says why."""

    key: str
    label: str
    icon: str
    url: str
    current: bool
    refused: bool = False
    count: str = ""
    count_label: str = ""
    alert: bool = False


@dataclass(frozen=True, slots=True)
class AccountRow:
    """An ad account or a held library in the switcher."""

    name: str
    url: str
    role: str
    initials: str
    current: bool
    transferred: bool = False


@dataclass(frozen=True, slots=True)
class Shell:
    """What base.html needs. `can` holds the codenames of the person's rights on the current account and library."""

    user: User
    active: str = ""
    account: AdAccount | None = None
    library: LeadLibrary | None = None
    role: str = ""
    title: str = ""
    subtitle: str = ""
    initials: str = ""
    can: frozenset[str] = frozenset()
    accounts: tuple[AccountRow, ...] = ()
    business_centers: tuple[AccountRow, ...] = ()
    nav: tuple[NavRow, ...] = ()
    settings: tuple[NavRow, ...] = ()
    user_menu: tuple[NavRow, ...] = ()
    search_url: str = ""
    search_label: str = ""
    rail: bool = False
    home: str = "/"


def shell(
    request: HttpRequest, *, ad_account: AdAccount | None = None, library: LeadLibrary | None = None, active: str = ""
) -> dict[str, Shell]:
    """Return the template context of base.html; htmx fragments do not need it and must not pay for it.

    Give the ad account, the library, or neither (pages of the person: the last used account is shown then).
    """
    user = request.user
    assert isinstance(user, User)
    rows = _accounts(user)
    if ad_account is None and library is None:
        ad_account, library = _last_used(request, rows)
    elif library is None:
        library = _whole(ad_account=ad_account)
        ad_account = library.ad_account
    else:
        ad_account = library.ad_account
    if ad_account is not None:
        follow(ad_account)
    rail = request.COOKIES.get("rail") == "1"
    menu = (
        NavRow("centers", _("Business Center"), "building", "/b/", current=active == "centers"),
        NavRow("transfers", _("Transfers"), "transfer", "/settings/transfers/", current=active == "transfers"),
        NavRow(
            "notifications", _("Notifications"), "bell", "/settings/notifications/", current=active == "notifications"
        ),
        NavRow("security", _("Security"), "lock", "/settings/security/", current=active == "security"),
        NavRow(
            "time_zone",
            _("Times in %(zone)s") % {"zone": timezone.get_current_timezone_name()},
            "clock",
            "/settings/time-zone/",
            current=active == "time_zone",
        ),
        NavRow("terms", _("Lead-generation terms"), "consent", "/settings/terms/", current=active == "terms"),
        NavRow("api", _("API tokens"), "api", "/settings/tokens/", current=active == "api"),
    )
    if ad_account is None or library is None:
        return {"shell": Shell(user=user, active=active, user_menu=menu, rail=rail)}
    if request.session.get("ad_account") != ad_account.pk:
        request.session["ad_account"] = ad_account.pk
    held = grants_on_both(user, library)
    role = next((row.role for row in rows if row.ad_account_id == ad_account.pk), "")
    return {
        "shell": Shell(
            user=user,
            active=active,
            account=ad_account,
            library=library,
            role=str(AccountRole(role).label) if role else _("Business Center"),
            title=ad_account.name,
            subtitle=_("run by %(name)s") % {"name": ad_account.business_center.name},
            initials=_initials(ad_account.name),
            can=frozenset(str(can) for can in held),
            accounts=tuple(_switch(row, ad_account) for row in rows if row.role),
            business_centers=tuple(_switch(row, ad_account) for row in rows if not row.role),
            nav=_nav(ad_account, library, held, active),
            settings=_settings(ad_account, library, held, active),
            user_menu=menu,
            search_url=f"/l/{library.pk}/leads/#search" if Can.VIEW_LEADS in held else "",
            search_label=_("Search leads"),
            rail=rail,
        )
    }


def _whole(**which: object) -> LeadLibrary:
    return LeadLibrary.objects.select_related("ad_account__business_center", "custodian").get(**which)


def _initials(name: str) -> str:
    return "".join(word[0] for word in name.split()[:2]).upper()


@dataclass(frozen=True, slots=True)
class _Row:
    ad_account_id: int
    library_id: int
    name: str
    role: str
    transferred: bool


def _memberships(user: int) -> QuerySet[AccountMembership, Any]:
    library = "ad_account__library"
    names = ("ad_account", library, "ad_account__name", "role", f"{library}__custodian", "ad_account__business_center")
    rows = AccountMembership.objects.filter(user=user).order_by("ad_account__name", "ad_account")
    return rows.values_list(*names)[:SWITCHER_ROWS]


def _held(user: int) -> QuerySet[LeadLibrary, Any]:
    """The libraries that the person's Business Centers hold, or whose accounts were lent to them."""
    centers = BusinessCenterMember.objects.filter(user=user, business_center__is_active=True)
    admin = centers.filter(role=BusinessCenterRole.ADMIN).values("business_center")
    lent = AccountShare.objects.filter(ad_account=OuterRef("ad_account"), partner__in=admin).values("role")[:1]
    rows = LeadLibrary.objects.filter(
        Q(custodian__in=centers.values("business_center"))
        | Q(ad_account__in=AccountShare.objects.filter(partner__in=admin).values("ad_account"))
    ).annotate(lent=Subquery(lent))
    names = ("ad_account", "pk", "ad_account__name", "lent", "custodian", "ad_account__business_center")
    return rows.order_by("ad_account__name", "pk").values_list(*names)[:SWITCHER_ROWS]


_MEMBERSHIPS, _HELD = Prepared(_memberships, ids=1), Prepared(_held, ids=1)


def _accounts(user: User) -> list[_Row]:
    found: dict[int, _Row] = {}
    for rows in together((_MEMBERSHIPS, (user.pk,)), (_HELD, (user.pk,))):
        for account, library, name, role, custodian, owner in sorted(rows, key=lambda row: (row[2].casefold(), row[0])):
            found.setdefault(account, _Row(account, library, name, role or "", custodian != owner))
    return list(found.values())


def _switch(row: _Row, current: AdAccount) -> AccountRow:
    return AccountRow(
        name=row.name,
        url=f"/a/{row.ad_account_id}/overview/" if row.role else f"/l/{row.library_id}/overview/",
        role=str(AccountRole(row.role).label) if row.role else _("Holds the leads"),
        initials=_initials(row.name),
        current=row.ad_account_id == current.pk,
        transferred=row.transferred,
    )


def _last_used(request: HttpRequest, rows: list[_Row]) -> tuple[AdAccount | None, LeadLibrary | None]:
    wanted = request.session.get("ad_account")
    chosen = next((row for row in rows if row.ad_account_id == wanted), rows[0] if rows else None)
    if chosen is None:
        return None, None
    library = _whole(pk=chosen.library_id)
    return library.ad_account, library


def _nav(account: AdAccount, library: LeadLibrary, held: frozenset[Can], active: str) -> tuple[NavRow, ...]:
    a, b = f"/a/{account.pk}", f"/l/{library.pk}"
    # The account's overview tells of spend; who holds the leads alone has the library's, with counts.
    spend = Can.VIEW_CAMPAIGNS in held
    overview, needed = (f"{a}/overview/", Can.VIEW_CAMPAIGNS) if spend else (f"{b}/overview/", Can.BELONG_LIBRARY)
    rows: tuple[tuple[str, str, str, str, Can], ...] = (
        ("overview", _("Overview"), "overview", overview, needed),
        ("leads", _("Leads"), "leads", f"{b}/leads/", Can.VIEW_LEADS),
        ("forms", _("Forms"), "forms", f"{a}/forms/", Can.VIEW_FORMS),
        ("campaigns", _("Campaigns"), "campaigns", f"{a}/campaigns/", Can.VIEW_CAMPAIGNS),
        ("integrations", _("Integrations"), "integrations", f"{b}/integrations/", Can.CONNECT_CRM),
        ("exports", _("Exports"), "exports", f"{b}/exports/", Can.DOWNLOAD_LEADS),
        ("activity", _("Activity"), "activity", f"{b}/activity/", Can.VIEW_TRAIL),
    )
    return tuple(_row(*row, held, active) for row in rows)


def _settings(account: AdAccount, library: LeadLibrary, held: frozenset[Can], active: str) -> tuple[NavRow, ...]:
    a, b = f"/a/{account.pk}", f"/l/{library.pk}"
    # Who holds the leads alone is not told who works in the account (selectors.memberships_of).
    staff_list = Can.MANAGE_MEMBERS if Can.MANAGE_MEMBERS in held else Can.VIEW_CAMPAIGNS
    rows: tuple[tuple[str, str, str, str, Can], ...] = (
        ("members", _("Members"), "members", f"{a}/members/", staff_list),
        ("access", _("Who can see my leads"), "eye", f"{b}/access/", Can.VIEW_TRAIL),
        ("privacy", _("Privacy and retention"), "privacy", f"{b}/privacy/", Can.MANAGE_PRIVACY),
        ("labels", _("Labels"), "labels", f"{b}/labels/", Can.WORK_LEADS),
    )
    return tuple(_row(*row, held, active) for row in rows)


def _row(key: str, label: str, icon: str, url: str, can: Can, held: frozenset[Can], active: str) -> NavRow:
    return NavRow(key, label, icon, url, current=key == active, refused=can not in held)
