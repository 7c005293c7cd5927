"""Who can see the leads now, by which way and since when; and who has seen one of them."""

from datetime import timedelta
from typing import Any

import pytest
from django.db import transaction
from django.test import Client
from django.utils import timezone

from accounts import audit
from accounts.access import Refused
from accounts.models import AccountRole, Act, BusinessCenter, BusinessCenterRole, User
from accounts.services import ad_accounts, business_centers, shares
from accounts.services.tokens import create_token
from leads.center.selectors.people import seen_by
from leads.center.selectors.reaching import Holder, who_can_see
from leads.center.selectors.seeing import who_has_seen
from leads.crm.services.connections import confirm_connection
from leads.models import DeliveryAttempt, Lead
from leadscenter.lib.ids import new_id
from tests.callers import Caller
from tests.counting import statements
from tests.world import World, add_delivery, person

pytestmark = pytest.mark.django_db


def signed_in(user: User) -> Client:
    client = Client()
    client.force_login(user)
    return client


def ways(holder: Holder) -> list[str]:
    return [way.words for way in holder.ways]


def happened(world: World, act: Act, **told: Any) -> int:
    with transaction.atomic():
        return audit.record(act, world.library, actor=world.administrator, **told)


# ---- who can see -----------------------------------------------------------------------------------------------------


def test_role_counts_since_it_was_given_not_since_the_membership(world: World) -> None:
    world.account.memberships.filter(user=world.operator).update(created_at=timezone.now() - timedelta(days=30))
    promoted = timezone.now() - timedelta(minutes=1)
    ad_accounts.set_member(
        actor=world.administrator, ad_account=world.account, user=world.operator, role=AccountRole.ADMINISTRATOR
    )
    by_person = {holder.user: holder for holder in who_can_see(world.administrator, world.library).holders}
    assert ways(by_person[world.operator]) == ["Administrator of Brand ads"]
    since = by_person[world.operator].since
    assert since is not None
    assert since > promoted


def test_holder_after_a_transfer_holds_since_the_transfer(world: World) -> None:
    world.client.members.update(created_at=timezone.now() - timedelta(days=30))
    world.hand_over()
    [holder] = who_can_see(world.client_admin, world.library).holders
    assert ways(holder) == ["Admin of Client, which holds the leads"]
    assert holder.since is not None
    assert holder.since > timezone.now() - timedelta(minutes=1)


def test_share_with_leads_shows_its_people_and_its_switch(world: World) -> None:
    boss, helper = person("Petra"), person("Hugo")
    partner = business_centers.create_business_center(name="Partner", admin=boss)
    business_centers.set_member(actor=boss, business_center=partner, user=helper, role=BusinessCenterRole.STANDARD)
    share = shares.share_account(
        actor=world.administrator, ad_account=world.account, partner=partner, role=AccountRole.ADMINISTRATOR
    )
    reach = who_can_see(world.administrator, world.library)
    assert [holder.user for holder in reach.holders] == [world.administrator]
    assert [(one.partner, one.leads_too) for one in reach.shares] == [("Partner", False)]
    page = signed_in(world.administrator).get(f"/l/{world.library.pk}/access/").content.decode()
    assert "campaigns and forms only" in page
    shares.set_leads_too(actor=world.administrator, share=share, leads_too=True)
    shares.give_role(actor=boss, share=share, user=helper, role=AccountRole.ADMINISTRATOR)
    reach = who_can_see(world.administrator, world.library)
    assert {holder.user: ways(holder) for holder in reach.holders} == {
        world.administrator: ["Administrator of Brand ads"],
        boss: ["through the share with Partner, leads too"],
        helper: ["through the share with Partner, leads too"],
    }
    assert [(one.partner, one.leads_too) for one in reach.shares] == [("Partner", True)]
    page = signed_in(world.administrator).get(f"/l/{world.library.pk}/access/").content.decode()
    assert "leads too" in page
    assert "campaigns and forms only" not in page
    with pytest.raises(Refused):
        who_can_see(boss, world.library)
    world.hand_over()
    reach = who_can_see(world.client_admin, world.library)
    assert [holder.user for holder in reach.holders] == [world.client_admin]
    assert [(one.partner, one.leads_too) for one in reach.shares] == [("Partner", False)]


def test_person_with_two_ways_shows_both(world: World) -> None:
    boss = person("Petra")
    partner = business_centers.create_business_center(name="Partner", admin=boss)
    share = shares.share_account(
        actor=world.administrator, ad_account=world.account, partner=partner, role=AccountRole.ADMINISTRATOR
    )
    shares.set_leads_too(actor=world.administrator, share=share, leads_too=True)
    business_centers.set_member(
        actor=boss, business_center=partner, user=world.administrator, role=BusinessCenterRole.ADMIN
    )
    holders = {holder.user: holder for holder in who_can_see(world.administrator, world.library).holders}
    assert ways(holders[world.administrator]) == [
        "Administrator of Brand ads",
        "through the share with Partner, leads too",
    ]


def test_looks_and_downloads_of_28_days_are_counted(world: World) -> None:
    happened(world, Act.LEAD_OPENED)
    happened(world, Act.EXPORT_DOWNLOADED, count=40)
    happened(world, Act.REFUSED)
    [holder] = who_can_see(world.administrator, world.library).holders
    assert (holder.looks, holder.downloads) == (2, 1)
    assert holder.last_look is not None


def test_the_days_of_a_person_are_utc_wherever_they_are_looked_at(world: World) -> None:
    happened(world, Act.LEAD_OPENED)
    here = seen_by(world.administrator, world.library, world.administrator.pk).days
    with timezone.override("Pacific/Kiritimati" if timezone.now().hour >= 12 else "Pacific/Niue"):  # on another day
        there = seen_by(world.administrator, world.library, world.administrator.pk).days
    assert [day.day for day in there] == [day.day for day in here] == [timezone.now().date()]


def test_only_tokens_that_read_leads_are_listed(world: World) -> None:
    create_token(user=world.administrator, name="reads", scopes=("leads:read",))
    create_token(user=world.administrator, name="forms", scopes=("forms:read",))
    create_token(user=world.operator, name="of an Operator")
    assert [token.name for token in who_can_see(world.administrator, world.library).tokens] == ["reads"]


def test_connection_is_confirmed_by_who_confirmed_it_in_this_custody(world: World) -> None:
    connection = world.connect()
    [row] = who_can_see(world.administrator, world.library).connections
    assert (row.live, row.confirmed_by, row.state_label) == (True, "Ada", "Connected")
    world.hand_over()
    [row] = who_can_see(world.client_admin, world.library).connections
    assert (row.live, row.confirmed_by, row.confirmed_at) == (False, "", None)
    assert row.state_label == "Waits for confirmation"
    confirm_connection(actor=world.client_admin, connection_id=connection.pk, waiting="send")
    [row] = who_can_see(world.client_admin, world.library).connections
    assert (row.live, row.confirmed_by) == (True, "Clio")


def test_api_tells_the_same_and_no_secret(world: World) -> None:
    create_token(user=world.administrator, name="reads", scopes=("leads:read",))
    world.connect()
    body = Caller(world.administrator).get(f"libraries/{world.library.pk}/access/").json()
    assert [(one["name"], one["ways"][0]["words"]) for one in body["people"]] == [("Ada", "Administrator of Brand ads")]
    assert {one["name"] for one in body["tokens"]} == {"reads", "test"}
    assert [(one["name"], one["live"], one["confirmed_by"]) for one in body["connections"]] == [("Hook", True, "Ada")]
    assert "192.0.2.1" not in str(body)
    assert Caller(world.operator).get(f"libraries/{world.library.pk}/access/").status_code == 403
    assert Caller(world.stranger).get(f"libraries/{world.library.pk}/access/").status_code == 404


@pytest.mark.parametrize("rows", [1, 3])
def test_access_page_asks_the_same_number_of_queries(world: World, rows: int) -> None:
    for number in range(rows):
        user = person(f"Extra{number}")
        ad_accounts.set_member(
            actor=world.administrator, ad_account=world.account, user=user, role=AccountRole.ADMINISTRATOR
        )
        create_token(user=user, name="reads")
        world.connect(created_by=user)
        partner = business_centers.create_business_center(name=f"Partner {number}", admin=person("Boss"))
        shares.share_account(
            actor=world.administrator, ad_account=world.account, partner=partner, role=AccountRole.OPERATOR
        )
    client = signed_in(world.administrator)
    client.get(f"/l/{world.library.pk}/access/")  # what is kept in memory is not counted
    with statements() as asked:
        client.get(f"/l/{world.library.pk}/access/")
    assert len(asked) == 23


def test_test_leads_are_not_among_the_leads_that_can_be_seen_and_handed_over(world: World) -> None:
    for is_test in (False, False, True):
        world.add_lead(is_test=is_test)
    client, place = signed_in(world.administrator), f"/l/{world.library.pk}"
    assert client.get(f"{place}/access/").context["leads"] == "2"
    touched = client.get(f"{place}/transfer/?to={world.client.pk}").context["touched"]
    assert dict(touched)["Leads, old and new"] == "2"


# ---- who has seen ----------------------------------------------------------------------------------------------------


def test_every_way_in_which_a_lead_was_seen_is_told(world: World) -> None:
    lead, other = world.add_lead(), world.add_lead(name="Bob")
    export, strange = new_id(), new_id()
    for act in (
        Act.LEADS_LISTED, Act.LEADS_SEARCHED, Act.LEAD_OPENED, Act.LEAD_REVEALED, Act.LEADS_READ, Act.CONSENT_READ,
    ):  # fmt: skip
        happened(world, act, targets=[lead.pk])
    happened(world, Act.EXPORT_MADE, targets=[export], manifest=[lead.pk, other.pk])
    happened(world, Act.EXPORT_DOWNLOADED, targets=[export])
    happened(world, Act.EXPORT_MADE, targets=[strange], manifest=[other.pk])
    happened(world, Act.EXPORT_DOWNLOADED, targets=[strange])
    happened(world, Act.LEADS_BACKFILLED, manifest=[lead.pk])
    delivered(world, lead)
    happened(world, Act.LEAD_CHANGED, targets=[lead.pk])
    acts = [event.act for event in who_has_seen(world.administrator, lead)]
    assert sorted(acts) == sorted(
        [
            Act.LEADS_LISTED, Act.LEADS_SEARCHED, Act.LEAD_OPENED, Act.LEAD_REVEALED, Act.LEADS_READ,
            Act.CONSENT_READ, Act.EXPORT_MADE, Act.EXPORT_DOWNLOADED, Act.LEADS_BACKFILLED, Act.LEADS_DELIVERED,
        ]
    )  # fmt: skip
    assert sorted(event.act for event in who_has_seen(world.administrator, other)) == sorted(
        [Act.EXPORT_MADE, Act.EXPORT_DOWNLOADED] * 2
    )


def test_a_lead_whose_bytes_lie_across_two_ids_was_not_in_that_file(world: World) -> None:
    lead = world.add_lead()
    first, second = lead.pk >> 32, lead.pk & 0xFFFFFFFF
    across = [1 << 32 | first, second << 32 | 7]
    assert audit.pack([lead.pk]) in audit.pack(across)
    happened(world, Act.EXPORT_MADE, manifest=across)
    assert who_has_seen(world.administrator, lead) == []
    happened(world, Act.EXPORT_MADE, manifest=[*across, lead.pk])
    assert [event.count for event in who_has_seen(world.administrator, lead)] == [3]


def delivered(world: World, lead: Lead) -> None:
    """A delivery that was settled now, with its attempt and the trail's event of the batch."""
    connection = world.connect()
    delivery = add_delivery(lead, connection, event_key="lead.created", state="done")
    DeliveryAttempt.objects.create(delivery=delivery, status=200, outcome="ok")
    with transaction.atomic():
        audit.record(Act.LEADS_DELIVERED, world.library, manifest=[lead.pk])


def test_drawer_and_api_tell_who_has_seen_the_lead(world: World) -> None:
    lead = world.add_lead()
    delivered(world, lead)
    Caller(world.administrator).get(f"leads/{lead.pk}/")
    page = signed_in(world.administrator).get(f"/l/{world.library.pk}/leads/{lead.pk}/").content.decode()
    assert "Who has seen this lead" in page
    assert "Sent this lead to its connections" in page
    results = Caller(world.administrator).get(f"leads/{lead.pk}/seen/").json()["results"]
    assert {row["act"] for row in results} == {"lead_opened", "lead_revealed", "leads_listed", "leads_delivered"}
    assert "count" not in results[0]
    assert Caller(world.operator).get(f"leads/{lead.pk}/seen/").status_code == 403
    assert Caller(world.stranger).get(f"leads/{lead.pk}/seen/").status_code == 404
    assert Caller(world.administrator, scopes=("leads:read",)).get(f"leads/{lead.pk}/seen/").status_code == 403


def test_partner_of_a_share_works_on_leads_and_is_not_told_who_looked(world: World) -> None:
    boss = person("Petra")
    partner = business_centers.create_business_center(
        name="Partner", admin=boss, two_factor=BusinessCenter.TwoFactor.NOBODY
    )
    share = shares.share_account(
        actor=world.administrator, ad_account=world.account, partner=partner, role=AccountRole.ADMINISTRATOR
    )
    shares.set_leads_too(actor=world.administrator, share=share, leads_too=True)
    lead = world.add_lead()
    happened(world, Act.LEAD_REVEALED, targets=[lead.pk])
    answer = signed_in(boss).get(f"/l/{world.library.pk}/leads/{lead.pk}/")
    page = answer.content.decode()
    assert answer.status_code == 200
    assert "Who has seen this lead" not in page
    assert "Ada revealed" not in page
    assert Caller(boss).get(f"leads/{lead.pk}/seen/").status_code == 403
    times = [row["who"] for row in Caller(boss).get(f"leads/{lead.pk}/timeline/").json()["results"]]
    assert "Ada" not in times


@pytest.mark.parametrize("place", ["leads", "leads/{lead}", "exports", "integrations", "privacy", "activity"])
def test_every_page_about_leads_leads_to_who_can_see_them(world: World, place: str) -> None:
    lead = world.add_lead()
    address = f"/l/{world.library.pk}/{place.format(lead=lead.pk)}/"
    page = signed_in(world.administrator).get(address).content.decode()
    main = page[page.index("<main") :]
    assert f'href="/l/{world.library.pk}/access/"' in main


def test_look_through_a_share_says_so_in_the_trail(world: World) -> None:
    boss = person("Petra")
    partner = business_centers.create_business_center(
        name="Partner", admin=boss, two_factor=BusinessCenter.TwoFactor.NOBODY
    )
    share = shares.share_account(
        actor=world.administrator, ad_account=world.account, partner=partner, role=AccountRole.ADMINISTRATOR
    )
    shares.set_leads_too(actor=world.administrator, share=share, leads_too=True)
    lead = world.add_lead()
    signed_in(boss).get(f"/l/{world.library.pk}/leads/{lead.pk}/")
    paths = {event.grant_path for event in who_has_seen(world.administrator, lead)}
    assert paths == {f"ad_account:{world.account.pk}:share"}
