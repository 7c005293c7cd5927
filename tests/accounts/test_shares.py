"""An ad account lent to a partner: who holds what through it, and everything that ends it."""

from dataclasses import dataclass
from typing import Any

import pytest
from django.core import mail
from django.core.management import call_command
from django.db import IntegrityError, transaction

from accounts.access import ROLE_TABLE, SHARED_LEAD_RIGHTS, Can, Refused, grants, holders, may
from accounts.models import (
    AccountMembership,
    AccountRole,
    AccountShare,
    Act,
    AuditEvent,
    BusinessCenter,
    BusinessCenterRole,
    LeadLibrary,
    Scope,
    User,
)
from accounts.refusals import Conflict, Invalid
from accounts.services import ad_accounts, business_centers, people, shares
from accounts.services.staff import set_center_active
from accounts.services.transfers import accept_transfer, request_transfer
from tests.callers import Caller
from tests.world import World, person, says

NOTHING: frozenset[Can] = frozenset()


@dataclass
class Lent:
    """The world's account lent to "Partner" at Administrator; `helper` is a Standard member without a role."""

    world: World
    partner: BusinessCenter
    boss: User
    helper: User
    share: AccountShare

    def leads_on(self) -> None:
        shares.set_leads_too(actor=self.world.administrator, share=self.share, leads_too=True)

    def give(self, role: AccountRole | None) -> None:
        shares.give_role(actor=self.boss, share=self.share, user=self.helper, role=role)


@pytest.fixture
def lent(world: World) -> Lent:
    boss, helper = person("Petra"), person("Hugo")
    partner = business_centers.create_business_center(
        name="Partner", admin=boss, two_factor=BusinessCenter.TwoFactor.NOBODY
    )
    business_centers.set_member(actor=boss, business_center=partner, user=helper, role=BusinessCenterRole.STANDARD)
    share = shares.share_account(
        actor=world.administrator, ad_account=world.account, partner=partner, role=AccountRole.ADMINISTRATOR
    )
    return Lent(world, partner, boss, helper, share)


def acts(scope: Scope, scope_id: int) -> list[str]:
    events = AuditEvent.objects.filter(scope=scope, scope_id=scope_id).order_by("at", "id")
    return list(events.values_list("act", flat=True))


@pytest.mark.parametrize("role", list(AccountRole))
def test_share_gives_the_partners_admins_its_role_and_no_lead(lent: Lent, role: AccountRole) -> None:
    shares.set_share_role(actor=lent.world.administrator, share=lent.share, role=role)
    wanted = ROLE_TABLE[role] - {Can.MANAGE_MEMBERS} | {Can.BELONG_ADACCOUNT}
    assert grants(lent.boss, lent.world.account) == wanted
    assert grants(lent.boss, lent.world.library) == {Can.BELONG_LIBRARY}
    assert grants(lent.helper, lent.world.account) == NOTHING


def test_leads_too_gives_reading_and_working_and_nothing_that_decides_where_leads_go(lent: Lent) -> None:
    lent.leads_on()
    assert grants(lent.boss, lent.world.library) == SHARED_LEAD_RIGHTS | {Can.BELONG_LIBRARY}
    assert {Can.CONNECT_CRM, Can.HAND_OVER, Can.MANAGE_PRIVACY, Can.VIEW_TRAIL}.isdisjoint(SHARED_LEAD_RIGHTS)
    assert lent.boss in holders(lent.world.library, Can.VIEW_LEADS)
    shares.set_leads_too(actor=lent.world.administrator, share=lent.share, leads_too=False)
    assert grants(lent.boss, lent.world.library) == {Can.BELONG_LIBRARY}


def test_leads_work_and_stop_in_the_next_request_of_the_same_token(lent: Lent) -> None:
    lead = lent.world.add_lead()
    caller = Caller(lent.boss)
    path = f"leads/{lead.pk}/"
    assert caller.get(path).status_code == 403
    lent.leads_on()
    assert caller.get(path).status_code == 200
    shares.set_leads_too(actor=lent.world.administrator, share=lent.share, leads_too=False)
    refused = caller.get(path)
    assert (refused.status_code, refused.json()["missing_permission"]) == (403, "view_leads")
    assert refused.json()["who_can_help"] == ["Agency"]  # of the other side the company alone
    assert not says(refused.content.decode(), "Ann")


@pytest.mark.parametrize("who", ["operator", "analyst", "boss_of_owner", "partner_boss", "stranger"])
def test_only_a_holder_of_the_leads_switches_them_on(lent: Lent, who: str) -> None:
    actor = {
        "operator": lent.world.operator,
        "analyst": lent.world.analyst,
        "boss_of_owner": User.objects.get(name="Boss"),
        "partner_boss": lent.boss,
        "stranger": lent.world.stranger,
    }[who]
    with pytest.raises(Refused):
        shares.set_leads_too(actor=actor, share=lent.share, leads_too=True)
    assert not AccountShare.objects.get().leads_too
    assert grants(lent.boss, lent.world.library) == {Can.BELONG_LIBRARY}


def test_share_below_administrator_never_carries_leads(lent: Lent) -> None:
    lent.leads_on()
    shares.set_share_role(actor=lent.world.administrator, share=lent.share, role=AccountRole.OPERATOR)
    share = AccountShare.objects.get()
    assert (share.leads_too, share.leads_custody) == (False, None)
    assert grants(lent.boss, lent.world.library) == {Can.BELONG_LIBRARY}
    with pytest.raises(Conflict):
        shares.set_leads_too(actor=lent.world.administrator, share=share, leads_too=True)
    with pytest.raises(IntegrityError), transaction.atomic():
        AccountShare.objects.update(leads_too=True, leads_custody=1)


def test_transfer_ends_leads_too_for_good(lent: Lent) -> None:
    lent.leads_on()
    lent.world.hand_over()
    assert grants(lent.boss, lent.world.library) == {Can.BELONG_LIBRARY}
    owner = lent.world.account.business_center
    back = request_transfer(actor=lent.world.client_admin, library=lent.world.library, business_center=owner)
    accept_transfer(actor=User.objects.get(name="Boss"), transfer=back)
    assert grants(lent.world.administrator, lent.world.library) >= {Can.VIEW_LEADS}
    assert grants(lent.boss, lent.world.library) == {Can.BELONG_LIBRARY}  # it belonged to the custody of before


def test_person_given_a_role_holds_at_most_the_shares(lent: Lent) -> None:
    lent.give(AccountRole.ADMINISTRATOR)
    shares.set_share_role(actor=lent.world.administrator, share=lent.share, role=AccountRole.ANALYST)
    assert grants(lent.helper, lent.world.account) == ROLE_TABLE[AccountRole.ANALYST] | {Can.BELONG_ADACCOUNT}
    with pytest.raises(Invalid):
        lent.give(AccountRole.OPERATOR)
    AccountMembership.objects.filter(user=lent.helper).update(role=AccountRole.ADMINISTRATOR)  # behind the services
    call_command("check_permissions")  # rows follow from the share's role, so nothing differs
    assert grants(lent.helper, lent.world.account) == ROLE_TABLE[AccountRole.ANALYST] | {Can.BELONG_ADACCOUNT}


def test_partner_gives_roles_to_its_own_people_alone(lent: Lent) -> None:
    for outsider in (lent.world.stranger, lent.world.operator, lent.world.client_admin):
        with pytest.raises(Invalid):
            shares.give_role(actor=lent.boss, share=lent.share, user=outsider, role=AccountRole.ADMINISTRATOR)
    for actor in (lent.helper, lent.world.administrator, lent.world.stranger):
        with pytest.raises(Refused):
            shares.give_role(actor=actor, share=lent.share, user=lent.helper, role=AccountRole.ANALYST)
    assert not AccountMembership.objects.filter(share=lent.share).exists()
    assert grants(lent.world.stranger, lent.world.account) == NOTHING


def test_administrator_by_share_manages_no_members(lent: Lent) -> None:
    lent.leads_on()
    with pytest.raises(Refused):
        ad_accounts.set_member(
            actor=lent.boss, ad_account=lent.world.account, user=lent.helper, role=AccountRole.ADMINISTRATOR
        )
    assert Caller(lent.boss).post(f"ad-accounts/{lent.world.account.pk}/shares/", {}).status_code == 403
    assert grants(lent.helper, lent.world.account) == NOTHING


@pytest.mark.parametrize("how", ["end", "give_back", "partner_off", "person_off", "left_partner", "taken"])
def test_every_end_ends_every_right(lent: Lent, how: str) -> None:
    lent.leads_on()
    lent.give(AccountRole.ADMINISTRATOR)
    assert may(lent.helper, Can.VIEW_LEADS, lent.world.library)
    if how == "end":
        shares.end_share(actor=lent.world.administrator, share=lent.share)
    elif how == "give_back":
        shares.end_share(actor=lent.boss, share=lent.share)
    elif how == "partner_off":
        staff = User.objects.create_superuser("root@house.test", "pass")
        assert lent.world.library in business_centers.libraries_of(lent.partner)
        set_center_active(actor=staff, business_center=lent.partner, active=False)
    elif how == "person_off":
        people.set_active(actor=None, user=lent.helper, active=False)
    elif how == "left_partner":
        business_centers.set_member(actor=lent.boss, business_center=lent.partner, user=lent.helper, role=None)
        assert not AccountMembership.objects.filter(user=lent.helper).exists()
    else:
        ad_accounts.set_member(
            actor=lent.world.administrator, ad_account=lent.world.account, user=lent.helper, role=None
        )
    assert grants(User.objects.get(pk=lent.helper.pk), lent.world.account) == NOTHING
    assert grants(User.objects.get(pk=lent.helper.pk), lent.world.library) == NOTHING
    call_command("check_permissions")


def test_partners_person_does_not_keep_the_account_without_an_administrator(lent: Lent) -> None:
    lent.give(AccountRole.ADMINISTRATOR)
    with pytest.raises(Conflict):
        ad_accounts.set_member(
            actor=lent.world.administrator, ad_account=lent.world.account, user=lent.world.administrator, role=None
        )
    assert may(lent.world.administrator, Can.VIEW_LEADS, lent.world.library)


def test_sharing_stands_in_the_trail_of_both_sides(lent: Lent) -> None:
    lent.leads_on()
    shares.end_share(actor=lent.world.administrator, share=lent.share)
    both = [Act.ACCOUNT_SHARED, Act.SHARE_CHANGED, Act.SHARE_ENDED]
    of_account = [act for act in acts(Scope.AD_ACCOUNT, lent.world.account.pk) if act in both]
    of_partner = [act for act in acts(Scope.BUSINESS_CENTER, lent.partner.pk) if act in both]
    assert of_account == of_partner == both
    assert acts(Scope.LIBRARY, lent.world.library.pk) == [Act.SHARE_CHANGED]


def test_unknown_partner_owner_and_second_share_are_refused(lent: Lent) -> None:
    actor, account = lent.world.administrator, lent.world.account
    for wrong in (None, account.business_center):
        with pytest.raises(Invalid):
            shares.share_account(actor=actor, ad_account=account, partner=wrong, role=AccountRole.ANALYST)
    with pytest.raises(Conflict):
        shares.share_account(actor=actor, ad_account=account, partner=lent.partner, role=AccountRole.ANALYST)
    with pytest.raises(Refused):
        shares.share_account(
            actor=lent.world.operator, ad_account=account, partner=lent.world.client, role=AccountRole.ANALYST
        )
    assert AccountShare.objects.count() == 1


def test_api_shares_and_changes_for_both_sides(lent: Lent) -> None:
    owner, partner, stranger = Caller(lent.world.administrator), Caller(lent.boss), Caller(lent.world.stranger)
    path = f"shares/{lent.share.pk}/"
    told = owner.get(path).json()
    assert (told["role"], told["leads_too"], told["business_center"]["name"]) == ("administrator", False, "Partner")
    assert partner.get(path).json() == told
    assert stranger.get(path).status_code == 404
    assert stranger.patch(path, {"leads_too": True}).status_code == 404
    assert partner.patch(path, {"leads_too": True}).status_code == 403
    assert owner.patch(path, {"leads_too": "yes"}).status_code == 400
    assert owner.patch(path, {"leads_too": True}).json()["leads_too"] is True
    given = partner.post(f"{path}people/", {"user_id": str(lent.helper.pk), "role": "analyst"})
    assert [row["user"]["name"] for row in given.json()["results"]] == ["Hugo"]
    assert owner.post(f"{path}people/", {"user_id": str(lent.helper.pk), "role": None}).status_code == 403
    assert owner.delete(path).status_code == 204
    assert partner.get(path).status_code == 404
    assert grants(lent.helper, lent.world.account) == NOTHING


def test_partner_sees_its_own_people_of_the_account_and_nobody_elses(lent: Lent) -> None:
    lent.give(AccountRole.ANALYST)
    seen = Caller(lent.boss).get(f"ad-accounts/{lent.world.account.pk}/members/").json()["results"]
    assert [row["user"]["name"] for row in seen] == ["Hugo"]
    seen = Caller(lent.world.operator).get(f"ad-accounts/{lent.world.account.pk}/members/").json()["results"]
    assert {row["user"]["name"] for row in seen} == {"Ada", "Olaf", "Nora", "Hugo"}


def test_partners_admins_are_told_by_mail(world: World, django_capture_on_commit_callbacks: Any) -> None:
    boss = person("Petra")
    partner = business_centers.create_business_center(
        name="Partner", admin=boss, two_factor=BusinessCenter.TwoFactor.NOBODY
    )
    mail.outbox.clear()
    with django_capture_on_commit_callbacks(execute=True):
        shares.share_account(
            actor=world.administrator, ad_account=world.account, partner=partner, role=AccountRole.OPERATOR
        )
    assert [message.to for message in mail.outbox] == [[boss.email]]
    assert "Brand ads" in mail.outbox[0].body
    assert LeadLibrary.objects.get(pk=world.library.pk).custody == 1
