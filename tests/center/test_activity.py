"""The trail as its holders read it: filters, files, every scope, and nobody else's."""

import csv
import re
from datetime import timedelta
from typing import Any
from urllib.parse import unquote

import pytest
from django.db import transaction
from django.test import Client
from django.utils import timezone

from accounts import audit
from accounts.access import Refused
from accounts.models import Act, AuditEvent, BusinessCenter, Scope, User
from accounts.services.tokens import create_token
from leads.center.selectors.activity import GROUPS, TrailFilter, parts_of_trail
from tests.callers import Caller
from tests.counting import statements
from tests.triggers import unprotected
from tests.world import World, says

pytestmark = pytest.mark.django_db


def signed_in(user: User) -> Client:
    client = Client()
    client.force_login(user)
    return client


def did(scope: Any, act: Act, *, actor: User, **told: Any) -> int:
    with transaction.atomic():
        return audit.record(act, scope, actor=actor, **told)


def rows_of(answer: Any) -> list[dict[str, str]]:
    text = b"".join(answer.streaming_content).decode()
    return list(csv.DictReader(text.splitlines()))


def library_url(world: World) -> str:
    return f"/l/{world.library.pk}/activity/"


def test_every_act_is_in_one_group_or_a_refusal() -> None:
    grouped = [act for _label, acts in GROUPS.values() for act in acts]
    assert len(grouped) == len(set(grouped))
    assert set(grouped) | {Act.REFUSED} == set(Act)


@pytest.mark.parametrize(
    ("query", "shown", "hidden"),
    [
        ("group=looks", "opened a lead", "was refused"),
        ("group=exports", "downloaded an export", "opened a lead"),
        ("refused=1", "was refused", "opened a lead"),
        ("act=lead_opened", "opened a lead", "downloaded an export"),
        ("actor={operator}", "was refused", "downloaded an export"),
        ("since=2020-01-01&until=2020-02-01", "No entry of the trail matches", "opened a lead"),
    ],
)
def test_library_page_filters(world: World, query: str, shown: str, hidden: str) -> None:
    did(world.library, Act.LEAD_OPENED, actor=world.administrator)
    did(world.library, Act.EXPORT_DOWNLOADED, actor=world.administrator)
    did(world.library, Act.REFUSED, actor=world.operator, can="view_leads")
    query = query.format(operator=world.operator.pk)
    page = signed_in(world.administrator).get(f"{library_url(world)}?{query}").content.decode()
    assert shown in page
    assert hidden not in page


@pytest.mark.parametrize("query", ["group=secrets", "act=nothing", "actor=me", "since=soon", "refused=maybe"])
def test_bad_filter_is_bad_input(world: World, query: str) -> None:
    assert signed_in(world.administrator).get(f"{library_url(world)}?{query}").status_code == 400


def test_filter_offers_the_people_of_the_trail(world: World) -> None:
    did(world.library, Act.REFUSED, actor=world.operator, can="view_leads")
    page = signed_in(world.administrator).get(library_url(world)).content.decode()
    assert f'<option value="{world.operator.pk}">{world.operator}</option>' in page
    assert str(world.analyst) not in page


def test_file_holds_what_the_filter_says_and_is_recorded(world: World) -> None:
    did(world.library, Act.LEAD_OPENED, actor=world.administrator, grant_path="somehow")
    did(world.library, Act.EXPORT_DOWNLOADED, actor=world.administrator)
    answer = signed_in(world.administrator).get(f"{library_url(world)}?group=looks&download=csv")
    assert answer["Content-Type"] == "text/csv; charset=utf-8"
    assert answer["Content-Disposition"].startswith(f'attachment; filename="activity-library-{world.library.pk}-')
    [row] = rows_of(answer)
    assert (row["act"], row["who"], row["by right of"], row["count"]) == ("lead_opened", "Ada", "somehow", "1")
    event = AuditEvent.objects.get(act=Act.TRAIL_DOWNLOADED)
    assert (event.actor, event.scope_id, event.detail) == (
        world.administrator,
        world.library.pk,
        {"about": "looks"},
    )


def test_cells_of_the_file_run_in_no_spreadsheet(world: World) -> None:
    User.objects.filter(pk=world.administrator.pk).update(name="=1+1")
    did(world.library, Act.LEAD_OPENED, actor=world.administrator, words="@SUM(A1)")
    answer = signed_in(world.administrator).get(f"{library_url(world)}?download=csv")
    row = next(row for row in rows_of(answer) if row["act"] == "lead_opened")
    assert row["who"] == "'=1+1"
    assert not any(cell.startswith(("=", "+", "-", "@")) for cell in row.values())


def test_file_is_written_part_by_part_and_stops_with_the_right(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    ids = [did(world.library, Act.LEAD_OPENED, actor=world.administrator) for _look in range(5)]
    wanted = TrailFilter(act=Act.LEAD_OPENED)
    parts = list(parts_of_trail(world.administrator, world.library, wanted, size=2))
    assert [[event.pk for event in part] for part in parts] == [ids[4:2:-1], ids[2:0:-1], ids[:1]]
    under_way = parts_of_trail(world.administrator, world.library, wanted, size=2)
    assert len(next(under_way)) == 2
    world.hand_over()
    with pytest.raises(Refused):
        next(under_way)
    assert AuditEvent.objects.get(act=Act.REFUSED).detail == {"can": "view_trail"}


def test_account_page_shows_the_account_and_never_a_look(world: World) -> None:
    world.add_lead()
    client = signed_in(world.administrator)
    client.get(f"/l/{world.library.pk}/leads/")
    address = f"/a/{world.account.pk}/activity/"
    page = client.get(address).content.decode()
    assert "added a member" in page
    assert "looked at a list" not in page
    assert "/alarms/" not in page
    assert {row["act"] for row in rows_of(client.get(f"{address}?download=csv"))} >= {"member_added"}
    assert signed_in(world.operator).get(address).status_code == 403
    assert signed_in(world.operator).get(f"{address}?download=csv").status_code == 403
    assert signed_in(world.stranger).get(address).status_code == 404


def test_business_center_page_is_its_admins(world: World) -> None:
    address = f"/b/{world.client.pk}/activity/"
    page = signed_in(world.client_admin).get(address).content.decode()
    assert "created a Business Center" in page
    assert "Activity of Client" in page
    file = signed_in(world.client_admin).get(f"{address}?download=csv")
    assert "business_center_created" in {row["act"] for row in rows_of(file)}
    for user in (world.administrator, world.stranger):
        assert signed_in(user).get(address).status_code == 404
        assert signed_in(user).get(f"{address}?download=csv").status_code == 404


def test_own_page_shows_what_oneself_did_on_the_platform(world: World) -> None:
    create_token(user=world.administrator, name="mine")
    create_token(user=world.operator, name="theirs")
    client = signed_in(world.administrator)
    page = client.get("/settings/activity/").content.decode()
    assert "mine" in page
    assert "theirs" not in page
    names = {row["detail"] for row in rows_of(client.get("/settings/activity/?download=csv"))}
    assert "token name: mine" in names
    assert not any("theirs" in name for name in names)
    other = client.get(f"/settings/activity/?actor={world.operator.pk}").content.decode()
    assert "theirs" not in other
    assert AuditEvent.objects.get(act=Act.TRAIL_DOWNLOADED).scope == Scope.PLATFORM


def test_trail_follows_the_leads_and_the_accounts_own_stays(world: World) -> None:
    did(world.library, Act.LEAD_OPENED, actor=world.administrator)
    world.hand_over()
    assert "opened a lead" in signed_in(world.client_admin).get(library_url(world)).content.decode()
    assert signed_in(world.administrator).get(library_url(world)).status_code == 403
    assert signed_in(world.administrator).get(f"/a/{world.account.pk}/activity/").status_code == 200
    assert signed_in(world.client_admin).get(f"/a/{world.account.pk}/activity/").status_code == 403


def test_entry_names_the_token_that_was_used(world: World) -> None:
    token, _raw = create_token(user=world.administrator, name="night report")
    did(world.library, Act.LEADS_READ, actor=world.administrator, token=str(token.pk), country="DE")
    page = signed_in(world.administrator).get(f"{library_url(world)}?group=looks").content.decode()
    assert "country: DE, token: night report" in page


@pytest.mark.parametrize(
    ("path", "who"),
    [("ad-accounts/{account}", "administrator"), ("business-centers/{center}", "client_admin")],
)
def test_api_lists_and_filters_the_same(world: World, path: str, who: str) -> None:
    address = path.format(account=world.account.pk, center=world.client.pk) + "/audit-events/"
    caller = Caller(getattr(world, who))
    acts = {row["act"] for row in caller.get(address).json()["results"]}
    assert acts & {"ad_account_created", "business_center_created"}
    assert caller.get(address, refused="1").json()["results"] == []
    assert {row["act"] for row in caller.get(address, group="trail").json()["results"]} == {"trail_read"}
    assert Caller(world.stranger).get(address).status_code == 404
    assert Caller(getattr(world, who), scopes=("leads:read",)).get(address).status_code == 403


def test_standard_member_of_the_center_is_told_who_can_help(world: World) -> None:
    center = BusinessCenter.objects.get(pk=world.client.pk)
    center.members.create(user=world.analyst, role="standard")
    answer = Caller(world.analyst).get(f"business-centers/{center.pk}/audit-events/")
    assert (answer.status_code, answer.json()["who_can_help"]) == (403, ["Clio"])


@pytest.mark.parametrize("rows", [1, 3])
def test_page_asks_the_same_number_of_queries(world: World, rows: int) -> None:
    for _row in range(rows):
        did(world.library, Act.LEAD_OPENED, actor=world.administrator)
    client = signed_in(world.administrator)
    client.get(library_url(world))  # what is kept in memory is not counted
    with statements() as asked:
        client.get(library_url(world))
    assert len(asked) == 13


# ---- one person ------------------------------------------------------------------------------------------------------


def person_url(world: World, user: User) -> str:
    return f"/l/{world.library.pk}/access/people/{user.pk}/"


def test_person_page_counts_by_day_and_lists(world: World) -> None:
    lead = world.add_lead()
    client = signed_in(world.administrator)
    for _look in range(2):
        client.get(f"/l/{world.library.pk}/leads/{lead.pk}/")
    client.post(f"/l/{world.library.pk}/leads/{lead.pk}/reveal/")
    did(world.library, Act.EXPORT_DOWNLOADED, actor=world.administrator, count=40)
    did(world.library, Act.DELIVERY_RESENT, actor=world.administrator)
    answer = client.get(person_url(world, world.administrator))
    [day] = answer.context["seen"].days
    assert (day.day, day.looks, day.leads, day.reveals, day.downloaded, day.deliveries, day.refused) == (
        timezone.now().date(), 5, 5, 1, 40, 1, 0,  # the list stands behind each opened lead
    )  # fmt: skip
    page = answer.content.decode()
    assert "revealed contact details" in page
    assert "Can see leads now" in page
    assert not says(page, "Ann")
    event = AuditEvent.objects.get(act=Act.TRAIL_READ)
    assert (event.purpose, list(event.targets.values_list("object_id", flat=True))) == (
        "person",
        [world.administrator.pk],
    )


def test_person_without_a_look_and_a_stranger_to_the_trail(world: World) -> None:
    client = signed_in(world.administrator)
    assert "Nothing in 28 days" in client.get(person_url(world, world.administrator)).content.decode()
    assert client.get(person_url(world, world.stranger)).status_code == 404
    assert client.get(person_url(world, world.analyst)).status_code == 404
    did(world.library, Act.REFUSED, actor=world.analyst, can="view_leads")
    page = client.get(person_url(world, world.analyst)).content.decode()
    assert "Cannot see leads now" in page
    assert "was refused" in page


def test_person_page_is_the_holders(world: World) -> None:
    did(world.library, Act.LEAD_OPENED, actor=world.administrator)
    address = person_url(world, world.administrator)
    assert signed_in(world.operator).get(address).status_code == 403
    assert signed_in(world.stranger).get(address).status_code == 404
    world.hand_over()
    assert signed_in(world.administrator).get(address).status_code == 403
    assert "opened a lead" in signed_in(world.client_admin).get(address).content.decode()


def test_old_days_are_in_the_list_and_not_in_the_counts(world: World) -> None:
    event = did(world.library, Act.LEAD_OPENED, actor=world.administrator)
    with unprotected("accounts_auditevent"):
        AuditEvent.objects.filter(pk=event).update(at=timezone.now() - timedelta(days=40))
    answer = signed_in(world.administrator).get(person_url(world, world.administrator))
    assert answer.context["seen"].days == ()
    assert "opened a lead" in answer.content.decode()


@pytest.mark.parametrize("rows", [1, 3])
def test_person_page_asks_the_same_number_of_queries(world: World, rows: int) -> None:
    for _row in range(rows):
        did(world.library, Act.LEAD_OPENED, actor=world.administrator)
    client = signed_in(world.administrator)
    client.get(person_url(world, world.administrator))  # what is kept in memory is not counted
    with statements() as asked:
        client.get(person_url(world, world.administrator))
    assert len(asked) == 11


def test_each_page_of_a_trail_that_is_read_stands_in_it(world: World) -> None:
    for _look in range(60):
        did(world.library, Act.LEAD_OPENED, actor=world.administrator)
    client = signed_in(world.administrator)
    read = AuditEvent.objects.filter(act=Act.TRAIL_READ)
    cursors = []
    for address in (library_url(world), f"/l/{world.library.pk}/access/people/{world.administrator.pk}/"):
        before = read.count()
        after = re.search(r"cursor=([\w%=-]+)", client.get(address).content.decode())
        assert after
        cursors.append(after.group(1))
        client.get(f"{address}?cursor={after.group(1)}")
        client.get(f"{address}?cursor=made-up")
        assert read.count() == before + 3
    Caller(world.administrator).get(f"libraries/{world.library.pk}/audit-events/", cursor=unquote(cursors[0]))
    assert read.count() == 7
