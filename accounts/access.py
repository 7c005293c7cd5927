"""May this person? The one place that asks and writes guardian's rows.

Rights hang on two objects, the ad account and its lead library. guardian's rows derive from memberships, roles and
custody in the same transaction as those change, so that a question is one indexed read and a list is one `EXISTS`.
Platform staff, superusers and inactive people hold nothing, whatever rows exist.
"""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any, TypeVar

from django.contrib.auth.models import Permission
from django.db import models, transaction
from django.db.models import Exists, OuterRef, QuerySet
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from accounts.models import (
    AccountMembership,
    AccountRole,
    AccountShare,
    AdAccount,
    AdAccountUserPermission,
    BusinessCenter,
    BusinessCenterMember,
    BusinessCenterRole,
    LeadLibrary,
    LeadLibraryUserPermission,
    Transfer,
    User,
)
from leadscenter.lib.prepared import Prepared, together

Target = AdAccount | LeadLibrary
M = TypeVar("M", bound=models.Model)


class Can(StrEnum):
    """A right; the value is guardian's codename."""

    BELONG_ADACCOUNT = "belong_adaccount"
    VIEW_CAMPAIGNS = "view_campaigns"
    EDIT_CAMPAIGNS = "edit_campaigns"
    VIEW_FORMS = "view_forms"
    EDIT_FORMS = "edit_forms"
    MANAGE_MEMBERS = "manage_members"
    BELONG_LIBRARY = "belong_library"
    VIEW_LEADS = "view_leads"
    WORK_LEADS = "work_leads"
    DOWNLOAD_LEADS = "download_leads"
    DELETE_LEADS = "delete_leads"
    CONNECT_CRM = "connect_crm"
    MANAGE_PRIVACY = "manage_privacy"
    VIEW_TRAIL = "view_trail"
    HAND_OVER = "hand_over"


LIBRARY_RIGHTS = frozenset(
    {
        Can.VIEW_LEADS,
        Can.WORK_LEADS,
        Can.DOWNLOAD_LEADS,
        Can.DELETE_LEADS,
        Can.CONNECT_CRM,
        Can.MANAGE_PRIVACY,
        Can.VIEW_TRAIL,
        Can.HAND_OVER,
    }
)
_ON_LIBRARY = LIBRARY_RIGHTS | {Can.BELONG_LIBRARY}
# What "leads too" on a share gives a partner's Administrators. Where leads go (a CRM, another holder), how long they
# are kept and who looked at them stays with those who lent the account.
SHARED_LEAD_RIGHTS = frozenset({Can.VIEW_LEADS, Can.WORK_LEADS, Can.DOWNLOAD_LEADS, Can.DELETE_LEADS})

# The brief's permission table; a test prints it and compares it with the README.
ROLE_TABLE: dict[AccountRole, frozenset[Can]] = {
    AccountRole.ADMINISTRATOR: frozenset(
        {Can.VIEW_CAMPAIGNS, Can.EDIT_CAMPAIGNS, Can.VIEW_FORMS, Can.EDIT_FORMS, Can.MANAGE_MEMBERS}
    ),
    AccountRole.OPERATOR: frozenset({Can.VIEW_CAMPAIGNS, Can.EDIT_CAMPAIGNS, Can.VIEW_FORMS, Can.EDIT_FORMS}),
    AccountRole.ANALYST: frozenset({Can.VIEW_CAMPAIGNS, Can.VIEW_FORMS}),
}

# A partner's Administrator gives the account's roles to nobody but people of their own, at the share.
SHARED_ROLE_TABLE = {role: rights - {Can.MANAGE_MEMBERS} for role, rights in ROLE_TABLE.items()}

WHAT = {
    Can.VIEW_CAMPAIGNS: gettext_lazy("view campaigns"),
    Can.EDIT_CAMPAIGNS: gettext_lazy("create and edit campaigns"),
    Can.VIEW_FORMS: gettext_lazy("view instant forms"),
    Can.EDIT_FORMS: gettext_lazy("create and edit instant forms"),
    Can.MANAGE_MEMBERS: gettext_lazy("manage members"),
    Can.VIEW_LEADS: gettext_lazy("view leads"),
    Can.WORK_LEADS: gettext_lazy("work on leads"),
    Can.DOWNLOAD_LEADS: gettext_lazy("download leads"),
    Can.DELETE_LEADS: gettext_lazy("delete leads"),
    Can.CONNECT_CRM: gettext_lazy("connect a CRM"),
    Can.MANAGE_PRIVACY: gettext_lazy("manage privacy and retention"),
    Can.VIEW_TRAIL: gettext_lazy("see the activity of this lead library"),
    Can.HAND_OVER: gettext_lazy("transfer leads access"),
    Can.BELONG_ADACCOUNT: gettext_lazy("open this ad account"),
    Can.BELONG_LIBRARY: gettext_lazy("open this lead library"),
}


@dataclass(eq=False)
class Refused(Exception):
    """`actor` may not `can` on `target`. A stranger (no row at all) gets 404 and learns nothing, a member 403."""

    actor: User
    can: Can
    target: Target | BusinessCenter
    reason: str
    who_can_help: tuple[str, ...] = field(default=())
    stranger: bool = False

    def __str__(self) -> str:
        return f"{self.can} refused to {self.actor.pk}"


def counts(actor: Any) -> bool:
    """Whether this person can hold rights at all: signed in, active, not platform staff."""
    return bool(isinstance(actor, User) and actor.is_active and not actor.is_staff and not actor.is_superuser)


def _rights(rows: type[AdAccountUserPermission | LeadLibraryUserPermission]) -> Prepared[Any]:
    """Ask for the rights of a user (id) on a target (id)."""
    name = "permission__codename"
    return Prepared(lambda user, target: rows.objects.filter(user=user, content_object=target).values_list(name), ids=2)


_RIGHTS_ON_ACCOUNT, _RIGHTS_ON_LIBRARY = _rights(AdAccountUserPermission), _rights(LeadLibraryUserPermission)


def grants(actor: User, target: Target) -> frozenset[Can]:
    """Return every right that `actor` holds on `target` now: one query, never kept."""
    if not counts(actor):
        return frozenset()
    asked = _RIGHTS_ON_LIBRARY if isinstance(target, LeadLibrary) else _RIGHTS_ON_ACCOUNT
    return frozenset(Can(codename) for (codename,) in asked.rows(actor.pk, target.pk))


def grants_on_both(actor: User, library: LeadLibrary) -> frozenset[Can]:
    """Return every right that `actor` holds on the library and on its ad account now: one query, never kept."""
    if not counts(actor):
        return frozenset()
    asked = (_RIGHTS_ON_ACCOUNT, (actor.pk, library.ad_account_id)), (_RIGHTS_ON_LIBRARY, (actor.pk, library.pk))
    return frozenset(Can(codename) for rows in together(*asked) for (codename,) in rows)


def grants_of(actor: User, ad_accounts: Iterable[AdAccount]) -> dict[int, frozenset[Can]]:
    """Return by ad account id every right that `actor` holds on each account and its library: two queries."""
    wanted = [account.pk for account in ad_accounts]
    held: dict[int, set[Can]] = {pk: set() for pk in wanted}
    if counts(actor):
        on_account = AdAccountUserPermission.objects.filter(user=actor, content_object__in=wanted)
        on_library = LeadLibraryUserPermission.objects.filter(user=actor, content_object__ad_account__in=wanted)
        pairs = [*on_account.values_list("content_object", "permission__codename")]
        pairs += on_library.values_list("content_object__ad_account", "permission__codename")
        for pk, codename in pairs:
            held[pk].add(Can(codename))
    return {pk: frozenset(rights) for pk, rights in held.items()}


def may(actor: User, can: Can, target: Target) -> bool:
    """Return whether `actor` holds `can` on `target` now."""
    return can in grants(actor, target)


def require(actor: User, can: Can, target: Target, *, custody: int | None = None) -> frozenset[Can]:
    """Return the actor's rights on `target`, or raise `Refused` when `can` is not among them.

    `custody` is the number that a thing which outlived its request was made in: it must still be the library's.
    """
    held = grants(actor, target)
    if can not in held:
        raise refusal(actor, can, target, stranger=not held)
    if custody is not None and isinstance(target, LeadLibrary) and custody != target.custody:
        reason = _("Leads access was transferred after this was made, so it no longer works.")
        raise Refused(actor, can, target, reason, (target.custodian.name,))
    return held


def refusal(actor: User, can: Can, target: Target, *, stranger: bool = False) -> Refused:
    """Return the refusal with its reason and the people of one's own side who can help."""
    if stranger:
        return Refused(actor, can, target, _("There is nothing here that you can open."), stranger=True)
    library = target if isinstance(target, LeadLibrary) else None
    account = library.ad_account if library else target
    assert isinstance(account, AdAccount)
    what = WHAT[can]
    if library and can in LIBRARY_RIGHTS and library.is_transferred:
        custodian = library.custodian
        if not custodian.members.filter(user=actor).exists():
            taken = (
                Transfer.objects.filter(library=library, state=Transfer.State.ACCEPTED).order_by("-decided_at").first()
            )
            reason = _("Only Admins of %(holder)s can %(what)s: leads access was transferred to them.")
            told = {"holder": custodian.name, "what": what}
            if taken is not None and taken.decided_at is not None:
                told["day"] = f"{taken.decided_at:%-d %b %Y}"
                reason = _("Only Admins of %(holder)s can %(what)s: leads access was transferred to them on %(day)s.")
            return Refused(actor, can, target, reason % told, (custodian.name,))
        reason = _("Only Admins of %(holder)s can %(what)s.") % {"holder": custodian.name, "what": what}
        return Refused(actor, can, target, reason, _admins_of(custodian))
    if can in LIBRARY_RIGHTS or can == Can.MANAGE_MEMBERS:
        reason = _("Only Administrators of %(account)s can %(what)s.") % {"account": account.name, "what": what}
    else:
        roles = [role.label for role in AccountRole if can in ROLE_TABLE[role]][:2]
        reason = _("Only %(roles)s of %(account)s can %(what)s.") % {
            "roles": _(" and ").join(f"{role}s" for role in roles),
            "account": account.name,
            "what": what,
        }
    if not is_of(actor, account):  # people of the custodian or of a partner are told of the company, not of its people
        return Refused(actor, can, target, reason, _helpers_of_partner(actor, can, account))
    helpers = User.objects.filter(
        account_memberships__ad_account=account, account_memberships__role=AccountRole.ADMINISTRATOR, is_active=True
    )
    names = tuple(str(user) for user in helpers.order_by("name", "id")[:3])
    return Refused(actor, can, target, reason, names or (account.business_center.name,))


def is_of(actor: User, account: AdAccount) -> bool:
    """Return whether `actor` stands on the ad account's own side: has a role of its own, or belongs to its owner."""
    return (
        AccountMembership.objects.filter(ad_account=account, user=actor, share=None).exists()
        or BusinessCenterMember.objects.filter(business_center=account.business_center_id, user=actor).exists()
    )


def _helpers_of_partner(actor: User, can: Can, account: AdAccount) -> tuple[str, ...]:
    """Return who can help a person of another company: its own Admins where its share holds the right, else the owner.

    Of the owner the name of the company alone; at least one name always.
    """
    shares = AccountShare.objects.filter(ad_account=account, partner__members__user=actor).select_related("partner")
    for share in shares:
        if can in SHARED_ROLE_TABLE[AccountRole(share.role)] or (share.leads_too and can in SHARED_LEAD_RIGHTS):
            return _admins_of(share.partner)
    return (account.business_center.name,)


def _admins_of(business_center: BusinessCenter) -> tuple[str, ...]:
    members = business_center.members.filter(role=BusinessCenterRole.ADMIN, user__is_active=True)
    names = tuple(str(member.user) for member in members.select_related("user").order_by("user__name", "id")[:3])
    return names or (business_center.name,)


def visible(actor: User, can: Can, queryset: QuerySet[M], path: str) -> QuerySet[M]:
    """Return the rows of `queryset` whose ad account or library, at `path` ("pk" for itself), allows `can`."""
    if not counts(actor):
        return queryset.none()
    model = LeadLibraryUserPermission if can in _ON_LIBRARY else AdAccountUserPermission
    rows = model._default_manager.filter(user=actor, permission__codename=can, content_object=OuterRef(path))
    return queryset.filter(Exists(rows))


def holders(library: LeadLibrary | int, can: Can) -> QuerySet[User]:
    """Return the people who hold `can` on `library`, or on the one with this id, now."""
    rows = LeadLibraryUserPermission.objects.filter(
        content_object=library, permission__codename=can, user=OuterRef("pk")
    )
    return User.objects.filter(Exists(rows), is_active=True, is_staff=False, is_superuser=False)


def is_member(actor: User, business_center: BusinessCenter, *, admin: bool = False) -> bool:
    """Return whether `actor` belongs to the Business Center (as Admin, if asked)."""
    if not counts(actor):
        return False
    members = BusinessCenterMember.objects.filter(
        business_center=business_center, business_center__is_active=True, user=actor
    )
    return (members.filter(role=BusinessCenterRole.ADMIN) if admin else members).exists()


def require_admin_of(actor: User, business_center: BusinessCenter, can: Can = Can.MANAGE_MEMBERS) -> None:
    """Raise `Refused` unless `actor` is an Admin of the Business Center (a stranger to it learns nothing)."""
    if is_member(actor, business_center, admin=True):
        return
    if not is_member(actor, business_center):
        raise Refused(actor, can, business_center, _("There is nothing here that you can open."), stranger=True)
    reason = _("Only Admins of %(name)s can do this.") % {"name": business_center.name}
    raise Refused(actor, can, business_center, reason, _admins_of(business_center))


# ---- deriving the rows ---------------------------------------------------------------------------------------------


def lock_centers(*centers: int) -> None:
    """Lock Business Centers, lowest id first and before any library, to change their members or give them a library.

    Otherwise a member who is removed while a library arrives would be derived into it and forgotten there.
    """
    assert transaction.get_connection().in_atomic_block
    rows = BusinessCenter.objects.select_for_update(no_key=True).filter(pk__in=centers).order_by("pk")
    list(rows.values_list("pk", flat=True))


def lock_libraries(libraries: QuerySet[LeadLibrary]) -> list[LeadLibrary]:
    """Lock and return the libraries, lowest id first, waiting: whoever changes who may reach them does this first."""
    assert transaction.get_connection().in_atomic_block
    ids = libraries.order_by("pk").values_list("pk", flat=True)
    locked = LeadLibrary.objects.select_for_update(no_key=True, of=("self",)).filter(pk__in=list(ids)).order_by("pk")
    return list(locked.select_related("ad_account"))


Rows = set[tuple[int, Can]]
AT_ONCE = 200
"""How many libraries are derived with one set of statements."""


@dataclass
class Expected:
    """The (user id, right) pairs that an ad account and its library must have, and no others."""

    library: LeadLibrary
    on_account: Rows = field(default_factory=set)
    on_library: Rows = field(default_factory=set)

    def belongs(self, user_id: int, rights: Iterable[Can] = (), lead_rights: Iterable[Can] = ()) -> None:
        """Add a person who may know of both, with what else they hold."""
        self.on_account |= {(user_id, can) for can in (Can.BELONG_ADACCOUNT, *rights)}
        self.on_library |= {(user_id, can) for can in (Can.BELONG_LIBRARY, *lead_rights)}


def expected_rows(libraries: Iterable[LeadLibrary]) -> list[Expected]:
    """Return what follows from memberships, shares and custody; five queries, however many libraries there are."""
    found = {library.ad_account_id: Expected(library) for library in libraries}
    centers = {library.ad_account.business_center_id for library in libraries}
    centers |= {library.custodian_id for library in libraries}
    shares = AccountShare.objects.filter(ad_account__in=found, partner__is_active=True)
    by_share = {share.pk: share for share in shares}
    centers |= {share.partner_id for share in by_share.values()}
    members: dict[int, dict[int, str]] = {}
    rows = BusinessCenterMember.objects.filter(
        business_center__in=centers, business_center__is_active=True, user__is_active=True, user__is_staff=False
    )
    for center_id, user_id, role in rows.values_list("business_center_id", "user_id", "role"):
        members.setdefault(center_id, {})[user_id] = role
    _from_memberships(found, by_share, members)
    for each in found.values():
        _from_centers(each, members)
    for share in by_share.values():
        for user_id, role in members.get(share.partner_id, {}).items():
            if role == BusinessCenterRole.ADMIN:
                _through(share, found[share.ad_account_id], user_id, AccountRole(share.role))
    return list(found.values())


def _from_memberships(
    found: dict[int, Expected], by_share: dict[int, AccountShare], members: dict[int, dict[int, str]]
) -> None:
    """Add people with a role of their own, and those whom a partner gave one: while they belong to it, at most its."""
    rows = AccountMembership.objects.filter(ad_account__in=found, user__is_active=True, user__is_staff=False)
    for account_id, user_id, share_id, role in rows.values_list("ad_account_id", "user_id", "share_id", "role"):
        each = found[account_id]
        if share_id is None:
            held = role == AccountRole.ADMINISTRATOR and not each.library.is_transferred
            each.belongs(user_id, ROLE_TABLE[AccountRole(role)], LIBRARY_RIGHTS if held else ())
        elif share_id in by_share and user_id in members.get(by_share[share_id].partner_id, {}):
            _through(by_share[share_id], each, user_id, lower_role(role, by_share[share_id].role))


def _through(share: AccountShare, each: Expected, user_id: int, role: AccountRole) -> None:
    leads = share.leads_too and share.leads_custody == each.library.custody and role == AccountRole.ADMINISTRATOR
    each.belongs(user_id, SHARED_ROLE_TABLE[role], SHARED_LEAD_RIGHTS if leads else ())


def _from_centers(each: Expected, members: dict[int, dict[int, str]]) -> None:
    """Add what belonging to the owner's or the custodian's Business Center gives."""
    owner, custodian = each.library.ad_account.business_center_id, each.library.custodian_id
    for user_id, role in members.get(owner, {}).items():
        each.belongs(user_id, (Can.MANAGE_MEMBERS,) if role == BusinessCenterRole.ADMIN else ())
    for user_id, role in members.get(custodian, {}).items() if custodian != owner else ():
        admin = role == BusinessCenterRole.ADMIN
        each.belongs(user_id, (Can.VIEW_FORMS,) if admin else (), LIBRARY_RIGHTS if admin else ())


def lower_role(first: str, second: str) -> AccountRole:
    """Return the one of two roles that allows less."""
    order = list(AccountRole)
    return max(AccountRole(first), AccountRole(second), key=order.index)


@dataclass(frozen=True, slots=True)
class Difference:
    """A row that stands without a reason (`surplus` is its id), or that should stand and does not."""

    library: LeadLibrary
    model: type[AdAccountUserPermission] | type[LeadLibraryUserPermission]
    target_id: int
    user_id: int
    permission: Permission
    surplus: int | None = None


def compare(libraries: Sequence[LeadLibrary]) -> Iterator[Difference]:
    """Yield what differs between guardian's rows and what follows from memberships, shares and custody."""
    permissions = {
        (permission.content_type.model, permission.codename): permission
        for permission in Permission.objects.filter(content_type__app_label="accounts").select_related("content_type")
    }
    for start in range(0, len(libraries), AT_ONCE):
        found = expected_rows(libraries[start : start + AT_ONCE])
        accounts = {each.library.ad_account_id: (each.library, each.on_account) for each in found}
        itself = {each.library.pk: (each.library, each.on_library) for each in found}
        yield from _compared(AdAccountUserPermission, accounts, permissions, "adaccount")
        yield from _compared(LeadLibraryUserPermission, itself, permissions, "leadlibrary")


def _compared(
    model: type[AdAccountUserPermission] | type[LeadLibraryUserPermission],
    wanted: dict[int, tuple[LeadLibrary, Rows]],
    permissions: dict[tuple[str, str], Permission],
    kind: str,
) -> Iterator[Difference]:
    by_id = {permission.pk: permission for permission in permissions.values()}
    rows = model._default_manager.filter(content_object_id__in=wanted)
    there: dict[int, dict[tuple[int, int], int]] = {target: {} for target in wanted}
    for pk, target, user, permission in rows.values_list("pk", "content_object_id", "user_id", "permission_id"):
        there[target][user, permission] = pk
    for target, (library, pairs) in wanted.items():
        right = {(user, permissions[kind, can].pk) for user, can in pairs}
        for user, permission in sorted(right - there[target].keys()):
            yield Difference(library, model, target, user, by_id[permission])
        for user, permission in sorted(there[target].keys() - right):
            yield Difference(library, model, target, user, by_id[permission], there[target][user, permission])


def derive(libraries: Sequence[LeadLibrary]) -> int:
    """Rewrite the permission rows of locked libraries and their ad accounts in bulk; return how many rows differed."""
    differences = list(compare(libraries))
    for model in (AdAccountUserPermission, LeadLibraryUserPermission):
        mine = [difference for difference in differences if difference.model is model]
        surplus = [difference.surplus for difference in mine if difference.surplus is not None]
        for start in range(0, len(surplus), 500):
            model._default_manager.filter(pk__in=surplus[start : start + 500]).delete()
        missing = [
            model(content_object_id=each.target_id, user_id=each.user_id, permission=each.permission)
            for each in mine
            if each.surplus is None
        ]
        model._default_manager.bulk_create(missing, batch_size=500)
    return len(differences)
