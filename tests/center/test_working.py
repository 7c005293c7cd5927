"""Work on leads: what changes, what goes out, what is refused with nothing changed."""

from datetime import timedelta
from typing import Any

import pytest
from django.http import Http404
from django.utils import timezone

from accounts.access import Refused
from accounts.models import Act, AuditEvent, User
from accounts.refusals import Conflict, Invalid
from forms_builder.models import MeasureEvent
from leads.center.disclosure import notes_of
from leads.center.selectors.lives import open_lead, timeline_of
from leads.center.selectors.reaching import who_can_see
from leads.center.selectors.seeing import who_has_seen
from leads.center.services.contacting import record_contact
from leads.center.services.deleting import delete_leads, restore_leads
from leads.center.services.following_up import finish_follow_up, set_follow_up
from leads.center.services.noting import remove_note
from leads.center.services.testing import create_test_lead
from leads.center.services.working import Change, add_note, change_leads
from leads.models import Delivery, Label, Lead, LeadLabel
from leads.vault.models import Note
from leads.vault.regions import alias_of
from tests.world import World, make_form


def change(world: World, *leads: Lead, **values: Any) -> list[Lead]:
    return change_leads(
        actor=world.administrator,
        library=world.library,
        lead_ids=[lead.pk for lead in leads],
        change=Change(**values),
    )


def sales_state() -> list[tuple[Any, ...]]:
    fields = ("pk", "state", "status", "assignee_id", "changes", "trashed_at")
    return [*Lead.objects.order_by("pk").values_list(*fields), *LeadLabel.objects.values_list("lead_id", "label_id")]


def test_the_first_status_after_raw_is_the_first_contact_and_stays_so(world: World) -> None:
    lead = world.add_lead()
    change(world, lead, status="contacted")
    lead.refresh_from_db()
    first = lead.contacted_at
    assert first is not None
    week_before_purge = lead.received_at + timedelta(days=83)
    assert (lead.status, lead.attention_at, lead.changes) == ("contacted", week_before_purge, 1)
    change(world, lead, status="qualified")
    lead.refresh_from_db()
    assert (lead.status, lead.contacted_at, lead.changes) == ("qualified", first, 2)
    assert AuditEvent.objects.filter(act=Act.LEAD_CHANGED, targets__object_id=lead.pk).count() == 2


def test_labels_are_made_when_missing_and_replaced_as_a_whole_or_added(world: World) -> None:
    first, second = world.add_lead(), world.add_lead()
    change(world, first, second, labels=["hot", " call "])
    assert set(Label.objects.values_list("name", flat=True)) == {"hot", "call"}
    change(world, first, labels=["hot"])
    change(world, second, add_labels=["late"])
    names = LeadLabel.objects.order_by("label__name").values_list("label__name", flat=True)
    assert list(names.filter(lead=first)) == ["hot"]
    assert list(names.filter(lead=second)) == ["call", "hot", "late"]
    assert [lead.pk for lead in change(world, first, labels=["hot"])] == []


def test_an_assignee_must_be_able_to_view_the_leads_now(world: World) -> None:
    lead = world.add_lead()
    change(world, lead, assignee=world.administrator.pk)
    lead.refresh_from_db()
    assert lead.assignee == world.administrator
    before = sales_state()
    for user in (world.operator, world.stranger, world.client_admin):
        with pytest.raises(Invalid):
            change(world, lead, assignee=user.pk, status="converted")
    assert sales_state() == before
    change(world, lead, assignee=None)
    lead.refresh_from_db()
    assert lead.assignee is None


def test_a_change_goes_out_once_per_connection_under_the_number_of_the_change(world: World) -> None:
    connection = world.connect()
    lead = world.add_lead()
    change(world, lead, status="contacted")
    change(world, lead, status="contacted")
    change(world, lead, status="qualified", labels=["hot"])
    keys = Delivery.objects.filter(connection=connection).order_by("id").values_list("event_key", flat=True)
    assert list(keys) == [f"lead.created:{lead.pk}", f"lead.updated:{lead.pk}:1", f"lead.updated:{lead.pk}:2"]


@pytest.mark.parametrize(
    "values",
    [
        {"status": "new"},
        {"labels": [""]},
        {"labels": ["x" * 41]},
        {"labels": ["ann@example.com"]},
        {"labels": [str(number) for number in range(21)]},
        {"labels": [7]},
        {"labels": ["a\x00b"]},
        {"labels": ["\ud800"]},
        {"assignee": 1},
    ],
)
def test_what_cannot_be_set_changes_nothing(world: World, values: dict[str, Any]) -> None:
    lead = world.add_lead()
    before = sales_state()
    with pytest.raises(Invalid):
        change(world, lead, **values)
    assert sales_state() == before
    assert not AuditEvent.objects.filter(act=Act.LEAD_CHANGED).exists()


def test_many_leads_change_all_or_none(world: World) -> None:
    mine = world.add_lead()
    form, version = make_form(world.stranger_library.ad_account, "Theirs")
    theirs = world.add_lead(form=form, version=version, library=world.stranger_library)
    before = sales_state()
    with pytest.raises(Http404):
        change(world, mine, theirs, status="converted")
    assert sales_state() == before


@pytest.mark.parametrize("who", ["operator", "analyst", "stranger", "client_admin"])
def test_whoever_may_not_work_on_leads_changes_nothing(world: World, who: str) -> None:
    lead = world.add_lead()
    before = sales_state()
    actor, library = getattr(world, who), world.library
    acts = (
        lambda: change_leads(actor=actor, library=library, lead_ids=[lead.pk], change=Change(status="converted")),
        lambda: add_note(actor=actor, lead=lead, text="hello"),
        lambda: delete_leads(actor=actor, library=library, lead_ids=[lead.pk]),
        lambda: create_test_lead(actor=actor, form=world.form),
        lambda: open_lead(actor=actor, lead=lead),
        lambda: timeline_of(actor, lead),
        lambda: who_has_seen(actor, lead),
        lambda: who_can_see(actor, library),
    )
    for act in acts:
        with pytest.raises(Refused):
            act()
    assert sales_state() == before
    assert not Note.objects.using(alias_of("eu")).exists()


def test_a_note_is_sealed_and_read_by_its_team(world: World) -> None:
    lead = world.add_lead()
    add_note(actor=world.administrator, lead=lead, text="  Call on <b>Monday</b>  ")
    stored = Note.objects.using(alias_of("eu")).values_list("sealed", flat=True)[0]
    assert b"Monday" not in bytes(stored)
    notes = notes_of(lead, actor=world.administrator, library=world.library)
    assert [(note.text, note.author_id) for note in notes] == [("Call on <b>Monday</b>", world.administrator.pk)]
    for text in ("", "   ", "x" * 4001, "a\x00b", "\ud800"):
        with pytest.raises(Invalid):
            add_note(actor=world.administrator, lead=lead, text=text)


def test_deleting_stops_what_waits_and_tells_receivers_who_know_the_lead(world: World) -> None:
    told, waiting = world.connect(), world.connect()
    lead = world.add_lead()
    Delivery.objects.filter(connection=told).update(state="done")

    delete_leads(actor=world.administrator, library=world.library, lead_ids=[lead.pk])

    lead.refresh_from_db()
    assert (lead.state, lead.trashed_at is not None) == ("trashed", True)
    assert Delivery.objects.get(connection=waiting).state == "skipped"
    word = Delivery.objects.get(event_key__startswith="lead.deleted")
    assert (word.connection, word.state) == (told, "pending")
    assert lead.trashed_at is not None
    assert word.due_at - lead.trashed_at == timedelta(minutes=10)


def test_undoing_brings_the_lead_back_as_it_was(world: World) -> None:
    told, waiting = world.connect(), world.connect()
    lead = world.add_lead()
    Delivery.objects.filter(connection=told).update(state="done")
    change(world, lead, status="qualified", labels=["hot"])
    delete_leads(actor=world.administrator, library=world.library, lead_ids=[lead.pk])

    restore_leads(actor=world.administrator, library=world.library, lead_ids=[lead.pk])

    lead.refresh_from_db()
    assert (lead.state, lead.status, lead.trashed_at) == ("live", "qualified", None)
    assert lead.labelled.count() == 1
    assert not Delivery.objects.filter(event_key__startswith="lead.deleted").exists()
    assert set(Delivery.objects.filter(connection=waiting).values_list("state", flat=True)) == {"pending"}
    with pytest.raises(Http404):
        restore_leads(actor=world.administrator, library=world.library, lead_ids=[lead.pk])


def test_undoing_while_the_word_of_the_deletion_is_on_its_way_tells_of_the_lead_again(world: World) -> None:
    told = world.connect()
    lead = world.add_lead()
    Delivery.objects.filter(connection=told).update(state="done")
    delete_leads(actor=world.administrator, library=world.library, lead_ids=[lead.pk])
    Delivery.objects.filter(event_key__startswith="lead.deleted").update(lease=1, leases_unanswered=1)
    restore_leads(actor=world.administrator, library=world.library, lead_ids=[lead.pk])
    pending = Delivery.objects.filter(state="pending").order_by("id").values_list("event_key", flat=True)
    assert [key.partition(":")[0] for key in pending] == ["lead.deleted", "lead.updated"]


def test_a_test_lead_is_marked_and_counted_apart(world: World) -> None:
    lead = create_test_lead(actor=world.administrator, form=world.form)
    assert (lead.is_test, lead.state, lead.region) == (True, "live", "us")
    assert MeasureEvent.objects.filter(form_id=world.form.pk, is_test=True).count() == 1
    detail = open_lead(actor=world.administrator, lead=lead, reveal=True)
    assert detail.shown.email == "test.person@example.com"
    world.form.status, world.form.published = "draft", None
    world.form.save()
    with pytest.raises(Conflict):
        create_test_lead(actor=world.administrator, form=world.form)


def test_the_trail_of_a_lead_names_who_looked_and_what_was_done(world: World) -> None:
    lead = world.add_lead()
    open_lead(actor=world.administrator, lead=lead)
    change(world, lead, status="contacted")
    acts = [event.act for event in who_has_seen(world.administrator, lead)]
    assert acts == [Act.LEAD_OPENED]
    kinds = [moment.kind for moment in timeline_of(world.administrator, lead)]
    assert kinds == [Act.LEAD_CHANGED, Act.LEAD_OPENED, "received"]
    assert timeline_of(world.administrator, lead)[-1].text == "submitted the form"
    lead.source = Lead.Source.IMPORT
    assert timeline_of(world.administrator, lead)[-1].text == "was imported from a file"


def test_who_can_see_lists_people_tokens_and_connections(world: World) -> None:
    world.connect()
    lead = world.add_lead()
    open_lead(actor=world.administrator, lead=lead)
    reach = who_can_see(world.administrator, world.library)
    assert [(holder.user, holder.path) for holder in reach.holders] == [
        (world.administrator, "Administrator of Brand ads")
    ]
    assert reach.holders[0].last_look is not None
    assert reach.holders[0].since is not None
    assert [connection.name for connection in reach.connections] == ["Hook"]
    world.hand_over()
    reach = who_can_see(world.client_admin, world.library)
    assert [(holder.user, holder.path) for holder in reach.holders] == [
        (world.client_admin, "Admin of Client, which holds the leads")
    ]


def test_whatever_a_partner_does_says_the_share_it_was_done_by(world: World, partner: User) -> None:
    lead = world.add_lead()
    ids: dict[str, Any] = {"actor": partner, "library": world.library, "lead_ids": [lead.pk]}
    change_leads(**ids, change=Change(status="qualified"))
    lead = Lead.objects.select_related("library").get(pk=lead.pk)
    note = add_note(actor=partner, lead=lead, text="Call back")
    remove_note(actor=partner, lead=lead, note_id=note.pk)
    record_contact(actor=partner, lead=lead, how="call")
    set_follow_up(actor=partner, lead=lead, due_at=timezone.now() + timedelta(days=1))
    finish_follow_up(actor=partner, lead=lead)
    delete_leads(**ids)
    restore_leads(**ids)
    acts = ("lead_changed", "note_added", "lead_contacted", "follow_up_set", "follow_up_done")
    events = AuditEvent.objects.filter(targets__object_id=lead.pk, actor=partner)
    assert set(events.values_list("act", flat=True)) == {*acts, "leads_deleted", "leads_restored"}
    assert set(events.values_list("grant_path", flat=True)) == {f"ad_account:{world.account.pk}:share"}
