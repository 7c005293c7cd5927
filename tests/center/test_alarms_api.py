"""The alarms of a library by REST: what the page says, to whom it says it, and taking note of one."""

from accounts.models import Act, Alarm, AuditEvent, User
from accounts.services.alarms import raise_alarm
from tests.callers import Caller
from tests.world import World


def raised(world: World, about: str) -> Alarm:
    detail = {"leads": 60, "of": 100}
    kind, actor = Alarm.Kind.LARGE_DOWNLOAD, world.administrator
    alarm = raise_alarm(library_id=world.library.pk, kind=kind, about=about, actor_id=actor.pk, detail=detail)
    assert alarm is not None
    return alarm


def test_alarms_are_listed_in_words_and_noted_once(world: World) -> None:
    raised(world, "one")
    alarm = raised(world, "two")
    call, path = Caller(world.administrator), f"libraries/{world.library.pk}/alarms/"
    first, second = call.get(path).json()["results"]
    ada = {"id": str(world.administrator.pk), "name": "Ada"}
    assert (first["id"], first["kind"], first["actor"]) == (str(alarm.pk), "large_download", ada)
    assert first["happened"].startswith("Ada downloaded or read by API 60 of the 100 leads")
    assert (first["noted_at"], first["noted_by"]) == (None, None)
    noted = call.post(f"{path}{alarm.pk}/noted/").json()
    assert (noted["noted_by"], noted["noted_at"] is None) == (ada, False)
    assert call.post(f"{path}{alarm.pk}/noted/").json() == noted
    assert AuditEvent.objects.filter(act=Act.ALARM_SEEN).count() == 1
    assert [row["noted_at"] for row in call.get(path).json()["results"]] == [noted["noted_at"], second["noted_at"]]
    assert call.get(path, cursor="x").status_code == 400


def test_alarms_are_for_whoever_reads_the_trail_of_their_library(world: World, partner: User) -> None:
    alarm = raised(world, "one")
    path = f"libraries/{world.library.pk}/alarms/"
    for user, status in ((partner, 403), (world.operator, 403), (world.stranger, 404)):
        for answer in (Caller(user).get(path), Caller(user).post(f"{path}{alarm.pk}/noted/")):
            assert answer.status_code == status
            assert str(alarm.pk) not in answer.content.decode()
    elsewhere = f"libraries/{world.stranger_library.pk}/alarms/{alarm.pk}/noted/"
    for user in (world.stranger, world.administrator):
        assert Caller(user).post(elsewhere).status_code == 404
    assert Caller(world.administrator, scopes=("leads:read",)).get(path).status_code == 403
    assert Alarm.objects.get().seen_at is None
