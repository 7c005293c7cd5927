"""An agency's ad account with everything in it, the people around it, and three moments of a transfer."""

from dataclasses import dataclass, field
from datetime import timedelta
from hashlib import sha256
from typing import Any

from django.db import connections
from django.db.models.functions import Now
from django.test import Client
from django.utils import timezone

from accounts.models import (
    AccessAsk,
    AccountMembership,
    AccountRole,
    AccountShare,
    Alarm,
    ApiToken,
    BusinessCenter,
    BusinessCenterRole,
    Invitation,
    LeadLibrary,
    Transfer,
    User,
)
from accounts.services import ad_accounts, business_centers, people
from accounts.services.shares import set_leads_too, share_account
from accounts.services.tokens import create_token
from accounts.services.transfers import accept_transfer, cancel_transfer, request_transfer
from forms_builder.models import Form
from leads.exports.services.asking import request_export
from leads.imports.services.asking import upload
from leads.models import Delivery, Export, FollowUp, Label, Lead, SavedView
from leads.selection import Selection
from leads.vault.models import Note
from leads.vault.regions import alias_of, aliases
from leads.vault.values import Plain
from tests.world import World, add_delivery, make_connection, make_world, person

STATES = ("T0", "TP", "T1")
LEADS = 14  # one of them in the trash
CANARY = "Zedekiah Quux"
NOTE = "canary of a note"
# What may change when somebody is refused: the trail that says so, and when a token or a session was last used.
TRACES = {
    "accounts_auditevent",
    "accounts_audittarget",
    "accounts_unsealedevent",
    "accounts_trailhead",
    "accounts_apitoken",
    "django_session",
    "usersessions_usersession",
}


@dataclass
class Scene:
    """`ids` are the URL arguments that lead to the agency's things, `other_ids` those of single routes; `actors` is
    everybody by their name in the matrix."""

    world: World
    state: str
    actors: dict[str, User | None]
    ids: dict[str, Any]
    transfer: Transfer | None
    tokens: dict[str, str] = field(default_factory=dict)
    other_ids: dict[str, dict[str, Any]] = field(default_factory=dict)
    clients: dict[tuple[str, str], Client] = field(default_factory=dict)

    def secrets(self) -> set[str]:
        """What nobody may find in an answer that refuses: people's data, and what names a lead."""
        found = {CANARY, "zedekiah", "quux.example", "99988877", NOTE, "canary wish"}
        found |= {str(lead) for lead in Lead.objects.values_list("pk", flat=True)}
        found |= {str(row) for row in Delivery.objects.values_list("pk", flat=True)}
        return found

    def names_of_the_account(self) -> set[str]:
        """What a stranger may not learn either: that the account exists, who works there."""
        world = self.world
        found = {world.account.name, world.form.name, "Spring", "Parents", "canary CRM"}
        found |= {user.email for user in (world.administrator, world.operator, world.analyst)}
        return found


def make_scene(state: str) -> Scene:
    """Build it in T0 (before any request), TP (asked for) or T1 (accepted)."""
    world = make_world()
    boss, standard, former, inactive = (
        User.objects.get(name="Boss"),
        person("Stan"),
        person("Fred"),
        person("Ivo"),
    )
    business_centers.set_member(
        actor=world.client_admin, business_center=world.client, user=standard, role=BusinessCenterRole.STANDARD
    )
    for user in (former, inactive):
        ad_accounts.set_member(
            actor=world.administrator, ad_account=world.account, user=user, role=AccountRole.ADMINISTRATOR
        )
    tokens = {"inactive": create_token(user=inactive, name="test")[1]}
    ad_accounts.set_member(actor=world.administrator, ad_account=world.account, user=former, role=None)
    people.set_active(actor=None, user=inactive, active=False)
    root = User.objects.create_superuser("root@house.test", "pass")
    business_centers.accept_terms(actor=boss, business_center=world.account.business_center)
    leads = [
        world.add_lead(
            name=CANARY,
            email=f"zedekiah{number}@quux.example",
            phone="+4915199988877",
            wish="canary wish",
            with_ad=True,
        )
        for number in range(LEADS)
    ]
    lent, helper = lend(world, "Petra", AccountRole.OPERATOR), lend(world, "Lena", AccountRole.ADMINISTRATOR)
    set_leads_too(actor=world.administrator, share=helper, leads_too=True)
    transfer = None
    if state == "TP":
        transfer = request_transfer(actor=world.administrator, library=world.library, business_center=world.client)
    elif state == "T1":
        world.hand_over()
        transfer = Transfer.objects.get()
    else:
        transfer = request_transfer(actor=world.administrator, library=world.library, business_center=world.client)
        cancel_transfer(actor=world.administrator, transfer=transfer)
    holder = world.client_admin if state == "T1" else world.administrator
    ids = things(world, holder, leads[0])
    ids["transfer_id"] = transfer.pk
    ids["share_id"] = lent.pk
    actors: dict[str, User | None] = {
        "agy_admin": world.administrator,
        "agy_operator": world.operator,
        "agy_analyst": world.analyst,
        "owner_bc_admin": boss,
        "bc_admin": world.client_admin,
        "bc_standard": standard,
        "partner": lent.partner.members.get().user,
        "partner_leads": helper.partner.members.get().user,
        "other": world.stranger,
        "former": former,
        "inactive": inactive,
        "staff": root,
        "anonymous": None,
    }
    for name, someone in actors.items():
        if someone is not None and name != "inactive":
            tokens[name] = create_token(user=someone, name="test")[1]
    ids["token_id"] = ApiToken.objects.get(user=world.administrator).pk
    Lead.objects.filter(pk=leads[-1].pk).update(state="trashed", trashed_at=timezone.now())
    Lead.objects.filter(pk=leads[-2].pk).update(is_test=True)
    trashed = {"lead_id": leads[-1].pk}
    others: dict[str, dict[str, Any]] = {
        "lead_restore": trashed,
        "api_lead_restore": trashed,
        "ad_link": {"public_id": world.ad.public_id},
        "access_person": {"user_id": world.administrator.pk},
        "center_member": {"user_id": boss.pk},
        "api_center_member": {"user_id": boss.pk},
    }
    return Scene(world, state, actors, ids, transfer, tokens, others)


def lend(world: World, name: str, role: AccountRole) -> AccountShare:
    """Lend the ad account to a new company, whose only Admin has this name; without leads."""
    center = business_centers.create_business_center(
        name=f"{name} and friends", admin=person(name), two_factor=BusinessCenter.TwoFactor.NOBODY
    )
    return share_account(actor=world.administrator, ad_account=world.account, partner=center, role=role)


def things(world: World, holder: User, lead: Lead) -> dict[str, Any]:
    """Make one of everything that a URL can name, by who holds the leads now; return the URL arguments."""
    library = LeadLibrary.objects.get(pk=world.library.pk)
    connection = make_connection(library, holder, "canary CRM")
    delivery = add_delivery(lead, connection, state="dead")
    note = Note(lead_id=lead.pk, library_id=library.pk, region="eu", author_id=holder.pk, sealed=Plain(NOTE))
    note.save(using=alias_of("eu"), force_insert=True)
    due = timezone.now() + timedelta(days=1)
    asked = {"library_id": library.pk, "user": holder, "set_by": holder, "due_at": due}
    FollowUp.objects.update_or_create(lead=lead, done_at=None, defaults=asked)
    alarm = Alarm.objects.create(library=library, kind=Alarm.Kind.UNOPENABLE, about="scene")
    label = Label.objects.create(library=library, name="canary label")
    export = request_export(actor=holder, library=library, selection=Selection(), file_format="csv")
    Export.objects.filter(pk=export.pk).update(due_at=Now())
    bringing = upload(
        actor=holder, library=library, form_id=Form.objects.get(ad_account=library.ad_account_id).pk,
        content=b"Your name,E-mail\nZedekiah Quux,zedekiah@quux.example\n",
    )  # fmt: skip
    view = SavedView.objects.create(library=library, custody=library.custody, owner=holder, name="canary view")
    ask = AccessAsk.objects.create(
        business_center=BusinessCenter.objects.get(name="Elsewhere"), asked_number=world.account.pk, library=library,
        asked_by=world.stranger, mailed_at=timezone.now(),
    )  # fmt: skip
    invitation = Invitation.objects.create(
        ad_account=world.account, email="nele@house.test", role="analyst", digest=sha256(b"x" * 32).digest(),
        invited_by=world.administrator, expires_at=timezone.now() + timedelta(days=7),
    )  # fmt: skip
    return {
        "ask_id": ask.pk,
        "invitation_id": invitation.pk,
        "token": "x" * 32,
        "ad_account_id": world.account.pk,
        "library_id": library.pk,
        "business_center_id": world.account.business_center_id,
        "form_id": world.form.pk,
        "public_id": world.form.public_id,
        "number": 1,
        "chart": "days",
        "campaign_id": world.ad.ad_group.campaign_id,
        "ad_group_id": world.ad.ad_group_id,
        "ad_id": world.ad.pk,
        "lead_id": lead.pk,
        "note_id": note.pk,
        "connection_id": connection.pk,
        "delivery_id": delivery.pk,
        "export_id": export.pk,
        "import_id": bringing.pk,
        "alarm_id": alarm.pk,
        "view_id": view.pk,
        "label_id": label.pk,
        "user_id": world.operator.pk,
        "member_id": AccountMembership.objects.get(user=world.operator, ad_account=world.account).pk,
        "step": "content",
        "verb": "archive",
        "answer": "accept",
        "session_id": 1,
    }


def fingerprint() -> dict[str, int]:
    """A number for the content of each table, but for the traces that refusing leaves."""
    found = {}
    for alias in sorted({"default", *aliases()}):
        connection = connections[alias]
        with connection.cursor() as cursor:
            for table in connection.introspection.table_names(cursor):
                if table in TRACES or table == "cache":
                    continue
                cursor.execute(f'SELECT * FROM "{table}"')  # noqa: S608  # names of our own tables
                rows = sorted(
                    repr([bytes(cell) if isinstance(cell, memoryview) else cell for cell in row])
                    for row in cursor.fetchall()
                )
                found[f"{alias} {table}"] = hash(tuple(rows))
    return found


def accept(scene: Scene) -> None:
    """The client takes over now."""
    assert scene.transfer is not None
    accept_transfer(actor=scene.world.client_admin, transfer=scene.transfer)
