"""What each page of the day's work asks of the databases: the same number for one, three and fifty of everything.

Of saved views three for each lead, thirty at most: by label, form and campaign. On every lead: three labels, two notes,
deliveries that arrived, failed and wait, an assignee.
"""

from datetime import timedelta

import pytest
from django.test import Client
from django.utils import timezone

from accounts.models import AccountRole, User
from accounts.services.ad_accounts import set_member
from campaigns.models import Campaign
from forms_builder.measures import record
from forms_builder.models import MeasureKind
from leads.center.services.following_up import set_follow_up
from leads.center.services.saving import ViewChange, save_view
from leads.center.services.working import Change, add_note, change_leads
from leads.models import Connection, Delivery, Export, Label, Lead, Notification
from tests.counting import statements
from tests.world import World, make_form, person

QUERIES = {
    "leads/": 19,
    "leads/counts/": 14,
    "leads/board/": 20,
    "leads/ID/": 36,
    "exports/": 9,
    "labels/": 8,
    "overview/": 30,
    "integrations/": 22,
    "/notifications/": 6,
    "/notifications/bell/": 3,
    "/api/leads/": 14,
    "/api/exports/": 7,
    "/api/views/": 9,
}


def busy(world: World, count: int) -> list[Lead]:
    """Fill the library with so many leads, and as many of what else its pages list."""
    team = [person(f"Colleague {number}") for number in range(min(count, 5))]
    for one in team:
        set_member(actor=world.administrator, ad_account=world.account, user=one, role=AccountRole.ADMINISTRATOR)
    for number in range(3):
        world.connect(f"Hook {number}")
    leads = [_lead(world, number, team) for number in range(count)]
    for state, connection in zip(("done", "dead", "pending"), Connection.objects.order_by("pk"), strict=True):
        Delivery.objects.filter(connection=connection).update(state=state, attempts=2)
    for number, lead in enumerate(leads[:10]):
        queries = {"label": Label.objects.get(name=f"label {number}").pk, "form": lead.form_id}
        queries["campaign"] = Campaign.objects.get(name=f"C {number}").pk
        for kind, pk in queries.items():
            change = ViewChange(f"{kind} {number}", {kind: str(pk)})
            save_view(actor=world.administrator, library=world.library, change=change)
    return leads


def _lead(world: World, number: int, team: list[User]) -> Lead:
    admin, library = world.administrator, world.library
    form, version = make_form(world.account, f"Form {number}")
    Campaign.objects.create(ad_account=world.account, name=f"C {number}", budget_cents=1, starts_on=timezone.now())
    record(kind=MeasureKind.OPEN, form_id=form.pk, version=1, country="DE", device="phone")
    email, phone = f"lead{number}@example.com", f"+49151{number:08d}"
    lead = world.add_lead(name=f"Lead {number}", email=email, phone=phone, form=form, version=version, with_ad=True)
    labels = ["hot", "call", f"label {number}"]
    change = Change(status="contacted", labels=labels, assignee=team[number % len(team)].pk)
    change_leads(actor=admin, library=library, lead_ids=[lead.pk], change=change)
    for author in (admin, team[number % len(team)]):
        add_note(actor=author, lead=lead, text="called")
    set_follow_up(actor=admin, lead=lead, due_at=timezone.now() + timedelta(days=1))
    exported = {"library": library, "custody": library.custody, "requested_by": admin, "bound_at": timezone.now()}
    Export.objects.create(**exported, state="failed", failure="stopped")
    told = {"user": admin, "library": library, "custody": library.custody, "occasion": f"lead {number}"}
    Notification.objects.create(**told, kind="new_lead", object_id=lead.pk)
    return lead


@pytest.mark.parametrize("count", [1, 3, 50])
def test_each_page_asks_the_same_for_one_and_for_fifty(world: World, count: int) -> None:
    leads = busy(world, count)
    client = Client()
    client.force_login(world.administrator)
    assert Label.objects.filter(library=world.library).count() == count + 2
    asked = {name: _asked(client, world, name, leads[0]) for name in QUERIES}
    assert asked == QUERIES


def _asked(client: Client, world: World, name: str, lead: Lead) -> int:
    inside = "/api/v1/libraries/{}/{}" if name.startswith("/api/") else "{1}" if name.startswith("/") else "/l/{}/{}"
    address = inside.format(world.library.pk, name.removeprefix("/api/")).replace("ID", str(lead.pk))
    headers = {"HX-Request": "true"} if "ID" in name else {}
    assert client.get(address, headers=headers).status_code == 200  # what is kept in memory is not counted
    with statements() as spoken:
        client.get(address, headers=headers)
    return len(spoken)
