"""Load on a server of our own over loopback: keep-alive connections in one process, bounded in count and time."""

import asyncio
import statistics
import time
from collections.abc import Sequence
from dataclasses import dataclass

MOST_SECONDS = 60


@dataclass(frozen=True, slots=True)
class Figures:
    """What came of it: answers per second, the 95th percentile in milliseconds, and how many of each status."""

    per_second: float
    p95: float
    statuses: dict[int, int]


def request(method: str, path: str, body: bytes = b"", kind: str = "application/json") -> bytes:
    """Return the bytes of one HTTP/1.1 request."""
    head = f"{method} {path} HTTP/1.1\r\nHost: localhost\r\nContent-Length: {len(body)}\r\nContent-Type: {kind}\r\n\r\n"
    return head.encode() + body


def run(port: int, requests: Sequence[bytes], *, connections: int) -> Figures:
    """Send each request once, over that many connections."""
    return asyncio.run(_run(port, requests, connections))


async def _run(port: int, requests: Sequence[bytes], connections: int) -> Figures:
    waiting = iter(requests)
    times: list[float] = []
    statuses: dict[int, int] = {}

    async def one() -> None:
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
        try:
            for raw in waiting:
                started = time.perf_counter()
                writer.write(raw)
                status = await _answer(reader)
                times.append(time.perf_counter() - started)
                statuses[status] = statuses.get(status, 0) + 1
        finally:
            writer.close()

    started = time.perf_counter()
    async with asyncio.timeout(MOST_SECONDS):
        await asyncio.gather(*(one() for _ in range(connections)))
    spent = time.perf_counter() - started
    p95 = statistics.quantiles(times, n=20)[18] * 1000 if len(times) > 20 else max(times) * 1000
    return Figures(len(times) / spent, p95, statuses)


async def _answer(reader: asyncio.StreamReader) -> int:
    head = await reader.readuntil(b"\r\n\r\n")
    length = 0
    for line in head.split(b"\r\n"):
        if line[:15].lower() == b"content-length:":
            length = int(line[15:])
    if length:
        await reader.readexactly(length)
    return int(head[9:12])
