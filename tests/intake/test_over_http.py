"""The intake over HTTP against the running server: the same key from fifty at once, and everything that is bad."""

import contextlib
import json
import re
import socket
import threading
import uuid
from collections import Counter
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest

from leadscenter.lib import hpke
from tests.product import Answer, Product
from tests.world import says

PARALLEL = 50


def good(**changes: Any) -> dict[str, Any]:
    """A submission that the brand's demo form takes."""
    return {
        "submission_key": str(uuid.uuid4()),
        "version": 1,
        "answers": {
            "name": "Ann Example",
            "email": "ann@example.com",
            "phone_number": "+16025550123",
            "install_when": "asap",
        },
        "consents": {"contact": True},
        **changes,
    }


def answering(**answers: Any) -> dict[str, Any]:
    body = good()
    return {**body, "answers": {**body["answers"], **answers}}


def without(part: str, name: str) -> dict[str, Any]:
    body = good()
    return {**body, part: {key: value for key, value in body[part].items() if key != name}}


def path_of(product: Product, form: str = "brand") -> str:
    return f"/api/v1/public/forms/{product.demo['forms'][form]['public_id']}/submissions/"


def send(product: Product, body: Any, form: str = "brand") -> Answer:
    data = body if isinstance(body, bytes) else json.dumps(body).encode()
    return product.visitor().call(
        "POST", path_of(product, form), data=data, headers={"Content-Type": "application/json"}
    )


def at_once(acts: list[Callable[[], Answer]]) -> list[Answer]:
    barrier = threading.Barrier(len(acts))

    def run(act: Callable[[], Answer]) -> Answer:
        barrier.wait(30)
        return act()

    with ThreadPoolExecutor(len(acts)) as pool:
        return list(pool.map(run, acts))


def leads_of(product: Product, key: str) -> list[int]:
    wanted = key.replace("-", "") if product.database_url.startswith("sqlite") else key
    return [row[0] for row in product.rows("SELECT id FROM leads_lead WHERE submission_key = ?", wanted)]


# ---- one key from many -----------------------------------------------------------------------------------------------


@pytest.mark.parametrize("_round", range(3))
def test_fifty_parallel_posts_of_one_key_make_one_lead(product: Product, _round: int) -> None:
    body = good()
    answers = at_once([lambda: send(product, body)] * PARALLEL)
    assert Counter(answer.status for answer in answers) == {201: 1, 200: PARALLEL - 1}
    [lead] = leads_of(product, body["submission_key"])
    assert {answer.json()["lead_id"] for answer in answers} == {str(lead)}
    kept = product.rows("SELECT count(*) FROM vault_sealedanswers WHERE lead_id = ?", lead, vault=True)
    consents = product.rows("SELECT count(*) FROM vault_consentrecord WHERE lead_id = ?", lead, vault=True)
    terms = product.rows(
        "SELECT count(*), count(DISTINCT digest) FROM vault_searchterm WHERE lead_id = ?", lead, vault=True
    )
    assert (kept, consents) == ([(1,)], [(1,)])
    assert terms[0][0] == terms[0][1] == 5  # e-mail, phone, its tail, two words: each once


@pytest.mark.parametrize("_round", range(3))
def test_fifty_parallel_posts_of_one_key_with_two_contents_keep_one_and_refuse_the_other(
    product: Product, _round: int
) -> None:
    one = good()
    other = {**one, "answers": {**one["answers"], "name": "Bob Example"}}
    bodies = [one if number % 2 else other for number in range(PARALLEL)]
    answers = at_once([lambda body=body: send(product, body) for body in bodies])  # type: ignore[misc]
    statuses = Counter(answer.status for answer in answers)
    assert statuses == {201: 1, 200: PARALLEL // 2 - 1, 409: PARALLEL // 2}
    first = next(body for body, answer in zip(bodies, answers, strict=True) if answer.status == 201)
    for body, answer in zip(bodies, answers, strict=True):
        assert (answer.status == 409) == (body is not first)
        if answer.status == 409:
            assert answer.headers["Content-Type"] == "application/problem+json"
            assert answer.json()["type"] == "already_submitted"
            assert "lead_id" not in answer.json()
    assert len(leads_of(product, one["submission_key"])) == 1


def test_key_sent_again_later_gives_the_same_lead(product: Product) -> None:
    body = good()
    first = send(product, body)
    before = product.counts()
    again = send(product, body)
    assert (first.status, again.status) == (201, 200)
    assert first.json() == again.json()
    assert product.counts() == before
    changed = send(product, {**body, "answers": {**body["answers"], "email": "other@example.com"}})
    assert changed.status == 409
    assert product.counts() == before


# ---- bad input -------------------------------------------------------------------------------------------------------


def deep(depth: int) -> bytes:
    return b'{"answers":' + b'{"a":' * depth + b"1" + b"}" * depth + b"}"


def raw(**changes: bytes) -> bytes:
    """The good submission as bytes, with parts replaced by text that no JSON writer makes."""
    body = json.dumps(good()).encode()
    for name, value in changes.items():
        marker = {"name": b'"Ann Example"', "version": b'"version": 1', "consent": b'{"contact": true}'}[name]
        assert marker in body
        body = body.replace(marker, value)
    return body


BAD: dict[str, tuple[Callable[[], Any], int, str]] = {
    "unknown field": (lambda: answering(shoe_size="44"), 400, "shoe_size"),
    "unknown field of the submission": (lambda: good(admin=True), 400, "admin"),
    "unknown consent": (lambda: good(consents={"contact": True, "sell": True}), 400, "consents.sell"),
    "unknown attribution": (lambda: good(attribution={"gclid": "x"}), 400, "attribution.gclid"),
    "option not offered": (lambda: answering(install_when="never"), 400, "install_when"),
    "option by its label": (lambda: answering(install_when="As soon as possible"), 400, "install_when"),
    "missing required": (lambda: without("answers", "email"), 400, "email"),
    "empty required": (lambda: answering(email="  "), 400, "email"),
    "consent missing": (lambda: without("consents", "contact"), 400, "consents.contact"),
    "consent false": (lambda: good(consents={"contact": False}), 400, "consents.contact"),
    "consent as text": (lambda: good(consents={"contact": "yes"}), 400, "consents.contact"),
    "consent as number": (lambda: good(consents={"contact": 1}), 400, "consents.contact"),
    "answer as list": (lambda: answering(name=["Ann"]), 400, "name"),
    "answer as object": (lambda: answering(name={"a": "b"}), 400, "name"),
    "answer as number": (lambda: answering(name=7), 400, "name"),
    "answer of 4,001 characters": (lambda: answering(anything_else="x" * 4001), 400, "anything_else"),
    "e-mail of 255 characters": (lambda: answering(email="a" * 243 + "@example.com"), 400, "email"),
    "no e-mail": (lambda: answering(email="ann at example"), 400, "email"),
    "e-mail with a line break": (lambda: answering(email="ann@example.com\nBcc: x@y.zz"), 400, "email"),
    "no phone": (lambda: answering(phone_number="call me"), 400, "phone_number"),
    "no country": (lambda: answering(country="Atlantis"), 400, "country"),
    "NUL": (lambda: answering(name="Ann\x00"), 400, "name"),
    "NUL in attribution": (lambda: good(attribution={"utm_source": "a\x00"}), 400, "attribution.utm_source"),
    "lone surrogate": (lambda: raw(name=b'"\\ud800"'), 400, "name"),
    "lone surrogate in a key": (lambda: raw(consent=b'{"contact": true, "\\udc00": true}'), 400, "consents"),
    "NUL in a key": (lambda: answering(**{"a\x00": "x"}), 400, ""),
    "NaN": (lambda: raw(version=b'"version": NaN'), 400, "body"),
    "Infinity": (lambda: raw(version=b'"version": -Infinity'), 400, "body"),
    "1e999": (lambda: raw(version=b'"version": 1e999'), 400, "body"),
    "a float": (lambda: raw(version=b'"version": 1.0'), 400, "body"),
    "duplicate keys": (lambda: raw(version=b'"version": 1, "version": 1'), 400, "body"),
    "duplicate answer": (lambda: raw(consent=b'{"contact": true, "contact": true}'), 400, "body"),
    "too deep": (lambda: deep(20), 400, "body"),
    "depth bomb": (lambda: deep(30_000), 400, "body"),
    "101 keys": (lambda: good(answers={f"k{number}": "x" for number in range(101)}), 400, "body"),
    "no JSON": (lambda: b"name=Ann", 400, "body"),
    "empty": (lambda: b"", 400, "body"),
    "list": (lambda: [good()], 400, "body"),
    "not UTF-8": (lambda: raw(name=b'"\xff\xfe"'), 400, "body"),
    "UTF-16": (lambda: json.dumps(good()).encode("utf-16"), 400, "body"),
    "huge number": (lambda: raw(version=b'"version": ' + b"9" * 5000), 400, ""),
    "version never published": (lambda: good(version=2), 400, "version"),
    "version 0": (lambda: good(version=0), 400, "version"),
    "version below": (lambda: good(version=-1), 400, "version"),
    "version beyond": (lambda: good(version=2**63), 400, "version"),
    "version as text": (lambda: good(version="1"), 400, "version"),
    "version as truth": (lambda: good(version=True), 400, "version"),
    "no version": (lambda: {key: value for key, value in good().items() if key != "version"}, 400, "version"),
    "no key": (lambda: good(submission_key=None), 400, "submission_key"),
    "key that is no UUID": (lambda: good(submission_key="1"), 400, "submission_key"),
    "answers as list": (lambda: good(answers=[]), 400, "answers"),
    "country of three letters": (lambda: good(country="DEU"), 400, "country"),
    "1 MB answer": (lambda: answering(anything_else="x" * 1_000_000), 413, ""),
}


@pytest.mark.parametrize(("body", "status", "field"), BAD.values(), ids=BAD)
def test_bad_input_is_refused_with_its_reason_and_nothing_is_written(
    product: Product, body: Callable[[], Any], status: int, field: str
) -> None:
    before = product.counts()
    answer = send(product, body())
    refused(answer, status, field)
    assert product.counts() == before


def refused(answer: Answer, status: int, field: str = "") -> None:
    assert answer.status == status, answer.text
    assert answer.headers["Content-Type"] == "application/problem+json"
    problem = answer.json()
    assert (problem["status"], bool(problem["title"]), bool(problem["detail"])) == (status, True, True)
    assert not says(answer.text, "Ann")  # a refusal never repeats what somebody answered
    if field:
        assert any(name == field or name.startswith(f"{field}.") for name in problem["errors"]), problem


def read_answer(line: socket.socket) -> bytes:
    """Read one answer whole: its head and its body may come in pieces."""
    answer = b""
    while piece := line.recv(65_536):
        answer += piece
        head, separator, body = answer.partition(b"\r\n\r\n")
        length = re.search(rb"(?i)content-length: *(\d+)", head)
        if separator and length and len(body) >= int(length[1]):
            break
    return answer


def test_body_of_50_megabytes_is_refused(product: Product) -> None:
    before = product.counts()
    with socket.create_connection(("127.0.0.1", product.port), timeout=60) as line:
        head = f"POST {path_of(product)} HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\n"
        line.sendall(f"{head}Content-Length: {50 * 1024 * 1024}\r\n\r\n".encode())
        with contextlib.suppress(OSError):  # it may hang up on us, which is an answer too
            for _ in range(50):
                line.sendall(b"x" * 1024 * 1024)
        answer = read_answer(line)
    assert answer.startswith(b"HTTP/1.1 413")
    assert json.loads(answer.partition(b"\r\n\r\n")[2])["status"] == 413
    assert product.counts() == before


def test_body_of_unknown_length_is_counted_while_it_is_read(product: Product) -> None:
    before = product.counts()
    with socket.create_connection(("127.0.0.1", product.port), timeout=20) as line:
        head = f"POST {path_of(product)} HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\n"
        line.sendall(f"{head}Transfer-Encoding: chunked\r\n\r\n".encode())
        piece = b"%x\r\n" % 65_536 + b"x" * 65_536 + b"\r\n"
        with contextlib.suppress(OSError):
            for _ in range(160):  # ten megabytes
                line.sendall(piece)
            line.sendall(b"0\r\n\r\n")
        assert line.recv(4096).startswith(b"HTTP/1.1 413")
    assert product.counts() == before


@pytest.mark.parametrize("length", ["-1", "abc", "1e3"])
def test_nonsense_length_is_refused(product: Product, length: str) -> None:
    before = product.counts()
    with socket.create_connection(("127.0.0.1", product.port), timeout=20) as line:
        head = f"POST {path_of(product)} HTTP/1.1\r\nHost: localhost\r\nContent-Length: {length}\r\n\r\n"
        line.sendall(head.encode())
        answer = line.recv(4096)
    assert answer == b"" or answer.startswith(b"HTTP/1.1 4")
    assert product.counts() == before


@pytest.mark.parametrize("public_id", ["nothere000", "%00", "..%2f..%2f", "a" * 500])
def test_unknown_form_is_404(product: Product, public_id: str) -> None:
    answer = product.visitor().send("POST", f"/api/v1/public/forms/{public_id}/submissions/", good())
    assert answer.status == 404


def test_version_of_another_form_is_refused(product: Product) -> None:
    admin = product.caller("other_admin")
    form = product.demo["forms"]["other"]["id"]
    for number in (2, 3):
        assert admin.api("PATCH", f"forms/{form}/", {"name": f"Tiles {number}"}).status == 200
        assert admin.api("POST", f"forms/{form}/publish/").status == 200
    before = product.counts()
    refused(send(product, good(version=3)), 400, "version")  # there is a version 3, of another form
    assert product.counts() == before


# ---- forms in time ---------------------------------------------------------------------------------------------------


def new_form(product: Product) -> dict[str, Any]:
    """A published form of the brand of its own."""
    admin, account = product.caller("brand_admin"), product.demo["ad_accounts"]["brand"]["id"]
    whole = admin.api("GET", f"forms/{product.demo['forms']['brand']['id']}/").json()
    made = admin.api("POST", f"ad-accounts/{account}/forms/", {"name": "In time", "content": whole["content"]}).json()
    answer = admin.api("POST", f"forms/{made['id']}/publish/")
    assert answer.status == 200, answer.text
    found: dict[str, Any] = answer.json()
    return found


def send_to(product: Product, form: dict[str, Any], body: dict[str, Any]) -> Answer:
    return product.visitor().send("POST", f"/api/v1/public/forms/{form['public_id']}/submissions/", body)


def test_superseded_version_is_accepted(product: Product) -> None:
    form, admin = new_form(product), product.caller("brand_admin")
    assert admin.api("PATCH", f"forms/{form['id']}/", {"name": "In time 2"}).status == 200
    draft = send_to(product, form, good(version=2))
    assert draft.status == 400  # not published yet
    assert admin.api("POST", f"forms/{form['id']}/publish/").status == 200
    assert send_to(product, form, good(version=1)).status == 201
    assert send_to(product, form, good(version=2)).status == 201


@pytest.mark.parametrize(("hours", "status"), [(0, 201), (1, 201), (25, 404)])
def test_archived_form_takes_answers_for_a_day(product: Product, hours: int, status: int) -> None:
    form, admin = new_form(product), product.caller("brand_admin")
    assert admin.api("POST", f"forms/{form['id']}/archive/").status == 200
    ago = (
        f"datetime('now', '-{hours} hours')"
        if product.database_url.startswith("sqlite")
        else f"now() - interval '{hours} hours'"
    )
    product.rows(f"UPDATE forms_builder_form SET archived_at = {ago} WHERE id = ?", int(form["id"]))  # noqa: S608
    assert product.visitor().get(f"/f/{form['public_id']}/").status == 404  # nobody new sees it
    before = product.counts()
    answer = send_to(product, form, good())
    assert answer.status == status, answer.text
    if status == 404:
        refused(answer, 404)
        assert product.counts() == before


def test_draft_form_takes_no_answers(product: Product) -> None:
    admin, account = product.caller("brand_admin"), product.demo["ad_accounts"]["brand"]["id"]
    whole = admin.api("GET", f"forms/{product.demo['forms']['brand']['id']}/").json()
    made = admin.api("POST", f"ad-accounts/{account}/forms/", {"name": "Draft", "content": whole["content"]}).json()
    before = product.counts()
    refused(send_to(product, made, good()), 404)
    assert product.counts() == before


# ---- sealed submissions ----------------------------------------------------------------------------------------------


def sealed(product: Product, body: dict[str, Any], form: str = "brand", **changes: str) -> dict[str, dict[str, str]]:
    public_id = product.demo["forms"][form]["public_id"]
    key = product.visitor().api("GET", f"public/forms/{public_id}/").json()["ingest_key"]
    info = hpke.info_for(key["kid"], public_id)
    enc, ct = hpke.seal(hpke.from_b64url(key["public_key"]), info, json.dumps(body).encode())
    return {"sealed": {"kid": key["kid"], "enc": hpke.b64url(enc), "ct": hpke.b64url(ct), **changes}}


def flipped(text: str, place: int) -> str:
    data = bytearray(hpke.from_b64url(text))
    data[place] ^= 1
    return hpke.b64url(bytes(data))


def test_sealed_submission_is_taken_once_however_often_it_is_replayed(product: Product) -> None:
    body = good()
    blob = sealed(product, body)
    first = send(product, blob)
    before = product.counts()
    again, plain, resealed = send(product, blob), send(product, body), send(product, sealed(product, body))
    assert (first.status, again.status, plain.status, resealed.status) == (201, 200, 200, 200)
    assert {answer.json()["lead_id"] for answer in (first, again, plain, resealed)} == {first.json()["lead_id"]}
    assert product.counts() == before
    assert len(leads_of(product, body["submission_key"])) == 1


def test_sealed_submission_is_judged_like_a_plain_one(product: Product) -> None:
    before = product.counts()
    refused(send(product, sealed(product, answering(shoe_size="44"))), 400, "shoe_size")
    refused(send(product, sealed(product, {"sealed": sealed(product, good())["sealed"]})), 400)
    assert product.counts() == before


def test_changed_or_swapped_blob_is_refused(product: Product) -> None:
    whole = sealed(product, good())["sealed"]
    elsewhere = sealed(product, good(), "other")["sealed"]
    middle = len(hpke.from_b64url(whole["ct"])) // 2
    bad = [
        {**whole, "ct": flipped(whole["ct"], 0)},
        {**whole, "ct": flipped(whole["ct"], middle)},
        {**whole, "ct": flipped(whole["ct"], -1)},
        {**whole, "ct": whole["ct"][:-4]},
        {**whole, "ct": ""},
        {**whole, "enc": flipped(whole["enc"], 0)},
        {**whole, "enc": flipped(whole["enc"], 20)},
        {**whole, "enc": elsewhere["enc"]},
        {**whole, "enc": "", "ct": ""},
        {**whole, "kid": "nothere"},
        {**whole, "kid": ""},
        {**whole, "kid": whole["kid"] + "\x00"},
        {**whole, "ct": whole["ct"] + "="},
        {**whole, "ct": "not base64!"},
        {**whole, "more": "x"},
        {"kid": whole["kid"], "enc": whole["enc"]},
        {**whole, "ct": 7},
        elsewhere,  # sealed for another form
    ]
    before = product.counts()
    for blob in bad:
        refused(send(product, {"sealed": blob}), 400, "sealed")
    refused(send(product, {"sealed": whole, "answers": {}}), 400, "sealed")
    assert product.counts() == before
    assert send(product, {"sealed": whole}).status == 201  # the whole one still is


def test_sealed_depth_bomb_is_refused(product: Product) -> None:
    public_id = product.demo["forms"]["brand"]["public_id"]
    key = product.visitor().api("GET", f"public/forms/{public_id}/").json()["ingest_key"]
    info = hpke.info_for(key["kid"], public_id)
    before = product.counts()
    for body in (deep(30_000), b"\xff", b"[]", b""):
        enc, ct = hpke.seal(hpke.from_b64url(key["public_key"]), info, body)
        blob = {"kid": key["kid"], "enc": hpke.b64url(enc), "ct": hpke.b64url(ct)}
        refused(send(product, {"sealed": blob}), 400)
    assert product.counts() == before


# ---- the page without JavaScript -------------------------------------------------------------------------------------


def plain_post(product: Product, fields: dict[str, str]) -> Answer:
    data = "&".join(f"{name}={value}" for name, value in fields.items()).encode()
    path = f"/f/{product.demo['forms']['brand']['public_id']}/"
    return product.visitor().call(
        "POST", path, data=data, headers={"Content-Type": "application/x-www-form-urlencoded"}
    )


FIELDS = {
    "version": "1",
    "a-name": "Ann+Example",
    "a-email": "ann%40example.com",
    "a-install_when": "asap",
    "c-contact": "on",
}


@pytest.mark.parametrize(
    "change",
    [
        {"a-install_when": "never"},
        {"a-email": ""},
        {"a-name": "%00"},
        {"a-name": "%ff"},
        {"a-shoe": "44"},
        {"c-contact": ""},
        {"version": "9"},
        {"version": "-1"},
        {"submission_key": "1"},
        {"a-anything_else": "x" * 4001},
    ],
    ids=lambda change: next(iter(change)) + "=" + str(next(iter(change.values())))[:8],
)
def test_bad_plain_post_shows_the_form_again_and_writes_nothing(product: Product, change: dict[str, str]) -> None:
    before = product.counts()
    answer = plain_post(product, {**FIELDS, "submission_key": str(uuid.uuid4()), **change})
    if change == {"a-name": "%ff"}:  # browsers send UTF-8; other bytes become the replacement character
        assert answer.status in (200, 400)
        return
    assert answer.status == 400, answer.text[:300]
    assert "<form" in answer.text
    assert answer.headers["Cache-Control"] == "no-store"
    assert product.counts() == before


def test_plain_post_of_one_key_from_many_makes_one_lead(product: Product) -> None:
    fields = {**FIELDS, "submission_key": str(uuid.uuid4())}
    answers = at_once([lambda: plain_post(product, fields)] * 20)
    assert {answer.status for answer in answers} == {200}
    assert len(leads_of(product, fields["submission_key"])) == 1
