"""When a lead next needs somebody: the earliest of the contact goal while nobody has contacted it, its open follow-up,
and a week before it is purged. Stored in `Lead.attention_at`, which has its index.

Whoever changes one of the three writes it anew in the same transaction. A goal or a retention that was changed reaches
the leads in the background: in batches, newest first, from a place that is a row, so that a tick that dies is gone on
with. Intake writes the goal's moment alone; the walk and every later change put the rest in.
"""

import time
from collections.abc import Iterable
from datetime import UTC, datetime, timedelta

from django.db import transaction
from django.db.models import Case, Exists, F, OuterRef, Subquery, Value, When
from django.db.models.fields import DateTimeField
from django.db.models.functions import Coalesce, Least

from accounts.models import LeadLibrary
from leads.conditions import EXPIRES_WITHIN
from leads.models import AttentionWalk, FollowUp, Lead
from leadscenter.lib.paging import beyond

NEVER = Value(datetime(9999, 1, 1, tzinfo=UTC), output_field=DateTimeField())
BATCH = 1000
SECONDS = 10.0


def write_attention(library: LeadLibrary, lead_ids: Iterable[int]) -> None:
    """Write anew when these leads of the library need somebody. The caller holds their rows."""
    goal = F("received_at") + timedelta(minutes=library.contact_goal_minutes)
    ending = F("received_at") + (timedelta(days=library.retention_days) - EXPIRES_WITHIN)
    asked = FollowUp.objects.filter(lead=OuterRef("pk"), done_at=None).values("due_at")[:1]
    first = Least(
        Case(When(status=Lead.Status.RAW, contacted_at=None, then=goal), default=NEVER, output_field=DateTimeField()),
        Coalesce(Subquery(asked), NEVER),
        ending,
        output_field=DateTimeField(),
    )
    Lead.objects.filter(pk__in=list(lead_ids), library=library).update(attention_at=first)


def walk_attention() -> int:
    """Go on with libraries whose goal or retention is not yet in their leads, for 10 seconds at most; return how many
    leads were written."""
    ends, written = time.monotonic() + SECONDS, 0
    walked = AttentionWalk.objects.filter(
        library=OuterRef("pk"), goal=OuterRef("contact_goal_minutes"), retention=OuterRef("retention_days"), done=True
    )
    for library in LeadLibrary.objects.filter(~Exists(walked)).order_by("pk")[:BATCH]:
        while time.monotonic() < ends:
            count = walk_batch(library)
            written += count
            if count < BATCH:
                break
    return written


@transaction.atomic
def walk_batch(library: LeadLibrary) -> int:
    """Write the library's next batch and keep the place; return how many leads it had, fewer than 1,000 at the end."""
    AttentionWalk.objects.bulk_create([AttentionWalk(library=library)], ignore_conflicts=True)
    walk = AttentionWalk.objects.select_for_update(no_key=True).get(library=library)
    library.refresh_from_db(fields=["contact_goal_minutes", "retention_days"])
    if (walk.goal, walk.retention) != (library.contact_goal_minutes, library.retention_days):
        walk.goal, walk.retention = library.contact_goal_minutes, library.retention_days
        walk.at, walk.lead_id, walk.done = None, 0, False
    leads = Lead.objects.filter(library=library, state=Lead.State.LIVE)
    if walk.at is not None:
        leads = leads.filter(beyond(leads, (walk.at, walk.lead_id), "received_at", descending=True))
    places = list(leads.order_by("-received_at", "-pk").values_list("received_at", "pk")[:BATCH])
    ids = [pk for _at, pk in places]
    list(Lead.objects.select_for_update(no_key=True).filter(pk__in=ids).order_by("pk").values_list("pk"))
    write_attention(library, ids)
    if places:
        walk.at, walk.lead_id = places[-1]
    walk.done = len(places) < BATCH
    walk.save(update_fields=["goal", "retention", "at", "lead_id", "done"])
    return len(places)
