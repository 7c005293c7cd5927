"""The drawer of a lead: its place in the list, what it leads to, and the work that is done from it."""

import re
from dataclasses import replace
from datetime import datetime, timedelta

import pytest
from django.test import Client
from django.utils import timezone
from time_machine import travel

from accounts.models import AccountRole, Act, AdAccount, AuditEvent, User
from accounts.services.ad_accounts import set_member
from leads.center.selectors.lives import timeline_of
from leads.center.selectors.neighbours import Neighbours, neighbours_of
from leads.center.services.finding_duplicates import find_stretch
from leads.center.services.following_up import follow_up_of, set_follow_up
from leads.center.services.noting import remove_note
from leads.center.services.working import Change, add_note, change_leads
from leads.models import Delivery, DeliveryAttempt, FollowUp, Lead
from leads.selection import Selection, with_search
from leads.vault.models import Note
from leads.vault.regions import alias_of
from leads.vault.values import Plain
from leadscenter.lib.paging import Cursor
from tests.counting import statements
from tests.world import World, add_delivery, make_connection, person

LAST = (1 << 63) - 1
QUERIES = 36
NIGHT, LOS_ANGELES = "2026-07-11T03:30Z", "America/Los_Angeles"


def client_of(world: World, who: str = "administrator") -> Client:
    client = Client()
    client.force_login(getattr(world, who))
    return client


def url(world: World, lead: Lead, part: str = "") -> str:
    return f"/l/{world.library.pk}/leads/{lead.pk}/{part}"


def test_neighbours_follow_the_order_of_the_list(world: World) -> None:
    first, second, third = (world.add_lead(name=f"Ann {n}") for n in ("One", "Two", "Three"))
    Lead.objects.update(received_at=timezone.now())  # of the very same moment: the id decides
    Lead.objects.update(contacted_at=timezone.now())
    for lead, days in ((first, 3), (second, 0.5), (third, 0.1)):
        lead.refresh_from_db()
        set_follow_up(actor=world.administrator, lead=lead, due_at=timezone.now() + timedelta(days=days))
        lead.refresh_from_db()
    newest = neighbours_of(second, world.library, Selection(), "received")
    assert newest == Neighbours(before=third.pk, after=first.pk, position=2, total=3)
    urgent = neighbours_of(second, world.library, Selection(), "attention")
    assert urgent == Neighbours(before=third.pk, after=None, position=2, total=2)
    filtered = neighbours_of(second, world.library, Selection(status="qualified"), "received")
    assert filtered == Neighbours(before=None, after=None, position=0, total=0)
    assert neighbours_of(second, world.library, Selection(), "change") == Neighbours()


@pytest.mark.parametrize("order", ["received", "attention"])
@pytest.mark.parametrize("filtered", [{}, {"delivery": "failed"}])
def test_test_leads_are_walked_through_and_counted_only_where_they_are_asked_for(
    world: World, order: str, filtered: dict[str, str]
) -> None:
    world.connect()
    leads = [world.add_lead(is_test=number == 1) for number in range(3)]
    Delivery.objects.update(state="dead")
    Lead.objects.update(attention_at=timezone.now())
    if order == "received":
        leads.reverse()
    for lead in leads:
        lead.refresh_from_db()
    (first, test, last), selection = leads, Selection(**filtered)  # type: ignore[arg-type]
    assert neighbours_of(first, world.library, selection, order) == Neighbours(None, test.pk, 1, 2)
    assert neighbours_of(last, world.library, selection, order) == Neighbours(test.pk, None, 2, 2)
    assert neighbours_of(test, world.library, selection, order) == Neighbours(first.pk, last.pk, 0, 2)
    only = replace(selection, test=True)
    assert neighbours_of(test, world.library, only, order) == Neighbours(None, None, 1, 1)


def test_neighbours_in_a_search_are_its_finds(world: World) -> None:
    first, _other, third = world.add_lead(name="Ann"), world.add_lead(name="Bob"), world.add_lead(name="Ann")
    selection = with_search(Selection(), world.library, "ann")
    assert neighbours_of(third, world.library, selection, "received") == Neighbours(None, first.pk, 1, 2)
    assert neighbours_of(first, world.library, selection, "received") == Neighbours(third.pk, None, 2, 2)
    assert neighbours_of(_other, world.library, selection, "received") == Neighbours(total=2)


def test_drawer_says_its_place_origin_duplicates_and_what_failed(world: World) -> None:
    lead, twin = world.add_lead(with_ad=True), world.add_lead()
    find_stretch(0, LAST)
    connection = world.connect()
    delivery = add_delivery(lead, connection, state="dead")
    page = client_of(world).get(url(world, lead), headers={"HX-Request": "true"}).content.decode()
    for text in ("2 of 2", "Spring", "Blue", "utm_source", f'href="{url(world, twin)}"', "Possible duplicates"):
        assert text in page
    assert page.count("known longest") == 0
    other = client_of(world).get(url(world, twin), headers={"HX-Request": "true"}).content.decode()
    assert "known longest" in other
    answer = client_of(world).post(url(world, lead, "resend/"), {"delivery": delivery.pk})
    assert answer.status_code == 302
    delivery.refresh_from_db()
    assert delivery.state == "pending"
    strange = client_of(world).post(url(world, twin, "resend/"), {"delivery": delivery.pk})
    assert strange.status_code == 404


def test_trail_says_where_a_lead_went_whatever_was_sent(world: World) -> None:
    lead, other = world.add_lead(), world.add_lead()
    client = client_of(world)

    def trail(shown: Lead) -> list[tuple[str, str]]:
        nodes = client.get(url(world, shown)).context["drawer"].trail
        return [(node.label, node.note) for node in nodes[4:]]

    assert trail(lead) == [("No CRM", "nothing was sent")]
    for name, events in (("Early", ("lead.created", "lead.updated")), ("Late", ("lead.updated",))):
        connection = world.connect(name)
        for event in events:
            add_delivery(
                lead, connection, event_key=f"{event}:{lead.pk}", state="done" if event == "lead.created" else "dead"
            )
    assert trail(lead) == [("Early", "Delivered"), ("Late", "Failed")]
    assert trail(other) == [("No CRM", "nothing was sent")]


def test_drawer_says_that_the_assignee_lost_access(world: World) -> None:
    lead, colleague = world.add_lead(), person("Cleo")
    set_member(actor=world.administrator, ad_account=world.account, user=colleague, role=AccountRole.ADMINISTRATOR)
    assigned = Change(assignee=colleague.pk)
    change_leads(actor=world.administrator, library=world.library, lead_ids=[lead.pk], change=assigned)
    client = client_of(world)
    shown = "Assigned to Cleo. Change"
    assert shown in client.get(url(world, lead), headers={"HX-Request": "true"}).content.decode()
    set_member(actor=world.administrator, ad_account=world.account, user=colleague, role=AccountRole.ANALYST)
    page = client.get(url(world, lead), headers={"HX-Request": "true"}).content.decode()
    assert shown not in page
    assert "Assigned to Cleo, no longer has access. Change" in page


def test_next_attempt_waits_for_the_breaker(world: World) -> None:
    lead, now = world.add_lead(), timezone.now()
    connection = world.connect(open_until=now + timedelta(hours=3))
    delivery = add_delivery(lead, connection, attempts=1, due_at=now - timedelta(hours=1))
    DeliveryAttempt.objects.create(delivery=delivery, status=500, outcome="retry", code="receiver_error", ms=12)
    client, held = client_of(world), f"Retry {now + timedelta(hours=3):%H:%M}"
    log = f"/l/{world.library.pk}/integrations/"
    for place in (url(world, lead), log, f"{log}deliveries/{delivery.pk}/"):
        assert held in client.get(place).content.decode(), place
    Delivery.objects.update(due_at=now + timedelta(hours=5))
    assert f"Retry {now + timedelta(hours=5):%H:%M}" in client.get(url(world, lead)).content.decode()
    User.objects.filter(pk=world.administrator.pk).update(time_zone="Asia/Kolkata")  # five and a half hours ahead
    assert f"Retry {now + timedelta(hours=10, minutes=30):%H:%M}" in client.get(url(world, lead)).content.decode()


def test_timeline_says_what_was_changed(world: World) -> None:
    lead, actor = world.add_lead(), world.administrator
    note = add_note(actor=actor, lead=lead, text="mine")
    for change in (
        Change(status="contacted"),
        Change(assignee=actor.pk),
        Change(assignee=None),
        Change(add_labels=["One", "Two"]),
        Change(remove_labels=["One"]),
    ):
        change_leads(actor=actor, library=world.library, lead_ids=[lead.pk], change=change)
    remove_note(actor=actor, lead=lead, note_id=note.pk)
    told = [moment.detail for moment in timeline_of(actor, lead) if moment.kind == Act.LEAD_CHANGED]
    assert told == [
        "a note taken off",
        "1 label taken off",
        "2 labels put on",
        "assigned to nobody",
        "assigned to Ada",
        "status: contacted",
    ]
    page = client_of(world).get(url(world, lead)).content.decode()
    timeline = page[page.index('id="timeline"') : page.index('id="seen"')]
    assert [text for text in told if text not in timeline] == []  # what differs is not told as one


def test_contact_is_recorded_and_the_status_offered_while_details_stay_in_sight(world: World) -> None:
    lead = world.add_lead()
    client = client_of(world)
    masked = client.get(url(world, lead)).content.decode()
    assert "tel:" not in masked
    assert "wa.me" not in masked
    shown = client.post(url(world, lead, "reveal/")).content.decode()
    assert 'href="tel:+4915112345678"' in shown
    assert 'href="https://wa.me/4915112345678"' in shown
    part = client.post(
        url(world, lead, "contacted/"), {"how": "call", "part": "1"}, headers={"HX-Request": "true"}
    ).content.decode()
    assert "Set the status to Contacted" in part
    assert "data-drawer" not in part
    lead.refresh_from_db()
    assert lead.contacted_at is not None
    assert lead.status == "raw"
    assert AuditEvent.objects.filter(act=Act.LEAD_CONTACTED, targets__object_id=lead.pk).count() == 1


def test_revealed_details_stay_in_sight_over_changes_with_a_trace_each(world: World) -> None:
    lead, htmx = world.add_lead(email="ann@example.com"), {"HX-Request": "true"}
    client = client_of(world)
    reveals = AuditEvent.objects.filter(act=Act.LEAD_REVEALED, targets__object_id=lead.pk).order_by("pk")

    # Who did not reveal the lead does not do so by changing it.
    asked = url(world, lead, "change/") + "?state=live&revealed=1"
    page = client.post(asked, {"status": "contacted"}, headers=htmx).content.decode()
    assert "ann@example.com" not in page
    assert "a•••@example.com" in page
    assert reveals.count() == 0

    # The page of a revealed lead sends its changes so that they keep it; only the drawer is in clear, not the row.
    shown = client.post(url(world, lead, "reveal/") + "?status=qualified", headers=htmx).content.decode()
    assert "status=qualified&amp;revealed=1" in shown
    masked_again = re.search(r'href="([^"]*)" hx-get="\1"[^>]*><svg.*?</svg>Mask again', shown, re.DOTALL)
    assert masked_again
    assert masked_again.group(1) == f"{url(world, lead)}?status=qualified"
    page = client.post(
        url(world, lead, "change/") + "?revealed=1", {"status": "qualified"}, headers=htmx
    ).content.decode()
    drawer, _aside, row = page.partition("</aside>")
    assert 'href="tel:+4915112345678"' in drawer
    assert "a•••@example.com" in row
    assert "ann@example.com" not in row
    assert list(reveals.values_list("purpose", "actor")) == [
        ("", world.administrator.pk),
        ("kept", world.administrator.pk),
    ]
    assert "kept contact details in sight" in client.get(url(world, lead)).content.decode()

    # A link and a page without htmx start masked.
    assert "ann@example.com" not in client.get(url(world, lead) + "?revealed=1", headers=htmx).content.decode()
    answer = client.post(url(world, lead, "change/") + "?revealed=1", {"status": "raw"})
    assert answer["Location"] == url(world, lead)
    assert reveals.count() == 2


def test_copy_gives_one_answer_and_leaves_the_trace_of_a_reveal(world: World) -> None:
    lead, elsewhere = world.add_lead(email="ann@example.com"), world.add_lead(name="Ann Elsewhere")
    client = client_of(world)
    page = client.get(url(world, lead)).content.decode()
    assert f'data-copy-url="{url(world, lead, "copied/")}" data-copy-key="email"' in page
    assert "ann@example.com" not in page
    answer = client.post(url(world, lead, "copied/"), {"key": "email"})
    assert answer.content == b"ann@example.com"
    assert answer["Content-Type"] == "text/plain; charset=utf-8"
    assert "no-store" in answer["Cache-Control"]
    event = AuditEvent.objects.get(act=Act.LEAD_REVEALED)
    assert (event.purpose, event.actor) == ("copied", world.administrator)
    assert list(event.targets.values_list("object_id", flat=True)) == [lead.pk]
    assert "copied contact details" in client.get(url(world, lead)).content.decode()

    # Nothing asked for, nobody's right, somebody else's library, the trash: no answer, no look in the trail.
    Lead.objects.filter(pk=elsewhere.pk).update(state=Lead.State.TRASHED, trashed_at=timezone.now())
    other = f"/l/{world.stranger_library.pk}/leads/{lead.pk}/copied/"
    tries = (
        ("administrator", url(world, lead, "copied/"), "nonsense", 400),
        ("administrator", url(world, elsewhere, "copied/"), "email", 404),
        ("administrator", other, "email", 404),
        ("stranger", other, "email", 404),
        ("operator", url(world, lead, "copied/"), "email", 403),
        ("stranger", url(world, lead, "copied/"), "email", 404),
    )
    for who, where, key, status in tries:
        refused = client_of(world, who).post(where, {"key": key})
        assert refused.status_code == status, (who, where)
        assert b"ann@example.com" not in refused.content
    assert AuditEvent.objects.filter(act=Act.LEAD_REVEALED).count() == 1


def test_follow_up_is_set_and_closed_from_the_drawer(world: World) -> None:
    lead = world.add_lead()
    client = client_of(world)
    client.post(url(world, lead, "follow-up/"), {"days": "3", "due": ""})
    found = follow_up_of(lead)
    assert found is not None
    assert timezone.localtime(found.due_at).hour == 9
    assert found.user == world.administrator
    client.post(url(world, lead, "follow-up/"), {"due": "nonsense"})
    assert follow_up_of(lead) == found
    client.post(url(world, lead, "follow-up/"), {"done": "1"})
    assert follow_up_of(lead) is None
    refused = client_of(world, "operator").post(url(world, lead, "follow-up/"), {"days": "1"})
    assert refused.status_code == 403
    assert FollowUp.objects.filter(done_at=None).count() == 0


@pytest.mark.parametrize(
    ("now", "account", "own", "sent", "due", "shown"),
    [
        # Early on the 11th in UTC and in Berlin, still the 10th in America.
        (NIGHT, "Europe/Berlin", "", {"days": "1"}, "2026-07-12T07:00Z", "12 Jul, 09:00"),
        (NIGHT, "America/New_York", "", {"days": "1"}, "2026-07-11T13:00Z", "11 Jul, 09:00"),
        (NIGHT, "Europe/Berlin", LOS_ANGELES, {"days": "1"}, "2026-07-11T16:00Z", "11 Jul, 09:00"),
        (NIGHT, "Europe/Berlin", "", {"due": "2026-07-13T14:30"}, "2026-07-13T12:30Z", "13 Jul, 14:30"),
        (NIGHT, "UTC", "America/New_York", {"due": "2026-07-13T14:30"}, "2026-07-13T18:30Z", "13 Jul, 14:30"),
        # Past in UTC, still to come in Los Angeles: today, with a clock time alone.
        (NIGHT, LOS_ANGELES, "", {"due": "2026-07-10T21:00"}, "2026-07-11T04:00Z", "21:00:00"),
        # An hour that Berlin leaves out is the one after it; of one that it has twice, the first.
        ("2026-03-01T12:00Z", "Europe/Berlin", "", {"due": "2026-03-29T02:30"}, "2026-03-29T01:30Z", "29 Mar, 03:30"),
        ("2026-10-01T12:00Z", "Europe/Berlin", "", {"due": "2026-10-25T02:30"}, "2026-10-25T00:30Z", "25 Oct, 02:30"),
        ("2026-10-01T12:00Z", "Europe/Berlin", "", {"due": "2026-10-25T09:00Z"}, "2026-10-25T09:00Z", "25 Oct, 10:00"),
    ],
)
def test_a_follow_up_is_read_and_shown_in_the_zone_that_the_drawer_names(
    world: World, now: str, account: str, own: str, sent: dict[str, str], due: str, shown: str
) -> None:
    AdAccount.objects.filter(pk=world.account.pk).update(time_zone=account)
    User.objects.filter(pk=world.administrator.pk).update(time_zone=own)
    lead = world.add_lead()
    with travel(datetime.fromisoformat(now), tick=False):
        client = client_of(world)
        client.post(url(world, lead, "follow-up/"), sent)
        found = follow_up_of(lead)
        assert found is not None
        assert found.due_at == datetime.fromisoformat(due)
        drawer = client.get(url(world, lead), headers={"HX-Request": "true"}).content.decode()
    assert f">{shown}</time> {found.user}" in drawer
    assert f'id="follow-up-zone">Times in {own or account}<' in drawer


@pytest.mark.parametrize(
    ("part", "sent", "said"),
    [
        ("follow-up/", {"due": "2020-01-01T10:00"}, "Choose a time from now on, within a year."),
        ("follow-up/", {"due": "nonsense"}, "Choose a day and a time."),
        ("follow-up/", {"days": "1", "user": "x"}, "Use the id: a number."),
        ("contacted/", {"how": "pigeon", "part": "1"}, "Use one of: call, mail, whatsapp."),
        ("note/", {"text": "  "}, "Write 1 to 4000 characters."),
        ("change/", {"label_on": "ann@example.com"}, "A label is a word to sort by, never a person&#x27;s data."),
        ("change/", {"assignee": "x"}, "Use the id: a number."),
    ],
)
def test_what_is_refused_says_so_at_once_and_leaves_the_drawer(
    world: World, part: str, sent: dict[str, str], said: str
) -> None:
    lead, client = world.add_lead(), client_of(world)
    before = Lead.objects.values().get(pk=lead.pk)
    answer = client.post(url(world, lead, part), sent, headers={"HX-Request": "true"})
    text = answer.content.decode()
    assert (answer["HX-Retarget"], answer["HX-Reswap"]) == ("#toasts", "beforeend")
    assert text.count('data-toast="error"') == 1
    assert said in text
    assert "data-drawer" not in text
    assert Lead.objects.values().get(pk=lead.pk) == before
    assert not FollowUp.objects.exists()
    assert said not in client.get(url(world, lead)).content.decode()  # said once

    # Without htmx the lead's page says it.
    assert said in client.post(url(world, lead, part), sent, follow=True).content.decode()


def test_a_delivery_that_cannot_be_sent_again_says_so_beside_the_drawer_as_it_stands_now(world: World) -> None:
    lead = world.add_lead()
    answer = client_of(world).post(url(world, lead, "resend/"), {"delivery": "x"}, headers={"HX-Request": "true"})
    text = answer.content.decode()
    assert '<div hx-swap-oob="beforeend:#toasts"><div class="toast" data-toast="error"' in text
    assert f'data-drawer="{lead.pk}"' in text


def test_follow_up_and_contact_by_api(world: World) -> None:
    lead = world.add_lead()
    client = client_of(world)
    at = f"/api/v1/leads/{lead.pk}/follow-up/"
    assert client.get(at).status_code == 404
    due = (timezone.now() + timedelta(days=2)).replace(microsecond=0)
    answer = client.put(at, {"due_at": due.isoformat()}, content_type="application/json")
    assert answer.status_code == 200, answer.content
    assert client.get(at).json()["due_at"] == due.isoformat().replace("+00:00", "Z")
    wrong = client.put(at, {"due_at": "2026-01-01T00:00:00"}, content_type="application/json")
    assert wrong.status_code == 400
    assert client.delete(at).status_code == 204
    assert client.delete(at).status_code == 404
    told = client.post(f"/api/v1/leads/{lead.pk}/contacted/", {"how": "mail"}, content_type="application/json")
    lead.refresh_from_db()
    assert lead.contacted_at is not None
    assert told.json() == {"contacted_at": lead.contacted_at.isoformat().replace("+00:00", "Z")}


def test_own_note_is_taken_back_with_a_trail_and_a_strange_one_is_not(world: World) -> None:
    lead = world.add_lead()
    notes = Note.objects.using(alias_of(lead.region))
    add_note(actor=world.administrator, lead=lead, text="mine")
    Note(lead_id=lead.pk, library_id=world.library.pk, region="eu", author_id=7, sealed=Plain("theirs")).save(
        using=alias_of("eu"), force_insert=True
    )
    mine, theirs = notes.get(author_id=world.administrator.pk), notes.get(author_id=7)
    client = client_of(world)
    page = client.get(url(world, lead)).content.decode()
    assert page.count("Delete my note") == page.count("The note is deleted for good.") == 1
    assert client.post(url(world, lead, "note/"), {"remove": theirs.pk}).status_code == 404
    assert client.post(url(world, lead, "note/"), {"remove": mine.pk}).status_code == 302
    assert list(notes.values_list("pk", flat=True)) == [theirs.pk]
    event = AuditEvent.objects.get(act=Act.LEAD_CHANGED)
    assert event.detail["notes_off"] == 1


@pytest.mark.parametrize("others", [1, 12])
def test_drawer_asks_the_same_number_of_queries(world: World, others: int) -> None:
    lead = world.add_lead()
    for number in range(others):
        world.add_lead(name=f"Ann {number}")
        add_note(actor=world.administrator, lead=lead, text="called")
    find_stretch(0, LAST)
    client = client_of(world)
    client.get(url(world, lead), headers={"HX-Request": "true"})
    with statements() as asked:
        page = client.get(url(world, lead), headers={"HX-Request": "true"}).content.decode()
    assert page.count("Delete my note") == others
    assert len(asked) == QUERIES


def test_in_the_trash_the_clock_says_when_the_lead_goes(world: World) -> None:
    """In drawer and list, whatever it said before: thirty days from its deletion, unless its time is up sooner."""
    early, late = world.add_lead(), world.add_lead(is_test=True)
    moment = timezone.now()
    Lead.objects.filter(pk=early.pk).update(received_at=moment - timedelta(days=80), contacted_at=moment)
    Lead.objects.update(state=Lead.State.TRASHED, trashed_at=moment)
    goes = {early.pk: moment + timedelta(days=10), late.pk: moment + timedelta(days=30)}
    client = client_of(world)
    for lead in (early, late):
        clock = client.get(url(world, lead)).context["drawer"].clock
        assert (clock.kind, clock.at) == ("going", goes[lead.pk])
    rows = client.get(f"/l/{world.library.pk}/leads/?state=trashed").context["page"].rows
    assert {row.id: (row.clock.kind, row.clock.at) for row in rows} == {pk: ("going", at) for pk, at in goes.items()}


@pytest.mark.parametrize("order", ["attention", "change"])
def test_whoever_changes_a_lead_walks_on_from_where_it_stood(world: World, order: str) -> None:
    leads = [world.add_lead(name=f"Ann {n}") for n in range(4)]
    for n, lead in enumerate(leads):  # the list in both orders: the first is the most urgent, and was changed last
        moment = timezone.now() - timedelta(minutes=n)
        Lead.objects.filter(pk=lead.pk).update(
            attention_at=timezone.now() + timedelta(minutes=n), status_changed_at=moment, contacted_at=moment
        )
    client = client_of(world)
    opened = client.get(url(world, leads[1], f"?sort={order}")).context["drawer"]
    ways = [(opened.before, opened.after)]
    assert [way.partition("?")[0] for way in ways[0]] == [url(world, leads[0]), url(world, leads[2])]
    drawer = opened
    for posted in ({"status": "qualified"}, {"assignee": str(world.administrator.pk)}, {"status": "converted"}):
        drawer = client.post(drawer.change_url, posted, headers={"HX-Request": "true"}).context["drawer"]
        ways.append((drawer.before, drawer.after))
    assert set(ways) == {ways[0]}
    assert drawer.position == {"attention": "", "change": "2 of 4"}[order]
    assert "stood" not in drawer.address + drawer.before + drawer.after + drawer.back
    moved = client.get(url(world, leads[1], f"?sort={order}")).context["drawer"]
    assert (moved.before, moved.after) != ways[0]
    # Without a script the page itself holds the place.
    page = client.post(drawer.change_url, {"status": "raw"}, follow=True)
    assert (page.context["drawer"].before, page.context["drawer"].after) == ways[0]


@pytest.mark.parametrize("made_up", ["x", "%00", "a" * 500, "other lead", "other order", "other time"])
def test_a_place_that_is_made_up_leads_to_nothing_that_is_not_in_the_list(world: World, made_up: str) -> None:
    lead, other = world.add_lead(), world.add_lead()
    strange = world.add_lead(library=world.stranger_library)
    places = {
        "other lead": Cursor("attention_at", timezone.now() + timedelta(days=900), strange.pk),
        "other order": Cursor("-received_at", timezone.now() + timedelta(days=900), lead.pk),
        "other time": Cursor("attention_at", timezone.now() + timedelta(days=900), lead.pk),
    }
    place = places[made_up].encode() if made_up in places else made_up
    drawer = client_of(world).get(url(world, lead, f"?sort=attention&stood={place}")).context["drawer"]
    there = url(world, other, "?sort=attention")
    assert (drawer.before, drawer.after) == ((there, "") if made_up == "other time" else ("", there))


def test_a_long_timeline_says_how_much_is_earlier_and_holds_it(world: World) -> None:
    lead = world.add_lead()
    delivery = add_delivery(lead, make_connection(world.library, world.administrator))
    tries = [DeliveryAttempt(delivery=delivery, status=500 + number, outcome="retry") for number in range(45)]
    DeliveryAttempt.objects.bulk_create(tries)
    page = client_of(world).get(url(world, lead)).content.decode()
    timeline = page[page.index('id="timeline"') : page.index('id="seen"')]
    shown, _said, earlier = timeline.partition("<details>")
    rows = len(re.findall("<li>", timeline))
    assert (len(re.findall("<li>", shown)), rows - 40 >= 6) == (40, True)
    assert f"Show {rows - 40} earlier entries" in earlier
    assert "Submitted" in earlier
