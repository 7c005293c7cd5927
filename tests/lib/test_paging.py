from datetime import timedelta

import pytest

from leads.models import Lead
from leadscenter.lib.paging import BadCursor, keyset_page
from tests.world import make_world

ORDERS = ("-received_at", "received_at")


@pytest.mark.django_db
@pytest.mark.parametrize("order", ORDERS)
def test_pages_hold_every_row_once_also_those_of_one_moment(order: str) -> None:
    world = make_world()
    ids = [world.add_lead().pk for _ in range(9)]
    moment = Lead.objects.get(pk=ids[4]).received_at
    Lead.objects.filter(pk__in=ids[2:7]).update(received_at=moment)
    seen: list[int] = []
    cursor = None
    while True:
        page = keyset_page(Lead.objects.all(), order=order, size=2, cursor=cursor)
        seen += [row.pk for row in page.rows]
        cursor = page.next
        if cursor is None:
            break
    assert len(seen) == 9
    assert set(seen) == set(ids)


@pytest.mark.django_db
def test_going_back_shows_the_page_before() -> None:
    world = make_world()
    for _ in range(6):
        world.add_lead()
    first = keyset_page(Lead.objects.all(), size=2)
    second = keyset_page(Lead.objects.all(), size=2, cursor=first.next)
    again = keyset_page(Lead.objects.all(), size=2, cursor=second.previous)
    assert [row.pk for row in again.rows] == [row.pk for row in first.rows]
    assert first.previous is None


@pytest.mark.django_db
def test_a_cursor_whose_row_is_gone_goes_on_from_its_time() -> None:
    world = make_world()
    ids = [world.add_lead().pk for _ in range(3)]
    for step, lead_id in enumerate(ids):  # apart by seconds: without the row its time alone has to do
        Lead.objects.filter(pk=lead_id).update(received_at=world.form.created_at + timedelta(seconds=step + 1))
    first = keyset_page(Lead.objects.all(), size=1)
    Lead.objects.filter(pk=ids[2]).delete()
    assert [row.pk for row in keyset_page(Lead.objects.all(), size=1, cursor=first.next).rows] == [ids[1]]


@pytest.mark.django_db
@pytest.mark.parametrize("cursor", ["x", "é", "W10", "a" * 500, "eyJhIjoxfQ"])
def test_a_cursor_that_is_not_ours_is_refused(cursor: str) -> None:
    with pytest.raises(BadCursor):
        keyset_page(Lead.objects.all(), cursor=cursor)
