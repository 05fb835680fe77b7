"""A long answer waits in one place, and a client that does not read is handed little of it."""

from __future__ import annotations

import asyncio
import gzip
import logging
import math
import sys
from contextlib import nullcontext

import pytest
from aiohttp import web
from aiohttp.test_utils import make_mocked_request

from exporter.server import answer_pieces, app, connection_limits
from exporter.server.answer_pieces import PIECE_BYTES, PiecewiseBody
from exporter.server.app import build_app
from exporter.server.connection_limits import (
    ConnectionGuard,
    ConnectionLimits,
    in_pieces,
    note_requests,
)
from exporter.server.exposition import Exposition
from simulator.snapshot import ScrapePath
from tests.exporter.server.test_connection_limits import GET, LIMITS, answer_of, serving
from tests.exporter.server.test_kernel_queue import small_client, take_answer
from tests.fakes import FakeWorld, MockClock

PAGE = bytes(range(256)) * (1 << 14)
"""4 MiB, in which every piece is at a place of its own only as a whole."""
HANDED_MAX = 4 * PIECE_BYTES
"""A piece in the transport, one unsent in the kernel, and what each rounds up to."""

linux = pytest.mark.skipif(sys.platform != "linux", reason="only Linux tells")


def hand_over_whole(monkeypatch):
    """Plant the fault that this is about: no pieces, and a kernel that takes what it likes."""
    for module in (answer_pieces, connection_limits):
        monkeypatch.setattr(module, "PIECE_BYTES", 1 << 40)
    monkeypatch.setattr(connection_limits, "hold_unsent_below", lambda *_: None)


async def ask_without_reading(server, page=PAGE, times=1, buffer_bytes=4096):
    """Return a client that has asked and reads nothing, and its connection."""
    server.page, known = page, set(server.site.guard.connections)
    client = small_client(server, buffer_bytes)
    for _ in range(times):
        client.send(GET)
        await server.settle()
    (connection,) = set(server.site.guard.connections) - known
    return client, connection


def handed_bytes(connection):
    """Return how much of what is unsent has left the place where the answer waits."""
    connection.note_unsent(0.0)
    waiting = connection._body.waiting_bytes if connection._body else 0
    return connection.unsent_bytes - waiting


@pytest.mark.parametrize(
    "size", [0, 1, PIECE_BYTES - 1, PIECE_BYTES, PIECE_BYTES + 1, 3 * PIECE_BYTES + 5]
)
async def test_the_pieces_are_the_body_and_what_waits_is_the_rest(size):
    """In their order, none larger than the bound; nothing waits before it is written."""
    whole, written, rests = PAGE[:size], [], []
    body = PiecewiseBody(whole)
    assert (body.size, body.waiting_bytes) == (size, 0)

    async def write(piece):
        written.append(bytes(piece))
        rests.append(body.waiting_bytes)

    await body.hand_over(write)
    assert b"".join(written) == whole
    assert all(len(piece) <= PIECE_BYTES for piece in written)
    assert rests == [size - sum(map(len, written[: n + 1])) for n in range(len(written))]


@pytest.mark.parametrize(("size", "pieces"), [(PIECE_BYTES, False), (PIECE_BYTES + 1, True)])
async def test_an_answer_of_more_than_a_piece_waits_in_pieces(size, pieces):
    """One of a piece is written as it is; who reads gets each whole."""
    async with serving() as server:
        server.page = PAGE[:size]
        streams = await server.open(GET)
        assert (await answer_of(streams))[1] == PAGE[:size]
        (connection,) = server.site.guard.connections
        assert (connection._body is not None) is pieces


async def test_a_long_answer_that_is_compressed_is_compressed_whole():
    """Its pieces would be sent as they are, under the name of what they are not."""

    async def answer(_):
        compressed = web.Response(body=PAGE)
        compressed.enable_compression(web.ContentCoding.gzip)
        return compressed

    made = web.Application(middlewares=[note_requests])
    made.router.add_get("/", answer)
    async with serving(app=made) as server:
        streams = await server.open(GET.replace(b"\r\n\r\n", b"\r\nAccept-Encoding: gzip\r\n\r\n"))
        head, body = await answer_of(streams)
        assert b"content-encoding: gzip" in head.lower()
        assert gzip.decompress(body) == PAGE


async def test_limits_are_checked_every_second(monkeypatch):
    """By which a client may exceed one."""
    slept, guard = [], ConnectionGuard(LIMITS, MockClock().monotonic)

    async def sleep(delay_s):
        slept.append(delay_s)
        if len(slept) == 3:
            raise asyncio.CancelledError

    monkeypatch.setattr(connection_limits.asyncio, "sleep", sleep)
    with pytest.raises(asyncio.CancelledError):
        await guard.run()
    assert slept == [1.0, 1.0, 1.0]


@linux
async def test_who_reads_nothing_is_handed_a_few_pieces_and_all_of_it_counts_as_unread():
    """Neither aiohttp nor the kernel has a copy of the rest."""
    async with serving() as server:
        client, connection = await ask_without_reading(server)
        assert 0 < handed_bytes(connection) <= HANDED_MAX
        assert connection.unsent_bytes > len(PAGE) - HANDED_MAX
        client.close()


@linux
async def test_without_pieces_the_same_client_would_be_handed_megabytes(monkeypatch):
    """By the same measure."""
    hand_over_whole(monkeypatch)
    async with serving() as server:
        client, connection = await ask_without_reading(server)
        assert handed_bytes(connection) > 4 * HANDED_MAX
        client.close()


@linux
async def test_who_has_not_read_an_answer_gets_no_second_one():
    """However often it asks; it would only be made and copied for nothing."""
    async with serving() as server:
        client, _ = await ask_without_reading(server, PAGE[:600_000], times=3)
        assert server.begun == 1
        client.close()


@linux
async def test_without_pieces_it_would_get_one_while_the_kernel_has_room(monkeypatch):
    """A page of the usual size is sent, as far as anybody here knows."""
    hand_over_whole(monkeypatch)
    async with serving() as server:
        client, _ = await ask_without_reading(server, PAGE[:600_000], times=3)
        assert server.begun > 1
        client.close()


async def read_slowly(server, seconds):
    """Read a whole page at an even pace, so that it takes so long by the server's clock."""
    client, connection = await ask_without_reading(server, buffer_bytes=1 << 16)
    with client:
        loop, got = asyncio.get_running_loop(), b""
        while not got.endswith(PAGE):
            piece = await asyncio.wait_for(loop.sock_recv(client, 1 << 16), 20)
            got += piece
            server.sweep(seconds * len(piece) / len(PAGE))
        await server.settle()
        server.sweep(0)
        assert connection.unsent_bytes == 0
        client.send(GET)
        await take_answer(client, PAGE)


async def test_who_reads_slowly_gets_every_byte_and_stays():
    """A long page over many sweeps, as long as the whole of it is taken in time."""
    async with serving() as server:
        await read_slowly(server, 0.9 * LIMITS.unsent_s)
        assert server.site.guard.cut == 0


@linux
async def test_who_reads_too_slowly_is_cut_though_it_takes_each_piece_in_time():
    """The limit is one of the answer, and not of what was handed over."""
    async with serving() as server:
        with pytest.raises(ConnectionError):
            await read_slowly(server, 1.5 * LIMITS.unsent_s)
        assert server.site.guard.cut == 1


@linux
@pytest.mark.parametrize(("counted", "cut"), [(True, 2), (False, 0)])
async def test_what_waits_counts_for_all_clients_together(monkeypatch, counted, cut):
    """So that pages of many instants are not kept for ever; if it did not, nobody would be cut."""
    if not counted:
        monkeypatch.setattr(PiecewiseBody, "waiting_bytes", property(lambda _: 0, lambda *_: None),
                            raising=False)  # fmt: skip
    async with serving(ConnectionLimits(unsent_bytes=len(PAGE) + HANDED_MAX)) as server:
        clients = [(await ask_without_reading(server))[0] for _ in range(3)]
        server.sweep(0)
        server.sweep(LIMITS.impatient_s)
        assert server.site.guard.cut == cut
        for client in clients:
            client.close()


async def test_the_head_of_a_long_page_leaves_nothing_waiting():
    """Its client would be cut for what it is not sent."""
    async with serving() as server:
        server.page = PAGE
        streams = await server.open(GET.replace(b"GET", b"HEAD"))
        head = await streams[0].readuntil(b"\r\n\r\n")
        assert f"content-length: {len(PAGE)}\r\n".encode() in head.lower()
        server.sweep(0)
        server.sweep(LIMITS.unsent_s + 1)
        assert server.site.guard.cut == 0
        server.page = b"short"
        streams[1].write(GET)
        assert (await answer_of(streams))[1] == b"short"


async def test_a_body_without_a_guarded_connection_is_handed_over_all_the_same():
    """As in a test server of aiohttp."""
    body, written = in_pieces(make_mocked_request("GET", "/"), PAGE), []

    async def write(piece):
        written.append(bytes(piece))

    await body.hand_over(write)
    assert b"".join(written) == PAGE == body.decode("latin-1").encode("latin-1")


async def leave_truncated_page_unread():
    """Ask for a long page that a fault cuts short, until cut; return what was handed over of it."""
    world = FakeWorld()
    world.change(scrape_path=ScrapePath(extra_series=20_000, cut_share=0.001))
    exposition = Exposition(world, MockClock(), version="1", scenario="calm")
    async with serving(app=build_app(exposition)) as server:
        client = small_client(server, 4096)
        client.send(GET.replace(b"/", b"/metrics", 1))
        while not exposition.scrapes_served:
            await server.settle()
        await server.settle()
        if not server.site.guard.connections:
            return math.inf  # all of it is the kernel's, and the connection closed
        (connection,) = server.site.guard.connections
        handed = handed_bytes(connection)
        assert connection.unsent_bytes > 1.5 * HANDED_MAX
        server.sweep(LIMITS.unsent_s)
        await server.settle()
        assert server.site.guard.cut == 1
        client.close()
    return handed


@linux
async def test_a_page_that_a_fault_cuts_short_waits_as_well_and_its_end_is_no_error(caplog):
    """Its handler writes by itself, and meets the cut."""
    with caplog.at_level(logging.WARNING):
        assert 0 < await leave_truncated_page_unread() <= HANDED_MAX
    assert not caplog.records


@linux
async def test_without_pieces_or_forgiveness_both_would_be_noticed(monkeypatch, caplog):
    """Megabytes are handed over; and the cut is an error in the log."""
    with caplog.at_level(logging.WARNING), monkeypatch.context() as patch:
        patch.setattr(app, "suppress", lambda _: nullcontext())
        await leave_truncated_page_unread()
        assert caplog.records
    hand_over_whole(monkeypatch)
    assert await leave_truncated_page_unread() > HANDED_MAX
