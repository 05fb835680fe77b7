"""Clients that a metrics server has to get rid of: slow, half-open, pipelining, reading nothing.

Used by the benchmark of scrapes and by the tests of a served world. Each is a plain socket, so that
it reads exactly what its behaviour says and no buffer of an event loop reads ahead for it.
"""

from __future__ import annotations

import asyncio
import socket
import time
from contextlib import closing, suppress
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from benchmarks.scrape_clients import PLAIN_REQUEST

if TYPE_CHECKING:
    from collections.abc import Iterable

RECEIVE_BUFFER_BYTES: Final = 4096
"""What a hostile client's kernel takes for it: as little as it can, so that the server is left with
what is not read."""
TCP_INFO: Final = 11
TCP_ESTABLISHED: Final = 1


@dataclass(frozen=True, slots=True)
class Behaviour:
    """What a hostile client sends, again every so often, and how much it reads each time."""

    name: str
    first: bytes
    drip: bytes = b""
    every_s: float = 0.5
    reads_bytes: int = 0


HOSTILE: Final = (
    Behaviour("silent", b""),
    Behaviour("half a head", b"GET /metrics HTTP/1.1\r\nHost: loc"),
    Behaviour("a head by drops", b"GET /metrics HTTP/1.1\r\nHost: localhost\r\n", b"X: y\r\n"),
    Behaviour("a body by drops", b"POST /api/v1/faults HTTP/1.1\r\nHost: localhost\r\n"
              b"Content-Type: application/json\r\nContent-Length: 9999\r\n\r\n{", b" "),
    Behaviour("half a second head", PLAIN_REQUEST + PLAIN_REQUEST[:30], b"x"),
    Behaviour("reads nothing", PLAIN_REQUEST),
    Behaviour("reads by drops", PLAIN_REQUEST, reads_bytes=100),
    Behaviour("asks on, reads nothing", PLAIN_REQUEST, PLAIN_REQUEST),
    Behaviour("pipelining", PLAIN_REQUEST * 200, b"\r\n"),
    Behaviour("pipelining, for ever", PLAIN_REQUEST * 20, PLAIN_REQUEST * 200, 0.05),
)  # fmt: skip


async def misbehave(address: tuple[str, int], behaviour: Behaviour, seconds: float) -> float | None:
    """Behave so until cut; return after how many seconds that was, None if not within `seconds`."""
    began_s = time.monotonic()
    with closing(socket.socket()) as sock:
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, RECEIVE_BUFFER_BYTES)
        sock.settimeout(0)
        await asyncio.get_running_loop().sock_connect(sock, address)
        _exchange(sock, behaviour.first, 0)
        while time.monotonic() - began_s < seconds:
            await asyncio.sleep(behaviour.every_s)
            if is_closed(sock) or not _exchange(sock, behaviour.drip, behaviour.reads_bytes):
                return time.monotonic() - began_s
    return None


def _exchange(sock: socket.socket, sends: bytes, reads_bytes: int) -> bool:
    """Send and read what goes without waiting; return whether the connection still stands."""
    try:
        with suppress(BlockingIOError):
            sock.send(sends)
        with suppress(BlockingIOError):
            return not reads_bytes or sock.recv(reads_bytes) != b""
    except OSError:
        return False
    return True


def is_closed(sock: socket.socket) -> bool:
    """Return whether the server has closed a connection that is not read: its state in the kernel.

    Linux: the first byte of TCP_INFO.
    """
    with suppress(OSError):
        return sock.getsockopt(socket.IPPROTO_TCP, TCP_INFO, 1)[0] != TCP_ESTABLISHED
    return True


async def misbehave_together(
    address: tuple[str, int], each: int, seconds: float
) -> dict[str, list[float | None]]:
    """Let `each` clients of every hostile kind behave so; return by kind when they were cut."""

    async def run(behaviour: Behaviour) -> float | None:
        with suppress(OSError):
            return await misbehave(address, behaviour, seconds)
        return 0.0  # not even let in

    runs: Iterable[Behaviour] = [behaviour for behaviour in HOSTILE for _ in range(each)]
    ends = await asyncio.gather(*map(run, runs))
    return {
        behaviour.name: list(ends[place * each : (place + 1) * each])
        for place, behaviour in enumerate(HOSTILE)
    }
