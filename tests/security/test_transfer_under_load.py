"""The brand accepts while leads arrive, exports run, deliveries are on the wire and the agency reads page after page.

On the running product, with its worker, on the database of the leg. No delivery, chunk or page starts after the commit;
what was on the wire then ends and is listed by name in the trails of both sides; no acknowledged lead is lost; and of
racing answers exactly one is carried out.
"""

import json
import struct
import subprocess
import sys
import threading
import time
import uuid
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Any

import pytest

from tests.fakes.sink import Behaviour, Received, Sink
from tests.legs import BASE
from tests.product import Caller, Product, running, until

FILLED = 30_000  # six chunks: an export takes longer than a call is waited for
EXPORTS = 4
SUBMITTERS = 3
ANSWERS_AFTER = 2.0
SLOTS = 4  # per connection
WORKERS = 3
RACERS = 20
QUICK = 0.5
"""Seconds from the start of a call in the worker to its arrival at the receiver, at most: both are on one machine."""


@dataclass
class Receiver:
    """Answers slowly; knows when what came in."""

    slow: bool = True
    came: list[tuple[float, str]] = field(default_factory=list)

    def __call__(self, received: Received) -> Behaviour:
        self.came.append((time.time(), received.webhook_id))
        return Behaviour(seconds=ANSWERS_AFTER if self.slow else 0.0)


@pytest.fixture(scope="module")
def receiver() -> Receiver:
    return Receiver()


@pytest.fixture(scope="module")
def sink(receiver: Receiver) -> Iterator[Sink]:
    with Sink(decide=receiver) as sink:
        yield sink


@pytest.fixture(scope="module")
def product(sink: Sink) -> Iterator[Product]:
    with running(worker=True) as product:
        yield product


# ---- racing answers --------------------------------------------------------------------------------------------------


def at_once(acts: list[Callable[[], int]]) -> Counter[int]:
    barrier = threading.Barrier(len(acts))
    statuses: Counter[int] = Counter()
    lock = threading.Lock()

    def run(act: Callable[[], int]) -> None:
        barrier.wait(30)
        status = act()
        with lock:
            statuses[status] += 1

    threads = [threading.Thread(target=run, args=[act]) for act in acts]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(90)
        assert not thread.is_alive()
    return statuses


def test_twenty_racing_answers_over_http_have_exactly_one_outcome(product: Product) -> None:
    library = product.demo["ad_accounts"]["brand"]["library_id"]
    client = product.demo["business_centers"]["client"]
    asked = product.caller("brand_admin").api("POST", f"libraries/{library}/transfers/", {"business_center_id": client})
    assert asked.status == 201, asked.text
    transfer = asked.json()["id"]

    def answering(who: str, answer: str) -> Callable[[], int]:
        caller = product.caller(who)
        return lambda: caller.api("POST", f"transfers/{transfer}/{answer}/").status

    sides = (("client_bc_admin", "accept"), ("brand_admin", "cancel"))
    statuses = at_once([answering(*sides[number % 2]) for number in range(RACERS)])
    assert statuses == {200: 1, 409: RACERS - 1}
    [(state,)] = product.rows("SELECT state FROM accounts_transfer WHERE id = ?", int(transfer))
    [(custodian, custody)] = product.rows(
        "SELECT custodian_id, custody FROM accounts_leadlibrary WHERE id = ?", int(library)
    )
    own = product.demo["business_centers"]["brand"]
    assert (state, str(custodian), custody) in (("accepted", client, 2), ("cancelled", own, 1))
    told = product.rows(
        "SELECT act FROM accounts_auditevent WHERE scope = 'library' AND scope_id = ?"
        " AND act IN ('transfer_accepted', 'transfer_cancelled', 'transfer_rejected')",
        int(library),
    )
    assert told == [(f"transfer_{state}",)]
    reach = {who: product.caller(who).api("GET", f"libraries/{library}/leads/").status for who, _answer in sides}
    holder = "client_bc_admin" if state == "accepted" else "brand_admin"
    assert {who for who, status in reach.items() if status == 200} == {holder}


# ---- under load ------------------------------------------------------------------------------------------------------


@dataclass
class Load:
    """Everything that goes on while the brand accepts; each entry of a list is one act with its times."""

    product: Product
    library: str
    acknowledged: list[tuple[float, str]] = field(default_factory=list)
    refused: list[int] = field(default_factory=list)
    pages: list[tuple[float, float, int]] = field(default_factory=list)
    over: threading.Event = field(default_factory=threading.Event)
    threads: list[threading.Thread] = field(default_factory=list)

    def start(self) -> None:
        acts = [self.submit] * SUBMITTERS + [self.read]
        self.threads = [threading.Thread(target=act) for act in acts]
        for thread in self.threads:
            thread.start()

    def stop(self) -> None:
        self.over.set()
        for thread in self.threads:
            thread.join(60)
            assert not thread.is_alive()

    def submit(self) -> None:
        """People fill the form, one after the other; an answer of 2xx is an acknowledgement."""
        public_id = self.product.demo["forms"]["agency_run"]["public_id"]
        visitor = self.product.visitor()
        while not self.over.is_set():
            name = uuid.uuid4().hex[:12]
            body = {
                "submission_key": str(uuid.uuid4()),
                "version": 1,
                "answers": {"first_name": "Ann", "last_name": name, "email": f"{name}@load.example"},
                "consents": {"contact": True},
            }
            answer = visitor.api("POST", f"public/forms/{public_id}/submissions/", body)
            if answer.status in (200, 201):
                self.acknowledged.append((time.time(), answer.json()["lead_id"]))
            else:
                self.refused.append(answer.status)
            self.over.wait(0.05)

    def read(self) -> None:
        """The agency's Administrator reads page after page."""
        agency = self.product.caller("agency_admin")
        while not self.over.is_set():
            began = time.time()
            status = agency.api("GET", f"libraries/{self.library}/leads/").status
            self.pages.append((began, time.time(), status))


def fill(product: Product, library: str) -> None:
    subprocess.run(
        [sys.executable, "-m", "tests.security.filler", library, str(FILLED)],
        cwd=BASE, env=product.environment, check=True,
    )  # fmt: skip


def events(product: Product, act: str) -> list[dict[str, Any]]:
    """The events of this kind with the leads that they list."""
    rows = product.rows(
        "SELECT e.scope, e.scope_id, e.count, e.detail, m.object_ids FROM accounts_auditevent e"
        " LEFT JOIN accounts_auditmanifest m ON m.event_id = e.id WHERE e.act = ?",
        act,
    )
    found = []
    for scope, scope_id, count, detail, packed in rows:
        raw = bytes(packed or b"")
        found.append(
            {
                "where": (scope, str(scope_id)),
                "count": count,
                "detail": json.loads(detail) if isinstance(detail, str) else detail,
                "leads": set(struct.unpack(f">{len(raw) // 8}Q", raw)),
            }
        )
    return found


def exports_of(product: Product, library: str) -> list[tuple[int, str, int, Any]]:
    statement = "SELECT id, state, chunk, finished_at FROM leads_export WHERE library_id = ?"
    return product.rows(statement, int(library))


def pending(product: Product, library: str) -> int:
    statement = "SELECT count(*) FROM leads_delivery WHERE library_id = ? AND state = 'pending'"
    return int(product.rows(statement, int(library))[0][0])


@dataclass
class Accepted:
    """What was seen around the acceptance: `asked` before, `done` after its commit."""

    load: Load
    asked: float
    done: float
    agency: Caller
    brand: Caller
    connections: dict[str, str]
    exports: list[str]
    made_before: set[int]
    came: list[tuple[float, str]]


def under_way(product: Product, library: str, receiver: Receiver) -> bool:
    """Whether an export has written a chunk and not its last, and a call has come that is not answered yet."""
    running = any(row[1] == "running" and row[2] > 0 for row in exports_of(product, library))
    return running and time.time() - receiver.came[-1][0] < ANSWERS_AFTER / 8


@pytest.fixture(scope="module")
def accepted(product: Product, sink: Sink, receiver: Receiver) -> Accepted:
    library = product.demo["ad_accounts"]["agency_run"]["library_id"]
    agency, brand = product.caller("agency_admin"), product.caller("client_bc_admin")
    fill(product, library)
    connections = {}
    for name in ("Agency CRM one", "Agency CRM two"):
        body = {"kind": "webhook", "name": name, "url": f"{sink.url}/{name[-3:]}"}
        connections[name] = agency.api("POST", f"libraries/{library}/connections/", body).json()["id"]
    to = {"business_center_id": product.demo["business_centers"]["client"]}
    transfer = agency.api("POST", f"libraries/{library}/transfers/", to).json()["id"]
    load = Load(product, library)
    load.start()
    until(lambda: len(receiver.came) > 3 * SLOTS and pending(product, library) > 30, what="no queue came about")
    exports = [
        agency.api("POST", f"libraries/{library}/exports/", {"format": "csv"}).json()["id"] for _ in range(EXPORTS)
    ]
    until(lambda: under_way(product, library, receiver), what="no export ran while a call was on the wire")
    asked = time.time()
    answer = brand.api("POST", f"transfers/{transfer}/accept/")
    done = time.time()
    assert answer.status == 200, answer.text
    whole = ("done", "expired")  # the clock that ends files may have come first
    made_before = {row[0] for row in exports_of(product, library) if row[1] in whole}
    time.sleep(4)
    load.stop()
    until(
        lambda: all(row[1] not in ("pending", "running") for row in exports_of(product, library)), what="exports go on"
    )
    time.sleep(ANSWERS_AFTER)  # what was on the wire is settled
    return Accepted(load, asked, done, agency, brand, connections, exports, made_before, list(receiver.came))


def test_no_delivery_starts_after_the_commit_and_both_sides_read_what_was_on_the_wire(
    product: Product, accepted: Accepted
) -> None:
    assert len([at for at, _id in accepted.came if at < accepted.asked]) > 3 * SLOTS
    assert [at for at, _id in accepted.came if at > accepted.done + QUICK] == []
    told = [event for event in events(product, "leads_delivered") if event["detail"].get("in_flight")]
    inside = [event for event in told if event["where"] == ("library", accepted.load.library)]
    assert {event["detail"]["connection"] for event in told} <= set(accepted.connections)
    listed = set().union(*(event["leads"] for event in inside))
    # What the receiver answers after the commit was settled after it.
    late = {webhook_id for at, webhook_id in accepted.came if at + ANSWERS_AFTER > accepted.done}
    wires = {int(webhook_id.removeprefix("msg_")) for webhook_id in late}
    leads = {
        row[0]
        for delivery in wires
        for row in product.rows("SELECT lead_id FROM leads_delivery WHERE id = ?", delivery)
    }
    assert leads <= listed
    assert leads
    assert sum(event["count"] for event in inside) <= SLOTS * len(accepted.connections)
    for where in (
        ("ad_account", product.demo["ad_accounts"]["agency_run"]["id"]),
        ("business_center", product.demo["business_centers"]["agency"]),
        ("business_center", product.demo["business_centers"]["client"]),
    ):
        outside = [event for event in told if event["where"] == where]
        assert Counter(event["detail"]["connection"] for event in outside) == Counter(
            event["detail"]["connection"] for event in inside
        )
        assert sum(event["count"] for event in outside) == sum(event["count"] for event in inside)
        assert not any(event["leads"] for event in outside)


def test_no_page_that_starts_after_the_commit_is_shown(accepted: Accepted) -> None:
    pages = accepted.load.pages
    assert {status for _began, ended, status in pages if ended < accepted.asked} == {200}
    assert {status for began, _ended, status in pages if began > accepted.done} == {403}


def test_no_chunk_starts_after_the_commit_and_no_file_of_before_is_left(product: Product, accepted: Accepted) -> None:
    states = {row[0]: row[1] for row in exports_of(product, accepted.load.library)}
    assert len(states) == EXPORTS
    for export, state in states.items():
        assert state == ("expired" if export in accepted.made_before else "failed")
    stopped = [event for event in events(product, "export_stopped") if event["where"][0] == "library"]
    overtaken = [event for event in stopped if event["detail"].get("in_flight")]
    assert len(stopped) == EXPORTS - len(accepted.made_before)
    assert 1 <= len(overtaken) <= WORKERS
    assert all(0 < event["count"] <= FILLED + len(accepted.load.acknowledged) for event in overtaken)
    elsewhere = [event for event in events(product, "export_stopped") if event["detail"].get("in_flight")]
    assert {event["where"][0] for event in elsewhere} == {"library", "ad_account", "business_center"}
    assert len(elsewhere) == 4 * len(overtaken)
    made = [event for event in events(product, "export_made") if event["where"][0] == "library"]
    assert len(made) == len(accepted.made_before)
    left = [path for path in (product.folder / "var" / "exports").rglob("*") if path.is_file()]
    assert [path for path in left if any(str(export) in path.name for export in states)] == []
    for asked in accepted.exports:
        for who in (accepted.agency, accepted.brand):
            assert who.api("GET", f"exports/{asked}/file/").status in (403, 409)


def test_no_acknowledged_lead_is_lost_and_the_new_ones_wait_for_the_brand(
    product: Product, accepted: Accepted, receiver: Receiver
) -> None:
    load = accepted.load
    assert load.refused == []
    acknowledged = [given for _at, given in load.acknowledged]
    stored = {
        str(row[0])
        for row in product.rows("SELECT id FROM leads_lead WHERE library_id = ? AND state = 'live'", int(load.library))
    }
    assert len(set(acknowledged)) == len(acknowledged)
    assert set(acknowledged) <= stored
    assert len(stored) == FILLED + len(acknowledged)
    new = [int(lead) for at, lead in load.acknowledged if at > accepted.done + QUICK]
    assert len(new) > 10
    assert accepted.brand.api("GET", f"leads/{new[-1]}/").status == 200
    assert accepted.agency.api("GET", f"leads/{new[-1]}/").status == 403
    for newcomer in new:
        waiting = product.rows("SELECT state, attempts FROM leads_delivery WHERE lead_id = ?", newcomer)
        assert waiting == [("pending", 0)] * len(accepted.connections)
    receiver.slow = False
    one, two = accepted.connections.values()
    assert accepted.brand.api("POST", f"connections/{one}/confirm/", {"waiting": "send"}).status == 200
    assert accepted.brand.api("POST", f"connections/{two}/confirm/", {"waiting": "drop"}).status == 200
    until(lambda: pending(product, load.library) == 0, seconds=90, what="what waited does not go out")
    statement = (
        "SELECT count(*), sum(CASE WHEN state = 'done' THEN 1 ELSE 0 END) FROM leads_delivery WHERE connection_id = ?"
    )
    assert product.rows(statement, int(one)) == [(len(acknowledged), len(acknowledged))]
    came = {webhook_id for _at, webhook_id in receiver.came}
    sent = product.rows("SELECT id FROM leads_delivery WHERE connection_id = ?", int(one))
    assert {f"msg_{row[0]}" for row in sent} <= came
