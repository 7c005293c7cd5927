"""Who may import, and what ends with their right: pages, REST, the running worker, the file of faulty rows."""

import re
from collections.abc import Callable
from typing import Any

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.db.models.functions import Now
from django.test import Client

from accounts.access import Refused
from accounts.models import AccountRole, AuditEvent, LeadLibrary, Scope, User
from accounts.refusals import Conflict
from accounts.services.ad_accounts import set_member
from leads.imports import file
from leads.imports.services.asking import check, discard, start
from leads.imports.services.expiring import expire_imports, remove_orphans
from leads.imports.services.handing_out import download_faults
from leads.imports.services.running import run_due
from leads.models import Import, Lead
from tests.callers import Caller
from tests.imports.files import brought, checked, counts, csv_of, fresh, imported, people
from tests.world import World, make_form

FILE = csv_of(*people(4), ("Zedekiah Quux", "zed at quux", ""))
Fall = Callable[[World], None]


def hand_over(world: World) -> None:
    world.hand_over()


def demote(world: World) -> None:
    boss = User.objects.get(name="Boss")
    set_member(actor=boss, ad_account=world.account, user=world.administrator, role=AccountRole.ANALYST)


def remove(world: World) -> None:
    boss = User.objects.get(name="Boss")
    set_member(actor=boss, ad_account=world.account, user=world.administrator, role=None)


FALLS = pytest.mark.parametrize("fall", [hand_over, demote, remove])


@pytest.fixture(autouse=True)
def eve(world: World) -> User:
    """Return a second Administrator, so that the first one can fall."""
    eve = User.objects.create_user("eve@house.test", "pass", name="Eve")
    set_member(actor=world.administrator, ad_account=world.account, user=eve, role=AccountRole.ADMINISTRATOR)
    return eve


def page_of(user: User) -> Client:
    client = Client()
    client.force_login(user)
    return client


def on_disk() -> set[str]:
    return {path.name for path in file.folder().iterdir()}


@FALLS
def test_running_import_stops_when_the_right_ends_and_what_it_made_stays(world: World, fall: Fall) -> None:
    row = checked(world, FILE)
    start(actor=world.administrator, row=row)
    run_due(size=2, after_batch=lambda: fall(world) if Lead.objects.count() == 2 else None)
    row = fresh(row)
    assert (row.state, row.made, row.wrapped_key, on_disk()) == ("failed", 2, None, set())
    gone = "Whoever uploaded this file may not work on these leads any more."
    assert row.failure == gone if fall is remove else row.failure.startswith(("Only Admin", "Leads access was"))
    assert Lead.objects.filter(state="live").count() == 2
    stopped = AuditEvent.objects.get(act="import_stopped", scope=Scope.LIBRARY)
    assert stopped.count == 2
    told = set(AuditEvent.objects.filter(act="import_stopped").values_list("scope", flat=True))
    assert told == ({"library", "ad_account", "business_center"} if fall is hand_over else {"library"})


@FALLS
def test_check_and_start_stop_when_the_right_ends(world: World, fall: Fall) -> None:
    waiting, ready = brought(world, FILE), checked(world, FILE)
    waiting = brought(world, FILE)
    fall(world)
    run_due()
    assert (fresh(waiting).state, fresh(waiting).made) == ("failed", 0)
    for act in (start, lambda **given: check(mapping=ready.mapping, duplicates="skip", deliver=False, **given)):
        with pytest.raises(Refused):
            act(actor=User.objects.get(pk=world.administrator.pk), row=fresh(ready))
    with pytest.raises(Refused):
        download_faults(actor=User.objects.get(pk=world.administrator.pk), row=fresh(ready))
    assert Lead.objects.count() == 0


def test_file_from_before_a_transfer_is_dead_for_both_sides_and_deleted(world: World) -> None:
    row = checked(world, FILE)
    world.hand_over()
    for actor in (world.administrator, world.client_admin):
        with pytest.raises(Refused):
            download_faults(actor=actor, row=fresh(row))
    assert expire_imports() == 1
    row = fresh(row)
    assert (row.state, row.wrapped_key, on_disk()) == ("expired", None, set())


def test_download_of_faulty_rows_ends_on_its_way(world: World) -> None:
    row = checked(world, FILE)
    parts = download_faults(actor=world.administrator, row=row).parts
    demote(world)
    with pytest.raises(Refused):
        next(parts)


def test_others_see_an_import_and_do_not_go_on_with_it(world: World, eve: User) -> None:
    row = checked(world, FILE)
    assert page_of(eve).get(f"/l/{world.library.pk}/imports/{row.pk}/").status_code == 200
    with pytest.raises(Conflict):
        start(actor=eve, row=row)
    assert fresh(row).state == "checked"


@pytest.mark.parametrize("posted", [{}, {"column-0": "shoe"}, {"column-0": "name", "duplicates": "twice"}])
def test_columns_of_another_person_s_file_stay_theirs_whatever_is_posted(
    world: World, eve: User, posted: dict[str, str]
) -> None:
    row = checked(world, FILE)
    place, before = f"/l/{world.library.pk}/imports/{row.pk}/", fresh(row).mapping
    mine, hers = (page_of(user).post(place, posted) for user in (world.administrator, eve))
    assert (mine.status_code, b"Your name" in mine.content, b"Person 0" in mine.content) == (400, True, True)
    assert (hers.status_code, b"Your name" in hers.content, b"Person" in hers.content) == (409, False, False)
    assert (fresh(row).state, fresh(row).mapping) == ("checked", before)


def test_who_discards_a_file_is_in_the_trail_once(world: World, eve: User) -> None:
    row = checked(world, FILE)
    for _time in range(2):
        discard(actor=eve, row=row)
    event = AuditEvent.objects.get(act="import_discarded")
    assert (event.scope, event.scope_id, event.actor) == (Scope.LIBRARY, world.library.pk, eve)
    assert list(event.targets.values_list("object_id", flat=True)) == [row.pk]


def body(form_id: int, content: bytes = FILE, **more: str) -> dict[str, Any]:
    return {"file": SimpleUploadedFile("leads.csv", content), "form": str(form_id), **more}


@pytest.mark.parametrize(("who", "status"), [("operator", 403), ("analyst", 403), ("stranger", 404)])
def test_nobody_without_the_right_imports_or_reads(world: World, who: str, status: int) -> None:
    row = checked(world, FILE)
    before = (Import.objects.count(), on_disk())
    user: User = getattr(world, who)
    place, page = f"/l/{world.library.pk}/imports/", page_of(user)
    for path in ("", "new/", f"{row.pk}/", f"{row.pk}/errors/"):
        answer = page.get(place + path)
        assert (answer.status_code, b"Zedekiah" in answer.content) == (status, False), path
    for path in ("new/", f"{row.pk}/", f"{row.pk}/run/", f"{row.pk}/discard/"):
        assert page.post(place + path, body(world.form.pk)).status_code == status, path
    caller = Caller(user)
    for path in (f"libraries/{world.library.pk}/imports/", f"imports/{row.pk}/", f"imports/{row.pk}/errors/"):
        assert caller.get(path).status_code == status, path
    answer = caller.send(f"libraries/{world.library.pk}/imports/", body(world.form.pk))
    assert answer.status_code == status
    assert (Import.objects.count(), on_disk(), fresh(row).state) == (*before, "checked")


def test_form_of_another_account_is_not_there(world: World) -> None:
    other, _version = make_form(LeadLibrary.objects.get(pk=world.stranger_library.pk).ad_account, "Theirs")
    caller = Caller(world.administrator)
    answer = caller.send(f"libraries/{world.library.pk}/imports/", body(other.pk))
    assert (answer.status_code, set(answer.json()["errors"])) == (400, {"form"})
    assert not Import.objects.exists()


def test_import_by_rest_from_file_to_faulty_rows(world: World) -> None:
    caller = Caller(world.administrator)
    where = f"libraries/{world.library.pk}/imports/"
    made = caller.send(where, body(world.form.pk, mapping='{"Your name": "name", "E-mail": "email"}'))
    assert (made.status_code, made.json()["state"]) == (201, "checking")
    one = f"imports/{made.json()['id']}/"
    run_due()
    seen = caller.get(one).json()
    assert [seen[name] for name in ("state", "new", "faulty", "total")] == ["checked", 4, 1, 5]
    taken = caller.get(f"{one}errors/")
    assert b"Zedekiah Quux" in b"".join(taken.streaming_content)
    assert taken["Cache-Control"] == "no-store"
    assert caller.post(f"{one}run/").json()["state"] == "running"
    run_due()
    assert caller.get(one).json()["state"] == "done"
    assert caller.post(f"{one}run/").status_code == 409
    assert Lead.objects.count() == 4
    straight = caller.send(where, body(world.form.pk, dry_run="false", duplicates="add")).json()
    run_due()
    assert (counts(Import.objects.get(pk=straight["id"])), Lead.objects.count()) == ((4, 0, 0, 1), 8)
    assert [row["id"] for row in caller.get(f"libraries/{world.library.pk}/imports/").json()["results"]] == [
        straight["id"], made.json()["id"],
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("more", "where"),
    [
        ({"mapping": "{"}, "mapping"),
        ({"mapping": '{"Your name": "name"}'}, "mapping"),
        ({"mapping": '["name", "email", "shoe"]'}, "mapping.2"),
        ({"duplicates": "twice"}, "duplicates"),
        ({"dry_run": "perhaps"}, "dry_run"),
        ({"form": "x"}, "form"),
        ({"file": ""}, "file"),
    ],
)
def test_body_that_cannot_be_is_told_by_field(world: World, more: dict[str, str], where: str) -> None:
    caller = Caller(world.administrator)
    answer = caller.send(f"libraries/{world.library.pk}/imports/", body(world.form.pk) | more)
    assert (answer.status_code, set(answer.json()["errors"])) == (400, {where})
    assert (Import.objects.count(), on_disk()) == (0, set())


def test_stray_quotation_mark_far_down_is_refused_and_nothing_is_kept(world: World) -> None:
    stray = csv_of(*people(200)) + b'\nAnn,"ann@example.com,\nBob,bob@example.com,\n'
    answer = Caller(world.administrator).send(f"libraries/{world.library.pk}/imports/", body(world.form.pk, stray))
    assert (answer.status_code, set(answer.json()["errors"])) == (400, {"file"})
    assert "In line 202 " in answer.json()["errors"]["file"]
    page = page_of(world.administrator).post(f"/l/{world.library.pk}/imports/new/", body(world.form.pk, stray))
    assert (page.status_code, b"In line 202 " in page.content) == (400, True)
    assert (Import.objects.count(), Lead.objects.count(), on_disk()) == (0, 0, set())


def shown(world: World) -> str:
    """The list of imports, without its markup."""
    text = page_of(world.administrator).get(f"/l/{world.library.pk}/imports/").content.decode()
    return " ".join(re.sub(r"<[^>]*>", " ", text[text.index("<tbody>") : text.index("</tbody>")]).split())


def test_file_that_was_discarded_is_told_so_and_brought_nothing(world: World) -> None:
    row = checked(world, FILE)
    assert (counts(row), "Checked 4 0 0 1" in shown(world)) == ((4, 0, 0, 1), True)
    page = page_of(world.administrator)
    page.post(f"/l/{world.library.pk}/imports/{row.pk}/discard/")
    row = fresh(row)
    assert (row.state, counts(row), on_disk()) == ("expired", (0, 0, 0, 0), set())
    assert "Discarded Nothing was imported. 0 0 0 0" in shown(world)
    assert b"This file was discarded" in page.get(f"/l/{world.library.pk}/imports/{row.pk}/").content


def test_file_that_expired_is_told_so_and_an_import_keeps_its_numbers(world: World) -> None:
    waits, done = checked(world, FILE), imported(world, FILE)
    Import.objects.update(expires_at=Now())
    assert expire_imports() == 2
    assert [(fresh(row).state, counts(fresh(row))) for row in (waits, done)] == [
        ("expired", (0, 0, 0, 0)), ("done", (4, 0, 0, 1)),
    ]  # fmt: skip
    assert "Expired Nothing was imported. 0 0 0 0" in shown(world)
    discard(actor=world.administrator, row=done)
    assert (fresh(done).state, counts(fresh(done))) == ("done", (4, 0, 0, 1))


def test_check_that_stopped_brought_nothing(world: World) -> None:
    row = brought(world, FILE)
    run_due(size=2, after_batch=lambda: demote(world))
    row = fresh(row)
    assert (row.state, counts(row), Lead.objects.count()) == ("failed", (0, 0, 0, 0), 0)


def test_old_files_without_a_key_are_swept(world: World) -> None:
    row = checked(world, FILE)
    (file.folder() / "77.sealed").write_bytes(b"x")
    assert remove_orphans(older_than=-1) == 1
    assert on_disk() == {f"{row.pk}.sealed", f"{row.pk}.faults"}
