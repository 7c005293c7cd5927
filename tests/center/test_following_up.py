"""Follow-ups and the moment at which a lead needs somebody."""

from datetime import datetime, timedelta

import pytest
from django.http import Http404
from django.utils import timezone

from accounts.access import Refused
from accounts.models import Act, AuditEvent
from accounts.refusals import Invalid
from leads.center.selectors.counting import tabs
from leads.center.selectors.listing import list_leads
from leads.center.services.attending import walk_attention
from leads.center.services.contacting import record_contact
from leads.center.services.deleting import delete_leads, restore_leads
from leads.center.services.following_up import finish_follow_up, follow_up_of, set_follow_up
from leads.center.services.working import Change, add_note, change_leads
from leads.models import AttentionWalk, FollowUp, Lead
from leads.privacy.services.library import change_library
from leads.selection import Selection
from tests.world import World


def attention(lead: Lead) -> datetime | None:
    return Lead.objects.values_list("attention_at", flat=True).get(pk=lead.pk)


def set_status(world: World, lead: Lead, status: str) -> None:
    change_leads(actor=world.administrator, library=world.library, lead_ids=[lead.pk], change=Change(status=status))


def test_a_lead_needs_somebody_at_the_earliest_of_goal_follow_up_and_expiry(world: World) -> None:
    lead = world.add_lead()
    goal, expiry = lead.received_at + timedelta(minutes=60), lead.received_at + timedelta(days=83)
    assert attention(lead) == goal
    set_status(world, lead, "contacted")
    assert attention(lead) == expiry
    due = timezone.now() + timedelta(days=3)
    set_follow_up(actor=world.administrator, lead=lead, due_at=due)
    assert attention(lead) == due
    sooner = timezone.now() + timedelta(hours=2)
    set_follow_up(actor=world.administrator, lead=lead, due_at=sooner)
    assert attention(lead) == sooner
    assert list(FollowUp.objects.values_list("due_at", "done_at")) == [(sooner, None)]
    assert finish_follow_up(actor=world.administrator, lead=lead) is True
    assert finish_follow_up(actor=world.administrator, lead=lead) is False
    assert attention(lead) == expiry
    assert AuditEvent.objects.filter(act=Act.FOLLOW_UP_SET, targets__object_id=lead.pk).count() == 2
    assert AuditEvent.objects.filter(act=Act.FOLLOW_UP_DONE, targets__object_id=lead.pk).count() == 1


def test_the_goal_runs_again_only_for_a_lead_that_nobody_contacted(world: World) -> None:
    called, mistaken = world.add_lead(), world.add_lead()
    record_contact(actor=world.administrator, lead=called, how="call")
    called.refresh_from_db()
    assert called.status == "raw"
    assert called.contacted_at is not None
    assert called.attention_at == called.received_at + timedelta(days=83)
    event = AuditEvent.objects.get(act=Act.LEAD_CONTACTED)
    assert event.detail["how"] == "call"
    first = called.contacted_at
    record_contact(actor=world.administrator, lead=called, how="mail")
    called.refresh_from_db()
    assert called.contacted_at == first
    with pytest.raises(Invalid):
        record_contact(actor=world.administrator, lead=mistaken, how="pigeon")
    assert attention(mistaken) == mistaken.received_at + timedelta(minutes=60)


def test_a_follow_up_is_refused_to_others_for_past_times_and_for_whoever_may_not_view(world: World) -> None:
    lead = world.add_lead()
    due = timezone.now() + timedelta(days=1)
    with pytest.raises(Refused):
        set_follow_up(actor=world.operator, lead=lead, due_at=due)
    with pytest.raises(Refused):
        record_contact(actor=world.operator, lead=lead, how="call")
    for wrong in (timezone.now() - timedelta(minutes=1), timezone.now() + timedelta(days=400)):
        with pytest.raises(Invalid):
            set_follow_up(actor=world.administrator, lead=lead, due_at=wrong)
    with pytest.raises(Invalid):
        set_follow_up(actor=world.administrator, lead=lead, due_at=due, user_id=world.operator.pk)
    assert follow_up_of(lead) is None
    delete_leads(actor=world.administrator, library=world.library, lead_ids=[lead.pk])
    with pytest.raises(Http404):
        set_follow_up(actor=world.administrator, lead=lead, due_at=due)
    assert FollowUp.objects.count() == 0
    assert attention(lead) == lead.received_at + timedelta(minutes=60)


def test_what_needs_somebody_within_a_day_is_listed_alone(world: World) -> None:
    raw, later, soon = world.add_lead(), world.add_lead(), world.add_lead()
    for lead, days in ((later, 9), (soon, 1)):
        set_status(world, lead, "qualified")
        set_follow_up(actor=world.administrator, lead=lead, due_at=timezone.now() + timedelta(days=days, minutes=-5))
    page = list_leads(actor=world.administrator, library=world.library, selection=Selection(), order="attention")
    assert [row.lead.pk for row in page.rows] == [raw.pk, soon.pk]
    numbers = {tab.key: tab.count for tab in tabs(world.administrator, world.library, Selection())}
    assert (numbers["all"], numbers["attention"]) == (3, 2)


def test_a_changed_goal_and_retention_reach_the_leads_in_batches(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    leads = [world.add_lead() for _ in range(5)]
    set_status(world, leads[0], "contacted")
    monkeypatch.setattr("leads.center.services.attending.BATCH", 2)
    walk_attention()
    assert walk_attention() == 0
    change_library(
        actor=world.administrator,
        library=world.library,
        values={"contact_goal_minutes": 30, "retention_days": 10},
    )
    assert attention(leads[1]) == leads[1].received_at + timedelta(minutes=60)
    assert walk_attention() == 5
    expected = [leads[0].received_at + timedelta(days=3)]
    expected += [lead.received_at + timedelta(minutes=30) for lead in leads[1:]]
    assert [attention(lead) for lead in leads] == expected
    assert AttentionWalk.objects.get(library=world.library).done
    assert walk_attention() == 0


def test_a_retention_that_changed_while_a_lead_lay_in_the_trash_reaches_it_when_it_is_put_back(world: World) -> None:
    lead = world.add_lead()
    set_status(world, lead, "contacted")
    delete_leads(actor=world.administrator, library=world.library, lead_ids=[lead.pk])
    change_library(actor=world.administrator, library=world.library, values={"retention_days": 10})
    walk_attention()
    assert attention(lead) == lead.received_at + timedelta(days=83)
    restore_leads(actor=world.administrator, library=world.library, lead_ids=[lead.pk])
    assert attention(lead) == lead.received_at + timedelta(days=3)


def test_the_first_note_ends_the_clock_like_a_call_and_no_later_one_moves_it(world: World) -> None:
    lead = world.add_lead()
    add_note(actor=world.administrator, lead=lead, text="called")
    lead.refresh_from_db()
    assert (lead.status, lead.contacted_at is not None) == ("raw", True)
    assert lead.attention_at == lead.received_at + timedelta(days=83)
    first = lead.contacted_at
    add_note(actor=world.administrator, lead=lead, text="called again")
    lead.refresh_from_db()
    assert lead.contacted_at == first
