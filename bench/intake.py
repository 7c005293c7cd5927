"""Intake on the production URL with the production middleware: half of the posts sealed, afterwards counted and opened.

Beside it, in the same run on the same server: a view that inserts one plain row, a view without a database, and a loop
that runs the same statement straight over the driver.
"""

import json
import time
import urllib.request
import uuid
from collections.abc import Callable

import psycopg

from bench.load import Figures, request, run
from bench.product import Product, manage, product, web
from bench.table import Line, beside, show
from leadscenter.lib import hpke

POSTS = {1: 300, 8: 1200, 32: 1200}
PASSES = 3


def body(number: int) -> bytes:
    """Return one person's plain submission."""
    return json.dumps(
        {
            "submission_key": str(uuid.uuid4()),
            "version": 1,
            "answers": {
                "name": f"Person Number{number}",
                "email": f"person{number}@example.com",
                "phone_number": f"+1602555{number % 10_000:04d}",
                "country": "US",
                "install_when": "asap",
            },
            "consents": {"contact": True, "offers": False},
            "attribution": {"utm_source": "bench"},
        }
    ).encode()


def sealed(plain: bytes, public_id: str, key: dict[str, str]) -> bytes:
    """Return what a browser sends instead."""
    public = hpke.from_b64url(key["public_key"])
    enc, ct = hpke.seal(public, hpke.info_for(key["kid"], public_id), plain)
    return json.dumps({"sealed": {"kid": key["kid"], "enc": hpke.b64url(enc), "ct": hpke.b64url(ct)}}).encode()


def measure(port: int, make: Callable[[int], bytes], connections: int) -> Figures:
    """Return the median pass by rate."""
    passes = []
    for turn in range(PASSES):
        requests = [make(turn * 1_000_000 + number) for number in range(POSTS[connections])]
        passes.append(run(port, requests, connections=connections))
    wrong = {status for figures in passes for status in figures.statuses if status >= 400}
    assert not wrong, f"the server answered {wrong}"
    return sorted(passes, key=lambda figures: figures.per_second)[PASSES // 2]


def main() -> None:
    """Measure and print."""
    with product() as running, web(running) as port:
        public_id = running.demo["forms"]["brand"]["public_id"]
        path = f"/api/v1/public/forms/{public_id}/submissions/"
        with urllib.request.urlopen(f"http://127.0.0.1:{port}/api/v1/public/forms/{public_id}/") as answer:
            key = json.load(answer)["ingest_key"]

        def submission(number: int) -> bytes:
            plain = body(number)
            return request("POST", path, sealed(plain, public_id, key) if number % 2 else plain)

        def plain_row(number: int) -> bytes:
            return request("POST", "/api/v1/public/bench/plain/", body(number))

        def nothing(number: int) -> bytes:
            return request("POST", "/api/v1/public/bench/nothing/", body(number))

        run(port, [submission(-number) for number in range(1, 65)], connections=8)  # warm
        lines = []
        for connections in POSTS:
            lead, row, free = (measure(port, make, connections) for make in (submission, plain_row, nothing))
            where = f"at {connections} connections"
            lines += [
                Line(f"view without a database {where}", free.per_second, "/s"),
                Line(f"view that inserts one plain row {where}", row.per_second, "/s"),
                beside(f"intake {where}", lead.per_second, "/s", "plain row", row.per_second, goal=0.25),
                beside(f"intake {where}, p95", lead.p95, "ms", "plain row's p95", row.p95),
            ]
        lines += driver_loop(running, lines[6].value)
        lines += count_and_open(running)
    show("Intake: one submission, durable", lines)


def driver_loop(running: Product, rate: float) -> list[Line]:
    """Insert one plain row at a time straight over the driver: the limit of one connection to this database."""
    with psycopg.connect(running.database_url, autocommit=True) as connection:
        statement = "INSERT INTO bench_plainrow (key, answers, at) VALUES (%s, '{}', now())"
        started = time.perf_counter()
        for _ in range(2000):
            connection.execute(statement, [uuid.uuid4()])
        loop = 2000 / (time.perf_counter() - started)
    return [beside("driver loop, one plain row, one connection", loop, "/s", "intake at 8 connections", rate)]


def count_and_open(running: Product) -> list[Line]:
    """Count the leads and open one in a hundred."""
    opened = manage(running.environment, "shell", "-v0", "-c", OPEN)
    stored, tried, failed = (int(word) for word in opened.split()[-3:])
    expected = PASSES * sum(POSTS.values()) + 64
    assert stored == expected, f"{stored} leads for {expected} acknowledged submissions"
    assert not failed
    return [Line("leads stored, all that were acknowledged", stored, "leads"), Line("of them opened", tried, "leads")]


OPEN = """
from leads.models import Lead
from leads.vault.models import SealedAnswers
from leads.vault.opening import Purpose, open
from leads.vault.regions import alias_of
ids = list(Lead.objects.filter(state="live").values_list("pk", flat=True))
tried = failed = 0
for row in SealedAnswers.objects.using(alias_of("us")).filter(pk__in=ids[::100]):
    tried += 1
    failed += not open(row.sealed, Purpose.EXPORT)["answers"]
print(len(ids), tried, failed)
"""

if __name__ == "__main__":
    main()
