from datetime import UTC, datetime

import pytest
from django.db import connection
from django.utils import timezone

from leads.models import Lead
from leads.vault.models import SealedAnswers
from leads.vault.regions import alias_of
from leadscenter.lib.binary_rows import binary_rows
from leadscenter.lib.lookups import numbers
from leadscenter.lib.moment_text import SECONDS, MomentText, moment_of
from tests.world import make_world

MOMENTS = (
    datetime(2026, 1, 31, 23, 59, 59, 999999, tzinfo=UTC),
    datetime(2026, 3, 29, 1, 30, tzinfo=UTC),
    datetime(2026, 10, 25, 0, 30, 0, 1, tzinfo=UTC),
    datetime(999, 2, 3, 4, 5, 6, tzinfo=UTC),
)


@pytest.mark.django_db
@pytest.mark.parametrize("at", MOMENTS, ids=str)
def test_a_moment_as_text_says_what_the_moment_says(at: datetime) -> None:
    lead = make_world().add_lead()
    Lead.objects.filter(pk=lead.pk).update(received_at=at, contacted_at=None)
    text, none = Lead.objects.values_list(MomentText("received_at"), MomentText("contacted_at")).get()
    assert text[:SECONDS] == str(at)[:SECONDS]
    assert moment_of(text) == at
    assert none is None


@pytest.mark.django_db
def test_a_moment_as_text_follows_no_zone_or_style_of_the_session() -> None:
    lead = make_world().add_lead()
    Lead.objects.filter(pk=lead.pk).update(received_at=MOMENTS[0])
    if connection.vendor == "postgresql":
        with connection.cursor() as cursor:
            cursor.execute("SET LOCAL TIME ZONE 'Asia/Tokyo'")
            cursor.execute("SET LOCAL datestyle TO 'SQL, DMY'")
    with timezone.override("America/New_York"):
        text = Lead.objects.values_list(MomentText("received_at"), flat=True).get()
    assert moment_of(text) == MOMENTS[0]


@pytest.mark.django_db
def test_leads_are_found_by_many_numbers_in_either_form() -> None:
    world = make_world()
    ids = [world.add_lead().pk for _ in range(4)]
    wanted = ids[1:3]
    for form in (wanted, numbers(wanted), numbers(number for number in wanted)):
        assert sorted(Lead.objects.filter(pk__any_of=form).values_list("pk", flat=True)) == wanted
    assert not Lead.objects.filter(pk__any_of=numbers(())).exists()


@pytest.mark.django_db
def test_rows_in_binary_form_are_the_rows() -> None:
    world = make_world()
    ids = [world.add_lead().pk for _ in range(3)]
    region = Lead.objects.get(pk=ids[0]).region
    sealed = SealedAnswers.objects.using(alias_of(region)).filter(lead_id__any_of=numbers(ids), region=region)
    rows = binary_rows(sealed.values_list("lead_id", "region", "sealed"))
    assert sorted(rows) == sorted((row.lead_id, row.region, row.sealed.record) for row in sealed)
    assert len(rows) == 3
