"""API tokens: kept as a digest, ended at once, and never more than what their person may."""

from datetime import timedelta

import pytest
from django.core.management import CommandError, call_command
from django.db import connection
from django.test import Client
from django.utils import timezone
from time_machine import travel

from accounts.access import Can
from accounts.authentication import SCOPE_OF, TokenScope, allowed_by_scope
from accounts.models import AccountRole, ApiToken, User
from accounts.services import ad_accounts, people
from accounts.services.tokens import create_token, digest_of, revoke_token
from tests.world import World, says


def bearer(raw: str, **more: str) -> Client:
    return Client(headers={"Authorization": f"Bearer {raw}", **more})


def status(world: World, raw: str) -> int:
    return bearer(raw).get(f"/api/v1/forms/{world.form.pk}/").status_code


def test_text_of_a_token_is_kept_nowhere(world: World) -> None:
    token, raw = create_token(user=world.administrator, name="script")
    assert len(raw) >= 32 + 3
    assert bytes(token.digest) == digest_of(raw)
    with connection.cursor() as cursor:
        for table in connection.introspection.table_names(cursor):
            cursor.execute(f'SELECT * FROM "{table}"')  # noqa: S608  # names of our own tables
            for row in cursor.fetchall():
                assert raw not in repr(row)
                assert raw[3:-4] not in repr(row)


def test_token_opens_what_its_person_may(world: World) -> None:
    assert status(world, create_token(user=world.operator, name="script")[1]) == 200
    assert status(world, create_token(user=world.stranger, name="script")[1]) == 404


def test_use_is_noted_to_the_minute(world: World) -> None:
    token, raw = create_token(user=world.operator, name="script")
    assert token.last_used_at is None
    status(world, raw)
    token.refresh_from_db()
    first = token.last_used_at
    assert first is not None
    status(world, raw)
    token.refresh_from_db()
    assert token.last_used_at == first


def test_revoked_token_is_refused_in_the_next_request(world: World) -> None:
    token, raw = create_token(user=world.operator, name="script")
    assert status(world, raw) == 200
    assert revoke_token(actor=world.operator, token_id=token.pk)
    answer = bearer(raw).get(f"/api/v1/forms/{world.form.pk}/")
    assert (answer.status_code, answer["WWW-Authenticate"]) == (401, 'Bearer realm="api"')
    assert not revoke_token(actor=world.operator, token_id=token.pk)


def test_expired_token_is_refused(world: World) -> None:
    now = timezone.now()
    assert status(world, create_token(user=world.operator, name="a", expires_at=now + timedelta(minutes=1))[1]) == 200
    assert status(world, create_token(user=world.operator, name="b", expires_at=now - timedelta(seconds=1))[1]) == 401


def test_token_of_a_deactivated_person_is_refused(world: World) -> None:
    _token, raw = create_token(user=world.operator, name="script")
    people.set_active(actor=None, user=world.operator, active=False)
    assert status(world, raw) == 401


def test_token_loses_what_its_person_loses(world: World) -> None:
    _token, raw = create_token(user=world.operator, name="script")
    assert bearer(raw).post(f"/api/v1/forms/{world.form.pk}/archive/").status_code == 200
    ad_accounts.set_member(
        actor=world.administrator, ad_account=world.account, user=world.operator, role=AccountRole.ANALYST
    )
    assert bearer(raw).post(f"/api/v1/forms/{world.form.pk}/restore/").status_code == 403


@pytest.mark.parametrize("raw", ["", "hf_", "hf_" + "a" * 32, "0e1234", "\udcff", "x" * 10_000])
def test_wrong_token_is_401_and_never_the_sessions_person(world: World, raw: str) -> None:
    client = bearer(raw.encode("utf-8", "replace").decode())
    client.force_login(world.administrator)
    assert client.get(f"/api/v1/forms/{world.form.pk}/").status_code == 401


# ---- scopes ----------------------------------------------------------------------------------------------------------


def test_scope_narrows(world: World) -> None:
    _token, raw = create_token(user=world.administrator, name="reader", scopes=["forms:read"])
    assert status(world, raw) == 200
    answer = bearer(raw).post(f"/api/v1/forms/{world.form.pk}/archive/")
    assert answer.status_code == 403
    assert "forms:write" in answer.json()["detail"]
    world.form.refresh_from_db()
    assert world.form.status == "live"


def test_scope_never_widens(world: World) -> None:
    _token, raw = create_token(user=world.analyst, name="all", scopes=[str(scope) for scope in TokenScope])
    assert bearer(raw).post(f"/api/v1/forms/{world.form.pk}/archive/").status_code == 403


def test_token_without_any_scope_opens_nothing(world: World) -> None:
    _token, raw = create_token(user=world.administrator, name="none", scopes=[])
    assert status(world, raw) == 403


def test_every_right_but_belonging_has_a_scope() -> None:
    assert set(Can) - set(SCOPE_OF) == {Can.BELONG_ADACCOUNT, Can.BELONG_LIBRARY}
    assert set(SCOPE_OF.values()) | {TokenScope.EVERYTHING} == set(TokenScope)
    reader = ApiToken(scopes=["forms:read"])
    assert [can for can in SCOPE_OF if allowed_by_scope(reader, can)] == [Can.VIEW_FORMS]


# ---- the command -----------------------------------------------------------------------------------------------------


def test_command_prints_the_token_and_nothing_else(world: World, capsys: pytest.CaptureFixture[str]) -> None:
    call_command("create_api_token", "--user", world.operator.email.upper(), "--scope", "forms:read")
    raw = capsys.readouterr().out.strip()
    assert ApiToken.objects.get(digest=digest_of(raw)).scopes == ["forms:read"]
    assert status(world, raw) == 200


@pytest.mark.parametrize("email", ["nobody@house.test", ""])
def test_command_refuses_who_is_not_there_with_status_2(db: None, email: str) -> None:
    with pytest.raises(CommandError) as error:
        call_command("create_api_token", "--user", email)
    assert error.value.returncode == 2
    assert not ApiToken.objects.exists()


def test_command_refuses_the_inactive(world: World) -> None:
    User.objects.filter(pk=world.operator.pk).update(is_active=False)
    with pytest.raises(CommandError):
        call_command("create_api_token", "--user", world.operator.email)
    assert not ApiToken.objects.filter(user=world.operator).exists()


# ---- the page --------------------------------------------------------------------------------------------------------


def page_of(user: User) -> Client:
    client = Client()
    client.force_login(user)
    return client


@pytest.mark.parametrize(("life", "days"), [("30", 30), ("90", 90), ("365", 365), ("never", None)])
def test_token_ends_when_the_page_said(world: World, life: str, days: int | None) -> None:
    fields = {"name": "report", "scopes": ["forms:read", "campaigns:read"], "life": life}
    answer = page_of(world.operator).post("/settings/tokens/", fields)
    token = ApiToken.objects.get(user=world.operator)
    assert token.scopes == ["forms:read", "campaigns:read"]
    raw = answer.context["raw"]
    assert status(world, raw) == 200
    if days is None:
        assert token.expires_at is None
        return
    assert token.expires_at is not None
    with travel(timezone.now() + timedelta(days=days, minutes=-1)):
        assert status(world, raw) == 200
    ApiToken.objects.filter(pk=token.pk).update(expires_at=timezone.now() - timedelta(seconds=1))
    assert status(world, raw) == 401


@pytest.mark.parametrize(
    "fields",
    [
        {"name": "x", "scopes": [], "life": "90"},
        {"name": "x", "scopes": ["leads:all"], "life": "90"},
        {"name": "", "scopes": ["crm"], "life": "90"},
        {"name": "x", "scopes": ["crm"], "life": "9999"},
        {"name": "x", "scopes": ["crm"]},
    ],
)
def test_page_makes_no_token_of_half_an_answer(world: World, fields: dict[str, object]) -> None:
    answer = page_of(world.operator).post("/settings/tokens/", fields)
    assert answer.status_code == 400
    assert not ApiToken.objects.exists()


def test_page_offers_every_scope_and_ninety_days(world: World) -> None:
    form = page_of(world.operator).get("/settings/tokens/").context["form"]
    assert [value for value, _words in form.fields["scopes"].choices] == sorted(
        TokenScope, key=[value for value, _words in form.fields["scopes"].choices].index
    )
    assert {value for value, _words in form.fields["scopes"].choices} == set(TokenScope)
    assert (form.fields["life"].initial, form.fields["scopes"].initial) == ("90", None)


def test_operators_token_for_leads_reads_no_lead(world: World) -> None:
    """A scope names what a token is for; the role decides."""
    world.add_lead()
    fields = {"name": "greedy", "scopes": ["leads:read", "leads:download", "everything"], "life": "30"}
    raw = page_of(world.operator).post("/settings/tokens/", fields).context["raw"]
    for path in (f"libraries/{world.library.pk}/leads/", f"libraries/{world.library.pk}/exports/"):
        answer = bearer(raw).get(f"/api/v1/{path}")
        assert (answer.status_code, answer.json()["missing_permission"][:4]) in ((403, "view"), (403, "down"))
        assert not says(answer.content.decode(), "Ann")


def test_page_tells_state_and_last_use(world: World) -> None:
    now = timezone.now()
    used, raw = create_token(user=world.operator, name="used", expires_at=now + timedelta(days=3))
    create_token(user=world.operator, name="old", expires_at=now - timedelta(days=1))
    ended, _raw = create_token(user=world.operator, name="ended")
    assert status(world, raw) == 200
    assert revoke_token(actor=world.operator, token_id=ended.pk)
    text = page_of(world.operator).get("/settings/tokens/").content.decode()
    assert [text.count(word) for word in ("Expired", "Ended", "Never", "until")] == [1, 1, 2, 1]
    assert f"…{used.hint}" in text
    assert raw not in text
