"""Sending: many calls at once on one loop that is entered and left, so that the database is never called inside it."""

import asyncio
import logging
from collections.abc import Collection, Sequence
from concurrent.futures import ThreadPoolExecutor
from types import TracebackType
from typing import Self

from leads.crm.connectors.connector import Outcome, Verdict
from leads.crm.outbox import Settled
from leads.crm.preparing import Ready
from leadscenter.lib import outbound
from leadscenter.lib.outbound import Answer, Blocked, Call, TimedOut, Unreachable

logger = logging.getLogger(__name__)

CALLS_PER_HOST = 64
"""Slots are a matter of leases, 4 per connection; this only bounds what many connections to one vendor add up to."""
LOOK_UPS = 32
"""Threads for DNS: one receiver's slow name server must not keep the others waiting."""
_LOST = {Blocked: "blocked", TimedOut: "timeout", Unreachable: "unreachable"}


class Sender:
    """Holds the loop, the kept connections and the calls in flight. Enter, `start`, `collect` until empty, leave."""

    def __init__(self, allowed: Collection[str]) -> None:
        self._allowed = tuple(allowed)
        self._runner = asyncio.Runner()
        self._tasks: set[asyncio.Task[Settled]] = set()
        self._threads = ThreadPoolExecutor(LOOK_UPS, "dns")

    def __enter__(self) -> Self:
        self._runner.get_loop().set_default_executor(self._threads)
        self._session = self._runner.run(self._open())
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._runner.run(self._session.close())
        self._runner.close()

    @property
    def in_flight(self) -> int:
        """Calls that have not been collected."""
        return len(self._tasks)

    def start(self, calls: Sequence[Ready]) -> None:
        """Start the calls now, each under its own deadline."""
        if calls:
            self._runner.run(self._start(calls))

    def collect(self, *, enough: int, within: float, linger: float) -> list[Settled]:
        """Results of ended calls: `enough` of them, else what has ended `linger` seconds after the first, or `within`.

        So whoever answers at once is not kept by whoever does not, and many small batches are not settled one by one.
        """
        return self._runner.run(self._collect(enough, within, linger))

    async def _open(self) -> outbound.Session:
        return outbound.new_session(CALLS_PER_HOST)

    async def _start(self, calls: Sequence[Ready]) -> None:
        await asyncio.sleep(0)  # lets kept connections notice that the other side closed them meanwhile
        for ready in calls:
            self._tasks.add(asyncio.create_task(self._attempt(ready)))
        await asyncio.sleep(0)

    async def _collect(self, enough: int, within: float, linger: float) -> list[Settled]:
        ended: set[asyncio.Task[Settled]] = set()
        loop = asyncio.get_running_loop()
        until = loop.time() + within
        while self._tasks and len(ended) < enough and (left := until - loop.time()) > 0:
            done, self._tasks = await asyncio.wait(self._tasks, timeout=left, return_when=asyncio.FIRST_COMPLETED)
            if done and not ended:
                until = min(until, loop.time() + linger)
            ended |= done
        return [result for task in ended if (result := _result(task)) is not None]

    async def _attempt(self, ready: Ready) -> Settled:
        loop = asyncio.get_running_loop()
        started = loop.time()
        try:
            answer, verdict = await self._exchange(ready)
        except outbound.OutboundError as error:
            ms = round((loop.time() - started) * 1000)
            verdict = Verdict(Outcome.RETRY, _LOST.get(type(error), "unreachable"))
            return Settled(ready.leased, verdict, ms=ms, sent=not isinstance(error, Blocked), region=ready.region)
        excerpt = b"" if verdict.outcome == Outcome.OK else answer.excerpt
        return Settled(ready.leased, verdict, answer.status, answer.ms, region=ready.region, excerpt=excerpt)

    async def _exchange(self, ready: Ready) -> tuple[Answer, Verdict]:
        call: Call | None = ready.call
        while call is not None:
            answer = await outbound.send(self._session, call, self._allowed)
            verdict = ready.connector.classify(answer)
            if verdict.outcome != Outcome.OK:
                break
            call = ready.connector.follow(ready.event, ready.destination, answer)
        return answer, verdict


def _result(task: asyncio.Task[Settled]) -> Settled | None:
    """The result of an ended call. A mistake of ours gives none: the lease runs out and counts as unanswered."""
    error = task.exception()
    if error is None:
        return task.result()
    logger.error("a call ended in an error of ours: %s", type(error).__name__)
    return None
