"""What stands in a file: the columns of each layout cell by cell, those that were chosen, and nothing that runs."""

from datetime import UTC, datetime, timedelta

import pytest
from django.utils import timezone

from accounts.models import AuditEvent
from accounts.refusals import Invalid
from forms_builder.models import FormVersion
from leads.exports.catalogue import offered
from leads.exports.services.asking import request_export
from leads.exports.services.expiring import expire_exports
from leads.exports.services.running import run_due
from leads.models import Export, FollowUp, Label, Lead, LeadLabel
from leads.selection import Selection
from leads.vault.models import Note
from leads.vault.regions import alias_of
from leads.vault.values import Plain
from tests.counting import statements
from tests.exports.test_running import content_of, lines_of
from tests.exports.test_workbook import rows_of
from tests.world import CONTENT, World, add_delivery, make_form

AT = datetime(2026, 3, 1, 22, 30, tzinfo=UTC)


def made(world: World, *, file_format: str = "csv", selection: Selection | None = None, **wanted: object) -> Export:
    export = request_export(
        actor=world.administrator,
        library=world.library,
        selection=selection or Selection(),
        file_format=file_format,
        **wanted,  # type: ignore[arg-type]
    )
    run_due()
    export.refresh_from_db()
    assert export.state == "done", export.failure
    return export


def ask_also(world: World, *rows: list[str]) -> None:
    """Publish a version that asks more; a row is an answer to it: key, label, value, kind."""
    questions = [
        *CONTENT["questions"],
        *({"key": row[0], "kind": row[3], "label": row[1]} for row in rows),
    ]
    FormVersion.objects.filter(form=world.form).update(status="superseded")
    FormVersion.objects.create(
        form=world.form,
        number=2,
        content={**CONTENT, "questions": questions},
        status="published",
        published_at=timezone.now(),
    )


def heading_of(content: bytes) -> str:
    return content.decode("utf-8-sig").partition("\r\n")[0]


def add_note(world: World, lead: Lead, text: str) -> None:
    note = Note(lead_id=lead.pk, library_id=lead.library_id, region=lead.region, author_id=world.administrator.pk)
    note.sealed = Plain(text)
    note.save(using=alias_of(lead.region), force_insert=True)


def test_a_file_has_the_columns_that_were_chosen_in_their_order(world: World) -> None:
    lead = world.add_lead(name="Ann", with_ad=True)
    Lead.objects.filter(pk=lead.pk).update(received_at=AT)
    wish, news = f"question.{world.form.pk}.wish", f"consent.{world.form.pk}.news"
    export = made(world, layout="chosen", columns=[wish, "lead_id", news, "field.email", "created_time", "campaign"])
    assert content_of(world, export).decode("utf-8-sig") == (
        '"What do you wish?","lead_id","Consent: Send me news","E-mail","created_time (UTC)","campaign"\r\n'
        f'"A quiet room","{lead.pk}","yes","ann@example.com","2026-03-01 22:30:00","Spring"\r\n'
    )
    assert export.columns == [wish, "lead_id", news, "field.email", "created_time", "campaign"]
    asked = AuditEvent.objects.get(act="export_requested")
    assert (asked.detail["layout"], asked.detail["columns"], asked.detail.get("notes")) == ("chosen", 6, None)


def test_chosen_columns_leave_out_what_was_not_chosen_also_where_no_version_asks_it(world: World) -> None:
    world.add_lead(name="Ann", extra=(["shoe", "Shoe size", "44", "short_answer"],))
    export = made(world, layout="chosen", columns=["field.name"])
    assert content_of(world, export).decode("utf-8-sig") == '"Your name"\r\n"Ann"\r\n'


def test_every_column_that_is_offered_can_be_chosen_and_stands_in_the_file(world: World) -> None:
    lead = world.add_lead()
    keys = [column.key for group in offered(world.library) for column in group.columns]
    [line] = lines_of(content_of(world, made(world, layout="chosen", columns=keys)))
    assert len(line) == len(keys) == len(set(keys))
    assert line["lead_id"] == str(lead.pk)


@pytest.mark.parametrize(
    "columns",
    [
        [],
        ["lead_id", "lead_id"],
        ["shoe"],
        ["more_answers"],
        ["crm.email"],
        ["question.1.wish"],
        ["field.email", "=1+1"],
    ],
)
def test_columns_that_are_not_offered_are_refused(world: World, columns: list[str]) -> None:
    with pytest.raises(Invalid) as refused:
        made(world, layout="chosen", columns=columns)
    assert set(refused.value.errors) == {"columns"}
    assert "=1+1" not in str(refused.value.errors)  # what was typed is not said again
    assert not Export.objects.exists()


def test_a_question_of_another_account_cannot_be_chosen(world: World) -> None:
    form, _version = make_form(world.stranger_library.ad_account, "Theirs")
    with pytest.raises(Invalid):
        made(world, layout="chosen", columns=[f"question.{form.pk}.wish"])


@pytest.mark.parametrize(
    ("wanted", "field"),
    [
        ({"layout": "everything"}, "layout"),
        ({"layout": "all", "columns": ["lead_id"]}, "columns"),
        ({"layout": "postback", "file_format": "xlsx"}, "format"),
        ({"layout": "postback", "time_zone": "Europe/Berlin"}, "time_zone"),
        ({"layout": "tiktok", "time_zone": "Europe/Berlin"}, "time_zone"),
        ({"layout": "all", "time_zone": "../../etc/passwd"}, "time_zone"),
    ],
)
def test_what_no_file_can_be_is_refused(world: World, wanted: dict[str, object], field: str) -> None:
    with pytest.raises(Invalid) as refused:
        made(world, **wanted)  # type: ignore[arg-type]
    assert set(refused.value.errors) == {field}
    assert not Export.objects.exists()


def test_the_columns_stay_when_a_version_is_published_while_the_file_is_made(world: World) -> None:
    for _ in range(3):
        world.add_lead()
    export = request_export(actor=world.administrator, library=world.library, selection=Selection())

    def publish() -> None:
        ask_also(world, ["shoe", "Shoe size", "44", "short_answer"])

    run_due(size=2, budget=0.001, after_chunk=publish)  # one chunk, then the time is up
    export.refresh_from_db()
    assert (export.state, export.chunk) == ("running", 1)
    run_due(size=2)
    lines = lines_of(content_of(world, export))
    assert len(lines) == 3
    assert "Shoe size" not in lines[0]


def test_times_are_of_the_zone_that_was_chosen_and_their_headings_say_so(world: World) -> None:
    lead = world.add_lead()
    Lead.objects.filter(pk=lead.pk).update(received_at=AT, contacted_at=AT + timedelta(hours=2))
    [line] = lines_of(content_of(world, made(world, time_zone="Europe/Berlin")))
    assert line["created_time (Europe/Berlin)"] == "2026-03-01 23:30:00"
    assert line["contacted_time (Europe/Berlin)"] == "2026-03-02 01:30:00"
    assert "created_time" not in line


def test_the_crm_layout_parts_what_crms_keep_apart(world: World) -> None:
    extra = (
        ["company_name", "Firm", "Acme GmbH", "company_name"],
        ["job_title", "Job", "Head of =1+1", "job_title"],
        ["address", "Street", "Main St 1", "address"],
        ["city", "City", "Bonn", "city"],
        ["province_state", "State", "NRW", "province_state"],
        ["zip_code", "Zip", "01067", "zip_code"],
    )
    ask_also(world, *extra)
    lead = world.add_lead(name="Ann Mary Example", with_ad=True, extra=extra)
    Lead.objects.filter(pk=lead.pk).update(received_at=AT, status="qualified")
    bare = world.add_lead(name="Cher", email="", phone="", wish="=cmd")
    first, second = lines_of(content_of(world, made(world, layout="crm")))
    assert second == {
        "First name": "Ann Mary",
        "Last name": "Example",
        "Email": "ann@example.com",
        "Phone": "+4915112345678",
        "Company": "Acme GmbH",
        "Job title": "Head of =1+1",
        "Address": "Main St 1",
        "City": "Bonn",
        "State": "NRW",
        "Zip": "01067",
        "Country": "DE",
        "Lead status": "Qualified",
        "Lead source": "test",
        "Lead ID": str(lead.pk),
        "Created (UTC)": "2026-03-01 22:30:00",
        "Campaign": "Spring",
        "What do you wish?": "A quiet room",
        "Consent: Send me news": "yes",
    }
    assert (first["First name"], first["Last name"], first["Email"], first["Lead ID"]) == ("", "Cher", "", str(bare.pk))
    assert first["What do you wish?"] == "'=cmd"


@pytest.mark.parametrize(
    ("wanted", "says_which"),
    [
        ({"layout": "all"}, True),
        ({"layout": "crm"}, False),
        ({"layout": "tiktok"}, False),
        ({"layout": "chosen", "columns": ["lead_id"]}, False),
        ({"layout": "chosen", "columns": ["lead_id", "is_test"]}, True),
    ],
)
def test_a_test_lead_is_in_a_file_only_where_it_says_so_or_was_asked_for(
    world: World, wanted: dict[str, object], says_which: bool
) -> None:
    tried, lead = world.add_lead(name="Test Person", is_test=True), world.add_lead()

    def ids(**filters: bool) -> set[str]:
        export = made(world, selection=Selection(**filters), **wanted)  # type: ignore[arg-type]
        found = [line.get("lead_id") or line["Lead ID"] for line in lines_of(content_of(world, export))]
        assert export.rows == export.total == len(found)
        return set(found)

    assert ids() == ({str(lead.pk), str(tried.pk)} if says_which else {str(lead.pk)})
    assert ids(test=True) == {str(tried.pk)}
    assert ids(test=False) == {str(lead.pk)}


def test_the_tiktok_layout_is_tiktoks_and_lives_seven_days_for_a_person(world: World) -> None:
    lead = world.add_lead(with_ad=True)
    Lead.objects.filter(pk=lead.pk).update(received_at=AT)
    export = made(world, layout="tiktok")
    group = world.ad.ad_group
    assert content_of(world, export).decode("utf-8-sig") == (
        '"lead_id","created_time","ad_id","ad_name","adgroup_id","adgroup_name","campaign_id","campaign_name","form_id"'
        ',"form_name","Your name","E-mail","Phone","What do you wish?"\r\n'
        f'"{lead.pk}","2026-03-01 22:30:00","{world.ad.pk}","Blue","{group.pk}","Parents","{group.campaign_id}",'
        f'"Spring","{world.form.pk}","Trial","Ann Example","ann@example.com","+4915112345678","A quiet room"\r\n'
    )
    assert export.finished_at is not None
    assert export.expires_at == export.finished_at + timedelta(days=7)
    task = made(world, layout="tiktok", is_task=True)
    assert task.finished_at is not None
    assert task.expires_at == task.finished_at + timedelta(minutes=10)
    assert expire_exports(dry_run=True) == 0


def test_what_the_team_made_of_a_lead_stands_in_its_columns(world: World) -> None:
    lead, other = world.add_lead(), world.add_lead(region="us")
    label = Label.objects.create(library=world.library, name="=hot")
    LeadLabel.objects.create(lead=lead, label=label, received_at=lead.received_at)
    FollowUp.objects.create(
        lead=lead, library_id=world.library.pk, user=world.administrator, set_by=world.administrator, due_at=AT
    )
    connection = world.connect("C")
    for number, state in enumerate(("done", "dead")):
        add_delivery(lead, connection, event_key=f"x:{number}", state=state)
    Lead.objects.filter(pk=lead.pk).update(
        assignee=world.administrator, contacted_at=AT, status_changed_at=AT, duplicate_of=other.pk, outcome="preferred"
    )
    add_note(world, lead, "call back")
    for line in lines_of(content_of(world, made(world))), rows_of(content_of(world, made(world, file_format="xlsx"))):
        assert line[1]["follow_up_time"] == line[1]["contacted_time"] == "2026-03-01 22:30:00"
        assert (line[1]["delivery"], line[1]["notes_count"], line[1]["assignee"]) == ("dead", "1", "Ada")
        assert (line[1]["duplicate_of"], line[1]["outcome"]) == (str(other.pk), "preferred")
        assert line[1]["labels"].lstrip("'") == "=hot"
        assert (line[0]["delivery"], line[0]["notes_count"], line[0]["follow_up_time"]) == ("", "0", "")
        assert "call back" not in str(line)


def test_notes_are_opened_only_when_they_were_chosen_and_the_trail_says_so(world: World) -> None:
    lead = world.add_lead()
    add_note(world, lead, "first")
    add_note(world, lead, '=second, "quoted"')
    [line] = lines_of(content_of(world, made(world, layout="chosen", columns=["lead_id", "notes"])))
    newest, oldest = line["notes (UTC)"].split("\n")
    assert newest.endswith(' Ada: =second, "quoted"')
    assert oldest.endswith(" Ada: first")
    for act in ("export_requested", "export_made"):
        assert AuditEvent.objects.get(act=act).detail["notes"] is True


def test_headings_cannot_run_either(world: World) -> None:
    answer = ["sum", "=1+1", "two", "short_answer"]
    ask_also(world, answer)
    world.add_lead(extra=(answer,))
    assert '"\'=1+1"' in heading_of(content_of(world, made(world)))
    [row] = rows_of(content_of(world, made(world, file_format="xlsx")))
    assert row["=1+1"] == "two"


def test_a_question_that_is_called_like_a_column_of_ours_stands_apart(world: World) -> None:
    answer = ["mood", "status", "good", "short_answer"]
    ask_also(world, answer)
    world.add_lead(extra=(answer,))
    [line] = lines_of(content_of(world, made(world)))
    assert (line["status"], line["status (mood)"]) == ("raw", "good")


@pytest.mark.parametrize("layout", ["all", "crm", "postback", "chosen"])
def test_a_chunk_asks_the_same_number_of_queries_for_one_lead_and_for_many(world: World, layout: str) -> None:
    columns = [column.key for group in offered(world.library) for column in group.columns] if layout == "chosen" else ()
    counts = []
    add_note(world, world.add_lead(), "note")
    made(world, layout=layout, columns=columns)  # keys are in memory now
    for leads in (1, 12):
        for _ in range(leads):
            add_note(world, world.add_lead(), "note")
        request_export(
            actor=world.administrator, library=world.library, selection=Selection(), layout=layout, columns=columns
        )
        with statements() as spoken:
            run_due()
        counts.append(len(spoken))
    assert counts[0] == counts[1]
