"""Who can see the leads of a library now: people by each way that leads there, tokens, connections, shares."""

from collections import defaultdict
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from django.db.models import Count, Max, Q
from django.db.models.functions import Now
from django.utils import timezone
from django.utils.translation import gettext as _

from accounts.access import Can, holders, require
from accounts.authentication import TokenScope
from accounts.models import (
    AccountMembership,
    AccountRole,
    AccountShare,
    Act,
    ApiToken,
    AuditEvent,
    BusinessCenterMember,
    BusinessCenterRole,
    LeadLibrary,
    Scope,
    Transfer,
    User,
)
from leads.center.selectors.seeing import LOOKS
from leads.models import Connection, Delivery

READING = (TokenScope.EVERYTHING, TokenScope.LEADS_READ, TokenScope.LEADS_DOWNLOAD)
DAYS, LOOKED_BACK = timedelta(days=28), timedelta(days=90)


@dataclass(frozen=True, slots=True)
class Way:
    """A role that gives somebody the leads, in words, and since when."""

    words: str
    since: datetime | None


@dataclass(frozen=True, slots=True)
class Holder:
    """A person who can see the leads; counts are of the last 28 days, the last look of the last 90."""

    user: User
    ways: tuple[Way, ...]
    last_look: datetime | None
    looks: int
    downloads: int

    @property
    def path(self) -> str:
        """Every way in one text."""
        return "; ".join(way.words for way in self.ways) or _("No role explains it: run check_permissions")

    @property
    def since(self) -> datetime | None:
        """Since when one of the ways has been open."""
        return min((way.since for way in self.ways if way.since), default=None)


@dataclass(frozen=True, slots=True)
class Receiver:
    """A connection: who confirmed it for this custody (made it, if it is of this custody) and when; deliveries done in
    28 days. `live`: it gets every new lead."""

    connection: Connection
    live: bool
    state_label: str
    confirmed_by: str
    confirmed_at: datetime | None
    delivered: int

    @property
    def name(self) -> str:
        """The connection's name."""
        return self.connection.name


@dataclass(frozen=True, slots=True)
class Lent:
    """A share of the ad account, with leads or without."""

    partner: str
    role: str
    leads_too: bool
    since: datetime


@dataclass(frozen=True, slots=True)
class Reach:
    """Everything that reaches the leads of a library now."""

    holders: tuple[Holder, ...]
    tokens: tuple[ApiToken, ...]
    connections: tuple[Receiver, ...]
    shares: tuple[Lent, ...]


def who_can_see(actor: User, library: LeadLibrary) -> Reach:
    """Return who and what can reach the library's leads; raise `Refused`."""
    require(actor, Can.VIEW_TRAIL, library)
    people = list(holders(library, Can.VIEW_LEADS).order_by("name", "pk"))
    ids = [user.pk for user in people]
    looked = _looks_of(library, ids)
    shares = list(AccountShare.objects.filter(ad_account=library.ad_account_id).select_related("partner"))
    switched = _newest(library, [share.pk for share in shares], Act.SHARE_CHANGED, lambda told: told.get("leads_too"))
    ways = _ways(library, ids, shares, switched)
    tokens = ApiToken.objects.filter(Q(expires_at=None) | Q(expires_at__gt=Now()), user__in=ids, revoked_at=None)
    return Reach(
        holders=tuple(
            Holder(
                user=user,
                ways=tuple(ways[user.pk]),
                last_look=looked[user.pk][0] if user.pk in looked else None,
                looks=looked[user.pk][1] if user.pk in looked else 0,
                downloads=looked[user.pk][2] if user.pk in looked else 0,
            )
            for user in people
        ),
        tokens=tuple(
            token
            for token in tokens.select_related("user").order_by("user__name", "pk")
            if any(scope in token.scopes for scope in READING)
        ),
        connections=_receivers(library),
        shares=tuple(
            Lent(
                partner=share.partner.name,
                role=str(share.get_role_display()),
                leads_too=_carries_leads(share, library),
                since=switched.get(share.pk, share.created_at) if share.leads_too else share.created_at,
            )
            for share in sorted(shares, key=lambda share: share.partner.name)
        ),
    )


def _looks_of(library: LeadLibrary, ids: list[int]) -> dict[int, tuple[datetime | None, int, int]]:
    """Return by person the last look, and looks and downloads of 28 days: one pass over 90 days of the trail, not over
    all of it."""
    now = timezone.now()
    recent = Q(at__gte=now - DAYS)
    rows = AuditEvent.objects.filter(
        scope=Scope.LIBRARY, scope_id=library.pk, actor__in=ids, act__in=LOOKS, at__gte=now - LOOKED_BACK
    ).order_by()
    counted = rows.values("actor").annotate(
        last=Max("at"),
        looks=Count("pk", filter=recent),
        downloads=Count("pk", filter=recent & Q(act=Act.EXPORT_DOWNLOADED)),
    )
    return {row["actor"]: (row["last"], row["looks"], row["downloads"]) for row in counted}


def _carries_leads(share: AccountShare, library: LeadLibrary) -> bool:
    return share.leads_too and share.leads_custody == library.custody


def _ways(
    library: LeadLibrary, ids: list[int], shares: Iterable[AccountShare], switched: dict[int, datetime]
) -> dict[int, list[Way]]:
    """Return by person every role that gives them the leads: the same three ways that `accounts.access` derives."""
    found: dict[int, list[Way]] = defaultdict(list)
    if library.is_transferred:
        words = _("Admin of %(name)s, which holds the leads") % {"name": library.custodian.name}
        taken = Transfer.objects.filter(
            library=library, state=Transfer.State.ACCEPTED, to_business_center=library.custodian_id
        ).aggregate(at=Max("decided_at"))["at"]
        members = BusinessCenterMember.objects.filter(
            business_center=library.custodian_id, role=BusinessCenterRole.ADMIN, user__in=ids
        )
        for user_id, since in _since(members, Scope.BUSINESS_CENTER, library.custodian_id, BusinessCenterRole.ADMIN):
            found[user_id].append(Way(words, max(since, taken) if taken else since))
    else:
        words = _("Administrator of %(name)s") % {"name": library.ad_account.name}
        memberships = AccountMembership.objects.filter(
            ad_account=library.ad_account_id, share=None, role=AccountRole.ADMINISTRATOR, user__in=ids
        )
        for user_id, since in _since(memberships, Scope.AD_ACCOUNT, library.ad_account_id, AccountRole.ADMINISTRATOR):
            found[user_id].append(Way(words, since))
    for share in shares:
        if _carries_leads(share, library):
            words = _("through the share with %(name)s, leads too") % {"name": share.partner.name}
            for user_id, since in _people_of(share, ids):
                found[user_id].append(Way(words, max(since, switched.get(share.pk, share.created_at))))
    return found


def _since(rows: Any, scope: Scope, scope_id: int, role: str) -> list[tuple[int, datetime]]:
    """Return (person, since) of memberships at a role: a role may be younger than the membership, the trail knows."""
    members = dict(rows.values_list("user_id", "created_at"))
    events = AuditEvent.objects.filter(
        scope=scope,
        scope_id=scope_id,
        act__in=(Act.MEMBER_ADDED, Act.MEMBER_CHANGED),
        targets__object_id__in=list(members),
    )
    for user_id, at, told in events.order_by("at").values_list("targets__object_id", "at", "detail"):
        if user_id in members and told.get("role") == role and told.get("was") != role:
            members[user_id] = at
    return list(members.items())


def _people_of(share: AccountShare, ids: list[int]) -> list[tuple[int, datetime]]:
    """Return (person, since) of those who hold Administrator through the share: the partner's Admins, and to whom they
    gave it."""
    admins = BusinessCenterMember.objects.filter(
        business_center=share.partner_id, role=BusinessCenterRole.ADMIN, user__in=ids
    )
    given = AccountMembership.objects.filter(share=share, role=AccountRole.ADMINISTRATOR, user__in=ids)
    found = dict(given.values_list("user_id", "created_at"))
    return list({**found, **dict(admins.values_list("user_id", "created_at"))}.items())


def _newest(
    library: LeadLibrary, targets: list[int], act: Act, matches: Callable[[dict[str, Any]], Any]
) -> dict[int, datetime]:
    """Return by target when the act last happened to it in the ad account's trail."""
    if not targets:
        return {}
    events = AuditEvent.objects.filter(
        scope=Scope.AD_ACCOUNT, scope_id=library.ad_account_id, act=act, targets__object_id__in=targets
    )
    rows = events.order_by("at").values_list("targets__object_id", "at", "detail")
    return {target: at for target, at, told in rows if matches(told)}


def _receivers(library: LeadLibrary) -> tuple[Receiver, ...]:
    rows = list(
        Connection.objects.filter(library=library, removed_at=None).select_related("created_by").order_by("name", "pk")
    )
    done = Delivery.objects.filter(
        library_id=library.pk, state=Delivery.State.DONE, settled_at__gte=timezone.now() - DAYS
    )
    sent = dict(done.order_by().values("connection").annotate(n=Count("pk")).values_list("connection", "n"))
    confirmed = AuditEvent.objects.filter(
        scope=Scope.LIBRARY,
        scope_id=library.pk,
        act=Act.CONNECTION_CONFIRMED,
        targets__object_id__in=[row.pk for row in rows],
    ).select_related("actor")
    by_target = {
        target.object_id: event
        for event in confirmed.order_by("at").prefetch_related("targets")
        for target in event.targets.all()
    }
    found = []
    for row in rows:
        mine, event = row.custody == library.custody, by_target.get(row.pk)
        found.append(
            Receiver(
                connection=row,
                live=mine and row.state == Connection.State.ACTIVE,
                state_label=str(row.get_state_display()) if mine else _("Waits for confirmation"),
                confirmed_by="" if not mine else str(event.actor if event else row.created_by),
                confirmed_at=None if not mine else event.at if event else row.created_at,
                delivered=sent.get(row.pk, 0),
            )
        )
    return tuple(found)
