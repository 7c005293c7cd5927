"""Follow-ups: when somebody wants to come back to a lead. A lead has one that is open, or none."""

from datetime import datetime, timedelta

from django.db import transaction
from django.db.models.functions import Now
from django.utils import timezone
from django.utils.translation import gettext as _

from accounts import audit
from accounts.access import Can, holders, require
from accounts.models import Act, User
from accounts.refusals import Invalid
from leads.center.disclosure import grant_path
from leads.center.services.attending import write_attention
from leads.center.services.working import lock_leads
from leads.models import FollowUp, Lead

FURTHEST = timedelta(days=366)


def set_follow_up(*, actor: User, lead: Lead, due_at: datetime, user_id: int | None = None) -> FollowUp:
    """Set when to come back to a live lead, and who is reminded (`user_id`, else the actor), instead of what was set.

    Raises `Refused`, `Http404`, `Invalid` (a moment that is past or more than a year away; a person who may not view
    the leads).
    """
    library = lead.library
    require(actor, Can.WORK_LEADS, library)
    if not timezone.now() < due_at <= timezone.now() + FURTHEST:
        raise Invalid({"due_at": _("Choose a time from now on, within a year.")})
    with transaction.atomic():
        held = require(actor, Can.WORK_LEADS, library)
        lock_leads(library, [lead.pk], Lead.State.LIVE)
        wanted = actor.pk if user_id is None else user_id
        if not holders(library, Can.VIEW_LEADS).filter(pk=wanted).exists():
            raise Invalid({"user": _("Choose somebody who may view the leads of this library.")})
        audit.record(Act.FOLLOW_UP_SET, library, actor=actor, targets=[lead.pk], grant_path=grant_path(library, held))
        # A new row, since what reminded of the old one has told.
        FollowUp.objects.filter(lead=lead, done_at=None).delete()
        made = FollowUp.objects.create(
            lead=lead, library_id=library.pk, user_id=wanted, set_by=actor, due_at=due_at, created_at=timezone.now()
        )
        write_attention(library, [lead.pk])
    return made


def finish_follow_up(*, actor: User, lead: Lead) -> bool:
    """Close the open follow-up of a live lead; return whether there was one. Raises `Refused`, `Http404`."""
    library = lead.library
    require(actor, Can.WORK_LEADS, library)
    with transaction.atomic():
        held = require(actor, Can.WORK_LEADS, library)
        lock_leads(library, [lead.pk], Lead.State.LIVE)
        if not FollowUp.objects.filter(lead=lead, done_at=None).update(done_at=Now()):
            return False
        audit.record(Act.FOLLOW_UP_DONE, library, actor=actor, targets=[lead.pk], grant_path=grant_path(library, held))
        write_attention(library, [lead.pk])
    return True


def follow_up_of(lead: Lead) -> FollowUp | None:
    """Return the open follow-up of a lead; whoever calls has asked whether the lead may be seen."""
    return FollowUp.objects.filter(lead=lead, done_at=None).select_related("user", "set_by").first()
