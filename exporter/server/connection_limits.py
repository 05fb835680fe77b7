"""Bounds on the connections of an HTTP server of ours: how many, how slow, how much unsent.

aiohttp waits for ever for a head that does not come and for a client that does not read. Each of
its connections is wrapped here in a protocol that sees the bytes and the clock: a sweep each second
cuts whoever has exceeded a limit. Used for the world's server and for the receiver of the verifier,
which is why it imports nothing of this project but what the kernel says of a connection.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
import socket
import struct
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final, cast

from aiohttp import web
from aiohttp.http import HttpProcessingError

from exporter.server.answer_pieces import PIECE_BYTES, PiecewiseBody
from exporter.server.kernel_queue import (
    give_up_after,
    hold_unsent_below,
    queued_bytes,
    taken_bytes,
)

if TYPE_CHECKING:
    from collections.abc import Callable

    from aiohttp.typedefs import Handler

SWEEP_S: Final = 1.0
RESET_AT_ONCE: Final = struct.pack("ii", 1, 0)
"""For SO_LINGER: on, and for no time."""
HEAD_END: Final = b"\r\n\r\n"

RUNNER_OPTIONS: Final[dict[str, Any]] = {
    "auto_decompress": False,
    "keepalive_timeout": 75.0,
    "lingering_time": 2.0,
}
"""Bodies are not decompressed: nobody has to compress a few hundred bytes, and what is small when
it comes may be large then. A body that nobody asked for is read on for `lingering_time`."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ConnectionLimits:
    """What one server grants its clients; times are exceeded by at most one sweep."""

    connections: int = 512
    """At the limit, whoever has been idle longest makes room; without such a one, none is taken."""
    head_s: float = 10.0
    """From opening a connection, or the first byte of a further request, to its whole head."""
    idle_s: float = 75.0
    """Between two requests."""
    unsent_s: float = 10.0
    """How long what was answered may stay unread by the client."""
    unsent_bytes: int = 32 << 20
    """Of all clients together; above it, those that have not read for `impatient_s` are cut."""
    impatient_s: float = 2.0


class ConnectionGuard:
    """All connections of one server; its `protocol` wraps those of aiohttp."""

    def __init__(self, limits: ConnectionLimits, monotonic: Callable[[], float]) -> None:
        """Guard nothing yet."""
        self.limits, self.monotonic = limits, monotonic
        self.connections: dict[GuardedConnection, None] = {}
        self.cut = 0

    def admit(self, newcomer: GuardedConnection) -> bool:
        """Take a connection, for which an idle one may have to go; return whether it is taken."""
        if len(self.connections) >= self.limits.connections:
            idle = [old for old in self.connections if not old.busy]
            if not idle:
                return False
            self.drop(min(idle, key=lambda old: old.since_s))
        self.connections[newcomer] = None
        return True

    def drop(self, connection: GuardedConnection) -> None:
        """Cut a connection at once, whatever is unsent."""
        self.cut += 1
        self.connections.pop(connection, None)
        connection.abort()

    def sweep(self) -> None:
        """Cut every connection that has exceeded a limit."""
        now_s = self.monotonic()
        for connection in list(self.connections):
            connection.note_unsent(now_s)
            if connection.is_overdue(now_s):
                self.drop(connection)
        self._bound_unsent(now_s)

    async def run(self) -> None:
        """Sweep until cancelled."""
        while True:
            await asyncio.sleep(SWEEP_S)
            self.sweep()

    def _bound_unsent(self, now_s: float) -> None:
        total = sum(connection.unsent_bytes for connection in self.connections)
        slowest_first = sorted(
            (
                connection
                for connection in self.connections
                if connection.unsent_since_s is not None
            ),
            key=lambda connection: cast("float", connection.unsent_since_s),
        )
        for connection in slowest_first:
            waited_s = now_s - cast("float", connection.unsent_since_s)
            if total <= self.limits.unsent_bytes or waited_s < self.limits.impatient_s:
                break
            total -= connection.unsent_bytes
            self.drop(connection)


class GuardedConnection(asyncio.Protocol):
    """One connection: hands everything on to aiohttp's protocol and knows since when it waits."""

    def __init__(self, inner: asyncio.Protocol, guard: ConnectionGuard) -> None:
        """Wrap `inner`."""
        self._inner, self._guard = inner, guard
        self._transport: asyncio.Transport | None = None
        self._admitted = self._reads_body = self._beyond_head = self._half_read = False
        self.busy = self.pipelined = False
        self.since_s = guard.monotonic()
        self._limit_s = guard.limits.head_s
        self.unsent_bytes = 0
        """How much of the answers the client had not taken at the last sweep."""
        self.unsent_since_s: float | None = None
        self._due_bytes = 0
        self._body: PiecewiseBody | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Begin, or end at once when there is no room."""
        self._transport = cast("asyncio.Transport", transport)
        self._admitted = self._guard.admit(self)
        if self._admitted:
            self._inner.connection_made(transport)
        else:
            self._transport.abort()

    def connection_lost(self, exc: Exception | None) -> None:
        """Forget it."""
        self._guard.connections.pop(self, None)
        if self._admitted:
            self._inner.connection_lost(exc)

    def data_received(self, data: bytes) -> None:
        """Note since when a request has been coming; hand it on."""
        if not self._admitted:
            return
        if self.busy:
            self.pipelined |= not self._reads_body
            self._half_read |= not self._reads_body
        else:
            # More than one head at once: whoever does not wait for answers is sent one and no more.
            self.pipelined |= data.count(HEAD_END) > 1
            self._beyond_head = not data.endswith(HEAD_END)
            self._await_head()
        self._inner.data_received(data)

    def eof_received(self) -> bool | None:
        """Hand it on."""
        return self._inner.eof_received() if self._admitted else None

    def pause_writing(self) -> None:
        """Hand it on: aiohttp then waits with further answers."""
        if self._admitted:
            self._inner.pause_writing()

    def resume_writing(self) -> None:
        """Hand it on."""
        if self._admitted:
            self._inner.resume_writing()

    def begin(self, *, reads_body: bool) -> None:
        """Note that the head of a request is there and its handler runs."""
        self.busy, self._reads_body = True, reads_body
        self._half_read = self._beyond_head and not reads_body

    def finish(self) -> None:
        """Note that the handler has answered: from now on the client may be idle for a while."""
        self.busy, self.since_s = False, self._guard.monotonic()
        limits = self._guard.limits
        self._limit_s = limits.head_s if self._half_read else limits.idle_s

    def give_in_pieces(self, body: bytes | memoryview) -> PiecewiseBody:
        """Return the body of an answer as one that waits here, and counts as unsent as it does."""
        self._body = PiecewiseBody(body)
        return self._body

    def note_unsent(self, now_s: float) -> None:
        """Note how much the client has not taken, and since when it owes to take the oldest of it.

        Who takes an answer within the limit is not cut, even if the next is under way by then.
        """
        if self._transport is None:
            return
        sock = self._transport.get_extra_info("socket")
        queued = queued_bytes(sock.fileno()) if sock is not None else 0
        waiting = self._body.waiting_bytes if self._body is not None else 0
        self.unsent_bytes = queued + self._transport.get_write_buffer_size() + waiting
        if self.unsent_bytes == 0:
            self.unsent_since_s = None
            return
        taken = taken_bytes(sock) if sock is not None else 0
        if self.unsent_since_s is None or taken >= self._due_bytes:
            self.unsent_since_s, self._due_bytes = now_s, taken + self.unsent_bytes

    def is_overdue(self, now_s: float) -> bool:
        """Return whether it had exceeded a limit of time at the last sweep."""
        if self.unsent_since_s is not None:
            return now_s - self.unsent_since_s >= self._guard.limits.unsent_s
        return not self.busy and now_s - self.since_s >= self._limit_s

    def abort(self) -> None:
        """End it without sending the rest, which the kernel would otherwise keep for long."""
        if self._transport is None:
            return
        sock = self._transport.get_extra_info("socket")
        if sock is not None:
            with contextlib.suppress(OSError):
                sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, RESET_AT_ONCE)
        self._transport.abort()

    def _await_head(self) -> None:
        limit_s = self._guard.limits.head_s
        if self._limit_s != limit_s:
            self.since_s, self._limit_s = self._guard.monotonic(), limit_s


@web.middleware
async def note_requests(request: web.Request, handler: Handler) -> web.StreamResponse:
    """Tell a guarded connection when a request begins and ends; the outermost middleware.

    A client that sends requests without waiting for their answers gets one, and its connection
    is closed: it would take turns from those who wait. RFC 9112 lets a server do so.
    """
    connection = _connection_of(request)
    if connection is None:
        return await handler(request)
    connection.begin(reads_body=request.can_read_body)
    try:
        answer = await handler(request)
    except web.HTTPException as refusal:
        if connection.pipelined:
            refusal.force_close()
        raise
    finally:
        connection.finish()
    if connection.pipelined and not answer.prepared:
        answer.force_close()
    if isinstance(answer, web.Response) and not answer.prepared and not answer.compression:
        whole = answer.body
        if isinstance(whole, bytes) and len(whole) > PIECE_BYTES:
            answer.body = connection.give_in_pieces(whole)
    return answer


def in_pieces(request: web.Request, body: bytes | memoryview) -> PiecewiseBody:
    """Return a body to hand over by a handler itself; a guarded connection counts what waits."""
    connection = _connection_of(request)
    return PiecewiseBody(body) if connection is None else connection.give_in_pieces(body)


def _connection_of(request: web.Request) -> GuardedConnection | None:
    transport = request.transport
    protocol = None if transport is None else transport.get_protocol()
    return protocol if isinstance(protocol, GuardedConnection) else None


class GuardedSite(web.BaseSite):
    """A site of an aiohttp runner on a bound socket, with limits on its connections."""

    def __init__(
        self,
        runner: web.AppRunner,
        listener: socket.socket,
        limits: ConnectionLimits | None = None,
    ) -> None:
        """Serve the app of `runner` on `listener` once started."""
        super().__init__(runner)
        self._listener = listener
        loop = asyncio.get_running_loop()
        self.guard = ConnectionGuard(limits or ConnectionLimits(), loop.time)
        self._sweeping: asyncio.Task[None] | None = None

    @property
    def name(self) -> str:
        """The address, as aiohttp's sites are told apart."""
        return "http://{}:{}".format(*self._listener.getsockname()[:2])

    async def start(self) -> None:
        """Listen, and sweep until stopped."""
        await super().start()
        server = cast("web.Server", self._runner.server)
        # Later than the sweep, which resets a connection, where the kernel only forgets it.
        give_up_after(self._listener, self.guard.limits.unsent_s + 2 * SWEEP_S)
        hold_unsent_below(self._listener, PIECE_BYTES)
        self._server = await asyncio.get_running_loop().create_server(
            lambda: GuardedConnection(server(), self.guard),
            sock=self._listener,
            # Beyond it the kernel drops whoever comes, who tries again a second later: as many may
            # come in one turn of the loop as may be there, so that a rush shuts nobody out.
            backlog=self.guard.limits.connections,
        )
        self._sweeping = asyncio.create_task(self.guard.run())

    async def stop(self) -> None:
        """Stop listening and sweeping; what is being answered goes on."""
        if self._sweeping is not None:
            self._sweeping.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await self._sweeping
        await super().stop()


def build_runner(app: web.Application, *, shutdown_s: float) -> web.AppRunner:
    """Return a runner of `app` whose connections a `GuardedSite` can limit.

    A malformed request is answered, and is no event of ours to log.
    """
    return web.AppRunner(
        app, access_log=None, shutdown_timeout=shutdown_s, logger=_logger(), **RUNNER_OPTIONS
    )


def _logger() -> logging.Logger:
    logger = logging.getLogger("agentaskit_sim.http")
    if not logger.filters:
        logger.addFilter(_is_ours)
    return logger


def _is_ours(record: logging.LogRecord) -> bool:
    return not (record.exc_info and isinstance(record.exc_info[1], HttpProcessingError))
