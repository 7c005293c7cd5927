"""The desk by REST: counts of the views, possible duplicates, taking back one's own note."""

import pytest

from accounts.models import Act, AuditEvent
from leads.duplicates import link_duplicates
from leads.models import Lead
from leads.vault.models import Note
from leads.vault.regions import alias_of
from tests.center.test_api import caller
from tests.world import World

pytestmark = pytest.mark.django_db


def test_counts_are_those_of_the_views_under_the_same_filters(world: World) -> None:
    mine, other, test = world.add_lead(with_ad=True), world.add_lead(), world.add_lead(is_test=True)
    Lead.objects.filter(pk=mine.pk).update(assignee=world.administrator, status="contacted")
    call, address = caller(world.administrator), f"libraries/{world.library.pk}/leads/counts/"
    views = call("GET", address).json()["views"]
    wanted = {"all": 2, "mine": 1, "unassigned": 1, "raw": 1, "contacted": 1, "qualified": 0}
    assert {key: views[key]["count"] for key in wanted} == wanted
    assert not any(view["more"] for view in views.values())
    assert call("GET", f"{address}?test=1").json()["views"]["all"]["count"] == 1
    narrowed = call("GET", f"{address}?campaign={mine.campaign_id}").json()["views"]
    assert (narrowed["all"]["count"], narrowed["raw"]["count"]) == (1, 0)
    assert {lead.pk for lead in (mine, other, test)} == set(Lead.objects.values_list("pk", flat=True))


def test_possible_duplicates_are_named_and_nothing_of_them_is_opened(world: World) -> None:
    first, second = world.add_lead(), world.add_lead(name="Somebody else")
    world.add_lead(email="other@example.com", phone="+4915100000000")
    link_duplicates(world.library.pk, [first.pk, second.pk])
    call = caller(world.administrator)
    before = AuditEvent.objects.count()
    found = call("GET", f"leads/{second.pk}/duplicates/").json()["results"]
    assert [(one["id"], one["original"], one["status"]) for one in found] == [(str(first.pk), True, "raw")]
    assert "Ann" not in str(found)
    assert AuditEvent.objects.count() == before
    for user, status in ((world.operator, 403), (world.stranger, 404)):
        answer = caller(user)("GET", f"leads/{second.pk}/duplicates/")
        assert (answer.status_code, str(first.pk) in answer.content.decode()) == (status, False)


def test_ones_own_note_is_taken_back_and_nobody_elses(world: World) -> None:
    lead = world.add_lead()
    call, notes = caller(world.administrator), Note.objects.using(alias_of(lead.region))
    own = call("POST", f"leads/{lead.pk}/notes/", {"text": "Call back"}).json()["id"]
    theirs = call("POST", f"leads/{lead.pk}/notes/", {"text": "Not mine"}).json()["id"]
    notes.filter(pk=theirs).update(author_id=world.operator.pk)
    assert call("DELETE", f"leads/{lead.pk}/notes/{theirs}/").status_code == 404
    assert caller(world.operator)("DELETE", f"leads/{lead.pk}/notes/{own}/").status_code == 403
    assert caller(world.stranger)("DELETE", f"leads/{lead.pk}/notes/{own}/").status_code == 404
    assert set(notes.values_list("pk", flat=True)) == {int(own), int(theirs)}
    assert call("DELETE", f"leads/{lead.pk}/notes/{own}/").status_code == 204
    assert list(notes.values_list("pk", flat=True)) == [int(theirs)]
    changed = AuditEvent.objects.filter(act=Act.LEAD_CHANGED).latest("pk")
    assert changed.detail["notes_off"] == 1
