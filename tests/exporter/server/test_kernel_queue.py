"""What the kernel holds for a client that does not read counts as unread."""

from __future__ import annotations

import asyncio
import socket
import sys

import pytest

from exporter.server import connection_limits
from exporter.server.answer_pieces import PIECE_BYTES
from exporter.server.connection_limits import SWEEP_S, ConnectionLimits
from exporter.server.kernel_queue import (
    give_up_after,
    hold_unsent_below,
    queued_bytes,
    taken_bytes,
)
from tests.exporter.server.test_connection_limits import GET, LIMITS, serving

PAGE = b"x" * 60_000
"""Less than what the kernel takes for a connection: none of it stays in the transport."""
LONG_PAGE = b"x" * 400_000
"""More than what a client's kernel takes, so that some of it is under way at any time."""

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="only Linux tells")


def small_client(server, buffer_bytes):
    """Return a connected socket whose kernel takes no more than that for it."""
    sock = socket.socket()
    sock.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, buffer_bytes)
    sock.connect(server.address)
    sock.settimeout(0)
    return sock


async def ask_for_a_page(server, buffer_bytes=4096, page=PAGE):
    """Return the connection of a client that has asked for `page` and reads none of it."""
    server.page = page
    client = small_client(server, buffer_bytes)
    client.send(GET)
    while not server.begun:
        await server.settle()
    await server.settle()
    (connection,) = server.site.guard.connections
    return client, connection


async def test_a_page_that_only_the_kernel_holds_is_unread():
    """To the transport it is sent; its client is cut as any other that does not read."""
    async with serving() as server:
        client, connection = await ask_for_a_page(server)
        assert connection._transport.get_write_buffer_size() == 0
        server.sweep(0)
        assert connection.unsent_bytes > len(PAGE) / 2
        server.sweep(LIMITS.unsent_s - 0.5)
        assert server.site.guard.cut == 0
        server.sweep(1)
        assert server.site.guard.cut == 1
        client.close()


async def test_without_the_kernels_share_such_a_client_would_be_kept(monkeypatch):
    """As one that is idle between two requests."""
    monkeypatch.setattr(connection_limits, "queued_bytes", lambda _: 0)
    async with serving() as server:
        client, _ = await ask_for_a_page(server)
        server.sweep(0)
        server.sweep(LIMITS.unsent_s + 1)
        assert server.site.guard.cut == 0
        client.close()


async def test_reading_a_little_now_and_then_is_not_reading():
    """What was due at first is not taken in time, whatever else is."""
    async with serving() as server:
        client, _ = await ask_for_a_page(server)
        for _ in range(int(LIMITS.unsent_s) + 1):
            server.sweep(1)
            assert client.recv(2000)
            await server.settle()
        assert server.site.guard.cut == 1
        client.close()


async def take_answer(client, page):
    """Read one answer of `page` to its end."""
    loop, taken = asyncio.get_running_loop(), b""
    async with asyncio.timeout(20):
        while not taken.endswith(page):
            taken += await loop.sock_recv(client, 1 << 20)


async def scrape_on(server):
    """Scrape without a pause, so that a page is always under way when the server looks."""
    client, connection = await ask_for_a_page(server, 1 << 16, LONG_PAGE)
    with client:
        for _ in range(int(LIMITS.unsent_s) + 2):
            server.sweep(1)
            assert connection.unsent_bytes > 0
            await take_answer(client, LONG_PAGE)
            client.send(GET)
            await server.settle()


async def test_who_takes_each_answer_is_not_cut_though_the_next_is_always_under_way():
    """At every sweep something is unread, but never the same for long."""
    async with serving() as server:
        await scrape_on(server)
        assert server.site.guard.cut == 0


async def test_without_a_count_of_what_was_taken_such_a_client_would_be_cut(monkeypatch):
    """That something is unread says nothing by itself."""
    monkeypatch.setattr(connection_limits, "taken_bytes", lambda _: 0)
    async with serving() as server:
        with pytest.raises(ConnectionError):
            await scrape_on(server)
        assert server.site.guard.cut == 1


async def test_the_kernel_forgets_those_that_are_closed_here_and_do_not_read():
    """Later than the sweep cuts, which tells the client; by itself it would keep them for long."""
    limits = ConnectionLimits(unsent_s=3.0)
    async with serving(limits) as server:
        await server.open(GET)
        (connection,) = server.site.guard.connections
        sock = connection._transport.get_extra_info("socket")
        timeout_ms = sock.getsockopt(socket.IPPROTO_TCP, socket.TCP_USER_TIMEOUT)
        assert timeout_ms == 1000 * (limits.unsent_s + 2 * SWEEP_S)


async def test_the_kernel_takes_little_that_it_cannot_send():
    """Every connection has the bound of its listener."""
    async with serving() as server:
        await server.open(GET)
        (connection,) = server.site.guard.connections
        sock = connection._transport.get_extra_info("socket")
        assert sock.getsockopt(socket.IPPROTO_TCP, socket.TCP_NOTSENT_LOWAT) == PIECE_BYTES


def test_what_no_kernel_tells_counts_as_taken(monkeypatch):
    """A closed socket, a listener, another system."""
    with socket.socket() as listener:
        assert (queued_bytes(-1), taken_bytes(listener)) == (0, 0)
        monkeypatch.setattr(sys, "platform", "other")
        assert (queued_bytes(listener.fileno()), taken_bytes(listener)) == (0, 0)
        monkeypatch.delattr(socket, "TCP_USER_TIMEOUT")
        monkeypatch.delattr(socket, "TCP_NOTSENT_LOWAT")
        give_up_after(listener, 1)
        hold_unsent_below(listener, 1)
