"""Connecting a library to a receiver, and everything that a person does to a connection.

Each service is one transaction, asks for `connect_crm` and writes the trail first. Secrets are sealed and shown once.
"""

import contextlib
import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Literal

from django.db import transaction
from django.db.models.functions import Now
from django.utils import timezone
from django.utils.translation import gettext as _

from accounts import audit
from accounts.access import Can, require
from accounts.models import Act, LeadLibrary, User
from accounts.refusals import Conflict, Invalid
from leads.crm.services.checking import check_base_url, check_kind, check_mapping, check_name, check_token, check_url
from leads.crm.unseal import CREDENTIAL_REGION, credentials_of
from leads.models import Connection, Delivery
from leads.vault.keys import current_data_key
from leads.vault.models import Credential
from leads.vault.regions import alias_of
from leads.vault.values import Plain
from leadscenter.lib.ids import new_id
from leadscenter.lib.outbound import host_of, origin_of
from leadscenter.lib.standard_webhooks import new_secret

OVERLAP_SECONDS = 24 * 3600
WORKING_AGAIN: dict[str, Any] = {
    "state": Connection.State.ACTIVE,
    "state_reason": "",
    "first_failure_at": None,
    "open_until": None,
    "breaker_step": 0,
    "recent_attempts": 0,
    "recent_failures": 0,
    "window_started_at": None,
}


@dataclass(frozen=True, slots=True)
class Shown:
    """A connection and, once in its life, the webhook secret that was just made."""

    connection: Connection
    secret: str | None = field(default=None, repr=False)


def create_connection(
    *,
    actor: User,
    library: LeadLibrary,
    kind: str,
    name: str,
    url: str = "",
    credentials: Mapping[str, Any] | None = None,
    base_url: str = "",
    mapping: Sequence[Any] = (),
    thin: bool = False,
) -> Shown:
    """Connect the library; leads that arrive from now on are queued for it. Raises `Invalid`, `Refused`."""
    with _sealing(library.pk):
        library = LeadLibrary.objects.select_for_update(no_key=True, of=("self",)).get(pk=library.pk)
        require(actor, Can.CONNECT_CRM, library)
        check_kind(kind)
        _refuse_foreign_fields(kind, url, credentials, base_url)
        name, lines = check_name(name), check_mapping(mapping)
        secret = new_secret() if kind == Connection.Kind.WEBHOOK else None
        if secret is None:
            address, credential = check_base_url(base_url), check_token(credentials)
        else:
            address, credential = check_url(url), _secrets(secret)
        pk = new_id()
        audit.record(Act.CONNECTION_CREATED, library, actor=actor, targets=[pk], kind=kind, host=host_of(address))
        connection = Connection.objects.create(
            id=pk,
            library=library,
            kind=kind,
            name=name,
            url=address,
            custody=library.custody,
            mapping=lines,
            options=_options({}, thin=thin),
            created_by=actor,
        )
        _keep(connection, credential)
        connection.refresh_from_db()
        return Shown(connection, secret)


def change_connection(
    *,
    actor: User,
    connection_id: int,
    name: str | None = None,
    url: str | None = None,
    credentials: Mapping[str, Any] | None = None,
    base_url: str | None = None,
    mapping: Sequence[Any] | None = None,
    thin: bool | None = None,
) -> Shown:
    """Change what is given. Another host gets a new secret at once: the old one must not travel there.

    An active connection starts with a clean record at another address: what failed at the old one says nothing of it.
    """
    with _sealing(_library_id(connection_id)):
        connection = locked(actor, connection_id)
        _refuse_foreign_fields(connection.kind, url, credentials, base_url)
        address = url if connection.kind == Connection.Kind.WEBHOOK else base_url
        changes = _changes(connection, name=name, address=address, mapping=mapping, thin=thin)
        moved = "url" in changes and origin_of(changes["url"]) != origin_of(connection.url)
        credential: Mapping[str, Any] | None = None
        secret = new_secret() if moved and connection.kind == Connection.Kind.WEBHOOK else None
        if secret is not None:
            credential = _secrets(secret)
        elif credentials is not None:
            credential = check_token(credentials)
            changes |= WORKING_AGAIN if connection.state == Connection.State.NEEDS_RECONNECT else {}
        elif moved:
            raise Invalid({"credentials": _("Enter the access token again: the address changed.")})
        changed = " ".join(sorted({*changes, *(["credentials"] if credential else [])}))
        library = connection.library
        audit.record(Act.CONNECTION_CHANGED, library, actor=actor, targets=[connection.pk], changed=changed)
        if changes.get("url", connection.url) != connection.url and connection.state == Connection.State.ACTIVE:
            changes |= WORKING_AGAIN
        Connection.objects.filter(pk=connection.pk).update(**changes)
        if credential is not None:
            _keep(connection, credential)
        connection.refresh_from_db()
        return Shown(connection, secret)


def _changes(
    connection: Connection, *, name: str | None, address: str | None, mapping: Sequence[Any] | None, thin: bool | None
) -> dict[str, Any]:
    """The columns that change, checked."""
    changes: dict[str, Any] = {}
    if name is not None:
        changes["name"] = check_name(name)
    if mapping is not None:
        changes["mapping"] = check_mapping(mapping)
    if thin is not None:
        changes["options"] = _options(connection.options, thin=thin)
    if address is not None:
        check = check_url if connection.kind == Connection.Kind.WEBHOOK else check_base_url
        changes["url"] = check(address)
    return changes


def _refuse_foreign_fields(
    kind: str, url: str | None, credentials: Mapping[str, Any] | None, base_url: str | None
) -> None:
    """Raise `Invalid` for what this kind of connection does not have, rather than drop it silently."""
    is_webhook = kind == Connection.Kind.WEBHOOK
    given = {"credentials": credentials, "base_url": base_url} if is_webhook else {"url": url}
    foreign = {name: _("This kind of connection has no such field.") for name, value in given.items() if value}
    if foreign:
        raise Invalid(foreign)


@transaction.atomic
def pause_connection(*, actor: User, connection_id: int) -> Connection:
    """Let deliveries wait. Raises `Conflict` unless it is active."""
    connection = locked(actor, connection_id)
    if connection.state != Connection.State.ACTIVE:
        raise Conflict("not_active", _("Only an active connection can be paused."))
    return _set_state(actor, connection, {"state": Connection.State.PAUSED, "state_reason": ""})


@transaction.atomic
def resume_connection(*, actor: User, connection_id: int) -> Connection:
    """Take up work again, with a clean record. Raises `Conflict` when it is active already."""
    connection = locked(actor, connection_id)
    if connection.state == Connection.State.ACTIVE and connection.open_until is None:
        raise Conflict("already_active", _("The connection is active already."))
    return _set_state(actor, connection, WORKING_AGAIN)


@transaction.atomic
def confirm_connection(*, actor: User, connection_id: int, waiting: Literal["send", "drop"]) -> Connection:
    """Take over a connection that was made before a transfer: from now on it works in today's custody.

    The deliveries that wait are sent or dropped, as asked. Raises `Conflict` when there is nothing to confirm.
    """
    connection = locked(actor, connection_id)
    if connection.custody == connection.library.custody:
        raise Conflict("already_confirmed", _("The connection is confirmed already."))
    rows = Delivery.objects.filter(connection=connection, state=Delivery.State.PENDING)
    # Started before the transfer by a worker that did not live to say how it ended; at most one per slot.
    unanswered = rows.filter(leases_unanswered__gt=0).values_list("lead_id", flat=True)
    audit.record(
        Act.CONNECTION_CONFIRMED,
        connection.library,
        actor=actor,
        targets=[connection.pk],
        manifest=list(unanswered) or None,
        count=1,
        may_have_arrived=len(unanswered) or None,
        waiting=waiting,
        waiting_count=rows.count(),
    )
    if waiting == "drop":
        rows.update(state=Delivery.State.SKIPPED, settled_at=Now())
    Connection.objects.filter(pk=connection.pk).update(custody=connection.library.custody)
    connection.refresh_from_db()
    return connection


def rotate_secret(*, actor: User, connection_id: int) -> Shown:
    """Make a new webhook secret; for 24 hours every request is signed with both. Never more than two are valid."""
    with _sealing(_library_id(connection_id)):
        connection = locked(actor, connection_id)
        if connection.kind != Connection.Kind.WEBHOOK:
            raise Conflict("no_secret", _("This kind of connection has no signing secret: change its credentials."))
        old = credentials_of([connection]).get(connection.pk, {}).get("secrets", [])
        secret, until = new_secret(), time.time() + OVERLAP_SECONDS
        audit.record(
            Act.CONNECTION_CHANGED, connection.library, actor=actor, targets=[connection.pk], changed="secret rotated"
        )
        newest = [{"secret": one["secret"], "until": until} for one in old[:1]]
        _keep(connection, {"secrets": [{"secret": secret, "until": None}, *newest]})
        return Shown(connection, secret)


@transaction.atomic
def remove_connection(*, actor: User, connection_id: int) -> None:
    """End the connection: its secret is deleted, what waited is skipped, its log stays."""
    connection = locked(actor, connection_id)
    audit.record(Act.CONNECTION_REMOVED, connection.library, actor=actor, targets=[connection.pk])
    Connection.objects.filter(pk=connection.pk).update(removed_at=Now(), state=Connection.State.DISABLED)
    Delivery.objects.filter(connection=connection, state=Delivery.State.PENDING).update(
        state=Delivery.State.SKIPPED, settled_at=Now()
    )
    Credential.objects.using(alias_of(CREDENTIAL_REGION)).filter(pk=connection.pk).delete()


def locked(actor: User, connection_id: int) -> Connection:
    """The connection, locked, for someone who may change it. Raises `Connection.DoesNotExist`, `Refused`."""
    rows = Connection.objects.select_for_update(no_key=True, of=("self",)).select_related("library")
    connection = rows.get(pk=connection_id, removed_at=None)
    require(actor, Can.CONNECT_CRM, connection.library)
    return connection


@contextlib.contextmanager
def _sealing(library_id: int) -> Iterator[None]:
    """A transaction that seals: its key is made ready before, since a rolled-back key would seal what nothing opens."""
    current_data_key(library_id, CREDENTIAL_REGION)
    with transaction.atomic():
        yield


def _library_id(connection_id: int) -> int:
    return Connection.objects.values_list("library_id", flat=True).get(pk=connection_id, removed_at=None)


def _set_state(actor: User, connection: Connection, changes: Mapping[str, Any]) -> Connection:
    audit.record(
        Act.CONNECTION_CHANGED,
        connection.library,
        actor=actor,
        targets=[connection.pk],
        changed="state",
        state=str(changes["state"]),
    )
    Connection.objects.filter(pk=connection.pk).update(**changes)
    connection.refresh_from_db()
    return connection


def _secrets(secret: str) -> dict[str, Any]:
    return {"secrets": [{"secret": secret, "until": None}]}


def _options(options: Mapping[str, Any], *, thin: bool) -> dict[str, Any]:
    """The options with the payload's form from now on; what was queued before keeps its form, byte for byte."""
    history = list(options.get("thin_since", []))
    if bool(history and history[-1][1]) != thin:
        history.append([timezone.now().isoformat(), thin])
    return {**options, "thin_since": history}


def _keep(connection: Connection, credential: Mapping[str, Any]) -> None:
    alias = alias_of(CREDENTIAL_REGION)
    Credential.objects.using(alias).filter(pk=connection.pk).delete()
    row = Credential(connection_id=connection.pk, library_id=connection.library_id, region=CREDENTIAL_REGION)
    row.sealed = Plain(dict(credential))
    row.save(using=alias, force_insert=True)
