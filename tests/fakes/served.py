"""An aiohttp application served by a thread with a loop of its own: real sockets for tests."""

import asyncio
import threading
from types import TracebackType
from typing import Self

from aiohttp import web


class Served:
    """`with Served(app, ports=2) as server:` listens on free ports of 127.0.0.1 until the block ends."""

    def __init__(self, app: web.Application, ports: int = 1) -> None:
        self._app = app
        self._wanted = ports
        self.ports: list[int] = []
        self._loop = asyncio.new_event_loop()
        self._ready = threading.Event()
        self._stop = asyncio.Event()
        self._thread = threading.Thread(target=self._run, daemon=True)

    @property
    def port(self) -> int:
        return self.ports[0]

    @property
    def address(self) -> str:
        return f"127.0.0.1:{self.port}"

    @property
    def url(self) -> str:
        return f"http://{self.address}"

    def __enter__(self) -> Self:
        self._thread.start()
        assert self._ready.wait(10), "the fake server did not start"
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._loop.call_soon_threadsafe(self._stop.set)
        self._thread.join(10)
        self._loop.close()

    def _run(self) -> None:
        asyncio.set_event_loop(self._loop)
        self._loop.run_until_complete(self._serve())

    async def _serve(self) -> None:
        runner = web.AppRunner(self._app, access_log=None, shutdown_timeout=0)
        await runner.setup()
        for _ in range(self._wanted):
            site = web.TCPSite(runner, "127.0.0.1", 0)
            await site.start()
            assert isinstance(site._server, asyncio.Server)
            self.ports.append(site._server.sockets[0].getsockname()[1])
        self._ready.set()
        await self._stop.wait()
        await runner.cleanup()
