"""A small world that is served with its page in a thread of its own, as a browser needs it."""

from __future__ import annotations

import asyncio
import socket
import threading

from exporter.server.service import serve_world
from tests.exporter.server.live_page.watched import build


class PageServer:
    """Serves a world inside a `with` block; `url` is its page. Options are those of `build`."""

    def __init__(self, port=0, **options):
        """Take the port, on which a server may be started again."""
        self._listener = socket.socket(socket.AF_INET, socket.SOCK_STREAM)
        self._listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        self._listener.bind(("127.0.0.1", port))
        self.port = self._listener.getsockname()[1]
        self.url = f"http://127.0.0.1:{self.port}/"
        self._options = options
        self._loop = asyncio.new_event_loop()
        self._ready, self._over = threading.Event(), asyncio.Event()
        # A daemon: no server that failed to start, or to end, keeps the tests from ending.
        self._thread = threading.Thread(
            target=self._loop.run_until_complete, args=(self._run(),), daemon=True
        )

    async def _run(self):
        self.world, exposition, app = build(**self._options)
        async with serve_world(app, self._listener, exposition.pacer.run):
            self._ready.set()
            await self._over.wait()

    def __enter__(self):
        """Start, and wait until it answers."""
        self._thread.start()
        assert self._ready.wait(120)  # the first world of all compiles the kernel
        return self

    def __exit__(self, *_):
        """End it and everything that it holds."""
        self._loop.call_soon_threadsafe(self._over.set)
        self._thread.join(30)
        self._loop.close()

    def call(self, act, *arguments):
        """Do something in the server's own thread."""
        self._loop.call_soon_threadsafe(act, *arguments)
