"""The list: filters, pages, search, counts, the same queries for one row and for fifty."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from django.http import Http404
from django.utils import timezone

from accounts.access import Refused
from accounts.models import Act, AdAccount, AuditEvent, LeadLibrary
from accounts.refusals import Invalid
from leads.center.selectors import listing
from leads.center.selectors.counting import tabs
from leads.center.selectors.listing import LeadPage, list_leads
from leads.center.selectors.lives import open_lead
from leads.center.services.working import Change, add_note, change_leads
from leads.conditions import expiring_before
from leads.models import Connection, Delivery, Lead
from leads.selection import Selection, read_selection
from leads.vault.walking import words_of
from tests.counting import statements
from tests.world import World, make_form, says


def listed(world: World, **params: Any) -> list[int]:
    selection = read_selection(world.library, params, actor=world.administrator)
    page = list_leads(actor=world.administrator, library=world.library, selection=selection)
    return [row.lead.pk for row in page.rows]


def searched(world: World, text: str, **kwargs: Any) -> LeadPage:
    selection = Selection(words=words_of(world.library.pk, text))
    return list_leads(actor=world.administrator, library=world.library, selection=selection, **kwargs)


def test_each_filter_finds_its_leads_and_no_others(world: World) -> None:
    form, version = make_form(world.account, "Second")
    plain = world.add_lead()
    other = world.add_lead(form=form, version=version)
    by_ad = world.add_lead(with_ad=True)
    test = world.add_lead(is_test=True)
    ada, library = world.administrator, world.library
    change_leads(
        actor=ada,
        library=library,
        lead_ids=[plain.pk],
        change=Change(status="qualified", labels=["hot"], assignee=ada.pk),
    )
    ad = world.ad
    assert listed(world) == [test.pk, by_ad.pk, other.pk, plain.pk]
    assert listed(world, status="qualified") == [plain.pk]
    assert listed(world, label="hot") == [plain.pk]
    assert listed(world, assignee="me") == [plain.pk]
    assert listed(world, assignee=str(ada.pk)) == [plain.pk]
    assert listed(world, assignee="none") == [test.pk, by_ad.pk, other.pk]
    assert listed(world, form=str(form.pk)) == [other.pk]
    assert listed(world, campaign=str(ad.ad_group.campaign_id)) == [by_ad.pk]
    assert listed(world, ad_group=str(ad.ad_group_id)) == [by_ad.pk]
    assert listed(world, ad=str(ad.pk)) == [by_ad.pk]
    assert listed(world, test="1") == [test.pk]
    assert listed(world, test="0") == [by_ad.pk, other.pk, plain.pk]
    assert listed(world, state="trashed") == []
    today = plain.received_at.date()
    assert len(listed(world, since=today.isoformat(), until=today.isoformat())) == 4
    assert listed(world, since=(today + timedelta(days=1)).isoformat()) == []


def test_the_wider_filters_find_their_leads_and_no_others(world: World) -> None:
    library = world.library
    plain, seen, taken, doubled, ours, old, bad = (world.add_lead() for _ in range(7))
    day = timezone.now()
    Lead.objects.filter(pk=seen.pk).update(viewed_at=day, source="api")
    Lead.objects.filter(pk=taken.pk).update(downloaded_at=day, outcome="preferred")
    Lead.objects.filter(pk=doubled.pk).update(duplicate_of=plain.pk, region="us")
    Lead.objects.filter(pk=old.pk).update(received_at=day - timedelta(days=library.retention_days - 3))
    Lead.objects.filter(pk=bad.pk).update(state="quarantined")
    assert listed(world, viewed="1") == [seen.pk]
    assert listed(world, source="api") == [seen.pk]
    Lead.objects.filter(pk=ours.pk).update(source="import")
    assert listed(world, source="import") == [ours.pk]
    assert listed(world, source="not_import") == [doubled.pk, taken.pk, seen.pk, plain.pk, old.pk]
    assert listed(world, downloaded="1") == [taken.pk]
    assert listed(world, outcome="preferred") == [taken.pk]
    assert listed(world, duplicate="1") == [doubled.pk]
    assert listed(world, region="us") == [doubled.pk]
    assert listed(world, region="us,eu", downloaded="0", duplicate="0", viewed="0") == [ours.pk, plain.pk, old.pk]
    assert listed(world, expiring="1") == [old.pk]
    assert listed(world, expiring="1", until=day.date().isoformat()) == [old.pk]
    assert listed(world, state="quarantined") == [bad.pk]
    assert listed(world, lead=str(ours.pk)) == [ours.pk]
    assert listed(world, lead=f"{plain.pk},{ours.pk}") == [ours.pk, plain.pk]
    assert len(listed(world, form=str(world.form.pk), version="1")) == 6
    assert listed(world, form=str(world.form.pk), version="2") == []


def test_the_delivery_filter_asks_how_the_deliveries_stand_now(world: World) -> None:
    hook = world.connect()
    done, failed, retrying, fresh = (world.add_lead().pk for _ in range(4))
    rows = Delivery.objects.filter(connection=hook)
    rows.filter(lead_id=done).update(state="done")
    rows.filter(lead_id=failed).update(state="dead")
    rows.filter(lead_id=retrying).update(attempts=2)
    never = world.add_lead().pk
    rows.filter(lead_id=never).delete()
    assert listed(world, delivery="delivered") == [done]
    assert listed(world, delivery="failed") == [failed]
    assert listed(world, delivery="retrying") == [retrying]
    assert listed(world, delivery="undelivered") == [retrying, failed]
    assert listed(world, delivery="none") == [never]
    assert listed(world, delivery="paused") == []
    Connection.objects.filter(pk=hook.pk).update(state="paused")
    assert listed(world, delivery="paused") == [fresh, retrying]
    Connection.objects.filter(pk=hook.pk).update(removed_at=timezone.now())
    assert listed(world, delivery="undelivered") == []


def test_days_are_those_of_the_ad_account(world: World) -> None:
    AdAccount.objects.filter(pk=world.account.pk).update(time_zone="Pacific/Auckland")
    library = LeadLibrary.objects.select_related("ad_account").get(pk=world.library.pk)
    selection = read_selection(library, {"since": "2026-07-02", "until": "2026-07-02"}, actor=world.administrator)
    assert selection.since == datetime(2026, 7, 1, 12, tzinfo=UTC)
    assert selection.until == datetime(2026, 7, 2, 12, tzinfo=UTC)


def test_opening_a_lead_says_that_it_was_viewed_and_a_list_does_not(world: World) -> None:
    lead = world.add_lead()
    listed(world)
    assert Lead.objects.get(pk=lead.pk).viewed_at is None
    open_lead(actor=world.administrator, lead=Lead.objects.select_related("library__ad_account").get(pk=lead.pk))
    first = Lead.objects.get(pk=lead.pk).viewed_at
    assert first is not None
    open_lead(actor=world.administrator, lead=Lead.objects.select_related("library__ad_account").get(pk=lead.pk))
    assert Lead.objects.get(pk=lead.pk).viewed_at == first


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("source", "fax"),
        ("outcome", "good"),
        ("delivery", "lost"),
        ("region", "eu,moon"),
        ("version", "1"),
        ("expiring", "0"),
        ("viewed", "maybe"),
        ("status", "new"),
        ("state", "gone"),
        ("assignee", "x"),
        ("form", "1e9"),
        ("form", "99999999999999999999999"),
        ("campaign", "-1"),
        ("since", "yesterday"),
        ("since", "2026-13-40"),
        ("until", "9999-12-31"),
        ("until", "0001-01-01T00:00Z"),
        ("since", "0001-01-01"),
        ("since", "9999-12-31T23:00-05:00"),
        ("until", "2026-01-01T25:00"),
        ("test", "perhaps"),
        ("s", "abc"),
        ("s", "é"),
        ("ad", "١٢"),
        ("label", "a\x00b"),
        ("label", "\ud800"),
    ],
)
def test_a_bad_filter_is_an_error_with_its_name(world: World, name: str, value: str) -> None:
    with pytest.raises(Invalid) as invalid:
        read_selection(world.library, {name: value}, actor=world.administrator)
    assert set(invalid.value.errors) == {name}


def test_a_form_of_another_tenant_is_not_there(world: World) -> None:
    form, _version = make_form(world.stranger_library.ad_account, "Theirs")
    with pytest.raises(Http404):
        read_selection(world.library, {"form": str(form.pk)}, actor=world.administrator)


def test_a_selection_survives_its_url_and_its_row(world: World) -> None:
    selection = Selection(
        status="raw",
        assignee=0,
        form=world.form.pk,
        version=1,
        test=False,
        viewed=True,
        duplicate=False,
        delivery="failed",
        source="import",
        outcome="preferred",
        leads=(7, 9),
        regions=("eu", "us"),
        since=datetime(2026, 7, 1, 12, tzinfo=UTC),
        expiring=expiring_before(world.library.retention_days),
        words=words_of(world.library.pk, "ann example"),
    )
    assert read_selection(world.library, selection.as_params(), actor=world.administrator) == selection
    assert Selection.from_json(selection.as_json()) == selection
    assert not says(str(selection.as_params()), "ann")


@pytest.mark.parametrize(
    "text",
    [
        "ann.other@example.com",
        "ANN.OTHER@Example.com",
        "+49 151 1234 5678",
        "+4915112345678",
        "0151 12345678",
        "345678",
        "ánn",
        "Example ann",
        "Ａｎｎ",
        "ann ann.other@example.com",
    ],
)
def test_a_lead_is_found_by_whole_address_number_its_end_or_words_of_the_name(world: World, text: str) -> None:
    lead = world.add_lead(name="Ánn Example", email="ann.other@example.com", phone="+4915112345678")
    world.add_lead(name="Bob", email="bob@example.com", phone="+12025550100", region="us")
    assert [row.lead.pk for row in searched(world, text).rows] == [lead.pk]
    assert AuditEvent.objects.filter(act=Act.LEADS_SEARCHED).count() == 1


@pytest.mark.parametrize("text", ["an", "example.com", "+4915112345679", "@", "%", "ann bob"])
def test_what_nobody_is_called_finds_nobody(world: World, text: str) -> None:
    world.add_lead()
    world.add_lead(name="Bob")
    assert searched(world, text).rows == []


def test_a_search_finds_the_regions_together_newest_first_and_goes_on(world: World) -> None:
    ids = [world.add_lead(region=region).pk for region in ("eu", "us", "row", "eu", "us")]
    page = searched(world, "ann", size=2)
    seen = [row.lead.pk for row in page.rows]
    while page.next:
        page = searched(world, "ann", size=2, cursor=page.next)
        seen += [row.lead.pk for row in page.rows]
    assert seen == list(reversed(ids))


def test_a_search_that_would_walk_too_far_asks_to_be_narrowed_and_gives_a_cursor(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(listing, "STEP", 2)
    monkeypatch.setattr(listing, "WALKED_AT_MOST", 4)
    wanted = world.add_lead(is_test=True)
    for _ in range(5):
        world.add_lead()
    selection = Selection(words=words_of(world.library.pk, "ann"), test=True)

    def page(cursor: str | None) -> LeadPage:
        return list_leads(actor=world.administrator, library=world.library, selection=selection, cursor=cursor)

    first = page(None)
    assert (first.rows, first.narrow) == ([], True)
    assert [row.lead.pk for row in page(first.next).rows] == [wanted.pk]


def test_equal_people_of_two_libraries_are_not_found_in_each_other(world: World) -> None:
    form, version = make_form(world.stranger_library.ad_account, "Theirs")
    world.add_lead(form=form, version=version, library=world.stranger_library)
    assert searched(world, "ann@example.com").rows == []


def test_the_order_by_attention_shows_the_most_urgent_first_without_what_was_contacted(world: World) -> None:
    ids = [world.add_lead().pk for _ in range(3)]
    change_leads(actor=world.administrator, library=world.library, lead_ids=[ids[1]], change=Change(status="contacted"))
    page = list_leads(actor=world.administrator, library=world.library, selection=Selection(), order="attention")
    assert [row.lead.pk for row in page.rows] == [ids[0], ids[2]]


def _busy_leads(world: World, count: int) -> None:
    ada, library = world.administrator, world.library
    hook = world.connect()
    ids = [world.add_lead(with_ad=True, region="eu").pk for _ in range(count)]
    change_leads(actor=ada, library=library, lead_ids=ids, change=Change(labels=["hot", "call"], assignee=ada.pk))
    for lead in Lead.objects.filter(pk__in=ids).select_related("library"):
        add_note(actor=ada, lead=lead, text="called")
    Delivery.objects.filter(connection=hook).update(attempts=1)


@pytest.mark.parametrize("count", [1, 50])
def test_the_list_takes_the_same_queries_for_one_lead_and_for_fifty(world: World, count: int) -> None:
    _busy_leads(world, count)
    listed(world)  # data keys come into memory
    with statements() as spoken:
        page = list_leads(actor=world.administrator, library=world.library, selection=Selection())
    assert len(page.rows) == count
    row = page.rows[-1]
    assert (row.labels, row.notes, row.assignee_lost_access) == (("call", "hot"), 1, False)
    assert row.sent == "retrying"
    assert len(spoken) == 10, "\n".join(sql[:120] for sql in spoken)


@pytest.mark.parametrize("who", ["operator", "analyst", "stranger", "client_admin"])
def test_whoever_may_not_view_leads_gets_no_list_and_no_counts(world: World, who: str) -> None:
    world.add_lead()
    for ask in (
        lambda: list_leads(actor=getattr(world, who), library=world.library, selection=Selection()),
        lambda: tabs(getattr(world, who), world.library, Selection()),
    ):
        with pytest.raises(Refused):
            ask()
    assert not AuditEvent.objects.filter(act=Act.LEADS_LISTED).exists()
