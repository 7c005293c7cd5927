"""Deleting with undo: into the trash for 30 days, and back. The trash is emptied by `purge_expired`."""

from collections import Counter
from collections.abc import Collection, Iterable

from django.db import transaction
from django.db.models import F
from django.utils import timezone
from django.utils.translation import gettext as _

from accounts import audit
from accounts.access import Can, require
from accounts.models import Act, LeadLibrary, User
from accounts.refusals import Conflict, Invalid
from forms_builder.models import Form
from leads.center.disclosure import grant_path
from leads.center.services.attending import write_attention
from leads.center.services.outgoing import resume_deliveries, stop_deliveries
from leads.center.services.working import MOST_AT_ONCE, lock_leads
from leads.duplicates import link_again, link_followers
from leads.models import Lead


def delete_leads(*, actor: User, library: LeadLibrary, lead_ids: Collection[int]) -> list[Lead]:
    """Put live leads into the trash; what waits to be delivered stops, receivers are told when undo has ended.

    Raises `Refused`, `Invalid`, or `Http404` when one of the ids is no live lead of this library: then none is deleted.
    """
    require(actor, Can.DELETE_LEADS, library)
    _judge(lead_ids)
    moment = timezone.now()  # one value in leads and deliveries: by it an undo finds what the deletion stopped
    with transaction.atomic():
        path = grant_path(library, require(actor, Can.DELETE_LEADS, library))
        leads = lock_leads(library, lead_ids, Lead.State.LIVE)
        _record(Act.LEADS_DELETED, library, actor, leads, path)
        rows = Lead.objects.filter(pk__in=[lead.pk for lead in leads])
        rows.update(state=Lead.State.TRASHED, trashed_at=moment, changes=F("changes") + 1)
        for lead in leads:
            lead.state, lead.trashed_at, lead.changes = Lead.State.TRASHED, moment, lead.changes + 1
        stop_deliveries(library.pk, leads, moment)
        link_followers(library.pk, [lead.pk for lead in leads])
    return leads


def restore_leads(*, actor: User, library: LeadLibrary, lead_ids: Collection[int]) -> list[Lead]:
    """Take leads out of the trash as they were.

    Raises `Refused`, `Invalid`, `Http404` when one is not in it, or `Conflict` for a test lead whose form has another.
    """
    require(actor, Can.DELETE_LEADS, library)
    _judge(lead_ids)
    with transaction.atomic():
        path = grant_path(library, require(actor, Can.DELETE_LEADS, library))
        _keep_one_test(library, lead_ids)
        leads = lock_leads(library, lead_ids, Lead.State.TRASHED)
        _record(Act.LEADS_RESTORED, library, actor, leads, path)
        resume_deliveries(library.pk, leads)
        rows = Lead.objects.filter(pk__in=[lead.pk for lead in leads])
        rows.update(state=Lead.State.LIVE, trashed_at=None, changes=F("changes") + 1)
        for lead in leads:
            lead.state, lead.trashed_at, lead.changes = Lead.State.LIVE, None, lead.changes + 1
        write_attention(library, [lead.pk for lead in leads])  # goal or retention may have changed meanwhile
        link_again(library.pk, [lead.pk for lead in leads])
    return leads


def lock_forms(form_ids: Iterable[int]) -> list[Form]:
    """Return forms locked, lowest id first: whoever changes which test lead a form has comes one after the other."""
    return list(Form.objects.select_for_update(no_key=True, of=("self",)).filter(pk__in=form_ids).order_by("pk"))


def _keep_one_test(library: LeadLibrary, lead_ids: Collection[int]) -> None:
    """Raise `Conflict` where a form would have two test leads then; their forms stay locked."""
    tests = Lead.objects.filter(library=library, is_test=True)
    back = Counter(tests.filter(pk__in=lead_ids).values_list("form_id", flat=True))
    for form in lock_forms(back) if back else ():
        live = tests.filter(form=form, state=Lead.State.LIVE).exclude(pk__in=lead_ids)
        if back[form.pk] > 1 or live.exists():
            text = _("The form “%(form)s” has one test lead at a time. Delete the other one before this is put back.")
            raise Conflict("test_lead_there", text % {"form": form.name})


def _judge(lead_ids: Collection[int]) -> None:
    if not 0 < len(lead_ids) <= MOST_AT_ONCE:
        raise Invalid({"ids": _("Choose 1 to %(limit)d leads.") % {"limit": MOST_AT_ONCE}})


def _record(act: Act, library: LeadLibrary, actor: User, leads: Collection[Lead], path: str) -> None:
    audit.record(act, library, actor=actor, targets=[lead.pk for lead in leads], grant_path=path)
