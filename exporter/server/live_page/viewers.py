"""Those who look on: a bounded number of event streams, each fed the same bytes once a second.

A viewer that does not read is dropped as soon as `BEHIND_MAX` events wait for it, so none costs
more than that; and every stream ends after `LIFE_S`, because the kernel of a client that sleeps
goes on taking what nobody reads. A browser opens the next stream by itself.
"""

from __future__ import annotations

import asyncio
from collections import deque
from contextlib import contextmanager, suppress
from typing import TYPE_CHECKING, Final

from aiohttp import hdrs, web

if TYPE_CHECKING:
    from collections.abc import Iterator

VIEWERS_MAX: Final = 32
BEHIND_MAX: Final = 5
"""Events, one a second."""
LIFE_S: Final = 600.0
RETRY_S: Final = 2.0
"""After this a browser whose stream has ended opens the next."""
_HEADERS: Final = {
    hdrs.CONTENT_TYPE: "text/event-stream; charset=utf-8",
    hdrs.CACHE_CONTROL: "no-store",
    "X-Accel-Buffering": "no",
}


class Viewer:
    """One stream: the events that it has yet to be sent."""

    def __init__(self, transport: asyncio.Transport | None) -> None:
        """Have nothing to send."""
        self._waiting: deque[bytes] = deque()
        self._wake = asyncio.Event()
        self._transport = transport
        self.ended = False

    def push(self, event: bytes) -> bool:
        """Let `event` be sent next; return False when too many wait already."""
        if len(self._waiting) >= BEHIND_MAX:
            return False
        self._waiting.append(event)
        self._wake.set()
        return True

    def end(self) -> None:
        """Let the stream end once it has nothing to do."""
        self.ended = True
        self._wake.set()

    def drop(self) -> None:
        """End it now, whatever is unsent."""
        self.end()
        self._waiting.clear()
        if self._transport is not None:
            self._transport.abort()

    async def next_event(self) -> bytes:
        """Return the next event, waiting for it; empty at the end."""
        while not self._waiting and not self.ended:
            self._wake.clear()
            await self._wake.wait()
        return self._waiting.popleft() if self._waiting else b""


class Viewers:
    """All streams of a server."""

    def __init__(self, viewers_max: int = VIEWERS_MAX, life_s: float = LIFE_S) -> None:
        """Have no viewer yet; take `viewers_max` at once, each for `life_s`."""
        self._viewers: set[Viewer] = set()
        self._max, self._life_s = viewers_max, life_s
        self._closed = False

    def __len__(self) -> int:
        """How many look on."""
        return len(self._viewers)

    def send(self, event: bytes) -> None:
        """Send `event` to every viewer; drop those that have not read for too long."""
        for viewer in list(self._viewers):
            if not viewer.push(event):
                self._viewers.discard(viewer)
                viewer.drop()

    def close(self) -> None:
        """End every stream, and take no other."""
        self._closed = True
        for viewer in self._viewers:
            viewer.end()

    async def follow(self, request: web.Request, first: bytes) -> web.StreamResponse:
        """Answer with a stream that begins with `first`; 503 when there are too many."""
        if self._closed or len(self._viewers) >= self._max:
            sentence = f"at most {self._max} can look on: close another page first"
            return web.json_response(
                {"error": sentence}, status=503, headers={hdrs.RETRY_AFTER: "5"}
            )
        with self._seat(request) as viewer:
            answer = web.StreamResponse(headers=_HEADERS)
            viewer.push(f"retry: {RETRY_S * 1000:.0f}\n\n".encode() + first)
            # A client that goes away is no error.
            with suppress(ConnectionError, TimeoutError):
                await answer.prepare(request)
                async with asyncio.timeout(self._life_s):
                    while event := await viewer.next_event():
                        await answer.write(event)
        return answer

    @contextmanager
    def _seat(self, request: web.Request) -> Iterator[Viewer]:
        transport = request.transport
        viewer = Viewer(transport)
        self._viewers.add(viewer)
        try:
            yield viewer
        finally:
            self._viewers.discard(viewer)
