"""Deliveries over 50 connections to 50 local ports, answered at once and after 50 ms, by one worker process.

Beside them in the same run: one Celery task per delivery (prefork 8), with a kept and with a new connection each time,
and the client alone without database, signature and log. Afterwards every row is counted.
"""

import contextlib
import json
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

from bench.product import BASE, Product, manage, product
from bench.table import Line, beside, show
from leadscenter.processes import start, stop
from tests.services import redis_server

PORTS = 50
LEADS = {0: 60, 50: 60}
LEADS_BY_TASKS = 4
TASK_PROCESSES = 8


def main() -> None:
    """Measure and print."""
    with product() as running, redis_server() as broker:
        told = Product({**running.environment, "REDIS_URL": broker}, running.database_url, running.demo)
        lines: list[Line] = []
        for milliseconds, leads in LEADS.items():
            with receivers(milliseconds) as ports:
                lines += measure(told, ports, leads, milliseconds)
        show("Deliveries: 50 connections on 50 ports, one worker process", lines)


def measure(running: Product, ports: str, leads: int, milliseconds: int) -> list[Line]:
    """The lines of one kind of receiver."""
    outbox = max(rate(running, "outbox", ports, leads) for _ in range(2))
    bare = max(rate(running, "bare", ports, leads) for _ in range(2))
    with task_workers(running):
        kept = rate(running, "kept", ports, LEADS_BY_TASKS)
        new = rate(running, "new", ports, LEADS_BY_TASKS)
    name = f"outbox, answers after {milliseconds} ms"
    goal = 50.0 if milliseconds == 0 else 25.0
    why = "each delivery is leased, opened, mapped, signed, logged and settled besides being sent"
    return [
        beside(name, outbox, "/s", f"a task each, new connection ({new:,.0f}/s)", new, goal=goal, why=why),
        beside(name, outbox, "/s", f"a task each, kept connection ({kept:,.0f}/s)", kept),
        beside(name, outbox, "/s", f"the bare client ({bare:,.0f}/s)", bare, goal=0.8, why=why),
    ]


def rate(running: Product, way: str, ports: str, leads: int) -> float:
    """Deliveries per second of one way, in a process of its own."""
    told = json.loads(manage(running.environment, "bench_deliver", way, ports, str(leads)))
    return float(told["deliveries"] / told["seconds"])


@contextlib.contextmanager
def receivers(milliseconds: int) -> Iterator[str]:
    """Receivers in a process of their own; gives their ports as JSON."""
    command = [sys.executable, "-m", "bench.sinks", str(PORTS), str(milliseconds)]
    with subprocess.Popen(command, cwd=BASE, stdout=subprocess.PIPE, text=True) as process:  # noqa: S603
        assert process.stdout is not None
        try:
            yield process.stdout.readline().strip()
        finally:
            process.kill()


@contextlib.contextmanager
def task_workers(running: Product) -> Iterator[None]:
    """A Celery worker for the tasks that deliver one by one."""
    with tempfile.TemporaryDirectory() as folder, (Path(folder) / "log").open("wb") as log:
        options = ["-c", str(TASK_PROCESSES), "--loglevel", "ERROR", "--without-mingle", "--without-gossip"]
        command = [sys.executable, "-m", "celery", "-A", "leadscenter.celery", "worker", *options]
        worker = start(command, environment=running.environment, output=log)
        try:
            yield
        finally:
            stop([worker])
