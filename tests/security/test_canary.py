"""A person's data, once through the whole running product, lies nowhere in a form that can be read.

The person fills a form, plain and sealed; the team reads, searches, writes, exports; a receiver fails and repeats what
it got; requests go wrong with the person in their body. Afterwards every store is searched. Other people, planted on
purpose in each kind of store, show that the search would have found them.
"""

import contextlib
import gzip
import json
import time
import uuid
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
import redis
from django.core import signing

from leadscenter.lib import hpke
from tests.fakes.sink import Behaviour, Received, Sink
from tests.product import Answer, Caller, Product, running, until
from tests.security import stores
from tests.security.canary import CODINGS, Canary, found_in, new_canary


@dataclass
class Travelled:
    """A product through which two people travelled, one submitted plain, one sealed."""

    product: Product
    people: dict[str, Canary]
    staff: Caller


VALUES = ["name", "email", "phone", "text"]
DIGESTS = {coding for coding in CODINGS if coding.startswith(("SHA", "MD5"))}
HIDDEN = [(coding, value) for coding in CODINGS for value in VALUES if not (coding in DIGESTS and value == "text")]
"""Nobody can guess a whole sentence: its digest is no copy of it."""


# ---- the search itself -----------------------------------------------------------------------------------------------


@pytest.mark.parametrize(("coding", "value"), HIDDEN)
def test_search_finds_a_person_in_every_coding(coding: str, value: str) -> None:
    canary = new_canary()
    whole = {"phone": f"+491511{canary.number}"}.get(value, getattr(canary, value))
    hidden = CODINGS[coding](whole.encode())
    place = b"\x00 before: " + hidden + b"\n:behind \xff"
    assert found_in(place, canary)
    assert not found_in(place, new_canary())


# ---- the journey -----------------------------------------------------------------------------------------------------


def submission(canary: Canary) -> dict[str, Any]:
    return {
        "submission_key": str(uuid.uuid4()),
        "version": 1,
        "answers": {
            "name": canary.name,
            "email": canary.email,
            "phone_number": canary.phone,
            "install_when": "asap",
            "anything_else": canary.text,
        },
        "consents": {"contact": True},
        "attribution": {"utm_source": canary.email, "utm_term": canary.text},
    }


def sealed(product: Product, body: dict[str, Any]) -> dict[str, Any]:
    public_id = product.demo["forms"]["brand"]["public_id"]
    key = product.visitor().api("GET", f"public/forms/{public_id}/").json()["ingest_key"]
    info = hpke.info_for(key["kid"], public_id)
    enc, ct = hpke.seal(hpke.from_b64url(key["public_key"]), info, json.dumps(body).encode())
    return {"sealed": {"kid": key["kid"], "enc": hpke.b64url(enc), "ct": hpke.b64url(ct)}}


def echo(received: Received) -> Behaviour:
    """Take what comes at one address; at the other fail and say back the e-mail, in every place of an answer."""
    if not received.path.startswith("/echo"):
        return Behaviour()
    answers = json.dumps(json.loads(received.body))
    email = next(word for word in answers.split('"') if "@" in word)
    headers = {"Retry-After": email, "X-Problem": email, "Location": f"https://{email}/", "Content-Type": "text/plain"}
    return Behaviour(status=500, headers=headers, body=f"no such contact: {email}\n{answers}".encode())


@pytest.fixture(scope="module")
def travelled() -> Iterator[Travelled]:
    people = {"plain": new_canary(), "sealed": new_canary()}
    with Sink(decide=echo) as sink, running(worker=True, debug=False) as product:
        connect(product, sink)
        leads = {
            "plain": submit(product, submission(people["plain"])),
            "sealed": submit(product, sealed(product, submission(people["sealed"]))),
        }
        for how, lead in leads.items():
            arrive(sink, people[how])
            work(product, people[how], lead)
            export(product, people[how])
            go_wrong(product, people[how], lead)
        time.sleep(2)  # beat and worker go round once more
        yield Travelled(product, people, product.signed_in("staff"))


def connect(product: Product, sink: Sink) -> None:
    library = product.demo["ad_accounts"]["brand"]["library_id"]
    for path in ("hook", "echo"):
        body = {"kind": "webhook", "name": path, "url": f"http://{sink.address}/{path}"}
        made = product.caller("brand_admin").api("POST", f"libraries/{library}/connections/", body)
        assert made.status == 201, made.text


def submit(product: Product, body: dict[str, Any]) -> str:
    public_id = product.demo["forms"]["brand"]["public_id"]
    answer = product.visitor().api("POST", f"public/forms/{public_id}/submissions/", body)
    assert answer.status == 201, answer.text
    lead: str = answer.json()["lead_id"]
    return lead


def arrive(sink: Sink, canary: Canary) -> None:
    """Both receivers get the person in clear: that is what they are for, and it shows that the search can see them."""

    def at_both() -> bool:
        got = {received.path for received in list(sink.received) if found_in(received.body, canary)}
        return {path.strip("/") for path in got} == {"hook", "echo"}

    until(at_both, what="the webhooks did not arrive")


def work(product: Product, canary: Canary, lead: str) -> None:
    """Search, open, reveal, note, delete and restore, by page and by API."""
    library = product.demo["ad_accounts"]["brand"]["library_id"]
    page, api = product.signed_in("brand_admin"), product.caller("brand_admin")
    listed, one = f"/l/{library}/leads/", f"/l/{library}/leads/{lead}/"
    for words in (canary.email, canary.phone, canary.name):
        searched = page.submit(f"{listed}search/", {"q": words}, page=listed)
        assert searched.status == 302, searched.text[:300]
        assert lead in page.page(searched.headers["Location"])
        assert not found_in(searched.everything().encode(), canary)
        by_api = api.api("POST", f"libraries/{library}/leads/search/", {"q": words})
        assert [row["id"] for row in by_api.json()["results"]] == [lead]
    assert canary.mark.lower() in page.page(one).lower()
    assert canary.email.lower() in page.submit(f"{one}reveal/", {}, page=one).text.lower()
    noted = page.submit(f"{one}note/", {"text": f"{canary.text} {canary.email} {canary.phone}"}, page=one)
    assert noted.status == 302
    assert api.api("POST", f"leads/{lead}/notes/", {"text": canary.text}).status == 201
    assert found_in(api.api("GET", f"leads/{lead}/").body, canary)
    assert page.submit(f"{one}delete/", {}, page=one).status == 302
    assert page.submit(f"{one}restore/", {}, page=listed).status == 302


def export(product: Product, canary: Canary) -> None:
    """By API a file of what was searched, taken; by page one more, left where it is."""
    library = product.demo["ad_accounts"]["brand"]["library_id"]
    api, page = product.caller("brand_admin"), product.signed_in("brand_admin")
    asked = api.api("POST", f"libraries/{library}/exports/", {"format": "csv", "filter": {"q": canary.email}})
    assert asked.status == 201, asked.text
    listed = f"/l/{library}/leads/"
    assert page.submit(f"{listed}download/", {}, page=listed).status == 302

    def states() -> set[str]:
        rows = api.api("GET", f"libraries/{library}/exports/").json()["results"]
        return {row["state"] for row in rows}

    until(lambda: states() == {"done"}, seconds=60, what="the exports were not made")
    file = api.api("GET", f"exports/{asked.json()['id']}/file/")
    assert found_in(file.body, canary)


def go_wrong(product: Product, canary: Canary, lead: str) -> None:
    """Requests that are refused or break, with the person in their body."""
    library = product.demo["ad_accounts"]["brand"]["library_id"]
    public_id = product.demo["forms"]["brand"]["public_id"]
    api, visitor = product.caller("brand_admin"), product.visitor()
    body = submission(canary)
    form = f"public/forms/{public_id}/submissions/"
    strange = {**body, "answers": {**body["answers"], "shoe_size": canary.text}}
    silent(visitor.api("POST", form, strange), 400, canary)
    silent(visitor.call("POST", f"/api/v1/{form}", data=f'{{"x": "{canary.email}'.encode()), 400, canary)
    silent(visitor.api("POST", "public/forms/nothere000/submissions/", body), 404, canary)
    silent(api.api("POST", "leads/17/notes/", {"text": canary.text}), 404, canary)
    silent(api.api("PATCH", f"leads/{lead}/", {"status": canary.email}), 400, canary)
    with renamed(product, "vault_searchterm", vault=True):
        silent(api.api("POST", f"libraries/{library}/leads/search/", {"q": canary.email}), 500, canary)
        silent(visitor.api("POST", form, body), 500, canary, 503)
    with renamed(product, "vault_note", vault=True):
        silent(api.api("POST", f"leads/{lead}/notes/", {"text": canary.text}), 500, canary)


def silent(answer: Answer, status: int, canary: Canary, *other: int) -> None:
    assert answer.status in (status, *other), answer.text
    assert not found_in(answer.everything().encode(), canary)


@contextlib.contextmanager
def renamed(product: Product, table: str, *, vault: bool) -> Iterator[None]:
    """Take a table away, so that whatever needs it breaks."""
    product.rows(f"ALTER TABLE {table} RENAME TO {table}_away", vault=vault)
    try:
        yield
    finally:
        product.rows(f"ALTER TABLE {table}_away RENAME TO {table}", vault=vault)


# ---- found nowhere ---------------------------------------------------------------------------------------------------


def places_of(travelled: Travelled, kind: str) -> stores.Places:
    if kind == "admin pages":
        return stores.admin_pages(travelled.staff)
    read: dict[str, Callable[[Product], stores.Places]] = {
        "databases": stores.databases,
        "sessions": stores.sessions,
        "broker": stores.broker,
        "files": stores.files,
    }
    return read[kind](travelled.product)


KINDS = ["databases", "sessions", "broker", "files", "admin pages"]


@pytest.mark.parametrize("how", ["plain", "sealed"])
@pytest.mark.parametrize("kind", KINDS)
def test_person_is_found_nowhere(travelled: Travelled, kind: str, how: str) -> None:
    places = places_of(travelled, kind)
    assert places, "there is nothing to search in"
    found = {place: what for place, content in places.items() if (what := found_in(content, travelled.people[how]))}
    assert found == {}


def test_search_looked_at_everything(travelled: Travelled) -> None:
    files = stores.files(travelled.product)
    for name in ("web.log", "worker.log", "scheduler.log"):
        assert any(place.endswith(f"logs/{name}") for place in files), name
    assert files["logs/web.log"], "the web server logs nothing: there was nothing to search in"
    assert sum(place.endswith(".sealed") for place in files) == 4  # two exports for each person
    pages = stores.admin_pages(travelled.staff)
    for model in ("leads/connection", "leads/delivery", "leads/export", "accounts/leadlibrary", "accounts/auditevent"):
        assert f"/admin/{model}/" in pages
        assert any(place.startswith(f"/admin/{model}/") and place.endswith("/change/") for place in pages), model
    assert len(stores.sessions(travelled.product)) >= 3
    assert any(b"_kombu" in content for content in stores.broker(travelled.product).values())
    for content in stores.databases(travelled.product).values():
        assert len(content) > 10_000 or not content


# ---- planted on purpose: found ---------------------------------------------------------------------------------------


def in_control_database(product: Product, hidden: bytes) -> None:
    product.rows("CREATE TABLE left_behind (value text)")
    product.rows("INSERT INTO left_behind VALUES (?)", hidden.decode())


def in_vault(product: Product, hidden: bytes) -> None:
    (lead, kept) = product.rows("SELECT lead_id, sealed FROM vault_sealedanswers LIMIT 1", vault=True)[0]
    statement = "UPDATE vault_sealedanswers SET sealed = ? WHERE lead_id = ?"
    product.rows(statement, bytes(kept) + hidden, lead, vault=True)


def in_session(product: Product, hidden: bytes) -> None:
    data = signing.dumps({"last": hidden.decode(), "more": "x" * 200}, key="any", compress=True)
    statement = "INSERT INTO django_session (session_key, session_data, expire_date) VALUES (?, ?, ?)"
    product.rows(statement, uuid.uuid4().hex, data, "2099-01-01 00:00:00+00:00")


def in_broker(product: Product, hidden: bytes) -> None:
    with contextlib.closing(redis.Redis.from_url(product.broker_url)) as client:
        client.rpush("waiting", b"x" * 200, hidden + b"x" * 200)  # long enough to be compressed when dumped


def in_log(product: Product, hidden: bytes) -> None:
    with (product.folder / "logs" / "worker.log").open("ab") as log:
        log.write(b"12:00:00 error leads could not send " + hidden + b"\n")


def in_temporary_file(product: Product, hidden: bytes) -> None:
    (product.folder / "temporary" / f"upload-{uuid.uuid4().hex}").write_bytes(gzip.compress(b"name,email\n" + hidden))


def in_export_file(product: Product, hidden: bytes) -> None:
    file: Path = next(product.folder.rglob("*.sealed"))
    (file.parent / f"{uuid.uuid4().hex}.part").write_bytes(file.read_bytes()[:1000] + hidden)


def on_admin_page(product: Product, hidden: bytes) -> None:
    if not product.database_url.startswith("sqlite:"):
        product.rows("ALTER TABLE forms_builder_form ALTER COLUMN name TYPE text")
    form = int(product.demo["forms"]["other"]["id"])
    product.rows("UPDATE forms_builder_form SET name = ? WHERE id = ?", hidden.decode(), form)


PLANTED: dict[str, tuple[str, Callable[[Product, bytes], None]]] = {
    "control database": ("databases", in_control_database),
    "vault": ("databases", in_vault),
    "session": ("sessions", in_session),
    "broker": ("broker", in_broker),
    "log": ("files", in_log),
    "temporary file": ("files", in_temporary_file),
    "export file": ("files", in_export_file),
    "admin page": ("admin pages", on_admin_page),
}
PLANTED_AS = ["clear", "base64, second alignment", "hex", "URL-coded to the last letter", "gzip in base64"]


@pytest.mark.parametrize("place", PLANTED)
def test_person_planted_on_purpose_is_found(travelled: Travelled, place: str) -> None:
    kind, plant = PLANTED[place]
    people = {coding: new_canary() for coding in PLANTED_AS}
    hidden = b" ".join(CODINGS[coding](canary.email.encode()) for coding, canary in people.items())
    plant(travelled.product, hidden)
    places = places_of(travelled, kind)
    found = [coding for coding, canary in people.items() if any(found_in(text, canary) for text in places.values())]
    assert found == PLANTED_AS
