"""Slow, half-open and pipelining clients are cut, others are not; no test waits for it."""

from __future__ import annotations

import asyncio
import socket
from contextlib import asynccontextmanager
from types import SimpleNamespace

import pytest
from aiohttp import web

from exporter.server import connection_limits
from exporter.server.app import bind
from exporter.server.connection_limits import (
    ConnectionGuard,
    ConnectionLimits,
    GuardedConnection,
    GuardedSite,
    build_runner,
    note_requests,
)
from tests.fakes import MockClock

GET = b"GET / HTTP/1.1\r\nHost: localhost\r\n\r\n"
POST = b"POST / HTTP/1.1\r\nHost: localhost\r\nContent-Length: 4\r\n\r\n"
LIMITS = ConnectionLimits()


class LimitedServer:
    """A server with a mocked clock; `hold` keeps its answers back."""

    def __init__(self):
        """Answer at once."""
        self.clock = MockClock()
        self.go_on = asyncio.Event()
        self.go_on.set()
        self.begun, self.page = 0, b"page"

    async def answer(self, request):
        """Answer with the body, once it may."""
        self.begun += 1
        body = await request.read()
        await self.go_on.wait()
        return web.Response(body=body or self.page)

    def sweep(self, later_s):
        """Let time pass and sweep."""
        self.clock.spend(later_s)
        self.site.guard.sweep()

    async def open(self, *parts):
        """Return the streams of a client that has sent `parts`, once the server has them."""
        reader, writer = await asyncio.open_connection(*self.address)
        for part in parts:
            writer.write(part)
            await self.settle()
        await self.settle()
        return reader, writer

    async def settle(self):
        """Let everything happen that is under way on loopback."""
        for _ in range(20):
            await asyncio.sleep(0.001)


@asynccontextmanager
async def serving(limits=LIMITS, app=None):
    """Serve inside the block: `app`, or one that answers as the server of the test says."""
    server = LimitedServer()
    if app is None:
        app = web.Application(middlewares=[note_requests])
        app.router.add_route("*", "/", server.answer)
    runner = build_runner(app, shutdown_s=1.0)
    await runner.setup()
    listener = bind("127.0.0.1", 0)
    server.address = listener.getsockname()
    server.site = GuardedSite(runner, listener, limits)
    server.site.guard.monotonic = server.clock.monotonic
    await server.site.start()
    try:
        yield server
    finally:
        server.go_on.set()
        await runner.cleanup()


async def is_cut(streams):
    """Return whether the server has ended the connection, with nothing more to read."""
    try:
        async with asyncio.timeout(5):
            return await streams[0].read(1) == b""
    except ConnectionError:
        return True


async def answer_of(streams):
    """Return head and body of one answer."""
    head = await streams[0].readuntil(b"\r\n\r\n")
    length = int(head.lower().partition(b"content-length: ")[2].partition(b"\r\n")[0])
    return head, await streams[0].readexactly(length)


@pytest.mark.parametrize("sent", [(), (GET[:20],), (GET[:-2], b"X: y\r\n")])
async def test_a_head_that_does_not_come_is_not_waited_for(sent):
    """Silent, half, or by drops: the clock counts from the beginning, not from the last drop."""
    async with serving() as server:
        streams = await server.open(*sent)
        server.sweep(LIMITS.head_s - 0.5)
        assert not streams[0].at_eof()
        streams[1].write(b"Y: z\r\n" if len(sent) > 1 else b"")
        await server.settle()
        server.sweep(1)
        assert await is_cut(streams)
        assert server.site.guard.cut == 1


async def test_between_two_requests_a_client_may_take_its_time():
    """A Prometheus that scrapes once a minute keeps its connection."""
    async with serving() as server:
        streams = await server.open()
        for _ in range(3):
            streams[1].write(GET)
            assert (await answer_of(streams))[1] == b"page"
            await server.settle()
            server.sweep(60)
        server.sweep(LIMITS.idle_s - 60)
        assert await is_cut(streams)


async def test_half_a_second_head_behind_a_first_is_not_waited_for_longer():
    """Whether it came with the first or later."""
    async with serving() as server:
        together = await server.open(GET + GET[:20])
        apart = await server.open(GET)
        apart[1].write(GET[:20])
        await server.settle()
        for streams in (together, apart):
            await answer_of(streams)
        server.sweep(LIMITS.head_s + 0.1)
        assert await is_cut(together)
        assert await is_cut(apart)


async def test_a_request_that_is_being_answered_is_not_cut():
    """However long a fault delays it."""
    async with serving() as server:
        server.go_on.clear()
        streams = await server.open(GET)
        server.sweep(1000)
        server.go_on.set()
        assert (await answer_of(streams))[1] == b"page"


async def test_who_does_not_wait_for_answers_gets_one_and_is_closed():
    """All at once, or while the first is being answered."""
    async with serving() as server:
        at_once = await server.open(GET * 2)
        head, _ = await answer_of(at_once)
        assert b"connection: close" in head.lower()
        assert await is_cut(at_once)
        assert server.begun == 1
        server.go_on.clear()
        meanwhile = await server.open(GET, GET, GET)
        server.go_on.set()
        refused = await server.open(GET.replace(b"/ ", b"/none ") * 2)
        for streams, status in ((meanwhile, b"200"), (refused, b"404")):
            head, _ = await answer_of(streams)
            assert head.split()[1] == status
            assert b"connection: close" in head.lower()
            assert await is_cut(streams)


async def test_a_body_that_comes_after_its_head_is_no_second_request():
    """As most clients send one; the connection stays."""
    async with serving() as server:
        for parts in ((POST, b"bo", b"dy"), (POST + b"body",)):
            streams = await server.open(*parts)
            head, body = await answer_of(streams)
            assert body == b"body"
            assert b"connection: close" not in head.lower()
            server.sweep(LIMITS.idle_s - 1)
            streams[1].write(GET)
            assert (await answer_of(streams))[1] == b"page"


async def test_at_the_limit_the_longest_idle_makes_room_and_never_one_that_is_answered():
    """So half-open connections cannot shut out who scrapes."""
    async with serving(ConnectionLimits(connections=3)) as server:
        server.go_on.clear()
        busy = await server.open(GET)
        server.clock.spend(1)
        oldest = await server.open()
        server.clock.spend(1)
        younger = await server.open()
        newcomer = await server.open(GET)
        assert await is_cut(oldest)
        server.go_on.set()
        for streams in (busy, newcomer):
            assert (await answer_of(streams))[1] == b"page"
        assert not younger[0].at_eof()


async def test_without_an_idle_one_nobody_is_taken():
    """Nor is anybody cut."""
    async with serving(ConnectionLimits(connections=2)) as server:
        server.go_on.clear()
        busy = [await server.open(GET) for _ in range(2)]
        assert await is_cut(await server.open(GET))
        server.go_on.set()
        for streams in busy:
            assert (await answer_of(streams))[1] == b"page"


def rush(address, clients):
    """Connect so many while the server's loop does nothing; return the sockets that got through."""
    through = []
    for _ in range(clients):
        sock = socket.socket()
        sock.settimeout(0.3)
        try:
            sock.connect(address)
        except TimeoutError:
            sock.close()
            break
        through.append(sock)
    return through


@pytest.mark.parametrize(("connections", "everyone"), [(512, True), (50, False)])
async def test_as_many_may_come_at_once_as_may_be_there(connections, everyone):
    """Whom the kernel has no room for comes again after a second; more than may be there do."""
    async with serving(ConnectionLimits(connections=connections)) as server:
        through = rush(server.address, 200)
        assert (len(through) == 200) is everyone
        for sock in through:
            sock.close()
        await server.settle()


class StuckTransport:
    """A transport whose client reads nothing."""

    def __init__(self, unsent):
        """Hold `unsent` bytes."""
        self.unsent, self.aborted = unsent, False

    def get_write_buffer_size(self):
        """Return what is unsent."""
        return self.unsent

    def get_extra_info(self, _):
        """Have no socket."""

    def abort(self):
        """Note it."""
        self.aborted = True


def stuck(guard, *unsent):
    """Return connections that hold `unsent` bytes each."""
    connections = []
    for number in unsent:
        connection = GuardedConnection(asyncio.Protocol(), guard)
        connection.connection_made(StuckTransport(number))
        connection.busy = True
        connections.append(connection)
    return connections


def test_a_client_that_does_not_read_is_cut_after_a_while_and_one_that_did_is_not():
    """The clock counts for as long as anything is unsent."""
    clock = MockClock()
    guard = ConnectionGuard(LIMITS, clock.monotonic)
    slow, quick = stuck(guard, 1000, 1000)
    for _ in range(10):
        guard.sweep()
        clock.spend(1)
    quick._transport.unsent = 0
    guard.sweep()
    assert slow._transport.aborted
    quick._transport.unsent = 1000
    guard.sweep()
    clock.spend(1)
    guard.sweep()
    assert list(guard.connections) == [quick]


@pytest.mark.parametrize(("taken", "cut"), [(5_000, True), (5_999, True), (6_000, False)])
def test_what_was_taken_of_earlier_answers_is_no_excuse_and_all_that_was_due_is(
    monkeypatch, taken, cut
):
    """To the byte, of an answer of a thousand when five had been taken before."""
    clock, counts = MockClock(), iter([5_000, taken])
    guard = ConnectionGuard(LIMITS, clock.monotonic)
    monkeypatch.setattr(connection_limits, "taken_bytes", lambda _: next(counts))
    monkeypatch.setattr(connection_limits, "queued_bytes", lambda _: 0)
    sock = SimpleNamespace(fileno=lambda: -1, setsockopt=lambda *_: None)
    monkeypatch.setattr(StuckTransport, "get_extra_info", lambda *_: sock)
    (client,) = stuck(guard, 1000)
    guard.sweep()
    clock.spend(LIMITS.unsent_s)
    guard.sweep()
    assert client._transport.aborted is cut


def test_what_all_clients_together_have_not_read_is_bounded():
    """Those that have waited longest go first, and only until the rest is within the bound."""
    clock = MockClock()
    guard = ConnectionGuard(ConnectionLimits(unsent_bytes=1000), clock.monotonic)
    first = stuck(guard, 600, 600)
    guard.sweep()
    assert len(guard.connections) == 2
    clock.spend(LIMITS.impatient_s)
    later = stuck(guard, 600)
    guard.sweep()
    assert all(connection._transport.aborted for connection in first)
    assert list(guard.connections) == later


@pytest.mark.parametrize(("beyond", "cut"), [(0, 0), (1, 1)])
def test_all_clients_together_may_leave_32_mebibytes_unread_for_two_seconds(beyond, cut):
    """As the documentation says; a byte more is too many, and one of them makes room."""
    clock = MockClock()
    guard = ConnectionGuard(ConnectionLimits(), clock.monotonic)
    stuck(guard, 16 << 20, (16 << 20) + beyond)
    guard.sweep()
    clock.spend(1.9)
    guard.sweep()
    assert guard.cut == 0
    clock.spend(0.1)
    guard.sweep()
    assert guard.cut == cut


def test_without_a_sweep_nobody_would_be_cut():
    """It is the sweep that does it."""
    clock = MockClock()
    guard = ConnectionGuard(LIMITS, clock.monotonic)
    stuck(guard, 10)
    clock.spend(1000)
    assert guard.cut == 0
