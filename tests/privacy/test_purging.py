"""Retention and the trash: what goes, what stays, and that keys go with their last row."""

from datetime import UTC, date, datetime, time, timedelta
from io import StringIO

import pytest
import time_machine
from django.core.management import call_command
from django.utils import timezone

from accounts import audit
from accounts.access import Refused
from accounts.models import Act, AuditEvent, AuditManifest
from forms_builder import measures
from leads.center.services.deleting import delete_leads
from leads.center.services.working import Change, add_note, change_leads
from leads.models import Lead, LeadLabel
from leads.privacy.consent import read_consent
from leads.privacy.services.purging import Purged, destroy_unused_keys, purge_expired
from leads.vault.keys import make_keys, month_of, next_month, today
from leads.vault.models import ConsentRecord, DataKey, Note, SealedAnswers, SearchTerm
from leads.vault.regions import alias_of
from tests.world import World


def vault_rows(lead: Lead) -> list[int]:
    alias = alias_of(lead.region)
    models = (SealedAnswers, SearchTerm, Note)
    return [model._default_manager.using(alias).filter(lead_id=lead.pk).count() for model in models]


def test_the_day_of_a_tombstone_is_utc_wherever_it_is_made(world: World) -> None:
    lead = world.add_lead()
    received = timezone.now() - timedelta(days=91)
    Lead.objects.filter(pk=lead.pk).update(received_at=received)
    with timezone.override("Pacific/Kiritimati" if received.hour >= 12 else "Pacific/Niue"):  # on another day
        assert purge_expired().expired == 1
    lead.refresh_from_db()
    assert lead.received_at == received.replace(hour=0, minute=0, second=0, microsecond=0)


def test_a_lead_over_retention_leaves_a_tombstone_and_its_count(world: World) -> None:
    old, young = world.add_lead(with_ad=True), world.add_lead()
    ada = world.administrator
    change_leads(
        actor=ada,
        library=world.library,
        lead_ids=[old.pk],
        change=Change(status="qualified", labels=["hot"], assignee=ada.pk),
    )
    add_note(actor=ada, lead=old, text="hello")
    Lead.objects.filter(pk=old.pk).update(received_at=timezone.now() - timedelta(days=91))
    assert vault_rows(old) == [1, 5, 1]

    assert purge_expired(dry_run=True) == Purged(expired=1)
    assert vault_rows(old) == [1, 5, 1]
    assert purge_expired().expired == 1

    old.refresh_from_db()
    assert vault_rows(old) == [0, 0, 0]
    assert vault_rows(young) == [1, 5, 0]
    assert (old.state, old.why_gone, old.status, old.assignee, old.ad) == ("gone", "expired", "raw", None, world.ad)
    assert (old.received_at.hour, old.received_at.microsecond) == (0, 0)
    assert not LeadLabel.objects.filter(lead=old).exists()
    consent = ConsentRecord.objects.using(alias_of("eu")).get(pk=old.pk)
    assert (consent.boxes, consent.network_prefix) == ({"news": True}, "")
    assert measures.counts([world.form.pk])[None].submit == 2
    manifest = AuditManifest.objects.get(event__act=Act.LEADS_PURGED)
    assert audit.unpack(bytes(manifest.object_ids)) == [old.pk]
    assert purge_expired() == Purged()


def test_the_trash_is_emptied_after_thirty_days_and_not_before(world: World) -> None:
    first, second = world.add_lead(), world.add_lead()
    delete_leads(actor=world.administrator, library=world.library, lead_ids=[first.pk, second.pk])
    Lead.objects.filter(pk=first.pk).update(trashed_at=timezone.now() - timedelta(days=31))
    out = StringIO()
    call_command("purge_expired", "--dry-run", stdout=out)
    assert "1 leads from the trash would go" in out.getvalue()
    call_command("purge_expired", stdout=out)
    states = dict(Lead.objects.values_list("pk", "state"))
    assert states == {first.pk: "gone", second.pk: "trashed"}
    assert vault_rows(first) == [0, 0, 0]


def test_a_past_months_key_is_destroyed_with_the_last_row_that_it_seals(world: World) -> None:
    lead = world.add_lead()
    current = DataKey.objects.using(alias_of("eu")).filter(library_id=world.library.pk, region="eu")
    current.order_by("month").filter(month=current.earliest("month").month).update(month=date(2026, 1, 1))
    make_keys([world.library.pk])
    used = current.get(month=date(2026, 1, 1)).pk
    assert destroy_unused_keys("eu") == 0
    assert current.filter(pk=used).exists()
    Lead.objects.filter(pk=lead.pk).update(received_at=timezone.now() - timedelta(days=400))
    assert purge_expired().keys >= 1
    assert not current.filter(pk=used).exists()


def test_a_key_outlives_its_month_by_two_days_for_what_is_under_way_at_the_border(world: World) -> None:
    this = month_of(today())
    ended = datetime.combine(next_month(this), time(), UTC)
    keys = DataKey.objects.using(alias_of("eu")).filter(library_id=world.library.pk, region="eu", month=this)
    assert keys.count() == 1  # it seals nothing yet
    with time_machine.travel(ended + timedelta(days=2, seconds=-1), tick=False):
        assert destroy_unused_keys("eu") == 0
    assert keys.count() == 1
    with time_machine.travel(ended + timedelta(days=2), tick=False):
        assert destroy_unused_keys("eu") == 2  # the stranger's, too
    assert keys.count() == 0


def test_consent_is_told_in_the_words_that_the_person_saw_and_the_look_is_recorded(world: World) -> None:
    lead = world.add_lead()
    consent = read_consent(actor=world.administrator, lead=lead)
    assert consent is not None
    assert [(box.label, box.ticked) for box in consent.boxes] == [("Send me news", True)]
    assert (consent.form_version, consent.privacy_policy_url) == (1, "https://example.com/privacy")
    assert AuditEvent.objects.filter(act=Act.CONSENT_READ, targets__object_id=lead.pk).count() == 1
    with pytest.raises(Refused):
        read_consent(actor=world.analyst, lead=lead)
