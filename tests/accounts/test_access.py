"""Who may what: the brief's table, guardian's rows as the only judge, and guardian's traps."""

from pathlib import Path

import pytest
from django.conf import settings
from django.contrib.auth.models import Permission
from django.core.management import call_command
from django.test import Client
from guardian.shortcuts import get_objects_for_user

from accounts.access import (
    LIBRARY_RIGHTS,
    ROLE_TABLE,
    Can,
    Refused,
    expected_rows,
    grants,
    holders,
    may,
    require,
    visible,
)
from accounts.models import (
    AccountMembership,
    AccountRole,
    AdAccount,
    AdAccountUserPermission,
    AuditEvent,
    BusinessCenterRole,
    LeadLibrary,
    LeadLibraryUserPermission,
    User,
)
from accounts.services import ad_accounts, business_centers, people
from accounts.services.tokens import create_token
from tests.counting import statements
from tests.world import World, person

BRIEF = """
| permission | Administrator | Operator | Analyst |
| --- | --- | --- | --- |
| Create & edit Lead Ads campaign | Yes | Yes | No |
| View Lead Ads campaign | Yes | Yes | Yes |
| Download leads | Yes | No | No |
| Delete leads | Yes | No | No |
| View instant forms | Yes | Yes | Yes |
| Create & edit instant forms | Yes | Yes | No |
"""
LINES = {
    "Create & edit Lead Ads campaign": Can.EDIT_CAMPAIGNS,
    "View Lead Ads campaign": Can.VIEW_CAMPAIGNS,
    "Download leads": Can.DOWNLOAD_LEADS,
    "Delete leads": Can.DELETE_LEADS,
    "View instant forms": Can.VIEW_FORMS,
    "Create & edit instant forms": Can.EDIT_FORMS,
}


def rows_of(table: str) -> set[tuple[str, ...]]:
    """The cells of each line of a Markdown table, spaces trimmed."""
    lines = [line.strip().strip("|").split("|") for line in table.splitlines() if line.strip().startswith("|")]
    return {tuple(cell.strip() for cell in line) for line in lines}


def printed(world: World) -> str:
    """The table as the rows in the database give it to the three roles."""
    roles = {"Administrator": world.administrator, "Operator": world.operator, "Analyst": world.analyst}
    lines = ["| permission | " + " | ".join(roles) + " |", "| --- | --- | --- | --- |"]
    for name, can in LINES.items():
        target = world.library if can in LIBRARY_RIGHTS else world.account
        says = ["Yes" if may(user, can, target) else "No" for user in roles.values()]
        lines.append(f"| {name} | {' | '.join(says)} |")
    return "\n".join(lines)


def test_rights_are_the_table_of_the_brief(world: World, capsys: pytest.CaptureFixture[str]) -> None:
    table = printed(world)
    with capsys.disabled():
        print(f"\n{table}")  # noqa: T201  # the run says which table holds
    assert rows_of(table) == rows_of(BRIEF)


def test_readme_shows_the_table_that_holds(world: World) -> None:
    readme = (Path(settings.BASE_DIR) / "README.md").read_text()
    wanted = {row for row in rows_of(printed(world)) if row[0] in LINES}
    assert wanted <= rows_of(readme)


@pytest.mark.parametrize("role", [AccountRole.OPERATOR, AccountRole.ANALYST])
def test_lead_rights_are_the_administrators_alone(world: World, role: AccountRole) -> None:
    user = {AccountRole.OPERATOR: world.operator, AccountRole.ANALYST: world.analyst}[role]
    assert grants(user, world.library) == {Can.BELONG_LIBRARY}
    assert ROLE_TABLE[role].isdisjoint(LIBRARY_RIGHTS)
    assert grants(world.administrator, world.library) == LIBRARY_RIGHTS | {Can.BELONG_LIBRARY}


@pytest.mark.parametrize("can", sorted(LIBRARY_RIGHTS))
def test_each_library_right_is_one_row_that_decides(world: World, can: Can) -> None:
    assert may(world.administrator, can, world.library)
    rows = LeadLibraryUserPermission.objects.filter(
        user=world.administrator, content_object=world.library, permission__codename=can
    )
    assert rows.count() == 1
    rows.delete()
    with pytest.raises(Refused) as refused:
        require(world.administrator, can, world.library)
    assert (refused.value.can, refused.value.stranger) == (can, False)


def test_deleting_one_row_closes_the_api_in_the_next_request(world: World) -> None:
    _token, raw = create_token(user=world.operator, name="script")
    client = Client(headers={"Authorization": f"Bearer {raw}"})
    assert client.get(f"/api/v1/forms/{world.form.pk}/").status_code == 200
    rows = AdAccountUserPermission.objects.filter(user=world.operator, permission__codename=Can.VIEW_FORMS)
    assert rows.delete()[0] == 1
    answer = client.get(f"/api/v1/forms/{world.form.pk}/")
    assert (answer.status_code, answer.json()["missing_permission"]) == (403, "view_forms")
    assert answer.json()["who_can_help"] == ["Ada"]
    assert AccountMembership.objects.filter(user=world.operator, role=AccountRole.OPERATOR).exists()  # roles do not


def test_row_alone_opens_even_without_a_membership(world: World) -> None:
    guest = person("Gast")
    permission = Permission.objects.get(codename=Can.VIEW_FORMS, content_type__app_label="accounts")
    AdAccountUserPermission.objects.create(user=guest, content_object=world.account, permission=permission)
    assert require(guest, Can.VIEW_FORMS, world.account) == {Can.VIEW_FORMS}


# ---- guardian's traps ------------------------------------------------------------------------------------------------


def test_inactive_person_holds_nothing_whatever_rows_exist(world: World) -> None:
    User.objects.filter(pk=world.administrator.pk).update(is_active=False)  # around the service: the rows stay
    user = User.objects.get(pk=world.administrator.pk)
    assert LeadLibraryUserPermission.objects.filter(user=user).exists()
    assert grants(user, world.library) == frozenset()
    assert not visible(user, Can.VIEW_LEADS, LeadLibrary.objects.all(), "pk").exists()
    assert user not in holders(world.library, Can.VIEW_LEADS)
    # what guardian itself would have said, so that this test knows what it guards against
    assert world.library in get_objects_for_user(user, "accounts.view_leads", klass=LeadLibrary)


def test_superuser_is_a_stranger(world: World) -> None:
    root = User.objects.create_superuser("root@house.test", "pass")
    with pytest.raises(Refused) as refused:
        require(root, Can.VIEW_LEADS, world.library)
    assert refused.value.stranger
    assert not visible(root, Can.VIEW_LEADS, LeadLibrary.objects.all(), "pk").exists()
    assert world.library in get_objects_for_user(root, "accounts.view_leads", klass=LeadLibrary)


@pytest.mark.parametrize("flag", ["is_staff", "is_superuser"])
def test_member_who_becomes_staff_holds_nothing(world: World, flag: str) -> None:
    User.objects.filter(pk=world.administrator.pk).update(**{flag: True})
    user = User.objects.get(pk=world.administrator.pk)
    assert grants(user, world.library) == grants(user, world.account) == frozenset()
    assert user not in holders(world.library, Can.VIEW_LEADS)


def test_global_permission_opens_no_library(world: World) -> None:
    guest = person("Gast")
    guest.user_permissions.add(*Permission.objects.filter(codename__in=[*Can]))
    guest = User.objects.get(pk=guest.pk)
    assert guest.has_perm("accounts.view_leads")
    assert world.library in get_objects_for_user(guest, "accounts.view_leads", klass=LeadLibrary)
    assert grants(guest, world.library) == frozenset()
    assert not visible(guest, Can.VIEW_LEADS, LeadLibrary.objects.all(), "pk").exists()


def test_no_permission_exists_that_names_every_account_or_library() -> None:
    for model in (AdAccount, LeadLibrary):
        assert model._meta.default_permissions == ()
        named = [*dict(model._meta.permissions)]
        assert set(named) <= {str(can) for can in Can}


def test_visible_lists_what_grants_allow(world: World) -> None:
    assert list(visible(world.administrator, Can.VIEW_LEADS, LeadLibrary.objects.all(), "pk")) == [world.library]
    assert list(visible(world.operator, Can.VIEW_LEADS, LeadLibrary.objects.all(), "pk")) == []
    assert list(visible(world.operator, Can.BELONG_LIBRARY, LeadLibrary.objects.all(), "pk")) == [world.library]
    assert list(visible(world.analyst, Can.VIEW_FORMS, AdAccount.objects.all(), "pk")) == [world.account]


# ---- what refusal tells ----------------------------------------------------------------------------------------------


def test_member_without_the_right_learns_who_can_help_on_ones_own_side(world: World) -> None:
    with pytest.raises(Refused) as refused:
        require(world.analyst, Can.DOWNLOAD_LEADS, world.library)
    assert refused.value.reason == "Only Administrators of Brand ads can download leads."
    assert refused.value.who_can_help == ("Ada",)


def test_stranger_learns_nothing(world: World) -> None:
    with pytest.raises(Refused) as refused:
        require(world.stranger, Can.VIEW_LEADS, world.library)
    assert refused.value.stranger
    assert refused.value.who_can_help == ()
    assert "Brand" not in refused.value.reason


def test_after_a_transfer_the_other_side_is_named_by_its_company_alone(world: World) -> None:
    world.hand_over()
    with pytest.raises(Refused) as refused:
        require(world.administrator, Can.VIEW_LEADS, world.library)
    assert refused.value.who_can_help == ("Client",)
    assert "Clio" not in refused.value.reason


def test_custody_of_an_older_time_is_refused_although_the_right_is_held(world: World) -> None:
    assert Can.VIEW_LEADS in require(world.administrator, Can.VIEW_LEADS, world.library, custody=1)
    world.hand_over()
    with pytest.raises(Refused):
        require(world.client_admin, Can.VIEW_LEADS, world.library, custody=1)
    assert Can.VIEW_LEADS in require(world.client_admin, Can.VIEW_LEADS, world.library, custody=2)


# ---- what memberships give -------------------------------------------------------------------------------------------


def test_admin_of_the_owning_business_center_manages_members_and_sees_no_lead(world: World) -> None:
    boss = User.objects.get(name="Boss")
    assert grants(boss, world.account) == {Can.BELONG_ADACCOUNT, Can.MANAGE_MEMBERS}
    assert grants(boss, world.library) == {Can.BELONG_LIBRARY}


def test_standard_member_of_the_custodian_belongs_and_sees_no_lead(world: World) -> None:
    standard = person("Stan")
    business_centers.set_member(
        actor=world.client_admin, business_center=world.client, user=standard, role=BusinessCenterRole.STANDARD
    )
    assert grants(standard, world.library) == frozenset()
    world.hand_over()
    assert grants(standard, world.library) == {Can.BELONG_LIBRARY}
    assert grants(world.client_admin, world.library) == LIBRARY_RIGHTS | {Can.BELONG_LIBRARY}
    assert grants(world.client_admin, world.account) == {Can.BELONG_ADACCOUNT, Can.VIEW_FORMS}


@pytest.mark.parametrize("role", [AccountRole.ANALYST, None])
def test_demoted_administrator_loses_leads_with_the_role(world: World, role: AccountRole | None) -> None:
    second = person("Bea")
    ad_accounts.set_member(
        actor=world.administrator, ad_account=world.account, user=second, role=AccountRole.ADMINISTRATOR
    )
    assert may(second, Can.VIEW_LEADS, world.library)
    ad_accounts.set_member(actor=world.administrator, ad_account=world.account, user=second, role=role)
    assert not may(second, Can.VIEW_LEADS, world.library)
    assert bool(grants(second, world.library)) == (role is not None)


def test_deactivation_takes_rows_and_tokens_and_activation_gives_rows_back(world: World) -> None:
    token, _raw = create_token(user=world.administrator, name="script")
    people.set_active(actor=None, user=world.administrator, active=False)
    assert not LeadLibraryUserPermission.objects.filter(user=world.administrator).exists()
    token.refresh_from_db()
    assert token.revoked_at is not None
    people.set_active(actor=None, user=world.administrator, active=True)
    assert may(world.administrator, Can.VIEW_LEADS, world.library)
    token.refresh_from_db()
    assert token.revoked_at is not None


# ---- check_permissions -----------------------------------------------------------------------------------------------


def surplus_and_missing(world: World) -> None:
    permission = Permission.objects.get(codename=Can.DOWNLOAD_LEADS, content_type__app_label="accounts")
    LeadLibraryUserPermission.objects.create(user=world.analyst, content_object=world.library, permission=permission)
    AdAccountUserPermission.objects.filter(user=world.operator, permission__codename=Can.EDIT_FORMS).delete()


def test_check_permissions_finds_every_row_in_order(world: World, capsys: pytest.CaptureFixture[str]) -> None:
    call_command("check_permissions")
    assert "every permission row follows" in capsys.readouterr().out


def test_check_permissions_counts_what_differs_and_changes_nothing(
    world: World, capsys: pytest.CaptureFixture[str]
) -> None:
    surplus_and_missing(world)
    with pytest.raises(SystemExit) as ended:
        call_command("check_permissions")
    assert ended.value.code == 1
    assert "2 permission rows do not follow" in capsys.readouterr().err
    assert may(world.analyst, Can.DOWNLOAD_LEADS, world.library)


def test_check_permissions_repairs_and_records_it(world: World, capsys: pytest.CaptureFixture[str]) -> None:
    surplus_and_missing(world)
    call_command("check_permissions", "--repair")
    assert "repaired 2 permission rows" in capsys.readouterr().out
    assert not may(world.analyst, Can.DOWNLOAD_LEADS, world.library)
    assert may(world.operator, Can.EDIT_FORMS, world.account)
    event = AuditEvent.objects.get(act="permissions_repaired")
    assert (event.scope_id, event.detail) == (world.library.pk, {"rows": 2})


def test_rows_of_every_library_follow_after_every_service_of_the_world(world: World) -> None:
    world.hand_over()
    [each] = expected_rows([world.library])
    on_account, on_library = each.on_account, each.on_library
    rows = LeadLibraryUserPermission.objects.filter(content_object=world.library)
    assert set(rows.values_list("user_id", "permission__codename")) == {(user, str(can)) for user, can in on_library}
    found = AdAccountUserPermission.objects.filter(content_object=world.account)
    assert set(found.values_list("user_id", "permission__codename")) == {(user, str(can)) for user, can in on_account}


def test_deriving_many_accounts_costs_the_same_statements_as_one(world: World) -> None:
    boss, late = User.objects.get(name="Boss"), person("Late")
    center = world.account.business_center

    def statements_of_joining(role: BusinessCenterRole) -> int:
        with statements() as asked:
            business_centers.set_member(actor=boss, business_center=center, user=late, role=role)
        return len(asked)

    statements_of_joining(BusinessCenterRole.STANDARD)
    one = statements_of_joining(BusinessCenterRole.ADMIN)
    for number in range(10):
        ad_accounts.create_ad_account(actor=boss, business_center=center, name=f"No {number}", administrator=boss)
    statements_of_joining(BusinessCenterRole.STANDARD)
    assert statements_of_joining(BusinessCenterRole.ADMIN) == one
    held = AdAccountUserPermission.objects.filter(user=late, permission__codename=Can.MANAGE_MEMBERS)
    assert held.count() == 11


def test_check_permissions_names_each_row_that_differs(world: World, capsys: pytest.CaptureFixture[str]) -> None:
    LeadLibraryUserPermission.objects.filter(user=world.administrator, permission__codename=Can.VIEW_LEADS).delete()
    permission = Permission.objects.get(codename=Can.VIEW_LEADS)
    LeadLibraryUserPermission.objects.create(user=world.stranger, content_object=world.library, permission=permission)
    with pytest.raises(SystemExit):
        call_command("check_permissions")
    told = capsys.readouterr().out.splitlines()
    assert told == [
        f"lead library {world.library.pk}: person {world.administrator.pk} lacks view_leads",
        f"lead library {world.library.pk}: person {world.stranger.pk} holds without a reason view_leads",
    ]
    assert may(world.stranger, Can.VIEW_LEADS, world.library)  # nothing was changed
    call_command("check_permissions", "--repair")
    assert not may(world.stranger, Can.VIEW_LEADS, world.library)
    assert may(world.administrator, Can.VIEW_LEADS, world.library)


def test_no_answer_outlives_its_request(world: World) -> None:
    """A kept checker would go on saying yes; the same objects, asked again, say what holds now."""
    user, library = world.administrator, world.library
    assert may(user, Can.VIEW_LEADS, library)
    LeadLibraryUserPermission.objects.filter(user=user, content_object=library).delete()
    assert not may(user, Can.VIEW_LEADS, library)
    assert not [name for name in vars(user) if "perm" in name]
