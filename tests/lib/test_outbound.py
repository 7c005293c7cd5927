"""The one HTTP client, attacked: every way to lead it inside, and every way to keep it waiting."""

import asyncio
import gzip
import re
import socket
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import aiohttp
import pytest

from leadscenter.lib import outbound
from leadscenter.lib.addresses import is_public, parse_address
from leadscenter.lib.outbound import Answer, Blocked, Call, TimedOut, Unreachable, judge_url
from tests.fakes.sink import CUT, DRIP, DRIP_HEADERS, HANG, RESET, Behaviour, Sink, redirect


def send(call: Call, *allowed: str) -> Answer:
    async def once() -> Answer:
        async with outbound.new_session() as session:
            return await outbound.send(session, call, allowed)

    return asyncio.run(once())


@contextmanager
def raw_server(talk: Callable[[socket.socket], None]) -> Iterator[str]:
    """A server below HTTP: `talk` gets the first connection after the request was read. Gives "127.0.0.1:port"."""
    listener = socket.create_server(("127.0.0.1", 0))

    def serve() -> None:
        connection, _ = listener.accept()
        with connection:
            connection.recv(65536)
            try:
                talk(connection)
            except OSError:
                return

    thread = threading.Thread(target=serve, daemon=True)
    thread.start()
    with listener:
        yield f"127.0.0.1:{listener.getsockname()[1]}"


INSIDE = [
    "127.0.0.1",
    "127.1",
    "2130706433",
    "0x7f000001",
    "0177.0.0.1",
    "0",
    "0.0.0.0",  # noqa: S104
    "127。0。0。1",
    "①②⑦.0.0.1",
    "127.0.0.1.",
    "10.0.0.1",
    "172.16.5.4",
    "192.168.1.1",
    "169.254.169.254",
    "100.100.100.200",
    "168.63.129.16",
    "192.0.0.1",
    "198.18.0.1",
    "224.0.0.1",
    "255.255.255.255",
    "[::1]",
    "[::]",
    "[::ffff:127.0.0.1]",
    "[::ffff:a00:1]",
    "[::127.0.0.1]",
    "[64:ff9b::a9fe:a9fe]",
    "[64:ff9b:1::1]",
    "[2002:7f00:1::]",
    "[2001::1]",
    "[2001:db8::1]",
    "[fc00::1]",
    "[fd00:ec2::254]",
    "[fe80::1]",
    "[fec0::1]",
    "[ff02::1]",
    "[100::1]",
    "[3fff::1]",
    "[5f00::1]",
    "localhost",
    "a.localhost",
    "printer.local",
    "metadata.google.internal",
    "postgres",
]


@pytest.mark.parametrize("host", INSIDE)
def test_an_address_inside_is_refused_when_it_is_saved_and_when_it_is_called(host: str) -> None:
    url = f"https://{host}/hook"
    with pytest.raises(Blocked):
        judge_url(url)
    with pytest.raises(Blocked):
        send(Call(url))


@pytest.mark.parametrize(
    "url",
    [
        "http://example.com/",
        "https://example.com:8080/",
        "https://example.com:22/",
        "https://example.com:0/",
        "https://example.com:99999/",
        "https://a@example.com/",
        "https://a:b@example.com/",
        "https://@example.com/",
        "https://example.com#@127.0.0.1/",
        "https://example.com/#x",
        "https://example.com\\@127.0.0.1/",
        "https://example.com/\r\nX: 1",
        "https://example.com/\x00",
        "https://exa mple.com/",
        "https://ex%61mple.com/",
        "https://[::1%25eth0]/",
        "https:///x",
        "https:example.com",
        "//example.com/",
        "example.com",
        "ftp://example.com/",
        "file:///etc/passwd",
        "gopher://example.com/",
        "javascript:alert(1)",
        "",
        "https://" + "a" * 2000 + ".com/",
    ],
)
def test_a_url_of_a_wrong_form_is_refused(url: str) -> None:
    with pytest.raises(Blocked):
        judge_url(url)
    with pytest.raises(Blocked):
        send(Call(url))


@pytest.mark.parametrize(
    "url",
    [
        "https://example.com/hook?x=1",
        "https://example.com:8443/",
        "https://8.8.8.8/",
        "https://[2606:4700::1111]/",
        "https://müller.de/",
    ],
)
def test_a_public_https_url_is_accepted(url: str) -> None:
    judge_url(url)


@pytest.mark.parametrize("address", ["8.8.8.8", "1.1.1.1", "172.32.0.1", "2606:4700::1111", "::ffff:8.8.8.8"])
def test_public_addresses_are_public(address: str) -> None:
    parsed = parse_address(address)
    assert parsed is not None
    assert is_public(parsed)


def test_the_allow_list_opens_one_host_and_port_for_plain_http() -> None:
    with Sink() as sink:
        assert send(Call(sink.url, body=b"{}"), sink.address).status == 200
        assert send(Call(sink.url, body=b"{}"), "127.0.0.1").status == 200
        for other in ["127.0.0.1:1", "localhost", "10.0.0.1", ""]:
            with pytest.raises(Blocked):
                send(Call(sink.url), other)
        assert len(sink.received) == 2


def test_the_allow_list_knows_brackets() -> None:
    judge_url("http://[::1]:9000/", ["[::1]:9000"])
    judge_url("http://[::1]:9000/", ["::1"])
    with pytest.raises(Blocked):
        judge_url("http://[::1]:9001/", ["[::1]:9000"])


class Resolver(aiohttp.abc.AbstractResolver):
    """DNS as an attacker runs it: each look-up gives the next set of addresses."""

    def __init__(self, *answers: list[str]) -> None:
        self.answers = list(answers)

    async def resolve(self, host: str, port: int = 0, family: socket.AddressFamily = socket.AF_INET) -> list[Any]:
        addresses = self.answers.pop(0)
        if not addresses:
            raise OSError("SERVFAIL")
        return [
            {"hostname": host, "host": a, "port": port, "family": socket.AF_INET6 if ":" in a else socket.AF_INET,
             "proto": 0, "flags": socket.AI_NUMERICHOST}
            for a in addresses
        ]  # fmt: skip

    async def close(self) -> None:
        return None


def send_with_dns(*answers: list[str], allowed: tuple[str, ...] = (), port: int = 443) -> Answer:
    async def once() -> Answer:
        async with outbound.new_session() as session:
            assert isinstance(session.connector, aiohttp.TCPConnector)
            session.connector._resolver = Resolver(*answers)
            session.connector._use_dns_cache = False
            scheme = "http" if allowed else "https"
            return await outbound.send(session, Call(f"{scheme}://hook.example.com:{port}/", total=2), allowed)

    return asyncio.run(once())


@pytest.mark.parametrize("address", ["127.0.0.1", "10.1.2.3", "169.254.169.254", "::1", "::ffff:127.0.0.1", "fd00::1"])
def test_a_name_that_leads_inside_is_refused_at_the_socket(address: str) -> None:
    with pytest.raises(Blocked):
        send_with_dns([address])


def test_a_failing_look_up_never_means_allow() -> None:
    with pytest.raises(Unreachable):
        send_with_dns([])


def test_of_two_addresses_the_private_one_is_never_dialled() -> None:
    with Sink() as sink, pytest.raises((Blocked, Unreachable, TimedOut)):
        # 192.0.2.1 is public-looking but refused too; nothing of both may reach the listening sink.
        send_with_dns(["192.0.2.1", "127.0.0.1"])
    assert sink.received == []


def test_an_allow_listed_name_may_lead_inside() -> None:
    with Sink() as sink:
        port = int(sink.address.rpartition(":")[2])
        assert send_with_dns(["127.0.0.1"], allowed=("hook.example.com",), port=port).status == 200


def test_the_permission_of_one_call_does_not_leak_to_the_next() -> None:
    async def both(sink: Sink) -> None:
        async with outbound.new_session() as session:
            assert isinstance(session.connector, aiohttp.TCPConnector)
            session.connector._resolver = Resolver(["127.0.0.1"], ["127.0.0.1"])
            await outbound.send(session, Call(sink.url), [sink.address])
            with pytest.raises(Blocked):
                await asyncio.gather(
                    outbound.send(session, Call(sink.url), [sink.address]),
                    outbound.send(session, Call("https://inside.example.com/"), [sink.address]),
                )

    with Sink() as sink:
        asyncio.run(both(sink))


@pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
def test_a_redirect_is_an_answer_and_not_followed(status: int) -> None:
    with Sink() as target, Sink() as sink:
        sink.script([redirect(target.url, status)])
        answer = send(Call(sink.url, body=b"{}"), sink.address, target.address)
        assert (answer.status, answer.headers["location"]) == (status, target.url)
        assert target.received == []


def test_proxies_of_the_environment_are_ignored(monkeypatch: pytest.MonkeyPatch) -> None:
    with Sink() as proxy, Sink() as sink:
        for name in ("http_proxy", "HTTP_PROXY", "all_proxy"):
            monkeypatch.setenv(name, f"http://{proxy.address}")
        assert send(Call(sink.url), sink.address).status == 200
        assert proxy.received == []


def test_the_request_says_who_calls_and_asks_for_no_compression() -> None:
    with Sink() as sink:
        send(Call(sink.url, headers={"Content-Type": "application/json", "X-A": "1"}, body=b'{"a":1}'), sink.address)
        request = sink.received[0]
        assert (request.method, request.body) == ("POST", b'{"a":1}')
        assert request.headers["user-agent"] == "Holdfast/1"
        assert request.headers["accept-encoding"] == "identity"
        assert request.headers["x-a"] == "1"
        assert "cookie" not in request.headers


@pytest.mark.parametrize("header", [{"X-A": "1\r\nX-B: 2"}, {"X-A\r\nX-B": "2"}, {"X-A": "1\n"}, {"X-A": "1\x00"}])
def test_a_line_break_in_a_header_is_refused(header: dict[str, str]) -> None:
    with Sink() as sink:
        with pytest.raises(Blocked):
            send(Call(sink.url, headers=header), sink.address)
        assert sink.received == []


def test_a_cookie_is_not_sent_back() -> None:
    async def twice(sink: Sink) -> None:
        async with outbound.new_session() as session:
            for _ in range(2):
                await outbound.send(session, Call(sink.url), [sink.address])

    with Sink() as sink:
        sink.script([Behaviour(headers={"Set-Cookie": "session=1"})])
        asyncio.run(twice(sink))
        assert "cookie" not in sink.received[1].headers


def test_a_large_answer_is_cut_at_64_kib_and_its_excerpt_at_2() -> None:
    with Sink() as sink:
        sink.script([Behaviour(body=b"x" * 10_000_000), Behaviour(body=b"y" * 65536)])
        cut = send(Call(sink.url), sink.address)
        assert (len(cut.body), cut.whole, len(cut.excerpt)) == (65536, False, 2048)
        assert len(send(Call(sink.url), sink.address).body) == 65536


def test_a_gzip_bomb_stays_packed() -> None:
    bomb = gzip.compress(b"\0" * 50_000_000)
    with Sink() as sink:
        sink.script([Behaviour(headers={"Content-Encoding": "gzip"}, body=bomb)])
        answer = send(Call(sink.url), sink.address)
        assert answer.body == bomb[:65536]


@pytest.mark.parametrize("behaviour", [HANG, DRIP, DRIP_HEADERS])
def test_whoever_answers_too_slowly_is_left_at_the_deadline(behaviour: Behaviour) -> None:
    with Sink() as sink:
        sink.script([behaviour])
        started = time.monotonic()
        with pytest.raises(TimedOut):
            send(Call(sink.url, total=0.6), sink.address)
        assert 0.5 < time.monotonic() - started < 8  # it ends; how soon depends on what else the machine does


def test_an_endless_answer_of_any_kind_ends() -> None:
    def endless(piece: bytes, head: bytes = b"HTTP/1.1 200 OK\r\n") -> Callable[[socket.socket], None]:
        def talk(connection: socket.socket) -> None:
            connection.sendall(head)
            while True:
                connection.sendall(piece)

        return talk

    for talk in [
        endless(b"X-Header: " + b"x" * 1000 + b"\r\n"),
        endless(b"x" * 1000),
        endless(b"HTTP/1.1 100 Continue\r\n\r\n", b""),
        endless(b"HTTP/1.1 103 Early Hints\r\nLink: </x>\r\n\r\n", b""),
        endless(b"1\r\nx\r\n", b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n"),
    ]:
        with raw_server(talk) as address:
            started = time.monotonic()
            try:
                answer = send(Call(f"http://{address}/", total=1.5), address)
            except (TimedOut, Unreachable):
                pass
            else:
                assert len(answer.body) <= 65536
            assert time.monotonic() - started < 8


@pytest.mark.parametrize("behaviour", [CUT, RESET])
def test_a_connection_that_ends_early_is_unreachable(behaviour: Behaviour) -> None:
    with Sink() as sink:
        sink.script([behaviour])
        with pytest.raises(Unreachable):
            send(Call(sink.url), sink.address)
        assert len(sink.received) == 1


@pytest.mark.parametrize(
    "reply",
    [
        b"SSH-2.0-OpenSSH\r\n",
        b"HTTP/1.1 abc\r\n\r\n",
        b"",
        b"\x00\xff\xfe\r\n\r\n",
        b"HTTP/1.1 200 OK\r\nContent-Length: x\r\n\r\n",
    ],
)
def test_what_is_not_http_is_unreachable(reply: bytes) -> None:
    with raw_server(lambda connection: connection.sendall(reply)) as address, pytest.raises(Unreachable):
        send(Call(f"http://{address}/", total=2), address)


def test_a_closed_port_is_unreachable() -> None:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        address = f"127.0.0.1:{listener.getsockname()[1]}"
    with pytest.raises(Unreachable):
        send(Call(f"http://{address}/"), address)


def test_errors_say_nothing_of_the_other_side() -> None:
    with Sink() as sink:
        sink.script([RESET])
        with pytest.raises(Unreachable) as caught:
            send(Call(sink.url, headers={"Authorization": "Bearer secret"}, body=b"canary"), sink.address)
        assert str(caught.value) == "the connection failed"
        assert "secret" not in repr(Call(sink.url, headers={"Authorization": "secret"}, body=b"canary"))


def test_nothing_else_of_ours_imports_an_http_client() -> None:
    ours = Path(outbound.__file__).parents[2]
    clients = re.compile(
        r"^\s*(import|from) (aiohttp|httpx|requests|urllib3|urllib\.request|http\.client)\b", re.MULTILINE
    )
    found = {
        str(module.relative_to(ours))
        for app in ("leadscenter", "accounts", "forms_builder", "campaigns", "leads")
        for module in (ours / app).rglob("*.py")
        if clients.search(module.read_text())
    }
    assert found == {"leadscenter/lib/outbound.py"}
