"""Exports as XLSX: the same leads as the CSV, text everywhere, whole or not at all, nothing clear on the disk."""

import csv
import io
import random
import tempfile
from collections.abc import Iterator
from itertools import product
from pathlib import Path

import openpyxl
import pytest
from django.test import Client

from accounts.models import AccountRole, Act, AuditEvent
from accounts.refusals import Conflict
from accounts.services.ad_accounts import set_member
from accounts.services.tokens import create_token
from leads.exports import file, workbook
from leads.exports.services import running
from leads.exports.services.asking import request_export
from leads.exports.services.handing_out import download
from leads.exports.services.running import run_due
from leads.models import Export
from leads.selection import Selection
from leadscenter.lib import xlsx
from leadscenter.lib.cells import csv_line
from leadscenter.lib.envelope import Tampered
from tests.exports.test_running import Killed, ask_for, content_of, lines_of, on_disk
from tests.world import World

NASTY = ("=1+1", "@cmd", "-2+3", '"quoted", and; more', "two\nlines", "'apostrophe", '=HYPERLINK("http://x")')


def ask_workbook(world: World) -> Export:
    return request_export(actor=world.administrator, library=world.library, selection=Selection(), file_format="xlsx")


def rows_of(content: bytes) -> list[dict[str, str]]:
    """The rows as another program reads them; every cell must be text."""
    sheet = openpyxl.load_workbook(io.BytesIO(content)).worksheets[0]
    cells = [list(row) for row in sheet.iter_rows()]
    assert {cell.data_type for row in cells for cell in row if cell.value is not None} == {"s"}
    heading, *rows = [["" if cell.value is None else str(cell.value) for cell in row] for row in cells]
    return [dict(zip(heading, row, strict=True)) for row in rows]


def test_workbook_holds_what_the_csv_holds_and_nothing_runs(world: World) -> None:
    for number, wish in enumerate(NASTY):
        world.add_lead(name=f"Person {number}", email=f"p{number}@example.com", wish=wish)
    lines, sheet = ask_for(world), ask_workbook(world)
    run_due(size=2)
    expected = lines_of(content_of(world, lines))
    found = rows_of(content_of(world, sheet))
    assert [row["What do you wish?"] for row in found] == list(reversed(NASTY))
    assert [row["lead_id"] for row in found] == [row["lead_id"] for row in expected]
    assert {row["Phone"] for row in found} == {"+4915112345678"}
    assert [dict(row, **{"What do you wish?": ""}) for row in found] == [
        dict(row, **{"What do you wish?": ""}) for row in expected
    ]
    taken = download(
        actor=world.administrator,
        export=Export.objects.select_related("library__ad_account", "library__custodian").get(pk=sheet.pk),
    )
    assert (taken.name[-5:], taken.length) == (".xlsx", len(b"".join(taken.parts)))
    assert on_disk() == {f"{lines.pk}.sealed", f"{sheet.pk}.sealed"}


def test_workbook_that_is_killed_on_the_way_is_made_anew_and_no_part_is_served(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(workbook, "STEP", 3)
    ids = [world.add_lead(name=f"Person {number}").pk for number in range(7)]
    export = ask_workbook(world)
    steps = 0

    def kill_while_building() -> None:
        nonlocal steps
        steps += 1
        if steps == 6:  # behind four chunks and the first step of the workbook
            raise Killed

    with pytest.raises(Killed):
        run_due(size=2, after_chunk=kill_while_building)
    assert on_disk() == {f"{export.pk}.part", f"{export.pk}.ids", f"{export.pk}.xlsx.part"}
    with pytest.raises(Conflict):
        content_of(world, export)
    Export.objects.filter(pk=export.pk).update(due_at=export.requested_at)
    assert run_due(size=2) == 1
    assert [row["lead_id"] for row in rows_of(content_of(world, export))] == [str(one) for one in reversed(ids)]
    assert on_disk() == {f"{export.pk}.sealed"}
    assert AuditEvent.objects.filter(act=Act.EXPORT_MADE).count() == 1


def test_workbook_that_takes_too_long_is_given_up_at_once(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(workbook, "STEP", 2)
    monkeypatch.setattr(running, "BUILD_SECONDS", 0.0)
    for _ in range(3):
        world.add_lead()
    export = ask_workbook(world)
    run_due()
    export.refresh_from_db()
    assert (export.state, export.lease, export.wrapped_key, on_disk()) == ("failed", 2, None, set())
    assert export.failure == "As a workbook it takes too long. Ask for it as CSV, or for fewer leads."


def test_leases_count_as_fruitless_until_a_chunk_is_committed_and_no_step_of_the_workbook_helps(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(workbook, "STEP", 1)
    for _ in range(3):
        world.add_lead()
    export = ask_workbook(world)
    killed_at = (1, 3, 2, 2)  # before the lines are whole, then in the workbook
    tries = []
    for number in killed_at:
        calls = iter(range(1, number + 1))

        def kill(calls: Iterator[int] = calls, number: int = number) -> None:
            if next(calls) == number:
                raise Killed

        Export.objects.filter(pk=export.pk).update(due_at=export.requested_at)
        with pytest.raises(Killed):
            run_due(size=2, after_chunk=kill)
        export.refresh_from_db()
        tries.append((export.chunk, export.tries))
    assert tries == [(1, 0), (2, 0), (2, 1), (2, 2)]


def test_who_loses_the_right_while_the_workbook_is_built_gets_nothing(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(workbook, "STEP", 2)
    for _ in range(5):
        world.add_lead()
    boss = world.account.business_center.members.get().user
    export = ask_workbook(world)
    second = world.operator
    set_member(actor=boss, ad_account=world.account, user=second, role=AccountRole.ADMINISTRATOR)
    steps = 0

    def demote() -> None:
        nonlocal steps
        steps += 1
        if steps == 2:  # the lines are whole, the workbook is begun
            set_member(actor=boss, ad_account=world.account, user=world.administrator, role=AccountRole.ANALYST)

    run_due(size=50, after_chunk=demote)
    export.refresh_from_db()
    assert (export.state, export.wrapped_key, on_disk()) == ("failed", None, set())


def test_nothing_clear_touches_the_disk(world: World, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(workbook, "STEP", 2)
    temporary = tmp_path / "temporary"
    temporary.mkdir()
    monkeypatch.setattr(tempfile, "tempdir", str(temporary))
    for number in range(5):
        world.add_lead(name=f"Zedekiah Quux {number}", email=f"zed{number}@quux.example")
    ask_workbook(world)
    seen: list[bytes] = []

    def look() -> None:
        seen.extend(path.read_bytes() for folder in (file.folder(), temporary) for path in folder.iterdir())

    run_due(size=2, after_chunk=look)
    look()
    whole = b"".join(seen)
    assert len(seen) > 5
    assert b"Quux" not in whole
    assert b"PK\x03\x04" not in whole


def test_lines_of_the_draft_cannot_stand_for_records_of_the_workbook(world: World) -> None:
    world.add_lead()
    export = ask_workbook(world)
    run_due()
    export.refresh_from_db()
    assert export.wrapped_key is not None
    key = file.unwrap_key(export.wrapped_key)
    with pytest.raises(Tampered):
        list(file.read(export.pk, key, export.records, name=file.NAME))
    assert next(iter(file.read(export.pk, key, export.records, name=file.WORKBOOK)))[:2] == b"PK"


def both_ways(written: list[list[str]]) -> tuple[list[str], list[str]]:
    """The rows that these cells end as: as a workbook makes them of their lines, and each read by the parser of CSV."""
    whole = "".join(csv_line(cells) for cells in written)
    lines = workbook._lines(iter([b"\xef\xbb\xbf", whole.encode()]))
    made = [xlsx._row(row) for row in workbook._rows(lines, lambda: None)]
    read = csv.reader(io.StringIO(whole, newline=""), strict=True)
    return made, [xlsx._row([workbook._bare(cell) for cell in line]) for line in read]


def test_rows_are_the_same_whichever_way_their_lines_are_read() -> None:
    hostile = ["".join(some) for length in range(3) for some in product("\"',\r\na <", repeat=length)]
    hostile += ["_x0041_", "a\x00b", "\t", "a\tb", "\u2028", "\xa0a", "\ufffe", "&amp;", "-1", "-a", "=1", "'=1", "＝1"]
    hostile += ["🦘", "日本語", "x" * xlsx.LONGEST_CELL, "x" * (xlsx.LONGEST_CELL + 1), '","', '",', ',"', '"\r\n"']
    pairs = [list(pair) for pair in product(hostile, repeat=2)]
    chance = random.Random(1)
    chance.shuffle(pairs)  # lines that go on beside lines that do not
    written = [*([cell] for cell in hostile), *pairs, *(["", *pair, "a", ""] for pair in pairs[:2000])]
    made, read = both_ways(written)
    assert made == read
    assert len(made) == len(written)


@pytest.mark.parametrize(
    "text", ["Ann O'Neil", "+4915112345678", "", ",", "Is it near, please?", "2026-11-24 10:00:00"]
)
def test_what_most_leads_say_takes_the_short_way(text: str) -> None:
    assert xlsx.row_of_line(csv_line(["1", text, "x"])) is not None


def test_page_and_api_ask_for_a_workbook(world: World) -> None:
    client = Client()
    client.force_login(world.administrator)
    assert client.post(f"/l/{world.library.pk}/leads/download/", {"format": "xlsx"}).status_code == 302
    assert client.post(f"/l/{world.library.pk}/leads/download/", {"format": "pdf"}).status_code == 400
    token = create_token(user=world.administrator, name="t")[1]
    api = Client(headers={"Authorization": f"Bearer {token}"})
    made = api.post(
        f"/api/v1/libraries/{world.library.pk}/exports/", {"format": "xlsx"}, content_type="application/json"
    )
    assert (made.status_code, made.json()["format"]) == (201, "xlsx")
    run_due()
    answer = api.get(f"/api/v1/exports/{made.json()['id']}/file/")
    assert answer["Content-Type"] == "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"
    assert list(Export.objects.values_list("format", "state")) == [("xlsx", "done"), ("xlsx", "done")]
