"""Serve an aiohttp application from a thread of its own, so that other code can talk to it."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Callable
from concurrent.futures import Future
from types import TracebackType
from typing import Self

from aiohttp import web

SHUTDOWN_SECONDS = 0.5
"""How long requests still under way may take when the server stops."""


class Running:
    """A server that is up; `stop()`, or leaving the `with` block, ends it."""

    def __init__(self, host: str, port: int, stop: Callable[[], None]) -> None:
        self.host = host
        self.port = port
        self._stop = stop

    @property
    def url(self) -> str:
        """Where it answers, without a slash at the end."""
        return f"http://{self.host}:{self.port}"

    def stop(self) -> None:
        """End the server and its thread; harmless when they are ended already."""
        self._stop()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.stop()


class _Service:
    """The thread's half: an event loop that lives until it is told to stop."""

    def __init__(self, app: web.Application, host: str, port: int) -> None:
        self._app = app
        self._host = host
        self._port = port
        self._started: Future[int] = Future()
        self._thread = threading.Thread(target=self._run, name=f"serve-{host}", daemon=True)

    def start(self) -> Running:
        self._thread.start()
        return Running(self._host, self._started.result(), self._end)

    def _run(self) -> None:
        try:
            asyncio.run(self._serve())
        except Exception as error:
            if self._started.done():
                raise
            self._started.set_exception(error)

    async def _serve(self) -> None:
        self._loop = asyncio.get_running_loop()
        self._ending = asyncio.Event()
        runner = web.AppRunner(self._app, access_log=None, shutdown_timeout=SHUTDOWN_SECONDS)
        await runner.setup()
        try:
            await web.TCPSite(runner, self._host, self._port).start()
            self._started.set_result(int(runner.addresses[0][1]))
            await self._ending.wait()
        finally:
            await runner.cleanup()

    def _end(self) -> None:
        if self._thread.is_alive():
            self._loop.call_soon_threadsafe(self._ending.set)
            self._thread.join()


def serve_in_background(app: web.Application, port: int = 0, host: str = "127.0.0.1") -> Running:
    """Serve `app` on `host`, and return once it answers. Port 0: any free port.

    Raises OSError if the port is taken.
    """
    return _Service(app, host, port).start()
