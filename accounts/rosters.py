"""What the account pages list: members, tokens and transfers, as values that templates only print."""

from dataclasses import dataclass
from datetime import datetime

from django.db.models import Count, Q, QuerySet
from django.utils import timezone

from accounts.access import is_member
from accounts.models import (
    AccessAsk,
    AccountMembership,
    AccountRole,
    AccountShare,
    AdAccount,
    ApiToken,
    BusinessCenter,
    BusinessCenterMember,
    BusinessCenterRole,
    Invitation,
    Transfer,
    User,
)
from accounts.selectors import ASKER_STATES, asks_of_centers, asks_to_answer, state_for_asker
from leadscenter.lib.display import initials


@dataclass(frozen=True, slots=True)
class Member:
    user_id: int
    name: str
    email: str
    initials: str
    role: str
    role_label: str
    since: datetime
    is_me: bool
    partner: str = ""
    is_off: bool = False


@dataclass(frozen=True, slots=True)
class Overseer:
    """Somebody of a Business Center who reaches the account without a role in it."""

    name: str
    email: str
    initials: str
    center: str
    role_label: str
    why: str


def members_of(rows: QuerySet[AccountMembership], *, me: User) -> tuple[Member, ...]:
    """Return the people of `selectors.memberships_of`, Administrators first."""
    order = {role.value: index for index, role in enumerate(AccountRole)}
    members = [
        _member(row, str(AccountRole(row.role).label), me, partner=row.share.partner.name if row.share else "")
        for row in rows.select_related("user", "share__partner")
    ]
    return tuple(sorted(members, key=lambda member: (order[member.role], member.name.lower())))


def members_of_center(found: BusinessCenter, *, me: User) -> tuple[Member, ...]:
    """Return everybody of the Business Center, Admins first."""
    rows = BusinessCenterMember.objects.filter(business_center=found).select_related("user")
    return tuple(
        _member(row, str(BusinessCenterRole(row.role).label), me)
        for row in rows.order_by("role", "user__name", "user__email")
    )


def _member(row: AccountMembership | BusinessCenterMember, label: str, me: User, *, partner: str = "") -> Member:
    return Member(
        user_id=row.user_id,
        name=str(row.user),
        email=row.user.email,
        initials=row.user.initials,
        role=row.role,
        role_label=label,
        since=row.created_at,
        is_me=row.user_id == me.pk,
        partner=partner,
        is_off=not row.user.is_active,
    )


def overseers_of(ad_account: AdAccount) -> tuple[Overseer, ...]:
    """Return the Admins of the Business Center that owns the account: they manage members and see no lead."""
    rows = BusinessCenterMember.objects.filter(
        business_center=ad_account.business_center_id, role=BusinessCenterRole.ADMIN, user__is_active=True
    ).select_related("user", "business_center")
    return tuple(
        Overseer(
            name=str(row.user),
            email=row.user.email,
            initials=row.user.initials,
            center=row.business_center.name,
            role_label=str(BusinessCenterRole(row.role).label),
            why="owner",
        )
        for row in rows.order_by("user__name", "pk")
    )


@dataclass(frozen=True, slots=True)
class Waiting:
    """An invitation that somebody has not answered yet."""

    id: int
    email: str
    role_label: str
    invited_by: str
    expires_at: datetime


def waiting_invitations(
    *, ad_account: AdAccount | None = None, business_center: BusinessCenter | None = None
) -> tuple[Waiting, ...]:
    """Return the invitations of one place that still wait, the newest first."""
    rows = Invitation.objects.filter(
        ad_account=ad_account,
        business_center=business_center,
        state=Invitation.State.WAITING,
        expires_at__gt=timezone.now(),
    )
    return tuple(
        Waiting(row.pk, row.email, row.get_role_display(), str(row.invited_by), row.expires_at)
        for row in rows.select_related("invited_by").order_by("-invited_at", "-pk")
    )


@dataclass(frozen=True, slots=True)
class ShareRow:
    """A partner that an ad account is lent to; `leads` says whether its Administrators reach the leads now."""

    id: int
    partner: str
    partner_initials: str
    role: str
    role_label: str
    leads: bool
    people: int
    since: datetime


def shares_of(ad_account: AdAccount) -> tuple[ShareRow, ...]:
    """Return to whom the ad account is lent, with how many people reach it that way: one query."""
    rows = AccountShare.objects.filter(ad_account=ad_account).select_related("partner")
    admins = Q(partner__members__role=BusinessCenterRole.ADMIN, partner__members__user__is_active=True)
    counted = rows.annotate(
        admins=Count("partner__members", filter=admins, distinct=True), given=Count("memberships", distinct=True)
    )
    return tuple(
        ShareRow(
            id=row.pk,
            partner=row.partner.name,
            partner_initials=initials(row.partner.name),
            role=row.role,
            role_label=str(AccountRole(row.role).label),
            leads=row.leads_too and row.leads_custody == ad_account.library.custody,
            people=row.admins + row.given,
            since=row.created_at,
        )
        for row in counted.order_by("partner__name", "pk")
    )


@dataclass(frozen=True, slots=True)
class Lent:
    """An ad account that a partner lends to a Business Center, and who of its people works there."""

    id: int
    account_id: int
    account: str
    owner: str
    role_label: str
    leads: bool
    people: tuple[tuple[int, str, str], ...]
    roles: tuple[tuple[str, str], ...]


def lent_to(found: BusinessCenter) -> tuple[Lent, ...]:
    """Return the ad accounts lent to the Business Center; three queries, however many there are."""
    shares = found.shares.select_related("ad_account__business_center", "ad_account__library")
    people: dict[int, list[tuple[int, str, str]]] = {}
    given = AccountMembership.objects.filter(share__partner=found).select_related("user").order_by("user__name", "pk")
    for row in given:
        label = str(AccountRole(row.role).label)
        people.setdefault(row.share_id or 0, []).append((row.user_id, str(row.user), label))
    order = list(AccountRole)
    return tuple(
        Lent(
            id=share.pk,
            account_id=share.ad_account_id,
            account=share.ad_account.name,
            owner=share.ad_account.business_center.name,
            role_label=str(AccountRole(share.role).label),
            leads=share.leads_too and share.leads_custody == share.ad_account.library.custody,
            people=tuple(people.get(share.pk, ())),
            roles=tuple((role.value, str(role.label)) for role in order[order.index(AccountRole(share.role)) :]),
        )
        for share in shares.order_by("ad_account__name", "pk")
    )


@dataclass(frozen=True, slots=True)
class TransferRow:
    """A transfer with what this person may do about it; `may_answer` and `may_cancel` mirror the service."""

    id: int
    account: str
    library_id: int
    from_name: str
    from_initials: str
    to_name: str
    to_initials: str
    state: str
    state_label: str
    requested_by: str
    requested_at: datetime
    expires_at: datetime
    decided_at: datetime | None
    may_answer: bool
    may_cancel: bool
    receiving: bool


def transfers_of(actor: User) -> tuple[TransferRow, ...]:
    """Return the transfers of which `actor` is a party: member of a side, or of the ad account; newest first."""
    centers = BusinessCenterMember.objects.filter(user=actor).values("business_center")
    accounts = AccountMembership.objects.filter(user=actor).values("ad_account")
    rows = Transfer.objects.filter(
        Q(from_business_center__in=centers) | Q(to_business_center__in=centers) | Q(library__ad_account__in=accounts)
    ).select_related("library__ad_account", "from_business_center", "to_business_center", "requested_by")
    return tuple(transfer_row(actor, transfer) for transfer in rows.order_by("-requested_at", "-pk")[:100])


def transfer_row(actor: User, transfer: Transfer) -> TransferRow:
    """Return the transfer as this person sees it."""
    open_ = transfer.state_now == Transfer.State.REQUESTED
    receiving = is_member(actor, transfer.to_business_center)
    account = transfer.library.ad_account
    if transfer.from_business_center_id == account.business_center_id:
        own = AccountMembership.objects.filter(ad_account=account, user=actor, share=None)
        mine = own.filter(role=AccountRole.ADMINISTRATOR).exists()
    else:
        mine = is_member(actor, transfer.from_business_center, admin=True)
    return TransferRow(
        id=transfer.pk,
        account=account.name,
        library_id=transfer.library_id,
        from_name=transfer.from_business_center.name,
        from_initials=initials(transfer.from_business_center.name),
        to_name=transfer.to_business_center.name,
        to_initials=initials(transfer.to_business_center.name),
        state=transfer.state_now,
        state_label=str(transfer.state_now.label),
        requested_by=str(transfer.requested_by),
        requested_at=transfer.requested_at,
        expires_at=transfer.expires_at,
        decided_at=transfer.decided_at,
        may_answer=open_ and is_member(actor, transfer.to_business_center, admin=True),
        may_cancel=open_ and mine,
        receiving=receiving,
    )


@dataclass(frozen=True, slots=True)
class AskRow:
    """An ask for leads access. To the asker `account` is the number they typed and `state` never tells more than that
    a transfer came; to those who may hand over it is the account's name, with where to prepare the transfer."""

    id: int
    account: str
    center_id: int
    center_name: str
    asked_at: datetime
    state: str
    state_label: str
    library_id: int | None = None
    prepare_url: str = ""


def asks_by(actor: User) -> tuple[AskRow, ...]:
    """Return what the actor's Business Centers asked for, newest first, as far as an asker may know."""
    rows = asks_of_centers(actor)
    return tuple(
        AskRow(
            id=ask.pk,
            account=str(ask.asked_number),
            center_id=ask.business_center_id,
            center_name=ask.business_center.name,
            asked_at=ask.asked_at,
            state=state_for_asker(ask),
            state_label=str(ASKER_STATES[state_for_asker(ask)]),
        )
        for ask in rows.order_by("-asked_at", "-pk")[:50]
    )


def asks_for(actor: User) -> tuple[AskRow, ...]:
    """Return the asks that wait for the actor: of libraries that they may hand over, newest first."""
    rows = asks_to_answer(actor).select_related("business_center", "library__ad_account")
    return tuple(
        AskRow(
            id=ask.pk,
            account=ask.library.ad_account.name if ask.library else "",
            center_id=ask.business_center_id,
            center_name=ask.business_center.name,
            asked_at=ask.asked_at,
            state=ask.state,
            state_label=str(AccessAsk.State(ask.state).label),
            library_id=ask.library_id,
            prepare_url=f"/l/{ask.library_id}/transfer/?to={ask.business_center_id}&ask={ask.pk}",
        )
        for ask in rows.order_by("-asked_at", "-pk")[:50]
    )


@dataclass(frozen=True, slots=True)
class Center:
    """A Business Center of the person's, with the id that the other side of a transfer asks for."""

    id: int
    name: str
    role_label: str
    is_admin: bool


def centers_of(user: User) -> tuple[Center, ...]:
    """Return the Business Centers that the person belongs to."""
    rows = BusinessCenterMember.objects.filter(user=user, business_center__is_active=True)
    return tuple(
        Center(
            row.business_center_id,
            row.business_center.name,
            str(BusinessCenterRole(row.role).label),
            is_admin=row.role == BusinessCenterRole.ADMIN,
        )
        for row in rows.select_related("business_center").order_by("business_center__name", "pk")
    )


def tokens_of(user: User) -> tuple[ApiToken, ...]:
    """Return the person's own tokens, those that work first."""
    return tuple(ApiToken.objects.filter(user=user).order_by("revoked_at", "-created_at")[:100])
