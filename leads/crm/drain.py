"""Draining the outbox: lease, prepare, send, settle, until nothing is due or the time is up."""

import time
from collections import defaultdict
from dataclasses import dataclass

from django.conf import settings
from django.db import transaction

from accounts.services.alarms import raise_unopenable
from leads.crm import outbox
from leads.crm.connectors.connector import Outcome
from leads.crm.outbox import Settled, Turn
from leads.crm.preparing import UNREADABLE, admit, prepare
from leads.crm.sending import Sender

SECONDS = 30.0
SETTLE_EVERY = 50
PATIENCE = 0.2
"""Seconds without any result after which due rows are looked for again."""
SHORTEST_LINGER = 0.005
"""Results are gathered for as long as leasing and settling last took, so that at most half the time goes there."""


@dataclass(slots=True)
class Drained:
    """What a drain did: attempts, and how many of them were accepted."""

    attempts: int = 0
    accepted: int = 0

    def settle(self, results: list[Settled]) -> None:
        """Settle results and count them."""
        outbox.settle(results)
        self.attempts += len(results)
        self.accepted += sum(result.verdict.outcome == Outcome.OK for result in results)


def drain(seconds: float = SECONDS) -> Drained:
    """Send what is due, for at most `seconds` plus one deadline; any number of drains may run at once."""
    drained = Drained()
    with Sender(settings.OUTBOUND_ALLOWED_HOSTS) as sender:
        _send_all(sender, drained, time.monotonic() + seconds)
    return drained


def _send_all(sender: Sender, drained: Drained, until: float) -> None:
    turn, settling = Turn(), 0.0
    while True:
        began = time.monotonic()
        started = _start_due(sender, turn, drained) if began < until else False
        if not sender.in_flight and not started:
            return
        linger = min(max(time.monotonic() - began + settling, SHORTEST_LINGER), PATIENCE)
        results = sender.collect(enough=min(SETTLE_EVERY, sender.in_flight), within=PATIENCE, linger=linger)
        began = time.monotonic()
        drained.settle(results)
        settling = time.monotonic() - began


def _start_due(sender: Sender, turn: Turn, drained: Drained) -> bool:
    """Start calls for what is due; whether anything was leased."""
    room = outbox.BATCH - sender.in_flight
    if sender.in_flight and room < SETTLE_EVERY:
        return False
    leased = outbox.lease(room, turn)
    if leased:
        ready, failed = prepare(leased)
        with transaction.atomic():  # for as long as starting takes; no answer is waited for
            admitted = admit(leased)
            sender.start([one for one in ready if one.leased.id in admitted])
        failed = [one for one in failed if one.leased.id in admitted]
        drained.settle(failed)
        _tell_unreadable(failed)
    return bool(leased)


def _tell_unreadable(failed: list[Settled]) -> None:
    """Alarm the holders of leads that did not open; they are tried again, and nothing of them went out."""
    unreadable: dict[int, list[int]] = defaultdict(list)
    for one in failed:
        if one.verdict.code == UNREADABLE:
            unreadable[one.leased.library_id].append(one.leased.lead_id)
    for library_id, leads in unreadable.items():
        raise_unopenable(library_id, "deliver", leads)
