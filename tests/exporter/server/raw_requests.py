"""Requests written byte by byte to a server with its limits."""

from __future__ import annotations

import asyncio
from contextlib import asynccontextmanager

from exporter.server.app import bind
from exporter.server.connection_limits import GuardedSite, build_runner


@asynccontextmanager
async def listening(app):
    """Serve `app` with the limits on connections; give its address."""
    runner = build_runner(app, shutdown_s=1.0)
    await runner.setup()
    listener = bind("127.0.0.1", 0)
    await GuardedSite(runner, listener).start()
    yield listener.getsockname()
    await runner.cleanup()


async def status_of(address, request):
    """Return the status of the answer to the bytes of a request."""
    reader, writer = await asyncio.open_connection(*address)
    writer.write(request)
    async with asyncio.timeout(20):
        line = await reader.readline()
    writer.close()
    return int(line.split()[1])
