"""Integrations and exports as pages: what is shown once, what is masked, what works from a form."""

import re

import pytest
from django.test import Client
from django.utils import timezone

from accounts.models import Act, AuditEvent, User
from leads.crm.preparing import thin_at
from leads.crm.services.connections import create_connection
from leads.crm.services.deliveries import backfill
from leads.crm.unseal import credentials_of
from leads.exports.services.asking import request_export
from leads.models import Connection, Delivery, DeliveryAttempt
from leads.selection import Selection
from leads.vault.models import ResponseExcerpt
from leads.vault.regions import alias_of
from leads.vault.sealing import seal
from leads.vault.values import Owner
from tests.callers import Caller
from tests.world import World, make_world

pytestmark = pytest.mark.django_db


def signed_in(user: User) -> Client:
    client = Client()
    client.force_login(user)
    return client


def url(world: World, rest: str = "") -> str:
    return f"/l/{world.library.pk}/integrations/{rest}"


@pytest.fixture
def hubspot(world: World) -> Connection:
    return create_connection(
        actor=world.administrator,
        library=world.library,
        kind="hubspot",
        name="HubSpot",
        credentials={"token": "pat-canary-17"},
    ).connection


def test_without_a_connection_the_page_says_what_to_do(world: World) -> None:
    assert "No CRM is connected" in signed_in(world.administrator).get(url(world)).content.decode()


def test_webhook_secret_is_shown_once(world: World) -> None:
    client = signed_in(world.administrator)
    page = client.post(url(world, "new/webhook/"), {"name": "Hook", "url": "https://example.com/in"}).content.decode()
    shown = re.search(r"whsec_[\w+/=-]+", page)
    assert shown
    pk = Connection.objects.get().pk
    for place in ("", f"{pk}/"):
        assert shown.group() not in client.get(url(world, place)).content.decode()


def test_bad_address_is_named_at_its_field(world: World) -> None:
    client = signed_in(world.administrator)
    answer = client.post(url(world, "new/webhook/"), {"name": "Hook", "url": "https://127.0.0.1/in"})
    assert answer.status_code == 400
    assert "This address cannot be used" in answer.content.decode()
    assert not Connection.objects.exists()


def test_token_never_comes_back(world: World, hubspot: Connection) -> None:
    client = signed_in(world.administrator)
    for place in ("", f"{hubspot.pk}/"):
        assert "pat-canary-17" not in client.get(url(world, place)).content.decode()


def test_mapping_is_saved_line_by_line(world: World, hubspot: Connection) -> None:
    client = signed_in(world.administrator)
    client.post(url(world, f"{hubspot.pk}/"), {"name": "HubSpot", "lines": "wish = wish_text\n\nname=full_name"})
    hubspot.refresh_from_db()
    assert hubspot.mapping == [{"from": "wish", "to": "wish_text"}, {"from": "name", "to": "full_name"}]


def test_address_and_ids_only_of_a_webhook_are_changed_on_its_page(world: World) -> None:
    hook = create_connection(
        actor=world.administrator, library=world.library, kind="webhook", name="Hook", url="https://example.com/in"
    )
    assert hook.secret
    row, pk, client = (
        Connection.objects.filter(pk=hook.connection.pk),
        hook.connection.pk,
        signed_in(world.administrator),
    )
    row.update(breaker_step=2, open_until=timezone.now(), state_reason="a delivery was given up")
    assert 'value="https://example.com/in"' in client.get(url(world, f"{pk}/")).content.decode()

    # The name alone: nothing else is touched.
    client.post(url(world, f"{pk}/"), {"name": "Our CRM", "url": "https://example.com/in"})
    assert row.values_list("name", "url", "breaker_step").get() == ("Our CRM", "https://example.com/in", 2)
    assert thin_at(row.get().options, timezone.now()) is False
    assert AuditEvent.objects.filter(act=Act.CONNECTION_CHANGED).latest("pk").detail["changed"] == "name"

    # The same host keeps the secret and starts anew; the payload's form changes from now on.
    answer = client.post(url(world, f"{pk}/"), {"name": "Our CRM", "url": "https://example.com/new", "thin": "on"})
    assert answer["Location"] == url(world, f"{pk}/")
    assert row.values_list("url", "breaker_step", "open_until", "state_reason").get() == (
        "https://example.com/new", 0, None, "",
    )  # fmt: skip
    assert thin_at(row.get().options, timezone.now()) is True
    assert secrets_of(row.get()) == [hook.secret]

    # Another host gets a new one, shown once.
    posted = {"name": "Our CRM", "url": "https://example.org/in", "thin": "on"}
    page = client.post(url(world, f"{pk}/"), posted).content.decode()
    shown = re.search(r"whsec_[\w+/=-]+", page)
    assert shown
    assert shown.group() != hook.secret
    assert secrets_of(row.get()) == [shown.group()]
    assert "the old secret is not used any more" in page
    assert row.get().url == "https://example.org/in"
    assert "whsec_" not in client.get(url(world, f"{pk}/")).content.decode()


def test_bad_new_address_changes_nothing(world: World) -> None:
    hook = create_connection(
        actor=world.administrator, library=world.library, kind="webhook", name="Hook", url="https://example.com/in"
    ).connection
    posted = {"name": "Other", "url": "https://127.0.0.1/in", "thin": "on"}
    answer = signed_in(world.administrator).post(url(world, f"{hook.pk}/"), posted)
    assert answer.status_code == 400
    assert "This address cannot be used" in answer.content.decode()
    assert Connection.objects.values_list("name", "url", "options").get() == (hook.name, hook.url, hook.options)


def secrets_of(connection: Connection) -> list[str]:
    return [one["secret"] for one in credentials_of([connection])[connection.pk]["secrets"]]


@pytest.mark.parametrize("act", ["pause", "resume"])
def test_pause_and_resume(world: World, hubspot: Connection, act: str) -> None:
    client = signed_in(world.administrator)
    client.post(url(world, f"{hubspot.pk}/pause/"))
    if act == "resume":
        client.post(url(world, f"{hubspot.pk}/resume/"))
    hubspot.refresh_from_db()
    assert hubspot.state == {"pause": "paused", "resume": "active"}[act]


def test_removing_asks_for_the_name(world: World, hubspot: Connection) -> None:
    client = signed_in(world.administrator)
    client.post(url(world, f"{hubspot.pk}/remove/"), {"typed": "hub"})
    assert Connection.objects.get().removed_at is None
    client.post(url(world, f"{hubspot.pk}/remove/"), {"typed": "HubSpot"})
    assert Connection.objects.get().removed_at is not None


def test_failed_delivery_says_cause_and_fix_and_masks_the_request(world: World, hubspot: Connection) -> None:
    world.add_lead()
    delivery = Delivery.objects.get()
    DeliveryAttempt.objects.create(delivery=delivery, status=400, outcome="config", code="unknown_property", ms=12)
    Delivery.objects.update(state="dead", attempts=1, settled_at=timezone.now())
    client = signed_in(world.administrator)
    assert "Why" in client.get(url(world)).content.decode()
    page = client.get(url(world, f"deliveries/{delivery.pk}/")).content.decode()
    assert "The mapping names a property that does not exist in HubSpot." in page
    assert "api.hubapi.com/crm/v3/objects/contacts/batch/upsert" in page
    assert "a•••@example.com" in page
    assert "ann@example.com" not in page
    assert "pat-canary-17" not in page
    client.post(url(world, f"deliveries/{delivery.pk}/resend/"))
    delivery.refresh_from_db()
    assert delivery.state == "pending"


def test_what_a_receiver_answered_is_shown_on_demand_and_leaves_a_trace(world: World, hubspot: Connection) -> None:
    lead = world.add_lead()
    delivery = Delivery.objects.get()
    said = "<b>ann@example.com</b> is taken"
    for code, text in (("http_503", ""), ("conflict", said)):
        attempt = DeliveryAttempt.objects.create(delivery=delivery, status=409, outcome="dead", code=code, ms=12)
        if text:
            owner = Owner(world.library.pk, lead.region, attempt.pk)
            ResponseExcerpt.objects.using(alias_of(lead.region)).create(
                attempt_id=attempt.pk,
                lead_id=lead.pk,
                library_id=world.library.pk,
                region=lead.region,
                sealed=seal("excerpt/1", owner, text),
            )
    client, here = signed_in(world.administrator), url(world, f"deliveries/{delivery.pk}/")
    page = client.get(here).content.decode()
    assert ("Show its answer" in page, "is taken" in page) == (True, False)
    looks = AuditEvent.objects.filter(act=Act.LEAD_REVEALED)
    assert looks.count() == 0

    shown = client.post(f"{here}answers/")
    page = shown.content.decode()
    assert "Answer to attempt 2" in page
    assert "Answer to attempt 1" not in page
    assert "&lt;b&gt;ann@example.com&lt;/b&gt; is taken" in page
    assert said not in page
    assert "no-store" in shown["Cache-Control"]
    assert [event.purpose for event in looks] == ["delivery"]

    rest = f"deliveries/{delivery.pk}/answers/"
    refusals = [
        *(signed_in(one).post(f"{here}answers/") for one in (world.operator, make_world().administrator)),
        *(Caller(one).get(rest) for one in (world.operator, make_world().administrator)),
        *(Caller(world.administrator, scopes=(one,)).get(rest) for one in ("crm", "leads:read")),
    ]
    for refused in refusals:
        assert refused.status_code in (403, 404)
        assert b"is taken" not in refused.content
    assert looks.all().count() == 1
    answer = Caller(world.administrator, scopes=("crm", "leads:read")).get(rest)
    assert answer.json() == {"results": [{"attempt": 2, "text": said}]}
    assert looks.all().count() == 2


@pytest.mark.parametrize(
    ("state", "attempts", "word"),
    [("pending", 0, "Queued"), ("pending", 1, "Retry"), ("done", 1, "Delivered"), ("dead", 1, "Failed")],
)
def test_log_and_delivery_say_how_it_stands(
    world: World, hubspot: Connection, state: str, attempts: int, word: str
) -> None:
    world.add_lead()
    delivery = Delivery.objects.get()
    for _number in range(attempts):
        DeliveryAttempt.objects.create(delivery=delivery, status=503, outcome="retry", code="http_503", ms=12)
    settled = None if state == "pending" else timezone.now()
    Delivery.objects.update(state=state, attempts=attempts, settled_at=settled)
    client = signed_in(world.administrator)
    log = client.get(url(world)).content.decode().partition("<tbody>")[2]
    assert "1 deliveries, times in UTC" in log
    page = client.get(url(world, f"deliveries/{delivery.pk}/")).content.decode()
    for shown in (log, page):
        badge = re.search(r'<span class="state[^"]*"><svg.*?</svg>([^<]*)</span>', shown, re.DOTALL)
        assert badge
        assert badge.group(1).split()[0] == word
        assert "no destination" not in shown


def test_log_goes_on_over_all_connections(world: World, hubspot: Connection) -> None:
    other = create_connection(
        actor=world.administrator, library=world.library, kind="webhook", name="Hook", url="https://example.com/in"
    ).connection
    for number in range(30):
        world.add_lead(name=f"Lead {number}", email=f"lead{number}@example.com")
    assert Delivery.objects.count() == 60
    client = signed_in(world.administrator)
    seen: list[str] = []
    address = url(world)
    for _page in range(3):
        page = client.get(address).content.decode()
        seen += re.findall(r"integrations/deliveries/(\d+)/", page)
        older = re.search(r'href="(\?[^"]*cursor=[^"]*)#log"', page)
        address = url(world) + older.group(1).replace("&amp;", "&") if older else ""
    assert address == ""
    assert sorted(seen) == sorted(str(pk) for pk in Delivery.objects.values_list("pk", flat=True))
    only = client.get(f"{url(world)}?connection={other.pk}").content.decode()
    assert set(re.findall(r"integrations/deliveries/(\d+)/", only)) <= {
        str(pk) for pk in other.deliveries.values_list("pk", flat=True)
    }


def test_operator_and_stranger_do_not_reach_integrations(world: World, hubspot: Connection) -> None:
    assert signed_in(world.operator).get(url(world)).status_code == 403
    assert signed_in(world.stranger).get(url(world, f"{hubspot.pk}/")).status_code == 404
    assert signed_in(world.operator).post(url(world, f"{hubspot.pk}/pause/")).status_code == 403
    hubspot.refresh_from_db()
    assert hubspot.state == "active"


def test_backfill_sends_what_is_here_already(world: World, hubspot: Connection) -> None:
    world.add_lead()
    Delivery.objects.all().delete()
    assert backfill(actor=world.administrator, connection_id=hubspot.pk) == 0  # ten seconds are left to late commits


def test_exports_page_lists_what_was_asked_for(world: World) -> None:
    client = signed_in(world.administrator)
    assert "No export yet" in client.get(f"/l/{world.library.pk}/exports/").content.decode()
    request_export(actor=world.administrator, library=world.library, selection=Selection())
    page = client.get(f"/l/{world.library.pk}/exports/").content.decode()
    assert "Waiting" in page
    assert "every 2s" in page
    assert signed_in(world.analyst).get(f"/l/{world.library.pk}/exports/").status_code == 403


@pytest.mark.parametrize("rest", ["", "secret/", "pause/", "test/", "remove/"])
def test_a_connection_of_ones_own_opens_no_page_of_another_library(
    world: World, hubspot: Connection, rest: str
) -> None:
    foreign, client = world.stranger_library, signed_in(world.administrator)
    names = (foreign.ad_account.name, foreign.ad_account.business_center.name)
    client.get(url(world))
    before, events = Connection.objects.values().get(), AuditEvent.objects.count()
    assert client.get(url(world, f"{hubspot.pk}/")).status_code == 200
    for method in ("get", "post") if not rest else ("post",):
        answer = getattr(client, method)(f"/l/{foreign.pk}/integrations/{hubspot.pk}/{rest}", {"typed": "HubSpot"})
        assert answer.status_code == 404
        assert not [name for name in names if f">{name}<" in answer.content.decode() or f"run by {name}" in str(answer)]
        assert client.session["ad_account"] == world.account.pk
    assert (Connection.objects.values().get(), AuditEvent.objects.count()) == (before, events)
