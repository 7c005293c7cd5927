"""Nothing is lost and nothing arrives under another id when all workers are killed and the broker is emptied.

A private Postgres and Redis, real Celery workers and beat. In each of 8 rounds 100 leads go to 3 receivers, and in the
midst of it every worker gets SIGKILL and Redis FLUSHALL. Ledgers at both ends: the submitter writes each acknowledged
lead to the disk, the receiver each request before it answers; one answer in twenty is cut after that. Dead workers'
leases last a minute: in all rounds but the last the clock is helped by making them end at once.
"""

import contextlib
import json
import os
import signal
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Any

import psycopg
import pytest
import redis
from django.conf import settings

from tests import services
from tests.fakes.sink import CUT, Behaviour, Received, Sink, read_ledger
from tests.legs import BASE, development

ROUNDS = 8
LEADS = 100
RECEIVERS = 3
CUT_EVERY = 20
SLOTS = 4
WORKERS = 2
PATIENCE = 400

pytestmark = pytest.mark.skipif(not settings.ON_POSTGRES, reason="runs in the Postgres leg, with servers of its own")


@dataclass
class Machine:
    """The private servers and how to reach them; `environment` is that of our own processes."""

    environment: dict[str, str]
    database: str
    broker: str
    folder: Path

    def count(self, statement: str) -> Any:
        with psycopg.connect(self.database, autocommit=True) as connection:
            row = connection.execute(statement).fetchone()
            return row[0] if row else None

    def execute(self, statement: str) -> None:
        with psycopg.connect(self.database, autocommit=True) as connection:
            connection.execute(statement)

    def start(self, *command: str, log: IO[bytes]) -> "subprocess.Popen[bytes]":
        return subprocess.Popen(
            [sys.executable, "-m", *command],
            cwd=BASE,
            env=self.environment,
            stdout=log,
            stderr=log,
            start_new_session=True,
        )


@pytest.fixture
def machine(tmp_path: Path, leads_key_file: Path) -> Iterator[Machine]:
    with services.private_postgres() as postgres, services.private_redis() as broker:
        environment = development(
            DATABASE_URL=f"{postgres}/kill",
            REDIS_URL=broker,
            LEADS_KEY_FILE=str(leads_key_file),
            OUTBOUND_ALLOWED_HOSTS="127.0.0.1",
            DJANGO_SETTINGS_MODULE="leadscenter.settings",
        )
        with psycopg.connect(f"{postgres}/postgres", autocommit=True) as connection:
            connection.execute("CREATE DATABASE kill")
        machine = Machine(environment, f"{postgres}/kill", broker, tmp_path)
        subprocess.run([sys.executable, "manage.py", "migrate", "-v", "0"], cwd=BASE, env=environment, check=True)
        yield machine


@contextlib.contextmanager
def beat(machine: Machine) -> Iterator[None]:
    schedule = machine.folder / "beat"
    with (machine.folder / "beat.log").open("wb") as log:
        process = machine.start("celery", "-A", "leadscenter.celery", "beat", "-s", str(schedule), log=log)
        try:
            yield
        finally:
            kill([process])


def start_workers(machine: Machine) -> "list[subprocess.Popen[bytes]]":
    with (machine.folder / "worker.log").open("ab") as log:
        options = ["--loglevel", "WARNING", "--without-mingle", "--without-gossip"]
        name = f"kill-{time.monotonic_ns()}@%h"
        command = ["celery", "-A", "leadscenter.celery", "worker", "-c", str(WORKERS), "-n", name, *options]
        return [machine.start(*command, log=log)]


def kill(processes: "list[subprocess.Popen[bytes]]") -> None:
    """SIGKILL to each whole group, children included, until none is left."""
    for process in processes:
        with contextlib.suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGKILL)
        process.wait(10)
    deadline = time.monotonic() + 10
    while any(group_lives(process.pid) for process in processes):
        assert time.monotonic() < deadline, "a worker survived SIGKILL"
        time.sleep(0.02)


def group_lives(group: int) -> bool:
    try:
        os.killpg(group, 0)
    except ProcessLookupError:
        return False
    return True


class Receiver:
    """Behaviour of the sink: 20 to 80 ms of work, and a cut after the work for every twentieth message, once each."""

    def __init__(self) -> None:
        self.cut: set[str] = set()

    def __call__(self, received: Received) -> Behaviour:
        number = int(received.webhook_id.removeprefix("msg_"))
        if number % CUT_EVERY == 0 and received.webhook_id not in self.cut:
            self.cut.add(received.webhook_id)
            return CUT
        return Behaviour(seconds=0.02 + (number % 7) / 100)


def wait_until(condition: Any, what: str) -> None:
    deadline = time.monotonic() + PATIENCE
    while not condition():
        assert time.monotonic() < deadline, f"waited {PATIENCE} s for {what}"
        time.sleep(0.05)


def test_nothing_is_lost_when_all_workers_are_killed_and_the_broker_is_emptied(
    machine: Machine, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    far, near = tmp_path / "received", tmp_path / "acknowledged"
    receiver = Receiver()
    with (
        Sink(ledger=far, decide=receiver, ports=RECEIVERS) as sink,
        beat(machine),
        subprocess.Popen(
            [sys.executable, "-m", "tests.crm.submitter", str(near), *sink.urls],
            cwd=BASE,
            env=machine.environment,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        ) as submitter,
    ):
        assert submitter.stdin is not None
        assert submitter.stdout is not None
        assert len(json.loads(submitter.stdout.readline())["connections"]) == RECEIVERS
        for number in range(1, ROUNDS + 1):
            workers = start_workers(machine)
            before = len(sink.received)
            submitter.stdin.write(f"{LEADS}\n")
            submitter.stdin.flush()
            share = LEADS * RECEIVERS * (2 + number % 5) // 10
            wait_until(lambda: len(sink.received) - before >= share, "the midst of a round")  # noqa: B023
            kill(workers)
            redis.Redis.from_url(machine.broker).flushall()
            if number < ROUNDS:
                machine.execute("UPDATE leads_delivery SET due_at = now() WHERE leases_unanswered > 0")
        submitter.stdin.close()
        submitter.wait(60)
        workers = start_workers(machine)
        started = time.monotonic()
        pending = "SELECT count(*) FROM leads_delivery WHERE state = 'pending'"
        wait_until(lambda: machine.count(pending) == 0, "the last delivery")
        drained = time.monotonic() - started
        kill(workers)

    acknowledged = near.read_text().split()
    messages = read_ledger(far)
    bodies: dict[str, set[str]] = {}
    for message, digest in messages:
        bodies.setdefault(message, set()).add(digest)
    stored = machine.count("SELECT count(*) FROM leads_lead")
    rows = machine.count("SELECT count(*) FROM leads_delivery")
    done = machine.count("SELECT count(*) FROM leads_delivery WHERE state = 'done'")
    pairs = machine.count("SELECT count(DISTINCT (lead_id, connection_id)) FROM leads_delivery")
    most_repeats = (ROUNDS + 1) * RECEIVERS * SLOTS + len(receiver.cut)
    with capsys.disabled():
        print(  # noqa: T201  # the report is what this test is for
            f"\n{ROUNDS} x SIGKILL of all workers and FLUSHALL: acknowledged {len(acknowledged)}, stored {stored}, "
            f"deliveries {rows}, distinct ids {len(bodies)}, requests {len(messages)}, "
            f"repeats {len(messages) - len(bodies)} (cut answers {len(receiver.cut)}), lost {rows - done}, "
            f"drained in {drained:.0f} s after the last"
        )
    assert len(acknowledged) == len(set(acknowledged)) == stored == ROUNDS * LEADS
    assert rows == pairs == done == ROUNDS * LEADS * RECEIVERS
    assert len(bodies) == rows
    assert {len(digests) for digests in bodies.values()} == {1}
    assert Counter(message for message, _ in messages).most_common(1)[0][1] <= ROUNDS + 2
    assert len(messages) - len(bodies) <= most_repeats
