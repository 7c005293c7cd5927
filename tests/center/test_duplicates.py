"""Duplicates: found by digests, linked to what the library has known longest, whatever becomes of that."""

from datetime import timedelta

from django.utils import timezone

from leads.center.services.deleting import delete_leads, restore_leads
from leads.center.services.finding_duplicates import find_stretch
from leads.duplicates import sharing
from leads.models import Lead
from leads.privacy.services.purging import purge_expired
from tests.world import World

LAST = (1 << 63) - 1


def linked() -> dict[int, int | None]:
    return dict(Lead.objects.values_list("pk", "duplicate_of"))


def test_the_same_e_mail_or_phone_is_linked_to_the_oldest_lead_and_a_name_is_not(world: World) -> None:
    first = world.add_lead(email="ann@example.com", phone="+4915112345678")
    by_mail = world.add_lead(email="ANN@example.com", phone="+4915100000001")
    by_phone = world.add_lead(email="other@example.com", phone="+4915112345678")
    namesake = world.add_lead(email="third@example.com", phone="+4417112345678")  # the same name and last digits
    test = world.add_lead(email="ann@example.com", is_test=True)
    elsewhere = world.add_lead(library=world.stranger_library)
    assert set(linked().values()) == {None}
    assert find_stretch(0, LAST) == (LAST, 2)
    assert linked() == {
        first.pk: None,
        by_mail.pk: first.pk,
        by_phone.pk: first.pk,
        namesake.pk: None,
        test.pk: None,
        elsewhere.pk: None,
    }
    assert find_stretch(0, LAST) == (LAST, 0)
    assert sharing(world.library.pk, first.pk, at_most=10) == [test.pk, by_phone.pk, by_mail.pk]


def test_the_next_oldest_takes_the_place_of_a_lead_in_the_trash_and_gives_it_back(world: World) -> None:
    first, second, third = (world.add_lead() for _ in range(3))
    find_stretch(0, LAST)
    assert linked() == {first.pk: None, second.pk: first.pk, third.pk: first.pk}
    delete_leads(actor=world.administrator, library=world.library, lead_ids=[first.pk])
    assert linked() == {first.pk: None, second.pk: None, third.pk: second.pk}
    restore_leads(actor=world.administrator, library=world.library, lead_ids=[first.pk])
    assert linked() == {first.pk: None, second.pk: first.pk, third.pk: first.pk}


def test_a_purged_lead_is_nobodys_original(world: World) -> None:
    first, second, third = (world.add_lead() for _ in range(3))
    find_stretch(0, LAST)
    Lead.objects.filter(pk=first.pk).update(received_at=timezone.now() - timedelta(days=91))
    assert purge_expired().expired == 1
    assert linked() == {first.pk: None, second.pk: None, third.pk: second.pk}
