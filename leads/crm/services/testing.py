"""The test button: the same client and the same checks as a delivery; the answer's body never comes back."""

import asyncio
import time
from dataclasses import dataclass

from django.conf import settings
from django.utils import timezone
from django.utils.translation import gettext as _

from accounts.access import Can, require
from accounts.models import User
from accounts.refusals import Conflict
from leads.crm.connectors import connector_of
from leads.crm.connectors.connector import Outcome
from leads.crm.explanations import explain
from leads.crm.preparing import destination_of
from leads.crm.unseal import credentials_of
from leads.models import Connection
from leadscenter.lib import outbound
from leadscenter.lib.ids import new_id
from leadscenter.lib.outbound import Answer, Blocked, Call, OutboundError, TimedOut


@dataclass(frozen=True, slots=True)
class Tested:
    """What a test came to: the class of the status ("2xx"; "" without an answer), milliseconds, and what to do."""

    ok: bool
    status_class: str
    ms: int
    cause: str
    fix: str


def try_connection(*, actor: User, connection_id: int) -> Tested:
    """Send a harmless request to the receiver, now. Raises `Conflict` when the connection needs something first."""
    connection = Connection.objects.select_related("library").get(pk=connection_id, removed_at=None)
    require(actor, Can.CONNECT_CRM, connection.library)
    if connection.custody != connection.library.custody:
        raise Conflict(
            "unconfirmed", _("Confirm the connection first: it was made before leads access was transferred.")
        )
    credential = credentials_of([connection]).get(connection.pk)
    if credential is None:
        raise Conflict("no_credentials", _("Enter the credentials of this connection again."))
    connector = connector_of(connection.kind)
    destination = destination_of(connection, credential, timezone.now())
    call = connector.build_test(destination, f"msg_{new_id()}", int(time.time()))
    started = time.monotonic()
    try:
        answer = asyncio.run(_once(call))
    except OutboundError as error:
        code = {Blocked: "blocked", TimedOut: "timeout"}.get(type(error), "unreachable")
        told = explain(connection.kind, code)
        return Tested(False, "", round((time.monotonic() - started) * 1000), told.cause, told.fix)
    verdict = connector.classify(answer)
    told = explain(connection.kind, verdict.code)
    return Tested(verdict.outcome == Outcome.OK, f"{answer.status // 100}xx", answer.ms, told.cause, told.fix)


async def _once(call: Call) -> Answer:
    async with outbound.new_session() as session:
        return await outbound.send(session, call, settings.OUTBOUND_ALLOWED_HOSTS)
