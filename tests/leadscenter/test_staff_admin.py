"""Django admin: platform staff, even superusers, read no personal data and decide nothing about access."""

import re
from typing import Any

import pytest
from django.apps import apps
from django.contrib.auth.hashers import check_password
from django.core import mail
from django.db import models
from django.db.models.functions import Now
from django.test import Client
from django.urls import reverse
from django.utils import timezone
from pytest_django import DjangoCaptureOnCommitCallbacks

from accounts.access import Can, holders
from accounts.models import (
    AccountMembership,
    AccountRole,
    Act,
    AuditEvent,
    BusinessCenter,
    BusinessCenterMember,
    LeadLibrary,
    LeadLibraryUserPermission,
    Scope,
    Transfer,
    User,
)
from accounts.services.business_centers import create_business_center
from accounts.services.tokens import create_token
from accounts.services.transfers import accept_transfer, request_transfer
from accounts.staff_site import site
from leads.models import Connection, Delivery, Export
from leads.vault.models import Note, SealedAnswers
from leads.vault.opening import Purpose
from leads.vault.opening import open as open_sealed
from leads.vault.regions import alias_of
from leads.vault.values import Plain
from tests.world import World, add_delivery, make_world

pytestmark = pytest.mark.django_db
CANARY = "Zedekiah Canary"
REGISTERED = {
    "accounts.User",
    "accounts.BusinessCenter",
    "accounts.BusinessCenterMember",
    "accounts.Recovery",
    "accounts.AdAccount",
    "accounts.AccountMembership",
    "accounts.LeadLibrary",
    "accounts.Transfer",
    "accounts.AuditEvent",
    "forms_builder.Form",
    "forms_builder.MeasureDay",
    "campaigns.Campaign",
    "campaigns.AdGroup",
    "campaigns.Ad",
    "leads.Connection",
    "leads.Delivery",
    "leads.Export",
}


@pytest.fixture
def world() -> World:
    """A world with something in every table that the admin shows, and a canary in every place of a person's data."""
    world = make_world()
    lead = world.add_lead(name=CANARY, email="canary@zed.example", phone="+4915199988877", wish="Canary wish")
    note = Note(lead_id=lead.pk, library_id=world.library.pk, region="eu", author_id=world.administrator.pk)
    note.sealed = Plain("A canary note")
    note.save(using=alias_of("eu"), force_insert=True)
    connection = world.connect("canary CRM", url="https://crm.example/hooks/canary-secret")
    add_delivery(lead, connection, event_key="one", state="dead")
    Export.objects.create(
        library=world.library,
        custody=1,
        requested_by=world.administrator,
        bound_at=timezone.now(),
        filter={"q": "canary"},
    )
    request_transfer(actor=world.administrator, library=world.library, business_center=world.client)
    create_token(user=world.administrator, name="canary token", raw="hf_canary")
    apps.get_model("accounts.Recovery").objects.create(
        business_center=world.client, user=world.client_admin, effective_at=Now()
    )
    apps.get_model("forms_builder.MeasureDay").objects.create(form_id=world.form.pk, kind="open", day="2026-11-01")
    return world


@pytest.fixture
def staff(world: World) -> Client:
    """Signed in as a superuser."""
    client = Client()
    client.force_login(User.objects.create_superuser("root@house.test", "pass"))
    return client


def deciding() -> dict[str, list[Any]]:
    """Every row that decides who may, or where data goes."""
    names = [
        *("accounts.AccountMembership", "accounts.BusinessCenterMember", "accounts.LeadLibrary", "accounts.Transfer"),
        *(
            "accounts.AdAccountUserPermission",
            "accounts.LeadLibraryUserPermission",
            "accounts.AdAccount",
            "accounts.Recovery",
        ),
        *("forms_builder.Form", "forms_builder.FormVersion", "leads.Connection", "leads.Export", "auth.Group"),
        *("campaigns.Campaign", "campaigns.Ad", "leads.Lead", "leads.Delivery", "account.EmailAddress"),
    ]
    found = {name: list(apps.get_model(name)._default_manager.order_by("pk").values()) for name in names}
    found["people"] = list(
        User.objects.order_by("pk").values_list("pk", "email", "password", "is_active", "is_staff", "is_superuser")
    )
    found["tokens"] = list(
        apps.get_model("accounts.ApiToken")
        ._default_manager.order_by("pk")
        .values_list("digest", "revoked_at", "scopes")
    )
    found["centers"] = list(BusinessCenter.objects.order_by("pk").values())
    return found


def who_holds() -> dict[int, set[int]]:
    return {
        library.pk: {user.pk for can in Can for user in holders(library, can)} for library in LeadLibrary.objects.all()
    }


def hostile(model: type[models.Model], user: User) -> dict[str, str]:
    """A value for each field that would hand something to `user`."""
    values = {"admin_email": user.email, "action": "", "_save": "Save", "post": "yes"}
    for field in model._meta.concrete_fields:
        if isinstance(field, models.ForeignKey):
            target: Any = field.remote_field.model
            values[field.name] = str(
                user.pk if target is User else target._default_manager.values_list("pk", flat=True).first() or ""
            )
        elif isinstance(field, models.BooleanField):
            values[field.name] = "on"
        elif field.choices:
            values[field.name] = str(next(iter(field.flatchoices))[0])
        else:
            values[field.name] = "evil@house.test" if "mail" in field.name else "7"
    return values


def address(model: type[models.Model], page: str, *args: Any) -> str:
    return reverse(f"admin:{model._meta.app_label}_{model._meta.model_name}_{page}", args=args)


def pages_of(model: type[models.Model]) -> list[str]:
    """Every page of the admin about this model."""
    key = site._registry[model].get_queryset(None).values_list("pk", flat=True)[0]  # type: ignore[arg-type]
    one = [address(model, page, key) for page in ("change", "delete", "history")]
    return [address(model, "changelist"), address(model, "changelist") + "?q=house", address(model, "add"), *one]


def test_only_these_models_are_registered() -> None:
    assert {model._meta.label for model in site._registry} == REGISTERED


def test_every_page_renders_and_none_holds_a_canary(world: World, staff: Client) -> None:
    answers = SealedAnswers.objects.using(alias_of("eu")).get()
    assert CANARY in str(open_sealed(answers.sealed, Purpose.DISCLOSE))
    seen = 0
    for page in ["/admin/", "/admin/leads/", "/admin/accounts/", "/admin/jsi18n/", "/admin/password_change/"]:
        answer = staff.get(page, follow=True)
        assert answer.status_code == 200, page
        assert "anary" not in answer.content.decode()
    for model in site._registry:
        for page in pages_of(model):
            answer = staff.get(page)
            assert answer.status_code in (200, 403), page
            seen += answer.status_code == 200
            assert "anary" not in answer.content.decode(), page
            assert "zed.example" not in answer.content.decode(), page
            assert "unsafe" not in answer["Content-Security-Policy"]
            assert not re.search(
                r"<script(?![^>]*(src=|application/json))|<style|\son\w+=|\sstyle=", answer.content.decode()
            ), page
    assert seen > 3 * len(REGISTERED)


def test_posting_every_page_as_superuser_changes_nothing_that_decides(world: World, staff: Client) -> None:
    before, held = deciding(), who_holds()
    root = User.objects.get(email="root@house.test")
    posted = 0
    for model in site._registry:
        rows = site._registry[model].get_queryset(None)  # type: ignore[arg-type]
        keys = [str(key) for key in rows.values_list("pk", flat=True)]
        data = hostile(model, root)
        for page in pages_of(model):
            staff.post(page, data)
            posted += 1
        for action in ("delete_selected", "make_superuser", "activate", "resume", ""):
            staff.post(
                address(model, "changelist"), {"action": action, "_selected_action": keys, "post": "yes", "index": "0"}
            )
            posted += 1
        staff.post(
            address(model, "changelist"), {"form-TOTAL_FORMS": "1", "form-INITIAL_FORMS": "1", "_save": "Save", **data}
        )
    for page in ("/admin/login/", "/admin/logout/", "/admin/password_change/", "/admin/autocomplete/", "/admin/r/1/1/"):
        staff.post(page, {"username": "root@house.test", "password": "x", "old_password": "pass", "new_password1": "y"})
    assert posted > 10 * len(REGISTERED)
    assert deciding() == before
    assert who_holds() == held
    assert not LeadLibraryUserPermission.objects.filter(user=root).exists()


def test_the_sweep_would_notice_an_open_door(world: World, staff: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    door = site._registry[AccountMembership]
    monkeypatch.setattr(door, "has_change_permission", lambda *arguments: True)
    monkeypatch.setattr(door, "fields", ("role",))
    analyst = AccountMembership.objects.get(user=world.analyst)
    before = deciding()
    root = User.objects.get(email="root@house.test")
    staff.post(address(AccountMembership, "change", analyst.pk), hostile(AccountMembership, root))
    assert deciding() != before


def test_members_are_refused_and_the_anonymous_sent_to_sign_in(world: World) -> None:
    client = Client()
    assert client.get("/admin/", follow=True).redirect_chain[-1][0] == "/login/?next=/admin/"
    assert client.get("/admin/login/")["Location"].startswith("/login/")
    client.force_login(world.administrator)
    assert client.get("/admin/login/").status_code == 403
    assert client.get("/admin/accounts/user/", follow=True).status_code == 403


def test_staff_begin_a_business_center_and_its_admin_sets_the_password_by_mail(
    world: World, staff: Client, django_capture_on_commit_callbacks: DjangoCaptureOnCommitCallbacks
) -> None:
    with django_capture_on_commit_callbacks(execute=True):
        answer = staff.post(
            address(BusinessCenter, "add"), {"name": "New Co", "admin_email": "First@New.example", "admin_name": "Fia"}
        )
    assert answer.status_code == 302
    member = BusinessCenterMember.objects.select_related("user", "business_center").get(user__email="first@new.example")
    assert (member.role, member.business_center.name, member.user.name) == ("admin", "New Co", "Fia")
    assert not member.user.has_usable_password()
    (message,) = mail.outbox
    assert message.to == ["first@new.example"]
    link = re.search(r"https?://\S+/password/reset/key/\S+", str(message.body))
    assert link
    invited = Client()
    page = invited.get(re.sub(r"https?://[^/]+", "", link.group()), follow=True)
    set_at = page.redirect_chain[-1][0] if page.redirect_chain else page.request["PATH_INFO"]
    invited.post(set_at, {"password1": "a-long-password-of-hers", "password2": "a-long-password-of-hers"})
    member.user.refresh_from_db()
    assert check_password("a-long-password-of-hers", member.user.password)
    event = AuditEvent.objects.get(act=Act.BUSINESS_CENTER_CREATED, scope_id=member.business_center_id)
    assert event.actor is not None
    assert event.actor.email == "root@house.test"


@pytest.mark.parametrize("email", ["root@house.test", "off@house.test", "no address"])
def test_who_cannot_run_a_business_center_is_not_invited(world: World, staff: Client, email: str) -> None:
    User.objects.create_user("off@house.test")
    User.objects.filter(email="off@house.test").update(is_active=False)
    before = BusinessCenter.objects.count()
    answer = staff.post(address(BusinessCenter, "add"), {"name": "New Co", "admin_email": email})
    assert answer.status_code == 200
    assert BusinessCenter.objects.count() == before
    assert mail.outbox == []


def test_the_invitation_goes_again_to_who_has_no_password(world: World, staff: Client) -> None:
    newcomer = User.objects.create_user("new@house.test")
    center = create_business_center(name="Waiting", admin=newcomer)
    data = {"action": "invite_again", "_selected_action": [str(center.pk), str(world.client.pk)]}
    answer = staff.post(address(BusinessCenter, "changelist"), data, follow=True)
    assert [message.to for message in mail.outbox] == [["new@house.test"]]
    assert "has set a password" in answer.content.decode()


def test_switching_a_person_off_ends_what_they_hold_and_nothing_else(world: World, staff: Client) -> None:
    before = who_holds()
    session = Client()
    session.force_login(world.administrator)
    assert session.get(f"/a/{world.account.pk}/members/").status_code == 200
    root = User.objects.get(email="root@house.test")
    data = {"action": "deactivate", "_selected_action": [str(world.administrator.pk), str(root.pk)]}
    staff.post(address(User, "changelist"), data)
    world.administrator.refresh_from_db()
    root.refresh_from_db()
    assert (world.administrator.is_active, root.is_active) == (False, True)
    assert who_holds() == {pk: held - {world.administrator.pk} for pk, held in before.items()}
    assert session.get(f"/a/{world.account.pk}/members/").status_code == 302
    assert AccountMembership.objects.filter(user=world.administrator, role=AccountRole.ADMINISTRATOR).exists()
    assert AuditEvent.objects.filter(scope=Scope.PLATFORM, act=Act.PERSON_DEACTIVATED, actor=root).exists()


def test_switching_a_business_center_off_ends_what_its_members_hold(world: World, staff: Client) -> None:
    accept_transfer(actor=world.client_admin, transfer=Transfer.objects.get())
    assert [user.pk for user in holders(world.library, Can.VIEW_LEADS)] == [world.client_admin.pk]
    staff.post(
        address(BusinessCenter, "changelist"), {"action": "deactivate", "_selected_action": [str(world.client.pk)]}
    )
    assert list(holders(world.library, Can.VIEW_LEADS)) == []
    event = AuditEvent.objects.get(act=Act.BUSINESS_CENTER_DEACTIVATED)
    assert (event.scope, event.scope_id) == (Scope.BUSINESS_CENTER, world.client.pk)


def test_a_connection_is_paused_and_the_library_is_told(world: World, staff: Client) -> None:
    connection = Connection.objects.get()
    staff.post(address(Connection, "changelist"), {"action": "pause", "_selected_action": [str(connection.pk)]})
    connection.refresh_from_db()
    assert (connection.state, connection.state_reason) == ("paused", "Paused by platform staff")
    event = AuditEvent.objects.get(act=Act.CONNECTION_CHANGED)
    assert (event.scope, event.scope_id) == (Scope.LIBRARY, world.library.pk)


def test_failed_deliveries_go_again(world: World, staff: Client) -> None:
    delivery = Delivery.objects.get()
    staff.post(address(Delivery, "changelist"), {"action": "requeue", "_selected_action": [str(delivery.pk)]})
    delivery.refresh_from_db()
    assert (delivery.state, delivery.attempts) == ("pending", 0)
    assert AuditEvent.objects.filter(act=Act.DELIVERY_RESENT, scope_id=world.library.pk).count() == 1
