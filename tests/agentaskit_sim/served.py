"""An application that is served in a thread of its own, for clients that block."""

from __future__ import annotations

import asyncio
import threading
from contextlib import contextmanager

from aiohttp import web


@contextmanager
def running(app, listener):
    """Serve an app in a thread of its own."""
    loop, ready = asyncio.new_event_loop(), threading.Event()

    async def serve():
        runner = web.AppRunner(app)
        await runner.setup()
        await web.SockSite(runner, listener).start()
        ready.set()
        await stopped.wait()
        await runner.cleanup()

    stopped = asyncio.Event()
    thread = threading.Thread(target=loop.run_until_complete, args=(serve(),), daemon=True)
    thread.start()
    ready.wait(10)
    try:
        yield
    finally:
        loop.call_soon_threadsafe(stopped.set)
        thread.join(10)
        loop.close()
