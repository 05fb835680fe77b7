"""A world in real time behind its HTTP server, until a signal or the end of its scenario.

`serve_world` is the one place where a page and a pacer run beside each other: for `serve` and `up`
of the front door, and for every run in real time that is judged. One asyncio process: the pacer
moves the world, requests read it. Nothing is printed here; a `StatusReporter` does that.
"""

from __future__ import annotations

import asyncio
import signal
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING, Any, Final, Protocol

from exporter.server.connection_limits import GuardedSite, build_runner

if TYPE_CHECKING:
    import socket
    from collections.abc import AsyncIterator, Callable, Coroutine

    from aiohttp import web

    from exporter.server.exposition import Exposition

SHUTDOWN_S: Final = 1.0
"""How long an answer that is under way may take once the server closes."""
EXIT_SIGNALLED: Final = 128
"""Status of a program that a signal ended: 128 and the signal's number, as shells have it."""


class StatusReporter(Protocol):
    """Shows a person how a world in real time is doing."""

    def say(self, sentence: str) -> None:
        """Print an event."""

    async def run(self) -> None:
        """Report until cancelled; whatever it raises ends the service."""


@asynccontextmanager
async def serve_world(
    app: web.Application,
    listener: socket.socket,
    pace: Callable[[], Coroutine[Any, Any, None]],
) -> AsyncIterator[asyncio.Task[None]]:
    """Serve `app` on `listener` and run `pace` beside it, inside the block; yields pace's task."""
    runner = build_runner(app, shutdown_s=SHUTDOWN_S)
    await runner.setup()
    pacing = asyncio.create_task(pace())
    try:
        await GuardedSite(runner, listener).start()
        yield pacing
    finally:
        pacing.cancel()
        await asyncio.gather(pacing, return_exceptions=True)
        await runner.cleanup()


class WorldService:
    """One world in real time until a signal or the scenario's end; `run` is to be awaited once."""

    def __init__(
        self,
        exposition: Exposition,
        reporter: StatusReporter,
        *,
        until_s: float,
        exit_at_end: bool,
    ) -> None:
        """Take the virtual time at which the scenario ends, and whether the service ends then."""
        self._exposition, self._reporter = exposition, reporter
        self._until_s, self._exit_at_end = until_s, exit_at_end

    async def run(
        self, app: web.Application, listener: socket.socket, announce: Callable[[], None]
    ) -> int:
        """Serve `app` on `listener`, call `announce` then; return the exit status."""
        stopped: asyncio.Future[int] = asyncio.get_running_loop().create_future()
        for number in (signal.SIGINT, signal.SIGTERM):
            asyncio.get_running_loop().add_signal_handler(number, _stop, stopped, number)
        async with serve_world(app, listener, self._pace) as pacing:
            announce()
            reporting = asyncio.create_task(self._reporter.run())
            try:
                # Whichever ends first ends the service; an error of a task is raised here.
                waited: list[asyncio.Future[Any]] = [stopped, pacing, reporting]
                done, _ = await asyncio.wait(waited, return_when=asyncio.FIRST_COMPLETED)
                for task in done:
                    task.result()
            finally:
                reporting.cancel()
                await asyncio.gather(reporting, return_exceptions=True)
        self._reporter.say(describe_stop(self._exposition))
        return stopped.result() if stopped.done() else 0

    async def _pace(self) -> None:
        await self._exposition.pacer.run(self._until_s)
        if self._exit_at_end:
            self._reporter.say("the scenario has ended")
            return
        self._reporter.say("the scenario has ended, the world keeps running")
        await self._exposition.pacer.run()


def describe_stop(exposition: Exposition) -> str:
    """Return the last line of a world that was stopped."""
    served = exposition.scrapes_served
    return f"stopped ({served:,} scrape{'s' * (served != 1)} served)"


def run_loop(serving: Coroutine[None, None, int]) -> int:
    """Run a service to its end, on uvloop where there is one; return its exit status."""
    try:
        import uvloop  # noqa: PLC0415 - it does not exist for Windows
    except ImportError:
        return asyncio.run(serving)
    return int(uvloop.run(serving))


def _stop(stopped: asyncio.Future[int], number: signal.Signals) -> None:
    if not stopped.done():
        stopped.set_result(EXIT_SIGNALLED + number)
