"""Long answers handed over in pieces: the next when the client has taken most of those before.

A page of megabytes that is written at once is copied whole, by aiohttp and into the kernel, even
for a client that reads none of it: what all clients wait for meanwhile, and memory for each. So an
answer waits in one place, shared by all who are sent it, and each client is handed a piece at a
time. Used by the limits on connections, which count what waits. Imports nothing of this project.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from aiohttp.payload import Payload

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    from aiohttp.abc import AbstractStreamWriter

PIECE_BYTES: Final = 64 << 10
"""With its head more than what aiohttp writes without looking whether the client reads."""


class PiecewiseBody(Payload):
    """The body of one answer, which is written in pieces of at most `PIECE_BYTES`."""

    def __init__(self, body: bytes | memoryview) -> None:
        """Hold `body`, which is not copied."""
        super().__init__(body)
        self._view = memoryview(body)
        self._size = len(body)
        self.waiting_bytes = 0
        """What its client has not been handed yet; 0 before it is written, too."""

    def decode(self, encoding: str = "utf-8", errors: str = "strict") -> str:
        """Return it as text."""
        return str(self._view, encoding, errors)

    async def write(self, writer: AbstractStreamWriter) -> None:
        """Write it, as fast as the client takes it; raises ConnectionError once it is gone."""
        await self.hand_over(writer.write)

    async def hand_over(self, write: Callable[[memoryview], Awaitable[None]]) -> None:
        """Give `write` piece after piece, each when it has returned from the one before."""
        self.waiting_bytes = len(self._view)
        for start in range(0, len(self._view), PIECE_BYTES):
            piece = self._view[start : start + PIECE_BYTES]
            self.waiting_bytes -= len(piece)
            await write(piece)
