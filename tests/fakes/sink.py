"""A webhook receiver that misbehaves on request and writes its ledger to the disk before it answers.

One line of the ledger per request: "<webhook-id> <sha256 of the body>". What a behaviour does comes after that line, so
a cut or a time-out is an ambiguous answer: the receiver has the message, the sender does not know.
"""

import asyncio
import hashlib
import os
import threading
from collections import deque
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from pathlib import Path
from types import TracebackType
from typing import Self

from aiohttp import web

from tests.fakes.served import Served


@dataclass(frozen=True)
class Received:
    """One request as it came in."""

    method: str
    path: str
    headers: dict[str, str]
    body: bytes
    port: int

    @property
    def webhook_id(self) -> str:
        return self.headers.get("webhook-id", "")


@dataclass(frozen=True)
class Behaviour:
    """What the sink does with a request: `kind` is answer, cut, reset, hang, drip, or drip_headers."""

    kind: str = "answer"
    status: int = 200
    headers: dict[str, str] = field(default_factory=dict)
    body: bytes = b"ok"
    seconds: float = 0.0


OK = Behaviour()
CUT = Behaviour("cut")
RESET = Behaviour("reset")
HANG = Behaviour("hang", seconds=60)
DRIP = Behaviour("drip", seconds=0.05)
DRIP_HEADERS = Behaviour("drip_headers", seconds=0.05)
FAIL = Behaviour(status=500, body=b"broken")
GONE = Behaviour(status=410)


def slow_down(seconds: int | str) -> Behaviour:
    return Behaviour(status=429, headers={"Retry-After": str(seconds)})


def redirect(where: str, status: int = 302) -> Behaviour:
    return Behaviour(status=status, headers={"Location": where})


class Sink:
    """`with Sink(…) as sink:` receives at `sink.url`; behaves as `decide` says, else as scripted, else 200."""

    def __init__(
        self,
        *,
        ledger: Path | None = None,
        decide: Callable[[Received], Behaviour] | None = None,
        ports: int = 1,
    ) -> None:
        self.received: list[Received] = []
        self._scripted: deque[Behaviour] = deque()
        self._decide = decide or self._next_scripted
        self._ledger = os.open(ledger, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600) if ledger else None
        self._lock = threading.Lock()
        app = web.Application(client_max_size=1 << 20)
        app.router.add_route("*", "/{path:.*}", self._handle)
        self._served = Served(app, ports)

    def script(self, behaviours: Iterable[Behaviour]) -> None:
        """Behave so with the next requests, one each."""
        self._scripted.extend(behaviours)

    @property
    def url(self) -> str:
        return f"{self._served.url}/hook"

    @property
    def urls(self) -> list[str]:
        return [f"http://127.0.0.1:{port}/hook" for port in self._served.ports]

    @property
    def address(self) -> str:
        return self._served.address

    def __enter__(self) -> Self:
        self._served.__enter__()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._served.__exit__(kind, error, trace)
        if self._ledger is not None:
            os.close(self._ledger)

    def _next_scripted(self, _: Received) -> Behaviour:
        return self._scripted.popleft() if self._scripted else OK

    async def _handle(self, request: web.Request) -> web.StreamResponse:
        body = await request.read()
        port = request.transport.get_extra_info("sockname")[1] if request.transport else 0
        headers = {name.lower(): value for name, value in request.headers.items()}
        received = Received(request.method, request.path_qs, headers, body, port)
        self._write_down(received)
        behaviour = self._decide(received)
        if behaviour.kind == "answer":
            await asyncio.sleep(behaviour.seconds)
            return web.Response(status=behaviour.status, headers=behaviour.headers, body=behaviour.body)
        return await self._misbehave(request, behaviour)

    def _write_down(self, received: Received) -> None:
        with self._lock:
            self.received.append(received)
            if self._ledger is not None:
                line = f"{received.webhook_id} {hashlib.sha256(received.body).hexdigest()}\n"
                os.write(self._ledger, line.encode())
                os.fsync(self._ledger)

    async def _misbehave(self, request: web.Request, behaviour: Behaviour) -> web.StreamResponse:
        transport = request.transport
        assert transport is not None
        if behaviour.kind == "reset":
            transport.abort()
        elif behaviour.kind == "cut":
            transport.close()
        elif behaviour.kind == "hang":
            await _hang(transport, behaviour.seconds)
        elif behaviour.kind == "drip_headers":
            await _drip(transport, b"HTTP/1.1 200 OK\r\n", b"X-Drip: 1\r\n", behaviour.seconds)
        else:
            head = b"HTTP/1.1 200 OK\r\nContent-Length: 100000\r\n\r\n"
            await _drip(transport, head, b"x", behaviour.seconds)
        return web.Response()


async def _hang(transport: asyncio.BaseTransport, seconds: float) -> None:
    while seconds > 0 and not transport.is_closing():
        await asyncio.sleep(0.05)
        seconds -= 0.05


async def _drip(transport: asyncio.BaseTransport, head: bytes, piece: bytes, pause: float) -> None:
    assert isinstance(transport, asyncio.WriteTransport)
    transport.write(head)
    while not transport.is_closing():
        transport.write(piece)
        await asyncio.sleep(pause)


def read_ledger(path: Path) -> list[tuple[str, str]]:
    """The (webhook-id, digest of the body) of every request that the sink wrote down."""
    lines = path.read_text().splitlines() if path.exists() else []
    return [(message, digest) for message, _, digest in (line.partition(" ") for line in lines)]
