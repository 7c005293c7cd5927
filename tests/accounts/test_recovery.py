from datetime import timedelta
from io import StringIO

import pytest
from django.core import mail
from django.core.management import CommandError, call_command
from django.utils import timezone
from pytest_django import DjangoCaptureOnCommitCallbacks

from accounts.access import Can, may
from accounts.models import Act, AuditEvent, BusinessCenterMember, BusinessCenterRole, Recovery, Scope, User
from accounts.services import business_centers, people
from accounts.services.recovery import ask_recovery, recover_due
from tests.house import House, build, person

pytestmark = pytest.mark.django_db


@pytest.fixture
def house() -> House:
    """Larkspur, whose only Admin left; Sten is its Standard member."""
    house = build()
    business_centers.set_member(
        actor=house.admin,
        business_center=house.business_center,
        user=person("Sten"),
        role=BusinessCenterRole.STANDARD,
    )
    people.set_active(actor=None, user=house.admin, active=False)
    return house


def sten() -> User:
    return User.objects.get(name="Sten")


def run(house: House, *arguments: str) -> str:
    out = StringIO()
    call_command("recover_bc", "--business-center", str(house.business_center.pk), *arguments, stdout=out)
    return out.getvalue()


def test_recovery_is_told_to_all_and_works_after_72_hours(
    house: House, django_capture_on_commit_callbacks: DjangoCaptureOnCommitCallbacks
) -> None:
    with django_capture_on_commit_callbacks(execute=True):
        told = run(house, "--user", "Sten@example.com")
    assert "sten@example.com becomes Admin of Larkspur" in told
    assert sorted(message.to[0] for message in mail.outbox) == ["adele@example.com", "sten@example.com"]
    recovery = Recovery.objects.get()
    assert timedelta(hours=71, minutes=59) < recovery.effective_at - timezone.now() <= timedelta(hours=72)
    assert recover_due() == 0
    assert not may(sten(), Can.MANAGE_MEMBERS, house.account)
    Recovery.objects.update(effective_at=timezone.now() - timedelta(seconds=1))
    assert recover_due() == 1
    assert BusinessCenterMember.objects.get(user=sten()).role == BusinessCenterRole.ADMIN
    assert may(sten(), Can.MANAGE_MEMBERS, house.account)
    assert not may(sten(), Can.VIEW_LEADS, house.library)
    acts = AuditEvent.objects.filter(act__in=[Act.RECOVERY_ASKED, Act.RECOVERY_DONE]).values_list("scope", "act")
    assert sorted(acts) == sorted(
        (scope, act) for scope in (Scope.BUSINESS_CENTER, Scope.PLATFORM) for act in ("recovery_asked", "recovery_done")
    )
    assert recover_due() == 0


def test_a_business_center_with_an_admin_is_not_recovered(house: House) -> None:
    people.set_active(actor=None, user=house.admin, active=True)
    with pytest.raises(CommandError, match="has an Admin") as refused:
        run(house, "--user", "sten@example.com")
    assert refused.value.returncode == 2
    assert not Recovery.objects.exists()


def test_it_is_cancelled_when_an_admin_came_back_meanwhile(house: House) -> None:
    ask_recovery(business_center=house.business_center, user=sten())
    people.set_active(actor=None, user=house.admin, active=True)
    Recovery.objects.update(effective_at=timezone.now() - timedelta(seconds=1))
    assert recover_due() == 0
    assert Recovery.objects.get().state == Recovery.State.CANCELLED
    assert BusinessCenterMember.objects.get(user=sten()).role == BusinessCenterRole.STANDARD


def test_it_can_be_cancelled_and_asked_again(house: House) -> None:
    run(house, "--user", "sten@example.com")
    with pytest.raises(CommandError, match="waiting already"):
        run(house, "--user", "sten@example.com")
    assert run(house, "--cancel") == "cancelled\n"
    with pytest.raises(CommandError, match="No recovery"):
        run(house, "--cancel")
    run(house, "--user", "sten@example.com")
    assert sorted(Recovery.objects.values_list("state", flat=True)) == ["cancelled", "waiting"]


@pytest.mark.parametrize("email", ["root@example.com", "nobody@example.com", "adele@example.com"])
def test_staff_the_unknown_and_the_switched_off_cannot_become_admin(house: House, email: str) -> None:
    User.objects.create_superuser("root@example.com")
    with pytest.raises(CommandError) as refused:
        run(house, "--user", email)
    assert refused.value.returncode == 2
    assert not Recovery.objects.exists()
