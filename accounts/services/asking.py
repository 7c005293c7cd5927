"""A brand asks for the leads of an ad account whose number it knows; who may hand them over decides.

The asker must not learn whether the account exists: the request reads nothing about it. A task looks the number up a
moment later, tells those who may hand over, and writes into their trail.
"""

from datetime import timedelta

from django.db import transaction
from django.db.models import QuerySet
from django.db.models.functions import Now
from django.utils.translation import gettext as _

from accounts import audit
from accounts.access import Can, lock_libraries, require, require_admin_of
from accounts.models import AccessAsk, Act, BusinessCenter, LeadLibrary, User
from accounts.refusals import Conflict
from accounts.selectors import LIVES
from accounts.services.telling import tell_asked

MOST_OPEN = 20
MOST_A_DAY = 20
OPEN = (AccessAsk.State.WAITING, AccessAsk.State.DISMISSED)
"""Both are waiting to the asker: being dismissed would tell that the account exists."""


@transaction.atomic
def ask_for_access(*, actor: User, business_center: BusinessCenter, ad_account_number: int) -> AccessAsk:
    """Ask for the leads of the ad account with this number, if there is one; for Admins of the Business Center.

    Asking again within 30 days returns the first ask. Raises `Refused`, and `Conflict` for too many asks.
    """
    center = BusinessCenter.objects.select_for_update(no_key=True).get(pk=business_center.pk)
    require_admin_of(actor, center, Can.HAND_OVER)
    of_center = AccessAsk.objects.filter(business_center=center)
    fresh = of_center.filter(asked_at__gt=Now() - LIVES)
    same = fresh.filter(asked_number=ad_account_number, state__in=OPEN).first()
    if same is not None:
        return same
    too_many = fresh.filter(state__in=OPEN).count() >= MOST_OPEN
    if too_many or of_center.filter(asked_at__gt=Now() - timedelta(days=1)).count() >= MOST_A_DAY:
        raise Conflict("too_many_asks", _("Twenty requests wait already, or were sent today. Wait for an answer."))
    _close(of_center.filter(asked_number=ad_account_number, state=AccessAsk.State.WAITING))
    ask = AccessAsk(business_center=center, asked_number=ad_account_number, asked_by=actor)
    audit.record(Act.ACCESS_ASKED, center, actor=actor, targets=[ask.pk], number=str(ad_account_number))
    ask.save(force_insert=True)
    return AccessAsk.objects.get(pk=ask.pk)


@transaction.atomic
def dismiss_ask(*, actor: User, ask: AccessAsk) -> None:
    """Let an ask rest; the asker is not told. Raises `Refused`, `Conflict` when it does not wait any more."""
    library = lock_libraries(LeadLibrary.objects.filter(pk=ask.library_id))[0]
    require(actor, Can.HAND_OVER, library)
    rows = AccessAsk.objects.select_for_update(no_key=True, of=("self",)).select_related("business_center")
    ask = rows.get(pk=ask.pk)
    if ask.state != AccessAsk.State.WAITING:
        raise Conflict("ask_closed", _("This request is answered or dismissed already."))
    for scope in (library, library.ad_account):
        audit.record(
            Act.ACCESS_ASK_DISMISSED, scope, actor=actor, targets=[ask.pk], business_center=ask.business_center.name
        )
    _close(AccessAsk.objects.filter(pk=ask.pk))


def answer_asks(library: LeadLibrary, business_center: BusinessCenter) -> None:
    """Close what the Business Center asked of the library: its transfer is requested now."""
    asks = AccessAsk.objects.filter(business_center=business_center, asked_number=library.ad_account_id)
    asks.filter(state__in=OPEN, asked_at__gt=Now() - LIVES).update(state=AccessAsk.State.ANSWERED, closed_at=Now())


def mail_asks() -> int:
    """Tell of new asks those who may hand over; return how many asks were looked at."""
    new = AccessAsk.objects.filter(state=AccessAsk.State.WAITING, mailed_at=None).order_by("asked_at")
    return sum(_look_up(pk) for pk in list(new.values_list("pk", flat=True)[:200]))


def close_old_asks() -> int:
    """Close the asks that nobody answered in 30 days; return how many."""
    return _close(AccessAsk.objects.filter(state=AccessAsk.State.WAITING, asked_at__lte=Now() - LIVES))


def _close(asks: QuerySet[AccessAsk]) -> int:
    return asks.update(state=AccessAsk.State.DISMISSED, closed_at=Now())


@transaction.atomic
def _look_up(ask_id: int) -> int:
    """Find the library that is asked for, tell its side; a number that leads nowhere, or home, is only marked."""
    rows = AccessAsk.objects.select_for_update(no_key=True, skip_locked=True, of=("self",))
    ask = rows.select_related("business_center").filter(pk=ask_id, mailed_at=None).first()
    if ask is None:
        return 0
    found = LeadLibrary.objects.select_related("ad_account").filter(ad_account=ask.asked_number)
    library = found.exclude(custodian=ask.business_center_id).first()
    if library is not None:
        name = ask.business_center.name
        for scope in (library, library.ad_account):
            audit.record(Act.ACCESS_ASKED, scope, targets=[ask.pk], business_center=name)
        transaction.on_commit(lambda: tell_asked(ask_id), robust=True)
    AccessAsk.objects.filter(pk=ask_id).update(library=library, mailed_at=Now())
    return 1
