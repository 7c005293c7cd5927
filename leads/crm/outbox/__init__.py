"""The outbox: events on their way to connections. What is due is a row; the broker only says "look"."""

from leads.crm.outbox.leasing import BATCH, LEASE, SLOTS, Leased, Turn, lease
from leads.crm.outbox.queueing import queue_for
from leads.crm.outbox.settling import Settled, defer, settle, skip

__all__ = [
    "BATCH",
    "LEASE",
    "SLOTS",
    "Leased",
    "Settled",
    "Turn",
    "defer",
    "lease",
    "queue_for",
    "settle",
    "skip",
]
