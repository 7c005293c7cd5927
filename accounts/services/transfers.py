"""Leads access moves to another Business Center. Accepting is one short transaction; its cost does not grow with leads.

It sets the custodian, adds one to the custody, rewrites the library's permission rows, closes the transfer and records
both trails. Whatever else must die (links, exports, connections) compares custody numbers where it is used.
"""

from datetime import timedelta

from django.db import transaction
from django.db.models import F
from django.db.models.functions import Now
from django.utils import timezone
from django.utils.translation import gettext as _

from accounts import audit
from accounts.access import (
    Can,
    Refused,
    derive,
    grants,
    is_member,
    lock_centers,
    lock_libraries,
    may,
    refusal,
    require,
    require_admin_of,
)
from accounts.models import Act, AdAccount, BusinessCenter, LeadLibrary, Transfer, User
from accounts.refusals import Conflict, Invalid
from accounts.services.asking import answer_asks
from accounts.services.telling import tell_transfer

EXPIRES_AFTER = timedelta(days=14)


def _locked(library_id: int) -> LeadLibrary:
    return lock_libraries(LeadLibrary.objects.filter(pk=library_id))[0]


@transaction.atomic
def request_transfer(*, actor: User, library: LeadLibrary, business_center: BusinessCenter | None) -> Transfer:
    """Ask that `business_center` takes over the library's leads; its Admins decide within 14 days."""
    library = _locked(library.pk)
    require(actor, Can.HAND_OVER, library)
    if business_center is None or not business_center.is_active:
        raise Invalid({"business_center_id": _("There is no Business Center with this id.")})
    if business_center.pk == library.custodian_id:
        raise Conflict("already_there", _("This Business Center holds the leads already."))
    _expire(library)
    if Transfer.objects.filter(library=library, state=Transfer.State.REQUESTED).exists():
        raise Conflict("transfer_pending", _("A transfer of this library is waiting for an answer. Cancel it first."))
    transfer = Transfer(
        library=library,
        from_business_center_id=library.custodian_id,
        to_business_center=business_center,
        requested_by=actor,
        expires_at=timezone.now() + EXPIRES_AFTER,
    )
    _tell(Act.TRANSFER_REQUESTED, transfer, actor)
    transfer.save(force_insert=True)
    answer_asks(library, business_center)
    return Transfer.objects.get(pk=transfer.pk)


@transaction.atomic
def accept_transfer(*, actor: User, transfer: Transfer) -> Transfer:
    """Take over the leads: from the commit on, only Admins of the receiving Business Center reach them.

    Raises `Conflict` also when who asked has lost the right to hand them over.
    """
    lock_centers(transfer.to_business_center_id)
    library, transfer = _pending(actor, transfer, receiving=True)
    if not may(transfer.requested_by, Can.HAND_OVER, library):
        detail = _("Who asked for this transfer may not hand over the leads any more. Ask for a new one.")
        raise Conflict("transfer_orphaned", detail)
    _tell(Act.TRANSFER_ACCEPTED, transfer, actor)
    _decide(transfer, Transfer.State.ACCEPTED, actor)
    LeadLibrary.objects.filter(pk=library.pk).update(custodian=transfer.to_business_center, custody=F("custody") + 1)
    derive(lock_libraries(LeadLibrary.objects.filter(pk=library.pk)))
    return transfer


@transaction.atomic
def reject_transfer(*, actor: User, transfer: Transfer) -> Transfer:
    """Decline; nothing moves."""
    _library, transfer = _pending(actor, transfer, receiving=True)
    _tell(Act.TRANSFER_REJECTED, transfer, actor)
    return _decide(transfer, Transfer.State.REJECTED, actor)


@transaction.atomic
def cancel_transfer(*, actor: User, transfer: Transfer) -> Transfer:
    """Withdraw the request; any holder of the leads may."""
    _library, transfer = _pending(actor, transfer, receiving=False)
    _tell(Act.TRANSFER_CANCELLED, transfer, actor)
    return _decide(transfer, Transfer.State.CANCELLED, actor)


def is_party(actor: User, transfer: Transfer) -> bool:
    """Return whether `actor` may know of the transfer: members of the ad account and of both Business Centers."""
    sides = (transfer.from_business_center, transfer.to_business_center)
    return bool(grants(actor, transfer.library)) or any(is_member(actor, side) for side in sides)


def other_trails(library: LeadLibrary) -> tuple[AdAccount | BusinessCenter, ...]:
    """Return the trails, besides the library's own, in which both sides of its last transfer read of it."""
    accepted = Transfer.objects.filter(library=library, state=Transfer.State.ACCEPTED)
    last = accepted.select_related("from_business_center", "to_business_center").order_by("-decided_at").first()
    sides = (last.from_business_center, last.to_business_center) if last else ()
    return (library.ad_account, *sides)


def _pending(actor: User, transfer: Transfer, *, receiving: bool) -> tuple[LeadLibrary, Transfer]:
    """Lock the library, then the transfer; refuse who may not, then what is decided: the second comer gets 409."""
    library = _locked(transfer.library_id)
    rows = Transfer.objects.select_for_update(no_key=True, of=("self",))
    transfer = rows.select_related(
        "library__ad_account", "from_business_center", "to_business_center", "requested_by"
    ).get(pk=transfer.pk)
    if not is_party(actor, transfer):
        raise refusal(actor, Can.HAND_OVER, library, stranger=True)
    if receiving:
        try:
            require_admin_of(actor, transfer.to_business_center, Can.HAND_OVER)
        except Refused as refused:  # a party is told who can help; a stranger to the receiving side is none here
            name = transfer.to_business_center.name
            reason = _("Only Admins of %(name)s can answer this transfer.") % {"name": name}
            raise Refused(actor, Can.HAND_OVER, library, reason, refused.who_can_help or (name,)) from refused
    elif transfer.requested_by_id == actor.pk and transfer.state != Transfer.State.REQUESTED:
        raise _decided(transfer)  # who asked is told what became of it, whatever right that took from them
    elif grants(actor, library):
        require(actor, Can.HAND_OVER, library)
    else:  # of the receiving side, which knows of the transfer and of nothing else
        name = transfer.from_business_center.name
        reason = _("Only %(name)s can cancel this transfer.") % {"name": name}
        raise Refused(actor, Can.HAND_OVER, library, reason, (name,))
    if transfer.state == Transfer.State.REQUESTED and transfer.expires_at <= timezone.now():
        raise Conflict("transfer_expired", _("This transfer expired. Ask for a new one."))
    if transfer.state != Transfer.State.REQUESTED:
        raise _decided(transfer)
    return library, transfer


def _decided(transfer: Transfer) -> Conflict:
    state = transfer.get_state_display()
    return Conflict("transfer_decided", _("This transfer is decided already: %(state)s.") % {"state": state})


def _decide(transfer: Transfer, state: Transfer.State, actor: User) -> Transfer:
    Transfer.objects.filter(pk=transfer.pk).update(state=state, decided_by=actor, decided_at=Now())
    transfer.refresh_from_db(fields=["state", "decided_by", "decided_at"])
    return transfer


def _tell(act: Act, transfer: Transfer, actor: User | None) -> None:
    """Record in the trails of the library, the ad account and both Business Centers; write to both sides afterwards."""
    library = transfer.library
    scopes = (library, library.ad_account, transfer.from_business_center, transfer.to_business_center)
    for scope in scopes:
        audit.record(act, scope, actor=actor, targets=[transfer.pk, library.pk])
    transaction.on_commit(lambda: tell_transfer(transfer.pk), robust=True)


def _expire(library: LeadLibrary) -> None:
    late = Transfer.objects.filter(library=library, state=Transfer.State.REQUESTED, expires_at__lte=timezone.now())
    for transfer in late.select_related("library__ad_account", "from_business_center", "to_business_center"):
        _tell(Act.TRANSFER_EXPIRED, transfer, None)
        Transfer.objects.filter(pk=transfer.pk).update(state=Transfer.State.EXPIRED, decided_at=Now())


def expire_transfers() -> int:
    """Close the requests that nobody answered in time; return how many libraries had one."""
    late = Transfer.objects.filter(state=Transfer.State.REQUESTED, expires_at__lte=timezone.now())
    libraries = list(late.values_list("library_id", flat=True).distinct())
    for library_id in libraries:
        with transaction.atomic():
            _expire(_locked(library_id))
    return len(libraries)
