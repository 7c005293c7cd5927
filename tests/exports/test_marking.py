"""Leads of a file say that they were downloaded: after somebody fetched it, and no others."""

from leads.exports.services.asking import request_export
from leads.exports.services.handing_out import download
from leads.exports.services.marking import mark_downloaded
from leads.exports.services.running import run_due
from leads.models import Export, Lead
from leads.selection import Selection
from tests.world import World


def test_the_leads_of_a_file_say_that_they_were_downloaded_once_it_was_fetched(world: World) -> None:
    taken, other = world.add_lead(with_ad=True), world.add_lead()
    selection = Selection(ad=world.ad.pk)
    export = request_export(actor=world.administrator, library=world.library, selection=selection)
    run_due()
    assert mark_downloaded() == 0
    assert Lead.objects.filter(downloaded_at__isnull=False).count() == 0
    export = Export.objects.select_related("library__ad_account", "library__custodian").get(pk=export.pk)
    download(actor=world.administrator, export=export)
    fetched_at = Export.objects.get(pk=export.pk).fetched_at
    assert mark_downloaded() == 1
    assert mark_downloaded() == 0
    assert fetched_at is not None
    assert Lead.objects.get(pk=taken.pk).downloaded_at == fetched_at
    assert Lead.objects.get(pk=other.pk).downloaded_at is None
